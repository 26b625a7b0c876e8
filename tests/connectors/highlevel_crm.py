"""The CRM of a HighLevel sandbox: contacts, opportunities, tasks and notes as worlds of the conformance suite.

Used by the tests of those object types. Two contacts are there in the worlds of what belongs to a contact.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from syncline.connectors.highlevel import HighLevelConnector, PrivateToken
from syncline.core.records import FieldId, ObjectTypeId, RecordKey, Scope
from syncline.core.values import (
    Day,
    ManyOf,
    Moment,
    Money,
    Number,
    OneOf,
    Person,
    Phone,
    Reference,
    Text,
    Value,
    YesNo,
)
from syncline.sandbox.faults import Fault, FaultKind
from syncline.sandbox.highlevel import Options
from tests.connectors import highlevel_world
from tests.connectors.conformance import World

OWNERS = (Person("owner@example.test"), Person("member@example.test"))
CUSTOM_FIELDS = (
    ("Pin code", "TEXT", []),
    ("Score", "NUMERICAL", []),
    ("Second phone", "PHONE", []),
    ("Budget", "MONETORY", []),
    ("Level", "RADIO", ["Low", "High"]),
    ("Areas", "CHECKBOX", ["North", "South", "West"]),
    ("Since", "DATE", []),
)
CUSTOM: dict[str, tuple[Value, Value]] = {
    "pin_code": (Text("452 001"), Text("Ünïcode <b>")),
    "score": (Number(Decimal("1.5")), Number(Decimal(-3))),
    "second_phone": (Phone("+14155550110"), Phone("+14155550111")),
    "budget": (Money(Decimal("46401.10")), Money(Decimal("0.01"))),
    "level": (OneOf("Low"), OneOf("High")),
    "areas": (ManyOf(("North", "South")), ManyOf(("South", "West"))),
    "since": (Day(dt.date(2026, 3, 1)), Day(dt.date(2024, 2, 29))),
}
CONTACT: dict[str, tuple[Value, Value]] = {
    "first_name": (Text("Zoë"), Text("Jörg")),
    "last_name": (Text("First"), Text("Second")),
    "email": (Text("zoe@example.test"), Text("joerg@example.test")),
    "phone": (Phone("+14155550100"), Phone("+14155550101")),
    "address": (Text("1 First St"), Text("2 Second St")),
    "city": (Text("Ulm"), Text("Köln")),
    "state": (Text("AL"), Text("TX")),
    "postal_code": (Text("35061"), Text("89073")),
    "country": (Text("US"), Text("DE")),
    "website": (Text("https://one.example.test"), Text("https://two.example.test")),
    "timezone": (Text("Europe/Berlin"), Text("America/Chihuahua")),
    "source": (Text("import"), Text("fair")),
    "date_of_birth": (Day(dt.date(1990, 9, 25)), Day(dt.date(2000, 2, 29))),
    "dnd": (YesNo(yes=True), YesNo(yes=False)),
    "tags": (ManyOf(("new", "vip")), ManyOf(("vip", "later"))),
    "assigned_to": OWNERS,
}
TASK: dict[str, tuple[Value, Value]] = {
    "title": (Text("Call back"), Text("Write")),
    "body": (Text("about the door"), Text("about the window")),
    "due": (
        Moment(dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC)),
        Moment(dt.datetime(2026, 5, 2, tzinfo=dt.UTC)),
    ),
    "is_completed": (YesNo(yes=True), YesNo(yes=False)),
    "assigned_to": OWNERS,
}
NOTE: dict[str, tuple[Value, Value]] = {
    "title": (Text("First"), Text("Second")),
    "body": (Text("one\ntwo"), Text("three & four")),
    "color": (Text("#FFAA00"), Text("#00AAFF")),
    "is_pinned": (YesNo(yes=True), YesNo(yes=False)),
    "author": OWNERS,
}


class CrmWorld(World):
    """One of the types in a sandbox behind a real port."""

    unknown_key = RecordKey("NoSuchNoSuchNoSuch00")
    quiet_calls = 1

    def __init__(self, world: highlevel_world.World, kind: str) -> None:
        self.world = world
        self.kind = kind
        self.connector = world.connector
        self.clock = world.clock
        self.scope = Scope(ObjectTypeId(kind))

    def furnish(self) -> None:
        """What has to be there before."""

    def act(self, action: str, **values: object) -> Any:
        """A person's edit; `id` says of what."""
        found = {"id": values.pop("id")} if "id" in values else {}
        return self.world.act(f"{action}_crm", kind=self.kind, values=values, **found)

    async def delete(self, key: RecordKey) -> None:
        self.act("drop", id=key.rpartition(":")[2])

    async def purge(self, key: RecordKey) -> None:
        """There is no trash: what is deleted is gone for good."""

    def stranger(self) -> HighLevelConnector:
        return self.world.open(access=PrivateToken("wrong-token"))

    def fail_next_read(self) -> None:
        self.world.faults.add(Fault(FaultKind.STATUS, status=503, times=1))

    def cut_next_write(self) -> None:
        self.world.faults.add(Fault(FaultKind.CUT_AFTER, method="POST", times=1))

    def contact(self, name: str = "Door", **values: object) -> str:
        """A contact that somebody made."""
        values = {"firstName": name, **values}
        return self.world.act("make_crm", kind="contact", values=values)["id"]


