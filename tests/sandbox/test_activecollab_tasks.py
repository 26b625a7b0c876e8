"""Tasks of the ActiveCollab stand-in: one test for each quirk."""

from __future__ import annotations

import json

import pytest

from syncline.sandbox.activecollab import CLIENT_EMAIL, MEMBER_EMAIL, Quirks
from tests.sandbox.accounts import START_SECONDS, Client, open_account, refusal

NAMES_OF_FIELDS = """
    assignee_id attachments body body_formatted body_mode class comments_count completed_by_id
    completed_by_name completed_by_email completed_on completed_subtasks open_subtasks total_subtasks
    created_by_id created_by_name created_by_email created_on created_from_recurring_task_id
    delegated_by_id due_on start_on estimate fake_assignee_name fake_assignee_email id is_billable
    is_completed is_hidden_from_clients is_important is_trashed job_type_id labels name open_dependencies
    position project_id task_list_id task_number trashed_by_id trashed_on updated_by_id updated_on
    url_path
"""
FIELDS_OF_A_TASK = set(NAMES_OF_FIELDS.split())
MARCH_5 = 1772668800


@pytest.fixture
def ac() -> Client:
    return open_account()


def test_a_task_has_every_field_that_was_seen_in_the_wild(ac: Client) -> None:
    assert set(ac.task()) == FIELDS_OF_A_TASK


def test_a_task_comes_in_an_envelope_with_siblings(ac: Client) -> None:
    task = ac.task(name="One")

    wrapper = ac.get(f"projects/1/tasks/{task['id']}")

    assert set(wrapper) == {
        "single",
        "subscribers",
        "comments",
        "reminders",
        "subtasks",
        "task_list",
        "tracked_time",
        "tracked_expenses",
    }
    assert (wrapper["single"]["name"], wrapper["task_list"]) == ("One", None)


def test_nulls_of_ids_are_zero_but_not_of_completion(ac: Client) -> None:
    task = ac.task()

    assert [task[name] for name in ("assignee_id", "task_list_id", "job_type_id", "trashed_by_id")] == [
        0,
        0,
        0,
        0,
    ]
    assert (task["completed_by_id"], task["completed_on"], task["trashed_on"]) == (None, None, None)


def test_open_list_is_an_object_with_others_as_bare_ids(ac: Client) -> None:
    open_, done, gone = (ac.task(name=name)["id"] for name in ("open", "done", "gone"))
    ac.put(f"complete/task/{done}")
    ac.put(f"move-to-trash/task/{gone}")

    listing = ac.get("projects/1/tasks")

    assert [task["id"] for task in listing["tasks"]] == [open_]
    assert (listing["completed_task_ids"], listing["trashed_task_ids"]) == ([done], [gone])
    assert listing["project"]["id"] == 1
    assert listing["task_lists"] == []


def test_open_list_is_not_paged_and_ignores_filters(ac: Client) -> None:
    ac.vendor.load({"name": f"Task {number}"} for number in range(120))

    response = ac.send("GET", "projects/1/tasks?page=2&limit=5&assignee_id=99")

    assert len(json.loads(response.body)["tasks"]) == 120
    assert not [name for name in response.headers if "Pagination" in name]


def test_open_list_is_paged_where_the_quirk_says_so() -> None:
    ac = open_account(Quirks(tasks_are_paged=True, total_pages_header=True))
    ac.vendor.load({"name": f"Task {number}"} for number in range(120))

    sizes = [len(ac.get(f"projects/1/tasks?page={page}")["tasks"]) for page in (1, 2, 3)]

    assert sizes == [100, 20, 0]
    assert ac.send("GET", "projects/1/tasks").headers["X-Angie-PaginationTotalPages"] == "2"


def test_archive_is_a_paged_array(ac: Client) -> None:
    ac.vendor.load({"name": f"Task {number}", "is_completed": True} for number in range(120))

    response = ac.send("GET", "projects/1/tasks/archive?page=2")

    assert len(json.loads(response.body)) == 20
    assert response.headers["X-Angie-PaginationCurrentPage"] == "2"
    assert response.headers["X-Angie-PaginationItemsPerPage"] == "100"
    assert response.headers["X-Angie-PaginationTotalItems"] == "120"
    assert "X-Angie-PaginationTotalPages" not in response.headers
    assert ac.get("projects/1/tasks/archive?page=3") == []


