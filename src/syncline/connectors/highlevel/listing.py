"""A page of search results into keys and digests, without decoding the records.

Pure. Called by `object_records` for every page; `record` decodes those few that changed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
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
_FIRST_ID = re.compile(rb'\{"id":"([0-9A-Za-z]+)"').match


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Some records of a search (`ports.Page`). `name` is of the object type, for errors; `total` is what the vendor says
    the whole search holds."""

    name: str
    decode: Callable[[bytes], Record]
    raws: Sequence[bytes]
    keys: Sequence[RecordKey]
    digests: Sequence[bytes]
    total: int

    def record(self, index: int) -> Record:
        """Decode one record. Raises `ConnectorError`."""
        return self.decode(self.raws[index])

    def updated_at(self, index: int) -> dt.datetime | None:
        """The time of one record's last change, without decoding the rest. Raises `ConnectorError`."""
        times = _read(_TIMES, self.raws[index], self.name)
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
            self.name,
            self.decode,
            [self.raws[index] for index in kept],
            [self.keys[index] for index in kept],
            [self.digests[index] for index in kept],
            self.total,
        )

    def place(self) -> Sequence[object] | None:
        """Where the next page starts: the last record's own `searchAfter`."""
        return _read(_PLACE, self.raws[-1], self.name).search_after if self.raws else None


def _read(decoder: msgspec.json.Decoder[T], raw: bytes, name: str) -> T:
    try:
        return decoder.decode(raw)
    except msgspec.MsgspecError as error:
        raise ConnectorError(f"{name}: a listed record is not of the expected form ({error})") from error


def split(shape: Shape, body: bytes) -> SearchPage:
    """A search answer into a page. Raises `ConnectorError` when it is not of the expected form.

    All of a quiet account passes through here, at a microsecond or two a record: an id that stands first, as it
    usually does, is read without decoding.
    """
    try:
        found = _FOUND.decode(body)
        raws = list(map(bytes, found.records))
        keys = [found_id[1].decode() if (found_id := _FIRST_ID(raw)) else _ID.decode(raw).id for raw in raws]
    except msgspec.MsgspecError as error:
        raise ConnectorError(f"{shape.key}: the listing is not of the expected form ({error})") from error
    decode = partial(to_record, shape)
    digests = [digest(raw) for raw in raws]
    return SearchPage(shape.key, decode, raws, cast("list[RecordKey]", keys), digests, found.total)


def digest(raw: bytes) -> bytes:
    """16 bytes that change when the record does.

    Left out is `searchAfter`: it repeats the sort value, so it differs between listings of the same record. An unescaped
    `,"` cannot stand inside a JSON text; and it begins with a number (our sorts are by time), while a property of that
    name could only be a list of texts.
    """
    before, _, place = raw.rpartition(b',"searchAfter":[')
    if before and place[:1].isdigit():
        return xxh3_128_digest(before + place.partition(b"]")[2])
    return xxh3_128_digest(raw)
