"""What the connector asks of each of its object types, so that it only has to find the right one.

Implemented by `object_records` (custom objects and businesses) and by a module for each other type; `connector` holds them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from syncline.core.records import (
    ObjectSchema,
    ObjectTypeId,
    Receipt,
    Record,
    RecordKey,
    Scope,
    Sighting,
    Write,
)
from syncline.errors import ConfigError, Problem, ProblemKind
from syncline.ports import Ending, Page


class Kind(Protocol):
    """One object type, or a family of them. `ports.Connector` says what each method promises."""

    async def schema(self, object_type: ObjectTypeId) -> ObjectSchema:
        """Fields, read anew. Raises `NotFoundError`."""
        ...

    def pages(self, scope: Scope, since: str | None) -> AsyncIterator[Page | Ending]:
        """List a scope, or what may have changed in it."""
        ...

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """Read one record directly."""
        ...

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """Carry out one write."""
        ...

    async def find(self, scope: Scope, external_key: str) -> Sequence[Record]:
        """Records that carry our own key; none where the type has no place for one."""
        ...


class NamedKind(Kind, Protocol):
    """A kind that is one object type, which no list of the vendor's names."""

    @property
    def title(self) -> str:
        """What a person calls it."""
        ...


def check_filters(scope: Scope, known: frozenset[str], what: str) -> None:
    """Raises `ConfigError` for a filter that the type does not have."""
    for name in scope.where:
        if name in known:
            continue
        if known:
            text = f"{what} have no filter {name}; there are {', '.join(sorted(known))}."
        else:
            text = f"{what} have no filters."
        problem = Problem(f"where.{name}", text, "Remove it.", ProblemKind.UNKNOWN_SETTING, name)
        raise ConfigError("The filter cannot be used.", (problem,))
