"""Webhooks over the API: listed, shown, used once more, counted; for whom may."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest_asyncio

from syncline.connectors.highlevel import WebhookListener
from syncline.service.intake import Intake
from syncline.service.limits import Limits
from syncline.web.deliveries import deliveries_router
from syncline.web.hooks import add_hooks
from syncline.web.services import WebServices
from tests.clock import START
from tests.service.hall import HL_PATH, LOCATION, PUBLIC_KEY, ROUTES, event, signed
from tests.web.office import Office, Visitor, open_office


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncGenerator[Office]:
    """A service that listens, with three webhooks: one used, one that nobody wants, one forged."""
    intakes: list[Intake] = []

    def listening(services: WebServices) -> WebServices:
        home = services.installation
        intake = Intake(home.store, home.clock, lambda: ROUTES, lambda _: None, Limits())
        intake.open("hl", HL_PATH, WebhookListener(LOCATION, [PUBLIC_KEY]))
        intakes.append(intake)
        return replace(services, routers=(*services.routers, deliveries_router(intake)))

    async with open_office(tmp_path, change=listening) as office:
        add_hooks(office.app, intakes[0])
        vendor = Visitor(office.base_url, office.http)
        for body, headers, status in (
            (event(1), signed(event(1)), 200),
            (event(2, objectKey="custom_objects.pet"), None, 200),
            (event(3, more="planted-body"), {"X-GHL-Signature": "planted-signature"}, 401),
        ):
            answer = await vendor.ask("POST", f"/hooks/{HL_PATH}", data=body, headers=headers or signed(body))
            assert answer.status == status
        yield office


async def test_they_are_listed_newest_first_in_pages(office: Office) -> None:
    browser = await office.set_up()

    first = (await browser.get("/api/v1/deliveries?limit=2")).json
    rest = (await browser.get(f"/api/v1/deliveries?cursor={first['next_cursor']}")).json

    assert [each["state"] for each in first["items"]] == ["refused", "ignored"]
    assert [(each["state"], each["key"]) for each in rest["items"]] == [("used", "r1")]
    assert rest["next_cursor"] is None


async def test_they_are_filtered(office: Office) -> None:
    browser = await office.set_up()

    async def keys(query: str) -> list[str]:
        return [each["key"] for each in (await browser.get(f"/api/v1/deliveries?{query}")).json["items"]]

    assert await keys("state=used") == ["r1"]
    assert await keys("object_type=custom_objects.pet&connection=hl") == ["r2"]
    assert await keys("event=RecordUpdate&key=r1") == ["r1"]
    assert await keys(f"since={START + dt.timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}") == []
    assert (await browser.get("/api/v1/deliveries?state=lost")).status == 422


async def test_one_is_shown_with_its_body_and_without_secrets(office: Office) -> None:
    browser = await office.set_up()

    used = await browser.get("/api/v1/deliveries/1")
    refused = await browser.get("/api/v1/deliveries/3")

    assert used.json["body"].encode() == event(1)
    assert used.json["headers"]["x-ghl-signature"] == "(not kept)"
    assert (refused.json["body"], refused.json["why"]) == (
        "",
        "The signature does not fit the body and our keys.",
    )
    assert b"planted" not in refused.raw
    assert (await browser.get("/api/v1/deliveries/99")).code == "request.not_there"


async def test_some_are_used_once_more(office: Office) -> None:
    browser = await office.set_up()
    before = len(office.services.installation.store.marks(ROUTES[1].sync, START))

    answer = await browser.post("/api/v1/deliveries/redeliver", {"ids": [1, 3]})

    assert answer.json["syncs"] == ["tickets"]
    assert [(each["id"], each["state"]) for each in answer.json["settled"]] == [(1, "used"), (3, "refused")]
    assert len(office.services.installation.store.marks(ROUTES[1].sync, START)) == before + 1
    assert (await browser.post("/api/v1/deliveries/redeliver", {"ids": []})).status == 422
    assert (await browser.post("/api/v1/deliveries/redeliver", {"ids": [2**63]})).status == 422


async def test_they_are_counted_and_silence_is_told(office: Office) -> None:
    browser = await office.set_up()

    told = (await browser.get("/api/v1/deliveries/counts")).json

    assert [(each["connection"], each["state"], each["count"]) for each in told["counts"]] == [
        ("hl", "ignored", 1),
        ("hl", "refused", 1),
        ("hl", "used", 1),
    ]
    assert told["silences"][0]["connection"] == "hl"
    assert told["silences"][0]["is_unusual"] is False


async def test_rights_are_needed(office: Office) -> None:
    admin = await office.set_up()
    reader = office.program(await admin.make_token("deliveries:read"))
    stranger = office.program(await admin.make_token("syncs:read"))

    assert (await reader.get("/api/v1/deliveries")).status == 200
    assert (await reader.post("/api/v1/deliveries/redeliver", {"ids": [1]})).status == 403
    assert (await stranger.get("/api/v1/deliveries")).status == 403
    assert (await office.browser().get("/api/v1/deliveries/1")).status == 401
    assert (await office.browser().get("/api/v1/deliveries/counts")).status == 401


async def test_the_address_of_a_webhook_is_in_no_document(office: Office) -> None:
    document = await office.browser().get("/api/v1/openapi.json")

    assert b"/hooks" not in document.raw
    assert b"/api/v1/deliveries/redeliver" in document.raw
