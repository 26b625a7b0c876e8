"""What happens, as it happens: over real HTTP, cut off and gone on with, until the service ends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
import uvicorn

from syncline.core.records import SyncId
from syncline.engine.sync import Progress
from syncline.service.hub import Hub
from syncline.web.services import WebServices
from syncline.web.stream import StreamServer, stream_router
from tests.clock import VirtualClock
from tests.web.office import Office, Visitor, open_office

PATH = "/api/v1/events/stream"
TICKETS = SyncId("tickets")


@dataclass
class Line:
    """A service with a hub, and its first user."""

    office: Office
    hub: Hub
    admin: Visitor
    token: str

    async def stream(self, last: str | None = None, token: str = "") -> aiohttp.ClientResponse:
        """Listen, from now on or after an event. The first chunk has come, so that the stream has begun."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        if last is not None:
            headers["Last-Event-ID"] = last
        answer = await self.office.http.get(f"{self.office.base_url}{PATH}", headers=headers)
        assert answer.status == 200
        assert (await answer.content.readuntil(b"\n\n")).startswith(b"retry:")
        return answer


@pytest_asyncio.fixture
async def line(tmp_path: Path) -> AsyncGenerator[Line]:
    hub = Hub(VirtualClock(), "boot")

    def change(services: WebServices) -> WebServices:
        return replace(services, routers=[stream_router(hub, heartbeat=0.01)])

    async with open_office(tmp_path, change=change) as office:
        admin = await office.set_up()
        try:
            yield Line(office, hub, admin, await admin.make_token("runs:read"))
        finally:
            hub.close()


async def _heard(answer: aiohttp.ClientResponse) -> tuple[str, str, dict[str, Any]]:
    """The next event: id, name and data."""
    while True:
        lines = (await answer.content.readuntil(b"\n\n")).decode().split("\n")
        told = dict(each.partition(": ")[::2] for each in lines if each and not each.startswith(":"))
        if told:
            return told["id"], told["event"], json.loads(told["data"])


async def test_progress_is_heard_and_a_listener_goes_on_where_it_was(line: Line) -> None:
    first = await line.stream()
    watch = line.hub.watch(TICKETS)
    watch(Progress("listing left", 0))
    id_, name, data = await _heard(first)
    first.close()
    watch(Progress("listing left", 1))
    watch(Progress("writing", 1, 7))

    again = await line.stream(id_)

    assert (name, data["stage"]) == ("progress", "listing left")
    assert await _heard(again) == (
        "boot-2",
        "progress",
        {"sync": "tickets", "stage": "writing", "done": 1, "total": 7},
    )
    again.close()


@pytest.mark.parametrize("last", ["earlier-3", "boot-99", "boot-1", "nonsense"])
async def test_who_missed_something_is_told_to_read_everything_anew(line: Line, last: str) -> None:
    for number in range(1200):
        line.hub.publish("progress", {"number": number})

    answer = await line.stream(last)

    assert await _heard(answer) == ("boot-1200", "missed", {})
    line.hub.publish("progress", {"number": "next"})
    assert (await _heard(answer))[0] == "boot-1201"
    answer.close()


async def test_signs_of_life_come_until_the_right_to_listen_ends(line: Line) -> None:
    answer = await line.stream()
    assert await answer.content.readuntil(b"\n\n") == b": still here\n\n"

    tokens = (await line.admin.get("/api/v1/tokens")).json["items"]
    await line.admin.ask("DELETE", f"/api/v1/tokens/{tokens[0]['id']}")

    assert b"event:" not in await answer.content.read()
    assert (await line.office.browser().get(PATH)).status == 401


async def test_rights_end_also_while_events_never_stop(line: Line) -> None:
    answer = await line.stream()

    async def go_on() -> None:
        for number in range(100_000):
            line.hub.publish("progress", {"number": number})
            await asyncio.sleep(0.001)

    busy = asyncio.create_task(go_on())
    tokens = (await line.admin.get("/api/v1/tokens")).json["items"]
    await line.admin.ask("DELETE", f"/api/v1/tokens/{tokens[0]['id']}")

    async with asyncio.timeout(10):
        await answer.content.read()
    busy.cancel()


async def test_events_that_are_kept_are_told_to_those_who_may_read_them(line: Line) -> None:
    both = await line.admin.make_token("runs:read", "events:read")
    one = await line.stream()
    all_ = await line.stream(token=both)

    line.hub.publish("alert.opened", {"id": 1})
    line.hub.publish("run", {"sync": "tickets"})

    assert [(await _heard(one))[1]] == ["run"]
    assert [(await _heard(all_))[1], (await _heard(all_))[1]] == ["alert.opened", "run"]
    one.close()
    all_.close()


async def test_every_stream_ends_when_the_hub_is_closed(line: Line) -> None:
    answer = await line.stream()
    line.hub.close()

    assert b"event:" not in await asyncio.wait_for(answer.content.read(), 10)


async def test_a_server_that_stops_does_not_wait_for_its_streams() -> None:
    hub = Hub(VirtualClock(), "boot")
    ended = asyncio.Event()

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        async for _ in hub.events(None, 60):
            pass
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        ended.set()

    config = uvicorn.Config(endless, port=0, lifespan="off", log_config=None)
    server = StreamServer(config, hub)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells it no other way
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/") as answer:
        assert await answer.content.read(5) == b"begun"
        server.should_exit = True
        await asyncio.wait_for(serving, 10)
    assert ended.is_set()
