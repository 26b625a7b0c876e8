"""What waits for a person: open questions and parked records.

A part of `SqlStore`. A question is known again by what it is about, so that a choice made before the next run is still
there when the run asks the same thing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Iterator, Sequence

import sqlalchemy as sa

from syncline.core.decisions import Answer, Resolution
from syncline.core.memory import Parked, Question
from syncline.core.records import RecordKey, Side, SyncId
from syncline.core.values import Value, canonical
from syncline.errors import StoreError
from syncline.store.codec import (
    CHOICE,
    EDIT,
    HELD,
    VALUE,
    micros,
    moment,
    moment_or_none,
    side_number,
    side_of,
)
from syncline.store.dialects import Dialect, fixed
from syncline.store.session import Row, Rows
from syncline.store.tables import parked, question, sync

_ID = question.c.id == sa.bindparam("question")
_IS_OPEN = question.c.is_open == fixed(1)
_OF_SYNC = question.c.sync == sa.bindparam("sync")
_RENEWED = ("held", "base_left", "base_right", "left_edit", "right_edit")
_ASKED = ("sync", "run", "asked_at", "choice", *_RENEWED)

_ALL = (
    sa.select(
        question.c.id,
        sync.c.name,
        question.c.held,
        question.c.base_left,
        question.c.base_right,
        question.c.asked_at,
        question.c.run,
        question.c.choice,
        question.c.left_edit,
        question.c.right_edit,
    )
    .join_from(question, sync, question.c.sync == sync.c.id)
    .order_by(question.c.asked_at, question.c.id)
)
_QUESTION = _ALL.where(_ID)
_QUESTIONS = {
    (False, False): _ALL.where(_IS_OPEN),
    (False, True): _ALL,
    (True, False): _ALL.where(_IS_OPEN, _OF_SYNC),
    (True, True): _ALL.where(_OF_SYNC),
}
_ASK = (
    sa.insert(question)
    .inline()
    .values({name: sa.bindparam(name) for name in _ASKED})
    .values(is_open=fixed(1))
)
_ASK_AGAIN = sa.update(question).where(_ID).values({name: sa.bindparam(name) for name in _RENEWED})
_CLOSE = sa.update(question).where(_ID).values(is_open=fixed(0))
_CHOOSE = (
    sa.update(question)
    .where(_ID, _IS_OPEN)
    .values(choice=sa.bindparam("choice"), chosen_at=sa.bindparam("now"))
)

_PARKED = ("side", "key", "title", "code", "message", "field", "attempts", "due", "since")
_UNPARK = sa.delete(parked).where(
    parked.c.sync == sa.bindparam("sync"),
    parked.c.side == sa.bindparam("side"),
    parked.c.key == sa.bindparam("key"),
)
_ALL_PARKED = (
    sa.select(*(parked.c[name] for name in _PARKED))
    .where(parked.c.sync == sa.bindparam("sync"))
    .order_by(parked.c.since, parked.c.side, parked.c.key)
)


def _park(dialect: Dialect) -> sa.Insert:
    names = ("sync", *_PARKED)
    upsert = dialect.upsert(parked, ["sync", "side", "key"], names)
    return upsert.values({name: sa.bindparam(name) for name in names})


class Desk(Rows):
    """Questions and parked records."""

    def ask(self, sync: SyncId, questions: Sequence[Question]) -> None:
        """Make these the open questions of the sync. One that is open already (same link or keys, field, rule and
        values) keeps its id, time and choice; one that is not asked any more is closed."""
        with self._together():
            number = self._numbered(sync)
            was_open = self.questions(sync)
            known = {name: asked.id for asked in was_open for name in _names(asked)}
            kept: dict[int, Question] = {}
            new: dict[Hashable, Question] = {}
            for asked in questions:
                names = list(_names(asked))
                old = next((known[name] for name in names if name in known), None)
                if old is None:
                    new.setdefault(names[0], asked)
                else:
                    kept[old] = asked
            self._many(_CLOSE, [{"question": asked.id} for asked in was_open if asked.id not in kept])
            self._many(_ASK_AGAIN, [{"question": old, **_renewed(asked)} for old, asked in kept.items()])
            self._many(_ASK, [{"sync": number, **_asked(asked)} for asked in new.values()])

    def questions(self, sync: SyncId | None = None, *, with_closed: bool = False) -> Sequence[Question]:
        """The questions of one sync, or of all, oldest first."""
        at = {} if sync is None else {"sync": self._number(sync)}
        return [_question(row) for row in self._rows(_QUESTIONS[sync is not None, with_closed], **at)]

    def question(self, question: int) -> Question | None:
        """One question."""
        row = self._row(_QUESTION, question=question)
        return None if row is None else _question(row)

    def choose(self, question: int, choice: Resolution | Answer | None, now: dt.datetime) -> None:
        """Store a person's choice; the next run carries it out. Raises `StoreError` when the question is not open
        any more."""
        if not self._run(_CHOOSE, question=question, choice=CHOICE.text(choice), now=micros(now)):
            raise StoreError(f"question {question} is not open")

    def park(self, sync: SyncId, parked: Parked) -> None:
        """Remember a failure (replaces an earlier one of the same side and key)."""
        with self._together():
            self._run(
                _park,
                sync=self._numbered(sync),
                side=side_number(parked.side),
                key=parked.key,
                title=parked.title,
                code=parked.code,
                message=parked.message,
                field=parked.field,
                attempts=parked.attempts,
                due=micros(parked.due),
                since=micros(parked.since),
            )

    def unpark(self, sync: SyncId, side: Side, keys: Iterable[RecordKey]) -> None:
        """Forget failures: the write went through, or a person wants another try."""
        at = {"sync": self._number(sync), "side": side_number(side)}
        with self._together():
            self._many(_UNPARK, [{**at, "key": key} for key in keys])

    def parked(self, sync: SyncId) -> Sequence[Parked]:
        """Records whose writes failed."""
        return [_parked(row) for row in self._rows(_ALL_PARKED, sync=self._number(sync))]


def _names(asked: Question) -> Iterator[Hashable]:
    """What a question is known by: its link, and the keys of its records (a link may come later)."""
    held = asked.held
    about = (held.field, held.rule, held.gone, _normal(held.left), _normal(held.right))
    if held.link is not None:
        yield ("link", held.link, *about)
    yield ("keys", held.left_key, held.right_key, *about)


def _normal(value: Value | None) -> Hashable:
    return None if value is None else ("value", canonical(value))


def _renewed(asked: Question) -> dict[str, object]:
    return {
        "held": HELD.text(asked.held),
        "base_left": VALUE.text(asked.base_left),
        "base_right": VALUE.text(asked.base_right),
        "left_edit": EDIT.text(asked.left_edit),
        "right_edit": EDIT.text(asked.right_edit),
    }


def _asked(asked: Question) -> dict[str, object]:
    return {
        "run": asked.run,
        "asked_at": micros(asked.asked_at),
        "choice": CHOICE.text(asked.choice),
        **_renewed(asked),
    }


def _question(row: Row) -> Question:
    number, name, held, base_left, base_right, asked_at, run, choice, left_edit, right_edit = row
    return Question(
        id=number,
        sync=name,
        held=HELD.value(held),
        base_left=VALUE.value_or_none(base_left),
        base_right=VALUE.value_or_none(base_right),
        asked_at=moment(asked_at),
        run=run,
        choice=CHOICE.value_or_none(choice),
        left_edit=EDIT.value_or_none(left_edit),
        right_edit=EDIT.value_or_none(right_edit),
    )


def _parked(row: Row) -> Parked:
    side, key, title, code, message, field, attempts, due, since = row
    return Parked(
        side_of(side), key, title, code, message, field, attempts, moment_or_none(due), moment(since)
    )
