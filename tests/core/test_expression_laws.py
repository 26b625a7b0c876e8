"""Expressions: whatever is written is answered; what was accepted never fails on a type, whatever the record holds."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from syncline.core.convert import Untranslatable
from syncline.core.expression_overloads import OVERLOADS
from syncline.core.expression_types import Kind, Type, is_of, reading
from syncline.core.expressions import (
    Condition,
    Environment,
    Expression,
    Formula,
    accepted,
    compile_condition,
    compile_expression,
    compile_transform,
    value_of,
)
from syncline.core.records import FieldId, FieldSchema, ObjectSchema, ObjectTypeId
from syncline.core.values import BLANK, FieldType, Text, Value, same
from tests.core.strategies import values, values_of, wild_numbers
from tests.core.test_expressions import SCHEMA

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
KINDS = [each for each in Kind if each not in (Kind.ANY, Kind.NULL)]
BY_NAME = {str(field.id): field for field in SCHEMA.fields}

_ATOMS = {
    Kind.STRING: ["name", '"a, b"', '""', "note", "owner.email", "stage.label", "price.currency"],
    Kind.NUMBER: ["hours", "0", "-1.5", "1e300", "price.amount", "size(labels)"],
    Kind.BOOL: ["urgent", "true", "has(record.note)", 'stage == "Open"', 'name.matches("a+$")'],
    Kind.HTML: ["body"],
    Kind.DAY: ["due"],
    Kind.TIMESTAMP: ["made", "now"],
    Kind.DURATION: ['duration("36h")', 'duration("-1m30s")'],
    Kind.OPTION: ["stage"],
    Kind.MONEY: ["price"],
    Kind.PERSON: ["owner"],
    Kind.REFERENCE: ["parent"],
    Kind.FILE: ["files[0]"],
}
_LISTS = {Kind.STRING: ["labels.map(l, l.label)", '["a", name]', "[]"], Kind.OPTION: ["labels", "[stage]"]}


@st.composite
def written(draw: st.DrawFn, wanted: Type, depth: int = 2) -> str:
    """An expression of a type."""
    if wanted.kind is Kind.LIST:
        item = wanted.item.kind if wanted.item else Kind.OPTION
        return draw(st.sampled_from(_LISTS.get(item, _LISTS[Kind.OPTION])))
    ways = [each for found in OVERLOADS.values() for each in found if each.gives.kind is wanted.kind]
    way = draw(st.sampled_from([None, "?", *ways])) if depth and ways else None
    if way is None:
        return draw(st.sampled_from(_ATOMS[wanted.kind]))
    if way == "?":
        asked = draw(written(Type(Kind.BOOL), depth - 1))
        yes, no = (draw(written(wanted, depth - 1)) for _ in range(2))
        return f"({asked} ? {yes} : {no})"
    takes = [draw(written(each, depth - 1)) for each in way.takes]
    if way.is_method:
        return f"{takes[0]}.{way.name}({', '.join(takes[1:])})"
    if "_" not in way.name:
        return f"{way.name}({', '.join(takes)})"
    sign = way.name.strip("_")
    return f"({takes[0]} {sign} {takes[1]})" if len(takes) > 1 else f"({sign}({takes[0]}))"


fields_of_records = st.fixed_dictionaries(
    {},
    optional={
        field.id: st.one_of(values_of(field.type), st.builds(lambda n: n, values)) for field in SCHEMA.fields
    },
)


@given(st.text(max_size=60))
def test_whatever_is_written_is_answered(text: str) -> None:
    found = compile_condition(text, SCHEMA)
    if not isinstance(found, Condition):
        assert found
        assert all(fault.column >= 1 and fault.line >= 1 and fault.message for fault in found)


@given(st.lists(st.sampled_from(
    ["name", "hours", "stage", "labels", "record", ".", "(", ")", "[", "]", "+", "-", "==", "&&", "||", "!", "?", ":", "in",
     "1", "2.5", '"a"', "'", '"', "\\", "null", "true", ",", "size", "has", "map", "x", "matches", "{", "}", " ", "\n", "//"]
), max_size=14).map("".join))  # fmt: skip
def test_whatever_is_put_together_is_answered(text: str) -> None:
    found = compile_expression(text, Environment(BY_NAME, has_record=True))
    assert isinstance(found, Expression) or found


@settings(max_examples=100)
@given(
    st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), written(Type(kind)))),
    fields_of_records,
)
def test_what_was_accepted_gives_a_value_of_its_type_or_a_reason(
    given_kind: tuple[Kind, str], fields: dict[FieldId, Value]
) -> None:
    kind, text = given_kind
    found = compile_expression(
        text, Environment(BY_NAME, has_record=True, times={"now": Type(Kind.TIMESTAMP)})
    )
    assert isinstance(found, Expression), (text, found)
    assert found.gives.kind is kind or kind is Kind.LIST
    answer = found.evaluate(fields, now=NOW)
    if isinstance(answer, Untranslatable):
        assert answer.reason
    else:
        assert is_of(answer, found.gives)
    assert found.evaluate(fields, now=NOW) == answer


@given(written(Type(Kind.BOOL)), fields_of_records)
def test_only_the_fields_that_it_names_matter(text: str, fields: dict[FieldId, Value]) -> None:
    found = compile_condition(text, SCHEMA, with_now=True)
    assert isinstance(found, Condition)
    fewer = {name: value for name, value in fields.items() if name in found.reads}
    assert found.holds(fewer, now=NOW) == found.holds(fields, now=NOW)


@given(st.sampled_from(list(FieldType)).flatmap(lambda kind: st.tuples(st.just(kind), values_of(kind))))
def test_a_value_comes_back_from_an_expression_that_only_names_it(pair: tuple[FieldType, Value]) -> None:
    kind, value = pair
    field = FieldSchema(FieldId("f"), "F", kind)
    found = compile_transform("value", field, field)
    if not accepted(kind):
        assert isinstance(found, tuple)
        return
    assert isinstance(found, Formula)
    answer = found.apply(value)
    assert isinstance(answer, Untranslatable) or same(answer, value)


@given(st.sampled_from(list(FieldType)).flatmap(lambda kind: st.tuples(st.just(kind), values_of(kind))))
def test_values_that_mean_the_same_text_are_read_the_same(pair: tuple[FieldType, Value]) -> None:
    kind, value = pair
    field = FieldSchema(FieldId("f"), "F", kind)
    plain = reading(field)(value)
    assume(not isinstance(plain, Untranslatable))
    if kind is FieldType.TEXT and isinstance(value, Text):
        assert reading(field)(Text(f" {value.text}\n")) == plain
    assert plain is None or value != BLANK


@given(wild_numbers, wild_numbers, st.sampled_from(["+", "-", "*", "/", "%", "<", "=="]))
def test_no_number_is_too_odd_to_calculate_with(a: Decimal, b: Decimal, sign: str) -> None:
    number = FieldSchema(FieldId("a"), "A", FieldType.NUMBER)
    other = msgspec.structs.replace(number, id=FieldId("b"))
    schema = ObjectSchema(ObjectTypeId("n"), "N", (number, other))
    environment = Environment({str(each.id): each for each in schema.fields})
    for text in (f"a {sign} b", "-a", "int(a)", "string(b)", "math.round(a)"):
        found = compile_expression(text, environment)
        assert isinstance(found, Expression)
        from_decimal = {FieldId("a"): _number(a), FieldId("b"): _number(b)}
        found.evaluate(from_decimal)


def _number(number: Decimal) -> Value:
    made = value_of(Decimal(0), FieldSchema(FieldId("f"), "F", FieldType.NUMBER))
    assert not isinstance(made, Untranslatable)
    return msgspec.structs.replace(made, number=number)  # type: ignore[arg-type]


@given(st.integers(1, 40))
def test_little_work_is_done(size: int) -> None:
    assert _pairs(size) == Decimal(size)


@settings(max_examples=10)
@given(st.integers(300, 5000))
def test_much_work_is_not(size: int) -> None:
    assert isinstance(_pairs(size), Untranslatable)


def _pairs(size: int) -> object:
    text = 'value.split("").map(a, value.split("").map(b, a + b).size()).size()'
    field = FieldSchema(FieldId("value"), "V", FieldType.TEXT)
    found = compile_expression(text, Environment({"value": field}))
    assert isinstance(found, Expression)
    return found.evaluate({field.id: Text("x" * size)})
