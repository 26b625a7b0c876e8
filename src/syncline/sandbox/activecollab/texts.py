"""Notes and discussions: a name, a body and comments in a project (facts: activecollab-api.md 3.7, 3.9).

Of discussions only the collection is confirmed; the other routes are those of notes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from syncline.sandbox.activecollab import attachments, state, written
from syncline.sandbox.activecollab.calls import Call, Handler, Routes, single, visible_project
from syncline.sandbox.activecollab.elements import Discussion, Note, TextElement
from syncline.sandbox.activecollab.refusals import forbidden, missing
from syncline.sandbox.activecollab.shapes import Project
from syncline.sandbox.activecollab.state import Account, Actor
from syncline.sandbox.wire import Response

_TAG = re.compile(r"<[^>]*>")

Make = Callable[[Account, Actor, Project, written.Fields], TextElement]


def create_note(account: Account, actor: Actor, project: Project, fields: written.Fields) -> TextElement:
    """A new note. Raises `RefusedError` when the values will not do."""
    values, note_id = _read(account, {"name": None, **fields}), account.next_id("Note")
    path = f"/projects/{project.id}/notes/{note_id}"
    note = Note(id=note_id, class_="Note", url_path=path, project_id=project.id, **account.created(actor))
    note.contributor_ids = [actor.user.id]
    return _keep(account, actor, note, values)


def create_discussion(
    account: Account, actor: Actor, project: Project, fields: written.Fields
) -> TextElement:
    """A new discussion. Raises `RefusedError` when the values will not do."""
    values, discussion_id = _read(account, {"name": None, **fields}), account.next_id("Discussion")
    path = f"/projects/{project.id}/discussions/{discussion_id}"
    made = Discussion(
        id=discussion_id, class_="Discussion", url_path=path, project_id=project.id, **account.created(actor)
    )
    return _keep(account, actor, made, values)


def _keep(account: Account, actor: Actor, row: TextElement, values: Mapping[str, object]) -> TextElement:
    _store(row, values)
    account.elements.add(row)
    _count(account, row, 1)
    account.bump(row.project_id)
    account.notify(f"{row.class_}Created", row, actor)
    return row


def update(account: Account, actor: Actor, row: TextElement, fields: written.Fields) -> None:
    """Change the fields that are given and known. Edits fire no webhook (facts 4)."""
    values = _read(account, fields)
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if changed:
        _store(row, changed)
        account.touch(row, actor)
        account.bump(row.project_id)


def trash(account: Account, actor: Actor, row: TextElement) -> None:
    """Into the trash."""
    if not row.is_trashed:
        state.trash(account, row, actor)
        _count(account, row, -1)
        account.bump(row.project_id)
        account.notify(f"{row.class_}MovedToTrash", row, actor)


def restore(account: Account, actor: Actor, row: TextElement) -> None:
    """Out of the trash."""
    if row.is_trashed:
        state.restore(account, row, actor)
        _count(account, row, 1)
        account.bump(row.project_id)
        account.notify(f"{row.class_}RestoredFromTrash", row, actor)


def _count(account: Account, row: TextElement, step: int) -> None:
    project = account.projects[row.project_id]
    if isinstance(row, Note):
        project.count_notes += step
    else:
        project.count_discussions += step


def _read(account: Account, fields: written.Fields) -> dict[str, object]:
    quirks = account.quirks
    values: dict[str, object] = {}
    if "name" in fields:
        values["name"] = written.name(fields["name"], quirks)
    if "body" in fields:
        values["body"] = written.rich(fields["body"], "body", quirks)
    if "is_hidden_from_clients" in fields:
        values["is_hidden_from_clients"] = written.flag(fields["is_hidden_from_clients"])
    return values


def _store(row: TextElement, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.body_formatted, row.body_plain_text = row.body, _TAG.sub("", row.body)


def text_of(call: Call, kind: type[TextElement], row_id: int) -> TextElement:
    """A note or discussion that the user may see, in the trash or not. Raises `RefusedError` (404)."""
    row = call.account.elements.get(kind, row_id)
    if row is None or (row.is_hidden_from_clients and call.user.class_ == "Client"):
        raise missing()
    visible_project(call, row.project_id)
    return row


def _wrapped(account: Account, row: TextElement) -> Response:
    """One with its siblings."""
    comments = [account.comments[each] for each in account.comments_by_parent.get((row.class_, row.id), ())]
    more: dict[str, object] = {"subnotes": []} if isinstance(row, Note) else {}
    return single(row, subscribers=[row.created_by_id], comments=comments[::-1], **more)


def _visible(call: Call, kind: type[TextElement]) -> dict[int, TextElement]:
    rows = call.account.elements.live(kind, call.project().id)
    return {row.id: row for row in rows if not (row.is_hidden_from_clients and call.user.class_ == "Client")}


def _notes(call: Call) -> Response:
    notes = _visible(call, Note)
    return call.paged(list(notes), notes)


def _discussions(call: Call) -> Response:
    """Object-shaped, with the last comment of each beside (facts 3.9)."""
    account, rows = call.account, _visible(call, Discussion)
    last = {
        str(each): account.comments[comments[-1]]
        for each in rows
        if (comments := account.comments_by_parent.get(("Discussion", each)))
    }
    return Response.json(
        {"discussions": list(rows.values()), "comments": {"Discussion": last} if last else []}
    )


def _at(call: Call, kind: type[TextElement]) -> TextElement:
    row = text_of(call, kind, call.ids[1])
    if row.project_id != call.ids[0]:
        raise missing()
    return row


def _demand_staff(call: Call) -> None:
    if call.user.class_ == "Client":
        raise forbidden(call.account.quirks, "You are not allowed to change this.")


def _get(kind: type[TextElement]) -> Handler:
    return lambda call: _wrapped(call.account, _at(call, kind))


def _post(make: Make) -> Handler:
    def handle(call: Call) -> Response:
        project = call.project()
        _demand_staff(call)
        row = make(call.account, call.actor, project, call.fields())
        attachments.attach(call.account, call.actor, row, call.fields())
        return _wrapped(call.account, row)

    return handle


def _put(kind: type[TextElement]) -> Handler:
    def handle(call: Call) -> Response:
        row = _at(call, kind)
        _demand_staff(call)
        update(call.account, call.actor, row, call.fields())
        attachments.attach(call.account, call.actor, row, call.fields())
        return _wrapped(call.account, row)

    return handle


def _state(
    kind: type[TextElement], edit: Callable[[Account, Actor, TextElement], None], place: int
) -> Handler:
    """`place`: which number of the path is the id."""

    def handle(call: Call) -> Response:
        row = _at(call, kind) if place else text_of(call, kind, call.ids[0])
        _demand_staff(call)
        edit(call.account, call.actor, row)
        return _wrapped(call.account, row)

    return handle


ROUTES: Routes = {
    ("GET", "projects/#/notes"): _notes,
    ("GET", "projects/#/notes/#"): _get(Note),
    ("POST", "projects/#/notes"): _post(create_note),
    ("PUT", "projects/#/notes/#"): _put(Note),
    ("DELETE", "projects/#/notes/#"): _state(Note, trash, 1),
    ("PUT", "move-to-trash/note/#"): _state(Note, trash, 0),
    ("PUT", "restore-from-trash/note/#"): _state(Note, restore, 0),
    ("GET", "projects/#/discussions"): _discussions,
    ("GET", "projects/#/discussions/#"): _get(Discussion),
    ("POST", "projects/#/discussions"): _post(create_discussion),
    ("PUT", "projects/#/discussions/#"): _put(Discussion),
    ("DELETE", "projects/#/discussions/#"): _state(Discussion, trash, 1),
    ("PUT", "move-to-trash/discussion/#"): _state(Discussion, trash, 0),
    ("PUT", "restore-from-trash/discussion/#"): _state(Discussion, restore, 0),
}
