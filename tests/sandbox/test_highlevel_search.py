"""Search of the HighLevel stand-in: filters, text, order, pages, cursors and an index that lags."""

from __future__ import annotations

import random
from typing import Any

import pytest

from syncline.sandbox.highlevel import Options
from tests.sandbox.highlevel_desk import RECORDS, TICKET, Desk

NEWEST = [{"field": "updatedAt", "direction": "desc"}]
OLDEST = [{"field": "updatedAt", "direction": "asc"}]


def _leaf(field: str, operator: str, value: object = None) -> dict[str, object]:
    return {"field": field, "operator": operator} | ({"value": value} if value is not None else {})


def _all_of(*filters: object) -> list[object]:
    return [{"group": "AND", "filters": list(filters)}]


def _any_of(*filters: object) -> list[object]:
    return [{"group": "OR", "filters": list(filters)}]


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    money = {"currency": "default", "value": 5000}
    desk.create(title="Buddy", hours=1, status="open", tags=["red"], budget=money)
    desk.clock.advance(1)
    desk.create(title="Bella", hours=2, status="done", tags=["red", "blue"], due="2026-03-05")
    desk.clock.advance(1)
    desk.create(title="rex", hours=3, files=[{"url": "https://f.example.test/1"}], **{"boxes.left": "left"})
    return desk


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        (_all_of(_leaf("properties.hours", "eq", 2)), ["Bella"]),
        (_all_of(_leaf("properties.hours", "eq", "2")), []),
        (_all_of(_leaf("properties.title", "eq", "buddy")), []),
        (_all_of(_leaf("properties.title", "eq", ["Buddy", "rex"])), ["Buddy", "rex"]),
        (_all_of(_leaf("properties.status", "not_eq", "open")), ["Bella", "rex"]),
        (_all_of(_leaf("properties.title", "contains", "B")), ["Buddy", "Bella"]),
        (_all_of(_leaf("properties.tags", "contains", "red")), ["Buddy", "Bella"]),
        (_all_of(_leaf("properties.tags", "eq", "blue")), ["Bella"]),
        (_all_of(_leaf("properties.tags", "not_contains", "blue")), ["Buddy", "rex"]),
        (_all_of(_leaf("properties.due", "exists")), ["Bella"]),
        (_all_of(_leaf("properties.due", "not_exists")), ["Buddy", "rex"]),
        (_all_of(_leaf("properties.hours", "range", {"gte": 2})), ["Bella", "rex"]),
        (_all_of(_leaf("properties.hours", "range", {"gt": 1, "lt": 3})), ["Bella"]),
        (_all_of(_leaf("properties.budget", "range", {"lte": 15000})), ["Buddy"]),
        (_all_of(_leaf("properties.due", "range", {"gte": "2026-03-01"})), ["Bella"]),
        (_all_of(_leaf("properties.boxes.left", "eq", "left")), ["rex"]),
        (_all_of(_leaf("properties.files", "eq", "https://f.example.test/1")), ["rex"]),
        (_all_of(_leaf("createdAt", "range", {"gte": "2026-03-02T09:00:01.000Z"})), ["Bella", "rex"]),
        (_all_of(_leaf("updatedAt", "range", {"gt": "2026-03-02T09:00:01.000Z"})), ["rex"]),
        (_all_of(_leaf("updatedAt", "range", {"gte": 1772442001000})), ["Bella", "rex"]),
        (_all_of(_leaf("relations", "nested", [])), []),
        (
            _any_of(_leaf("properties.hours", "eq", 1), _leaf("properties.title", "eq", "rex")),
            ["Buddy", "rex"],
        ),
        (_any_of(*_all_of(_leaf("properties.hours", "eq", 1), _leaf("properties.title", "eq", "rex"))), []),
        ([_leaf("properties.hours", "eq", 3)], ["rex"]),
        (_all_of(_leaf("properties.hours", "eq", 3), _leaf("properties.title", "eq", "x")), []),
        ([], ["Buddy", "Bella", "rex"]),
    ],
)
def test_filters_choose(desk: Desk, filters: list[object], titles: list[str]) -> None:
    assert desk.titles(filters=filters, sort=OLDEST) == titles


