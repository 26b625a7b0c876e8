"""Alerts, channels, events, subscriptions and metrics over the API: who may, what is told, and that no secret is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from syncline.connectors.transport import Answer
from syncline.core.alerting import About, AlertKind, Finding
from syncline.jobs.embedded import EmbeddedJobs
from syncline.service.observers import Observers, observers
from syncline.service.watching import Look
from syncline.web.alerts import alerts_router, channels_router
from syncline.web.events import events_router, subscriptions_router
from syncline.web.metrics import metrics_router
from syncline.web.services import WebServices
from tests.web.office import Office, Visitor, open_office

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

ADDRESS = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/"
URL = "https://receiver.example.test/hooks/hidden-key"


@dataclass
class Pipe:
    """A transport that keeps what would go out."""

    sent: list[tuple[str, Mapping[str, str]]] = field(default_factory=list[tuple[str, Mapping[str, str]]])

    used: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Taken."""
        del body
        self.sent.append((f"{method} {url}", headers))
        self.used.set()
        return Answer(200, {}, b"")

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Watched:
    """A running service with everything that watches it."""

    office: Office
    observers: Observers
    pipe: Pipe
    admin: Visitor

    def find(self, *subjects: str) -> None:
        """Connections run out of calls."""
        look = Look()
        for subject in subjects:
            finding = Finding(About(AlertKind.QUOTA_LOW, subject), "Few calls are left.", "Poll less.")
            look.add(AlertKind.QUOTA_LOW, subject, finding)
        self.observers.alerts.note(look)

    async def program(self, *scopes: str) -> Visitor:
        """A program with these scopes only."""
        return self.office.program(await self.admin.make_token(*scopes))


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncGenerator[Watched]:
    made: list[Observers] = []
    pipe = Pipe()

    def change(services: WebServices) -> WebServices:
        jobs = EmbeddedJobs(services.installation.clock, jitter=lambda: 0.5)
        made.append(observers(lambda: services.installation, jobs, pipe))
        routers = [
            alerts_router(made[0].alerts),
            channels_router(made[0].alerts),
            events_router(),
            subscriptions_router(made[0].events),
            metrics_router(made[0].metrics),
        ]
        return replace(services, routers=routers)

    async with open_office(tmp_path, change=change) as office:
        yield Watched(office, made[0], pipe, await office.set_up())


async def test_alerts_are_listed_filtered_and_closed(watched: Watched) -> None:
    watched.find("ac", "hl")

    listed = (await watched.admin.get("/api/v1/alerts?limit=1")).json
    rest = (await watched.admin.get(f"/api/v1/alerts?cursor={listed['next_cursor']}")).json
    number = rest["items"][0]["id"]
    one = (await watched.admin.get(f"/api/v1/alerts/{number}")).json
    closed = await watched.admin.post(f"/api/v1/alerts/{number}/close")

    assert [each["subject"] for each in listed["items"] + rest["items"]] == ["hl", "ac"]
    assert (one["kind"], one["title"], one["remedy"]) == (
        "quota.low",
        "A quota is nearly used up",
        "Poll less.",
    )
    assert closed.json["closed_at"] is not None
    assert [
        each["subject"] for each in (await watched.admin.get("/api/v1/alerts?is_open=true")).json["items"]
    ] == ["hl"]
    assert (await watched.admin.get("/api/v1/alerts?subject=ac&kind=quota.low")).json["items"][0][
        "id"
    ] == number
    assert (await watched.admin.post("/api/v1/alerts/99/close")).code == "request.not_there"


async def test_a_channel_is_made_changed_and_removed_and_its_address_never_told(watched: Watched) -> None:
    path = "/api/v1/channels/chat"
    made = await watched.admin.ask("PUT", path, {"address": ADDRESS, "kinds": ["brake.pulled"]})
    blind = await watched.admin.ask("PUT", path, {"is_on": False})
    changed = await watched.admin.ask("PUT", path, {"is_on": False}, {"If-Match": made.headers["ETag"]})
    stale = await watched.admin.ask("DELETE", path, headers={"If-Match": made.headers["ETag"]})
    listed = await watched.admin.get("/api/v1/channels")
    removed = await watched.admin.ask("DELETE", path, headers={"If-Match": changed.headers["ETag"]})

    assert (made.status, made.json["service"], made.json["kinds"]) == (200, "slack", ["brake.pulled"])
    assert (blind.status, stale.status) == (428, 412)
    assert listed.json["items"] == [changed.json]
    assert removed.status == 204
    assert (await watched.admin.get(path)).status == 404
    assert not any(b"TIiajkdnlazkcOXrIdevi7FQ" in answer.raw for answer in watched.admin.heard)


@pytest.mark.parametrize(
    "address", ["nonsense", "json://127.0.0.1:9/x", "mailto://a:b@10.0.0.1?to=c@example.test", "syslog://"]
)
async def test_a_channel_into_our_own_network_or_to_nobody_is_refused(watched: Watched, address: str) -> None:
    answer = await watched.admin.ask("PUT", "/api/v1/channels/x", {"address": address})

    assert (answer.status, answer.code) == (422, "request.invalid")
    assert address not in answer.raw.decode()


