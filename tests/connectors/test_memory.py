"""The in-memory connector keeps the promises of all connectors, and lets tests script what goes wrong."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from syncline.connectors.memory import MemoryAccount, MemoryConnector, When
from syncline.core.records import (
    Ability,
    Create,
    FieldId,
    FieldSchema,
    ObjectSchema,
    ObjectTypeId,
    Option,
    RecordKey,
    Scope,
    Update,
    Write,
)
from syncline.core.values import (
    Day,
    FieldType,
    ManyOf,
    Moment,
    Money,
    Number,
    OneOf,
    Person,
    Phone,
    RichText,
    Text,
    Value,
    YesNo,
)
from syncline.errors import RejectedError, TransientError, UnknownOutcomeError
from tests.clock import VirtualClock
from tests.connectors.conformance import ConnectorConformance, World, listed

TITLE = FieldId("title")
STAGE = FieldId("stage")
CODE = FieldId("code")
TICKET = ObjectSchema(
    ObjectTypeId("ticket"),
    "Ticket",
    (
        FieldSchema(TITLE, "Title", FieldType.TEXT, is_required=True, max_length=50),
        FieldSchema(FieldId("notes"), "Notes", FieldType.RICH_TEXT),
        FieldSchema(FieldId("hours"), "Hours", FieldType.NUMBER),
        FieldSchema(FieldId("price"), "Price", FieldType.MONEY),
        FieldSchema(FieldId("urgent"), "Urgent", FieldType.YES_NO),
        FieldSchema(FieldId("due"), "Due", FieldType.DAY),
        FieldSchema(FieldId("call_at"), "Call at", FieldType.MOMENT),
        FieldSchema(FieldId("phone"), "Phone", FieldType.PHONE),
        FieldSchema(STAGE, "Stage", FieldType.ONE_OF, options=(Option("new", "New"), Option("done", "Done"))),
        FieldSchema(FieldId("tags"), "Tags", FieldType.MANY_OF, is_open=True),
        FieldSchema(FieldId("owner"), "Owner", FieldType.PERSON),
        FieldSchema(CODE, "Code", FieldType.TEXT, is_unique=True),
    ),
    frozenset({Ability.CREATE, Ability.UPDATE, Ability.DELETE, Ability.RESTORE}),
)
_SAMPLES: dict[str, tuple[Value, Value]] = {
    "title": (Text("First"), Text("Second")),
    "notes": (RichText("<p>One</p>"), RichText("<p>Two</p>")),
    "hours": (Number(Decimal("1.5")), Number(Decimal(2))),
    "price": (Money(Decimal("9.99"), "USD"), Money(Decimal(10), "USD")),
    "urgent": (YesNo(yes=True), YesNo(yes=False)),
    "due": (Day(dt.date(2026, 3, 1)), Day(dt.date(2026, 4, 1))),
    "call_at": (
        Moment(dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC)),
        Moment(dt.datetime(2026, 3, 2, tzinfo=dt.UTC)),
    ),
    "phone": (Phone("+14155550100"), Phone("+14155550101")),
    "stage": (OneOf("new"), OneOf("done")),
    "tags": (ManyOf(("a", "b")), ManyOf(("b", "c"))),
    "owner": (Person(email="owner@example.test"), Person(email="member@example.test")),
    "code": (Text("A1"), Text("A2")),
}


class MemoryWorld(World):
    """An account of tickets."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.account = MemoryAccount(TICKET, self.clock)
        self.connector = MemoryConnector(self.account)
        self.scope = Scope(TICKET.id)
        self.title = TITLE
        self.unknown_key = RecordKey("999999")

    def sample(self, number: int) -> dict[FieldId, Value]:
        return {FieldId(name): values[number - 1] for name, values in _SAMPLES.items()}

    def refused(self) -> tuple[FieldId, Value]:
        return STAGE, OneOf("no such stage")

    async def create(self, title: str) -> RecordKey:
        return self.account.create({TITLE: Text(title)})

    async def rename(self, key: RecordKey, title: str) -> None:
        self.account.edit(key, {TITLE: Text(title)})

    async def delete(self, key: RecordKey) -> None:
        self.account.delete(key)

    async def purge(self, key: RecordKey) -> None:
        self.account.purge(key)

    def stranger(self) -> MemoryConnector:
        return MemoryConnector(self.account, token="wrong-token")

    def cut_next_write(self) -> None:
        def cut(when: When, write: Write) -> None:
            if when is When.AFTER:
                raise UnknownOutcomeError("cut")

        self.account.faults = cut


@pytest.fixture
def world() -> MemoryWorld:
    return MemoryWorld()


class TestMemory(ConnectorConformance):
    """The shared suite."""


async def test_a_fault_before_the_effect_leaves_nothing_behind(world: MemoryWorld) -> None:
    def refuse(when: When, write: Write) -> None:
        raise TransientError("down")

    world.account.faults = refuse

    with pytest.raises(TransientError):
        await world.connector.write(world.scope, Create(world.sample(1)))
    assert world.account.records == {}


async def test_the_vendor_may_store_something_else_than_it_was_sent(world: MemoryWorld) -> None:
    world.account.normalise = lambda name, value: (
        Text(value.text.strip().upper()) if isinstance(value, Text) else value
    )

    receipt = await world.connector.write(world.scope, Create({TITLE: Text(" loud ")}))

    assert receipt.record is not None
    assert receipt.record.fields[TITLE] == Text("LOUD")


async def test_a_unique_value_is_refused_twice_and_says_so(world: MemoryWorld) -> None:
    await world.connector.write(world.scope, Create({TITLE: Text("One"), CODE: Text("X")}))

    with pytest.raises(RejectedError) as caught:
        await world.connector.write(world.scope, Create({TITLE: Text("Two"), CODE: Text("X")}))

    assert (caught.value.field, caught.value.is_duplicate) == (CODE, True)


async def test_a_filter_shows_some_records_and_makes_new_ones_inside(world: MemoryWorld) -> None:
    outside = await world.create("Outside")
    world.scope = Scope(TICKET.id, {"stage": ("new",)})

    receipt = await world.connector.write(world.scope, Create({TITLE: Text("Inside")}))

    assert (await listed(world)).records.keys() == {receipt.key}
    sighting = await world.connector.fetch(world.scope, outside)
    assert not sighting.record.in_scope


async def test_a_listing_with_a_gap_is_not_complete(world: MemoryWorld) -> None:
    world.account.hidden = {await world.create("Hidden")}
    world.account.listing_gap = "a page did not come"

    listing = await listed(world)

    assert (listing.records, listing.ending.is_complete) == ({}, False)


async def test_writing_what_is_there_already_changes_nothing(world: MemoryWorld) -> None:
    key = await world.create("Same")
    before = (await listed(world)).digests
    world.clock.advance(60)

    await world.connector.write(world.scope, Update(key, {TITLE: Text("Same")}))

    assert (await listed(world)).digests == before


async def test_a_schema_may_change_under_the_connector(world: MemoryWorld) -> None:
    await world.create("Record")
    world.account.schema = ObjectSchema(TICKET.id, "Ticket", TICKET.fields[:2])

    listing = await listed(world)

    assert [set(record.fields) for record in listing.records.values()] == [{"title", "notes"}]
