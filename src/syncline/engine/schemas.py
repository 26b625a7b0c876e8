"""Both sides' schemas of a run into our memory and out of it, so that a sync can be looked at without a call.

Kept by `runs` when a run begins; read by `bootstrap` for commands that answer from memory.
"""

from __future__ import annotations

import msgspec

from syncline.core.records import ObjectSchema, Side, SyncId
from syncline.engine.sync import Sync
from syncline.ports import Store


def keep_schemas(store: Store, sync: Sync) -> None:
    """Remember both object types as they are described now."""
    for side in Side:
        now = sync.side(side).schema
        if kept_schema(store, sync.id, side) != now:
            store.remember(sync.id, _name(side), msgspec.json.encode(now).decode())


def kept_schema(store: Store, sync: SyncId, side: Side) -> ObjectSchema | None:
    """One object type as the last run saw it; None when none has run yet."""
    kept = store.recall(sync, _name(side))
    try:
        return msgspec.json.decode(kept, type=ObjectSchema) if kept else None
    except msgspec.ValidationError:
        # Of an older version: asked for again.
        return None


def _name(side: Side) -> str:
    return f"object:{side.value}"
