"""A lead into a project: made once, with the documents of a template and the first tasks, and linked both ways.

Called by `service.workspace`. All of it is one transaction: a lead has a whole project, or none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from syncline.connectors.workspace import Account
from syncline.core.workspace import FirstTask, Item, ItemRef, ItemType, ProjectWish
from syncline.errors import Problem, Refusal, RequestError
from syncline.ports import ItemFilter

_COPIED = ("title", "body", "labels", "owner")
_TAKEN_OVER = {"company": "client", "owner": "owner", "value": "budget", "notes": "description"}
"""What of a lead its project begins with."""
_MOST_TASKS, _MOST_DOCUMENTS, _PAGE = 100, 1_000, 200
_LONGEST_DAYS = 3_650


def project_of(account: Account, lead: str, wish: ProjectWish, today: dt.date) -> Item:
    """The project of a lead, made if there is none. A project that was put into the trash comes back, unchanged. Raises
    `RequestError`: NOT_THERE, INVALID."""
    ref = ItemRef(ItemType.LEAD, lead)
    with account.store.transaction():
        found = account.get(ref)
        known = found.fields.get("project")
        if isinstance(known, str) and account.store.item(ItemRef(ItemType.PROJECT, known)) is not None:
            return account.restore(ItemRef(ItemType.PROJECT, known))
        _check(account, wish)
        project = account.create(ItemType.PROJECT, _beginning(found, wish))
        account.link(ref, "project", project.ref)
        account.update(ref, {"status": "won"})
        for document in _templates(account, wish):
            _copy(account, document, project)
        owner = wish.owner or str(found.fields.get("owner", ""))
        for task in wish.tasks:
            account.create(ItemType.TASK, _task(task, owner, today), parent=project.ref)
        return account.get(project.ref)


def _check(account: Account, wish: ProjectWish) -> None:
    problems: list[Problem] = []
    if len(wish.tasks) > _MOST_TASKS:
        problems.append(Problem("tasks", f"are {len(wish.tasks)}.", f"Give at most {_MOST_TASKS}."))
    if any(not 0 <= (task.due_in or 0) <= _LONGEST_DAYS for task in wish.tasks):
        remedy = f"Give days from today: 0 to {_LONGEST_DAYS:,}."
        problems.append(Problem("tasks", "have a due day that is none.", remedy))
    template = wish.template and account.store.item(ItemRef(ItemType.PROJECT, wish.template))
    if wish.template and (not template or template.deleted_at is not None):
        remedy = "Give the id of a project, best of one that is marked as a template."
        problems.append(
            Problem("template", "is no project that is there.", remedy, found=wish.template[:100])
        )
    if problems:
        raise RequestError("The lead cannot become a project so:", Refusal.INVALID, problems=tuple(problems))


def _beginning(lead: Item, wish: ProjectWish) -> dict[str, object]:
    taken = {new: lead.fields[old] for old, new in _TAKEN_OVER.items() if old in lead.fields}
    wished = {"owner": wish.owner, "due_on": wish.due_on}
    return {
        **taken,
        **{name: value for name, value in wished.items() if value},
        "name": wish.name or lead.title,
        "lead": lead.id,
    }


def _templates(account: Account, wish: ProjectWish) -> Iterator[Item]:
    """The documents to copy: those of the template, then those that are marked, each once."""
    seen: set[str] = set()
    if wish.template:
        within = ItemFilter(ItemType.DOCUMENT, ItemRef(ItemType.PROJECT, wish.template))
        found = [document for documents in account.changed(within, _PAGE) for document in documents]
        for document in found[:_MOST_DOCUMENTS]:
            seen.add(document.id)
            yield document
    if wish.with_marked:
        everywhere = ItemFilter(ItemType.DOCUMENT)
        marked = [
            document
            for documents in account.changed(everywhere, _PAGE)
            for document in documents
            if document.fields.get("is_template") and document.id not in seen
        ]
        yield from marked[:_MOST_DOCUMENTS]


def _copy(account: Account, document: Item, project: Item) -> None:
    """A document's text as a new one; its files come along, without their bytes being stored again."""
    fields = {name: document.fields[name] for name in _COPIED if name in document.fields}
    copy = account.create(ItemType.DOCUMENT, fields, parent=project.ref)
    account.copy_attachments(document.ref, copy.ref)


def _task(task: FirstTask, owner: str, today: dt.date) -> dict[str, object]:
    due = None if task.due_in is None else today + dt.timedelta(days=task.due_in)
    given = {
        "title": task.title,
        "description": task.description,
        "assignee": task.assignee or owner,
        "due_on": due,
    }
    return {name: value for name, value in given.items() if value}
