"""A connector between the engine and a simulated vendor that keeps people's hands off what is just being written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Protocol

from syncline.core.records import Create, Edit, FieldId, Receipt, RecordKey, Scope, Sighting, Write
from syncline.ports import Connector, Quota
from tests.simulation.network import token_of
from tests.simulation.people import Crowd


class Keeper(Protocol):
    """The world, as far as this needs to know it."""

    crowd: Crowd

    def title(self, name: str) -> FieldId:
        """A vendor's field that names its records."""
        ...

    def look(self, name: str, key: str) -> None:
        """Keep people's hands off a record for now, if this look at it comes before a write."""
        ...


class Watched:
    """A connector that keeps people's hands off a record between our look at it and the end of our write.

    Neither vendor offers a conditional write, so what is typed in that moment is lost, and documented to be. A look is
    a direct read for a write that is intended already; everything else (listings, other reads, searches, decisions) may
    be overtaken by people at any time.
    """

    def __init__(self, inner: Connector, name: str, keeper: Keeper) -> None:
        self._inner, self._name, self._keeper = inner, name, keeper
        self.schema, self.pages, self.find, self.check = inner.schema, inner.pages, inner.find, inner.check
        self.object_types, self.close, self.cost = inner.object_types, inner.close, inner.cost

    @property
    def calls(self) -> int:
        """As counted inside."""
        return self._inner.calls

    @property
    def skew(self) -> dt.timedelta | None:
        """As told inside."""
        return self._inner.skew

    @property
    def quota(self) -> Quota:
        """As told inside."""
        return self._inner.quota

    async def edits(self, scope: Scope, key: RecordKey) -> Mapping[FieldId, Edit]:
        """Nobody's hands are kept off for this."""
        return await self._inner.edits(scope, key)

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """A look."""
        self._keeper.look(self._name, key)
        return await self._inner.fetch(scope, key)

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """A write; afterwards the record is free again."""
        crowd = self._keeper.crowd
        token = (
            token_of(getattr(write.fields.get(self._keeper.title(self._name)), "text", ""))
            if isinstance(write, Create)
            else crowd.account(self._name).token(write.key)
        )
        crowd.locked.add((self._name, token))
        try:
            return await self._inner.write(scope, write)
        finally:
            crowd.locked.discard((self._name, token))
