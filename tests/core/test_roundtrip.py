"""Values there and back before a mapping is switched on: sound mappings pass, unsound ones show a value."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given

from syncline.core.convert import Untranslatable
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, Lens, lenses
from syncline.core.records import FieldId, FieldSchema, ObjectSchema, ObjectTypeId, Option, Side
from syncline.core.roundtrip import Loss, Uncarried, generated_losses, losses, samples, uncarried
from syncline.core.transforms import TRANSFORMS
from syncline.core.translation import Translation
from syncline.core.values import BLANK, FieldType, ManyOf, Number, OneOf, Person, Text, Value, canonical
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


# --- what is tried, and what counts ---------------------------------------------------------------------------------


def test_a_field_with_options_is_tried_with_each_of_them_up_to_a_hundred() -> None:
    people = (Option("7", "Owner", "owner@example.test"),)

    assert samples(_field("l", T.ONE_OF, "a", "b")) == (OneOf("a"), OneOf("b"), BLANK)
    assert samples(_field("l", T.MANY_OF, "a", "b", "c")) == (
        *(ManyOf((key,)) for key in "abc"),
        ManyOf(("a", "b")),
        BLANK,
    )
    assert samples(FieldSchema(FieldId("l"), "l", T.PERSON, options=people)) == (
        Person("owner@example.test", "7", "Owner"),
        BLANK,
    )
    assert len(samples(_field("l", T.ONE_OF, *map(str, range(150))))) == 100 + 1


def _turned(made: Lens, to_right: Mapping[str, str], to_left: Mapping[str, str]) -> Lens:
    """A lens that changes these texts, has no counterpart for `-`, and leaves all others as they are."""

    def way(table: Mapping[str, str]) -> Translation:
        def translate(value: Value) -> Value | Untranslatable:
            made = table.get(value.text, value.text) if isinstance(value, Text) else ""
            return Untranslatable("no counterpart") if made == "-" else Text(made)

        return translate

    return msgspec.structs.replace(made, to_right=way(to_right), to_left=way(to_left))


TEXTS = _lens(_field("l", T.TEXT), _field("r", T.TEXT))


def test_a_value_without_a_counterpart_on_any_way_is_no_loss_while_those_behind_it_are_told() -> None:
    made = _turned(TEXTS, {"a": "-", "b": "x", "c": "y"}, {"x": "-", "y": "z"})

    found = [*losses(made, Side.LEFT, [Text(each) for each in "abc"], is_exact=True)]

    assert [(loss.value, loss.there, loss.back) for loss in found] == [(Text("c"), Text("y"), Text("z"))]
    assert (found[0].line, found[0].side) == ("l ↔ r", Side.LEFT)


def test_a_way_back_that_has_no_counterpart_again_is_a_loss() -> None:
    made = _turned(TEXTS, {"a": "b", "c": "-"}, {"b": "c"})

    assert [loss.back for loss in losses(made, Side.LEFT, [Text("a")])] == [Text("c")]


def test_the_value_itself_has_to_come_back_only_where_that_is_asked() -> None:
    made = _turned(TEXTS, {"A": "a"}, {})

    assert [*losses(made, Side.LEFT, [Text("A")])] == []
    assert [loss.value for loss in losses(made, Side.LEFT, [Text("A")], is_exact=True)] == [Text("A")]
    assert [*losses(made, Side.RIGHT, [Text("a"), Text("A")], is_exact=True)] == [
        Loss("l ↔ r", Side.RIGHT, Text("A"), Text("A"), Text("a"))
    ]


def _folding(made: Lens, line: FieldMapping | None = None) -> Lens:
    """A lens that keeps its law and gives `Ab` back as `ab`."""
    return msgspec.structs.replace(_turned(made, {"Ab": "ab"}, {}), mapping=line or made.mapping)


def test_values_that_share_a_counterpart_need_not_come_back_themselves() -> None:
    plain = TEXTS.mapping
    paired = msgspec.structs.replace(plain, values=(("a", "b"),))
    people = msgspec.structs.replace(plain, people=(("a@example.test", "b@example.test"),))
    by_transform = msgspec.structs.replace(plain, transform="html_source")
    options = _lens(_field("l", T.ONE_OF), _field("r", T.TEXT))
    rich = _lens(_field("l", T.RICH_TEXT), _field("r", T.TEXT), transform="html_source")

    def found(made: Lens) -> int:
        return len([*losses(made, Side.LEFT, [Text("Ab")], is_exact=True)])

    assert found(_folding(TEXTS)) == 1
    assert found(_folding(TEXTS, paired)) == 0
    assert found(_folding(TEXTS, people)) == 0
    assert found(_folding(options)) == 0
    assert found(_folding(rich)) == 1
    assert found(_folding(rich, plain)) == 0
    assert found(_folding(TEXTS, by_transform)) == 1


def test_values_that_come_back_on_one_side_are_enough() -> None:
    only_left = _turned(TEXTS, {"Ab": "x"}, {"Ab": "-"})
    lawless = _turned(TEXTS, {"Ab": "x", "a": "q", "r": "s"}, {"Ab": "-", "a": "-", "q": "r"})
    both = _turned(TEXTS, {"Ab": "x"}, {})

    assert generated_losses(only_left) == ()
    assert generated_losses(lawless) == (Loss("l ↔ r", Side.LEFT, Text("a"), Text("q"), Text("r")),)
    assert [(loss.side, loss.value) for loss in generated_losses(both)] == [
        (Side.LEFT, Text("Ab")),
        (Side.RIGHT, Text("Ab")),
    ]


def test_every_value_without_a_counterpart_is_told_with_its_line_and_side() -> None:
    made = _turned(TEXTS, {"a": "-", "c": "-"}, {"b": "-"})

    assert [*uncarried(made, Side.LEFT, [Text(each) for each in "abc"])] == [
        Uncarried("l ↔ r", Side.LEFT, Text("a"), "no counterpart"),
        Uncarried("l ↔ r", Side.LEFT, Text("c"), "no counterpart"),
    ]
    assert [each.side for each in uncarried(made, Side.RIGHT, [Text("b")])] == [Side.RIGHT]
