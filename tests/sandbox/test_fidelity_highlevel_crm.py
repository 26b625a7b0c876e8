"""Every answer of the HighLevel stand-in about contacts, opportunities, tasks and notes fits the vendor's own files."""

from __future__ import annotations

import pytest

from syncline.sandbox.highlevel import Options
from tests.sandbox.highlevel_desk import Desk
from tests.sandbox.openapi import OfficialSpec, official_spec

SERVED = frozenset(
    {
        "GET /contacts/",
        "POST /contacts/",
        "POST /contacts/search",
        "GET /contacts/search/duplicate",
        "GET /contacts/{contactId}",
        "PUT /contacts/{contactId}",
        "DELETE /contacts/{contactId}",
        "POST /contacts/{contactId}/tags",
        "DELETE /contacts/{contactId}/tags",
        "GET /contacts/{contactId}/tasks",
        "POST /contacts/{contactId}/tasks",
        "GET /contacts/{contactId}/tasks/{taskId}",
        "PUT /contacts/{contactId}/tasks/{taskId}",
        "PUT /contacts/{contactId}/tasks/{taskId}/completed",
        "DELETE /contacts/{contactId}/tasks/{taskId}",
        "GET /contacts/{contactId}/notes",
        "POST /contacts/{contactId}/notes",
        "GET /contacts/{contactId}/notes/{id}",
        "PUT /contacts/{contactId}/notes/{id}",
        "DELETE /contacts/{contactId}/notes/{id}",
        "POST /locations/{locationId}/tasks/search",
        "GET /locations/{locationId}/tags",
        "GET /locations/{locationId}/customFields",
        "POST /locations/{locationId}/customFields",
        "GET /locations/{locationId}/customFields/{id}",
        "DELETE /locations/{locationId}/customFields/{id}",
        "GET /opportunities/pipelines",
        "GET /opportunities/search",
        "POST /opportunities/",
        "GET /opportunities/{id}",
        "PUT /opportunities/{id}",
        "PUT /opportunities/{id}/status",
        "DELETE /opportunities/{id}",
    }
)
FIELDS = (
    ("Pin", "TEXT", "452001"),
    ("Score", "NUMERICAL", 1.5),
    ("Budget", "MONETORY", 100.5),
    ("Level", "RADIO", "Low"),
    ("Areas", "CHECKBOX", ["Low"]),
)


def _field_story(desk: Desk, version: str, model: str) -> list[dict[str, object]]:
    path = f"/locations/{desk.location}/customFields"
    values: list[dict[str, object]] = []
    for name, kind, value in FIELDS:
        options = [{"label": "Low"}] if kind in {"RADIO", "CHECKBOX"} else []
        wish = {"name": name, "dataType": kind, "model": model, "position": 0, "placeholder": "?"}
        body = wish | ({"textBoxListOptions": options} if options else {})
        made = desk.call("POST", path, body, version=version).data["customField"]
        values.append({"id": made["id"], "field_value": value})
    desk.call("GET", path, query={"model": model}, version=version)
    extra = desk.call("POST", path, {"name": "Extra", "dataType": "DATE"} | {"model": model}, version=version)
    one = f"{path}/{extra.data['customField']['id']}"
    desk.call("GET", one, version=version)
    desk.call("DELETE", one, version=version)
    return values


def _contact_story(desk: Desk, version: str) -> str:
    owner = desk.account.user_ids_by_email["owner@example.test"]
    whole = {
        "locationId": desk.location,
        "firstName": "Zoë",
        "lastName": "First",
        "email": "zoe@example.test",
        "phone": "+14155550100",
        "timezone": "Europe/Berlin",
        "companyName": "Doors",
        "dateOfBirth": "1990-09-25",
        "dnd": True,
        "tags": ["new"],
        "assignedTo": owner,
        "customFields": _field_story(desk, version, "contact"),
    }
    contact = desk.call("POST", "/contacts/", whole, version=version).data["contact"]["id"]
    desk.call("POST", "/contacts/", whole, version=version)
    path = f"/contacts/{contact}"
    desk.call("GET", path, version=version)
    desk.call("PUT", path, {"firstName": "Anna", "city": "Ulm", "website": None}, version=version)
    desk.call("POST", f"{path}/tags", {"tags": ["vip"]}, version=version)
    desk.call("DELETE", f"{path}/tags", {"tags": ["new"]}, version=version)
    search = {"locationId": desk.location, "pageLimit": 10, "page": 1, "filters": []}
    desk.call("POST", "/contacts/search", search, version=version)
    duplicate = {"locationId": desk.location, "email": "zoe@example.test"}
    desk.call("GET", "/contacts/search/duplicate", query=duplicate, version=version)
    if version != "v3":
        desk.call("GET", "/contacts/", query={"locationId": desk.location, "limit": "10"}, version=version)
    desk.call("GET", f"/locations/{desk.location}/tags", version=version)
    return contact


