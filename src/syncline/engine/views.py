"""What we remember into what people ask for. Read only; the CLI and (later) the web show the same numbers."""

from __future__ import annotations

import msgspec

from syncline.core.catalogue import remedy_of
from syncline.core.memory import Counts, Parked, Run
from syncline.core.records import SyncId
from syncline.core.shapes import Paused
from syncline.engine.drift import paused
from syncline.ports import Store


class Status(msgspec.Struct, frozen=True):
    """How a sync stands. `paused` are the field lines that rested in its last run."""

    sync: SyncId
    counts: Counts
    last: Run | None
    questions: int
    unknown: int
    parked: tuple[Parked, ...]
    paused: tuple[Paused, ...] = ()


def status_of(store: Store, sync: str) -> Status:
    """How a sync stands, from our own memory."""
    sync_id = SyncId(sync)
    runs = store.runs(sync_id, limit=1)
    return Status(
        sync_id,
        store.counts(sync_id),
        runs[0] if runs else None,
        len(store.questions(sync_id)),
        len(store.intents(sync_id)),
        tuple(msgspec.structs.replace(each, remedy=remedy_of(each.code)) for each in store.parked(sync_id)),
        paused(store, sync_id),
    )
