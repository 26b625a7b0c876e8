"""What is due or was heard of into runs: which sync, which records, now or later.

The handlers of the job engine. A wake says only "look at sync S"; what there is to do is read from our tables, so a lost
wake costs one tick and a doubled one nothing. What was heard goes before what is due, a poll before a full run, unless that
has waited for long; while a side's vendor cannot be reached, or a person must act, the sync rests and is tried again by
itself.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import msgspec
import structlog

from syncline.bootstrap import Installation
from syncline.core.plan import Effect
from syncline.core.records import Create, RecordKey, Side, SyncId
from syncline.core.timetable import DueKind, Timetable, next_nightly, next_poll, next_try
from syncline.engine.brakes import releases
from syncline.engine.parents import has_arrived, table_of
from syncline.engine.report import Report
from syncline.engine.runs import Options, run
from syncline.engine.sync import Sync, Watch, unwatched
from syncline.errors import AuthError, BusyError, ConnectorError, SynclineError, TransientError
from syncline.ports import Due, JobEngine, Mark
from syncline.service.pauses import pauses

SYNC = "sync"
"""The kind of wake that means: look at this sync."""

RECHECK = "recheck"
"""Why a full run is due in which every record is decided again, also where nothing seems changed."""

MOST_CHOSEN = 100
"""More marked records than this are looked at by a listing of changes: that is fewer calls."""

_MOST_ANSWERED = 2_000
"""So many marks are answered by one listing of changes."""

_BUSY = dt.timedelta(seconds=2)
_OVERDUE = dt.timedelta(minutes=5)
"""What has been due for so long goes before what is heard: on a busy account, something always is."""
_TURN = dt.timedelta(seconds=5)
"""How long a long run writes at least before it makes way for what was heard meanwhile."""
_OFTEN = dt.timedelta(milliseconds=250)
_PATIENT = dt.timedelta(seconds=2)
"""How long the rest of such a run waits while more is heard: the two take turns."""
_SOON, _LATE = dt.timedelta(seconds=5), dt.timedelta(minutes=15)
"""Between tries of what a run left open; each one comes after twice the time of the one before."""
_BOUNDS = tuple(dt.timedelta(seconds=each) for each in (
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 86_400,
))  # fmt: skip

_ARRIVED = "what a record points to was linked"

_log = structlog.get_logger(__name__)


class Cause(Enum):
    """Why a sync is looked at."""

    HEARD = "heard"
    POLL = "poll"
    RECONCILE = "reconcile"
    RETRY = "retry"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Task:
    """One run to make: why, how, since when, and the marks that it answers. `is_fresh`: the vendors are asked for their
    schemas first."""

    cause: Cause
    options: Options
    begun: dt.datetime
    marks: Sequence[Mark] = ()
    is_fresh: bool = False


class Happened(msgspec.Struct, frozen=True):
    """What became of one look at a sync, for whoever watches: a report, or an error's code."""

    sync: SyncId
    cause: Cause
    at: dt.datetime
    report: Report | None = None
    error: SynclineError | None = None
    lags: tuple[dt.timedelta, ...] = ()


Tell = Callable[[Happened], None]


def _nobody(happened: Happened) -> None:
    del happened


