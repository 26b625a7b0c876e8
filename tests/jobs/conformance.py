"""What every job engine has to do: one class, inherited by the tests of each.

A subclass brings the fixture `office` (an `Office`: the engine, its clock, and how time passes for it).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

import pytest

from syncline.errors import Detail, TransientError
from syncline.ports import Clock, Handlers, JobEngine, Wake

_PATIENCE = 20.0
_TURN = 0.005


class Office(Protocol):
    """A job engine to be tested. Its limits are `jobs_limits()`."""

    engine: JobEngine
    clock: Clock

    async def pass_time(self, seconds: float) -> None:
        """Let so much of the engine's time go by."""
        ...

    def another(self) -> JobEngine:
        """A second engine over the same wakes where they can be shared; else the same one."""
        ...


@dataclass
class Work:
    """A handler that notes what it was asked for, and can be held in the middle."""

    begun: list[str] = field(default_factory=list[str])
    ended: list[str] = field(default_factory=list[str])
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    most: int = 0
    most_alike: int = 0
    _now: Counter[str] = field(default_factory=Counter[str])

    def __post_init__(self) -> None:
        self.gate.set()

    async def __call__(self, key: str) -> None:
        """The handler."""
        self._now[key] += 1
        self.most = max(self.most, self._now.total())
        self.most_alike = max(self.most_alike, self._now[key])
        self.begun.append(key)
        try:
            await self.gate.wait()
            self.ended.append(key)
        finally:
            self._now[key] -= 1


