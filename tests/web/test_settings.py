"""Settings of alerts over the API: kept beside those of the file, in force at once, and only for who may."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from syncline.config import AlertSettings
from syncline.core.findings import Limits
from syncline.service.observers import configured
from syncline.service.runtime import Runtime
from syncline.service.wished import wished
from syncline.web.services import WebServices
from syncline.web.settings import settings_router
from tests.web.office import Office, open_office

PATH = "/api/v1/settings/alerts"


def _furnished(services: WebServices) -> WebServices:
    home = services.installation
    alerts = AlertSettings(failures=7)
    home.config = home.config.model_copy(update={"alerts": alerts})
    return replace(services, routers=[settings_router(Runtime(home))])


@pytest.fixture
async def office(tmp_path: Path) -> AsyncGenerator[Office]:
    async with open_office(tmp_path, change=_furnished) as office:
        yield office


async def test_what_is_kept_holds_at_once_beside_what_the_file_says(office: Office) -> None:
    admin = await office.set_up()
    limits = configured(lambda: office.services.installation).limits
    before = await admin.get(PATH)
    assert (before.json["of_file"], before.json["kept"], before.json["settings"]["failures"]) == (
        ["failures"],
        [],
        7,
    )
    assert limits() == Limits(failures=7)

    body = {"settings": {"question": "8h", "silent": False, "every": 30}}
    kept = await admin.ask("PUT", PATH, body, {"If-Match": before.headers["ETag"]})

    assert kept.status == 200, kept.raw
    assert kept.json["kept"] == ["every", "question", "silent"]
    assert kept.json["settings"] == {
        **before.json["settings"],
        "question": "8h",
        "silent": None,
        "every": "30s",
    }
    assert limits() == Limits(failures=7, question=dt.timedelta(hours=8), silent=None)
    assert configured(lambda: office.services.installation).every() == 30
    (entry,) = (await admin.get("/api/v1/audit?kind=settings_changed")).json["items"]
    assert entry["body"]["settings"] == {"question": "8h", "silent": None, "every": "30s"}

    again = await admin.ask("PUT", PATH, {"settings": {}}, {"If-Match": kept.headers["ETag"]})
    assert again.json["settings"] == before.json["settings"]


async def test_every_fault_is_told_at_its_place_and_nothing_is_kept(office: Office) -> None:
    admin = await office.set_up()
    body = {"settings": {"failures": 3, "question": "soon", "again": "6h", "unheard_of": 1}}

    refused = await admin.ask("PUT", PATH, body, {"If-Match": "*"})

    assert refused.status == 422
    assert {each["pointer"]: each["message"] for each in refused.json["errors"]} == {
        "/settings/failures": "is said in syncline.yaml.",
        "/settings/question": "'soon' is no span of time.",
        "/settings/unheard_of": "is not a setting.",
    }
    assert (await admin.get(PATH)).json["kept"] == []


async def test_a_change_needs_the_revision_that_was_read(office: Office) -> None:
    admin = await office.set_up()
    tag = (await admin.get(PATH)).headers["ETag"]
    assert (await admin.ask("PUT", PATH, {"settings": {}})).status == 428
    assert (await admin.ask("PUT", PATH, {"settings": {"parked": 5}}, {"If-Match": tag})).status == 200

    assert (await admin.ask("PUT", PATH, {"settings": {}}, {"If-Match": tag})).status == 412


async def test_what_another_version_kept_and_nobody_understands_is_left_out(office: Office) -> None:
    installation = office.services.installation
    installation.store.save_setting("alerts", {"from_the_future": 1, "parked": 5}, installation.clock.now())

    assert wished(installation).settings == AlertSettings(failures=7)
    assert wished(installation).kept == frozenset()
