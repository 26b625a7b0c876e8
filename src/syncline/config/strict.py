"""What all settings have in common: strictness, shares written as numbers or percentages, and spans such as `6h`.

Used by the other modules of `config`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema


class UnfitError(ValueError):
    """A setting that cannot be used, and what to write instead."""

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.remedy = remedy


class Model(BaseModel):
    """Settings: nothing unknown, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_PERCENT = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*%\s*$")


def _share(value: object) -> object:
    if isinstance(value, str):
        found = _PERCENT.match(value)
        if found is None:
            raise UnfitError(
                f"'{value}' is no share.", "Write a percentage such as 10%, or false to switch it off."
            )
        return float(found.group(1)) / 100
    return None if value is False else value


_SHARE_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$"},
        {"type": "number"},
        {"const": False},
        {"type": "null"},
    ]
}
Share = Annotated[float | None, BeforeValidator(_share), WithJsonSchema(_SHARE_SCHEMA)]


_UNITS: Mapping[str, dt.timedelta] = {
    "d": dt.timedelta(days=1),
    "h": dt.timedelta(hours=1),
    "m": dt.timedelta(minutes=1),
    "s": dt.timedelta(seconds=1),
}
_SPAN = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([smhd])\s*$")
_LONGEST = dt.timedelta(days=3650)


def _span(value: object) -> object:
    """A span from text; a bare number is seconds. What is no span is told with what to write."""
    amount, unit = value, "s"
    if isinstance(value, str) and (found := _SPAN.match(value)) is not None:
        amount, unit = float(found[1]), found[2]
    if isinstance(amount, dt.timedelta):
        return amount
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise UnfitError(f"'{value}' is no span of time.", "Write one such as 90s, 15m, 6h or 2d.")
    if not 1e-6 <= amount * _UNITS[unit].total_seconds() <= _LONGEST.total_seconds():
        raise UnfitError(
            f"'{value}' is no span that can be waited for.", "Write one above 0s and up to 3650d."
        )
    return amount * _UNITS[unit]


def written(span: dt.timedelta) -> str:
    """As a person writes it, in the largest unit that needs no fraction."""
    unit = next((name for name, each in _UNITS.items() if not span % each), "s")
    return f"{span / _UNITS[unit]:.6f}".rstrip("0").rstrip(".") + unit


_SPAN_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*[smhd]\s*$"},
        {"type": "number", "exclusiveMinimum": 0},
    ]
}
Span = Annotated[
    dt.timedelta,
    BeforeValidator(_span),
    PlainSerializer(written, return_type=str),
    WithJsonSchema(_SPAN_SCHEMA),
]
"""A span of time: `90s`, `15m`, `6h`, `2d`, or a number of seconds."""


def or_false(schema: dict[str, Any]) -> None:
    """Tell in a JSON Schema that `false` may stand there too: nothing."""
    schema["anyOf"] = [*schema["anyOf"], {"const": False}]


def none_if_false(value: object) -> object:
    """Read `false` as nothing: a setting that is switched off."""
    return None if value is False else value
