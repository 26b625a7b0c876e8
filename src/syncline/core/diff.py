"""A base and a sighting into a change: what one side did since both sides last agreed.

The first half of two-way sync. Each side is judged against its own base value, never against the other side: vendors
store the same thing differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

import msgspec

from syncline.core.records import FieldId, Gone, Present, Sighting, Unseen
from syncline.core.values import Value, same


class Same(msgspec.Struct, frozen=True, tag="same"):
    """The side holds what it held."""


class Edited(msgspec.Struct, frozen=True, tag="edited"):
    """The side holds something else in these fields."""

    fields: frozenset[FieldId]


class Deleted(msgspec.Struct, frozen=True, tag="deleted"):
    """The record is gone, with proof."""

    gone: Gone


class Unknown(msgspec.Struct, frozen=True, tag="unknown"):
    """Nothing can be said, so nothing may be decided."""

    reason: str = ""


Change = Same | Edited | Deleted | Unknown


def diff(base: Mapping[FieldId, Value] | None, seen: Sighting) -> Change:
    """What happened on one side. A field that the sighting does not hold did not change; one that the base does not
    hold did (it was never agreed on)."""
    match seen:
        case Unseen(reason):
            return Unknown(reason)
        case Gone():
            return Deleted(seen)
        case Present(record):
            fields = frozenset(
                field
                for field, value in record.fields.items()
                if base is None or field not in base or not same(base[field], value)
            )
            return Edited(fields) if fields else Same()
        case _:
            assert_never(seen)
