"""A form with one file (`multipart/form-data`) into its name, its type, and its bytes as they come in.

Used by the routes that take attachments, which state `streams=content_of` so that nothing is read before they read it. At most
one chunk of the network is in memory, however long the file is. What is sent with an `Idempotency-Key` is told apart by name,
type and bytes of the file: the form around it is another one each time.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from syncline.errors import Problem, ProblemKind, Refusal, RequestError

FIELD = "file"
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {
                        FIELD: {
                            "type": "string",
                            "format": "binary",
                            "description": "The file, with its name.",
                        }
                    },
                    "additionalProperties": False,
                }
            }
        },
    }
}
"""How the document describes the form."""

_ANY = "application/octet-stream"
_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
# What browsers write into a quoted name (WHATWG, "multipart/form-data encoding").
_ESCAPED = {"%22": '"', "%0D": " ", "%0A": " "}


class Upload:
    """One file on its way in. Its bytes can be read once."""

    def __init__(self, name: str, mime: str, pieces: AsyncGenerator[bytes]) -> None:
        self.name = name
        self.mime = mime
        self._pieces = pieces
        self._told = hashlib.sha256(f"{name}\n{mime}\n".encode("utf-8", "replace"))

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The bytes as they come in. Raises `RequestError` for a form that breaks off, or holds more than the file."""
        async for piece in self._pieces:
            self._told.update(piece)
            yield piece

    @property
    def digest(self) -> bytes:
        """What tells this upload from others, once all of it was read."""
        return self._told.digest()


async def upload_of(request: Request) -> Upload:
    """The file that a request carries, as soon as its name is known. Raises `RequestError` for anything but such a form."""
    form = _Form(_boundary(request))
    pieces = _pieces(request, form)
    async for _ in pieces:
        break
    upload = Upload(form.name, form.mime, pieces)
    request.state.upload = upload
    return upload


async def content_of(request: Request) -> bytes:
    """What a request carries, as an idempotency key is compared by: reads what was not read yet."""
    known = getattr(request.state, "upload", None)
    upload = known if isinstance(known, Upload) else await upload_of(request)
    async for _ in upload.chunks():
        pass
    return upload.digest


class _Form:
    """The parser of one form: what it has found so far."""

    def __init__(self, boundary: bytes) -> None:
        self.name = ""
        self.mime = _ANY
        self.has_begun = False
        self.is_over = False
        self._held: list[bytes] = []
        self._heading = bytearray()
        self._value = bytearray()
        self._headings: dict[bytes, bytes] = {}
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headings.clear,
                "on_header_field": lambda data, start, end: self._heading.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                "on_header_end": self._take_heading,
                "on_headers_finished": self._begin,
                "on_part_data": lambda data, start, end: self._held.append(data[start:end]),
                "on_end": self._end,
            },
        )

    def feed(self, data: bytes) -> list[bytes]:
        """Parse what came in; answers the file's bytes in it."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _refused("is no form that can be read.", "Send it as multipart/form-data.") from error
        found, self._held = self._held, []
        return found

    def _take_heading(self) -> None:
        self._headings[bytes(self._heading).lower()] = bytes(self._value)
        self._heading.clear()
        self._value.clear()

    def _begin(self) -> None:
        _, options = parse_options_header(self._headings.get(b"content-disposition"))
        field = options.get(b"name", b"").decode("utf-8", "replace")
        if field != FIELD:
            raise _refused("is the only part that is taken.", "Leave the others out.", found=field)
        if self.has_begun:
            raise _refused("is there twice.", "Send one file at a time.")
        self.has_begun = True
        self.name = _plain(options.get(b"filename", b"").decode("utf-8", "replace"))
        kind, _ = parse_options_header(self._headings.get(b"content-type"))
        told = kind.decode("latin-1").lower()
        self.mime = told if _TYPE.fullmatch(told) else _ANY

    def _end(self) -> None:
        self.is_over = True


async def _pieces(request: Request, form: _Form) -> AsyncGenerator[bytes]:
    """The file's bytes; the first piece is empty, and comes once its name is known."""
    is_told = False
    try:
        async for data in request.stream():
            found = form.feed(data)
            if form.has_begun and not is_told:
                is_told = True
                yield b""
            for piece in found:
                yield piece
    except ClientDisconnect as error:
        raise _refused("broke off.", "Send it again.") from error
    if not form.has_begun:
        raise _refused("is missing.", "Add it as a part of the form.", kind=ProblemKind.NOT_SAID)
    if not form.is_over:
        raise _refused("broke off.", "Send it again.")


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 70:
        raise _refused("comes in a form.", "Send it as multipart/form-data.", found=kind.decode("latin-1"))
    return boundary


def _plain(name: str) -> str:
    """A file's name without its folders, on one line."""
    for escaped, plain in _ESCAPED.items():
        name = name.replace(escaped, plain)
    line = "".join(each if each.isprintable() else " " for each in name)
    last = re.split(r"[/\\]", line)[-1].strip()
    return FIELD if last in ("", ".", "..") else last


def _refused(
    message: str, remedy: str, *, kind: ProblemKind = ProblemKind.WRONG_VALUE, found: str = ""
) -> RequestError:
    problem = Problem(FIELD, message, remedy, kind, found)
    return RequestError("The file cannot be taken.", Refusal.INVALID, problems=(problem,))
