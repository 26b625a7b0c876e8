"""Narrowing of decoded JSON: what kind of value is this? Used wherever the stand-in takes JSON apart."""

from __future__ import annotations

from typing import cast


def as_object(value: object) -> dict[str, object] | None:
    """The value when it is a JSON object."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def as_list(value: object) -> list[object] | None:
    """The value when it is a JSON array."""
    return cast("list[object]", value) if isinstance(value, list) else None


def as_number(value: object) -> float | None:
    """The value when it is a JSON number (true and false are none)."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def as_texts(value: object) -> list[str] | None:
    """The value when it is an array of nothing but strings."""
    items = as_list(value)
    if items is None or not all(isinstance(item, str) for item in items):
        return None
    return cast("list[str]", items)
