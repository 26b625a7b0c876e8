"""Numbers into records, two accounts of them, and a database that has them linked: the world that `million` measures in.

Nothing is kept but what was edited: a page is made when it is asked for, and a million linked records are put into the
database by a few statements. A digest is what a vendor's bytes would give: it changes with every edit.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import msgspec

from bench.accounts import START
from syncline.core.brakes import Limits
from syncline.core.decisions import DeletePolicy, Rules
from syncline.core.mapping import ConflictPolicy, FieldMapping, lenses
from syncline.core.match import MatchRule
from syncline.core.memory import Counts
from syncline.core.records import (
    Ability,
    Edit,
    FieldId,
    FieldSchema,
    ObjectSchema,
    ObjectTypeId,
    Present,
    Receipt,
    Record,
    RecordKey,
    Scope,
    Side,
    Sighting,
    SyncId,
    Update,
    Write,
)
from syncline.core.values import Day, FieldType, ManyOf, Number, Text, Value
from syncline.engine.sync import SideSetup, Sync
from syncline.ports import Clock, Ending, Health, ObjectSummary, Page, Quota
from syncline.store import open_store

SYNC = SyncId("million")
PAGE = 1_000
_NOTE = "Rework in-place résize of pods, because today every team scripts this by hand. Users see <none> for a name."
_DUE = dt.date(2026, 4, 1)
_FIELDS = (
    ("name", FieldType.TEXT),
    ("hours", FieldType.NUMBER),
    ("due", FieldType.DAY),
    ("labels", FieldType.MANY_OF),
    ("note", FieldType.TEXT),
)
FIELD_COUNT = len(_FIELDS)
_NAME, _HOURS, _DUE_ON, _LABELS, _NOTES = (FieldId(name) for name, _ in _FIELDS)
_PREFIXES = {Side.LEFT: "a", Side.RIGHT: "b"}


def _schema(name: str) -> ObjectSchema:
    fields = tuple(FieldSchema(FieldId(id_), id_.title(), kind, is_open=True) for id_, kind in _FIELDS)
    return ObjectSchema(ObjectTypeId(name), name.title(), fields, frozenset({Ability.CREATE, Ability.UPDATE}))


SCHEMAS = {Side.LEFT: _schema("task"), Side.RIGHT: _schema("ticket")}


def values(number: int) -> dict[FieldId, Value]:
    """What record of that number holds on both sides, unless somebody edited it."""
    return {
        _NAME: Text(f"{number} Rework the layout"),
        _HOURS: Number(Decimal(number % 8 + 1)),
        _DUE_ON: Day(_DUE),
        _LABELS: ManyOf(("alpha", "ready")),
        _NOTES: Text(_NOTE),
    }


def key(side: Side, number: int) -> RecordKey:
    """The key of a record; all are of the same length."""
    return RecordKey(f"{_PREFIXES[side]}{number:09}")


@dataclass
class Account:
    """So many records, and what became of those that were edited. `log` has their numbers, in the order of the edits."""

    side: Side
    count: int
    edited: dict[int, dict[FieldId, Value]] = field(default_factory=dict[int, dict[FieldId, Value]])
    edited_at: dict[int, dt.datetime] = field(default_factory=dict[int, dt.datetime])
    log: list[int] = field(default_factory=list[int])

    def edit(self, number: int, fields: Mapping[FieldId, Value], at: dt.datetime) -> None:
        """Change a record."""
        self.edited[number] = {**self.edited.get(number, {}), **fields}
        self.edited_at[number] = at
        self.log.append(number)

    def record(self, number: int) -> Record:
        """One record as it is now."""
        fields = {**values(number), **self.edited.get(number, {})}
        title = fields[_NAME]
        at = self.edited_at.get(number, START)
        return Record(
            key(self.side, number), fields, updated_at=at, title=title.text if isinstance(title, Text) else ""
        )

    def digest(self, number: int) -> bytes:
        """As a digest of its bytes would be: another one after each edit."""
        at = self.edited_at.get(number)
        changed = 0 if at is None else int(at.timestamp())
        return number.to_bytes(8, "big") + changed.to_bytes(8, "big")


class GeneratedPage:
    """Some records, made when they are decoded."""

    def __init__(self, account: Account, numbers: Sequence[int]) -> None:
        prefix = _PREFIXES[account.side]
        self._account, self._numbers = account, numbers
        self.keys = [RecordKey(f"{prefix}{number:09}") for number in numbers]
        self.digests = [account.digest(number) for number in numbers]

    def record(self, index: int) -> Record:
        """One record."""
        return self._account.record(self._numbers[index])


class GeneratedConnector:
    """An account of generated records. The cursor of a listing is how long the account's log was."""

    calls = 0
    quota = Quota()
    skew = None

    def __init__(self, account: Account, clock: Clock) -> None:
        self._account = account
        self._clock = clock

    async def check(self) -> Health:
        """All is well."""
        return Health("generated", "owner@example.test")

    async def object_types(self) -> Sequence[ObjectSummary]:
        """The one object type."""
        return [ObjectSummary(self._schema.id, self._schema.title)]

    async def schema(self, object_type: ObjectTypeId) -> ObjectSchema:
        """The fields of the object type."""
        del object_type
        return self._schema

    async def pages(self, scope: Scope, since: str | None = None) -> AsyncIterator[Page | Ending]:
        """All records, or those that were edited since."""
        del scope
        cursor = str(len(self._account.log))
        numbers: Sequence[int] = range(1, self._account.count + 1)
        if since is not None:
            numbers = list(dict.fromkeys(self._account.log[int(since) :]))
        for start in range(0, len(numbers), PAGE):
            yield GeneratedPage(self._account, numbers[start : start + PAGE])
        yield Ending(since is None, cursor, "" if since is None else "a delta listing")

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """One record."""
        del scope
        return Present(self._account.record(int(key[1:])))

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """Carry out an update; nothing else is written here."""
        del scope
        assert isinstance(write, Update)
        number = int(write.key[1:])
        self._account.edit(number, write.fields, self._clock.now())
        return Receipt(write.key, self._account.record(number))

    async def find(self, scope: Scope, external_key: str) -> Sequence[Record]:
        """No record carries our mark."""
        del scope, external_key
        return []

    async def edits(self, scope: Scope, key: RecordKey) -> Mapping[FieldId, Edit]:
        """Nobody tells."""
        del scope, key
        return {}

    def cost(self, write: Write) -> int:
        """One call."""
        del write
        return 1

    async def close(self) -> None:
        """Nothing to let go of."""

    @property
    def _schema(self) -> ObjectSchema:
        return SCHEMAS[self._account.side]


