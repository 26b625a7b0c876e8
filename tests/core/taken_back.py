"""A linked pair with a history, and the words for what taking it back comes to. Used by the tests of `core.undo`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from syncline.core.decisions import FieldDecision, Rule, line_name
from syncline.core.mapping import ConflictPolicy, FieldMapping, lenses
from syncline.core.memory import Entry, Link, Seen, Standing
from syncline.core.records import (
    Ability,
    Base,
    FieldId,
    FieldSchema,
    LinkId,
    ObjectSchema,
    ObjectTypeId,
    Present,
    Record,
    RecordKey,
    RunId,
    Side,
    Sighting,
    StepId,
    SyncId,
    Write,
)
from syncline.core.steps import Effect, Step
from syncline.core.undo import Kept, Means, Traces, Undo, undo
from syncline.core.values import FieldType, Text, Value
from tests.clock import START

LEFT, RIGHT = Side.LEFT, Side.RIGHT
KEYS = {LEFT: RecordKey("1"), RIGHT: RecordKey("9")}
NAME, BODY, TITLE, TEXT = FieldId("name"), FieldId("body"), FieldId("title"), FieldId("text")
LINES = {1: (NAME, TITLE), 2: (BODY, TEXT)}
OLD, NEW, OTHER = Text("old"), Text("new"), Text("other")
ABLE = frozenset(Ability)


def schema(
    *names: FieldId, abilities: frozenset[Ability] = ABLE, required: str = "", fixed: str = ""
) -> ObjectSchema:
    """An object type whose fields are all texts."""
    made = (
        FieldSchema(n, n.capitalize(), FieldType.TEXT, is_required=n == required, is_read_only=n == fixed)
        for n in names
    )
    return ObjectSchema(ObjectTypeId("thing"), "Thing", tuple(made), abilities)


SCHEMAS = {LEFT: schema(NAME, BODY), RIGHT: schema(TITLE, TEXT)}
LENSES = lenses(
    [FieldMapping(*fields) for fields in LINES.values()], SCHEMAS[LEFT], SCHEMAS[RIGHT], ConflictPolicy.ASK
)
FREE = {side: Seen(key, b"", Standing.WAITING, is_settled=True) for side, key in KEYS.items()}
LINK = Link(LinkId(4), FREE[LEFT], FREE[RIGHT], Base({NAME: OLD, BODY: OLD}, {TITLE: OLD, TEXT: OLD}))
TIED = {side: msgspec.structs.replace(seen, link=LINK.id) for side, seen in FREE.items()}


def means(right: ObjectSchema | None = None) -> Means:
    """What the sync can do."""
    schemas = SCHEMAS if right is None else {**SCHEMAS, RIGHT: right}
    return Means(SyncId("things"), RunId("things-7"), LENSES, schemas)


def about(rule: Rule, title: str = "Roof") -> Entry:
    """An entry of the history about the whole record."""
    return Entry(
        RunId("things-7"), LINK.id, KEYS[LEFT], KEYS[RIGHT], "", None, None, None, None, rule, START, title
    )


def wrote(
    line: int,
    side: Side | None,
    old: Value | None,
    new: Value | None,
    rule: Rule = Rule.ONE_SIDE_CHANGED,
) -> Entry:
    """An entry about a mapped line."""
    return msgspec.structs.replace(about(rule), field=line_name(*LINES[line]), side=side, old=old, new=new)


def lost(side: Side, name: FieldId, value: Value) -> Entry:
    """An entry about a field of a record that was deleted."""
    return msgspec.structs.replace(about(Rule.DELETED_PROPAGATED), field=name, side=side, lost=value)


def there(side: Side, fields: Mapping[FieldId, Value], updated_at: dt.datetime | None = None) -> Present:
    """The record as it is now."""
    return Present(Record(KEYS[side], fields, updated_at=updated_at))


def planned(
    *entries: Entry,
    now: Mapping[Side, Sighting],
    link: Link | None = LINK,
    seen: Mapping[Side, Seen] = TIED,
    later: frozenset[str] = frozenset(),
    right: ObjectSchema | None = None,
) -> Undo:
    """How this one pair is taken back."""
    return undo(means(right), [Traces(entries, link, now, seen, later)])


def steps(*made: Step, already: int = 0) -> Undo:
    """Nothing but these steps."""
    return Undo(SyncId("things"), RunId("things-7"), made, (), already)


def kept(*made: Kept, already: int = 0) -> Undo:
    """Nothing but reasons why something stays."""
    return Undo(SyncId("things"), RunId("things-7"), (), made, already)


def stays(reason: str) -> Kept:
    """The whole record stays."""
    return Kept("Roof", KEYS[LEFT], KEYS[RIGHT], reason)


def value_stays(reason: str, entry: Entry, now: Value | None) -> Kept:
    """One value stays."""
    return Kept("Roof", KEYS[LEFT], KEYS[RIGHT], reason, entry.field, entry.side, entry.old, entry.new, now)


def step(
    side: Side, write: Write, effect: Effect, *fields: FieldDecision, number: int = 1, **more: object
) -> Step:
    """A step of an undo."""
    parts = {"link": LINK.id, "key": KEYS[side], "counterpart": KEYS[side.other], **more}
    return Step(StepId(f"{number:06d}"), side, write, effect, Rule.UNDONE, "Roof", fields=fields, **parts)  # pyright: ignore[reportArgumentType] - parts by name


def back(line: int, side: Side, now: Value | None, to: Value) -> FieldDecision:
    """A line whose value goes back on one side."""
    if side is LEFT:
        return FieldDecision(*LINES[line], Rule.UNDONE, left=now, to_left=to)
    return FieldDecision(*LINES[line], Rule.UNDONE, right=now, to_right=to)
