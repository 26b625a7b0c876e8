"""A text that means something else is read as what it says, and is written out in one way."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from syncline.core.convert import Untranslatable, convert, of_type
from syncline.core.values import (
    Day,
    FieldType,
    ManyOf,
    Moment,
    Number,
    Person,
    Phone,
    Text,
    Value,
    YesNo,
)

T = FieldType
HALF_PAST = dt.datetime(2026, 3, 31, 9, 30, tzinfo=dt.UTC)
EAST = dt.timezone(dt.timedelta(hours=2))
LONG = "x" * 39 + "yz"
"""41 characters, of which a reason quotes 40."""


def converted(source: FieldType, target: FieldType, value: Value) -> Value | Untranslatable:
    conversion = convert(source, target)
    assert conversion is not None
    return conversion(value)


@pytest.mark.parametrize(
    ("target", "text", "meant"),
    [
        (T.NUMBER, " 1.50 ", Number(Decimal("1.50"))),
        (T.NUMBER, "1e60", Number(Decimal("1e60"))),
        (T.DAY, " 2026-03-31 ", Day(dt.date(2026, 3, 31))),
        (T.MOMENT, " 2026-03-31T09:30:00Z ", Moment(HALF_PAST)),
        (T.MOMENT, "2026-03-31T11:30:00+02:00", Moment(HALF_PAST)),
        (T.MOMENT, "2026-03-31T09:30:00", Moment(HALF_PAST)),
        (T.PHONE, "206 555 0100", Phone("206 555 0100")),
        (T.MANY_OF, " red, , blue ", ManyOf(("red", "blue"))),
        (T.PERSON, " owner@example.test ", Person(email="owner@example.test")),
    ],
)
def test_a_text_is_read(target: FieldType, text: str, meant: Value) -> None:
    assert converted(T.TEXT, target, Text(text)) == meant


@pytest.mark.parametrize("text", ["2026-03-31T11:30:00+02:00", "2026-03-31T09:30:00"])
def test_a_time_that_was_read_is_in_utc(text: str) -> None:
    read = converted(T.TEXT, T.MOMENT, Text(text))

    assert isinstance(read, Moment)
    assert read.at.tzinfo is dt.UTC


@pytest.mark.parametrize(
    ("target", "text", "reason"),
    [
        (T.NUMBER, "many", "'many' is not a number"),
        (T.NUMBER, "1e61", "'1e61' is not a number"),
        (T.NUMBER, "NaN", "'NaN' is not a number"),
        (T.NUMBER, LONG, f"'{LONG[:40]}' is not a number"),
        (T.NUMBER, "0" * 39 + "10e99", f"'{'0' * 39}1' is not a number"),
        (T.DAY, LONG, f"'{LONG[:40]}' is not a date like 2026-03-31"),
        (T.MOMENT, LONG, f"'{LONG[:40]}' is not a time like 2026-03-31T09:30:00Z"),
        (T.PHONE, LONG, f"'{LONG[:40]}' is not a phone number"),
        (T.PERSON, LONG, f"'{LONG[:40]}' is not an e-mail address"),
        (T.PERSON, "two owner@example.test", "'two owner@example.test' is not an e-mail address"),
    ],
)
def test_what_cannot_be_read_is_named(target: FieldType, text: str, reason: str) -> None:
    assert converted(T.TEXT, target, Text(text)) == Untranslatable(reason)


@pytest.mark.parametrize(
    ("source", "value", "text"),
    [
        (T.NUMBER, Number(Decimal(100)), "100"),
        (T.NUMBER, Number(Decimal("1.50")), "1.5"),
        (T.NUMBER, Number(Decimal("-0.0")), "0"),
        (T.NUMBER, Number(Decimal("1e60")), "1" + "0" * 60),
        (T.MOMENT, Moment(HALF_PAST.astimezone(EAST)), "2026-03-31T09:30:00Z"),
        (T.MANY_OF, ManyOf(("red", " blue ", "", "red")), "blue, red"),
        (T.PERSON, Person(email=" owner@example.test "), "owner@example.test"),
        (T.YES_NO, YesNo(yes=True), "yes"),
        (T.YES_NO, YesNo(yes=False), "no"),
    ],
)
def test_a_value_is_written_out(source: FieldType, value: Value, text: str) -> None:
    assert converted(source, T.TEXT, value) == Text(text)


@pytest.mark.parametrize(
    ("source", "value", "reason"),
    [
        (T.NUMBER, Number(Decimal("1e61")), "the number is too long to be written out"),
        (T.NUMBER, Number(Decimal("Infinity")), "the number is too long to be written out"),
        (T.MANY_OF, ManyOf(("a,b",)), "a label with a comma cannot be written in a comma-separated text"),
        (T.PERSON, Person(id="3", name="No e-mail", email=" "), "the person's e-mail is not known"),
    ],
)
def test_what_cannot_be_written_out_says_why(source: FieldType, value: Value, reason: str) -> None:
    assert converted(source, T.TEXT, value) == Untranslatable(reason)


def test_a_value_of_another_type_has_no_counterpart() -> None:
    shout = of_type(Text, lambda text: Text(text.text.upper()))

    assert shout(Text("a")) == Text("A")
    assert shout(YesNo(yes=True)) == Untranslatable("this is no text")


def test_only_a_reference_does_not_go_over_to_its_own_type() -> None:
    for kind in FieldType:
        conversion = convert(kind, kind)
        assert (conversion is None) == (kind is T.REFERENCE)
        assert conversion is None or conversion(Text("a")) == Text("a")


@pytest.mark.usefixtures("far_west")
def test_the_machines_time_zone_does_not_matter() -> None:
    half_past = "2026-03-31T09:30:00"

    assert converted(T.TEXT, T.MOMENT, Text(half_past)) == Moment(HALF_PAST)
    assert converted(T.TEXT, T.MOMENT, Text(half_past + "Z")) == Moment(HALF_PAST)
    assert converted(T.MOMENT, T.TEXT, Moment(HALF_PAST)) == Text(half_past + "Z")
