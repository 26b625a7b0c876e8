"""The ActiveCollab connector keeps the promises of all connectors, over real HTTP against both flavours of sandbox."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from syncline.sandbox.activecollab import Flavour, Quirks
from tests.connectors.activecollab_world import ActiveCollabWorld, open_world
from tests.connectors.conformance import ConnectorConformance


class TestSelfHosted(ConnectorConformance):
    """Tasks of an install of one's own."""

    @pytest.fixture
    async def world(self) -> AsyncGenerator[ActiveCollabWorld, None]:
        async with open_world() as world:
            yield world


class TestCloud(ConnectorConformance):
    """Tasks of a cloud account that pages everything and answers invalid values with 400."""

    @pytest.fixture
    async def world(self) -> AsyncGenerator[ActiveCollabWorld, None]:
        quirks = Quirks(validation_status=400, unknown_route_status=404, tasks_are_paged=True)
        async with open_world(flavour=Flavour.CLOUD, quirks=quirks) as world:
            yield world


class TestTaskLists(ConnectorConformance):
    """Task lists."""

    @pytest.fixture
    async def world(self) -> AsyncGenerator[ActiveCollabWorld, None]:
        async with open_world(object_type="task_list") as world:
            yield world


class TestProjects(ConnectorConformance):
    """Projects."""

    @pytest.fixture
    async def world(self) -> AsyncGenerator[ActiveCollabWorld, None]:
        async with open_world(object_type="project") as world:
            yield world
