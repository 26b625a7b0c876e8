"""Two accounts in memory, a mapping between them, and a store: the smallest world that an engine can run in."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from syncline.connectors.memory import MemoryAccount, MemoryConnector
from syncline.core.brakes import Limits
from syncline.core.decisions import DeletedEdit, DeletePolicy, Rules
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, lenses
from syncline.core.match import MatchMode, MatchRule
from syncline.core.plan import Plan
from syncline.core.records import (
    Ability,
    FieldId,
    FieldSchema,
    ObjectSchema,
    ObjectTypeId,
    Option,
    RecordKey,
    Scope,
    Side,
    SyncId,
)
from syncline.core.values import BLANK, FieldType, ManyOf, Number, OneOf, Text, Value
from syncline.engine.runs import Options, Report, preview, run
from syncline.engine.sync import Patience, SideSetup, Sync, World
from syncline.store import SqlStore, open_store
from tests.clock import VirtualClock

_ALL = frozenset({Ability.CREATE, Ability.UPDATE, Ability.DELETE, Ability.RESTORE})

TASK = ObjectSchema(
    ObjectTypeId("task"),
    "Task",
    (
        FieldSchema(FieldId("name"), "Name", FieldType.TEXT, is_required=True),
        FieldSchema(FieldId("hours"), "Hours", FieldType.NUMBER),
        FieldSchema(FieldId("labels"), "Labels", FieldType.MANY_OF, is_open=True),
        FieldSchema(
            FieldId("stage"), "Stage", FieldType.ONE_OF,
            options=(Option("new", "New"), Option("open", "Open"), Option("done", "Done"), Option("odd", "Odd")),
        ),
        FieldSchema(FieldId("note"), "Note", FieldType.TEXT),
    ),
    _ALL,
)  # fmt: skip
TICKET = ObjectSchema(
    ObjectTypeId("ticket"),
    "Ticket",
    (
        FieldSchema(FieldId("title"), "Title", FieldType.TEXT, is_required=True),
        FieldSchema(FieldId("effort"), "Effort", FieldType.NUMBER),
        FieldSchema(FieldId("tags"), "Tags", FieldType.MANY_OF, is_open=True),
        FieldSchema(
            FieldId("state"), "State", FieldType.ONE_OF,
            options=(Option("active", "Active"), Option("closed", "Closed")),
        ),
        FieldSchema(FieldId("remark"), "Remark", FieldType.TEXT),
    ),
    _ALL,
)  # fmt: skip

MAPPINGS = (
    FieldMapping(FieldId("name"), FieldId("title"), conflict=ConflictPolicy.ASK),
    FieldMapping(FieldId("hours"), FieldId("effort")),
    FieldMapping(FieldId("labels"), FieldId("tags")),
    FieldMapping(
        FieldId("stage"), FieldId("state"), values=(("open", "active"), ("new", "active"), ("done", "closed"))
    ),
    FieldMapping(FieldId("note"), FieldId("remark"), Direction.TO_RIGHT),
)


def task(name: str, **fields: object) -> dict[FieldId, Value]:
    """A left record's fields."""
    return {FieldId("name"): Text(name), **{FieldId(k): value_of(v) for k, v in fields.items()}}


def ticket(title: str, **fields: object) -> dict[FieldId, Value]:
    """A right record's fields."""
    return {FieldId("title"): Text(title), **{FieldId(k): value_of(v) for k, v in fields.items()}}


def value_of(plain: object) -> Value:
    """Text, number, set (a list) or option (a one-element tuple) as a value; None is blank."""
    match plain:
        case None:
            return BLANK
        case str():
            return Text(plain)
        case int() | float():
            return Number(Decimal(str(plain)))
        case list():
            return ManyOf(tuple(str(each) for each in plain))
        case tuple():
            return OneOf(str(plain[0]))
        case _:
            raise AssertionError(plain)


