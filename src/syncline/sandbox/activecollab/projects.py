"""Projects and their task lists: edits, states and routes (facts: activecollab-api.md 3.2, 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from syncline.sandbox.activecollab import state, task_edits, written
from syncline.sandbox.activecollab.calls import Call, Routes, single
from syncline.sandbox.activecollab.refusals import forbidden, invalid, missing
from syncline.sandbox.activecollab.shapes import Project
from syncline.sandbox.activecollab.state import Account, Actor, Room
from syncline.sandbox.wire import Response

_IDS = ("category_id", "label_id", "company_id", "leader_id", "currency_id", "project_number")
_FLAGS = ("is_tracking_enabled", "is_billable", "is_client_reporting_enabled")
_TEXTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {"budget_type": frozenset({"pay_as_you_go", "fixed", "not_billable"})}
)


def create(account: Account, actor: Actor, fields: written.Fields) -> Project:
    """A new project; its maker and its leader are members. Raises `RefusedError` when the values will not do."""
    values = _read(account, {"name": None, **fields})
    project_id = account.next_id("Project")
    project = Project(
        id=project_id,
        class_="Project",
        url_path=f"/projects/{project_id}",
        name="",
        project_number=project_id,
        email=f"notifications-{project_id}@example.test",
        **account.created(actor),
    )
    account.projects[project_id] = project
    account.rooms[project_id] = Room()
    _store(project, values)
    project.members = sorted({*(project.members or ()), actor.user.id})
    account.bump(project_id)
    account.notify("ProjectCreated", project, actor)
    return project


def update(account: Account, actor: Actor, project: Project, fields: written.Fields) -> None:
    """Change the fields that are given and known. Project edits fire no webhook (facts 4)."""
    values = _read(account, fields)
    changed = {name: value for name, value in values.items() if getattr(project, name) != value}
    if not changed:
        return
    _store(project, changed)
    account.touch(project, actor)
    account.bump(project.id)


def complete(account: Account, actor: Actor, project: Project) -> None:
    """Into the archive; its tasks stay as they are."""
    if not project.is_completed:
        state.complete(account, project, actor)
        account.bump(project.id)
        account.notify("ProjectCompleted", project, actor)


def reopen(account: Account, actor: Actor, project: Project) -> None:
    """Out of the archive."""
    if project.is_completed:
        state.reopen(account, project, actor)
        account.bump(project.id)
        account.notify("ProjectReopened", project, actor)


def trash(account: Account, actor: Actor, project: Project) -> None:
    """Into the trash, and its tasks with it (unconfirmed)."""
    if project.is_trashed:
        return
    room = account.rooms[project.id]
    tasks = [account.tasks[each] for each in (*room.open, *room.completed)]
    for task in tasks:
        task_edits.trash(account, actor, task)
    account.trashed_with["Project", project.id] = tasks
    elements = [row for row in account.elements.of(project.id) if not row.is_trashed]
    for row in elements:
        state.trash(account, row, actor)
    account.elements_trashed_with[project.id] = elements
    state.trash(account, project, actor)
    account.notify("ProjectMovedToTrash", project, actor)


def restore(account: Account, actor: Actor, project: Project) -> None:
    """Out of the trash, and those tasks that went in with it."""
    if not project.is_trashed:
        return
    state.restore(account, project, actor)
    for task in account.trashed_with.pop(("Project", project.id), []):
        if task.id in account.tasks:
            task_edits.restore(account, actor, task)
    for row in account.elements_trashed_with.pop(project.id, []):
        state.restore(account, row, actor)
    account.notify("ProjectRestoredFromTrash", project, actor)


def purge(account: Account, project: Project) -> None:
    """Delete for good, with all tasks and task lists."""
    room = account.rooms[project.id]
    for task_id in (*room.open, *room.completed, *room.trashed):
        account.drop(account.tasks[task_id])
    for list_id in room.task_lists:
        del account.task_lists[list_id]
    for row in account.elements.of(project.id):
        account.drop_comments(row.class_, row.id)
        account.elements.forget(row)
    account.elements_trashed_with.pop(project.id, None)
    account.trashed_with.pop(("Project", project.id), None)
    del account.rooms[project.id], account.projects[project.id]


def _read(account: Account, fields: written.Fields) -> dict[str, object]:
    quirks = account.quirks
    values: dict[str, object] = {}
    if "name" in fields:
        values["name"] = written.name(fields["name"], quirks)
    if "body" in fields:
        values["body"] = written.rich(fields["body"], "body", quirks)
    if "members" in fields:
        values["members"] = sorted(written.ids(fields["members"], "members", quirks))
    if "budget" in fields:
        values["budget"] = (
            None if fields["budget"] is None else written.hours(fields["budget"], "budget", quirks)
        )
    values.update({name: written.ident(fields[name], name, quirks) for name in _IDS if name in fields})
    values.update({name: written.flag(fields[name]) for name in _FLAGS if name in fields})
    for name, allowed in _TEXTS.items():
        if name in fields and fields[name] not in allowed:
            raise invalid(quirks, {name: f"Field '{name}' has an unknown value."})
        if name in fields:
            values[name] = fields[name]
    _demand_known(account, values)
    return values


def _demand_known(account: Account, values: Mapping[str, object]) -> None:
    if values.get("company_id") and values["company_id"] not in account.companies:
        raise invalid(account.quirks, {"company_id": "Client does not exist."})
    if values.get("leader_id") and values["leader_id"] not in account.users:
        raise invalid(account.quirks, {"leader_id": "Leader does not exist."})


def _store(project: Project, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        setattr(project, name, value)
    project.body_formatted = project.body or ""
    if project.leader_id and project.leader_id not in (project.members or ()):
        project.members = sorted({*(project.members or ()), project.leader_id})


def _listed(call: Call, *, is_completed: bool) -> Response:
    account = call.account
    ids = [
        project.id
        for project in account.projects.values()
        if project.is_completed is is_completed
        and not project.is_trashed
        and account.sees(call.user, project)
    ]
    return call.paged(ids, account.projects)


def _active(call: Call) -> Response:
    return _listed(call, is_completed=False)


def _archive(call: Call) -> Response:
    return _listed(call, is_completed=True)


def _names(call: Call) -> Response:
    account = call.account
    seen = [project for project in account.projects.values() if account.sees(call.user, project)]
    return Response.json({str(project.id): project.name for project in seen if not project.is_trashed})


def wrapped(project: Project) -> Response:
    """One project with its siblings."""
    label_ids = [project.label_id] if project.label_id else []
    return single(project, category=None, hourly_rates={"1": 100}, label_ids=label_ids, task_lists=None)


def _get(call: Call) -> Response:
    return wrapped(call.project())


def _post(call: Call) -> Response:
    user = call.user
    if not user.is_owner and "can_manage_projects" not in user.custom_permissions:
        raise forbidden(call.account.quirks, "You are not allowed to create projects.")
    return wrapped(create(call.account, call.actor, call.fields()))


def _put(call: Call) -> Response:
    project = call.project()
    _demand_manager(call, project)
    update(call.account, call.actor, project, call.fields())
    return wrapped(project)


def _delete(call: Call) -> Response:
    project = call.project()
    _demand_manager(call, project)
    trash(call.account, call.actor, project)
    return wrapped(project)


def _demand_manager(call: Call, project: Project) -> None:
    user = call.user
    if not (
        user.is_owner or user.id == project.leader_id or "can_manage_projects" in user.custom_permissions
    ):
        raise forbidden(call.account.quirks, "You are not allowed to manage this project.")


def _members(call: Call) -> Response:
    return Response.json(call.project().members or [])


def _of_user(call: Call) -> Response:
    account, user = call.account, call.account.users.get(call.ids[0])
    if user is None:
        raise missing()
    return Response.json(
        [
            project
            for project in account.projects.values()
            if user.id in (project.members or ())
            and account.sees(call.user, project)
            and not project.is_trashed
        ]
    )


def _categories(call: Call) -> Response:
    return Response.json([])


ROUTES: Routes = {
    ("GET", "projects"): _active,
    ("GET", "projects/archive"): _archive,
    ("GET", "projects/names"): _names,
    ("GET", "projects/categories"): _categories,
    ("GET", "projects/#"): _get,
    ("POST", "projects"): _post,
    ("PUT", "projects/#"): _put,
    ("DELETE", "projects/#"): _delete,
    ("GET", "projects/#/members"): _members,
    ("GET", "users/#/projects"): _of_user,
}
