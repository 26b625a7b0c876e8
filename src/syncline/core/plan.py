"""Decisions and matches into a plan: ordered steps, held items, pulled brakes, and the cost in API calls.

Called by `engine.reconcile`; shown by the CLI, stored with the run, carried out by `engine.apply`. The core ends here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import assert_never

import msgspec

from syncline.core.brakes import Brake, Facts, Limits, brakes
from syncline.core.decisions import (
    AskDelete,
    Decision,
    FieldDecision,
    Fields,
    Forget,
    Remove,
    Revive,
    Rule,
    Wait,
    line_fields,
)
from syncline.core.mapping import Lens
from syncline.core.match import Ambiguous, Matching, MatchMode, external_key
from syncline.core.merge import created_fields
from syncline.core.records import (
    Archive,
    Create,
    Delete,
    FieldId,
    LinkId,
    Record,
    RecordKey,
    Restore,
    Side,
    StepId,
    SyncId,
    Update,
    Write,
)
from syncline.core.values import BLANK, Value, is_blank


class Effect(Enum):
    """What becomes of the link when a step is done."""

    KEEP = "keep"
    """The link stays; its base moves for the step's fields."""
    TIE = "tie"
    """A link is made (or, after a revival, tied to the new record)."""
    CLOSE = "close"
    """The link is closed."""


