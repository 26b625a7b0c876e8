"""Files of projects: their description, and their bytes by a short-lived token (facts: activecollab-api.md 3.8)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from syncline.sandbox.activecollab import state, written
from syncline.sandbox.activecollab.calls import Call, Handler, Routes, single, visible_project
from syncline.sandbox.activecollab.elements import File
from syncline.sandbox.activecollab.refusals import forbidden, missing
from syncline.sandbox.activecollab.shapes import Project
from syncline.sandbox.activecollab.state import Account, Actor
from syncline.sandbox.wire import Request, Response

TOKEN_SLOT = "--DOWNLOAD-TOKEN--"  # noqa: S105 - the place of a token, not one
TTL = 3600


def upload(account: Account, actor: Actor, project: Project, fields: written.Fields) -> File:
    """A person puts a file there: `name` and `content` (text). Raises `RefusedError` without a name."""
    name, content = written.name(fields.get("name"), account.quirks), str(fields.get("content", "")).encode()
    file_id = account.next_id("File")
    file = File(
        id=file_id,
        class_="File",
        url_path=f"/projects/{project.id}/files/{file_id}",
        name=name,
        project_id=project.id,
        is_hidden_from_clients=written.flag(fields.get("is_hidden_from_clients")),
        size=len(content),
        md5=hashlib.md5(content, usedforsecurity=False).hexdigest(),
        **account.created(actor),
    )
    file.download_url = download_url(account, file.md5)
    account.elements.add(file)
    account.contents[file.md5] = content
    project.count_files += 1
    project.file_size += file.size
    account.bump(project.id)
    account.notify("FileCreated", file, actor)
    return file


def download_url(account: Account, md5: str) -> str:
    """Where the bytes lie, once a token takes its place there."""
    return f"{account.warehouse}/files/{md5}/download?token={TOKEN_SLOT}"


def rename(account: Account, actor: Actor, file: File, fields: written.Fields) -> None:
    """A person gives it another name."""
    file.name = written.name(fields.get("name"), account.quirks)
    account.touch(file, actor)
    account.bump(file.project_id)


def trash(account: Account, actor: Actor, file: File) -> None:
    """Into the trash."""
    if not file.is_trashed:
        state.trash(account, file, actor)
        account.projects[file.project_id].count_files -= 1
        account.bump(file.project_id)


def restore(account: Account, actor: Actor, file: File) -> None:
    """Out of the trash."""
    if file.is_trashed:
        state.restore(account, file, actor)
        account.projects[file.project_id].count_files += 1
        account.bump(file.project_id)


def access_token(account: Account) -> str:
    """A token for downloads that is good for `TTL` seconds."""
    account.file_tokens[token := account.secret()] = account.now() + TTL
    return token


def download(account: Account, request: Request) -> Response:
    """The bytes behind a `download_url`: no part of the API, so an API token that comes along is refused loudly."""
    if "x-angie-authapitoken" in request.headers or "authorization" in request.headers:
        return Response(400, b"An API token does not belong here.", {"content-type": "text/plain"})
    if account.file_tokens.get(request.query.get("token", ""), 0) <= account.now():
        return Response(403, b"", {"content-type": "text/plain"})
    content = account.contents.get(request.path.rstrip("/").split("/")[-2])
    if content is None:
        return Response(404, b"", {"content-type": "text/plain"})
    return Response(200, content, {"content-type": "application/octet-stream"})


def file_of(call: Call, file_id: int) -> File:
    """One that the user may see, in the trash or not. Raises `RefusedError` (404)."""
    file = call.account.elements.get(File, file_id)
    if file is None or (file.is_hidden_from_clients and call.user.class_ == "Client"):
        raise missing()
    visible_project(call, file.project_id)
    return file


def _listed(call: Call) -> Response:
    rows = call.account.elements.live(File, call.project().id)
    seen = {row.id: row for row in rows if not (row.is_hidden_from_clients and call.user.class_ == "Client")}
    return call.paged(list(seen), seen)


def _get(call: Call) -> Response:
    file = file_of(call, call.ids[1])
    if file.project_id != call.ids[0]:
        raise missing()
    return single(file)


def _issue(call: Call) -> Response:
    tokens = {name: access_token(call.account) for name in ("download_token", "preview_token", "thumb_token")}
    return Response.json({**tokens, "ttl": TTL})


def _state(edit: Callable[[Account, Actor, File], None]) -> Handler:
    def handle(call: Call) -> Response:
        file = file_of(call, call.ids[0])
        if call.user.class_ == "Client":
            raise forbidden(call.account.quirks, "You are not allowed to change this file.")
        edit(call.account, call.actor, file)
        return single(file)

    return handle


ROUTES: Routes = {
    ("GET", "projects/#/files"): _listed,
    ("GET", "projects/#/files/#"): _get,
    ("GET", "issue-file-access-token"): _issue,
    ("PUT", "move-to-trash/file/#"): _state(trash),
    ("PUT", "restore-from-trash/file/#"): _state(restore),
}
