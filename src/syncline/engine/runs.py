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
from syncline.core.memory import Counts, Run, RunState
from syncline.core.plan import Plan
from syncline.core.records import Archive, Create, Delete, Restore, RunId, Side, SyncId, Update
from syncline.engine.apply import Failure, Outcome, apply
from syncline.engine.drift import keep_shapes
from syncline.engine.pull import Sweep, prove_absences, pull
from syncline.engine.reconcile import Reconciled, reconcile
from syncline.engine.recover import Recovery, needs_full_listing, recover
from syncline.engine.remember import remember
from syncline.engine.sync import Progress, Sync, Watch, World
from syncline.errors import SynclineError


class Written(msgspec.Struct, frozen=True):
    """Writes that went through, on one side."""

    created: int = 0
    updated: int = 0
    deleted: int = 0
    archived: int = 0
    restored: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.created + self.updated + self.deleted + self.archived + self.restored


class Report(msgspec.Struct, frozen=True):
    """What a run did, for people and for `--json`."""

    sync: SyncId
    run: RunId
    plan: Plan
    left: Written
    right: Written
    failures: tuple[Failure, ...]
    listed_left: int
    listed_right: int
    counts: Counts
    calls_left: int
    calls_right: int
    recovered: int
    unknown: int
    is_full: bool
    seconds: float

    @property
    def is_quiet(self) -> bool:
        """Whether the run found nothing to write."""
        return not self.plan.writes and not self.plan.stopped and not self.failures

    @property
    def writes(self) -> int:
        """Writes that went through."""
        return self.left.total + self.right.total


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. `is_full` lists everything; else only what may have changed since the last run is looked at."""

    is_full: bool = True
    is_recheck: bool = False
    release: frozenset[BrakeName] = frozenset()


@dataclass(slots=True)
class _Looked:
    """What a run saw and decided."""

    sweeps: dict[Side, Sweep]
    recovery: Recovery
    made: Reconciled


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
    begun = world.store.begin_run(sync.id, world.clock.now(), lease)
    world = replace(world, watch=_beating(world, begun, lease))
    try:
        seen = await _look(world, sync, begun, options)
        remember(world, sync, begun, seen.sweeps, seen.made)
        outcome = await apply(world, sync, begun.id, seen.made, seen.sweeps, jitter)
    except SynclineError as error:
        world.store.end_run(begun.id, RunState.FAILED, f'{{"error": "{error.code}"}}', world.clock.now())
        raise
    except asyncio.CancelledError:
        # Stopped by a person: what was sent is an open intent, and the lease is given back at once.
        world.store.end_run(begun.id, RunState.INTERRUPTED, "", world.clock.now())
        raise
    if not seen.made.plan.brakes:
        world.store.remember(sync.id, "mapping", sync.mapping_digest)
        world.store.remember(sync.id, "filter", sync.filter_digest)
        keep_shapes(world, sync)
    report = _report(world, sync, begun.id, started, seen, outcome)
    world.store.end_run(begun.id, RunState.DONE, msgspec.json.encode(report).decode(), world.clock.now())
    if outcome.stopped is not None:
        raise outcome.stopped
    return report


def _beating(world: World, begun: Run, lease: dt.timedelta) -> Watch:
    """Every sign of progress keeps the lease alive; a run that makes none for so long has lost it."""
    held_until = begun.started_at + lease

    def watch(progress: Progress) -> None:
        nonlocal held_until
        now = world.clock.now()
        if held_until - now < lease / 2:
            world.store.renew(begun.id, now, lease)
            held_until = now + lease
        world.watch(progress)

    return watch


async def preview(world: World, sync: Sync, options: Options | None = None) -> Plan:
    """The plan that a run would carry out now. Writes nothing anywhere."""
    options = options or Options()
    sweeps = await _pull(world, sync, options)
    frozen = Recovery().frozen
    for intent in world.store.intents(sync.id):
        step = intent.step
        for side, key in ((step.side, step.key), (step.side.other, step.counterpart)):
            if key is not None:
                frozen[side][key] = "the last write got no answer"
    return (await reconcile(world, sync, sweeps, frozen, options.release)).plan


def _start(world: World, sync: Sync) -> _Started:
    return _Started(world.clock.now(), {side: sync.side(side).connector.calls for side in Side})


async def _look(world: World, sync: Sync, begun: Run, options: Options) -> _Looked:
    is_full = options.is_full or needs_full_listing(world, sync)
    sweeps = await _pull(world, sync, Options(is_full, options.is_recheck, options.release))
    recovery = await recover(world, sync, begun.id, sweeps)
    made = await reconcile(world, sync, sweeps, recovery.frozen, options.release)
    return _Looked(sweeps, recovery, made)


async def _pull(world: World, sync: Sync, options: Options) -> dict[Side, Sweep]:
    """Both sides, one after the other: the second is as fresh as it can be when it is written to."""
    is_recheck = options.is_recheck or world.store.recall(sync.id, "mapping") not in (
        None,
        sync.mapping_digest,
    )
    sweeps: dict[Side, Sweep] = {}
    for side in Side:
        since = None if options.is_full or is_recheck else world.store.recall(sync.id, f"cursor:{side.value}")
        sweeps[side] = await pull(world, sync, side, since, is_recheck=is_recheck)
    counts = world.store.counts(sync.id)
    for side, sweep in sweeps.items():
        world.watch(Progress(f"checking {side.value}", 0))
        await prove_absences(world, sync, side, sweep, counts)
    return sweeps


def _report(
    world: World, sync: Sync, run_id: RunId, started: _Started, seen: _Looked, outcome: Outcome
) -> Report:
    calls = {side: sync.side(side).connector.calls - started.calls[side] for side in Side}
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
    )


def _written(outcome: Outcome, side: Side) -> Written:
    def count(kind: type) -> int:
        return sum(step.side is side and isinstance(step.write, kind) for step in outcome.done)

    return Written(count(Create), count(Update), count(Delete), count(Archive), count(Restore))
