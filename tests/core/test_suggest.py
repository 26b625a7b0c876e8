"""What is proposed as a mapping: fields that mean the same and fit, and nothing that would be refused."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.mapping import ConflictPolicy, Direction, lenses
from syncline.core.records import FieldId, FieldSchema, ObjectSchema, ObjectTypeId, Option
from syncline.core.suggest import proposed
from syncline.core.values import FieldType

STAGES = (Option("open", "Open"), Option("doing", "In progress"), Option("done", "Done"))
NAMES = ("name", "title", "due_on", "due_date", "is_completed", "status", "labels", "tags", "owner", "colour")


def _field(name: str, kind: FieldType, *, is_read_only: bool = False) -> FieldSchema:
    options = STAGES if kind is FieldType.ONE_OF else None
    return FieldSchema(
        FieldId(name), name.replace("_", " "), kind, is_read_only=is_read_only, options=options
    )


def _object(*fields: FieldSchema) -> ObjectSchema:
    return ObjectSchema(ObjectTypeId("thing"), "Thing", fields)


TASK = _object(
    _field("name", FieldType.TEXT),
    _field("due_on", FieldType.DAY),
    _field("is_completed", FieldType.YES_NO),
    _field("number", FieldType.NUMBER, is_read_only=True),
    _field("created_on", FieldType.MOMENT, is_read_only=True),
    _field("colour", FieldType.TEXT),
)
TICKET = _object(
    _field("status", FieldType.ONE_OF),
    _field("due_date", FieldType.DAY),
    _field("title", FieldType.TEXT),
    _field("number", FieldType.NUMBER),
    _field("created_on", FieldType.MOMENT, is_read_only=True),
    _field("weight", FieldType.NUMBER),
)


def test_fields_that_mean_the_same_go_together_in_the_order_of_the_left() -> None:
    found = proposed(TASK, TICKET)

    assert [(line.left, line.right, line.direction) for line in found.lines] == [
        ("name", "title", Direction.BOTH),
        ("due_on", "due_date", Direction.BOTH),
        ("is_completed", "status", Direction.BOTH),
        ("number", "number", Direction.TO_RIGHT),
    ]
    assert found.on == (("name", "title"),)


def test_yes_and_no_are_paired_with_the_options_that_say_so() -> None:
    there, back = proposed(TASK, TICKET), proposed(TICKET, TASK)

    assert there.lines[2].values == ((False, "Open"), (True, "Done"))
    assert back.lines[0].values == (("Open", False), ("Done", True))


def test_the_same_name_goes_before_the_same_meaning() -> None:
    left = _object(_field("title", FieldType.TEXT), _field("name", FieldType.TEXT))

    found = proposed(left, _object(_field("name", FieldType.TEXT)))

    assert [(line.left, line.right) for line in found.lines] == [("name", "name")]


def test_what_does_not_fit_is_left_out() -> None:
    left = _object(_field("status", FieldType.YES_NO), _field("due", FieldType.FILES))
    stages = msgspec.structs.replace(_field("status", FieldType.ONE_OF), options=(Option("a", "A"),))

    found = proposed(left, _object(stages, _field("due_date", FieldType.DAY)))

    assert (found.lines, found.on) == ((), ())


_FIELDS = st.lists(
    st.builds(
        lambda name, kind, is_fixed: _field(name, kind, is_read_only=is_fixed),
        st.sampled_from(NAMES),
        st.sampled_from(list(FieldType)),
        st.booleans(),
    ),
    unique_by=lambda field: field.id,
    max_size=6,
)


@given(_FIELDS, _FIELDS)
def test_whatever_is_proposed_is_a_mapping_without_a_fault(
    left: list[FieldSchema], right: list[FieldSchema]
) -> None:
    one, other = _object(*left), _object(*right)

    found = proposed(one, other)

    assert len(lenses(found.lines, one, other, ConflictPolicy.ASK)) == len(found.lines)
    assert len({line.left for line in found.lines}) == len({line.right for line in found.lines})
    assert {line.left for line in found.lines} >= {name for name, _ in found.on}
