"""A run, or a record's last run, taken back: read again what it wrote, plan with `core.undo`, carry out.

Called by the CLI. The steps go the way of all steps (`apply`): intended before the call, looked at, settled with their
history. What is put back is the new base of its side, so that the next run finds both sides as they agreed: nothing is
written again until somebody edits one of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from syncline.core.audit import AuditKind
from syncline.core.decisions import Rule
from syncline.core.memory import Entry, RunState, Standing
from syncline.core.plan import Plan, Step
from syncline.core.records import (
    LinkId,
    Present,
    RecordKey,
    RunId,
    Side,
    Sighting,
    Unseen,
)
from syncline.core.undo import Means, Traces, Undo, is_line, made_side, removed_side, trace, undo
from syncline.engine.apply import Failure, Outcome, carry_out
from syncline.engine.hold import Hold
from syncline.engine.pull import Sweep, read
from syncline.engine.settle import Ledger, keys_of, touched
from syncline.engine.sync import Sync, World
from syncline.errors import Refusal, RequestError, SetupError, SynclineError
from syncline.ports import Ending, asking_before_writes

_ALL = 10_000_000
_REASON = "their link was undone"


class Undone(msgspec.Struct, frozen=True):
    """What became of an undo. `run` is the run that took back; None for a dry run."""

    undo: Undo
    run: RunId | None = None
    done: int = 0
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class _Read:
    """A planned undo and the records it was planned on."""

    undo: Undo
    pairs: Sequence[Traces]
    sweeps: dict[Side, Sweep]


async def undo_run(
    world: World,
    sync: Sync,
    target: str,
    jitter: Callable[[], float],
    *,
    is_dry: bool = False,
    expected: int | None = None,
) -> Undone:
    """Take back a run, or what the last run did to a record. Raises `SetupError` when neither is known, `RequestError` when
    it would take another number of steps than `expected`, and whatever `runs.run` raises."""
    run, key = _target(world, sync, target)
    if is_dry:
        return Undone((await _look(world, sync, run, key)).undo)
    begun = world.store.begin_run(sync.id, world.clock.now(), sync.patience.lease)
    hold = Hold(world, begun.id, sync.patience.lease, begun.started_at)
    world = replace(world, watch=hold.watch)
    try:
        with asking_before_writes(hold.ask):
            found = await _look(world, sync, run, key)
            _check(found.undo, expected)
            plan = Plan(sync.id, found.undo.steps, (), (), *_calls(sync, found.undo.steps))
            outcome = await carry_out(world, sync, begun.id, plan, _ledger(found), found.sweeps, jitter)
        _ties(
            world, sync, begun.id, found.undo, {step.link for step in plan.steps if step not in outcome.done}
        )
    except SynclineError as error:
        world.store.end_run(begun.id, RunState.FAILED, f'{{"error": "{error.code}"}}', world.clock.now())
        raise
    except asyncio.CancelledError:
        world.store.end_run(begun.id, RunState.INTERRUPTED, "", world.clock.now())
        raise
    return _ended(world, sync, begun.id, found.undo, outcome)


def _check(planned: Undo, expected: int | None) -> None:
    if expected is not None and len(planned.steps) != expected:
        text = f"{len(planned.steps)} steps would be taken back now, not {expected}: something changed meanwhile."
        raise RequestError(text, Refusal.OLD_REVISION)


def _ended(world: World, sync: Sync, run: RunId, planned: Undo, outcome: Outcome) -> Undone:
    told = {"undone": planned.run, "done": len(outcome.done), "kept": len(planned.kept)}
    world.store.audit(AuditKind.UNDONE, told, now=world.clock.now(), sync=sync.id, subject=planned.run)
    world.store.end_run(run, RunState.DONE, msgspec.json.encode(told).decode(), world.clock.now())
    if outcome.stopped is not None:
        raise outcome.stopped
    return Undone(planned, run, len(outcome.done), tuple(outcome.failures))


def _target(world: World, sync: Sync, target: str) -> tuple[RunId, RecordKey | None]:
    """The run that is meant; with a key when only what it did to that record is."""
    if world.store.history(sync.id, run=RunId(target), limit=1):
        return RunId(target), None
    entries = world.store.history(sync.id, RecordKey(target))
    for entry in reversed(entries):
        if entry.side is not None or entry.rule in (Rule.LINKED, Rule.UNDONE):
            return entry.run, RecordKey(target)
    raise SetupError(
        f"'{target}' is no run that wrote anything, and no record that one wrote. See `syncline history RECORD`."
    )


async def _look(world: World, sync: Sync, run: RunId, key: RecordKey | None) -> _Read:
    """What the run did, and what the records hold now."""
    entries = world.store.history(sync.id, key, run, limit=_ALL)
    groups = trace(entries)
    sweeps = await _sweeps(world, sync, groups)
    frozen = _frozen(world, sync)
    ids = {entries[-1].link for entries in groups}
    links = world.store.links(sync.id, [link for link in ids if link is not None])
    pairs: list[Traces] = []
    for group in groups:
        last = group[-1]
        keys = {Side.LEFT: last.left_key, Side.RIGHT: last.right_key}
        now: dict[Side, Sighting] = {}
        for side, each in keys.items():
            if each is not None:
                now[side] = _sighting(sweeps[side], each)
        seen = {
            side: found
            for side, each in keys.items()
            if each is not None and (found := world.store.seen(sync.id, side, [each]).get(each)) is not None
        }
        is_frozen = any((side, each) in frozen for side, each in keys.items())
        link = links.get(last.link) if last.link is not None else None
        pairs.append(Traces(group, link, now, seen, _later(world, sync, group), is_frozen))
    schemas = {side: sync.side(side).schema for side in Side}
    planned = undo(Means(sync.id, run, sync.rules.lenses, schemas), pairs)
    return _Read(planned, pairs, sweeps)


def _sighting(sweep: Sweep, key: RecordKey) -> Sighting:
    if key in sweep.fresh:
        return Present(sweep.fresh[key])
    return sweep.gone.get(key) or Unseen("it could not be read")


async def _sweeps(world: World, sync: Sync, groups: Sequence[Sequence[Entry]]) -> dict[Side, Sweep]:
    """Every record that the run wrote, read now; and the source of one that may be tied again."""
    wanted: dict[Side, set[RecordKey]] = {side: set() for side in Side}
    for group in groups:
        keys = {Side.LEFT: group[-1].left_key, Side.RIGHT: group[-1].right_key}
        sides = {entry.side for entry in group if entry.side is not None and is_line(entry)}
        removed = removed_side(group)
        source = removed.other if removed and group[-1].rule is Rule.UNDONE else None
        for side in (*sides, removed, made_side(group), source):
            key = keys[side] if side is not None else None
            if side is not None and key is not None:
                wanted[side].add(key)
    sweeps = {
        side: Sweep(
            Ending(is_complete=False, reason="only some records were read"), began_at=world.clock.now()
        )
        for side in Side
    }
    for side, keys in wanted.items():
        for key, sighting in (await read(sync, side, sorted(keys))).items():
            is_there = isinstance(sighting, Present)
            sweeps[side].put(key, Present(sync.trim(side, sighting.record)) if is_there else sighting)
    return sweeps


def _later(world: World, sync: Sync, group: Sequence[Entry]) -> frozenset[str]:
    """The lines of the pair that another run wrote since."""
    last = group[-1]
    key = last.left_key or last.right_key
    if key is None:
        return frozenset()
    after = [entry for entry in world.store.history(sync.id, key) if entry.id > last.id]
    return frozenset(entry.field for entry in after if entry.run != last.run)


def _frozen(world: World, sync: Sync) -> set[tuple[Side, RecordKey | None]]:
    steps = [intent.step for intent in world.store.intents(sync.id)]
    return {
        spot
        for step in steps
        for spot in ((step.side, step.key), (step.side.other, step.counterpart))
        if spot[1] is not None
    }


def _calls(sync: Sync, steps: Sequence[Step]) -> tuple[int, int]:
    calls: Mapping[Side, int] = {
        side: sum(sync.side(side).connector.cost(s.write) for s in steps if s.write and s.side is side)
        for side in Side
    }
    return calls[Side.LEFT], calls[Side.RIGHT]


def _ledger(found: _Read) -> Ledger:
    """What is known of the records. All stay unsettled: whatever else was edited in them is for the next run."""
    steps = found.undo.steps
    ledger = Ledger(left=touched(steps), open={keys_of(step) for step in steps})
    for traces in found.pairs:
        if traces.link is not None:
            ledger.bases[traces.link.id] = {side: traces.link.base.of(side) for side in Side}
        for side, sighting in traces.now.items():
            if isinstance(sighting, Present):
                ledger.now[side, sighting.record.key] = sighting.record
    return ledger


def _ties(world: World, sync: Sync, run: RunId, planned: Undo, unfinished: Container[LinkId | None]) -> None:
    """Links that the run made are taken apart, and those that an undo took apart are tied again."""
    store, now = world.store, world.clock.now()
    with store.transaction():
        for link, left, right in planned.part:
            if link not in unfinished:
                _part(world, sync, link)
                store.keep_apart(sync.id, left, right, _REASON, now)
                entry = Entry(run, link, left, right, "", None, None, None, None, Rule.UNDONE, now)
                store.record(sync.id, [entry])
        for left, right in planned.rejoin:
            store.rejoin(sync.id, left, right)
            link = store.tie(sync.id, left, right, now)
            for side, key in zip(Side, (left, right), strict=True):
                # Looked at again as soon as a listing shows it.
                known = store.seen(sync.id, side, [key])[key]
                store.see(sync.id, side, [msgspec.structs.replace(known, digest=b"", is_settled=False)])
            entry = Entry(run, link, left, right, "", None, None, None, None, Rule.LINKED, now)
            store.record(sync.id, [entry])


def _part(world: World, sync: Sync, link: LinkId) -> None:
    """Close a link; both records go on alone."""
    known = world.store.links(sync.id, [link]).get(link)
    if known is None:
        return
    world.store.untie(link, Side.LEFT, world.clock.now())
    right = msgspec.structs.replace(known.right, link=None, standing=Standing.RELEASED)
    world.store.see(sync.id, Side.RIGHT, [right])
