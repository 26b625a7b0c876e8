"""What the frozen values answer of themselves: the one side, or the other."""

from __future__ import annotations

import pytest

from syncline.core.decisions import FieldDecision, Rule, View, line_fields, line_name
from syncline.core.mapping import Direction, FieldMapping
from syncline.core.memory import Link, Seen, Spoken, Standing
from syncline.core.records import (
    Base,
    FieldId,
    FieldSchema,
    Gone,
    LinkId,
    ObjectSchema,
    ObjectTypeId,
    Proof,
    RecordKey,
    Side,
    Unseen,
)
from syncline.core.values import FieldType, Text

LEFT, RIGHT = Side.LEFT, Side.RIGHT
NAME, TITLE = FieldId("name"), FieldId("title")
ONE, OTHER = Text("one"), Text("other")


def test_each_side_has_its_own() -> None:
    base = Base({NAME: ONE}, {TITLE: OTHER})
    left, right = (Seen(RecordKey(key), b"", Standing.LINKED, is_settled=True) for key in "19")
    link, spoken = Link(LinkId(1), left, right, base), Spoken((NAME,), (TITLE,))
    view = View(LinkId(1), base, Unseen("left"), Unseen("right"))

    assert (base.of(LEFT), base.of(RIGHT)) == ({NAME: ONE}, {TITLE: OTHER})
    assert (link.of(LEFT), link.of(RIGHT)) == (left, right)
    assert (spoken.of(LEFT), spoken.of(RIGHT)) == ((NAME,), (TITLE,))
    assert (view.of(LEFT), view.of(RIGHT)) == (Unseen("left"), Unseen("right"))
    assert (LEFT.other, RIGHT.other) == (RIGHT, LEFT)


def test_a_line_s_decision_has_a_name_and_two_sides() -> None:
    decision = FieldDecision(NAME, TITLE, Rule.RESOLVED, Text("l"), Text("r"), ONE, OTHER)

    assert (decision.of(LEFT), decision.of(RIGHT)) == (NAME, TITLE)
    assert (decision.now(LEFT), decision.now(RIGHT)) == (Text("l"), Text("r"))
    assert (decision.target(LEFT), decision.target(RIGHT)) == (ONE, OTHER)
    assert decision.name == line_name(NAME, TITLE) == "name ↔ title"
    assert line_fields(decision.name) == (NAME, TITLE)


def test_only_a_conflict_and_what_has_no_counterpart_are_open() -> None:
    found = {rule: FieldDecision(NAME, TITLE, rule) for rule in Rule}

    assert {rule for rule, each in found.items() if each.is_open} == {
        Rule.CONFLICT,
        Rule.NO_COUNTERPART,
        Rule.AWAITS_PARENT,
    }
    assert {rule for rule, each in found.items() if not each.settles} == {
        Rule.CONFLICT,
        Rule.NO_COUNTERPART,
        Rule.AWAITS_PARENT,
        Rule.IN_STEP,
        Rule.UNSEEN,
    }


@pytest.mark.parametrize(
    ("direction", "sides"),
    [(Direction.BOTH, [LEFT, RIGHT]), (Direction.TO_LEFT, [LEFT]), (Direction.TO_RIGHT, [RIGHT])],
)
def test_a_direction_says_which_sides_are_written(direction: Direction, sides: list[Side]) -> None:
    assert [side for side in Side if direction.flows_to(side)] == sides


def test_an_object_type_knows_its_fields() -> None:
    fields = tuple(FieldSchema(each, each, FieldType.TEXT) for each in (NAME, TITLE))
    schema = ObjectSchema(ObjectTypeId("task"), "Task", fields)

    assert [schema.field(each) for each in (NAME, TITLE, FieldId("due"))] == [*fields, None]


def test_a_mapping_has_a_field_and_an_expression_for_each_side() -> None:
    mapping = FieldMapping(NAME, TITLE, to_left="upper(value)", to_right="lower(value)")

    assert (mapping.of(LEFT), mapping.of(RIGHT)) == (NAME, TITLE)
    assert (mapping.expression(LEFT), mapping.expression(RIGHT)) == ("upper(value)", "lower(value)")


def test_only_a_record_that_was_missed_twice_may_be_hidden() -> None:
    assert [proof for proof in Proof if not proof.is_direct] == [Proof.LISTED_TWICE]
    assert all(Gone(proof).proof.sentence for proof in Proof)
