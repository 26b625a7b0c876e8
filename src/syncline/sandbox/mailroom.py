"""Sends a stand-in's webhooks as real HTTP POSTs, when they are due and as the faults allow.

Owned by `sandbox.server`. One webhook is sent after the other, so that only faults change their order. Like a vendor
that promises nothing, it never tries twice.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools

import aiohttp
import msgspec

from syncline.sandbox.faults import Faults
from syncline.sandbox.wire import Delivery, SandboxClock, Vendor

_TIMEOUT = aiohttp.ClientTimeout(total=10)


class Sent(msgspec.Struct, frozen=True):
    """One webhook that was sent. `status` is 0 when nobody answered."""

    url: str
    body: msgspec.Raw
    status: int


class Mailroom:
    """The webhooks of one vendor, from its outbox to the wire."""

    def __init__(self, vendor: Vendor, clock: SandboxClock, faults: Faults) -> None:
        self._vendor = vendor
        self._clock = clock
        self._faults = faults
        self._waiting: list[tuple[float, int, Delivery]] = []
        self._order = itertools.count()
        self._ready: asyncio.Queue[Delivery] = asyncio.Queue()
        self._sender: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.sent: list[Sent] = []

    @property
    def waiting(self) -> int:
        """How many webhooks are not yet due."""
        return len(self._waiting)

    def collect(self) -> None:
        """Take over what the vendor made and send what is due. Cheap when there is nothing."""
        for made in self._vendor.outbox():
            for delivery in self._faults.deliveries(made):
                heapq.heappush(self._waiting, (delivery.due.timestamp(), next(self._order), delivery))
        if self._waiting:
            self.pump()

    def pump(self, *, everything: bool = False) -> None:
        """Send what is due by now, or everything; come back by itself while the clock runs."""
        now = self._clock.now().timestamp()
        while self._waiting and (everything or self._waiting[0][0] <= now):
            self._ready.put_nowait(heapq.heappop(self._waiting)[2])
        if not self._ready.empty() and self._sender is None:
            self._sender = asyncio.get_running_loop().create_task(self._send_all())
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and self._clock.is_running:
            self._timer = asyncio.get_running_loop().call_later(self._waiting[0][0] - now, self.pump)

    async def flush(self) -> int:
        """Send everything now, due or not, and wait until it is sent; answers how many were sent in all."""
        self.collect()
        self.pump(everything=True)
        await self._ready.join()
        return len(self.sent)

    async def close(self) -> None:
        """Stop sending; what waits is lost, as when a vendor's worker dies."""
        if self._timer is not None:
            self._timer.cancel()
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)

    async def _send_all(self) -> None:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            while True:
                delivery = await self._ready.get()
                self.sent.append(
                    Sent(delivery.url, msgspec.Raw(delivery.body), await _post(session, delivery))
                )
                self._ready.task_done()


async def _post(session: aiohttp.ClientSession, delivery: Delivery) -> int:
    try:
        async with session.post(delivery.url, data=delivery.body, headers=dict(delivery.headers)) as response:
            return response.status
    except (aiohttp.ClientError, TimeoutError):
        return 0
