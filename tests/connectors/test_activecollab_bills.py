"""Invoices and estimates, of which nobody tells what they hold: read as this account shows them, where it does."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from decimal import Decimal

import pytest

from syncline.core.records import Delete, FieldId, Gone, ObjectTypeId, Proof, RecordKey, Scope, Unseen
from syncline.core.values import Number, Text
from syncline.errors import NotFoundError, RejectedError
from tests.connectors.activecollab_kinds import NoteWorld
from tests.connectors.activecollab_world import ActiveCollabWorld, open_world
from tests.connectors.conformance import listed, present

INVOICE = ObjectTypeId("invoice")
SHOWN = {
    "id": 5,
    "class": "Invoice",
    "name": "2026-1",
    "total": 12.5,
    "issued_on": 1400025600,
    "is_canceled": False,
    "note": None,
    "items": [{"id": 1}],
    "mixed": 1,
}


@pytest.fixture
async def world() -> AsyncGenerator[ActiveCollabWorld, None]:
    async with open_world(object_type="note", world_class=NoteWorld) as world:
        world.scope = Scope(INVOICE)
        yield world


async def test_they_are_offered_only_where_the_account_shows_them(world: ActiveCollabWorld) -> None:
    before = {each.id for each in await world.connector.object_types()}
    with pytest.raises(NotFoundError):
        await world.connector.schema(INVOICE)
    world.act("put_bills", kind="invoices", rows=[SHOWN])

    after = {each.id for each in await world.connector.object_types()}

    assert after - before == {INVOICE}


async def test_they_are_read_as_this_account_tells_them(world: ActiveCollabWorld) -> None:
    world.act("put_bills", kind="invoices", rows=[SHOWN, {"id": 6, "mixed": "two", "note": "Thanks"}])

    schema = await world.connector.schema(INVOICE)
    records = (await listed(world)).records

    assert schema.abilities == frozenset()
    assert all(field.is_read_only for field in schema.fields)
    assert {field.id: field.type.value for field in schema.fields} == {
        "name": "text",
        "total": "number",
        "issued_on": "moment",
        "is_canceled": "yes_no",
        "mixed": "text",
        "note": "text",
        "url": "text",
    }
    assert records[RecordKey("5")].title == "2026-1"
    assert records[RecordKey("5")].fields[FieldId("total")] == Number(Decimal("12.5"))
    assert records[RecordKey("5")].fields[FieldId("mixed")] == Text("1")
    assert records[RecordKey("6")].fields[FieldId("note")] == Text("Thanks")


async def test_one_is_read_alone_as_in_the_list_and_never_written(world: ActiveCollabWorld) -> None:
    world.act("put_bills", kind="invoices", rows=[SHOWN])
    records = (await listed(world)).records

    assert (await present(world, RecordKey("5"))).fields == records[RecordKey("5")].fields
    assert await world.connector.fetch(world.scope, RecordKey("7")) == Gone(Proof.NOT_FOUND)
    world.vendor.account.bills.clear()
    assert isinstance(await world.connector.fetch(world.scope, RecordKey("5")), Unseen)
    with pytest.raises(RejectedError):
        await world.connector.write(world.scope, Delete(RecordKey("5")))
