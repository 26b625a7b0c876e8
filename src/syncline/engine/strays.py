"""Records without a link that carry our own mark into held items: a copy is never copied back.

Called by `reconcile`. Such a record was made by this sync from another one. When its link is not known (an old backup
was put back, somebody duplicated it) and its source is still there, a second copy of the source would be the outcome.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncline.core.decisions import Rule
from syncline.core.match import Matching, external_key
from syncline.core.plan import Held
from syncline.core.records import Gone, Record, RecordKey, Side
from syncline.engine.pull import read
from syncline.engine.sync import Sync, World


async def without_strays(world: World, sync: Sync, matching: Matching) -> tuple[Matching, list[Held]]:
    """Take out the lone records that were made from a record that is not gone; each is held with its reason."""
    held: list[Held] = []
    lone = {side: matching.lone(side) for side in Side}
    for side in Side:
        marked = {record.key: key for record in lone[side] if (key := _source(sync, record)) is not None}
        if not marked:
            continue
        alive = await _alive(world, sync, side.other, sorted(set(marked.values())))
        strays = [record for record in lone[side] if marked.get(record.key) in alive]
        held += [_hold(record, side, marked[record.key]) for record in strays]
        lone[side] = tuple(record for record in lone[side] if record not in strays)
    return Matching(matching.pairs, lone[Side.LEFT], lone[Side.RIGHT], matching.ambiguous), held


def _source(sync: Sync, record: Record) -> RecordKey | None:
    """The key of the record that this one was made from, when it carries this sync's mark."""
    prefix = external_key(sync.id, RecordKey(""))
    key = record.external_key.removeprefix(prefix)
    return RecordKey(key) if key and key != record.external_key else None


async def _alive(world: World, sync: Sync, side: Side, keys: Sequence[RecordKey]) -> set[RecordKey]:
    """Which of these records are not gone, as far as we know; one that we never saw is read."""
    seen = world.store.seen(sync.id, side, keys)
    found = await read(sync, side, [key for key in keys if key not in seen])
    gone = {key for key, each in seen.items() if each.gone is not None}
    gone |= {key for key, sighting in found.items() if isinstance(sighting, Gone)}
    return set(keys) - gone


def _hold(record: Record, side: Side, source: RecordKey) -> Held:
    text = f"this sync made it from record {source}, which is still there; link the two by hand, or delete it"
    keys = (record.key, None) if side is Side.LEFT else (None, record.key)
    return Held(Rule.NO_COUNTERPART, text, record.title, None, *keys)
