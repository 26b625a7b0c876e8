"""Projects, task lists, people, trash, tokens, roles, webhooks and errors of the ActiveCollab stand-in."""

from __future__ import annotations

import json

import pytest

from syncline.sandbox.activecollab import (
    CLIENT_EMAIL,
    MEMBER_EMAIL,
    OWNER_EMAIL,
    PASSWORD,
    Flavour,
    Quirks,
)
from syncline.sandbox.wire import Request, Response
from tests.sandbox.accounts import START_SECONDS, Client, open_account, refusal

LOGIN = {"username": OWNER_EMAIL, "password": PASSWORD, "client_name": "n", "client_vendor": "v"}


@pytest.fixture
def ac() -> Client:
    return open_account()


def login(ac: Client, body: dict[str, object]) -> dict[str, object]:
    request = Request.of("POST", "/api/v1/external/login", {"host": "127.0.0.1:1"}, json.dumps(body).encode())
    response = ac.vendor.handle(request)
    assert response.status == 200
    return json.loads(response.body)


# Tokens


def test_self_hosted_token_works_and_tells_its_user(ac: Client) -> None:
    token = ac.post("issue-token", LOGIN)["token"]

    assert token.startswith("1-")
    assert ac.send("GET", "info", **{"x-angie-authapitoken": token}).status == 200


@pytest.mark.parametrize(
    ("change", "type_"),
    [({"username": "nobody@example.test"}, 2), ({"password": "wrong"}, 3), ({"password": None}, 3)],
)
def test_self_hosted_login_fails_with_500_and_a_number(
    ac: Client, change: dict[str, object], type_: int
) -> None:
    response = ac.send("POST", "issue-token", {**LOGIN, **change})

    assert response.status == 500
    assert refusal(response)["type"] == type_


@pytest.mark.parametrize("keeps", [True, False])
def test_asking_again_for_the_same_client(keeps: bool) -> None:
    ac = open_account(Quirks(reissue_keeps_token=keeps))
    first, second = (ac.post("issue-token", LOGIN)["token"] for _ in range(2))
    other = ac.post("issue-token", {**LOGIN, "client_name": "other"})["token"]

    assert (first == second) is keeps
    assert other not in (first, second)
    assert ac.send("GET", "info", **{"x-angie-authapitoken": first}).status == (200 if keeps else 401)


def test_cloud_token_takes_three_steps() -> None:
    ac = open_account(flavour=Flavour.CLOUD)
    answer = login(ac, {"email": OWNER_EMAIL, "password": PASSWORD})
    account = answer["accounts"][0]
    intent = answer["user"]["intent"]
    body = {"intent": intent, "client_name": "n", "client_vendor": "v"}
    token = ac.post("issue-token-intent", body)["token"]

    assert account["class"] == "ActiveCollab\\Shepherd\\Model\\Account\\ActiveCollab\\FeatherAccount"
    assert (account["name"], account["url"]) == (123456, "http://127.0.0.1:1/123456")
    assert ac.send("GET", "info", **{"x-angie-authapitoken": token}).status == 200
    assert ac.send("POST", "issue-token-intent", body).status == 500


def test_cloud_login_failure_and_second_factor() -> None:
    ac = open_account(flavour=Flavour.CLOUD)
    ac.vendor.control("set_user", {"second_factor": "246810"})

    first = login(ac, {"email": OWNER_EMAIL, "password": PASSWORD})
    wrong = login(ac, {"intent_id": first["intent_id"], "code": "0"})
    again = login(ac, {"email": OWNER_EMAIL, "password": PASSWORD})
    right = login(ac, {"intent_id": again["intent_id"], "code": "246810"})

    assert login(ac, {"email": OWNER_EMAIL, "password": "x"}) == {"is_ok": False, "message": "Login failed"}
    assert set(first) == {"intent_id"}
    assert (wrong["is_ok"], right["is_ok"]) == (False, 1)


def test_cloud_does_not_issue_tokens_the_self_hosted_way() -> None:
    ac = open_account(flavour=Flavour.CLOUD)

    assert refusal(ac.send("POST", "issue-token", LOGIN))["type"] == "ValueError"


@pytest.mark.parametrize("headers", [{}, {"x-angie-authapitoken": "1-wrong"}, {"authorization": "Basic x"}])
def test_a_bad_token_is_401_everywhere(ac: Client, headers: dict[str, str]) -> None:
    anonymous = Client(ac.vendor, ac.clock, headers)

    assert [anonymous.send("GET", path).status for path in ("info", "projects", "nonsense")] == [
        401,
        401,
        401,
    ]


