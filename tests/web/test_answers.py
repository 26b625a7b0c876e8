"""One answer for many questions over the API: shown first, then kept; and rules, tried on the past."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cli.office import TICKET
from tests.web.workshop import Workshop, open_workshop

ANSWERS = "/api/v1/questions/answers"
RULES = "/api/v1/syncs/tickets/rules"
TAKE_LEFT = {"kind": "take", "side": "left"}
ALL = {"kind": "filter"}


async def _contested(shop: Workshop) -> None:
    """Three records that both sides name differently."""
    for name in ("Sand", "Polish"):
        shop.accounts.in_activecollab("create_task", project=shop.accounts.project, name=name)
    await shop.run(is_full=True)
    for name, task in shop.accounts.tasks().items():
        shop.accounts.in_activecollab("update_task", task=task["id"], name=f"{name} left")
    for name, ticket in shop.accounts.tickets().items():
        properties = {"title": f"{name} right"}
        shop.accounts.in_highlevel("update_record", object=TICKET, id=ticket["id"], properties=properties)
    await shop.run(is_full=True)


async def _open(shop: Workshop) -> list[dict[str, Any]]:
    return (await shop.admin.get("/api/v1/questions")).json["items"]


async def test_many_questions_are_shown_then_answered_alike_and_made_a_rule(tmp_path: Path) -> None:
    async with open_workshop(tmp_path) as shop:
        await shop.connect()
        await shop.apply()
        await _contested(shop)
        admin = shop.admin
        first, second, third = [each["id"] for each in await _open(shop)]

        # One by its number, with another that does not exist, and one that does not fit.
        wrong = {"which": {"kind": "numbers", "numbers": [first, 99]}, "answer": TAKE_LEFT}
        assert (await admin.post(ANSWERS, wrong)).code == "request.not_there"
        deletion = {"which": ALL, "answer": {"kind": "deletion", "answer": "delete"}}
        unfit = (await admin.post(ANSWERS, deletion)).json
        assert (unfit["fitting"], unfit["in_all"]) == (0, 3)
        assert "not about a deletion" in unfit["items"][0]["refusal"]

        one = {"which": {"kind": "numbers", "numbers": [first, first]}, "answer": TAKE_LEFT}
        shown = (await admin.post(ANSWERS, one)).json
        assert (shown["is_kept"], shown["fitting"], shown["in_all"]) == (False, 1, 1)
        assert shown["items"][0]["chosen"]["right"]["text"].endswith("left")
        assert len(await _open(shop)) == 3
        stale = await admin.post(ANSWERS, {**one, "expected": 3})
        assert (stale.status, stale.code) == (412, "request.old_revision")
        kept = (await admin.post(ANSWERS, {**one, "expected": 1})).json
        assert (kept["is_kept"], [each["id"] for each in await _open(shop)]) == (True, [second, third])

        # The field's rule, tried on what is known of the past, then made with the answer.
        tried = (await admin.post(f"{RULES}/try", {"field": "title", "policy": "left"})).json
        assert (tried["past"], tried["settled"], tried["left_wins"], tried["judged"]) == (3, 3, 3, 1)
        assert tried["agreed"] == 1
        assert len(tried["cases"]) == 3
        operator = await shop.office.another(admin, "operator")
        rule = {"which": {"kind": "numbers", "numbers": [second]}, "answer": TAKE_LEFT, "next_time": True}
        refused = await operator.post(ANSWERS, {**rule, "expected": 1})
        assert refused.code == "access.missing_right"
        assert (await operator.post(ANSWERS, rule)).json["fitting"] == 1
        leave = {**rule, "answer": {"kind": "leave"}}
        assert (await admin.post(ANSWERS, leave)).json["errors"][0]["pointer"] == "/next_time"

        done = (await admin.post(ANSWERS, {**rule, "expected": 1})).json
        assert (done["version"], done["decided_too"]) == (2, [third])
        whole = (await admin.get("/api/v1/versions/2")).json
        assert whole["syncs"]["tickets"]["fields"][0]["conflict"] == "left"
        await shop.run(is_full=True)
        assert sorted(shop.accounts.tickets()) == ["Paint left", "Polish left", "Sand left"]

        back = await operator.post(RULES, {"field": "name", "policy": "ask"})
        assert back.code == "access.missing_right"
        saved = await admin.post(RULES, {"field": "name ↔ title", "policy": "ask", "note": "ask again"})
        assert (saved.status, saved.json["number"], saved.json["note"]) == (201, 3, "ask again")
        assert (await admin.post(f"{RULES}/try", {"field": "none", "policy": "left"})).status == 422

        # Who did all that.
        trail = (await admin.get("/api/v1/audit?kind=choice")).json["items"]
        assert [each["by"]["user"] for each in trail] == [1, 1]
        applied = (await admin.get("/api/v1/audit?kind=configuration_applied")).json["items"]
        assert [each["by"]["user"] for each in applied] == [1, 1, 1]


async def test_questions_that_are_alike_or_fit_a_filter_are_answered_together(tmp_path: Path) -> None:
    async with open_workshop(tmp_path) as shop:
        await shop.connect()
        await shop.apply()
        await _contested(shop)
        [first, *_] = await _open(shop)

        alike = {"which": {"kind": "alike", "question": first["id"]}, "answer": {"kind": "leave"}}
        assert (await shop.admin.post(ANSWERS, alike)).json["fitting"] == 3
        for which, count in (
            ({"kind": "filter", "sync": "tickets", "field": "title"}, 3),
            ({"kind": "filter", "rule": "conflict"}, 3),
            ({"kind": "filter", "field": "due_on"}, 0),
            ({"kind": "filter", "sync": "none"}, 0),
        ):
            asked = (await shop.admin.post(ANSWERS, {"which": which, "answer": TAKE_LEFT})).json
            assert (asked["fitting"], asked["in_all"]) == (count, count)
        assert (await shop.admin.post(ANSWERS, {"answer": TAKE_LEFT})).status == 422
        kept = await shop.admin.post(ANSWERS, {"which": ALL, "answer": TAKE_LEFT, "expected": 3})
        assert kept.json["is_kept"]
        await shop.run(is_full=True)
        assert all(name.endswith("left") for name in shop.accounts.tickets())
