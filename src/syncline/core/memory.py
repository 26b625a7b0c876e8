"""What the store remembers of a sync: records as last seen, links, runs, intents, history, questions.

Made by the engine and kept by the store (`ports.Store`); the CLI shows them. Frozen values only, each encodes to JSON.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import Enum
from typing import Any

import msgspec

from syncline.core.decisions import Answer, Resolution, Rule
from syncline.core.plan import Held, Step
from syncline.core.records import (
    Base,
    Edit,
    FieldId,
    Gone,
    LinkId,
    RecordKey,
    RunId,
    Side,
    SyncId,
)
from syncline.core.values import Value


class Standing(Enum):
    """How a record that we have seen stands in a sync."""

    LINKED = "linked"
    WAITING = "waiting"
    """No link ties it yet; it is matched again in every run."""
    RELEASED = "released"
    """Its link was closed for good: it is never linked or copied again by itself."""


class Seen(msgspec.Struct, frozen=True):
    """A record as last seen on one side of a sync.

    `fields` are all its values while the record is not settled (a conflict, a question, no link). A settled record
    holds what its base holds; then `fields` are only the values beside it, that the other side does not show. `gone` is the proof when it is gone. An empty `digest` matches no listing.
    """

    key: RecordKey
    digest: bytes
    standing: Standing
    is_settled: bool
    updated_at: dt.datetime | None = None
    title: str = ""
    fields: Mapping[FieldId, Value] | None = None
    gone: Gone | None = None
    link: LinkId | None = None
    external_key: str = ""
    in_scope: bool = True
    wrote_at: dt.datetime | None = None


class Spoken(msgspec.Struct, frozen=True):
    """Fields of each side that were seen with a value before both sides ever agreed on them. A blank that is found there
    later was entered by somebody."""

    left: tuple[FieldId, ...] = ()
    right: tuple[FieldId, ...] = ()

    def of(self, side: Side) -> tuple[FieldId, ...]:
        """One side's fields, sorted."""
        return self.left if side is Side.LEFT else self.right


class Link(msgspec.Struct, frozen=True):
    """Two records that are the same thing, with what they held when they last agreed, and both as last seen."""

    id: LinkId
    left: Seen
    right: Seen
    base: Base
    spoken: Spoken = Spoken()

    def of(self, side: Side) -> Seen:
        """One side's record."""
        return self.left if side is Side.LEFT else self.right


class KeptApart(msgspec.Struct, frozen=True):
    """Two records that a person said are not the same, and why."""

    left: RecordKey
    right: RecordKey
    at: dt.datetime
    reason: str = ""


class Counts(msgspec.Struct, frozen=True):
    """Records present on each side, and open links."""

    left: int
    right: int
    links: int


class RunState(Enum):
    """How a run ended, or that it has not."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class Run(msgspec.Struct, frozen=True):
    """One pass of a sync. `report` is the engine's report as JSON text."""

    id: RunId
    sync: SyncId
    state: RunState
    started_at: dt.datetime
    ended_at: dt.datetime | None = None
    report: str = ""


class IntentState(Enum):
    """What we know about a write that was intended."""

    OPEN = "open"
    """Stored before the call; if it is still open when a run begins, the process died and nobody knows."""
    UNKNOWN = "unknown"
    """Sent, and no clear answer came."""
    DONE = "done"
    FAILED = "failed"
    DROPPED = "dropped"
    """Surely not carried out; decided again."""


class Intent(msgspec.Struct, frozen=True):
    """A write that was about to be made."""

    id: int
    run: RunId
    step: Step
    state: IntentState
    at: dt.datetime


class Entry(msgspec.Struct, frozen=True):
    """One line of the history: what became of one field (or, with an empty field, of the record)."""

    run: RunId
    link: LinkId | None
    left_key: RecordKey | None
    right_key: RecordKey | None
    field: str
    side: Side | None
    """The side that was written; None when only the base moved."""
    old: Value | None
    new: Value | None
    lost: Value | None
    """The value that a rule overrode."""
    rule: Rule
    at: dt.datetime
    title: str = ""
    id: int = 0


class Question(msgspec.Struct, frozen=True):
    """Something held that a person may have to settle: a contested field, a deletion, a value or record without
    counterpart. `times` says when each side was edited, where known."""

    id: int
    sync: SyncId
    held: Held
    base_left: Value | None
    base_right: Value | None
    asked_at: dt.datetime
    run: RunId
    choice: Resolution | Answer | None = None
    left_edit: Edit | None = None
    right_edit: Edit | None = None


class Version(msgspec.Struct, frozen=True):
    """What was configured from `at` on: the syncs by name as plain JSON (`body`), without connections and secrets."""

    number: int
    at: dt.datetime
    digest: str
    body: Mapping[str, Any]
    note: str = ""


class Parked(msgspec.Struct, frozen=True):
    """A record whose write failed. `due` is the next try, None when only a person (or an edit) gets it going again."""

    side: Side
    key: RecordKey
    title: str
    code: str
    message: str
    field: str | None
    attempts: int
    due: dt.datetime | None
    since: dt.datetime
    remedy: str = ""
    """What a person does about it: told with the record, never stored."""
