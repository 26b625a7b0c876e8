"""Two vendors with several object types each, and a sync for each pair of types: records of one point to those of another.

On the left a task points to its project and to a task above it, and a project to its main task; on the right a ticket does to
its case and a ticket, and a case to its main ticket.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field

from syncline.connectors.memory import MemoryAccount, MemoryConnector
from syncline.core.brakes import Limits
from syncline.core.decisions import DeletedEdit, DeletePolicy, Rules
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, lenses
from syncline.core.match import MatchRule
from syncline.core.plan import Plan
from syncline.core.records import (
    Ability,
    Edit,
    FieldId,
    FieldSchema,
    ObjectSchema,
    ObjectTypeId,
    Receipt,
    Record,
    RecordKey,
    Scope,
    Side,
    Sighting,
    SyncId,
    Write,
)
from syncline.core.references import Through
from syncline.core.values import BLANK, FieldType, Reference, Text, Value
from syncline.engine.parents import looking_up
from syncline.engine.runs import Options, Report, preview, run
from syncline.engine.sync import SideSetup, Sync, World
from syncline.errors import NotFoundError
from syncline.ports import Connector, Ending, Health, ObjectSummary, Page, Quota
from syncline.store import SqlStore, open_store
from tests.clock import VirtualClock
from tests.engine.crashing import CrashingConnector, CrashingStore, Fuse

_ALL = frozenset({Ability.CREATE, Ability.UPDATE, Ability.DELETE, Ability.RESTORE})
NAME, ABOVE, PROJECT, CASE, MAIN = (FieldId(name) for name in ("name", "above", "project", "case", "main"))
TYPES = {
    "projects": (ObjectTypeId("project"), ObjectTypeId("case")),
    "tasks": (ObjectTypeId("task"), ObjectTypeId("ticket")),
}


def _schema(kind: str, *pointing: FieldSchema) -> ObjectSchema:
    name = FieldSchema(NAME, "Name", FieldType.TEXT, is_required=True)
    return ObjectSchema(ObjectTypeId(kind), kind.title(), (name, *pointing), _ALL)


def _pointing(name: FieldId, kind: str) -> FieldSchema:
    return FieldSchema(name, name.title(), FieldType.REFERENCE, references=ObjectTypeId(kind))


SCHEMAS = {
    (Side.LEFT, "projects"): _schema("project", _pointing(MAIN, "task")),
    (Side.RIGHT, "projects"): _schema("case", _pointing(MAIN, "ticket")),
    (Side.LEFT, "tasks"): _schema("task", _pointing(PROJECT, "project"), _pointing(ABOVE, "task")),
    (Side.RIGHT, "tasks"): _schema("ticket", _pointing(CASE, "case"), _pointing(ABOVE, "ticket")),
}


class Vendor:
    """One vendor's connector over an account for each object type. A type that it does not have is refused."""

    def __init__(self, accounts: Mapping[str, MemoryAccount], name: str) -> None:
        self._parts = {each.schema.id: MemoryConnector(each, name=name) for each in accounts.values()}

    def _part(self, object_type: ObjectTypeId) -> MemoryConnector:
        if object_type not in self._parts:
            raise NotFoundError(f"no object type {object_type}")
        return self._parts[object_type]

    @property
    def calls(self) -> int:
        """All calls."""
        return sum(each.calls for each in self._parts.values())

    @property
    def skew(self) -> dt.timedelta | None:
        """None is known."""
        return None

    @property
    def quota(self) -> Quota:
        """No limits."""
        return Quota()

    async def check(self) -> Health:
        """All is well."""
        return Health("memory", "owner@example.test")

    async def object_types(self) -> Sequence[ObjectSummary]:
        """Those of the accounts."""
        return [ObjectSummary(kind, kind.title()) for kind in self._parts]

    async def schema(self, object_type: ObjectTypeId) -> ObjectSchema:
        """The account's."""
        return await self._part(object_type).schema(object_type)

    async def pages(self, scope: Scope, since: str | None = None) -> AsyncIterator[Page | Ending]:
        """The account's."""
        async for part in self._part(scope.object_type).pages(scope, since):
            yield part

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """The account's."""
        return await self._part(scope.object_type).fetch(scope, key)

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """The account's."""
        return await self._part(scope.object_type).write(scope, write)

    async def find(self, scope: Scope, external_key: str) -> Sequence[Record]:
        """The account's."""
        return await self._part(scope.object_type).find(scope, external_key)

    async def edits(self, scope: Scope, key: RecordKey) -> Mapping[FieldId, Edit]:
        """The account's."""
        return await self._part(scope.object_type).edits(scope, key)

    def cost(self, write: Write) -> int:
        """One call a write."""
        del write
        return 1

    async def close(self) -> None:
        """Nothing to let go of."""


