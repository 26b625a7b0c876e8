"""The outcome of one step into the store: base, link, sightings and history, in one transaction.

Called by `apply` after a vendor answered and by `recover` when a look shows what became of an interrupted write.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from syncline.core.absence import proof_text
from syncline.core.decisions import FieldDecision, Rule
from syncline.core.memory import Entry, Seen, Standing
from syncline.core.plan import Effect, Step
from syncline.core.records import (
    Archive,
    Base,
    Create,
    Delete,
    FieldId,
    Gone,
    LinkId,
    Present,
    Proof,
    Receipt,
    Record,
    RecordKey,
    Restore,
    RunId,
    Side,
    Update,
)
from syncline.core.values import Text, Value, same
from syncline.engine.notes import seen_now, tombstone, unagreed
from syncline.engine.parents import note_remade
from syncline.engine.sync import Sync, World


@dataclass(slots=True)
class Pending:
    """What several settled steps say of records, to be stored together."""

    seen: dict[Side, dict[RecordKey, Seen]] = field(
        default_factory=lambda: {side: dict[RecordKey, Seen]() for side in Side}
    )
    entries: list[Entry] = field(default_factory=list[Entry])
    written: dict[Side, set[RecordKey]] = field(
        default_factory=lambda: {side: set[RecordKey]() for side in Side}
    )


@dataclass(slots=True)
class Ledger:
    """What a run knows of the records it touches: their present state, and what is still to come for each link.

    `now` holds the latest record of each side by key; `open` the links that must stay unsettled; `left` how many steps
    each link still waits for; `ties` the links made in this run, by their two keys.
    """

    now: dict[tuple[Side, RecordKey], Record] = field(default_factory=dict[tuple[Side, RecordKey], Record])
    digests: dict[tuple[Side, RecordKey], bytes] = field(default_factory=dict[tuple[Side, RecordKey], bytes])
    gone: dict[tuple[Side, RecordKey], Gone] = field(default_factory=dict[tuple[Side, RecordKey], Gone])
    bases: dict[LinkId, Mapping[Side, Mapping[FieldId, Value]]] = field(
        default_factory=dict[LinkId, Mapping[Side, Mapping[FieldId, Value]]]
    )
    open: set[tuple[RecordKey | None, RecordKey | None]] = field(
        default_factory=set[tuple[RecordKey | None, RecordKey | None]]
    )
    left: dict[tuple[RecordKey | None, RecordKey | None], int] = field(
        default_factory=dict[tuple[RecordKey | None, RecordKey | None], int]
    )
    ties: dict[tuple[RecordKey, RecordKey], LinkId] = field(
        default_factory=dict[tuple[RecordKey, RecordKey], LinkId]
    )
    pending: Pending = field(default_factory=Pending)


Keys = tuple[RecordKey | None, RecordKey | None]


def keys_of(step: Step) -> Keys:
    """The step's records as (left, right); None for one that is still to be made."""
    return (step.key, step.counterpart) if step.side is Side.LEFT else (step.counterpart, step.key)


def settle(world: World, sync: Sync, run: RunId, step: Step, receipt: Receipt | None, ledger: Ledger) -> None:
    """Note that a step is done: move the base, tie or close the link, update what we saw, append the history."""
    with world.store.transaction():
        settle_later(world, sync, run, step, receipt, ledger)
        flush(world, sync, ledger)


def flush(world: World, sync: Sync, ledger: Ledger) -> None:
    """Store what `settle_later` left pending."""
    pending, ledger.pending = ledger.pending, Pending()
    for side in Side:
        world.store.see(sync.id, side, list(pending.seen[side].values()))
        world.store.unpark(sync.id, side, sorted(pending.written[side]))
    world.store.record(sync.id, pending.entries)


