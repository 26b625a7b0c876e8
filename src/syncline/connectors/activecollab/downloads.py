"""Files and attachments into their bytes, by a short-lived token in place of the API token, and bytes into an upload.

Used by `activecollab.connector`. What the account's API tells is an address with a place for that token; the bytes may lie on
another host, which never sees the API token (facts: activecollab-api.md 3.8).
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import AsyncGenerator
from urllib.parse import quote

import msgspec

from syncline.connectors.activecollab.client import Client
from syncline.connectors.multipart import Form, Outgoing
from syncline.errors import ConnectorError, Detail, TransientError, UnknownOutcomeError
from syncline.ports import Clock

_SLOT = "--DOWNLOAD-TOKEN--"
_MARGIN = dt.timedelta(minutes=5)
"""A token is not used any more when it is good for less: a large file takes its time."""


class _Tokens(msgspec.Struct, frozen=True):
    download_token: str
    ttl: int = 0


class Downloads:
    """Fetches bytes; keeps the token while it is good."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._token = ""
        self._good_until: dt.datetime | None = None

    async def of(self, path: str) -> AsyncGenerator[bytes, None]:
        """The bytes of `attachments/7` or `projects/1/files/7`, in pieces. Raises `NotFoundError`, `TransientError`,
        `ConnectorError`."""
        told = (await self._client.get(path)).get("download_url")
        if not isinstance(told, str) or not told:
            raise ConnectorError(
                "ActiveCollab tells no address to fetch it from", detail=Detail.UNEXPECTED_ANSWER
            )
        url = told.replace(_SLOT, quote(await self._fresh(), safe="")) if _SLOT in told else told
        async for piece in self._client.http.pieces(url):
            yield piece

    async def _fresh(self) -> str:
        now = self._clock.now()
        if self._good_until is None or now >= self._good_until:
            answer = (await self._client.http.read("GET", "issue-file-access-token")).json(_Tokens)
            self._token = answer.download_token
            self._good_until = now + max(dt.timedelta(), dt.timedelta(seconds=answer.ttl) - _MARGIN)
        return self._token


class _Uploaded(msgspec.Struct, frozen=True):
    code: str


async def upload(client: Client, file: Outgoing) -> str:
    """The code of a file that was sent, and waits there until a write names it.

    Nobody sees it until then, so that one without a clear answer may be sent anew: `TransientError`. Raises also
    `RejectedError`, `ConnectorError`, and what reading the file raises.
    """
    try:
        answer = await client.http.pour("upload-files", Form("file", file, secrets.token_hex(16)), {})
    except UnknownOutcomeError as error:
        raise TransientError(str(error.args[0]), detail=Detail.UNREACHABLE) from error
    found = answer.json(list[_Uploaded])
    if len(found) != 1:
        text = f"one file was sent, and {len(found)} were answered"
        raise ConnectorError(text, detail=Detail.UNEXPECTED_ANSWER)
    return found[0].code
