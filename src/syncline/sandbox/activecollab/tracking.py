"""Time records and expenses of projects and tasks (facts: activecollab-api.md 3.10).

Expenses are only read over the API: no source confirms how they are written. A person makes them in the web UI.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from syncline.sandbox.activecollab import state, written
from syncline.sandbox.activecollab.calls import Call, Handler, Routes, single, visible_project
from syncline.sandbox.activecollab.elements import E, Expense, TimeRecord, Tracked
from syncline.sandbox.activecollab.refusals import forbidden, invalid, missing, unknown_route
from syncline.sandbox.activecollab.shapes import Project
from syncline.sandbox.activecollab.state import Account, Actor
from syncline.sandbox.activecollab.tasks import task_of
from syncline.sandbox.wire import Response

_BILLABLE = 1
_NEEDED: Mapping[str, object] = {"value": None, "record_date": None}


def log_time(account: Account, actor: Actor, project: Project, fields: written.Fields) -> TimeRecord:
    """Hours on a project, or (`task_id`) on a task of it. Raises `RefusedError` when the values will not do."""
    values = _read(account, project, {**_NEEDED, "job_type_id": None, **fields})
    record_id = account.next_id("TimeRecord")
    record = TimeRecord(
        id=record_id,
        class_="TimeRecord",
        url_path=f"/projects/{project.id}/time-records/{record_id}",
        project_id=project.id,
        parent_id=project.id,
        user_id=actor.user.id,
        **account.created(actor),
    )
    _keep(account, actor, record, values)
    return record


def log_expense(account: Account, actor: Actor, project: Project, fields: written.Fields) -> Expense:
    """Money on a project, or (`task_id`) on a task of it. Raises `RefusedError` when the values will not do."""
    values = _read(account, project, {**_NEEDED, **fields})
    expense_id = account.next_id("Expense")
    expense = Expense(
        id=expense_id,
        class_="Expense",
        url_path=f"/projects/{project.id}/expenses/{expense_id}",
        project_id=project.id,
        parent_id=project.id,
        user_id=actor.user.id,
        **account.created(actor),
    )
    _keep(account, actor, expense, values)
    return expense


def _keep(account: Account, actor: Actor, row: Tracked, values: Mapping[str, object]) -> None:
    _store(account, row, values)
    account.elements.add(row)
    _bump(account, row)
    account.notify(f"{row.class_}Created", row, actor)


def _bump(account: Account, row: Tracked) -> None:
    """Whether tracking counts as an activity of the project is not known (facts 6)."""
    if account.quirks.tracking_is_activity:
        account.bump(row.project_id)


def update(account: Account, actor: Actor, row: Tracked, fields: written.Fields) -> None:
    """Change the fields that are given and known; what it was tracked on stays. Edits fire no webhook (facts 4)."""
    values = _read(account, account.projects[row.project_id], {**fields, "task_id": None})
    _store(account, row, values)
    account.touch(row, actor)
    _bump(account, row)


def trash(account: Account, actor: Actor, row: Tracked) -> None:
    """Into the trash."""
    if not row.is_trashed:
        state.trash(account, row, actor)
        _bump(account, row)
        account.notify(f"{row.class_}MovedToTrash", row, actor)


def restore(account: Account, actor: Actor, row: Tracked) -> None:
    """Out of the trash."""
    if row.is_trashed:
        state.restore(account, row, actor)
        _bump(account, row)
        account.notify(f"{row.class_}RestoredFromTrash", row, actor)


def _store(account: Account, row: Tracked, values: Mapping[str, object]) -> None:
    for name in values.keys() & set(row.__struct_fields__):
        setattr(row, name, values[name])
    if account.projects[row.project_id].budget_type == "not_billable" and row.billable_status == _BILLABLE:
        row.billable_status = 0


def _read(account: Account, project: Project, fields: written.Fields) -> dict[str, object]:
    quirks = account.quirks
    values: dict[str, object] = {}
    if "value" in fields:
        values["value"] = _amount(account, fields["value"])
    if "record_date" in fields:
        if (on := written.day(fields["record_date"], "record_date", quirks)) is None:
            raise invalid(quirks, {"record_date": "Record date is required."})
        values["record_date"] = on
    if "summary" in fields:
        values["summary"] = written.plain(fields["summary"], "summary", quirks)
    if "user_id" in fields:
        values["user_id"] = _user(account, fields["user_id"])
    if "job_type_id" in fields:
        values["job_type_id"] = _job_type(account, fields["job_type_id"])
    if "billable_status" in fields:
        values["billable_status"] = written.ident(fields["billable_status"], "billable_status", quirks)
    if task_id := written.ident(fields.get("task_id"), "task_id", quirks):
        values.update(_on_task(account, project, task_id))
    return values


def _amount(account: Account, given: object) -> float:
    amount = written.hours(given, "value", account.quirks)
    if not amount:
        raise invalid(account.quirks, {"value": "Value is required."})
    return amount


def _user(account: Account, given: object) -> int:
    user_id = written.ident(given, "user_id", account.quirks)
    if user_id not in account.users:
        raise invalid(account.quirks, {"user_id": "User does not exist."})
    return user_id


def _job_type(account: Account, given: object) -> int:
    job_type_id = written.ident(given, "job_type_id", account.quirks)
    if job_type_id not in account.job_types:
        raise invalid(account.quirks, {"job_type_id": "Job type is required."})
    return job_type_id


def _on_task(account: Account, project: Project, task_id: int) -> dict[str, object]:
    task = account.tasks.get(task_id)
    if task is None or task.project_id != project.id:
        raise invalid(account.quirks, {"task_id": "Task does not exist in this project."})
    return {"parent_type": "Task", "parent_id": task_id}


def tracked_of(call: Call, kind: type[E], row_id: int) -> E:
    """One that the user may see, in the trash or not. Raises `RefusedError` (404)."""
    row = call.account.elements.get(kind, row_id)
    if row is None or call.user.class_ == "Client":
        raise missing()
    visible_project(call, row.project_id)
    return row


def _at(call: Call, kind: type[E]) -> E:
    row = tracked_of(call, kind, call.ids[1])
    if row.project_id != call.ids[0]:
        raise missing()
    return row


def _collection(call: Call, name: str, rows: list[TimeRecord] | list[Expense]) -> Response:
    """Object-shaped and not paged, with the tasks and projects beside; nothing at all is null (facts 2, 3.10)."""
    account = call.account
    tasks = {
        str(each.parent_id): account.tasks[each.parent_id] for each in rows if each.parent_type == "Task"
    }
    places = {str(each.project_id): account.projects[each.project_id] for each in rows}
    related = {"Project": places, **({"Task": tasks} if tasks else {})} if rows else None
    return Response.json({name: rows or None, "related": related})


def _demand_staff(call: Call) -> None:
    if call.user.class_ == "Client":
        raise forbidden(call.account.quirks, "You are not allowed to track time.")


def _time_records(call: Call) -> Response:
    rows = call.account.elements.live(TimeRecord, call.project().id)
    return _collection(call, "time_records", rows)


def _of_task(call: Call) -> Response:
    task = task_of(call, call.ids[1])
    rows = call.account.elements.live(TimeRecord, task.project_id)
    mine = [row for row in rows if (row.parent_type, row.parent_id) == ("Task", task.id)]
    return _collection(call, "time_records", mine)


def _of_user(call: Call) -> Response:
    rows = [
        row
        for row in call.account.elements.all(TimeRecord)
        if row.user_id == call.ids[0]
        and not row.is_trashed
        and call.account.sees(call.user, call.account.projects[row.project_id])
    ]
    return _collection(call, "time_records", rows)


def _expenses(call: Call) -> Response:
    """Its form is not confirmed: an object like that of time records, or a bare array."""
    rows = call.account.elements.live(Expense, call.project().id)
    if not call.account.quirks.expenses_are_wrapped:
        return Response.json(rows)
    return _collection(call, "expenses", rows)


def _expense(call: Call) -> Response:
    """Unconfirmed, like the route of one time record."""
    if not call.account.quirks.one_expense_is_readable:
        raise unknown_route(call.account.quirks, "/".join(call.request.path.split("/")[-4:]))
    return single(_at(call, Expense))


def _post(call: Call) -> Response:
    project = call.project()
    _demand_staff(call)
    return single(log_time(call.account, call.actor, project, call.fields()))


def _put(call: Call) -> Response:
    record = _at(call, TimeRecord)
    update(call.account, call.actor, record, call.fields())
    return single(record)


def _delete(call: Call) -> Response:
    record = _at(call, TimeRecord)
    trash(call.account, call.actor, record)
    return single(record)


def _state(edit: Callable[[Account, Actor, Tracked], None]) -> Handler:
    def handle(call: Call) -> Response:
        record = tracked_of(call, TimeRecord, call.ids[0])
        edit(call.account, call.actor, record)
        return single(record)

    return handle


ROUTES: Routes = {
    ("GET", "projects/#/time-records"): _time_records,
    ("GET", "projects/#/tasks/#/time-records"): _of_task,
    ("GET", "users/#/time-records"): _of_user,
    ("GET", "projects/#/time-records/#"): lambda call: single(_at(call, TimeRecord)),
    ("POST", "projects/#/time-records"): _post,
    ("PUT", "projects/#/time-records/#"): _put,
    ("DELETE", "projects/#/time-records/#"): _delete,
    ("PUT", "move-to-trash/time-record/#"): _state(trash),
    ("PUT", "restore-from-trash/time-record/#"): _state(restore),
    ("GET", "projects/#/expenses"): _expenses,
    ("GET", "projects/#/expenses/#"): _expense,
}
