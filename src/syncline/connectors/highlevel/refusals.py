"""A refusal of HighLevel into the error that says what to do next.

Called by `client` for every answer outside 2xx. HighLevel uses one status for several things (a missing scope is a 401),
so the message decides (facts: highlevel-api.md 2.4, section 4). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from syncline.errors import AuthError, ConnectorError, Detail, NotFoundError, RejectedError

_EXPIRED = ("invalid token", "invalid jwt", "token is expired", "token has expired", "jwt expired")
_DUPLICATE = re.compile(
    r"\bduplicate (value|record|key|entry)|\bduplicated contacts|already (exist|in use|taken)|(must|should|has to) be unique|unique (constraint|field|value)",
    re.IGNORECASE,
)
_REQUIRED = re.compile(
    r"\b(is|are) required\b|(should|must) not be empty|\bmissing required\b", re.IGNORECASE
)
_OPTIONS_LISTED = "one of the following"
_WRONG_TOKEN = ("user type mismatch", "authclass type")
_NO_ROUTE = re.compile(r"not yet supported by the iam service|^cannot (get|post|put|delete) ", re.IGNORECASE)
_NO_OBJECT = re.compile(r"^(object|schema)\b.*\bnot found", re.IGNORECASE)
_LONGEST = 300
_MATCHED: Mapping[str, str] = MappingProxyType({"additionalEmail": "email", "additionalPhone": "phone"})
"""A further address of the contact that is there is told as another field than the one that was sent."""


class ExpiredTokenError(AuthError):
    """The access token is no longer good; a renewed one may be."""


class ScopeError(AuthError):
    """The token lacks the scope of the route that was called."""


class _Fault(msgspec.Struct):
    message: str = ""


class _Meta(msgspec.Struct, rename="camel"):
    """What a refused contact is a duplicate of."""

    contact_id: str = ""
    matching_field: str = ""


class _Duplicate(msgspec.Struct):
    meta: _Meta


class _Body(msgspec.Struct):
    """`message` is a text or a list of texts; `error` a text, or an object under `Version: v3`."""

    message: str | list[str] = ""
    error: str | _Fault = ""
    error_description: str = ""


def message_of(body: bytes) -> str:
    """What the vendor says, as one line; empty when the body is not of a known form."""
    try:
        parsed = msgspec.json.decode(body, type=_Body)
    except msgspec.MsgspecError:
        return ""
    said = parsed.message if isinstance(parsed.message, str) else "; ".join(parsed.message)
    if not said and isinstance(parsed.error, _Fault):
        said = parsed.error.message
    elif not said and isinstance(parsed.error, str):
        said = parsed.error_description or parsed.error
    return " ".join(said.split())[:_LONGEST]


def duplicate_of(body: bytes) -> tuple[str, str]:
    """The contact that is there already and the field that is the same, where the answer tells them; else empty."""
    try:
        meta = msgspec.json.decode(body, type=_Duplicate).meta
    except msgspec.MsgspecError:
        return "", ""
    return meta.contact_id, _MATCHED.get(meta.matching_field, meta.matching_field)


def classify(status: int, body: bytes) -> ConnectorError | None:
    """The error that an answer means; None leaves it to the general rules (429, 5xx, redirects).

    The body of a violated unique field is unconfirmed (facts: 6 row 2), so it is known by its words, with any of
    400, 409 and 422. A message that lists options does not count: an option may be called `already exists`.
    """
    message = message_of(body)
    if _NO_ROUTE.search(message):
        return AuthError(f"this token cannot use the route: {message}", detail=Detail.NO_ACCESS)
    if status == 401:
        return _unauthorised(message)
    if status == 403:
        return AuthError(
            message or "the token does not have access to this location", detail=Detail.NO_ACCESS
        )
    if status == 404:
        return NotFoundError(message or "not there (404)")
    if status in (400, 409, 422):
        is_duplicate = _DUPLICATE.search(message) is not None and _OPTIONS_LISTED not in message
        existing, field = duplicate_of(body) if is_duplicate else ("", "")
        if existing:
            message = f"{message} It is contact {existing}."
        detail = Detail.REQUIRED_FIELD if _REQUIRED.search(message) else Detail.VALIDATION
        return RejectedError(
            message or f"refused ({status})",
            field=field or None,
            is_duplicate=is_duplicate,
            detail=Detail.DUPLICATE if is_duplicate else detail,
        )
    return None


def is_about_duplicate_relation(error: ConnectorError) -> bool:
    """Whether an error says that two records are related already (facts: 1.6)."""
    return "duplicate relation" in str(error.args[0]).lower()


def is_about_object(error: ConnectorError) -> bool:
    """Whether an error says that the object type, not the record, is missing."""
    return _NO_OBJECT.search(str(error.args[0])) is not None


def _unauthorised(message: str) -> AuthError:
    """A 401 by its message: only some of them are cured by a new token."""
    said = message.lower()
    if "not authorized for this scope" in said:
        return ScopeError(message, detail=Detail.MISSING_SCOPE)
    if any(part in said for part in _WRONG_TOKEN):
        return AuthError(
            f"this token is of the wrong kind (agency or location): {message}", detail=Detail.WRONG_KIND
        )
    if any(part in said for part in _EXPIRED):
        detail = Detail.TOKEN_EXPIRED if "expired" in said else Detail.TOKEN_REFUSED
        return ExpiredTokenError(message, detail=detail)
    return AuthError(message or "the token was refused (401)", detail=Detail.TOKEN_REFUSED)
