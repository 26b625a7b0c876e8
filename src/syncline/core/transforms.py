"""The named transforms that a mapping may carry, each with its declared inverse.

A transform says what it makes of what, which transform undoes it (None: one way only), and whether nothing is lost on
the way there and back. `mapping` checks these claims against the two fields; the laws check them against values.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal

import msgspec

from syncline.core.convert import Untranslatable, of_type
from syncline.core.markup import html_of_text, text_of_html
from syncline.core.values import Day, FieldType, Money, Number, Person, RichText, Text, Value, YesNo


class Transform(msgspec.Struct, frozen=True):
    """A named function on values; see the module docstring."""

    name: str
    source: FieldType
    target: FieldType
    apply: Callable[[Value], Value | Untranslatable]
    inverse: str | None = None
    is_lossless: bool = False
    sentence: str = ""


def _unescaped(rich: RichText) -> Value:
    return Text(html.unescape(rich.html))


def _cents(money: Money) -> Value | Untranslatable:
    if not money.amount.is_finite() or money.amount.adjusted() > _LARGEST:
        return Untranslatable("the amount is too large")
    return Number(_FINE.multiply(money.amount, _HUNDRED).quantize(_WHOLE, ROUND_HALF_EVEN))


def _minutes(hours: Number) -> Value | Untranslatable:
    """Rounded where a third of an hour ends, so that a minute is a minute again on the way back."""
    if not hours.number.is_finite():
        return Untranslatable("this is no number")
    return Number(_COARSE.multiply(hours.number, _SIXTY))


def _hours(minutes: Number) -> Value | Untranslatable:
    if not minutes.number.is_finite():
        return Untranslatable("this is no number")
    return Number(_FINE.divide(minutes.number, _SIXTY))


_WHOLE = Decimal(1)
_SIXTY = Decimal(60)
_HUNDRED = Decimal(100)
_LARGEST = 20
_FINE = Context(prec=28, traps=[])
_COARSE = Context(prec=20, traps=[])
_T = FieldType

_ALL = (
    Transform(
        "plain_text",
        _T.RICH_TEXT,
        _T.TEXT,
        of_type(RichText, lambda v: Text(text_of_html(v.html))),
        inverse="paragraphs",
        sentence="HTML as plain text; formatting is lost on the way back",
    ),
    Transform(
        "paragraphs",
        _T.TEXT,
        _T.RICH_TEXT,
        of_type(Text, lambda v: RichText(html_of_text(v.text))),
        inverse="plain_text",
        sentence="plain text as HTML, one paragraph a line",
    ),
    Transform(
        "html_source",
        _T.RICH_TEXT,
        _T.TEXT,
        of_type(RichText, lambda v: Text(v.html)),
        inverse="html_from_source",
        is_lossless=True,
        sentence="the HTML itself, as text: nothing is lost",
    ),
    Transform(
        "html_from_source",
        _T.TEXT,
        _T.RICH_TEXT,
        of_type(Text, lambda v: RichText(v.text)),
        inverse="html_source",
        is_lossless=True,
        sentence="text that is HTML, as HTML",
    ),
    Transform(
        "lower", _T.TEXT, _T.TEXT, of_type(Text, lambda v: Text(v.text.lower())), sentence="in lower case"
    ),
    Transform(
        "upper", _T.TEXT, _T.TEXT, of_type(Text, lambda v: Text(v.text.upper())), sentence="in upper case"
    ),
    Transform(
        "first_line",
        _T.TEXT,
        _T.TEXT,
        of_type(Text, lambda v: Text(v.text.strip().split("\n")[0])),
        sentence="the first line only",
    ),
    Transform(
        "unescape",
        _T.RICH_TEXT,
        _T.TEXT,
        of_type(RichText, _unescaped),
        sentence="HTML entities as characters",
    ),
    Transform(
        "negate",
        _T.YES_NO,
        _T.YES_NO,
        of_type(YesNo, lambda v: YesNo(not v.yes)),
        inverse="negate",
        is_lossless=True,
        sentence="yes becomes no, no becomes yes",
    ),
    Transform(
        "hours_to_minutes",
        _T.NUMBER,
        _T.NUMBER,
        of_type(Number, _minutes),
        inverse="minutes_to_hours",
        is_lossless=True,
        sentence="times sixty",
    ),
    Transform(
        "minutes_to_hours",
        _T.NUMBER,
        _T.NUMBER,
        of_type(Number, _hours),
        inverse="hours_to_minutes",
        is_lossless=True,
        sentence="divided by sixty",
    ),
    Transform(
        "cents",
        _T.MONEY,
        _T.NUMBER,
        of_type(Money, _cents),
        inverse="from_cents",
        sentence="an amount in hundredths; the currency stays behind",
    ),
    Transform(
        "from_cents",
        _T.NUMBER,
        _T.MONEY,
        of_type(Number, lambda v: Money(_FINE.divide(v.number, _HUNDRED))),
        inverse="cents",
        sentence="hundredths as an amount in the account's own currency",
    ),
    Transform(
        "year",
        _T.DAY,
        _T.NUMBER,
        of_type(Day, lambda v: Number(Decimal(v.day.year))),
        sentence="the year of a day",
    ),
    Transform(
        "person_name",
        _T.PERSON,
        _T.TEXT,
        of_type(Person, lambda v: Text(v.name or v.email)),
        sentence="the person's name",
    ),
)

TRANSFORMS: dict[str, Transform] = {transform.name: transform for transform in _ALL}
