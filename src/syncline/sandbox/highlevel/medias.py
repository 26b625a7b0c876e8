"""The media library: upload, list and delete files, and the bytes behind their addresses (facts: highlevel-api.md 1.8, 1.9).

The vendor keeps the bytes on another host, open to whoever has the address; here they are below `STORAGE` of the stand-in's
own. Folders and changes of single files are not served.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from syncline.sandbox.highlevel.bodies import read_query, refuse_query
from syncline.sandbox.highlevel.calls import Answer, Call
from syncline.sandbox.highlevel.refusals import RefusalError, bad_request, not_found, unprocessable
from syncline.sandbox.highlevel.state import World
from syncline.sandbox.highlevel.uploads import Media
from syncline.sandbox.wire import Request, Response

STORAGE = "/storage/"
_NAME = re.compile(rb'\bname="([^"]*)"')
_FILE_NAME = re.compile(rb'\bfilename="([^"]*)"')
_KIND = re.compile(rb"(?im)^content-type:\s*(\S+)")
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')


class _List(msgspec.Struct, rename="camel"):
    sort_by: str
    sort_order: str
    type: str
    alt_type: str
    alt_id: str
    offset: int = 0
    limit: int = 20
    query: str = ""
    parent_id: str = ""
    fetch_all: str = "false"


class _Where(msgspec.Struct, rename="camel"):
    alt_type: str
    alt_id: str


class Part(msgspec.Struct, frozen=True):
    """One field of a multipart form; `file_name` is empty for plain ones."""

    content: bytes
    file_name: str = ""
    kind: str = ""


def upload_file(world: World, call: Call) -> Answer:
    """POST /medias/upload-file."""
    refuse_query(call.request)
    location = world.locations[call.location(world)]
    form = _form(call.request)
    if unknown := form.keys() - {"file", "hosted", "fileUrl", "name", "parentId"}:
        raise unprocessable(*(f"property {name} should not exist" for name in sorted(unknown)))
    texts = {name: part.content.decode("utf-8", "replace") for name, part in form.items() if name != "file"}
    file = form.get("file")
    is_hosted = texts.get("hosted") == "true"
    if is_hosted and not texts.get("fileUrl"):
        raise bad_request("fileUrl is required")
    if not is_hosted and file is None:
        raise bad_request("file is required")
    content, given = (b"", texts["fileUrl"]) if file is None else (file.content, file.file_name)
    if len(content) > world.options.max_media_bytes:
        raise RefusalError(world.options.media_too_large_status, "File size exceeds the maximum limit")
    now = world.now_ms()
    media_id = world.ids.object_id(now)
    name = texts.get("name") or given.rpartition("/")[2]
    host = call.request.headers.get("host", "storage.example.test")
    url = texts["fileUrl"] if is_hosted else f"http://{host}{STORAGE}{location.id}/{media_id}/{quote(name)}"
    kind = file.kind if file else ""
    location.media[media_id] = Media(media_id, name, url, content, kind, now, texts.get("parentId", ""))
    return Answer({"fileId": media_id, "url": url})


def list_files(world: World, call: Call) -> Answer:
    """GET /medias/files, sorted by name or by time."""
    query = read_query(call.request, _List)
    location = world.locations[_here(world, call, query.alt_type, query.alt_id)]
    if query.sort_order not in ("asc", "desc"):
        raise unprocessable("sortOrder must be one of the following values: asc, desc")
    found = [
        each
        for each in location.media.values()
        if query.type == "file"
        and query.query.lower() in each.name.lower()
        and query.parent_id in ("", each.parent_id)
    ]
    found.sort(
        key=lambda each: (each.name if query.sort_by == "name" else "", each.added_ms, each.id),
        reverse=query.sort_order == "desc",
    )
    end = None if query.fetch_all == "true" else query.offset + query.limit
    return Answer({"files": [_shape(location.id, each) for each in found[query.offset : end]]})


def delete_file(world: World, call: Call) -> Answer:
    """DELETE /medias/{id}."""
    query = read_query(call.request, _Where)
    location = world.locations[_here(world, call, query.alt_type, query.alt_id)]
    if location.media.pop(call.path["id"], None) is None:
        raise not_found("File not found")
    return Answer({})


def serve(world: World, request: Request) -> Response:
    """The bytes behind an address, without any token."""
    location_id, _, rest = request.path.removeprefix(STORAGE).partition("/")
    location = world.locations.get(location_id)
    found = location.media.get(rest.partition("/")[0]) if location else None
    if found is None:
        return Response(404, b"No such object", {"content-type": "text/plain"})
    return Response(200, found.content, {"content-type": found.kind or "application/octet-stream"})


def _shape(location_id: str, media: Media) -> dict[str, object]:
    return {
        "_id": media.id,
        "altId": location_id,
        "altType": "location",
        "name": media.name,
        "parentId": media.parent_id,
        "url": media.url,
        "path": f"{location_id}/{media.id}",
    }


def _here(world: World, call: Call, alt_type: str, alt_id: str) -> str:
    if alt_type != "location":
        raise unprocessable("altType must be one of the following values: location")
    return call.location(world, alt_id)


def _form(request: Request) -> Mapping[str, Part]:
    """A multipart body. Raises 400."""
    kind = request.headers.get("content-type", "")
    boundary = _BOUNDARY.search(kind)
    if not kind.startswith("multipart/form-data") or boundary is None:
        raise bad_request("Multipart: Boundary not found")
    mark = b"--" + boundary[1].encode()
    parts: dict[str, Part] = {}
    for piece in request.body.split(mark)[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        name, file, told = _NAME.search(head), _FILE_NAME.search(head), _KIND.search(head)
        if name is None:
            raise bad_request("Multipart: part without a name")
        parts[name[1].decode()] = Part(
            content.removesuffix(b"\r\n"),
            file[1].decode("utf-8", "replace") if file else "",
            told[1].decode() if told else "",
        )
    return parts
