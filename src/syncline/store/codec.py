"""Structures into JSON text and times into microseconds, and back.

Used by every part of the store for the columns that hold one of our own structures.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Generic, TypeVar, overload

import msgspec

from syncline.core.decisions import Answer, Resolution
from syncline.core.memory import Spoken
from syncline.core.plan import Held, Step
from syncline.core.records import Edit, FieldId, Side
from syncline.core.values import Value

T = TypeVar("T")

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_ENCODER = msgspec.json.Encoder()


class Codec(Generic[T]):
    """One type as JSON text; None stays None."""

    def __init__(self, decoder: msgspec.json.Decoder[T]) -> None:
        self._decode = decoder.decode

    @overload
    def text(self, value: T) -> str: ...
    @overload
    def text(self, value: T | None) -> str | None: ...
    def text(self, value: T | None) -> str | None:
        """As JSON text."""
        return None if value is None else _ENCODER.encode(value).decode()

    def value(self, text: str) -> T:
        """From JSON text."""
        return self._decode(text)

    def value_or_none(self, text: str | None) -> T | None:
        """From JSON text that may be missing."""
        return None if text is None else self._decode(text)


FIELDS: Codec[Mapping[FieldId, Value]] = Codec(msgspec.json.Decoder(Mapping[FieldId, Value]))
RAW_FIELDS: Codec[dict[str, msgspec.Raw]] = Codec(msgspec.json.Decoder(dict[str, msgspec.Raw]))
VALUE: Codec[Value] = Codec(msgspec.json.Decoder(Value))
STEP: Codec[Step] = Codec(msgspec.json.Decoder(Step))
HELD: Codec[Held] = Codec(msgspec.json.Decoder(Held))
SPOKEN: Codec[Spoken] = Codec(msgspec.json.Decoder(Spoken))
EDIT: Codec[Edit] = Codec(msgspec.json.Decoder(Edit))
CHOICE: Codec[Resolution | Answer] = Codec(msgspec.json.Decoder(Resolution | Answer))

_SIDES = (Side.LEFT, Side.RIGHT)


def side_number(side: Side) -> int:
    """0 or 1."""
    return 0 if side is Side.LEFT else 1


def side_of(number: int) -> Side:
    """The side with that number."""
    return _SIDES[number]


@overload
def micros(at: dt.datetime) -> int: ...
@overload
def micros(at: dt.datetime | None) -> int | None: ...
def micros(at: dt.datetime | None) -> int | None:
    """Microseconds since 1970 of an aware time."""
    return None if at is None else (at - _EPOCH) // _MICROSECOND


def moment(number: int) -> dt.datetime:
    """The time, in UTC, of microseconds since 1970."""
    return _EPOCH + dt.timedelta(microseconds=number)


def moment_or_none(number: int | None) -> dt.datetime | None:
    """The time of microseconds that may be missing."""
    return None if number is None else moment(number)