def settle_later(
    world: World, sync: Sync, run: RunId, step: Step, receipt: Receipt | None, ledger: Ledger
) -> None:
    """The same, in the caller's transaction, which must `flush` before it ends, and before it parks anything: what one
    statement can say for many steps waits for the others."""
    before = keys_of(step)
    _see_receipt(step, receipt, ledger)
    entries = list(_entries(run, step, receipt, ledger, world.clock.now()))
    if step.effect is Effect.CLOSE:
        _close(world, sync, step, ledger)
    elif step.effect is Effect.ALONE:
        entries = [_keyed(entry, step, receipt) for entry in entries]
        _leave_alone(world, sync, step, receipt, ledger)
    else:
        keys = _tied_keys(step, receipt)
        link = _link(world, sync, step, keys, ledger)
        left, right = bases(step, receipt, ledger)
        if isinstance(step.write, Create) and step.link is None:
            _keep_own(sync, step, ledger, left if step.side is Side.RIGHT else right)
        if left or right:
            world.store.move_base(link, left, right)
        _move(ledger, link, left, right)
        if step.link is None:
            _note_spoken(world, sync, link, keys, Base(left, right), ledger)
        entries = [
            msgspec.structs.replace(e, link=link, left_key=keys[0], right_key=keys[1]) for e in entries
        ]
        _count_down(before, keys, ledger)
        if step.link is not None and isinstance(step.write, Create | Restore):
            # A revival settles only what flows to the revived side: the rest is decided again in the next run.
            ledger.open.add(keys)
        _see_link(world, sync, link, keys, ledger)
    ledger.pending.entries += entries
    if step.write is not None:
        source = before[0] if step.side is Side.RIGHT else before[1]
        ledger.pending.written[step.side.other] |= {source} if source else set()
        ledger.pending.written[step.side] |= {step.key} if step.key else set()


def _note_spoken(
    world: World,
    sync: Sync,
    link: LinkId,
    keys: tuple[RecordKey, RecordKey],
    base: Base,
    ledger: Ledger,
) -> None:
    """What two records hold when they meet, as far as they do not agree on it."""
    spoken = [
        unagreed(sync, side, base, Present(ledger.now[side, key])) if (side, key) in ledger.now else []
        for side, key in zip(Side, keys, strict=True)
    ]
    if any(spoken):
        world.store.speak(link, *spoken)


def _see_receipt(step: Step, receipt: Receipt | None, ledger: Ledger) -> None:
    """The vendor's answer is the newest state of the written record; its listing bytes are not known yet."""
    if receipt is None or receipt.record is None:
        return
    spot = (step.side, receipt.key)
    earlier = ledger.now.get(spot)
    fields = {**(earlier.fields if earlier else {}), **receipt.record.fields}
    ledger.now[spot] = msgspec.structs.replace(
        receipt.record, fields=fields, wrote_at=receipt.record.updated_at
    )
    ledger.digests[spot] = b""


def _tied_keys(step: Step, receipt: Receipt | None) -> tuple[RecordKey, RecordKey]:
    own = receipt.key if receipt is not None else step.key
    assert own is not None  # noqa: S101 - a step without a write names its record
    assert step.counterpart is not None  # noqa: S101 - only a closing step may lack a counterpart
    return (own, step.counterpart) if step.side is Side.LEFT else (step.counterpart, own)


def _link(world: World, sync: Sync, step: Step, keys: tuple[RecordKey, RecordKey], ledger: Ledger) -> LinkId:
    if step.link is not None:
        new = keys[0] if step.side is Side.LEFT else keys[1]
        if step.key is not None and new != step.key:
            # Made anew after a deletion: the link goes on with the new record.
            flush(world, sync, ledger)
            world.store.retie(step.link, step.side, new)
            note_remade(world.store, sync.id)
            # What a resting or removed line once agreed on is not in the new record: it was never agreed on there.
            unmapped = set(ledger.bases.get(step.link, {}).get(step.side, {})) - sync.fields(step.side)
            world.store.unbase(step.link, step.side, unmapped)
            buried = ledger.gone.get((step.side, step.key), Gone(Proof.NOT_FOUND))
            world.store.see(sync.id, step.side, [tombstone(step.key, buried, step.title)])
        return step.link
    if keys not in ledger.ties:
        flush(world, sync, ledger)
        ledger.ties[keys] = world.store.tie(sync.id, *keys, world.clock.now())
    return ledger.ties[keys]


def bases(
    step: Step, receipt: Receipt | None, ledger: Ledger
) -> tuple[dict[FieldId, Value], dict[FieldId, Value]]:
    """What both sides hold now in the step's fields: the vendor's own words where we wrote, else what was read."""
    left: dict[FieldId, Value] = {}
    right: dict[FieldId, Value] = {}
    written = _written(step)
    for decision in step.fields:
        for side, out in ((Side.LEFT, left), (Side.RIGHT, right)):
            name = decision.left_field if side is Side.LEFT else decision.right_field
            planned = _planned(decision, side)
            if planned is None:
                continue
            answered = None
            if side is step.side and name in written and receipt is not None and receipt.record is not None:
                answered = receipt.record.fields.get(name)
            elif (
                side is not step.side and _target(decision, side) is not None and step.counterpart is not None
            ):
                earlier = ledger.now.get((side, step.counterpart))
                answered = earlier.fields.get(name) if earlier else None
            out[name] = planned if answered is None else answered
    return left, right


