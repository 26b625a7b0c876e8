"""Runs and the leases that keep two of them off one sync.

A part of `SqlStore`. The token of a lease numbers the runs of a sync and fences them: whoever comes with an older one
has lost the sync, however sure of itself it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from syncline.core.memory import IntentState, Run, RunState
from syncline.core.records import RunId, SyncId
from syncline.errors import BusyError
from syncline.store.codec import micros, moment, moment_or_none
from syncline.store.dialects import Dialect, fixed
from syncline.store.session import Row, Rows
from syncline.store.tables import intent, lease, run

_RUN = run.c.id == sa.bindparam("run")
_LEASE = sa.select(lease.c.token, lease.c.run, lease.c.until).where(lease.c.sync == sa.bindparam("sync"))
_GIVE_BACK = sa.update(lease).where(lease.c.run == sa.bindparam("holder")).values(run=sa.null())
# What a dead process had sent may still be on its way: those leases last as long as an answer would be waited for.
_SENT = sa.exists().where(intent.c.run == lease.c.run, intent.c.state == fixed(IntentState.OPEN.value))
_IDLE = (lease.c.run.is_not(None), lease.c.until > fixed(0), ~_SENT)
_HELD = sa.select(lease.c.run).where(*_IDLE)
_FREE = sa.update(lease).where(*_IDLE).values(until=fixed(0))
# The row stays locked until the transaction ends, where the database locks rows: nobody takes the sync meanwhile.
_HOLDS = sa.select(lease.c.token).where(lease.c.run == sa.bindparam("holder")).with_for_update()
_START = (
    sa.insert(run)
    .inline()
    .values(
        id=sa.bindparam("run"),
        sync=sa.bindparam("sync"),
        token=sa.bindparam("token"),
        state=sa.bindparam("state"),
        started_at=sa.bindparam("now"),
        report=fixed(""),
    )
)
_END = (
    sa.update(run)
    .where(_RUN)
    .values(state=sa.bindparam("new"), ended_at=sa.bindparam("now"), report=sa.bindparam("told"))
)
_INTERRUPT = sa.update(run).where(_RUN).values(state=sa.bindparam("new"), ended_at=sa.bindparam("now"))
_RUNS = (
    sa.select(run.c.id, run.c.state, run.c.started_at, run.c.ended_at, run.c.report)
    .where(run.c.sync == sa.bindparam("sync"))
    .order_by(run.c.token.desc())
    .limit(sa.bindparam("most"))
)


def _clock(dialect: Dialect) -> sa.Select[int]:
    return sa.select(dialect.clock)


def _until(dialect: Dialect) -> sa.ColumnElement[int]:
    return dialect.clock + sa.bindparam("span", type_=sa.BigInteger)


def _take(dialect: Dialect) -> sa.Insert:
    names = ("sync", "token", "run")
    taken = dialect.upsert(lease, ["sync"], (*names, "until"))
    return taken.values({name: sa.bindparam(name) for name in names}).values(until=_until(dialect))


def _renew(dialect: Dialect) -> sa.Update:
    return sa.update(lease).where(lease.c.run == sa.bindparam("holder")).values(until=_until(dialect))


def held(dialect: Dialect) -> sa.Select[str | None]:
    """The runs whose leases are alive."""
    return sa.select(lease.c.run).where(lease.c.run.is_not(None), lease.c.until > dialect.clock)


class Runs(Rows):
    """Runs."""

    def begin_run(self, sync: SyncId, now: dt.datetime, lease: dt.timedelta) -> Run:
        """Take the sync's lease and open a run. Raises `BusyError` while another run's lease is alive; a run whose
        lease ran out is closed as interrupted."""
        with self._together():
            number = self._numbered(sync)
            token, holder, until = self._row(_LEASE, sync=number) or (0, None, 0)
            if holder is not None:
                if self._clock(now) < until:
                    raise BusyError(
                        f"run {holder} holds the sync '{sync}' until {moment(until):%H:%M:%S} UTC"
                    )
                self._run(_INTERRUPT, run=holder, new=RunState.INTERRUPTED.value, now=micros(now))
            made = Run(RunId(f"{sync}-{token + 1}"), sync, RunState.RUNNING, now.astimezone(dt.UTC))
            self._run(_take, sync=number, token=token + 1, run=made.id, now=micros(now), span=_span(lease))
            self._run(
                _START, run=made.id, sync=number, token=token + 1, state=made.state.value, now=micros(now)
            )
            return made

    def free_all(self) -> None:
        """Nobody who holds a sync is alive: let it be taken at once, unless a write may be under way. Who comes next closes
        what was begun."""
        if self._row(_HELD) is not None:
            self._run(_FREE)

    def renew(self, run: RunId, now: dt.datetime, lease: dt.timedelta) -> None:
        """Hold the lease longer. Raises `BusyError` when it was lost to another run."""
        if not self._run(_renew, holder=run, now=micros(now), span=_span(lease)):
            raise BusyError(
                f"run {run} lost its sync: it ended, or was silent for too long and another run began"
            )

    def end_run(self, run: RunId, state: RunState, report: str, now: dt.datetime) -> None:
        """Close a run and give the lease back. A run that lost its lease was closed when that happened, and stays
        as it is."""
        with self._together():
            if self._run(_GIVE_BACK, holder=run):
                self._run(_END, run=run, new=state.value, now=micros(now), told=report)

    def runs(self, sync: SyncId, limit: int = 20) -> Sequence[Run]:
        """The latest runs, newest first."""
        return [_run_of(sync, row) for row in self._rows(_RUNS, sync=self._number(sync), most=limit)]

    def _clock(self, now: dt.datetime) -> int:
        """The time that leases are counted in: the database's own where it has one, so that all processes mean the same."""
        ((told,),) = self._rows(_clock, now=micros(now))
        return told

    def _fence(self, run: RunId) -> None:
        """Raise `BusyError` unless the run holds its sync."""
        if self._row(_HOLDS, holder=run) is None:
            raise BusyError(f"run {run} does not hold its sync any more")


def _span(lease: dt.timedelta) -> int:
    return lease // dt.timedelta(microseconds=1)


def _run_of(sync: SyncId, row: Row) -> Run:
    number, state, started_at, ended_at, report = row
    return Run(number, sync, RunState(state), moment(started_at), moment_or_none(ended_at), report)
