"""How the workspace stood, day by day, into rows and back. A part of `SqlStore`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa

from syncline.core.figures import Figures, Snapshot
from syncline.store.codec import Codec
from syncline.store.dialects import Dialect
from syncline.store.session import Rows
from syncline.store.workspace_tables import overview_snapshot

_FIGURES: Codec[Mapping[str, Figures]] = Codec(msgspec.json.Decoder(Mapping[str, Figures]))
_day = overview_snapshot.c.day
_ALL = sa.select(_day, overview_snapshot.c.figures)
_SPAN = (
    _ALL.where(_day >= sa.bindparam("begin"), _day <= sa.bindparam("end"))
    .order_by(_day)
    .limit(sa.bindparam("limit"))
)
_ONE = sa.select(_day).where(_day == sa.bindparam("day"))


def _keep(dialect: Dialect) -> sa.Insert:
    made = dialect.insert(overview_snapshot).values(day=sa.bindparam("day"), figures=sa.bindparam("figures"))
    return made.on_conflict_do_nothing(index_elements=["day"])


class Snapshots(Rows):
    """One snapshot for each day."""

    def keep_snapshot(self, snapshot: Snapshot) -> None:
        """Keep how it stood, unless there is a snapshot of that day already."""
        self._run(_keep, day=snapshot.day.isoformat(), figures=_FIGURES.text(snapshot.clients))

    def has_snapshot(self, day: dt.date) -> bool:
        """Whether there is one of this day."""
        return self._row(_ONE, day=day.isoformat()) is not None

    def snapshots(self, begin: dt.date, end: dt.date, limit: int) -> Sequence[Snapshot]:
        """Those from one day to another, both included, oldest first; so many at most."""
        rows = self._rows(_SPAN, begin=begin.isoformat(), end=end.isoformat(), limit=limit)
        return [Snapshot(dt.date.fromisoformat(day), _FIGURES.value(figures)) for day, figures in rows]