@pytest.mark.parametrize(
    "body",
    [
        {"filters": [_leaf("title", "eq", "x")]},
        {"filters": [_leaf("properties.title", "like", "x")]},
        {"filters": [_leaf("properties.hours", "range", 1)]},
        {"filters": [_leaf("properties.hours", "range", {"from": 1})]},
        {"filters": [{"group": "XOR", "filters": []}]},
        {"filters": ["x"]},
        {"filters": [_leaf("updatedAt", "range", {"gte": "soon"})]},
        {"sort": [{"field": "updatedAt", "direction": "down"}]},
        {"sort": [{"field": "properties.nothing", "direction": "asc"}]},
        {"searchAfter": ["x"]},
        {"searchAfter": ["x", "y"]},
        {"page": 0},
        {"pageLimit": 0},
        {"pageLimit": 101},
        {"pageLimit": "10"},
        {"surprise": 1},
    ],
)
def test_a_search_that_cannot_be_is_a_422(desk: Desk, body: dict[str, object]) -> None:
    assert desk.search(**body).status == 422


@pytest.mark.parametrize(
    ("query", "titles"),
    [("bud", ["Buddy"]), ("title:bella", ["Bella"]), ("zzz", []), ("red", []), ("title:rex", ["rex"])],
)
def test_text_is_looked_for_in_searchable_properties(desk: Desk, query: str, titles: list[str]) -> None:
    assert desk.titles(query=query) == titles


def test_searchable_properties_can_be_changed(desk: Desk) -> None:
    body = {"locationId": desk.location, "searchableProperties": [f"{TICKET}.status"]}
    assert desk.call("PUT", f"/objects/{TICKET}", body).status == 200

    assert desk.titles(query="done") == ["Bella"]
    assert desk.titles(query="bud") == []


def test_a_range_over_times_may_be_unsupported(desk: Desk) -> None:
    desk.control("options", time_ranges=False)

    assert desk.search(filters=[_leaf("updatedAt", "range", {"gte": 0})]).status == 422


def test_sorting_by_times_may_be_unsupported(desk: Desk) -> None:
    desk.control("options", time_sorts=False)

    assert desk.search(sort=NEWEST).status == 422
    assert desk.titles(sort=[{"field": "properties.hours", "direction": "asc"}]) == ["Buddy", "Bella", "rex"]


def test_the_newest_come_first_by_default_and_any_field_can_sort(desk: Desk) -> None:
    assert desk.titles() == ["rex", "Bella", "Buddy"]
    assert desk.titles(sort=NEWEST) == ["rex", "Bella", "Buddy"]
    assert desk.titles(sort=[{"field": "properties.title", "direction": "asc"}]) == ["Bella", "Buddy", "rex"]
    assert desk.titles(sort=[{"field": "properties.hours", "direction": "desc"}]) == ["rex", "Bella", "Buddy"]
    both = [{"field": "properties.due", "direction": "asc"}, {"field": "createdAt", "direction": "asc"}]
    assert desk.titles(sort=both) == ["Bella", "Buddy", "rex"]


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("field", ["updatedAt", "createdAt", "properties.hours", "properties.title"])
def test_pages_and_cursors_walk_every_record_once(field: str, direction: str) -> None:
    desk = Desk()
    chance = random.Random(3)
    for number in range(57):
        desk.clock.advance(chance.choice([0, 0, 0.5]))
        desk.create(title=f"t{number % 10}", **({"hours": number % 7} if number % 3 else {}))
    sort = [{"field": field, "direction": direction}]
    whole = [each["id"] for each in desk.search(sort=sort).data["records"]]

    assert len(set(whole)) == 57
    assert _walk_by_page(desk, sort) == whole
    assert _walk_by_cursor(desk, sort) == whole


def _walk_by_page(desk: Desk, sort: list[dict[str, str]]) -> list[str]:
    found: list[str] = []
    for page in range(1, 100):
        reply = desk.search(sort=sort, page=page, pageLimit=10)
        assert reply.data["total"] == 57
        if not reply.data["records"]:
            return found
        found += [each["id"] for each in reply.data["records"]]
    raise AssertionError("the pages never end")