def test_days_are_written_as_text_and_read_as_seconds(ac: Client) -> None:
    assert ac.task(due_on="2026-03-05", start_on="2026-03-02")["due_on"] == MARCH_5


def test_start_follows_due_when_only_due_is_sent(ac: Client) -> None:
    task = ac.task(due_on="2026-03-05")

    assert task["start_on"] == MARCH_5
    assert ac.change(task["id"], due_on="2026-03-06")["start_on"] == MARCH_5


@pytest.mark.parametrize("empty", [None, 0, ""])
def test_days_are_cleared_by_null_and_the_like(ac: Client, empty: object) -> None:
    task = ac.task(due_on="2026-03-05")

    assert ac.change(task["id"], due_on=empty)["due_on"] is None


@pytest.mark.parametrize("empty", [None, 0])
def test_references_are_cleared_by_zero_or_null(ac: Client, empty: object) -> None:
    task = ac.task(assignee_id=2)

    assert ac.change(task["id"], assignee_id=empty)["assignee_id"] == 0


def test_put_changes_only_what_is_sent_and_ignores_unknown_keys(ac: Client) -> None:
    task = ac.task(body="<p>Text</p>", is_important=True)

    changed = ac.change(task["id"], name="New", priority=5, estimated_time=3, id=99, created_on=1)

    assert changed == {**task, "name": "New"}


def test_put_without_a_body_changes_nothing(ac: Client) -> None:
    task = ac.task()

    assert ac.put(f"projects/1/tasks/{task['id']}")["single"] == task
    assert ac.put(f"projects/1/tasks/{task['id']}", {})["single"] == task
    assert ac.get(f"history/task/{task['id']}") == []


def test_updated_on_moves_by_whole_seconds(ac: Client) -> None:
    task = ac.task()
    ac.clock.advance(0.4)
    same_second = ac.change(task["id"], name="B")
    ac.clock.advance(0.7)
    later = ac.change(task["id"], name="C")

    assert (same_second["updated_on"], later["updated_on"]) == (START_SECONDS, START_SECONDS + 1)


def test_labels_are_written_as_names_and_read_as_objects(ac: Client) -> None:
    task = ac.task(labels=["NEW", " BUG ", "NEW"])

    assert [label["name"] for label in task["labels"]] == ["NEW", "BUG"]
    assert task["labels"][0]["class"] == "TaskLabel"
    assert {label["name"] for label in ac.get("labels/task-labels")} == {"NEW", "BUG"}


def test_labels_are_replaced_as_a_set(ac: Client) -> None:
    task = ac.task(labels=["A", "B"])

    assert [label["name"] for label in ac.change(task["id"], labels=["B", "C"])["labels"]] == ["B", "C"]
    assert ac.change(task["id"], labels=[])["labels"] == []
    assert len(ac.get("labels")) == 3


def test_a_renamed_label_shows_on_its_tasks(ac: Client) -> None:
    task = ac.task(labels=["A"])
    ac.put(f"labels/{task['labels'][0]['id']}", {"name": "Z"})

    assert ac.get(f"projects/1/tasks/{task['id']}")["single"]["labels"][0]["name"] == "Z"
    assert ac.task(labels=["A"])["labels"][0]["id"] != task["labels"][0]["id"]


def test_a_deleted_label_leaves_its_tasks(ac: Client) -> None:
    task = ac.task(labels=["A", "B"])
    ac.delete(f"labels/{task['labels'][0]['id']}")

    labels = ac.get(f"projects/1/tasks/{task['id']}")["single"]["labels"]

    assert [label["name"] for label in labels] == ["B"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("<p onclick='x()'>Hi<script>bad()</script></p>", "<p>Hi</p>"),
        ("<p style='color:red'>a <b>b</b></p>", "<p>a <b>b</b></p>"),
        ("a &amp; b &lt; c", "a &amp; b &lt; c"),
        ("plain", "plain"),
        ("fish & chips", "fish "),
        ("<p>1 < 2</p>", "<p>1 </p>"),
        ("a -> b", "a -"),
        (
            '<a class="mention" href="x/users/2" data-entity-type="User" data-entity-id="2" rel="y">M</a>',
            '<a class="mention" href="x/users/2" data-entity-type="User" data-entity-id="2">M</a>',
        ),
        (None, ""),
    ],
)
def test_bodies_are_sanitised_and_cut_at_raw_specials(ac: Client, sent: str | None, kept: str) -> None:
    task = ac.task(body=sent)

    assert (task["body"], task["body_formatted"], task["body_mode"]) == (kept, kept, "paragraph")


