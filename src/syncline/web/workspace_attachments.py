"""`…/attachments`: files that hang on documents, contracts and tasks, taken in and given back piece by piece.

The routes are added by `workspace` to its router. An upload is a form with one part, `file`; a download is saved by a browser,
never shown, and its `ETag` is the SHA-256 of the bytes.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from pydantic import Field

from syncline.core.people import Scope
from syncline.core.workspace import Attachment, ItemRef, ItemType
from syncline.errors import Refusal, RequestError
from syncline.web.downloads import KeptFile, given, is_known, not_modified
from syncline.web.forms import Told
from syncline.web.security import requires
from syncline.web.uploads import FORM, content_of, upload_of
from syncline.web.workspace_items import Offer, in_project
from syncline.web.workspace_values import Id, Instant

_READ = requires(Scope.WORKSPACE_READ)
_WRITE = requires(Scope.WORKSPACE_WRITE)
_UPLOAD = requires(Scope.WORKSPACE_WRITE, streams=content_of)
_DOCUMENT = "/api/v1/projects/{project_id}/documents/{doc_id}/attachments"
_TASK = "/api/v1/projects/{project_id}/tasks/{task_id}/attachments"
_CONTRACT = "/api/v1/contracts/{contract_id}/attachments"
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file.",
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    },
    304: {"description": "You have it already."},
}
IfNoneMatch = Annotated[str | None, Header(description="The `ETag` of what you have.", max_length=1000)]


class AttachmentOut(Told):
    """A file that hangs on an item. `sha256` is hexadecimal, and the `ETag` of the download; `url` is where that is."""

    id: str
    name: str
    mime: str
    size: int
    sha256: str
    created_at: Instant
    last_modified: Instant
    url: str


class AttachmentsOut(Told):
    """The files of an item, oldest first."""

    items: list[AttachmentOut] = Field(default_factory=list[AttachmentOut])


class Files:
    """The files of items over HTTP."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer

    def listed(self, owner: ItemRef, parent: ItemRef | None, path: str) -> AttachmentsOut:
        """All files of an item."""
        self._check(owner, parent)
        return AttachmentsOut(items=[_out(each, path) for each in self._offer().attachments(owner)])

    async def taken(
        self, request: Request, response: Response, owner: ItemRef, parent: ItemRef | None
    ) -> AttachmentOut:
        """Hang the file that a request carries on an item."""
        self._check(owner, parent)
        upload = await upload_of(request)
        made = await self._offer().attach(owner, upload.name, upload.mime, upload.chunks())
        told = _out(made, request.url.path)
        response.headers["Location"] = told.url
        return told

    def given(
        self, owner: ItemRef, parent: ItemRef | None, attachment: str, if_none_match: str | None
    ) -> Response:
        """A file, or that whoever asks has it."""
        known = self._found(owner, parent, attachment)
        file = KeptFile(known.name, known.mime, known.size, known.sha256)
        if is_known(file, if_none_match):
            return not_modified(file)
        _, content = self._offer().open(attachment)
        return given(file, content)

    def removed(self, owner: ItemRef, parent: ItemRef | None, attachment: str) -> None:
        """Take a file off its item."""
        self._found(owner, parent, attachment)
        self._offer().detach(attachment)

    def _check(self, owner: ItemRef, parent: ItemRef | None) -> None:
        item = self._offer().get(owner.kind, owner.id)
        if parent is not None and item.parent != parent:
            raise RequestError(f"There is no such {owner.kind.value} here.", Refusal.NOT_THERE)

    def _found(self, owner: ItemRef, parent: ItemRef | None, attachment: str) -> Attachment:
        self._check(owner, parent)
        for each in self._offer().attachments(owner):
            if each.id == attachment:
                return each
        raise RequestError("There is no such attachment here.", Refusal.NOT_THERE)


def _out(kept: Attachment, path: str) -> AttachmentOut:
    return AttachmentOut(
        id=kept.id,
        name=kept.name,
        mime=kept.mime,
        size=kept.size,
        sha256=kept.sha256,
        created_at=kept.created_at,
        last_modified=kept.created_at,
        url=f"{path}/{kept.id}",
    )


