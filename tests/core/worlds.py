"""Hypothesis strategies for all that a decision depends on: lines, records, bases, sightings, views and rules.

A `Line` is one mapped field with its two value pools: small, so that equal values, collisions and round trips really
happen. A `World` is a few lines with everything that `merge` needs, and can be mirrored.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Protocol, TypeVar

import msgspec
from hypothesis import strategies as st

from syncline.core.convert import Untranslatable
from syncline.core.decisions import Answer, DeletedEdit, DeletePolicy, Resolution, Rules, View, line_name
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, Lens, lenses
from syncline.core.records import (
    Base,
    Edit,
    FieldId,
    FieldSchema,
    Gone,
    LinkId,
    ObjectSchema,
    ObjectTypeId,
    Option,
    Present,
    Proof,
    Record,
    RecordKey,
    Side,
    Sighting,
    Unseen,
)
from syncline.core.references import Known, Through
from syncline.core.transforms import TRANSFORMS
from syncline.core.values import (
    BLANK,
    FieldType,
    ManyOf,
    Number,
    OneOf,
    Person,
    Reference,
    RichText,
    Text,
    Value,
    YesNo,
    is_blank,
)
from tests.core.parents import PARENTS, THINGS

T = FieldType
T_co = TypeVar("T_co", covariant=True)
START = dt.datetime(2026, 3, 1, 9, 0, tzinfo=dt.UTC)

# --- lines ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One mapped field: its two fields, its mapping, and the values that each side draws from."""

    left: FieldSchema
    right: FieldSchema
    mapping: FieldMapping
    left_values: tuple[Value, ...]
    right_values: tuple[Value, ...]

    def pool(self, side: Side) -> tuple[Value, ...]:
        return self.left_values if side is Side.LEFT else self.right_values

    def named(self, number: int) -> Line:
        """The same line with field names of its own."""
        left, right = FieldId(f"l{number}"), FieldId(f"r{number}")
        return Line(
            msgspec.structs.replace(self.left, id=left, title=left),
            msgspec.structs.replace(self.right, id=right, title=right),
            msgspec.structs.replace(self.mapping, left=left, right=right),
            self.left_values,
            self.right_values,
        )

    def mirrored(self) -> Line:
        return Line(self.right, self.left, mirror_mapping(self.mapping), self.right_values, self.left_values)


def _field(
    field_type: FieldType,
    options: str = "",
    *,
    labels: Mapping[str, str] | None = None,
    is_open: bool = False,
) -> FieldSchema:
    made = tuple(Option(key, (labels or {}).get(key, key)) for key in options.split()) if options else None
    return FieldSchema(FieldId("f"), "f", field_type, options=made, is_open=is_open)


def _people(*pairs: str) -> FieldSchema:
    options = tuple(Option(str(number), email.split("@")[0], email) for number, email in enumerate(pairs, 1))
    return FieldSchema(FieldId("f"), "f", T.PERSON, options=options)


def _sets(*contents: str) -> tuple[Value, ...]:
    return (BLANK, *(ManyOf(tuple(content.split())) for content in contents))


def _line(
    left: FieldSchema,
    right: FieldSchema,
    left_values: tuple[Value, ...],
    right_values: tuple[Value, ...],
    **settings: object,
) -> Line:
    mapping = FieldMapping(FieldId("f"), FieldId("f"), **settings)  # pyright: ignore[reportArgumentType] - a table of cases
    return Line(left, right, mapping, left_values, right_values)


_TEXTS = (BLANK, Text("a"), Text("b"), Text(" a "), Text("c"))
_RICH = (BLANK, RichText("<p>a</p>"), RichText("a"), RichText("<p><b>a</b></p>"), RichText("<p>b</p>"))
_OPTIONS = (BLANK, OneOf("a"), OneOf("b"), OneOf("c"), OneOf("d"))
_PEOPLE = (
    BLANK,
    Person(email="one@left.test", id="1"),
    Person(email="same@example.test", id="2"),
    Person(id="3", name="No e-mail"),
    Person(email="nobody@example.test", id="4"),
)
_PEOPLE_RIGHT = (BLANK, Person(email="one@right.test", id="1"), Person(email="same@example.test", id="2"))

