"""What a person does with notes, discussions, tracked time, subtasks, files, comments and companies in the web UI.

Part of the actions of `acts`, by the same rules; each takes the id of what it acts on under the name of its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar, cast

from syncline.sandbox.activecollab import (
    attachments,
    bills,
    comments,
    files,
    labels,
    people,
    state,
    subtasks,
    texts,
    tracking,
)
from syncline.sandbox.activecollab.elements import (
    Discussion,
    E,
    Element,
    Expense,
    File,
    Note,
    Subtask,
    TimeRecord,
)
from syncline.sandbox.activecollab.shapes import Comment, Company, Label, Project, Task, User
from syncline.sandbox.activecollab.state import Account, Actor

Args = dict[str, object]
Act = Callable[[Account, Actor, Args], object]

R = TypeVar("R")


def number(args: Args, name: str) -> int:
    """An id among the arguments, taken out of them. Raises `ValueError`."""
    value = args.pop(name, None)
    if not isinstance(value, int):
        raise ValueError(f"The argument {name!r} (an id) is missing.")
    return value


def known(table: Mapping[int, R], args: Args, name: str) -> R:
    """The record that the argument of this name means. Raises `ValueError`."""
    found = table.get(row_id := number(args, name))
    if found is None:
        raise ValueError(f"There is no {name.replace('_', ' ')} {row_id}.")
    return found


def _element(account: Account, args: Args, kind: type[E], name: str) -> E:
    found = account.elements.get(kind, row_id := number(args, name))
    if found is None:
        raise ValueError(f"There is no {name.replace('_', ' ')} {row_id}.")
    return found


def _in_project(make: Callable[[Account, Actor, Project, Args], object]) -> Act:
    def act(account: Account, actor: Actor, args: Args) -> object:
        """`project`, and the fields."""
        return make(account, actor, known(account.projects, args, "project"), args)

    return act


def _change(kind: type[E], name: str, edit: Callable[[Account, Actor, E, Args], object]) -> Act:
    def act(account: Account, actor: Actor, args: Args) -> object:
        row = _element(account, args, kind, name)
        edit(account, actor, row, args)
        return row

    act.__doc__ = f"`{name}`, and the fields to change."
    return act


def _on(kind: type[E], name: str, edit: Callable[[Account, Actor, E], object]) -> Act:
    def act(account: Account, actor: Actor, args: Args) -> object:
        row = _element(account, args, kind, name)
        edit(account, actor, row)
        return row

    act.__doc__ = f"`{name}`: its id."
    return act


def _purge(kind: type[Element], name: str) -> Act:
    def act(account: Account, actor: Actor, args: Args) -> object:
        row = _element(account, args, kind, name)
        account.elements.forget(row)
        account.bump(row.project_id)
        return {"id": row.id}

    act.__doc__ = f"`{name}`: deleted for good, as by emptying the trash."
    return act


def _create_subtask(account: Account, actor: Actor, args: Args) -> Subtask:
    """`task`, and the fields of the subtask, its title as `body`."""
    return subtasks.create(account, actor, known(account.tasks, args, "task"), args)


def _parent(account: Account, args: Args) -> Task | Note | Discussion:
    if "note" in args:
        return _element(account, args, Note, "note")
    if "discussion" in args:
        return _element(account, args, Discussion, "discussion")
    return known(account.tasks, args, "task")


def _add_comment(account: Account, actor: Actor, args: Args) -> Comment:
    """`task`, `note` or `discussion`, and `body`."""
    return comments.create(account, actor, _parent(account, args), args)


def _update_comment(account: Account, actor: Actor, args: Args) -> Comment:
    """`comment` and `body`."""
    comment = known(account.comments, args, "comment")
    comments.update(account, actor, comment, args)
    return comment


def _trash_comment(account: Account, actor: Actor, args: Args) -> Comment:
    """`comment`: its id."""
    comment = known(account.comments, args, "comment")
    comments.trash(account, actor, comment)
    return comment


def _add_attachment(account: Account, actor: Actor, args: Args) -> object:
    """`task`, `note`, `discussion` or `comment`, `name`, and `content` (a text)."""
    holder = known(account.comments, args, "comment") if "comment" in args else _parent(account, args)
    return attachments.add(account, actor, holder, args)


def _put_bills(account: Account, actor: Actor, args: Args) -> object:
    """`kind` (`invoices` or `estimates`) and `rows`: all of them from now on, objects with an `id`, of whatever form."""
    kind, rows = args.get("kind"), args.get("rows")
    if kind not in bills.KINDS or not isinstance(rows, list):
        raise ValueError("`put_bills` needs a `kind`, and `rows`.")
    table: dict[int, object] = {number(dict(each), "id"): each for each in cast("list[Args]", rows)}
    account.bills[str(kind)] = table
    return {"count": len(table)}


def _create_company(account: Account, actor: Actor, args: Args) -> Company:
    """The fields of the company."""
    company = people.create_company(account, actor, args)
    account.notify("CompanyCreated", company, actor)
    return company


def _update_company(account: Account, actor: Actor, args: Args) -> Company:
    """`company`, and the fields to change."""
    company = known(account.companies, args, "company")
    people.update_company(account, actor, company, args)
    return company


def _trash_company(account: Account, actor: Actor, args: Args) -> Company:
    """`company`: its id."""
    company = known(account.companies, args, "company")
    state.trash(account, company, actor)
    return company


def _update_user(account: Account, actor: Actor, args: Args) -> User:
    """`person` (an id), and the fields to change."""
    user = known(account.users, args, "person")
    people.update_user(account, user, args)
    return user


def _trash_user(account: Account, actor: Actor, args: Args) -> User:
    """`person`: an id."""
    user = known(account.users, args, "person")
    people.trash_user(account, actor, user)
    return user


def _create_label(account: Account, actor: Actor, args: Args) -> Label:
    """`name` of a label of tasks."""
    return labels.named(account, "TaskLabel", str(args.get("name", "")))


def _rename_label(account: Account, actor: Actor, args: Args) -> Label:
    """`label` and `name`."""
    label = known(account.labels, args, "label")
    labels.rename(account, label, args.get("name"))
    return label


def _delete_label(account: Account, actor: Actor, args: Args) -> object:
    """`label`: its id. Labels know no trash."""
    label = known(account.labels, args, "label")
    labels.delete(account, label)
    return {"id": label.id}


ACTS: Mapping[str, Act] = MappingProxyType(
    {
        "create_note": _in_project(texts.create_note),
        "update_note": _change(Note, "note", texts.update),
        "trash_note": _on(Note, "note", texts.trash),
        "restore_note": _on(Note, "note", texts.restore),
        "purge_note": _purge(Note, "note"),
        "create_discussion": _in_project(texts.create_discussion),
        "update_discussion": _change(Discussion, "discussion", texts.update),
        "trash_discussion": _on(Discussion, "discussion", texts.trash),
        "create_time_record": _in_project(tracking.log_time),
        "update_time_record": _change(TimeRecord, "time_record", tracking.update),
        "trash_time_record": _on(TimeRecord, "time_record", tracking.trash),
        "create_expense": _in_project(tracking.log_expense),
        "update_expense": _change(Expense, "expense", tracking.update),
        "trash_expense": _on(Expense, "expense", tracking.trash),
        "create_subtask": _create_subtask,
        "update_subtask": _change(Subtask, "subtask", subtasks.update),
        "complete_subtask": _on(Subtask, "subtask", subtasks.complete),
        "open_subtask": _on(Subtask, "subtask", subtasks.reopen),
        "trash_subtask": _on(Subtask, "subtask", subtasks.trash),
        "create_file": _in_project(files.upload),
        "update_file": _change(File, "file", files.rename),
        "trash_file": _on(File, "file", files.trash),
        "add_comment": _add_comment,
        "update_comment": _update_comment,
        "trash_comment": _trash_comment,
        "add_attachment": _add_attachment,
        "put_bills": _put_bills,
        "create_company": _create_company,
        "update_company": _update_company,
        "trash_company": _trash_company,
        "update_user": _update_user,
        "trash_user": _trash_user,
        "create_label": _create_label,
        "update_label": _rename_label,
        "delete_label": _delete_label,
    }
)