class ContactWorld(CrmWorld):
    """Contacts with a custom field of every type."""

    title = FieldId("first_name")

    def furnish(self) -> None:
        for name, kind, options in CUSTOM_FIELDS:
            self.world.act("create_location_field", model="contact", name=name, type=kind, options=options)

    def sample(self, number: int) -> dict[FieldId, Value]:
        return {FieldId(name): pair[number - 1] for name, pair in (CONTACT | CUSTOM).items()}

    def refused(self) -> tuple[FieldId, Value]:
        return FieldId("email"), Text("not an e-mail")

    async def create(self, title: str) -> RecordKey:
        return RecordKey(self.contact(title))

    async def rename(self, key: RecordKey, title: str) -> None:
        self.act("edit", id=key, firstName=title)


class BusinessWorld(CrmWorld):
    """Companies, which are records."""

    title = FieldId("name")
    unknown_key = RecordKey("67a235b49b289431bcf657f8")

    def act(self, action: str, **values: object) -> Any:
        """A person's edit of a record."""
        found = {"id": values.pop("id")} if "id" in values else {}
        more = {"properties": values} if values else {}
        return self.world.act(f"{action}_record", object="business", **found, **more)

    def sample(self, number: int) -> dict[FieldId, Value]:
        texts = (
            "name",
            "email",
            "website",
            "address",
            "city",
            "state",
            "postal_code",
            "country",
            "description",
        )
        found: dict[FieldId, Value] = {FieldId(name): Text(f"{name} {number}") for name in texts}
        return {**found, FieldId("phone"): CONTACT["phone"][number - 1]}

    def refused(self) -> tuple[FieldId, Value]:
        return FieldId("phone"), Phone("555")

    async def create(self, title: str) -> RecordKey:
        return RecordKey(self.act("create", name=title)["id"])

    async def rename(self, key: RecordKey, title: str) -> None:
        self.act("update", id=key, name=title)

    async def delete(self, key: RecordKey) -> None:
        self.act("delete", id=key)