LINES: Mapping[str, Line] = {
    "text": _line(_field(T.TEXT), _field(T.TEXT), _TEXTS, _TEXTS),
    "rich": _line(_field(T.RICH_TEXT), _field(T.RICH_TEXT), _RICH, _RICH),
    "number as text": _line(
        _field(T.NUMBER),
        _field(T.TEXT),
        (BLANK, Number(Decimal(1)), Number(Decimal("1.0")), Number(Decimal(2))),
        (BLANK, Text("1"), Text("1.0"), Text("2"), Text("many")),
    ),
    "lossy": _line(_field(T.RICH_TEXT), _field(T.TEXT), _RICH, _TEXTS, transform="plain_text", is_lossy=True),
    "negated": _line(
        _field(T.YES_NO),
        _field(T.YES_NO),
        (BLANK, YesNo(True), YesNo(False)),
        (BLANK, YesNo(True), YesNo(False)),
        transform="negate",
    ),
    "hours": _line(
        _field(T.NUMBER),
        _field(T.NUMBER),
        (BLANK, Number(Decimal(1)), Number(Decimal("0.25"))),
        (BLANK, Number(Decimal(60)), Number(Decimal(1)), Number(Decimal(15))),
        transform="hours_to_minutes",
    ),
    "expressions": _line(
        _field(T.TEXT),
        _field(T.TEXT),
        _TEXTS,
        (*_TEXTS, Text("#a"), Text("##a")),
        to_right='"#" + value',
        to_left='value.replace("#", "", 1)',
    ),
    "many to one": _line(
        _field(T.ONE_OF, "a b c d"),
        _field(T.ONE_OF, "x y z none"),
        _OPTIONS,
        (BLANK, OneOf("x"), OneOf("y"), OneOf("z"), OneOf("none")),
        values=(("a", "x"), ("b", "x"), ("c", "y"), ("c", "z")),
    ),
    "blank pair": _line(
        _field(T.ONE_OF, "a b"),
        _field(T.ONE_OF, "x none"),
        (BLANK, OneOf("a"), OneOf("b")),
        (BLANK, OneOf("x"), OneOf("none")),
        values=(("a", "x"), (None, "none")),
    ),
    "labelled": _line(
        _field(T.ONE_OF, "a b c", labels={"a": "Red", "b": "Blue"}),
        _field(T.ONE_OF, "1 2 b", labels={"1": "blue", "2": "RED", "b": "Green"}),
        _OPTIONS,
        (BLANK, OneOf("1"), OneOf("2"), OneOf("b")),
    ),
    "set": _line(
        _field(T.MANY_OF, "a b c left"),
        _field(T.MANY_OF, "a b c right"),
        _sets("a", "b", "a b", "b a", "a left", "left", "a b c left"),
        _sets("a", "b", "a b", "a right", "right", "a b c right"),
    ),
    "set of pairs": _line(
        _field(T.MANY_OF),
        _field(T.MANY_OF),
        _sets("p", "q", "p q", "r", "p r", "q own", "p q r own"),
        _sets("x", "y", "x y", "x z", "y z own", "x y z"),
        values=(("p", "x"), ("q", "x"), ("r", "y"), ("r", "z")),
    ),
    "person": _line(
        _people("one@left.test", "same@example.test"),
        _people("one@right.test", "same@example.test"),
        _PEOPLE,
        _PEOPLE_RIGHT,
        people=(("one@left.test", "one@right.test"),),
    ),
    "reference": _line(
        _field(T.REFERENCE),
        _field(T.REFERENCE),
        (BLANK, *(Reference("thing", f"p{number}") for number in range(1, 7)), Reference("other", "p1")),
        (BLANK, *(Reference("thing", f"q{number}") for number in range(1, 7))),
        through=THINGS,
    ),
    "key of a record": _line(
        _field(T.REFERENCE),
        _field(T.TEXT),
        (BLANK, *(Reference("thing", f"p{number}") for number in range(1, 5))),
        (BLANK, *(Text(f"q{number}") for number in range(1, 5))),
        through=THINGS,
    ),
}


def mirror_direction(direction: Direction) -> Direction:
    return {Direction.TO_LEFT: Direction.TO_RIGHT, Direction.TO_RIGHT: Direction.TO_LEFT}.get(
        direction, direction
    )


def mirror_policy(policy: ConflictPolicy | None) -> ConflictPolicy | None:
    swapped = {
        ConflictPolicy.LEFT: ConflictPolicy.RIGHT,
        ConflictPolicy.LEFT_UNLESS_BLANK: ConflictPolicy.RIGHT_UNLESS_BLANK,
    }
    both = {**swapped, **{there: here for here, there in swapped.items()}}
    return both.get(policy, policy) if policy is not None else None


