"""Typed field values, and when two of them are equal.

Connectors decode vendor JSON into these, mappings translate between them, merge compares them. Every value is frozen
and encodes to tagged JSON (`{"type": "day", "day": "2026-03-01"}`), so that any stage can be stored, shown and
replayed. `Blank` means "known to be empty"; a field that is missing from a record is *unseen*, which is not a value.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Hashable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import Enum
from typing import assert_never

import msgspec
import phonenumbers

from syncline.core.markup import canonical_html


class FieldType(Enum):
    """What a field may hold."""

    TEXT = "text"
    RICH_TEXT = "rich_text"
    NUMBER = "number"
    MONEY = "money"
    YES_NO = "yes_no"
    DAY = "day"
    MOMENT = "moment"
    PHONE = "phone"
    ONE_OF = "one_of"
    MANY_OF = "many_of"
    PERSON = "person"
    REFERENCE = "reference"
    FILES = "files"


class Blank(msgspec.Struct, frozen=True, tag="blank"):
    """The field is there and empty."""


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Plain text; equal modulo Unicode NFC, line ends and surrounding white space."""

    text: str


class RichText(msgspec.Struct, frozen=True, tag="rich_text"):
    """HTML; equal when it reads the same (see `canonical_html`)."""

    html: str


class Number(msgspec.Struct, frozen=True, tag="number"):
    """A decimal number; `1.0` equals `1`."""

    number: Decimal


class Money(msgspec.Struct, frozen=True, tag="money"):
    """An amount in a currency (ISO code, or `default` for the account's own); equal to the hundredth."""

    amount: Decimal
    currency: str = "default"


class YesNo(msgspec.Struct, frozen=True, tag="yes_no"):
    """Yes or no."""

    yes: bool


class Day(msgspec.Struct, frozen=True, tag="day"):
    """A calendar day without time or zone."""

    day: dt.date


class Moment(msgspec.Struct, frozen=True, tag="moment"):
    """A point in time (aware UTC)."""

    at: dt.datetime


class Phone(msgspec.Struct, frozen=True, tag="phone"):
    """A phone number; equal in E.164 where it can be read as one, else by its digits."""

    number: str


class OneOf(msgspec.Struct, frozen=True, tag="one_of"):
    """The key of one option."""

    key: str


class ManyOf(msgspec.Struct, frozen=True, tag="many_of"):
    """Keys of options, or free labels; order and repetition do not matter."""

    keys: tuple[str, ...]


class Person(msgspec.Struct, frozen=True, tag="person"):
    """A person; the same person when the e-mail is the same, else (no e-mail known) when the id is."""

    email: str = ""
    id: str = ""
    name: str = ""


class Reference(msgspec.Struct, frozen=True, tag="reference"):
    """Another record of the same connection."""

    object_type: str
    key: str


class File(msgspec.Struct, frozen=True):
    """One file: compared by content hash where known, else by address, else by name and size."""

    name: str = ""
    size: int | None = None
    sha256: str = ""
    url: str = ""


class Files(msgspec.Struct, frozen=True, tag="files"):
    """Files; order does not matter."""

    files: tuple[File, ...]


Value = (
    Blank
    | Text
    | RichText
    | Number
    | Money
    | YesNo
    | Day
    | Moment
    | Phone
    | OneOf
    | ManyOf
    | Person
    | Reference
    | Files
)

BLANK = Blank()

_CENT = Decimal("0.01")
_WIDEST = 50
_WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)
"""Wide enough that no amount a vendor sends raises when it is only compared."""


def same(a: Value, b: Value) -> bool:
    """Whether the two values mean the same. An equivalence: reflexive, symmetric and transitive.

    An empty text, an empty option set and empty HTML equal `Blank`: no vendor keeps them apart.
    """
    return a == b or canonical(a) == canonical(b)


def is_blank(value: Value) -> bool:
    """Whether the value is `Blank` or an empty text, set or document."""
    return canonical(value) is None


def canonical(value: Value) -> Hashable:  # noqa: C901, PLR0911 - one line for each type is the table
    """The normal form that equality is decided on; None for anything empty."""
    match value:
        case Blank():
            return None
        case Text(text):
            return ("text", plain) if (plain := canonical_text(text)) else None
        case RichText(html):
            return ("rich_text", tokens) if (tokens := canonical_html(html)) else None
        case Number(number):
            return "number", _canonical_number(number)
        case Money(amount, currency):
            return "money", _canonical_amount(amount), currency.strip().upper()
        case YesNo(yes):
            return "yes_no", yes
        case Day(day):
            return "day", day
        case Moment(at):
            # Aware times are equal as points in time; without a zone it is UTC, never this machine's own.
            return "moment", at if at.tzinfo else at.replace(tzinfo=dt.UTC)
        case Phone(number):
            return _canonical_dialled(number)
        case OneOf(key):
            return ("one_of", key) if key else None
        case ManyOf(keys):
            return ("many_of", elements) if (elements := frozenset(key for key in keys if key)) else None
        case Person():
            return _canonical_person(value)
        case Reference(object_type, key):
            return ("reference", object_type, key) if key else None
        case Files(files):
            return ("files", frozenset(_canonical_file(file) for file in files)) if files else None
        case _:
            assert_never(value)


def canonical_text(text: str) -> str:
    """Unicode NFC, Unix line ends, no surrounding white space."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def _canonical_number(number: Decimal) -> Decimal | str:
    """The number, which equals itself whatever its trailing zeros; one that is none (NaN, infinity) as its name."""
    return number if number.is_finite() else str(number)


def _canonical_amount(amount: Decimal) -> Decimal | str:
    if not amount.is_finite() or amount.adjusted() > _WIDEST:
        return _canonical_number(amount)
    return amount.quantize(_CENT, context=_WIDE)


def canonical_phone(number: str) -> str:
    """E.164 (`+14155550100`) when the number carries its country code; else its digits as typed."""
    parsed = _dialled(number)
    if parsed is None:
        return "".join(character for character in number if character.isdigit())
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _canonical_dialled(number: str) -> Hashable:
    """A phone number with its extension, which E.164 has no place for."""
    digits = canonical_phone(number)
    parsed = _dialled(number)
    extension = parsed.extension if parsed is not None else None
    return ("phone", digits, extension) if digits else None


def _dialled(number: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None


def _canonical_person(person: Person) -> Hashable:
    if email := person.email.strip():
        return "person", "email", email.casefold()
    if person.id:
        return "person", "id", person.id
    # Only a name: nobody we can write anywhere, but somebody.
    return ("person", "name", name) if (name := canonical_text(person.name)) else None


def _canonical_file(file: File) -> Hashable:
    if file.sha256:
        return "sha256", file.sha256.lower()
    return ("url", file.url) if file.url else ("name", file.name, file.size)
