"""What people search: items of the workspace, and the records that syncs know, by a part of what they are called.

Part of `ports.Store`; implemented by `store.searching`, proved by `tests/store/searching_suite.py`. Asked by `service.search`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

import msgspec

from syncline.core.records import RecordKey, Side, SyncId
from syncline.core.workspace import Item


class FoundRecord(msgspec.Struct, frozen=True):
    """A record that a sync knows. `id` numbers what was seen, in the order in which it was first seen."""

    id: int
    sync: SyncId
    side: Side
    key: RecordKey
    title: str
    updated_at: dt.datetime | None


class SearchStore(Protocol):
    """Search in our memory. Letters beyond ASCII are found as they are written, or all small."""

    def search_items(self, text: str, limit: int, before: int | None = None) -> Sequence[Item]:
        """Items that hold a text anywhere in their fields, last changed first; those before the change `before`, where it is
        given. May answer some that hold it in the name of a field only."""
        ...

    def search_records(self, text: str, limit: int, after: int = 0) -> Sequence[FoundRecord]:
        """Present records of all syncs whose title or key holds a text, in the order of their ids, from behind `after`."""
        ...
