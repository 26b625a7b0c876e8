"""Typed field values, and when two of them are equal.

Connectors decode vendor JSON into these, mappings translate between them, merge compares them. Every value is frozen
and encodes to tagged JSON (`{"type": "day", "day": "2026-03-01"}`), so that any stage can be stored, shown and
replayed. `Blank` means "known to be empty"; a field that is missing from a record is *unseen*, which is not a value.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Hashable, Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from enum import Enum
from typing import assert_never

import msgspec
import phonenumbers
from selectolax.lexbor import LexborHTMLParser, LexborNode


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
            return "number", number.normalize() if number else Decimal(0)
        case Money(amount, currency):
            return "money", amount.quantize(_CENT, ROUND_HALF_EVEN) + 0, currency.upper()
        case YesNo(yes):
            return "yes_no", yes
        case Day(day):
            return "day", day
        case Moment(at):
            return "moment", at.astimezone(dt.UTC)
        case Phone(number):
            return ("phone", digits) if (digits := canonical_phone(number)) else None
        case OneOf(key):
            return ("one_of", key) if key else None
        case ManyOf(keys):
            return ("many_of", frozenset(keys)) if keys else None
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


def canonical_phone(number: str) -> str:
    """E.164 (`+14155550100`) when the number carries its country code; else its digits as typed."""
    try:
        return phonenumbers.format_number(
            phonenumbers.parse(number, None), phonenumbers.PhoneNumberFormat.E164
        )
    except phonenumbers.NumberParseException:
        return "".join(character for character in number if character.isdigit())


def _canonical_person(person: Person) -> Hashable:
    if person.email:
        return "person", "email", person.email.strip().casefold()
    return ("person", "id", person.id) if person.id else None


def _canonical_file(file: File) -> Hashable:
    if file.sha256:
        return "sha256", file.sha256.lower()
    return ("url", file.url) if file.url else ("name", file.name, file.size)


_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "dd",
        "div",
        "dl",
        "dt",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
_PLAIN_BLOCKS = frozenset({"body", "html", "div", "p", "section", "article", "main", "tbody", "span", "font"})
_SAME_TAG = {"b": "strong", "i": "em", "strike": "s", "del": "s", "ins": "u"}
_KEPT_ATTRIBUTES = {"a": "href", "img": "src"}
_SPACES = re.compile(r"[ \t\n\r\f\v\u00a0]+")


def canonical_html(html: str) -> tuple[str, ...]:
    """HTML as the tokens that a reader can tell apart.

    Vendors sanitise what they are sent: attributes go, entities change, `<b>` becomes `<strong>`, plain text gets a
    paragraph. What is left here is text with its white space folded, block borders, and those tags that change how
    the text reads, with the address of a link or picture.
    """
    if not html or html.isspace():
        return ()
    if "<" not in html and "&" not in html:
        folded = _SPACES.sub(" ", unicodedata.normalize("NFC", html)).strip()
        return (folded,) if folded else ()
    body = LexborHTMLParser(html).body
    return _join(_tokens(body)) if body is not None else ()


_BORDER = "\x00border"


def _tokens(root: LexborNode) -> Iterator[str]:
    """The tokens of a tree in reading order. A loop, not recursion: the depth is the author's, not ours."""
    stack: list[LexborNode | str] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            yield node
            continue
        tag = node.tag or ""
        if tag == "-text":
            yield "\x01" + (node.text_content or "")
            continue
        if tag in ("script", "style", "-comment", "_comment"):
            continue
        opening, closing = _marks(tag, node)
        if opening:
            yield opening
        if closing:
            stack.append(closing)
        children: list[LexborNode | str] = list(node.iter(include_text=True))
        stack.extend(reversed(children))


def _marks(tag: str, node: LexborNode) -> tuple[str, str]:
    """The tokens before and after an element's content."""
    if tag == "br":
        return _BORDER, ""
    if tag in _PLAIN_BLOCKS:
        return (_BORDER, _BORDER) if tag in _BLOCKS else ("", "")
    tag = _SAME_TAG.get(tag, tag)
    kept = _KEPT_ATTRIBUTES.get(tag)
    address = (node.attributes.get(kept) or "") if kept else ""
    opening = f"\x02<{tag}{' ' + address if address else ''}>"
    return opening, f"\x02</{tag}>"


def _join(tokens: Iterator[str]) -> tuple[str, ...]:
    """Fold neighbouring text, drop repeated and outer borders and marks that hold nothing."""
    out: list[str] = []
    text = ""

    def flush(*, at_border: bool) -> None:
        nonlocal text
        folded = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
        if at_border:
            folded = folded.rstrip()
        if not out or out[-1] == "\n" or out[-1].endswith(" "):
            folded = folded.lstrip()
        if folded:
            out.append(folded)
        text = ""

    for token in tokens:
        if token[0] == "\x01":
            text += token[1:]
        elif token == _BORDER:
            flush(at_border=True)
            if out and out[-1] != "\n":
                out.append("\n")
        else:
            mark = token[1:]
            flush(at_border=False)
            if mark.startswith("</") and out and out[-1].startswith("<" + mark[2:-1]) and mark != "</img>":
                out.pop()
            else:
                out.append(mark)
    flush(at_border=True)
    while out and out[-1] == "\n":
        out.pop()
    return tuple(out)