def add_document_files(router: APIRouter, offer: Offer) -> None:
    """The routes of files that hang on documents."""
    files = Files(offer)

    @router.get(_DOCUMENT, dependencies=[_READ])
    async def list_document_attachments(project_id: Id, doc_id: Id, request: Request) -> AttachmentsOut:
        """The files of a document, oldest first."""
        return files.listed(ItemRef(ItemType.DOCUMENT, doc_id), in_project(project_id), request.url.path)

    @router.post(_DOCUMENT, status_code=201, dependencies=[_UPLOAD], openapi_extra=FORM)
    async def attach_to_document(
        project_id: Id, doc_id: Id, request: Request, response: Response
    ) -> AttachmentOut:
        """Hang a file on a document. It is taken in piece by piece, and equal bytes are stored once."""
        return await files.taken(
            request, response, ItemRef(ItemType.DOCUMENT, doc_id), in_project(project_id)
        )

    @router.get(
        _DOCUMENT + "/{attachment_id}", dependencies=[_READ], responses=_FILE, response_class=Response
    )
    async def download_document_attachment(
        project_id: Id, doc_id: Id, attachment_id: Id, if_none_match: IfNoneMatch = None
    ) -> Response:
        """A file of a document, to be saved."""
        return files.given(
            ItemRef(ItemType.DOCUMENT, doc_id), in_project(project_id), attachment_id, if_none_match
        )

    @router.delete(_DOCUMENT + "/{attachment_id}", status_code=204, dependencies=[_WRITE])
    async def remove_document_attachment(project_id: Id, doc_id: Id, attachment_id: Id) -> None:
        """Take a file off a document."""
        files.removed(ItemRef(ItemType.DOCUMENT, doc_id), in_project(project_id), attachment_id)


def add_task_files(router: APIRouter, offer: Offer) -> None:
    """The routes of files that hang on tasks."""
    files = Files(offer)

    @router.get(_TASK, dependencies=[_READ])
    async def list_task_attachments(project_id: Id, task_id: Id, request: Request) -> AttachmentsOut:
        """The files of a task, oldest first."""
        return files.listed(ItemRef(ItemType.TASK, task_id), in_project(project_id), request.url.path)

    @router.post(_TASK, status_code=201, dependencies=[_UPLOAD], openapi_extra=FORM)
    async def attach_to_task(
        project_id: Id, task_id: Id, request: Request, response: Response
    ) -> AttachmentOut:
        """Hang a file on a task. It is taken in piece by piece, and equal bytes are stored once."""
        return await files.taken(request, response, ItemRef(ItemType.TASK, task_id), in_project(project_id))

    @router.get(_TASK + "/{attachment_id}", dependencies=[_READ], responses=_FILE, response_class=Response)
    async def download_task_attachment(
        project_id: Id, task_id: Id, attachment_id: Id, if_none_match: IfNoneMatch = None
    ) -> Response:
        """A file of a task, to be saved."""
        return files.given(
            ItemRef(ItemType.TASK, task_id), in_project(project_id), attachment_id, if_none_match
        )

    @router.delete(_TASK + "/{attachment_id}", status_code=204, dependencies=[_WRITE])
    async def remove_task_attachment(project_id: Id, task_id: Id, attachment_id: Id) -> None:
        """Take a file off a task."""
        files.removed(ItemRef(ItemType.TASK, task_id), in_project(project_id), attachment_id)


def add_contract_files(router: APIRouter, offer: Offer) -> None:
    """The routes of files that hang on contracts."""
    files = Files(offer)

    @router.get(_CONTRACT, dependencies=[_READ])
    async def list_contract_attachments(contract_id: Id, request: Request) -> AttachmentsOut:
        """The files of a contract, oldest first."""
        return files.listed(ItemRef(ItemType.CONTRACT, contract_id), None, request.url.path)

    @router.post(_CONTRACT, status_code=201, dependencies=[_UPLOAD], openapi_extra=FORM)
    async def attach_to_contract(contract_id: Id, request: Request, response: Response) -> AttachmentOut:
        """Hang a file on a contract. It is taken in piece by piece, and equal bytes are stored once."""
        return await files.taken(request, response, ItemRef(ItemType.CONTRACT, contract_id), None)

    @router.get(
        _CONTRACT + "/{attachment_id}", dependencies=[_READ], responses=_FILE, response_class=Response
    )
    async def download_contract_attachment(
        contract_id: Id, attachment_id: Id, if_none_match: IfNoneMatch = None
    ) -> Response:
        """A file of a contract, to be saved."""
        return files.given(ItemRef(ItemType.CONTRACT, contract_id), None, attachment_id, if_none_match)

    @router.delete(_CONTRACT + "/{attachment_id}", status_code=204, dependencies=[_WRITE])
    async def remove_contract_attachment(contract_id: Id, attachment_id: Id) -> None:
        """Take a file off a contract."""
        files.removed(ItemRef(ItemType.CONTRACT, contract_id), None, attachment_id)