def _walk_by_cursor(desk: Desk, sort: list[dict[str, str]]) -> list[str]:
    found: list[str] = []
    cursor: list[Any] = []
    while records := desk.search(sort=sort, searchAfter=cursor, pageLimit=10).data["records"]:
        found += [each["id"] for each in records]
        cursor = records[-1]["searchAfter"]
    return found


def test_a_cursor_survives_the_deletion_of_its_record_and_takes_text_for_numbers(desk: Desk) -> None:
    first = desk.search(sort=NEWEST, pageLimit=1).data["records"][0]
    desk.call("DELETE", f"{RECORDS}/{first['id']}")

    assert desk.titles(sort=NEWEST, searchAfter=first["searchAfter"]) == ["Bella", "Buddy"]
    assert desk.titles(sort=NEWEST, searchAfter=[str(each) for each in first["searchAfter"]]) == [
        "Bella",
        "Buddy",
    ]


def test_an_update_moves_a_record_to_the_front(desk: Desk) -> None:
    oldest = desk.search(sort=OLDEST, pageLimit=1).data["records"][0]
    desk.clock.advance(1)
    desk.edit(oldest["id"], hours=9)

    assert desk.titles(sort=NEWEST) == ["Buddy", "rex", "Bella"]
    assert desk.titles() == ["rex", "Bella", "Buddy"]
    assert desk.titles(filters=[_leaf("properties.hours", "eq", 9)]) == ["Buddy"]
    assert desk.titles(filters=[_leaf("properties.hours", "eq", 1)]) == []


def test_search_lags_behind_reads_by_id(desk: Desk) -> None:
    desk.titles()
    desk.control("search_lag", seconds=30)
    record_id = desk.create(title="late", hours=1)["id"]
    assert desk.read(record_id).status == 200
    assert "late" not in desk.titles()

    desk.clock.advance(29.999)
    assert "late" not in desk.titles()
    desk.clock.advance(0.001)
    assert "late" in desk.titles()

    desk.edit(record_id, title="changed")
    assert "late" in desk.titles()
    desk.clock.advance(30)
    assert "changed" in desk.titles()

    desk.call("DELETE", f"{RECORDS}/{record_id}")
    assert desk.read(record_id).status == 404
    assert desk.search().data["total"] == 4
    desk.clock.advance(30)
    assert desk.search().data["total"] == 3


def test_depth_and_total_may_be_capped(desk: Desk) -> None:
    desk.control("options", max_depth=2, total_cap=2)

    assert desk.search(pageLimit=2).data["total"] == 2
    assert desk.search(pageLimit=2, page=2).status == 400
    cursor = desk.search(pageLimit=2).data["records"][-1]["searchAfter"]
    assert desk.titles(pageLimit=2, page=2, searchAfter=cursor) == ["Buddy"]


def test_the_page_limit_is_an_option() -> None:
    desk = Desk(Options(max_page_limit=500))

    assert desk.search(pageLimit=500).status == 200


def test_random_writes_leave_every_order_and_filter_right() -> None:
    desk = Desk()
    chance = random.Random(11)
    ids: list[str] = []
    desk.control("quota", burst=10_000)
    for _ in range(300):
        desk.clock.advance(chance.choice([0, 0.001, 1]))
        if not ids or chance.random() < 0.5:
            ids.append(desk.create(hours=chance.randrange(5), title="x")["id"])
        elif chance.random() < 0.7:
            desk.edit(chance.choice(ids), hours=chance.choice([None, *range(5)]))
        else:
            desk.call("DELETE", f"{RECORDS}/{ids.pop(chance.randrange(len(ids)))}")
        if chance.random() < 0.2:
            _check_against_plain_sorting(desk, ids)


def _check_against_plain_sorting(desk: Desk, ids: list[str]) -> None:
    hits = desk.search(sort=OLDEST).data["records"]
    rows = [desk.read(each).data["record"] for each in ids]
    assert [each["id"] for each in hits] == [
        row["id"] for row in sorted(rows, key=lambda row: (row["dateUpdated"], row["id"]))
    ][:100]
    for hours in range(5):
        reply = desk.search(filters=[_leaf("properties.hours", "eq", hours)])
        assert {each["id"] for each in reply.data["records"]} == {
            row["id"] for row in rows if row["properties"].get("hours") == hours
        }
