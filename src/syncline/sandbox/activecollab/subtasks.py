"""Subtasks: what they are written with and how they are completed (facts: activecollab-api.md 3.5).

Their title is read as `name` and written as `body`. No webhook of their own is known: they surface as activity logs.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from syncline.sandbox.activecollab import state, written
from syncline.sandbox.activecollab.calls import Call, Handler, Routes, single
from syncline.sandbox.activecollab.elements import Subtask
from syncline.sandbox.activecollab.refusals import forbidden, invalid, missing
from syncline.sandbox.activecollab.shapes import Task
from syncline.sandbox.activecollab.state import Account, Actor
from syncline.sandbox.activecollab.tasks import task_of
from syncline.sandbox.wire import Response


class ActivityLog(msgspec.Struct, kw_only=True, rename={"class_": "class"}):
    """What an activity log entry tells (facts 3.13)."""

    id: int
    class_: str
    url_path: str
    parent_type: str
    parent_id: int
    parent_path: str
    created_on: int
    created_by_id: int
    created_by_name: str
    created_by_email: str


def create(account: Account, actor: Actor, task: Task, fields: written.Fields) -> Subtask:
    """A new one. Raises `RefusedError` when the values will not do."""
    values, subtask_id = _read(account, {"body": None, **fields}), account.next_id("Subtask")
    subtask = Subtask(
        id=subtask_id,
        class_="Subtask",
        url_path=f"/projects/{task.project_id}/tasks/{task.id}/subtasks/{subtask_id}",
        name="",
        task_id=task.id,
        project_id=task.project_id,
        position=len(account.subtasks(task.id)) + 1,
        **account.created(actor),
    )
    subtask.updated_by_id = msgspec.UNSET
    for name, value in values.items():
        setattr(subtask, name, value)
    account.elements.add(subtask)
    _tell(account, actor, subtask, "SubtaskCreatedActivityLog")
    return subtask


def update(account: Account, actor: Actor, subtask: Subtask, fields: written.Fields) -> None:
    """Change the fields that are given and known."""
    for name, value in _read(account, fields).items():
        setattr(subtask, name, value)
    account.touch(subtask, actor)
    account.bump(subtask.project_id)


def _read(account: Account, fields: written.Fields) -> dict[str, object]:
    quirks = account.quirks
    values: dict[str, object] = {}
    if "body" in fields:
        values["name"] = _title(account, fields["body"])
    if "assignee_id" in fields:
        values["assignee_id"] = written.ident(fields["assignee_id"], "assignee_id", quirks)
        if values["assignee_id"] and values["assignee_id"] not in account.users:
            raise invalid(quirks, {"assignee_id": "Assignee does not exist."})
    if "due_on" in fields:
        values["due_on"] = written.day(fields["due_on"], "due_on", quirks)
    return values


def _title(account: Account, given: object) -> str:
    text, longest = written.plain(given, "body", account.quirks), account.quirks.name_max_length
    if not text.strip():
        raise invalid(account.quirks, {"body": "Subtask text is required."})
    if len(text) > longest:
        raise invalid(account.quirks, {"body": f"Text is too long (maximum is {longest} characters)."})
    return text


def complete(account: Account, actor: Actor, subtask: Subtask) -> None:
    """Done; a done one stays as it is."""
    if not subtask.is_completed:
        subtask.is_completed, subtask.completed_on = True, account.now()
        subtask.completed_by_id, subtask.completed_by_name = actor.user.id, actor.user.display_name
        subtask.completed_by_email = actor.user.email
        account.touch(subtask, actor)
        _tell(account, actor, subtask, "SubtaskCompletedActivityLog")


def reopen(account: Account, actor: Actor, subtask: Subtask) -> None:
    """Not done; an open one stays as it is."""
    if subtask.is_completed:
        subtask.is_completed, subtask.completed_on, subtask.completed_by_id = False, None, None
        subtask.completed_by_name, subtask.completed_by_email = None, None
        account.touch(subtask, actor)
        _tell(account, actor, subtask, "SubtaskReopenedActivityLog")


def trash(account: Account, actor: Actor, subtask: Subtask) -> None:
    """Into the trash."""
    if not subtask.is_trashed:
        state.trash(account, subtask, actor)
        _tell(account, actor, subtask, "")


def restore(account: Account, actor: Actor, subtask: Subtask) -> None:
    """Out of the trash."""
    if subtask.is_trashed:
        state.restore(account, subtask, actor)
        _tell(account, actor, subtask, "")


def _tell(account: Account, actor: Actor, subtask: Subtask, log: str) -> None:
    """Count the task's subtasks again, and log what happened."""
    task = account.tasks[subtask.task_id]
    live = [each for each in account.subtasks(task.id) if not each.is_trashed]
    task.total_subtasks, task.completed_subtasks = len(live), sum(each.is_completed for each in live)
    task.open_subtasks = task.total_subtasks - task.completed_subtasks
    account.bump(task.project_id)
    if not log:
        return
    log_id, stamp = account.next_id("ActivityLog"), account.created(actor)
    entry = ActivityLog(
        id=log_id,
        class_=log,
        url_path=f"/activity-logs/{log_id}",
        parent_type="Task",
        parent_id=task.id,
        parent_path=f"projects/{task.project_id}/visible-to-clients/tasks/{task.id}",
        created_on=stamp["created_on"],
        created_by_id=stamp["created_by_id"],
        created_by_name=stamp["created_by_name"],
        created_by_email=stamp["created_by_email"],
    )
    account.notify("ActivityLogCreated", entry, actor)


