"""A value of one type into a value of another, where that has one obvious meaning.

Used by `mapping` when a line joins fields of different types and no transform is named. Each conversion answers
`Untranslatable` for a value that has no counterpart; it never guesses.
"""

from __future__ import annotations

import datetime as dt
import html as html_module
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TypeVar

import msgspec

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
    canonical_html,
)


class Untranslatable(msgspec.Struct, frozen=True, tag="untranslatable"):
    """A value that has no counterpart on the other side, and why."""

    reason: str


Conversion = Callable[[Value], "Value | Untranslatable"]


def convert(source: FieldType, target: FieldType) -> Conversion | None:
    """The conversion between two types, or None where none is obvious."""
    if source is target:
        return lambda value: value
    return _CONVERSIONS.get((source, target))


def is_lossless(left: FieldType, right: FieldType) -> bool:
    """Whether a value survives the way to the other type and back."""
    return left is right or (left, right) in _LOSSLESS or (right, left) in _LOSSLESS


def text_of_html(html: str) -> str:
    """HTML as plain text: blocks and list items on lines of their own, formatting dropped."""
    parts: list[str] = []
    for piece in canonical_html(html):
        if piece == "<li>":
            parts.append("\n- ")
        elif piece.startswith("<") and piece.endswith(">"):
            name = piece.strip("</>").split(" ", 1)[0]
            parts.append("\n" if name in _LINE_TAGS else "")
        else:
            parts.append(piece)
    lines = "".join(parts).replace(" \n", "\n").split("\n")
    return "\n".join(line for line in lines if line.strip()).strip()


def html_of_text(text: str) -> str:
    """Plain text as HTML: one paragraph a line, special characters escaped."""
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
    return "".join(f"<p>{html_module.escape(line.strip(), quote=False)}</p>" for line in lines)


_LINE_TAGS = frozenset(
    {"ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "tr", "table", "hr"}
)


_V = TypeVar("_V")


def _of(kind: type[_V], function: Callable[[_V], Value | Untranslatable]) -> Conversion:
    """A conversion of one type of value; a value of another type has no counterpart."""
    return lambda value: (
        function(value) if isinstance(value, kind) else Untranslatable(f"this is no {kind.__name__.lower()}")
    )


def _number(text: Text) -> Value | Untranslatable:
    try:
        number = Decimal(text.text.strip())
    except InvalidOperation:
        return Untranslatable(f"'{text.text[:40]}' is not a number")
    return Number(number) if number.is_finite() else Untranslatable(f"'{text.text[:40]}' is not a number")


def _day(text: Text) -> Value | Untranslatable:
    try:
        return Day(dt.date.fromisoformat(text.text.strip()))
    except ValueError:
        return Untranslatable(f"'{text.text[:40]}' is not a date like 2026-03-31")


def _moment(text: Text) -> Value | Untranslatable:
    try:
        at = dt.datetime.fromisoformat(text.text.strip())
    except ValueError:
        return Untranslatable(f"'{text.text[:40]}' is not a time like 2026-03-31T09:30:00Z")
    return Moment(at if at.tzinfo else at.replace(tzinfo=dt.UTC))


def _phone(text: Text) -> Value | Untranslatable:
    has_digit = any(character.isdigit() for character in text.text)
    return Phone(text.text) if has_digit else Untranslatable(f"'{text.text[:40]}' is not a phone number")


def _joined(many: ManyOf) -> Value | Untranslatable:
    if any("," in key for key in many.keys):
        return Untranslatable("a label with a comma cannot be written in a comma-separated text")
    return Text(", ".join(sorted(many.keys)))


def _split(text: Text) -> Value:
    return ManyOf(tuple(part for part in (piece.strip() for piece in text.text.split(",")) if part))


def _email(person: Person) -> Value | Untranslatable:
    return Text(person.email) if person.email else Untranslatable("the person's e-mail is not known")


def _number_text(number: Number) -> Value:
    return Text(format(number.number.normalize() if number.number else Decimal(0), "f"))


def _moment_text(moment: Moment) -> Value:
    return Text(moment.at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"))


T = FieldType
_CONVERSIONS: dict[tuple[FieldType, FieldType], Conversion] = {
    (T.RICH_TEXT, T.TEXT): _of(RichText, lambda rich: Text(text_of_html(rich.html))),
    (T.TEXT, T.RICH_TEXT): _of(Text, lambda text: RichText(html_of_text(text.text))),
    (T.NUMBER, T.TEXT): _of(Number, _number_text),
    (T.TEXT, T.NUMBER): _of(Text, _number),
    (T.DAY, T.TEXT): _of(Day, lambda day: Text(day.day.isoformat())),
    (T.TEXT, T.DAY): _of(Text, _day),
    (T.MOMENT, T.TEXT): _of(Moment, _moment_text),
    (T.TEXT, T.MOMENT): _of(Text, _moment),
    (T.MOMENT, T.DAY): _of(Moment, lambda moment: Day(moment.at.astimezone(dt.UTC).date())),
    (T.DAY, T.MOMENT): _of(Day, lambda day: Moment(dt.datetime.combine(day.day, dt.time(), dt.UTC))),
    (T.PHONE, T.TEXT): _of(Phone, lambda phone: Text(phone.number)),
    (T.TEXT, T.PHONE): _of(Text, _phone),
    (T.NUMBER, T.MONEY): _of(Number, lambda number: Money(number.number)),
    (T.MONEY, T.NUMBER): _of(Money, lambda money: Number(money.amount)),
    (T.ONE_OF, T.TEXT): _of(OneOf, lambda option: Text(option.key)),
    (T.TEXT, T.ONE_OF): _of(Text, lambda text: OneOf(text.text.strip())),
    (T.ONE_OF, T.MANY_OF): _of(OneOf, lambda option: ManyOf((option.key,))),
    (T.MANY_OF, T.TEXT): _of(ManyOf, _joined),
    (T.TEXT, T.MANY_OF): _of(Text, _split),
    (T.YES_NO, T.TEXT): _of(YesNo, lambda answer: Text("yes" if answer.yes else "no")),
    (T.PERSON, T.TEXT): _of(Person, _email),
    (T.TEXT, T.PERSON): _of(Text, lambda text: Person(email=text.text.strip())),
    (T.REFERENCE, T.TEXT): _of(Reference, lambda reference: Text(reference.key)),
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