def _keep_own(sync: Sync, step: Step, ledger: Ledger, base: dict[FieldId, Value]) -> None:
    """What the source of a copy held in the fields that the copy does not get (they flow the other way only), so that
    a later edit of them is known for one."""
    if step.counterpart is None:
        return
    source = ledger.now.get((step.side.other, step.counterpart))
    decided = {d.left_field if step.side is Side.RIGHT else d.right_field for d in step.fields}
    for lens in sync.rules.lenses:
        name = lens.mapping.of(step.side.other)
        if (
            source is not None
            and name not in decided
            and not lens.flows_to(step.side)
            and name in source.fields
        ):
            base[name] = source.fields[name]


def _written(step: Step) -> Mapping[FieldId, Value]:
    match step.write:
        case Create(fields) | Update(_, fields) | Restore(_, fields):
            return fields
        case _:
            return {}


def _target(decision: FieldDecision, side: Side) -> Value | None:
    return decision.to_left if side is Side.LEFT else decision.to_right


def _now(decision: FieldDecision, side: Side) -> Value | None:
    return decision.left if side is Side.LEFT else decision.right


def _planned(decision: FieldDecision, side: Side) -> Value | None:
    target = _target(decision, side)
    return _now(decision, side) if target is None else target


def _count_down(before: Keys, after: Keys, ledger: Ledger) -> None:
    count = ledger.left.pop(before, 1) - 1
    ledger.left[after] = ledger.left.pop(after, 0) + count
    if before in ledger.open:
        ledger.open.add(after)


def _move(
    ledger: Ledger, link: LinkId, left: Mapping[FieldId, Value], right: Mapping[FieldId, Value]
) -> None:
    base = ledger.bases.get(link, {})
    ledger.bases[link] = {
        side: {**base.get(side, {}), **moved} for side, moved in ((Side.LEFT, left), (Side.RIGHT, right))
    }


def _see_link(
    world: World, sync: Sync, link: LinkId, keys: tuple[RecordKey, RecordKey], ledger: Ledger
) -> None:
    """Both records as they are now; settled once nothing more is to come and nothing is open."""
    is_settled = ledger.left.get(keys, 0) <= 0 and keys not in ledger.open
    for side, key in zip(Side, keys, strict=True):
        record = ledger.now.get((side, key))
        if record is not None:
            digest = ledger.digests.get((side, key), b"")
            base = ledger.bases.get(link, {}).get(side, {})
            seen = seen_now(sync.trim(side, record), digest, link=link, is_settled=is_settled, base=base)
            ledger.pending.seen[side][key] = seen


def _close(world: World, sync: Sync, step: Step, ledger: Ledger) -> None:
    """The link ends. Whatever is gone leaves a tombstone; a released record stays for itself."""
    assert step.link is not None  # noqa: S101 - only links are closed
    flush(world, sync, ledger)
    world.store.untie(step.link, step.release, world.clock.now())
    for side, key in zip(Side, keys_of(step), strict=True):
        if key is None or side is step.release:
            continue
        is_ours = side is step.side and isinstance(step.write, Delete)
        gone = Gone(Proof.DELETED_BY_US) if is_ours else ledger.gone.get((side, key), Gone(Proof.NOT_FOUND))
        world.store.see(sync.id, side, [tombstone(key, gone, step.title)])


def _leave_alone(world: World, sync: Sync, step: Step, receipt: Receipt | None, ledger: Ledger) -> None:
    """A record without a link: it goes, or it is back and stands for itself."""
    flush(world, sync, ledger)
    if isinstance(step.write, Delete) and step.key is not None:
        gone = Gone(Proof.DELETED_BY_US)
        world.store.see(sync.id, step.side, [tombstone(step.key, gone, step.title)])
    elif receipt is not None:
        record = ledger.now.get((step.side, receipt.key), Record(receipt.key, {}, title=step.title))
        back = seen_now(record, b"", link=None, is_settled=True, standing=Standing.RELEASED)
        world.store.see(sync.id, step.side, [back])


