"""What the engine knows of the outside: connectors, pages of records, time.

Implemented by `connectors` and `bootstrap`; the type checker and the conformance suite prove that an adapter fits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

import msgspec

from syncline.core.quota import Purpose, Quota
from syncline.core.records import (
    Edit,
    FieldId,
    ObjectSchema,
    ObjectTypeId,
    Receipt,
    Record,
    RecordKey,
    Scope,
    Sighting,
    Write,
)


class Clock(Protocol):
    """Time as an argument, so that a world can be replayed."""

    def now(self) -> dt.datetime:
        """The current time, aware UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait so long."""
        ...


class Page(Protocol):
    """Some records of a listing, not yet decoded.

    `keys` and `digests` run in parallel. A digest is of the record's bytes as listed: equal digests mean that nothing
    at all changed, so most records of a quiet account are never decoded.
    """

    @property
    def keys(self) -> Sequence[RecordKey]:
        """The records' keys, in listing order."""
        ...

    @property
    def digests(self) -> Sequence[bytes]:
        """One digest (16 bytes) for each key."""
        ...

    def record(self, index: int) -> Record:
        """Decode one record. Raises `ConnectorError` when it is not of the expected form."""
        ...


class Ending(msgspec.Struct, frozen=True):
    """How a listing ended. `is_complete` only when every record of the scope was surely listed: only then does absence
    mean anything. `cursor` starts the next delta listing (opaque JSON text of the connector). Without `is_gapless`, even
    something that a delta should have shown is known to be missing."""

    is_complete: bool
    cursor: str | None = None
    reason: str = ""
    is_gapless: bool = True


class ObjectSummary(msgspec.Struct, frozen=True):
    """An object type that a connection offers."""

    id: ObjectTypeId
    title: str


class Health(msgspec.Struct, frozen=True):
    """What a connection test found. `problems` is empty when the connection can be used; `warnings` do not stop it.

    `account` and `user` are for people; `account_id` and `user_id` stay the same when somebody is renamed."""

    account: str
    user: str
    version: str = ""
    scopes: tuple[str, ...] | None = None
    missing_scopes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    account_id: str = ""
    user_id: str = ""


_purpose: ContextVar[Purpose] = ContextVar("purpose", default=Purpose.INTERACTIVE)


@contextmanager
def calling_for(purpose: Purpose) -> Generator[None]:
    """Make every call inside (also of tasks started inside) count as made for this purpose: it decides who goes first,
    and whether the kept reserve may be used."""
    token = _purpose.set(purpose)
    try:
        yield
    finally:
        _purpose.reset(token)


def purpose_now() -> Purpose:
    """What a call made here is for; interactive unless `calling_for` says otherwise."""
    return _purpose.get()


def _nothing_to_ask() -> None:
    return


_asked: ContextVar[Callable[[], None]] = ContextVar("asked", default=_nothing_to_ask)


@contextmanager
def asking_before_writes(ask: Callable[[], None]) -> Generator[None]:
    """Have this asked right before every write inside is sent (also by tasks started inside). What it raises keeps the write
    from being sent: a process that stood still between its last look and its write must not go on as if nothing happened."""
    token = _asked.set(ask)
    try:
        yield
    finally:
        _asked.reset(token)


def ask_before_write() -> None:
    """Called by connectors when all waiting is over and a write is about to be sent. Raises what the caller of
    `asking_before_writes` raises (a run: `BusyError` once it does not hold its sync any more)."""
    _asked.get()()


class Connector(Protocol):
    """One connection, seen by the engine.

    Every call may raise `TransientError` (try again later) or `AuthError` (a person must act). Reads are retried
    inside; writes never.
    """

    @property
    def calls(self) -> int:
        """How many requests this connector has sent so far."""
        ...

    @property
    def quota(self) -> Quota:
        """What is left, from the last answers' headers."""
        ...

    @property
    def skew(self) -> dt.timedelta | None:
        """How far the vendor's clock was ahead of ours when it last answered, to a second; None where it does not tell."""
        ...

    async def check(self) -> Health:
        """Test the connection with the fewest calls; problems are values here, not errors."""
        ...

    async def object_types(self) -> Sequence[ObjectSummary]:
        """The object types that can be synced."""
        ...

    async def schema(self, object_type: ObjectTypeId) -> ObjectSchema:
        """The fields of an object type, fresh from the vendor. Raises `NotFoundError`."""
        ...

    def pages(self, scope: Scope, since: str | None = None) -> AsyncIterator[Page | Ending]:
        """List the scope: all of it, or (with the cursor of an earlier ending) what may have changed since.

        Yields pages and, last, one `Ending`. A record may come twice and a delta may hold unchanged ones. Raises
        `NotFoundError` when the scope names something that is not there.
        """
        ...

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """Read one record directly: `Present` or `Gone` with proof, never a guess; `Unseen` where this user may not
        look any more."""
        ...

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """Carry out one write and answer what the vendor now holds.

        Raises `RejectedError` (never, this way), `NotFoundError` (gone meanwhile), `StaleError` (found elsewhere, and
        not as it was), `UnknownOutcomeError` (sent, no clear answer) or `TransientError` (surely not applied).
        """
        ...

    async def find(self, scope: Scope, external_key: str) -> Sequence[Record]:
        """Records that carry this external key, newest first; empty where the vendor has no place for one."""
        ...

    async def edits(self, scope: Scope, key: RecordKey) -> Mapping[FieldId, Edit]:
        """When and by whom each field was last edited, where the vendor tells; else empty."""
        ...

    def cost(self, write: Write) -> int:
        """How many calls this write takes."""
        ...

    async def close(self) -> None:
        """Let go of sockets."""
        ...
