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
    Option,
    Present,
    Record,
    RecordKey,
    Side,
)
from syncline.core.values import BLANK, FieldType, ManyOf, Text, Value

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


def _decided(
    mapping: FieldMapping, type_: FieldType, base: Base, left: Value | None, right: Value | None
) -> FieldDecision:
    """One line between `a` and `x`; with sets, `red` on the left is `Rot` on the right."""
    schemas = [
        ObjectSchema(ObjectTypeId(side), side, (FieldSchema(name, name, type_, options=tuple(Option(o, o) for o in options)),))
        for side, name, options in (("l", A, ("red", "blue")), ("r", X, ("Rot", "Blau")))
    ]  # fmt: skip
    sides = [
        Present(Record(RecordKey("1"), {} if value is None else {name: value}))
        for name, value in ((A, left), (X, right))
    ]
    decision = merge(View(None, base, *sides), Rules(lenses([mapping], *schemas, ConflictPolicy.LEFT)))
    assert isinstance(decision, Fields)
    return decision.fields[0]


@pytest.mark.parametrize(
    ("left", "right", "is_waiting"),
    [(None, OLD, False), (None, RIGHT, True), (OLD, None, False), (LEFT, None, True)],
)
def test_an_edit_waits_for_a_side_that_does_not_show_the_field_and_no_edit_waits_for_nothing(
    left: Text | None, right: Text | None, is_waiting: bool
) -> None:
    field = _decided(FieldMapping(A, X), FieldType.TEXT, Base({A: OLD}, {X: OLD}), left, right)

    assert (field.rule, bool(field.reason)) == (Rule.UNSEEN, is_waiting)


@pytest.mark.parametrize("direction", [Direction.TO_RIGHT, Direction.TO_LEFT])
def test_a_blank_goes_over_one_way_where_the_leading_side_had_a_value_whatever_the_other_had(
    direction: Direction,
) -> None:
    is_right = direction is Direction.TO_RIGHT
    base = Base({A: OLD}, {X: BLANK}) if is_right else Base({A: BLANK}, {X: OLD})
    now = (BLANK, RIGHT) if is_right else (LEFT, BLANK)

    field = _decided(FieldMapping(A, X, direction), FieldType.TEXT, base, *now)

    assert field.rule is Rule.ONE_WAY
    assert field.target(Side.RIGHT if is_right else Side.LEFT) == BLANK


@pytest.mark.parametrize("direction", [Direction.TO_RIGHT, Direction.TO_LEFT])
def test_a_blank_that_was_one_before_goes_nowhere_whatever_the_other_side_had(direction: Direction) -> None:
    is_right = direction is Direction.TO_RIGHT
    base = Base({A: BLANK}, {X: OLD}) if is_right else Base({A: OLD}, {X: BLANK})
    now = (BLANK, RIGHT) if is_right else (LEFT, BLANK)

    assert _decided(FieldMapping(A, X, direction), FieldType.TEXT, base, *now).rule is Rule.KEEPS_OWN


_PAIRS = (("red", "Rot"), ("blue", "Blau"))
_RED, _ROT = ManyOf(("red",)), ManyOf(("Rot",))
_BOTH, _BEIDE = ManyOf(("red", "blue")), ManyOf(("Rot", "Blau"))


@pytest.mark.parametrize("direction", [Direction.TO_RIGHT, Direction.TO_LEFT])
def test_an_element_that_the_following_side_removed_comes_back_and_the_removal_is_told(
    direction: Direction,
) -> None:
    is_right = direction is Direction.TO_RIGHT
    mapping = FieldMapping(A, X, direction, conflict=ConflictPolicy.MERGE, values=_PAIRS)
    now = (_BOTH, ManyOf(())) if is_right else (ManyOf(()), _BEIDE)

    field = _decided(mapping, FieldType.MANY_OF, Base({A: _RED}, {X: _ROT}), *now)

    side = Side.RIGHT if is_right else Side.LEFT
    assert (field.lost, field.lost_side) == (now[1] if is_right else now[0], side)


def test_a_set_that_one_side_edited_is_merged_whatever_wins_a_conflict() -> None:
    mapping = FieldMapping(A, X, conflict=ConflictPolicy.LEFT, values=_PAIRS)
    base = Base({A: _RED}, {X: _ROT})

    rules = [
        _decided(mapping, FieldType.MANY_OF, base, *now).rule
        for now in ((_BOTH, _ROT), (_RED, _BEIDE), (ManyOf(("blue",)), _BEIDE))
    ]

    assert rules == [Rule.MERGED, Rule.MERGED, Rule.LEFT_WINS]


@pytest.mark.parametrize("is_cleared", [False, True])
def test_what_the_following_side_emptied_before_anything_was_agreed_on_is_told_when_it_is_filled(
    is_cleared: bool,
) -> None:
    line = lenses(
        [FieldMapping(A, X, Direction.TO_RIGHT)],
        ObjectSchema(ObjectTypeId("l"), "L", (FieldSchema(A, "A", FieldType.TEXT),)),
        ObjectSchema(ObjectTypeId("r"), "R", (FieldSchema(X, "X", FieldType.TEXT),)),
        ConflictPolicy.ASK,
    )
    sides = Present(Record(RecordKey("1"), {A: LEFT})), Present(Record(RecordKey("2"), {X: BLANK}))
    name = FieldDecision(A, X, Rule.ONE_WAY).name

    decision = merge(
        View(None, Base({}, {}), *sides, cleared=frozenset({name} if is_cleared else ())), Rules(line)
    )

    assert isinstance(decision, Fields)
    assert decision.fields[0].rule is Rule.ONE_WAY
    assert decision.fields[0].lost == (BLANK if is_cleared else None)
