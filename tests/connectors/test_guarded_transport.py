"""The transport looks at the address that is connected to, whatever the name, and follows nothing."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from syncline.connectors.transport import AiohttpTransport
from syncline.errors import ConnectorError, Detail


@asynccontextmanager
async def _served() -> AsyncGenerator[tuple[str, list[str]]]:
    """A server on loopback that redirects; its port, and the paths that were asked for."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=302, headers={"location": "http://127.0.0.1:1/elsewhere"})

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield str(runner.addresses[0][1]), asked
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _transport(*, allow_private: bool) -> AsyncGenerator[AiohttpTransport]:
    transport = AiohttpTransport(allow_private=allow_private)
    try:
        yield transport
    finally:
        await transport.close()


async def _refused(transport: AiohttpTransport, url: str) -> Detail | None:
    with pytest.raises(ConnectorError) as caught:
        await transport.send("GET", url, {"authorization": "Bearer hush"}, None)
    return caught.value.detail


async def test_a_name_that_leads_to_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As with DNS rebinding: the name was fine when it was configured, and now it leads here."""
    resolve = socket.getaddrinfo

    def rebound(host: Any, *rest: Any, **more: Any) -> Any:
        return resolve("127.0.0.1" if host == "ac.example.test" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    async with _served() as (port, asked), _transport(allow_private=False) as transport:
        found = await _refused(transport, f"https://ac.example.test:{port}/")

    assert found is Detail.WRONG_ADDRESS
    assert asked == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
async def test_no_spelling_of_loopback_gets_through(host: str) -> None:
    async with _served() as (port, asked), _transport(allow_private=False) as transport:
        for scheme in ("http", "https"):
            assert await _refused(transport, f"{scheme}://{host}:{port}/") is Detail.WRONG_ADDRESS
    assert asked == []


async def test_link_local_addresses_are_refused_even_where_private_ones_are_allowed() -> None:
    async with _transport(allow_private=True) as transport:
        assert await _refused(transport, "http://169.254.169.254/latest/meta-data") is Detail.WRONG_ADDRESS
        assert await _refused(transport, "http://[fe80::1]/") is Detail.WRONG_ADDRESS


async def test_plain_http_to_a_public_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def public(*_: Any, **__: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", public)
    async with _transport(allow_private=True) as transport:
        assert await _refused(transport, "http://ac.example.test/") is Detail.WRONG_ADDRESS


async def test_a_redirect_is_answered_not_followed() -> None:
    async with _served() as (port, asked), _transport(allow_private=True) as transport:
        answer = await transport.send(
            "GET", f"http://127.0.0.1:{port}/here", {"authorization": "Bearer hush"}, None
        )
    assert (answer.status, asked) == (302, ["/here"])
