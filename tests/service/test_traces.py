"""Spans tell what was done, and no secret; without an endpoint there are none."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from syncline.connectors.transport import AiohttpTransport
from syncline.errors import TransientError
from syncline.service.dispatch import Cause, Happened
from syncline.service.traces import TracedTransport, Tracing, tracing
from tests.clock import START
from tests.service.office import TICKETS


async def _answer(_request: web.Request) -> web.Response:
    return web.Response(status=204)


async def _listening() -> tuple[web.AppRunner, str]:
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", _answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


async def test_a_look_and_its_calls_are_spans_without_secrets() -> None:
    spans = InMemorySpanExporter()
    traces = Tracing(SimpleSpanProcessor(spans))
    runner, url = await _listening()
    transport = TracedTransport(AiohttpTransport(), traces)

    async def look(key: str) -> None:
        await transport.send("GET", f"{url}/api/tasks?token=hidden", {"authorization": "hidden"}, b"hidden")
        traces.heard(Happened(TICKETS, Cause.POLL, START))
        assert key == "tickets"

    await traces.around("look", look)("tickets")
    await transport.close()
    await runner.cleanup()

    call, outer = spans.get_finished_spans()
    assert (outer.name, dict(outer.attributes or {})) == (
        "look",
        {"syncline.sync": "tickets", "syncline.cause": "poll"},
    )
    assert call.name == "vendor call GET"
    assert call.parent is not None
    assert call.parent.span_id == outer.context.span_id
    assert dict(call.attributes or {}) == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "url.path": "/api/tasks",
        "http.response.status_code": 204,
    }
    assert not any("hidden" in each.to_json() for each in (call, outer))


async def test_an_error_is_told_by_its_code_and_not_by_its_message() -> None:
    spans = InMemorySpanExporter()

    async def look(_key: str) -> None:
        raise TransientError("the token hidden was cut")

    with pytest.raises(TransientError):
        await Tracing(SimpleSpanProcessor(spans)).around("look", look)("tickets")

    (span,) = spans.get_finished_spans()
    assert (span.attributes or {})["error.type"] == "transient"
    assert "hidden" not in span.to_json()


async def test_without_an_endpoint_nothing_is_traced() -> None:
    traces = tracing(None)
    with traces.span("x") as span:
        assert not span.is_recording()
    traces.close()


async def test_spans_arrive_at_an_otlp_endpoint(tmp_path: Path) -> None:
    got: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        got.append(await request.read())
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    traces = tracing(f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces")
    with traces.span("look", {"syncline.sync": tmp_path.name}):
        pass

    await asyncio.to_thread(traces.close)
    await runner.cleanup()

    assert any(b"syncline" in body and b"look" in body for body in got)
