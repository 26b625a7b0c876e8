"""Comments on tasks: they bump the task and its project (facts: activecollab-api.md 3.6)."""

from __future__ import annotations

import re

from syncline.sandbox.activecollab import state, written
from syncline.sandbox.activecollab.calls import Call, Routes, single
from syncline.sandbox.activecollab.refusals import forbidden, invalid, missing
from syncline.sandbox.activecollab.shapes import Comment, Task
from syncline.sandbox.activecollab.state import Account, Actor
from syncline.sandbox.activecollab.tasks import task_of
from syncline.sandbox.wire import Response

_TAG = re.compile(r"<[^>]*>")


def create(account: Account, actor: Actor, task: Task, fields: written.Fields) -> Comment:
    """A new comment. Raises `RefusedError` for an empty one."""
    body = _body(account, fields)
    comment_id = account.next_id("Comment")
    comment = Comment(
        id=comment_id,
        class_="Comment",
        url_path=f"/comments/{comment_id}",
        name=f"Re: {task.name}",
        parent_type="Task",
        parent_id=task.id,
        project_id=task.project_id,
        **account.created(actor),
    )
    _store(comment, body)
    account.comments[comment_id] = comment
    account.comments_by_task[task.id].append(comment_id)
    _bump(account, actor, task, 1)
    account.notify("CommentCreated", comment, actor)
    return comment


def trash(account: Account, actor: Actor, comment: Comment) -> None:
    """Into the trash."""
    if not comment.is_trashed:
        state.trash(account, comment, actor)
        account.comments_by_task[comment.parent_id].remove(comment.id)
        _bump(account, actor, account.tasks[comment.parent_id], -1)


def restore(account: Account, actor: Actor, comment: Comment) -> None:
    """Out of the trash."""
    if comment.is_trashed:
        state.restore(account, comment, actor)
        account.comments_by_task[comment.parent_id].append(comment.id)
        _bump(account, actor, account.tasks[comment.parent_id], 1)


def _bump(account: Account, actor: Actor, task: Task, step: int) -> None:
    task.comments_count += step
    account.touch(task, actor)
    account.bump(task.project_id)


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
    task_of(call, comment.parent_id)
    return comment


def _own(call: Call) -> Comment:
    comment = comment_of(call, call.ids[0])
    if not call.user.is_owner and comment.created_by_id != call.user.id:
        raise forbidden(call.account.quirks, "You are not allowed to change this comment.")
    return comment


def _listed(call: Call) -> Response:
    """Newest first."""
    task = task_of(call, call.ids[0])
    return call.paged(call.account.comments_by_task.get(task.id, [])[::-1], call.account.comments)


def _get(call: Call) -> Response:
    return single(comment_of(call, call.ids[0]))


def _post(call: Call) -> Response:
    return single(create(call.account, call.actor, task_of(call, call.ids[0]), call.fields()))


def _put(call: Call) -> Response:
    comment, account = _own(call), call.account
    _store(comment, _body(account, call.fields()))
    account.touch(comment, call.actor)
    comment.last_modification_on, comment.last_modification_by_id = account.now(), call.user.id
    comment.last_modification_by_name = call.user.display_name
    comment.last_modification_by_email = call.user.email
    return single(comment)


def _delete(call: Call) -> Response:
    comment = _own(call)
    trash(call.account, call.actor, comment)
    return single(comment)


ROUTES: Routes = {
    ("GET", "comments/task/#"): _listed,
    ("POST", "comments/task/#"): _post,
    ("GET", "comments/#"): _get,
    ("PUT", "comments/#"): _put,
    ("DELETE", "comments/#"): _delete,
}
