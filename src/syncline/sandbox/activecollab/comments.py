"""Comments on tasks, notes and discussions: they bump what they are on and its project (facts: activecollab-api.md 3.6)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from syncline.sandbox.activecollab import attachments, state, texts, written
from syncline.sandbox.activecollab.calls import Call, Handler, Routes, single
from syncline.sandbox.activecollab.elements import Discussion, Note, TextElement
from syncline.sandbox.activecollab.refusals import forbidden, invalid, missing
from syncline.sandbox.activecollab.shapes import Comment, Task
from syncline.sandbox.activecollab.state import Account, Actor
from syncline.sandbox.activecollab.tasks import task_of
from syncline.sandbox.wire import Response

_TAG = re.compile(r"<[^>]*>")
_TEXTS: Mapping[str, type[TextElement]] = MappingProxyType({"Note": Note, "Discussion": Discussion})

Parent = Task | TextElement
"""What can be commented on."""


def create(account: Account, actor: Actor, parent: Parent, fields: written.Fields) -> Comment:
    """A new comment. Raises `RefusedError` for an empty one."""
    body = _body(account, fields)
    comment_id = account.next_id("Comment")
    comment = Comment(
        id=comment_id,
        class_="Comment",
        url_path=f"/comments/{comment_id}",
        parent_type=parent.class_,
        parent_id=parent.id,
        project_id=parent.project_id,
        **account.created(actor),
    )
    _store(comment, body)
    account.comments[comment_id] = comment
    account.comments_by_parent[parent.class_, parent.id].append(comment_id)
    _bump(account, actor, parent, 1)
    account.notify("CommentCreated", comment, actor)
    return comment


def trash(account: Account, actor: Actor, comment: Comment) -> None:
    """Into the trash."""
    if not comment.is_trashed:
        state.trash(account, comment, actor)
        account.comments_by_parent[comment.parent_type, comment.parent_id].remove(comment.id)
        _bump(account, actor, parent_of(account, comment), -1)
        account.notify("CommentMovedToTrash", comment, actor)


def restore(account: Account, actor: Actor, comment: Comment) -> None:
    """Out of the trash."""
    if comment.is_trashed:
        state.restore(account, comment, actor)
        account.comments_by_parent[comment.parent_type, comment.parent_id].append(comment.id)
        _bump(account, actor, parent_of(account, comment), 1)
        account.notify("CommentRestoredFromTrash", comment, actor)


def update(account: Account, actor: Actor, comment: Comment, fields: written.Fields) -> None:
    """A new text. Edits fire no webhook (facts 4). Raises `RefusedError` for an empty one."""
    if "body" in fields:
        _store(comment, _body(account, fields))
    account.touch(comment, actor)
    account.bump(comment.project_id)
    comment.last_modification_on, comment.last_modification_by_id = account.now(), actor.user.id
    comment.last_modification_by_name = actor.user.display_name
    comment.last_modification_by_email = actor.user.email


def parent_of(account: Account, comment: Comment) -> Parent:
    """What a comment is on. Raises `RefusedError` (404)."""
    kind = _TEXTS.get(comment.parent_type)
    found = account.elements.get(kind, comment.parent_id) if kind else account.tasks.get(comment.parent_id)
    if found is None:
        raise missing()
    return found


def _bump(account: Account, actor: Actor, parent: Parent, step: int) -> None:
    parent.comments_count += step
    account.touch(parent, actor)
    account.bump(parent.project_id)


def _body(account: Account, fields: written.Fields) -> str:
    body = written.rich(fields.get("body"), "body", account.quirks)
    if not body.strip():
        raise invalid(account.quirks, {"body": "Comment text is required."})
    return body


def _store(comment: Comment, body: str) -> None:
    comment.body = comment.body_formatted = body
    comment.body_plain_text = _TAG.sub("", body)


def comment_of(call: Call, comment_id: int) -> Comment:
    """A comment that the user may see. Raises `RefusedError` (404)."""
    comment = call.account.comments.get(comment_id)
    if comment is None:
        raise missing()
    _seen(call, comment.parent_type, comment.parent_id)
    return comment


def _seen(call: Call, parent_type: str, parent_id: int) -> Parent:
    kind = _TEXTS.get(parent_type)
    return texts.text_of(call, kind, parent_id) if kind else task_of(call, parent_id)


def _own(call: Call) -> Comment:
    comment = comment_of(call, call.ids[0])
    if not call.user.is_owner and comment.created_by_id != call.user.id:
        raise forbidden(call.account.quirks, "You are not allowed to change this comment.")
    return comment


def _listed(parent_type: str) -> Handler:
    """Newest first."""

    def handle(call: Call) -> Response:
        parent = _seen(call, parent_type, call.ids[0])
        ids = call.account.comments_by_parent.get((parent_type, parent.id), [])
        return call.paged(ids[::-1], call.account.comments)

    return handle


def _get(call: Call) -> Response:
    return single(comment_of(call, call.ids[0]))


def _post(parent_type: str) -> Handler:
    def handle(call: Call) -> Response:
        parent = _seen(call, parent_type, call.ids[0])
        comment = create(call.account, call.actor, parent, call.fields())
        attachments.attach(call.account, call.actor, comment, call.fields())
        return single(comment)

    return handle


def _put(call: Call) -> Response:
    comment = _own(call)
    update(call.account, call.actor, comment, call.fields())
    attachments.attach(call.account, call.actor, comment, call.fields())
    return single(comment)


def _delete(call: Call) -> Response:
    comment = _own(call)
    trash(call.account, call.actor, comment)
    return single(comment)


ROUTES: Routes = {
    ("GET", "comments/task/#"): _listed("Task"),
    ("POST", "comments/task/#"): _post("Task"),
    ("GET", "comments/note/#"): _listed("Note"),
    ("POST", "comments/note/#"): _post("Note"),
    ("GET", "comments/discussion/#"): _listed("Discussion"),
    ("POST", "comments/discussion/#"): _post("Discussion"),
    ("GET", "comments/#"): _get,
    ("PUT", "comments/#"): _put,
    ("DELETE", "comments/#"): _delete,
}
