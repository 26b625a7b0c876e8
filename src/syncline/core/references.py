"""A reference to a record into one to its counterpart on the other side, by what another sync's links say.

Used by `mapping` for lines that go `through` a sync. What that sync knows of the records that are pointed to comes in as a
table: the engine looks it up, `case` reads it from what was kept, tests write it down. Nothing is asked here.

Law: on records whose link ties two living ones, there and back is the same reference.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from syncline.core.convert import Untranslatable
from syncline.core.records import FieldSchema, ObjectTypeId, RecordKey, Side, SyncId
from syncline.core.values import FieldType, OneOf, Reference, Text, Value, is_blank
from syncline.errors import Problem, ProblemKind

Crossing = Callable[[Value], "Value | Untranslatable"]


class Through(msgspec.Struct, frozen=True):
    """The sync whose links translate a line, and the object types that it ties: `left` is the one that this sync's left side
    points to. `is_turned`: what is left here is that sync's right side."""

    sync: SyncId
    left: ObjectTypeId = ObjectTypeId("")
    right: ObjectTypeId = ObjectTypeId("")
    is_turned: bool = False

    def side(self, side: Side) -> Side:
        """Which side of that sync holds the records that this side points to."""
        return side.other if self.is_turned else side

    def of(self, side: Side) -> ObjectTypeId:
        """The object type that one side points to."""
        return self.left if side is Side.LEFT else self.right


class Parent(msgspec.Struct, frozen=True):
    """What another sync knows of a record that is pointed to. `counterpart` is the record that an open link ties it to;
    without one, `why` ends the sentence that says so."""

    counterpart: RecordKey | None = None
    title: str = ""
    why: str = "has not been seen yet"
    is_gone: bool = False
    is_counterpart_gone: bool = False


Spot = tuple[SyncId, Side, RecordKey]
"""A record by the sync that ties it and its side there."""
Parents = Mapping[Spot, Parent]
"""What is known of every record that is pointed to. One that is not in it is not known."""


class Known(msgspec.Struct, frozen=True):
    """One entry of such a table, as it is kept."""

    sync: SyncId
    side: Side
    key: RecordKey
    parent: Parent


def parents_of(known: Iterable[Known]) -> Parents:
    """The table of these entries."""
    return {(each.sync, each.side, each.key): each.parent for each in known}


def spot_of(through: Through, side: Side, value: Value | None) -> Spot | None:
    """The record that a side's value points to; None for one that points to nothing that the sync ties."""
    match value:
        case Reference(object_type, key) if object_type == through.of(side) and key:
            return through.sync, through.side(side), RecordKey(key)
        case Text(key) | OneOf(key) if not is_blank(value):
            return through.sync, through.side(side), RecordKey(key.strip())
        case _:
            return None


def crossing(through: Through, target: FieldSchema, side: Side, parents: Parents) -> Crossing:
    """How a reference goes to the field of `side`."""

    def cross(value: Value) -> Value | Untranslatable:
        if is_blank(value):
            return value
        spot = spot_of(through, side.other, value)
        if spot is None:
            return Untranslatable(_other_type(through, side.other, value))
        parent = parents.get(spot) or Parent()
        if parent.counterpart is None or parent.is_counterpart_gone:
            return Untranslatable(_awaited(through, side.other, spot[2], parent), is_awaited=True)
        return _pointing(target.type, through.of(side), parent.counterpart)

    return cross


def _pointing(kind: FieldType, object_type: ObjectTypeId, key: RecordKey) -> Value:
    if kind is FieldType.REFERENCE:
        return Reference(object_type, key)
    return OneOf(key) if kind is FieldType.ONE_OF else Text(key)


def _other_type(through: Through, side: Side, value: Value) -> str:
    found = value.object_type if isinstance(value, Reference) else "nothing that is a record"
    return f"it points to {found}, and '{through.sync}' ties {through.of(side)}"


def _awaited(through: Through, side: Side, key: RecordKey, parent: Parent) -> str:
    name = f"'{parent.title}' ({through.of(side)} {key})" if parent.title else f"{through.of(side)} {key}"
    why = "has lost its counterpart" if parent.counterpart is not None else parent.why
    return f"waits for {name} on the {side.value} side: in the sync '{through.sync}' it {why}"


# --- faults of a line -----------------------------------------------------------------------------------------------

_POINTING = (FieldType.REFERENCE, FieldType.TEXT, FieldType.ONE_OF)


def crossing_faults(
    through: Through, left: FieldSchema, right: FieldSchema, path: str, *, is_told_otherwise: bool
) -> list[Problem]:
    """What is wrong with a line that goes through a sync. `is_told_otherwise`: it has pairs, a transform, people or an
    expression as well."""
    out: list[Problem] = []
    if is_told_otherwise:
        text = "values, transforms, people and expressions do not go together with through."
        out.append(Problem(f"{path}.through", text, "Keep one of them.", ProblemKind.TYPES))
    for side, field in ((Side.LEFT, left), (Side.RIGHT, right)):
        place, tied = f"{path}.{side.value}", through.of(side)
        if field.type not in _POINTING:
            text = f"{field.type.value} '{field.id}' cannot hold the key of one record."
            remedy = "Map a reference, or a text or one-of field that holds a key; or take through away."
            out.append(Problem(place, text, remedy, ProblemKind.TYPES))
        elif field.type is FieldType.REFERENCE and tied and field.references not in (None, tied):
            text = f"'{field.id}' points to {field.references}, and '{through.sync}' ties {tied}."
            out.append(Problem(place, text, "Name a sync of those records.", ProblemKind.TYPES))
    return out


# --- which sync goes first ------------------------------------------------------------------------------------------

_Name = TypeVar("_Name", bound=Hashable)


def parents_first(names: Sequence[_Name], needs: Mapping[_Name, Iterable[_Name]]) -> tuple[_Name, ...]:
    """The names in their order, but each after those that it needs. Where they need each other, the first stays first."""
    out: dict[_Name, None] = {}
    entered: set[_Name] = set()

    def enter(name: _Name) -> None:
        if name in entered:
            return
        entered.add(name)
        for needed in needs.get(name, ()):
            if needed in names:
                enter(needed)
        out[name] = None

    for name in names:
        enter(name)
    return tuple(out)


def circular(waits: Mapping[_Name, Iterable[_Name]]) -> frozenset[_Name]:
    """Those that wait, in the end, for nothing but themselves: each of what they wait for leads back to them."""
    rings = _rings({name: tuple(dict.fromkeys(many)) for name, many in waits.items()})
    return frozenset(
        name
        for name, many in waits.items()
        if (own := list(many)) and all(rings.get(each) == rings[name] for each in own)
    )


def _rings(waits: Mapping[_Name, Sequence[_Name]]) -> dict[_Name, int]:
    """A number for each: the same for those that lead to each other. (Tarjan's way, without recursion: chains are long.)"""
    order: dict[_Name, int] = {}
    low: dict[_Name, int] = {}
    rings: dict[_Name, int] = {}
    path: list[_Name] = []
    for start in waits:
        work = [] if start in order else [(start, iter(waits[start]))]
        while work:
            name, rest = work[-1]
            if name not in order:
                order[name] = low[name] = len(order)
                path.append(name)
            following = next((each for each in rest if each in waits and each not in rings), None)
            if following is not None and following not in order:
                work.append((following, iter(waits[following])))
            elif following is not None:
                low[name] = min(low[name], low[following])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == order[name]:
                    while name not in rings:
                        rings[path.pop()] = order[name]
    return rings
