"""Interrupted writes into known outcomes: look first, then settle, or let the run decide again.

Called by `runs` after the pull and before anything is decided. An intent that is open or unknown belongs to a write
that may or may not have happened. Updates and deletions are looked up by a direct read. A create is looked up by its
external key, and where the vendor has no place for one among the records that no link ties: the one that holds just
what we sent. Until a create's fate is known, its source record is frozen: a second copy is worse than a late one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from syncline.core.convert import Untranslatable
from syncline.core.decisions import Rule
from syncline.core.forms import resembles
from syncline.core.memory import Intent, IntentState, Parked, Standing
from syncline.core.plan import Effect, Step
from syncline.core.records import (
    Base,
    Create,
    Delete,
    FieldId,
    Gone,
    LinkId,
    Present,
    Receipt,
    Record,
    RecordKey,
    RunId,
    Side,
    Sighting,
    Unseen,
)
from syncline.core.values import Text, Value, YesNo, is_blank
from syncline.engine.clocks import passed
from syncline.engine.keeping import without
from syncline.engine.notes import seen_now, unagreed
from syncline.engine.pull import Sweep, as_seen, read, remembered
from syncline.engine.settle import Ledger, keys_of, settle, touched
from syncline.engine.sync import Sync, World
from syncline.engine.undone import finish
from syncline.engine.unheard import doubt, learn, may_have_happened, speaks_again, tell_losses
from syncline.errors import Detail

_NO_RUN = RunId("")


@dataclass(slots=True)
class Recovery:
    """What became of interrupted writes. `frozen` names source records whose copy may or may not exist; `lacking` what a
    half-made copy lacks, as the source would hold it: in this run that goes over like an edit of the source. `run` is the
    one that looks: it settles only as long as it holds the sync."""

    run: RunId = _NO_RUN
    settled: int = 0
    dropped: int = 0
    frozen: dict[Side, dict[RecordKey, str]] = field(
        default_factory=lambda: {side: dict[RecordKey, str]() for side in Side}
    )
    lacking: dict[LinkId, Base] = field(default_factory=dict[LinkId, Base])


def needs_full_listing(world: World, sync: Sync) -> bool:
    """Whether some create's fate is unknown: only a complete listing can say that it did not happen."""
    return any(isinstance(intent.step.write, Create) for intent in world.store.intents(sync.id))


async def recover(world: World, sync: Sync, run: RunId, sweeps: dict[Side, Sweep]) -> Recovery:
    """Look after every write whose outcome is not known."""
    recovery = Recovery(run)
    intents = [_bound(world, sync, intent) for intent in world.store.intents(sync.id)]
    creates = [intent for intent in intents if isinstance(intent.step.write, Create)]
    for intent in intents:
        if not isinstance(intent.step.write, Create):
            await _look_at(world, sync, intent, sweeps, recovery)
    claimed: set[tuple[Side, RecordKey]] = set()
    for intent in creates:
        await _look_for(world, sync, intent, sweeps, recovery, claimed)
    return recovery


def _bound(world: World, sync: Sync, intent: Intent) -> Intent:
    """The intent with the link of its two records: a step that was planned before they were tied does not name it."""
    step = intent.step
    if step.link is not None or step.key is None or step.counterpart is None or step.effect is Effect.ALONE:
        return intent
    left, right = keys_of(step)
    links = world.store.find_link(sync.id, step.key)
    found = next(
        (
            each
            for each in world.store.links(sync.id, links).values()
            if each.left.key == left and each.right.key == right
        ),
        None,
    )
    if found is None:
        return intent
    return msgspec.structs.replace(intent, step=msgspec.structs.replace(step, link=found.id))


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
        if step.rule is Rule.UNDONE and _is_settled(world, sync, intent, sighting, sweeps, recovery):
            return
        sweeps[step.side].put(step.key, _trimmed(sync, step.side, sighting))
        if isinstance(step.write, Delete) and isinstance(sighting, Gone):
            await _bury(world, sync, intent, sweeps, recovery)
            return
    else:
        sighting = None
    if step.counterpart is not None and step.counterpart not in sweeps[step.side.other].fresh:
        there = (await read(sync, step.side.other, [step.counterpart]))[step.counterpart]
        sweeps[step.side.other].put(step.counterpart, _trimmed(sync, step.side.other, there))
    if sighting is not None and may_have_happened(step, sighting):
        tell_losses(world, sync, intent)
        if isinstance(sighting, Present):
            learn(world, sync, intent, sighting.record, sweeps[step.side.other])
            doubt(world, sync, intent, sighting.record)
    world.store.settle(recovery.run, {intent.id: IntentState.DROPPED}, world.clock.now())
    recovery.dropped += 1


