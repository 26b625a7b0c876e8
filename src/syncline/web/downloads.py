"""A kept file into an answer that a browser saves and never shows, whatever its name and type are.

Used by the routes that give attachments back. The entity tag is the file's SHA-256: who has it already is answered 304.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import Response
from starlette.responses import StreamingResponse

_UNSAFE = re.compile(r"[^ !#$&+\-.0-9A-Z^_`a-z{}~()@,;=\[\]]")
_TYPE = re.compile(r"[\w!#$&^.+-]{1,127}/[\w!#$&^.+-]{1,127}", re.ASCII)
# Neither separates folders, nor turns what follows around when it is shown.
_MISLEADING = re.compile(r"[\x00-\x1f\x7f/\\\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class KeptFile:
    """What is known of a file."""

    name: str
    mime: str
    size: int
    sha256: str

    @property
    def etag(self) -> str:
        """Its entity tag."""
        return f'"{self.sha256}"'


def given(file: KeptFile, content: AsyncIterator[bytes]) -> Response:
    """The file, piece by piece."""
    mime = file.mime if _TYPE.fullmatch(file.mime) else "application/octet-stream"
    headers = {
        "Content-Disposition": disposition(file.name),
        "Content-Length": str(file.size),
        "ETag": file.etag,
    }
    answer = StreamingResponse(content, headers=headers)
    # By itself, so that no charset is added to what the sender said.
    answer.headers["Content-Type"] = mime
    return answer


def not_modified(file: KeptFile) -> Response:
    """Whoever asks has it already."""
    return Response(status_code=304, headers={"ETag": file.etag})


def is_known(file: KeptFile, if_none_match: str | None) -> bool:
    """Whether the tags that were sent name this file."""
    tags = {each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")}
    return bool(tags & {"*", file.etag})


def disposition(name: str) -> str:
    """`Content-Disposition` for any name: plain letters for old clients, and all of it in UTF-8 (RFC 6266)."""
    whole = _MISLEADING.sub("_", name).strip() or "file"
    whole = whole.encode("utf-8", "replace").decode()
    plain = _UNSAFE.sub("_", whole)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(whole, safe='')}"
