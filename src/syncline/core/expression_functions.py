"""What the functions and operators of expressions do to plain values.

Called through the table in `expression_overloads`. Each gets the budget and values of the types that the table names,
never null; what has no result raises `StopError`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Context, Decimal, DecimalException
from typing import Any

from syncline.core.convert import Untranslatable, convert
from syncline.core.expression_cost import Budget, StopError
from syncline.core.markup import html_of_text, text_of_html
from syncline.core.values import Day, FieldType, Moment, Number, RichText, Text, Value

# --- numbers --------------------------------------------------------------------------------------------------------

EXACT = Context(prec=34, Emax=999, Emin=-999)
"""How numbers are calculated."""


def _number(made: Callable[[], Decimal]) -> Decimal:
    try:
        number = made()
    except (DecimalException, ValueError, OverflowError) as error:
        raise StopError("the calculation has no result") from error
    if not number.is_finite():
        raise StopError("the calculation has no result")
    return number


def calculated(
    operation: Callable[[Decimal, Decimal], Decimal],
) -> Callable[[Budget, Decimal, Decimal], Decimal]:
    """An operation of decimals; one without a result stops."""
    return lambda _, a, b: _number(lambda: operation(a, b))


def divided(_: Budget, a: Decimal, b: Decimal) -> Decimal:
    """Exact to 34 digits; not whole-number division."""
    if b == 0:
        raise StopError("division by zero")
    return _number(lambda: EXACT.divide(a, b))


def remainder(_: Budget, a: Decimal, b: Decimal) -> Decimal:
    """With the sign of the first number."""
    if b == 0:
        raise StopError("division by zero")
    return _number(lambda: EXACT.remainder(a, b))


def rounded(how: str) -> Callable[[Budget, Decimal], Decimal]:
    """To a whole number, this way."""
    return lambda _, number: number.to_integral_value(how)


def truncated(_: Budget, number: Decimal) -> Decimal:
    """The whole part of a number."""
    if number.adjusted() > EXACT.prec:
        raise StopError("the number is too large")
    return Decimal(int(number))


# --- conversions ----------------------------------------------------------------------------------------------------


def converted(
    source: FieldType, target: FieldType, wrap: Callable[[Any], Value]
) -> Callable[[Budget, Any], Any]:
    """A conversion of the mapping's own, on what the values hold."""
    change = convert(source, target)
    assert change is not None  # noqa: S101 - the table below names only pairs that convert

    def apply(budget: Budget, plain: Any) -> Any:
        if isinstance(plain, str):
            budget.text(len(plain))
        made = change(wrap(plain))
        if isinstance(made, Untranslatable):
            raise StopError(made.reason)
        match made:
            case Text(text):
                return text
            case Number(number):
                return number
            case Day(day):
                return day
            case Moment(at):
                return at
            case _:
                raise StopError("there is no such value")

    return apply


_T = FieldType
number_text = converted(_T.NUMBER, _T.TEXT, Number)
day_text = converted(_T.DAY, _T.TEXT, Day)
moment_text = converted(_T.MOMENT, _T.TEXT, Moment)
text_number = converted(_T.TEXT, _T.NUMBER, Text)
text_day = converted(_T.TEXT, _T.DAY, Text)
text_moment = converted(_T.TEXT, _T.MOMENT, Text)
moment_day = converted(_T.MOMENT, _T.DAY, Moment)
day_moment = converted(_T.DAY, _T.MOMENT, Day)


def text_truncated(budget: Budget, text: str) -> Decimal:
    """The whole part of a number that is written out."""
    return truncated(budget, text_number(budget, text))