class OpportunityWorld(CrmWorld):
    """Opportunities with a custom field of every type."""

    title = FieldId("name")
    fixed = frozenset({FieldId("contact")})

    def furnish(self) -> None:
        self.contacts = [self.contact("One"), self.contact("Two")]
        crm = self.world.act("pipelines")["pipelines"]
        self.pipelines: list[str] = [each["id"] for each in crm]
        self.stages = [crm[0]["stages"][1]["id"], crm[1]["stages"][0]["id"]]
        for name, kind, options in CUSTOM_FIELDS:
            self.world.act(
                "create_location_field", model="opportunity", name=name, type=kind, options=options
            )

    def sample(self, number: int) -> dict[FieldId, Value]:
        standard: dict[str, tuple[Value, Value]] = {
            "name": (Text("Fix the door & window"), Text("Paint it")),
            "contact": (Reference("contact", self.contacts[0]), Reference("contact", self.contacts[1])),
            "stage": (OneOf(self.stages[0]), OneOf(self.stages[1])),
            "status": (OneOf("won"), OneOf("open")),
            "monetary_value": (Money(Decimal("46401.10")), Money(Decimal("0.01"))),
            "assigned_to": OWNERS,
        }
        return {FieldId(name): pair[number - 1] for name, pair in (standard | CUSTOM).items()}

    def least(self) -> dict[FieldId, Value]:
        names = ("name", "contact", "stage", "status", "monetary_value")
        return {FieldId(name): self.sample(1)[FieldId(name)] for name in names}

    def refused(self) -> tuple[FieldId, Value]:
        return FieldId("level"), OneOf("no such option")

    async def create(self, title: str) -> RecordKey:
        return RecordKey(self.act("make", name=title, contactId=self.contacts[0])["id"])

    async def rename(self, key: RecordKey, title: str) -> None:
        self.act("edit", id=key, name=title)


class AttachedWorld(CrmWorld):
    """Tasks or notes of two contacts."""

    title = FieldId("title")
    fixed = frozenset({FieldId("contact")})
    samples: dict[str, tuple[Value, Value]]

    def furnish(self) -> None:
        self.contacts = [self.contact("One"), self.contact("Two")]
        self.unknown_key = RecordKey(f"{self.contacts[0]}:NoSuchNoSuchNoSuch00")

    def sample(self, number: int) -> dict[FieldId, Value]:
        references = tuple(Reference("contact", each) for each in self.contacts)
        found = {FieldId(name): pair[number - 1] for name, pair in self.samples.items()}
        return {**found, FieldId("contact"): references[number - 1]}

    def least(self) -> dict[FieldId, Value]:
        names = {"task": ("title", "due", "contact"), "note": ("title", "body", "contact")}[self.kind]
        return {FieldId(name): self.sample(1)[FieldId(name)] for name in names}

    async def create(self, title: str) -> RecordKey:
        values = {"contactId": self.contacts[0], "title": title, "body": "of a person"}
        return RecordKey(f"{self.contacts[0]}:{self.act('make', **values)['id']}")

    async def rename(self, key: RecordKey, title: str) -> None:
        self.act("edit", id=key.partition(":")[2], title=title)


class TaskWorld(AttachedWorld):
    """Tasks. The listing ends with a page that brings nothing new."""

    quiet_calls = 2
    samples = TASK

    def refused(self) -> tuple[FieldId, Value]:
        return FieldId("assigned_to"), Person("nobody@example.test")


class NoteWorld(AttachedWorld):
    """Notes. A call for the contacts, and one for each of them."""

    quiet_calls = 3
    samples = NOTE

    def refused(self) -> tuple[FieldId, Value]:
        return FieldId("author"), Person("nobody@example.test")


KINDS: dict[str, type[CrmWorld]] = {
    "contact": ContactWorld,
    "business": BusinessWorld,
    "opportunity": OpportunityWorld,
    "task": TaskWorld,
    "note": NoteWorld,
}


@asynccontextmanager
async def crm_world(kind: str, *, lag: float = 0, options: Options | None = None) -> AsyncIterator[Any]:
    """A sandbox that serves until the block ends."""
    async with highlevel_world.world(lag=lag, options=options, has_tickets=False) as made:
        world = KINDS[kind](made, kind)
        world.furnish()
        yield world
