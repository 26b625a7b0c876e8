"""One run of a sync, from the lease to the report.

Called by the CLI, the demo and (later) the scheduler: pull both sides, look after interrupted writes, decide, remember,
apply. A dry run stops after the plan and changes nothing, not even our own memory.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from syncline.core.brakes import BrakeName
from syncline.core.memory import Run, RunState
from syncline.core.plan import Plan
from syncline.core.quota import Purpose
from syncline.core.records import Archive, Create, Delete, RecordKey, Restore, RunId, Side, Update
from syncline.engine import evidence
from syncline.engine.apply import Outcome, apply
from syncline.engine.brakes import releases, use_up
from syncline.engine.drift import confine, resumes
from syncline.engine.footing import keep
from syncline.engine.hold import Hold
from syncline.engine.outlook import Outlook, counted, outlook, spent_since
from syncline.engine.parents import is_any_remade, keep_remade, looking_up
from syncline.engine.pick import pick
from syncline.engine.pull import Sweep, prove_absences, pull
from syncline.engine.reconcile import Reconciled, reconcile
from syncline.engine.recover import Recovery, needs_full_listing, recover
from syncline.engine.remember import remember
from syncline.engine.report import Postponed, Report, Written, summary
from syncline.engine.schemas import keep_schemas
from syncline.engine.spool import Spools, spools
from syncline.engine.sync import Progress, Sync, World, never
from syncline.errors import SynclineError
from syncline.ports import asking_before_writes, calling_for


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. `is_full` lists everything; else only what may have changed since the last run is looked at. With
    `only` nothing is listed: these records and the ones they are linked with are read directly. `is_rest`: it goes on
    with what a run of everything put off."""

    is_full: bool = True
    is_recheck: bool = False
    release: frozenset[BrakeName] = frozenset()
    only: frozenset[tuple[Side, RecordKey]] | None = None
    is_rest: bool = False

    @property
    def purpose(self) -> Purpose:
        """What the run's calls count as: looking at everything can wait for what somebody has just edited."""
        return Purpose.BULK if (self.is_full or self.is_rest) and self.only is None else Purpose.LIVE


@dataclass(slots=True)
class _Looked:
    """What a run saw and decided, how many calls that took, and what carrying it out is expected to take."""

    sweeps: dict[Side, Sweep]
    recovery: Recovery
    made: Reconciled
    reads: dict[Side, int]
    forecast: Outlook


@dataclass(slots=True)
class _Started:
    """Where the counters stood when the run began."""

    at: dt.datetime
    calls: dict[Side, int]


async def run(
    world: World, sync: Sync, jitter: Callable[[], float], options: Options | None = None
) -> Report:
    """Run a sync once. Raises `BusyError` while another run holds it, `TransientError` or `AuthError` when a side
    cannot be read; in every case what was done before stays done and is remembered."""
    options = options or Options()
    started = _start(world, sync)
    lease = sync.patience.lease
    with world.store.transaction(may_be_lost=True):
        begun = world.store.begin_run(sync.id, world.clock.now(), lease)
    makes_way = world.makes_way if options.only is None else never
    hold = Hold(world, begun.id, lease, begun.started_at)
    world = replace(world, watch=hold.watch, makes_way=makes_way)
    try:
        with (
            calling_for(options.purpose),
            asking_before_writes(hold.ask),
            spools() as aside,
            world.store.reading_once(sync.id),
        ):
            options = _with_releases(world, sync, options)
            sync = looking_up(world.store, confine(world, sync, options.release))
            keep_schemas(world.store, sync)
            seen = await _look(world, sync, begun, options, aside)
            with world.store.transaction(may_be_lost=True):
                hold.confirm()
                evidence.keep(world, sync, begun.id, seen.sweeps, seen.made)
                remember(world, sync, begun, seen.sweeps, seen.made)
            outcome = await apply(world, sync, begun.id, seen.made, seen.sweeps, jitter, options.only)
    except SynclineError as error:
        world.store.end_run(begun.id, RunState.FAILED, f'{{"error": "{error.code}"}}', world.clock.now())
        raise
    except asyncio.CancelledError:
        # Stopped by a person: what was sent is an open intent, and the lease is given back at once.
        world.store.end_run(begun.id, RunState.INTERRUPTED, "", world.clock.now())
        raise
    report = _report(world, sync, begun.id, started, seen, outcome)
    # Read anew: a person may have let go of a brake meanwhile.
    with world.store.transaction(may_be_lost=True), world.store.reading_once(sync.id):
        hold.confirm()
        _keep(world, sync, seen, report, is_targeted=options.only is not None)
        evidence.prune(world, sync)
        told = msgspec.json.encode(summary(report)).decode()
        world.store.end_run(begun.id, RunState.DONE, told, world.clock.now())
    if outcome.stopped is not None:
        raise outcome.stopped
    return report


def _keep(world: World, sync: Sync, seen: _Looked, report: Report, *, is_targeted: bool) -> None:
    """What the sync stands on from now, unless a brake stopped the run."""
    plan = seen.made.plan
    if plan.brakes:
        return
    made = {Side.LEFT: report.left.surplus, Side.RIGHT: report.right.surplus}
    use_up(world, sync.id, plan.released)
    keep(world, sync, seen.sweeps, made, plan.released, is_targeted=is_targeted)
    if not is_targeted:
        keep_remade(world.store, sync)