def plain_text(budget: Budget, rich: RichText) -> str:
    """HTML as text."""
    budget.spend(len(rich.html) // _MARKUP)
    return text_of_html(rich.html)


_MARKUP = 32
"""Characters of HTML that count as one step."""


def html(budget: Budget, text: str) -> RichText:
    """Text as HTML, one paragraph a line."""
    budget.text(len(text) * 2)
    return RichText(html_of_text(text))


# --- texts ----------------------------------------------------------------------------------------------------------


def joined(budget: Budget, texts: tuple[str | None, ...], separator: str = "") -> str:
    """The texts of a list in one."""
    if None in texts:
        raise StopError("an item of the list is blank")
    whole = [text for text in texts if text is not None]
    budget.text(sum(map(len, whole)) + len(separator) * len(whole))
    return separator.join(whole)


def added(budget: Budget, a: str, b: str) -> str:
    """Two texts in one."""
    budget.text(len(a) + len(b))
    return a + b


def replaced(budget: Budget, text: str, old: str, new: str, times: Decimal = Decimal(-1)) -> str:
    """Every occurrence of a part, or the first ones."""
    budget.text(len(text))
    count = text.count(old)
    most = int(truncated(budget, times))
    count = count if most < 0 else min(count, most)
    budget.text(len(text) + count * max(len(new) - len(old), 0))
    return text.replace(old, new, count)


def split(budget: Budget, text: str, separator: str) -> tuple[str, ...]:
    """The parts between separators; without one, the characters."""
    budget.text(len(text))
    budget.items(text.count(separator) + 1)
    return tuple(text.split(separator)) if separator else tuple(text)


def cut(budget: Budget, text: str, start: Decimal, end: Decimal | None = None) -> str:
    """From one character up to before another."""
    first = int(truncated(budget, start))
    last = len(text) if end is None else int(truncated(budget, end))
    if not 0 <= first <= last <= len(text):
        raise StopError(f"a text of {len(text)} characters has no part from {first} to {last}")
    budget.text(last - first)
    return text[first:last]


def looked(function: Callable[[str, str], Any]) -> Callable[[Budget, str, str], Any]:
    """A question about two texts, paid for by their length."""

    def apply(budget: Budget, text: str, part: str) -> Any:
        budget.text(len(text) + len(part))
        return function(text, part)

    return apply


def changed(function: Callable[[str], str]) -> Callable[[Budget, str], str]:
    """A text made of a text, paid for by its length."""

    def apply(budget: Budget, text: str) -> str:
        budget.text(len(text))
        return function(text)

    return apply


def lower(text: str) -> str:
    """A to Z in lower case."""
    return text.translate(_LOWER)


def upper(text: str) -> str:
    """A to z in upper case."""
    return text.translate(_UPPER)


_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code + 32: code for code in _LOWER}


# --- times ----------------------------------------------------------------------------------------------------------


def timed(operation: Callable[[Any, Any], Any]) -> Callable[[Budget, Any, Any], Any]:
    """An operation of times; one out of all calendars stops."""

    def apply(_: Budget, a: Any, b: Any) -> Any:
        try:
            return operation(a, b)
        except OverflowError as error:
            raise StopError("there is no such time") from error

    return apply


def negated(budget: Budget, span: dt.timedelta) -> dt.timedelta:
    """The same span the other way."""
    return timed(lambda zero, given: zero - given)(budget, dt.timedelta(), span)


_UNITS = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1}
_PART = r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(h|ms|us|m|s)"
_DURATION = re.compile(rf"-?(?:{_PART})+")
_LONGEST = 40


def duration(_: Budget, text: str) -> dt.timedelta:
    """As in `36h` or `-1h30m`."""
    if len(text) > _LONGEST or not _DURATION.fullmatch(text):
        raise StopError(f"'{text[:_LONGEST]}' is not a duration like 1h30m")
    total = sum(Decimal(number) * _UNITS[unit] for number, unit in re.findall(_PART, text))
    try:
        return dt.timedelta(microseconds=int(-total if text.startswith("-") else total))
    except OverflowError as error:
        raise StopError(f"'{text}' is too long") from error


def of_time(part: Callable[[Any], int]) -> Callable[[Budget, Any], Decimal]:
    """A part of a time as a number."""
    return lambda _, at: Decimal(part(at))


def whole(span: dt.timedelta, unit: str) -> int:
    """Whole units of a duration, towards zero."""
    microseconds = Decimal(span // dt.timedelta(microseconds=1))
    return int(EXACT.divide(microseconds, Decimal(_UNITS[unit])))


DATE_PARTS: dict[str, Callable[[Any], int]] = {
    "getFullYear": lambda at: at.year,
    "getMonth": lambda at: at.month - 1,
    "getDate": lambda at: at.day,
    "getDayOfMonth": lambda at: at.day - 1,
    "getDayOfWeek": lambda at: at.isoweekday() % 7,
    "getDayOfYear": lambda at: at.timetuple().tm_yday - 1,
}
TIME_PARTS: dict[str, Callable[[Any], int]] = {
    "getHours": lambda at: at.hour,
    "getMinutes": lambda at: at.minute,
    "getSeconds": lambda at: at.second,
    "getMilliseconds": lambda at: at.microsecond // 1000,
}
