"""Why a record is as it is, as the API tells it: both sides, every mapped line, and the sentences for a person.

Used by `records` (explanation), `links` (one link) and `past` (what would be decided now).
"""

from __future__ import annotations

import datetime as dt

from syncline.core.decisions import FieldDecision, Rule
from syncline.core.mapping import ConflictPolicy, Direction
from syncline.core.memory import Seen, Standing
from syncline.core.records import Proof, Side
from syncline.engine.explain import Explanation
from syncline.engine.explain_line import Line
from syncline.engine.explain_past import Absence
from syncline.web.forms import Told
from syncline.web.runs import ParkedOut, parked_out
from syncline.web.shapes import EntryOut, ValueOut, entry_out, value_out


class SeenOut(Told):
    """A record as last seen. `is_settled`: nothing of it waits for a run or a person. `is_gone`: it is not there any more."""

    key: str
    title: str
    standing: Standing
    is_settled: bool
    in_scope: bool
    is_gone: bool
    updated_at: dt.datetime | None


class AbsenceOut(Told):
    """One side's record that is gone. `at` and `by` come from the vendor, where it tells; `found_at` and `run` are of the
    first run that found it gone, null where that is not kept any more."""

    side: Side
    key: str
    proof: Proof
    at: dt.datetime | None
    by: str
    run: str | None
    found_at: dt.datetime | None
    sentence: str


class DecisionOut(Told):
    """What is decided of a line. A side that is null stays as it is."""

    rule: Rule
    why: str
    reason: str
    to_left: ValueOut | None
    to_right: ValueOut | None


class LineOut(Told):
    """One mapped line: what each side held when last seen, what both last agreed on, and why that is so. `is_in_step` is
    null while a side was not seen; `next` is what the next run would decide, if nothing more changed; `question` is the
    number of the open question about it."""

    name: str
    direction: Direction
    policy: ConflictPolicy
    left: ValueOut | None
    right: ValueOut | None
    agreed_left: ValueOut | None
    agreed_right: ValueOut | None
    is_in_step: bool | None
    next: DecisionOut | None
    question: int | None
    history: list[EntryOut]
    sentences: list[str]


class ExplanationOut(Told):
    """Why a record is as it is. `side` is null where it is not known any more; `sentences` answer for the record, each
    line's own for the line; `past` is what happened to the record as a whole."""

    sync: str
    key: str
    side: Side | None
    title: str
    link: int | None
    left: SeenOut | None
    right: SeenOut | None
    sentences: list[str]
    lines: list[LineOut]
    suggestions: list[str]
    parked: list[ParkedOut]
    gone: list[AbsenceOut]
    past: list[EntryOut]


def explanation_out(found: Explanation) -> ExplanationOut:
    """An explanation as the API tells it."""
    return ExplanationOut(
        sync=found.sync,
        key=found.key,
        side=found.side,
        title=found.title,
        link=found.link,
        left=_seen(found.left),
        right=_seen(found.right),
        sentences=list(found.sentences),
        lines=[_line(each) for each in found.lines],
        suggestions=list(found.suggestions),
        parked=[parked_out(each) for each in found.parked],
        gone=[_absence(each) for each in found.gone],
        past=[entry_out(each) for each in found.past],
    )


def _seen(seen: Seen | None) -> SeenOut | None:
    if seen is None:
        return None
    return SeenOut(
        key=seen.key,
        title=seen.title,
        standing=seen.standing,
        is_settled=seen.is_settled,
        in_scope=seen.in_scope,
        is_gone=seen.gone is not None,
        updated_at=seen.updated_at,
    )


def _absence(gone: Absence) -> AbsenceOut:
    return AbsenceOut.model_validate(gone)


def _line(line: Line) -> LineOut:
    return LineOut(
        name=line.name,
        direction=line.direction,
        policy=line.policy,
        left=value_out(line.left),
        right=value_out(line.right),
        agreed_left=value_out(line.base_left),
        agreed_right=value_out(line.base_right),
        is_in_step=line.is_in_step,
        next=decision_out(line.next),
        question=line.question.id if line.question is not None else None,
        history=[entry_out(each) for each in line.history],
        sentences=list(line.sentences),
    )


def decision_out(decision: FieldDecision | None) -> DecisionOut | None:
    """What is decided of one line; null where nothing is."""
    if decision is None:
        return None
    return DecisionOut(
        rule=decision.rule,
        why=decision.rule.sentence,
        reason=decision.reason,
        to_left=value_out(decision.to_left),
        to_right=value_out(decision.to_right),
    )
