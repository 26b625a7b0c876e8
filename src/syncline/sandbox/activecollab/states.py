"""The generic state routes (complete, open, archive, trash, restore) and the trash itself.

They take the global id and ignore the project (facts: activecollab-api.md 3.1). Restoring and emptying are
unconfirmed paths.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from syncline.sandbox.activecollab import comments, people, projects, task_edits, task_lists
from syncline.sandbox.activecollab import tasks as task_routes
from syncline.sandbox.activecollab.calls import Call, Handler, Routes, single, visible_project
from syncline.sandbox.activecollab.elements import Element
from syncline.sandbox.activecollab.refusals import forbidden
from syncline.sandbox.activecollab.shapes import Comment, Company, Project, Stamped, Task, TaskList, User
from syncline.sandbox.activecollab.state import Account, Actor, restore, trash
from syncline.sandbox.wire import Response

WAVE = 100

_TaskEdit = Callable[[Account, Actor, Task], None]
_ProjectEdit = Callable[[Account, Actor, Project], None]
_ListEdit = Callable[[Account, Actor, TaskList], None]


def _task(edit: _TaskEdit) -> Handler:
    def handle(call: Call) -> Response:
        task = task_routes.task_of(call, call.ids[0])
        if call.user.class_ == "Client":
            raise forbidden(call.account.quirks, "You are not allowed to change this task.")
        edit(call.account, call.actor, task)
        return task_routes.wrapped(call.account, task)

    return handle


def _project(edit: _ProjectEdit) -> Handler:
    def handle(call: Call) -> Response:
        project = visible_project(call, call.ids[0])
        if not call.user.is_owner and call.user.id != project.leader_id:
            raise forbidden(call.account.quirks, "You are not allowed to manage this project.")
        edit(call.account, call.actor, project)
        return projects.wrapped(project)

    return handle


def _task_list(edit: _ListEdit) -> Handler:
    def handle(call: Call) -> Response:
        task_list = task_lists.task_list_of(call, call.ids[0])
        if call.user.class_ == "Client":
            raise forbidden(call.account.quirks, "You are not allowed to manage task lists.")
        edit(call.account, call.actor, task_list)
        return single(task_list)

    return handle


def _user(edit: Callable[[Account, Actor, User], None]) -> Handler:
    def handle(call: Call) -> Response:
        call.demand_owner()
        user = people.user_of(call, call.ids[0])
        edit(call.account, call.actor, user)
        return single(user)

    return handle


def _company(edit: Callable[[Account, Company, Actor], None]) -> Handler:
    def handle(call: Call) -> Response:
        call.demand_owner()
        company = people.company_of(call, call.ids[0])
        edit(call.account, company, call.actor)
        return single(company)

    return handle


def _comment(edit: Callable[[Account, Actor, Comment], None]) -> Handler:
    def handle(call: Call) -> Response:
        comment = comments.comment_of(call, call.ids[0])
        edit(call.account, call.actor, comment)
        return single(comment)

    return handle


def _archive_user(account: Account, actor: Actor, user: User) -> None:
    user.is_archived, user.updated_on = True, account.now()


def _unarchive_user(account: Account, actor: Actor, user: User) -> None:
    user.is_archived, user.updated_on = False, account.now()


def _archive_company(account: Account, company: Company, actor: Actor) -> None:
    company.is_archived, company.archived_on = True, account.now()
    account.touch(company, actor)


def _unarchive_company(account: Account, company: Company, actor: Actor) -> None:
    company.is_archived, company.archived_on = False, None
    account.touch(company, actor)


def _trashed(account: Account) -> Iterator[Stamped | User]:
    tables: tuple[Mapping[int, Stamped | User], ...] = (
        account.projects,
        account.task_lists,
        account.comments,
        account.companies,
        account.users,
    )
    for room in account.rooms.values():
        yield from (account.tasks[each] for each in room.trashed)
    for table in tables:
        yield from (row for row in table.values() if row.is_trashed)
    yield from account.elements.trashed()


def _get_trash(call: Call) -> Response:
    """Class to id to title, or `[]` when empty."""
    call.demand_owner()
    titles: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in _trashed(call.account):
        class_ = "User" if isinstance(row, User) else row.class_
        title = row.display_name if isinstance(row, User) else getattr(row, "name", "")
        titles[class_][str(row.id)] = title or f"{class_} #{row.id}"
    return Response.json(titles or [])


def _empty_trash(call: Call) -> Response:
    """Deletes the first hundred for good; call again until nothing is left."""
    call.demand_owner()
    for _, row in zip(range(WAVE), list(_trashed(call.account)), strict=False):
        purge(call.account, row)
    return _get_trash(call)


def purge(account: Account, row: Stamped | User) -> None:
    """Delete for good. What went with something larger before is left alone."""
    match row:
        case Task() if row.id in account.tasks:
            account.drop(row)
        case Project() if row.id in account.projects:
            projects.purge(account, row)
        case TaskList() if row.id in account.task_lists:
            task_lists.purge(account, row)
        case Comment():
            account.comments.pop(row.id, None)
        case Company():
            account.companies.pop(row.id, None)
        case User():
            account.users.pop(row.id, None)
        case Element():
            account.drop_comments(row.class_, row.id)
            account.elements.forget(row)
        case _:
            pass


ROUTES: Routes = {
    ("PUT", "complete/task/#"): _task(task_edits.complete),
    ("PUT", "open/task/#"): _task(task_edits.reopen),
    ("PUT", "move-to-trash/task/#"): _task(task_edits.trash),
    ("PUT", "restore-from-trash/task/#"): _task(task_edits.restore),
    ("PUT", "complete/project/#"): _project(projects.complete),
    ("PUT", "open/project/#"): _project(projects.reopen),
    ("PUT", "move-to-trash/project/#"): _project(projects.trash),
    ("PUT", "restore-from-trash/project/#"): _project(projects.restore),
    ("PUT", "complete/task-list/#"): _task_list(task_lists.complete),
    ("PUT", "open/task-list/#"): _task_list(task_lists.reopen),
    ("PUT", "move-to-trash/task-list/#"): _task_list(task_lists.trash),
    ("PUT", "restore-from-trash/task-list/#"): _task_list(task_lists.restore),
    ("PUT", "move-to-trash/comment/#"): _comment(comments.trash),
    ("PUT", "restore-from-trash/comment/#"): _comment(comments.restore),
    ("PUT", "move-to-archive/user/#"): _user(_archive_user),
    ("PUT", "restore-from-archive/user/#"): _user(_unarchive_user),
    ("PUT", "move-to-trash/user/#"): _user(people.trash_user),
    ("PUT", "restore-from-trash/user/#"): _user(people.restore_user),
    ("PUT", "move-to-archive/company/#"): _company(_archive_company),
    ("PUT", "restore-from-archive/company/#"): _company(_unarchive_company),
    ("PUT", "move-to-trash/company/#"): _company(trash),
    ("PUT", "restore-from-trash/company/#"): _company(restore),
    ("DELETE", "companies/#"): _company(trash),
    ("GET", "trash"): _get_trash,
    ("DELETE", "trash"): _empty_trash,
}
