"""Mappings: every claim about a round trip holds, every fault is told at once, every value translates or says why not."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.convert import Untranslatable, convert, is_lossless
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, Lens, lenses
from syncline.core.records import FieldId, FieldSchema, ObjectSchema, ObjectTypeId, Option, Side
from syncline.core.transforms import TRANSFORMS
from syncline.core.values import (
    BLANK,
    FieldType,
    ManyOf,
    Money,
    Number,
    OneOf,
    Person,
    RichText,
    Text,
    Value,
    YesNo,
    is_blank,
    same,
)
from syncline.errors import MappingError
from tests.core.strategies import BY_TYPE, object_schemas, values_of
from tests.core.worlds import LINES, Line, lines

T = FieldType
PAIRS = [(a, b) for a in T for b in T if is_lossless(a, b) and convert(a, b) is not None]


def schema(title: str, *fields: FieldSchema) -> ObjectSchema:
    return ObjectSchema(ObjectTypeId(title), title, fields)


def field(
    name: str, field_type: FieldType = T.TEXT, options: str | tuple[Option, ...] = "", **settings: object
) -> FieldSchema:
    made = tuple(Option(key, key.title()) for key in options.split()) if isinstance(options, str) else options
    made = made or None
    return msgspec.structs.replace(
        FieldSchema(FieldId(name), name.title(), field_type, options=made), **settings
    )


def lens(left: FieldSchema, right: FieldSchema, **settings: object) -> Lens:
    mapping = msgspec.structs.replace(FieldMapping(left.id, right.id), **settings)
    return lenses([mapping], schema("L", left), schema("R", right), ConflictPolicy.ASK)[0]


def faults(left: ObjectSchema, right: ObjectSchema, *mappings: FieldMapping) -> list[str]:
    with pytest.raises(MappingError) as caught:
        lenses(mappings, left, right, ConflictPolicy.ASK)
    return [problem.path for problem in caught.value.problems]


def mapping(left: str, right: str, **settings: object) -> FieldMapping:
    return msgspec.structs.replace(FieldMapping(FieldId(left), FieldId(right)), **settings)


# --- round trips ----------------------------------------------------------------------------------------------------


def comes_back(made: Lens, side: Side, value: Value) -> bool:
    """There, back and there again is there, wherever these are defined."""
    there = made.to(side, value)
    back = there if isinstance(there, Untranslatable) else made.to(side.other, there)
    again = back if isinstance(back, Untranslatable) else made.to(side, back)
    if isinstance(there, Untranslatable) or isinstance(back, Untranslatable):
        return True
    return not isinstance(again, Untranslatable) and same(there, again)


@pytest.mark.parametrize("types", PAIRS, ids=lambda pair: f"{pair[0].value}-{pair[1].value}")
@given(data=st.data())
def test_a_lossless_conversion_comes_back(types: tuple[FieldType, FieldType], data: st.DataObject) -> None:
    made = lens(field("l", types[0]), field("r", types[1]))

    for side in Side:
        assert comes_back(made, side, data.draw(values_of(made.of(side.other).type)))


@pytest.mark.parametrize("name", [t.name for t in TRANSFORMS.values() if t.is_lossless])
@given(data=st.data())
def test_a_lossless_transform_comes_back(name: str, data: st.DataObject) -> None:
    transform = TRANSFORMS[name]
    made = lens(field("l", transform.source), field("r", transform.target), transform=name)

    for side in Side:
        assert comes_back(made, side, data.draw(values_of(made.of(side.other).type)))


@given(lines(0), st.data())
def test_every_accepted_line_comes_back(line: Line, data: st.DataObject) -> None:
    made = lenses([line.mapping], schema("L", line.left), schema("R", line.right), ConflictPolicy.ASK)[0]

    for side in Side:
        value = data.draw(st.sampled_from(line.pool(side.other)))
        assert (
            comes_back(made, side, value)
            or made.mapping.is_lossy
            or made.mapping.direction is not Direction.BOTH
        )


def test_minutes_survive_as_hours_to_the_minute() -> None:
    made = lens(field("l", T.NUMBER), field("r", T.NUMBER), transform="hours_to_minutes")

    for minutes in map(Number, map(Decimal, range(200))):
        hours = made.to_left(minutes)
        assert not isinstance(hours, Untranslatable)
        assert same(made.to_right(hours), minutes)


def test_every_transform_keeps_its_claims() -> None:
    for transform in TRANSFORMS.values():
        assert transform.sentence
        if transform.inverse is not None:
            inverse = TRANSFORMS[transform.inverse]
            assert (inverse.source, inverse.target) == (transform.target, transform.source)
            assert inverse.inverse == transform.name
            assert inverse.is_lossless == transform.is_lossless
        assert not transform.is_lossless or transform.inverse is not None


@pytest.mark.parametrize("name", list(TRANSFORMS))
@given(data=st.data())
def test_a_transform_answers_its_own_type_or_a_reason(name: str, data: st.DataObject) -> None:
    transform = TRANSFORMS[name]
    result = transform.apply(data.draw(BY_TYPE[transform.source]))

    assert isinstance(result, Untranslatable) or type(result) in (type(BLANK), _kind(transform.target))


@given(st.sampled_from(list(T)), st.sampled_from(list(T)), st.data())
def test_a_conversion_answers_the_target_type_or_a_reason(
    source: FieldType, target: FieldType, data: st.DataObject
) -> None:
    conversion = convert(source, target)
    if conversion is None:
        return

    result = conversion(data.draw(BY_TYPE[source]))

    assert isinstance(result, Untranslatable) or type(result) is _kind(target)


def _kind(field_type: FieldType) -> type:
    name = "".join(part.title() for part in field_type.value.split("_"))
    return next(kind for kind in Value.__args__ if kind.__name__ == name)


@given(object_schemas("L"), object_schemas("R"), st.data())
def test_any_accepted_mapping_is_total_and_keeps_the_law(
    left: ObjectSchema, right: ObjectSchema, data: st.DataObject
) -> None:
    chosen = [
        FieldMapping(
            data.draw(st.sampled_from(left.fields)).id,
            data.draw(st.sampled_from(right.fields)).id,
            data.draw(st.sampled_from(list(Direction))),
            transform=data.draw(st.sampled_from([None, None, *TRANSFORMS])),
        )
        for _ in range(data.draw(st.integers(1, 2)))
    ]
    try:
        made = lenses(chosen, left, right, ConflictPolicy.ASK)
    except MappingError as caught:
        error = caught
        made = ()
    else:
        error = None
    paths = [problem.path for problem in error.problems] if error else []
    assert bool(paths) == (error is not None)
    assert all(path.startswith("fields[") for path in paths)
    for each in made:
        for side in Side:
            if not each.flows_to(side):
                continue
            value = data.draw(values_of(each.of(side.other).type))
            result = each.to(side, value)
            assert (
                isinstance(result, Untranslatable)
                or is_blank(result)
                or type(result) is _kind(each.of(side).type)
            )
            assert each.mapping.direction is not Direction.BOTH or comes_back(each, side, value)


# --- faults ---------------------------------------------------------------------------------------------------------


def test_all_faults_are_told_at_once_with_their_paths() -> None:
    left = schema(
        "L",
        field("name"),
        field("body", T.RICH_TEXT),
        field("prio", T.ONE_OF, "low high"),
        field("n", T.NUMBER),
    )
    right = schema(
        "R",
        field("title"),
        field("text"),
        field("seen", T.TEXT, is_read_only=True),
        field("rank", T.ONE_OF, "1 2"),
    )

    paths = faults(
        left,
        right,
        mapping("nmae", "titel"),
        mapping("body", "text"),
        mapping("name", "seen"),
        mapping("prio", "rank", values=(("low", "1"), ("urgent", "3"))),
        mapping("n", "title", transform="no_such"),
        mapping("name", "title", conflict=ConflictPolicy.MERGE),
        mapping("prio", "title"),
    )

    assert paths == [
        "fields[0].left",
        "fields[0].right",
        "fields[1]",
        "fields[2].right",
        "fields[3].values[1]",
        "fields[3].values[1]",
        "fields[4].transform",
        "fields[4].transform",
        "fields[5].conflict",
        "fields[5].left",
        "fields[6].left",
        "fields[5].right",
        "fields[6].right",
    ]


@pytest.mark.parametrize(
    ("left", "right", "settings"),
    [
        (field("l", T.RICH_TEXT), field("r", T.TEXT), {}),
        (field("l", T.MOMENT), field("r", T.DAY), {}),
        (field("l", T.NUMBER), field("r", T.MONEY), {}),
        (field("l", T.RICH_TEXT), field("r", T.TEXT), {"transform": "plain_text"}),
        (
            field("l", T.ONE_OF, "a b"),
            field("r", T.ONE_OF, "x y"),
            {"values": (("a", "x"), ("b", "x"), ("b", "y"))},
        ),
        (
            field("l", T.PERSON),
            field("r", T.PERSON),
            {"people": (("a@l.test", "x@r.test"), ("b@l.test", "x@r.test"), ("b@l.test", "y@r.test"))},
        ),
    ],
)
def test_what_loses_something_must_say_so(
    left: FieldSchema, right: FieldSchema, settings: dict[str, object]
) -> None:
    with pytest.raises(MappingError):
        lens(left, right, **settings)

    assert lens(left, right, **settings, is_lossy=True)
    assert lens(left, right, **settings, direction=Direction.TO_RIGHT)


def test_no_inverse_means_one_way_only() -> None:
    for direction in (Direction.TO_RIGHT, Direction.TO_LEFT):
        made = lens(field("l"), field("r"), transform="upper", direction=direction)
        side = Side.RIGHT if direction is Direction.TO_RIGHT else Side.LEFT
        assert made.to(side, Text("a")) == Text("A")
        assert isinstance(made.to(side.other, Text("a")), Untranslatable)
    assert faults(schema("L", field("l")), schema("R", field("r")), mapping("l", "r", transform="upper")) == [
        "fields[0].transform"
    ]


def test_a_field_is_written_by_one_line_and_a_pair_mapped_once() -> None:
    left, right = schema("L", field("a"), field("b")), schema("R", field("x"), field("y"))

    assert faults(left, right, mapping("a", "x"), mapping("a", "y")) == ["fields[1].left"]
    assert lenses(
        [mapping("a", "x"), mapping("a", "y", direction=Direction.TO_RIGHT)], left, right, ConflictPolicy.ASK
    )
    to_right, to_left = (mapping("a", "x", direction=way) for way in (Direction.TO_RIGHT, Direction.TO_LEFT))
    assert faults(left, right, to_right, to_left) == ["fields[1]"]


def test_a_reference_does_not_just_go_over() -> None:
    left, right = schema("L", field("l", T.REFERENCE)), schema("R", field("r", T.REFERENCE))

    assert (
        faults(left, right, mapping("l", "r")) == ["fields[0].right", "fields[0].left"]
        or convert(T.REFERENCE, T.REFERENCE) is None
    )


@pytest.mark.parametrize(
    ("types", "settings", "policy"),
    [
        ((T.MANY_OF, T.MANY_OF), {}, ConflictPolicy.MERGE),
        ((T.MANY_OF, T.MANY_OF), {"conflict": ConflictPolicy.LEFT}, ConflictPolicy.LEFT),
        ((T.MANY_OF, T.MANY_OF), {"to_right": "value"}, ConflictPolicy.ASK),
        ((T.TEXT, T.MANY_OF), {}, ConflictPolicy.ASK),
        ((T.MANY_OF, T.TEXT), {}, ConflictPolicy.ASK),
        ((T.TEXT, T.TEXT), {}, ConflictPolicy.ASK),
        ((T.TEXT, T.TEXT), {"conflict": ConflictPolicy.RIGHT}, ConflictPolicy.RIGHT),
    ],
)
def test_two_sets_merge_unless_their_line_says_otherwise(
    types: tuple[FieldType, FieldType], settings: dict[str, object], policy: ConflictPolicy
) -> None:
    left, right = field("l", types[0]), field("r", types[1])
    made = lens(left, right, direction=Direction.TO_RIGHT, **settings)

    assert made.policy is policy
    assert made.is_many is (types == (T.MANY_OF, T.MANY_OF) and "to_right" not in settings)
    assert (made.of(Side.LEFT), made.of(Side.RIGHT)) == (left, right)
    assert (made.flows_to(Side.LEFT), made.flows_to(Side.RIGHT)) == (False, True)


def test_a_set_is_not_paired_with_a_single_option() -> None:
    left, right = schema("L", field("l", T.MANY_OF)), schema("R", field("r", T.ONE_OF))
    pair = mapping("l", "r", values=(("a", "x"),))

    assert faults(left, right, pair) == ["fields[0].values"]
    made = lens(
        field("l", T.ONE_OF), field("r", T.MANY_OF), values=(("a", "x"),), direction=Direction.TO_RIGHT
    )
    assert made.to_right(OneOf("a")) == ManyOf(("x",))


# --- values ---------------------------------------------------------------------------------------------------------


def test_the_first_pair_of_a_value_is_the_one_it_becomes() -> None:
    made = LINES["many to one"]
    both = lenses([made.mapping], schema("L", made.left), schema("R", made.right), ConflictPolicy.ASK)[0]

    assert [both.to_right(OneOf(key)) for key in "abc"] == [OneOf("x"), OneOf("x"), OneOf("y")]
    assert [both.to_left(OneOf(key)) for key in "xyz"] == [OneOf("a"), OneOf("c"), OneOf("c")]
    assert isinstance(both.to_right(OneOf("d")), Untranslatable)
    assert both.to_right(OneOf("")) == BLANK


def test_pairs_of_every_scalar_and_blank() -> None:
    made = lens(field("l", T.YES_NO), field("r"), values=((True, "done"), (False, "open"), (None, "unknown")))

    assert made.to_right(YesNo(yes=True)) == Text("done")
    assert made.to_right(BLANK) == Text("unknown")
    assert made.to_left(Text(" open ")) == YesNo(yes=False)
    assert made.to_left(Text("  ")) == BLANK
    numbers = lens(
        field("l", T.NUMBER), field("r", T.ONE_OF, "low high"), values=((1, "low"), ("2.50", "High"))
    )
    assert numbers.to_right(Number(Decimal("2.5"))) == OneOf("high")
    assert numbers.to_left(OneOf("low")) == Number(Decimal(1))


def test_options_go_by_label_then_by_key() -> None:
    left = field("l", T.ONE_OF, options=(Option("1", "Red"), Option("2", "Blue"), Option("k", "Only here")))
    right = field("r", T.ONE_OF, options=(Option("1", "blue "), Option("2", "RED"), Option("k", "Elsewhere")))
    made = lens(left, right)

    assert [made.to_right(OneOf(key)) for key in "12k"] == [OneOf("2"), OneOf("1"), OneOf("k")]
    assert isinstance(made.to_right(OneOf("gone")), Untranslatable)


def test_an_open_field_takes_new_labels_by_name() -> None:
    left = field("l", T.MANY_OF, options=(Option("7", "Urgent"),))
    made = lens(left, field("r", T.MANY_OF, "later", is_open=True))

    assert made.to_right(ManyOf(("7", "Free"))) == ManyOf(("Urgent", "Free"))
    assert made.to_left(ManyOf(("Urgent", "other"))) == ManyOf(("7",))


def test_a_text_of_labels_is_all_or_nothing() -> None:
    made = lens(field("l", T.MANY_OF, "red blue"), field("r"))

    assert made.to_right(ManyOf(("red", "blue"))) == Text("Blue, Red")
    assert made.to_left(Text("blue, RED")) == ManyOf(("blue", "red"))
    assert isinstance(made.to_left(Text("blue, green")), Untranslatable)


def test_people_go_by_email() -> None:
    line = LINES["person"]
    made = lenses([line.mapping], schema("L", line.left), schema("R", line.right), ConflictPolicy.ASK)[0]

    assert made.to_right(Person(email=" ONE@left.test ")) == Person(
        email="one@right.test", id="1", name="one"
    )
    assert isinstance(made.to_right(Person(id="3", name="No e-mail")), Untranslatable)
    assert isinstance(made.to_right(Person(name="Only a name")), Untranslatable)
    assert isinstance(made.to_right(Person(email="nobody@example.test")), Untranslatable)
    from_text = lens(field("l", T.PERSON), field("r"))
    assert isinstance(from_text.to_left(Text("Owner One")), Untranslatable)


def test_a_text_that_is_too_long_is_never_cut() -> None:
    short = field("r", T.TEXT, max_length=3)

    assert isinstance(lens(field("l"), short).to_right(Text("long")), Untranslatable)
    rich = lens(field("l", T.RICH_TEXT), short, transform="plain_text", direction=Direction.TO_RIGHT)
    assert isinstance(rich.to_right(RichText("<p>long</p>")), Untranslatable)
    assert rich.to_right(RichText("<p>abc</p>")) == Text("abc")


def test_hostile_values_have_reasons_not_exceptions() -> None:
    assert isinstance(lens(field("l", T.NUMBER), field("r")).to_left(Text("1e999999")), Untranslatable)
    assert isinstance(
        lens(field("l", T.MOMENT), field("r")).to_left(Text("0001-01-01T00:00:00+14:00")), Untranslatable
    )
    cents = TRANSFORMS["cents"].apply(Money(Decimal("1e40")))
    assert isinstance(cents, Untranslatable)
