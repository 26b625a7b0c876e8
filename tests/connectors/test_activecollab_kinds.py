"""Every ActiveCollab object type beyond tasks keeps the promises of all connectors, over real HTTP to the sandbox."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from syncline.sandbox.activecollab import Flavour, Quirks
from tests.connectors.activecollab_kinds import READ, WRITTEN
from tests.connectors.activecollab_world import ActiveCollabWorld, open_world
from tests.connectors.conformance import ConnectorConformance
from tests.connectors.reading import ReadOnlyConformance


class TestWritten(ConnectorConformance):
    """What can be written."""

    @pytest.fixture(params=list(WRITTEN))
    async def world(self, request: pytest.FixtureRequest) -> AsyncGenerator[ActiveCollabWorld, None]:
        async with open_world(object_type=request.param, world_class=WRITTEN[request.param]) as world:
            yield world


class TestOnTheCloud(ConnectorConformance):
    """The same in a cloud account that answers invalid values with 400."""

    @pytest.fixture(params=["company", "note", "time_record"])
    async def world(self, request: pytest.FixtureRequest) -> AsyncGenerator[ActiveCollabWorld, None]:
        quirks = Quirks(validation_status=400, unknown_route_status=404, tracking_is_activity=True)
        made = open_world(
            flavour=Flavour.CLOUD,
            quirks=quirks,
            object_type=request.param,
            world_class=WRITTEN[request.param],
        )
        async with made as world:
            yield world


class TestReadOnly(ReadOnlyConformance):
    """What is only read."""

    @pytest.fixture(params=list(READ))
    async def world(self, request: pytest.FixtureRequest) -> AsyncGenerator[ActiveCollabWorld, None]:
        async with open_world(object_type=request.param, world_class=READ[request.param]) as world:
            yield world
