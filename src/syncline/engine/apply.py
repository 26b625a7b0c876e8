"""A plan into effects: intend, look, write, settle, one step at a time and several at once.

Called by `runs`. Before each call the step is stored as an intent, after it its outcome; a process that dies anywhere
leaves either nothing or an intent that `recover` looks after. Errors of one record never stop the others.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from syncline.core.catalogue import remedy_of
from syncline.core.decisions import Rule
from syncline.core.memory import IntentState, Parked
from syncline.core.plan import Plan, Step
from syncline.core.records import (
    Archive,
    Create,
    Delete,
    FieldId,
    Gone,
    Present,
    Receipt,
    RecordKey,
    Restore,
    RunId,
    Side,
    StepId,
    Update,
    Write,
)
from syncline.core.retry import TryAgain, after, group_of
from syncline.core.values import Value
from syncline.engine import clocks
from syncline.engine.keeping import complaint, not_kept, read_back, sent_fields, without
from syncline.engine.look import Known, look, look_after
from syncline.engine.pull import Sweep
from syncline.engine.reconcile import Reconciled
from syncline.engine.settle import Ledger, flush, keys_of, settle_later, touched
from syncline.engine.sync import Progress, Sync, World
from syncline.errors import (
    AuthError,
    ConnectorError,
    Detail,
    NotFoundError,
    RejectedError,
    StaleError,
    TransientError,
    UnknownOutcomeError,
)

_BATCH = 128
_TURNS = 8
_HOPELESS = 5
_UNTIL_ASKED = dt.timedelta(hours=1)

Chosen = Container[tuple[Side, RecordKey | None]]


class Failure(msgspec.Struct, frozen=True):
    """A step that did not go through."""

    side: Side
    key: RecordKey | None
    title: str
    code: str
    message: str
    field: str | None = None
    remedy: str = ""


@dataclass(slots=True)
class Spent:
    """A side whose day has no calls left for this work: why, how many writes wait, and until when."""

    why: str
    until: dt.datetime
    writes: int = 0


@dataclass(slots=True)
class Outcome:
    """What became of a plan."""

    done: list[Step] = field(default_factory=list[Step])
    failures: list[Failure] = field(default_factory=list[Failure])
    stopped: AuthError | None = None
    spent: dict[Side, Spent] = field(default_factory=dict[Side, Spent])
    put_off: int = 0


@dataclass(slots=True)
class _Result:
    """One carried-out step, waiting to be settled."""

    step: Step
    intent: int
    receipt: Receipt | None = None
    error: ConnectorError | None = None
    is_put_off: bool = False


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
    chosen: Chosen | None = None
    beside: int = 0
    makes_way: bool = False


async def apply(
    world: World,
    sync: Sync,
    run: RunId,
    made: Reconciled,
    sweeps: dict[Side, Sweep],
    jitter: Callable[[], float],
    chosen: Chosen | None = None,
) -> Outcome:
    """Carry out the plan's steps in their order: our own notes, creates, updates, deletions. Where records are `chosen`,
    theirs go first, and of the others only a few: the rest, and what is left when the run makes way, is put off. It stays
    remembered as not settled, so that the next run decides on it again."""
    work = _Work(world, sync, run, _ledger(made, sweeps), sweeps, jitter, chosen=chosen)
    work.beside = sync.patience.beside
    return await _worked_off(work, made.plan)


async def carry_out(
    world: World,
    sync: Sync,
    run: RunId,
    plan: Plan,
    ledger: Ledger,
    sweeps: dict[Side, Sweep],
    jitter: Callable[[], float],
) -> Outcome:
    """The same for a plan of its own (an undo), with what is known of the records it touches."""
    return await _worked_off(_Work(world, sync, run, ledger, sweeps, jitter), plan)


async def _worked_off(work: _Work, plan: Plan) -> Outcome:
    world, sync, run = work.world, work.sync, work.run
    work.total = len(plan.writes)
    notes = [step for step in plan.steps if step.write is None]
    if notes:
        with world.store.transaction():
            for step in notes:
                settle_later(world, sync, run, step, None, work.ledger)
                work.outcome.done.append(step)
            flush(world, sync, work.ledger)
    if any(isinstance(step.write, Create) for step in plan.writes):
        clocks.note(world, sync, run)
    for phase in _phases(plan):
        await _carry_out(work, sorted(phase, key=lambda step: not _is_chosen(work, step)))
    return work.outcome


def _is_chosen(work: _Work, step: Step) -> bool:
    spots = ((step.side, step.key), (step.side.other, step.counterpart))
    return work.chosen is None or any(spot in work.chosen for spot in spots)


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
    """Not after a failed step of the same link, not on a side that does not answer, and not once the run makes way."""
    if _makes_way(work):
        work.outcome.put_off += 1
        return False
    if work.outcome.stopped is not None or work.misses[step.side] >= _HOPELESS:
        return False
    spent = work.outcome.spent.get(step.side)
    if spent is not None:
        spent.writes += 1
        return False
    if step.after is not None and step.after in work.failed:
        work.failed.add(step.id)
        return False
    if _is_chosen(work, step):
        return True
    work.beside -= 1
    work.outcome.put_off += work.beside < 0
    return work.beside >= 0


def _makes_way(work: _Work) -> bool:
    work.makes_way = work.makes_way or work.world.makes_way()
    return work.makes_way


async def _one(
    work: _Work, step: Step, intent: int, gate: asyncio.Semaphore, results: asyncio.Queue[_Result]
) -> None:
    async with gate:
        result, known = _Result(step, intent), Known(work.world, work.sync, work.ledger, work.sweeps)
        if _makes_way(work):
            result.is_put_off = True
            results.put_nowait(result)
            return
        try:
            await look(known, step)
            if step.write is not None:
                result.receipt = await _written(work, known, step, step.write)
        except ConnectorError as error:
            result.error = error
        except BaseException:
            # Our own bug, or a stop: the intent stays open and the next run looks; wake whoever waits for us.
            result.error = UnknownOutcomeError("interrupted", detail=Detail.INTERRUPTED)
            results.put_nowait(result)
            raise
        results.put_nowait(result)


async def _written(work: _Work, known: Known, step: Step, write: Write) -> Receipt:
    side = work.sync.side(step.side)
    try:
        answer = await side.connector.write(side.scope, write)
    except (NotFoundError, StaleError):
        await look_after(known, step)
        raise
    return await read_back(side, step, answer, _base_of(work, step))


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
    with work.world.store.transaction(may_be_lost=True):
        for result in ready:
            states[result.intent] = _settle(work, result)
        flush(work.world, work.sync, work.ledger)
        work.world.store.settle(work.run, states, work.world.clock.now())
    work.world.watch(Progress("writing", len(work.outcome.done) + len(work.outcome.failures), work.total))
    return len(ready)


def _settle(work: _Work, result: _Result) -> IntentState:
    step, error = result.step, result.error
    if result.is_put_off:
        work.failed.add(step.id)
        work.outcome.put_off += 1
        return IntentState.DROPPED
    if error is None:
        work.misses[step.side] = 0
        lost = (
            not_kept(step, result.receipt, _base_of(work, step)) if result.receipt else frozenset[FieldId]()
        )
        if lost and result.receipt is not None:
            return _settle_rest(work, step, result.receipt, lost)
        work.outcome.done.append(step)
        settle_later(work.world, work.sync, work.run, step, result.receipt, work.ledger)
        return IntentState.DONE
    work.failed.add(step.id)
    if isinstance(error, TransientError) and error.detail is Detail.DAILY_QUOTA:
        return _postpone(work, step, error)
    _tell(work, step, step.key or step.counterpart, error)
    return _failed(work, step, error)


def _tell(work: _Work, step: Step, key: RecordKey | None, error: ConnectorError) -> None:
    code, remedy = error.full_code, remedy_of(error.full_code)
    failure = Failure(step.side, key, step.title, code, str(error), error.field, remedy)
    work.outcome.failures.append(failure)


def _settle_rest(work: _Work, step: Step, receipt: Receipt, lost: frozenset[FieldId]) -> IntentState:
    """The write was taken, but some of its values were not kept: the others are settled, and the record is parked with
    what is left to do. A few more tries, then it waits for a person: no value is written for ever, and none is lost."""
    error = complaint(lost)
    before = _parked(work, step.side, receipt.key)
    work.failed.add(step.id)
    work.ledger.open.add(keys_of(step))
    if len(lost) < len(sent_fields(step)):
        work.outcome.done.append(step)
    settle_later(work.world, work.sync, work.run, without(step, lost), receipt, work.ledger)
    _tell(work, step, receipt.key, error)
    if step.rule is not Rule.UNDONE:
        _park_at(work, (step.side, receipt.key), step.title, error, before)
    return IntentState.DONE


def _base_of(work: _Work, step: Step) -> Mapping[FieldId, Value]:
    """What both sides last agreed on, of the side that is written."""
    return work.ledger.bases.get(step.link, {}).get(step.side, {}) if step.link is not None else {}


def _postpone(work: _Work, step: Step, error: TransientError) -> IntentState:
    """The day has no calls left for this work. It is no failure of the record: the side rests, and a later run decides
    on it again."""
    until = work.world.clock.now() + (error.after or _UNTIL_ASKED)
    work.outcome.spent.setdefault(step.side, Spent(str(error), until)).writes += 1
    return IntentState.DROPPED


def _is_our_mark_taken(step: Step, error: RejectedError) -> bool:
    return isinstance(step.write, Create) and error.field not in step.write.fields


def _failed(work: _Work, step: Step, error: ConnectorError) -> IntentState:
    """What the engine does next, by the error's group."""
    match error:
        # Sent, no clear answer: the next run looks before anything is written again.
        case UnknownOutcomeError():
            return IntentState.UNKNOWN
        # A record with our external key is there already: the look will find it. A value of the copy itself that is taken
        # is another matter: no look would ever find that record to be ours, so a person must say what is to be done.
        case RejectedError(is_duplicate=True) if _is_our_mark_taken(step, error):
            return IntentState.UNKNOWN
        # Never, this way: parked until somebody edits it or asks for another try.
        case RejectedError():
            _park(work, step, error)
            return IntentState.FAILED
        # Surely not applied: tried again later.
        case TransientError():
            work.misses[step.side] += 1
            _park(work, step, error)
            return IntentState.DROPPED
        # Moved or gone meanwhile: decided again in the next run.
        case StaleError() | NotFoundError():
            return IntentState.DROPPED
        # The connection itself: nothing more is sent.
        case AuthError():
            work.outcome.stopped = error
            return IntentState.DROPPED
        case _:
            _park(work, step, error)
            return IntentState.UNKNOWN


