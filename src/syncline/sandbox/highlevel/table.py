"""The records of one object: direct access at once, and a search index that follows with a lag.

Used by `records` (get, put, drop) and `search` (index). Rows are immutable, so that the index can hold the row as it
was when it became visible. All single operations are cheap at 100,000 records.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from syncline.sandbox.highlevel.jsons import as_list, as_object

Json = object
TIMES = frozenset({"createdAt", "updatedAt"})
PEOPLE = frozenset({"owner", "followers"})

Key = tuple[Any, ...]
"""Where a row stands in an ordering: one value per sorted field, then the id. Comparable within one ordering."""


class Stamp(msgspec.Struct, frozen=True, rename="camel"):
    """Who did something, in the shape search answers it."""

    channel: str
    created_at: str
    source: str
    source_id: str


class Row(msgspec.Struct, frozen=True):
    """One record at one time."""

    id: str
    owner: tuple[str, ...]
    followers: tuple[str, ...]
    properties: dict[str, object]
    created_ms: int
    updated_ms: int
    created_at: str
    updated_at: str
    created_by: Stamp
    updated_by: Stamp


class RecordTable:
    """All records of one object."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.unique: dict[str, dict[Hashable, str]] = {}
        self._index = SearchIndex()
        self._unseen: deque[tuple[int, str, Row | None]] = deque()

    def put(self, row: Row, now_ms: int) -> None:
        """Add or replace a row."""
        self._forget_unique(self.rows.get(row.id))
        for field, taken in self.unique.items():
            if field in row.properties:
                taken[_hashable(row.properties[field])] = row.id
        self.rows[row.id] = row
        self._unseen.append((now_ms, row.id, row))

    def drop(self, record_id: str, now_ms: int) -> None:
        """Delete a row."""
        self._forget_unique(self.rows.pop(record_id))
        self._unseen.append((now_ms, record_id, None))

    def holder(self, field: str, value: object) -> str | None:
        """Which record has this value in a unique field."""
        return self.unique[field].get(_hashable(value))

    def make_unique(self, field: str) -> None:
        """Guard a field from now on. Raises `ValueError` when two records already share a value."""
        taken: dict[Hashable, str] = {}
        for row in self.rows.values():
            if field in row.properties:
                value = _hashable(row.properties[field])
                if value in taken:
                    raise ValueError(f"Two records share a value of {field}: {taken[value]} and {row.id}.")
                taken[value] = row.id
        self.unique[field] = taken

    def forget_field(self, field: str, now_ms: int) -> None:
        """Remove a deleted field's values."""
        self.unique.pop(field, None)
        for row in [row for row in self.rows.values() if field in row.properties]:
            kept = {name: value for name, value in row.properties.items() if name != field}
            self.put(msgspec.structs.replace(row, properties=kept), now_ms)

    def index(self, until_ms: int) -> SearchIndex:
        """The index with everything written up to that time. It never forgets what it has once seen."""
        while self._unseen and self._unseen[0][0] <= until_ms:
            _, record_id, row = self._unseen.popleft()
            self._index.follow(record_id, row)
        return self._index

    def _forget_unique(self, row: Row | None) -> None:
        if row is None:
            return
        for field, taken in self.unique.items():
            if field in row.properties:
                taken.pop(_hashable(row.properties[field]), None)


