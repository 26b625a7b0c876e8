"""The one filtered, cross-project listing: `/reports/run?type=AssignmentFilter` (facts: activecollab-api.md 3.13).

Only the filters that a sync may use work (`project_filter`, `user_filter`, `label_filter`, `created_on_filter`,
`completed_on_filter`); like the vendor, it ignores the others without a word.
"""

from __future__ import annotations

import datetime as dt

from syncline.sandbox.activecollab.calls import Call, Routes
from syncline.sandbox.activecollab.refusals import invalid
from syncline.sandbox.activecollab.shapes import Task
from syncline.sandbox.wire import Response

_DAY_SECONDS = 86_400


def _run(call: Call) -> Response:
    query, account = call.request.query, call.account
    if query.get("type") != "AssignmentFilter":
        raise invalid(account.quirks, {"type": "Unknown report type."})
    seen = {project.id for project in account.projects.values() if account.sees(call.user, project)}
    rows = {
        f"Task-{task.id}": _row(call, task)
        for task in account.tasks.values()
        if task.project_id in seen and not task.is_trashed and _passes(call, task)
    }
    return Response.json({"all": {"label": "All Assignments", "assignments": rows}} if rows else [])


def _passes(call: Call, task: Task) -> bool:
    query = call.request.query
    chosen = query.get("project_filter", "").removeprefix("selected_")
    if chosen not in ("", "any") and str(task.project_id) not in chosen.split(","):
        return False
    user = query.get("user_filter", "").removeprefix("selected_")
    if user not in ("", "anybody") and str(task.assignee_id) not in user.split(","):
        return False
    label = query.get("label_filter", "").removeprefix("selected_")
    if label not in ("", "any") and label not in {each.name for each in task.labels}:
        return False
    return _passes_time(query.get("created_on_filter", ""), task.created_on) and _passes_time(
        query.get("completed_on_filter", ""), task.completed_on
    )


def _passes_time(wanted: str, at: int | None) -> bool:
    """`is_set`, `is_not_set` or `selected_range_YYYY-MM-DD:YYYY-MM-DD`; anything else lets all pass."""
    if wanted in ("is_set", "is_not_set"):
        return (at is not None) is (wanted == "is_set")
    if not wanted.startswith("selected_range_"):
        return True
    first, _, last = wanted.removeprefix("selected_range_").partition(":")
    return at is not None and _seconds(first) <= at < _seconds(last) + _DAY_SECONDS


def _seconds(day: str) -> float:
    try:
        return dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC).timestamp()
    except ValueError:
        return 0.0


def _row(call: Call, task: Task) -> dict[str, object]:
    account = call.account
    assignee, project = account.users.get(task.assignee_id), account.projects[task.project_id]
    task_list, client = account.task_lists.get(task.task_list_id), account.companies.get(project.company_id)
    return {
        "id": task.id,
        "type": "Task",
        "name": task.name,
        "task_number": task.task_number,
        "project": project.name,
        "project_id": project.id,
        "assignee": assignee.display_name if assignee else "",
        "assignee_id": task.assignee_id,
        "created_on": task.created_on,
        "due_on": task.due_on,
        "completed_on": task.completed_on,
        "task_list": task_list.name if task_list else "",
        "client_name": client.name if client else "",
        "permalink": task.url_path,
        "position": task.position,
        "tracked_time": 0,
    }


ROUTES: Routes = {("GET", "reports/run"): _run}