def subtask_of(call: Call, subtask_id: int) -> Subtask:
    """One that the user may see, in the trash or not. Raises `RefusedError` (404)."""
    subtask = call.account.elements.get(Subtask, subtask_id)
    if subtask is None:
        raise missing()
    task_of(call, subtask.task_id)
    return subtask


def _task(call: Call) -> Task:
    task = task_of(call, call.ids[1])
    if task.project_id != call.ids[0]:
        raise missing()
    return task


def _at(call: Call) -> Subtask:
    task, subtask = _task(call), subtask_of(call, call.ids[2])
    if subtask.task_id != task.id:
        raise missing()
    return subtask


def _demand_staff(call: Call) -> None:
    if call.user.class_ == "Client":
        raise forbidden(call.account.quirks, "You are not allowed to change this subtask.")


def _listed(call: Call) -> Response:
    """Open and completed ones, as in the task itself."""
    return Response.json([each for each in call.account.subtasks(_task(call).id) if not each.is_trashed])


def _post(call: Call) -> Response:
    task = _task(call)
    _demand_staff(call)
    return single(create(call.account, call.actor, task, call.fields()))


def _put(call: Call) -> Response:
    subtask = _at(call)
    _demand_staff(call)
    update(call.account, call.actor, subtask, call.fields())
    return single(subtask)


def _state(edit: Callable[[Account, Actor, Subtask], None]) -> Handler:
    def handle(call: Call) -> Response:
        subtask = subtask_of(call, call.ids[0])
        _demand_staff(call)
        edit(call.account, call.actor, subtask)
        return single(subtask)

    return handle


ROUTES: Routes = {
    ("GET", "projects/#/tasks/#/subtasks"): _listed,
    ("POST", "projects/#/tasks/#/subtasks"): _post,
    ("GET", "projects/#/tasks/#/subtasks/#"): lambda call: single(_at(call)),
    ("PUT", "projects/#/tasks/#/subtasks/#"): _put,
    ("PUT", "complete/subtask/#"): _state(complete),
    ("PUT", "open/subtask/#"): _state(reopen),
    ("PUT", "move-to-trash/subtask/#"): _state(trash),
    ("PUT", "restore-from-trash/subtask/#"): _state(restore),
}