class SearchIndex:
    """The records as search sees them, kept in the orders and by the values that have been asked for."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.kept: dict[bytes, Sequence[Key]] = {}
        """Results of filtered searches, good until the next write is seen."""
        self._orderings: dict[tuple[str, ...], Ordering] = {}
        self._ids_by_value: dict[str, dict[Hashable, set[str]]] = {}

    def follow(self, record_id: str, row: Row | None) -> None:
        """Take over one write."""
        before = self.rows.pop(record_id, None)
        if row is not None:
            self.rows[record_id] = row
        elif before is None:
            return
        self.kept.clear()
        for ordering in self._orderings.values():
            ordering.move(before, row)
        for field, ids in self._ids_by_value.items():
            _move(ids, _terms(before, field), _terms(row, field), record_id)

    def ordering(self, fields: tuple[str, ...]) -> Ordering:
        """All rows sorted by these fields."""
        if fields not in self._orderings:
            self._orderings[fields] = Ordering(fields, self.rows.values())
        return self._orderings[fields]

    def ids_with(self, field: str, value: object) -> set[str]:
        """The rows that have this value in a field (`properties.name`), or have it among others."""
        if field not in self._ids_by_value:
            ids: dict[Hashable, set[str]] = {}
            for row in self.rows.values():
                _move(ids, (), _terms(row, field), row.id)
            self._ids_by_value[field] = ids
        return self._ids_by_value[field].get(_hashable(value), set())


class Ordering:
    """Rows in the order of some fields, ascending; ties by id."""

    def __init__(self, fields: tuple[str, ...], rows: Iterable[Row]) -> None:
        self._fields = fields
        self.keys = sorted(self.key(row) for row in rows)

    def key(self, row: Row) -> Key:
        """Where this row stands."""
        if self._fields == ("updatedAt",):
            return row.updated_ms, row.id
        if self._fields == ("createdAt",):
            return row.created_ms, row.id
        return *(sort_value(row, field) for field in self._fields), row.id

    def move(self, before: Row | None, after: Row | None) -> None:
        """One row changed."""
        old = self.key(before) if before is not None else None
        new = self.key(after) if after is not None else None
        if old == new:
            return
        if old is not None:
            del self.keys[bisect_left(self.keys, old)]
        if new is not None and (not self.keys or new > self.keys[-1]):
            self.keys.append(new)
        elif new is not None:
            insort(self.keys, new)


def sort_value(row: Row, field: str) -> object:
    """The value a row is sorted by: times as they are, properties as (is missing, value)."""
    if field == "updatedAt":
        return row.updated_ms
    if field == "createdAt":
        return row.created_ms
    value = row.properties.get(field.removeprefix("properties."))
    return sortable(value)


class SortValue(NamedTuple):
    """A property as it is sorted: numbers (kind 0), then text (1), then nothing (2)."""

    kind: int
    number: float
    text: str


def sortable(value: object) -> SortValue:
    """A property's value, comparable with any other."""
    value = (as_object(value) or {}).get("value", value)
    if isinstance(value, int | float):
        return SortValue(0, float(value), "")
    if value is None:
        return SortValue(2, 0.0, "")
    return SortValue(1, 0.0, value if isinstance(value, str) else _text(value))


def values_of(row: Row, name: str) -> list[object]:
    """What a row holds in a field; several values for a multi-valued one, none when it is empty."""
    if name == "id":
        return [row.id]
    if name in PEOPLE:
        return list(row.owner if name == "owner" else row.followers)
    if name in TIMES:
        return [row.created_ms if name == "createdAt" else row.updated_ms]
    key, _, inner = name.removeprefix("properties.").partition(".")
    value = row.properties.get(key)
    parts = as_object(value)
    if parts is not None:
        value = parts.get(inner or "value")
    items = as_list(value)
    if items is not None:
        return [(as_object(item) or {}).get("url", item) for item in items]
    return [] if value is None else [value]


def _terms(row: Row | None, field: str) -> tuple[Hashable, ...]:
    return tuple(_hashable(value) for value in values_of(row, field)) if row is not None else ()


def _move(
    ids: dict[Hashable, set[str]], old: Iterable[Hashable], new: Iterable[Hashable], record_id: str
) -> None:
    for term in old:
        ids[term].discard(record_id)
    for term in new:
        ids.setdefault(term, set()).add(record_id)


def _hashable(value: object) -> Hashable:
    return value if isinstance(value, str | int | float) else _text(value)


def _text(value: object) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()
