"""What a plan is made of: a decided link goes in, steps and held items come out.

Made by `plan`, shown by the CLI, stored with the run, carried out by `engine`. Frozen values only.
"""

from __future__ import annotations

from enum import Enum

import msgspec

from syncline.core.decisions import Decision, FieldDecision, Rule, line_fields
from syncline.core.records import FieldId, Gone, LinkId, RecordKey, Side, StepId, Write
from syncline.core.values import Value


class Effect(Enum):
    """What becomes of the link when a step is done."""

    KEEP = "keep"
    """The link stays; its base moves for the step's fields."""
    TIE = "tie"
    """A link is made (or, after a revival, tied to the new record)."""
    CLOSE = "close"
    """The link is closed."""
    ALONE = "alone"
    """No link is concerned: the record is brought back to stand for itself, or such a record goes again."""


class Step(msgspec.Struct, frozen=True):
    """One thing to do. Without a `write` only our own memory changes.

    `counterpart` is the record on the other side; `fields` are the decisions that are settled when the step is done;
    `later` those that are written in part, and settled with the next step of the link;
    `after` names a step of the same link that must have succeeded; `release` marks a side's record as never to be
    linked or copied again by itself; `proof` is the absence that led to the step, for the history.
    """

    id: StepId
    side: Side
    write: Write | None
    effect: Effect
    rule: Rule
    title: str
    link: LinkId | None = None
    key: RecordKey | None = None
    counterpart: RecordKey | None = None
    fields: tuple[FieldDecision, ...] = ()
    after: StepId | None = None
    release: Side | None = None
    proof: Gone | None = None
    later: tuple[FieldDecision, ...] = ()


class Held(msgspec.Struct, frozen=True):
    """Something that is not done now, and why. `field` is None when the whole record waits; `gone` names the side whose
    record is gone, and `proof` how we know."""

    rule: Rule
    reason: str
    title: str
    link: LinkId | None = None
    left_key: RecordKey | None = None
    right_key: RecordKey | None = None
    field: str | None = None
    left: Value | None = None
    right: Value | None = None
    gone: Side | None = None
    proof: Gone | None = None

    @property
    def line(self) -> tuple[FieldId, FieldId] | None:
        """The left and right field, when one field waits."""
        return line_fields(self.field) if self.field else None


class Linked(msgspec.Struct, frozen=True):
    """A decided link, with the proof for each side whose record is gone."""

    link: LinkId
    left_key: RecordKey
    right_key: RecordKey
    title: str
    decision: Decision
    left_gone: Gone | None = None
    right_gone: Gone | None = None

    def key(self, side: Side) -> RecordKey:
        """The record of one side."""
        return self.left_key if side is Side.LEFT else self.right_key

    def gone(self, side: Side) -> Gone | None:
        """The proof that one side's record is gone, if it is."""
        return self.left_gone if side is Side.LEFT else self.right_gone
