"""A request in, a response out: what a stand-in vendor is, without any socket.

Both stand-ins implement `Vendor`: a plain synchronous function over their own memory, so that the same logic serves
real HTTP (`sandbox.server`) and a simulated world with its own clock and network (`tests/simulation`).
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `path` is decoded and without the query; header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    @classmethod
    def of(cls, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Request:
        """From a full URL or a path with its query."""
        parts = urlsplit(url)
        return cls(
            method.upper(),
            unquote(parts.path),
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in headers.items()},
            body,
        )


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def json(cls, data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        """JSON as both vendors send it."""
        return cls(
            status,
            msgspec.json.encode(data),
            {"content-type": "application/json; charset=utf-8", **(headers or {})},
        )


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook that a vendor wants to send, not before `due`."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    due: dt.datetime


class Vendor(Protocol):
    """A stand-in: everything it knows is in its memory."""

    def handle(self, request: Request) -> Response:
        """Answer one request of the vendor's public API."""
        ...

    def outbox(self) -> list[Delivery]:
        """Hand over (and forget) the webhooks made since the last call."""
        ...

    def control(self, action: str, args: dict[str, object]) -> object:
        """Do what only a person or an administrator can: edit in the web UI, set a quota, register a webhook.

        Answers something that encodes to JSON. Raises `ValueError` on an unknown action or bad arguments, with a
        sentence that says which.
        """
        ...


class SandboxClock:
    """The stand-ins' time: starts where it is told, stands still or follows a ticker, and can be moved by hand."""

    def __init__(self, start: dt.datetime) -> None:
        self._start = start
        self._offset = dt.timedelta()
        self._ticker: Ticker | None = None

    def now(self) -> dt.datetime:
        """The stand-ins' current time, aware UTC."""
        elapsed = self._ticker.elapsed() if self._ticker else dt.timedelta()
        return self._start + self._offset + elapsed

    @property
    def is_running(self) -> bool:
        """Whether time passes by itself."""
        return self._ticker is not None

    def advance(self, seconds: float) -> None:
        """Move forward (or back, with a negative number)."""
        self._offset += dt.timedelta(seconds=seconds)

    def run(self, ticker: Ticker) -> None:
        """Let time pass as the ticker says."""
        self.stop()
        self._ticker = ticker

    def stop(self) -> None:
        """Stand still at the current time."""
        self._start, self._offset, self._ticker = self.now(), dt.timedelta(), None


class Ticker(Protocol):
    """Something that tells how much time passed since it was made."""

    def elapsed(self) -> dt.timedelta:
        """Time since the ticker was made."""
        ...


class RealTicker:
    """Time as it passes on this machine, for sandboxes that people look at."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._made = monotonic()

    def elapsed(self) -> dt.timedelta:
        """Time since the ticker was made."""
        return dt.timedelta(seconds=self._monotonic() - self._made)


def dated(response: Response, clock: SandboxClock) -> Response:
    """The response with a `Date`, which every HTTP server sends (RFC 9110 6.6.1): the stand-in's own time."""
    return replace(response, headers={**response.headers, "date": format_datetime(clock.now(), usegmt=True)})