async def preview(world: World, sync: Sync, options: Options | None = None) -> Plan:
    """The plan that a run would carry out now. Writes nothing anywhere."""
    options = _with_releases(world, sync, options or Options())
    sync = confine(world, sync, options.release)
    purpose = options.purpose if options.purpose.is_bulk else Purpose.INTERACTIVE
    with calling_for(purpose), spools() as aside:
        return await decide(world, sync, options, await survey(world, sync, options, aside))


async def decide(world: World, sync: Sync, options: Options, sweeps: dict[Side, Sweep]) -> Plan:
    """The plan of these sweeps, for a sync that is confined already."""
    sync = looking_up(world.store, sync)
    frozen = Recovery().frozen
    for intent in world.store.intents(sync.id):
        step = intent.step
        for side, key in ((step.side, step.key), (step.side.other, step.counterpart)):
            if key is not None:
                frozen[side][key] = "the last write got no answer"
    return (await reconcile(world, sync, sweeps, frozen, options.release)).plan


def _with_releases(world: World, sync: Sync, options: Options) -> Options:
    """The options with every brake that a person let go of beforehand."""
    return replace(options, release=options.release | frozenset(releases(world.store, sync.id)))


def _start(world: World, sync: Sync) -> _Started:
    return _Started(world.clock.now(), counted(sync))


async def _look(world: World, sync: Sync, begun: Run, options: Options, aside: Spools) -> _Looked:
    is_full = options.is_full or needs_full_listing(world, sync)
    before = counted(sync)
    # A full listing that only an interrupted write asks for must not wait for tomorrow's calls.
    with calling_for(Purpose.RECOVERY if is_full and not options.is_full else options.purpose):
        sweeps = await survey(world, sync, replace(options, is_full=is_full), aside)
    with calling_for(Purpose.RECOVERY):
        recovery = await recover(world, sync, begun.id, sweeps)
    made = await reconcile(world, sync, sweeps, recovery.frozen, options.release, recovery.lacking)
    ahead = outlook(sync, made.plan, dict.fromkeys(Side, 0), world.clock.now(), options.purpose)
    return _Looked(sweeps, recovery, made, spent_since(sync, before), ahead)


async def survey(world: World, sync: Sync, options: Options, aside: Spools) -> dict[Side, Sweep]:
    """Both sides, one after the other: the second is as fresh as it can be when it is written to. `aside` must be open as
    long as the sweeps are used: a recheck lays records aside there."""
    if options.only is not None:
        return await pick(world, sync, options.only)
    is_moved = world.store.recall(sync.id, "filter") not in (None, sync.filter_digest)
    is_recheck = (
        options.is_recheck
        or world.store.recall(sync.id, "mapping") not in (None, sync.mapping_digest)
        or resumes(world.store, sync)
        or is_any_remade(world.store, sync)
        # What an expression's filter left out, or let in, was judged by the old one.
        or is_moved
    )
    sweeps: dict[Side, Sweep] = {}
    for side in Side:
        is_full = options.is_full or is_recheck or is_moved
        since = None if is_full else world.store.recall(sync.id, f"cursor:{side.value}")
        sweeps[side] = await pull(world, sync, side, since, aside=aside[side] if is_recheck else None)
    # Absence is only proven by complete listings, which take their time anyway: they do not believe what is kept.
    is_whole = any(sweep.ending.is_complete for sweep in sweeps.values())
    counts = world.store.recount(sync.id) if is_whole else world.store.counts(sync.id)
    for side, sweep in sweeps.items():
        world.watch(Progress(f"checking {side.value}", 0))
        is_meant = BrakeName.EMPTY_SIDE in options.release
        await prove_absences(world, sync, side, sweep, counts, is_emptied=is_meant)
    return sweeps


def _report(
    world: World, sync: Sync, run_id: RunId, started: _Started, seen: _Looked, outcome: Outcome
) -> Report:
    calls = spent_since(sync, started.calls)
    return Report(
        sync.id,
        run_id,
        seen.made.plan,
        _written(outcome, Side.LEFT),
        _written(outcome, Side.RIGHT),
        tuple(outcome.failures),
        seen.sweeps[Side.LEFT].listed,
        seen.sweeps[Side.RIGHT].listed,
        world.store.counts(sync.id),
        calls[Side.LEFT],
        calls[Side.RIGHT],
        seen.recovery.settled,
        len(world.store.intents(sync.id)),
        not any(sweep.is_delta for sweep in seen.sweeps.values()),
        (world.clock.now() - started.at).total_seconds(),
        seen.reads[Side.LEFT],
        seen.reads[Side.RIGHT],
        tuple(Postponed(side, each.writes, each.until, each.why) for side, each in outcome.spent.items()),
        seen.forecast,
        put_off=outcome.put_off,
    )


def _written(outcome: Outcome, side: Side) -> Written:
    def count(kind: type) -> int:
        return sum(step.side is side and isinstance(step.write, kind) for step in outcome.done)

    return Written(count(Create), count(Update), count(Delete), count(Archive), count(Restore))
