"""A link's base and its two sightings into a decision: the whole of two-way sync, one sentence per case.

Called by `engine.reconcile` and `replay`; pure. The laws it keeps are in `tests/core/test_merge_laws.py`: symmetry,
convergence, idempotence, no silent loss, no invention, unseen decides nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import msgspec

from syncline.core.absence import is_orphaned, one_gone, without_counterpart
from syncline.core.convert import Untranslatable
from syncline.core.decisions import (
    Decision,
    FieldDecision,
    Fields,
    Forget,
    Resolution,
    Rule,
    Rules,
    View,
    Wait,
    line_name,
)
from syncline.core.elements import is_undone, merge_elements, mirror_elements
from syncline.core.mapping import ConflictPolicy, Lens
from syncline.core.records import Base, Edit, FieldId, Gone, Present, Record, Side, Unseen
from syncline.core.values import BLANK, Value, is_blank, same


def merge(view: View, rules: Rules) -> Decision:
    """Decide one link. Never raises; conflicts and doubts are values."""
    match view.left, view.right:
        # One side could not be seen: whatever the other did, nothing is decided.
        case (Unseen(reason), _) | (_, Unseen(reason)):
            return Wait(Rule.UNSEEN, reason)
        # Both are only missing, and may both come back: the link rests.
        case Gone(here), Gone(there) if not (here.is_direct or there.is_direct):
            return Wait(Rule.UNSEEN, "both records are missing from the listings, and neither can be read")
        # Both sides deleted it: the link is closed.
        case Gone(), Gone():
            return Forget(None, Rule.DELETED_BOTH)
        # Left deleted it, right still has it.
        case Gone() as gone, Present():
            return one_gone(view, rules, Side.LEFT, gone)
        # Right deleted it, left still has it.
        case Present(), Gone() as gone:
            return one_gone(view, rules, Side.RIGHT, gone)
        case Present(left), Present(right):
            return _both_present(view, rules, left, right)


def needs_edit_times(view: View, rules: Rules) -> bool:
    """Whether the decision depends on when each field was edited: both sides changed one whose later edit wins.

    Such a line is what would be a conflict if it asked. (Its decision does not tell: the side that wins by the record's
    time may hold a value without counterpart, and lose by the field's own time.)
    """
    names = {
        line_name(lens.mapping.left, lens.mapping.right)
        for lens in rules.lenses
        if lens.policy is ConflictPolicy.NEWEST
    }
    if not names:
        return False
    asking = tuple(
        msgspec.structs.replace(lens, policy=ConflictPolicy.ASK)
        if lens.policy is ConflictPolicy.NEWEST
        else lens
        for lens in rules.lenses
    )
    decision = merge(view, msgspec.structs.replace(rules, lenses=asking))
    return isinstance(decision, Fields) and any(
        field.name in names and field.rule is Rule.CONFLICT for field in decision.fields
    )


def _both_present(view: View, rules: Rules, left: Record, right: Record) -> Decision:
    # A record moved out of the filter: the link rests until it is back.
    if not (left.in_scope and right.in_scope):
        return Wait(Rule.OUT_OF_SCOPE)
    fields = tuple(merge_field(lens, view, left, right) for lens in rules.lenses)
    # A field that one line writes may be read by another one, which decides again with what is to come.
    for _ in rules.lenses:
        chained = _chained(rules.lenses, view, (left, right), fields)
        if chained is fields or chained == fields:
            break
        fields = chained
    return Fields(fields)


def _chained(
    lenses: Sequence[Lens], view: View, records: tuple[Record, Record], fields: tuple[FieldDecision, ...]
) -> tuple[FieldDecision, ...]:
    """The decisions, with the lines decided again whose field another line writes."""
    to_left = {f.left_field: f.to_left for f in fields if f.to_left is not None}
    to_right = {f.right_field: f.to_right for f in fields if f.to_right is not None}
    if not to_left and not to_right:
        return fields
    left = msgspec.structs.replace(records[0], fields={**records[0].fields, **to_left})
    right = msgspec.structs.replace(records[1], fields={**records[1].fields, **to_right})
    out = list(fields)
    for index, (lens, field) in enumerate(zip(lenses, fields, strict=True)):
        if field.left_field in to_left and not lens.flows_to(Side.LEFT):
            out[index] = merge_field(lens, view, left, records[1])
        elif field.right_field in to_right and not lens.flows_to(Side.RIGHT):
            out[index] = merge_field(lens, view, records[0], right)
    return tuple(out)


def is_agreed(base: Base, lens: Lens) -> bool:
    """Whether both sides once agreed on a line: half a base comes from another line of the same field."""
    return lens.mapping.left in base.left and lens.mapping.right in base.right


def merge_field(lens: Lens, view: View, left: Record, right: Record) -> FieldDecision:
    """Decide one mapped field of a link whose records are both there."""
    mapping = lens.mapping
    now_left, now_right = left.fields.get(mapping.left), right.fields.get(mapping.right)
    base_left = view.base.left.get(mapping.left) if view.base else None
    base_right = view.base.right.get(mapping.right) if view.base else None
    own = (base_left, base_right)
    # Agreed on by both sides, or by none: half a base is what one side held when the other got nothing of it.
    if base_left is None or base_right is None:
        base_left = base_right = None
    # A side does not show the field: nothing is decided about it.
    if now_left is None or now_right is None:
        field = FieldDecision(mapping.left, mapping.right, Rule.UNSEEN, left=now_left, right=now_right)
        return _unseen(lens, field, base_left, base_right)
    left_changed = base_left is None or not same(base_left, now_left)
    right_changed = base_right is None or not same(base_right, now_right)
    # Neither side changed.
    field = FieldDecision(mapping.left, mapping.right, Rule.IN_STEP, left=now_left, right=now_right)
    if not left_changed and not right_changed:
        return _remade(lens, field)
    # Whoever changed, both now mean the same.
    if _agree(lens, now_left, now_right):
        return msgspec.structs.replace(field, rule=Rule.AGREED)
    # A person has chosen, and both sides are still as the person saw them.
    chosen = view.resolutions.get(field.name)
    if chosen and same(chosen.seen_left, now_left) and same(chosen.seen_right, now_right):
        return _resolved(lens, field, chosen)
    # A reference that went blank with the record it pointed to was not edited.
    orphaned = _orphaned(lens, field, (base_left, base_right))
    if orphaned is not None:
        return orphaned
    is_cleared = field.name in view.cleared
    # The field goes one way: the other side follows, whoever changed.
    leading = next((side for side in Side if not lens.flows_to(side)), None)
    if leading is not None:
        follows = own[1] if leading is Side.LEFT else own[0]
        return _one_way(lens, field, leading.other, (base_left, base_right), follows, is_cleared=is_cleared)
    # Sets: what either side added or removed is carried over, element by element.
    if lens.is_many and (not (left_changed and right_changed) or lens.policy is ConflictPolicy.MERGE):
        return _merged(lens, field, base_left, base_right)
    # Only one side changed: the other gets it.
    if not right_changed:
        return _follow(lens, field, Side.LEFT, Rule.ONE_SIDE_CHANGED)
    if not left_changed:
        return _follow(lens, field, Side.RIGHT, Rule.ONE_SIDE_CHANGED)
    # The two records meet for the first time and one is blank: it is filled, unless somebody emptied it since.
    if base_left is None and is_blank(now_left) != is_blank(now_right) and not is_cleared:
        return _follow(lens, field, Side.RIGHT if is_blank(now_left) else Side.LEFT, Rule.FILLED_BLANK)
    return _awaited(lens, _contested(lens, field, view, left, right))


def _orphaned(
    lens: Lens, field: FieldDecision, bases: tuple[Value | None, Value | None]
) -> FieldDecision | None:
    """A side whose reference is blank since its record is gone gets the other's, as far as there is something to point to;
    nothing is emptied. None where no side is so."""
    for side, base, other in ((Side.LEFT, *bases), (Side.RIGHT, *reversed(bases))):
        if is_orphaned(lens, side, base, field.now(side)):
            return _pointed_again(lens, field, side, other)
    return None


def _pointed_again(lens: Lens, field: FieldDecision, side: Side, base: Value | None) -> FieldDecision:
    """`base` is what the other side agreed on."""
    kept = msgspec.structs.replace(field, rule=Rule.PARENT_GONE)
    if not lens.flows_to(side):
        return kept
    decided = _follow(lens, field, side.other, Rule.PARENT_BACK)
    now = field.now(side.other)
    is_edited = base is None or now is None or not same(base, now)
    if decided.rule is not Rule.AWAITS_PARENT or is_edited:
        return decided
    parent = lens.parent(side.other, now)
    # As long as its link is open, the record may come back on this side.
    return decided if parent is not None and parent.counterpart is not None else kept


def _remade(lens: Lens, field: FieldDecision) -> FieldDecision:
    """A side that still points to a record which is gone, and was made anew since, gets the new one."""
    for side in Side if lens.mapping.through is not None else ():
        now = field.now(side)
        parent = lens.parent(side, now)
        source = lens.parent(side.other, field.now(side.other))
        if (
            parent is None
            or not parent.is_gone
            or not lens.flows_to(side)
            or source is None
            or source.is_gone
        ):
            continue
        decided = _follow(lens, field, side.other, Rule.PARENT_BACK)
        target = decided.target(side)
        if now is not None and target is not None and not is_blank(target) and not same(target, now):
            return decided
    return field


def _awaited(lens: Lens, field: FieldDecision) -> FieldDecision:
    """Two references that nobody can compare yet are no conflict: they may be the same."""
    if field.rule is not Rule.CONFLICT or lens.mapping.through is None:
        return field
    made = [lens.to(side.other, field.now(side) or BLANK) for side in Side]
    if not all(isinstance(each, Untranslatable) and each.is_awaited for each in made):
        return field
    reason = f"waits for one of what both sides point to: in the sync '{lens.mapping.through.sync}' neither has a counterpart"
    return msgspec.structs.replace(field, rule=Rule.AWAITS_PARENT, reason=reason)


def _agree(lens: Lens, left: Value, right: Value) -> bool:
    if is_blank(left) and is_blank(right):
        return True
    if lens.is_many:
        return _sets_agree(lens, left, right)
    if lens.flows_to(Side.RIGHT):
        there = lens.to_right(left)
        if not isinstance(there, Untranslatable) and same(there, right):
            return True
    if lens.flows_to(Side.LEFT):
        back = lens.to_left(right)
        return not isinstance(back, Untranslatable) and same(back, left)
    return False


def _sets_agree(lens: Lens, left: Value, right: Value) -> bool:
    """Sets agree when carrying either over would change nothing on the other side."""
    agreed = True
    if lens.flows_to(Side.RIGHT):
        agreed = agreed and same(mirror_elements(lens, Side.RIGHT, left, right), right)
    if lens.flows_to(Side.LEFT):
        agreed = agreed and same(mirror_elements(lens, Side.LEFT, right, left), left)
    return agreed


def _follow(lens: Lens, field: FieldDecision, winner: Side, rule: Rule) -> FieldDecision:
    """The winner's value goes over; the other side's is returned as lost by the callers that override one."""
    source, target = (field.left, field.right) if winner is Side.LEFT else (field.right, field.left)
    assert source is not None  # noqa: S101 - `merge_field` has looked
    assert target is not None  # noqa: S101 - `merge_field` has looked
    if lens.is_many:
        value: Value | Untranslatable = mirror_elements(lens, winner.other, source, target)
    else:
        value = lens.to(winner.other, source)
    if isinstance(value, Untranslatable):
        return msgspec.structs.replace(field, rule=without_counterpart(value), reason=value.reason)
    if winner is Side.LEFT:
        return msgspec.structs.replace(field, rule=rule, to_right=value)
    return msgspec.structs.replace(field, rule=rule, to_left=value)


def _override(lens: Lens, field: FieldDecision, winner: Side, rule: Rule) -> FieldDecision:
    """The winner's value goes over, and the loser's goes to the history."""
    decided = _follow(lens, field, winner, rule)
    if decided.is_open:
        return decided
    loser = field.right if winner is Side.LEFT else field.left
    return msgspec.structs.replace(decided, lost=loser, lost_side=winner.other)


def _one_way(
    lens: Lens,
    field: FieldDecision,
    target: Side,
    bases: tuple[Value | None, Value | None],
    own: Value | None,
    *,
    is_cleared: bool,
) -> FieldDecision:
    """`own` is what the following side held by itself when we last wrote of it, agreed on or not; `is_cleared`: it was
    emptied by somebody."""
    leader, now = (field.left, field.right) if target is Side.RIGHT else (field.right, field.left)
    led, was = bases if target is Side.RIGHT else (bases[1], bases[0])
    assert leader is not None  # noqa: S101 - `merge_field` has looked
    assert now is not None  # noqa: S101 - `merge_field` has looked
    # A blank that nobody entered overwrites nothing.
    if is_blank(leader) and (led is None or is_blank(led)):
        return msgspec.structs.replace(field, rule=Rule.KEEPS_OWN)
    if lens.is_many and lens.policy is ConflictPolicy.MERGE:
        merged = _merged(lens, field, *bases)
        if was is None or not is_undone(was, now, merged.target(target)):
            return merged
        return msgspec.structs.replace(merged, lost=now, lost_side=target)
    # What somebody wrote or emptied on the following side goes to the history.
    # So does what it kept while the leading side had nothing to say.
    is_own = was is None or led is None or is_blank(led)
    is_edited = own is not None and not same(own, now)
    is_loss = is_edited or (is_own and (is_cleared or not is_blank(now)))
    decide = _override if is_loss else _follow
    return decide(lens, field, target.other, Rule.ONE_WAY)


def _merged(
    lens: Lens, field: FieldDecision, base_left: Value | None, base_right: Value | None
) -> FieldDecision:
    left, right = merge_elements(lens, (base_left, base_right), (field.left, field.right))
    return msgspec.structs.replace(
        field,
        rule=Rule.MERGED,
        to_left=left if lens.flows_to(Side.LEFT) and not same(left, field.left or BLANK) else None,
        to_right=right if lens.flows_to(Side.RIGHT) and not same(right, field.right or BLANK) else None,
    )


def _unseen(
    lens: Lens, field: FieldDecision, base_left: Value | None, base_right: Value | None
) -> FieldDecision:
    """Nothing is decided; a reason says that an edit waits for the other side to be seen."""
    for side, base, now in ((Side.LEFT, base_left, field.left), (Side.RIGHT, base_right, field.right)):
        if now is not None and lens.flows_to(side.other) and not same(base or BLANK, now):
            reason = f"changed, but the {side.other.value} side does not show this field"
            return msgspec.structs.replace(field, reason=reason)
    return field


def _resolved(lens: Lens, field: FieldDecision, chosen: Resolution) -> FieldDecision:
    """Both values stay in the history: whatever is written over is noted as lost."""
    is_left = lens.flows_to(Side.LEFT) and not same(chosen.left, chosen.seen_left)
    is_right = lens.flows_to(Side.RIGHT) and not same(chosen.right, chosen.seen_right)
    return msgspec.structs.replace(
        field,
        rule=Rule.RESOLVED,
        to_left=chosen.left if is_left else None,
        to_right=chosen.right if is_right else None,
        lost=field.left if is_left else field.right if is_right else None,
        lost_side=Side.LEFT if is_left else Side.RIGHT if is_right else None,
    )


def _contested(lens: Lens, field: FieldDecision, view: View, left: Record, right: Record) -> FieldDecision:
    """Both sides changed, differently: the field's policy decides."""
    match lens.policy:
        case ConflictPolicy.LEFT:
            return _override(lens, field, Side.LEFT, Rule.LEFT_WINS)
        case ConflictPolicy.RIGHT:
            return _override(lens, field, Side.RIGHT, Rule.RIGHT_WINS)
        # Prefer a side, unless it has nothing to say.
        case ConflictPolicy.LEFT_UNLESS_BLANK:
            is_left = not is_blank(field.left or BLANK)
            return _override(lens, field, *_WINS[Side.LEFT if is_left else Side.RIGHT])
        case ConflictPolicy.RIGHT_UNLESS_BLANK:
            is_right = not is_blank(field.right or BLANK)
            return _override(lens, field, *_WINS[Side.RIGHT if is_right else Side.LEFT])
        # The later edit wins; a tie or a missing time is for a person.
        case ConflictPolicy.NEWEST:
            left_at = _edited_at(view.left_edits, lens.mapping.left, left)
            right_at = _edited_at(view.right_edits, lens.mapping.right, right)
            later = _later(left_at, right_at)
            if later is None:
                return msgspec.structs.replace(
                    field, rule=Rule.CONFLICT, reason="the two edits' times do not tell"
                )
            return _override(lens, field, later, Rule.NEWEST)
        case ConflictPolicy.ASK | ConflictPolicy.MERGE:
            return msgspec.structs.replace(field, rule=Rule.CONFLICT, reason="this field asks")
        case _:
            assert_never(lens.policy)


_WINS = {Side.LEFT: (Side.LEFT, Rule.LEFT_WINS), Side.RIGHT: (Side.RIGHT, Rule.RIGHT_WINS)}


@dataclass(frozen=True, slots=True)
class _EditTime:
    """When a field was edited; with `is_bound`, at the latest."""

    at: dt.datetime
    is_bound: bool = False


def _edited_at(edits: Mapping[FieldId, Edit], field: FieldId, record: Record) -> _EditTime | None:
    """The field's own time where the vendor tells it, else the record's. A record time that our own write left says
    only that people edited before it."""
    edit = edits.get(field)
    if edit is not None and edit.at is not None:
        return _EditTime(edit.at)
    at = record.updated_at
    return None if at is None else _EditTime(at, is_bound=at == record.wrote_at)


def _later(left: _EditTime | None, right: _EditTime | None) -> Side | None:
    """Whose edit is later, or None when the times do not tell.

    A time without a fraction may come from a clock of whole seconds, which stands for any moment of its second.
    """
    if left is None or right is None:
        return None
    left_at, right_at = left.at, right.at
    if not (left_at.microsecond and right_at.microsecond):
        left_at, right_at = left_at.replace(microsecond=0), right_at.replace(microsecond=0)
    if left_at == right_at:
        return None
    side, winner = (Side.LEFT, left) if left_at > right_at else (Side.RIGHT, right)
    return None if winner.is_bound else side
