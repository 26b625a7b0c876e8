"""Task lists, the successor of milestones: edits, states and routes (facts: activecollab-api.md 3.3)."""

from __future__ import annotations

from syncline.sandbox.activecollab import state, task_edits, written
from syncline.sandbox.activecollab.calls import Call, Routes, single, visible_project
from syncline.sandbox.activecollab.refusals import forbidden, missing
from syncline.sandbox.activecollab.shapes import Project, TaskList
from syncline.sandbox.activecollab.state import Account, Actor
from syncline.sandbox.wire import Response


def create(account: Account, actor: Actor, project: Project, fields: written.Fields) -> TaskList:
    """A new task list. Raises `RefusedError` when the values will not do."""
    values = _read(account, {"name": None, **fields})
    list_id = account.next_id("TaskList")
    room = account.rooms[project.id]
    task_list = TaskList(
        id=list_id,
        class_="TaskList",
        url_path=f"/projects/{project.id}/task-lists/{list_id}",
        name="",
        project_id=project.id,
        position=len(room.task_lists) + 1,
        **account.created(actor),
    )
    for name, value in values.items():
        setattr(task_list, name, value)
    account.task_lists[list_id] = task_list
    room.task_lists[list_id] = None
    account.bump(project.id)
    return task_list


def update(account: Account, actor: Actor, task_list: TaskList, fields: written.Fields) -> None:
    """Change the fields that are given and known."""
    values = _read(account, fields)
    changed = {name: value for name, value in values.items() if getattr(task_list, name) != value}
    for name, value in changed.items():
        setattr(task_list, name, value)
    if changed:
        account.touch(task_list, actor)
        account.bump(task_list.project_id)


def _read(account: Account, fields: written.Fields) -> dict[str, object]:
    quirks = account.quirks
    values: dict[str, object] = {}
    if "name" in fields:
        values["name"] = written.name(fields["name"], quirks)
    for name in ("start_on", "due_on"):
        if name in fields:
            values[name] = written.day(fields[name], name, quirks)
    return values


def complete(account: Account, actor: Actor, task_list: TaskList) -> None:
    """Into the archive; its tasks stay as they are."""
    if not task_list.is_completed:
        state.complete(account, task_list, actor)
        account.bump(task_list.project_id)


def reopen(account: Account, actor: Actor, task_list: TaskList) -> None:
    """Out of the archive."""
    if task_list.is_completed:
        state.reopen(account, task_list, actor)
        account.bump(task_list.project_id)


def trash(account: Account, actor: Actor, task_list: TaskList) -> None:
    """Into the trash, and its tasks with it (unconfirmed)."""
    if task_list.is_trashed:
        return
    room = account.rooms[task_list.project_id]
    tasks = [account.tasks[each] for each in (*room.open, *room.completed)]
    gone = [task for task in tasks if task.task_list_id == task_list.id]
    for task in gone:
        task_edits.trash(account, actor, task)
    account.trashed_with["TaskList", task_list.id] = gone
    state.trash(account, task_list, actor)
    account.bump(task_list.project_id)


def restore(account: Account, actor: Actor, task_list: TaskList) -> None:
    """Out of the trash, and those tasks that went in with it."""
    if not task_list.is_trashed:
        return
    state.restore(account, task_list, actor)
    for task in account.trashed_with.pop(("TaskList", task_list.id), []):
        if task.id in account.tasks:
            task_edits.restore(account, actor, task)
    account.bump(task_list.project_id)


def purge(account: Account, task_list: TaskList) -> None:
    """Delete for good, with the tasks that went into the trash with it; other tasks lose their list."""
    for task in account.trashed_with.pop(("TaskList", task_list.id), []):
        if task.id in account.tasks and task.is_trashed:
            account.drop(task)
    room = account.rooms[task_list.project_id]
    for task_id in (*room.open, *room.completed, *room.trashed):
        task = account.tasks[task_id]
        if task.task_list_id == task_list.id:
            task.task_list_id = 0
    del room.task_lists[task_list.id], account.task_lists[task_list.id]


def task_list_of(call: Call, list_id: int) -> TaskList:
    """A task list that the user may see. Raises `RefusedError` (404)."""
    task_list = call.account.task_lists.get(list_id)
    if task_list is None:
        raise missing()
    visible_project(call, task_list.project_id)
    return task_list


def _task_list(call: Call) -> TaskList:
    task_list = task_list_of(call, call.ids[1])
    if task_list.project_id != call.ids[0]:
        raise missing()
    return task_list


def _listed(call: Call, *, is_completed: bool) -> Response:
    account = call.account
    ids = [
        each
        for each in account.rooms[call.project().id].task_lists
        if account.task_lists[each].is_completed is is_completed and not account.task_lists[each].is_trashed
    ]
    return call.paged(ids, account.task_lists)


def _active(call: Call) -> Response:
    return _listed(call, is_completed=False)


def _archive(call: Call) -> Response:
    return _listed(call, is_completed=True)


def _get(call: Call) -> Response:
    return single(_task_list(call))


def _demand_staff(call: Call) -> None:
    if call.user.class_ == "Client":
        raise forbidden(call.account.quirks, "You are not allowed to manage task lists.")


def _post(call: Call) -> Response:
    project = call.project()
    _demand_staff(call)
    return single(create(call.account, call.actor, project, call.fields()))


def _put(call: Call) -> Response:
    task_list = _task_list(call)
    _demand_staff(call)
    update(call.account, call.actor, task_list, call.fields())
    return single(task_list)


def _delete(call: Call) -> Response:
    task_list = _task_list(call)
    _demand_staff(call)
    trash(call.account, call.actor, task_list)
    return single(task_list)


ROUTES: Routes = {
    ("GET", "projects/#/task-lists"): _active,
    ("GET", "projects/#/task-lists/archive"): _archive,
    ("GET", "projects/#/task-lists/#"): _get,
    ("POST", "projects/#/task-lists"): _post,
    ("PUT", "projects/#/task-lists/#"): _put,
    ("DELETE", "projects/#/task-lists/#"): _delete,
}
