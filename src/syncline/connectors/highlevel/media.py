"""Files into HighLevel's media library and out of it, in pieces: what FILE_UPLOAD fields point to.

Called by whoever copies files. A field holds addresses: a file is uploaded first, then its address is written into the field
(as one that is added; files are taken out of a field by address, see `writing`). The field never owns the file: one that is
taken out stays in the library until it is deleted there. Facts: highlevel-api.md 1.3, 1.8, 7 row 13.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence

import msgspec

from syncline.connectors.highlevel.client import Client, Route
from syncline.connectors.multipart import Form, Outgoing
from syncline.errors import ConnectorError, Detail, NotFoundError, RejectedError, UnknownOutcomeError

MAX_BYTES = 25 * 1024 * 1024
"""What an upload may hold (facts: 1.8; `Version: v3` takes longer videos, which is not made use of)."""
_PAGE = 100

UPLOAD = Route("POST", "/medias/upload-file", "medias.write", "medias", is_write=True)
FILES = Route("GET", "/medias/files", "medias.readonly", "medias")
DELETE_FILE = Route("DELETE", "/medias/{id}", "medias.write", "medias", is_write=True)


class MediaFile(msgspec.Struct, frozen=True):
    """A file of the library. `url` is open to whoever has it: HighLevel asks for no token there."""

    id: str
    name: str
    url: str


class _Uploaded(msgspec.Struct, rename="camel"):
    file_id: str
    url: str


class _WireFile(msgspec.Struct):
    """An entry of the list, which the official files describe as a text; its id is `_id`, or `id`."""

    name: str = ""
    url: str = ""
    id: str = ""
    mongo_id: str = msgspec.field(name="_id", default="")


class _Listed(msgspec.Struct):
    files: list[_WireFile] = msgspec.field(default_factory=list[_WireFile])


async def upload(client: Client, file: Outgoing) -> MediaFile:
    """Put a file into the library.

    There is no idempotency key: where no clear answer came, one of exactly this name is looked for, so give names that
    nothing else has. Raises `RejectedError` before anything is sent for a file that is too large, `UnknownOutcomeError`
    when it may be there and is not listed, and what reading the file raises.
    """
    if file.size > MAX_BYTES:
        raise RejectedError(
            f"the file {file.name!r} has {file.size} bytes, and HighLevel takes {MAX_BYTES} (25 MB) at most",
            detail=Detail.VALIDATION,
        )
    form = Form("file", file, secrets.token_hex(16), {"hosted": "false", "name": file.name})
    try:
        answer = await client.pour(UPLOAD, form)
    except UnknownOutcomeError:
        if (found := await _named(client, file.name)) is None:
            raise
        return found
    try:
        told = answer.json(_Uploaded)
    except ConnectorError as error:
        text = f"uploaded, but the answer cannot be read: {error.args[0]}"
        raise UnknownOutcomeError(text, detail=Detail.UNREADABLE) from error
    return MediaFile(told.file_id, file.name, told.url)


async def files(client: Client, name: str = "") -> Sequence[MediaFile]:
    """The files whose name holds this, newest first."""
    found: dict[str, MediaFile] = {}
    while True:
        query = {
            "altType": "location",
            "altId": client.location,
            "type": "file",
            "sortBy": "createdAt",
            "sortOrder": "desc",
            "offset": str(len(found)),
            "limit": str(_PAGE),
        }
        query |= {"query": name} if name else {}
        page = (await client.call(FILES, query=query)).json(_Listed).files
        before = len(found)
        found |= {each.mongo_id or each.id: _media(each) for each in page}
        if len(found) == before:
            return list(found.values())


async def delete(client: Client, media: str) -> bool:
    """Delete a file for good; fields that point to it lead nowhere then. False where it was gone already."""
    query = {"altType": "location", "altId": client.location}
    try:
        await client.call(DELETE_FILE, {"id": media}, query=query)
    except NotFoundError:
        return False
    return True


async def download(client: Client, url: str) -> AsyncIterator[bytes]:
    """The bytes behind a file's address, in pieces; no token goes along. Raises `NotFoundError`, `TransientError`."""
    async for piece in client.http.pieces(url):
        yield piece


async def _named(client: Client, name: str) -> MediaFile | None:
    """The newest file of exactly this name; None also where the list cannot be read just now."""
    try:
        return next((each for each in await files(client, name) if each.name == name), None)
    except ConnectorError:
        return None


def _media(wire: _WireFile) -> MediaFile:
    return MediaFile(wire.mongo_id or wire.id, wire.name, wire.url)