@pytest.mark.parametrize(("accepted", "status"), [(True, 200), (False, 401)])
def test_bearer_keys(accepted: bool, status: int) -> None:
    ac = open_account(Quirks(bearer_is_accepted=accepted))
    bearer = Client(ac.vendor, ac.clock, {"authorization": f"Bearer {ac.vendor.token()}"})

    assert bearer.send("GET", "info").status == status


def test_tokens_are_revoked_by_api_by_logout_and_by_hand(ac: Client) -> None:
    tokens = [ac.post("issue-token", {**LOGIN, "client_name": str(n)})["token"] for n in range(2)]
    listed = ac.get("users/1/api-subscriptions")
    ac.delete(f"users/1/api-subscriptions/{listed[1]['id']}")
    ac.send("POST", "logout", **{"x-angie-authapitoken": tokens[1]})

    statuses = [ac.send("GET", "info", **{"x-angie-authapitoken": token}).status for token in tokens]
    ac.vendor.control("revoke_token", {})

    assert statuses == [401, 401]
    assert ac.send("GET", "info").status == 401


def test_an_archived_user_is_locked_out(ac: Client) -> None:
    member = ac.as_user(MEMBER_EMAIL)
    ac.put("move-to-archive/user/2")

    assert member.send("GET", "info").status == 401
    assert [user["id"] for user in ac.get("users")] == [1, 3]
    assert [user["id"] for user in ac.get("users/archive")] == [2]
    assert [user["id"] for user in ac.get("users/all")] == [1, 2, 3]


# Errors


def test_errors_come_in_the_observed_shapes(ac: Client) -> None:
    route = ac.send("GET", "people/tree")
    missing = ac.send("GET", "projects/99")
    invalid = ac.send("POST", "projects", {})

    assert (route.status, refusal(route)["message"]) == (500, "Failed to match 'people/tree' path.")
    assert (missing.status, missing.body) == (404, b"")
    assert (invalid.status, refusal(invalid)["field_errors"]) == (500, {"name": ["Name is required."]})
    for response in (route, missing, invalid):
        assert response.headers["content-type"].startswith("application/json")


def test_statuses_of_the_other_observers() -> None:
    ac = open_account(Quirks(validation_status=400, unknown_route_status=404, forbidden_status=404))

    assert ac.send("GET", "people").status == 404
    assert ac.send("POST", "projects", {}).status == 400
    assert ac.as_user(MEMBER_EMAIL).send("POST", "projects", {"name": "x"}).status == 404


@pytest.mark.parametrize("flavour", list(Flavour))
def test_a_wrong_install_path_answers_html(flavour: Flavour) -> None:
    ac = open_account(flavour=flavour)

    response = ac.vendor.handle(Request.of("GET", "/elsewhere/api/v1/projects", ac.headers, b""))

    assert (response.status, response.headers["content-type"]) == (200, "text/html")


def test_a_body_that_is_not_json_is_refused(ac: Client) -> None:
    request = Request.of("POST", "/api/v1/projects", ac.headers, b"name=x")

    assert ac.vendor.handle(request).status == 400


def test_trailing_slashes_are_tolerated(ac: Client) -> None:
    assert ac.get("projects/") == ac.get("projects")


def test_there_is_no_rate_limit_unless_one_is_set(ac: Client) -> None:
    ac.vendor.control("quota", {"requests": 2, "seconds": 10})
    statuses = [ac.send("GET", "info") for _ in range(3)]
    ac.clock.advance(10)
    after = ac.send("GET", "info")
    ac.vendor.control("quota", {"requests": None})

    assert [response.status for response in statuses] == [200, 200, 429]
    assert int(statuses[2].headers["Retry-After"]) >= 10
    assert after.status == 200
    assert {ac.send("GET", "info").status for _ in range(20)} == {200}


# Projects and task lists


def test_projects_are_paged_by_a_hundred_whatever_the_limit(ac: Client) -> None:
    for number in range(120):
        ac.post("projects", {"name": f"P{number}"})

    pages = [len(ac.get(f"projects?limit=500&page={page}")) for page in (1, 2, 3)]

    assert pages == [100, 21, 0]
    assert ac.send("GET", "projects").headers["X-Angie-PaginationTotalItems"] == "121"


