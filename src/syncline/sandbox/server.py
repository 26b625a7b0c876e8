"""Puts one stand-in vendor on a loopback port: real HTTP in, `Vendor.handle` in the middle, real webhooks out.

Started by `sandbox.run` and by tests (`async with SandboxServer(vendor, clock, faults) as server`). It routes nothing
itself, so that the time a request takes is the vendor's own: it is the baseline of the throughput benchmark.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from types import TracebackType
from typing import Self

from aiohttp import web

from syncline.sandbox.control import PREFIX, Control
from syncline.sandbox.faults import Fault, FaultKind, Faults, answer
from syncline.sandbox.journal import Journal
from syncline.sandbox.mailroom import Mailroom
from syncline.sandbox.wire import Request, Response, SandboxClock, Vendor, dated


class SandboxServer:
    """One vendor on one port. Raises `ValueError` for a host that is not a loopback address."""

    def __init__(
        self,
        vendor: Vendor,
        clock: SandboxClock,
        faults: Faults | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(
                "A sandbox serves loopback addresses only, because its control API asks for no credentials."
            )
        self.vendor = vendor
        self.clock = clock
        self.faults = faults or Faults()
        self.journal = Journal()
        self._host = host
        self._port = port
        self._mailroom = Mailroom(vendor, clock, self.faults)
        self._control = Control(vendor, clock, self.faults, self.journal, self._mailroom)
        self._runner: web.ServerRunner | None = None

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:PORT`, without a slash at the end. The port is known once the server has started."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def control_url(self) -> str:
        """Where the control API is, with a slash at the end."""
        return self.base_url + PREFIX

    async def start(self) -> str:
        """Bind and serve; answers the base URL."""
        self._runner = web.ServerRunner(web.Server(self._serve, access_log=None), shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self._port = int(self._runner.addresses[0][1])
        return self.base_url

    async def stop(self) -> None:
        """Close the port, all connections and the sender of webhooks."""
        await self._mailroom.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def flush_webhooks(self) -> int:
        """Send all webhooks that wait; answers how many were sent in all."""
        return await self._mailroom.flush()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _serve(self, incoming: web.BaseRequest) -> web.StreamResponse:
        request = await _read(incoming)
        if request.path.startswith(PREFIX):
            return _written(await self._control.handle(request))
        started = time.perf_counter()
        fault = self.faults.decide(request)
        if fault is not None and fault.kind is FaultKind.SLOW:
            await asyncio.sleep(fault.seconds)
        response = answer(self.vendor, request, fault)
        self._note(request, response, started, fault)
        self._mailroom.collect()
        return _cut(incoming) if response is None else _written(dated(response, self.clock))

    def _note(self, request: Request, response: Response | None, started: float, fault: Fault | None) -> None:
        status = response.status if response is not None else 0
        seconds = time.perf_counter() - started
        self.journal.note(request, status, self.clock.now(), seconds, fault.kind.value if fault else "")


async def _read(incoming: web.BaseRequest) -> Request:
    url = incoming.rel_url
    return Request(
        incoming.method,
        url.path,
        dict(url.query) if url.raw_query_string else {},
        {name.lower(): value for name, value in incoming.headers.items()},
        # Not `incoming.read()`: that refuses bodies above one megabyte, and `load` may be larger.
        await incoming.content.read() if incoming.body_exists else b"",
    )


def _written(response: Response) -> web.Response:
    return web.Response(status=response.status, body=response.body, headers=response.headers)


def _cut(incoming: web.BaseRequest) -> web.Response:
    """Close the connection without a byte; the answer handed back is never written."""
    if incoming.transport is not None:
        incoming.transport.abort()
    return web.Response()
