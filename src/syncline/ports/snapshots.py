"""What our memory knows of how the workspace stood on earlier days.

Part of `ports.Store`; implemented by `store.snapshots`, proved by `tests/store/snapshots_suite.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

from syncline.core.figures import Snapshot


class SnapshotStore(Protocol):
    """One snapshot for each day."""

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        """Keep how it stood, unless there is a snapshot of that day already."""
        ...

    def has_snapshot(self, day: dt.date) -> bool:
        """Whether there is one of this day."""
        ...

    def snapshots(self, begin: dt.date, end: dt.date, limit: int) -> Sequence[Snapshot]:
        """Those from one day to another, both included, oldest first; so many at most."""
        ...
