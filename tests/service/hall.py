"""An intake behind real HTTP: uvicorn on a free port, a store in memory, a signing vendor, and whoever is woken."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.types import ASGIApp

from syncline.connectors.activecollab import WebhookListener as ActiveCollabListener
from syncline.connectors.highlevel import WebhookListener
from syncline.core.records import Side, SyncId
from syncline.ports import Delivery, DeliveryFilter, Mark
from syncline.service.intake import Answer, Intake
from syncline.service.limits import Limits
from syncline.service.routes import Route
from syncline.store import SqlStore, open_store
from syncline.web.hooks import add_hooks
from tests.clock import VirtualClock

LOCATION, TICKET = "location-1", "custom_objects.ticket"
HL_PATH, AC_PATH = "hl-path-7f3a9c", "ac-path-1b2c3d"
AC_SECRET = "planted-webhook-secret"
TICKETS = SyncId("tickets")
ROUTES = (Route(TICKETS, Side.LEFT, "ac", "task"), Route(TICKETS, Side.RIGHT, "hl", TICKET))
_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC_KEY = (
    _KEY.public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    .decode()
)


def event(number: int = 1, **changed: object) -> bytes:
    """The body of a HighLevel event about record `rN`."""
    body: dict[str, Any] = {
        "type": "RecordUpdate",
        "webhookId": f"w{number}",
        "id": f"r{number}",
        "objectKey": TICKET,
        "locationId": LOCATION,
    }
    return json.dumps({**body, **changed}).encode()


def signed(body: bytes) -> dict[str, str]:
    """The headers that HighLevel sends with this body."""
    return {
        "content-type": "application/json",
        "x-ghl-signature": base64.b64encode(_KEY.sign(body)).decode(),
    }


def task_event(number: int, kind: str = "TaskUpdated") -> bytes:
    """The body of an ActiveCollab event about a task."""
    payload = {"class": "Task", "id": number, "project_id": 1}
    return json.dumps({"type": kind, "timestamp": 1772442000, "instance_id": 1, "payload": payload}).encode()


@dataclass
class Hall:
    """Two doors, `ac` and `hl`, of an installation with one sync."""

    limits: Limits = field(default_factory=Limits)
    store: SqlStore = field(default_factory=lambda: open_store("sqlite://"))
    clock: VirtualClock = field(default_factory=VirtualClock)
    routes: Sequence[Route] = ROUTES
    woken: list[SyncId] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.intake = Intake(self.store, self.clock, lambda: self.routes, self.woken.append, self.limits)
        self.intake.open("hl", HL_PATH, WebhookListener(LOCATION, [PUBLIC_KEY]))
        self.intake.open("ac", AC_PATH, ActiveCollabListener(AC_SECRET))

    async def send(self, body: bytes, headers: dict[str, str] | None = None, path: str = HL_PATH) -> Answer:
        """Hand a request to the intake, signed unless there are headers; answers when the marks are made, too."""

        async def read(most: int) -> bytes | None:
            return body if len(body) <= most else None

        answer = await self.intake.receive(path, signed(body) if headers is None else headers, read)
        await asyncio.sleep(0)
        return answer

    def kept(self) -> Sequence[Delivery]:
        """All deliveries, oldest first."""
        return list(reversed(self.store.deliveries(DeliveryFilter(), 10_000)))

    def marks(self) -> Sequence[Mark]:
        """All marks that are due."""
        return self.store.marks(TICKETS, self.clock.now())

    def keys(self) -> list[str]:
        """The keys of the marks, in order."""
        return [each.key for each in self.marks()]


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncGenerator[str]:
    """Serve an app on a free loopback port; answers its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


@asynccontextmanager
async def open_hall(hall: Hall) -> AsyncGenerator[str]:
    """The hall behind HTTP on a bare app; answers its address."""
    app = Starlette()
    add_hooks(app, hall.intake)
    async with serving(app) as address:
        yield address