class Step(msgspec.Struct, frozen=True):
    """One thing to do. Without a `write` only our own memory changes.

    `counterpart` is the record on the other side; `fields` are the decisions that are settled when the step is done;
    `after` names a step of the same link that must have succeeded; `release` marks a side's record as never to be
    linked or copied again by itself.
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


class Held(msgspec.Struct, frozen=True):
    """Something that is not done now, and why. `field` is None when the whole record waits."""

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

    @property
    def line(self) -> tuple[FieldId, FieldId] | None:
        """The left and right field, when one field waits."""
        return line_fields(self.field) if self.field else None


class Linked(msgspec.Struct, frozen=True):
    """A decided link."""

    link: LinkId
    left_key: RecordKey
    right_key: RecordKey
    title: str
    decision: Decision

    def key(self, side: Side) -> RecordKey:
        """The record of one side."""
        return self.left_key if side is Side.LEFT else self.right_key


class Plan(msgspec.Struct, frozen=True):
    """What a run will do. With a pulled brake `steps` is empty and `stopped` holds what would have been done."""

    sync: SyncId
    steps: tuple[Step, ...]
    held: tuple[Held, ...]
    brakes: tuple[Brake, ...]
    calls_left: int
    calls_right: int
    stopped: tuple[Step, ...] = ()

    @property
    def writes(self) -> tuple[Step, ...]:
        """The steps that write to a vendor."""
        return tuple(step for step in self.steps if step.write is not None)

    @property
    def calls(self) -> int:
        """API calls of all writes."""
        return self.calls_left + self.calls_right


class Intake(msgspec.Struct, frozen=True):
    """What `plan` takes: decided links, the matching of the rest, and which records may not be copied.

    `paired` are the decisions of freshly matched pairs (they have no link yet).
    """

    sync: SyncId
    linked: Sequence[Linked]
    matching: Matching
    paired: Sequence[tuple[Record, Record, Decision]]
    mode: MatchMode
    lenses: Sequence[Lens]
    may_create: frozenset[Side]


Cost = Callable[[Side, Write], int]


def plan(intake: Intake, facts: Facts, limits: Limits, cost: Cost) -> Plan:
    """Order everything: creates first, then updates and revivals, deletions last."""
    writer = _Writer(intake)
    for pair in intake.paired:
        writer.pair(*pair)
    for side in (Side.RIGHT, Side.LEFT):
        for record in intake.matching.lone(side.other):
            writer.lone(side, record)
    for linked in intake.linked:
        writer.decided(linked)
    for ambiguous in intake.matching.ambiguous:
        writer.ambiguous(ambiguous)
    steps = tuple(sorted(writer.steps, key=_order))
    pulled = brakes(facts, limits)
    going = () if pulled else steps
    calls = {side: sum(cost(side, s.write) for s in going if s.write and s.side is side) for side in Side}
    return Plan(
        intake.sync,
        going,
        tuple(writer.held),
        pulled,
        calls[Side.LEFT],
        calls[Side.RIGHT],
        steps if pulled else (),
    )


def _order(step: Step) -> int:
    match step.write:
        case None:
            return 0
        case Create():
            return 1
        case Update() | Restore():
            return 2
        case Archive() | Delete():
            return 3
        case _:
            assert_never(step.write)


class _Writer:
    """Collects steps and held items, numbering steps in the order they are thought of."""

    def __init__(self, intake: Intake) -> None:
        self.steps: list[Step] = []
        self.held: list[Held] = []
        self._intake = intake

    def _id(self) -> StepId:
        return StepId(f"{len(self.steps) + 1:06d}")

    def _add(self, step: Step) -> StepId:
        self.steps.append(step)
        return step.id

    # A pair met for the first time: tied, and its fields decided at once.
    def pair(self, left: Record, right: Record, decision: Decision) -> None:
        title = left.title or right.title
        tie = self._add(
            Step(
                self._id(),
                Side.RIGHT,
                None,
                Effect.TIE,
                Rule.LINKED,
                title,
                key=right.key,
                counterpart=left.key,
            )
        )
        if isinstance(decision, Fields):
            self._fields(None, (left.key, right.key), title, decision.fields, after=tie)
        elif isinstance(decision, Wait):
            self._hold(decision.rule, decision.reason, title, None, (left.key, right.key))

    # A record without counterpart: made on the other side, unless the sync only matches.
    def lone(self, side: Side, record: Record) -> None:
        keys = (record.key, None) if side is Side.RIGHT else (None, record.key)
        if self._intake.mode is MatchMode.MATCH_ONLY:
            self._hold(Rule.NO_COUNTERPART, "no record on the other side matches", record.title, None, keys)
            return
        fields = created_fields(self._intake.lenses, record, side)
        written = _written(fields, side)
        if side not in self._intake.may_create or not written:
            return
        missing = self._missing(side, written)
        if missing:
            reason = f"'{missing}' is required there and has no value here"
            self._hold(Rule.NO_COUNTERPART, reason, record.title, None, keys)
            return
        create = Create(written, external_key(self._intake.sync, record.key))
        settled = tuple(field for field in fields if field.settles)
        self._add(
            Step(
                self._id(),
                side,
                create,
                Effect.TIE,
                Rule.CREATED,
                record.title,
                counterpart=record.key,
                fields=settled,
            )
        )
        self._open_fields(None, keys, record.title, fields)

    def _missing(self, side: Side, written: Mapping[FieldId, Value]) -> str | None:
        required = (lens.of(side) for lens in self._intake.lenses if lens.of(side).is_required)
        return next((field.title for field in required if field.id not in written), None)

    def ambiguous(self, found: Ambiguous) -> None:
        for record in found.left:
            self._hold(
                Rule.NO_COUNTERPART,
                f"{len(found.left)} records here and {len(found.right)} there have the same keys",
                record.title,
                None,
                (record.key, None),
            )
        for record in found.right:
            self._hold(
                Rule.NO_COUNTERPART,
                f"{len(found.right)} records here and {len(found.left)} there have the same keys",
                record.title,
                None,
                (None, record.key),
            )

    def decided(self, linked: Linked) -> None:
        keys = (linked.left_key, linked.right_key)
        match linked.decision:
            case Fields(fields):
                self._fields(linked.link, keys, linked.title, fields)
            case Remove(side, is_archive, rule):
                key = linked.key(side)
                write = Archive(key) if is_archive else Delete(key)
                self._simple(linked, side, write, Effect.CLOSE, rule, side if is_archive else None)
            case Revive(side, is_restore, fields, rule):
                self._revive(linked, side, fields, rule, is_restore=is_restore)
            case Forget(release, rule):
                self._simple(linked, release or Side.LEFT, None, Effect.CLOSE, rule, release)
            case AskDelete(gone, is_edited, rule):
                reason = "edited here since" if is_edited else "unchanged here since"
                self._hold(rule, reason, linked.title, linked.link, keys, gone=gone)
            case Wait(rule, reason):
                self._hold(rule, reason, linked.title, linked.link, keys)
            case _:
                assert_never(linked.decision)

    def _simple(
        self,
        linked: Linked,
        side: Side,
        write: Write | None,
        effect: Effect,
        rule: Rule,
        release: Side | None,
    ) -> None:
        self._add(
            Step(
                self._id(),
                side,
                write,
                effect,
                rule,
                linked.title,
                link=linked.link,
                key=linked.key(side),
                counterpart=linked.key(side.other),
                release=release,
            )
        )

    def _revive(
        self, linked: Linked, side: Side, fields: tuple[FieldDecision, ...], rule: Rule, *, is_restore: bool
    ) -> None:
        written = _written(fields, side)
        counterpart = linked.key(side.other)
        write: Write = (
            Restore(linked.key(side), written)
            if is_restore
            else Create(written, external_key(self._intake.sync, counterpart))
        )
        settled = tuple(field for field in fields if field.settles)
        self._add(
            Step(
                self._id(),
                side,
                write,
                Effect.TIE,
                rule,
                linked.title,
                link=linked.link,
                key=linked.key(side),
                counterpart=counterpart,
                fields=settled,
            )
        )
        self._open_fields(linked.link, (linked.left_key, linked.right_key), linked.title, fields)

    def _fields(
        self,
        link: LinkId | None,
        keys: tuple[RecordKey, RecordKey],
        title: str,
        fields: Sequence[FieldDecision],
        after: StepId | None = None,
    ) -> None:
        """One write for each side that gets something; a field both sides get is settled with the second."""
        noted = tuple(f for f in fields if f.settles and f.to_left is None and f.to_right is None)
        if noted:
            self._add(
                Step(
                    self._id(),
                    Side.LEFT,
                    None,
                    Effect.KEEP,
                    Rule.AGREED,
                    title,
                    link=link,
                    key=keys[0],
                    counterpart=keys[1],
                    fields=noted,
                    after=after,
                )
            )
        first = after
        is_two_sided = any(f.to_left is not None and f.to_right is not None for f in fields)
        for side, own, other in ((Side.LEFT, *keys), (Side.RIGHT, keys[1], keys[0])):
            written = _written(fields, side, keep_blank=True)
            if not written:
                continue
            was = {_field_of(f, side): _now(f, side) for f in fields if _field_of(f, side) in written}
            settled = tuple(f for f in fields if f.settles and _settled_with(f, side))
            rule = settled[0].rule if settled else Rule.MERGED
            step = self._add(
                Step(
                    self._id(),
                    side,
                    Update(own, written, was),
                    Effect.KEEP,
                    rule,
                    title,
                    link=link,
                    key=own,
                    counterpart=other,
                    fields=settled,
                    after=first,
                )
            )
            # A field that both sides get is settled with the second write, so that one must wait for the first.
            first = step if is_two_sided else after
        self._open_fields(link, keys, title, fields)

    def _open_fields(
        self,
        link: LinkId | None,
        keys: tuple[RecordKey | None, RecordKey | None],
        title: str,
        fields: Iterable[FieldDecision],
    ) -> None:
        for field in fields:
            if field.is_open:
                self.held.append(
                    Held(
                        field.rule,
                        field.reason,
                        title,
                        link,
                        keys[0],
                        keys[1],
                        field.name,
                        field.left,
                        field.right,
                    )
                )

    def _hold(
        self,
        rule: Rule,
        reason: str,
        title: str,
        link: LinkId | None,
        keys: tuple[RecordKey | None, RecordKey | None],
        gone: Side | None = None,
    ) -> None:
        self.held.append(Held(rule, reason, title, link, keys[0], keys[1], gone=gone))


def _written(
    fields: Iterable[FieldDecision], side: Side, *, keep_blank: bool = False
) -> dict[FieldId, Value]:
    """The values to write on a side. A new record is made without its blanks."""
    out: dict[FieldId, Value] = {}
    for field in fields:
        value = field.to_left if side is Side.LEFT else field.to_right
        if value is not None and (keep_blank or not is_blank(value)):
            out[_field_of(field, side)] = value
    return out


def _settled_with(field: FieldDecision, side: Side) -> bool:
    """Whether a field's base moves with the write on this side: the last one that the field needs."""
    if side is Side.RIGHT:
        return field.to_right is not None
    return field.to_left is not None and field.to_right is None


def _field_of(field: FieldDecision, side: Side) -> FieldId:
    return field.left_field if side is Side.LEFT else field.right_field


def _now(field: FieldDecision, side: Side) -> Value:
    value = field.left if side is Side.LEFT else field.right
    return BLANK if value is None else value
