"""One value into its counterpart: by pairs, by conversion, and fitted to the options, people and length of its field."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from syncline.core.convert import Untranslatable
from syncline.core.records import FieldSchema, Option
from syncline.core.transforms import TRANSFORMS
from syncline.core.translation import Scalar, Way, fit, read_scalar, shown, translation
from syncline.core.values import (
    BLANK,
    Day,
    FieldType,
    ManyOf,
    Money,
    Number,
    OneOf,
    Person,
    Text,
    Value,
    YesNo,
)
from tests.core.test_mapping_laws import field

T = FieldType
COLOURS = (Option("1", "Red"), Option("2", "Blue"), Option("k", ""))
NO = Untranslatable


# --- configured scalars ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scalar", "target", "expected"),
    [
        (None, field("f", T.DAY), BLANK),
        ("", field("f", T.DAY), BLANK),
        (True, field("f", T.YES_NO), YesNo(yes=True)),
        ("Yes", field("f", T.YES_NO), YesNo(yes=True)),
        ("true", field("f", T.YES_NO), YesNo(yes=True)),
        (False, field("f", T.YES_NO), YesNo(yes=False)),
        ("NO", field("f", T.YES_NO), YesNo(yes=False)),
        ("maybe", field("f", T.YES_NO), NO("not yes or no")),
        (7, field("f", T.TEXT), Text("7")),
        (7, field("f", T.NUMBER), Number(Decimal(7))),
        ("x", field("f", T.NUMBER), NO("'x' is not a number")),
        ("x", field("f", T.DAY), NO("day values cannot be paired")),
        (1, field("f", T.ONE_OF, COLOURS), OneOf("1")),
        (" bLUE ", field("f", T.ONE_OF, COLOURS), OneOf("2")),
        ("K", field("f", T.MANY_OF, COLOURS), OneOf("k")),
        ("Green", field("f", T.MANY_OF, COLOURS), NO("no such option")),
        ("Green", field("f", T.ONE_OF, COLOURS, is_open=True), OneOf("Green")),
        ("Green", field("f", T.ONE_OF), OneOf("Green")),
    ],
)
def test_a_configured_scalar_is_read_as_a_value_of_its_field(
    scalar: Scalar, target: FieldSchema, expected: Value | Untranslatable
) -> None:
    assert read_scalar(scalar, target) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (OneOf("a"), "a"),
        (Text(f" {'x' * 50}"), "x" * 40),
        (BLANK, "blank"),
        (Number(Decimal(2)), "2"),
        (Day(dt.date(2026, 3, 1)), "2026-03-01"),
    ],
)
def test_a_value_in_a_sentence_is_short(value: Value, expected: str) -> None:
    assert shown(value) == expected


# --- pairs ----------------------------------------------------------------------------------------------------------


def test_a_pair_that_cannot_be_read_is_passed_over_on_either_side() -> None:
    pairs = (("x", "one"), (1, "gone"), (2, "two"))
    made = translation(Way(field("n", T.NUMBER), field("o", T.ONE_OF, "one two"), pairs))

    assert made(Number(Decimal(1))) == NO("'1' has no pair in the mapping")
    assert made(Number(Decimal(2))) == OneOf("two")
    assert made(BLANK) == BLANK


def test_the_first_pair_counts_and_values_that_mean_the_same_share_it() -> None:
    made = translation(Way(field("t"), field("u"), (("a", "first"), (" a ", "second"), (None, "none"))))

    assert made(Text("a\n")) == Text("first")
    assert made(Text("b ")) == NO("'b' has no pair in the mapping")
    assert made(BLANK) == Text("none")


def test_options_of_a_set_are_paired_each_by_itself() -> None:
    pairs = (("red", "r"), ("blue", "b"), ("green", "b"), (None, "n"))
    many = Way(field("m", T.MANY_OF, "red blue green grey"), field("n", T.MANY_OF, "r b n"), pairs)

    assert translation(many)(ManyOf(("green", "red", "grey", "blue"))) == ManyOf(("b", "r"))
    assert translation(many)(ManyOf(("grey",))) == BLANK
    assert translation(many)(ManyOf(())) == ManyOf(("n",))


def test_one_option_paired_with_a_set_is_a_set_of_one() -> None:
    pairs = (("red", "r"), ("blue", None))
    to_set = translation(Way(field("o", T.ONE_OF, "red blue"), field("m", T.MANY_OF, "r"), pairs))
    to_one = translation(Way(field("o", T.ONE_OF, "red blue"), field("m", T.ONE_OF, "r"), pairs))

    assert to_set(OneOf("red")) == ManyOf(("r",))
    assert to_set(OneOf("blue")) == BLANK
    assert to_one(OneOf("red")) == OneOf("r")


# --- conversions and transforms -------------------------------------------------------------------------------------


def test_types_without_a_conversion_have_no_counterpart() -> None:
    made = translation(Way(field("d", T.DAY), field("n", T.NUMBER)))

    assert made(Day(dt.date(2026, 3, 1))) == NO("day does not become number")
    assert translation(Way(field("r", T.REFERENCE), field("s", T.REFERENCE)))(BLANK) == NO(
        "reference does not become reference"
    )


def test_a_transform_goes_before_the_conversion_and_blank_stays_blank() -> None:
    made = translation(Way(field("t"), field("u", max_length=2), transform=TRANSFORMS["upper"]))

    assert made(Text("ab")) == Text("AB")
    assert made(Text("abc")) == NO("3 characters are too long for 'u' (2)")
    assert made(Text(" ")) == BLANK


def test_a_text_of_options_is_made_of_their_labels() -> None:
    one = translation(Way(field("o", T.ONE_OF, COLOURS), field("t")))
    many = translation(Way(field("m", T.MANY_OF, COLOURS), field("t")))

    assert [one(OneOf(key)) for key in ("1", "k", "free")] == [Text("Red"), Text("k"), Text("free")]
    assert many(ManyOf(("2", "k", "1", "free"))) == Text("Blue, Red, free, k")
    assert one(Text("Red")) == NO("this is no oneof")
    assert translation(Way(field("o", T.ONE_OF), field("t")))(OneOf("free")) == Text("free")


# --- options --------------------------------------------------------------------------------------------------------


def test_an_option_is_found_by_label_then_by_key_and_else_is_none() -> None:
    target = field(
        "t", T.ONE_OF, (Option("7", " RED"), Option("8", "red"), Option("2", "Other"), Option("k", ""))
    )
    made = fit(Way(field("s", T.ONE_OF, COLOURS), target))

    assert made(OneOf("1")) == OneOf("7")
    assert made(OneOf("2")) == OneOf("2")
    assert made(OneOf("k")) == OneOf("k")
    assert made(OneOf("K")) == OneOf("k")
    assert made(OneOf("free")) == NO("'free' is no option of 't'")
    assert made(OneOf("Red")) == OneOf("7")
    assert made(Text("free")) == Text("free")


def test_a_field_without_options_takes_any_and_an_open_one_new_labels() -> None:
    source = field("s", T.ONE_OF, COLOURS)

    assert fit(Way(source, field("t", T.ONE_OF)))(OneOf("1")) == OneOf("1")
    assert fit(Way(source, field("t", T.ONE_OF, "x", is_open=True)))(OneOf("1")) == OneOf("Red")


def test_elements_without_a_counterpart_stay_on_their_side_between_two_sets_only() -> None:
    target = field("t", T.MANY_OF, "red blue")
    between = fit(Way(field("s", T.MANY_OF, COLOURS), target))
    from_text = fit(Way(field("s"), target))

    assert between(ManyOf(("2", "k", "1", "blue"))) == ManyOf(("blue", "red"))
    assert between(ManyOf(("k",))) == BLANK
    assert between(OneOf("1")) == OneOf("1")
    assert from_text(ManyOf(("Blue", "RED", "red"))) == ManyOf(("blue", "red"))
    assert from_text(ManyOf(("Blue", "k"))) == NO("'k' is no option of 't'")
    assert from_text(ManyOf(())) == BLANK


# --- people and length ----------------------------------------------------------------------------------------------

OWNERS = (Option("7", "Owner", " Owner@Right.test"), Option("8", "Twin", "owner@right.test"))


def test_a_person_is_found_by_e_mail_or_by_the_first_pair() -> None:
    people = ((" Boss@left.test", " owner@right.test "), ("boss@left.test", "nobody@right.test"))
    made = fit(Way(field("p", T.PERSON), field("q", T.PERSON, OWNERS), people=people))

    assert made(Person("BOSS@LEFT.TEST ", "1", "Boss")) == Person(" Owner@Right.test", "7", "Owner")
    assert made(Person("owner@RIGHT.test")) == Person(" Owner@Right.test", "7", "Owner")
    assert made(Person(" Two@left.test ")) == NO("nobody on the other side has the e-mail Two@left.test")
    assert made(Person(id="3", name="Name")) == NO("the e-mail of Name is not known")
    assert made(Person(" ", id="3")) == NO("the e-mail of person 3 is not known")
    assert made(Text("owner@right.test")) == Text("owner@right.test")


def test_a_person_goes_over_by_e_mail_where_the_people_are_not_listed() -> None:
    made = fit(Way(field("p", T.PERSON), field("q", T.PERSON), people=(("a@left.test", "a@right.test"),)))

    assert made(Person("A@left.test", "1", "A")) == Person("a@right.test", "", "A")
    assert made(Person(" B@left.test", "1", "B")) == Person("B@left.test", "", "B")


def test_a_text_may_be_as_long_as_its_field() -> None:
    made = fit(Way(field("s"), field("t", max_length=3)))

    assert made(Text("abc")) == Text("abc")
    assert made(Text("abcd")) == NO("4 characters are too long for 't' (3)")
    assert made(Number(Decimal(1))) == Number(Decimal(1))
    assert fit(Way(field("s"), field("t")))(Text("abcd")) == Text("abcd")
    assert fit(Way(field("s"), field("t", T.MONEY)))(Money(Decimal(1))) == Money(Decimal(1))
