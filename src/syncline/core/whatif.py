"""Past conflicts of one field and a policy into what that policy would have done with them.

Called by `engine.rules` before a rule is saved. Pure: the same conflicts and the same policy give the same answer. A
conflict that was looked at many times counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from syncline.core.case import Decided
from syncline.core.decisions import FieldDecision, Resolution, Rule, View, line_name
from syncline.core.mapping import ConflictPolicy, Lens
from syncline.core.memory import Question
from syncline.core.merge import merge_field
from syncline.core.records import Base, Edit, FieldId, Present, Record, RecordKey, Side
from syncline.core.values import Value, canonical, same


class Conflict(msgspec.Struct, frozen=True):
    """A field that both sides had changed differently, with all that a policy may look at. `chosen` is what a person
    made of it, where one did; the view itself is without it."""

    title: str
    left: Record
    right: Record
    view: View
    chosen: Resolution | None = None


class Verdict(msgspec.Struct, frozen=True):
    """What the policy would have done with one conflict.

    `winner` is the side whose value goes over (None: a person is asked still, or sets are merged); `agrees` says whether
    that is just what the person chose, None where nobody chose.
    """

    title: str
    left: Value | None
    right: Value | None
    rule: Rule
    winner: Side | None
    to_left: Value | None
    to_right: Value | None
    agrees: bool | None


class WhatIf(msgspec.Struct, frozen=True):
    """A policy's verdicts on all past conflicts of a field."""

    field: str
    policy: ConflictPolicy
    verdicts: tuple[Verdict, ...]

    @property
    def settled(self) -> int:
        """How many no person would have been asked about."""
        return sum(not _is_open(verdict) for verdict in self.verdicts)

    def won(self, side: Side) -> int:
        """How often a side would have won."""
        return sum(verdict.winner is side for verdict in self.verdicts)

    @property
    def judged(self) -> int:
        """How many settled ones a person has chosen on."""
        return sum(verdict.agrees is not None for verdict in self.verdicts)

    @property
    def agreed(self) -> int:
        """How many of those the policy would have settled just as the person did."""
        return sum(verdict.agrees is True for verdict in self.verdicts)


def _is_open(verdict: Verdict) -> bool:
    return verdict.rule in (Rule.CONFLICT, Rule.NO_COUNTERPART)


def what_if(lens: Lens, conflicts: Iterable[Conflict], policy: ConflictPolicy) -> WhatIf:
    """Decide past conflicts of a field again, under another policy."""
    tried = msgspec.structs.replace(lens, policy=policy)
    verdicts = tuple(_verdict(tried, conflict) for conflict in conflicts)
    return WhatIf(line_name(lens.mapping.left, lens.mapping.right), policy, verdicts)


def _verdict(lens: Lens, conflict: Conflict) -> Verdict:
    decided = merge_field(lens, conflict.view, conflict.left, conflict.right)
    return Verdict(
        conflict.title,
        decided.left,
        decided.right,
        decided.rule,
        _winner(decided),
        decided.to_left,
        decided.to_right,
        None if conflict.chosen is None or decided.is_open else _agrees(decided, conflict.chosen),
    )


def _winner(decided: FieldDecision) -> Side | None:
    if decided.lost_side is None:
        return None
    return decided.lost_side.other


def _agrees(decided: FieldDecision, chosen: Resolution) -> bool:
    """Whether both sides would hold what the person wanted them to."""
    pairs = ((decided.to_left, decided.left, chosen.left), (decided.to_right, decided.right, chosen.right))
    for written, held, wanted in pairs:
        outcome = held if written is None else written
        if outcome is None or not same(outcome, wanted):
            return False
    return True


# --- where past conflicts come from ---------------------------------------------------------------------------------


def past_conflicts(
    lens: Lens, decided: Iterable[Decided], questions: Iterable[Question]
) -> Sequence[Conflict]:
    """The conflicts of one line among what runs decided on and what persons were asked, each once.

    Contested is what would be a conflict if the field asked. What runs saw tells more (the records' own times), so it
    goes before the question about the same values; the person's choice is taken from either.
    """
    asking = msgspec.structs.replace(lens, policy=ConflictPolicy.ASK)
    out: dict[tuple[object, ...], Conflict] = {}
    for about, found in (*_seen(asking, decided), *_asked(asking, questions)):
        left, right = found.left.fields[lens.mapping.left], found.right.fields[lens.mapping.right]
        if merge_field(asking, found.view, found.left, found.right).rule is not Rule.CONFLICT:
            continue
        name = (*about, canonical(left), canonical(right))
        known = out.setdefault(name, found)
        if known.chosen is None and found.chosen is not None:
            out[name] = msgspec.structs.replace(known, chosen=found.chosen)
    return list(out.values())


_Named = tuple[tuple[object, ...], Conflict]


def _seen(lens: Lens, decided: Iterable[Decided]) -> Iterator[_Named]:
    """From what runs decided on. Choices of that time are taken out: the policy decides as if nobody had chosen."""
    name = line_name(lens.mapping.left, lens.mapping.right)
    for each in decided:
        left, right = each.view.left, each.view.right
        if not (isinstance(left, Present) and isinstance(right, Present)):
            continue
        if lens.mapping.left in left.record.fields and lens.mapping.right in right.record.fields:
            view = msgspec.structs.replace(each.view, resolutions={})
            chosen = each.view.resolutions.get(name)
            found = Conflict(each.title, left.record, right.record, view, chosen)
            yield (each.left_key, each.right_key), found


def _asked(lens: Lens, questions: Iterable[Question]) -> Iterator[_Named]:
    """From what persons were asked: the values and edit times that the question kept."""
    left, right = lens.mapping.left, lens.mapping.right
    name = line_name(left, right)
    for each in questions:
        held = each.held
        if held.rule is not Rule.CONFLICT or held.field != name or held.left is None or held.right is None:
            continue
        base = None
        if each.base_left is not None and each.base_right is not None:
            base = Base({left: each.base_left}, {right: each.base_right})
        here = _record(held.left_key, left, held.left, each.left_edit)
        there = _record(held.right_key, right, held.right, each.right_edit)
        view = View(
            held.link,
            base,
            Present(here),
            Present(there),
            _own(left, each.left_edit),
            _own(right, each.right_edit),
            # It was contested, so a blank in it was entered by somebody.
            cleared=frozenset({name}),
        )
        chosen = each.choice if isinstance(each.choice, Resolution) else None
        yield (held.left_key, held.right_key), Conflict(held.title, here, there, view, chosen)


def _record(key: RecordKey | None, field: FieldId, value: Value, edit: Edit | None) -> Record:
    at = edit.at if edit is not None and edit.is_record else None
    return Record(key or RecordKey(""), {field: value}, updated_at=at)


def _own(field: FieldId, edit: Edit | None) -> dict[FieldId, Edit]:
    return {} if edit is None or edit.is_record else {field: edit}
