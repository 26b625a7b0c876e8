"""The ActiveCollab stand-in beyond tasks: shapes, envelopes and quirks of the facts (activecollab-api.md 3.5 to 3.11)."""

from __future__ import annotations

import json

import pytest

from syncline.sandbox.activecollab import CLIENT_EMAIL, Quirks
from syncline.sandbox.wire import Request
from tests.sandbox.accounts import START_SECONDS, Client, open_account, refusal

STAMPS = {"created_on", "created_by_id", "updated_on", "is_trashed", "trashed_on"}
HOURS = {"value": 1.5, "user_id": 1, "job_type_id": 1, "record_date": "2014-05-14", "billable_status": 1}


@pytest.fixture
def client() -> Client:
    return open_account()


def test_a_note_has_the_fields_and_siblings_that_were_captured(client: Client) -> None:
    made = client.post("projects/1/notes", {"name": "Übergabe", "body": "<p>One</p>"})

    assert made.keys() == {"single", "subscribers", "comments", "subnotes"}
    assert made["single"]["class"] == "Note"
    assert made["single"].keys() >= STAMPS | {
        *(
            "name",
            "body",
            "body_plain_text",
            "comments_count",
            "attachments",
            "project_id",
            "contributor_ids",
        ),
        *("notebook_id", "note_group_id", "in_notebook", "is_pinned", "position", "is_hidden_from_clients"),
    }
    assert [each["id"] for each in client.get("projects/1/notes")] == [made["single"]["id"]]
    assert client.get("projects/1")["single"]["count_notes"] == 1


def test_discussions_come_as_an_object_with_the_last_comment_of_each(client: Client) -> None:
    discussion = client.post("projects/1/discussions", {"name": "Where to?"})["single"]
    assert client.get("projects/1/discussions")["comments"] == []
    for body in ("<p>first</p>", "<p>last</p>"):
        client.post(f"comments/discussion/{discussion['id']}", {"body": body})

    listed = client.get("projects/1/discussions")

    assert [each["comments_count"] for each in listed["discussions"]] == [2]
    assert listed["comments"]["Discussion"][str(discussion["id"])]["body"] == "<p>last</p>"


def test_time_records_are_null_when_there_are_none_and_bring_their_task(client: Client) -> None:
    task = client.task()["id"]
    assert client.get("projects/1/time-records") == {"time_records": None, "related": None}

    made = client.post("projects/1/time-records", {**HOURS, "task_id": task, "summary": "Digging"})["single"]

    assert (made["parent_type"], made["parent_id"], made["record_date"]) == ("Task", task, 1400025600)
    assert "name" not in made
    listed = client.get("projects/1/time-records")
    assert list(listed["related"]) == ["Project", "Task"]
    assert client.get(f"projects/1/tasks/{task}/time-records")["time_records"] == listed["time_records"]
    assert client.get(f"projects/1/tasks/{task}")["tracked_time"] == 1.5


def test_a_project_that_is_not_billable_keeps_no_without_a_word(client: Client) -> None:
    client.put("projects/1", {"budget_type": "not_billable"})

    assert client.post("projects/1/time-records", HOURS)["single"]["billable_status"] == 0


@pytest.mark.parametrize("missing", ["value", "record_date", "job_type_id"])
def test_time_without_what_it_needs_is_invalid(client: Client, missing: str) -> None:
    fields = {name: value for name, value in HOURS.items() if name != missing}

    assert list(refusal(client.send("POST", "projects/1/time-records", fields))["field_errors"]) == [missing]


def test_tracked_time_shows_in_the_project_only_where_it_is_said_to() -> None:
    for quirks, is_shown in ((Quirks(), False), (Quirks(tracking_is_activity=True), True)):
        client = open_account(quirks)
        client.clock.advance(60)
        client.post("projects/1/time-records", HOURS)

        activity = client.get("projects/1")["single"]["last_activity_on"]
        assert (activity > START_SECONDS) is is_shown


def test_expenses_have_no_route_that_writes(client: Client) -> None:
    client.vendor.control("create_expense", {"project": 1, "value": 9, "record_date": "2026-03-02"})

    assert [each["value"] for each in client.get("projects/1/expenses")["expenses"]] == [9]
    assert "Failed to match" in refusal(client.send("POST", "projects/1/expenses", {"value": 1}))["message"]


