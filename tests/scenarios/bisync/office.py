"""Two accounts that can also archive, and the people in them: the world in which a row is played."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import msgspec

from syncline.connectors.memory import MemoryAccount, MemoryConnector
from syncline.core.brakes import Limits
from syncline.core.expressions import Condition, compile_condition
from syncline.core.mapping import FieldMapping
from syncline.core.records import Ability, FieldId, FieldSchema, ObjectSchema, RecordKey, Side
from syncline.core.values import FieldType, Value, YesNo, is_blank
from syncline.engine.sync import Sync
from syncline.store import open_store
from tests.engine.pair import TASK, TICKET, Pair, value_of
from tests.scenarios.bisync.rows import Policy, Row

ARCHIVED = FieldId("archived")
LINES = (
    FieldMapping(FieldId("name"), FieldId("title")),
    FieldMapping(FieldId("hours"), FieldId("effort")),
    FieldMapping(FieldId("note"), FieldId("remark")),
    FieldMapping(FieldId("labels"), FieldId("tags")),
)
_MINUTE = 60


def _archiving(schema: ObjectSchema) -> ObjectSchema:
    fields = (*schema.fields, FieldSchema(ARCHIVED, "Archived", FieldType.YES_NO))
    return msgspec.structs.replace(schema, fields=fields, abilities=schema.abilities | {Ability.ARCHIVE})


_SCHEMAS = {Side.LEFT: _archiving(TASK), Side.RIGHT: _archiving(TICKET)}


@dataclass
class Office(Pair):
    """A pair with the default brakes, archives and filters."""

    filters: dict[Side, str] = field(default_factory=dict[Side, str])
    where: dict[Side, dict[str, tuple[str, ...]]] = field(
        default_factory=dict[Side, dict[str, tuple[str, ...]]]
    )

    def __post_init__(self) -> None:
        """Give both accounts an archive."""
        super().__post_init__()
        for side, schema in _SCHEMAS.items():
            account = self.account(side)
            account.schema = schema
            self.connectors[side] = MemoryConnector(account, name=side.value, archive_field=ARCHIVED)

    def sync(self) -> Sync:
        """The sync with its filters."""
        made = super().sync()
        left, right = (
            replace(each, scope=msgspec.structs.replace(each.scope, where=self.where.get(side, {})))
            for side, each in ((Side.LEFT, made.left), (Side.RIGHT, made.right))
        )
        conditions = {side: _condition(text, side) for side, text in self.filters.items()}
        return replace(made, left=left, right=right, filters=conditions)

    def lose_memory(self) -> None:
        """Begin with an empty database."""
        self.store = open_store("sqlite://", secret_key=None)

    def named(self, side: Side, name: str) -> RecordKey:
        """The newest record of a side with this name, in the trash or not."""
        title = _title(side)
        found = [
            each.key for each in self.account(side).records.values() if each.fields[title] == value_of(name)
        ]
        return found[-1]


@cache
def _condition(text: str, side: Side) -> Condition:
    found = compile_condition(text, _SCHEMAS[side])
    assert isinstance(found, Condition), found
    return found


def _title(side: Side) -> FieldId:
    return FieldId("name" if side is Side.LEFT else "title")


# --- setting it up ----------------------------------------------------------------------------------------------------


async def in_step(row: Row) -> Office:
    """The office of a row before anybody does anything. No policy has had a say yet: nothing was ever contested."""
    office = _empty(row, Policy())
    for record in _linked(row.given.get("linked", {})):
        office.left.create(_values(record))
    if office.left.records:
        await office.settled()
    return office


def under(office: Office, row: Row, policy: Policy) -> Office:
    """A copy of an office, with another policy."""
    copy = _empty(row, policy)
    copy.clock.jump((office.clock.now() - copy.clock.now()).total_seconds())
    for side in Side:
        copy.account(side).records = dict(office.account(side).records)
        copy.account(side).sequence = office.account(side).sequence
    before, after = (each.store._connection for each in (office, copy))
    assert isinstance(before, sqlite3.Connection)
    assert isinstance(after, sqlite3.Connection)
    before.backup(after)
    return copy


def _empty(row: Row, policy: Policy) -> Office:
    given = row.given
    can_archive = given.get("can_archive", True)
    return Office(
        conflicts=policy.conflicts,
        deletes=policy.deletes,
        deleted_edit=policy.deleted_edit,
        mappings=LINES,
        limits=Limits(),
        may_archive=frozenset(Side) if can_archive else frozenset(),
        filters={Side(side): text for side, text in given.get("filter", {}).items()},
        where={
            Side(side): {name: tuple(options) for name, options in wanted.items()}
            for side, wanted in given.get("listed", {}).items()
        },
    )


def _linked(given: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The records that both sides hold, by name; `Task 01 … 60` stands for sixty of them."""
    for name, fields in given.items():
        for each in _names(name):
            yield {"name": each, **fields}


