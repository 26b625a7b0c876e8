"""The routes of tasks: open ones, archived ones, one of them, and a user's (facts: activecollab-api.md 3.4)."""

from __future__ import annotations

import itertools

from syncline.sandbox.activecollab import attachments, task_edits
from syncline.sandbox.activecollab.calls import PAGE_SIZE, Call, Routes, page_number, single, visible_project
from syncline.sandbox.activecollab.elements import TimeRecord
from syncline.sandbox.activecollab.refusals import forbidden, missing
from syncline.sandbox.activecollab.shapes import Modification, Task
from syncline.sandbox.activecollab.state import Account
from syncline.sandbox.wire import Response


def task_of(call: Call, task_id: int) -> Task:
    """A task that the user may see, trashed or not. Raises `RefusedError` (404)."""
    task = call.account.tasks.get(task_id)
    if task is None or (task.is_hidden_from_clients and call.user.class_ == "Client"):
        raise missing()
    visible_project(call, task.project_id)
    return task


def wrapped(account: Account, task: Task) -> Response:
    """One task with its siblings."""
    comments = account.comments_by_parent.get(("Task", task.id), ())
    tracked = [each for each in account.tracked(task.id) if not each.is_trashed]
    return single(
        task,
        subscribers=[task.created_by_id],
        comments=[account.comments[each] for each in comments[-1 : -PAGE_SIZE - 1 : -1]],
        reminders=[],
        subtasks=[each for each in account.subtasks(task.id) if not each.is_trashed],
        task_list=account.task_lists.get(task.task_list_id),
        tracked_time=sum(each.value for each in tracked if isinstance(each, TimeRecord)),
        tracked_expenses=sum(each.value for each in tracked if not isinstance(each, TimeRecord)),
    )


def _task(call: Call) -> Task:
    """The task of the path: in the project of the path, or 404."""
    task = task_of(call, call.ids[1])
    if task.project_id != call.ids[0]:
        raise missing()
    return task


def _visible(call: Call, ids: dict[int, None]) -> list[int] | dict[int, None]:
    if call.user.class_ != "Client":
        return ids
    return [each for each in ids if not call.account.tasks[each].is_hidden_from_clients]


def _open_tasks(call: Call) -> Response:
    """The object-shaped collection: open tasks in full, the others as bare ids."""
    account, project = call.account, call.project()
    room = account.rooms[project.id]
    ids = _visible(call, room.open)
    headers: dict[str, str] = {}
    shown = iter(ids)
    if account.quirks.tasks_are_paged:
        page = page_number(call.request)
        headers = call.paging_headers(page, len(ids))
        shown = itertools.islice(ids, (page - 1) * PAGE_SIZE, page * PAGE_SIZE)
    lists = (account.task_lists[each] for each in room.task_lists)
    data = {
        "tasks": [account.tasks[each] for each in shown],
        "task_lists": [each for each in lists if not each.is_completed and not each.is_trashed],
        "project": project,
        "completed_task_ids": list(_visible(call, room.completed)),
        "trashed_task_ids": list(_visible(call, room.trashed)),
    }
    return Response.json(data, headers=headers)


def _archive(call: Call) -> Response:
    room = call.account.rooms[call.project().id]
    return call.paged(_visible(call, room.completed), call.account.tasks)


def _get(call: Call) -> Response:
    return wrapped(call.account, _task(call))


def _post(call: Call) -> Response:
    project = call.project()
    if call.user.class_ == "Client":
        raise forbidden(call.account.quirks, "You are not allowed to add tasks to this project.")
    task = task_edits.create(call.account, call.actor, project, call.fields())
    attachments.attach(call.account, call.actor, task, call.fields())
    return wrapped(call.account, task)


def _put(call: Call) -> Response:
    task = _task(call)
    if call.user.class_ == "Client":
        raise forbidden(call.account.quirks, "You are not allowed to change this task.")
    task_edits.update(call.account, call.actor, task, call.fields())
    attachments.attach(call.account, call.actor, task, call.fields())
    return wrapped(call.account, task)


def _delete(call: Call) -> Response:
    task = _task(call)
    if call.user.class_ == "Client":
        raise forbidden(call.account.quirks, "You are not allowed to trash this task.")
    task_edits.trash(call.account, call.actor, task)
    return wrapped(call.account, task)


def _move(call: Call) -> Response:
    """Unconfirmed path and behaviour (facts 3.4)."""
    task, target = _task(call), call.fields().get("project_id")
    project = visible_project(call, target if isinstance(target, int) else 0)
    task_edits.move(call.account, call.actor, task, project)
    return wrapped(call.account, task)


def _history(call: Call) -> Response:
    """`?verbose=1` adds a sentence to each modification."""
    entries = call.account.history.get(task_of(call, call.ids[0]).id, [])
    if call.request.query.get("verbose", "0") in ("", "0"):
        return Response.json([_terse(entry) for entry in entries])
    return Response.json(entries)


def _terse(entry: Modification) -> Modification:
    pairs = {name: modification[:2] for name, modification in entry.modifications.items()}
    return Modification(
        entry.timestamp, entry.created_by_id, entry.created_by_name, entry.created_by_email, pairs
    )


def _of_user(call: Call) -> Response:
    account, user_id = call.account, call.ids[0]
    if user_id not in account.users:
        raise missing()
    seen = {project.id for project in account.projects.values() if account.sees(call.user, project)}
    tasks = [
        task
        for task in account.tasks.values()
        if task.assignee_id == user_id
        and not task.is_completed
        and not task.is_trashed
        and task.project_id in seen
    ]
    return Response.json({"tasks": tasks})


ROUTES: Routes = {
    ("GET", "projects/#/tasks"): _open_tasks,
    ("GET", "projects/#/tasks/archive"): _archive,
    ("GET", "projects/#/tasks/#"): _get,
    ("POST", "projects/#/tasks"): _post,
    ("PUT", "projects/#/tasks/#"): _put,
    ("DELETE", "projects/#/tasks/#"): _delete,
    ("PUT", "projects/#/tasks/#/move-to-project"): _move,
    ("GET", "history/task/#"): _history,
    ("GET", "users/#/tasks"): _of_user,
}
