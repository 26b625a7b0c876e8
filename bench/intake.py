"""Webhooks kept a second, and how long the vendor waits for its 2xx; beside a route of the same server that does nothing.

The server (uvicorn with uvloop and httptools, one process, a SQLite file on the disk) runs here, the sender in a process of
its own. Every webhook is signed, verified, kept on the disk before it is answered, and marked for a sync afterwards.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.routing import Route as WebRoute
from starlette.types import Receive, Scope, Send

from bench.figures import Figure, at_least, told
from bench.sender import LOCATION, TICKET, Sent, public_key
from syncline.bootstrap import SystemClock
from syncline.connectors.highlevel import WebhookListener
from syncline.core.records import Side, SyncId
from syncline.ports import Store
from syncline.service.intake import Intake
from syncline.service.limits import Limits
from syncline.service.routes import Route
from syncline.store import open_store
from syncline.web.hooks import add_hooks

_SYNC = SyncId("tickets")
_PLENTY = Limits(rate=1e9, burst=1e9)
_CONNECTIONS = 32
SHARE = 0.2
"""What of a bare route's throughput is left when every webhook is verified and on the disk before it is answered."""


class Bare:
    """Reads the body and answers 200."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        while (await receive()).get("more_body", False):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})


def figures(*, is_quick: bool = False) -> Iterator[Figure]:
    """Events a second and the p99 of the answer."""
    yield from measure(300 if is_quick else 20_000, 1 if is_quick else 3)


def measure(count: int, rounds: int) -> list[Figure]:
    """The best of some rounds of each."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        bare, kept = runner.run(_measured(count, rounds))
    return [
        at_least("webhooks kept on the disk", kept.rate, "events/s", bare.rate, SHARE),
        told("p50 of their 2xx", kept.quantile(0.5), "ms", bare.quantile(0.5)),
        told("p99 of their 2xx", kept.quantile(0.99), "ms", bare.quantile(0.99)),
    ]


async def _measured(count: int, rounds: int) -> tuple[Sent, Sent]:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, socket.create_server(("127.0.0.1", 0)) as at:
        store = open_store(f"sqlite:///{folder}/syncline.db")
        server = uvicorn.Server(uvicorn.Config(_app(store), log_level="warning", access_log=False))
        serving = asyncio.create_task(server.serve([at]))
        port = at.getsockname()[1]
        await asyncio.sleep(0.5)
        bare = [await _sent(port, "/bare", count, number) for number in range(rounds)]
        kept = [await _sent(port, "/hooks/path", count, number) for number in range(rounds)]
        server.should_exit = True
        await serving
        _check(store, count * rounds, [*bare, *kept], count)
        store.close()
    return max(bare, key=_rate), max(kept, key=_rate)


def _app(store: Store) -> Starlette:
    routes = (Route(_SYNC, Side.RIGHT, "hl", TICKET),)
    intake = Intake(store, SystemClock(), lambda: routes, lambda _: None, _PLENTY)
    intake.open("hl", "path", WebhookListener(LOCATION, [public_key()]))
    app = Starlette(routes=[WebRoute("/bare", Bare())])
    add_hooks(app, intake)
    return app


async def _sent(port: int, path: str, count: int, number: int) -> Sent:
    command = (sys.executable, "-m", "bench.sender", "127.0.0.1", str(port), path)
    process = await asyncio.create_subprocess_exec(
        *command, str(count), str(_CONNECTIONS), f"{path}{number}", stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    return msgspec.json.decode(output, type=Sent)


def _check(store: Store, expected: int, sent: list[Sent], count: int) -> None:
    assert all(each.accepted == count for each in sent)
    marked = store.mark_counts()[_SYNC].count
    assert marked == expected, f"{marked} of {expected} are marked"


def _rate(sent: Sent) -> float:
    return sent.rate
