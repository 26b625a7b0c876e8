"""Values there and back before a mapping is switched on: sound mappings pass, unsound ones show a value."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given

from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, Lens, lenses
from syncline.core.records import FieldId, FieldSchema, ObjectSchema, ObjectTypeId, Option, Side
from syncline.core.roundtrip import generated_losses, losses, samples, uncarried
from syncline.core.transforms import TRANSFORMS
from syncline.core.values import BLANK, FieldType, Number, OneOf, Text, Value, canonical
from tests.core.strategies import field_schemas

T = FieldType


def _field(name: str, field_type: FieldType, *options: str) -> FieldSchema:
    made = tuple(Option(key, key.title()) for key in options) or None
    return FieldSchema(FieldId(name), name, field_type, options=made)


def _lens(left: FieldSchema, right: FieldSchema, **settings: object) -> Lens:
    mapping = msgspec.structs.replace(FieldMapping(FieldId("l"), FieldId("r")), **settings)
    one, other = (ObjectSchema(ObjectTypeId(f.id), f.id, (f,)) for f in (left, right))
    (made,) = lenses([mapping], one, other, ConflictPolicy.ASK)
    return made


def _lost(made: Lens, *values: Value) -> list[Value]:
    """Generated values of both sides, and real ones of the left, that do not come back."""
    found = (*generated_losses(made), *losses(made, Side.LEFT, values, is_exact=True))
    return [loss.value for loss in found]


@given(field_schemas())
def test_samples_are_always_the_same_and_of_the_fields_own_type(field: FieldSchema) -> None:
    made = samples(field)

    assert made == samples(field)
    assert made[-1] == BLANK
    assert {value.__class__.__name__.lower() for value in made[:-1]} == {field.type.value.replace("_", "")}
    if field.options and field.type is T.ONE_OF:
        assert {value.key for value in made if isinstance(value, OneOf)} == {o.key for o in field.options}


@pytest.mark.parametrize("field_type", [each for each in T if each is not T.REFERENCE])
def test_a_line_between_fields_of_one_type_passes(field_type: FieldType) -> None:
    assert _lost(_lens(_field("l", field_type), _field("r", field_type))) == []


@pytest.mark.parametrize("name", [each.name for each in TRANSFORMS.values() if each.is_lossless])
def test_a_lossless_transform_passes(name: str) -> None:
    transform = TRANSFORMS[name]
    made = _lens(_field("l", transform.source), _field("r", transform.target), transform=name)

    assert _lost(made) == []


def test_options_by_label_and_by_pairs_that_share_one_pass() -> None:
    left, right = _field("l", T.ONE_OF, "open", "done", "late"), _field("r", T.ONE_OF, "open", "done")
    pairs = (("open", "open"), ("late", "open"), ("done", "done"))

    assert _lost(_lens(left, right)) == []
    assert _lost(_lens(left, right, values=pairs)) == []


def _claiming(made: Lens, there: str, back: str) -> Lens:
    """A lens that wraps values in these words, and never takes them off."""
    return msgspec.structs.replace(
        made,
        to_right=lambda value: Text(f"{there}{value.text}") if isinstance(value, Text) else BLANK,
        to_left=lambda value: Text(f"{back}{value.text}") if isinstance(value, Text) else BLANK,
    )


def test_a_lens_that_grows_with_every_turn_is_shown_with_a_value() -> None:
    made = _claiming(_lens(_field("l", T.TEXT), _field("r", T.TEXT)), "a ", "")
    first = next(losses(made, Side.LEFT, samples(made.left)))

    assert (first.line, first.side) == ("l ↔ r", Side.LEFT)
    assert (first.value, first.there, first.back) == (Text("a"), Text("a a"), Text("a a"))


SHOUTING = msgspec.structs.replace(
    FieldMapping(FieldId("l"), FieldId("r")), to_right="value.upperAscii()", to_left="value.lowerAscii()"
)


def test_a_lens_that_forgets_what_it_was_given_is_shown_although_a_second_turn_changes_nothing() -> None:
    made = _lens(
        _field("l", T.TEXT), _field("r", T.TEXT), to_right=SHOUTING.to_right, to_left=SHOUTING.to_left
    )
    real = [Text("MiXed"), Text("plain")]

    assert [loss.value for loss in losses(made, Side.LEFT, real, is_exact=True)] == [Text("MiXed")]
    assert [*losses(made, Side.LEFT, real)] == []
    assert Text("Ab") in _lost(made)


def test_one_side_may_have_several_ways_to_say_the_same() -> None:
    made = _lens(
        _field("l", T.TEXT),
        _field("r", T.TEXT),
        to_right="'AC ' + value",
        to_left="value.replace('AC ', '', 1)",
    )

    assert _lost(made, Text("Paint")) == []


@pytest.mark.parametrize("settings", [{"is_lossy": True}, {"direction": Direction.TO_RIGHT}])
def test_a_declared_or_one_way_loss_is_no_fault(settings: dict[str, object]) -> None:
    made = _lens(_field("l", T.RICH_TEXT), _field("r", T.TEXT), transform="plain_text", **settings)

    assert _lost(made) == []


def test_text_that_is_a_number_may_come_back_in_another_form() -> None:
    made = _lens(_field("l", T.TEXT), _field("r", T.NUMBER))

    assert _lost(made, Text("007")) == []


def test_real_values_without_a_counterpart_are_told_with_the_reason() -> None:
    made = _lens(_field("l", T.TEXT), _field("r", T.NUMBER))
    (found,) = uncarried(made, Side.LEFT, [Text("7"), Text("seven"), BLANK])

    assert (found.value, found.reason) == (Text("seven"), "'seven' is not a number")
    assert [*uncarried(made, Side.RIGHT, [Number(Decimal(1))])] == []


def test_what_does_not_flow_is_not_missed() -> None:
    made = _lens(_field("l", T.TEXT), _field("r", T.NUMBER), direction=Direction.TO_LEFT)

    assert [*uncarried(made, Side.LEFT, [Text("seven")])] == []
    assert canonical(BLANK) is None
