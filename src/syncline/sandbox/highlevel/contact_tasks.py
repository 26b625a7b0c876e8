"""Tasks of contacts: `/contacts/{contactId}/tasks` and the search over a location (facts: highlevel-api.md 1.8).

A task tells no time of its last change, and an edit of one fires no event; only its completion does.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from syncline.sandbox.highlevel.bodies import read_body, refuse_query
from syncline.sandbox.highlevel.calls import Answer, Call
from syncline.sandbox.highlevel.contacts import addressed, missing, succeeded, user_of
from syncline.sandbox.highlevel.crm import Task
from syncline.sandbox.highlevel.crm_shapes import found_task_shape, task_event, task_shape
from syncline.sandbox.highlevel.refusals import unprocessable
from syncline.sandbox.highlevel.state import World, iso, ms_of
from syncline.sandbox.highlevel.webhooks import Event

_MAX_LIMIT = 100


class _New(msgspec.Struct, rename="camel"):
    title: str
    due_date: str
    completed: bool
    body: str = ""
    assigned_to: str = ""


class _Edit(msgspec.Struct, rename="camel"):
    title: str | None = None
    body: str | None = None
    due_date: str | None = None
    completed: bool | None = None
    assigned_to: str | None = None


class _Completion(msgspec.Struct):
    completed: bool


class _Search(msgspec.Struct, rename="camel"):
    contact_id: list[str] = []
    completed: bool | None = None
    assigned_to: list[str] = []
    query: str = ""
    limit: int = 25
    skip: int = 0
    business_id: str = ""


def list_tasks(world: World, call: Call) -> Answer:
    """GET /contacts/{contactId}/tasks."""
    refuse_query(call.request)
    _, crm, contact = addressed(world, call)
    return Answer(
        {"tasks": [task_shape(each) for each in crm.tasks.values() if each.contact_id == contact.id]}
    )


def search_tasks(world: World, call: Call) -> Answer:
    """POST /locations/{locationId}/tasks/search; there is no filter by time (facts 1.8)."""
    refuse_query(call.request)
    body = read_body(call.request, _Search)
    location_id = call.location(world, call.path["locationId"])
    if not 1 <= body.limit <= _MAX_LIMIT:
        raise unprocessable(f"limit must not be greater than {_MAX_LIMIT}")
    tasks = world.locations[location_id].crm.tasks.values()
    found = [each for each in tasks if _passes(each, body)][body.skip :][: body.limit]
    return Answer({"tasks": [found_task_shape(each, location_id) for each in found]})


def post_task(world: World, call: Call) -> Answer:
    """POST /contacts/{contactId}/tasks."""
    refuse_query(call.request)
    body = read_body(call.request, _New)
    location_id, _, contact = addressed(world, call)
    task = Task(
        id=world.ids.short(),
        contact_id=contact.id,
        title=body.title,
        due=_moment(body.due_date),
        is_completed=body.completed,
        added_at=iso(world.now_ms()),
        body=body.body,
        assigned_to=body.assigned_to,
    )
    return Answer({"task": task_shape(create(world, location_id, task))}, 201)


def get_task(world: World, call: Call) -> Answer:
    """GET /contacts/{contactId}/tasks/{taskId}."""
    refuse_query(call.request)
    return Answer({"task": task_shape(_task(world, call)[1])})


def put_task(world: World, call: Call) -> Answer:
    """PUT /contacts/{contactId}/tasks/{taskId}."""
    refuse_query(call.request)
    body = read_body(call.request, _Edit)
    location_id, task = _task(world, call)
    changed = msgspec.structs.replace(
        task,
        title=task.title if body.title is None else body.title,
        body=task.body if body.body is None else body.body,
        due=task.due if body.due_date is None else _moment(body.due_date),
        is_completed=task.is_completed if body.completed is None else body.completed,
        assigned_to=task.assigned_to if body.assigned_to is None else body.assigned_to,
    )
    return Answer({"task": task_shape(update(world, location_id, changed))})


def put_completed(world: World, call: Call) -> Answer:
    """PUT /contacts/{contactId}/tasks/{taskId}/completed."""
    refuse_query(call.request)
    body = read_body(call.request, _Completion)
    location_id, task = _task(world, call)
    changed = msgspec.structs.replace(task, is_completed=body.completed)
    return Answer({"task": task_shape(update(world, location_id, changed))})


def delete_task(world: World, call: Call) -> Answer:
    """DELETE /contacts/{contactId}/tasks/{taskId}."""
    refuse_query(call.request)
    location_id, task = _task(world, call)
    delete(world, location_id, task)
    return Answer({succeeded(call): True})


def create(world: World, location_id: str, task: Task) -> Task:
    """Keep a new task. Raises 422."""
    _check(world, location_id, task)
    world.locations[location_id].crm.tasks[task.id] = task
    _tell(world, Event.TASK_CREATE, location_id, task)
    return task


def update(world: World, location_id: str, task: Task) -> Task:
    """Keep a changed task. Only its completion is told."""
    _check(world, location_id, task)
    tasks = world.locations[location_id].crm.tasks
    was_completed, tasks[task.id] = tasks[task.id].is_completed, task
    if task.is_completed and not was_completed:
        _tell(world, Event.TASK_COMPLETE, location_id, task)
    return task


def delete(world: World, location_id: str, task: Task) -> None:
    """Delete a task for good."""
    del world.locations[location_id].crm.tasks[task.id]
    _tell(world, Event.TASK_DELETE, location_id, task)


def _tell(world: World, event: Event, location_id: str, task: Task) -> None:
    is_whole = world.options.whole_task_events
    world.webhooks.emit(event, location_id, lambda _: task_event(task, location_id, is_whole=is_whole))


def _check(world: World, location_id: str, task: Task) -> None:
    if not task.title.strip():
        raise unprocessable("title should not be empty")
    if task.assigned_to:
        user_of(world, location_id, task.assigned_to, "assignedTo")


def _task(world: World, call: Call) -> tuple[str, Task]:
    location_id, crm, contact = addressed(world, call)
    task = crm.tasks.get(call.path["taskId"])
    if task is None or task.contact_id != contact.id:
        raise missing(world, "Task", call.path["taskId"])
    return location_id, task


def _passes(task: Task, body: _Search) -> bool:
    return (
        (not body.contact_id or task.contact_id in body.contact_id)
        and body.completed in (None, task.is_completed)
        and (not body.assigned_to or task.assigned_to in body.assigned_to)
        and body.query.lower() in task.title.lower()
    )


def _moment(text: str) -> str:
    try:
        dt.datetime.fromisoformat(text)
        return iso(ms_of(text))
    except ValueError:
        raise unprocessable("dueDate must be a valid ISO 8601 date string") from None
