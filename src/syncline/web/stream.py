"""`/api/v1/events/stream`: progress of runs, what became of them, and events that are kept, as they happen.

Server-sent events. The router is made by `stream_router` over the hub of the process. `StreamServer` ends all streams when the server stops,
which would wait for them otherwise.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from typing import Annotated

import msgspec
import uvicorn
from fastapi import APIRouter, Header, Query, Request
from starlette.responses import StreamingResponse

from syncline.core.people import Scope
from syncline.errors import AccessError
from syncline.service.hub import MISSED, PROGRESS, RUN, Event, Hub
from syncline.web.security import Guarded, Stated, admitted, requires
from syncline.web.services import services_of

_READ = requires(Scope.RUNS_READ)
HEARTBEAT = 15.0
"""Seconds without an event after which a sign of life is sent; it is also when rights are looked at again."""
_OF_RUNS = frozenset({PROGRESS, RUN, MISSED})
_RETRY = "retry: 2000\n\n"
_MEDIA_TYPE = "text/event-stream"
_EventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", max_length=200, description="The last event seen: go on after it."),
]


class StreamServer(uvicorn.Server):
    """A server whose streams end when it is told to stop, and that lets its process end by itself."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """A signal ends the serving and not the process: there is more to be closed after it."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then everything else."""
        self._hub.close()
        await super().shutdown(sockets)


def stream_router(hub: Hub, heartbeat: float = HEARTBEAT) -> APIRouter:
    """The route over this hub."""
    router = APIRouter(prefix="/api/v1/events", tags=["stream"], route_class=Guarded)

    @router.get(
        "/stream",
        dependencies=[_READ],
        response_class=StreamingResponse,
        responses={200: {"content": {_MEDIA_TYPE: {"schema": {"type": "string"}}}}},
    )
    async def stream_events(
        request: Request,
        last_event_id: _EventId = None,
        after: Annotated[
            str | None,
            Query(max_length=200, description="The same, for clients that cannot send the header."),
        ] = None,
    ) -> StreamingResponse:
        """Server-sent events: `progress` of runs, `run` when one is over, `missed` when everything is to be read anew; with
        the scope `events:read` also events that are kept, by their type (not `record.written`)."""
        told = _stream(hub, request, last_event_id or after, heartbeat)
        return StreamingResponse(told, media_type=_MEDIA_TYPE, headers={"X-Accel-Buffering": "no"})

    return router


async def _stream(hub: Hub, request: Request, after: str | None, heartbeat: float) -> AsyncIterator[str]:
    yield _RETRY
    time = asyncio.get_running_loop().time
    sees_all, looked_at = _may(request, Scope.EVENTS_READ), time()
    async for event in hub.events(after, heartbeat):
        if time() - looked_at >= heartbeat:
            # Also where so much happens that there is never a pause.
            if not _may(request, Scope.RUNS_READ):
                return
            sees_all, looked_at = _may(request, Scope.EVENTS_READ), time()
        if event is None:
            yield ": still here\n\n"
        elif sees_all or event.name in _OF_RUNS:
            yield _text(event)


def _may(request: Request, scope: Scope) -> bool:
    """Whether whoever listens (still) may: the session may have ended, or the token been revoked."""
    try:
        admitted(request, services_of(request), Stated(scope))
    except AccessError:
        return False
    return True


def _text(event: Event) -> str:
    data = msgspec.json.encode(event.data).decode()
    return f"id: {event.id}\nevent: {event.name}\ndata: {data}\n\n"
