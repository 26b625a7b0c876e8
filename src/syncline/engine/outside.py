"""Records that a sync's filters leave out: which of them stand in the way of a copy, and which nobody can judge.

Called by `reconcile`, and by `known` for the certificate. A record outside the filter is neither matched nor copied. But it is there: a record of the other
side that would be matched with it gets no copy on its side, for that would be a second one of the same thing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from syncline.core.decisions import Decision, Rule, View, Wait
from syncline.core.match import Matching, match
from syncline.core.memory import Seen
from syncline.core.plan import Held
from syncline.core.records import Present, Record, RecordKey, Side
from syncline.engine.pull import Sweep, as_seen
from syncline.engine.sync import Sync, World


def without_barred(
    world: World, sync: Sync, sweeps: Mapping[Side, Sweep], matching: Matching
) -> tuple[Matching, list[Held]]:
    """The matching without lone records whose counterpart the other side's filter leaves out, and those, held."""
    held: list[Held] = []
    lone = {side: matching.lone(side) for side in Side}
    for side in Side:
        if side.other not in sync.filters or not lone[side]:
            continue
        left_out = _left_out(world, sync, side.other, sweeps[side.other])
        keys = _matched(sync, side, lone[side], left_out)
        barred = [record for record in lone[side] if record.key in keys]
        lone[side] = tuple(record for record in lone[side] if record.key not in keys)
        text = f"its counterpart lies outside the {side.other.value} filter"
        held += [_held(side, record, text) for record in barred]
    return msgspec.structs.replace(matching, lone_left=lone[Side.LEFT], lone_right=lone[Side.RIGHT]), held


def barred_now(world: World, sync: Sync) -> frozenset[tuple[Side, RecordKey]]:
    """The remembered records whose counterpart the other side's filter leaves out."""
    out: set[tuple[Side, RecordKey]] = set()
    for side in Side:
        if side.other in sync.filters:
            lone = _records(world.store.waiting(sync.id, side))
            left_out = _records(world.store.outside(sync.id, side.other))
            out |= {(side, key) for key in _matched(sync, side, lone, left_out)}
    return frozenset(out)


def _matched(
    sync: Sync, side: Side, lone: Sequence[Record], left_out: Sequence[Record]
) -> frozenset[RecordKey]:
    """Which of the records would be matched with some of those that the other side leaves out."""
    pools = {side: lone, side.other: left_out}
    found = match(sync.id, sync.match, sync.rules.lenses, pools[Side.LEFT], pools[Side.RIGHT])
    return frozenset(record.key for record in lone) - {record.key for record in found.lone(side)}


def _records(many: Iterable[Seen]) -> list[Record]:
    sightings = (as_seen(seen) for seen in many)
    return [sighting.record for sighting in sightings if isinstance(sighting, Present)]


def tell_doubts(sync: Sync, view: View, decision: Decision) -> Decision:
    """The decision, with the reason where a link rests because nobody can say whether it belongs to the sync."""
    if not isinstance(decision, Wait) or decision.rule is not Rule.OUT_OF_SCOPE:
        return decision
    for side in sync.filters:
        sighting = view.of(side)
        reason = sync.doubt(side, sighting.record) if isinstance(sighting, Present) else ""
        if reason:
            return Wait(decision.rule, _told(side, reason))
    return decision


def doubtful(world: World, sync: Sync, sweeps: Mapping[Side, Sweep]) -> Iterator[Held]:
    """Records without a link, just seen, that nobody can say of whether they belong to the sync."""
    for side in sync.filters:
        fresh = {key: record for key, record in sweeps[side].fresh.items() if not record.in_scope}
        known = world.store.seen(sync.id, side, list(fresh))
        for key, record in fresh.items():
            is_linked = key in known and known[key].link is not None
            reason = "" if is_linked else sync.doubt(side, record)
            if reason:
                yield _held(side, record, _told(side, reason))


def _told(side: Side, reason: str) -> str:
    return f"the {side.value} filter says neither yes nor no: {reason}"


def _held(side: Side, record: Record, reason: str) -> Held:
    keys = (record.key, None) if side is Side.LEFT else (None, record.key)
    return Held(Rule.OUT_OF_SCOPE, reason, record.title, None, *keys)


def _left_out(world: World, sync: Sync, side: Side, sweep: Sweep) -> tuple[Record, ...]:
    """Every record of a side without a link that its filter leaves out: as just seen, else as remembered."""
    remembered = _records(world.store.outside(sync.id, side))
    out = {record.key: record for record in remembered if record.key not in sweep.gone}
    fresh = {key: record for key, record in sweep.fresh.items() if key in out or not record.in_scope}
    known = world.store.seen(sync.id, side, list(fresh))
    for key, record in fresh.items():
        is_linked = key in known and known[key].link is not None
        if record.in_scope or is_linked:
            out.pop(key, None)
        else:
            out[key] = record
    return tuple(out.values())
