"""A value into one short line that a person reads. Used by every sentence, on the command line and in explanations."""

from __future__ import annotations

from syncline.core.convert import text_of_html
from syncline.core.values import (
    Blank,
    Day,
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

_SHORT = 60


def shown(value: Value | None) -> str:
    """A value as a person reads it, cut to one short line."""
    text = " ".join(_text(value).split())
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


def _text(value: Value | None) -> str:  # noqa: C901, PLR0911 - one line for each type is the table
    match value:
        case None:
            return "–"
        case Blank():
            return "(blank)"
        case Text(text):
            return text
        case RichText(html):
            return text_of_html(html)
        case Number(number):
            return f"{number.normalize():f}"
        case Money(amount, currency):
            return f"{amount} {currency}"
        case YesNo(yes):
            return "yes" if yes else "no"
        case Day(day):
            return day.isoformat()
        case Moment(at):
            return at.isoformat(sep=" ", timespec="minutes")
        case Phone(number):
            return number
        case OneOf(key):
            return key
        case ManyOf(keys):
            return ", ".join(sorted(keys))
        case Person(email, identifier, name):
            return name or email or identifier
        case Reference(object_type, key):
            return f"{object_type} {key}"
        case Files(files):
            return ", ".join(file.name or file.url for file in files)
