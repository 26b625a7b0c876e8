"""Every change a task can go through, whoever makes it: the API, a person in the web UI, or a bulk load.

Called by `tasks`, `states` and `acts`, so that histories, stamps, counters and webhooks are the same for all
(facts: activecollab-api.md 3.4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import cast

from syncline.sandbox.activecollab import labels, state, written
from syncline.sandbox.activecollab.refusals import invalid
from syncline.sandbox.activecollab.shapes import Label, Project, Task
from syncline.sandbox.activecollab.state import Account, Actor

_Reader = Callable[[Account, Project, object], object]


def _assignee(account: Account, project: Project, value: object) -> int:
    user_id = written.ident(value, "assignee_id", account.quirks)
    if user_id and user_id not in account.users:
        raise invalid(account.quirks, {"assignee_id": "Assignee does not exist."})
    return user_id


def _task_list(account: Account, project: Project, value: object) -> int:
    list_id = written.ident(value, "task_list_id", account.quirks)
    if list_id and list_id not in account.rooms[project.id].task_lists:
        raise invalid(account.quirks, {"task_list_id": "Task list does not exist in this project."})
    return list_id


def _job_type(account: Account, project: Project, value: object) -> int:
    job_type_id = written.ident(value, "job_type_id", account.quirks)
    if job_type_id and job_type_id not in account.job_types:
        raise invalid(account.quirks, {"job_type_id": "Job type does not exist."})
    return job_type_id


def _labels(account: Account, project: Project, value: object) -> list[Label]:
    return [
        labels.named(account, "TaskLabel", name) for name in written.names(value, "labels", account.quirks)
    ]


def _flag(account: Account, project: Project, value: object) -> bool:
    return written.flag(value)


_READERS: Mapping[str, _Reader] = MappingProxyType(
    {
        "name": lambda account, project, value: written.name(value, account.quirks),
        "body": lambda account, project, value: written.rich(value, "body", account.quirks),
        "assignee_id": _assignee,
        "task_list_id": _task_list,
        "due_on": lambda account, project, value: written.day(value, "due_on", account.quirks),
        "start_on": lambda account, project, value: written.day(value, "start_on", account.quirks),
        "is_important": _flag,
        "is_hidden_from_clients": _flag,
        "is_billable": _flag,
        "estimate": lambda account, project, value: written.hours(value, "estimate", account.quirks),
        "job_type_id": _job_type,
        "task_number": lambda account, project, value: written.ident(value, "task_number", account.quirks),
        "labels": _labels,
    }
)
_TITLES = MappingProxyType(
    {"body": "Description", "assignee_id": "Assignee", "task_list_id": "Task list", "due_on": "Due date"}
)


def create(account: Account, actor: Actor, project: Project, fields: written.Fields) -> Task:
    """A new task. Raises `RefusedError` when the values will not do."""
    values = _read(account, project, {"name": None, **fields}, None)
    room = account.rooms[project.id]
    room.last_task_number += 1
    task_id = account.next_id("Task")
    task = Task(
        id=task_id,
        class_="Task",
        url_path=f"/projects/{project.id}/tasks/{task_id}",
        name="",
        project_id=project.id,
        task_number=room.last_task_number,
        position=len(room.open) + 1,
        **account.created(actor),
    )
    _store(task, values)
    account.tasks[task_id] = task
    account.put_in(task)
    account.bump(project.id)
    account.notify("TaskCreated", task, actor)
    return task


def update(account: Account, actor: Actor, task: Task, fields: written.Fields) -> None:
    """Change the fields that are given and known; unknown ones are ignored without a word."""
    project = account.projects[task.project_id]
    values = _read(account, project, fields, task)
    changed = {name: value for name, value in values.items() if getattr(task, name) != value}
    if not changed:
        return
    modifications = {name: _modification(name, getattr(task, name), value) for name, value in changed.items()}
    with account.moving(task):
        _store(task, changed)
    account.touch(task, actor)
    account.record(task, actor, modifications)
    account.bump(task.project_id)
    account.notify("TaskUpdated", task, actor)
    if "task_list_id" in changed:
        account.notify("TaskListChanged", task, actor)


def complete(account: Account, actor: Actor, task: Task) -> None:
    """Complete; a completed task stays as it is."""
    if task.is_completed:
        return
    with account.moving(task):
        state.complete(account, task, actor)
    _announce(
        account,
        actor,
        task,
        "completed_on",
        (None, task.completed_on, "Marked as completed"),
        "TaskCompleted",
    )


def reopen(account: Account, actor: Actor, task: Task) -> None:
    """Open again; an open task stays as it is."""
    if not task.is_completed:
        return
    was = task.completed_on
    with account.moving(task):
        state.reopen(account, task, actor)
    _announce(account, actor, task, "completed_on", (was, None, "Reopened"), "TaskReopened")


def trash(account: Account, actor: Actor, task: Task) -> None:
    """Move to the trash."""
    if task.is_trashed:
        return
    with account.moving(task):
        state.trash(account, task, actor)
    _announce(account, actor, task, "is_trashed", (False, True, "Moved to trash"), "TaskMovedToTrash")


def restore(account: Account, actor: Actor, task: Task) -> None:
    """Take back out of the trash, completed or open as it was."""
    if not task.is_trashed:
        return
    with account.moving(task):
        state.restore(account, task, actor)
    _announce(
        account, actor, task, "is_trashed", (True, False, "Restored from trash"), "TaskRestoredFromTrash"
    )


def move(account: Account, actor: Actor, task: Task, project: Project) -> None:
    """Move to another project: the id stays, the number is new, the task list is left behind (facts 3.4, unconfirmed)."""
    was = task.project_id
    with account.moving(task):
        task.project_id, task.task_list_id = project.id, 0
        account.rooms[project.id].last_task_number += 1
        task.task_number = account.rooms[project.id].last_task_number
        task.url_path = f"/projects/{project.id}/tasks/{task.id}"
    for row in (*account.subtasks(task.id), *account.tracked(task.id)):
        row.project_id = project.id
        row.url_path = row.url_path.replace(f"/projects/{was}/", f"/projects/{project.id}/", 1)
    for comment_id in account.comments_by_parent.get(("Task", task.id), ()):
        account.comments[comment_id].project_id = project.id
    account.touch(task, actor)
    account.bump(was)
    _announce(
        account, actor, task, "project_id", (was, project.id, "Moved to another project"), "TaskUpdated"
    )


def _announce(
    account: Account, actor: Actor, task: Task, field: str, modification: tuple[object, ...], event: str
) -> None:
    account.record(task, actor, {field: modification})
    account.bump(task.project_id)
    account.notify(event, task, actor)


def _read(account: Account, project: Project, fields: written.Fields, task: Task | None) -> dict[str, object]:
    """The stored values of the known fields, with what the server adds by itself."""
    known = {name: value for name, value in fields.items() if name in _READERS}
    values = {name: _READERS[name](account, project, value) for name, value in known.items()}
    if (
        values.get("due_on") is not None
        and "start_on" not in values
        and (task is None or task.start_on is None)
    ):
        values["start_on"] = values["due_on"]
    if "estimate" in values or "job_type_id" in values:
        _demand_job_type(account, values, task)
    if not values.get("task_number", 1):
        del values["task_number"]
    return values


def _demand_job_type(account: Account, values: Mapping[str, object], task: Task | None) -> None:
    estimate = values.get("estimate", task.estimate if task else 0.0)
    if estimate and not values.get("job_type_id", task.job_type_id if task else 0):
        raise invalid(account.quirks, {"job_type_id": "Job type is required for tasks with estimates"})


def _store(task: Task, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        setattr(task, name, value)
    task.body_formatted = task.body


def _modification(field: str, old: object, new: object) -> tuple[object, ...]:
    """Old and new as the history shows them, and a sentence."""
    shown = [_shown(field, old), _shown(field, new)]
    title = _TITLES.get(field, field.replace("_", " ").capitalize())
    sentence = f"{title} updated" if field == "body" else f"{title} changed from {shown[0]} to {shown[1]}"
    return (*shown, sentence)


def _shown(field: str, value: object) -> object:
    if field in ("due_on", "start_on"):
        return written.shown_day(cast("int | None", value))
    if field == "labels":
        return [label.name for label in cast("list[Label]", value)]
    return value
