"""Lines whose values go over by expressions: what is refused with its place, what goes over, and what must come back."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from syncline.core.convert import Untranslatable
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, Lens, lenses
from syncline.core.records import FieldId, FieldSchema, Option, Side
from syncline.core.roundtrip import losses, samples
from syncline.core.values import BLANK, FieldType, ManyOf, Number, OneOf, Person, Text
from syncline.errors import MappingError, Problem
from tests.core.test_mapping_laws import field, schema

T = FieldType
STAGE = field("stage", T.ONE_OF, "open done")
STATE = field("state", T.ONE_OF, (Option("1", "Active"), Option("2", "Closed")))
CODE, REFERENCE = field("code"), field("reference")
HOURS, MINUTES = field("hours", T.NUMBER), field("minutes", T.NUMBER)


def lens(left: FieldSchema, right: FieldSchema, **settings: object) -> Lens:
    mapping = msgspec.structs.replace(FieldMapping(left.id, right.id), **settings)
    return lenses([mapping], schema("L", left), schema("R", right), ConflictPolicy.ASK)[0]


def faults(left: FieldSchema, right: FieldSchema, **settings: object) -> tuple[Problem, ...]:
    with pytest.raises(MappingError) as caught:
        lens(left, right, **settings)
    return caught.value.problems


def lost(made: Lens) -> list[object]:
    return [each.value for side in Side for each in losses(made, side, samples(made.of(side)))]


def test_values_go_over_both_ways() -> None:
    made = lens(CODE, REFERENCE, to_right='"T-" + value', to_left="value.substring(2)")
    assert made.to(Side.RIGHT, Text("7")) == Text("T-7")
    assert made.to(Side.LEFT, Text("T-7")) == Text("7")
    assert lost(made) == []


def test_blank_stays_blank_without_asking_the_expression() -> None:
    made = lens(CODE, REFERENCE, to_right='"T-" + value', to_left="value.substring(2)")
    assert made.to(Side.RIGHT, BLANK) == BLANK
    assert made.to(Side.LEFT, Text("  ")) == BLANK


def test_a_value_without_an_answer_says_why() -> None:
    made = lens(CODE, HOURS, to_right="double(value)", direction=Direction.TO_RIGHT)
    assert made.to(Side.RIGHT, Text("two")) == Untranslatable("'two' is not a number")


def test_an_option_of_the_other_side_may_be_called_by_its_label() -> None:
    made = lens(
        STAGE,
        STATE,
        to_right='value == "Done" ? "Closed" : "Active"',
        to_left='value == "Closed" ? "Done" : "Open"',
    )
    assert made.to(Side.RIGHT, OneOf("done")) == OneOf("2")
    assert made.to(Side.LEFT, OneOf("1")) == OneOf("open")
    assert lost(made) == []


def test_what_comes_out_is_fitted_to_its_field() -> None:
    owner = field("owner", T.PERSON, (Option("7", "Owner", "owner@example.test"),))
    made = lens(CODE, owner, to_right='value + "@example.test"', direction=Direction.TO_RIGHT)
    assert made.to(Side.RIGHT, Text("OWNER")) == Person("owner@example.test", "7", "Owner")
    assert isinstance(made.to(Side.RIGHT, Text("nobody")), Untranslatable)
    short = lens(CODE, field("short", max_length=3), to_right="value + value", direction=Direction.TO_RIGHT)
    assert isinstance(short.to(Side.RIGHT, Text("ab")), Untranslatable)


def test_a_person_that_comes_out_is_paired_like_any_other() -> None:
    owner = field("owner", T.PERSON, (Option("7", "Owner", "owner@example.test"),))
    text, pair = 'value + "@other.test"', ("owner@example.test", "a@other.test")
    right = lens(CODE, owner, to_right=text, direction=Direction.TO_RIGHT, people=(pair[::-1],))
    left = lens(owner, CODE, to_left=text, direction=Direction.TO_LEFT, people=(pair,))
    expected = Person("owner@example.test", "7", "Owner")
    assert right.to(Side.RIGHT, Text("a")) == left.to(Side.LEFT, Text("a")) == expected


def test_a_field_that_goes_one_way_needs_one_expression() -> None:
    made = lens(HOURS, CODE, to_right='string(value) + " h"', direction=Direction.TO_RIGHT)
    assert made.to(Side.RIGHT, Number(Decimal(2))) == Text("2 h")
    assert made.to(Side.LEFT, Text("2 h")) == Untranslatable("the field goes the other way only")


def test_a_two_way_field_needs_both() -> None:
    told = "is missing: the field goes both ways, and only to_right is given."
    (found,) = faults(CODE, REFERENCE, to_right="value")
    assert (found.path, found.message) == ("fields[0].to_left", told)
    assert found.remedy == "Give to_left as well, or set direction: to_right."


def test_the_expression_must_be_the_one_of_the_direction() -> None:
    (found,) = faults(CODE, REFERENCE, to_left="value", direction=Direction.TO_RIGHT)
    assert (found.path, found.remedy) == (
        "fields[0].to_right",
        "Give to_right as well, or set direction: to_left.",
    )


def test_a_fault_points_at_the_line_and_the_column() -> None:
    found = faults(CODE, MINUTES, to_right="double(value) * sixty", to_left="value")
    assert [str(each) for each in found] == [
        "fields[0].to_right: column 17: there is no 'sixty' here. There are: value.",
        "fields[0].to_left: column 1: the result is number; 'code' takes string. Write string(…).",
    ]


def test_an_expression_that_is_not_needed_is_checked_too() -> None:
    (found,) = faults(CODE, REFERENCE, to_right="value", to_left="vlaue", direction=Direction.TO_RIGHT)
    assert found.path == "fields[0].to_left"


@pytest.mark.parametrize("settings", [{"values": (("a", "b"),)}, {"transform": "upper"}])
def test_expressions_stand_alone(settings: dict[str, object]) -> None:
    found = faults(CODE, REFERENCE, to_right="value", to_left="value", **settings)
    assert {each.message for each in found} == {"values and transforms do not go together with expressions."}


def test_a_set_goes_over_as_a_whole() -> None:
    labels, tags = field("labels", T.MANY_OF), field("tags", T.MANY_OF)
    both = "value.filter(l, l.label != 'private').map(l, l.label)"
    made = lens(labels, tags, to_right=both, direction=Direction.TO_RIGHT)
    assert not made.is_many
    assert made.policy is ConflictPolicy.ASK
    assert made.to(Side.RIGHT, ManyOf(("b", "private", "a"))) == ManyOf(("a", "b"))
    (found,) = faults(
        labels, tags, to_right=both, direction=Direction.TO_RIGHT, conflict=ConflictPolicy.MERGE
    )
    assert found.path == "fields[0].conflict"


@pytest.mark.parametrize(
    ("to_right", "to_left"),
    [("value * 60", "math.round(value / 60)"), ("value + 1", "value")],
)
def test_what_does_not_come_back_is_found_out(to_right: str, to_left: str) -> None:
    assert lost(lens(HOURS, MINUTES, to_right=to_right, to_left=to_left))
    assert lost(lens(HOURS, MINUTES, to_right=to_right, to_left=to_left, is_lossy=True)) == []


def test_what_comes_back_is_let_through() -> None:
    assert lost(lens(HOURS, MINUTES, to_right="value * 60", to_left="value / 60")) == []


def test_a_line_with_expressions_can_be_stored_and_replayed() -> None:
    made = lens(CODE, REFERENCE, to_right='"T-" + value', to_left="value.substring(2)")
    stored = msgspec.json.decode(msgspec.json.encode(made.mapping), type=FieldMapping)
    again = lenses([stored], schema("L", CODE), schema("R", REFERENCE), ConflictPolicy.ASK)[0]
    assert stored == made.mapping
    assert again.to(Side.RIGHT, Text("7")) == Text("T-7")
    assert FieldId("code") == stored.left
