"""Decisions and matches into a plan: ordered steps, held items, pulled brakes, and the cost in API calls.

Called by `engine.reconcile`; shown by the CLI, stored with the run, carried out by `engine.apply`. The core ends here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import assert_never

import msgspec

from syncline.core.absence import created_fields
from syncline.core.brakes import Brake, Facts, Limits, brakes, released
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
)
from syncline.core.lines import groups, last, settled, writes, written
from syncline.core.mapping import Lens
from syncline.core.match import NOTHING_SAID, Ambiguous, Matching, MatchMode, Said, external_key
from syncline.core.records import (
    Archive,
    Create,
    Delete,
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
from syncline.core.shapes import Paused
from syncline.core.steps import Effect, Held, Linked, Step
from syncline.core.values import BLANK


class Plan(msgspec.Struct, frozen=True):
    """What a run will do. With a pulled brake `steps` is empty and `stopped` holds what would have been done.
    `paused` are the field lines that it leaves alone, `released` the brakes that would have pulled, had nobody let go
    of them."""

    sync: SyncId
    steps: tuple[Step, ...]
    held: tuple[Held, ...]
    brakes: tuple[Brake, ...]
    calls_left: int
    calls_right: int
    stopped: tuple[Step, ...] = ()
    paused: tuple[Paused, ...] = ()
    released: tuple[Brake, ...] = ()

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

    `paired` are the decisions of freshly matched pairs (they have no link yet). `circular` are records that wait, in the end,
    for nothing but themselves: they are made without what they point to, which follows.
    """

    sync: SyncId
    linked: Sequence[Linked]
    matching: Matching
    paired: Sequence[tuple[Record, Record, Decision]]
    mode: MatchMode
    lenses: Sequence[Lens]
    may_create: frozenset[Side]
    said: Said = NOTHING_SAID
    circular: frozenset[tuple[Side, RecordKey]] = frozenset()


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
        released=released(facts, limits),
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
        self._apart = intake.said.partners()
        self._wanted = intake.said.wanted()

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
        doubt = self._doubt(side, record)
        if doubt is not None:
            self._hold(*doubt, record.title, None, keys)
            return
        fields = created_fields(self._intake.lenses, record, side)
        values = written(fields, side)
        awaited = self._awaited(side, record.key, fields)
        if awaited and side in self._intake.may_create and (side.other, record.key) not in self._wanted:
            self._hold(Rule.AWAITS_PARENT, awaited, record.title, None, keys)
            return
        if side not in self._intake.may_create or not values:
            return
        missing = self._missing(side, fields)
        if missing:
            self._hold(Rule.NO_COUNTERPART, missing, record.title, None, keys)
            return
        create = Create(values, self._mark(side, record.key))
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

    def _doubt(self, side: Side, record: Record) -> tuple[Rule, str] | None:
        """Why a record is not just copied to `side`: a person is asked. One who wants the copy has answered."""
        if (side.other, record.key) in self._wanted:
            return None
        if self._intake.mode is MatchMode.MATCH_ONLY:
            return Rule.NO_COUNTERPART, "no record on the other side matches"
        if external_key(self._intake.sync, record.key) in self._intake.said.taken:
            return Rule.KEPT_APART, "a released record there was once made from it"
        others = self._apart.get((side.other, record.key), ())
        if others:
            return Rule.KEPT_APART, f"kept apart from {', '.join(others)}; a copy could be a second one"
        return None

    def _mark(self, side: Side, key: RecordKey) -> str:
        """The external key of a copy on `side`. A copy that a person wants may be a second one: it gets a mark that no
        earlier one carries."""
        word = self._wanted.get((side.other, key))
        mark = external_key(self._intake.sync, key)
        return mark if word is None else f"{mark}:{word}"

    def _awaited(self, side: Side, source: RecordKey, fields: Iterable[FieldDecision]) -> str:
        """What a new record on `side` waits for: a record that it points to, and that is not there yet."""
        if (side.other, source) in self._intake.circular:
            return ""
        awaited = (f.reason for f in fields if f.rule is Rule.AWAITS_PARENT and f.target(side) is None)
        return next(awaited, "")

    def _missing(self, side: Side, fields: Iterable[FieldDecision]) -> str | None:
        """Why a new record on `side` would be refused: a required field that nothing is written to."""
        values = written(fields, side)
        required = (lens.of(side) for lens in self._intake.lenses if lens.of(side).is_required)
        missing = next((field for field in required if field.id not in values), None)
        if missing is None:
            return None
        why = next((f.reason for f in fields if f.is_open and f.of(side) == missing.id), "")
        return f"'{missing.title}' is required there and has no value here" + (f": {why}" if why else "")

    # Several records share their keys: each of them is asked about.
    def ambiguous(self, found: Ambiguous) -> None:
        for side, own, other in (
            (Side.LEFT, found.left, found.right),
            (Side.RIGHT, found.right, found.left),
        ):
            reason = f"{len(own)} records here and {len(other)} there have the same keys"
            for record in own:
                keys = (record.key, None) if side is Side.LEFT else (None, record.key)
                self._hold(Rule.AMBIGUOUS, reason, record.title, None, keys)

    def decided(self, linked: Linked) -> None:
        keys = (linked.left_key, linked.right_key)
        match linked.decision:
            case Fields(fields):
                self._fields(linked.link, keys, linked.title, fields)
            case Remove(side, is_archive, rule, fields):
                key = linked.key(side)
                write = Archive(key) if is_archive else Delete(key)
                self._close(linked, side, write, rule, side if is_archive else None, fields)
            case Revive(side, is_restore, fields, rule):
                self._revive(linked, side, fields, rule, is_restore=is_restore)
            case Forget(release, rule):
                self._close(linked, release or Side.LEFT, None, rule, release)
            case AskDelete(gone, is_edited, rule, parent):
                reason = "edited here since" if is_edited else "unchanged here since"
                if parent:
                    reason = f"{reason}; what it points to is gone as well: {parent}"
                self._hold_gone(linked, gone, rule, reason)
            case Wait(rule, reason):
                self._hold(rule, reason, linked.title, linked.link, keys)
            case _:
                assert_never(linked.decision)

    def _close(
        self,
        linked: Linked,
        side: Side,
        write: Write | None,
        rule: Rule,
        release: Side | None,
        fields: tuple[FieldDecision, ...] = (),
    ) -> None:
        self._add(
            Step(
                self._id(),
                side,
                write,
                Effect.CLOSE,
                rule,
                linked.title,
                link=linked.link,
                key=linked.key(side),
                counterpart=linked.key(side.other),
                fields=fields,
                release=release,
                proof=linked.gone(side.other) or linked.gone(side),
            )
        )

    # A record brought back: out of the trash with its blanks, or made anew where that is possible.
    def _revive(
        self, linked: Linked, side: Side, fields: tuple[FieldDecision, ...], rule: Rule, *, is_restore: bool
    ) -> None:
        keys = (linked.left_key, linked.right_key)
        counterpart = linked.key(side.other)
        if is_restore:
            write: Write = Restore(linked.key(side), written(fields, side, keep_blank=True))
        else:
            awaited = self._awaited(side, counterpart, fields)
            if awaited:
                self._hold_gone(linked, side, Rule.AWAITS_PARENT, awaited)
                return
            hindrance = self._hindrance(side, fields)
            if hindrance:
                self._hold_gone(linked, side, Rule.DELETED_ASK, hindrance)
                return
            write = Create(written(fields, side), external_key(self._intake.sync, counterpart))
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
                fields=tuple(field for field in fields if field.settles),
                proof=linked.gone(side),
            )
        )
        self._open_fields(linked.link, keys, linked.title, fields)

    def _hindrance(self, side: Side, fields: tuple[FieldDecision, ...]) -> str | None:
        """Why a record cannot be made anew on `side`."""
        if side not in self._intake.may_create:
            return "edited here since, but no record can be made there"
        if not written(fields, side):
            return "edited here since, but nothing of it goes there"
        return self._missing(side, fields)

    def _fields(
        self,
        link: LinkId | None,
        keys: tuple[RecordKey, RecordKey],
        title: str,
        fields: Sequence[FieldDecision],
        after: StepId | None = None,
    ) -> None:
        """One write for each side that gets something. Lines that belong together are settled with the last write."""
        grouped = groups(fields)
        noted = tuple(f for group in grouped if last(group) is None for f in settled(group))
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
        is_two_sided = any(writes(group, Side.LEFT) and writes(group, Side.RIGHT) for group in grouped)
        for side, own, other in ((Side.LEFT, *keys), (Side.RIGHT, keys[1], keys[0])):
            writing = [f for f in fields if f.target(side) is not None]
            if not writing:
                continue
            was = {f.of(side): f.now(side) or BLANK for f in writing}
            step = self._add(
                Step(
                    self._id(),
                    side,
                    Update(own, written(writing, side, keep_blank=True), was),
                    Effect.KEEP,
                    writing[0].rule,
                    title,
                    link=link,
                    key=own,
                    counterpart=other,
                    fields=tuple(f for group in grouped if last(group) is side for f in settled(group)),
                    after=first,
                    later=tuple(
                        f
                        for group in grouped
                        if last(group) is side.other
                        for f in settled(group)
                        if f.target(side) is not None
                    ),
                )
            )
            # What both sides get is settled with the second write, so that one must wait for the first.
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
            if field.is_open or (field.rule is Rule.UNSEEN and field.reason):
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
    ) -> None:
        self.held.append(Held(rule, reason, title, link, keys[0], keys[1]))

    def _hold_gone(self, linked: Linked, side: Side, rule: Rule, reason: str) -> None:
        proof = linked.gone(side)
        if proof is not None and not proof.proof.is_direct:
            reason = f"{reason}; {proof.proof.sentence}"
        keys = (linked.left_key, linked.right_key)
        self.held.append(Held(rule, reason, linked.title, linked.link, *keys, gone=side, proof=proof))
