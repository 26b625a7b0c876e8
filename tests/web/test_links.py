"""Links over the API: found, looked at, made, moved, cut and refused, on sandbox accounts."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest_asyncio

from syncline.core.records import SyncId
from tests.cli.office import TICKET, left_is_activecollab
from tests.web.workshop import Workshop, open_workshop

SYNC = "/api/v1/syncs/tickets"


@pytest_asyncio.fixture
async def shop(tmp_path: Path) -> AsyncGenerator[Workshop]:
    """A sync that only matches, with the task `Paint` and no ticket."""
    async with open_workshop(tmp_path) as shop:
        await shop.connect()
        body = left_is_activecollab(shop.accounts.project)
        schedule = {"poll": False, "nightly": False}
        await shop.apply({**body, "match": {**body["match"], "mode": "match_only"}, "schedule": schedule})
        yield shop


def _task(shop: Workshop, name: str) -> str:
    return str(shop.accounts.in_activecollab("create_task", project=shop.accounts.project, name=name)["id"])


def _ticket(shop: Workshop, title: str) -> str:
    made = shop.accounts.in_highlevel("create_record", object=TICKET, properties={"title": title})
    return str(made["id"])


async def _items(shop: Workshop, path: str) -> list[dict[str, Any]]:
    answer = await shop.admin.get(f"{SYNC}{path}")
    assert answer.status == 200, answer.raw
    return answer.json["items"]


async def test_two_names_of_one_thing_are_found_linked_and_followed(shop: Workshop) -> None:
    left, right = _task(shop, "Paint the garden fence"), _ticket(shop, "Garden fence: paint")
    await shop.run(is_full=True)
    waiting = await _items(shop, "/waiting")
    assert {each["record"]["key"] for each in waiting} >= {left, right}

    [found, *_] = await _items(shop, f"/candidates?key={left}")
    made = await shop.admin.post(f"{SYNC}/links", {"left": left, "right": right})
    again = await shop.admin.post(f"{SYNC}/links", {"left": left, "right": right})

    assert (found["left"], found["right"], found["certain_by"]) == (left, right, "")
    assert 0.4 < found["score"] < 1
    assert found["reasons"]
    assert (made.status, made.json["is_new"], again.json["is_new"]) == (201, True, False)
    path = made.headers["Location"]
    assert path == f"{SYNC}/links/{made.json['link']}"
    assert [each["link"] for each in await _items(shop, "/links?state=unsettled")] == [made.json["link"]]

    await shop.run()
    whole = (await shop.admin.get(path)).json
    lines = {each["name"]: each for each in whole["explanation"]["lines"]}
    assert (whole["left"]["key"], whole["right"]["title"]) == (left, "Garden fence: paint")
    name = lines["name ↔ title"]
    assert (name["left"]["text"], name["right"]["text"], name["is_in_step"]) == (
        "Paint the garden fence",
        "Garden fence: paint",
        False,
    )
    assert name["next"]["rule"] == "conflict"
    assert name["question"] is not None
    assert lines["due_on ↔ due_date"]["is_in_step"]


async def test_links_come_in_pages_and_are_found_by_record_and_state(shop: Workshop) -> None:
    keys = {name: (_task(shop, name), _ticket(shop, name)) for name in ("Sand", "Polish", "Varnish")}
    await shop.run(is_full=True)

    first = (await shop.admin.get(f"{SYNC}/links?limit=2")).json
    rest = (await shop.admin.get(f"{SYNC}/links?limit=2&cursor={first['next_cursor']}")).json
    numbers = [each["link"] for each in first["items"] + rest["items"]]
    assert (len(numbers), numbers, rest["next_cursor"]) == (3, sorted(numbers, reverse=True), None)
    for key in keys["Sand"]:
        [found] = await _items(shop, f"/links?key={key}")
        assert (found["left"]["key"], found["right"]["key"]) == keys["Sand"]
    assert len(await _items(shop, "/links?state=settled")) == 3
    assert await _items(shop, "/links?state=unsettled") == []
    assert await _items(shop, f"/links?key={keys['Sand'][0]}&state=unsettled") == []
    assert await _items(shop, "/links?key=none") == []
    assert (await shop.admin.get(f"{SYNC}/links/9999")).code == "request.not_there"
    assert (await shop.admin.get("/api/v1/syncs/none/links")).status == 404


async def test_a_link_is_cut_moved_and_its_records_kept_apart(shop: Workshop) -> None:
    left, right, other = _task(shop, "Door"), _ticket(shop, "Door"), _ticket(shop, "The other door")
    await shop.run(is_full=True)
    [tied] = await _items(shop, "/links")
    path = f"{SYNC}/links/{tied['link']}"

    moved = await shop.admin.post(f"{path}/relink", {"side": "left", "to": other, "reason": "a mix-up"})
    assert (moved.json["left"], moved.json["right"], moved.json["released"]) == (left, other, right)
    assert [(each["left"], each["right"], each["reason"]) for each in await _items(shop, "/apart")] == [
        (left, right, "a mix-up")
    ]
    assert [each["key"] for each in await _items(shop, "/released")] == [right]
    assert (await shop.admin.post(f"{path}/unlink")).code == "request.not_there"

    cut = await shop.admin.post(f"{SYNC}/links/{moved.json['link']}/unlink", {"keep_apart": False})
    assert (cut.json["rule"], cut.json["is_new"]) == ("unlinked_by_hand", True)
    assert await _items(shop, "/links") == []
    assert len(await _items(shop, "/released")) == 3
    undone = await shop.admin.post(f"{SYNC}/apart/undo", {"left": left, "right": right})
    assert (undone.json["rule"], await _items(shop, "/apart")) == ("rejoined_by_hand", [])
    kept = await shop.admin.post(f"{SYNC}/apart", {"left": left, "right": other})
    assert (kept.status, kept.json["rule"]) == (201, "kept_apart")


async def test_a_lone_record_is_released_recalled_and_copied_and_twins_are_a_group(shop: Workshop) -> None:
    left = _task(shop, "Roof")
    twin, first, second = _task(shop, "Twin"), _ticket(shop, "Twin"), _ticket(shop, "Twin")
    await shop.run(is_full=True)

    [group] = await _items(shop, "/ambiguous")
    assert [each["key"] for each in group["left"]] == [twin]
    assert {each["key"] for each in group["right"]} == {first, second}
    assert {each["right"] for each in group["candidates"]} == {first, second}

    released = await shop.admin.post(f"{SYNC}/release", {"key": left})
    assert (released.status, released.json["rule"]) == (200, "released_by_hand")
    assert [each["key"] for each in await _items(shop, "/released")] == [left]
    recalled = await shop.admin.post(f"{SYNC}/recall", {"key": left, "side": "left"})
    assert (recalled.json["rule"], await _items(shop, "/released")) == ("recalled_by_hand", [])
    copied = await shop.admin.post(f"{SYNC}/copy", {"key": left})
    assert copied.json["rule"] == "copied_by_hand"
    await shop.run(is_full=True)
    assert "Roof" in shop.accounts.tickets()
    assert (await shop.admin.post(f"{SYNC}/copy", {"key": "none"})).code == "usage.unknown_record"


async def test_nothing_is_said_while_a_run_holds_the_sync_or_without_the_right(shop: Workshop) -> None:
    left, right = _task(shop, "Gate"), _ticket(shop, "Another gate")
    await shop.run(is_full=True)
    viewer = await shop.office.another(shop.admin, "viewer")
    assert (await viewer.get(f"{SYNC}/links")).status == 200
    refused = await viewer.post(f"{SYNC}/links", {"left": left, "right": right})
    assert refused.code == "access.missing_right"

    store, clock = shop.office.services.installation.store, shop.office.clock
    setup = await shop.runtime.current().remembered("tickets")
    held = store.begin_run(SyncId("tickets"), clock.now(), setup.patience.lease)
    for path, body in (
        ("/links", {"left": left, "right": right}),
        ("/release", {"key": left}),
        ("/certificates", {}),
    ):
        busy = await shop.admin.post(f"{SYNC}{path}", body)
        assert (busy.status, busy.code, busy.headers["Retry-After"]) == (409, "busy", "5")
        assert busy.json["detail"]
    assert (await shop.admin.get(f"/api/v1/runs/{held.id}")).json["state"] == "running"
