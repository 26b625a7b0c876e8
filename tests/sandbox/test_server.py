"""The sandbox server over any vendor: routing, journal, clock, webhooks, control API."""

from __future__ import annotations

import asyncio
import datetime as dt
import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from syncline.sandbox.faults import Faults
from syncline.sandbox.server import SandboxServer
from syncline.sandbox.wire import Delivery, RealTicker, Request, Response, SandboxClock

START = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


class EchoVendor:
    """Answers what it was asked, and sends a webhook where `X-Notify` asks for one."""

    def __init__(self, clock: SandboxClock) -> None:
        self.clock = clock
        self.handled = 0
        self.quota: dict[str, object] = {}
        self._outbox: list[Delivery] = []

    def handle(self, request: Request) -> Response:
        self.handled += 1
        if url := request.headers.get("x-notify"):
            delay = dt.timedelta(seconds=float(request.headers.get("x-delay", "0")))
            body = b'{"number":%d}' % self.handled
            self._outbox.append(
                Delivery(url, {"content-type": "application/json"}, body, self.clock.now() + delay)
            )
        items = [{"id": number} for number in range(10)]
        return Response.json(
            {"path": request.path, "query": dict(request.query), "items": items, "ids": [1, 2]}
        )

    def outbox(self) -> list[Delivery]:
        made, self._outbox = self._outbox, []
        return made

    def control(self, action: str, args: dict[str, object]) -> object:
        if action == "quota":
            self.quota = args
            return args
        raise ValueError(f"There is no action {action!r}.")


