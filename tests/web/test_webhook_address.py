"""The address of a connection's webhooks over the API: made once, anew when asked, and kept to whoever may have it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio

from tests.web.workshop import Workshop, open_workshop

AC = "/api/v1/connections/ac/webhook"


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncGenerator[Workshop]:
    async with open_workshop(tmp_path) as shop:
        await shop.connect()
        yield shop


async def test_an_address_is_made_once_and_anew_when_asked(shop: Workshop) -> None:
    first = (await shop.admin.post(AC)).json
    again = (await shop.admin.post(AC, {})).json
    other = (await shop.admin.post("/api/v1/connections/hl/webhook")).json
    new = (await shop.admin.post(AC, {"is_new": True})).json

    assert first == again
    assert first["url"].startswith(f"{shop.office.base_url}/hooks/")
    assert len({each["url"] for each in (first, other, new)}) == 3
    assert len({each["secret"] for each in (first, other, new)}) == 3
    assert (await shop.admin.post("/api/v1/connections/ac/test")).json["has_hook"] is True


async def test_an_address_that_is_new_is_noticed_by_every_process(shop: Workshop) -> None:
    home = shop.runtime.current()
    await shop.admin.post(AC)
    assert shop.runtime.current() is not home

    home = shop.runtime.current()
    await shop.admin.post(AC)
    assert shop.runtime.current() is home


async def test_an_address_is_not_told_again_and_not_written_down(shop: Workshop) -> None:
    key = {"Idempotency-Key": "once"}
    first = (await shop.admin.post(AC, headers=key)).json
    again = (await shop.admin.post(AC, headers=key)).json
    trail = (await shop.admin.get("/api/v1/audit")).raw

    assert again == {"url": None, "secret": None}
    assert b"webhook address" in trail
    path = first["url"].rpartition("/")[2].encode()
    kept = (shop.office.folder / "syncline.db").read_bytes()
    kept += (shop.office.folder / "syncline.db-wal").read_bytes()
    for secret in (path, first["secret"].encode()):
        assert secret not in trail
        assert secret not in kept


async def test_only_who_may_change_connections_gets_an_address(shop: Workshop) -> None:
    reader = shop.office.program(await shop.admin.make_token("connections:read"))

    assert (await reader.post(AC)).status == 403
    assert (await shop.admin.post("/api/v1/connections/nobody/webhook")).status == 404
