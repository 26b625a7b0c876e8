"""A refused request, as the status and body HighLevel answers it with (facts: highlevel-api.md 2.4 and 4).

Raised by every part of the stand-in, turned into a response by `vendor`.
"""

from __future__ import annotations

from collections.abc import Sequence

_NAMES = (
    (400, ""),
    (401, "Unauthorized"),
    (403, "Forbidden"),
    (404, "Not Found"),
    (422, "Unprocessable Entity"),
    (429, ""),
    (500, "Internal Server Error"),
)


class RefusalError(Exception):
    """The vendor says no. `message` is text, or a list in a 422."""

    def __init__(
        self, status: int, message: str | Sequence[str], body: dict[str, object] | None = None
    ) -> None:
        super().__init__(message if isinstance(message, str) else "; ".join(message))
        self.status = status
        self.body = body if body is not None else _body(status, message)


def _body(status: int, message: str | Sequence[str]) -> dict[str, object]:
    if status == 422 and isinstance(message, str):
        message = [message]
    body: dict[str, object] = {"statusCode": status, "message": message}
    name = dict(_NAMES).get(status, "")
    return body | {"error": name} if name else body


def bad_request(message: str) -> RefusalError:
    """400."""
    return RefusalError(400, message)


def unauthorised(message: str) -> RefusalError:
    """401; also what a missing scope gets, and a missing `Version` header."""
    return RefusalError(401, message)


def not_found(message: str) -> RefusalError:
    """404."""
    return RefusalError(404, message)


def unprocessable(*messages: str) -> RefusalError:
    """422 with a list of messages, as the vendor's validator writes them."""
    return RefusalError(422, list(messages))


def foreign_location() -> RefusalError:
    """403: a good token, but for another location."""
    return RefusalError(403, "The token does not have access to this location.")


def v3_oauth(status: int, code: str, message: str) -> RefusalError:
    """The envelope of the v3 OAuth resources."""
    return RefusalError(status, message, {"error": {"code": code, "message": message, "resolution": ""}})
