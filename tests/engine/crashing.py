"""A store and a connector that stop the process after a chosen effect: real ones inside, nothing else changed.

An effect is a commit of the database, or a call of a connector before it reaches the account or after it took effect.
Once stopped, nothing gets through any more: whatever the dying run still tries changes neither side nor the database.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from contextlib import contextmanager

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
from syncline.ports import Connector, Ending, Health, ObjectSummary, Page, Quota, Store

_COMMITTING = frozenset(
    {
        *("begin_run", "renew", "end_run", "see", "tie", "retie", "move_base", "unbase", "untie", "intend", "settle"),
        *("record", "keep_evidence", "prune_evidence", "ask", "choose", "park", "unpark", "remember", "save_secret"),
    }
)  # fmt: skip


class Crash(BaseException):
    """The process stops here."""


class Fuse:
    """Counts effects, and stops the process at one of them (`at` counts from 1; None lets everything pass)."""

    def __init__(self, at: int | None = None) -> None:
        self.at = at
        self.effects: list[str] = []
        self.is_blown = False

    def check(self) -> None:
        """Let a living process go on."""
        if self.is_blown:
            raise Crash("stopped")

    def spend(self, effect: str) -> None:
        """Count one effect, and stop when its turn has come."""
        self.check()
        self.effects.append(effect)
        if len(self.effects) == self.at:
            self.is_blown = True
            raise Crash(effect)


class CrashingStore:
    """A store whose commits are effects."""

    def __init__(self, store: Store, fuse: Fuse) -> None:
        self._store = store
        self._fuse = fuse
        self._depth = 0

    @contextmanager
    def transaction(self, *, may_be_lost: bool = False) -> Generator[None]:
        """A transaction; the outermost is one effect."""
        self._fuse.check()
        self._depth += 1
        try:
            with self._store.transaction(may_be_lost=may_be_lost):
                yield
                self._fuse.check()
        finally:
            self._depth -= 1
        if not self._depth:
            self._fuse.spend("commit")

    def __getattr__(self, name: str) -> object:
        """Any other method of the store; a writing one is an effect of its own outside a transaction."""
        method = getattr(self._store, name)

        def call(*args: object, **named: object) -> object:
            self._fuse.check()
            answer = method(*args, **named)
            if not self._depth and name in _COMMITTING:
                self._fuse.spend(name)
            return answer

        return call


class CrashingConnector:
    """A connector whose calls are two effects each, with a turn for other tasks between them and around."""

    def __init__(self, connector: Connector, fuse: Fuse, name: str) -> None:
        self._connector = connector
        self._fuse = fuse
        self._name = name

    @property
    def calls(self) -> int:
        """As the real one counts."""
        return self._connector.calls

    @property
    def skew(self) -> dt.timedelta | None:
        """As the real one tells."""
        return self._connector.skew

    @property
    def quota(self) -> Quota:
        """As the real one tells."""
        return self._connector.quota

    async def check(self) -> Health:
        """Not called by a run."""
        return await self._connector.check()

    async def object_types(self) -> Sequence[ObjectSummary]:
        """Not called by a run."""
        return await self._connector.object_types()

    async def schema(self, object_type: ObjectTypeId) -> ObjectSchema:
        """Not called by a run."""
        return await self._connector.schema(object_type)

    async def pages(self, scope: Scope, since: str | None = None) -> AsyncIterator[Page | Ending]:
        """Every page, and the ending, is an effect."""
        async for part in self._connector.pages(scope, since):
            await self._step("list")
            yield part

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """A direct read."""
        await self._step("before fetch")
        return await self._connector.fetch(scope, key)

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """A write: stopped before it reaches the account, or before its answer comes back."""
        kind = type(write).__name__
        await self._step(f"before {kind}")
        receipt = await self._connector.write(scope, write)
        await self._step(f"after {kind}")
        return receipt

    async def find(self, scope: Scope, external_key: str) -> Sequence[Record]:
        """A search for an external key."""
        await self._step("before find")
        return await self._connector.find(scope, external_key)

    async def edits(self, scope: Scope, key: RecordKey) -> Mapping[FieldId, Edit]:
        """A look at a record's edit history."""
        await self._step("before edits")
        return await self._connector.edits(scope, key)

    def cost(self, write: Write) -> int:
        """As the real one counts."""
        return self._connector.cost(write)

    async def close(self) -> None:
        """Let go of nothing."""

    async def _step(self, what: str) -> None:
        await asyncio.sleep(0)
        self._fuse.spend(f"{self._name}: {what}")
