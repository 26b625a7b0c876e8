"""Turns what a client wrote into stored values, the way ActiveCollab normalises them.

Called by the modules of each resource. Text that is not escaped is cut short, HTML is sanitised, days become Unix
seconds (facts: activecollab-api.md 2).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import cast

import nh3

from syncline.sandbox.activecollab.refusals import Quirks, invalid

Fields = Mapping[str, object]

_TAGS = {
    *(
        "a",
        "b",
        "blockquote",
        "br",
        "code",
        "del",
        "div",
        "em",
        "h1",
        "h2",
        "h3",
        "hr",
        "i",
        "img",
        "li",
        "ol",
        "p",
    ),
    *("pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul"),
}
_ATTRIBUTES = {
    "a": {"href", "class", "data-entity-type", "data-entity-id"},
    "img": {"src", "alt"},
    "span": {"class"},
}
_CLEANER = nh3.Cleaner(tags=_TAGS, attributes=_ATTRIBUTES, link_rel=None)
_SPECIAL = re.compile(r"<(?:/?[a-zA-Z][^<>]*|!--.*?--)>|&(?:#\d+|#[xX][0-9a-fA-F]+|\w+);|([<>&])", re.DOTALL)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def rich(value: object, field: str, quirks: Quirks) -> str:
    """HTML as the server keeps it."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(quirks, {field: f"Field '{field}' must be text."})
    if "<" not in value and "&" not in value and ">" not in value:
        return value
    return _CLEANER.clean(_cut_at_raw(value) if quirks.raw_text_is_truncated else value)


def _cut_at_raw(html: str) -> str:
    """The text up to the first `<`, `>` or `&` that is neither part of a tag nor of an entity."""
    for match in _SPECIAL.finditer(html):
        if match.group(1):
            return html[: match.start()]
    return html


def plain(value: object, field: str, quirks: Quirks) -> str:
    """Plain text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | None):
        raise invalid(quirks, {field: f"Field '{field}' must be text."})
    return "" if value is None else str(value)


def name(value: object, quirks: Quirks) -> str:
    """A name: required, and not longer than the column."""
    text = plain(value, "name", quirks)
    if not text.strip():
        raise invalid(quirks, {"name": "Name is required."})
    if len(text) > quirks.name_max_length:
        raise invalid(quirks, {"name": f"Name is too long (maximum is {quirks.name_max_length} characters)."})
    return text


def day(value: object, field: str, quirks: Quirks) -> int | None:
    """`YYYY-MM-DD` as Unix seconds at UTC midnight; null, an empty text and 0 clear."""
    if value in (None, "", 0):
        return None
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return int(dt.datetime.fromisoformat(value).replace(tzinfo=dt.UTC).timestamp())
        except ValueError:
            pass
    raise invalid(quirks, {field: f"Field '{field}' is not a valid date."})


def shown_day(value: int | None) -> str | None:
    """A stored day as the history shows it."""
    return None if value is None else dt.datetime.fromtimestamp(value, dt.UTC).date().isoformat()


def flag(value: object) -> bool:
    """Yes or no as PHP reads it."""
    return value not in (None, False, 0, 0.0, "", "0")


def ident(value: object, field: str, quirks: Quirks) -> int:
    """An id, also as text; null is 0."""
    if value is None or value == "":
        return 0
    if isinstance(value, int):
        return int(value)
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    raise invalid(quirks, {field: f"Field '{field}' must be an id."})


def hours(value: object, field: str, quirks: Quirks) -> float:
    """A number of hours, as a number, as text or as `H:MM`; null is 0."""
    if value is None or value == "":
        return 0.0
    try:
        if isinstance(value, str) and ":" in value:
            whole, minutes = value.split(":")
            return int(whole) + int(minutes) / 60
        number = float(cast("str | int | float", value))
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number < 1e6:
        raise invalid(quirks, {field: f"Field '{field}' must be a positive number."})
    return number


def ids(value: object, field: str, quirks: Quirks) -> list[int]:
    """A list of ids."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid(quirks, {field: f"Field '{field}' must be a list."})
    return [ident(each, field, quirks) for each in cast("list[object]", value)]


def names(value: object, field: str, quirks: Quirks) -> list[str]:
    """A list of names: trimmed, without empty ones and repetitions."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid(quirks, {field: f"Field '{field}' must be a list of names."})
    each = (plain(item, field, quirks).strip() for item in cast("list[object]", value))
    return list(dict.fromkeys(text for text in each if text))