def test_a_completed_project_is_in_the_archive(ac: Client) -> None:
    done = ac.put("complete/project/1")["single"]

    assert (done["is_completed"], done["completed_on"]) == (True, START_SECONDS)
    assert (ac.get("projects"), [each["id"] for each in ac.get("projects/archive")]) == ([], [1])
    assert ac.put("open/project/1")["single"]["is_completed"] is False


def test_a_project_comes_with_siblings_and_members(ac: Client) -> None:
    project = ac.post("projects", {"name": "P", "members": [2], "leader_id": 3, "body": "<p>x</p>"})

    assert set(project) == {"single", "category", "hourly_rates", "label_ids", "task_lists"}
    assert ac.get(f"projects/{project['single']['id']}/members") == [1, 2, 3]
    assert ac.get("projects/names") == {"1": "Project", "2": "P"}


def test_project_updates_are_partial_and_checked(ac: Client) -> None:
    changed = ac.put("projects/1", {"name": "New", "budget": 100.5, "unknown": 1})["single"]

    assert (changed["name"], changed["budget"]) == ("New", 100.5)
    assert ac.send("PUT", "projects/1", {"company_id": 99}).status == 500
    assert ac.send("PUT", "projects/1", {"budget_type": "gold"}).status == 500


def test_a_trashed_project_takes_its_tasks_along(ac: Client) -> None:
    first, second = (ac.task()["id"] for _ in range(2))
    ac.delete(f"projects/1/tasks/{first}")
    ac.delete("projects/1")

    trash = ac.get("trash")
    restored = ac.put("restore-from-trash/project/1")["single"]

    assert set(trash) == {"Project", "Task"}
    assert restored["is_trashed"] is False
    assert [task["id"] for task in ac.get("projects/1/tasks")["tasks"]] == [second]
    assert ac.get("projects/1/tasks")["trashed_task_ids"] == [first]


def test_task_lists_are_milestones_with_days(ac: Client) -> None:
    created = ac.post("projects/1/task-lists", {"name": "v1", "due_on": "2026-03-05"})["single"]
    list_id = created["id"]
    ac.put(f"projects/1/task-lists/{list_id}", {"name": "v1.0"})
    ac.put(f"complete/task-list/{list_id}")

    assert (created["class"], created["due_on"]) == ("TaskList", 1772668800)
    assert ac.get("projects/1/task-lists") == []
    assert [each["name"] for each in ac.get("projects/1/task-lists/archive")] == ["v1.0"]
    assert ac.put(f"open/task-list/{list_id}")["single"]["is_completed"] is False


def test_a_trashed_task_list_takes_its_tasks_along(ac: Client) -> None:
    list_id = ac.post("projects/1/task-lists", {"name": "v1"})["single"]["id"]
    inside, outside = ac.task(task_list_id=list_id)["id"], ac.task()["id"]
    ac.delete(f"projects/1/task-lists/{list_id}")

    listing = ac.get("projects/1/tasks")
    ac.put(f"restore-from-trash/task-list/{list_id}")

    assert ([task["id"] for task in listing["tasks"]], listing["trashed_task_ids"]) == ([outside], [inside])
    assert len(ac.get("projects/1/tasks")["tasks"]) == 2


def test_emptying_the_trash_goes_in_waves(ac: Client) -> None:
    for task_id in ac.vendor.load({"name": f"T{number}"} for number in range(130)):
        ac.put(f"move-to-trash/task/{task_id}")

    first, second = ac.delete("trash"), ac.delete("trash")

    assert (len(first["Task"]), second) == (30, [])


def test_purging_a_project_takes_everything_along(ac: Client) -> None:
    list_id = ac.post("projects/1/task-lists", {"name": "v1"})["single"]["id"]
    task_id = ac.task(task_list_id=list_id)["id"]
    ac.delete("projects/1")
    ac.delete("trash")

    assert ac.send("GET", "projects/1").status == 404
    assert ac.send("GET", f"history/task/{task_id}").status == 404
    assert ac.get("trash") == []


# People and companies


def test_users_and_companies_are_not_paged(ac: Client) -> None:
    response = ac.send("GET", "users?page=2")

    assert [user["email"] for user in json.loads(response.body)] == [OWNER_EMAIL, MEMBER_EMAIL, CLIENT_EMAIL]
    assert not [name for name in response.headers if "Pagination" in name]
    assert [company["is_owner"] for company in ac.get("companies?page=9")] == [True, False]
    assert [job_type["name"] for job_type in ac.get("job-types")] == ["General", "Development"]