@asynccontextmanager
async def working(engine: JobEngine, handlers: Handlers) -> AsyncGenerator[asyncio.Event]:
    """A worker for as long as the block; stopped, and waited for, at its end."""
    stop = asyncio.Event()
    worker = asyncio.create_task(engine.run_worker(handlers, stop))
    try:
        yield stop
    finally:
        stop.set()
        await asyncio.wait_for(worker, _PATIENCE)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it, with short looks and a deadline."""
    async with asyncio.timeout(_PATIENCE):
        while not condition():  # noqa: ASYNC110 - what is waited for knows of no event
            await asyncio.sleep(_TURN)


async def settled() -> None:
    """Time enough for something that must not happen."""
    await asyncio.sleep(0.05)


class Conformance:
    """The suite."""

    async def test_a_wake_runs_the_handler_of_its_kind_once(self, office: Office) -> None:
        syncs, others = Work(), Work()
        async with working(office.engine, {"sync": syncs, "other": others}):
            await office.engine.wake("sync", "tickets")
            await until(lambda: syncs.ended == ["tickets"])
            await settled()

        assert syncs.begun == ["tickets"]
        assert others.begun == []
        assert await office.engine.waiting() == ()

    async def test_what_was_woken_before_the_worker_began_runs_when_it_does(self, office: Office) -> None:
        work = Work()
        await office.engine.wake("sync", "tickets")

        async with working(office.engine, {"sync": work}):
            await until(lambda: work.ended == ["tickets"])

    async def test_a_kind_that_nobody_handles_waits_and_stops_nothing(self, office: Office) -> None:
        work = Work()
        await office.engine.wake("unknown", "a")
        async with working(office.engine, {"sync": work}):
            await office.engine.wake("sync", "tickets")
            await until(lambda: work.ended == ["tickets"])

        assert [wake.kind for wake in await office.engine.waiting()] == ["unknown"]

    async def test_wakes_for_one_kind_and_key_become_one_and_the_earliest_time_wins(
        self, office: Office
    ) -> None:
        now = office.clock.now()
        for minutes in (9, 3, 6):
            await office.engine.wake("sync", "tickets", now + dt.timedelta(minutes=minutes))
        await office.engine.wake("sync", "people", now + dt.timedelta(minutes=5))

        first, second = await office.engine.waiting()

        assert (first.kind, first.key, second.key) == ("sync", "tickets", "people")
        assert abs(first.at - now - dt.timedelta(minutes=3)) < dt.timedelta(seconds=1)

    async def test_many_wakes_at_once_are_one_run(self, office: Office) -> None:
        work = Work()
        await asyncio.gather(*(office.engine.wake("sync", "tickets") for _ in range(200)))
        async with working(office.engine, {"sync": work}):
            await until(lambda: bool(work.ended))
            await settled()

        assert work.begun == ["tickets"]

    async def test_a_wake_while_the_handler_runs_is_kept_and_runs_it_once_more(self, office: Office) -> None:
        work = Work()
        work.gate.clear()
        async with working(office.engine, {"sync": work}):
            await office.engine.wake("sync", "tickets")
            await until(lambda: work.begun == ["tickets"])
            for _ in range(5):
                await office.engine.wake("sync", "tickets")
            await settled()
            assert work.begun == ["tickets"]
            assert [wake.key for wake in await office.engine.waiting()] == ["tickets"]

            work.gate.set()
            await until(lambda: len(work.ended) == 2)
            await settled()

        assert work.begun == ["tickets"] * 2
        assert work.most_alike == 1

    async def test_a_handler_that_is_busy_with_one_key_does_not_hold_up_others(self, office: Office) -> None:
        slow, quick = Work(), Work()
        slow.gate.clear()
        async with working(office.engine, {"slow": slow, "quick": quick}):
            await office.engine.wake("slow", "a")
            await until(lambda: slow.begun == ["a"])
            await office.engine.wake("slow", "a")
            await office.engine.wake("quick", "b")
            await until(lambda: quick.ended == ["b"])
            slow.gate.set()

    async def test_what_is_scheduled_runs_in_the_order_of_its_times(self, office: Office) -> None:
        work = Work()
        async with working(office.engine, {"sync": work}):
            now = office.clock.now()
            for key, seconds in (("third", 0.7), ("first", 0.3), ("second", 0.5)):
                await office.engine.schedule("sync", key, now + dt.timedelta(seconds=seconds))
            assert work.begun == []
            for count, seconds in enumerate((0.3, 0.2, 0.2), 1):
                await office.pass_time(seconds)
                await until(lambda count=count: len(work.ended) == count)

        assert work.begun == ["first", "second", "third"]

    async def test_a_schedule_takes_the_place_of_a_time_in_the_future(self, office: Office) -> None:
        now = office.clock.now()
        for minutes in (5, 9, 7):
            await office.engine.schedule("sync", "tickets", now + dt.timedelta(minutes=minutes))

        (wake,) = await office.engine.waiting()

        assert abs(wake.at - now - dt.timedelta(minutes=7)) < dt.timedelta(seconds=1)

    async def test_a_schedule_never_puts_off_what_is_due(self, office: Office) -> None:
        work, now = Work(), office.clock.now()
        await office.engine.wake("sync", "tickets")
        await office.engine.schedule("sync", "tickets", now + dt.timedelta(hours=1))

        async with working(office.engine, {"sync": work}):
            await until(lambda: work.ended == ["tickets"])

    async def test_a_handler_may_schedule_its_own_next_run(self, office: Office) -> None:
        runs = list[str]()

        async def poll(key: str) -> None:
            runs.append(key)
            await office.engine.schedule("poll", key, office.clock.now() + dt.timedelta(seconds=0.05))

        async with working(office.engine, {"poll": poll}):
            await office.engine.wake("poll", "tickets")
            for count in (1, 2, 3):
                await until(lambda count=count: len(runs) >= count)
                await office.pass_time(0.05)

        assert [wake.kind for wake in await office.engine.waiting()] == ["poll"]

    async def test_what_was_cancelled_does_not_run(self, office: Office) -> None:
        work, now = Work(), office.clock.now()
        await office.engine.schedule("sync", "tickets", now + dt.timedelta(seconds=0.1))
        await office.engine.wake("sync", "people")

        assert await office.engine.cancel("sync", "tickets")
        assert not await office.engine.cancel("sync", "nobody")
        async with working(office.engine, {"sync": work}):
            await office.pass_time(0.1)
            await until(lambda: work.ended == ["people"])
            await settled()

        assert work.begun == ["people"]

    async def test_a_failed_handler_runs_again_after_a_wait_that_can_be_seen(self, office: Office) -> None:
        tries, is_mended = list[str](), asyncio.Event()

        async def fail_until_mended(key: str) -> None:
            tries.append(key)
            if not is_mended.is_set():
                raise TransientError("out of reach", detail=Detail.UNREACHABLE)

        async with working(office.engine, {"sync": fail_until_mended}):
            await office.engine.wake("sync", "tickets")
            for count in (1, 2):
                wake = await failed(office.engine, count)
                assert len(tries) >= count
                assert wake.error == "TransientError (transient.unreachable)"
                assert wake.at > office.clock.now() - dt.timedelta(seconds=1)
                await office.pass_time(0.2)
            is_mended.set()
            before = len(tries)
            await office.pass_time(0.4)
            await until(lambda: len(tries) > before)
            await settled()

        assert await office.engine.waiting() == ()

    async def test_a_wake_brings_a_failed_one_forward_and_its_count_goes_on(self, office: Office) -> None:
        tries = list[str]()

        async def fail(key: str) -> None:
            tries.append(key)
            raise ValueError(key)

        async with working(office.engine, {"sync": fail}):
            for count in (1, 2, 3):
                await office.engine.wake("sync", "tickets")
                await until(lambda count=count: len(tries) >= count)
                assert (await failed(office.engine, count)).attempts >= count

    async def test_thousands_of_wakes_over_many_keys_lose_none_and_keep_each_key_in_order(
        self, office: Office
    ) -> None:
        marks, seen, most = (
            defaultdict[str, list[int]](list),
            defaultdict[str, list[int]](list),
            Counter[str](),
        )
        at_once = Counter[str]()

        async def take(key: str) -> None:
            at_once[key] += 1
            most[key] = max(most[key], at_once[key])
            found, marks[key] = marks[key], []
            await asyncio.sleep(0)
            seen[key].extend(found)
            at_once[key] -= 1

        engines = (office.engine, office.another())
        async with working(engines[0], {"sync": take}):
            for number in range(20):
                for key in range(100):
                    marks[str(key)].append(number)
                await asyncio.gather(*(engines[key % 2].wake("sync", str(key)) for key in range(100)))
            await until(lambda: sum(map(len, seen.values())) == 2000)

        assert all(seen[str(key)] == list(range(20)) for key in range(100))
        assert set(most.values()) == {1}

    async def test_no_more_than_allowed_run_at_once_and_bulk_leaves_room_for_the_rest(
        self, office: Office
    ) -> None:
        bulk, live = Work(), Work()
        bulk.gate.clear()
        async with working(office.engine, {"bulk": bulk, "live": live}):
            for number in range(10):
                await office.engine.wake("bulk", str(number))
            await until(lambda: len(bulk.begun) == 2)
            await settled()
            await office.engine.wake("live", "edit")
            await until(lambda: live.ended == ["edit"])
            assert len(bulk.begun) == 2
            live.gate.clear()
            for number in range(10):
                await office.engine.wake("live", str(number))
            await until(lambda: len(live.begun) == 3)
            await settled()
            assert len(live.begun) == 3
            bulk.gate.set()
            live.gate.set()
            await until(lambda: len(bulk.ended) == 10 and len(live.ended) == 11)

        assert (bulk.most, live.most) <= (2, 4)

    async def test_live_work_starts_before_bulk_that_came_first(self, office: Office) -> None:
        order = list[str]()

        async def note(key: str) -> None:
            order.append(key)

        for number in range(6):
            await office.engine.wake("bulk", f"bulk {number}")
        await office.engine.wake("live", "edit")
        async with working(office.engine, {"bulk": note, "live": note}):
            await until(lambda: len(order) == 7)

        assert order[0] == "edit"

    async def test_a_worker_that_stops_lets_what_runs_finish_and_starts_nothing_more(
        self, office: Office
    ) -> None:
        work = Work()
        work.gate.clear()
        async with working(office.engine, {"sync": work}) as stop:
            await office.engine.wake("sync", "tickets")
            await until(lambda: work.begun == ["tickets"])
            stop.set()
            await office.engine.wake("sync", "people")
            await settled()
            work.gate.set()

        assert work.ended == ["tickets"]
        assert [wake.key for wake in await office.engine.waiting()] == ["people"]

    async def test_what_does_not_finish_in_time_is_cut_off_and_put_back(self, office: Office) -> None:
        work = Work()
        work.gate.clear()
        async with working(office.engine, {"sync": work}) as stop:
            await office.engine.wake("sync", "tickets")
            await until(lambda: work.begun == ["tickets"])
            stop.set()
            await settled()
            await office.pass_time(1.0)

        assert work.ended == []
        (wake,) = await office.engine.waiting()
        assert (wake.key, wake.attempts, wake.error) == ("tickets", 0, "")
        work.gate.set()
        async with working(office.engine, {"sync": work}):
            await until(lambda: work.ended == ["tickets"])

    async def test_health_tells_what_waits_what_runs_and_how_late_it_is(self, office: Office) -> None:
        work = Work()
        work.gate.clear()
        await office.engine.wake("sync", "tickets")
        await office.engine.schedule("sync", "people", office.clock.now() + dt.timedelta(hours=1))
        await office.pass_time(0.2)
        idle = await office.engine.health()
        async with working(office.engine, {"sync": work}):
            await until(lambda: work.begun == ["tickets"])
            busy = await office.engine.health()
            work.gate.set()

        assert (idle.is_up, idle.problem, idle.waiting, idle.running) == (True, "", 2, 0)
        assert 0.1 < idle.late < 10
        assert (busy.waiting, busy.running, busy.late) == (1, 1, 0.0)

    async def test_a_purge_forgets_what_waits(self, office: Office) -> None:
        work = Work()
        await office.engine.wake("sync", "tickets")
        await office.engine.wake("sync", "people", office.clock.now() + dt.timedelta(hours=1))

        assert await office.engine.purge() == 2

        assert await office.engine.waiting() == ()
        async with working(office.engine, {"sync": work}):
            await office.engine.wake("sync", "new")
            await until(lambda: work.ended == ["new"])
            await settled()
        assert work.begun == ["new"]

    async def test_a_log_names_class_and_code_of_a_failure_and_never_its_message(
        self, office: Office, capsys: pytest.CaptureFixture[str]
    ) -> None:
        tries = list[str]()

        async def fail(key: str) -> None:
            tries.append(key)
            raise TransientError("secret-token-in-a-message", detail=Detail.UNREACHABLE)

        async with working(office.engine, {"sync": fail}):
            await office.engine.wake("sync", "tickets")
            await until(lambda: len(tries) == 1)
            await failed(office.engine, 1)

        told = str(capsys.readouterr())
        assert "transient.unreachable" in told
        assert "secret-token" not in told


async def failed(engine: JobEngine, attempts: int) -> Wake:
    """The one wake that waits, once it shows so many failures."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            for wake in await engine.waiting():
                if wake.attempts >= attempts:
                    return wake
            await asyncio.sleep(_TURN)
