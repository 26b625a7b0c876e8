"""ActiveCollab's credentials and error bodies into headers and our errors.

Used by `activecollab.client` through `connectors.http`. Errors are judged by their body first and by the status second,
because validation and unknown routes may both answer 500 (facts: activecollab-api.md 5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from syncline.connectors.http import Answer, Dialect
from syncline.core.records import FieldId
from syncline.errors import AuthError, ConnectorError, Detail, NotFoundError, RejectedError

ANGIE = "X-Angie-AuthApiToken"

_REQUIRED = re.compile(
    r"\b(is|are) required\b|can'?t be (blank|empty)|may not be (blank|empty)", re.IGNORECASE
)

JOB_TYPE_MISSING = "Job type is required"
"""How the refusal of an estimate without a job type begins (facts: activecollab-api.md 3.4)."""

OURS_BY_THEIRS = {
    "assignee_id": "assignee",
    "task_list_id": "task_list",
    "job_type_id": "job_type",
    "project_id": "project",
    "company_id": "company",
    "leader_id": "leader",
    "completed_on": "is_completed",
    "label_id": "labels",
    "label": "labels",
}
"""Vendor attribute names whose field has another id here; all others are the same."""


def field_id(theirs: str) -> FieldId:
    """Our field for a vendor's attribute name."""
    return FieldId(OURS_BY_THEIRS.get(theirs, theirs))


class Fault(msgspec.Struct, frozen=True):
    """An error body: `type` is a class name, or a number on token errors; empty PHP maps come as lists."""

    type: str | int | None = None
    message: str | None = None
    field_errors: dict[str, msgspec.Raw] | list[msgspec.Raw] | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """The token and how it is sent: `X-Angie-AuthApiToken: TOKEN` or `Authorization: Bearer TOKEN` (facts: 1.3, 1.4)."""

    token: str
    header: str = ANGIE
    prefix: str = ""

    def __repr__(self) -> str:
        return f"Credentials(header={self.header!r})"

    @property
    def user_id(self) -> str:
        """The id of the token's user, which a token begins with; empty when this one does not (facts: 1.4)."""
        start, dash, _ = self.token.partition("-")
        return start if dash and start.isdigit() else ""


class ActiveCollabDialect(Dialect):
    """What is particular to ActiveCollab's HTTP."""

    def __init__(self, credentials: Credentials) -> None:
        value = f"{credentials.prefix} {credentials.token}".strip()
        self._headers = {credentials.header.lower(): value}

    async def headers(self) -> Mapping[str, str]:
        """The token."""
        return self._headers

    def classify(self, answer: Answer, *, is_write: bool) -> ConnectorError | None:
        """What an error body means; None leaves it to the status."""
        if answer.status == 401:
            return AuthError(
                "the token was refused; it may have been revoked (401)", detail=Detail.TOKEN_REFUSED
            )
        if answer.status == 429:
            return None
        fault = _fault(answer)
        message = (fault.message or "").strip()
        if JOB_TYPE_MISSING in message:
            return RejectedError(_short(message), field=FieldId("estimate"), detail=Detail.REQUIRED_FIELD)
        if fault.field_errors:
            return _invalid(fault.field_errors, message)
        if "Failed to match" in message:
            return RejectedError(
                "this ActiveCollab does not know the route; is the address or version right?",
                detail=Detail.UNKNOWN_ROUTE,
            )
        if _says_invalid(fault):
            return RejectedError(_short(message) or "invalid values", detail=Detail.VALIDATION)
        if answer.status == 403 and is_write:
            return RejectedError("the token's user may not do this (403)", detail=Detail.FORBIDDEN)
        if answer.status in (404, 410):
            return NotFoundError("not there, or not visible to the token's user")
        if answer.status == 400:
            return RejectedError(_short(message) or "refused (400)", detail=Detail.VALIDATION)
        return None


def _fault(answer: Answer) -> Fault:
    """The error body; an empty one for anything that is not of that form."""
    try:
        return msgspec.json.decode(answer.body, type=Fault)
    except msgspec.DecodeError:
        return Fault()


def _says_invalid(fault: Fault) -> bool:
    """Whether the exception's class name speaks of the values sent."""
    name = fault.type.lower() if isinstance(fault.type, str) else ""
    return "validation" in name or "invalidparam" in name or "invalidproperties" in name


def _invalid(errors: Mapping[str, msgspec.Raw] | list[msgspec.Raw], message: str) -> RejectedError:
    """A validation error, with the first field it names."""
    if isinstance(errors, list) or not errors:
        return RejectedError(_short(message) or "invalid values", detail=Detail.VALIDATION)
    name, raw = next(iter(errors.items()))
    words = _words(msgspec.json.decode(raw))
    detail = Detail.REQUIRED_FIELD if _REQUIRED.search(words) else Detail.VALIDATION
    return RejectedError(_short(words or message) or "invalid value", field=field_id(name), detail=detail)


def _words(said: object) -> str:
    """The first sentence of what is said of a field: a text, or a list of texts."""
    while isinstance(said, list) and said:
        said = said[0]  # pyright: ignore[reportUnknownVariableType] - JSON of any form
    return said if isinstance(said, str) else ""


def _short(message: str) -> str:
    return message if len(message) <= 200 else message[:199] + "…"