def _is_settled(
    world: World,
    sync: Sync,
    intent: Intent,
    sighting: Sighting,
    sweeps: dict[Side, Sweep],
    recovery: Recovery,
) -> bool:
    """Whether nothing more is to be decided about a step of an undo: it happened, or nobody can tell yet."""
    step = intent.step
    assert step.key is not None  # noqa: S101 - the caller has looked
    if isinstance(sighting, Unseen):
        recovery.frozen[step.side][step.key] = f"an undo may have been made at {intent.at:%H:%M:%S}"
        return True
    if not finish(world, sync, recovery.run, intent, sighting):
        return False
    sweep = sweeps[step.side]
    if isinstance(sighting, Present) and step.link is not None:
        sweep.put(step.key, _trimmed(sync, step.side, sighting))
    else:
        # It stands for itself now, or is gone: whatever the listing said, nothing is decided about it.
        sweep.gone.pop(step.key, None)
        sweep.fresh.pop(step.key, None)
        sweep.new.discard(step.key)
    recovery.settled += 1
    return True


async def _bury(
    world: World, sync: Sync, intent: Intent, sweeps: dict[Side, Sweep], recovery: Recovery
) -> None:
    """Our deletion happened: the link ends. A counterpart that is back by now was brought back after we had followed
    its deletion, and must not be deleted because of our own: it goes on as a new record. While it cannot be seen,
    nobody can tell, and the link waits."""
    step, other = intent.step, intent.step.side.other
    link = world.store.links(sync.id, [step.link]).get(step.link) if step.link is not None else None
    if link is None or step.key is None:
        world.store.settle(recovery.run, {intent.id: IntentState.DONE}, world.clock.now())
        recovery.settled += 1
        return
    ledger = Ledger(bases={link.id: {side: link.base.of(side) for side in Side}})
    if isinstance(last := remembered(link, step.side), Present):
        ledger.now[step.side, step.key] = last.record
    key = link.of(other).key
    there = (await read(sync, other, [key]))[key]
    if isinstance(there, Unseen):
        recovery.frozen[step.side][step.key] = "we deleted it, and its counterpart cannot be seen"
        return
    recovery.settled += 1
    if isinstance(there, Gone):
        ledger.gone[other, key] = there
    with world.store.transaction():
        world.store.settle(recovery.run, {intent.id: IntentState.DONE}, world.clock.now())
        settle(world, sync, intent.run, step, Receipt(step.key, None), ledger)
        if isinstance(there, Present):
            record = sync.trim(other, there.record)
            waiting = seen_now(record, b"", link=None, is_settled=False, standing=Standing.WAITING)
            world.store.see(sync.id, other, [waiting])
    if isinstance(there, Present):
        sweeps[other].put(key, Present(sync.trim(other, there.record)))
        sweeps[other].new.add(key)


