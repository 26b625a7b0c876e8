"""Connections over the API: from nothing to one that works, and what never comes out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from syncline.web.connections import connections_router
from syncline.web.services import WebServices
from tests.service.connection_desk import ConnectionDesk, open_connection_desk
from tests.web.office import Office, Visitor, open_office

BASE = "/api/v1/connections"


@asynccontextmanager
async def _open(folder: Path) -> AsyncGenerator[tuple[ConnectionDesk, Office, Visitor]]:
    """A service with connections, and an admin in a browser."""
    async with open_connection_desk() as desk:
        router = connections_router(desk.runtime)

        def change(services: WebServices) -> WebServices:
            return replace(services, routers=[router])

        async with open_office(folder, change=change) as office:
            yield desk, office, await office.set_up()


async def test_a_connection_lives_from_its_making_to_its_end(tmp_path: Path) -> None:
    async with _open(tmp_path) as (desk, _, admin):
        made = await admin.post(BASE, {"name": "ac", "settings": desk.for_activecollab()})
        assert (made.status, made.json["state"], made.headers["ETag"]) == (201, "working", '"1"')
        tested = await admin.post(f"{BASE}/ac/test")
        assert (tested.status, tested.json["is_usable"], tested.json["skew"]) == (200, True, 0.5)

        unread = await admin.ask("PATCH", f"{BASE}/ac", {"settings": {"job_type": "3"}})
        patch = {"settings": {"job_type": "3"}}
        changed = await admin.ask("PATCH", f"{BASE}/ac", patch, {"If-Match": made.headers["ETag"]})
        stale = await admin.ask("PATCH", f"{BASE}/ac", patch, {"If-Match": made.headers["ETag"]})
        assert (unread.status, changed.status, stale.status) == (428, 200, 412)
        listed = await admin.get(BASE)
        assert [each["settings"]["job_type"] for each in listed.json["items"]] == ["3"]

        rotated = await admin.ask("PUT", f"{BASE}/ac/credentials", {"token": desk.activecollab.token()})
        removed = await admin.ask("DELETE", f"{BASE}/ac", None, {"If-Match": changed.headers["ETag"]})
        assert (rotated.status, removed.status) == (200, 204)
        assert (await admin.get(f"{BASE}/ac")).status == 404

        everything = b"".join(answer.raw for answer in admin.heard)
        assert desk.activecollab.token().encode() not in everything


async def test_faults_are_problems_with_their_place(tmp_path: Path) -> None:
    async with _open(tmp_path) as (desk, _, admin):
        settings = desk.for_activecollab(url="https://169.254.169.254/")
        answer = await admin.post(BASE, {"name": "ac", "settings": settings})

        assert (answer.status, answer.code) == (422, "request.invalid")
        assert [each["pointer"] for each in answer.json["errors"]] == ["/settings/url"]
        assert settings["token"].encode() not in answer.raw


async def test_an_app_is_authorised_in_the_browser_that_began(tmp_path: Path) -> None:
    async with _open(tmp_path) as (desk, office, admin):
        made = await admin.post(BASE, {"name": "hl", "settings": desk.for_app()})
        assert made.json["state"] == "waiting"
        begun = await admin.post(f"{BASE}/hl/authorisations")
        query = {name: values[0] for name, values in parse_qs(urlsplit(begun.json["url"]).query).items()}
        code = desk.agree(query["redirect_uri"])
        back = f"{urlsplit(query['redirect_uri']).path}?state={query['state']}&code={code}"

        stranger = office.browser()

        assert (await stranger.get(back)).status == 401
        done = await admin.get(back)
        again = await admin.get(back)
        assert (done.status, done.json["state"]) == (200, "working")
        assert done.json["settings"]["location"] == desk.location
        assert again.code == "request.authorisation"


async def test_a_viewer_looks_and_changes_nothing(tmp_path: Path) -> None:
    async with _open(tmp_path) as (desk, office, admin):
        viewer = await office.another(admin, "viewer")

        assert (await viewer.get(BASE)).status == 200
        refused = await viewer.post(BASE, {"name": "ac", "settings": desk.for_activecollab()})
        assert refused.code == "access.missing_right"
