"""The quota of a connection: never above the vendor's limit in any window, fair, and corrected by what the vendor says."""

from __future__ import annotations

import asyncio
import datetime as dt
import heapq
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncline.connectors.http import SlidingWindow
from syncline.errors import TransientError
from syncline.ports import Quota
from tests.clock import START, VirtualClock

INTERVAL = dt.timedelta(seconds=10)


class WorldClock:
    """Virtual time for many tasks at once: it moves to the next sleeper when nobody else can go on."""

    def __init__(self) -> None:
        self._now = START
        self._sleepers: list[tuple[dt.datetime, int, asyncio.Event]] = []
        self._count = 0

    def now(self) -> dt.datetime:
        return self._now

    async def sleep(self, seconds: float) -> None:
        event, self._count = asyncio.Event(), self._count + 1
        heapq.heappush(
            self._sleepers, (self._now + dt.timedelta(seconds=max(0, seconds)), self._count, event)
        )
        await event.wait()

    async def run(self, tasks: set[asyncio.Task[None]]) -> None:
        while not all(task.done() for task in tasks):
            for _ in range(20):
                await asyncio.sleep(0)
            if self._sleepers:
                self._now, _, event = heapq.heappop(self._sleepers)
                event.set()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 8), st.integers(1, 40), st.integers(0, 10**6))
def test_no_window_at_the_vendor_ever_holds_more_than_the_limit(
    limit: int, concurrency: int, requests: int, seed: int
) -> None:
    arrivals: list[dt.datetime] = []
    order: list[int] = []

    async def run() -> None:
        clock, chance = WorldClock(), random.Random(seed)
        limiter = SlidingWindow(clock, limit=limit, interval=INTERVAL, concurrency=concurrency)

        async def request(number: int) -> None:
            async with limiter.slot():
                order.append(number)
                await clock.sleep(chance.random() * 8)
                arrivals.append(clock.now())
                await clock.sleep(chance.random() * 8)

        await clock.run({asyncio.create_task(request(number)) for number in range(requests)})

    asyncio.run(run())

    arrivals.sort()
    windows = zip(arrivals, arrivals[limit:], strict=False)
    assert all(later - earlier >= INTERVAL for earlier, later in windows)
    assert len(arrivals) == requests


async def test_requests_go_out_first_come_first_served() -> None:
    clock = VirtualClock()
    limiter, order = SlidingWindow(clock, limit=2, interval=INTERVAL, concurrency=3), []

    async def request(number: int) -> None:
        async with limiter.slot():
            order.append(number)

    await asyncio.gather(*(request(number) for number in range(12)))

    assert order == list(range(12))


async def test_no_more_than_the_agreed_number_are_under_way_at_once() -> None:
    limiter, under_way, most = SlidingWindow(VirtualClock(), concurrency=5), 0, 0

    async def request() -> None:
        nonlocal under_way, most
        async with limiter.slot():
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1

    await asyncio.gather(*(request() for _ in range(40)))

    assert most == 5


async def _spend(limiter: SlidingWindow, count: int) -> None:
    for _ in range(count):
        async with limiter.slot():
            pass


async def test_a_program_that_shares_the_window_is_noticed() -> None:
    clock = VirtualClock()
    limiter = SlidingWindow(clock, limit=100, interval=INTERVAL)
    await _spend(limiter, 3)
    limiter.observe(limit=100, left=1)

    await _spend(limiter, 1)
    assert clock.slept == []
    await _spend(limiter, 1)
    assert sum(clock.slept) == 10


async def test_a_vendor_may_correct_the_limit() -> None:
    clock = VirtualClock()
    limiter = SlidingWindow(clock, limit=100, interval=INTERVAL)
    limiter.observe(limit=2, interval=dt.timedelta(seconds=5), daily_limit=1000, daily_left=10)

    await _spend(limiter, 3)

    assert sum(clock.slept) == 5
    assert limiter.quota == Quota(burst_limit=2, burst_seconds=5, daily_limit=1000, daily_left=7)


async def test_a_day_that_is_used_up_says_when_it_ends() -> None:
    clock = VirtualClock()
    limiter = SlidingWindow(clock, daily_limit=2)
    await _spend(limiter, 2)

    with pytest.raises(TransientError) as caught:
        await _spend(limiter, 1)

    assert caught.value.after == dt.timedelta(hours=15)
    clock.advance(15 * 3600)
    await _spend(limiter, 2)


async def test_a_hold_stops_everybody_for_so_long() -> None:
    clock = VirtualClock()
    limiter = SlidingWindow(clock)
    limiter.hold(dt.timedelta(seconds=4))

    await _spend(limiter, 3)

    assert clock.slept == [4]


async def test_a_clock_that_jumps_back_does_not_stop_the_world() -> None:
    clock = VirtualClock()
    limiter = SlidingWindow(clock, limit=1, interval=INTERVAL)
    await _spend(limiter, 1)
    clock.advance(-3600)

    await _spend(limiter, 1)

    assert sum(clock.slept) == 10


async def test_a_failed_request_gives_its_place_back() -> None:
    limiter = SlidingWindow(VirtualClock(), concurrency=1)

    with pytest.raises(ValueError, match="broken"):
        async with limiter.slot():
            raise ValueError("broken")

    await _spend(limiter, 1)
