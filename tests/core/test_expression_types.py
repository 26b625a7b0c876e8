"""The types of expressions, what field values become in them, and what a faulty one probably meant."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from syncline.core.convert import Untranslatable
from syncline.core.expression_hints import hint, near, option_of
from syncline.core.expression_types import (
    ANY,
    BOOL,
    DAY,
    FILE,
    HTML,
    MONEY,
    NULL,
    NUMBER,
    STRING,
    TIMESTAMP,
    Choice,
    Kind,
    Plain,
    Type,
    common,
    fits,
    is_of,
    list_of,
    reading,
    type_of,
)
from syncline.core.records import FieldId, FieldSchema, Option
from syncline.core.values import (
    BLANK,
    Day,
    FieldType,
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
from tests.core.test_mapping_laws import field

T = FieldType
D = Decimal
STAGES = (Option("o", "Open"), Option("d", "Done"), Option("k", ""))
STAGE = Type(Kind.OPTION, None, STAGES)
OPEN_STAGE = Type(Kind.OPTION, None, STAGES, is_open=True)
FREE = Type(Kind.OPTION)
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


# --- types ----------------------------------------------------------------------------------------------------------


def test_a_type_is_called_by_its_kind_and_a_list_by_what_it_holds() -> None:
    assert [str(each) for each in (STRING, STAGE, list_of(FILE), list_of(list_of(ANY)))] == [
        "string",
        "option",
        "list(file)",
        "list(list(any))",
    ]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (T.TEXT, STRING),
        (T.MONEY, MONEY),
        (T.FILES, list_of(FILE)),
        (T.ONE_OF, OPEN_STAGE),
        (T.MANY_OF, list_of(OPEN_STAGE)),
    ],
)
def test_a_field_has_a_type(kind: FieldType, expected: Type) -> None:
    assert type_of(field("f", kind, STAGES, is_open=True)) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (STRING, STRING, STRING),
        (STRING, NUMBER, None),
        (ANY, STRING, STRING),
        (STRING, ANY, STRING),
        (NULL, STRING, STRING),
        (STRING, NULL, STRING),
        (list_of(ANY), list_of(STRING), list_of(STRING)),
        (list_of(STRING), list_of(ANY), list_of(STRING)),
        (list_of(STRING), list_of(NUMBER), None),
        (list_of(STRING), STRING, None),
        (STRING, list_of(STRING), None),
        (Type(Kind.LIST), list_of(STRING), list_of(STRING)),
        (list_of(STRING), Type(Kind.LIST), list_of(STRING)),
        (STAGE, STAGE, STAGE),
        (STAGE, FREE, FREE),
        (STAGE, OPEN_STAGE, FREE),
    ],
)
def test_two_types_have_one_in_common_or_none(a: Type, b: Type, expected: Type | None) -> None:
    assert common(a, b) == expected
    assert fits(a, b) is (expected is not None)


@pytest.mark.parametrize(
    ("plain", "wanted", "expected"),
    [
        (None, STRING, True),
        (None, NULL, True),
        (None, ANY, True),
        ("a", ANY, True),
        ("a", NULL, False),
        ("a", STRING, True),
        ("a", NUMBER, False),
        (NOON, TIMESTAMP, True),
        (NOON, DAY, False),
        (NOON.date(), DAY, True),
        (NOON.date(), TIMESTAMP, False),
        (("a", None), list_of(STRING), True),
        (("a", D(1)), list_of(STRING), False),
        (("a", D(1)), Type(Kind.LIST), True),
        (("a",), STRING, False),
        ("a", list_of(STRING), False),
    ],
)
def test_a_plain_value_has_a_type(plain: Plain, wanted: Type, expected: bool) -> None:
    assert is_of(plain, wanted) is expected


# --- what fields become ---------------------------------------------------------------------------------------------

PLAN = File("plan.pdf", 12)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (T.TEXT, Text(" e\u0301\r\n"), "é"),
        (T.TEXT, Text(" "), None),
        (T.PHONE, Phone(" +1 415 "), "+1 415"),
        (T.NUMBER, Number(D("1.50")), D("1.5")),
        (T.YES_NO, YesNo(yes=False), False),
        (T.DAY, Day(NOON.date()), NOON.date()),
        (T.MOMENT, Moment(NOON.astimezone(dt.timezone(dt.timedelta(hours=5)))), NOON),
        (T.MOMENT, Moment(NOON.replace(tzinfo=None)), NOON),
        (T.ONE_OF, OneOf("o"), Choice("o", "Open")),
        (T.ONE_OF, OneOf("k"), Choice("k", "k")),
        (T.ONE_OF, OneOf("x"), Choice("x", "x")),
        (T.MANY_OF, ManyOf(("x", "o", "", "d", "o")), (Choice("d", "Done"), Choice("o", "Open"), Choice("x", "x"))),
        (T.FILES, Files((PLAN,)), (PLAN,)),
        (T.RICH_TEXT, RichText("<p>a</p>"), RichText("<p>a</p>")),
        (T.MONEY, Money(D(1), "EUR"), Money(D(1), "EUR")),
        (T.PERSON, Person("a@example.test"), Person("a@example.test")),
        (T.REFERENCE, Reference("project", "3"), Reference("project", "3")),
        (T.NUMBER, Number(D("NaN")), Untranslatable("'f' holds no number")),
        (T.MONEY, Money(D("Infinity")), Untranslatable("'f' holds no number")),
        (T.MONEY, Number(D(1)), Untranslatable("'f' holds number instead of money")),
        (T.MANY_OF, OneOf("o"), Untranslatable("'f' holds oneof instead of many_of")),
        (T.RICH_TEXT, BLANK, None),
    ],
)  # fmt: skip
def test_a_value_of_a_field_becomes_plain(
    kind: FieldType, value: Value, expected: Plain | Untranslatable
) -> None:
    made = reading(field("f", kind, STAGES))(value)
    assert (made, type(made)) == (expected, type(expected))


@pytest.mark.usefixtures("far_west")
def test_the_time_without_a_zone_is_utc_and_a_zone_goes() -> None:
    assert reading(field("f", T.MOMENT))(Moment(NOON.replace(tzinfo=None))) == NOON
    made = reading(field("f", T.MOMENT))(Moment(NOON.astimezone(dt.timezone(dt.timedelta(hours=5)))))
    assert isinstance(made, dt.datetime)
    assert made.tzinfo is dt.UTC


def test_a_field_without_options_is_read_by_its_keys() -> None:
    assert reading(FieldSchema(FieldId("f"), "F", T.ONE_OF))(OneOf("o")) == Choice("o", "o")


# --- hints ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "of", "expected"),
    [
        ("o", STAGE, Choice("o", "Open")),
        ("k", STAGE, Choice("k", "k")),
        (" DONE", STAGE, Choice("d", "Done")),
        ("K", STAGE, Choice("k", "k")),
        ("x", STAGE, None),
        ("x", OPEN_STAGE, Choice("x", "x")),
        ("x", FREE, Choice("x", "x")),
        ("b", Type(Kind.OPTION, None, (Option("a", "B"), Option("b", "C"))), Choice("b", "C")),
    ],
)
def test_an_option_is_called_by_its_key_or_label(text: str, of: Type, expected: Choice | None) -> None:
    assert option_of(text, of) == expected


def test_a_word_that_was_meant_is_guessed_else_all_are_shown() -> None:
    twenty = [f"n{number:02}" for number in range(20)]

    assert near("NAEM", ["Hours", "Name"]) == "Did you mean 'Name'?"
    assert near("zzz", ["b", "A"]) == "There are: A, b."
    assert near("zzz", []) == ""
    assert near("zzz", twenty) == f"There are: {', '.join(twenty)}."
    assert near("zzz", [*twenty, "n20"]) == f"There are: {', '.join(twenty)}, …."


def test_the_way_from_type_to_type_is_told() -> None:
    assert hint(HTML, STRING) == "Write plain(…) for its text."
    assert hint(STRING, HTML) == "Write html(…) for text as HTML."
    assert hint(BOOL, NUMBER) == ""
