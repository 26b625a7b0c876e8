"""Records that complete listings keep lacking, and that cannot be read, into the weaker proof of their absence.

Called by `pull` once the missing records were read, and by `remember`. Most absences are proven by a direct read. Where
this user may not look any more (a hidden project), or the vendor has no such read, a record that two complete listings
lack, at least `Patience.absence` apart and in two runs, counts as missing. Any listing that shows it in between, a
delta or an incomplete one too, starts the count anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterable, Mapping

import msgspec

from syncline.core.records import Gone, Proof, RecordKey, Side
from syncline.engine.sync import Sync, World

Missing = Mapping[RecordKey, dt.datetime]
"""Since when (the begin of the first listing that lacked it) a record is missing."""

_MISSING = msgspec.json.Decoder(dict[RecordKey, dt.datetime])


def count_missing(
    world: World, sync: Sync, side: Side, began_at: dt.datetime, unread: Iterable[RecordKey]
) -> tuple[Mapping[RecordKey, Gone], Missing]:
    """The records of `unread` that were missing long enough, with the proof, and the others, for the next time.

    `unread` is what a complete listing lacks that began at `began_at`, as far as a direct read told nothing of it.
    """
    before = _recall(world, sync, side)
    gone: dict[RecordKey, Gone] = {}
    missing: dict[RecordKey, dt.datetime] = {}
    for key in unread:
        since = before.get(key, began_at)
        if began_at - since >= sync.patience.absence:
            gone[key] = Gone(Proof.LISTED_TWICE, since)
        else:
            missing[key] = since
    return gone, missing


def remember_missing(world: World, sync: Sync, side: Side, missing: Missing) -> None:
    """Keep the count for the next run."""
    if missing != _recall(world, sync, side):
        world.store.remember(sync.id, _name(side), msgspec.json.encode(missing).decode())


def not_shown(
    world: World, sync: Sync, side: Side, fresh: Container[RecordKey], known: Container[int]
) -> Missing:
    """The count after a listing that proves no absence: whatever it shows, decoded or by its number, is there."""
    before = _recall(world, sync, side)
    ids = {key: one.id for key, one in world.store.recognise(sync.id, side, list(before)).items()}
    return {
        key: since
        for key, since in before.items()
        if key not in fresh and (key not in ids or ids[key] not in known)
    }


def _recall(world: World, sync: Sync, side: Side) -> Missing:
    text = world.store.recall(sync.id, _name(side))
    return _MISSING.decode(text) if text else {}


def _name(side: Side) -> str:
    return f"missing:{side.value}"
