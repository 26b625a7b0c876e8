"""Every request into one with an id, a trusted host and a bounded body; every answer into one with security headers.

The outermost middleware of `app`, as plain ASGI. Also used for the one answer that is sent from outside of it (a bug).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import uuid
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from syncline.errors import Refusal, RequestError
from syncline.web.services import WebSettings

_ID = "syncline.request_id"
_FORGOTTEN = 16 << 20
"""Bytes of a refused body that are read all the same."""
_PATIENCE = 2.0
"""Seconds for that."""
_ID_FORM = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""What a browser may load: our own files and nothing else, nothing written into a page, no frame around it."""

_ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HSTS = "max-age=63072000"
_UNCACHED = ("/api/", "/healthz", "/readyz")

Problem = Callable[[Request, RequestError], Response]


def request_id(scope: Scope) -> str:
    """The id of a request."""
    known: MutableMapping[str, object] = scope.setdefault("state", {})
    return str(known.setdefault(_ID, str(uuid.uuid4())))


def harden(headers: MutableHeaders, settings: WebSettings, scope: Scope) -> None:
    """Put the security headers on an answer."""
    for name, value in _ALWAYS.items():
        headers[name] = value
    if settings.is_https:
        headers["Strict-Transport-Security"] = _HSTS
    if str(scope["path"]).startswith(_UNCACHED):
        headers["Cache-Control"] = "no-store"
    headers["X-Request-Id"] = request_id(scope)


@dataclass(frozen=True, slots=True)
class Hardening:
    """The middleware. `problem` makes the answer to a request that is refused here."""

    app: ASGIApp
    settings: WebSettings
    problem: Problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        _take_id(scope, headers)

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                harden(MutableHeaders(scope=message), self.settings, scope)
            await send(message)

        most = self.settings.most_of(str(scope["method"]), str(scope["path"]))
        refused = self._refused(headers, most)
        if refused is not None:
            await _let_in(headers, receive)
            answer = self.problem(Request(scope, receive), refused)
            answer.headers["Connection"] = "close"
            await answer(scope, receive, hardened)
            return
        await self.app(scope, _counted(receive, most), hardened)

    def _refused(self, headers: Headers, most: int) -> RequestError | None:
        if not self.settings.trusts(headers.get("host", "")):
            return RequestError("The service is not called by this name.", Refusal.HOST)
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > most:
            return _too_large(most)
        return None


def _take_id(scope: Scope, headers: Headers) -> None:
    """A proxy's own id is kept where it has the form of one: logs of both can be read together."""
    given = headers.get("x-request-id", "")
    if _ID_FORM.fullmatch(given):
        scope.setdefault("state", {})[_ID] = given.lower()
    request_id(scope)


async def _let_in(headers: Headers, receive: Receive) -> None:
    """A body that is not wanted, read and forgotten, unless it is long or comes slowly: whoever is still sending when the
    connection is closed may never see why."""
    length = headers.get("content-length", "0")
    if not length.isdecimal() or not 0 < int(length) <= _FORGOTTEN:
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            while (await receive()).get("more_body", False):
                pass


def _counted(receive: Receive, most: int) -> Receive:
    """The body as it comes in, for those that do not say how long it is. Raises `RequestError` when it is too long."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise _too_large(most)
        return message

    return counted


def _too_large(most: int) -> RequestError:
    return RequestError(f"The body is longer than {most:,} bytes.", Refusal.TOO_LARGE)
