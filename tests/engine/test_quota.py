"""Runs against a day that has too few calls: bulk work stops at the reserve and goes on the next day, edits go through."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator

import pytest

from syncline.connectors.limiter import SlidingWindow
from syncline.connectors.memory import MemoryAccount, MemoryConnector
from syncline.core.quota import Purpose, Quota, Usage, next_midnight
from syncline.core.records import Receipt, RecordKey, Scope, Side, Sighting, SyncId, Write
from syncline.engine.budget import budget_of
from syncline.engine.outlook import counted, foreseen, looks
from syncline.engine.runs import Options, preview
from syncline.errors import Detail, TransientError, UnknownOutcomeError
from syncline.ports import Ending, Page, purpose_now
from tests.clock import START, VirtualClock
from tests.engine.pair import Pair, edited, task

CHANGES = Options(is_full=False)


class Rationed(MemoryConnector):
    """A memory connector with a budget."""

    def __init__(self, account: MemoryAccount, clock: VirtualClock, daily: int) -> None:
        super().__init__(account, name="right")
        self.limiter = SlidingWindow(clock, limit=100, daily_limit=daily)

    @property
    def quota(self) -> Quota:
        return self.limiter.quota

    async def pages(self, scope: Scope, since: str | None = None) -> AsyncIterator[Page | Ending]:
        async with self.limiter.slot():
            pass
        async for part in super().pages(scope, since):
            yield part

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        async with self.limiter.slot():
            return await super().fetch(scope, key)

    async def write(self, scope: Scope, write: Write) -> Receipt:
        async with self.limiter.slot():
            return await super().write(scope, write)


class Listening(MemoryConnector):
    """A memory connector that notes what each of its calls is for."""

    def __init__(self, account: MemoryAccount) -> None:
        super().__init__(account, name="right")
        self.heard: list[tuple[str, Purpose]] = []
        self.is_cut = False

    async def pages(self, scope: Scope, since: str | None = None) -> AsyncIterator[Page | Ending]:
        self.heard.append(("pages", purpose_now()))
        async for part in super().pages(scope, since):
            yield part

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        self.heard.append(("fetch", purpose_now()))
        return await super().fetch(scope, key)

    async def write(self, scope: Scope, write: Write) -> Receipt:
        self.heard.append(("write", purpose_now()))
        if self.is_cut:
            raise UnknownOutcomeError("no answer")
        return await super().write(scope, write)


def _pair(daily: int) -> Pair:
    """The right side has so many calls a day, a tenth of them kept."""
    pair = Pair()
    pair.connectors[Side.RIGHT] = Rationed(pair.right, pair.clock, daily)
    return pair


def _tomorrow(pair: Pair) -> None:
    pair.clock.advance((next_midnight(pair.clock.now()) - pair.clock.now()).total_seconds())


async def test_bulk_work_stops_at_the_reserve_keeps_what_it_did_and_goes_on_the_next_day() -> None:
    pair = _pair(20)
    for number in range(30):
        pair.left.create(task(f"Task {number}"))

    report = await pair.run()

    # One listing and 17 creates; two calls are kept.
    assert report.right.created == 17
    (postponed,) = report.postponed
    assert (postponed.side, postponed.writes, postponed.until) == (Side.RIGHT, 13, next_midnight(START))
    assert "2 are kept for live work; it goes on at 2026-03-03 00:00 UTC" in postponed.why
    assert report.failures == ()
    assert pair.store.parked(SyncId("tickets")) == []
    assert pair.store.intents(SyncId("tickets")) == []

    _tomorrow(pair)
    second = await pair.run()
    assert (second.right.created, second.postponed) == (13, ())
    assert len(pair.holds(Side.RIGHT)) == 30
    assert (await pair.run()).is_quiet


async def test_an_edit_still_goes_through_once_bulk_has_used_up_its_day() -> None:
    pair = _pair(30)
    for number in range(20):
        pair.left.create(task(f"Task {number}"))
    await pair.settled()
    pair.connectors[Side.RIGHT] = starved = Rationed(pair.right, pair.clock, 100)
    starved.limiter.observe(daily_limit=100, daily_left=10)
    pair.left.edit(pair.key(Side.LEFT, "Task 3"), edited(note="now"))

    with pytest.raises(TransientError) as caught:
        await pair.run()
    live = await pair.run(CHANGES)

    assert caught.value.detail is Detail.DAILY_QUOTA
    assert caught.value.after is not None
    assert (live.right.updated, live.postponed) == (1, ())


async def test_a_live_run_cut_short_is_found_again_by_the_next_live_run() -> None:
    pair = _pair(1000)
    for number in range(6):
        pair.left.create(task(f"Task {number}"))
    await pair.settled()
    pair.connectors[Side.RIGHT] = Rationed(pair.right, pair.clock, 4)
    for number in range(6):
        pair.left.edit(pair.key(Side.LEFT, f"Task {number}"), edited(note="now"))

    first = await pair.run(CHANGES)
    assert 0 < first.right.updated < 6
    assert [each.writes for each in first.postponed] == [6 - first.right.updated]
    total = first.right.updated
    for _ in range(3):
        _tomorrow(pair)
        total += (await pair.run(CHANGES)).right.updated

    assert total == 6
    assert {str(fields["remark"]) for fields in pair.holds(Side.RIGHT).values()} == {"Text(text='now')"}


async def test_a_plan_says_when_a_run_would_be_done() -> None:
    pair = _pair(20)
    for number in range(30):
        pair.left.create(task(f"Task {number}"))
    sync, world = pair.sync(), pair.world()
    before = counted(sync)

    made = foreseen(sync, await preview(world, sync), before, START, Purpose.BULK)

    assert made.forecast is not None
    right = made.forecast.right
    assert (right.reads, right.writes) == (1, 30)
    assert right.forecast.sentence == "needs 31 calls, 17 left today: finishes tomorrow 00:00 UTC"
    assert made.forecast.left.forecast.sentence == "1 call; under 1 s"
    assert made.forecast.finished_at == next_midnight(START)


async def test_a_run_tells_what_looking_took_and_what_its_plan_was_expected_to_take() -> None:
    pair = _pair(1000)
    pair.left.create(task("Task"))

    report = await pair.run()

    assert (report.read_left, report.read_right) == (1, 1)
    assert report.forecast is not None
    assert (report.forecast.right.reads, report.forecast.right.writes) == (0, 1)
    assert (report.calls_left, report.calls_right) == (1, 2)


async def test_the_stated_calls_are_never_fewer_than_a_run_makes() -> None:
    pair = _pair(1000)
    for number in range(8):
        pair.left.create(task(f"Task {number}"))
    await pair.settled()
    for number in range(4):
        pair.left.edit(pair.key(Side.LEFT, f"Task {number}"), edited(note="now"))
    sync = pair.sync()
    plan = await preview(pair.world(), sync)

    report = await pair.run()

    assert looks(plan)[Side.RIGHT] == 4
    assert report.forecast is not None
    for side, calls, reads in (
        (Side.LEFT, report.calls_left, report.read_left),
        (Side.RIGHT, report.calls_right, report.read_right),
    ):
        assert calls - reads <= report.forecast.of(side).writes


async def test_the_budget_is_told_from_memory_with_what_waits() -> None:
    pair = _pair(20)
    for number in range(30):
        pair.left.create(task(f"Task {number}"))
    await pair.run()
    pair.store.use("right", START, Purpose.BULK, 18)
    pair.store.use("right", START - dt.timedelta(days=1), Purpose.LIVE, 5)
    quota = pair.connectors[Side.RIGHT].quota

    told = budget_of(pair.store, "right", quota, [(SyncId("tickets"), Side.RIGHT)], pair.clock.now())

    assert (told.daily_limit, told.daily_left, told.daily_kept, told.left_for_bulk) == (20, 2, 2, 0)
    assert (told.used_today, told.hours) == ({"bulk": 18}, (Usage(START, Purpose.BULK, 18),))
    (pending,) = told.pending
    assert (pending.reads, pending.writes) == (1, 13)
    assert pending.forecast.sentence == "needs 27 calls, 0 left today: finishes 2026-03-04 00:00 UTC"


async def test_full_runs_are_bulk_runs_over_changes_live_and_looks_after_lost_answers_recovery() -> None:
    pair = Pair()
    pair.connectors[Side.RIGHT] = listening = Listening(pair.right)
    pair.left.create(task("Task"))
    await pair.run()
    assert listening.heard == [("pages", Purpose.BULK), ("write", Purpose.BULK)]

    pair.left.edit(pair.key(Side.LEFT, "Task"), edited(note="now"))
    listening.heard, listening.is_cut = [], True
    await pair.run(CHANGES)
    assert listening.heard == [("pages", Purpose.LIVE), ("write", Purpose.LIVE)]

    listening.heard, listening.is_cut = [], False
    await pair.run(CHANGES)
    assert listening.heard == [("pages", Purpose.LIVE), ("fetch", Purpose.RECOVERY), ("write", Purpose.LIVE)]
    assert purpose_now() is Purpose.INTERACTIVE


async def test_a_lost_create_is_looked_for_with_the_urgent_calls() -> None:
    pair = Pair()
    pair.connectors[Side.RIGHT] = listening = Listening(pair.right)
    pair.left.create(task("Old"))
    await pair.run()
    pair.left.create(task("New"))
    listening.is_cut = True
    await pair.run(CHANGES)
    listening.heard, listening.is_cut = [], False

    await pair.run(CHANGES)

    assert ("pages", Purpose.RECOVERY) in listening.heard
    assert not any(purpose.is_bulk for _, purpose in listening.heard)


async def test_a_preview_of_everything_is_bulk_and_one_of_changes_is_interactive() -> None:
    pair = Pair()
    pair.connectors[Side.RIGHT] = listening = Listening(pair.right)
    pair.left.create(task("Task"))
    await pair.run()
    listening.heard = []

    await preview(pair.world(), pair.sync())
    await preview(pair.world(), pair.sync(), CHANGES)

    assert listening.heard == [("pages", Purpose.BULK), ("pages", Purpose.INTERACTIVE)]