def test_users_are_made_changed_and_trashed_by_owners(ac: Client) -> None:
    body = {"type": "Member", "email": "new@example.test", "first_name": "New", "last_name": "Four"}
    user = ac.post("users", body)["single"]

    assert (user["class"], user["display_name"], user["company_id"]) == ("Member", "New Four", 1)
    assert ac.send("POST", "users", body).status == 500
    assert ac.as_user(MEMBER_EMAIL).send("POST", "users", {**body, "email": "b@example.test"}).status == 403
    assert ac.put(f"users/{user['id']}", {"title": "Tester"})["single"]["title"] == "Tester"
    assert ac.delete(f"users/{user['id']}")["single"]["is_trashed"] is True


def test_companies_are_clients(ac: Client) -> None:
    company = ac.post("companies", {"name": "New Client"})

    assert set(company) == {"single", "hourly_rates", "active_projects_count"}
    company_id = company["single"]["id"]
    ac.put(f"companies/{company_id}", {"phone": "1"})
    ac.put(f"move-to-archive/company/{company_id}")
    assert len(ac.get("companies")) == 2
    assert len(ac.get("companies/all")) == 3
    assert ac.get(f"companies/{company_id}")["single"]["is_archived"] is True
    assert ac.delete(f"companies/{company_id}")["single"]["is_trashed"] is True


def test_labels_have_kinds_and_an_order(ac: Client) -> None:
    one = ac.post("labels", {"type": "TaskLabel", "name": "A", "color": "#fff"})["single"]
    two = ac.post("labels", {"type": "ProjectLabel", "name": "B"})["single"]
    ac.put("labels/reorder", [two["id"], one["id"]])

    assert [each["position"] for each in ac.get("labels")] == [2, 1]
    assert [each["name"] for each in ac.get("labels/project-labels")] == ["B"]
    assert [each["name"] for each in ac.get("projects/labels")] == ["B"]
    assert ac.send("POST", "labels", {"type": "Sticker", "name": "C"}).status == 500
    assert ac.send("GET", "labels/99").status == 404


# Roles


def test_members_see_only_their_projects(ac: Client) -> None:
    ac.post("projects", {"name": "Shared", "members": [2]})
    ac.task()
    member = ac.as_user(MEMBER_EMAIL)

    assert [project["name"] for project in member.get("projects")] == ["Shared"]
    for path in ("projects/1", "projects/1/tasks", "projects/1/tasks/1", "history/task/1", "comments/task/1"):
        response = member.send("GET", path)
        assert (response.status, response.body) == (404, b"")
    assert member.send("PUT", "complete/task/1").status == 404


def test_members_do_not_manage_projects_unless_permitted(ac: Client) -> None:
    ac.put("projects/1", {"members": [1, 2]})
    member = ac.as_user(MEMBER_EMAIL)

    assert member.send("PUT", "projects/1", {"name": "x"}).status == 403
    assert member.send("GET", "trash").status == 403
    ac.put("users/2", {"custom_permissions": ["can_manage_projects"]})
    assert member.put("projects/1", {"name": "x"})["single"]["name"] == "x"


# Webhooks


def events(ac: Client) -> list[str]:
    return [json.loads(delivery.body)["type"] for delivery in ac.vendor.outbox()]


def test_a_webhook_carries_the_bare_record_and_the_secret(ac: Client) -> None:
    ac.vendor.control("register_webhook", {"url": "http://127.0.0.1:1/hook", "secret": "s"})
    task = ac.task(name="One")

    (delivery,) = ac.vendor.outbox()

    assert delivery.url == "http://127.0.0.1:1/hook"
    assert delivery.headers["X-Angie-WebhookSecret"] == "s"
    assert json.loads(delivery.body) == {
        "payload": task,
        "timestamp": START_SECONDS,
        "type": "TaskCreated",
        "instance_id": 123456,
    }
    assert ac.vendor.outbox() == []


