"""`POST /hooks/{path}`: a vendor's webhook into `service.intake`, and what became of it into a status.

Put on an app by `add_hooks`. Plain ASGI: this is the only route that a vendor calls thousands of times in a row.
"""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from syncline.service.hooks import PREFIX
from syncline.service.intake import Answer, Intake, Outcome

_LONGEST_NUMBER: Final = 19
_JSON: Final = (b"content-type", b"application/json")


def add_hooks(app: Starlette, intake: Intake) -> None:
    """Let vendors in. The route is no part of the published API."""
    # First, so that no page of the app's own stands in its way.
    app.router.routes.insert(0, Route(PREFIX + "{path}", Hooks(intake), include_in_schema=False))


class Hooks:
    """The route as an ASGI app. What is not there is told in the same way as everywhere else in the app."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "POST":
            # Before anything else, so that it tells nothing about the path.
            raise HTTPException(405, headers={"Allow": "POST"})
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}

        async def read(most: int) -> bytes | None:
            return None if _announced(headers) > most else await _read(receive, most)

        answer = await self._intake.receive(scope["path_params"]["path"], headers, read)
        if answer.outcome is Outcome.NO_DOOR:
            raise HTTPException(404)
        await _send(send, answer)


def _announced(headers: dict[str, str]) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() and len(length) < _LONGEST_NUMBER else 0


async def _read(receive: Receive, most: int) -> bytes | None:
    """The body, no more of it than allowed; what of it is missing when the sender hangs up makes no valid webhook."""
    parts: list[bytes] = []
    left = most
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        left -= len(part)
        if left < 0:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


async def _send(send: Send, answer: Answer) -> None:
    body = msgspec.json.encode({"result": answer.outcome})
    headers = [_JSON, (b"content-length", str(len(body)).encode())]
    if answer.after:
        headers.append((b"retry-after", str(answer.after).encode()))
    if answer.outcome is Outcome.TOO_LARGE:
        # The rest of the body is still on its way; nobody reads it.
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
