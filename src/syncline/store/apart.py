"""Pairs that a person keeps apart, in and out of the `apart` table; and lists of what is linked or released.

A part of `SqlStore`, for what persons say about links.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from syncline.core.memory import KeptApart, Seen
from syncline.core.records import LinkId, RecordKey, Side, SyncId
from syncline.store.codec import micros, moment, side_number
from syncline.store.dialects import Dialect, fixed
from syncline.store.session import Rows
from syncline.store.sightings import RELEASED, SEEN_COLUMNS, seen_of
from syncline.store.tables import apart, link, sighting

_COLUMNS = ("sync", "left_key", "right_key", "at", "reason")
_APART = (
    sa.select(apart.c.left_key, apart.c.right_key, apart.c.at, apart.c.reason)
    .where(apart.c.sync == sa.bindparam("sync"))
    .order_by(apart.c.at, apart.c.left_key, apart.c.right_key)
)
_REJOIN = sa.delete(apart).where(
    apart.c.sync == sa.bindparam("sync"),
    apart.c.left_key == sa.bindparam("left"),
    apart.c.right_key == sa.bindparam("right"),
)
_RELEASED = (
    sa.select(*(sighting.c[name] for name in SEEN_COLUMNS))
    .where(
        sighting.c.sync == sa.bindparam("sync"),
        sighting.c.side == sa.bindparam("side"),
        sighting.c.link.is_(None),
        sighting.c.gone.is_(None),
        sighting.c.standing == RELEASED,
    )
    .order_by(sighting.c.id)
)
_OPEN = (
    sa.select(link.c.id)
    .where(
        link.c.sync == sa.bindparam("sync"), link.c.closed_at.is_(None), link.c.id < sa.bindparam("before")
    )
    .order_by(link.c.id.desc())
    .limit(sa.bindparam("most"))
)
_UNSETTLED = sa.exists().where(
    sighting.c.sync == link.c.sync, sighting.c.link == link.c.id, sighting.c.is_settled == fixed(0)
)
_LINKED = {None: _OPEN, True: _OPEN.where(~_UNSETTLED), False: _OPEN.where(_UNSETTLED)}
_ABOVE_ALL = 2**62


def _keep_apart(dialect: Dialect) -> sa.Insert:
    upsert = dialect.upsert(apart, ["sync", "left_key", "right_key"], _COLUMNS)
    return upsert.values({name: sa.bindparam(name) for name in _COLUMNS})


class Apart(Rows):
    """Records that are not the same, and records that go on alone."""

    def keep_apart(
        self, sync: SyncId, left: RecordKey, right: RecordKey, reason: str, now: dt.datetime
    ) -> None:
        """Remember that these two are not the same. Said again, it gets a new reason and time."""
        with self._together():
            self._run(
                _keep_apart,
                sync=self._numbered(sync),
                left_key=left,
                right_key=right,
                at=micros(now),
                reason=reason,
            )

    def rejoin(self, sync: SyncId, left: RecordKey, right: RecordKey) -> None:
        """Forget that these two are kept apart."""
        self._run(_REJOIN, sync=self._number(sync), left=left, right=right)

    def apart(self, sync: SyncId) -> Sequence[KeptApart]:
        """All pairs that are kept apart, oldest first."""
        return [
            KeptApart(left, right, moment(at), reason)
            for left, right, at, reason in self._rows(_APART, sync=self._number(sync))
        ]

    def released(self, sync: SyncId, side: Side) -> Sequence[Seen]:
        """Present records that go on alone."""
        rows = self._rows(_RELEASED, sync=self._number(sync), side=side_number(side))
        return [seen_of(row) for row in rows]

    def linked(
        self, sync: SyncId, limit: int = 100, *, before: int | None = None, is_settled: bool | None = None
    ) -> Sequence[LinkId]:
        """Open links, the newest first; only those with a number below `before`, and of which all (or not all) is settled,
        where that is asked."""
        rows = self._rows(
            _LINKED[is_settled],
            sync=self._number(sync),
            most=limit,
            before=_ABOVE_ALL if before is None else before,
        )
        return [row[0] for row in rows]
