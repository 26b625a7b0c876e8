"""Every request that the HighLevel connector sends is one that the official specification allows."""

from __future__ import annotations

from syncline.connectors.highlevel import Tokens, WriteStyle
from syncline.connectors.highlevel.writing import ListUpdate
from syncline.core.records import Create, Delete, FieldId, RecordKey, Update
from syncline.core.values import BLANK, ManyOf, Text
from tests.connectors.highlevel_world import FULL, SCOPE, TICKET, World, listing, world
from tests.sandbox.openapi import official_spec


async def walk_through(w: World) -> None:
    """Each kind of request at least once."""
    saved: list[Tokens] = []
    connector = w.open(access=await w.grant(saved))
    w.clock.advance(86_400)
    await connector.check()
    await connector.object_types()
    await connector.schema(TICKET)
    w.fill(150)
    receipt = await connector.write(SCOPE, Create(FULL, "k-1"))
    _, _, ending = await listing(connector)
    changed = {FieldId("title"): Text("b"), FieldId("areas"): ManyOf(("high",)), FieldId("owner"): BLANK}
    await connector.write(SCOPE, Update(receipt.key, changed, FULL))
    await listing(connector, ending.cursor)
    await connector.find(SCOPE, "k-1")
    await connector.fetch(SCOPE, receipt.key)
    await connector.write(SCOPE, Delete(receipt.key))
    await connector.fetch(SCOPE, RecordKey("67a235b49b289431bcf657f8"))
    plain = w.open(style=WriteStyle(ListUpdate.PLAIN, "owners"))
    made = await plain.write(SCOPE, Create(FULL))
    await plain.write(SCOPE, Update(made.key, changed, FULL))
    assert len(saved) == 1


async def test_every_exchange_fits_the_official_specification() -> None:
    spec = official_spec()
    async with world() as w:
        await walk_through(w)

        for request, response in w.witness.exchanges:
            spec.check_exchange(request, response)
        methods = {(request.method, request.path.split("/")[1]) for request, _ in w.witness.exchanges}
    assert {("POST", "oauth"), ("GET", "users"), ("GET", "locations"), ("POST", "custom-fields")} <= methods
    assert {(method, "objects") for method in ("GET", "POST", "PUT", "DELETE")} <= methods
