"""Due times and lags of syncs in SQL.

A part of `SqlStore`. A handful of rows for each sync.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from syncline.core.records import SyncId
from syncline.core.timetable import DueKind
from syncline.ports.due import Due
from syncline.store.codec import micros, moment
from syncline.store.dialects import Dialect
from syncline.store.service_tables import due, lag
from syncline.store.session import Rows

_MICROSECOND = dt.timedelta(microseconds=1)
_NAMES = ("sync", "kind", "at", "every", "misses", "why")
_DUES = sa.select(*(due.c[name] for name in _NAMES)).order_by(due.c.at, due.c.sync, due.c.kind)
_DUES_OF = _DUES.where(due.c.sync == sa.bindparam("sync"))
_DROP_ALL = sa.delete(due).where(due.c.sync == sa.bindparam("sync"))
_DROP = _DROP_ALL.where(due.c.kind == sa.bindparam("kind"))
_LAGS = (
    sa.select(lag.c.bucket, sa.func.sum(lag.c.count))
    .where(lag.c.sync == sa.bindparam("sync"), lag.c.hour >= sa.bindparam("since"))
    .group_by(lag.c.bucket)
    .order_by(lag.c.bucket)
)


def _save(dialect: Dialect) -> sa.Insert:
    upsert = dialect.upsert(due, ["sync", "kind"], _NAMES)
    return upsert.values({name: sa.bindparam(name) for name in _NAMES})


def _add(dialect: Dialect) -> sa.Insert:
    names = ("sync", "hour", "bucket", "count")
    insert = dialect.insert(lag).values({name: sa.bindparam(name) for name in names})
    return insert.on_conflict_do_update(
        index_elements=["sync", "hour", "bucket"], set_={"count": lag.c.count + insert.excluded["count"]}
    )


class Dues(Rows):
    """Due times and lags."""

    def save_due(self, due: Due) -> None:
        """Keep when something is due (replaces an earlier one of the same sync and kind)."""
        self._run(
            _save,
            sync=due.sync,
            kind=due.kind.value,
            at=micros(due.at),
            every=due.every // _MICROSECOND,
            misses=due.misses,
            why=due.why,
        )

    def drop_due(self, sync: SyncId, kind: DueKind | None = None) -> None:
        """Forget what is due for a sync: of one kind, or everything."""
        if kind is None:
            self._run(_DROP_ALL, sync=sync)
        else:
            self._run(_DROP, sync=sync, kind=kind.value)

    def dues(self, sync: SyncId | None = None) -> Sequence[Due]:
        """What is due for a sync, or for all of them, earliest first."""
        rows = self._rows(_DUES) if sync is None else self._rows(_DUES_OF, sync=sync)
        return [
            Due(SyncId(name), DueKind(kind), moment(at), every * _MICROSECOND, misses, why)
            for name, kind, at, every, misses, why in rows
        ]

    def add_lag(self, sync: SyncId, hour: dt.datetime, counts: Mapping[dt.timedelta, int]) -> None:
        """Add to the counts of an hour: so many edits took at most so long until they were written."""
        with self._together():
            rows = [
                {"sync": sync, "hour": micros(hour), "bucket": bound // _MICROSECOND, "count": count}
                for bound, count in counts.items()
            ]
            self._many(_add, rows)

    def lags(self, sync: SyncId, since: dt.datetime) -> Mapping[dt.timedelta, int]:
        """The counts of all hours that begin then or later, by their bounds."""
        rows = self._rows(_LAGS, sync=sync, since=micros(since))
        return {bucket * _MICROSECOND: int(count) for bucket, count in rows}