def test_each_change_has_its_event(ac: Client) -> None:
    list_id = ac.post("projects/1/task-lists", {"name": "List"})["single"]["id"]
    ac.vendor.control("register_webhook", {"url": "http://127.0.0.1:1/hook"})
    task_id = ac.task()["id"]
    ac.change(task_id, task_list_id=list_id)
    ac.put(f"complete/task/{task_id}")
    ac.put(f"open/task/{task_id}")
    ac.put(f"move-to-trash/task/{task_id}")
    ac.put(f"restore-from-trash/task/{task_id}")
    ac.post(f"comments/task/{task_id}", {"body": "x"})
    ac.put("projects/1", {"name": "Edited"})
    ac.vendor.control("purge_task", {"task": task_id})

    assert events(ac) == [
        "TaskCreated",
        "TaskUpdated",
        "TaskListChanged",
        "TaskCompleted",
        "TaskReopened",
        "TaskMovedToTrash",
        "TaskRestoredFromTrash",
        "CommentCreated",
    ]


def test_api_writes_are_silent_where_the_quirk_says_so() -> None:
    ac = open_account(Quirks(api_writes_fire_webhooks=False))
    hook = ac.vendor.control("register_webhook", {"url": "http://127.0.0.1:1/hook"})
    ac.task()
    ac.vendor.control("create_task", {"user": 2, "project": 1, "name": "By hand"})

    assert events(ac) == ["TaskCreated"]
    assert isinstance(hook, dict)
    ac.vendor.control("remove_webhook", {"webhook": hook["id"]})
    ac.vendor.control("create_task", {"project": 1, "name": "Unheard"})
    assert events(ac) == []


# The control API's actions


@pytest.mark.parametrize(
    ("action", "args"),
    [
        ("dance", {}),
        ("update_task", {}),
        ("update_task", {"task": 99}),
        ("create_task", {"project": 1}),
        ("create_task", {"project": 99, "name": "x"}),
        ("create_task", {"project": 1, "name": "x", "user": 99}),
        ("register_webhook", {"url": "ftp://x"}),
        ("set_user", {"role": "King"}),
        ("load", {"tasks": 5}),
        ("load", {"tasks": [5]}),
        ("load", {"tasks": [{"name": "x", "assignee": "nobody@example.test"}]}),
        ("quota", {"requests": "many"}),
    ],
)
def test_bad_actions_are_value_errors(ac: Client, action: str, args: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w{3}"):
        ac.vendor.control(action, args)


def test_load_makes_what_is_missing_and_stays_silent(ac: Client) -> None:
    ac.vendor.control("register_webhook", {"url": "http://127.0.0.1:1/hook"})
    task = {"name": "T", "project": "New", "task_list": "v1", "assignee": MEMBER_EMAIL, "labels": ["A"]}
    ids = ac.vendor.load([task, {**task, "is_completed": True}])

    listing = ac.get("projects/2/tasks")

    assert events(ac) == []
    assert ([each["id"] for each in listing["tasks"]], listing["completed_task_ids"]) == ([ids[0]], [ids[1]])
    assert listing["tasks"][0]["assignee_id"] == 2
    assert [each["name"] for each in listing["task_lists"]] == ["v1"]
    assert ac.get(f"history/task/{ids[1]}") == []


def test_the_same_seed_gives_the_same_account() -> None:
    def story() -> list[Response]:
        ac = open_account()
        ac.task(labels=["A"])
        token = ac.send("POST", "issue-token", LOGIN)
        return [token, ac.send("GET", "projects/1/tasks")]

    assert story() == story()


def test_actions_change_projects_lists_and_people(ac: Client) -> None:
    act = ac.vendor.control
    act("create_project", {"name": "Second", "user": 2})
    act("update_project", {"project": 2, "name": "Second, renamed"})
    act("create_task_list", {"project": 2, "name": "v1"})
    act("update_task_list", {"task_list": 1, "name": "v1.0"})
    act("complete_task_list", {"task_list": 1})
    act("create_task", {"project": 1, "name": "T"})
    act("move_task", {"task": 1, "project": 2})
    act("add_comment", {"task": 1, "body": "Hi", "user": 2})
    act("complete_project", {"project": 1})
    act("create_user", {"email": "five@example.test", "type": "Owner", "password": "x"})

    assert [project["name"] for project in ac.get("projects")] == ["Second, renamed"]
    assert ac.get("projects/2/task-lists/archive")[0]["name"] == "v1.0"
    assert ac.get("projects/2/tasks/1")["comments"][0]["created_by_id"] == 2
    assert len(ac.get("users")) == 4
