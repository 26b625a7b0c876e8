"""Interrupted writes into known outcomes: look first, then settle, or let the run decide again.

Called by `runs` after the pull and before anything is decided. An intent that is open or unknown belongs to a write
that may or may not have happened. Updates and deletions are looked up by a direct read. A create is looked up by its
external key, and where the vendor has no place for one among the records that no link ties: the one that holds just
what we sent. Until a create's fate is known, its source record is frozen: a second copy is worse than a late one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from syncline.core.memory import Entry, Intent, IntentState
from syncline.core.plan import Step
from syncline.core.records import (
    Archive,
    Create,
    Delete,
    FieldId,
    Gone,
    Present,
    Receipt,
    Record,
    RecordKey,
    Restore,
    RunId,
    Side,
    Sighting,
    Update,
)
from syncline.core.values import Text, Value, YesNo, is_blank, same
from syncline.engine.pull import Sweep, read, remembered
from syncline.engine.settle import Ledger, keys_of, removed, settle, touched
from syncline.engine.sync import Sync, World


@dataclass(slots=True)
class Recovery:
    """What became of interrupted writes. `frozen` names source records whose copy may or may not exist."""

    settled: int = 0
    dropped: int = 0
    frozen: dict[Side, dict[RecordKey, str]] = field(
        default_factory=lambda: {side: dict[RecordKey, str]() for side in Side}
    )


def needs_full_listing(world: World, sync: Sync) -> bool:
    """Whether some create's fate is unknown: only a complete listing can say that it did not happen."""
    return any(isinstance(intent.step.write, Create) for intent in world.store.intents(sync.id))


async def recover(world: World, sync: Sync, run: RunId, sweeps: dict[Side, Sweep]) -> Recovery:
    """Look after every write whose outcome is not known."""
    recovery = Recovery()
    intents = list(world.store.intents(sync.id))
    creates = [intent for intent in intents if isinstance(intent.step.write, Create)]
    for intent in intents:
        if not isinstance(intent.step.write, Create):
            await _look_at(world, sync, intent, sweeps, recovery)
    claimed: set[tuple[Side, RecordKey]] = set()
    for intent in creates:
        await _look_for(world, sync, intent, sweeps, recovery, claimed)
    return recovery


async def _look_at(
    world: World, sync: Sync, intent: Intent, sweeps: dict[Side, Sweep], recovery: Recovery
) -> None:
    """An update, deletion or revival of a record we know: read it (and its counterpart) and decide again.

    Nothing is guessed: if the write happened, both sides now agree and the base moves; if not, it is planned again.
    What it overrode goes to the history either way it may have happened.
    """
    step = intent.step
    if step.key is not None:
        sighting = (await read(sync, step.side, [step.key]))[step.key]
        sweeps[step.side].put(step.key, _trimmed(sync, step.side, sighting))
        if _may_have_happened(step, sighting):
            _tell_losses(world, sync, intent)
    if step.counterpart is not None and step.counterpart not in sweeps[step.side.other].fresh:
        sighting = (await read(sync, step.side.other, [step.counterpart]))[step.counterpart]
        sweeps[step.side.other].put(step.counterpart, _trimmed(sync, step.side.other, sighting))
    world.store.settle({intent.id: IntentState.DROPPED}, world.clock.now())
    recovery.dropped += 1


def _trimmed(sync: Sync, side: Side, sighting: Sighting) -> Sighting:
    return Present(sync.trim(side, sighting.record)) if isinstance(sighting, Present) else sighting


def _may_have_happened(step: Step, sighting: Sighting) -> bool:
    match step.write:
        # Gone or hidden by now: nobody can tell what it held in between.
        case Update(_, _, was):
            return not isinstance(sighting, Present) or any(
                name in sighting.record.fields and not same(was[name], sighting.record.fields[name])
                for name in was
            )
        case Delete() | Archive():
            return isinstance(sighting, Gone)
        case Restore():
            return isinstance(sighting, Present)
        case _:
            return False


def _tell_losses(world: World, sync: Sync, intent: Intent) -> None:
    """An overridden value must be in the history even when we never heard that it was overridden; so must what a
    deleted record held last."""
    step, now = intent.step, world.clock.now()
    link = world.store.links(sync.id, [step.link]).get(step.link) if step.link is not None else None
    before = remembered(link, step.side) if link else None
    held: Mapping[FieldId, Value] = before.record.fields if isinstance(before, Present) else {}
    world.store.record(
        sync.id,
        [
            Entry(
                intent.run,
                step.link,
                *keys_of(step),
                decision.name,
                step.side,
                decision.left if step.side is Side.LEFT else decision.right,
                decision.to_left if step.side is Side.LEFT else decision.to_right,
                decision.lost,
                decision.rule,
                now,
                step.title,
            )
            for decision in step.fields
            if decision.lost is not None and decision.lost_side is step.side
        ]
        + list(removed(intent.run, step, held, now)),
    )


