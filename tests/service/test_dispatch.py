"""What is due, and what was heard of, becomes runs: on sandbox accounts over real HTTP."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path

import pytest

from syncline.core.brakes import BrakeName
from syncline.core.memory import Parked
from syncline.core.records import RecordKey, Side
from syncline.core.timetable import DueKind, Timetable
from syncline.engine import brakes
from syncline.engine.sync import Progress
from syncline.errors import AuthError, TransientError
from syncline.ports import Due
from syncline.service.dispatch import SYNC, Cause, Happened
from syncline.service.marking import bound_marks
from syncline.service.pauses import pause
from tests.cli.office import Office, left_is_activecollab, open_office
from tests.service.office import TICKETS, Desk, open_desk

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with open_office(tmp_path) as office:
        office.write(left_is_activecollab(office.project))
        office.in_activecollab("create_task", project=office.project, name="Paint")
        yield office


@pytest.fixture
async def desk(office: Office) -> AsyncGenerator[Desk, None]:
    async with open_desk(office) as desk:
        yield desk


async def first_look(desk: Desk) -> None:
    """The sync is polled for the first time."""
    await desk.dispatcher.tick()
    desk.clock.advance(120)
    happened = await desk.look()
    assert happened is not None
    assert happened.report is not None
    assert happened.report.writes == 1


def dues(desk: Desk) -> dict[DueKind, dt.timedelta]:
    """What is due, from now."""
    now = desk.clock.now()
    return {each.kind: each.at - now for each in desk.installation.store.dues(TICKETS)}


async def test_a_new_sync_is_polled_soon_and_reconciled_at_night(desk: Desk) -> None:
    await desk.dispatcher.tick()

    found = dues(desk)
    assert dt.timedelta() < found[DueKind.POLL] <= 2 * MINUTE
    assert found[DueKind.RECONCILE] == dt.timedelta(hours=17, minutes=30)
    assert await desk.look() is None

    desk.clock.advance(120)
    happened = await desk.look()

    assert happened is not None
    assert happened.cause is Cause.POLL
    assert set(desk.office.tickets()) == {"Paint"}
    assert [wake.key for wake in await desk.jobs.waiting()] == [TICKETS]


async def test_a_quiet_sync_is_polled_less_and_less(desk: Desk) -> None:
    await first_look(desk)
    intervals: list[dt.timedelta] = []
    for _ in range(4):
        desk.clock.advance(dues(desk)[DueKind.POLL].total_seconds())
        happened = await desk.look()
        assert happened is not None
        intervals.append(dues(desk)[DueKind.POLL])

    assert intervals == sorted(intervals)
    assert intervals[-1] > 3 * MINUTE


async def test_what_is_heard_is_written_at_once_and_its_lag_is_counted(desk: Desk) -> None:
    await first_look(desk)
    task = desk.office.tasks()["Paint"]["id"]
    desk.office.in_activecollab("update_task", task=task, due_on="2026-05-01")
    desk.mark(Side.LEFT, str(task), seconds_ago=3)

    happened = await desk.look()

    assert happened is not None
    assert happened.cause is Cause.HEARD
    assert happened.lags == (dt.timedelta(seconds=3),)
    assert desk.office.tickets()["Paint"]["properties"]["due_date"] == "2026-05-01"
    hour = desk.clock.now().replace(minute=0, second=0, microsecond=0)
    assert desk.installation.store.lags(TICKETS, hour) == {dt.timedelta(seconds=5): 1}
    assert desk.installation.store.mark_counts() == {}


async def test_a_record_that_is_heard_of_for_the_first_time_is_copied(desk: Desk) -> None:
    await first_look(desk)
    made = desk.office.in_activecollab("create_task", project=desk.office.project, name="Print")
    desk.mark(Side.LEFT, str(made["id"]))

    await desk.look()

    assert set(desk.office.tickets()) == {"Paint", "Print"}


async def test_what_is_heard_while_a_run_goes_on_is_looked_at_afterwards(desk: Desk) -> None:
    await first_look(desk)
    task = str(desk.office.tasks()["Paint"]["id"])
    desk.mark(Side.LEFT, task)

    def hear(happened: Happened) -> None:
        del happened
        desk.mark(Side.LEFT, task)

    desk.dispatcher = type(desk.dispatcher)(lambda: desk.installation, desk.jobs, lambda _: desk.table, hear)
    await desk.dispatcher.look(TICKETS)

    assert desk.installation.store.mark_counts()[TICKETS].count == 1
    now = desk.clock.now()
    assert [(wake.kind, wake.at <= now) for wake in await desk.jobs.waiting()] == [(SYNC, True)]


async def test_many_marks_are_found_by_one_listing_of_changes(desk: Desk) -> None:
    await first_look(desk)
    for number in range(150):
        desk.mark(Side.LEFT, str(1000 + number))

    happened = await desk.look()

    assert happened is not None
    assert happened.report is not None
    assert happened.report.chosen is None
    assert happened.report.calls_left + happened.report.calls_right < 15


async def test_the_night_looks_at_everything(desk: Desk) -> None:
    desk.table = Timetable(fastest=None, slowest=None)
    await desk.dispatcher.tick()
    desk.clock.advance(dues(desk)[DueKind.RECONCILE].total_seconds())

    happened = await desk.look()

    assert happened is not None
    assert happened.cause is Cause.RECONCILE
    assert happened.report is not None
    assert happened.report.is_full
    assert dues(desk) == {DueKind.RECONCILE: dt.timedelta(hours=24)}


async def test_after_a_downtime_what_was_missed_is_done_once(desk: Desk) -> None:
    await first_look(desk)
    desk.clock.advance(5 * 86_400)

    await desk.dispatcher.tick()
    causes = [happened.cause for _ in range(4) if (happened := await desk.look()) is not None]

    assert causes == [Cause.POLL, Cause.RECONCILE]


async def test_a_paused_sync_rests_and_forgets_nothing(desk: Desk) -> None:
    await first_look(desk)
    store, task = desk.installation.store, desk.office.tasks()["Paint"]["id"]
    for what in ({"sync": "tickets"}, {"connection": "hl"}, {}):
        pause(store, desk.clock, **what)
        desk.office.in_activecollab("update_task", task=task, due_on="2026-06-01")
        desk.mark(Side.LEFT, str(task))
        assert await desk.look() is None
        pause(store, desk.clock, **what, is_paused=False)

    assert await desk.look() is not None
    assert desk.office.tickets()["Paint"]["properties"]["due_date"] == "2026-06-01"


async def test_a_paused_sync_keeps_so_many_marks_at_most_and_lists_what_changed_when_it_goes_on(
    desk: Desk,
) -> None:
    await first_look(desk)
    store, clock = desk.installation.store, desk.clock
    pause(store, clock, sync=TICKETS)
    task = desk.office.tasks()["Paint"]["id"]
    desk.office.in_activecollab("update_task", task=task, due_on="2026-05-04")
    for number in range(8):
        desk.mark(Side.LEFT, str(1000 + number))

    assert bound_marks(store, clock.now(), 8) == {}
    assert bound_marks(store, clock.now(), 7) == {TICKETS: 8}
    assert [mark.key for mark in store.marks(TICKETS, clock.now())] == [""]
    assert await desk.look() is None
    pause(store, clock, sync=TICKETS, is_paused=False)
    happened = await desk.look()

    assert happened is not None
    assert happened.report is not None
    assert (happened.cause, happened.report.chosen) == (Cause.HEARD, None)
    assert desk.office.tickets()["Paint"]["properties"]["due_date"] == "2026-05-04"
    assert store.mark_counts() == {}


async def test_one_listing_of_changes_answers_all_that_was_heard_before_it(desk: Desk) -> None:
    await first_look(desk)
    for number in range(150):
        desk.mark(Side.LEFT, str(1000 + number))

    happened = await desk.look()

    assert happened is not None
    assert happened.cause is Cause.HEARD
    assert desk.installation.store.mark_counts() == {}


async def test_a_vendor_out_of_reach_lets_the_sync_rest_and_come_back_by_itself(desk: Desk) -> None:
    await first_look(desk)
    task = desk.office.tasks()["Paint"]["id"]
    desk.office.in_activecollab("update_task", task=task, due_on="2026-07-01")
    desk.mark(Side.LEFT, str(task))
    desk.office.break_activecollab()

    first = await desk.look()
    rests = dues(desk)[DueKind.RETRY]

    assert first is not None
    assert isinstance(first.error, TransientError)
    assert await desk.look() is None
    assert desk.installation.store.mark_counts()[TICKETS].count == 1
    assert [wake.at - desk.clock.now() for wake in await desk.jobs.waiting()] == [rests]

    desk.clock.advance(rests.total_seconds())
    await desk.look()
    assert dues(desk)[DueKind.RETRY] > rests

    desk.office.mend_activecollab()
    desk.clock.advance(dues(desk)[DueKind.RETRY].total_seconds())
    await desk.look()
    assert desk.office.tickets()["Paint"]["properties"]["due_date"] == "2026-07-01"
    assert DueKind.RETRY not in dues(desk)


async def test_a_refused_token_is_tried_again_only_now_and_then(desk: Desk) -> None:
    await first_look(desk)
    desk.office.in_activecollab("revoke_token", token=desk.office.activecollab["token"])
    desk.mark(Side.LEFT, str(desk.office.project))

    happened = await desk.look()

    assert happened is not None
    assert isinstance(happened.error, AuthError)
    assert dues(desk)[DueKind.RETRY] > 30 * MINUTE


async def test_a_sync_that_another_worker_holds_is_looked_at_soon_again(desk: Desk) -> None:
    await first_look(desk)
    store = desk.installation.store
    store.begin_run(TICKETS, desk.clock.now(), MINUTE)
    desk.mark(Side.LEFT, "1")

    assert await desk.look() is None

    now = desk.clock.now()
    assert [wake.at - now for wake in await desk.jobs.waiting()] == [dt.timedelta(seconds=2)]
    assert store.mark_counts()[TICKETS].count == 1


# --- taking turns


def on_writing(desk: Desk, act: Callable[[], None]) -> None:
    """Something happens whenever a run has written some more; that takes six seconds."""

    def watch(progress: Progress) -> None:
        if progress.stage == "writing":
            desk.clock.advance(6)
            act()

    desk.dispatcher = type(desk.dispatcher)(
        lambda: desk.installation, desk.jobs, lambda _: desk.table, desk.happened.append, lambda _: watch
    )


def many(desk: Desk, count: int) -> None:
    for number in range(count):
        desk.office.in_activecollab("create_task", project=desk.office.project, name=f"Task {number}")


async def test_a_long_run_makes_way_for_what_is_heard_and_goes_on_after_it(desk: Desk) -> None:
    await first_look(desk)
    many(desk, 40)
    task = desk.office.tasks()["Paint"]["id"]
    desk.office.in_activecollab("update_task", task=task, due_on="2026-05-01")
    on_writing(desk, lambda: desk.mark(Side.LEFT, str(task)))
    start_now(desk)

    full = await desk.look()
    assert full is not None
    assert full.report is not None
    assert full.cause is Cause.RECONCILE
    assert full.report.put_off > 0
    on_writing(desk, lambda: None)
    heard = await desk.look()
    assert heard is not None
    assert heard.cause is Cause.HEARD
    assert desk.office.tickets()["Paint"]["properties"]["due_date"] == "2026-05-01"

    while await desk.look() is not None:
        pass
    assert len(desk.office.tickets()) == 41
    assert DueKind.REST not in dues(desk)


async def test_what_a_person_let_through_once_is_carried_out_whole(desk: Desk) -> None:
    await first_look(desk)
    many(desk, 30)
    task = desk.office.tasks()["Paint"]["id"]
    brakes.release(desk.installation.world(), TICKETS, BrakeName.CHANGES, for_good=False)
    on_writing(desk, lambda: desk.mark(Side.LEFT, str(task)))
    start_now(desk)

    full = await desk.look()

    assert full is not None
    assert full.report is not None
    assert (full.report.put_off, len(desk.office.tickets())) == (0, 31)


async def test_a_run_ends_between_two_writes_when_a_person_pauses_its_sync(desk: Desk) -> None:
    await first_look(desk)
    many(desk, 40)
    store = desk.installation.store
    on_writing(desk, lambda: pause(store, desk.clock, sync="tickets"))
    start_now(desk)

    report = await desk.look()
    there = len(desk.office.tickets())

    assert report is not None
    assert 1 < there < 41
    assert await desk.look() is None
    pause(store, desk.clock, sync="tickets", is_paused=False)
    on_writing(desk, lambda: None)
    while await desk.look() is not None:
        pass
    assert len(desk.office.tickets()) == 41


async def test_on_a_busy_account_the_night_still_comes(desk: Desk) -> None:
    await first_look(desk)
    task = str(desk.office.tasks()["Paint"]["id"])
    start_now(desk)
    desk.clock.advance(400)
    causes: list[Cause] = []
    for _ in range(4):
        desk.mark(Side.LEFT, task)
        happened = await desk.look()
        assert happened is not None
        causes.append(happened.cause)

    assert causes == [Cause.POLL, Cause.RECONCILE, Cause.HEARD, Cause.HEARD]


async def test_a_full_run_that_is_asked_for_during_another_one_is_still_made(desk: Desk) -> None:
    await first_look(desk)
    many(desk, 3)
    on_writing(desk, lambda: start_now(desk))
    start_now(desk)

    await desk.look()
    on_writing(desk, lambda: None)
    causes = [happened.cause for _ in range(4) if (happened := await desk.look()) is not None]

    assert causes.count(Cause.RECONCILE) == 1


async def test_what_stays_refused_is_tried_less_and_less(desk: Desk) -> None:
    await first_look(desk)
    store, now = desk.installation.store, desk.clock.now()
    # Its listing shows it no more: no run has a reason to take it up.
    parked = Parked(Side.LEFT, RecordKey("77"), "Ghost", "transient", "no", None, 1, now, now)
    store.park(TICKETS, parked)
    desk.table = Timetable(fastest=None, slowest=None, nightly=None)
    store.save_due(Due(TICKETS, DueKind.RETRY, now))
    waits: list[dt.timedelta] = []
    for _ in range(5):
        assert await desk.look() is not None
        waits.append(dues(desk)[DueKind.RETRY])
        assert await desk.look() is None
        desk.clock.advance(waits[-1].total_seconds())

    assert waits == sorted(waits)
    assert waits[0] >= dt.timedelta(seconds=5)
    assert waits[-1] >= 4 * waits[0]


def start_now(desk: Desk) -> None:
    """A person asks for a full run."""
    desk.installation.store.save_due(Due(TICKETS, DueKind.RECONCILE, desk.clock.now()))
