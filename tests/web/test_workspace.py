"""The workspace over the API: every kind of item, what stands below what, changes on top of what was read, one deed for each key."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from syncline.core.contracts import NEXT, ContractStatus
from syncline.core.values import FieldType
from syncline.core.workspace import FORMS, ItemType
from syncline.web import workspace_forms as forms
from tests.web.desk import Desk, open_desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_desk(tmp_path) as desk:
        yield desk


# --- the forms --------------------------------------------------------------------------------------------------------

BODIES: dict[ItemType, tuple[type[BaseModel], type[BaseModel], type[BaseModel]]] = {
    ItemType.PROJECT: (forms.ProjectIn, forms.ProjectPut, forms.ProjectOut),
    ItemType.DOCUMENT: (forms.DocumentIn, forms.DocumentPut, forms.DocumentOut),
    ItemType.CONTRACT: (forms.ContractIn, forms.ContractPut, forms.ContractOut),
    ItemType.MILESTONE: (forms.MilestoneIn, forms.MilestonePut, forms.MilestoneOut),
    ItemType.LEAD: (forms.LeadIn, forms.LeadPut, forms.LeadOut),
    ItemType.TASK: (forms.TaskIn, forms.TaskPut, forms.TaskOut),
    ItemType.PERSON: (forms.PersonIn, forms.PersonPut, forms.PersonOut),
}
OF_EVERY = {"id", "revision", "created_at", "last_modified", "deleted_at"}
ABOVE = {"project_id", "contract_id", "next_statuses"}


@pytest.mark.parametrize("kind", ItemType, ids=lambda kind: kind.value)
def test_the_api_has_the_fields_of_each_kind(kind: ItemType) -> None:
    made, put, out = (set(model.model_fields) for model in BODIES[kind])
    fields = FORMS[kind].fields

    assert made == put == {field.name for field in fields if not field.is_read_only}
    assert out - OF_EVERY - ABOVE == {field.name for field in fields}
    assert [name for name, field in BODIES[kind][0].model_fields.items() if field.is_required()] == [
        field.name for field in fields if field.is_required
    ]


@pytest.mark.parametrize("kind", ItemType, ids=lambda kind: kind.value)
def test_the_api_has_the_options_of_each_field(kind: ItemType) -> None:
    schema = BODIES[kind][0].model_json_schema()
    for field in FORMS[kind].fields:
        if field.type is FieldType.ONE_OF:
            told = schema["properties"][field.name]["anyOf"][0]
            told = schema["$defs"]["ContractStatus"] if "$ref" in told else told
            assert told["enum"] == [option.key for option in field.options], field.name


# --- every kind -------------------------------------------------------------------------------------------------------

TOP = {
    "/projects": (
        {"name": "Roof", "client": "Town", "labels": ["a", "b"]},
        {"name": "Roof 2", "client": None},
    ),
    "/contracts": (
        {"title": "Roof", "value": {"amount": "12500.00", "currency": "EUR"}, "ends_on": "2026-12-31"},
        {"number": "7", "status": "sent"},
    ),
    "/leads": ({"name": "Town hall", "email": "mayor@example.test"}, {"status": "qualified"}),
    "/people": ({"name": "A. Mason"}, {"role": "Roofer"}),
}
BELOW = {
    "/projects/{project}/documents": ({"title": "Offer", "progress": 20}, {"body": "<p>As agreed.</p>"}),
    "/projects/{project}/tasks": ({"title": "Slates", "estimate": "1.5"}, {"is_completed": True}),
    "/projects/{project}/milestones": ({"title": "Scaffold", "due_on": "2026-05-04"}, {"is_completed": True}),
    "/contracts/{contract}/milestones": ({"title": "Signed"}, {"due_on": "2026-05-04"}),
}


async def _place(desk: Desk, path: str) -> str:
    project = (await desk.make("/projects", name="Above"))["id"] if "{project}" in path else ""
    contract = (await desk.make("/contracts", title="Above"))["id"] if "{contract}" in path else ""
    return path.format(project=project, contract=contract)


@pytest.mark.parametrize("path", [*TOP, *BELOW])
async def test_an_item_is_made_shown_changed_removed_and_restored(desk: Desk, path: str) -> None:
    fields, change = (TOP | BELOW)[path]
    path = await _place(desk, path)

    made = await desk.visitor.post(f"/api/v1{path}", fields)
    here = made.headers["Location"]
    shown = await desk.visitor.get(here)
    assert (made.status, made.headers["ETag"], here) == (201, '"1"', f"/api/v1{path}/{made.json['id']}")
    assert made.json == shown.json
    for name, value in fields.items():
        told = {"amount": "12500", "currency": "EUR"} if name == "value" else value
        assert made.json[name] == told
    assert (shown.json["revision"], shown.headers["ETag"], shown.json["deleted_at"]) == (1, '"1"', None)

    changed = await desk.visitor.ask("PUT", here, change, {"If-Match": '"1"'})
    assert (changed.status, changed.headers["ETag"]) == (200, '"2"'), changed.raw
    for name, value in {**fields, **change}.items():
        if name != "value":
            assert changed.json[name] == value
    assert changed.json["last_modified"] > shown.json["last_modified"]
    assert changed.json["created_at"] == shown.json["created_at"]

    assert (
        await desk.visitor.ask("DELETE", here, headers={"If-Match": '"1"'})
    ).code == "request.old_revision"
    assert (await desk.visitor.ask("DELETE", here, headers={"If-Match": '"2"'})).status == 204
    assert (await desk.visitor.get(here)).status == 404
    assert (await desk.read(path))["items"] == []
    [buried] = (await desk.read(f"{path}?with_deleted=true"))["items"]
    assert buried["deleted_at"] == buried["last_modified"] > changed.json["last_modified"]

    restored = await desk.visitor.post(f"{here}/restore")
    assert (restored.status, restored.json["deleted_at"], restored.headers["ETag"]) == (200, None, '"4"')
    assert (await desk.visitor.get(here)).json == restored.json


@pytest.mark.parametrize("path", BELOW)
async def test_an_item_is_found_below_its_own_parent_only(desk: Desk, path: str) -> None:
    here, elsewhere = await _place(desk, path), await _place(desk, path)
    made = await desk.make(here, **BELOW[path][0])
    there = f"/api/v1{elsewhere}/{made['id']}"

    for method, body in (("GET", None), ("PUT", {}), ("DELETE", None)):
        assert (await desk.visitor.ask(method, there, body, {"If-Match": "*"})).status == 404
    await desk.remove(f"{here}/{made['id']}")
    assert (await desk.visitor.post(f"{there}/restore")).status == 404
    assert (await desk.visitor.get(f"/api/v1{here}/{made['id']}")).status == 404
    assert (await desk.read(elsewhere))["items"] == []


@pytest.mark.parametrize("path", BELOW)
async def test_nothing_is_made_below_what_is_not_there(desk: Desk, path: str) -> None:
    missing = f"/api/v1{path.format(project='none', contract='none')}"

    for answer in (await desk.visitor.post(missing, BELOW[path][0]), await desk.visitor.get(missing)):
        assert (answer.status, answer.code) == (404, "request.not_there")


async def test_what_is_below_stays_when_its_project_goes(desk: Desk) -> None:
    project = (await desk.make("/projects", name="Roof"))["id"]
    task = await desk.make(f"/projects/{project}/tasks", title="Slates")

    await desk.remove(f"/projects/{project}")
    await desk.visitor.post(f"/api/v1/projects/{project}/restore")

    assert (await desk.read(f"/projects/{project}/tasks"))["items"] == [task]


# --- changes ----------------------------------------------------------------------------------------------------------


async def test_a_change_is_made_on_what_was_read(desk: Desk) -> None:
    here = f"/api/v1/projects/{(await desk.make('/projects', name='Roof'))['id']}"

    blind = await desk.visitor.ask("PUT", here, {"name": "A"})
    first = await desk.visitor.ask("PUT", here, {"name": "B"}, {"If-Match": '"1"'})
    second = await desk.visitor.ask("PUT", here, {"name": "C"}, {"If-Match": '"1"'})
    same = await desk.visitor.ask("PUT", here, {"name": "B"}, {"If-Match": '"2"'})
    nothing = await desk.visitor.ask("PUT", here, {}, {"If-Match": '"2"'})

    assert (blind.status, first.status, second.status) == (428, 200, 412)
    assert (await desk.visitor.get(here)).json["name"] == "B"
    assert same.json == nothing.json == first.json


async def test_what_is_left_out_stays_and_what_is_null_is_empty_or_as_by_default(desk: Desk) -> None:
    made = await desk.make("/projects", name="Roof", client="Town", due_on="2026-09-30", status="on_hold")

    changed = await desk.change(f"/projects/{made['id']}", client=None, status=None)

    told = {name: changed.json[name] for name in ("name", "client", "due_on", "status")}
    assert told == {"name": "Roof", "client": None, "due_on": "2026-09-30", "status": "active"}


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/projects", {}, "/name"),
        ("/projects", {"name": "  "}, "/name"),
        ("/projects", {"name": "x" * 251}, "/name"),
        ("/projects", {"name": "Roof", "due_on": "2026-02-30"}, "/due_on"),
        ("/projects", {"name": "Roof", "due_on": "soon"}, "/due_on"),
        ("/projects", {"name": "Roof", "status": "lost"}, "/status"),
        ("/projects", {"name": "Roof", "budget": {"amount": "much"}}, "/budget/amount"),
        ("/projects", {"name": "Roof", "colour": "red"}, "/colour"),
        ("/projects", {"name": "Roof", "lead": "none"}, "/lead"),
        ("/projects", {"name": "Roof", "owner": "nobody"}, "/owner"),
        ("/leads", {"name": "Roof", "project": "x"}, "/project"),
        ("/leads", {"name": "Roof", "phone": "none"}, "/phone"),
        ("/contracts", {"title": "Roof", "id": "x"}, "/id"),
    ],
)
async def test_a_fault_is_told_with_its_place(desk: Desk, path: str, body: Any, pointer: str) -> None:
    answer = await desk.visitor.post(f"/api/v1{path}", body)

    assert (answer.status, answer.code) == (422, "request.invalid")
    [fault] = answer.json["errors"]
    assert fault["pointer"] == pointer
    assert fault["message"].endswith(".")
    assert fault["remedy"]
    assert (await desk.read(path))["items"] == []


async def test_the_same_request_with_the_same_key_makes_one_item(desk: Desk) -> None:
    key = {"Idempotency-Key": "a"}
    answers = [await desk.visitor.post("/api/v1/projects", {"name": "Roof"}, headers=key) for _ in range(2)]

    assert answers[0].raw == answers[1].raw
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert len((await desk.read("/projects"))["items"]) == 1


async def test_who_may_read_may_not_write(desk: Desk) -> None:
    reader = desk.office.program(await desk.admin.make_token("workspace:read"))
    other = desk.office.program(await desk.admin.make_token("records:write"))

    assert (await reader.get("/api/v1/projects")).status == 200
    assert (await reader.post("/api/v1/projects", {"name": "Roof"})).code == "access.missing_right"
    assert (await other.get("/api/v1/projects")).code == "access.missing_right"
    viewer = await desk.office.another(desk.admin, "viewer")
    operator = await desk.office.another(desk.admin, "operator")
    assert (await viewer.get("/api/v1/leads")).status == 200
    assert (await viewer.post("/api/v1/leads", {"name": "Roof"})).status == 403
    assert (await operator.post("/api/v1/leads", {"name": "Roof"})).status == 201


# --- lists ------------------------------------------------------------------------------------------------------------


async def test_a_list_is_walked_page_by_page_while_it_changes(desk: Desk) -> None:
    made = [(await desk.make("/projects", name=name))["id"] for name in "abcde"]

    first = await desk.visitor.get("/api/v1/projects?limit=2")
    await desk.change(f"/projects/{made[0]}", client="Town")
    seen = [first.json]
    while (cursor := seen[-1]["next_cursor"]) is not None:
        seen.append(await desk.read(f"/projects?limit=2&cursor={cursor}"))

    names = [item["name"] for page in seen for item in page["items"]]
    assert names == ["a", "b", "c", "d", "e", "a"]
    assert 'rel="next"' in first.headers["Link"]


async def test_whoever_asks_for_what_was_modified_since_misses_nothing(desk: Desk) -> None:
    made = [await desk.make("/projects", name=name) for name in "abc"]
    since = max(each["last_modified"] for each in made)
    path = "/projects?with_deleted=true&modified_since="

    assert (await desk.read(path + since))["items"] == []
    await desk.change(f"/projects/{made[1]['id']}", client="Town")
    await desk.remove(f"/projects/{made[0]['id']}")

    found = (await desk.read(path + since))["items"]
    assert [(each["name"], each["deleted_at"] is not None) for each in found] == [("b", False), ("a", True)]


async def test_a_list_is_of_what_its_filters_say(desk: Desk) -> None:
    await desk.make("/projects", name="a", client="Town", status="on_hold")
    await desk.make("/projects", name="b", client="Town")
    await desk.make("/projects", name="c", owner="owner@example.test")

    async def names(query: str) -> list[str]:
        return [each["name"] for each in (await desk.read(f"/projects?{query}"))["items"]]

    assert await names("client=Town") == ["a", "b"]
    assert await names("client=Town&status=on_hold") == ["a"]
    assert await names("owner=owner@example.test") == ["c"]
    assert (await desk.visitor.get("/api/v1/projects?status=lost")).status == 422


@pytest.mark.parametrize("cursor", ["x", "WyJ3b3Jrc3BhY2UucHJvamVjdCIsIngiXQ==", "WyJsZWFkcyIsIjEiXQ=="])
async def test_a_cursor_that_is_none_of_this_list_is_refused(desk: Desk, cursor: str) -> None:
    assert (await desk.visitor.get(f"/api/v1/projects?cursor={cursor}")).code == "request.cursor"


# --- contracts, documents, leads ----------------------------------------------------------------------------------------


async def test_a_contract_goes_its_way_and_no_other(desk: Desk) -> None:
    made = await desk.make("/contracts", title="Roof")
    here = f"/contracts/{made['id']}"
    assert (made["status"], made["next_statuses"]) == ("draft", ["sent", "cancelled"])

    for status in ("sent", "viewed", "signed"):
        answer = await desk.change(here, status=status)
        assert answer.json["next_statuses"] == [each.value for each in NEXT[ContractStatus(status)]]
    refused = await desk.change(here, status="draft")

    assert (refused.status, refused.code) == (409, "request.transition")
    [fault] = refused.json["errors"]
    assert (fault["pointer"], fault["found"]) == ("/status", "draft")
    assert "active, cancelled" in fault["remedy"]
    assert (await desk.read(here))["status"] == "signed"


async def test_a_document_counts_its_versions_and_keeps_them(desk: Desk) -> None:
    path = await _place(desk, "/projects/{project}/documents")
    here = f"{path}/{(await desk.make(path, title='Offer', body='<p>1</p>'))['id']}"

    await desk.change(here, progress=50)
    assert (await desk.read(here))["version"] == 1
    await desk.change(here, body="<p>2</p>")
    await desk.change(here, title="Contract")

    assert (await desk.read(here))["version"] == 3
    told = [
        (each["version"], each["title"], each["body"])
        for each in (await desk.read(f"{here}/versions"))["items"]
    ]
    assert told == [(2, "Offer", "<p>2</p>"), (1, "Offer", "<p>1</p>")]


async def test_a_lead_becomes_a_project_once(desk: Desk) -> None:
    template = (await desk.make("/projects", name="Template", is_template=True))["id"]
    await desk.make(f"/projects/{template}/documents", title="Offer", body="<p>Dear client</p>")
    lead = await desk.make("/leads", name="Town hall", company="Town")
    wish = {
        "template": template,
        "owner": "owner@example.test",
        "due_on": "2026-09-30",
        "tasks": [{"title": "Call", "due_in": 3}, {"title": "Visit", "assignee": "mason@example.test"}],
    }

    first = await desk.visitor.post(f"/api/v1/leads/{lead['id']}/to_project", wish)
    second = await desk.visitor.post(f"/api/v1/leads/{lead['id']}/to_project")

    assert (first.status, second.status) == (201, 200), first.raw
    assert first.json["id"] == second.json["id"]
    assert first.headers["Location"] == f"/api/v1/projects/{first.json['id']}"
    here = f"/projects/{first.json['id']}"
    project = await desk.read(here)
    assert (project["name"], project["lead"], project["due_on"]) == ("Town hall", lead["id"], "2026-09-30")
    assert (await desk.read(f"/leads/{lead['id']}"))["project"] == first.json["id"]
    assert [each["title"] for each in (await desk.read(f"{here}/documents"))["items"]] == ["Offer"]
    tasks = {each["title"]: each["assignee"] for each in (await desk.read(f"{here}/tasks"))["items"]}
    assert tasks == {"Call": "owner@example.test", "Visit": "mason@example.test"}
    assert len((await desk.read("/projects"))["items"]) == 2


async def test_a_lead_that_is_not_there_becomes_nothing(desk: Desk) -> None:
    assert (await desk.visitor.post("/api/v1/leads/none/to_project")).status == 404