class Dispatcher:
    """Looks at syncs. `installation` answers the one in force, `table` the timetable of a sync; `tell` hears what
    happened, `watch` the progress of runs."""

    def __init__(
        self,
        installation: Callable[[], Installation],
        jobs: JobEngine,
        table: Callable[[str], Timetable],
        tell: Tell = _nobody,
        watch: Callable[[SyncId], Watch] = lambda _: unwatched,
    ) -> None:
        self._installation = installation
        self._jobs = jobs
        self._table = table
        self._tell = tell
        self._watch = watch

    async def tick(self) -> None:
        """Wake every sync that has something due or heard; also after a downtime, and when a wake was lost."""
        installation = self._installation()
        now, store = installation.clock.now(), installation.store
        self._mark_arrived()
        marked = {sync for sync, count in store.mark_counts().items() if count.due <= now}
        due = {each.sync for each in store.dues() if each.at <= now}
        for name in installation.config.syncs:
            sync = SyncId(name)
            if not store.dues(sync):
                self._plan_ahead(sync, found=True)
            if sync in marked or sync in due:
                await self._jobs.wake(SYNC, name)

    async def look(self, name: str) -> None:
        """Do what there is to do for one sync now: one run at most. A sync that is not there, or is paused, rests."""
        installation = self._installation()
        if self._rests(installation, name):
            return
        task = self._task(SyncId(name))
        if task is None or await self._carry_out(SyncId(name), task):
            await self._wake_again(SyncId(name))
        else:
            # Another run holds it, here or in another worker: it may not have seen what we were woken for.
            await self._jobs.wake(SYNC, name, installation.clock.now() + _BUSY)

    def _rests(self, installation: Installation, name: str) -> bool:
        settings = installation.config.syncs.get(name)
        if settings is None:
            return True
        connections = [settings.side(side).connection for side in Side]
        return bool(pauses(installation.store).why(name, connections))

    # --- what there is to do

    def _task(self, sync: SyncId) -> Task | None:
        installation = self._installation()
        now = installation.clock.now()
        dues = installation.store.dues(sync)
        due = {each.kind: each for each in dues if each.at <= now}
        if DueKind.RETRY not in due and _is_resting(dues, now):
            return None
        is_rest = DueKind.REST in due
        tasks = {
            # A listing of changes goes on with what was put off, in whatever name it is made.
            DueKind.POLL: Task(Cause.POLL, Options(is_full=False, is_rest=is_rest), now),
            DueKind.RECONCILE: Task(Cause.RECONCILE, _everything(due), now, is_fresh=True),
            DueKind.REST: Task(Cause.REST, Options(is_full=False, is_rest=True), now),
        }
        waited = {kind: now - each.at for kind, each in due.items()}
        for kind, task in tasks.items():
            if kind in due and waited[kind] >= (_PATIENT if kind is DueKind.REST else _OVERDUE):
                return task
        marks = installation.store.marks(sync, now, limit=_MOST_ANSWERED)
        if marks:
            return Task(Cause.HEARD, _options(marks), now, marks)
        first = next((kind for kind in tasks if kind in due), None)
        if first is not None:
            return tasks[first]
        if DueKind.RETRY in due:
            # After a failure, what is remembered of the vendors may be what was wrong.
            return Task(Cause.RETRY, Options(is_full=False), now, is_fresh=due[DueKind.RETRY].misses > 0)
        return None

    async def _carry_out(self, sync: SyncId, task: Task) -> bool:
        """Run; False when another run holds the sync."""
        installation = self._installation()
        try:
            with installation.store.reading_once(sync):
                setup = await (installation.sync(sync) if task.is_fresh else installation.remembered(sync))
                makes_way = self._turn(sync, task.begun)
            world = replace(installation.world(self._watch(sync)), makes_way=makes_way)
            report = await run(world, setup, installation.jitter, task.options)
        except BusyError:
            return False
        except SynclineError as error:
            self._failed(sync, task, error)
        else:
            self._done(setup, task, report)
            # Other syncs' records wait for what was tied; this one's, for what others tied while it ran.
            has_tied = any(step.effect is Effect.TIE for step in report.plan.steps)
            for waiting in self._mark_arrived() if has_tied or table_of(setup) is not None else ():
                await self._jobs.wake(SYNC, waiting)
        return True

    def _mark_arrived(self) -> Sequence[SyncId]:
        """Mark the syncs of which a record waits for one that has been tied meanwhile, by any of them: a listing of changes
        takes up all that waits."""
        installation = self._installation()
        now, store = installation.clock.now(), installation.store
        arrived = [sync for name in installation.config.syncs if has_arrived(store, sync := SyncId(name))]
        for sync in arrived:
            if all(mark.key for mark in store.marks(sync, now)):
                store.add_marks([Mark(sync, Side.LEFT, RecordKey(""), _ARRIVED, now, now)])
        return arrived

    def _turn(self, sync: SyncId, begun: dt.datetime) -> Callable[[], bool]:
        """Whether a run has had its turn, and something was heard meanwhile, or a person paused it. To look again costs as
        long as it took: the turn is longer than that. What a person let through once is carried out whole: the rest would
        pull the brake again."""
        installation = self._installation()
        store, clock = installation.store, installation.clock
        is_let_through = any(not each.is_for_good for each in releases(store, sync).values())
        until: dt.datetime | None = None
        asked = begun

        def makes_way() -> bool:
            nonlocal until, asked
            now = clock.now()
            until = until or now + max(_TURN, 2 * (now - begun))
            if now - asked < _OFTEN:
                return False
            asked = now
            is_wanted = now >= until and not is_let_through and bool(store.marks(sync, now, limit=1))
            return is_wanted or self._rests(installation, sync)

        return makes_way

    def _done(self, setup: Sync, task: Task, report: Report) -> None:
        installation, sync = self._installation(), setup.id
        store, now = installation.store, installation.clock.now()
        lags = tuple(_lags(task.marks, report, now))
        with store.transaction(may_be_lost=True):
            # A brake stopped the plan, and nothing was written: what was heard is known all the same.
            store.remove_marks(task.marks)
            store.add_lag(sync, _hour(now), _counted(lags))
            self._try_again(setup, task, report)
            self._put_off(setup, task, report)
            self._plan_ahead(sync, found=bool(report.writes), task=task)
        self._tell(Happened(sync, task.cause, now, report, lags=lags))

    def _try_again(self, setup: Sync, task: Task, report: Report) -> None:
        """Note when something that a run left open is tried again: ever later, as long as tries do not help."""
        installation = self._installation()
        store, now = installation.store, installation.clock.now()
        before = next((each for each in store.dues(setup.id) if each.kind is DueKind.RETRY), None)
        store.drop_due(setup.id, DueKind.RETRY)
        until = _open_until(installation, setup, report)
        if until is None:
            return
        is_again = task.cause is Cause.RETRY and before is not None
        wait = min(max(before.every * 2, _SOON), _LATE) if is_again and before is not None else _SOON
        store.save_due(Due(setup.id, DueKind.RETRY, max(until, now + wait), wait))

    def _put_off(self, setup: Sync, task: Task, report: Report) -> None:
        """Note that there is a rest, or that there is none any more: whatever lists goes on with all of it."""
        store, now = self._installation().store, self._installation().clock.now()
        if report.put_off:
            store.save_due(Due(setup.id, DueKind.REST, now))
        elif task.options.only is None:
            store.drop_due(setup.id, DueKind.REST)

    def _failed(self, sync: SyncId, task: Task, error: SynclineError) -> None:
        """The sync rests; how long hangs on how often it failed. What was heard stays marked."""
        installation = self._installation()
        store, now = installation.store, installation.clock.now()
        before = next((each for each in store.dues(sync) if each.kind is DueKind.RETRY), None)
        misses = (before.misses if before is not None else 0) + 1
        asked = error.after if isinstance(error, TransientError) else None
        # Whoever must act first is not helped by many tries; a new token is noticed when it is saved.
        patience = 12 if isinstance(error, AuthError) else misses
        at = next_try(now, patience, installation.jitter(), asked)
        store.save_due(Due(sync, DueKind.RETRY, at, misses=misses, why=error.full_code))
        connection = error.connection if isinstance(error, ConnectorError) else ""
        _log.warning(
            "sync failed",
            sync=sync,
            cause=task.cause.value,
            code=error.full_code,
            connection=connection,
            misses=misses,
            next_try=at.isoformat(),
        )
        self._tell(Happened(sync, task.cause, now, error=error))

    # --- what comes next

    def _plan_ahead(self, sync: SyncId, *, found: bool, task: Task | None = None) -> None:
        """Note when the sync is polled and reconciled next."""
        installation = self._installation()
        store, now, table = installation.store, installation.clock.now(), self._table(sync)
        dues = {each.kind: each for each in store.dues(sync)}
        poll, nightly = dues.get(DueKind.POLL), dues.get(DueKind.RECONCILE)
        listed = task if task is not None and task.options.only is None else None
        # Only a listing of changes, or of everything, says that there is nothing new.
        if poll is None or listed is not None:
            ahead = next_poll(table, now, poll.every if poll else None, installation.jitter(), found=found)
            self._keep(sync, DueKind.POLL, ahead)
        # One that a person asked for while this run was under way is still to be made.
        if nightly is None or (listed and listed.options.is_full and nightly.at <= listed.begun):
            at = next_nightly(table, now)
            self._keep(sync, DueKind.RECONCILE, None if at is None else (at, dt.timedelta()))

    def _keep(self, sync: SyncId, kind: DueKind, ahead: tuple[dt.datetime, dt.timedelta] | None) -> None:
        store = self._installation().store
        if ahead is None:
            store.drop_due(sync, kind)
        else:
            store.save_due(Due(sync, kind, *ahead))

    async def _wake_again(self, sync: SyncId) -> None:
        """At once while something is left to do, else when the next thing is due."""
        installation = self._installation()
        now, store = installation.clock.now(), installation.store
        dues = store.dues(sync)
        if _is_resting(dues, now):
            rest = [each.at for each in dues if each.kind is DueKind.RETRY]
            await self._jobs.schedule(SYNC, sync, min(rest))
            return
        marked = store.mark_counts().get(sync)
        times = [each.at for each in dues] + ([marked.due] if marked is not None else [])
        if times:
            await self._jobs.wake(SYNC, sync, max(min(times), now))


