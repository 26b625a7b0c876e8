"""What several routers tell: values, runs, brakes, failures, counts.

Used by `syncs`, `runs`, `questions`, `objects` and `drafts`.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import msgspec
from fastapi import Path
from pydantic import Field, StringConstraints

from syncline.core.brakes import BrakeName
from syncline.core.decisions import Rule
from syncline.core.memory import Entry, Run, RunState
from syncline.core.records import Create, FieldId, Restore, Side, Update
from syncline.core.shown import shown
from syncline.core.steps import Step
from syncline.core.values import Value
from syncline.engine.report import told
from syncline.web.forms import Told

_NAMED = r"^[^\x00-\x1f\x7f/]+$"

SyncName = Annotated[str, Path(min_length=1, max_length=200, pattern=_NAMED)]
"""The name of a sync, in an address."""

Key = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_NAMED)]
"""A record's id, or the name of something a vendor has."""


class ValueOut(Told):
    """A field's value: as a person reads it (one short line), and whole. `value.type` says what it is."""

    text: str
    value: dict[str, Any] = Field(examples=[{"type": "text", "text": "Paint"}])


class EndOut(Told):
    """One side of a sync."""

    connection: str
    object: str


class CountsOut(Told):
    """Records present on each side, and open links."""

    left: int
    right: int
    links: int


class BrakeOut(Told):
    """A pulled brake: what was seen, and what to do."""

    name: BrakeName
    sentence: str
    remedy: str


class WrittenOut(Told):
    """Writes that went through, on one side."""

    created: int
    updated: int
    deleted: int
    archived: int
    restored: int


class FailureOut(Told):
    """A write that did not go through."""

    side: Side
    key: str | None
    title: str
    code: str
    message: str
    field: str | None
    remedy: str


class PostponedOut(Told):
    """Writes of one side that wait, because the day has no calls left for them."""

    side: Side
    writes: int
    until: dt.datetime
    why: str


class SummaryOut(Told):
    """What a run did. `planned` are the writes that it meant to make, `stopped` those that a brake stopped; `held` counts
    what was held back by its rule, `failures` are the first hundred of `failed`, `put_off` counts writes that the next run
    makes."""

    planned: int
    stopped: int
    held: dict[str, int]
    brakes: list[BrakeOut]
    released: list[BrakeOut]
    left: WrittenOut
    right: WrittenOut
    failed: int
    failures: list[FailureOut]
    postponed: list[PostponedOut]
    put_off: int
    listed_left: int
    listed_right: int
    counts: CountsOut
    calls_left: int
    calls_right: int
    recovered: int
    unknown: int
    is_full: bool
    seconds: float


class RunOut(Told):
    """A run. `written` counts the writes that went through, `error` is the code of what ended it; `by_hand` says what a
    person did, where it was no run of the sync itself."""

    id: str
    sync: str
    state: RunState
    started_at: dt.datetime
    ended_at: dt.datetime | None
    written: int
    failed: int
    brakes: list[BrakeOut]
    error: str | None
    by_hand: str | None


class RunWhole(RunOut):
    """The same with all that it did; null while it runs, or when it did not come to its end."""

    summary: SummaryOut | None


class EntryOut(Told):
    """What became of one field (or, with an empty `field`, of a record). `side` was written; null when only our memory
    moved. `lost` is what a rule overrode."""

    id: int
    run: str
    link: int | None
    left_key: str | None
    right_key: str | None
    title: str
    field: str
    side: Side | None
    old: ValueOut | None
    new: ValueOut | None
    lost: ValueOut | None
    rule: Rule
    why: str
    at: dt.datetime


class StepOut(Told):
    """One thing that a run would do. `write` is null where only our own memory changes. `fields` are what would be written;
    their values are null for who may not read records."""

    side: Side
    write: str | None
    rule: str
    why: str
    title: str
    key: str | None
    counterpart: str | None
    fields: dict[str, ValueOut | None]


class _Ended(msgspec.Struct, frozen=True):
    error: str | None = None
    by_hand: str | None = None
    undone: str | None = None


def value_out(value: Value | None) -> ValueOut | None:
    """A value as the API shows one; null where it was not seen."""
    if value is None:
        return None
    return ValueOut(text=shown(value), value=msgspec.to_builtins(value))


def run_out(run: Run) -> RunOut:
    """A run as a list shows it."""
    return RunOut(**_of_run(run))


def run_whole(run: Run) -> RunWhole:
    """A run with all that it did."""
    summary = told(run)
    whole = SummaryOut.model_validate(summary) if summary is not None else None
    return RunWhole(**_of_run(run), summary=whole)


def _of_run(run: Run) -> dict[str, Any]:
    summary = told(run)
    ended = _ended(run)
    return {
        "id": run.id,
        "sync": run.sync,
        "state": run.state,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "written": summary.left.total + summary.right.total if summary else 0,
        "failed": summary.failed if summary else 0,
        "brakes": [BrakeOut.model_validate(each) for each in summary.brakes] if summary else [],
        "error": ended.error,
        "by_hand": ended.by_hand or ("undo" if ended.undone is not None else None),
    }


def _ended(run: Run) -> _Ended:
    try:
        return msgspec.json.decode(run.report, type=_Ended)
    except msgspec.MsgspecError:
        return _Ended()


def entry_out(entry: Entry) -> EntryOut:
    """One line of the history."""
    return EntryOut(
        id=entry.id,
        run=entry.run,
        link=entry.link,
        left_key=entry.left_key,
        right_key=entry.right_key,
        title=entry.title,
        field=entry.field,
        side=entry.side,
        old=value_out(entry.old),
        new=value_out(entry.new),
        lost=value_out(entry.lost),
        rule=entry.rule,
        why=entry.rule.sentence,
        at=entry.at,
    )


def step_out(step: Step, *, with_values: bool) -> StepOut:
    """One step; its values are for who may read records."""
    written = step.write
    fields = written.fields if isinstance(written, Create | Update | Restore) else dict[FieldId, Value]()
    return StepOut(
        side=step.side,
        write=type(step.write).__name__.lower() if step.write is not None else None,
        rule=step.rule.value,
        why=step.rule.sentence,
        title=step.title,
        key=step.key,
        counterpart=step.counterpart,
        fields={name: value_out(value) if with_values else None for name, value in fields.items()},
    )
