"""The types of expressions, and how field values become the plain values that expressions work on.

Used by `expression_check` (types), `expression_functions` and `expressions` (values). Numbers are exact decimals, times
are UTC; an option knows its key and its label, so that people can write either.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

import msgspec

from syncline.core.convert import Untranslatable
from syncline.core.records import FieldSchema, Option
from syncline.core.values import (
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
    canonical_text,
    is_blank,
)


class Kind(Enum):
    """What an expression's value is."""

    STRING = "string"
    NUMBER = "number"
    BOOL = "bool"
    HTML = "html"
    DAY = "day"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    OPTION = "option"
    MONEY = "money"
    PERSON = "person"
    REFERENCE = "reference"
    FILE = "file"
    LIST = "list"
    NULL = "null"
    ANY = "any"
    """Of an empty list's items, and of what a fault was already told about."""


@dataclass(frozen=True, slots=True)
class Type:
    """A kind, with what a list holds and which options there are."""

    kind: Kind
    item: Type | None = None
    options: tuple[Option, ...] | None = None
    is_open: bool = False

    def __str__(self) -> str:
        return f"list({self.item})" if self.item else self.kind.value


STRING, NUMBER, BOOL, HTML = Type(Kind.STRING), Type(Kind.NUMBER), Type(Kind.BOOL), Type(Kind.HTML)
DAY, TIMESTAMP, DURATION = Type(Kind.DAY), Type(Kind.TIMESTAMP), Type(Kind.DURATION)
MONEY, PERSON, NULL, ANY = Type(Kind.MONEY), Type(Kind.PERSON), Type(Kind.NULL), Type(Kind.ANY)
REFERENCE, FILE, OPTION = Type(Kind.REFERENCE), Type(Kind.FILE), Type(Kind.OPTION)


def list_of(item: Type) -> Type:
    """The type of lists of these."""
    return Type(Kind.LIST, item)


MEMBERS: dict[Kind, dict[str, Type]] = {
    Kind.OPTION: {"key": STRING, "label": STRING},
    Kind.MONEY: {"amount": NUMBER, "currency": STRING},
    Kind.PERSON: {"email": STRING, "name": STRING, "id": STRING},
    Kind.REFERENCE: {"key": STRING, "object_type": STRING},
    Kind.FILE: {"name": STRING, "url": STRING, "size": NUMBER},
}
"""What can be read from a value with a dot."""

_OF_FIELD = {
    FieldType.TEXT: STRING,
    FieldType.RICH_TEXT: HTML,
    FieldType.NUMBER: NUMBER,
    FieldType.MONEY: MONEY,
    FieldType.YES_NO: BOOL,
    FieldType.DAY: DAY,
    FieldType.MOMENT: TIMESTAMP,
    FieldType.PHONE: STRING,
    FieldType.PERSON: PERSON,
    FieldType.REFERENCE: REFERENCE,
    FieldType.FILES: list_of(FILE),
}


def type_of(field: FieldSchema) -> Type:
    """What a field is to an expression."""
    option = Type(Kind.OPTION, None, field.options, field.is_open)
    if field.type is FieldType.ONE_OF:
        return option
    return list_of(option) if field.type is FieldType.MANY_OF else _OF_FIELD[field.type]


def common(a: Type, b: Type) -> Type | None:
    """The type that both are, or None. Anything may be null."""
    if a.kind in (Kind.ANY, Kind.NULL):
        return b
    if b.kind in (Kind.ANY, Kind.NULL):
        return a
    if a.kind is Kind.LIST and b.kind is Kind.LIST:
        item = common(a.item or ANY, b.item or ANY)
        return list_of(item) if item is not None else None
    if a.kind is not b.kind:
        return None
    return a if a.options == b.options and a.is_open == b.is_open else Type(a.kind)


def fits(given: Type, wanted: Type) -> bool:
    """Whether a value of the one type may stand where the other is wanted."""
    return common(given, wanted) is not None


# --- values ---------------------------------------------------------------------------------------------------------


class Choice(msgspec.Struct, frozen=True):
    """An option: compared by its key, read by its label."""

    key: str
    label: str


Plain = (
    str | Decimal | bool | dt.date | dt.datetime | dt.timedelta | RichText | Choice | Money | Person | Reference | File
    | tuple["Plain", ...] | None
)  # fmt: skip
"""What expressions compute with; None is null."""

Reading = Callable[[Value], "Plain | Untranslatable"]


def reading(field: FieldSchema) -> Reading:
    """How a value of the field becomes plain. Blank is null; values that mean the same become the same."""
    labels = {option.key: option.label or option.key for option in field.options or ()}
    wanted = type_of(field)

    def read(value: Value) -> Plain | Untranslatable:
        if is_blank(value):
            return None
        plain = _plain(value, labels)
        number = plain.amount if isinstance(plain, Money) else plain
        if isinstance(number, Decimal) and not number.is_finite():
            return Untranslatable(f"'{field.id}' holds no number")
        if not is_of(plain, wanted):
            return Untranslatable(
                f"'{field.id}' holds {type(value).__name__.lower()} instead of {field.type.value}"
            )
        return plain

    return read


def _plain(value: Value, labels: dict[str, str]) -> Plain:
    match value:
        case Text(text):
            return canonical_text(text)
        case Phone(number):
            return number.strip()
        case Number(number):
            return number
        case YesNo(yes):
            return yes
        case Day(day):
            return day
        case Moment(at):
            return at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC)
        case OneOf(key):
            return Choice(key, labels.get(key, key))
        case ManyOf(keys):
            return tuple(Choice(key, labels.get(key, key)) for key in sorted({*keys} - {""}))
        case Files(files):
            return files
        case RichText() | Money() | Person() | Reference():
            return value
        case _:
            return None


_CLASSES: dict[Kind, type] = {
    Kind.STRING: str,
    Kind.NUMBER: Decimal,
    Kind.BOOL: bool,
    Kind.HTML: RichText,
    Kind.DAY: dt.date,
    Kind.TIMESTAMP: dt.datetime,
    Kind.DURATION: dt.timedelta,
    Kind.OPTION: Choice,
    Kind.MONEY: Money,
    Kind.PERSON: Person,
    Kind.REFERENCE: Reference,
    Kind.FILE: File,
    Kind.LIST: tuple,
}


def is_of(plain: Plain, wanted: Type) -> bool:
    """Whether a plain value has a type; null has every one."""
    if plain is None or wanted.kind in (Kind.ANY, Kind.NULL):
        return plain is None or wanted.kind is Kind.ANY
    if wanted.kind is Kind.DAY and isinstance(plain, dt.datetime):
        return False
    if isinstance(plain, tuple):
        return wanted.kind is Kind.LIST and all(is_of(item, wanted.item or ANY) for item in plain)
    return isinstance(plain, _CLASSES[wanted.kind])
