"""Each named transform on a value that shows what it does, and the values that it has no answer for."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_UP, Decimal, localcontext

import pytest

from syncline.core.convert import Untranslatable
from syncline.core.transforms import TRANSFORMS
from syncline.core.values import Day, Money, Number, Person, RichText, Text, Value, YesNo

D = Decimal


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("plain_text", RichText("<p>a</p><p>b</p>"), Text("a\nb")),
        ("paragraphs", Text("a\nb"), RichText("<p>a</p><p>b</p>")),
        ("html_source", RichText("<b>a</b>"), Text("<b>a</b>")),
        ("html_from_source", Text("<b>a</b>"), RichText("<b>a</b>")),
        ("lower", Text("Ä B"), Text("ä b")),
        ("upper", Text("ä b"), Text("Ä B")),
        ("first_line", Text("\n a\nb"), Text("a")),
        ("unescape", RichText("a &amp; <b>"), Text("a & <b>")),
        ("negate", YesNo(yes=True), YesNo(yes=False)),
        ("hours_to_minutes", Number(D("0.1")), Number(D(6))),
        ("hours_to_minutes", Number(D("0.3333333333333333333333333333")), Number(D(20))),
        ("hours_to_minutes", Number(D("NaN")), Untranslatable("this is no number")),
        ("minutes_to_hours", Number(D(20)), Number(D("0.3333333333333333333333333333"))),
        ("minutes_to_hours", Number(D("Infinity")), Untranslatable("this is no number")),
        ("cents", Money(D("1.005"), "EUR"), Number(D(100))),
        ("cents", Money(D("1.015")), Number(D(102))),
        ("cents", Money(D("9e20")), Number(D("9e22"))),
        ("cents", Money(D("1e21")), Untranslatable("the amount is too large")),
        ("cents", Money(D("NaN")), Untranslatable("the amount is too large")),
        ("from_cents", Number(D(150)), Money(D("1.5"))),
        ("year", Day(dt.date(2026, 3, 1)), Number(D(2026))),
        ("person_name", Person("a@example.test", "7", "Owner"), Text("Owner")),
        ("person_name", Person("a@example.test", "7"), Text("a@example.test")),
    ],
)
def test_a_transform_makes_this_of_that(name: str, value: Value, expected: Value | Untranslatable) -> None:
    assert TRANSFORMS[name].apply(value) == expected


def test_cents_are_rounded_the_same_whatever_the_surroundings_calculate_with() -> None:
    with localcontext(rounding=ROUND_UP):
        assert TRANSFORMS["cents"].apply(Money(D("1.001"))) == Number(D(100))
