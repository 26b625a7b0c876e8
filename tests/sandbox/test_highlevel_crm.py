"""Quirks of the HighLevel stand-in's contacts, opportunities, tasks and notes that hurt a careless client."""

from __future__ import annotations

from typing import Any

import pytest

from syncline.sandbox.highlevel import Options
from tests.sandbox.highlevel_desk import Desk

VERSIONS = ("2021-07-28", "v3")


@pytest.fixture
def desk() -> Desk:
    return Desk(has_ticket=False)


def contact(desk: Desk, **values: object) -> dict[str, Any]:
    reply = desk.call("POST", "/contacts/", {"locationId": desk.location, "firstName": "Zoë", **values})
    assert reply.status == 201, reply
    return reply.data["contact"]


def test_an_update_replaces_all_tags_while_the_calls_for_tags_do_not(desk: Desk) -> None:
    made = contact(desk, tags=["a", "b"])
    path = f"/contacts/{made['id']}"

    assert desk.call("POST", f"{path}/tags", {"tags": ["c"]}).data["tags"] == ["a", "b", "c"]
    assert desk.call("DELETE", f"{path}/tags", {"tags": ["a"]}).data["tags"] == ["b", "c"]
    assert desk.call("PUT", path, {"tags": ["d"]}).data["contact"]["tags"] == ["d"]
    assert desk.call("PUT", path, {"city": "Ulm"}).data["contact"]["tags"] == ["d"]


@pytest.mark.parametrize(
    ("given", "field"),
    [({"email": "ZOE@example.test"}, "email"), ({"phone": "+1 (415) 555-0100"}, "phone")],
)
def test_a_duplicate_is_refused_with_the_contact_that_is_there(
    desk: Desk, given: dict[str, str], field: str
) -> None:
    made = contact(desk, email="zoe@example.test", phone="+14155550100")

    refused = desk.call("POST", "/contacts/", {"locationId": desk.location, **given})
    other = contact(desk)
    changed = desk.call("PUT", f"/contacts/{other['id']}", given)

    for reply in (refused, changed):
        assert reply.status == 400
        assert reply.data["meta"] == {
            "contactId": made["id"],
            "contactName": "Zoë",
            "matchingField": field,
        }
    desk.control("allow_duplicate_contacts", is_allowed=True)
    assert desk.call("POST", "/contacts/", {"locationId": desk.location, **given}).status == 201


def test_a_contact_of_nothing_is_refused(desk: Desk) -> None:
    reply = desk.call("POST", "/contacts/", {"locationId": desk.location, "city": "Ulm"})

    assert reply.refusal == (400, "Contacts without email, phone, firstName and lastName are not allowed.")


@pytest.mark.parametrize(
    "text",
    [
        "1990/09/25",
        "09/25/1990",
        "1990-09-25",
        "09-25-1990",
        "1990.09.25",
        "09.25.1990",
        "1990_09_25",
        "09_25_1990",
    ],
)
def test_a_date_of_birth_is_read_in_eight_forms(desk: Desk, text: str) -> None:
    assert contact(desk, dateOfBirth=text)["dateOfBirth"] == "1990-09-25"


def test_company_names_are_taken_only_when_a_contact_is_made(desk: Desk) -> None:
    made = contact(desk, companyName="Doors")

    reply = desk.call("PUT", f"/contacts/{made['id']}", {"companyName": "Windows"})

    assert reply.refusal == (422, ["property companyName should not exist"])


def test_the_old_listing_repeats_its_first_page_without_both_cursors(desk: Desk) -> None:
    made = [contact(desk, lastName=str(number))["id"] for number in range(3)]
    query = {"locationId": desk.location, "limit": "2"}
    first = [each["id"] for each in desk.call("GET", "/contacts/", query=query).data["contacts"]]
    again = desk.call("GET", "/contacts/", query=query | {"startAfterId": first[-1]}).data["contacts"]

    assert len(first) == 2
    assert [each["id"] for each in again] == first
    assert set(first) < set(made)
    assert desk.call("GET", "/contacts/", query=query, version="v3").status == 404


