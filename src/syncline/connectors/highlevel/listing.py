"""A page of search results into keys and digests, without decoding the records.

Pure. Called by `connector` for every page; `record` decodes those few that changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import msgspec
from xxhash import xxh3_128_digest

from syncline.connectors.highlevel.records import to_record
from syncline.connectors.highlevel.schema import Shape
from syncline.core.records import Record, RecordKey
from syncline.errors import ConnectorError

T = TypeVar("T")


class _Found(msgspec.Struct):
    """`SearchRecordResponseDTO`, with each record's bytes left alone. Only `total` is promised."""

    total: int
    records: list[msgspec.Raw] = msgspec.field(default_factory=list[msgspec.Raw])


class _Id(msgspec.Struct):
    id: str


class _Times(msgspec.Struct, rename="camel"):
    updated_at: dt.datetime | None = None
    date_updated: dt.datetime | None = None


class _Place(msgspec.Struct, rename="camel"):
    search_after: list[object] | None = None


_FOUND = msgspec.json.Decoder(_Found)
_ID = msgspec.json.Decoder(_Id)
_TIMES = msgspec.json.Decoder(_Times)
_PLACE = msgspec.json.Decoder(_Place)
_ID_START = b'{"id":"'
_ID_AT = len(_ID_START)
_PLACE_START = b',"searchAfter":['
_PLACE_LENGTH = len(_PLACE_START)
_ZERO, _NINE = b"09"


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Some records of a search (`ports.Page`). `total` is what the vendor says the whole search holds."""

    shape: Shape
    raws: Sequence[bytes]
    keys: Sequence[RecordKey]
    digests: Sequence[bytes]
    total: int

    def record(self, index: int) -> Record:
        """Decode one record. Raises `ConnectorError`."""
        return to_record(self.shape, self.raws[index])

    def updated_at(self, index: int) -> dt.datetime | None:
        """The time of one record's last change, without decoding the rest. Raises `ConnectorError`."""
        times = _read(_TIMES, self.raws[index], self.shape)
        return times.updated_at or times.date_updated

    def newest(self) -> dt.datetime | None:
        """The latest change on this page."""
        times = [self.updated_at(index) for index in range(len(self.raws))]
        return max((time for time in times if time is not None), default=None)

    def since(self, floor: dt.datetime | None) -> SearchPage:
        """Only the records that changed at or after the floor, and those that tell no time."""
        if floor is None:
            return self
        kept = [i for i in range(len(self.raws)) if (at := self.updated_at(i)) is None or at >= floor]
        return SearchPage(
            self.shape,
            [self.raws[index] for index in kept],
            [self.keys[index] for index in kept],
            [self.digests[index] for index in kept],
            self.total,
        )

    def place(self) -> Sequence[object] | None:
        """Where the next page starts: the last record's own `searchAfter`."""
        return _read(_PLACE, self.raws[-1], self.shape).search_after if self.raws else None


def _read(decoder: msgspec.json.Decoder[T], raw: bytes, shape: Shape) -> T:
    try:
        return decoder.decode(raw)
    except msgspec.MsgspecError as error:
        raise ConnectorError(f"{shape.key}: a listed record is not of the expected form ({error})") from error


def split(shape: Shape, body: bytes) -> SearchPage:
    """A search answer into a page. Raises `ConnectorError` when it is not of the expected form.

    All of a quiet account passes through here, at about a microsecond a record: hence the loop without calls.
    """
    raws: list[bytes] = []
    keys: list[str] = []
    digests: list[bytes] = []
    try:
        found = _FOUND.decode(body)
        for view in found.records:
            raw = bytes(view)
            start = raw[_ID_AT : raw.find(b'"', _ID_AT)] if raw.startswith(_ID_START) else b""
            keys.append(start.decode() if start.isalnum() else _ID.decode(raw).id)
            digests.append(digest(raw))
            raws.append(raw)
    except msgspec.MsgspecError as error:
        raise ConnectorError(f"{shape.key}: the listing is not of the expected form ({error})") from error
    return SearchPage(shape, raws, cast("list[RecordKey]", keys), digests, found.total)


def digest(raw: bytes) -> bytes:
    """16 bytes that change when the record does.

    Left out is `searchAfter`: it repeats the sort value, so it differs between listings of the same record. An unescaped
    `,"` cannot stand inside a JSON text; and it begins with a number (our sorts are by time), while a property of that
    name could only be a list of texts.
    """
    cut = raw.rfind(_PLACE_START)
    if cut > 0 and _ZERO <= raw[cut + _PLACE_LENGTH] <= _NINE:
        return xxh3_128_digest(raw[:cut] + raw[raw.find(b"]", cut) :])
    return xxh3_128_digest(raw)