class Ear:
    """Somebody who listens to webhooks."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.rang = asyncio.Event()
        self.url = ""

    async def listen(self, request: web.BaseRequest) -> web.Response:
        self.heard.append((await request.json())["number"])
        self.rang.set()
        return web.Response()


@pytest.fixture
async def ear() -> AsyncIterator[Ear]:
    ear = Ear()
    runner = web.ServerRunner(web.Server(ear.listen))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    ear.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield ear
    await runner.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[SandboxServer]:
    clock = SandboxClock(START)
    async with SandboxServer(EchoVendor(clock), clock, Faults(seed=1)) as server:
        yield server


@pytest.fixture
async def http(server: SandboxServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.base_url) as session:
        yield session


async def read(http: aiohttp.ClientSession, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
    async with http.request(method, path, **kwargs) as response:
        return await response.json()


async def test_path_and_query_reach_the_vendor_decoded(http: aiohttp.ClientSession) -> None:
    async with http.get("/a%20b/c?x=1%202&y=") as response:
        data = await response.json()

    assert (data["path"], data["query"]) == ("/a b/c", {"x": "1 2", "y": ""})


def test_in_process_request_decodes_like_the_server() -> None:
    request = Request.of("get", "http://x/a%20b?x=1%202", {"X-A": "1"}, b"")

    assert Request("GET", "/a b", {"x": "1 2"}, {"x-a": "1"}) == request


def test_only_loopback_addresses_are_served() -> None:
    clock = SandboxClock(START)

    with pytest.raises(ValueError, match="loopback"):
        SandboxServer(EchoVendor(clock), clock, host="192.0.2.1")


async def test_large_bodies_are_read(http: aiohttp.ClientSession, server: SandboxServer) -> None:
    async with http.post("/big", data=io.BytesIO(b"x" * 3_000_000)) as response:
        assert response.status == 200

    assert len(server.journal.since()[0].request.body) == 3_000_000


async def test_requests_are_shown_with_credentials_masked(http: aiohttp.ClientSession) -> None:
    headers = {"Authorization": "Bearer s3cret", "X-Angie-AuthApiToken": "1-s3cret"}
    await read(http, "POST", "/login", headers=headers, json={"password": "s3cret", "name": "n"})
    await read(http, "POST", "/form", data={"client_secret": "s3cret", "a": "b"})

    async with http.get("/_sandbox/requests") as response:
        text = await response.text()
        shown = (await response.json())["requests"]

    assert "s3cret" not in text
    assert [(each["method"], each["path"], each["status"]) for each in shown] == [
        ("POST", "/login", 200),
        ("POST", "/form", 200),
    ]
    assert shown[0]["body"] == {"password": "***", "name": "n"}
    assert shown[1]["body"] == "client_secret=***&a=b"
    assert shown[0]["at"].startswith("2026-03-01T12:00:00")


async def test_requests_since_a_number_and_forgetting(http: aiohttp.ClientSession) -> None:
    await read(http, "GET", "/one")
    last = (await read(http, "GET", "/_sandbox/requests"))["last"]
    await read(http, "GET", "/two")

    newer = (await read(http, "GET", f"/_sandbox/requests?since={last}"))["requests"]
    await read(http, "DELETE", "/_sandbox/requests")
    rest = await read(http, "GET", "/_sandbox/requests")

    assert [each["path"] for each in newer] == ["/two"]
    assert rest == {"requests": [], "last": 2}


async def test_clock_stands_still_until_moved(http: aiohttp.ClientSession, server: SandboxServer) -> None:
    moved = await read(http, "POST", "/_sandbox/clock", json={"advance": 90})

    assert moved == {"now": "2026-03-01T12:01:30Z", "is_running": False}
    assert START + dt.timedelta(seconds=90) == server.clock.now()


async def test_clock_runs_and_stops(http: aiohttp.ClientSession, server: SandboxServer) -> None:
    running = await read(http, "POST", "/_sandbox/clock", json={"run": True})
    stopped = await read(http, "POST", "/_sandbox/clock", json={"stop": True})

    assert (running["is_running"], stopped["is_running"]) == (True, False)
    assert server.clock.now() >= START


def test_ticker_follows_its_source() -> None:
    times = iter([10.0, 12.5, 14.0])
    clock = SandboxClock(START)
    clock.run(RealTicker(lambda: next(times)))

    assert START + dt.timedelta(seconds=2.5) == clock.now()
    assert START + dt.timedelta(seconds=4) == clock.now()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/_sandbox/act", b'{"action": "dance"}', 400),
        ("POST", "/_sandbox/act", b"{}", 400),
        ("POST", "/_sandbox/act", b"not json", 400),
        ("POST", "/_sandbox/clock", b'{"advance": "soon"}', 400),
        ("POST", "/_sandbox/clock", b'{"tomorrow": true}', 400),
        ("POST", "/_sandbox/faults", b'{"kind": "gremlin"}', 400),
        ("POST", "/_sandbox/faults", b'{"kind": "slow", "path": "("}', 400),
        ("GET", "/_sandbox/nothing", b"", 404),
    ],
)
async def test_bad_control_requests_say_why(
    http: aiohttp.ClientSession, method: str, path: str, body: bytes, status: int
) -> None:
    async with http.request(method, path, data=body) as response:
        data = await response.json()

    assert status == response.status
    assert data["error"]


async def test_quota_goes_to_the_vendor(http: aiohttp.ClientSession, server: SandboxServer) -> None:
    await read(http, "POST", "/_sandbox/quota", json={"requests": 5})

    assert isinstance(server.vendor, EchoVendor)
    assert server.vendor.quota == {"requests": 5}


async def test_webhooks_are_posted(http: aiohttp.ClientSession, ear: Ear) -> None:
    await read(http, "GET", "/", headers={"X-Notify": ear.url})
    await read(http, "GET", "/", headers={"X-Notify": ear.url})
    flushed = await read(http, "POST", "/_sandbox/webhooks/flush")
    shown = await read(http, "GET", "/_sandbox/webhooks")

    assert (ear.heard, flushed) == ([1, 2], {"sent": 2})
    assert {"url": ear.url, "body": {"number": 1}, "status": 200} == shown["sent"][0]


async def test_a_webhook_waits_for_the_sandbox_clock(http: aiohttp.ClientSession, ear: Ear) -> None:
    await read(http, "GET", "/", headers={"X-Notify": ear.url, "X-Delay": "60"})
    waiting = await read(http, "GET", "/_sandbox/webhooks")
    await read(http, "POST", "/_sandbox/clock", json={"advance": 61})
    after = await read(http, "GET", "/_sandbox/webhooks")

    assert (waiting["waiting"], after["waiting"]) == (1, 0)


async def test_a_webhook_comes_by_itself_while_the_clock_runs(
    http: aiohttp.ClientSession, server: SandboxServer, ear: Ear
) -> None:
    server.clock.run(RealTicker())
    await read(http, "GET", "/", headers={"X-Notify": ear.url, "X-Delay": "0.02"})
    async with asyncio.timeout(5):
        await ear.rang.wait()

    assert ear.heard == [1]


async def test_nobody_listening_is_noted_and_not_tried_again(http: aiohttp.ClientSession) -> None:
    await read(http, "GET", "/", headers={"X-Notify": "http://127.0.0.1:9/hook"})
    await read(http, "POST", "/_sandbox/webhooks/flush")
    await read(http, "POST", "/_sandbox/webhooks/flush")
    shown = await read(http, "GET", "/_sandbox/webhooks")

    assert [sent["status"] for sent in shown["sent"]] == [0]


@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        ({"kind": "lost", "times": 1}, [2, 3]),
        ({"kind": "duplicate", "times": 1}, [1, 1, 2, 3]),
        ({"kind": "late", "seconds": 60, "times": 1}, [2, 3, 1]),
    ],
)
async def test_webhook_faults(
    http: aiohttp.ClientSession, ear: Ear, fault: dict[str, object], heard: list[int]
) -> None:
    await read(http, "POST", "/_sandbox/faults", json=fault)
    for _ in range(3):
        await read(http, "GET", "/", headers={"X-Notify": ear.url})
    await read(http, "POST", "/_sandbox/webhooks/flush")

    assert heard == ear.heard


async def test_status_fault_answers_before_the_vendor_works(
    http: aiohttp.ClientSession, server: SandboxServer
) -> None:
    rule = {
        "kind": "status",
        "status": 429,
        "headers": {"Retry-After": "7"},
        "body": {"message": "slow down"},
        "times": 1,
    }
    await read(http, "POST", "/_sandbox/faults", json=rule)

    async with http.get("/x") as refused:
        assert (
            refused.status,
            refused.headers["Retry-After"],
            await refused.json(),
        ) == (429, "7", {"message": "slow down"})
    async with http.get("/x") as allowed:
        assert allowed.status == 200
    assert isinstance(server.vendor, EchoVendor)
    assert server.vendor.handled == 1


@pytest.mark.parametrize(("kind", "handled"), [("cut_before", 0), ("cut_after", 1)])
async def test_cut_connections(
    http: aiohttp.ClientSession, server: SandboxServer, kind: str, handled: int
) -> None:
    await read(http, "POST", "/_sandbox/faults", json={"kind": kind, "method": "POST", "times": 1})

    with pytest.raises(aiohttp.ClientError):
        await read(http, "POST", "/x", json={})
    assert isinstance(server.vendor, EchoVendor)
    assert handled == server.vendor.handled
    exchange = server.journal.since()[0]
    assert (0, kind) == (exchange.status, exchange.fault)
    assert (await read(http, "POST", "/again"))["path"] == "/again"


async def test_slow_answers_keep_the_caller_waiting(http: aiohttp.ClientSession) -> None:
    await read(http, "POST", "/_sandbox/faults", json={"kind": "slow", "seconds": 30, "path": "^/slow$"})

    assert (await read(http, "GET", "/fast"))["path"] == "/fast"
    with pytest.raises(TimeoutError):
        await read(http, "GET", "/slow", timeout=aiohttp.ClientTimeout(total=0.05))


async def test_partial_listing_is_shorter(http: aiohttp.ClientSession) -> None:
    await read(http, "POST", "/_sandbox/faults", json={"kind": "partial", "keep": 0.3, "times": 1})
    partial = await read(http, "GET", "/x")
    whole = await read(http, "GET", "/x")

    assert (len(partial["items"]), len(whole["items"])) == (3, 10)
    assert partial["ids"] == [1, 2]


async def test_faults_are_listed_and_removed(http: aiohttp.ClientSession) -> None:
    added = await read(
        http, "POST", "/_sandbox/faults", json=[{"kind": "slow", "path": "never"}, {"kind": "lost"}]
    )
    one = await read(http, "DELETE", "/_sandbox/faults?id=1")
    none = await read(http, "DELETE", "/_sandbox/faults")

    assert added == {"ids": [1, 2]}
    assert [rule["id"] for rule in one["faults"]] == [2]
    assert none == {"faults": []}
