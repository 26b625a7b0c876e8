"""Requests of the real connectors into answers without a socket: from stand-ins in memory, or from recorded bytes.

Three `Transport`s: `Direct` asks the stand-ins, `Recording` notes what another one carried, `Replay` gives it again,
byte for byte, from a file. Nothing of a replayed answer stays in memory, so that what a run needs can be measured.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import urlsplit

import msgspec

from syncline.connectors.http import Answer, Transport
from syncline.sandbox.wire import Request, Response


class Handler(Protocol):
    """As much of a stand-in as answers requests."""

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        ...


class Direct:
    """Asks stand-ins in memory, chosen by the host of the address."""

    def __init__(self, vendors: Mapping[str, Handler]) -> None:
        self._vendors = vendors

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """One exchange."""
        vendor = self._vendors[urlsplit(url).netloc]
        response = vendor.handle(Request.of(method, url, headers, body or b""))
        names = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, names, response.body)

    async def close(self) -> None:
        """Nothing to let go of."""


class _Place(msgspec.Struct, frozen=True, array_like=True):
    """Where a recorded answer lies."""

    method: str
    url: str
    asked: str
    status: int
    headers: dict[str, str]
    start: int
    length: int


class Recording:
    """Carries through another transport and keeps every answer in a file."""

    def __init__(self, inner: Transport, folder: Path) -> None:
        self._inner = inner
        self._folder = folder
        self._file = (folder / "answers.bin").open("wb")
        self._places: list[_Place] = []

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """One exchange, kept."""
        answer = await self._inner.send(method, url, headers, body)
        asked = (body or b"").decode()
        start = self._file.tell()
        self._file.write(answer.body)
        place = _Place(method, url, asked, answer.status, dict(answer.headers), start, len(answer.body))
        self._places.append(place)
        return answer

    async def close(self) -> None:
        """Write what is left, and the list of answers beside it."""
        self._file.close()
        (self._folder / "answers.json").write_bytes(msgspec.json.encode(self._places))


class Replay:
    """Gives recorded answers again. `KeyError` for a request that was never recorded."""

    def __init__(self, folder: Path) -> None:
        places = msgspec.json.decode((folder / "answers.json").read_bytes(), type=list[_Place])
        self._places = {(place.method, place.url, place.asked): place for place in places}
        self._file = os.open(folder / "answers.bin", os.O_RDONLY)

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """One recorded answer."""
        del headers
        place = self._places[method, url, (body or b"").decode()]
        return Answer(place.status, place.headers, os.pread(self._file, place.length, place.start))

    async def close(self) -> None:
        """The file stays open for the other connector."""

    def shut(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shut()


class Bodies:
    """Carries through another transport and keeps what was posted to addresses that end so."""

    def __init__(self, inner: Transport, ending: str) -> None:
        self._inner = inner
        self._ending = ending
        self.kept: list[tuple[str, bytes]] = []

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """One exchange; path and body are kept."""
        if method == "POST" and body is not None and url.endswith(self._ending):
            self.kept.append((urlsplit(url).path, body))
        return await self._inner.send(method, url, headers, body)

    async def close(self) -> None:
        """Close the inner one."""
        await self._inner.close()
