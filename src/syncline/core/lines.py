"""The decided lines of one link into groups that settle together.

Used by `plan`. The base is kept per field, so lines that share a field share its base: it may only move when every one
of them is done, or the edit would look agreed on to a line that it never reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from syncline.core.decisions import FieldDecision, Rule
from syncline.core.records import FieldId, Side
from syncline.core.values import Value, is_blank

Group = tuple[FieldDecision, ...]


def groups(fields: Sequence[FieldDecision]) -> list[Group]:
    """Lines by the fields they share, on either side; mostly each by itself."""
    out: list[Group] = []
    for field in fields:
        shared = [group for group in out if any(_share(field, other) for other in group)]
        if shared:
            out = [group for group in out if group not in shared]
        out.append((*(other for group in shared for other in group), field))
    return out


def _share(a: FieldDecision, b: FieldDecision) -> bool:
    return a.left_field == b.left_field or a.right_field == b.right_field


def settled(group: Group) -> Group:
    """The lines that are done when the group's last write is."""
    waiting = [f for f in group if not f.settles and f.rule is not Rule.IN_STEP]
    if not waiting:
        return tuple(f for f in group if f.settles)
    told = (_told(f, waiting) for f in group if f.settles)
    return tuple(f for f in told if f is not None)


def _told(field: FieldDecision, waiting: Sequence[FieldDecision]) -> FieldDecision | None:
    """A written line whose field another line still waits for: it goes to the history, the shared base stays."""
    shared = [side for side in Side if any(other.of(side) == field.of(side) for other in waiting)]
    is_written = any(field.target(side) is not None for side in Side)
    if not is_written or any(field.target(side) is not None for side in shared):
        return None
    return msgspec.structs.replace(
        field,
        left=None if Side.LEFT in shared else field.left,
        right=None if Side.RIGHT in shared else field.right,
    )


def writes(group: Group, side: Side) -> bool:
    """Whether the group writes on a side."""
    return any(field.target(side) is not None for field in group)


def last(group: Group) -> Side | None:
    """The side that is written last for these lines; None when nothing is written."""
    return next((side for side in (Side.RIGHT, Side.LEFT) if writes(group, side)), None)


def written(fields: Iterable[FieldDecision], side: Side, *, keep_blank: bool = False) -> dict[FieldId, Value]:
    """The values to write on a side. A new record is made without its blanks."""
    values = ((field.of(side), field.target(side)) for field in fields)
    return {
        name: value for name, value in values if value is not None and (keep_blank or not is_blank(value))
    }
