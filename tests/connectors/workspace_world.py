"""Workspaces for tests of their connector: one for each kind of item, with a person who works there."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from syncline.connectors.workspace import Account, WorkspaceConnector
from syncline.core.records import FieldId, ObjectTypeId, RecordKey, Scope
from syncline.core.values import (
    Day,
    ManyOf,
    Money,
    Number,
    OneOf,
    Person,
    Phone,
    Reference,
    RichText,
    Text,
    Value,
    YesNo,
)
from syncline.core.workspace import FORMS, ItemRef, ItemType
from syncline.store import open_store
from tests.clock import VirtualClock
from tests.connectors.conformance import World

PERSON = "anna@example.test"

_SAMPLES: dict[str, tuple[Value, Value]] = {
    "description": (RichText("<p>One</p>"), RichText("<p>Two</p>")),
    "body": (RichText("<p>Ünï</p>"), RichText("<p>Two</p>")),
    "terms": (RichText("<p>One</p>"), RichText("<p>Two</p>")),
    "notes": (RichText("<p>One</p>"), RichText("<p>Two</p>")),
    "client": (Text("Acme"), Text("Bolt")),
    "number": (Text("C-1"), Text("C-2")),
    "company": (Text("Acme"), Text("Bolt")),
    "email": (Text("one@example.test"), Text("two@example.test")),
    "source": (Text("Web"), Text("Fair")),
    "role": (Text("Lead"), Text("Client")),
    "phone": (Phone("+14155550100"), Phone("+14155550101")),
    "parties": (ManyOf(("Acme", "Us")), ManyOf(("Us",))),
    "labels": (ManyOf(("a", "b")), ManyOf(("b", "c"))),
    "value": (Money(Decimal("9.99"), "USD"), Money(Decimal(10), "EUR")),
    "budget": (Money(Decimal("9.99"), "USD"), Money(Decimal(10), "EUR")),
    "estimate": (Number(Decimal("1.5")), Number(Decimal(2))),
    "progress": (Number(Decimal(40)), Number(Decimal(100))),
    "owner": (Person(email="owner@example.test"), Person(email="member@example.test")),
    "assignee": (Person(email="owner@example.test"), Person(email="member@example.test")),
    "is_completed": (YesNo(yes=True), YesNo(yes=False)),
    "is_template": (YesNo(yes=True), YesNo(yes=False)),
    **{
        name: (Day(dt.date(2026, 3, 1)), Day(dt.date(2026, 4, 1)))
        for name in ("start_on", "due_on", "starts_on", "ends_on", "signed_on", "completed_on")
    },
}
"""A value for every field but statuses (which are never empty), and what points elsewhere (see `_targets`)."""


class WorkspaceWorld(World):
    """A workspace in memory, seen through the connector for one kind of item."""

    quiet_calls = 0

    def __init__(self, kind: ItemType) -> None:
        self.clock = VirtualClock()
        self.store = open_store("sqlite://")
        self.account = Account(self.store, self.clock, lambda: PERSON)
        self.connector = WorkspaceConnector("desk", self.store, self.clock)
        self.kind = kind
        self.title = FieldId(FORMS[kind].title_field)
        self.unknown_key = RecordKey("no-such-item")
        self.parent = (
            self.account.create(ItemType.PROJECT, {"name": "Home"}).ref if FORMS[kind].parents else None
        )
        where = {"project": (self.parent.id,)} if self.parent else {}
        self.scope = Scope(ObjectTypeId(kind.value), where)
        self._references = {
            each.name: self._targets(each.references) for each in FORMS[kind].fields if each.references
        }

    def _targets(self, kind: ItemType) -> tuple[Value, Value]:
        title = FORMS[kind].title_field
        parent = self.parent if FORMS[kind].needs_parent else None
        if FORMS[kind].needs_parent and parent is None:
            parent = self.account.create(ItemType.PROJECT, {"name": "Home"}).ref
        made = [self.account.create(kind, {title: name}, parent=parent) for name in ("One", "Two")]
        first, second = (Reference(kind.value, each.id) for each in made)
        return first, second

    def sample(self, number: int) -> dict[FieldId, Value]:
        form = FORMS[self.kind]
        both = {**_SAMPLES, **self._references}
        found = {
            each.name: both[each.name] for each in form.fields if each.name in both and not each.is_read_only
        }
        title = Text("First ☃ größer") if number == 1 else Text("Second")
        return {self.title: title, **{FieldId(name): pair[number - 1] for name, pair in found.items()}}

    def refused(self) -> tuple[FieldId, Value]:
        names = {each.name for each in FORMS[self.kind].fields}
        if "status" in names:
            return FieldId("status"), OneOf("no such status")
        return self.title, Text("x" * 251)

    async def create(self, title: str) -> RecordKey:
        return RecordKey(self.account.create(self.kind, {self.title: title}, parent=self.parent).id)

    async def rename(self, key: RecordKey, title: str) -> None:
        self.account.update(ItemRef(self.kind, key), {self.title: title})

    async def delete(self, key: RecordKey) -> None:
        self.account.delete(ItemRef(self.kind, key))

    async def purge(self, key: RecordKey) -> None:
        self.store.purge_item(ItemRef(self.kind, key))

    def stranger(self) -> WorkspaceConnector:
        raise NotImplementedError("the workspace has no token")
