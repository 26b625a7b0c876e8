"""What the engine needs to know of one sync: two connected sides, the rules between them, and how careful to be.

Made by `bootstrap` from the configuration and the discovered schemas; read by every other module here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from syncline.core.brakes import Limits
from syncline.core.convert import Untranslatable
from syncline.core.decisions import Rules
from syncline.core.expressions import Condition
from syncline.core.mapping import FieldMapping
from syncline.core.match import MatchRule
from syncline.core.records import FieldId, ObjectSchema, Record, Scope, Side, SyncId
from syncline.core.shapes import Paused
from syncline.ports import Clock, Connector, Store


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a connection is: account and user as stable ids (empty where nobody tells), and its rights."""

    account: str = ""
    user: str = ""
    scopes: tuple[str, ...] | None = None
    missing_scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SideSetup:
    """One side of a sync: where its records are, and what they look like. `identity` is None where it is not known."""

    connector: Connector
    scope: Scope
    schema: ObjectSchema
    identity: Identity | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things are believed.

    `fresh`: a record read this recently is not read again before it is updated. `lease`: a run that has not renewed
    for so long is dead. `lag`: how far a side's listing may run behind its writes (a search index). `evidence`: how long
    what runs decided on, and settled intents, are kept. `absence`: how long complete listings must lack a record that
    cannot be read before it counts as missing. `beside`: how many writes of other records a run of chosen ones makes.
    """

    fresh: dt.timedelta = dt.timedelta(seconds=5)
    lease: dt.timedelta = dt.timedelta(minutes=1)
    lag: dict[Side, dt.timedelta] = field(default_factory=dict[Side, dt.timedelta])
    writers: int = 8
    beside: int = 100
    absence: dt.timedelta = dt.timedelta(hours=1)
    evidence: dt.timedelta = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Unfit:
    """A mapped line that fitted when it was applied, and does not fit the schemas any more."""

    mapping: FieldMapping
    reason: str


@dataclass(frozen=True, slots=True)
class Sync:
    """One configured sync, connected. The digests change when the mapping or the filter do.

    `settings_digest` names the applied settings it was made from; it is empty for a sync that was never applied.
    `filters` are conditions on a side's records; one that they do not hold for is out of scope.
    `unfit` lines are not among the lenses; `paused` are all lines that rest, once `drift.confine` has looked.
    """

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
    settings_digest: str = ""
    unfit: tuple[Unfit, ...] = ()
    paused: tuple[Paused, ...] = ()
    filters: Mapping[Side, Condition] = field(default_factory=dict[Side, Condition])

    def side(self, side: Side) -> SideSetup:
        """One side."""
        return self.left if side is Side.LEFT else self.right

    def fields(self, side: Side) -> frozenset[FieldId]:
        """The fields of one side that the sync looks at: mapped ones and match keys."""
        mapped = {lens.mapping.of(side) for lens in self.rules.lenses}
        keys = {pair[0] if side is Side.LEFT else pair[1] for pair in self.match.on}
        return frozenset(mapped | keys)

    def trim(self, side: Side, record: Record) -> Record:
        """The record with only the fields that the sync looks at, out of scope unless the side's filter holds.

        Where the filter says neither yes nor no (a blank it cannot do without), the record is left out as well.
        """
        wanted, condition = self.fields(side), self.filters.get(side)
        if condition is not None:
            wanted |= condition.reads
        kept = {name: value for name, value in record.fields.items() if name in wanted}
        is_in = record.in_scope and (condition is None or condition.holds(kept) is True)
        return msgspec.structs.replace(record, fields=kept, in_scope=is_in)

    def doubt(self, side: Side, record: Record) -> str:
        """Why the side's filter says neither yes nor no to a record; empty where it does."""
        condition = self.filters.get(side)
        found = condition.holds(record.fields) if condition is not None else True
        return found.reason if isinstance(found, Untranslatable) else ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage of a run is; `total` is None while it is not known."""

    stage: str
    done: int
    total: int | None = None


Watch = Callable[[Progress], None]


def unwatched(_: Progress) -> None:
    """Nobody looks."""


def never() -> bool:
    """Nobody waits."""
    return False


@dataclass(frozen=True, slots=True)
class World:
    """What a run may touch besides the two connectors. `makes_way` is asked before each write, unless the run is
    of chosen records: whether it should end here, because somebody waits for what was just edited."""

    store: Store
    clock: Clock
    watch: Watch = unwatched
    makes_way: Callable[[], bool] = never
