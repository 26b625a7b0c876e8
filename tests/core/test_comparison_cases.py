"""Single cases of the certificate's comparison: which cause is told where several could be."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from syncline.core.comparison import Asked, Cause, Knowledge, cause
from syncline.core.decisions import Rule
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, Lens, lenses
from syncline.core.memory import Entry
from syncline.core.records import Base, FieldId, FieldSchema, ObjectSchema, ObjectTypeId, Option, RunId, Side
from syncline.core.values import BLANK, FieldType, ManyOf, Text, Value

NAME, TITLE, LINE = FieldId("name"), FieldId("title"), "name ↔ title"
AT = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
A, B, C = Text("a"), Text("b"), Text("c")
NEVER = Base({}, {})


def schema(name: FieldId, kind: FieldType, options: str = "") -> ObjectSchema:
    """An object type of one field."""
    made = tuple(Option(key, key) for key in options) or None
    return ObjectSchema(ObjectTypeId(name), name, (FieldSchema(name, name, kind, options=made),))


def line(direction: Direction = Direction.BOTH) -> Lens:
    """Two texts."""
    left, right = schema(NAME, FieldType.TEXT), schema(TITLE, FieldType.TEXT)
    return lenses([FieldMapping(NAME, TITLE, direction)], left, right, ConflictPolicy.ASK)[0]


def agreed(left: Value, right: Value) -> Base:
    """What both sides held when they last agreed."""
    return Base({NAME: left}, {TITLE: right})


# --- both sides mean the same ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "known",
    [
        Knowledge(agreed(A, A)),
        Knowledge(NEVER),
        Knowledge(agreed(B, B), is_due=True),
        Knowledge(agreed(B, B), is_outside=True),
        Knowledge(agreed(B, B), paused=frozenset({LINE})),
    ],
    ids=["as agreed", "never agreed", "looked at next", "outside", "paused"],
)
def test_two_that_agree_do_not_differ(known: Knowledge) -> None:
    assert cause(line(), A, A, known) is None


@pytest.mark.parametrize("base", [agreed(B, B), agreed(A, B), agreed(B, A)])
def test_an_agreement_that_nobody_noted_is_not_explained(base: Base) -> None:
    assert cause(line(), A, A, Knowledge(base)) is Cause.UNEXPLAINED


@pytest.mark.parametrize(
    "known", [Knowledge(NEVER, is_outside=True), Knowledge(NEVER, paused=frozenset({LINE}))]
)
def test_what_is_left_alone_is_excluded(known: Knowledge) -> None:
    assert cause(line(), A, B, known) is Cause.EXCLUDED
    assert cause(line(), A, B, msgspec.structs.replace(known, is_unclear=True)) is Cause.EXCLUDED


@pytest.mark.parametrize(("left", "right"), [(None, A), (A, None), (None, None)])
def test_a_field_that_is_not_shown_is_not_seen(left: Value | None, right: Value | None) -> None:
    assert cause(line(), left, right, Knowledge(NEVER, is_outside=True)) is Cause.UNSEEN


# --- a question -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked(Rule.CONFLICT, A, B), Cause.CONFLICT),
        (Asked(Rule.CONFLICT), Cause.CONFLICT),
        (Asked(Rule.CONFLICT, A, C), Cause.PENDING),
        (Asked(Rule.CONFLICT, C, B), Cause.PENDING),
        (Asked(Rule.CONFLICT, None, C), Cause.PENDING),
        (Asked(Rule.CONFLICT, A, B, is_answered=True), Cause.PENDING),
    ],
)
def test_a_question_explains_what_it_was_asked_about(asked: Asked, expected: Cause) -> None:
    assert cause(line(), A, B, Knowledge(NEVER, {LINE: asked})) is expected
    assert cause(line(), A, B, Knowledge(NEVER, {"another ↔ line": asked})) is Cause.UNEXPLAINED


# --- agreed apart ---------------------------------------------------------------------------------------------------


def told(side: Side | None, old: Value | None, new: Value | None, rule: Rule = Rule.RESOLVED) -> Entry:
    """A line of the history."""
    return Entry(RunId("r"), None, None, None, LINE, side, old, new, None, rule, AT)


@pytest.mark.parametrize(
    ("entries", "is_told"),
    [
        ([], False),
        ([told(None, A, B)], True),
        ([told(None, A, C)], False),
        ([told(None, C, B)], False),
        ([told(None, None, B)], False),
        ([told(None, A, None)], False),
        ([told(None, B, A)], False),
        ([told(Side.RIGHT, C, B)], True),
        ([told(Side.RIGHT, A, C)], False),
        ([told(Side.RIGHT, A, None)], False),
        ([told(Side.LEFT, C, A)], True),
        ([told(Side.LEFT, C, B)], False),
        ([told(Side.LEFT, A, None)], False),
        ([told(Side.LEFT, C, C), told(None, A, B)], False),
        ([told(Side.LEFT, C, C, Rule.NORMALISED), told(None, A, B)], True),
        ([told(None, A, B, Rule.NORMALISED)], False),
    ],
)
def test_the_last_word_of_the_history_explains_what_was_agreed_apart(
    entries: list[Entry], is_told: bool
) -> None:
    known = Knowledge(agreed(A, B), told=lambda name: entries if name == LINE else [])

    assert cause(line(), A, B, known) is (Cause.AGREED_APART if is_told else Cause.UNEXPLAINED)


@pytest.mark.parametrize("base", [agreed(B, B), agreed(A, A), NEVER])
def test_what_moved_since_waits_for_the_next_run(base: Base) -> None:
    entries = [told(None, A, B), told(None, B, B)]

    found = [
        cause(line(), A, B, Knowledge(base, is_due=due, told=lambda _: entries)) for due in (True, False)
    ]

    assert found == [Cause.PENDING, Cause.UNEXPLAINED]


# --- a line that goes one way ---------------------------------------------------------------------------------------


def of(*keys: str) -> Value:
    """A set of options."""
    return ManyOf(keys) if keys else BLANK


def sets(direction: Direction, policy: ConflictPolicy | None = None) -> Lens:
    """Two sets of options, paired in this order."""
    left, right = schema(NAME, FieldType.MANY_OF, "abc"), schema(TITLE, FieldType.MANY_OF, "xyz")
    pairs = (("a", "x"), ("b", "y"), ("c", "z"))
    mapping = FieldMapping(NAME, TITLE, direction, policy, pairs)
    return lenses([mapping], left, right, ConflictPolicy.ASK)[0]


CASES = [
    (of("a", "b"), of("x", "y", "z"), (of("a", "b"), of("x", "y")), Cause.READ_ONLY),
    (of("a"), of("x", "y"), (of("a", "b"), of("x", "y")), Cause.PENDING),
    (of("a"), of("x", "y", "z"), (of("a", "b"), of("x", "y")), Cause.PENDING),
    (of("a", "b", "c"), of("x", "y"), (of("a", "b"), of("x", "y")), Cause.PENDING),
    (of("a", "b"), of("x", "z"), (of("a", "b"), of("x", "y")), Cause.PENDING),
    (of("a"), of("x", "y"), None, Cause.READ_ONLY),
    (of(), of("x"), None, Cause.READ_ONLY),
    (of(), of("x"), (of(), of("y")), Cause.READ_ONLY),
    (of(), of("x"), (of("a"), of("x")), Cause.PENDING),
    (of("a"), of(), None, Cause.PENDING),
]


@pytest.mark.parametrize(("leader", "follower", "base", "expected"), CASES)
def test_what_the_follower_of_a_one_way_line_has_beyond_is_its_own(
    leader: Value, follower: Value, base: tuple[Value, Value] | None, expected: Cause
) -> None:
    known = Knowledge(NEVER if base is None else agreed(*base), is_due=True)
    swap = {"a": "x", "b": "y", "c": "z", "x": "a", "y": "b", "z": "c"}

    def mirrored(value: Value) -> Value:
        return ManyOf(tuple(swap[key] for key in value.keys)) if isinstance(value, ManyOf) else value

    other = Knowledge(NEVER if base is None else agreed(mirrored(base[1]), mirrored(base[0])), is_due=True)

    assert cause(sets(Direction.TO_RIGHT), leader, follower, known) is expected
    assert cause(sets(Direction.TO_LEFT), mirrored(follower), mirrored(leader), other) is expected


@pytest.mark.parametrize("policy", [ConflictPolicy.LEFT, ConflictPolicy.ASK])
def test_a_set_that_is_not_merged_follows_as_a_whole(policy: ConflictPolicy) -> None:
    known = Knowledge(agreed(of("a"), of("x")), is_due=True)

    assert cause(sets(Direction.TO_RIGHT, policy), of("a"), of("x", "y"), known) is Cause.PENDING


def test_a_two_way_line_keeps_nothing_for_itself() -> None:
    known = Knowledge(NEVER, is_due=True)

    assert cause(sets(Direction.BOTH), of("a"), of("x", "y"), known) is Cause.PENDING
    assert cause(line(), BLANK, A, known) is Cause.PENDING
    assert cause(line(Direction.TO_RIGHT), BLANK, A, known) is Cause.READ_ONLY
    assert cause(line(Direction.TO_LEFT), BLANK, A, known) is Cause.PENDING