def test_raw_specials_are_escaped_where_the_quirk_says_so() -> None:
    ac = open_account(Quirks(raw_text_is_truncated=False))

    assert ac.task(body="fish & chips")["body"] == "fish &amp; chips"


def test_estimates_need_a_job_type(ac: Client) -> None:
    refused = refusal(ac.send("POST", "projects/1/tasks", {"name": "T", "estimate": 2.5}))
    task = ac.task(estimate=2.5, job_type_id=1)

    assert refused["field_errors"] == {"job_type_id": ["Job type is required for tasks with estimates"]}
    assert ac.change(task["id"], estimate="1:30")["estimate"] == 1.5
    assert ac.send("PUT", f"projects/1/tasks/{task['id']}", {"job_type_id": 0}).status == 500
    assert ac.change(task["id"], job_type_id=0, estimate=0)["job_type_id"] == 0


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 192}, "name"),
        ({"due_on": "2026-13-01"}, "due_on"),
        ({"due_on": "tomorrow"}, "due_on"),
        ({"assignee_id": 99}, "assignee_id"),
        ({"task_list_id": 99}, "task_list_id"),
        ({"job_type_id": 99}, "job_type_id"),
        ({"estimate": -1}, "estimate"),
        ({"labels": "NEW"}, "labels"),
        ({"body": 5}, "body"),
    ],
)
@pytest.mark.parametrize("status", [400, 500])
def test_validation_errors_name_the_field(fields: dict[str, object], field: str, status: int) -> None:
    ac = open_account(Quirks(validation_status=status))

    response = ac.send("POST", "projects/1/tasks", {"name": "Task", **fields})

    assert response.status == status
    assert list(refusal(response)["field_errors"]) == [field]
    assert ac.get("projects/1/tasks")["tasks"] == []


def test_a_refused_update_changes_nothing(ac: Client) -> None:
    task = ac.task()
    ac.send("PUT", f"projects/1/tasks/{task['id']}", {"name": "New", "due_on": "never"})

    assert ac.get(f"projects/1/tasks/{task['id']}")["single"] == task


def test_complete_and_open_use_the_global_id(ac: Client) -> None:
    task_id = ac.task()["id"]

    done = ac.put(f"complete/task/{task_id}")["single"]
    opened = ac.put(f"open/task/{task_id}", {})["single"]

    assert (done["is_completed"], done["completed_on"], done["completed_by_id"]) == (True, START_SECONDS, 1)
    assert (opened["is_completed"], opened["completed_on"], opened["completed_by_id"]) == (False, None, None)


def test_completing_twice_is_one_change(ac: Client) -> None:
    task_id = ac.task()["id"]
    ac.put(f"complete/task/{task_id}")
    ac.clock.advance(60)

    assert ac.put(f"complete/task/{task_id}")["single"]["completed_on"] == START_SECONDS
    assert len(ac.get(f"history/task/{task_id}")) == 1


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "projects/1/tasks/1"), ("PUT", "move-to-trash/task/1")]
)
def test_deleting_is_trashing(ac: Client, method: str, path: str) -> None:
    ac.task()

    trashed = json.loads(ac.send(method, path).body)["single"]

    assert (trashed["is_trashed"], trashed["trashed_on"], trashed["trashed_by_id"]) == (
        True,
        START_SECONDS,
        1,
    )
    assert ac.get("projects/1/tasks/1")["single"]["is_trashed"] is True
    assert ac.get("trash") == {"Task": {"1": "Task"}}


def test_restoring_brings_back_the_former_state(ac: Client) -> None:
    task_id = ac.task()["id"]
    ac.put(f"complete/task/{task_id}")
    ac.delete(f"projects/1/tasks/{task_id}")

    restored = ac.put(f"restore-from-trash/task/{task_id}")["single"]

    assert (restored["is_trashed"], restored["is_completed"], restored["trashed_on"]) == (False, True, None)
    assert ac.get("projects/1/tasks")["completed_task_ids"] == [task_id]
    assert ac.get("trash") == []