def _names(name: str) -> Iterator[str]:
    first, dots, last = name.partition(" … ")
    if not dots:
        yield name
        return
    stem, _, start = first.rpartition(" ")
    for number in range(int(start), int(last) + 1):
        yield f"{stem} {number:0{len(start)}}"


def _values(plain: Mapping[str, Any]) -> dict[FieldId, Value]:
    return {
        FieldId(name): value_of((each,) if name in ("stage", "state") and each is not None else each)
        for name, each in plain.items()
    }


# --- what people do ---------------------------------------------------------------------------------------------------


def happens(office: Office, step: Mapping[str, Any]) -> None:
    """One line of `changes`, a minute after the last (unless `at once`)."""
    office.clock.advance(0 if step.get("at_once") else _MINUTE)
    if step.get("memory") == "lost":
        office.lose_memory()
        return
    side = Side.LEFT if "left" in step else Side.RIGHT
    verb = step[side.value]
    if verb in _ACCOUNT:
        _ACCOUNT[verb](office.account(side), step)
        return
    for name in _names(step["record"]):
        _RECORD[verb](office, side, name, _values(step.get("to", {})))


def _creates(office: Office, side: Side, name: str, values: Mapping[FieldId, Value]) -> None:
    office.account(side).create({_title(side): value_of(name), **values})


def _edits(office: Office, side: Side, name: str, values: Mapping[FieldId, Value]) -> None:
    office.account(side).edit(office.named(side, name), values)


def _deletes(office: Office, side: Side, name: str, values: Mapping[FieldId, Value]) -> None:
    assert not values
    office.account(side).delete(office.named(side, name))


def _purges(office: Office, side: Side, name: str, values: Mapping[FieldId, Value]) -> None:
    assert not values
    office.account(side).purge(office.named(side, name))


def _hides(office: Office, side: Side, name: str, values: Mapping[FieldId, Value]) -> None:
    assert not values
    office.account(side).hidden.add(office.named(side, name))
    office.account(side).unreadable.add(office.named(side, name))


def _breaks_off(account: MemoryAccount, step: Mapping[str, Any]) -> None:
    account.listing_gap = step["because"]


_RECORD: Mapping[str, Callable[[Office, Side, str, Mapping[FieldId, Value]], None]] = {
    "creates": _creates,
    "edits": _edits,
    "deletes": _deletes,
    "purges": _purges,
    "hides": _hides,
}
_ACCOUNT: Mapping[str, Callable[[MemoryAccount, Mapping[str, Any]], None]] = {"breaks off": _breaks_off}


def is_archived(fields: Mapping[FieldId, Value]) -> bool:
    """Whether a record is put away."""
    return fields.get(ARCHIVED) == YesNo(yes=True)


def spoken(fields: Mapping[FieldId, Value]) -> Iterator[tuple[FieldId, Value]]:
    """What a record says besides its name and whether it is archived."""
    for name, value in fields.items():
        if name not in ("name", "title", ARCHIVED) and not is_blank(value):
            yield name, value
