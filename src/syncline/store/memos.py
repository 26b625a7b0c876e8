"""Small texts of a sync by name: cursors, digests, schemas.

A part of `SqlStore`. Whoever holds a sync reads dozens of them: `reading_once` fetches them all together.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import sqlalchemy as sa

from syncline.core.records import SyncId
from syncline.store.dialects import Dialect
from syncline.store.session import Rows
from syncline.store.tables import memo

_OF_SYNC = memo.c.sync == sa.bindparam("sync")
_RECALL = sa.select(memo.c.value).where(_OF_SYNC, memo.c.name == sa.bindparam("name"))
_ALL = sa.select(memo.c.name, memo.c.value).where(_OF_SYNC)


def keep_memo(dialect: Dialect) -> sa.Insert:
    """A memo, in place of an earlier one."""
    names = ("sync", "name", "value")
    upsert = dialect.upsert(memo, ["sync", "name"], names)
    return upsert.values({name: sa.bindparam(name) for name in names})


class Memos(Rows):
    """Small texts."""

    def remember(self, sync: SyncId, name: str, value: str) -> None:
        """Keep a small text for the sync: a cursor, the digest of its mapping, a schema."""
        with self._together():
            self._run(keep_memo, sync=self._numbered(sync), name=name, value=value)
            if sync in self._read:
                self._of(sync)[name] = value

    def recall(self, sync: SyncId, name: str) -> str | None:
        """A text kept with `remember`."""
        if sync in self._read:
            return self._of(sync).get(name)
        row = self._row(_RECALL, sync=self._number(sync), name=name)
        return row[0] if row else None

    @contextmanager
    def reading_once(self, sync: SyncId) -> Generator[None]:
        """While it is open, what `recall` answers for the sync was read together, at the first need. For whoever holds the
        sync: what another process keeps meanwhile is not seen."""
        self._read[sync] = None
        try:
            yield
        finally:
            self._read.pop(sync, None)

    def _of(self, sync: SyncId) -> dict[str, str]:
        texts = self._read.get(sync)
        if texts is None:
            texts = self._read[sync] = dict(self._rows(_ALL, sync=self._number(sync)))
        return texts
