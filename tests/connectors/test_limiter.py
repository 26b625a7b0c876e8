"""The quota of a connection: never above the vendor's limit in any window, fair, and corrected by what the vendor says."""

from __future__ import annotations

import asyncio
import datetime as dt
import heapq
import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncline.connectors.http import AiohttpTransport, Environment, SlidingWindow
from syncline.core.quota import IN_A_ROW, RESERVE, Purpose, Quota, Terms, next_midnight
from syncline.errors import Detail, TransientError
from syncline.ports import calling_for
from tests.clock import START, VirtualClock

INTERVAL = dt.timedelta(seconds=10)
MIDNIGHT = next_midnight(START)


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
@given(st.integers(1, 12), st.integers(1, 8), st.integers(1, 40), st.integers(0, 10**6))
def test_no_window_at_the_vendor_ever_holds_more_than_the_limit(
    limit: int, concurrency: int, requests: int, seed: int
) -> None:
    arrivals: list[dt.datetime] = []
    order: list[int] = []

    async def run() -> None:
        clock, chance = WorldClock(), random.Random(seed)
        limiter = SlidingWindow(clock, limit=limit, interval=INTERVAL, concurrency=concurrency)

        async def request(number: int) -> None:
            await clock.sleep(chance.random() * 12)
            with calling_for(chance.choice(list(Purpose))):
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
    limiter = SlidingWindow(clock, limit=2, interval=INTERVAL, concurrency=3)
    order: list[int] = []

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
    assert limiter.quota == Quota(2, 5, 1000, 7, MIDNIGHT, RESERVE)


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


# --- who goes first -------------------------------------------------------------------------------------------------


async def _call(limiter: SlidingWindow, purpose: Purpose, order: list[str], name: str = "") -> None:
    with calling_for(purpose):
        async with limiter.slot():
            order.append(name or purpose.value)


async def test_a_waiting_live_call_goes_before_waiting_bulk_calls() -> None:
    limiter = SlidingWindow(VirtualClock(), limit=1, interval=INTERVAL)
    order: list[str] = []

    await asyncio.gather(
        *(_call(limiter, Purpose.BULK, order, f"bulk {number}") for number in range(4)),
        *(_call(limiter, Purpose.LIVE, order, f"live {number}") for number in range(3)),
    )

    assert order == ["bulk 0", "live 0", "live 1", "live 2", "bulk 1", "bulk 2", "bulk 3"]


async def test_people_and_looks_after_interrupted_writes_go_before_bulk_too() -> None:
    limiter = SlidingWindow(VirtualClock(), limit=1, interval=INTERVAL)
    order: list[str] = []

    await asyncio.gather(
        *(_call(limiter, purpose, order) for purpose in (Purpose.BULK, Purpose.BULK, Purpose.RECOVERY)),
        *(_call(limiter, purpose, order) for purpose in (Purpose.INTERACTIVE, Purpose.LIVE)),
    )

    assert order == ["bulk", "recovery", "interactive", "live", "bulk"]


async def test_a_live_call_that_comes_later_overtakes_the_bulk_call_that_keeps_the_time() -> None:
    clock = WorldClock()
    order: list[str] = []
    limiter = SlidingWindow(clock, limit=1, interval=INTERVAL)

    async def late() -> None:
        await clock.sleep(4)
        await _call(limiter, Purpose.LIVE, order)

    await _call(limiter, Purpose.BULK, order, "first")
    await clock.run({asyncio.create_task(_call(limiter, Purpose.BULK, order)), asyncio.create_task(late())})

    assert order == ["first", "live", "bulk"]


async def test_a_flood_of_live_calls_slows_bulk_down_but_does_not_stop_it() -> None:
    limiter = SlidingWindow(VirtualClock(), limit=1, interval=INTERVAL)
    order: list[str] = []

    await asyncio.gather(
        *(_call(limiter, Purpose.LIVE, order) for _ in range(4 * IN_A_ROW)),
        *(_call(limiter, Purpose.BULK, order) for _ in range(3)),
    )

    places = [index for index, name in enumerate(order) if name == "bulk"]
    assert len(places) == 3
    assert all(later - earlier == IN_A_ROW + 1 for earlier, later in itertools.pairwise(places))


async def test_an_overtaken_bulk_call_has_its_turn_also_in_the_kept_share_of_the_window() -> None:
    clock = WorldClock()
    order: list[str] = []
    limiter = SlidingWindow(clock, limit=10, interval=INTERVAL, concurrency=20)

    async def live(number: int) -> None:
        await clock.sleep(number)
        await _call(limiter, Purpose.LIVE, order)

    async def bulk() -> None:
        await clock.sleep(9.5)
        await _call(limiter, Purpose.BULK, order)

    # One live call a second: the window always holds nine or ten, which is all that bulk may use.
    await clock.run({asyncio.create_task(bulk()), *(asyncio.create_task(live(n)) for n in range(60))})

    assert 20 < order.index("bulk") < 40


