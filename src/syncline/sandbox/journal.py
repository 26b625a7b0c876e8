"""Every request a sandbox has seen, shown with credentials masked.

Written by `sandbox.server`, read through the control API (`sandbox.control`). Kept raw while in memory, because
masking each request would slow the server down; nothing leaves this module unmasked.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import parse_qsl, urlencode

import msgspec

from syncline.sandbox.wire import Request

MASK = "***"
_SECRET_HEADERS = frozenset({"authorization", "cookie", "x-angie-authapitoken", "x-angie-webhooksecret"})
_SECRET_KEYS = frozenset(
    {
        "password",
        "token",
        "secret",
        "client_secret",
        "refresh_token",
        "access_token",
        "intent",
        "intent_id",
        "code",
    }
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and how it was answered. `status` is 0 when the connection was closed without an answer."""

    number: int
    request: Request
    status: int
    at: dt.datetime
    seconds: float
    fault: str = ""


class Journal:
    """The last exchanges, numbered from 1."""

    def __init__(self, limit: int = 50_000) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=limit)
        self.last_number = 0

    def note(self, request: Request, status: int, at: dt.datetime, seconds: float, fault: str) -> None:
        """Add one exchange."""
        self.last_number += 1
        self._exchanges.append(Exchange(self.last_number, request, status, at, seconds, fault))

    def clear(self) -> None:
        """Forget all exchanges; numbers go on."""
        self._exchanges.clear()

    def since(self, number: int = 0) -> list[Exchange]:
        """The exchanges after this number, oldest first."""
        return [exchange for exchange in self._exchanges if exchange.number > number]

    def shown(self, number: int = 0) -> list[dict[str, object]]:
        """The exchanges after this number as JSON with credentials masked."""
        return [_shown(exchange) for exchange in self.since(number)]


def _shown(exchange: Exchange) -> dict[str, object]:
    request = exchange.request
    return {
        "number": exchange.number,
        "method": request.method,
        "path": request.path,
        "query": {name: MASK if name in _SECRET_KEYS else value for name, value in request.query.items()},
        "headers": {
            name: MASK if name in _SECRET_HEADERS else value for name, value in request.headers.items()
        },
        "body": masked_body(request.body),
        "status": exchange.status,
        "at": exchange.at,
        "seconds": exchange.seconds,
        "fault": exchange.fault,
    }


def masked_body(body: bytes) -> object:
    """A body as JSON where it is JSON, else as text; values of secret keys masked."""
    if not body:
        return None
    try:
        return _masked(msgspec.json.decode(body))
    except msgspec.DecodeError:
        text = body.decode("utf-8", "replace")
    pairs = parse_qsl(text, keep_blank_values=True)
    if not any(name in _SECRET_KEYS for name, _ in pairs):
        return text
    return urlencode([(name, MASK if name in _SECRET_KEYS else value) for name, value in pairs], safe="*")


def _masked(data: object) -> object:
    if isinstance(data, list):
        return [_masked(item) for item in cast("list[object]", data)]
    if isinstance(data, Mapping):
        members = cast("Mapping[str, object]", data)
        return {name: MASK if name in _SECRET_KEYS else _masked(value) for name, value in members.items()}
    return data
