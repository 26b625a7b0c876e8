"""What a dashboard shows, and the search: of the workspace as it is, by client and period, as JSON and as a sheet."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from syncline.service import snapshots
from tests.clock import START
from tests.web.desk import Desk, open_desk
from tests.web.workshop import open_workshop


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as desk:
        yield desk


def _on(days: int) -> str:
    return (START.date() + dt.timedelta(days=days)).isoformat()


async def _sheet(desk: Desk, path: str) -> list[dict[str, str]]:
    answer = await desk.visitor.get(f"/api/v1{path}", headers={"Accept": "text/csv"})
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8"), answer.raw
    named = await desk.visitor.get(f"/api/v1{path}{'&' if '?' in path else '?'}format=csv")
    assert named.raw == answer.raw
    return [*csv.DictReader(io.StringIO(answer.raw.decode(), newline=""))]


async def _town(desk: Desk) -> dict[str, str]:
    """Projects of two clients, with what is below them."""
    late = (await desk.make("/projects", name="Late", client="Town", due_on=_on(-1)))["id"]
    risky = (await desk.make("/projects", name="Risky", client="Town", due_on=_on(60)))["id"]
    well = (await desk.make("/projects", name="Well", client="=cmd", due_on=_on(30)))["id"]
    over = (await desk.make("/projects", name="Over", status="completed", due_on=_on(-9)))["id"]
    contract = (
        await desk.make(
            "/contracts",
            title="Paper",
            client="Town",
            project=risky,
            value={"amount": "100.10", "currency": "EUR"},
            ends_on="2026-12-31",
        )
    )["id"]
    await desk.make(f"/contracts/{contract}/milestones", title="Signed", due_on=_on(-3))
    for due in (-2, 1, 2, 3, 4, 5):
        await desk.make(f"/projects/{risky}/tasks", title=f"Due {due}", due_on=_on(due))
    await desk.make(f"/projects/{risky}/tasks", title="Done", due_on=_on(-20), is_completed=True)
    await desk.make(f"/projects/{well}/milestones", title="Soon", due_on=_on(7))
    await desk.make(f"/projects/{well}/milestones", title="Someday")
    await desk.make(f"/projects/{well}/milestones", title="Done", due_on=_on(-8), is_completed=True)
    return {"late": late, "risky": risky, "well": well, "over": over, "contract": contract}


async def test_projects_go_as_their_dates_say_the_worst_first(desk: Desk) -> None:
    made = await _town(desk)

    told = await desk.read("/overview/projects")

    lines = {each["name"]: each for each in told["items"]}
    assert list(lines) == ["Late", "Risky", "Well", "Over"]
    assert told["by_health"] == {"late": 1, "at_risk": 1, "on_track": 1, "done": 1}
    assert lines["Late"]["reasons"] == [{"reason": "past_due", "sentence": "Its due date has passed."}]
    risky = lines["Risky"]
    assert [each["reason"] for each in risky["reasons"]] == ["partly_overdue", "milestone_overdue"]
    counts = ("completed", "open", "overdue", "overdue_share", "documents", "idle_days")
    assert {name: risky[name] for name in counts} == {
        "completed": 1,
        "open": 7,
        "overdue": 2,
        "overdue_share": 0.286,
        "documents": 0,
        "idle_days": 0,
    }
    assert (lines["Over"]["health"], lines["Over"]["reasons"]) == ("done", [])
    assert lines["Well"]["id"] == made["well"]


async def test_a_project_that_nothing_moves_in_is_at_risk_until_something_does(desk: Desk) -> None:
    project = (await desk.make("/projects", name="Idle"))["id"]
    desk.office.clock.advance(14 * 24 * 3600)
    [idle] = (await desk.read("/overview/projects"))["items"]

    await desk.make(f"/projects/{project}/documents", title="Offer")
    [moved] = (await desk.read("/overview/projects"))["items"]

    assert (idle["health"], idle["idle_days"]) == ("at_risk", 14)
    assert (moved["health"], moved["idle_days"], moved["documents"]) == ("on_track", 0, 1)


async def test_an_overview_is_of_a_client_and_a_period(desk: Desk) -> None:
    await _town(desk)

    async def names(query: str) -> list[str]:
        return [each["name"] for each in (await desk.read(f"/overview/projects?{query}"))["items"]]

    assert await names("client=Town") == ["Late", "Risky"]
    assert await names(f"from={_on(0)}&until={_on(30)}") == ["Well"]
    assert await names(f"client=Town&from={_on(60)}") == ["Risky"]
    assert await names("client=nobody") == []


async def test_a_sheet_has_the_same_lines_and_no_formula(desk: Desk) -> None:
    await _town(desk)

    lines = await _sheet(desk, "/overview/projects")

    assert [each["name"] for each in lines] == ["Late", "Risky", "Well", "Over"]
    assert lines[1]["reasons"] == "partly_overdue; milestone_overdue"
    assert (lines[2]["client"], lines[3]["client"]) == ("'=cmd", "")


async def test_contracts_are_counted_and_summed_by_status_and_by_month(desk: Desk) -> None:
    for amount, currency, ends_on in (
        ("100.10", "EUR", "2026-12-31"),
        ("0.90", "EUR", "2026-12-01"),
        ("5", "USD", "2027-01-01"),
        ("7", "USD", None),
    ):
        await desk.make(
            "/contracts", title="x", value={"amount": amount, "currency": currency}, ends_on=ends_on
        )
    sent = (await desk.make("/contracts", title="y", ends_on="2027-01-05"))["id"]
    await desk.change(f"/contracts/{sent}", status="sent")
    void = (await desk.make("/contracts", title="z", ends_on="2027-01-05"))["id"]
    await desk.change(f"/contracts/{void}", status="cancelled")

    told = await desk.read("/overview/contracts")

    euro, dollar = {"currency": "EUR", "amount": "101"}, {"currency": "USD", "amount": "12"}
    assert told["by_status"] == [
        {"status": "draft", "count": 4, "values": [euro, dollar]},
        {"status": "sent", "count": 1, "values": []},
        {"status": "cancelled", "count": 1, "values": []},
    ]
    assert [(each["month"], each["count"]) for each in told["by_month"]] == [
        ("2026-12", 2),
        ("2027-01", 2),
        (None, 1),
    ]
    assert told["by_month"][0]["values"] == [euro]
    lines = await _sheet(desk, "/overview/contracts?until=2026-12-31")
    assert [tuple(each.values()) for each in lines] == [
        ("status", "draft", "", "2", "EUR", "101"),
        ("month", "", "2026-12", "2", "EUR", "101"),
    ]


async def test_documents_are_as_far_as_they_say_or_as_their_status_says(desk: Desk) -> None:
    project = (await desk.make("/projects", name="Roof", client="Town"))["id"]
    for fields in (
        {"title": "Half", "progress": 50, "due_on": _on(-1)},
        {"title": "Final", "status": "final", "due_on": _on(-2)},
        {"title": "New"},
    ):
        await desk.make(f"/projects/{project}/documents", **fields)

    told = await desk.read("/overview/documents")

    assert [(each["title"], each["progress"], each["is_overdue"]) for each in told["items"]] == [
        ("Final", 100, False),
        ("Half", 50, True),
        ("New", 0, False),
    ]
    assert (told["progress"], told["overdue"], told["by_status"]) == (50.0, 1, {"draft": 2, "final": 1})
    assert {each["project"] for each in told["items"]} == {"Roof"}
    assert [each["title"] for each in await _sheet(desk, "/overview/documents")] == ["Final", "Half", "New"]


async def test_without_documents_there_is_no_mean(desk: Desk) -> None:
    assert (await desk.read("/overview/documents"))["progress"] is None


async def test_milestones_of_projects_and_contracts_come_as_they_are_due(desk: Desk) -> None:
    made = await _town(desk)

    told = await desk.read("/overview/milestones")

    lines: list[tuple[Any, ...]] = [
        (each["title"], each["of"], each["timing"], each["days_left"]) for each in told["items"]
    ]
    assert lines == [
        ("Signed", "Paper", "overdue", -3),
        ("Soon", "Well", "soon", 7),
        ("Someday", "Well", "undated", None),
        ("Done", "Well", "completed", -8),
    ]
    assert told["by_timing"] == {"overdue": 1, "soon": 1, "undated": 1, "completed": 1}
    assert (told["items"][0]["contract_id"], told["items"][0]["project_id"]) == (made["contract"], None)
    assert (await _sheet(desk, "/overview/milestones?client=Town"))[0]["timing"] == "overdue"


async def test_only_who_may_read_the_workspace_sees_it(desk: Desk) -> None:
    other = desk.office.program(await desk.admin.make_token("records:read"))

    for path in ("overview/projects", "overview/contracts", "search?q=roof"):
        assert (await other.get(f"/api/v1/{path}")).code == "access.missing_right"


# --- day by day ------------------------------------------------------------------------------------------------------


async def _keep(desk: Desk) -> bool:
    return await snapshots.keep(
        desk.office.services.installation.store, desk.workspace, desk.office.clock.now()
    )


async def test_how_it_stood_is_kept_once_a_day_and_told_day_by_day(desk: Desk) -> None:
    assert not await _keep(desk)
    await _town(desk)
    assert await _keep(desk)
    await desk.make("/projects", name="Later today")
    assert not await _keep(desk)
    for _ in range(2):
        desk.office.clock.advance(24 * 3600)
        assert await _keep(desk)

    told = (await desk.read("/overview/history"))["items"]

    assert [each["day"] for each in told] == [_on(0), _on(1), _on(2)]
    assert told[0] == {
        "day": _on(0),
        "projects": {"at_risk": 1, "done": 1, "late": 1, "on_track": 1},
        "contracts": {"draft": 1},
        "values": {"draft": {"EUR": "100.1"}},
        "documents": 0,
        "progress": None,
        "milestones": {"completed": 1, "overdue": 1, "soon": 1, "undated": 1},
    }
    assert sum(told[1]["projects"].values()) == 5
    town = (await desk.read(f"/overview/history?client=Town&until={_on(0)}"))["items"]
    assert [(each["projects"], each["contracts"]) for each in town] == [
        ({"at_risk": 1, "late": 1}, {"draft": 1})
    ]
    lines = await _sheet(desk, f"/overview/history?from={_on(2)}")
    assert {each["day"] for each in lines} == {_on(2)}
    assert [each["amount"] for each in lines if each["of"] == "values"] == ["100.1"]


async def test_days_come_in_pages(desk: Desk) -> None:
    await desk.make("/projects", name="Roof")
    for _ in range(5):
        await _keep(desk)
        desk.office.clock.advance(24 * 3600)

    seen = [await desk.read("/overview/history?limit=2")]
    while (cursor := seen[-1]["next_cursor"]) is not None:
        seen.append(await desk.read(f"/overview/history?limit=2&cursor={cursor}"))

    assert [each["day"] for page in seen for each in page["items"]] == [_on(number) for number in range(5)]
    wrong = "WyJvdmVydmlldy5oaXN0b3J5IiwieCJd"
    assert (await desk.visitor.get(f"/api/v1/overview/history?cursor={wrong}")).code == "request.cursor"


# --- the search -------------------------------------------------------------------------------------------------------


async def test_everything_in_the_workspace_is_found_by_what_it_holds(desk: Desk) -> None:
    project = (await desk.make("/projects", name="The roof"))["id"]
    await desk.make(f"/projects/{project}/documents", title="Offer", body="<p>A new ROOF.</p>")
    await desk.make("/leads", name="Town", labels=["roof", "hall"])
    gone = (await desk.make("/people", name="Roofer"))["id"]
    await desk.remove(f"/people/{gone}")
    await desk.make("/contracts", title="Bridge", value={"amount": "17", "currency": "EUR"})

    told = await desk.read("/search?q=roof")

    assert [(each["kind"], each["title"], each["field"]) for each in told["items"]] == [
        ("lead", "Town", "labels"),
        ("document", "Offer", "body"),
        ("project", "The roof", "name"),
    ]
    for each in told["items"]:
        assert (await desk.visitor.get(each["path"])).json["id"] == each["key"]
    assert [each["kind"] for each in (await desk.read("/search?q=roof&kind=lead"))["items"]] == ["lead"]
    assert (await desk.read("/search?q=status"))["items"] == []
    assert (await desk.read("/search?q=17"))["items"][0]["field"] == "value"


async def test_what_was_found_is_walked_page_by_page(desk: Desk) -> None:
    for number in range(5):
        await desk.make("/leads", name=f"Roof {number}")

    seen = [await desk.read("/search?q=roof&limit=2")]
    while (cursor := seen[-1]["next_cursor"]) is not None:
        seen.append(await desk.read(f"/search?q=roof&limit=2&cursor={cursor}"))

    assert [each["title"] for page in seen for each in page["items"]] == [
        f"Roof {4 - each}" for each in range(5)
    ]
    assert [each["title"] for each in await _sheet(desk, "/search?q=roof&limit=1")] == ["Roof 4"]


@pytest.mark.parametrize("query", ["q=a", "", "q=roof&kind=thing", "q=roof&cursor=WyJzZWFyY2giLCJ4MSJd"])
async def test_a_search_has_a_form(desk: Desk, query: str) -> None:
    assert (await desk.visitor.get(f"/api/v1/search?{query}")).status == 422


async def test_records_that_syncs_know_are_found_on_both_sides_by_who_may_read_them(tmp_path: Path) -> None:
    async with open_workshop(tmp_path) as shop:
        await shop.connect()
        await shop.apply()
        await shop.run()

        told = (await shop.admin.get("/api/v1/search?q=PAINT")).json["items"]
        other = shop.office.program(await shop.admin.make_token("workspace:read"))

        assert [(each["kind"], each["connection"], each["title"], each["side"]) for each in told] == [
            ("record", "ac", "Paint", "left"),
            ("record", "hl", "Paint", "right"),
        ]
        assert (await shop.admin.get(told[0]["path"])).status == 200
        assert (await other.get("/api/v1/search?q=paint")).json["items"] == []
        first = await shop.admin.get("/api/v1/search?q=paint&limit=1")
        rest = await shop.admin.get(f"/api/v1/search?q=paint&cursor={first.json['next_cursor']}")
        assert [*first.json["items"], *rest.json["items"]] == told
