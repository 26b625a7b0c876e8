"""The HighLevel connector keeps the promises of all connectors for the object types of the CRM too."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from syncline.sandbox.highlevel import Options
from tests.connectors.conformance import ConnectorConformance, World
from tests.connectors.highlevel_crm import crm_world


class TestContacts(ConnectorConformance):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with crm_world("contact") as made:
            yield made


class TestContactsWhoseSearchLagsAndTellsNoNames(ConnectorConformance):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        options = Options(names_in_contact_search=False, missing_crm_status=404)
        async with crm_world("contact", lag=45, options=options) as made:
            yield made


class TestBusinesses(ConnectorConformance):
    """Companies need no API of their own: the records API serves them (facts: highlevel-api.md 1.3)."""

    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with crm_world("business") as made:
            yield made


class TestOpportunities(ConnectorConformance):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with crm_world("opportunity") as made:
            yield made


class TestOpportunitiesWhoseSearchLags(ConnectorConformance):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with crm_world("opportunity", lag=45, options=Options(missing_crm_status=404)) as made:
            yield made


class TestTasks(ConnectorConformance):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with crm_world("task") as made:
            yield made


class TestNotes(ConnectorConformance):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with crm_world("note") as made:
            yield made