def test_a_purged_task_is_404_with_an_empty_body(ac: Client) -> None:
    task_id = ac.task()["id"]
    ac.vendor.control("purge_task", {"task": task_id})

    response = ac.send("GET", f"projects/1/tasks/{task_id}")

    assert (response.status, response.body) == (404, b"")
    assert ac.get("projects/1/tasks")["trashed_task_ids"] == []
    assert ac.send("GET", f"history/task/{task_id}").status == 404


def test_a_task_of_another_project_is_404_there(ac: Client) -> None:
    ac.post("projects", {"name": "Second"})
    task_id = ac.task()["id"]

    assert ac.send("GET", f"projects/2/tasks/{task_id}").status == 404


def test_history_tells_old_and_new_per_field(ac: Client) -> None:
    task_id = ac.task(due_on="2026-03-05", labels=["A"])["id"]
    ac.clock.advance(60)
    ac.change(task_id, name="New", due_on="2026-03-06", labels=["A", "B"])
    ac.put(f"complete/task/{task_id}")

    changed, completed = ac.get(f"history/task/{task_id}?verbose=1")

    assert changed == {
        "timestamp": START_SECONDS + 60,
        "created_by_id": 1,
        "created_by_name": "Owner One",
        "created_by_email": "owner@example.test",
        "modifications": {
            "name": ["Task", "New", "Name changed from Task to New"],
            "due_on": ["2026-03-05", "2026-03-06", "Due date changed from 2026-03-05 to 2026-03-06"],
            "labels": [["A"], ["A", "B"], "Labels changed from ['A'] to ['A', 'B']"],
        },
    }
    assert completed["modifications"] == {"completed_on": [None, START_SECONDS + 60, "Marked as completed"]}
    assert ac.get(f"history/task/{task_id}")[0]["modifications"]["name"] == ["Task", "New"]


def test_updated_by_tells_people_from_the_sync_user(ac: Client) -> None:
    task_id = ac.task()["id"]
    ac.vendor.control("update_task", {"user": 2, "task": task_id, "name": "By hand"})

    task = ac.get(f"projects/1/tasks/{task_id}")["single"]

    assert (task["name"], task["created_by_id"], task["updated_by_id"]) == ("By hand", 1, 2)


def test_task_changes_bump_the_project_activity_only(ac: Client) -> None:
    task_id = ac.task()["id"]
    before = ac.get("projects/1")["single"]
    ac.clock.advance(10)
    ac.change(task_id, name="New")

    after = ac.get("projects/1")["single"]

    assert after["last_activity_on"] == before["last_activity_on"] + 10
    assert after["updated_on"] == before["updated_on"]


def test_counters_follow_the_tasks(ac: Client) -> None:
    list_id = ac.post("projects/1/task-lists", {"name": "List"})["single"]["id"]
    first, second = (ac.task(task_list_id=list_id)["id"] for _ in range(2))
    ac.put(f"complete/task/{first}")

    task_list = ac.get(f"projects/1/task-lists/{list_id}")["single"]
    ac.change(second, task_list_id=0)
    ac.delete(f"projects/1/tasks/{first}")
    emptied = ac.get(f"projects/1/task-lists/{list_id}")["single"]

    assert (task_list["open_tasks"], task_list["completed_tasks"]) == (1, 1)
    assert (emptied["open_tasks"], emptied["completed_tasks"]) == (0, 0)
    assert ac.get("projects/1")["single"]["count_tasks"] == 1


def test_a_moved_task_keeps_its_id_and_gets_a_new_number(ac: Client) -> None:
    ac.post("projects", {"name": "Second"})
    task_id = [ac.task()["id"] for _ in range(3)][-1]

    moved = ac.put(f"projects/1/tasks/{task_id}/move-to-project", {"project_id": 2})["single"]

    assert (moved["id"], moved["project_id"], moved["task_number"]) == (task_id, 2, 1)
    assert ac.send("GET", f"projects/1/tasks/{task_id}").status == 404
    assert ac.get(f"projects/2/tasks/{task_id}")["single"]["url_path"] == f"/projects/2/tasks/{task_id}"


