"""Records of which something was heard, as rows that are added and taken away, never changed.

A part of `SqlStore`. A row for every time that something was heard: two runs, or a run and a webhook, never fight over a
row, and what is heard while a run looks has a number of its own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from syncline.core.records import RecordKey, Side, SyncId
from syncline.ports.inbox import Mark, MarkCount
from syncline.store.codec import micros, moment, side_number, side_of
from syncline.store.service_tables import mark
from syncline.store.session import Row, Rows

_KEPT = ("sync", "side", "key", "origin", "since", "not_before")
_ADD = sa.insert(mark).inline().values({name: sa.bindparam(name) for name in _KEPT})
_DUE = (
    sa.select(*(mark.c[name] for name in _KEPT), mark.c.number)
    .where(mark.c.sync == sa.bindparam("sync"), mark.c.not_before <= sa.bindparam("now"))
    .order_by(mark.c.number)
    .limit(sa.bindparam("limit"))
)
# By more than the number: SQLite may give the highest one again once its row is gone.
_REMOVE = sa.delete(mark).where(
    mark.c.number == sa.bindparam("number"),
    *(mark.c[name] == sa.bindparam(name) for name in ("sync", "side", "key", "since")),
)
_ALL = sa.select(sa.func.count(), sa.func.min(mark.c.since), sa.func.max(mark.c.number)).where(
    mark.c.sync == sa.bindparam("sync")
)
_FORGET = sa.delete(mark).where(mark.c.sync == sa.bindparam("sync"), mark.c.number <= sa.bindparam("newest"))
_COUNTS = sa.select(
    mark.c.sync, sa.func.count(), sa.func.min(mark.c.since), sa.func.min(mark.c.not_before)
).group_by(mark.c.sync)


class Marks(Rows):
    """Records of which something was heard."""

    def add_marks(self, marks: Sequence[Mark]) -> None:
        """Note that something was heard of these records."""
        with self._together():
            self._many(_ADD, [_told(each) for each in marks])

    def marks(self, sync: SyncId, now: dt.datetime, limit: int = 1000) -> Sequence[Mark]:
        """The marks of a sync that are due, in the order they were made."""
        return [_mark(row) for row in self._rows(_DUE, sync=sync, now=micros(now), limit=limit)]

    def remove_marks(self, marks: Sequence[Mark]) -> None:
        """Remove exactly these: what was marked again meanwhile stays marked."""
        with self._together():
            self._many(_REMOVE, [{**_named(each), "number": each.number} for each in marks])

    def fold_marks(self, sync: SyncId, origin: str, now: dt.datetime, most: int) -> int:
        """Where a sync has more than `most` marks, forget them and mark it as a whole, since the oldest of them. How many
        were forgotten."""
        with self._together():
            count, oldest, newest = self._row(_ALL, sync=sync) or (0, None, None)
            if count <= most or oldest is None:
                return 0
            self._run(_FORGET, sync=sync, newest=newest)
            self.add_marks([Mark(sync, Side.LEFT, RecordKey(""), origin, moment(oldest), now)])
            return count

    def mark_counts(self) -> Mapping[SyncId, MarkCount]:
        """The marks of every sync that has some, due or not."""
        return {
            SyncId(sync): MarkCount(count, moment(oldest), moment(due))
            for sync, count, oldest, due in self._rows(_COUNTS)
        }


def _told(each: Mark) -> dict[str, object]:
    return {**_named(each), "origin": each.origin, "not_before": micros(each.not_before)}


def _named(each: Mark) -> dict[str, object]:
    return {
        "sync": each.sync,
        "side": side_number(each.side),
        "key": each.key,
        "since": micros(each.since),
    }


def _mark(row: Row) -> Mark:
    sync, side, key, origin, since, not_before, number = row
    return Mark(sync, side_of(side), key, origin, moment(since), moment(not_before), number)