async def test_subscribing_and_unsubscribing_work_as_rest_hooks_do(watched: Watched) -> None:
    zapier = await watched.program("events:write")
    made = await zapier.post("/api/v1/subscriptions", {"url": URL, "types": ["alert.opened"]})
    watched.find("hl")
    assert await watched.observers.events.deliver() == 1
    log = (await zapier.get(f"{made.headers['Location']}/dispatches")).json["items"]
    samples = (await zapier.get("/api/v1/events?type=alert.opened")).json["items"]

    assert made.status == 201
    assert made.json["secret"].startswith("whsec_")
    assert watched.pipe.sent[0][0] == f"POST {URL}"
    assert [(each["state"], each["status"], each["tries"]) for each in log] == [("sent", 200, 1)]
    assert samples[0]["webhook_id"] == log[0]["webhook_id"] == watched.pipe.sent[0][1]["webhook-id"]
    assert (await zapier.ask("DELETE", made.headers["Location"])).status == 204
    assert (await zapier.get(made.headers["Location"])).status == 404


async def test_the_secret_and_the_address_are_told_once(watched: Watched) -> None:
    key = {"Idempotency-Key": "one"}
    first = await watched.admin.post("/api/v1/subscriptions", {"url": URL}, headers=key)
    again = await watched.admin.post("/api/v1/subscriptions", {"url": URL}, headers=key)
    shown = await watched.admin.get(first.headers["Location"])
    listed = await watched.admin.get("/api/v1/subscriptions")
    renewed = await watched.admin.post(f"{first.headers['Location']}/secret")

    assert again.json["id"] == first.json["id"]
    assert again.json["secret"] is None
    for answer in (shown, listed):
        assert b"hidden-key" not in answer.raw
        assert first.json["secret"].encode() not in answer.raw
    assert shown.json["url"] == "https://receiver.example.test"
    assert renewed.json["secret"] != first.json["secret"]


async def test_a_subscription_is_changed_on_what_was_read_and_replayed(watched: Watched) -> None:
    watched.find("hl")
    made = await watched.admin.post("/api/v1/subscriptions", {"url": URL})
    path, tag = made.headers["Location"], {"If-Match": made.headers["ETag"]}

    assert (await watched.admin.ask("PATCH", path, {"with_values": True})).status == 428
    changed = await watched.admin.ask("PATCH", path, {"with_values": True, "types": ["alert.opened"]}, tag)
    replayed = await watched.admin.post(f"{path}/replay", {"since": "2026-03-01T00:00:00Z"})

    assert (changed.json["with_values"], changed.json["types"]) == (True, ["alert.opened"])
    assert replayed.json == {"events": 1}


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/x", "https://169.254.169.254/latest", "https://user:pw@example.test/", "nonsense"],
)
async def test_a_subscription_to_our_own_network_is_refused(watched: Watched, url: str) -> None:
    answer = await watched.admin.post("/api/v1/subscriptions", {"url": url})

    assert (answer.status, answer.code) == (422, "request.invalid")


async def test_metrics_are_for_those_with_their_scope(watched: Watched) -> None:
    watched.find("hl")
    scraper = await watched.program("metrics:read")
    told = await scraper.get("/metrics")

    assert told.status == 200
    assert told.headers["Content-Type"].startswith("text/plain")
    assert b'syncline_alerts_open{kind="quota.low"} 1.0' in told.raw
    assert (await watched.office.browser().get("/metrics")).status == 401
    assert (await (await watched.program("alerts:read")).get("/metrics")).status == 403


async def test_a_viewer_sees_and_does_not_change(watched: Watched) -> None:
    viewer = await watched.office.another(watched.admin, "viewer")
    watched.find("hl")

    assert (await viewer.get("/api/v1/alerts")).status == 200
    assert (await viewer.get("/api/v1/events/types")).status == 200
    assert (await viewer.post("/api/v1/alerts/1/close")).status == 403
    assert (await viewer.ask("PUT", "/api/v1/channels/x", {"address": ADDRESS})).status == 403
    assert (await viewer.post("/api/v1/subscriptions", {"url": URL})).status == 403


async def test_the_document_with_these_routes_is_valid(watched: Watched) -> None:
    document: dict[str, Any] = json.loads(json.dumps(watched.office.app.openapi()))

    OpenAPIV31SpecValidator(document).validate()
    tags = {tag["name"] for tag in document["tags"]}
    for methods in document["paths"].values():
        for operation in methods.values():
            assert set(operation["tags"]) <= tags
            assert operation["description"].endswith((".", ".)"))


async def test_it_runs_beside_the_service_and_ends_with_it(watched: Watched) -> None:
    await watched.admin.post("/api/v1/subscriptions", {"url": URL})
    watched.find("hl")

    async with asyncio.timeout(10), watched.observers.running():
        await watched.pipe.used.wait()

    assert len(watched.pipe.sent) == 1
