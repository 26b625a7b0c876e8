"""What people page through: runs and history, newest first, from a place on.

Part of `ports.Store`; implemented by `store.paged`, proved by `tests/store/paged_suite.py`. The API reads these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from syncline.core.memory import Entry, Run
from syncline.core.records import RecordKey, RunId, SyncId


class PagedStore(Protocol):
    """Runs and history in pages."""

    def find_run(self, run: RunId) -> Run | None:
        """One run."""
        ...

    def runs_before(self, sync: SyncId, limit: int, before: int | None = None) -> Sequence[tuple[int, Run]]:
        """The latest runs with their numbers, newest first; only those with a number below `before`, where it is given."""
        ...

    def history_before(
        self,
        sync: SyncId,
        limit: int,
        *,
        key: RecordKey | None = None,
        run: RunId | None = None,
        before: int | None = None,
    ) -> Sequence[Entry]:
        """The history of a record (either side's key), of a run or of all, newest first; only entries with an id below
        `before`, where it is given."""
        ...
