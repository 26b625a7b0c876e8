"""What a person does in the web UI, by name: the actions of the control API.

Called by `vendor.control`; the same code path as the API, so that histories, stamps and webhooks are right. Each
action takes `user` (id of the person, 1 when absent); the other arguments are in the docstring of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import cast

from syncline.sandbox.activecollab import (
    element_acts,
    people,
    projects,
    states,
    task_edits,
    task_lists,
    written,
)
from syncline.sandbox.activecollab.shapes import Project, Task, TaskList, User
from syncline.sandbox.activecollab.state import Account, Actor, Webhook

Args = dict[str, object]
_Act = Callable[[Account, Actor, Args], object]


def perform(account: Account, action: str, args: Args) -> object:
    """Do it. Raises `ValueError` for what is unknown or missing, `RefusedError` for what the vendor would refuse."""
    act = _ACTS.get(action)
    if act is None:
        raise ValueError(f"There is no action {action!r}; there are {', '.join(sorted(_ACTS))} and quota.")
    arguments = dict(args)
    user_id = arguments.pop("user", 1)
    user = account.users.get(user_id) if isinstance(user_id, int) else None
    if user is None:
        raise ValueError(f"{action}: there is no user {user_id!r}.")
    return act(account, Actor(user), arguments)


def load(account: Account, actor: Actor, tasks: Iterable[Mapping[str, object]]) -> list[int]:
    """Many tasks at once, without history and webhooks; see `ActiveCollabVendor.load`."""
    hooks, account.webhooks = account.webhooks, {}
    try:
        by_name = {project.name: project for project in account.projects.values()}
        return [_load_one(account, actor, by_name, fields) for fields in tasks]
    finally:
        account.webhooks = hooks


def _load_one(
    account: Account, actor: Actor, by_name: dict[str, Project], fields: Mapping[str, object]
) -> int:
    name = str(fields.get("project") or next(iter(by_name), "First project"))
    if name not in by_name:
        by_name[name] = projects.create(account, actor, {"name": name, "members": list(account.users)})
    project = by_name[name]
    values = dict(fields)
    if fields.get("task_list"):
        values["task_list_id"] = _list_named(account, actor, project, str(fields["task_list"])).id
    if fields.get("assignee"):
        values["assignee_id"] = _person(account, str(fields["assignee"])).id
    task = task_edits.create(account, actor, project, values)
    if fields.get("is_completed"):
        task_edits.complete(account, actor, task)
        account.history.pop(task.id, None)
    return task.id


def _list_named(account: Account, actor: Actor, project: Project, name: str) -> TaskList:
    for list_id in account.rooms[project.id].task_lists:
        if account.task_lists[list_id].name == name:
            return account.task_lists[list_id]
    return task_lists.create(account, actor, project, {"name": name})


def _person(account: Account, email: str) -> User:
    for user in account.users.values():
        if user.email.casefold() == email.casefold():
            return user
    raise ValueError(f"There is no user with the e-mail {email!r}.")


def _task(account: Account, args: Args) -> Task:
    return element_acts.known(account.tasks, args, "task")


def _project(account: Account, args: Args) -> Project:
    return element_acts.known(account.projects, args, "project")


def _task_list(account: Account, args: Args) -> TaskList:
    return element_acts.known(account.task_lists, args, "task_list")


def _create_task(account: Account, actor: Actor, args: Args) -> Task:
    """`project`, and the fields of the task."""
    return task_edits.create(account, actor, _project(account, args), args)


def _update_task(account: Account, actor: Actor, args: Args) -> Task:
    """`task`, and the fields to change."""
    task = _task(account, args)
    task_edits.update(account, actor, task, args)
    return task


def _on_task(edit: Callable[[Account, Actor, Task], None]) -> _Act:
    def act(account: Account, actor: Actor, args: Args) -> Task:
        task = _task(account, args)
        edit(account, actor, task)
        return task

    return act


def _on_project(edit: Callable[[Account, Actor, Project], None]) -> _Act:
    def act(account: Account, actor: Actor, args: Args) -> Project:
        project = _project(account, args)
        edit(account, actor, project)
        return project

    return act


def _on_task_list(edit: Callable[[Account, Actor, TaskList], None]) -> _Act:
    def act(account: Account, actor: Actor, args: Args) -> TaskList:
        task_list = _task_list(account, args)
        edit(account, actor, task_list)
        return task_list

    return act


def _purge_task(account: Account, actor: Actor, args: Args) -> object:
    """`task`: deleted for good, as by emptying the trash."""
    task = _task(account, args)
    states.purge(account, task)
    account.bump(task.project_id)
    return {"id": task.id}


def _move_task(account: Account, actor: Actor, args: Args) -> Task:
    """`task` and the new `project`."""
    task = _task(account, args)
    task_edits.move(account, actor, task, _project(account, args))
    return task


def _create_project(account: Account, actor: Actor, args: Args) -> Project:
    """The fields of the project."""
    return projects.create(account, actor, args)


def _update_project(account: Account, actor: Actor, args: Args) -> Project:
    """`project`, and the fields to change."""
    project = _project(account, args)
    projects.update(account, actor, project, args)
    return project


def _create_task_list(account: Account, actor: Actor, args: Args) -> TaskList:
    """`project`, and the fields of the task list."""
    return task_lists.create(account, actor, _project(account, args), args)


def _update_task_list(account: Account, actor: Actor, args: Args) -> TaskList:
    """`task_list`, and the fields to change."""
    task_list = _task_list(account, args)
    task_lists.update(account, actor, task_list, args)
    return task_list


def _create_user(account: Account, actor: Actor, args: Args) -> User:
    """The fields of the user, with `type` and `password`."""
    return people.create_user(account, actor, args)


def _set_user(account: Account, actor: Actor, args: Args) -> User:
    """Of the person who acts: `role`, `password`, `is_archived`, `second_factor` (a code, or null for none)."""
    user = actor.user
    if args.get("role", user.class_) not in people.ROLES:
        raise ValueError(f"There is no role {args['role']!r}.")
    user.class_ = str(args.get("role", user.class_))
    user.is_archived = written.flag(args.get("is_archived", user.is_archived))
    if "password" in args:
        account.passwords[user.id] = str(args["password"])
        _forget_tokens(account, user)
    if args.get("second_factor"):
        account.second_factors[user.id] = str(args["second_factor"])
    elif "second_factor" in args:
        account.second_factors.pop(user.id, None)
    user.updated_on = account.now()
    return user


def _register_webhook(account: Account, actor: Actor, args: Args) -> object:
    """`url`; `secret`, without which the account's own is used (an empty one sends none)."""
    url = args.get("url")
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise ValueError("A webhook needs a `url`.")
    hook = Webhook(account.next_id("Webhook"), url, str(args.get("secret", account.webhook_secret)))
    account.webhooks[hook.id] = hook
    return asdict(hook)