def mirror_mapping(mapping: FieldMapping) -> FieldMapping:
    """The mapping as it is written with left and right swapped in the configuration."""
    transform = mapping.transform
    if transform is not None and mapping.direction is Direction.BOTH:
        transform = TRANSFORMS[transform].inverse
    return FieldMapping(
        mapping.right,
        mapping.left,
        mirror_direction(mapping.direction),
        mirror_policy(mapping.conflict),
        tuple((there, here) for here, there in mapping.values),
        transform,
        tuple((there, here) for here, there in mapping.people),
        mapping.is_lossy,
        mapping.to_left,
        mapping.to_right,
        None if (t := mapping.through) is None else Through(t.sync, t.right, t.left, not t.is_turned),
    )


class Pick(Protocol):
    """Whoever chooses: Hypothesis, or plain dice where millions of worlds are wanted."""

    def of(self, choices: Sequence[T_co]) -> T_co:
        """One of these."""
        ...

    def number(self, least: int, most: int) -> int:
        """One of these numbers."""
        ...


class Drawn:
    """Hypothesis chooses."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def of(self, choices: Sequence[T_co]) -> T_co:
        return self._draw(st.sampled_from(choices))

    def number(self, least: int, most: int) -> int:
        return self._draw(st.integers(least, most))


def line(pick: Pick, number: int, names: tuple[str, ...] = tuple(LINES)) -> Line:
    """One line with any direction and any policy that fits it."""
    line = LINES[pick.of(names)].named(number)
    is_set = line.left.type is line.right.type is T.MANY_OF
    policies = [None, *(policy for policy in ConflictPolicy if is_set or policy is not ConflictPolicy.MERGE)]
    direction = pick.of([Direction.BOTH, Direction.BOTH, Direction.TO_RIGHT, Direction.TO_LEFT])
    transform = line.mapping.transform
    if direction is Direction.TO_LEFT and transform is not None:
        transform = TRANSFORMS[transform].inverse
    mapping = msgspec.structs.replace(
        line.mapping, direction=direction, conflict=pick.of(policies), transform=transform
    )
    return Line(line.left, line.right, mapping, line.left_values, line.right_values)


@st.composite
def lines(draw: st.DrawFn, number: int, *, names: tuple[str, ...] = tuple(LINES)) -> Line:
    """One line with any direction and any policy that fits it."""
    return line(Drawn(draw), number, names)


# --- worlds ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class World:
    """Lines and policies with one link to decide."""

    lines: tuple[Line, ...]
    conflicts: ConflictPolicy
    deletes: DeletePolicy
    deleted_edit: DeletedEdit
    may_archive: frozenset[Side]
    may_restore: frozenset[Side]
    view: View

    @cached_property
    def rules(self) -> Rules:
        left = ObjectSchema(ObjectTypeId("l"), "Left", tuple(line.left for line in self.lines))
        right = ObjectSchema(ObjectTypeId("r"), "Right", tuple(line.right for line in self.lines))
        made = lenses([line.mapping for line in self.lines], left, right, self.conflicts)
        rules = Rules(made, self.deletes, self.deleted_edit, self.may_archive, self.may_restore)
        return rules.looked_up(PARENTS)

    def mirrored(self) -> World:
        """The same world with left and right swapped."""
        conflicts = mirror_policy(self.conflicts)
        assert conflicts is not None
        return World(
            tuple(line.mirrored() for line in self.lines),
            conflicts,
            self.deletes,
            self.deleted_edit,
            frozenset(side.other for side in self.may_archive),
            frozenset(side.other for side in self.may_restore),
            mirror_view(self.view, self.rules.lenses),
        )

    def with_view(self, view: View) -> World:
        return World(
            self.lines,
            self.conflicts,
            self.deletes,
            self.deleted_edit,
            self.may_archive,
            self.may_restore,
            view,
        )


def mirror_view(view: View, made: tuple[Lens, ...]) -> View:
    names = {
        line_name(n.mapping.left, n.mapping.right): line_name(n.mapping.right, n.mapping.left) for n in made
    }
    return View(
        view.link,
        Base(view.base.right, view.base.left) if view.base else None,
        view.right,
        view.left,
        view.right_edits,
        view.left_edits,
        {
            names[name]: Resolution(chosen.right, chosen.left, chosen.seen_right, chosen.seen_left)
            for name, chosen in view.resolutions.items()
        },
        view.answer,
        parents=view.parents,
    )


def _agreed(pick: Pick, lens: Lens, line: Line) -> tuple[Value, Value]:
    """A left and a right value that mean the same through the lens."""
    side = Side.LEFT if not lens.flows_to(Side.RIGHT) else Side.RIGHT
    source = pick.of(line.pool(side.other))
    made = lens.to(side, source)
    if isinstance(made, Untranslatable):
        source = made = BLANK
    if is_blank(source) or is_blank(made):
        source = made = BLANK
    return (source, made) if side is Side.RIGHT else (made, source)


def base_of(pick: Pick, made: tuple[Lens, ...], lines: tuple[Line, ...]) -> Base | None:
    """No base (a first meeting), or one in which each line agrees, or was never decided."""
    if pick.number(0, 4) == 0:
        return None
    left: dict[FieldId, Value] = {}
    right: dict[FieldId, Value] = {}
    for lens, line in zip(made, lines, strict=True):
        if pick.number(0, 7):
            left[lens.mapping.left], right[lens.mapping.right] = _agreed(pick, lens, line)
    return Base(left, right)


def _time(pick: Pick) -> dt.datetime | None:
    return START + dt.timedelta(hours=pick.number(0, 2)) if pick.number(0, 1) else None


def record(pick: Pick, side: Side, lines: tuple[Line, ...], base: Base | None) -> Record:
    """A record of one side: each field as it was, edited, or not seen."""
    fields: dict[FieldId, Value] = {}
    for line in lines:
        field = line.mapping.of(side)
        before = base.of(side).get(field) if base else None
        fate = pick.of(["same", "same", "edited", "edited", "edited", "unseen"])
        if fate == "unseen":
            continue
        if fate == "same" and before is not None:
            fields[field] = before
        else:
            fields[field] = pick.of(line.pool(side))
    in_scope = pick.number(0, 11) > 0
    return Record(RecordKey(side.value), fields, updated_at=_time(pick), in_scope=in_scope)


def sighting(pick: Pick, side: Side, lines: tuple[Line, ...], base: Base | None) -> Sighting:
    """Mostly present, sometimes gone or unseen."""
    fate = pick.number(0, 11)
    if fate == 0:
        return Unseen("timeout")
    if fate in (1, 2):
        return Gone(pick.of(list(Proof)))
    return Present(record(pick, side, lines, base))


@st.composite
def worlds(draw: st.DrawFn, *, names: tuple[str, ...] = tuple(LINES), is_present: bool = False) -> World:
    """Everything that a decision depends on."""
    return world(Drawn(draw), names=names, is_present=is_present)


def world(pick: Pick, *, names: tuple[str, ...] = tuple(LINES), is_present: bool = False) -> World:
    """Everything that a decision depends on."""
    drawn = tuple(line(pick, number, names) for number in range(pick.number(1, 3)))
    policies = [policy for policy in ConflictPolicy if policy is not ConflictPolicy.MERGE]
    blank = World(
        drawn,
        pick.of(policies),
        pick.of(list(DeletePolicy)),
        pick.of(list(DeletedEdit)),
        frozenset(side for side in Side if pick.number(0, 1)),
        frozenset(side for side in Side if pick.number(0, 1)),
        View(None, None, Unseen(), Unseen()),
    )
    made = blank.rules.lenses
    base = base_of(pick, made, drawn)
    seen: dict[Side, Sighting] = {}
    for side in Side:
        seen[side] = (
            Present(record(pick, side, drawn, base)) if is_present else sighting(pick, side, drawn, base)
        )
    edited = {
        side: {line.mapping.of(side): Edit(at=_time(pick)) for line in drawn if pick.number(0, 1)}
        for side in Side
    }
    view = View(
        LinkId(1),
        base,
        seen[Side.LEFT],
        seen[Side.RIGHT],
        edited[Side.LEFT],
        edited[Side.RIGHT],
        _resolutions(pick, made, drawn, seen),
        pick.of([None, None, None, *Answer]),
        parents=tuple(Known(*spot, parent) for spot, parent in PARENTS.items()),
    )
    return blank.with_view(view)


def _resolutions(
    pick: Pick, made: tuple[Lens, ...], drawn: tuple[Line, ...], seen: Mapping[Side, Sighting]
) -> dict[str, Resolution]:
    """A person's choices: for what is seen now, or for something that is no more."""
    out: dict[str, Resolution] = {}
    left, right = seen[Side.LEFT], seen[Side.RIGHT]
    if not isinstance(left, Present) or not isinstance(right, Present):
        return out
    for lens, line in zip(made, drawn, strict=True):
        now_left = left.record.fields.get(lens.mapping.left)
        now_right = right.record.fields.get(lens.mapping.right)
        if now_left is None or now_right is None or pick.number(0, 5):
            continue
        if pick.number(0, 1):
            now_left = pick.of(line.left_values)
        choice = _agreed(pick, lens, line)
        out[line_name(lens.mapping.left, lens.mapping.right)] = Resolution(*choice, now_left, now_right)
    return out
