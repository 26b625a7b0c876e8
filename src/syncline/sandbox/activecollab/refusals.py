"""How ActiveCollab says no: each refusal is an exception that knows its own answer.

Raised anywhere in the stand-in, turned into a response by `vendor` (facts: activecollab-api.md 5).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from syncline.sandbox.wire import Response

JSON_HEADERS = {"content-type": "application/json; charset=utf-8"}


class RefusedError(Exception):
    """A request that is answered with an error. `response` is the whole answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"answered with status {response.status}")
        self.response = response


class Flavour(enum.Enum):
    """Which product: installed by the customer, or hosted by the vendor."""

    SELF_HOSTED = "self_hosted"
    CLOUD = "cloud"


@dataclass(frozen=True, slots=True)
class Quirks:
    """A setting for each fact that is not confirmed, or on which sources disagree (facts 1.4, 2, 4, 5).

    The defaults are what was observed on self-hosted 8.x where anything was observed.
    """

    validation_status: int = 500
    unknown_route_status: int = 500
    forbidden_status: int = 403
    tasks_are_paged: bool = False
    reissue_keeps_token: bool = True
    bearer_is_accepted: bool = True
    api_writes_fire_webhooks: bool = True
    raw_text_is_truncated: bool = True
    name_max_length: int = 191
    total_pages_header: bool = False
    tracking_is_activity: bool = False
    expenses_are_wrapped: bool = True
    one_expense_is_readable: bool = True


def missing() -> RefusedError:
    """No such record, or not for this user: 404 with an empty body."""
    return RefusedError(Response(404, b"", JSON_HEADERS))


def unauthorised() -> RefusedError:
    """No token, a wrong one, or a revoked one."""
    return RefusedError(Response.json({"type": "AuthorizationException", "message": "Invalid token."}, 401))


def forbidden(quirks: Quirks, message: str) -> RefusedError:
    """The user sees the record but may not do this."""
    if quirks.forbidden_status == 404:
        return missing()
    return RefusedError(Response.json({"type": "Forbidden", "message": message}, quirks.forbidden_status))


def invalid(quirks: Quirks, fields: Mapping[str, str]) -> RefusedError:
    """The values sent are not acceptable; `fields` maps field to reason."""
    message = " ".join(fields.values())
    return RefusedError(
        Response.json(
            {
                "type": "ValidationErrors",
                "message": message,
                "code": 0,
                "field_errors": {name: [reason] for name, reason in fields.items()},
            },
            quirks.validation_status,
        )
    )


def unknown_route(quirks: Quirks, path: str) -> RefusedError:
    """No such path or verb."""
    message = f"Failed to match '{path}' path."
    return RefusedError(
        Response.json(
            {"type": "RuntimeException", "message": message, "code": 0}, quirks.unknown_route_status
        )
    )
