"""What a run wrote, and what the records hold now, into the steps that take it back.

Called by `engine.undo`; pure. Each value is checked three ways: what was there before, what we wrote, what is there now.
Only what still holds what we wrote is put back; whatever somebody edited since is kept, and both values are named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from syncline.core.decisions import FieldDecision, Rule, line_name
from syncline.core.mapping import Lens
from syncline.core.match import external_key
from syncline.core.memory import Entry, Link, Seen, Standing
from syncline.core.records import (
    Ability,
    Create,
    Delete,
    FieldId,
    Gone,
    LinkId,
    ObjectSchema,
    Present,
    Proof,
    Record,
    RecordKey,
    Restore,
    RunId,
    Side,
    Sighting,
    StepId,
    SyncId,
    Unseen,
    Update,
    Write,
)
from syncline.core.steps import Effect, Step
from syncline.core.values import BLANK, Value, is_blank, same

_ARROW = line_name(FieldId(""), FieldId(""))
_REVIVED = (Rule.EDIT_BEATS_DELETE, Rule.RESOLVED)


class Kept(msgspec.Struct, frozen=True):
    """Something that is not taken back, and why. `wrote` is what the run wrote, `before` what it replaced, `now` what is
    there; all None where the whole record is meant."""

    title: str
    left_key: RecordKey | None
    right_key: RecordKey | None
    reason: str
    field: str | None = None
    side: Side | None = None
    before: Value | None = None
    wrote: Value | None = None
    now: Value | None = None


class Undo(msgspec.Struct, frozen=True):
    """How a run is taken back. `already` counts what is as it was before; `part` names links that are taken apart again,
    `rejoin` pairs of records that are tied again."""

    sync: SyncId
    run: RunId
    steps: tuple[Step, ...]
    kept: tuple[Kept, ...]
    already: int
    part: tuple[tuple[LinkId, RecordKey, RecordKey], ...] = ()
    rejoin: tuple[tuple[RecordKey, RecordKey], ...] = ()


@dataclass(frozen=True, slots=True)
class Traces:
    """What a run left at one pair of records, and how these stand now.

    `now` and `seen` are by side; a side that nothing has to be known of is not in `now`. `later` are lines that another
    run wrote since, and `is_frozen` says that an earlier write has no known outcome yet.
    """

    entries: Sequence[Entry]
    link: Link | None
    now: Mapping[Side, Sighting]
    seen: Mapping[Side, Seen]
    later: frozenset[str] = frozenset()
    is_frozen: bool = False

    @property
    def keys(self) -> tuple[RecordKey | None, RecordKey | None]:
        """The two records, as the last entry names them."""
        last = self.entries[-1]
        return last.left_key, last.right_key

    def key(self, side: Side) -> RecordKey | None:
        """One record."""
        return self.keys[0] if side is Side.LEFT else self.keys[1]

    @property
    def title(self) -> str:
        """What a person calls it."""
        return next((entry.title for entry in reversed(self.entries) if entry.title), "")


@dataclass(frozen=True, slots=True)
class Means:
    """What a sync can do on each side."""

    sync: SyncId
    run: RunId
    lenses: Sequence[Lens]
    schemas: Mapping[Side, ObjectSchema]


def trace(entries: Iterable[Entry]) -> list[list[Entry]]:
    """A run's history by pair of records, in its order."""
    groups: dict[object, list[Entry]] = {}
    for entry in entries:
        about = entry.link if entry.link is not None else (entry.left_key, entry.right_key)
        groups.setdefault(about, []).append(entry)
    return list(groups.values())


def is_line(entry: Entry) -> bool:
    """Whether an entry is about a mapped line (and not about a record, or a deleted record's field)."""
    return _ARROW in entry.field


def removed_side(entries: Sequence[Entry]) -> Side | None:
    """The side on which the run deleted the record."""
    return next((e.side for e in entries if not is_line(e) and e.field and e.lost is not None), None)


def made_side(entries: Sequence[Entry]) -> Side | None:
    """The side on which the run made the record, or brought it back."""
    return next((e.side for e in entries if is_line(e) and e.side is not None and e.old is None), None)


def undo(means: Means, pairs: Iterable[Traces]) -> Undo:
    """Plan to take a run back."""
    writer = _Writer(means)
    for traces in pairs:
        writer.pair(traces)
    return Undo(
        means.sync,
        means.run,
        tuple(writer.steps),
        tuple(writer.kept),
        writer.already,
        tuple(writer.part),
        tuple(writer.rejoin),
    )


