"""Uploads, and what is attached to tasks, comments, notes and discussions (facts: activecollab-api.md 3.8).

Bytes are sent first and answered with a code; `attach_uploaded_files` names the codes. They are fetched with the header from
the API itself, or through `download_url` with a short-lived token (`files.download`).
"""

from __future__ import annotations

import hashlib
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP

import msgspec

from syncline.sandbox.activecollab import files, written
from syncline.sandbox.activecollab.calls import Call, Routes, single, visible_project
from syncline.sandbox.activecollab.elements import Element, TextElement
from syncline.sandbox.activecollab.refusals import Flavour, RefusedError, invalid, missing
from syncline.sandbox.activecollab.shapes import Comment, Task
from syncline.sandbox.activecollab.state import Account, Actor, Upload
from syncline.sandbox.wire import Response

_CLASS = {"class_": "class"}

Holder = Task | Comment | TextElement
"""What can have attachments."""


class Attachment(Element, eq=False, kw_only=True, rename=_CLASS):
    """One attached file."""

    name: str
    parent_type: str
    parent_id: int
    mime_type: str = ""
    size: int = 0
    md5: str = ""
    extension: str = ""
    disposition: str = "attachment"
    folder_id: int = 0
    is_hidden_from_clients: bool = False
    download_url: str = ""
    preview_url: str = ""
    thumbnail_url: str = ""


class UploadedFile(msgspec.Struct, kw_only=True, rename=_CLASS):
    """What an upload is answered with."""

    code: str
    name: str
    mime_type: str
    size: int
    thumbnail_url: str = ""
    class_: str = "LocalUploadedFile"


def attach(account: Account, actor: Actor, holder: Holder, fields: written.Fields) -> None:
    """Attach what `attach_uploaded_files` names; a code is good for one time. Raises `RefusedError` for an unknown one."""
    codes = written.names(fields.get("attach_uploaded_files"), "attach_uploaded_files", account.quirks)
    if not all(code in account.uploads for code in codes):
        raise invalid(account.quirks, {"attach_uploaded_files": "Uploaded file does not exist."})
    for code in codes:
        _attach(account, actor, holder, account.uploads.pop(code))


def _attach(account: Account, actor: Actor, holder: Holder, upload: Upload) -> Attachment:
    attachment_id, digest = account.next_id("Attachment"), hashlib.md5(upload.content, usedforsecurity=False)
    is_cloud = account.flavour is Flavour.CLOUD
    row = Attachment(
        id=attachment_id,
        class_="WarehouseAttachment" if is_cloud else "LocalAttachment",
        url_path=f"/attachments/{attachment_id}",
        name=upload.name,
        project_id=holder.project_id,
        parent_type=holder.class_,
        parent_id=holder.id,
        mime_type=upload.mime_type,
        size=len(upload.content),
        md5=digest.hexdigest(),
        extension=upload.name.rpartition(".")[2],
        **account.created(actor),
    )
    row.download_url = files.download_url(account, row.md5)
    account.contents[row.md5] = upload.content
    account.attachments[row.id] = row
    holder.attachments.append(row)
    account.touch(holder, actor)
    account.bump(holder.project_id)
    account.notify("AttachmentCreated", row, actor)
    return row


def add(account: Account, actor: Actor, holder: Holder, fields: written.Fields) -> Attachment:
    """A person attaches a file: `name` and `content` (text)."""
    content = str(fields.get("content", "")).encode()
    name = written.name(fields.get("name"), account.quirks)
    return _attach(account, actor, holder, Upload(name, "application/octet-stream", content))


def _upload(call: Call) -> Response:
    """One or more parts; how a part is called does not matter."""
    kind = call.request.headers.get("content-type", "")
    parsed = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + call.request.body)
    if not kind.startswith("multipart/form-data") or not parsed.is_multipart():
        raise RefusedError(Response.json({"type": "BadRequest", "message": "No files were uploaded."}, 400))
    uploads = [_part(part) for part in parsed.iter_parts() if part.get_filename()]
    return Response.json([_kept(call.account, upload) for upload in uploads])


def _part(part: Message) -> Upload:
    content = part.get_payload(decode=True)
    held = content if isinstance(content, bytes) else b""
    return Upload(part.get_filename() or "", part.get_content_type(), held)


def _kept(account: Account, upload: Upload) -> UploadedFile:
    account.uploads[code := account.secret()] = upload
    return UploadedFile(code=code, name=upload.name, mime_type=upload.mime_type, size=len(upload.content))


def _attachment(call: Call) -> Attachment:
    row = call.account.attachments.get(call.ids[0])
    if not isinstance(row, Attachment):
        raise missing()
    visible_project(call, row.project_id)
    return row


def _get(call: Call) -> Response:
    row = _attachment(call)
    return single(row, parent={"id": row.parent_id, "class": row.parent_type})


def _download(call: Call) -> Response:
    row = _attachment(call)
    return Response(200, call.account.contents[row.md5], {"content-type": row.mime_type})


ROUTES: Routes = {
    ("POST", "upload-files"): _upload,
    ("GET", "attachments/#"): _get,
    ("GET", "attachments/#/download"): _download,
}
