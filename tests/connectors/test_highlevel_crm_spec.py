"""Every request for contacts, opportunities, tasks and notes is one that the official specification allows."""

from __future__ import annotations

import pytest

from syncline.connectors.highlevel import HighLevelConnector
from syncline.core.records import Create, Delete, FieldId, RecordKey, Scope, Update
from syncline.core.values import BLANK
from tests.connectors.highlevel_crm import KINDS, CrmWorld, crm_world
from tests.connectors.highlevel_world import listing
from tests.sandbox.openapi import official_spec

RESOURCES = ("contacts", "opportunities", "locations", "users")


async def walk_through(world: CrmWorld, connector: HighLevelConnector) -> None:
    """Each kind of request at least once."""
    scope: Scope = world.scope
    await connector.schema(scope.object_type)
    receipt = await connector.write(scope, Create(world.sample(1)))
    _, _, ending = await listing(connector, scope=scope)
    changed = {name: value for name, value in world.sample(2).items() if name not in world.fixed}
    await connector.write(scope, Update(receipt.key, changed, world.sample(1)))
    emptied = {name: BLANK for name in changed if name not in world.least()}
    await connector.write(scope, Update(receipt.key, emptied, changed))
    await listing(connector, ending.cursor, scope)
    await connector.fetch(scope, receipt.key)
    await connector.write(scope, Delete(receipt.key))
    await connector.fetch(scope, RecordKey(world.unknown_key))


@pytest.mark.parametrize("version", ["2021-07-28", "v3"])
@pytest.mark.parametrize("kind", KINDS)
async def test_every_exchange_fits_the_official_specification(kind: str, version: str) -> None:
    spec = official_spec()
    async with crm_world(kind) as world:
        before = len(world.world.witness.exchanges)
        versions = dict.fromkeys(RESOURCES, version) | {"users": "2021-07-28"}
        connector = world.world.open(versions=versions)

        await walk_through(world, connector)

        exchanges = world.world.witness.exchanges[before:]
        for request, response in exchanges:
            spec.check_exchange(request, response)
        methods = {request.method for request, _ in exchanges}
    assert {"GET", "POST", "PUT", "DELETE"} <= methods
    assert {request.headers["version"] for request, _ in exchanges} <= {version, "2021-07-28"}


async def test_a_filtered_listing_of_opportunities_fits_too() -> None:
    spec = official_spec()
    async with crm_world("opportunity") as world:
        await world.connector.write(world.scope, Create(world.sample(1)))
        before = len(world.world.witness.exchanges)
        where = {"pipeline": (world.pipelines[0],), "contact": (world.contacts[0],)}

        digests, _, ending = await listing(world.connector, scope=Scope(world.scope.object_type, where))

        for request, response in world.world.witness.exchanges[before:]:
            spec.check_exchange(request, response)
    assert (len(digests), ending.is_complete) == (1, True)
    assert FieldId("pipeline") not in world.sample(1)
