"""Single cases of merge that its laws reach only by luck."""

from __future__ import annotations

import pytest

from syncline.core.decisions import FieldDecision, Fields, Resolution, Rule, Rules, View
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, lenses
from syncline.core.merge import is_agreed, merge
from syncline.core.records import (
    Base,
    FieldId,
    FieldSchema,
    ObjectSchema,
    ObjectTypeId,
    Present,
    Record,
    RecordKey,
    Side,
)
from syncline.core.values import FieldType, Text

A, B, X = FieldId("a"), FieldId("b"), FieldId("x")
OLD, LEFT, RIGHT = Text("old"), Text("left"), Text("right")
LENSES = lenses(
    [FieldMapping(A, X)],
    ObjectSchema(ObjectTypeId("l"), "L", (FieldSchema(A, "A", FieldType.TEXT),)),
    ObjectSchema(ObjectTypeId("r"), "R", (FieldSchema(X, "X", FieldType.TEXT),)),
    ConflictPolicy.ASK,
)


@pytest.mark.parametrize(
    ("base", "is_so"),
    [
        (Base({A: OLD}, {X: OLD}), True),
        (Base({A: OLD}, {}), False),
        (Base({}, {X: OLD}), False),
        (Base({}, {}), False),
    ],
)
def test_a_line_is_agreed_on_when_both_sides_have_a_base(base: Base, is_so: bool) -> None:
    assert is_agreed(base, LENSES[0]) is is_so


def _chosen(left: Text, right: Text) -> FieldDecision:
    sides = Present(Record(RecordKey("1"), {A: LEFT})), Present(Record(RecordKey("2"), {X: RIGHT}))
    name = FieldDecision(A, X, Rule.CONFLICT).name
    view = View(
        None, Base({A: OLD}, {X: OLD}), *sides, resolutions={name: Resolution(left, right, LEFT, RIGHT)}
    )
    decision = merge(view, Rules(LENSES))
    assert isinstance(decision, Fields)
    return decision.fields[0]


def test_who_lets_both_values_stand_loses_none() -> None:
    assert _chosen(LEFT, RIGHT) == FieldDecision(A, X, Rule.RESOLVED, LEFT, RIGHT)


def test_who_takes_one_sides_value_loses_the_others() -> None:
    assert _chosen(LEFT, LEFT) == FieldDecision(
        A, X, Rule.RESOLVED, LEFT, RIGHT, to_right=LEFT, lost=RIGHT, lost_side=Side.RIGHT
    )


def test_what_one_line_writes_on_the_right_goes_back_by_another_line_at_once() -> None:
    left, right = (
        ObjectSchema(ObjectTypeId(side), side, tuple(FieldSchema(f, f, FieldType.TEXT) for f in fields))
        for side, fields in (("l", (A, B)), ("r", (X,)))
    )
    lines = [FieldMapping(A, X), FieldMapping(B, X, Direction.TO_LEFT)]
    base = Base({A: OLD, B: OLD}, {X: OLD})
    sides = Present(Record(RecordKey("1"), {A: LEFT, B: OLD})), Present(Record(RecordKey("2"), {X: OLD}))

    decision = merge(View(None, base, *sides), Rules(lenses(lines, left, right, ConflictPolicy.ASK)))

    assert isinstance(decision, Fields)
    assert [(field.to_left, field.to_right) for field in decision.fields] == [(None, LEFT), (LEFT, None)]
