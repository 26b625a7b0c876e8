"""What people get wrong in their first hour with the API: each answer names the place and what to do."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest_asyncio

from tests.web.workshop import Workshop, left_is_activecollab, open_workshop


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncGenerator[Workshop]:
    async with open_workshop(tmp_path) as shop:
        yield shop


async def test_a_body_that_is_not_announced_as_json_is_told_so(shop: Workshop) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await shop.admin.ask("POST", "/api/v1/connections", headers=form, data='{"name": "ac"}')

    [fault] = answer.json["errors"]
    assert (answer.status, fault["where"], fault["pointer"]) == (422, "header", "/Content-Type")
    assert answer.json["remedy"] == "Send the header Content-Type: application/json."


async def test_a_private_address_names_the_setting_that_allows_it(shop: Workshop) -> None:
    home = shop.runtime.current()
    home.config = home.config.model_copy(update={"allow_private": None})
    settings = {"vendor": "activecollab", "url": "http://127.0.0.1:8101", "token": "x"}

    private = (await shop.admin.post("/api/v1/connections", {"name": "ac", "settings": settings})).json
    settings["url"] = "http://ac.example.test"
    plain = (await shop.admin.post("/api/v1/connections", {"name": "ac", "settings": settings})).json

    assert [each["pointer"] for each in private["errors"]] == ["/settings/url"]
    assert "SYNCLINE_ALLOW_PRIVATE=1" in private["remedy"]
    assert "allow_private: true" in private["remedy"]
    assert "https://" in plain["remedy"]
    assert "ALLOW_PRIVATE" not in plain["remedy"]


async def test_a_draft_that_is_run_like_a_sync_says_that_it_is_one(shop: Workshop) -> None:
    await shop.connect()
    await shop.draft(left_is_activecollab(shop.accounts.project))

    answer = await shop.admin.post("/api/v1/syncs/tickets/run")

    assert (answer.status, answer.code) == (404, "usage.unknown_sync")
    assert answer.json["detail"] == "The sync 'tickets' is a draft: it is not in force yet."
    assert "/api/v1/drafts/tickets/check" in answer.json["remedy"]


async def test_a_draft_is_planned_before_it_is_in_force(shop: Workshop) -> None:
    await shop.connect()
    body = left_is_activecollab(shop.accounts.project)
    await shop.draft(body)
    reader = shop.office.program(await shop.admin.make_token("syncs:read"))

    plan = (await shop.admin.post("/api/v1/drafts/tickets/plan")).json
    without = (await reader.post("/api/v1/drafts/tickets/plan", {"most": 1})).json

    assert (plan["sync"], plan["writes"], plan["brakes"]) == ("tickets", 1, [])
    assert plan["steps"][0]["fields"]["title"]["text"] == "Paint"
    assert without["steps"][0]["fields"]["title"] is None
    assert shop.accounts.tickets() == {}
    assert (await shop.admin.get("/api/v1/syncs")).json["items"] == []

    body["fields"][1]["left"] = "no_such_field"
    await shop.draft(body, If_Match='"1"')
    refused = await shop.admin.post("/api/v1/drafts/tickets/plan")
    assert (refused.status, [each["pointer"] for each in refused.json["errors"]]) == (422, ["/fields/1/left"])


async def test_a_connection_that_does_not_work_says_why(shop: Workshop) -> None:
    ac, hl = shop.accounts.activecollab, shop.accounts.highlevel
    for settings, why in (
        ({"vendor": "activecollab", "url": ac["base_url"], "token": "wrong"}, "the token was refused"),
        ({"vendor": "activecollab", "url": "http://127.0.0.1:9", "token": "x"}, "127.0.0.1, port 9"),
        (
            {"vendor": "highlevel", "url": hl["base_url"], "token": hl["token"], "location": "none"},
            "does not have access to this location",
        ),
    ):
        made = await shop.admin.post("/api/v1/connections", {"name": f"c{len(why)}", "settings": settings})

        assert (made.status, made.json["state"]) == (201, "broken")
        assert why in made.json["why"]


async def test_faults_of_a_connection_have_their_places(shop: Workshop) -> None:
    hl = shop.accounts.highlevel
    whole = {"vendor": "highlevel", "url": hl["base_url"], "token": hl["token"], "location": hl["location"]}
    for name, settings, pointer, remedy in (
        ("my account", whole, "/name", "Take letters, digits, - and _"),
        ("hl", {**whole, "vendor": "high level"}, "/settings", "Write vendor: activecollab or"),
        ("hl", {key: each for key, each in whole.items() if key != "token"}, "/settings/token", "oauth"),
        ("hl", {**whole, "webhooks": {"keys": ["none"]}}, "/settings/webhooks/keys", "Give the PEM text"),
    ):
        answer = await shop.admin.post("/api/v1/connections", {"name": name, "settings": settings})

        assert (answer.status, [each["pointer"] for each in answer.json["errors"]]) == (422, [pointer])
        assert remedy in answer.json["remedy"]


async def test_a_key_that_is_none_is_refused_before_it_shuts_out_every_webhook(shop: Workshop) -> None:
    await shop.connect()
    await shop.admin.post("/api/v1/connections/hl/webhook")
    patch = {"settings": {"webhooks": {"keys": ["none"]}}}

    changed = await shop.admin.ask("PATCH", "/api/v1/connections/hl", patch, {"If-Match": '"1"'})

    assert changed.status == 422
    assert [each["pointer"] for each in changed.json["errors"]] == ["/settings/webhooks/keys"]


async def test_a_refused_token_names_its_connection(shop: Workshop) -> None:
    await shop.connect()
    settings = {"vendor": "activecollab", "url": shop.accounts.activecollab["base_url"], "token": "wrong"}
    await shop.admin.post("/api/v1/connections", {"name": "old", "settings": settings})
    body = left_is_activecollab(shop.accounts.project)
    await shop.draft({**body, "left": {**body["left"], "connection": "old"}})

    answer = await shop.admin.post("/api/v1/drafts/tickets/check")

    assert answer.status == 409
    assert answer.json["detail"].startswith("old: the token was refused")


async def test_faults_of_a_draft_say_what_is_meant(shop: Workshop) -> None:
    await shop.connect()
    body = left_is_activecollab(shop.accounts.project)
    left, lines = body["left"], body["fields"]
    revision = None
    for change, pointer, message, remedy in (
        (
            {"left": {**left, "where": {"project": ["Shop"]}}},
            "/left/where",
            "no project Shop",
            "ids, not names",
        ),
        ({"left": {**left, "object": "tasks"}}, "/left/object", "no object type", "It has: task, "),
        ({"right": {"connection": "ac", "object": "task"}}, "", "the same records", "another connection"),
        ({"match": {"on": ["name"]}}, "/match/on/0", "no pair", "[[left, right]]"),
        (
            {"fields": [*lines, {"left": "task_number", "right": "syncline_key"}]},
            "/fields/4/left",
            "read-only",
            "direction: to_right",
        ),
    ):
        headers = {"If_Match": str(revision)} if revision else {}
        revision = (await shop.draft({**body, **change}, **headers)).json["revision"]
        check = (await shop.admin.post("/api/v1/drafts/tickets/check")).json

        found = {each["pointer"]: each for each in check["faults"]}
        assert pointer in found, check
        assert message in found[pointer]["message"]
        assert remedy in found[pointer]["remedy"]


async def test_a_draft_that_would_double_everything_is_warned_of(shop: Workshop) -> None:
    await shop.connect()
    body = left_is_activecollab(shop.accounts.project)
    await shop.draft({**body, "match": {}})
    warned = (await shop.admin.post("/api/v1/drafts/tickets/check")).json
    await shop.draft(body, If_Match='"1"')
    fine = (await shop.admin.post("/api/v1/drafts/tickets/check")).json

    assert (len(warned["warnings"]), warned["faults"], fine["warnings"]) == (1, [], [])
    assert "`match.on` names no key fields" in warned["warnings"][0]


async def test_a_revision_is_understood_without_its_quotes(shop: Workshop) -> None:
    await shop.connect()
    await shop.draft(left_is_activecollab(shop.accounts.project))

    stale = await shop.admin.post("/api/v1/drafts/tickets/apply", headers={"If-Match": "2"})
    applied = await shop.admin.post("/api/v1/drafts/tickets/apply", headers={"If-Match": "1"})
    again = await shop.admin.post("/api/v1/drafts/tickets/apply", headers={"If-Match": "1"})

    assert (stale.status, applied.status, again.status) == (412, 201, 404)
    assert again.json["detail"] == "There is no draft of 'tickets' any more: the sync is in force."


async def test_starting_twice_runs_once_more_and_does_nothing_twice(shop: Workshop) -> None:
    await shop.connect()
    await shop.apply()

    answers = [await shop.admin.post("/api/v1/syncs/tickets/run", {"is_full": True}) for _ in range(3)]
    await shop.run()

    assert [each.status for each in answers] == [202] * 3
    assert len(shop.accounts.tickets()) == 1
