"""ActiveCollab webhooks: the secret, and what the object in a body is about (shapes as captured; facts 4)."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.connectors.activecollab import WebhookListener
from syncline.ports import Heard, Refused, Verdict
from tests.sandbox.accounts import open_account

SECRET = "a-shared-secret"
IN_PROJECTS = (
    *("task", "task_list", "subtask", "comment", "note", "discussion", "file", "time_record", "expense"),
)
HEADERS = {"x-angie-webhooksecret": SECRET}
TASK: dict[str, Any] = {
    "payload": {"class": "Task", "id": 34, "project_id": 12, "name": "Write it down"},
    "timestamp": 1774843804,
    "type": "TaskUpdated",
    "instance_id": 231686,
}


def _body(event: str = "TaskUpdated", **payload: object) -> bytes:
    return json.dumps({**TASK, "type": event, "payload": payload or TASK["payload"]}).encode()


def _heard(body: bytes) -> Heard:
    found = WebhookListener(SECRET).hear(HEADERS, body)
    assert isinstance(found, Heard)
    return found


def test_a_task_event_speaks_of_its_task() -> None:
    heard = _heard(_body())

    assert (heard.event, heard.verdict, heard.project) == ("TaskUpdated", Verdict.LOOK, "12")
    assert [(each.object_type, each.key) for each in heard.spoken] == [("task", "34")]
    assert heard.happened_at == dt.datetime.fromtimestamp(1774843804, dt.UTC)
    assert heard.mark == ""


@pytest.mark.parametrize("given_secret", ["", "a-shared-secre", "A-SHARED-SECRET", "é", None])
def test_a_wrong_or_missing_secret_is_refused_and_not_repeated(given_secret: str | None) -> None:
    headers = {} if given_secret is None else {"x-angie-webhooksecret": given_secret}

    refused = WebhookListener(SECRET).hear(headers, _body())

    assert isinstance(refused, Refused)
    assert refused.is_forged
    assert SECRET not in refused.why


def test_without_a_secret_of_ours_nobody_is_believed() -> None:
    assert isinstance(WebhookListener("").hear({}, _body()), Refused)
    assert isinstance(WebhookListener("").hear({"x-angie-webhooksecret": ""}, _body()), Refused)


def test_an_event_of_another_instance_is_refused_where_the_instance_is_known() -> None:
    assert isinstance(WebhookListener(SECRET, 231686).hear(HEADERS, _body()), Heard)
    assert isinstance(WebhookListener(SECRET, 1).hear(HEADERS, _body()), Refused)
    without = json.dumps({**TASK, "instance_id": None}).encode()
    assert isinstance(WebhookListener(SECRET).hear(HEADERS, without), Heard)


@pytest.mark.parametrize(
    ("body", "spoken", "project"),
    [
        (_body("TaskListChanged"), ["task:34"], "12"),
        (_body("TaskListChangedFromReorder"), ["task:34"], "12"),
        (_body("ProjectCreated", **{"class": "Project", "id": 12}), ["project:12"], "12"),
        (
            _body("ProjectMovedToTrash", **{"class": "Project", "id": 12}),
            ["project:12", *(f"{each}:" for each in IN_PROJECTS)],
            "12",
        ),
        (_body("TaskListCreated", **{"class": "TaskList", "id": 5, "project_id": 12}), ["task_list:5"], "12"),
        (
            _body("CommentCreated", **{"class": "Comment", "id": 9, "parent_type": "Task", "parent_id": 34}),
            ["comment:9"],
            "",
        ),
        (_body("NoteCreated", **{"class": "Note", "id": 8, "project_id": 12}), ["note:8"], "12"),
        (
            _body("DiscussionCreated", **{"class": "Discussion", "id": 8, "project_id": 12}),
            ["discussion:8"],
            "12",
        ),
        (
            _body("TimeRecordCreated", **{"class": "TimeRecord", "id": 8, "project_id": 12}),
            ["time_record:8"],
            "12",
        ),
        (
            _body("ExpenseMovedToTrash", **{"class": "Expense", "id": 8, "project_id": 12}),
            ["expense:8"],
            "12",
        ),
        (_body("FileCreated", **{"class": "File", "id": 8, "project_id": 12}), ["file:8"], "12"),
        (_body("SubtaskCompleted", **{"class": "Subtask", "id": 8, "project_id": 12}), ["subtask:8"], "12"),
        (_body("CompanyCreated", **{"class": "Company", "id": 8}), ["company:8"], ""),
        (_body("UserInvited", **{"class": "Member", "id": 8}), ["user:8"], ""),
        (_body("LabelCreated", **{"class": "TaskLabel", "id": 8}), ["label:8"], ""),
        (
            _body(
                "AttachmentCreated",
                **{"class": "WarehouseAttachment", "id": 8, "parent_type": "Task", "parent_id": 34},
            ),
            ["task:34"],
            "",
        ),
        (
            _body(
                "ActivityLogCreated",
                **{
                    "class": "SubtaskCreatedActivityLog",
                    "id": 324803,
                    "parent_type": "Task",
                    "parent_id": 41996,
                    "parent_path": "projects/2096/visible-to-clients/tasks/41996",
                },
            ),
            ["task:41996", "subtask:"],
            "2096",
        ),
        (
            _body(
                "ActivityLogCreated",
                **{
                    "class": "InstanceUpdatedActivityLog",
                    "parent_path": "projects/1/visible-to-clients/notes/7",
                },
            ),
            ["note:7"],
            "1",
        ),
        (
            _body(
                "ActivityLogCreated",
                **{"class": "ActivityLog", "id": 1, "parent_path": "projects/12/tasks/34"},
            ),
            ["task:34"],
            "12",
        ),
        (
            _body(
                "ActivityLogCreated",
                **{"class": "ActivityLog", "id": 1, "parent_type": "TaskList", "parent_id": 5},
            ),
            ["task_list:5"],
            "",
        ),
        (
            _body("ActivityLogCreated", **{"class": "ActivityLog", "id": 1, "parent_path": "projects/12"}),
            ["project:12"],
            "12",
        ),
    ],
)
def test_the_object_says_what_an_event_is_about(body: bytes, spoken: list[str], project: str) -> None:
    heard = _heard(body)

    assert [f"{each.object_type}:{each.key}" for each in heard.spoken] == spoken
    assert heard.project == project


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"type": "SomethingNew"}',
        b'{"type": 1, "payload": [], "timestamp": "soon"}',
        _body("ActivityLogCreated", **{"class": "ActivityLog", "parent_path": "people/1"}),
        _body(**{"class": "Task", "id": "34"}),
        _body(**{"class": "Task", "id": True}),
    ],
)
def test_what_carries_no_object_is_noted(body: bytes) -> None:
    heard = _heard(body)

    assert (heard.verdict, heard.spoken) == (Verdict.NOTE, ())
    assert heard.why


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{", b"[" * 100_000])
def test_what_is_no_object_is_refused_and_not_called_forged(body: bytes) -> None:
    refused = WebhookListener(SECRET).read(body)

    assert isinstance(refused, Refused)
    assert not refused.is_forged


@given(body=st.binary(max_size=60))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    assert isinstance(WebhookListener(SECRET).read(body), Heard | Refused)


def test_what_the_stand_in_sends_is_understood() -> None:
    account = open_account()
    account.vendor.control("register_webhook", {"url": "https://hooks.example.test", "secret": SECRET})
    project: Any = account.vendor.control("create_project", {"name": "Shop"})
    account.vendor.control("create_task", {"project": project.id, "name": "x"})

    heard = []
    for sent in account.vendor.outbox():
        headers = {name.lower(): value for name, value in sent.headers.items()}
        found = WebhookListener(SECRET, account.vendor.account.id).hear(headers, sent.body)
        assert isinstance(found, Heard)
        heard.append((found.event, found.spoken[0].object_type))

    assert ("ProjectCreated", "project") in heard
    assert ("TaskCreated", "task") in heard


def test_what_the_stand_in_sends_of_other_object_types_is_understood() -> None:
    account = open_account()
    account.vendor.control("register_webhook", {"url": "https://hooks.example.test", "secret": SECRET})
    task = account.task()["id"]
    spent = {"value": 1, "record_date": "2026-03-02", "job_type_id": 1}
    for kind in ("note", "discussion", "file", "time_record", "expense"):
        account.vendor.control(f"create_{kind}", {"project": 1, "name": "x", **spent})
    account.vendor.control("create_subtask", {"task": task, "body": "x"})
    account.vendor.control("create_company", {"name": "x"})

    found = [WebhookListener(SECRET).read(sent.body) for sent in account.vendor.outbox()]

    spoken = {each.object_type for heard in found if isinstance(heard, Heard) for each in heard.spoken}
    assert spoken == {
        *("task", "note", "discussion", "file", "time_record", "expense", "subtask", "company"),
    }