def test_a_subtask_is_written_as_body_read_as_name_and_counted(client: Client) -> None:
    task = client.task()["id"]
    path = f"projects/1/tasks/{task}/subtasks"
    assert "body" in refusal(client.send("POST", path, {"name": "Not this key"}))["field_errors"]

    made = client.post(path, {"body": "Step", "assignee_id": 1})["single"]
    client.put(f"complete/subtask/{made['id']}")

    assert (made["name"], made["class"], "updated_by_id" in made) == ("Step", "Subtask", False)
    whole = client.get(f"projects/1/tasks/{task}")
    assert [each["is_completed"] for each in whole["subtasks"]] == [True]
    counts = [whole["single"][f"{name}_subtasks"] for name in ("total", "completed", "open")]
    assert counts == [1, 1, 0]


def test_a_comment_tells_what_it_is_on_and_has_no_name(client: Client) -> None:
    note = client.post("projects/1/notes", {"name": "Note"})["single"]["id"]

    comment = client.post(f"comments/note/{note}", {"body": "<p>Hi <b>you</b></p>"})["single"]

    assert (comment["parent_type"], comment["parent_id"], comment["project_id"]) == ("Note", note, 1)
    assert (comment["body_plain_text"], "name" in comment) == ("Hi you", False)
    assert client.get(f"projects/1/notes/{note}")["single"]["comments_count"] == 1


def test_what_is_trashed_stands_in_the_trash_by_class_and_can_be_taken_out(client: Client) -> None:
    note = client.post("projects/1/notes", {"name": "Note"})["single"]["id"]
    hours = client.post("projects/1/time-records", HOURS)["single"]["id"]

    assert client.delete(f"projects/1/notes/{note}")["single"]["is_trashed"] is True
    client.delete(f"projects/1/time-records/{hours}")

    assert client.get("trash") == {
        "Note": {str(note): "Note"},
        "TimeRecord": {str(hours): f"TimeRecord #{hours}"},
    }
    client.put(f"restore-from-trash/note/{note}")
    client.delete("trash")
    assert client.get("trash") == []
    assert client.send("GET", f"projects/1/time-records/{hours}").status == 404
    assert client.get(f"projects/1/notes/{note}")["single"]["is_trashed"] is False


def test_a_project_takes_all_that_is_in_it_along(client: Client) -> None:
    note = client.post("projects/1/notes", {"name": "Note"})["single"]["id"]
    client.delete("projects/1")
    assert client.get(f"projects/1/notes/{note}")["single"]["is_trashed"] is True

    client.put("restore-from-trash/project/1")

    assert client.get(f"projects/1/notes/{note}")["single"]["is_trashed"] is False


def test_clients_see_nothing_hidden_and_no_time(client: Client) -> None:
    client.put("projects/1", {"members": [1, 3]})
    hidden = client.post("projects/1/notes", {"name": "Ours", "is_hidden_from_clients": True})["single"]["id"]
    hours = client.post("projects/1/time-records", HOURS)["single"]["id"]
    guest = client.as_user(CLIENT_EMAIL)

    assert guest.get("projects/1/notes") == []
    assert guest.send("GET", f"projects/1/notes/{hidden}").status == 404
    assert guest.send("GET", f"projects/1/time-records/{hours}").status == 404
    assert guest.send("POST", "projects/1/notes", {"name": "Mine"}).status == 403


def test_an_upload_is_attached_by_its_code_once(client: Client) -> None:
    body = (
        b'--b\r\ncontent-disposition: form-data; name="attachment_1"; filename="a.txt"\r\n'
        b"content-type: text/plain\r\n\r\nsome bytes\r\n--b--\r\n"
    )
    sent = client.vendor.handle(_request(client, "upload-files", body, "multipart/form-data; boundary=b"))
    (uploaded,) = json.loads(sent.body)

    task = client.task(attach_uploaded_files=[uploaded["code"]])

    assert (uploaded["class"], uploaded["size"], uploaded["mime_type"]) == (
        "LocalUploadedFile",
        10,
        "text/plain",
    )
    (attached,) = task["attachments"]
    assert attached["class"] == "LocalAttachment"
    assert attached["download_url"].endswith("--DOWNLOAD-TOKEN--")
    assert client.get(f"attachments/{attached['id']}")["parent"] == {"id": task["id"], "class": "Task"}
    assert client.send("GET", f"attachments/{attached['id']}/download").body == b"some bytes"
    again = client.send(
        "POST", "projects/1/tasks", {"name": "x", "attach_uploaded_files": [uploaded["code"]]}
    )
    assert "attach_uploaded_files" in refusal(again)["field_errors"]


def _request(client: Client, path: str, body: bytes, kind: str) -> Request:
    headers = {**client.headers, "content-type": kind}
    return Request.of("POST", f"{client.vendor.root_path}/api/v1/{path}", headers, body)