@dataclass(slots=True)
class _Writer:
    means: Means
    steps: list[Step] = field(default_factory=list[Step])
    kept: list[Kept] = field(default_factory=list[Kept])
    part: list[tuple[LinkId, RecordKey, RecordKey]] = field(
        default_factory=list[tuple[LinkId, RecordKey, RecordKey]]
    )
    rejoin: list[tuple[RecordKey, RecordKey]] = field(default_factory=list[tuple[RecordKey, RecordKey]])
    already: int = 0

    def pair(self, traces: Traces) -> None:
        gone, made = removed_side(traces.entries), made_side(traces.entries)
        if traces.is_frozen:
            self._keep(traces, "a write before has no known outcome yet: run the sync, then undo again")
        elif gone is not None:
            self._bring_back(traces, gone)
        elif made is not None:
            self._take_away(traces, made)
        else:
            self._put_back(traces)

    # Values that were written: the old ones go back.
    def _put_back(self, traces: Traces) -> None:
        if traces.link is None and any(_is_parting(entry) for entry in traces.entries):
            self._rejoin(traces)
            return
        before = len(self.kept)
        for side in Side:
            fields = [
                found for entry in _written(traces, side) if (found := self._field(traces, entry, side))
            ]
            key = traces.key(side)
            if fields and key is not None:
                values = {f.of(side): f.target(side) or BLANK for f in fields}
                was = {f.of(side): f.now(side) or BLANK for f in fields}
                self._add(traces, side, Update(key, values, was), Effect.KEEP, tuple(fields))
        left, right = traces.keys
        is_tied = traces.link is not None and any(entry.rule is Rule.LINKED for entry in traces.entries)
        if is_tied and traces.link is not None and left is not None and right is not None:
            if len(self.kept) == before:
                self.part.append((traces.link.id, left, right))
            else:
                self._keep(traces, "they stay linked, for something in them was edited since")

    def _field(self, traces: Traces, entry: Entry, side: Side) -> FieldDecision | None:
        left, right = _fields(entry)
        name, other = (left, right) if side is Side.LEFT else (right, left)
        sighting, link, old = traces.now.get(side, Unseen()), traces.link, entry.old or BLANK
        if not isinstance(sighting, Present):
            return self._keep_value(traces, entry, _absence(sighting), None)
        now = sighting.record.fields.get(name)
        if now is None:
            return self._keep_value(traces, entry, "the record does not show this field any more", None)
        if same(now, old):
            self.already += 1
            return None
        if not _is_ours(traces, entry, now, side, name):
            return self._keep_value(traces, entry, "edited since", now)
        reason = self._hindrance(link, side, name, other)
        if reason:
            return self._keep_value(traces, entry, reason, now)
        if side is Side.LEFT:
            return FieldDecision(left, right, Rule.UNDONE, left=now, to_left=old)
        return FieldDecision(left, right, Rule.UNDONE, right=now, to_right=old)

    def _hindrance(self, link: Link | None, side: Side, name: FieldId, other: FieldId) -> str:
        schema = self.means.schemas[side].field(name)
        if schema is None or schema.is_read_only:
            return "the field cannot be written any more"
        if link is None:
            return "the two records are no longer linked"
        if other not in link.base.of(side.other):
            return "another line of the same field still waits for a person"
        return ""

    # Two records that an undo took apart: they are tied again, and meet like for the first time.
    def _rejoin(self, traces: Traces) -> None:
        left, right = traces.keys
        is_free = all(
            (seen := traces.seen.get(side)) is not None and seen.link is None and seen.gone is None
            for side in Side
        )
        if left is None or right is None or not is_free:
            self._keep(traces, "one of the two records is gone, or linked with another one")
        else:
            self.rejoin.append((left, right))

    # A record that was made: it goes again, if nobody has touched it.
    def _take_away(self, traces: Traces, side: Side) -> None:
        sighting, key = traces.now.get(side, Unseen()), traces.key(side)
        if isinstance(sighting, Gone) or key is None:
            self.already += 1
            return
        if not isinstance(sighting, Present):
            self._keep(traces, _absence(sighting))
            return
        if any(entry.rule in _REVIVED for entry in traces.entries):
            self._keep(traces, "it was brought back from a deletion; delete it by hand if it is to go again")
            return
        if Ability.DELETE not in self.means.schemas[side].abilities:
            self._keep(traces, "records cannot be deleted there")
            return
        before = len(self.kept)
        for entry in _written(traces, side):
            name = _fields(entry)[side is Side.RIGHT]
            now = sighting.record.fields.get(name)
            if now is None or not _is_ours(traces, entry, now, side, name):
                self._keep_value(traces, entry, "edited since it was made", now)
        if len(self.kept) == before and _is_touched(sighting.record, traces.seen.get(side)):
            self._keep(traces, "something else in it was edited since it was made")
        if len(self.kept) == before:
            effect = Effect.ALONE if traces.link is None else Effect.CLOSE
            self._add(traces, side, Delete(key), effect, (), release=side.other)

    # A record that was deleted: it comes back as it was, out of the trash or made anew.
    def _bring_back(self, traces: Traces, side: Side) -> None:
        sighting, key = traces.now.get(side, Unseen()), traces.key(side)
        if isinstance(sighting, Present):
            self.already += 1
            return
        if isinstance(sighting, Unseen) or key is None:
            self._keep(traces, _absence(sighting))
            return
        values = _held(traces.entries, side)
        schema = self.means.schemas[side]
        if sighting.proof is Proof.TRASHED and Ability.RESTORE in schema.abilities:
            write: Write = Restore(key)
        else:
            values = {name: value for name, value in values.items() if _is_writable(schema, name, value)}
            missing = [f.title for f in schema.fields if f.is_required and f.id not in values]
            if Ability.CREATE not in schema.abilities or missing or not values:
                why = f"'{missing[0]}' is required there and not in the history" if missing else ""
                self._keep(traces, why or "no record can be made there")
                return
            write = Create(values, external_key(self.means.sync, RecordKey(f"{key}:{self.means.run}")))
        effect = Effect.TIE if _was_undone(traces, side) else Effect.ALONE
        self._add(traces, side, write, effect, tuple(self._restored(side, values)))

    def _restored(self, side: Side, values: Mapping[FieldId, Value]) -> Iterator[FieldDecision]:
        for lens in self.means.lenses:
            value = values.get(lens.mapping.of(side))
            if value is not None:
                is_left = side is Side.LEFT
                left, right = (value, None) if is_left else (None, value)
                mapping = lens.mapping
                yield FieldDecision(mapping.left, mapping.right, Rule.UNDONE, to_left=left, to_right=right)

    def _add(
        self,
        traces: Traces,
        side: Side,
        write: Write,
        effect: Effect,
        fields: tuple[FieldDecision, ...],
        release: Side | None = None,
    ) -> None:
        is_new = isinstance(write, Create)
        self.steps.append(
            Step(
                StepId(f"{len(self.steps) + 1:06d}"),
                side,
                write,
                effect,
                Rule.UNDONE,
                traces.title,
                link=traces.link.id if traces.link is not None and effect is not Effect.ALONE else None,
                key=None if is_new else traces.key(side),
                counterpart=traces.key(side.other),
                fields=fields,
                release=release,
            )
        )

    def _keep(self, traces: Traces, reason: str) -> None:
        self.kept.append(Kept(traces.title, *traces.keys, reason))

    def _keep_value(self, traces: Traces, entry: Entry, reason: str, now: Value | None) -> None:
        self.kept.append(
            Kept(traces.title, *traces.keys, reason, entry.field, entry.side, entry.old, entry.new, now)
        )


