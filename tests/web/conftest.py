"""The service as a fixture."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio

from tests.web.office import Office, open_office


@pytest_asyncio.fixture
async def service(tmp_path: Path) -> AsyncGenerator[Office]:
    """A running service that is not set up yet."""
    async with open_office(tmp_path) as office:
        yield office