def _keyed(entry: Entry, step: Step, receipt: Receipt | None) -> Entry:
    """A record that was made anew has a key only now."""
    if receipt is None:
        return entry
    if step.side is Side.LEFT:
        return msgspec.structs.replace(entry, left_key=receipt.key)
    return msgspec.structs.replace(entry, right_key=receipt.key)


def _entries(
    run: RunId, step: Step, receipt: Receipt | None, ledger: Ledger, now: dt.datetime
) -> Iterator[Entry]:
    is_update = isinstance(step.write, Update)
    is_removal = isinstance(step.write, Delete | Archive) or step.effect is Effect.CLOSE
    if is_removal or not (step.fields or is_update):
        yield closing(run, step, ledger.gone, now)
        if step.key is not None and (step.link is not None or step.effect is Effect.ALONE):
            known = ledger.bases.get(step.link) if step.link is not None else None
            base = known[step.side] if known and step.side in known else dict[FieldId, Value]()
            seen = ledger.now.get((step.side, step.key))
            yield from removed(run, step, {**base, **(seen.fields if seen else {})}, now)
        return
    for decision in step.later:
        yield from _changes(run, step, decision, step.side, receipt, now)
    for decision in step.fields:
        for side in Side:
            # What was written on the other side was told of by the step before.
            if not (is_update and step.after is not None and side is not step.side):
                yield from _changes(run, step, decision, side, receipt, now)
        if decision.to_left is None and decision.to_right is None:
            yield Entry(
                run, step.link, *keys_of(step), decision.name, None, decision.left, decision.right, decision.lost,
                decision.rule, now, step.title,
            )  # fmt: skip


def _changes(
    run: RunId, step: Step, decision: FieldDecision, side: Side, receipt: Receipt | None, now: dt.datetime
) -> Iterator[Entry]:
    """What a decision changed on a side, and what the vendor made of it."""
    target, name = _target(decision, side), decision.of(side)
    if target is None:
        return
    new = target
    if side is step.side and name in _written(step) and receipt is not None and receipt.record is not None:
        new = receipt.record.fields.get(name, target)
    lost = decision.lost if decision.lost_side is side else None
    yield Entry(
        run, step.link, *keys_of(step), decision.name, side, _now(decision, side), new, lost, decision.rule, now,
        step.title,
    )  # fmt: skip
    if not same(new, target):
        yield Entry(
            run, step.link, *keys_of(step), decision.name, None, target, new, None, Rule.NORMALISED, now, step.title,
        )  # fmt: skip


def closing(
    run: RunId,
    step: Step,
    gone: Mapping[tuple[Side, RecordKey], Gone],
    now: dt.datetime,
    read_at: dt.datetime | None = None,
) -> Entry:
    """The line of the record itself. `new` holds the proof of the absence that led to it: nothing is deleted without.

    `read_at` is when the other record was looked for right before a deletion; now, if it is not given.
    """
    is_removal = isinstance(step.write, Delete | Archive)
    known = {side: gone.get((side, key)) for side, key in zip(Side, keys_of(step), strict=True) if key}
    if is_removal and step.proof is not None and known.get(step.side.other) is None:
        known[step.side.other] = step.proof
    proofs = [
        proof_text(side, proof, (read_at or now) if is_removal and side is not step.side else None)
        for side, proof in known.items()
        if proof is not None
    ]
    side, new = step.side if step.write is not None else None, Text("; ".join(proofs)) if proofs else None
    return Entry(run, step.link, *keys_of(step), "", side, None, new, None, step.rule, now, step.title)


def removed(run: RunId, step: Step, held: Mapping[FieldId, Value], now: dt.datetime) -> Iterator[Entry]:
    """What a deleted record held last, so that the history can give it back; nothing for any other step."""
    if not isinstance(step.write, Delete):
        return
    for name, value in held.items():
        yield Entry(
            run, step.link, *keys_of(step), str(name), step.side, value, None, value, step.rule, now, step.title
        )  # fmt: skip


def touched(steps: Iterable[Step]) -> dict[Keys, int]:
    """How many steps each pair of records waits for."""
    out: dict[Keys, int] = {}
    for step in steps:
        out[keys_of(step)] = out.get(keys_of(step), 0) + 1
    return out
