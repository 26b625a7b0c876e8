"""A plan into effects: intend, look, write, settle, one step at a time and several at once.

Called by `runs`. Before each call the step is stored as an intent, after it its outcome; a process that dies anywhere
leaves either nothing or an intent that `recover` looks after. Errors of one record never stop the others.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from syncline.core.memory import IntentState, Parked
from syncline.core.plan import Plan, Step
from syncline.core.records import (
    Archive,
    Create,
    Delete,
    Gone,
    Present,
    Proof,
    Receipt,
    Record,
    RecordKey,
    Restore,
    RunId,
    Side,
    StepId,
    Update,
)
from syncline.core.retry import TryAgain, after, group_of
from syncline.core.values import BLANK, same
from syncline.engine.pull import Sweep
from syncline.engine.reconcile import Reconciled
from syncline.engine.remember import seen_now
from syncline.engine.settle import Ledger, settle, touched
from syncline.engine.sync import Progress, Sync, World
from syncline.errors import (
    AuthError,
    ConnectorError,
    NotFoundError,
    RejectedError,
    StaleError,
    TransientError,
    UnknownOutcomeError,
)

_BATCH = 128
_TURNS = 8
_HOPELESS = 5


class Failure(msgspec.Struct, frozen=True):
    """A step that did not go through."""

    side: Side
    key: RecordKey | None
    title: str
    code: str
    message: str
    field: str | None = None


@dataclass(slots=True)
class Outcome:
    """What became of a plan."""

    done: list[Step] = field(default_factory=list[Step])
    failures: list[Failure] = field(default_factory=list[Failure])
    stopped: AuthError | None = None


@dataclass(slots=True)
class _Result:
    """One carried-out step, waiting to be settled."""

    step: Step
    intent: int
    receipt: Receipt | None = None
    error: ConnectorError | None = None


@dataclass(slots=True)
class _Work:
    """One application of a plan."""

    world: World
    sync: Sync
    run: RunId
    ledger: Ledger
    sweeps: dict[Side, Sweep]
    jitter: Callable[[], float]
    outcome: Outcome = field(default_factory=Outcome)
    failed: set[StepId] = field(default_factory=set[StepId])
    misses: dict[Side, int] = field(default_factory=lambda: dict.fromkeys(Side, 0))
    total: int = 0


async def apply(
    world: World,
    sync: Sync,
    run: RunId,
    made: Reconciled,
    sweeps: dict[Side, Sweep],
    jitter: Callable[[], float],
) -> Outcome:
    """Carry out the plan's steps in their order: our own notes, creates, updates, deletions."""
    work = _Work(world, sync, run, _ledger(made, sweeps), sweeps, jitter, total=len(made.plan.writes))
    notes = [step for step in made.plan.steps if step.write is None]
    with world.store.transaction():
        for step in notes:
            settle(world, sync, run, step, None, work.ledger)
            work.outcome.done.append(step)
    for phase in _phases(made.plan):
        await _carry_out(work, phase)
    return work.outcome


def _ledger(made: Reconciled, sweeps: dict[Side, Sweep]) -> Ledger:
    ledger = Ledger(left=touched(made.plan.steps))
    for held in made.plan.held:
        ledger.open.add((held.left_key, held.right_key))
    for link, view in made.views.items():
        ledger.bases[link] = {side: view.base.of(side) for side in Side} if view.base else {}
        for side in Side:
            key, sighting = made.links[link].of(side).key, view.of(side)
            if isinstance(sighting, Present):
                ledger.now[side, key] = sighting.record
                ledger.digests[side, key] = sweeps[side].digests.get(key, made.links[link].of(side).digest)
            elif isinstance(sighting, Gone):
                ledger.gone[side, key] = sighting
    for side, records in made.waiting.items():
        for key, record in records.items():
            ledger.now[side, key] = record
            ledger.digests[side, key] = sweeps[side].digests.get(key, b"")
    return ledger


def _phases(plan: Plan) -> Iterator[Sequence[Step]]:
    """Creates, then updates and revivals, then deletions; a step that waits for another comes in a later phase."""
    writes = plan.writes
    first = {step.id for step in writes}
    for kinds in ((Create,), (Update, Restore), (Archive, Delete)):
        phase = [step for step in writes if isinstance(step.write, kinds)]
        yield [step for step in phase if step.after not in first]
        yield [step for step in phase if step.after in first]


