"""Why a record is as it is, what it was, a fresh look, taking back and deciding again, over the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.web.workshop import Workshop, open_workshop

SYNC = "/api/v1/syncs/tickets"


def _rename(shop: Workshop, name: str) -> str:
    [task] = shop.accounts.tasks().values()
    shop.accounts.in_activecollab("update_task", task=task["id"], name=name)
    return str(task["id"])


async def _run_of(shop: Workshop, path: str, body: object) -> dict[str, Any]:
    """The run that a resync makes."""
    last = (await shop.admin.get(f"{SYNC}/runs?limit=1")).json["items"][0]["id"]
    asked = await shop.admin.post(f"{SYNC}/{path}", body)
    assert asked.status == 202, asked.raw
    assert asked.json["paused"] == ""
    return await shop.next_run(last)


async def test_a_record_is_explained_shown_as_of_a_time_and_looked_at_again(tmp_path: Path) -> None:
    async with open_workshop(tmp_path) as shop:
        await shop.connect()
        await shop.apply()
        await shop.run(is_full=True)
        began = shop.office.clock.now().isoformat()
        shop.office.clock.advance(60)
        key = _rename(shop, "Paint twice")
        # Nobody told us; a resync of the record reads it, and nothing is listed.
        looked = await _run_of(shop, "resync", {"which": {"kind": "keys", "keys": [key]}})
        whole = (await shop.admin.get(f"/api/v1/runs/{looked['id']}")).json["summary"]
        assert (looked["written"], whole["is_full"], whole["listed_left"]) == (1, False, 0)
        assert "Paint twice" in shop.accounts.tickets()

        [told] = (await shop.admin.get(f"{SYNC}/records/{key}/explanation")).json["items"]
        assert (told["title"], told["left"]["key"], told["right"]["title"]) == (
            "Paint twice",
            key,
            "Paint twice",
        )
        assert any("linked" in sentence for sentence in told["sentences"])
        [only] = (await shop.admin.get(f"{SYNC}/records/{key}/explanation?field=title")).json["items"]
        [line] = only["lines"]
        assert (line["name"], line["is_in_step"], line["history"][-1]["run"]) == (
            "name ↔ title",
            True,
            looked["id"],
        )
        unknown = await shop.admin.get(f"{SYNC}/records/none/explanation")
        assert (unknown.status, unknown.code) == (404, "usage.unknown_record")

        then = (await shop.admin.get(f"{SYNC}/records/{key}/as-of?at={quote(began)}")).json
        title = next(each for each in then["lines"] if each["name"] == "name ↔ title")
        assert (title["right"]["value"]["text"], title["right"]["source"]) == ("Paint", "written")
        assert (await shop.admin.get(f"{SYNC}/records/none/as-of?at={quote(began)}")).status == 404
        assert (await shop.admin.get(f"{SYNC}/records/{key}/as-of?at=soon")).status == 422

        _rename(shop, "Paint thrice")
        by_value = {"which": {"kind": "value", "field": "name", "value": "paint TWICE"}}
        assert (await _run_of(shop, "resync", by_value))["written"] == 1
        nothing = {"which": {"kind": "value", "field": "name", "value": "nobody"}}
        assert (await shop.admin.post(f"{SYNC}/resync", nothing)).json["records"] == 0
        everything = await _run_of(shop, "resync", {"which": {"kind": "all"}})
        assert (await shop.admin.get(f"/api/v1/runs/{everything['id']}")).json["summary"]["is_full"]


async def test_a_run_is_decided_again_and_taken_back_as_it_was_planned(tmp_path: Path) -> None:
    async with open_workshop(tmp_path) as shop:
        await shop.connect()
        await shop.apply()
        await shop.run(is_full=True)
        _rename(shop, "A slip")
        run = (await shop.run(is_full=True))["id"]

        again = (await shop.admin.get(f"/api/v1/runs/{run}/replay")).json
        assert (again["decided"], again["same"], again["changes"]) == (1, 1, [])
        other = {"field": "name", "policy": "left"}
        assert (await shop.admin.post(f"{SYNC}/rules", other)).status == 201
        assert (await shop.admin.get("/api/v1/runs/none/replay")).code == "request.not_there"

        plan = (await shop.admin.post(f"{SYNC}/undo/plan", {"target": run})).json
        [step] = plan["steps"]
        assert (plan["run"], plan["undone"], plan["done"], step["fields"]["title"]["text"]) == (
            None,
            run,
            0,
            "Paint",
        )
        late = await shop.admin.post(f"{SYNC}/undo", {"target": run, "expected": 7})
        assert (late.status, late.code) == (412, "request.old_revision")
        assert "A slip" in shop.accounts.tickets()
        viewer = await shop.office.another(shop.admin, "viewer")
        refused = await viewer.post(f"{SYNC}/undo", {"target": run, "expected": 1})
        assert refused.code == "access.missing_right"

        done = (await shop.admin.post(f"{SYNC}/undo", {"target": run, "expected": 1})).json
        assert (done["done"], done["kept"], done["failures"]) == (1, [], [])
        assert done["run"]
        assert "Paint" in shop.accounts.tickets()
        assert (await shop.admin.post(f"{SYNC}/undo/plan", {"target": "none"})).status == 422