def _remove_webhook(account: Account, actor: Actor, args: Args) -> object:
    """`webhook`: its id."""
    return {"removed": account.webhooks.pop(element_acts.number(args, "webhook"), None) is not None}


def _revoke_token(account: Account, actor: Actor, args: Args) -> object:
    """`token`, or (without it) all tokens of the person."""
    if "token" in args:
        return {"revoked": int(account.subscriptions.pop(str(args["token"]), None) is not None)}
    return {"revoked": _forget_tokens(account, actor.user)}


def _forget_tokens(account: Account, user: User) -> int:
    tokens = [token for token, each in account.subscriptions.items() if each.user_id == user.id]
    for token in tokens:
        del account.subscriptions[token]
    return len(tokens)


def _load(account: Account, actor: Actor, args: Args) -> object:
    """`tasks`: a list of objects, see `ActiveCollabVendor.load`."""
    tasks = args.get("tasks")
    if not isinstance(tasks, list):
        raise ValueError("`load` needs `tasks`, a list of objects.")
    items = cast("list[object]", tasks)
    if not all(isinstance(item, dict) for item in items):
        raise ValueError("`load` needs `tasks`, a list of objects.")
    return {"ids": load(account, actor, cast("list[dict[str, object]]", items))}


_ACTS: Mapping[str, _Act] = MappingProxyType(
    {
        "create_task": _create_task,
        "update_task": _update_task,
        "complete_task": _on_task(task_edits.complete),
        "open_task": _on_task(task_edits.reopen),
        "trash_task": _on_task(task_edits.trash),
        "restore_task": _on_task(task_edits.restore),
        "purge_task": _purge_task,
        "move_task": _move_task,
        "create_project": _create_project,
        "update_project": _update_project,
        "complete_project": _on_project(projects.complete),
        "open_project": _on_project(projects.reopen),
        "trash_project": _on_project(projects.trash),
        "restore_project": _on_project(projects.restore),
        "create_task_list": _create_task_list,
        "update_task_list": _update_task_list,
        "complete_task_list": _on_task_list(task_lists.complete),
        "open_task_list": _on_task_list(task_lists.reopen),
        "trash_task_list": _on_task_list(task_lists.trash),
        "restore_task_list": _on_task_list(task_lists.restore),
        **element_acts.ACTS,
        "create_user": _create_user,
        "set_user": _set_user,
        "register_webhook": _register_webhook,
        "remove_webhook": _remove_webhook,
        "revoke_token": _revoke_token,
        "load": _load,
    }
)