def test_the_search_lags_and_a_direct_read_does_not(desk: Desk) -> None:
    desk.control("search_lag", seconds=30)
    made = contact(desk)
    body = {"locationId": desk.location, "pageLimit": 10}

    assert desk.call("POST", "/contacts/search", body).data["total"] == 0
    assert desk.call("GET", f"/contacts/{made['id']}").status == 200
    desk.clock.advance(31)
    assert desk.call("POST", "/contacts/search", body).data["total"] == 1


def test_the_search_filters_sorts_and_may_know_names_in_lower_case_only() -> None:
    desk = Desk(Options(names_in_contact_search=False), has_ticket=False)
    for name in ("Zoë", "Anna"):
        contact(desk, firstName=name, city=name)
        desk.clock.advance(1)
    body = {
        "locationId": desk.location,
        "pageLimit": 10,
        "sort": [{"field": "dateAdded", "direction": "desc"}],
    }
    found = desk.call("POST", "/contacts/search", body).data["contacts"]
    filtered = body | {"filters": [{"field": "city", "operator": "eq", "value": "Zoë"}]}

    assert [each["firstNameLowerCase"] for each in found] == ["anna", "zoë"]
    assert "firstName" not in found[0]
    assert desk.call("POST", "/contacts/search", filtered).data["total"] == 1
    assert desk.call("POST", "/contacts/search", body | {"pageLimit": 1000}).status == 422


def test_deleting_a_contact_takes_its_tasks_and_notes_along(desk: Desk) -> None:
    made = contact(desk)
    task = {"title": "Call", "dueDate": "2026-04-01T09:00:00Z", "completed": False}
    desk.call("POST", f"/contacts/{made['id']}/tasks", task)
    everywhere = f"/locations/{desk.location}/tasks/search"
    assert len(desk.call("POST", everywhere, {}).data["tasks"]) == 1

    desk.call("DELETE", f"/contacts/{made['id']}")

    assert desk.call("POST", everywhere, {}).data["tasks"] == []
    assert desk.call("GET", f"/contacts/{made['id']}/tasks").status == 400


@pytest.mark.parametrize("missing", ["title", "dueDate", "completed"])
def test_a_task_needs_title_due_date_and_completion(desk: Desk, missing: str) -> None:
    made = contact(desk)
    task = {"title": "Call", "dueDate": "2026-04-01T09:00:00Z", "completed": False}
    del task[missing]

    reply = desk.call("POST", f"/contacts/{made['id']}/tasks", task)

    assert reply.refusal == (422, [f"{missing} should not be empty"])


def test_an_opportunity_keeps_its_contact_and_a_stage_must_be_of_its_pipeline(desk: Desk) -> None:
    pipelines = desk.control("pipelines")["pipelines"]
    made = desk.control(
        "make_crm", kind="opportunity", values={"name": "Door", "contactId": contact(desk)["id"]}
    )
    path = f"/opportunities/{made['id']}"

    assert desk.call("PUT", path, {"contactId": "x"}).status == 422
    assert desk.call("PUT", path, {"pipelineStageId": pipelines[1]["stages"][0]["id"]}).status == 400
    moved = desk.call("PUT", path, {"pipelineId": pipelines[1]["id"]}).data["opportunity"]
    assert moved["pipelineStageId"] == pipelines[1]["stages"][0]["id"]


def test_the_query_of_the_opportunity_search_is_spelt_by_its_version(desk: Desk) -> None:
    old, new = {"location_id": desk.location}, {"locationId": desk.location}

    answers = [
        desk.call("GET", "/opportunities/search", query=query, version=version).status
        for version in VERSIONS
        for query in (old, new)
    ]

    assert answers == [200, 422, 422, 200]
    assert desk.call("GET", "/opportunities/search", query=old | {"limit": "101"}).status == 422


def test_a_record_of_another_location_is_out_of_reach(desk: Desk) -> None:
    foreign = desk.control(
        "make_crm", kind="contact", location=desk.other_location, values={"firstName": "Anna"}
    )

    assert desk.call("GET", f"/contacts/{foreign['id']}").status == 403


def test_a_wrong_wish_of_the_web_app_is_told(desk: Desk) -> None:
    for wish in ({"kind": "spaceship"}, {"kind": "contact", "id": "nobody"}):
        with pytest.raises(ValueError, match="There is no"):
            desk.control("edit_crm", **wish)
