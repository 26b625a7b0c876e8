"""What a vendor may keep for what it was sent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.forms import resembles
from syncline.core.values import (
    BLANK,
    FieldType,
    ManyOf,
    Money,
    Number,
    OneOf,
    Phone,
    RichText,
    Text,
    Value,
    YesNo,
)
from tests.core.strategies import values_of


def number(text: str) -> Number:
    return Number(Decimal(text))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (number("1.2345"), number("1.23")),
        (number("1.2345"), number("1.24")),
        (Money(Decimal("9.999"), "EUR"), Money(Decimal("10.00"), "EUR")),
        (Text(" Paint  the wall "), Text("paint the Wall")),
        (RichText("<p>Paint <b>it</b></p>"), RichText("<div>Paint it</div>")),
        (RichText("<p>Paint</p>"), Text("Paint")),
        (OneOf("Open"), OneOf("open")),
        (ManyOf(("Red", "Blue")), ManyOf(("blue", "red"))),
        (Phone("+1 (206) 555-0100"), Phone("206 555 0100")),
    ],
)
def test_the_same_in_another_form(sent: Value, kept: Value) -> None:
    assert resembles(sent, kept)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (number("2.4"), number("2")),
        (number("2.6"), number("3")),
        (number("2.41"), number("2.40")),
        (number("2.4"), number("4")),
        (number("1.2345"), number("1.25")),
        (number("10"), number("20")),
        (number("10"), number("11")),
        (number("NaN"), number("1")),
        (Text("Paint"), Text("Paint it")),
        (Text("Paint"), BLANK),
        (OneOf("open"), OneOf("done")),
        (ManyOf(("red",)), ManyOf(("red", "blue"))),
        (Phone("2065550100"), Phone("2065550101")),
        (Phone("206 555 0100"), Phone("206 545 0100")),
        (Phone("12"), Phone("512")),
        (YesNo(yes=True), YesNo(yes=False)),
        (Text("2"), number("2")),
    ],
)
def test_something_else(sent: Value, kept: Value) -> None:
    assert not resembles(sent, kept)


@given(st.sampled_from(FieldType).flatmap(values_of))
def test_a_value_resembles_itself(value: Value) -> None:
    assert resembles(value, value)
