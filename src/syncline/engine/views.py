"""What we remember into what people ask for. Read only; the CLI and (later) the web show the same numbers."""

from __future__ import annotations

import msgspec

from syncline.core.memory import Counts, Parked, Run
from syncline.core.records import SyncId
from syncline.ports import Store


class Status(msgspec.Struct, frozen=True):
    """How a sync stands."""

    sync: SyncId
    counts: Counts
    last: Run | None
    questions: int
    unknown: int
    parked: tuple[Parked, ...]


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
        tuple(store.parked(sync_id)),
    )
