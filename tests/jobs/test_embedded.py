"""The embedded engine: the conformance suite on a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import datetime as dt
import heapq
import itertools
from collections.abc import AsyncGenerator

import pytest

from syncline.jobs.embedded import EmbeddedJobs
from syncline.ports import JobEngine
from tests.clock import START
from tests.jobs.conformance import Conformance, Work, failed, until, working
from tests.jobs.samples import limits


class HandClock:
    """Time stands still until somebody says so."""

    def __init__(self) -> None:
        self._now = START
        self._numbers = itertools.count()
        self._sleepers: list[tuple[dt.datetime, int, asyncio.Future[None]]] = []

    def now(self) -> dt.datetime:
        """The time, aware UTC."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until the time was moved so far."""
        waker = asyncio.get_running_loop().create_future()
        heapq.heappush(
            self._sleepers, (self._now + dt.timedelta(seconds=seconds), next(self._numbers), waker)
        )
        await waker

    def advance(self, seconds: float) -> None:
        """Move forward, and wake who slept so long."""
        self._now += dt.timedelta(seconds=seconds)
        while self._sleepers and self._sleepers[0][0] <= self._now:
            waker = heapq.heappop(self._sleepers)[2]
            if not waker.done():
                waker.set_result(None)


class EmbeddedOffice:
    """The embedded engine and its clock."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.engine = EmbeddedJobs(self.clock, limits(), jitter=lambda: 0.5)

    async def pass_time(self, seconds: float) -> None:
        """Move the clock."""
        self.clock.advance(seconds)

    def another(self) -> JobEngine:
        """There is one."""
        return self.engine


@pytest.fixture
async def office() -> AsyncGenerator[EmbeddedOffice]:
    made = EmbeddedOffice()
    yield made
    await made.engine.close()


class TestEmbedded(Conformance):
    """The suite."""

    async def test_what_is_due_starts_in_the_order_of_its_times_after_a_jump(
        self, office: EmbeddedOffice
    ) -> None:
        work, now = Work(), office.clock.now()
        for key, hours in (("c", 3), ("a", 1), ("b", 2)):
            await office.engine.schedule("sync", key, now + dt.timedelta(hours=hours))

        async with working(office.engine, {"sync": work}):
            await office.pass_time(24 * 3600)
            await until(lambda: len(work.ended) == 3)

        assert work.begun == ["a", "b", "c"]

    async def test_a_clock_that_is_put_right_is_noticed_without_a_wake(self, office: EmbeddedOffice) -> None:
        work = Work()
        async with working(office.engine, {"sync": work}):
            await office.engine.schedule("sync", "a", office.clock.now() + dt.timedelta(days=1))
            await asyncio.sleep(0.01)
            office.clock._now += dt.timedelta(days=1)  # a jump: no sleeper hears of it
            office.clock.advance(30)
            await until(lambda: work.ended == ["a"])

    async def test_waits_after_failures_grow(self, office: EmbeddedOffice) -> None:
        async def fail(key: str) -> None:
            raise ValueError(key)

        waits = list[float]()
        async with working(office.engine, {"sync": fail}):
            await office.engine.wake("sync", "a")
            for count in range(1, 7):
                wake = await failed(office.engine, count)
                waits.append((wake.at - office.clock.now()).total_seconds())
                await office.pass_time(waits[-1])

        assert waits == pytest.approx([0.075, 0.15, 0.3, 0.3, 0.3, 0.3])
