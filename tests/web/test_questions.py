"""Runs, history, failed writes, conflicts and deletions over the API, on sandbox accounts."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.cli.office import TICKET
from tests.web.workshop import Workshop, open_workshop

QUESTIONS = "/api/v1/questions"


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncGenerator[Workshop]:
    """One linked record, `Paint`."""
    async with open_workshop(tmp_path) as shop:
        await shop.connect()
        await shop.apply()
        await shop.run(is_full=True)
        yield shop


def _edit(shop: Workshop, left: str | None, right: str | None) -> None:
    accounts = shop.accounts
    [task], [ticket] = accounts.tasks().values(), accounts.tickets().values()
    if left is not None:
        accounts.in_activecollab("update_task", task=task["id"], name=left)
    if right is not None:
        accounts.in_highlevel("update_record", object=TICKET, id=ticket["id"], properties={"title": right})


async def _items(shop: Workshop, path: str) -> list[dict[str, Any]]:
    answer = await shop.admin.get(path)
    assert answer.status == 200, answer.raw
    return answer.json["items"]


async def test_a_conflict_is_found_answered_taken_back_and_carried_out(shop: Workshop) -> None:
    admin = shop.admin
    _edit(shop, "Paint left", "Paint right")
    await shop.run(is_full=True)

    [asked] = await _items(shop, f"{QUESTIONS}?sync=tickets&rule=conflict")
    assert (asked["left"]["now"]["text"], asked["right"]["now"]["text"]) == ("Paint left", "Paint right")
    assert (asked["left"]["agreed"]["text"], asked["state"]) == ("Paint", "open")
    assert asked["left"]["edited_by"]
    assert await _items(shop, f"{QUESTIONS}?rule=deleted_ask") == []
    path = f"{QUESTIONS}/{asked['id']}/answer"

    wrong = await admin.ask("PUT", path, {"kind": "deletion", "answer": "delete"})
    assert wrong.status == 422
    taken = (await admin.ask("PUT", path, {"kind": "take", "side": "right"})).json
    assert (taken["state"], taken["choice"]) == ("answered", "values")
    assert taken["chosen"]["left"]["text"] == "Paint right"
    assert await _items(shop, QUESTIONS) == []
    back = (await admin.ask("DELETE", path)).json
    assert (back["state"], back["choice"]) == ("open", None)
    assert (await admin.ask("DELETE", path)).status == 422

    await admin.ask("PUT", path, {"kind": "enter", "text": "Paint both"})
    await shop.run(is_full=True)
    assert list(shop.accounts.tasks()) == list(shop.accounts.tickets()) == ["Paint both"]
    assert [each["id"] for each in await _items(shop, f"{QUESTIONS}?state=closed")] == [asked["id"]]
    late = await admin.ask("PUT", path, {"kind": "leave"})
    assert late.status == 422


async def test_a_deletion_waits_and_is_answered(shop: Workshop) -> None:
    task = shop.accounts.tasks()["Paint"]["id"]
    for name in ("Sand", "Polish"):
        shop.accounts.in_activecollab("create_task", project=shop.accounts.project, name=name)
    await shop.run(is_full=True)
    shop.accounts.in_activecollab("trash_task", task=task)
    await shop.run(is_full=True)

    [asked] = await _items(shop, f"{QUESTIONS}?rule=deleted_ask")
    assert (asked["title"], asked["deletion"]["gone"]) == ("Paint", "left")
    assert "trash" in asked["deletion"]["how_we_know"]

    answer = {"kind": "deletion", "answer": "delete"}
    told = await shop.admin.ask("PUT", f"{QUESTIONS}/{asked['id']}/answer", answer)
    assert told.json["choice"] == "delete"
    await shop.run(is_full=True)
    assert sorted(shop.accounts.tickets()) == ["Polish", "Sand"]


async def test_runs_and_history_are_paged_and_what_failed_is_tried_again(shop: Workshop) -> None:
    admin, base = shop.admin, "/api/v1/syncs/tickets"
    shop.accounts.refuse_in_highlevel("PUT")
    _edit(shop, "Paint twice", None)
    failed = await shop.run(is_full=True)

    whole = (await admin.get(f"/api/v1/runs/{failed['id']}")).json
    assert (whole["failed"], whole["summary"]["failures"][0]["title"]) == (1, "Paint twice")
    [parked] = await _items(shop, f"{base}/parked")
    assert (parked["title"], parked["attempts"]) == ("Paint twice", 1)
    assert parked["remedy"]
    assert (await admin.get(base)).json["parked"] == 1

    assert (await admin.post(f"{base}/retry", {"code": "no.such"})).status == 422
    assert (await admin.post(f"{base}/retry", {"keys": ["none"]})).json == {"due": 0}
    assert (await admin.post(f"{base}/retry", {"keys": [parked["key"]]})).json == {"due": 1}
    await shop.run()
    assert "Paint twice" in shop.accounts.tickets()
    assert await _items(shop, f"{base}/parked") == []

    first = (await admin.get(f"{base}/runs?limit=1")).json
    rest = (await admin.get(f"{base}/runs?cursor={first['next_cursor']}")).json
    numbers = [int(each["id"].rpartition("-")[2]) for each in (*first["items"], *rest["items"])]
    assert numbers == sorted(numbers, reverse=True)
    assert failed["id"] in [each["id"] for each in rest["items"]]

    [entry] = await _items(shop, f"{base}/history?key={parked['key']}&limit=1")
    assert (entry["new"]["text"], entry["rule"]) == ("Paint twice", "one_side_changed")
    assert [each["id"] for each in await _items(shop, f"{base}/history?run={entry['run']}")] == [entry["id"]]
