"""Requests of the real connectors into answers without a socket: from stand-ins in memory, or from recorded bytes.

`Transport`s: `Direct` asks the stand-ins, `Recording` notes what another one carried, `Replay` gives it again,
byte for byte; `Bodies` keeps what is posted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol
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
    """Gives recorded answers again, read from the file when they are asked for. `KeyError` for a request that was never
    recorded."""

    def __init__(self, folder: Path) -> None:
        places = msgspec.json.decode((folder / "answers.json").read_bytes(), type=list[_Place])
        self._places = {(each.method, each.url, each.asked.encode() or None): each for each in places}
        self._file = (folder / "answers.bin").open("rb")

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """One recorded answer."""
        return self._answer(self._places[method, url, body])

    def all(self) -> ReplayFromMemory:
        """The same with all answers read."""
        return ReplayFromMemory({asked: self._answer(place) for asked, place in self._places.items()})

    def _answer(self, place: _Place) -> Answer:
        self._file.seek(place.start)
        return Answer(place.status, place.headers, self._file.read(place.length))

    async def close(self) -> None:
        """Close the file; harmless when it is closed."""
        self._file.close()


class ReplayFromMemory:
    """Gives recorded answers again without touching the file."""

    def __init__(self, answers: Mapping[tuple[str, str, bytes | None], Answer]) -> None:
        self._answers = answers

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """One recorded answer."""
        return self._answers[method, url, body]

    async def close(self) -> None:
        """Nothing to let go of."""


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