def sync_of(accounts: Mapping[Side, Account], clock: Clock) -> Sync:
    """The sync of two such accounts: five fields, both ways."""
    mappings = [FieldMapping(FieldId(name), FieldId(name)) for name, _ in _FIELDS]
    left, right = (
        SideSetup(GeneratedConnector(accounts[side], clock), Scope(SCHEMAS[side].id), SCHEMAS[side])
        for side in Side
    )
    made = lenses(mappings, left.schema, right.schema, ConflictPolicy.NEWEST)
    return Sync(
        SYNC,
        left,
        right,
        Rules(made, DeletePolicy.ASK),
        MatchRule(((_NAME, _NAME),)),
        Limits(),
        frozenset(Side),
        mapping_digest="five fields",
        filter_digest="all",
    )


# --- the database ---------------------------------------------------------------------------------------------------

_ROW = 10_000
"""Rows that are handed to the database at a time."""

_LINK = "INSERT INTO link (id, sync, base_left, base_right, opened_at) VALUES (?, ?, ?, ?, ?)"
_SIGHTING = """INSERT INTO sighting
    (sync, side, key, digest, standing, is_settled, in_scope, updated_at, link, title, external_key)
    VALUES (?, ?, ?, ?, 0, 1, 1, ?, ?, ?, '')"""


def seed(path: Path, count: int, fields: int = FIELD_COUNT) -> None:
    """A database in which so many records are linked and settled, as a first run over them leaves it. Only the first
    `fields` were agreed on."""
    open_store(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN")
        database.execute("INSERT INTO sync (name) VALUES (?)", (SYNC,))
        (sync,) = database.execute("SELECT id FROM sync").fetchone()
        for numbers in _spans(count):
            database.executemany(_LINK, _links(sync, numbers, fields))
        for side in Side:
            account = Account(side, count)
            for numbers in _spans(count):
                database.executemany(_SIGHTING, _sightings(sync, account, numbers))
        counts = msgspec.json.encode(Counts(count, count, count)).decode()
        database.execute("INSERT INTO memo (sync, name, value) VALUES (?, 'tally', ?)", (sync, counts))
        database.execute("COMMIT")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _spans(count: int) -> Iterator[range]:
    for start in range(1, count + 1, _ROW):
        yield range(start, min(start + _ROW, count + 1))


def _links(sync: int, numbers: range, fields: int) -> Iterator[tuple[object, ...]]:
    for number in numbers:
        agreed = dict(list(values(number).items())[:fields])
        base = msgspec.json.encode(agreed).decode()
        yield number, sync, base, base, _micros(START)


def _sightings(sync: int, account: Account, numbers: range) -> Iterator[tuple[object, ...]]:
    side = 0 if account.side is Side.LEFT else 1
    for number in numbers:
        title = f"{number} Rework the layout"
        yield (
            sync, side, key(account.side, number), account.digest(number), _micros(START), number, title,
        )  # fmt: skip


def _micros(at: dt.datetime) -> int:
    return (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