def test_ids_are_global_and_numbers_per_project(ac: Client) -> None:
    ac.post("projects", {"name": "Second"})
    ac.task()
    task = ac.post("projects/2/tasks", {"name": "T"})["single"]

    assert (task["id"], task["task_number"]) == (2, 1)
    assert ac.put("projects/2/tasks/2", {"task_number": 87})["single"]["task_number"] == 87


def test_a_users_tasks_are_the_open_ones_of_all_projects(ac: Client) -> None:
    ac.post("projects", {"name": "Second", "members": [2]})
    mine, done = (ac.task(assignee_id=2)["id"] for _ in range(2))
    ac.put(f"complete/task/{done}")
    other = ac.post("projects/2/tasks", {"name": "T", "assignee_id": 2})["single"]["id"]

    assert [task["id"] for task in ac.get("users/2/tasks?limit=1")["tasks"]] == [mine, other]
    assert [task["id"] for task in ac.as_user(MEMBER_EMAIL).get("users/2/tasks")["tasks"]] == [other]


def test_clients_neither_see_hidden_tasks_nor_make_any(ac: Client) -> None:
    ac.put("projects/1", {"members": [1, 3]})
    hidden = ac.task(is_hidden_from_clients=True)["id"]
    shown = ac.task()["id"]
    client = ac.as_user(CLIENT_EMAIL)

    assert [task["id"] for task in client.get("projects/1/tasks")["tasks"]] == [shown]
    assert client.send("GET", f"projects/1/tasks/{hidden}").status == 404
    assert client.send("POST", "projects/1/tasks", {"name": "T"}).status == 403
    assert client.send("PUT", f"complete/task/{shown}").status == 403


def test_comments_bump_their_task(ac: Client) -> None:
    task_id = ac.task()["id"]
    ac.clock.advance(5)
    comment = ac.as_user(MEMBER_EMAIL).send("POST", f"comments/task/{task_id}", {"body": "<p>Hi</p>"})
    mine = ac.post(f"comments/task/{task_id}", {"body": "<p>Yes &amp; no</p>"})["single"]

    task = ac.get(f"projects/1/tasks/{task_id}")

    assert comment.status == 404
    assert (task["single"]["comments_count"], task["single"]["updated_on"]) == (1, START_SECONDS + 5)
    assert [each["id"] for each in task["comments"]] == [mine["id"]]
    assert mine["parent_type"] == "Task"


def test_comments_are_listed_newest_first_and_edited_by_their_author(ac: Client) -> None:
    ac.put("projects/1", {"members": [1, 2]})
    member = ac.as_user(MEMBER_EMAIL)
    task_id = ac.task()["id"]
    first = ac.post(f"comments/task/{task_id}", {"body": "1"})["single"]["id"]
    second = member.post(f"comments/task/{task_id}", {"body": "2"})["single"]["id"]

    assert [each["id"] for each in ac.get(f"comments/task/{task_id}")] == [second, first]
    assert member.send("PUT", f"comments/{first}", {"body": "x"}).status == 403
    assert member.put(f"comments/{second}", {"body": "2b"})["single"]["last_modification_by_id"] == 2
    assert ac.delete(f"comments/{second}")["single"]["is_trashed"] is True
    assert ac.put(f"restore-from-trash/comment/{second}")["single"]["is_trashed"] is False


def test_the_report_filters_by_creation_and_project(ac: Client) -> None:
    ac.post("projects", {"name": "Second"})
    first = ac.task(labels=["NEW"])["id"]
    ac.clock.advance(2 * 86_400)
    second = ac.post("projects/2/tasks", {"name": "T", "assignee_id": 2})["single"]["id"]
    ac.put(f"complete/task/{second}")

    def found(query: str) -> list[int]:
        report = ac.get(f"reports/run?type=AssignmentFilter&{query}")
        return [row["id"] for row in report["all"]["assignments"].values()] if report else []

    assert found("") == [first, second]
    assert found("project_filter=selected_2") == [second]
    assert found("created_on_filter=selected_range_2026-03-01:2026-03-02") == [first]
    assert found("completed_on_filter=is_not_set") == [first]
    assert found("label_filter=selected_NEW&unknown_filter=x") == [first]
    assert found("user_filter=selected_2") == [second]
    assert found("user_filter=selected_3") == []