async def _carry_out(work: _Work, steps: Sequence[Step]) -> None:
    """A rolling window: steps are intended a batch at a time, written by a few workers, settled as they come."""
    results: asyncio.Queue[_Result] = asyncio.Queue()
    gate = asyncio.Semaphore(work.sync.patience.writers)
    for start in range(0, len(steps), _BATCH):
        batch = [step for step in steps[start : start + _BATCH] if _may_go(work, step)]
        if not batch:
            continue
        ids = work.world.store.intend(work.sync.id, work.run, batch, work.world.clock.now())
        tasks = [
            asyncio.create_task(_one(work, step, intent, gate, results))
            for step, intent in zip(batch, ids, strict=True)
        ]
        try:
            left = len(tasks)
            while left:
                left -= await _settle_some(work, results)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            if not task.cancelled() and task.exception() is not None:
                raise task.exception() or AssertionError


def _may_go(work: _Work, step: Step) -> bool:
    """Not after a failed step of the same link, not on a side that does not answer."""
    if work.outcome.stopped is not None or work.misses[step.side] >= _HOPELESS:
        return False
    if step.after is not None and step.after in work.failed:
        work.failed.add(step.id)
        return False
    return True


async def _one(
    work: _Work, step: Step, intent: int, gate: asyncio.Semaphore, results: asyncio.Queue[_Result]
) -> None:
    async with gate:
        result = _Result(step, intent)
        try:
            await _look(work, step)
            if step.write is not None:
                side = work.sync.side(step.side)
                result.receipt = await side.connector.write(side.scope, step.write)
        except ConnectorError as error:
            result.error = error
        except BaseException:
            # Our own bug, or a stop: the intent stays open and the next run looks; wake whoever waits for us.
            result.error = UnknownOutcomeError("interrupted")
            results.put_nowait(result)
            raise
        results.put_nowait(result)


async def _settle_some(work: _Work, results: asyncio.Queue[_Result]) -> int:
    """Settle whatever is ready in one transaction; answers how many.

    A commit costs as much as all else: answers that have arrived already get a few turns of the loop to become results.
    """
    ready = [await results.get()]
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    while not results.empty():
        ready.append(results.get_nowait())
    states: dict[int, IntentState] = {}
    with work.world.store.transaction():
        for result in ready:
            states[result.intent] = _settle(work, result)
        work.world.store.settle(states, work.world.clock.now())
        work.world.store.renew(work.run, work.world.clock.now(), work.sync.patience.lease)
    work.world.watch(Progress("writing", len(work.outcome.done) + len(work.outcome.failures), work.total))
    return len(ready)


def _settle(work: _Work, result: _Result) -> IntentState:
    step, error = result.step, result.error
    if error is None:
        work.misses[step.side] = 0
        work.outcome.done.append(step)
        settle(work.world, work.sync, work.run, step, result.receipt, work.ledger)
        return IntentState.DONE
    work.failed.add(step.id)
    key = step.key or step.counterpart
    work.outcome.failures.append(Failure(step.side, key, step.title, error.code, str(error), error.field))
    return _failed(work, step, error)


def _failed(work: _Work, step: Step, error: ConnectorError) -> IntentState:
    """What the engine does next, by the error's group."""
    match error:
        # Sent, no clear answer: the next run looks before anything is written again.
        case UnknownOutcomeError():
            return IntentState.UNKNOWN
        # A record with our external key is there already: the look will find it.
        case RejectedError(is_duplicate=True) if isinstance(step.write, Create):
            return IntentState.UNKNOWN
        # Never, this way: parked until somebody edits it or asks for another try.
        case RejectedError():
            _park(work, step, error, is_final=True)
            return IntentState.FAILED
        # Surely not applied: tried again later.
        case TransientError():
            work.misses[step.side] += 1
            _park(work, step, error, is_final=False)
            return IntentState.DROPPED
        # Moved or gone meanwhile: decided again in the next run.
        case StaleError() | NotFoundError():
            return IntentState.DROPPED
        # The connection itself: nothing more is sent.
        case AuthError():
            work.outcome.stopped = error
            return IntentState.DROPPED
        case _:
            _park(work, step, error, is_final=True)
            return IntentState.UNKNOWN