def _trimmed(sync: Sync, side: Side, sighting: Sighting) -> Sighting:
    return Present(sync.trim(side, sighting.record)) if isinstance(sighting, Present) else sighting


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
    found, missing = await _found(world, sync, step, sweeps, claimed)
    if found is not None:
        if sync.side(step.side).connector.cost(step.write) == 1:
            # Made whole or not at all: what it lacks was taken away by somebody.
            missing = frozenset[FieldId]()
        claimed.add((step.side, found.key))
        _adopt(world, sync, intent, found, missing, sweeps, recovery)
        recovery.settled += 1
    elif _is_absence_proven(world, sync, intent, sweeps):
        await _give_up_taken(world, sync, step)
        world.store.settle(recovery.run, {intent.id: IntentState.DROPPED}, world.clock.now())
        recovery.dropped += 1
    elif step.counterpart is not None:
        text = f"a copy may have been made at {intent.at:%H:%M:%S}, and cannot be seen yet"
        recovery.frozen[step.side.other][step.counterpart] = text


async def _give_up_taken(world: World, sync: Sync, step: Step) -> None:
    """A copy whose mark another record carries already would be refused for ever: it waits for a person."""
    assert isinstance(step.write, Create)  # noqa: S101 - the caller has looked
    side = sync.side(step.side)
    found = await side.connector.find(side.scope, step.write.external_key)
    marked = [record for record in found if _is_anothers(world, sync, step, record.key)]
    if not marked or step.counterpart is None:
        return
    text = f"record {marked[0].key} was made from it before, and belongs to another one by now"
    now, code = world.clock.now(), Detail.DUPLICATE.value
    source = step.side.other
    world.store.park(
        sync.id,
        Parked(source, step.counterpart, step.title, code, text, None, attempts=1, due=None, since=now),
    )


async def _found(
    world: World, sync: Sync, step: Step, sweeps: dict[Side, Sweep], claimed: set[tuple[Side, RecordKey]]
) -> tuple[Record | None, frozenset[FieldId]]:
    """The record that the interrupted create made, by its external key, else by what it holds; and what it still lacks.

    Only records that no earlier run has seen come into question: whatever was there when the create was decided on was
    remembered before it was sent. (No clocks are compared: the vendor's may be wrong.)
    """
    assert isinstance(step.write, Create)  # noqa: S101 - the caller has looked
    side = sync.side(step.side)
    for record in await side.connector.find(side.scope, step.write.external_key):
        # A search that lags still knows the deleted record that this one was to replace: both carry the same mark.
        is_replaced = record.key == step.key
        is_free = (step.side, record.key) not in claimed and not is_replaced
        if is_free and not _is_anothers(world, sync, step, record.key):
            return _truest(sweeps[step.side], record), frozenset()
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


def _truest(sweep: Sweep, found: Record) -> Record:
    """A record that a search found, as it was read directly, or listed later than the search knows it."""
    seen = sweep.fresh.get(found.key)
    if seen is None or found.key in sweep.direct:
        return seen or found
    is_older = seen.updated_at is None or found.updated_at is None or seen.updated_at < found.updated_at
    return found if is_older else seen


def _is_anothers(world: World, sync: Sync, step: Step, key: RecordKey) -> bool:
    """Whether a record that carries the mark was made earlier, and is linked with another one or goes on alone since."""
    seen = world.store.seen(sync.id, step.side, [key]).get(key)
    if seen is None or seen.gone is not None:
        return False
    return seen.standing is Standing.RELEASED or seen.link not in (None, step.link)