async def test_a_share_of_the_window_is_kept_for_live_calls() -> None:
    clock = VirtualClock()
    order: list[str] = []
    limiter = SlidingWindow(clock, limit=10, interval=INTERVAL, terms=Terms(reserve=0.2))
    for _ in range(8):
        await _call(limiter, Purpose.BULK, order)

    await _call(limiter, Purpose.LIVE, order)
    await _call(limiter, Purpose.LIVE, order)
    assert clock.slept == []
    await _call(limiter, Purpose.BULK, order)
    assert sum(clock.slept) == 10


async def test_a_stopped_timekeeper_hands_its_watch_over() -> None:
    clock = WorldClock()
    limiter = SlidingWindow(clock, limit=1, interval=INTERVAL)
    order: list[str] = []
    await _call(limiter, Purpose.LIVE, order)
    tasks = [asyncio.create_task(_call(limiter, Purpose.LIVE, order, name)) for name in ("a", "b", "c")]
    await asyncio.sleep(0)

    tasks[0].cancel()
    await asyncio.wait({tasks[0]})
    await clock.run(set(tasks))

    assert order == ["live", "b", "c"]


async def test_a_call_stopped_in_the_moment_of_its_turn_gives_its_place_back() -> None:
    limiter = SlidingWindow(VirtualClock(), concurrency=1)
    order: list[str] = []
    await limiter.enter()
    tasks = [asyncio.create_task(_call(limiter, Purpose.LIVE, order, name)) for name in ("a", "b")]
    await asyncio.sleep(0)

    limiter.leave(START)
    tasks[0].cancel()
    await asyncio.wait(tasks)

    assert order == ["b"]


# --- the day --------------------------------------------------------------------------------------------------------


async def test_bulk_stops_at_the_reserve_and_says_until_when_while_live_goes_on() -> None:
    limiter = SlidingWindow(VirtualClock(), daily_limit=20)
    order: list[str] = []
    for _ in range(18):
        await _call(limiter, Purpose.BULK, order)

    with pytest.raises(TransientError) as caught:
        await _call(limiter, Purpose.BULK, order)
    await _call(limiter, Purpose.LIVE, order)
    await _call(limiter, Purpose.LIVE, order)
    with pytest.raises(TransientError, match="the vendor's daily quota is used up"):
        await _call(limiter, Purpose.LIVE, order)

    assert caught.value.after == dt.timedelta(hours=15)
    assert caught.value.detail is Detail.DAILY_QUOTA
    assert str(caught.value) == (
        "the day's calls for bulk work are used up; 2 are kept for live work; it goes on at 2026-03-03 00:00 UTC"
    )


async def test_calls_that_wait_are_refused_when_the_day_is_over_meanwhile() -> None:
    limiter = SlidingWindow(VirtualClock(), limit=1, interval=INTERVAL, daily_limit=2)
    order: list[str] = []

    answers = await asyncio.gather(
        *(_call(limiter, Purpose.LIVE, order) for _ in range(4)), return_exceptions=True
    )

    assert order == ["live", "live"]
    assert [type(answer) for answer in answers] == [type(None)] * 2 + [TransientError] * 2


async def test_the_vendors_word_on_its_day_wins_over_what_is_configured() -> None:
    clock = VirtualClock()
    limiter = SlidingWindow(clock, terms=Terms(daily=5, burst=(3, 60)))
    assert limiter.quota.left(Purpose.LIVE) == 5
    await _spend(limiter, 1)

    limiter.observe(daily_limit=100, daily_left=1, daily_reset=dt.timedelta(hours=1))

    await _spend(limiter, 1)
    with pytest.raises(TransientError) as caught:
        await _spend(limiter, 1)
    assert caught.value.after == dt.timedelta(hours=1)
    clock.advance(3600)
    assert limiter.quota == Quota(3, 60, 100, 100, START + dt.timedelta(hours=25), RESERVE)


async def test_answers_that_overtake_each_other_do_not_give_calls_back() -> None:
    limiter = SlidingWindow(VirtualClock(), daily_limit=100, concurrency=2)
    limiter.observe(daily_limit=100, daily_left=10)
    await limiter.enter()
    await limiter.enter()

    limiter.observe(daily_limit=100, daily_left=8)
    limiter.leave(START)
    limiter.observe(daily_limit=100, daily_left=9)
    limiter.leave(START)

    assert limiter.quota.daily_left == 8


async def test_calls_of_another_program_are_noticed_in_the_day() -> None:
    limiter = SlidingWindow(VirtualClock(), concurrency=3)
    limiter.observe(daily_limit=100, daily_left=90)
    await limiter.enter()
    await limiter.enter()

    limiter.observe(daily_limit=100, daily_left=40)

    assert limiter.quota.daily_left == 39


def test_connectors_of_one_connection_share_one_budget() -> None:
    environment = Environment(AiohttpTransport(), VirtualClock(), lambda: 0.5)

    first = environment.limiter("hl", concurrency=2)

    assert environment.limiter("hl", concurrency=2) is first
    assert environment.limiter("ac", concurrency=2) is not first