def _is_resting(dues: Sequence[Due], now: dt.datetime) -> bool:
    """Whether the last look failed and the next try is still to come."""
    return any(each.kind is DueKind.RETRY and each.misses and each.at > now for each in dues)


def _everything(due: Mapping[DueKind, Due]) -> Options:
    asked = due.get(DueKind.RECONCILE)
    return Options(is_recheck=asked is not None and asked.why == RECHECK)


def _options(marks: Sequence[Mark]) -> Options:
    """Few marked records are read directly; many, or a mark that names none, are found by a listing of changes."""
    if len(marks) > MOST_CHOSEN or any(not mark.key for mark in marks):
        return Options(is_full=False)
    return Options(is_full=False, only=frozenset((mark.side, mark.key) for mark in marks))


def _open_until(installation: Installation, setup: Sync, report: Report) -> dt.datetime | None:
    """When what a run left open can be tried again: parked records, writes that the day's quota postponed, writes without a
    known outcome (a create may be looked for once its side's listing has caught up)."""
    store, now = installation.store, installation.clock.now()
    times = [each.until for each in report.postponed]
    times += [each.due for each in store.parked(setup.id) if each.due is not None]
    if report.unknown:
        waits = [
            setup.patience.lag.get(intent.step.side, dt.timedelta())
            if isinstance(intent.step.write, Create)
            else dt.timedelta()
            for intent in store.intents(setup.id)
        ]
        times.append(now + min(waits, default=dt.timedelta()))
    return min(times, default=None)


def _lags(marks: Sequence[Mark], report: Report, now: dt.datetime) -> Iterator[dt.timedelta]:
    """How long each marked edit took until it was written on the other side, of those that were."""
    failed = {(failure.side, failure.key) for failure in report.failures}
    written: set[tuple[Side, RecordKey]] = {
        (step.side.other, step.counterpart)
        for step in report.plan.writes
        if step.counterpart is not None and (step.side, step.key) not in failed
    }
    for mark in marks:
        if (mark.side, mark.key) in written:
            yield max(now - mark.since, dt.timedelta())


def _counted(lags: Sequence[dt.timedelta]) -> Mapping[dt.timedelta, int]:
    bounds = [next((bound for bound in _BOUNDS if lag <= bound), _BOUNDS[-1]) for lag in lags]
    return Counter(bounds)


def _hour(now: dt.datetime) -> dt.datetime:
    return now.replace(minute=0, second=0, microsecond=0)
