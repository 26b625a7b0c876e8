"""A sync made, started, paused, planned and changed through the API alone, on sandbox accounts."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio

from tests.cli.office import TICKET
from tests.web.workshop import Workshop, left_is_activecollab, open_workshop


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncGenerator[Workshop]:
    async with open_workshop(tmp_path) as shop:
        await shop.connect()
        yield shop


async def test_a_new_user_makes_and_starts_a_sync_through_the_api_alone(shop: Workshop) -> None:
    admin = shop.admin
    objects = (await admin.get("/api/v1/connections/hl/objects")).json
    fields = (await admin.get(f"/api/v1/connections/hl/objects/{TICKET}/fields")).json
    samples = (await admin.get("/api/v1/connections/ac/objects/task/samples")).json
    saved = await shop.draft(left_is_activecollab(shop.accounts.project))
    check = (await admin.post("/api/v1/drafts/tickets/check")).json

    assert TICKET in [each["id"] for each in objects]
    assert "title" in [each["id"] for each in fields["fields"]]
    assert samples[0]["fields"]["name"] == {"text": "Paint", "value": {"type": "text", "text": "Paint"}}
    assert check["faults"] == []
    assert check["impact"]["created"] == 1
    assert check["touches_links"] is False

    tag = {"If-Match": saved.headers["ETag"]}
    applied = await admin.post("/api/v1/drafts/tickets/apply", {"note": "first"}, headers=tag)
    assert (applied.status, applied.json["number"], applied.json["note"]) == (201, 1, "first")
    assert (await admin.get("/api/v1/drafts")).json["items"] == []

    run = await shop.run(is_full=True)
    assert (run["state"], run["written"], run["error"]) == ("done", 1, None)
    assert "Paint" in shop.accounts.tickets()

    found = (await admin.get("/api/v1/syncs")).json["items"]
    assert [(each["name"], each["counts"]["links"], each["paused"]) for each in found] == [("tickets", 1, "")]
    whole = (await admin.get("/api/v1/syncs/tickets")).json
    assert whole["settings"]["left"]["object"] == "task"
    assert whole["version"] == 1
    assert whole["last"]["id"] == run["id"]


async def test_a_plan_shows_what_a_run_would_do_and_writes_nothing(shop: Workshop) -> None:
    await shop.apply()
    for name in ("Sand", "Polish"):
        shop.accounts.in_activecollab("create_task", project=shop.accounts.project, name=name)

    plan = (await shop.admin.post("/api/v1/syncs/tickets/plan", {"most": 2})).json

    assert (plan["writes"], len(plan["steps"]), plan["steps_in_all"], plan["brakes"]) == (3, 2, 3, [])
    assert plan["steps"][0]["write"] == "create"
    assert plan["steps"][0]["fields"]["title"]["text"] in ("Paint", "Sand", "Polish")
    assert plan["forecast"]["finished_at"]
    assert shop.accounts.tickets() == {}


async def test_who_may_not_read_records_sees_no_values_in_a_plan(shop: Workshop) -> None:
    await shop.apply()
    program = shop.office.program(await shop.admin.make_token("runs:read"))

    plan = await program.post("/api/v1/syncs/tickets/plan")

    assert plan.json["steps"][0]["fields"]["title"] is None


async def test_what_is_paused_waits_and_goes_on_when_it_is_resumed(shop: Workshop) -> None:
    admin = shop.admin
    await shop.apply()
    for path, why in (
        ("/api/v1/syncs/tickets", "it is paused"),
        ("/api/v1/connections/hl", "the connection 'hl' is paused"),
        ("/api/v1", "everything is paused"),
    ):
        assert (await admin.post(f"{path}/pause")).status == 200
        assert (await admin.get("/api/v1/syncs/tickets")).json["paused"] == why
        assert (await admin.post(f"{path}/resume")).json == {
            "everything": None,
            "connections": {},
            "syncs": {},
        }

    await admin.post("/api/v1/syncs/tickets/pause")
    started = (await admin.post("/api/v1/syncs/tickets/run", {"is_full": True})).json
    assert (started["kind"], started["paused"]) == ("reconcile", "it is paused")
    assert (await admin.get("/api/v1/syncs/tickets/runs")).json["items"] == []
    await admin.post("/api/v1/syncs/tickets/resume")
    assert (await shop.run())["state"] == "done"
    assert "Paint" in shop.accounts.tickets()


async def test_a_start_is_made_once_for_each_key(shop: Workshop) -> None:
    await shop.apply()
    key = {"Idempotency-Key": "start-1"}

    first = await shop.admin.post("/api/v1/syncs/tickets/run", headers=key)
    again = await shop.admin.post("/api/v1/syncs/tickets/run", headers=key)

    assert first.json == again.json
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_faults_of_a_draft_are_told_by_their_places(shop: Workshop) -> None:
    body = left_is_activecollab(shop.accounts.project)
    body["fields"][1]["left"] = "no_such_field"
    await shop.draft(body)
    check = (await shop.admin.post("/api/v1/drafts/tickets/check")).json
    assert [each["pointer"] for each in check["faults"]] == ["/fields/1/left"]

    refused = await shop.admin.post("/api/v1/drafts/tickets/apply", headers={"If-Match": '"1"'})
    assert (refused.status, refused.code) == (422, "mapping")
    assert [each["pointer"] for each in refused.json["errors"]] == ["/fields/1/left"]

    await shop.draft({"left": {"connection": "nobody", "object": "task"}}, If_Match='"1"')
    check = (await shop.admin.post("/api/v1/drafts/tickets/check")).json
    assert {"/right", "/fields"} <= {each["pointer"] for each in check["faults"]}
    assert (await shop.admin.get("/api/v1/syncs")).json["items"] == []


async def test_nobody_overwrites_a_draft_that_they_have_not_seen(shop: Workshop) -> None:
    body = left_is_activecollab(shop.accounts.project)

    assert (await shop.draft(body, If_Match='"1"')).status == 412
    assert (await shop.draft(body)).headers["ETag"] == '"1"'
    assert (await shop.draft(body)).status == 428
    assert (await shop.draft(body, If_None_Match="*")).status == 412
    assert (await shop.draft(body, If_Match='"1"')).headers["ETag"] == '"2"'
    assert (await shop.draft(body, If_Match='"1"')).status == 412
    stale = await shop.admin.post("/api/v1/drafts/tickets/apply", headers={"If-Match": '"1"'})
    assert stale.status == 412
    gone = await shop.admin.ask("DELETE", "/api/v1/drafts/tickets", headers={"If-Match": '"2"'})
    assert gone.status == 204
    assert (await shop.admin.get("/api/v1/drafts/tickets")).status == 404


async def test_versions_are_compared_and_gone_back_to(shop: Workshop) -> None:
    admin = shop.admin
    body = left_is_activecollab(shop.accounts.project)
    await shop.apply(body)
    await shop.run(is_full=True)
    saved = await shop.draft({**body, "deletes": "ignore"})
    tag = {"If-Match": saved.headers["ETag"]}

    unconfirmed = await admin.post("/api/v1/drafts/tickets/apply", headers=tag)
    confirmed = await admin.post("/api/v1/drafts/tickets/apply", {"confirmed": True}, headers=tag)
    assert [each["pointer"] for each in unconfirmed.json["errors"]] == ["/confirmed"]
    assert confirmed.json["number"] == 2
    diff = (await admin.get("/api/v1/versions/2/diff")).json
    assert [(each["path"], each["kind"]) for each in diff] == [("deletes", "deletes")]

    back = await admin.post("/api/v1/versions/1/rollback", {"confirmed": True})
    assert back.json["number"] == 3
    assert (await admin.get("/api/v1/syncs/tickets")).json["settings"]["deletes"] == "ask"
    first = (await admin.get("/api/v1/versions?limit=2")).json
    rest = (await admin.get(f"/api/v1/versions?cursor={first['next_cursor']}")).json
    assert [each["number"] for each in (*first["items"], *rest["items"])] == [3, 2, 1]
    assert (await admin.get("/api/v1/versions/99")).status == 404


async def test_a_sync_is_removed_and_its_records_stay(shop: Workshop) -> None:
    await shop.apply()
    await shop.run(is_full=True)
    path, tag = "/api/v1/syncs/tickets", {"If-Match": '"1"'}

    assert (await shop.admin.ask("DELETE", path)).status == 428
    assert (await shop.admin.ask("DELETE", path, headers=tag)).status == 422
    assert (await shop.admin.ask("DELETE", path, {"confirmed": True}, tag)).status == 204
    assert (await shop.admin.get(path)).status == 404
    assert "Paint" in shop.accounts.tickets()


async def test_what_is_not_there_is_said(shop: Workshop) -> None:
    for method, path in (
        ("GET", "syncs/none"),
        ("POST", "syncs/none/run"),
        ("POST", "syncs/none/pause"),
        ("POST", "syncs/none/plan"),
        ("GET", "syncs/none/runs"),
        ("GET", "runs/none-1"),
        ("POST", "syncs/none/retry"),
        ("GET", "questions/9"),
        ("POST", "drafts/none/check"),
        ("GET", "connections/none/objects"),
        ("GET", "connections/hl/objects/none/fields"),
        ("GET", "connections/ac/objects/none/samples"),
        ("POST", "connections/none/pause"),
    ):
        answer = await shop.admin.ask(method, f"/api/v1/{path}")
        assert answer.status == 404, (path, answer.raw)


async def test_a_draft_is_suggested_from_what_fields_are_called_and_passes_its_check(shop: Workshop) -> None:
    path = f"/api/v1/connections/ac/objects/task/suggestion?connection=hl&object={TICKET}"
    found = (await shop.admin.get(path)).json

    lines = {(each["left"], each["right"]): each for each in found["draft"]["fields"]}
    assert {("name", "title"), ("due_on", "due_date"), ("is_completed", "status")} <= lines.keys()
    assert lines["is_completed", "status"]["values"] == [[False, "Open"], [True, "Done"]]
    assert found["draft"]["match"] == {"on": [["name", "title"]]}
    assert "estimate" in found["unmapped_left"]
    assert "created_on" not in found["unmapped_left"]

    found["draft"]["left"]["where"] = {"project": [shop.accounts.project]}
    await shop.draft(found["draft"])
    check = (await shop.admin.post("/api/v1/drafts/tickets/check")).json
    assert (check["faults"], check["impact"]["created"]) == ([], 1)
    assert (await shop.admin.get(path.replace("=hl", "=nobody"))).status == 404
    assert (await shop.admin.get(path.replace(TICKET, "custom_objects.none"))).status == 404
