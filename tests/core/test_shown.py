"""A value of each type as one short line."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from syncline.core.shown import shown
from syncline.core.values import (
    BLANK,
    Day,
    File,
    Files,
    ManyOf,
    Moment,
    Money,
    Number,
    OneOf,
    Person,
    Phone,
    Reference,
    RichText,
    Text,
    Value,
    YesNo,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "–"),
        (BLANK, "(blank)"),
        (Text(" a\n b "), "a b"),
        (RichText("<p>a &amp; b</p><p>c</p>"), "a & b c"),
        (Number(Decimal("1200.50")), "1200.5"),
        (Number(Decimal("1E+3")), "1000"),
        (Money(Decimal("19.90"), "EUR"), "19.90 EUR"),
        (YesNo(yes=True), "yes"),
        (YesNo(yes=False), "no"),
        (Day(dt.date(2026, 3, 1)), "2026-03-01"),
        (Moment(dt.datetime(2026, 3, 1, 9, 30, 15, tzinfo=dt.UTC)), "2026-03-01 09:30+00:00"),
        (Phone("+14155550100"), "+14155550100"),
        (OneOf("open"), "open"),
        (ManyOf(("b", "a")), "a, b"),
        (Person("a@example.test", "7", "Owner"), "Owner"),
        (Person("a@example.test", "7"), "a@example.test"),
        (Person("", "7"), "7"),
        (Reference("project", "3"), "project 3"),
        (Files((File("a.txt", url="u"), File(url="https://example.test/b"))), "a.txt, https://example.test/b"),
    ],
)  # fmt: skip
def test_a_value_of_each_type_is_one_line(value: Value | None, expected: str) -> None:
    assert shown(value) == expected


def test_a_long_value_is_cut_to_sixty_characters() -> None:
    assert shown(Text("x" * 60)) == "x" * 60
    assert shown(Text("x" * 61)) == "x" * 59 + "…"
