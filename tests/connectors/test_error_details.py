"""What each vendor says into the detail of an error: the code that the catalogue explains."""

from __future__ import annotations

import json

import pytest

from syncline.connectors.activecollab.dialect import ActiveCollabDialect, Credentials
from syncline.connectors.highlevel.refusals import classify
from syncline.connectors.http import Answer
from syncline.core.catalogue import ENTRIES
from syncline.errors import Detail


@pytest.mark.parametrize(
    ("status", "body", "detail"),
    [
        (401, {"message": "Invalid JWT"}, Detail.TOKEN_REFUSED),
        (401, {"message": "The access token is expired."}, Detail.TOKEN_EXPIRED),
        (401, {"message": "The token is not authorized for this scope."}, Detail.MISSING_SCOPE),
        (401, {"message": "User type mismatch"}, Detail.WRONG_KIND),
        (401, {}, Detail.TOKEN_REFUSED),
        (403, {"message": "The token does not have access to this location."}, Detail.NO_ACCESS),
        (401, {"message": "This route is not yet supported by the IAM Service."}, Detail.NO_ACCESS),
        (400, {"message": "Record with this value already exists"}, Detail.DUPLICATE),
        (422, {"message": ["title should not be empty"]}, Detail.REQUIRED_FIELD),
        (422, {"message": ["properties.due is required"]}, Detail.REQUIRED_FIELD),
        (422, {"message": ["effort must be a number"]}, Detail.VALIDATION),
        (404, {}, None),
    ],
)
def test_highlevel_tells_the_detail(status: int, body: object, detail: Detail | None) -> None:
    error = classify(status, json.dumps(body).encode())

    assert error is not None
    assert error.detail is detail
    assert error.full_code in ENTRIES


@pytest.mark.parametrize(
    ("status", "body", "detail"),
    [
        (401, {}, Detail.TOKEN_REFUSED),
        (403, {}, Detail.FORBIDDEN),
        (
            500,
            {"type": "ValidationErrors", "field_errors": {"name": ["Name is required"]}},
            Detail.REQUIRED_FIELD,
        ),
        (
            500,
            {"type": "ValidationErrors", "field_errors": {"name": ["Name is too long"]}},
            Detail.VALIDATION,
        ),
        (500, {"message": "Job type is required for estimates"}, Detail.REQUIRED_FIELD),
        (500, {"message": "Failed to match route"}, Detail.UNKNOWN_ROUTE),
        (400, {}, Detail.VALIDATION),
        (404, {}, None),
    ],
)
def test_activecollab_tells_the_detail(status: int, body: object, detail: Detail | None) -> None:
    dialect = ActiveCollabDialect(Credentials("1-secret"))
    error = dialect.classify(Answer(status, {}, json.dumps(body).encode()), is_write=True)

    assert error is not None
    assert error.detail is detail
    assert error.full_code in ENTRIES
