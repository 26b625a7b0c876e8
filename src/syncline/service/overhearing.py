"""Changes in the workspace into marks: every sync with the workspace on one side looks at what changed, at once.

Used by `service.serving`: after each change that a person makes, after each look of a sync (which may have written there), and at
every tick. What was overheard last is kept, so that whoever dies in between starts there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from syncline.config import ConnectionSettings, WorkspaceSettings
from syncline.core.records import RecordKey, SyncId
from syncline.core.workspace import Item
from syncline.ports import ItemFilter, Mark, Store
from syncline.service.routes import Route

_NAME = "workspace:overheard"
_AT_ONCE = 1_000


def workspace_routes(
    routes: Sequence[Route], connections: Mapping[str, ConnectionSettings]
) -> tuple[Route, ...]:
    """The sides of running syncs that are the workspace."""
    names = {name for name, settings in connections.items() if isinstance(settings, WorkspaceSettings)}
    return tuple(route for route in routes if route.connection in names)


def overhear(store: Store, routes: Sequence[Route], now: dt.datetime) -> frozenset[SyncId]:
    """Mark what changed in the workspace since the last time for the syncs of these routes; which syncs have something to
    look at. Raises `StoreError`; then what was not marked is marked the next time."""
    found: set[SyncId] = set()
    while _position(store) < store.last_change():
        with store.transaction():
            position, last = _position(store), store.last_change()
            items = store.items(ItemFilter(after=position, with_deleted=True), _AT_ONCE)
            marks = [mark for item in items for mark in _marks(item, routes, now)]
            store.add_marks(marks)
            # Unless there is more, everything up to the latest number was seen: some numbers belong to no item any more.
            reached = items[-1].change if len(items) == _AT_ONCE else last
            store.save_setting(_NAME, reached, now)
        found |= {mark.sync for mark in marks}
    return frozenset(found)


def _position(store: Store) -> int:
    kept = store.setting(_NAME)
    return msgspec.json.decode(kept.value, type=int) if kept is not None else 0


def _marks(item: Item, routes: Sequence[Route], now: dt.datetime) -> Iterator[Mark]:
    for route in routes:
        if route.object_type == item.kind.value:
            origin = f"workspace change {item.change}"
            yield Mark(route.sync, route.side, RecordKey(item.id), origin, item.last_modified, now)
