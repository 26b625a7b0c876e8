"""A value of one type into a value of another, where that has one obvious meaning.

Used by `mapping` when a line joins fields of different types and no transform is named. Each conversion answers
`Untranslatable` for a value that has no counterpart; it never guesses.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TypeVar

import msgspec

from syncline.core.markup import html_of_text, text_of_html
from syncline.core.values import (
    Day,
    FieldType,
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
    canonical_text,
)


class Untranslatable(msgspec.Struct, frozen=True, tag="untranslatable"):
    """A value that has no counterpart on the other side, and why. `is_awaited`: another sync may still make it one."""

    reason: str
    is_awaited: bool = False


Conversion = Callable[[Value], "Value | Untranslatable"]


def convert(source: FieldType, target: FieldType) -> Conversion | None:
    """The conversion between two types, or None where none is obvious.

    A reference names a record of its own connection: only the links know its counterpart, so it never just goes over.
    """
    if source is target:
        if source is FieldType.REFERENCE:
            return None
        return lambda value: value
    return _CONVERSIONS.get((source, target))


def is_lossless(left: FieldType, right: FieldType) -> bool:
    """Whether a value survives the way to the other type and back."""
    return left is right or (left, right) in _LOSSLESS or (right, left) in _LOSSLESS


_V = TypeVar("_V")


def of_type(kind: type[_V], function: Callable[[_V], Value | Untranslatable]) -> Conversion:
    """A conversion of one type of value; a value of another type has no counterpart."""
    return lambda value: (
        function(value) if isinstance(value, kind) else Untranslatable(f"this is no {kind.__name__.lower()}")
    )


def _number(text: Text) -> Value | Untranslatable:
    try:
        number = Decimal(text.text.strip())
    except InvalidOperation:
        return Untranslatable(f"'{text.text[:40]}' is not a number")
    is_plain = number.is_finite() and abs(number.adjusted()) <= _LONGEST
    return Number(number) if is_plain else Untranslatable(f"'{text.text[:40]}' is not a number")


def _day(text: Text) -> Value | Untranslatable:
    try:
        return Day(dt.date.fromisoformat(text.text.strip()))
    except ValueError:
        return Untranslatable(f"'{text.text[:40]}' is not a date like 2026-03-31")


def _moment(text: Text) -> Value | Untranslatable:
    try:
        at = dt.datetime.fromisoformat(text.text.strip())
        return Moment(at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC))
    except (ValueError, OverflowError):
        return Untranslatable(f"'{text.text[:40]}' is not a time like 2026-03-31T09:30:00Z")


def _phone(text: Text) -> Value | Untranslatable:
    has_digit = any(character.isdigit() for character in text.text)
    return Phone(text.text) if has_digit else Untranslatable(f"'{text.text[:40]}' is not a phone number")


def _joined(many: ManyOf) -> Value | Untranslatable:
    if any("," in key for key in many.keys):
        return Untranslatable("a label with a comma cannot be written in a comma-separated text")
    return Text(", ".join(sorted({key.strip() for key in many.keys} - {""})))


def _split(text: Text) -> Value:
    return ManyOf(tuple(part for part in (piece.strip() for piece in text.text.split(",")) if part))


def _person(text: Text) -> Value | Untranslatable:
    email = text.text.strip()
    if "@" not in email or any(character.isspace() for character in email):
        return Untranslatable(f"'{text.text[:40]}' is not an e-mail address")
    return Person(email=email)


def _email(person: Person) -> Value | Untranslatable:
    return (
        Text(person.email.strip())
        if person.email.strip()
        else Untranslatable("the person's e-mail is not known")
    )


def _number_text(number: Number) -> Value | Untranslatable:
    exact = number.number
    if not exact.is_finite() or abs(exact.adjusted()) > _LONGEST:
        return Untranslatable("the number is too long to be written out")
    digits = format(exact, "f")
    plain = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return Text("0" if plain == "-0" else plain)


def _moment_text(moment: Moment) -> Value:
    return Text(moment.at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"))


_LONGEST = 60
"""Digits before or behind the point beyond which a text is no number that anybody typed."""

T = FieldType
_CONVERSIONS: dict[tuple[FieldType, FieldType], Conversion] = {
    (T.RICH_TEXT, T.TEXT): of_type(RichText, lambda rich: Text(text_of_html(rich.html))),
    (T.TEXT, T.RICH_TEXT): of_type(Text, lambda text: RichText(html_of_text(text.text))),
    (T.NUMBER, T.TEXT): of_type(Number, _number_text),
    (T.TEXT, T.NUMBER): of_type(Text, _number),
    (T.DAY, T.TEXT): of_type(Day, lambda day: Text(day.day.isoformat())),
    (T.TEXT, T.DAY): of_type(Text, _day),
    (T.MOMENT, T.TEXT): of_type(Moment, _moment_text),
    (T.TEXT, T.MOMENT): of_type(Text, _moment),
    (T.MOMENT, T.DAY): of_type(Moment, lambda moment: Day(moment.at.astimezone(dt.UTC).date())),
    (T.DAY, T.MOMENT): of_type(Day, lambda day: Moment(dt.datetime.combine(day.day, dt.time(), dt.UTC))),
    (T.PHONE, T.TEXT): of_type(Phone, lambda phone: Text(phone.number)),
    (T.TEXT, T.PHONE): of_type(Text, _phone),
    (T.NUMBER, T.MONEY): of_type(Number, lambda number: Money(number.number)),
    (T.MONEY, T.NUMBER): of_type(Money, lambda money: Number(money.amount)),
    (T.ONE_OF, T.TEXT): of_type(OneOf, lambda option: Text(option.key)),
    (T.TEXT, T.ONE_OF): of_type(Text, lambda text: OneOf(canonical_text(text.text))),
    (T.ONE_OF, T.MANY_OF): of_type(OneOf, lambda option: ManyOf((option.key,))),
    (T.MANY_OF, T.TEXT): of_type(ManyOf, _joined),
    (T.TEXT, T.MANY_OF): of_type(Text, _split),
    (T.YES_NO, T.TEXT): of_type(YesNo, lambda answer: Text("yes" if answer.yes else "no")),
    (T.PERSON, T.TEXT): of_type(Person, _email),
    (T.TEXT, T.PERSON): of_type(Text, _person),
    (T.REFERENCE, T.TEXT): of_type(Reference, lambda reference: Text(reference.key)),
}

_LOSSLESS = frozenset(
    {
        (T.NUMBER, T.TEXT),
        (T.DAY, T.TEXT),
        (T.MOMENT, T.TEXT),
        (T.PHONE, T.TEXT),
        (T.ONE_OF, T.TEXT),
        (T.MANY_OF, T.TEXT),
        (T.PERSON, T.TEXT),
    }
)
