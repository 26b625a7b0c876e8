"""Brakes, quota and certificates over the API, on sandbox accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cli.office import TICKET
from tests.web.workshop import Workshop, left_is_activecollab, open_workshop

SYNC = "/api/v1/syncs/tickets"
BRAKES = f"{SYNC}/brakes"


def _tasks(shop: Workshop, *names: str) -> None:
    for name in names:
        shop.accounts.in_activecollab("create_task", project=shop.accounts.project, name=name)


async def _listed(shop: Workshop) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in (await shop.admin.get(BRAKES)).json["items"]}


async def test_a_pulled_brake_is_explained_released_once_and_for_good_and_armed(tmp_path: Path) -> None:
    async with open_workshop(tmp_path) as shop:
        await shop.connect()
        await shop.apply({**left_is_activecollab(shop.accounts.project), "brakes": {"at_least": 1}})
        await shop.run(is_full=True)
        [task] = shop.accounts.tasks().values()
        shop.accounts.in_activecollab("update_task", task=task["id"], name="Paint anew")
        stopped = await shop.run(is_full=True)
        assert [each["name"] for each in stopped["brakes"]] == ["all_changed"]

        pulled = (await _listed(shop))["all_changed"]
        assert (pulled["is_pulled"], pulled["state"], pulled["last"]["run"]) == (True, "armed", stopped["id"])
        assert pulled["last"]["sentence"]
        assert pulled["last"]["remedy"]

        released = (await shop.admin.post(f"{BRAKES}/all_changed/release")).json
        assert (released["state"], released["by"]) == ("released_once", "command")
        armed = (await shop.admin.post(f"{BRAKES}/all_changed/arm")).json
        assert armed["state"] == "armed"
        await shop.admin.post(f"{BRAKES}/all_changed/release", {"for_good": False})
        assert (await shop.run(is_full=True))["written"] == 1
        after = await _listed(shop)
        assert (after["all_changed"]["state"], after["all_changed"]["last"]["is_released"]) == ("armed", True)

        off = (await shop.admin.post(f"{BRAKES}/changes/release", {"for_good": True})).json
        assert (off["state"], (await shop.admin.get(f"{BRAKES}/changes")).json) == ("off", off)
        refused = await shop.admin.post(f"{BRAKES}/empty_side/release", {"for_good": True})
        assert (refused.status, refused.code) == (422, "setup")
        assert (await shop.admin.get(f"{BRAKES}/none")).status == 422
        assert (await shop.admin.get("/api/v1/syncs/none/brakes")).status == 404
        viewer = await shop.office.another(shop.admin, "viewer")
        assert (await viewer.post(f"{BRAKES}/changes/arm")).code == "access.missing_right"


async def test_quota_is_told_without_a_call_and_both_sides_are_certified(tmp_path: Path) -> None:
    async with open_workshop(tmp_path) as shop:
        await shop.connect()
        await shop.apply()
        _tasks(shop, "Sand", "Polish")
        await shop.run(is_full=True)
        admin, before = shop.admin, shop.accounts.in_highlevel("stats")["requests"]

        pages = [(await admin.get("/api/v1/quota?limit=1")).json]
        pages.append((await admin.get(f"/api/v1/quota?cursor={pages[0]['next_cursor']}")).json)
        one = (await admin.get("/api/v1/connections/hl/quota")).json
        assert shop.accounts.in_highlevel("stats")["requests"] == before
        assert [each["connection"] for page in pages for each in page["items"]] == ["ac", "hl"]
        assert pages[1]["items"] == [one]
        assert (one["burst_limit"], one["daily_limit"], one["daily_kept"]) == (100, 200_000, 20_000)
        assert 0 < one["daily_left"] < one["daily_limit"]
        assert sum(each["calls"] for each in one["hours"]) == sum(one["used_today"].values()) > 0
        [pending] = one["pending"]
        assert (pending["sync"], pending["side"], pending["writes"]) == ("tickets", "right", 0)
        assert pending["forecast"]["sentence"]
        assert (await admin.get("/api/v1/connections/none/quota")).code == "usage.unknown_connection"

        first = await admin.post(f"{SYNC}/certificates")
        assert (first.status, first.json["unexplained"], first.json["differences"]) == (201, 0, 0)
        assert first.json["links"] == {"total": 3, "compared": 3, "causes": {}}
        [task, *_] = shop.accounts.tasks().values()
        shop.accounts.in_activecollab("update_task", task=task["id"], name="Renamed")
        second = (await admin.post(f"{SYNC}/certificates", {"with_values": True})).json
        assert (second["unexplained"], second["differences"]) == (0, 1)
        assert "Renamed" in {each["left"]["text"] for each in second["samples"]}
        path = f"{SYNC}/certificates/{second['number']}"
        kept = (await admin.get(f"{path}?against={first.json['number']}")).json
        assert (kept["moved_parts"], kept["parts"], kept["samples"][0]["left"]) == (1, 64, None)
        listed = (await admin.get(f"{SYNC}/certificates?limit=1")).json
        assert [each["number"] for each in listed["items"]] == [second["number"]]
        assert listed["next_cursor"]
        assert (await admin.get(f"{SYNC}/certificates/1")).code == "request.not_there"
        assert TICKET not in first.raw.decode()