@dataclass
class Family:
    """The world. `is_turned`: the sync of projects has its sides the other way round. Change policies before a run."""

    is_turned: bool = False
    deletes: DeletePolicy = DeletePolicy.PROPAGATE
    direction: Direction = Direction.BOTH
    conflicts: ConflictPolicy = ConflictPolicy.NEWEST
    url: str = "sqlite://"
    clock: VirtualClock = field(default_factory=VirtualClock)
    store: SqlStore = field(init=False)

    def __post_init__(self) -> None:
        """Open the accounts and an empty store."""
        self.store = open_store(self.url, secret_key=None)
        self.accounts = {
            (side, kind): MemoryAccount(schema, self.clock, has_external_keys=side is Side.RIGHT)
            for (side, kind), schema in SCHEMAS.items()
        }
        self.vendors: dict[Side, Connector] = {
            side: Vendor({kind: self.accounts[side, kind] for kind in TYPES}, side.value) for side in Side
        }

    def restart(self) -> None:
        """Another process on the same database."""
        self.store.close()
        self.store = open_store(self.url, secret_key=None)

    def mappings(self, kind: str) -> Sequence[FieldMapping]:
        """The lines of a sync."""
        name = FieldMapping(NAME, NAME)
        if kind == "projects":
            left, right = reversed(TYPES["tasks"]) if self.is_turned else TYPES["tasks"]
            main = Through(SyncId("tasks"), left, right, is_turned=self.is_turned)
            return (name, FieldMapping(MAIN, MAIN, through=main))
        through = Through(SyncId("projects"), *TYPES["projects"], is_turned=self.is_turned)
        above = Through(SyncId("tasks"), *TYPES["tasks"])
        return (
            name,
            FieldMapping(PROJECT, CASE, self.direction, through=through),
            FieldMapping(ABOVE, ABOVE, through=above),
        )

    def sync(self, kind: str, fuse: Fuse | None = None) -> Sync:
        """A sync as it is configured now."""
        is_turned = self.is_turned and kind == "projects"
        sides = (Side.RIGHT, Side.LEFT) if is_turned else (Side.LEFT, Side.RIGHT)
        schemas = [SCHEMAS[side, kind] for side in sides]
        setups = [
            SideSetup(
                self.vendors[side] if fuse is None else CrashingConnector(self.vendors[side], fuse, side.value),
                Scope(schema.id),
                schema,
            )
            for side, schema in zip(sides, schemas, strict=True)
        ]  # fmt: skip
        made = lenses(self.mappings(kind), *schemas, self.conflicts)
        sync = Sync(
            SyncId(kind),
            *setups,
            Rules(made, self.deletes, DeletedEdit.EDIT, frozenset(), frozenset(Side)),
            MatchRule(((NAME, NAME),)),
            Limits(at_least=1000),
            frozenset(Side),
            mapping_digest=kind,
            filter_digest="all",
        )
        return looking_up(self.store, sync)

    def world(self, fuse: Fuse | None = None) -> World:
        """What a run may touch."""
        store = self.store if fuse is None else CrashingStore(self.store, fuse)
        return World(store, self.clock)  # type: ignore[arg-type] - forwards what it does not wrap

    async def run(self, kind: str, options: Options | None = None, fuse: Fuse | None = None) -> Report:
        """Run one sync, a minute later."""
        self.clock.advance(60)
        return await run(self.world(fuse), self.sync(kind, fuse), random.Random(1).random, options)

    async def plan(self, kind: str) -> Plan:
        """What a run would do, a minute later."""
        self.clock.advance(60)
        return await preview(self.world(), self.sync(kind))

    async def settled(self, runs: int = 6) -> None:
        """Run both syncs until nothing is left to do; fails when that does not come."""
        for _ in range(runs):
            self.clock.advance(300)
            reports = [await self.run(kind) for kind in TYPES]
            if all(report.is_quiet for report in reports):
                return
        raise AssertionError("still busy")

    # --- people

    def make(self, side: Side, kind: str, name: str, **pointing: RecordKey | None) -> RecordKey:
        """Somebody makes a record."""
        return self.accounts[side, kind].create({NAME: Text(name), **self._values(side, kind, pointing)})

    def edit(self, side: Side, kind: str, key: RecordKey, **pointing: RecordKey | None) -> None:
        """Somebody lets a record point to another."""
        self.accounts[side, kind].edit(key, self._values(side, kind, pointing))

    def rename(self, side: Side, kind: str, key: RecordKey, name: str) -> None:
        """Somebody renames a record."""
        self.accounts[side, kind].edit(key, {NAME: Text(name)})

    def _values(
        self, side: Side, kind: str, pointing: Mapping[str, RecordKey | None]
    ) -> dict[FieldId, Value]:
        schema = SCHEMAS[side, kind]
        out: dict[FieldId, Value] = {}
        for name, key in pointing.items():
            form = schema.field(FieldId(name))
            assert form is not None
            out[form.id] = BLANK if key is None else Reference(form.references or "", key)
        return out

    def delete(
        self, side: Side, kind: str, key: RecordKey, *, detaches: bool = False, cascades: bool = False
    ) -> None:
        """Somebody deletes a record; the vendor empties what pointed to it, or deletes that too."""
        self.accounts[side, kind].delete(key)
        for other, record in list(self.accounts[side, "tasks"].records.items()):
            pointing = [n for n, v in record.fields.items() if isinstance(v, Reference) and v.key == key]
            if not pointing or record.trashed_at is not None:
                continue
            if cascades:
                self.accounts[side, "tasks"].delete(other)
            elif detaches:
                self.accounts[side, "tasks"].edit(other, dict.fromkeys(pointing, BLANK))

    # --- what is there

    def named(self, side: Side, kind: str, name: str) -> RecordKey:
        """The key of a living record by its name."""
        return next(key for key, found in self.living(side, kind).items() if found == name)

    def living(self, side: Side, kind: str) -> dict[RecordKey, str]:
        """Names by key."""
        records = self.accounts[side, kind].records.values()
        return {
            each.key: getattr(each.fields[NAME], "text", "") for each in records if each.trashed_at is None
        }

    def points(self, side: Side, name: str, field_id: FieldId | None = None) -> str | None:
        """The name of what a task (ticket) points to: a project (case) unless another field is asked for; `MAIN` asks for that
        of a project (case)."""
        kind = "projects" if field_id is None else "tasks"
        at = field_id or (PROJECT if side is Side.LEFT else CASE)
        own = "projects" if field_id == MAIN else "tasks"
        value = self.accounts[side, own].records[self.named(side, own, name)].fields.get(at, BLANK)
        if not isinstance(value, Reference):
            return None
        return self.living(side, kind).get(RecordKey(value.key), "(gone)")