def _park(work: _Work, step: Step, error: ConnectorError) -> None:
    """Keep the failure by the record that the step is about: the one to write, or the one to copy."""
    side, key = (step.side, step.key) if step.key is not None else (step.side.other, step.counterpart)
    if key is None or step.rule is Rule.UNDONE:
        # An undo is asked for again, not tried again.
        return
    _park_at(work, (side, key), step.title, error, _parked(work, side, key))


def _parked(work: _Work, side: Side, key: RecordKey) -> Parked | None:
    """The failure before this one of the same record, when there is one."""
    flush(work.world, work.sync, work.ledger)
    return next((p for p in work.world.store.parked(work.sync.id) if (p.side, p.key) == (side, key)), None)


def _park_at(
    work: _Work, spot: tuple[Side, RecordKey], title: str, error: ConnectorError, before: Parked | None
) -> None:
    now, attempts = work.world.clock.now(), (before.attempts if before else 0) + 1
    asked = error.after if isinstance(error, TransientError) else None
    verdict = after(group_of(error), attempts, now, work.jitter(), asked)
    due = verdict.at if isinstance(verdict, TryAgain) else None
    since = before.since if before else now
    flush(work.world, work.sync, work.ledger)
    work.world.store.park(
        work.sync.id,
        Parked(*spot, title, error.full_code, str(error), error.field, attempts, due, since),
    )
