"""What the service knows of time: what is due for each sync, and how long edits took to be written.

Part of `ports.Store`; implemented by `store.due`, proved by `tests/store/due_suite.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from syncline.core.records import SyncId
from syncline.core.timetable import DueKind


class Due(msgspec.Struct, frozen=True):
    """Something of a sync that is due at a time. `every` is the interval that led there (polls), `misses` how often it
    failed in a row, `why` what the last failure was (a code)."""

    sync: SyncId
    kind: DueKind
    at: dt.datetime
    every: dt.timedelta = dt.timedelta()
    misses: int = 0
    why: str = ""


class DueStore(Protocol):
    """Due times and lags in our memory."""

    def save_due(self, due: Due) -> None:
        """Keep when something is due (replaces an earlier one of the same sync and kind)."""
        ...

    def drop_due(self, sync: SyncId, kind: DueKind | None = None) -> None:
        """Forget what is due for a sync: of one kind, or everything."""
        ...

    def dues(self, sync: SyncId | None = None) -> Sequence[Due]:
        """What is due for a sync, or for all of them, earliest first."""
        ...

    def add_lag(self, sync: SyncId, hour: dt.datetime, counts: Mapping[dt.timedelta, int]) -> None:
        """Add to the counts of an hour: so many edits took at most so long until they were written."""
        ...

    def lags(self, sync: SyncId, since: dt.datetime) -> Mapping[dt.timedelta, int]:
        """The counts of all hours that begin then or later, by their bounds."""
        ...