def _is_parting(entry: Entry) -> bool:
    return entry.rule is Rule.UNDONE and not entry.field and entry.side is None


def _fields(entry: Entry) -> tuple[FieldId, FieldId]:
    left, right = entry.field.split(_ARROW)
    return FieldId(left), FieldId(right)


def _written(traces: Traces, side: Side) -> Iterator[Entry]:
    """What the run wrote on a side: a line written twice counts from its first old value to its last new one."""
    lines: dict[str, Entry] = {}
    for entry in traces.entries:
        if is_line(entry) and entry.side is side and entry.new is not None:
            first = lines.get(entry.field, entry)
            lines[entry.field] = msgspec.structs.replace(entry, old=first.old)
    yield from lines.values()


def _is_ours(traces: Traces, entry: Entry, now: Value, side: Side, name: FieldId) -> bool:
    """Whether the record still holds what we wrote: as the history has it, or as the vendor stored it (the base)."""
    if entry.new is not None and same(entry.new, now):
        return True
    if traces.link is None or entry.field in traces.later:
        return False
    base = traces.link.base.of(side).get(name)
    return base is not None and same(base, now)


def _is_touched(record: Record, seen: Seen | None) -> bool:
    """Whether the record moved after our own last write to it, as far as the vendor tells."""
    wrote_at = seen.wrote_at if seen is not None else None
    return wrote_at is not None and record.updated_at is not None and record.updated_at > wrote_at


def _held(entries: Sequence[Entry], side: Side) -> dict[FieldId, Value]:
    """What a deleted record held last."""
    return {
        FieldId(entry.field): entry.lost
        for entry in entries
        if entry.field and not is_line(entry) and entry.side is side and entry.lost is not None
    }


def _is_writable(schema: ObjectSchema, name: FieldId, value: Value) -> bool:
    form = schema.field(name)
    return form is not None and not form.is_read_only and not is_blank(value)


def _was_undone(traces: Traces, side: Side) -> bool:
    """Whether the record went when its making was undone: its source waits alone, and gets it back."""
    source = traces.seen.get(side.other)
    return (
        any(entry.rule is Rule.UNDONE for entry in traces.entries)
        and isinstance(traces.now.get(side.other), Present)
        and source is not None
        and source.gone is None
        and source.link is None
        and source.standing is Standing.RELEASED
    )


def _absence(sighting: Gone | Unseen) -> str:
    if isinstance(sighting, Gone):
        return "the record is gone meanwhile"
    return f"the record could not be read{f': {sighting.reason}' if sighting.reason else ''}"