async def _look_for(
    world: World,
    sync: Sync,
    intent: Intent,
    sweeps: dict[Side, Sweep],
    recovery: Recovery,
    claimed: set[tuple[Side, RecordKey]],
) -> None:
    step = intent.step
    assert isinstance(step.write, Create)  # noqa: S101 - the caller has looked
    found, missing = await _found(sync, step, sweeps, claimed)
    if found is not None:
        claimed.add((step.side, found.key))
        _adopt(world, sync, intent, found, missing, sweeps)
        recovery.settled += 1
    elif _is_absence_proven(world, sync, intent, sweeps):
        world.store.settle({intent.id: IntentState.DROPPED}, world.clock.now())
        recovery.dropped += 1
    elif step.counterpart is not None:
        text = f"a copy may have been made at {intent.at:%H:%M:%S}, and cannot be seen yet"
        recovery.frozen[step.side.other][step.counterpart] = text


async def _found(
    sync: Sync, step: Step, sweeps: dict[Side, Sweep], claimed: set[tuple[Side, RecordKey]]
) -> tuple[Record | None, frozenset[FieldId]]:
    """The record that the interrupted create made, by its external key, else by what it holds; and what it still lacks.

    Only records that no earlier run has seen come into question: whatever was there when the create was decided on was
    remembered before it was sent. (No clocks are compared: the vendor's may be wrong.)
    """
    assert isinstance(step.write, Create)  # noqa: S101 - the caller has looked
    side = sync.side(step.side)
    for record in await side.connector.find(side.scope, step.write.external_key):
        if (step.side, record.key) not in claimed:
            return record, frozenset()
    sweep = sweeps[step.side]
    candidates = [
        (record, missing)
        for key in sorted(sweep.new)
        if (record := sweep.fresh.get(key)) is not None
        and (step.side, key) not in claimed
        and record.external_key in ("", step.write.external_key)
        and (missing := _missing(record, step.write.fields)) is not None
    ]
    return min(candidates, key=lambda each: (len(each[1]), each[0].key), default=(None, frozenset[FieldId]()))


def _missing(record: Record, sent: Mapping[FieldId, Value]) -> frozenset[FieldId] | None:
    """Which of the sent fields the record does not hold yet; None when it holds something else, or no text of ours.

    A create may take a vendor several calls, so that a cut leaves a record with some fields still unset.
    """
    differing = {
        name for name, value in sent.items() if name in record.fields and not same(record.fields[name], value)
    }
    texts = {name for name, value in sent.items() if isinstance(value, Text) and name in record.fields}
    if not all(_is_unset(record.fields[name]) for name in differing) or texts & differing:
        return None
    return frozenset(differing) if texts or not differing else None


def _is_unset(value: Value) -> bool:
    return is_blank(value) or value == YesNo(yes=False)


def _is_absence_proven(world: World, sync: Sync, intent: Intent, sweeps: dict[Side, Sweep]) -> bool:
    """A complete listing that began after the write, on a side whose listing does not lag behind it (any more).

    The write may have waited its turn after it was intended: it surely went out before its run ended, or was given up.
    """
    sweep = sweeps[intent.step.side]
    if not sweep.ending.is_complete or sweep.is_delta or sweep.began_at is None:
        return False
    lag = sync.patience.lag.get(intent.step.side)
    if not lag:
        return True
    ended = (run.ended_at for run in world.store.runs(sync.id) if run.id == intent.run)
    return sweep.began_at - (next(ended, None) or intent.at) > lag


def _adopt(
    world: World,
    sync: Sync,
    intent: Intent,
    found: Record,
    missing: frozenset[FieldId],
    sweeps: dict[Side, Sweep],
) -> None:
    """The create did happen: tie the two records, with what we sent as their base, so that any later edit shows.

    What the new record still lacks has no base on the source's side: it goes over like an edit made there.
    """
    step = intent.step
    assert isinstance(step.write, Create)  # noqa: S101 - the caller has looked
    if step.link is not None and step.link not in world.store.links(sync.id, [step.link]):
        return
    ledger = Ledger(left=touched([step]))
    ledger.left[next(iter(ledger.left))] += 1  # not settled: the two records are compared in this run
    trimmed = sync.trim(step.side, found)
    sent = {**step.write.fields, **{name: found.fields[name] for name in missing}}
    with world.store.transaction():
        world.store.settle({intent.id: IntentState.DONE}, world.clock.now())
        as_sent = Record(found.key, sent, updated_at=None, title=found.title, external_key=found.external_key)
        settle(world, sync, intent.run, step, Receipt(found.key, as_sent), ledger)
        link = step.link if step.link is not None else next(iter(ledger.ties.values()))
        lacking = [
            d for d in step.fields if (d.left_field, d.right_field)[step.side is Side.RIGHT] in missing
        ]
        source = [d.left_field if step.side is Side.RIGHT else d.right_field for d in lacking]
        world.store.unbase(link, step.side.other, source)
    sweeps[step.side].new.discard(found.key)
    sweeps[step.side].fresh[found.key] = trimmed
    sweeps[step.side].moved.add(found.key)
