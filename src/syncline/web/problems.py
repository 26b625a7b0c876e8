"""Whatever goes wrong into one form: `application/problem+json` (RFC 9457), with a code of the catalogue and what to do.

Used by `app` as the handlers of all exceptions. What a person sent is repeated only where it cannot be a secret, and of a bug
nothing is told but an id, under which the log has more.
"""

from __future__ import annotations

import datetime as dt
import http
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from syncline.core.catalogue import entry
from syncline.errors import (
    AccessError,
    AuthError,
    BusyError,
    ConnectorError,
    MappingError,
    NotFoundError,
    Problem,
    ProblemKind,
    Refusal,
    RejectedError,
    RequestError,
    SetupError,
    StaleError,
    StoreError,
    SynclineError,
    TransientError,
    UnknownOutcomeError,
    UsageError,
)
from syncline.web.hardening import harden, request_id
from syncline.web.services import services_of

MEDIA_TYPE = "application/problem+json"
_LOG = logging.getLogger(__name__)

_REFUSED: Mapping[Refusal, int] = {
    Refusal.NOT_LOGGED_IN: 401,
    Refusal.WRONG_LOGIN: 401,
    Refusal.TOO_MANY_TRIES: 429,
    Refusal.SET_UP_ALREADY: 409,
    Refusal.LAST_ADMIN: 409,
    Refusal.EMAIL_TAKEN: 409,
    Refusal.NOT_THERE: 404,
    Refusal.METHOD: 405,
    Refusal.HOST: 400,
    Refusal.TOO_LARGE: 413,
    Refusal.NO_REVISION: 428,
    Refusal.OLD_REVISION: 412,
    Refusal.KEY_IN_FLIGHT: 409,
    Refusal.NAME_TAKEN: 409,
    Refusal.IN_FILE: 409,
    Refusal.IN_USE: 409,
    Refusal.OTHER_ACCOUNT: 409,
    Refusal.NOT_WORKING: 409,
    Refusal.TRANSITION: 409,
    Refusal.BUG: 500,
}
_GROUPS: tuple[tuple[type[SynclineError], int], ...] = (
    (AccessError, 403),
    (RequestError, 422),
    (SetupError, 422),
    (TransientError, 503),
    (UnknownOutcomeError, 502),
    (AuthError, 409),
    (RejectedError, 422),
    (NotFoundError, 404),
    (StaleError, 409),
    (ConnectorError, 502),
    (BusyError, 409),
    (SynclineError, 500),
)
_NOT_THERE = frozenset({ProblemKind.NO_SYNC, ProblemKind.NO_CONNECTION, ProblemKind.NO_RECORD})
# People type passwords into the field for the e-mail.
_SECRETIVE = re.compile(r"pass|secret|token|code|key|credential|auth|cookie|csrf|pin|mail", re.IGNORECASE)
_FOUND_LENGTH = 100
_BUSY = dt.timedelta(seconds=5)
"""Until a sync that a run holds is worth another try: most runs take less."""
_WAITING = frozenset({409, 429, 503})
_RETRY_AFTER = {
    "Retry-After": {
        "description": "In how many seconds another try makes sense, where one does.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    }
}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PLACES = {"body": "body", "query": "query", "path": "path", "header": "header", "cookie": "cookie"}
Where = Literal["body", "query", "path", "header", "cookie", "configuration"]


class Fault(BaseModel):
    """One thing that is wrong, and where."""

    pointer: str = Field(description="A JSON Pointer (RFC 6901) into the part named by `where`.")
    where: Where = Field(description="The part of the request, or the configuration as it would be.")
    found: str | None = Field(description="What was found there, unless it may be a secret.")
    message: str
    remedy: str
    code: str


class ProblemDetails(BaseModel):
    """Something went wrong (RFC 9457)."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="Where the code is explained.", examples=["/api/v1/errors/request.invalid"])
    title: str
    status: int
    detail: str
    instance: str = Field(description="The id of the request, as in the header `X-Request-Id`.")
    code: str = Field(description="Stable; `type` explains it.")
    remedy: str = Field(description="What you do about it.")
    errors: list[Fault] = Field(default_factory=list[Fault])


def add_to(app: FastAPI) -> None:
    """Let every exception be answered here."""
    app.add_exception_handler(SynclineError, _syncline_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _bug)


def problem(request: Request, error: SynclineError, faults: Iterable[Fault] = ()) -> Response:
    """An error as the answer to a request."""
    status = status_of(error)
    code = error.full_code
    told = entry(code)
    listed = error.problems if isinstance(error, SetupError | RequestError) else ()
    errors = [*(_fault(each, error) for each in listed), *faults]
    body = ProblemDetails(
        type=f"/api/v1/errors/{code}",
        title=told.title if told else "An error",
        status=status,
        detail=_detail(error),
        instance=f"urn:uuid:{request_id(request.scope)}",
        code=code,
        remedy=_remedy(errors) or (told.remedy if told else ""),
        errors=errors,
    )
    return Response(body.model_dump_json(), status, _headers(error, status), MEDIA_TYPE)


def status_of(error: SynclineError) -> int:
    """The HTTP status of an error: by its refusal, else by its group."""
    if isinstance(error, RequestError) and error.refusal in _REFUSED:
        return _REFUSED[error.refusal]
    if isinstance(error, UsageError) and error.problems[0].kind in _NOT_THERE:
        return 404
    return next(status for group, status in _GROUPS if isinstance(error, group))


def _detail(error: SynclineError) -> str:
    if isinstance(error, StoreError) and not isinstance(error, BusyError):
        # What a driver says names tables and files.
        return "The database could not do what was asked."
    # A vendor's refusal names the connection.
    return str(error) if isinstance(error, ConnectorError) else str(error.args[0])


def _remedy(faults: list[Fault]) -> str:
    return faults[0].remedy if len(faults) == 1 else ""


def _headers(error: SynclineError, status: int) -> dict[str, str]:
    headers: dict[str, str] = {}
    after = error.after if isinstance(error, RequestError | TransientError) else None
    if isinstance(error, BusyError):
        after = _BUSY
    if after is not None:
        headers["Retry-After"] = str(max(1, -int(-after.total_seconds() // 1)))
    if status == http.HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="Syncline"'
    return headers


def configuration_fault(told: Problem) -> Fault:
    """A fault of a configuration that is told, not raised."""
    return _fault(told, MappingError(""))


def _fault(told: Problem, error: SynclineError) -> Fault:
    return Fault(
        pointer=_pointer(re.split(r"[.\[]", told.path.replace("]", ""))),
        where="body" if isinstance(error, RequestError) else "configuration",
        found=told.found[:_FOUND_LENGTH] or None,
        message=told.message,
        remedy=told.remedy,
        code=told.kind.value if told.kind is not None else error.full_code,
    )


def _pointer(parts: Iterable[object]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts if part != "")


# --- exceptions -------------------------------------------------------------------------------------------------------


async def _syncline_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, SynclineError):
        return await _bug(request, error)
    if status_of(error) >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.warning("request %s: %s (%s)", request_id(request.scope), error.full_code, type(error).__name__)
    return problem(request, error)


async def _validation_error(request: Request, error: Exception) -> Response:
    details: Sequence[Mapping[str, Any]] = error.errors() if isinstance(error, RequestValidationError) else ()
    faults = [_validation_fault(detail) for detail in details]
    if any(
        tuple(detail["loc"]) == ("body",) and isinstance(detail.get("input"), bytes) for detail in details
    ):
        faults = [_unannounced(request)]
    return problem(request, RequestError("The request has faults.", Refusal.INVALID), faults)


def _unannounced(request: Request) -> Fault:
    """A body that may well be JSON, but was not said to be: it is not looked into."""
    return Fault(
        pointer="/Content-Type",
        where="header",
        found=request.headers.get("Content-Type", "")[:_FOUND_LENGTH] or None,
        message="The body is not announced as JSON, and was not read.",
        remedy="Send the header Content-Type: application/json.",
        code=ProblemKind.WRONG_VALUE.value,
    )


_REMEDIES = {
    "missing": "Add it.",
    "extra_forbidden": "Remove it, or check its spelling.",
    "json_invalid": "Send one JSON document.",
}
_NAMES = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"
_KINDS = {"missing": ProblemKind.NOT_SAID, "extra_forbidden": ProblemKind.NO_OPTION}


def _validation_fault(detail: Mapping[str, Any]) -> Fault:
    place, *parts = detail["loc"] or ("body",)
    if detail["type"] == "json_invalid":
        parts = []
    message = str(detail["msg"])
    remedy = _REMEDIES.get(detail["type"], "Write it in the form that the API's document gives.")
    context: Mapping[str, Any] = detail.get("ctx") or {}
    if context.get("pattern") == _NAMES:
        message, remedy = "It cannot be a name.", "Take letters, digits, - and _, 40 at most."
    kind = _KINDS.get(detail["type"], ProblemKind.WRONG_VALUE)
    return Fault.model_validate(
        {
            "pointer": _pointer(parts),
            "where": _PLACES.get(str(place), "body"),
            "found": _found(detail, parts),
            "message": message if message.endswith(".") else f"{message}.",
            "remedy": remedy,
            "code": kind.value,
        }
    )


def _found(detail: Mapping[str, Any], parts: Iterable[object]) -> str | None:
    """What was sent, where it is one plain value and its place does not sound like one of a secret."""
    value = detail.get("input")
    is_plain = isinstance(value, str | int | float) and detail["type"] not in ("missing", "extra_forbidden")
    if not is_plain or any(_SECRETIVE.search(str(part)) for part in parts):
        return None
    return str(value)[:_FOUND_LENGTH]


async def _http_error(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: unknown routes, wrong methods, bodies that cannot be read."""
    if not isinstance(error, HTTPException):
        return await _bug(request, error)
    match error.status_code:
        case 404:
            refused = RequestError("Nothing is at this address.", Refusal.NOT_THERE)
        case 405:
            refused = RequestError(f"{request.method} is not allowed here.", Refusal.METHOD)
        case 413:
            refused = RequestError("The request is too large.", Refusal.TOO_LARGE)
        case _:
            refused = RequestError("The request cannot be read.", Refusal.INVALID)
    answer = problem(request, refused)
    if refused.refusal is Refusal.METHOD:
        answer.headers["Allow"] = _allowed(request, (error.headers or {}).get("Allow", ""))
    return answer


def _allowed(request: Request, told: str) -> str:
    """The methods that something answers to at this address. The framework tells those of one route only; a route that takes
    them all refuses by itself, and tells."""
    routes: Sequence[BaseRoute] = request.app.router.routes
    found = [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return told if len(found) == len(_METHODS) else ", ".join(found)


async def _bug(request: Request, error: Exception) -> Response:
    """Nothing that we know: an id, and not a word of what happened inside."""
    _LOG.error("request %s failed: %s", request_id(request.scope), type(error).__name__)
    refused = RequestError("Something went wrong inside; the log has more under this id.", Refusal.BUG)
    answer = problem(request, refused)
    # This answer is sent from outside of all middleware.
    harden(answer.headers, services_of(request).settings, request.scope)
    return answer


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The responses of a route that are problems, for the API's document."""
    return {
        status: {
            "description": http.HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            **({"headers": _RETRY_AFTER} if status in _WAITING else {}),
        }
        for status in statuses
    }


ASKING = declared(502, 503)
"""The `responses` of a route that asks a vendor."""
