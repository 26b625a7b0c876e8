"""Runs and history in pages, newest first, for whoever looks through them.

A part of `SqlStore`. A page begins below a number that only grows, so that it stays right while more is added.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from syncline.core.memory import Entry, Run, RunState
from syncline.core.records import RecordKey, RunId, SyncId
from syncline.store.codec import moment, moment_or_none
from syncline.store.journal import HISTORY, entry_of
from syncline.store.session import Row, Rows
from syncline.store.tables import history, run
from syncline.store.tables import sync as sync_table

_FIRST = 2**62
_RUN = sa.select(run.c.id, run.c.state, run.c.started_at, run.c.ended_at, run.c.report, run.c.token)
_ONE = _RUN.add_columns(sync_table.c.name).where(
    run.c.id == sa.bindparam("run"), sync_table.c.id == run.c.sync
)
_RUNS = (
    _RUN.where(run.c.sync == sa.bindparam("sync"), run.c.token < sa.bindparam("before"))
    .order_by(run.c.token.desc())
    .limit(sa.bindparam("most"))
)
_BEFORE = {of: query.where(history.c.id < sa.bindparam("before")) for of, query in HISTORY.items()}


class Paged(Rows):
    """Runs and history in pages."""

    def find_run(self, run: RunId) -> Run | None:
        """One run."""
        row = self._row(_ONE, run=run)
        return None if row is None else _run(row[:-1], SyncId(row[-1]))

    def runs_before(self, sync: SyncId, limit: int, before: int | None = None) -> Sequence[tuple[int, Run]]:
        """The latest runs with their numbers, newest first; only those with a number below `before`, where it is given."""
        rows = self._rows(
            _RUNS, sync=self._number(sync), most=limit, before=_FIRST if before is None else before
        )
        return [(row[-1], _run(row, sync)) for row in rows]

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
        asked = {name: value for name, value in (("key", key), ("run", run)) if value is not None}
        rows = self._rows(
            _BEFORE[key is not None, run is not None],
            sync=self._number(sync),
            most=limit,
            before=_FIRST if before is None else before,
            **asked,
        )
        return [entry_of(row) for row in rows]


def _run(row: Row, sync: SyncId) -> Run:
    id_, state, started_at, ended_at, report, _ = row
    return Run(id_, sync, RunState(state), moment(started_at), moment_or_none(ended_at), report)