def _attached_story(desk: Desk, version: str, contact: str) -> None:
    owner = desk.account.user_ids_by_email["owner@example.test"]
    tasks, notes = f"/contacts/{contact}/tasks", f"/contacts/{contact}/notes"
    wish = {"title": "Call", "dueDate": "2026-04-01T09:00:00Z", "completed": False, "assignedTo": owner}
    task = desk.call("POST", tasks, wish | {"body": "soon"}, version=version).data["task"]["id"]
    desk.call("GET", tasks, version=version)
    desk.call("GET", f"{tasks}/{task}", version=version)
    desk.call("PUT", f"{tasks}/{task}", {"title": "Write"}, version=version)
    desk.call("PUT", f"{tasks}/{task}/completed", {"completed": True}, version=version)
    everywhere = f"/locations/{desk.location}/tasks/search"
    desk.call("POST", everywhere, {"contactId": [contact], "limit": 10, "skip": 0}, version=version)
    desk.call("DELETE", f"{tasks}/{task}", version=version)
    body = {"body": "text", "title": "Note", "color": "#FFAA00", "pinned": True, "userId": owner}
    note = desk.call("POST", notes, body, version=version).data["note"]["id"]
    desk.call("GET", notes, version=version)
    desk.call("GET", f"{notes}/{note}", version=version)
    desk.call("PUT", f"{notes}/{note}", {"body": "other"}, version=version)
    desk.call("DELETE", f"{notes}/{note}", version=version)


def _opportunity_story(desk: Desk, version: str, contact: str) -> None:
    at = {"locationId": desk.location}
    pipelines = desk.call("GET", "/opportunities/pipelines", query=at, version=version).data["pipelines"]
    owner = desk.account.user_ids_by_email["owner@example.test"]
    name = "fieldValue" if version == "v3" else "field_value"
    customs = [
        {"id": each["id"], name: str(value) if isinstance(value := each["field_value"], float) else value}
        for each in _field_story(desk, version, "opportunity")
    ]
    wish = at | {
        "pipelineId": pipelines[0]["id"],
        "name": "Door",
        "status": "open",
        "contactId": contact,
        "monetaryValue": 100.5,
        "assignedTo": owner,
        "customFields": customs,
    }
    made = desk.call("POST", "/opportunities/", wish, version=version).data["opportunity"]["id"]
    path = f"/opportunities/{made}"
    desk.call("GET", path, version=version)
    stage = {"pipelineId": pipelines[1]["id"], "pipelineStageId": pipelines[1]["stages"][0]["id"]}
    desk.call("PUT", path, stage, version=version)
    desk.call("PUT", f"{path}/status", {"status": "won"}, version=version)
    names = ("locationId", "pipelineId") if version == "v3" else ("location_id", "pipeline_id")
    query = {names[0]: desk.location, names[1]: pipelines[1]["id"], "limit": "10", "order": "added_asc"}
    desk.call("GET", "/opportunities/search", query=query, version=version)
    desk.call("DELETE", path, version=version)


@pytest.fixture(scope="module", params=["2021-07-28", "v3"])
def story(request: pytest.FixtureRequest) -> tuple[str, Desk]:
    desk = Desk(has_ticket=False)
    contact = _contact_story(desk, request.param)
    _attached_story(desk, request.param, contact)
    _opportunity_story(desk, request.param, contact)
    desk.call("DELETE", f"/contacts/{contact}", version=request.param)
    desk.call("GET", f"/contacts/{contact}", version=request.param)
    return request.param, desk


@pytest.fixture(scope="module")
def spec() -> OfficialSpec:
    return official_spec()


def test_every_exchange_fits_the_official_files(spec: OfficialSpec, story: tuple[str, Desk]) -> None:
    for request, response in story[1].exchanges:
        spec.check_exchange(request, response)
    assert {response.status for _, response in story[1].exchanges} <= {200, 201, 400}


def test_every_served_operation_is_exercised_with_success(
    spec: OfficialSpec, story: tuple[str, Desk]
) -> None:
    version, desk = story
    done = {spec.operation(request).name for request, response in desk.exchanges if response.status < 300}

    assert done == SERVED - ({"GET /contacts/"} if version == "v3" else set())


def test_a_contact_that_is_not_there_is_refused_as_the_option_says() -> None:
    for status in (400, 404):
        desk = Desk(Options(missing_crm_status=status), has_ticket=False)

        reply = desk.call("GET", "/contacts/nobody")

        assert reply.refusal == (status, "Contact with id nobody not found")
