"""A ready-made sync looked at, made, put in force and run through the API alone, on sandbox accounts."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio

from tests.web.workshop import Workshop, open_workshop


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncGenerator[Workshop]:
    async with open_workshop(tmp_path) as shop:
        await shop.connect()
        yield shop


async def test_a_template_is_looked_at_made_applied_and_run(shop: Workshop) -> None:
    admin, path = shop.admin, "/api/v1/templates/tasks"
    choice = {"left": "ac", "right": "hl", "left_where": {"project": [str(shop.accounts.project)]}}

    listed = (await admin.get("/api/v1/templates")).json
    looked = await admin.post(f"{path}/look", choice)
    drafts = (await admin.get("/api/v1/drafts")).json["items"]
    made = await admin.post(f"{path}/make", {**choice, "name": "tickets"})
    again = await admin.post(f"{path}/make", {**choice, "name": "tickets"})
    draft = await admin.get(made.headers["Location"])
    check = (await admin.post("/api/v1/drafts/tickets/check")).json
    tag = {"If-Match": draft.headers["ETag"]}
    applied = await admin.post("/api/v1/drafts/tickets/apply", headers=tag)
    run = await shop.run(is_full=True)

    assert next(each for each in listed if each["id"] == "tasks")["left"]["needs"] == ["project"]
    assert not any(each["is_there"] for each in looked.json["wanted"])
    assert drafts == []
    assert made.status == 201
    assert all(each["is_there"] for each in made.json["wanted"])
    assert looked.json["draft"] == made.json["draft"] == draft.json["body"]
    assert (again.status, again.code) == (409, "request.name_taken")
    assert check["faults"] == []
    assert applied.status == 201
    # The service may have been quicker than we were.
    assert run["state"] == "done"
    assert "Paint" in shop.accounts.tickets("custom_objects.ac_task")


async def test_what_is_missing_is_named_by_its_place_and_nothing_is_kept(shop: Workshop) -> None:
    wish = {"left": "hl", "right": "nobody", "name": "tickets"}

    answer = await shop.admin.post("/api/v1/templates/tasks/make", wish)
    unknown = await shop.admin.post("/api/v1/templates/nothing/make", wish)

    told = {each["pointer"] for each in answer.json["errors"]}
    assert answer.status in (409, 422)
    assert {"/left", "/right", "/left_where/project"} <= told
    assert unknown.status == 404
    assert (await shop.admin.get("/api/v1/drafts")).json["items"] == []
