"""A POST with an `Idempotency-Key` into one deed, however often it is sent: the answer is kept and given again.

Called by `security.Guarded`. Kept for each user, a day long, and only when it succeeded: whatever was refused changed nothing, so
trying again is right. What is shown once is not kept: it is null in an answer that is given again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable

import msgspec
from fastapi import FastAPI, Request, Response

from syncline.core.people import Answered
from syncline.errors import Problem, Refusal, RequestError
from syncline.web.services import services_of

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
_KEY = re.compile(r"[!-~]{1,255}")
_KEPT_HEADERS = frozenset({"content-type", "location", "etag"})

Handle = Callable[[Request], Awaitable[Response]]
Content = Callable[[Request], Awaitable[bytes]]


class InFlight:
    """The keys of requests that are being worked on, by user."""

    def __init__(self) -> None:
        self.names: set[tuple[int, str]] = set()


def add_to(app: FastAPI) -> None:
    """Give an application its place for requests in flight."""
    app.state.in_flight = InFlight()


async def once(
    request: Request,
    handle: Handle,
    user: int | None,
    shown_once: tuple[str, ...] = (),
    content: Content = Request.body,
) -> Response:
    """The answer to a request, worked out or given again; `content` is what it carries. Raises `RequestError` for a key that is
    none, belongs to another request, or whose request is being worked on."""
    key = request.headers.get(HEADER)
    if key is None or user is None or request.method != "POST":
        return await handle(request)
    if not _KEY.fullmatch(key):
        problem = Problem(HEADER, "is no key.", "Send 1 to 255 printable characters, such as a UUID.")
        raise RequestError("The idempotency key cannot be used.", Refusal.INVALID, problems=(problem,))
    known = _known(request, user, key)
    if known is not None:
        return _again(known, await _digest(request, content))
    in_flight = request.app.state.in_flight.names
    name = (user, key)
    if name in in_flight:
        raise RequestError("A request with this key is being worked on.", Refusal.KEY_IN_FLIGHT)
    in_flight.add(name)
    try:
        answer = await handle(request)
        if 200 <= answer.status_code < 300:
            _keep(request, name, await _digest(request, content), answer, shown_once)
        return answer
    finally:
        in_flight.discard(name)


async def _digest(request: Request, content: Content) -> str:
    """What was asked, as a digest: method, address and body."""
    told = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    told.update(await content(request))
    return told.hexdigest()


def _known(request: Request, user: int, key: str) -> Answered | None:
    services = services_of(request)
    oldest = services.people.now() - services.settings.answers_kept
    known = services.people.store.answered(user, key)
    return known if known is not None and known.at >= oldest else None


def _again(known: Answered, asked: str) -> Response:
    if known.request != asked:
        raise RequestError("This key belongs to another request.", Refusal.KEY_REUSED)
    return Response(known.body, known.status, {**dict(known.headers), REPLAYED: "true"})


def _keep(
    request: Request, name: tuple[int, str], asked: str, answer: Response, shown_once: tuple[str, ...]
) -> None:
    body = getattr(answer, "body", None)
    if not isinstance(body, bytes):
        return
    services = services_of(request)
    now = services.people.now()
    headers = tuple((key, value) for key, value in answer.headers.items() if key in _KEPT_HEADERS)
    user, key = name
    store = services.people.store
    store.forget_answers(now - services.settings.answers_kept)
    store.save_answer(
        Answered(user, key, asked, answer.status_code, headers, _without(body, shown_once), now)
    )


def _without(body: bytes, shown_once: tuple[str, ...]) -> bytes:
    """The answer with null in place of what is shown once."""
    if not shown_once:
        return body
    told = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    return msgspec.json.encode(told | dict.fromkeys(shown_once, msgspec.Raw(b"null")))
