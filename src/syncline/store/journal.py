"""What was intended, what came of it, and the history of every field.

A part of `SqlStore`. Intents are written before a call and settled after it; the history is only ever appended to.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from syncline.core.decisions import Rule
from syncline.core.memory import Entry, Intent, IntentState
from syncline.core.plan import Step
from syncline.core.records import RecordKey, RunId, SyncId
from syncline.store.codec import STEP, VALUE, micros, moment, side_number, side_of
from syncline.store.dialects import fixed
from syncline.store.runs import Runs
from syncline.store.session import Row
from syncline.store.tables import history, intent

_INTEND = (
    sa.insert(intent)
    .inline()
    .values({name: sa.bindparam(name) for name in ("sync", "run", "step", "state", "at")})
    .returning(intent.c.id)
)
_SETTLE = (
    sa.update(intent)
    .where(intent.c.id == sa.bindparam("intent"))
    .values(state=sa.bindparam("new"), settled_at=sa.bindparam("now"))
)
_UNCLEAR = (
    sa.select(intent.c.id, intent.c.run, intent.c.step, intent.c.state, intent.c.at)
    .where(
        intent.c.sync == sa.bindparam("sync"),
        intent.c.state.in_([fixed("open"), fixed("unknown")]),
    )
    .order_by(intent.c.id)
)

_ENTRY = (
    "run",
    "link",
    "left_key",
    "right_key",
    "field",
    "side",
    "old",
    "new",
    "lost",
    "rule",
    "at",
    "title",
)
_RECORD = sa.insert(history).inline().values({name: sa.bindparam(name) for name in ("sync", *_ENTRY)})
_LATEST = (
    sa.select(*(history.c[name] for name in _ENTRY), history.c.id)
    .where(history.c.sync == sa.bindparam("sync"))
    .order_by(history.c.id.desc())
    .limit(sa.bindparam("most"))
)
# Each side through its own index: one condition with OR would go through all of the sync's history.
_OF_RECORD = history.c.id.in_(
    sa.union(
        *(
            sa.select(history.c.id).where(history.c.sync == sa.bindparam("sync"), key == sa.bindparam("key"))
            for key in (history.c.left_key, history.c.right_key)
        )
    )
)
_OF_RUN = history.c.run == sa.bindparam("run")
HISTORY = {
    (False, False): _LATEST,
    (True, False): _LATEST.where(_OF_RECORD),
    (False, True): _LATEST.where(_OF_RUN),
    (True, True): _LATEST.where(_OF_RECORD, _OF_RUN),
}


class Journal(Runs):
    """Intents and history."""

    def intend(self, sync: SyncId, run: RunId, steps: Sequence[Step], now: dt.datetime) -> Sequence[int]:
        """Store these steps before they are carried out; answers their intents' ids in the same order. Raises
        `BusyError` when the run lost its lease: it must not write any more."""
        with self._together():
            self._fence(run)
            row = {
                "sync": self._numbered(sync),
                "run": run,
                "state": IntentState.OPEN.value,
                "at": micros(now),
            }
            return [self._rows(_INTEND, **row, step=STEP.text(step))[0][0] for step in steps]

    def settle(self, run: RunId, intents: Mapping[int, IntentState], now: dt.datetime) -> None:
        """What became of intents, be they this run's or those of one that was interrupted. Raises `BusyError` when the run
        lost its lease: another one looks after them."""
        at = micros(now)
        rows = [{"intent": number, "new": state.value, "now": at} for number, state in intents.items()]
        with self._together():
            self._fence(run)
            self._many(_SETTLE, rows)

    def intents(self, sync: SyncId) -> Sequence[Intent]:
        """Intents whose outcome is not known (open or unknown), oldest first."""
        return [
            Intent(number, run, STEP.value(step), IntentState(state), moment(at))
            for number, run, step, state, at in self._rows(_UNCLEAR, sync=self._number(sync))
        ]

    def record(self, sync: SyncId, entries: Sequence[Entry]) -> None:
        """Append to the history; nothing is ever changed or removed there."""
        if not entries:
            return
        with self._together():
            number = {"sync": self._numbered(sync)}
            self._many(_RECORD, [number | _columns(entry) for entry in entries])

    def history(
        self, sync: SyncId, key: RecordKey | None = None, run: RunId | None = None, limit: int = 1000
    ) -> Sequence[Entry]:
        """The history of a record (either side's key) or of a run, oldest first; of a longer one the latest
        `limit` entries."""
        asked = {name: value for name, value in (("key", key), ("run", run)) if value is not None}
        rows = self._rows(
            HISTORY[key is not None, run is not None], sync=self._number(sync), most=limit, **asked
        )
        return [entry_of(row) for row in reversed(rows)]


def _columns(entry: Entry) -> dict[str, object]:
    return {
        "run": entry.run,
        "link": entry.link,
        "left_key": entry.left_key,
        "right_key": entry.right_key,
        "field": entry.field,
        "side": None if entry.side is None else side_number(entry.side),
        "old": VALUE.text(entry.old),
        "new": VALUE.text(entry.new),
        "lost": VALUE.text(entry.lost),
        "rule": entry.rule.value,
        "at": micros(entry.at),
        "title": entry.title,
    }


def entry_of(row: Row) -> Entry:
    """A row of the history, in the columns of `HISTORY`."""
    run, link, left_key, right_key, field, side, old, new, lost, rule, at, title, number = row
    return Entry(
        run=run,
        link=link,
        left_key=left_key,
        right_key=right_key,
        field=field,
        side=None if side is None else side_of(side),
        old=VALUE.value_or_none(old),
        new=VALUE.value_or_none(new),
        lost=VALUE.value_or_none(lost),
        rule=Rule(rule),
        at=moment(at),
        title=title,
        id=number,
    )
