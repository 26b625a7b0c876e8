"""The functions of expressions one by one: what they make, where they stop, and what they cost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

import pytest

from syncline.core import expression_functions as functions
from syncline.core.expression_cost import MAX_ITEMS, MAX_STEPS, MAX_TEXT, Budget, StopError, TooCostlyError
from syncline.core.expression_functions import EXACT, calculated, changed, looked, of_time, timed, whole
from syncline.core.values import FieldType, Number, RichText, Text

D = Decimal
T = FieldType
HOUR = dt.timedelta(hours=1)


def done(function: Callable[..., Any], *plain: object) -> Any:
    return function(Budget(), *plain)


def stopped(function: Callable[..., Any], *plain: object) -> str:
    with pytest.raises(StopError) as caught:
        function(Budget(), *plain)
    return str(caught.value)


def cost(function: Callable[..., Any], *plain: object) -> int:
    """Steps that one call takes."""
    budget = Budget()
    function(budget, *plain)
    return MAX_STEPS - budget.left


# --- the budget -----------------------------------------------------------------------------------------------------


def test_as_many_steps_as_there_are_can_be_spent() -> None:
    budget = Budget(3)
    budget.spend()
    budget.spend(2)
    assert budget.left == 0
    with pytest.raises(TooCostlyError, match=r"^the expression takes too many steps$"):
        budget.spend()
    assert Budget().left == MAX_STEPS


def test_a_text_costs_a_step_for_every_sixty_four_characters_and_has_a_longest() -> None:
    assert [cost(Budget.text, length) for length in (63, 64, 128)] == [0, 1, 2]
    assert cost(Budget.text, MAX_TEXT) == MAX_TEXT // 64
    with pytest.raises(
        TooCostlyError, match=r"^the expression makes a text of more than 1,000,000 characters$"
    ):
        Budget(MAX_TEXT).text(MAX_TEXT + 1)


def test_a_list_costs_a_step_for_every_item_and_has_a_longest() -> None:
    assert cost(Budget.items, MAX_ITEMS) == MAX_ITEMS
    with pytest.raises(TooCostlyError, match=r"^the expression makes a list of more than 10,000 items$"):
        Budget().items(MAX_ITEMS + 1)


# --- numbers --------------------------------------------------------------------------------------------------------


def _raises(error: Exception) -> Callable[[Decimal, Decimal], Decimal]:
    def operation(_: Decimal, __: Decimal) -> Decimal:
        raise error

    return operation


def test_a_calculation_gives_its_result_in_order() -> None:
    assert done(calculated(EXACT.subtract), D(7), D(2)) == 5


@pytest.mark.parametrize("error", [InvalidOperation(), ValueError(), OverflowError()])
def test_a_calculation_without_a_result_stops(error: Exception) -> None:
    assert stopped(calculated(_raises(error)), D(1), D(1)) == "the calculation has no result"


def test_a_number_that_is_none_is_no_result() -> None:
    assert stopped(calculated(lambda _, __: D("NaN")), D(1), D(1)) == "the calculation has no result"


def test_a_division_is_exact_to_34_digits_and_never_by_zero() -> None:
    assert done(functions.divided, D(7), D(2)) == D("3.5")
    assert len(str(done(functions.divided, D(2), D(3)))) == len("0.") + 34
    assert done(functions.divided, D(0), D(1)) == 0
    assert stopped(functions.divided, D(1), D("0.0")) == "division by zero"
    assert stopped(functions.divided, D("9e999"), D("1e-999")) == "the calculation has no result"


def test_a_remainder_has_the_sign_of_the_first_number() -> None:
    assert done(functions.remainder, D(7), D(-3)) == 1
    assert done(functions.remainder, D(-7), D(3)) == -1
    assert done(functions.remainder, D(7), D(1)) == 0
    assert stopped(functions.remainder, D(7), D(0)) == "division by zero"
    assert stopped(functions.remainder, D("1e99"), D(7)) == "the calculation has no result"


@pytest.mark.parametrize(("how", "expected"), [(ROUND_FLOOR, -2), (ROUND_CEILING, -1), (ROUND_HALF_UP, -2)])
def test_a_number_is_rounded_one_way(how: str, expected: int) -> None:
    assert done(functions.rounded(how), D("-1.5")) == expected
    assert done(functions.rounded(how), D(3)) == 3


def test_the_whole_part_is_towards_zero_and_not_of_a_giant() -> None:
    assert [done(functions.truncated, D(each)) for each in ("3.9", "-3.9", "0")] == [3, -3, 0]
    assert done(functions.truncated, D("1e34")) == 10**34
    assert stopped(functions.truncated, D("1e35")) == "the number is too large"
    assert done(functions.text_truncated, " 7.9 ") == 7
    assert stopped(functions.text_truncated, "x") == "'x' is not a number"


# --- conversions ----------------------------------------------------------------------------------------------------


def test_a_conversion_works_on_what_the_values_hold() -> None:
    number = functions.converted(T.TEXT, T.NUMBER, Text)
    day = functions.converted(T.TEXT, T.DAY, Text)
    moment = functions.converted(T.TEXT, T.MOMENT, Text)

    assert done(functions.converted(T.NUMBER, T.TEXT, Number), D("2.50")) == "2.5"
    assert done(number, "2.5") == D("2.5")
    assert done(day, "2026-03-01") == dt.date(2026, 3, 1)
    assert done(moment, "2026-03-01T09:30:00Z") == dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC)
    assert stopped(number, "two") == "'two' is not a number"


def test_a_conversion_of_a_text_is_paid_for_by_its_length() -> None:
    assert cost(functions.converted(T.TEXT, T.NUMBER, Text), " " * 127 + "1") == 2
    assert cost(functions.converted(T.NUMBER, T.TEXT, Number), D(1)) == 0


def test_a_conversion_into_something_that_expressions_do_not_make_stops() -> None:
    assert stopped(functions.converted(T.TEXT, T.PHONE, Text), "+14155550100") == "there is no such value"


def test_html_and_text_become_each_other_paid_for_by_their_length() -> None:
    assert done(functions.plain_text, RichText("<p>a</p><p>b</p>")) == "a\nb"
    assert done(functions.html, "a < b") == RichText("<p>a &lt; b</p>")
    assert cost(functions.plain_text, RichText("x" * 96)) == 3
    assert cost(functions.html, "x" * 96) == 3


# --- texts ----------------------------------------------------------------------------------------------------------


def test_texts_are_joined() -> None:
    assert done(functions.joined, ("a", "b")) == "ab"
    assert done(functions.joined, ("a", "b"), ", ") == "a, b"
    assert cost(functions.joined, ("x" * 64,) * 3, "y" * 64) == 6
    assert stopped(functions.joined, ("a", None)) == "an item of the list is blank"
    assert done(functions.added, "a", "b") == "ab"
    assert cost(functions.added, "x" * 64, "y" * 128) == 3


def test_parts_of_a_text_are_replaced() -> None:
    assert done(functions.replaced, "abab", "a", "x") == "xbxb"
    assert done(functions.replaced, "abab", "a", "x", D(0)) == "abab"
    assert done(functions.replaced, "abab", "a", "x", D("1.9")) == "xbab"
    assert done(functions.replaced, "abab", "a", "x", D(9)) == "xbxb"
    assert done(functions.replaced, "abab", "a", "x", D(-1)) == "xbxb"
    assert stopped(functions.replaced, "a", "a", "x", D("1e99")) == "the number is too large"


def test_a_replacement_is_paid_for_by_what_it_looks_at_and_makes() -> None:
    assert cost(functions.replaced, "x" * 64, "x", "yyy") == 1 + 3
    assert cost(functions.replaced, "x" * 64, "x", "yyy", D(32)) == 1 + 2
    assert cost(functions.replaced, "x" * 64, "x", "") == 1 + 1
    assert cost(functions.replaced, "x" * 64, "x", "yy") == 1 + 2
    with pytest.raises(TooCostlyError):
        done(functions.replaced, "x" * 2000, "x", "y" * 2000)


def test_a_text_is_split() -> None:
    assert done(functions.split, "a,b,", ",") == ("a", "b", "")
    assert done(functions.split, "ab", "") == ("a", "b")
    assert cost(functions.split, "x" * 64, ",") == 1 + 1
    assert cost(functions.split, "a,b", ",") == 2


def test_a_part_of_a_text_is_cut_out() -> None:
    assert done(functions.cut, "abcd", D(1)) == "bcd"
    assert done(functions.cut, "abcd", D(1), D(3)) == "bc"
    assert done(functions.cut, "abcd", D(0), D(4)) == "abcd"
    assert done(functions.cut, "abcd", D(4)) == ""
    assert done(functions.cut, "abcd", D(2), D(2)) == ""
    assert cost(functions.cut, "x" * 200, D(64), D(128)) == 1


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 2), (0, 5), (5, 5)])
def test_a_part_that_a_text_does_not_have_stops(start: int, end: int) -> None:
    told = f"a text of 4 characters has no part from {start} to {end}"
    assert stopped(functions.cut, "abcd", D(start), D(end)) == told


def test_questions_and_changes_of_texts_are_paid_for_by_their_length() -> None:
    assert done(looked(str.startswith), "ab", "a") is True
    assert done(looked(str.startswith), "a", "ab") is False
    assert cost(looked(str.startswith), "x" * 128, "x" * 64) == 3
    assert done(changed(str.strip), " a ") == "a"
    assert cost(changed(str.strip), "x" * 128) == 2


def test_only_a_to_z_change_their_case() -> None:
    assert functions.lower("@AMZ[`amz{ÄÉ") == "@amz[`amz{ÄÉ"
    assert functions.upper("@AMZ[`amz{äé") == "@AMZ[`AMZ{äé"


# --- times ----------------------------------------------------------------------------------------------------------


def test_an_operation_of_times_keeps_its_order_and_stops_out_of_all_calendars() -> None:
    assert done(timed(lambda a, b: a - b), 3 * HOUR, HOUR) == 2 * HOUR
    assert stopped(timed(lambda a, b: a + b), dt.date.max, 24 * HOUR) == "there is no such time"


def test_a_span_is_negated() -> None:
    assert done(functions.negated, HOUR) == -HOUR
    assert done(functions.negated, dt.timedelta.min) == dt.timedelta(999_999_999)
    assert stopped(functions.negated, dt.timedelta.max) == "there is no such time"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("36h", 36 * HOUR),
        ("-1h30m", -1.5 * HOUR),
        ("1.5h", 1.5 * HOUR),
        ("2.s.5s", dt.timedelta(seconds=2.5)),
        ("1m2s3ms4us", dt.timedelta(minutes=1, seconds=2, milliseconds=3, microseconds=4)),
        ("-0.9us", dt.timedelta()),
        ("1h" * 20, 20 * HOUR),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, expected: dt.timedelta) -> None:
    assert done(functions.duration, text) == expected


@pytest.mark.parametrize(
    "text", ["", "-", "h", "1", "1d", "1h30", "1..5h", ".h", "--1h", "1h-1m", "²h", "1 h", "1h\n", "1h" * 20 + "1m"]
)  # fmt: skip
def test_what_is_no_duration_stops(text: str) -> None:
    assert stopped(functions.duration, text) == f"'{text[:40]}' is not a duration like 1h30m"


def test_a_duration_longer_than_any_stops() -> None:
    assert stopped(functions.duration, "9" * 39 + "h") == f"'{'9' * 39}h' is too long"
    assert stopped(functions.duration, "-99999999999h") == "'-99999999999h' is too long"


def test_a_part_of_a_time_is_a_number() -> None:
    made = done(of_time(lambda at: at.year), dt.date(2026, 3, 1))
    assert (made, type(made)) == (2026, Decimal)


@pytest.mark.parametrize(
    ("span", "unit", "expected"),
    [
        (1.5 * HOUR, "h", 1),
        (-1.5 * HOUR, "h", -1),
        (dt.timedelta(), "h", 0),
        (2 * HOUR, "m", 120),
        (dt.timedelta(milliseconds=-2999), "s", -2),
        (dt.timedelta.max, "h", 23_999_999_999),
    ],
)
def test_whole_units_of_a_span_are_towards_zero(span: dt.timedelta, unit: str, expected: int) -> None:
    assert whole(span, unit) == expected
