"""Two object types into a proposal of which field goes with which, for a person to look at.

Called by `web.objects`. Names are compared, and what they usually mean; whatever would not work as a mapping is left out.
Nothing is ever put in force because of a proposal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, Scalar, lenses
from syncline.core.records import FieldId, FieldSchema, ObjectSchema, ObjectTypeId
from syncline.core.values import FieldType
from syncline.errors import MappingError

_NAME = "name"
_MEANINGS: Mapping[str, frozenset[str]] = {
    _NAME: frozenset({"name", "title", "subject", "summary"}),
    "text": frozenset({"body", "description", "details", "notes"}),
    "due": frozenset({"deadline", "due", "dueat", "duedate", "dueon"}),
    "start": frozenset({"start", "startat", "startdate", "starton", "startson"}),
    "person": frozenset({"assigned", "assignedto", "assignee", "owner", "responsible"}),
    "labels": frozenset({"label", "labels", "tag", "tags"}),
    "hours": frozenset({"estimate", "estimatedhours", "estimatehours", "hours"}),
    "done": frozenset({"completed", "done", "iscompleted", "isdone", "state", "status"}),
    "important": frozenset({"important", "isimportant", "priority"}),
}
_NO = ("open", "todo", "new", "active", "notstarted", "no", "pending")
_YES = ("done", "completed", "complete", "closed", "finished", "resolved", "yes")


class Proposal(msgspec.Struct, frozen=True):
    """Lines that work, and the key fields by which records may be recognised (none where no pair is sure to be one)."""

    lines: tuple[FieldMapping, ...]
    on: tuple[tuple[FieldId, FieldId], ...]


def proposed(left: ObjectSchema, right: ObjectSchema) -> Proposal:
    """The lines in the order of the left fields; each field is in one of them at most."""
    pairs = sorted(_pairs(left.fields, right.fields), key=lambda each: each[0])
    taken_left, taken_right = set[FieldId](), set[FieldId]()
    found: list[tuple[FieldSchema, FieldSchema, FieldMapping]] = []
    for _, one, other in pairs:
        if one.id in taken_left or other.id in taken_right:
            continue
        line = _line(left.id, right.id, one, other)
        if line is not None:
            found.append((one, other, line))
            taken_left.add(one.id)
            taken_right.add(other.id)
    order = [field.id for field in left.fields]
    found.sort(key=lambda each: order.index(each[0].id))
    keys = [(one.id, other.id) for one, other, _ in found if _is_key(one) and _is_key(other)]
    return Proposal(tuple(line for _, _, line in found), tuple(keys[:1]))


def _pairs(
    left: Iterable[FieldSchema], right: Iterable[FieldSchema]
) -> Iterator[tuple[int, FieldSchema, FieldSchema]]:
    """Pairs that seem to mean the same, with how far apart their names are."""
    others = list(right)
    for one in left:
        for other in others:
            if _names(one) & _names(other):
                yield 0, one, other
            elif _meanings(one) & _meanings(other):
                yield 1, one, other


def _line(
    left_type: ObjectTypeId, right_type: ObjectTypeId, one: FieldSchema, other: FieldSchema
) -> FieldMapping | None:
    """The pair as a line that has no fault; None where there is none."""
    if one.is_read_only and other.is_read_only:
        return None
    direction = Direction.BOTH
    if one.is_read_only or other.is_read_only:
        direction = Direction.TO_RIGHT if one.is_read_only else Direction.TO_LEFT
    line = FieldMapping(one.id, other.id, direction, values=_values(one, other))
    sides = (ObjectSchema(left_type, "", (one,)), ObjectSchema(right_type, "", (other,)))
    try:
        lenses((line,), *sides, ConflictPolicy.ASK)
    except MappingError:
        return None
    return line


def _values(one: FieldSchema, other: FieldSchema) -> tuple[tuple[Scalar, Scalar], ...]:
    """Yes and no beside the options that say so."""
    if (one.type, other.type) == (FieldType.YES_NO, FieldType.ONE_OF):
        return _answers(other)
    if (one.type, other.type) == (FieldType.ONE_OF, FieldType.YES_NO):
        return tuple((option, answer) for answer, option in _answers(one))
    return ()


def _answers(field: FieldSchema) -> tuple[tuple[Scalar, Scalar], ...]:
    labels = {_plain(option.label): option.label for option in field.options or ()}
    no = next((labels[word] for word in _NO if word in labels), None)
    yes = next((labels[word] for word in _YES if word in labels), None)
    return () if no is None or yes is None else ((False, no), (True, yes))


def _is_key(field: FieldSchema) -> bool:
    return field.type is FieldType.TEXT and (field.is_unique or _NAME in _meanings(field))


def _names(field: FieldSchema) -> frozenset[str]:
    return frozenset({_plain(field.id), _plain(field.title)}) - {""}


def _meanings(field: FieldSchema) -> frozenset[str]:
    names = _names(field)
    return frozenset(meaning for meaning, words in _MEANINGS.items() if words & names)


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()