def _park(work: _Work, step: Step, error: ConnectorError, *, is_final: bool) -> None:
    """Keep the failure by the record that the step is about: the one to write, or the one to copy."""
    side, key = (step.side, step.key) if step.key is not None else (step.side.other, step.counterpart)
    if key is None:
        return
    now = work.world.clock.now()
    before = next((p for p in work.world.store.parked(work.sync.id) if (p.side, p.key) == (side, key)), None)
    attempts = (before.attempts if before else 0) + 1
    due: dt.datetime | None = None
    if not is_final:
        asked = error.after if isinstance(error, TransientError) else None
        verdict = after(group_of(error), attempts, now, work.jitter(), asked)
        due = verdict.at if isinstance(verdict, TryAgain) else None
    work.world.store.park(
        work.sync.id,
        Parked(
            side,
            key,
            step.title,
            error.code,
            str(error),
            error.field,
            attempts,
            due,
            before.since if before else now,
        ),
    )


# --- the look before a write ----------------------------------------------------------------------------------------


async def _look(work: _Work, step: Step) -> None:
    """Read again what may have moved since it was decided on, and refuse to write over it."""
    match step.write:
        case Update(key, _, was):
            if not _is_fresh(work, step.side, key):
                await _expect(work, step, key, lambda record: all(
                    same(was[name], record.fields.get(name, BLANK)) for name in was
                ))  # fmt: skip
        case Delete(key) | Archive(key):
            seen = work.ledger.now[step.side, key]
            expected = seen.fields
            last = await _expect(work, step, key, lambda record: all(
                same(expected[name], record.fields[name]) for name in expected if name in record.fields
            ))  # fmt: skip
            await _expect_gone(work, step)
            _keep_last(work, step, last)
        case Restore(key):
            await _expect_trashed(work, step, key)
        case _:
            return


def _is_fresh(work: _Work, side: Side, key: RecordKey) -> bool:
    """Read in this run, a moment ago, by a listing that does not lag behind what people do."""
    sweep, patience = work.sweeps[side], work.sync.patience
    if sweep.began_at is None or patience.lag.get(side) or not sweep.shows(key):
        return False
    # The listing's begin: nobody knows when within it this record was read.
    return work.world.clock.now() - sweep.began_at < patience.fresh


def _keep_last(work: _Work, step: Step, last: Record) -> None:
    """Remember all that a record holds before it goes, also where its base never knew: the history tells it, even when
    we never hear of the deletion's outcome."""
    record = work.sync.trim(step.side, last)
    work.ledger.now[step.side, record.key] = record
    kept = seen_now(record, b"", link=step.link, is_settled=False)
    work.world.store.see(work.sync.id, step.side, [kept])


async def _expect(work: _Work, step: Step, key: RecordKey, is_same: Callable[[Record], bool]) -> Record:
    side = work.sync.side(step.side)
    sighting = await side.connector.fetch(side.scope, key)
    if not isinstance(sighting, Present):
        raise NotFoundError("the record is gone meanwhile")
    if not is_same(sighting.record):
        raise StaleError("the record was edited meanwhile")
    return sighting.record


async def _expect_trashed(work: _Work, step: Step, key: RecordKey) -> None:
    """Before a revival: the record must still lie in the trash. What it is now is remembered, for no listing shows a
    record that was purged meanwhile, or taken out of the trash outside the filter."""
    side = work.sync.side(step.side)
    sighting = await side.connector.fetch(side.scope, key)
    if isinstance(sighting, Gone) and sighting.proof is Proof.TRASHED:
        return
    store, link = work.world.store, step.link
    if isinstance(sighting, Present):
        back = seen_now(work.sync.trim(step.side, sighting.record), b"", link=link, is_settled=False)
        store.see(work.sync.id, step.side, [back])
    elif isinstance(sighting, Gone) and link is not None:
        known = store.links(work.sync.id, [link])[link].of(step.side)
        store.see(work.sync.id, step.side, [msgspec.structs.replace(known, gone=sighting, is_settled=False)])
    raise StaleError("the record does not lie in the trash any more")


async def _expect_gone(work: _Work, step: Step) -> None:
    """Before a deletion: the other record must still be gone. One that is back is remembered, for no listing may ever
    show it (it lies outside the filter now), and we would want to delete for ever."""
    if step.counterpart is None:
        return
    side = step.side.other
    sighting = await work.sync.side(side).connector.fetch(work.sync.side(side).scope, step.counterpart)
    if isinstance(sighting, Present):
        back = seen_now(work.sync.trim(side, sighting.record), b"", link=step.link, is_settled=False)
        work.world.store.see(work.sync.id, side, [back])
    if not isinstance(sighting, Gone):
        raise StaleError("the other record is back")
