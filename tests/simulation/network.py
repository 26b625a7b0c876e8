"""Requests into a stand-in vendor's answers, without sockets: through faults, crashes and people who edit meanwhile.

Everything that happens is counted here, at the vendor's own door, so that the checks need not ask the engine.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import msgspec

from syncline.connectors.transport import Answer
from syncline.errors import UnknownOutcomeError
from syncline.sandbox.faults import Fault, FaultKind, answer
from syncline.sandbox.wire import Request, Response, SandboxClock, Vendor, dated
from tests.clock import VirtualClock
from tests.engine.crashing import Fuse

TOKEN = re.compile(r"⟦(\d+)⟧")
"""Every record's title begins with the number of its origin, and nobody ever takes it away."""


def token_of(title: object) -> int:
    """The origin that a title names; 0 for none."""
    found = TOKEN.search(str(title))
    return int(found[1]) if found else 0


class Book(Protocol):
    """Who knows which origin a record of a vendor has."""

    def token(self, key: str) -> int:
        """The origin of a record; 0 when it is not there."""
        ...

    def record(self, key: str) -> dict[str, object] | None:
        """What a record holds; None when it is not there."""
        ...

    def is_bare(self, key: str) -> bool:
        """Whether something is unset in a record that a person cannot tell from a `no`."""
        ...

    def live(self) -> list[str]:
        """The keys of what is there."""
        ...


class Onlooker(Protocol):
    """Who judges each write that has an effect (`witness.Witness`)."""

    def changed(
        self, side: str, token: int, before: dict[str, object], after: dict[str, object], *, was_bare: bool
    ) -> None:
        """A record was written on. `was_bare`: something was unset in it that looks like a `no`."""
        ...

    def deleted(self, side: str, token: int, left: int) -> None:
        """A record was deleted; so many of its origin are left."""
        ...

    def made(self, side: str, token: int, others: int) -> None:
        """A record was made, beside so many of its origin."""
        ...


@dataclass
class Counted:
    """What the engine did at one vendor, whether or not it heard of it."""

    calls: int = 0
    writes: int = 0
    made: Counter[int] = field(default_factory=Counter[int])
    deleted: list[tuple[int, int]] = field(default_factory=list)
    """Origins of deleted records, each with the number of human acts there had been."""
    before: list[tuple[str, int, dict[str, object]]] = field(default_factory=list)
    """What changed records held before each write: key, number of human acts, values."""


class Door:
    """A vendor whose effective writes are counted, and judged. One that `rounds` keeps hours in hundredths."""

    def __init__(
        self,
        name: str,
        vendor: Vendor,
        book: Book,
        acts: Callable[[], int],
        onlooker: Onlooker,
        *,
        rounds: bool,
    ) -> None:
        self._name = name
        self._vendor = vendor
        self._book = book
        self._acts = acts
        self._onlooker = onlooker
        self._rounds = rounds
        self.counted = Counted()

    def handle(self, request: Request) -> Response:
        """Answer, and count."""
        request = _rounded(request) if self._rounds else request
        key = request.path.rsplit("/", 1)[-1]
        gone = self._book.token(key) if request.method == "DELETE" else 0
        held = self._book.record(key) if request.method == "PUT" else None
        was_bare = held is not None and self._book.is_bare(key)
        response = self._vendor.handle(request)
        counted = self.counted
        counted.calls += 1
        if request.method == "GET" or response.status >= 300 or request.path.endswith("/search"):
            return response
        counted.writes += 1
        if held is not None:
            counted.before.append((key, self._acts(), held))
            if (after := self._book.record(key)) is not None:
                self._onlooker.changed(self._name, self._book.token(key), held, after, was_bare=was_bare)
        if gone:
            counted.deleted.append((gone, self._acts()))
            self._onlooker.deleted(self._name, gone, self._count(gone))
        elif request.method == "POST":
            body = msgspec.json.decode(request.body)
            made = token_of(body.get("name") or body.get("properties", {}).get("title"))
            counted.made[made] += 1
            if made:
                self._onlooker.made(self._name, made, self._count(made) - 1)
        return response

    def _count(self, token: int) -> int:
        return sum(self._book.token(key) == token for key in self._book.live())


def _rounded(request: Request) -> Request:
    """The request with its hours as the vendor keeps them."""
    if b'"estimate"' not in request.body:
        return request
    body = msgspec.json.decode(request.body)
    return replace(request, body=msgspec.json.encode({**body, "estimate": round(body["estimate"] or 0, 2)}))


class Fate(Protocol):
    """Who decides what befalls a request."""

    def fault(self, name: str, request: Request) -> Fault | None:
        """What goes wrong with the next request; people may act meanwhile."""
        ...

    def latency(self) -> float:
        """How many seconds its answer takes."""
        ...


class Network:
    """One connection's network (`connectors.transport.Transport`)."""

    def __init__(
        self,
        name: str,
        door: Door,
        clock: VirtualClock,
        theirs: SandboxClock,
        fate: Fate,
        fuse: Callable[[], Fuse],
        trace: Callable[[str], None],
    ) -> None:
        self._name, self._door, self._clock, self._theirs = name, door, clock, theirs
        self._fate, self._fuse, self._trace = fate, fuse, trace

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """One exchange."""
        await asyncio.sleep(0)
        fuse = self._fuse()
        fuse.check()
        request = Request.of(method, url, headers, body or b"")
        fault = self._fate.fault(self._name, request)
        fuse.spend(f"{self._name} before {method}")
        self._clock.advance(self._fate.latency() + _slowness(fault))
        response = answer(self._door, request, fault)
        status = "cut" if response is None else response.status
        self._trace(f"{self._name} {method} {request.path} {fault.kind.value + ' ' if fault else ''}{status}")
        await asyncio.sleep(0)
        fuse.spend(f"{self._name} after {method}")
        if response is None:
            raise UnknownOutcomeError("the connection was cut")
        headers = dated(response, self._theirs).headers
        return Answer(response.status, {k.lower(): v for k, v in headers.items()}, response.body)

    async def close(self) -> None:
        """Nothing to let go of."""


def _slowness(fault: Fault | None) -> float:
    return fault.seconds if fault is not None and fault.kind is FaultKind.SLOW else 0.0