def _missing(record: Record, sent: Mapping[FieldId, Value]) -> frozenset[FieldId] | None:
    """Which of the sent fields the record does not hold yet, be it in the vendor's own form; None when it holds something
    else, or no text of ours.

    A create may take a vendor several calls, so that a cut leaves a record with some fields still unset.
    """
    differing = {
        name
        for name, value in sent.items()
        if name in record.fields and not resembles(value, record.fields[name])
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
    since = next(ended, None) or intent.at
    return passed(world, sync, intent.step.side, intent.run, since, sweep.began_at) > lag


def _adopt(
    world: World,
    sync: Sync,
    intent: Intent,
    found: Record,
    missing: frozenset[FieldId],
    sweeps: dict[Side, Sweep],
    recovery: Recovery,
) -> None:
    """The record is there: tie the two, with what it holds of what we sent as their base.

    What it still lacks was never agreed on; in this run, it goes over like an edit of the source. Where it holds
    something else, somebody edited it since, or it is older than this step: nobody can tell, so nothing is agreed on.
    """
    step = intent.step
    assert isinstance(step.write, Create)  # noqa: S101 - the caller has looked
    if step.link is not None and step.link not in world.store.links(sync.id, [step.link]):
        return
    ledger = Ledger(left=touched([step]))
    ledger.left[next(iter(ledger.left))] += 1  # not settled: the two records are compared in this run
    trimmed = sync.trim(step.side, found)
    other = frozenset(
        name
        for name, value in step.write.fields.items()
        if name not in missing and not resembles(value, found.fields.get(name, value))
    )
    sent = {
        name: found.fields.get(name, value) for name, value in step.write.fields.items() if name not in other
    }
    step = _perhaps_typed(sync, step, sweeps[step.side.other], missing)
    spoken = {side: [each.of(side) for each in step.fields if each.of(step.side) in other] for side in Side}
    source = world.store.seen(sync.id, step.side.other, [step.counterpart] if step.counterpart else [])
    with world.store.transaction():
        world.store.settle(recovery.run, {intent.id: IntentState.DONE}, world.clock.now())
        as_sent = Record(found.key, sent, updated_at=None, title=found.title, external_key=found.external_key)
        settle(world, sync, intent.run, without(step, other), Receipt(found.key, as_sent), ledger)
        if step.effect is Effect.ALONE:
            sweeps[step.side].new.discard(found.key)
            sweeps[step.side].fresh.pop(found.key, None)
            return
        link = step.link if step.link is not None else next(iter(ledger.ties.values()))
        # What the source held when it was copied, and could not hand on: a blank there is none that nobody entered.
        base = world.store.links(sync.id, [link])[link].base
        for seen in source.values():
            spoken[step.side.other] += unagreed(sync, step.side.other, base, as_seen(seen))
        world.store.speak(link, spoken[Side.LEFT], spoken[Side.RIGHT])
        if missing:
            recovery.lacking[link] = _lack(world, sync, step, link, found, missing)
    sweeps[step.side].new.discard(found.key)
    sweeps[step.side].fresh[found.key] = trimmed
    sweeps[step.side].moved.add(found.key)


def _perhaps_typed(sync: Sync, step: Step, others: Sweep, missing: frozenset[FieldId]) -> Step:
    """The step, which tells what a person may have typed: a copy that is made in several calls may have been half-made, and
    somebody did the rest by hand. Where the other side speaks again, that is overridden."""
    assert isinstance(step.write, Create)  # noqa: S101 - the caller has looked
    if sync.side(step.side).connector.cost(step.write) == 1:
        return step
    sent = {name: value for name, value in step.write.fields.items() if name not in missing}
    told = tuple(
        msgspec.structs.replace(each, lost=sent[each.of(step.side)], lost_side=step.side)
        if each.of(step.side) in sent and speaks_again(step, each, others)
        else each
        for each in step.fields
    )
    return msgspec.structs.replace(step, fields=told)


def _lack(
    world: World, sync: Sync, step: Step, link: LinkId, found: Record, missing: frozenset[FieldId]
) -> Base:
    source = step.side.other
    as_lacking: dict[FieldId, Value] = {}
    lacking: list[FieldId] = []
    for lens in sync.rules.lenses:
        name = lens.mapping.of(step.side)
        if name in missing and lens.flows_to(step.side):
            lacking.append(lens.mapping.of(source))
            value = lens.to(source, found.fields[name])
            if not isinstance(value, Untranslatable):
                as_lacking[lens.mapping.of(source)] = value
    world.store.unbase(link, source, lacking)
    return Base(as_lacking, {}) if source is Side.LEFT else Base({}, as_lacking)
