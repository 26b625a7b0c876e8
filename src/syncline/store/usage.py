"""Calls by connection, hour and purpose, and what each vendor last said of its day.

A part of `SqlStore`. Counts of several processes add up; of two allowances the one seen later stays.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from syncline.core.quota import Allowance, Purpose, Usage
from syncline.store.codec import micros, moment
from syncline.store.dialects import Dialect
from syncline.store.session import Rows
from syncline.store.tables import allowance, usage

_USED = ("connection", "hour", "purpose", "calls")
_TOLD = ("connection", "daily_limit", "daily_left", "seen_at", "resets_at")

_USAGE = (
    sa.select(usage.c.hour, usage.c.purpose, usage.c.calls)
    .where(usage.c.connection == sa.bindparam("connection"), usage.c.hour >= sa.bindparam("since"))
    .order_by(usage.c.hour, usage.c.purpose)
)
_ALLOWANCE = sa.select(*(allowance.c[name] for name in _TOLD[1:])).where(
    allowance.c.connection == sa.bindparam("connection")
)


def _use(dialect: Dialect) -> sa.Insert:
    insert = dialect.insert(usage)
    added = {"calls": usage.c.calls + insert.excluded.calls}
    adding = insert.on_conflict_do_update(index_elements=list(_USED[:3]), set_=added)
    return adding.values({name: sa.bindparam(name) for name in _USED})


def _save(dialect: Dialect) -> sa.Insert:
    insert = dialect.insert(allowance)
    renewed = insert.on_conflict_do_update(
        index_elements=["connection"],
        set_={name: insert.excluded[name] for name in _TOLD[1:]},
        where=allowance.c.seen_at <= insert.excluded.seen_at,
    )
    return renewed.values({name: sa.bindparam(name) for name in _TOLD})


class Meters(Rows):
    """Usage and allowances."""

    def use(self, connection: str, hour: dt.datetime, purpose: Purpose, calls: int) -> None:
        """Add to the calls of a connection in the hour that begins then."""
        with self._together():
            self._run(_use, connection=connection, hour=micros(hour), purpose=purpose.value, calls=calls)

    def usage(self, connection: str, since: dt.datetime) -> Sequence[Usage]:
        """The calls of a connection in every hour that begins then or later, oldest first."""
        rows = self._rows(_USAGE, connection=connection, since=micros(since))
        return [Usage(moment(hour), Purpose(purpose), calls) for hour, purpose, calls in rows]

    def save_allowance(self, connection: str, allowance: Allowance) -> None:
        """Keep what the vendor said of its day, unless something newer is kept."""
        with self._together():
            self._run(
                _save,
                connection=connection,
                daily_limit=allowance.daily_limit,
                daily_left=allowance.daily_left,
                seen_at=micros(allowance.seen_at),
                resets_at=micros(allowance.resets_at),
            )

    def allowance(self, connection: str) -> Allowance | None:
        """What was kept with `save_allowance`."""
        row = self._row(_ALLOWANCE, connection=connection)
        if row is None:
            return None
        limit, left, seen_at, resets_at = row
        return Allowance(limit, left, moment(seen_at), moment(resets_at))