def edited(**fields: object) -> dict[FieldId, Value]:
    """Some fields, for an edit."""
    return {FieldId(name): value_of(plain) for name, plain in fields.items()}


@dataclass
class Pair:
    """The world. Policies are plain attributes; change them before a run."""

    conflicts: ConflictPolicy = ConflictPolicy.NEWEST
    deletes: DeletePolicy = DeletePolicy.ASK
    deleted_edit: DeletedEdit = DeletedEdit.EDIT
    mode: MatchMode = MatchMode.MATCH_THEN_CREATE
    mappings: Sequence[FieldMapping] = MAPPINGS
    limits: Limits = field(default_factory=lambda: Limits(at_least=1000))
    has_external_keys: bool = True
    may_create: frozenset[Side] = frozenset(Side)
    may_archive: frozenset[Side] = frozenset()
    may_restore: frozenset[Side] = frozenset(Side)
    url: str = "sqlite://"
    clock: VirtualClock = field(default_factory=VirtualClock)
    store: SqlStore = field(init=False)
    left: MemoryAccount = field(init=False)
    right: MemoryAccount = field(init=False)

    def __post_init__(self) -> None:
        """Open two empty accounts and an empty store."""
        self.store = open_store(self.url, secret_key=None)
        self.left = MemoryAccount(TASK, self.clock, has_external_keys=False)
        self.right = MemoryAccount(TICKET, self.clock, has_external_keys=self.has_external_keys)
        self.connectors = {
            Side.LEFT: MemoryConnector(self.left, name="left"),
            Side.RIGHT: MemoryConnector(self.right, name="right"),
        }

    def account(self, side: Side) -> MemoryAccount:
        """One side's account."""
        return self.left if side is Side.LEFT else self.right

    def sync(self) -> Sync:
        """The sync as it is configured now."""
        schemas = {Side.LEFT: self.left.schema, Side.RIGHT: self.right.schema}
        made = lenses(self.mappings, schemas[Side.LEFT], schemas[Side.RIGHT], self.conflicts)
        setups = {
            side: SideSetup(self.connectors[side], Scope(schemas[side].id), schemas[side]) for side in Side
        }
        return Sync(
            SyncId("tickets"),
            setups[Side.LEFT],
            setups[Side.RIGHT],
            Rules(made, self.deletes, self.deleted_edit, self.may_archive, self.may_restore),
            MatchRule(((FieldId("name"), FieldId("title")),), self.mode),
            self.limits,
            self.may_create,
            mapping_digest=str(hash(tuple(self.mappings))),
            filter_digest="all",
            patience=Patience(),
        )

    def world(self) -> World:
        """What a run may touch."""
        return World(self.store, self.clock)

    async def run(self, options: Options | None = None) -> Report:
        """Run once, a minute later."""
        self.clock.advance(60)
        return await run(self.world(), self.sync(), random.Random(1).random, options)

    async def preview(self) -> Plan:
        """What a run would do, a minute later."""
        self.clock.advance(60)
        return await preview(self.world(), self.sync())

    async def settled(self, runs: int = 6) -> Report:
        """Run until nothing is left to do; fails when that does not come."""
        report = await self.run()
        for _ in range(runs):
            if report.is_quiet:
                return report
            report = await self.run()
        raise AssertionError(f"still busy: {report.plan}")

    def holds(self, side: Side) -> dict[str, Mapping[str, Value]]:
        """What an account holds, by title."""
        name = FieldId("name" if side is Side.LEFT else "title")
        live = [each for each in self.account(side).records.values() if each.trashed_at is None]
        return {getattr(each.fields[name], "text", ""): dict(each.fields) for each in live}

    def key(self, side: Side, title: str) -> RecordKey:
        """The key of the record with a title."""
        name = FieldId("name" if side is Side.LEFT else "title")
        return next(
            each.key
            for each in self.account(side).records.values()
            if each.trashed_at is None and each.fields[name] == Text(title)
        )
