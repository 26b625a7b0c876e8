"""What the engine needs to know of one sync: two connected sides, the rules between them, and how careful to be.

Made by `bootstrap` from the configuration and the discovered schemas; read by every other module here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from syncline.core.brakes import Limits
from syncline.core.decisions import Rules
from syncline.core.match import MatchRule
from syncline.core.records import FieldId, ObjectSchema, Record, Scope, Side, SyncId
from syncline.ports import Clock, Connector, Store


@dataclass(frozen=True, slots=True)
class SideSetup:
    """One side of a sync: where its records are, and what they look like."""

    connector: Connector
    scope: Scope
    schema: ObjectSchema


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things are believed.

    `fresh`: a record read this recently is not read again before it is updated. `lease`: a run that has not renewed
    for so long is dead. `lag`: how far a side's listing may run behind its writes (a search index).
    """

    fresh: dt.timedelta = dt.timedelta(seconds=5)
    lease: dt.timedelta = dt.timedelta(minutes=1)
    lag: dict[Side, dt.timedelta] = field(default_factory=dict[Side, dt.timedelta])
    writers: int = 8


@dataclass(frozen=True, slots=True)
class Sync:
    """One configured sync, connected. The digests change when the mapping, the filter or the schemas do."""

    id: SyncId
    left: SideSetup
    right: SideSetup
    rules: Rules
    match: MatchRule
    limits: Limits
    may_create: frozenset[Side]
    mapping_digest: str
    filter_digest: str
    patience: Patience = Patience()

    def side(self, side: Side) -> SideSetup:
        """One side."""
        return self.left if side is Side.LEFT else self.right

    def fields(self, side: Side) -> frozenset[FieldId]:
        """The fields of one side that the sync looks at: mapped ones and match keys."""
        mapped = {lens.mapping.of(side) for lens in self.rules.lenses}
        keys = {pair[0] if side is Side.LEFT else pair[1] for pair in self.match.on}
        return frozenset(mapped | keys)

    def trim(self, side: Side, record: Record) -> Record:
        """The record with only the fields that the sync looks at."""
        wanted = self.fields(side)
        kept = {name: value for name, value in record.fields.items() if name in wanted}
        return msgspec.structs.replace(record, fields=kept)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage of a run is; `total` is None while it is not known."""

    stage: str
    done: int
    total: int | None = None


Watch = Callable[[Progress], None]


def unwatched(_: Progress) -> None:
    """Nobody looks."""


@dataclass(frozen=True, slots=True)
class World:
    """What a run may touch besides the two connectors."""

    store: Store
    clock: Clock
    watch: Watch = unwatched
