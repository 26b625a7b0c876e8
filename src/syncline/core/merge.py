"""A link's base and its two sightings into a decision: the whole of two-way sync, one sentence per case.

Called by `engine.reconcile` and `replay`; pure. The laws it keeps are in `tests/core/test_merge_laws.py`: symmetry,
convergence, idempotence, no silent loss, no invention, unseen decides nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import assert_never

import msgspec

from syncline.core.convert import Untranslatable
from syncline.core.decisions import (
    Answer,
    AskDelete,
    Decision,
    DeletedEdit,
    DeletePolicy,
    FieldDecision,
    Fields,
    Forget,
    Remove,
    Resolution,
    Revive,
    Rule,
    Rules,
    View,
    Wait,
    line_name,
)
from syncline.core.diff import Deleted, Unknown, diff
from syncline.core.elements import merge_elements, mirror_elements
from syncline.core.mapping import ConflictPolicy, Lens
from syncline.core.records import Edit, FieldId, Gone, Present, Proof, Record, Side
from syncline.core.values import BLANK, Value, is_blank, same


def merge(view: View, rules: Rules) -> Decision:
    """Decide one link. Never raises; conflicts and doubts are values."""
    base = view.base
    left = diff(base.left if base else None, view.left)
    right = diff(base.right if base else None, view.right)
    match left, right:
        # One side could not be seen: whatever the other did, nothing is decided.
        case (Unknown(reason), _) | (_, Unknown(reason)):
            return Wait(Rule.UNSEEN, reason)
        # Both sides deleted it: the link is closed.
        case Deleted(), Deleted():
            return Forget(None, Rule.DELETED_BOTH)
        # Left deleted it, right still has it.
        case Deleted(gone), _:
            return _one_gone(view, rules, Side.LEFT, gone)
        # Right deleted it, left still has it.
        case _, Deleted(gone):
            return _one_gone(view, rules, Side.RIGHT, gone)
        case _:
            return _both_present(view, rules)


def needs_edit_times(view: View, rules: Rules) -> bool:
    """Whether the decision would gain from knowing when each field was edited: some field is contested by time."""
    decision = merge(view, rules)
    if not isinstance(decision, Fields):
        return False
    newest = {
        line_name(lens.mapping.left, lens.mapping.right)
        for lens in rules.lenses
        if lens.policy is ConflictPolicy.NEWEST
    }
    return any(f.name in newest and f.rule in (Rule.NEWEST, Rule.CONFLICT) for f in decision.fields)


# --- one side deleted ---------------------------------------------------------------------------------------------


def _one_gone(view: View, rules: Rules, gone_side: Side, gone: Gone) -> Decision:
    kept = gone_side.other
    is_edited = _is_edited(view, rules, kept)
    # A person has answered.
    if view.answer is not None:
        return _answered(view, rules, gone_side, gone, view.answer)
    # Deleted here, edited there: the edit wins, unless the sync says otherwise.
    if is_edited and rules.deleted_edit is DeletedEdit.EDIT:
        return _revive(view, rules, gone_side, gone, Rule.EDIT_BEATS_DELETE)
    if is_edited and rules.deleted_edit is DeletedEdit.ASK:
        return AskDelete(gone_side, is_edited=True)
    match rules.deletes:
        # Deleted here, unchanged there: the other follows.
        case DeletePolicy.PROPAGATE:
            return Remove(kept, is_archive=False, rule=Rule.DELETED_PROPAGATED)
        # … or is put away, where the vendor can.
        case DeletePolicy.ARCHIVE if kept in rules.may_archive:
            return Remove(kept, is_archive=True, rule=Rule.DELETED_ARCHIVED)
        # … or is left alone, and no link ties it any more.
        case DeletePolicy.IGNORE:
            return Forget(kept, Rule.DELETED_IGNORED)
        # … or a person is asked.
        case DeletePolicy.ASK | DeletePolicy.ARCHIVE:
            return AskDelete(gone_side, is_edited=is_edited)
        case _:
            assert_never(rules.deletes)


def _answered(view: View, rules: Rules, gone_side: Side, gone: Gone, answer: Answer) -> Decision:
    match answer:
        case Answer.DELETE:
            return Remove(gone_side.other, is_archive=False, rule=Rule.RESOLVED)
        case Answer.RESTORE:
            return _revive(view, rules, gone_side, gone, Rule.RESOLVED)
        case Answer.RELEASE:
            return Forget(gone_side.other, Rule.RESOLVED)
        case _:
            assert_never(answer)


def _is_edited(view: View, rules: Rules, side: Side) -> bool:
    """Whether the side's record was edited in a field that the other side would have received."""
    seen = view.of(side)
    if not isinstance(seen, Present):
        return False
    base = _base_of(view, side)
    for lens in rules.lenses:
        field = lens.mapping.of(side)
        value = seen.record.fields.get(field)
        if value is None or not lens.flows_to(side.other):
            continue
        if field not in base or not same(base[field], value):
            return True
    return False


def _base_of(view: View, side: Side) -> Mapping[FieldId, Value]:
    return view.base.of(side) if view.base else {}


def _revive(view: View, rules: Rules, side: Side, gone: Gone, rule: Rule) -> Decision:
    """Bring back the gone record: what flows to it from the surviving one, what does not from its own base."""
    kept = view.of(side.other)
    assert isinstance(kept, Present)  # noqa: S101 - `merge` has looked
    is_restore = gone.proof is Proof.TRASHED and side in rules.may_restore
    base = _base_of(view, side)
    fields = tuple(
        decision
        for lens in rules.lenses
        if (decision := _revived_field(lens, side, kept.record, base)) is not None
    )
    return Revive(side, is_restore, fields, rule)


def _revived_field(
    lens: Lens, side: Side, kept: Record, base: Mapping[FieldId, Value]
) -> FieldDecision | None:
    source = kept.fields.get(lens.mapping.of(side.other))
    if lens.flows_to(side) and source is not None:
        value = lens.to(side, source)
        if isinstance(value, Untranslatable):
            return _decided(lens, side.other, source, Rule.NO_COUNTERPART, reason=value.reason)
    else:
        own = base.get(lens.mapping.of(side))
        if own is None or lens.of(side).is_read_only:
            return None
        value = own
    return _decided(lens, side.other, source, Rule.EDIT_BEATS_DELETE, target=value)


def _decided(
    lens: Lens, side: Side, source: Value | None, rule: Rule, *, target: Value | None = None, reason: str = ""
) -> FieldDecision:
    """A decision in which only `side` holds something, and the other side is to hold `target`."""
    is_left = side is Side.LEFT
    return FieldDecision(
        lens.mapping.left,
        lens.mapping.right,
        rule,
        left=source if is_left else None,
        right=None if is_left else source,
        to_left=None if is_left else target,
        to_right=target if is_left else None,
        reason=reason,
    )


def created_fields(lenses: Sequence[Lens], record: Record, side: Side) -> tuple[FieldDecision, ...]:
    """What a new record on `side` is to hold, made from its counterpart on the other side."""
    out: list[FieldDecision] = []
    for lens in lenses:
        source = record.fields.get(lens.mapping.of(side.other))
        if source is None or not lens.flows_to(side):
            continue
        value = lens.to(side, source)
        if isinstance(value, Untranslatable):
            out.append(_decided(lens, side.other, source, Rule.NO_COUNTERPART, reason=value.reason))
        else:
            out.append(_decided(lens, side.other, source, Rule.CREATED, target=value))
    return tuple(out)


# --- both sides present -------------------------------------------------------------------------------------------


def _both_present(view: View, rules: Rules) -> Decision:
    left, right = view.left, view.right
    assert isinstance(left, Present)  # noqa: S101 - `merge` has looked
    assert isinstance(right, Present)  # noqa: S101 - `merge` has looked
    # A record moved out of the filter: the link rests until it is back.
    if not (left.record.in_scope and right.record.in_scope):
        return Wait(Rule.OUT_OF_SCOPE)
    return Fields(tuple(merge_field(lens, view, left.record, right.record) for lens in rules.lenses))


def merge_field(lens: Lens, view: View, left: Record, right: Record) -> FieldDecision:
    """Decide one mapped field of a link whose records are both there."""
    mapping = lens.mapping
    now_left, now_right = left.fields.get(mapping.left), right.fields.get(mapping.right)
    field = FieldDecision(mapping.left, mapping.right, Rule.UNSEEN, left=now_left, right=now_right)
    # A side does not show the field: nothing is decided about it.
    if now_left is None or now_right is None:
        return field
    base_left = view.base.left.get(mapping.left) if view.base else None
    base_right = view.base.right.get(mapping.right) if view.base else None
    left_changed = base_left is None or not same(base_left, now_left)
    right_changed = base_right is None or not same(base_right, now_right)
    # Neither side changed.
    if not left_changed and not right_changed:
        return msgspec.structs.replace(field, rule=Rule.IN_STEP)
    # Whoever changed, both now mean the same.
    if _agree(lens, now_left, now_right):
        return msgspec.structs.replace(field, rule=Rule.AGREED)
    # A person has chosen, and both sides are still as the person saw them.
    chosen = view.resolutions.get(field.name)
    if chosen and same(chosen.seen_left, now_left) and same(chosen.seen_right, now_right):
        return _resolved(field, chosen)
    # The field goes one way: the other side follows, whoever changed.
    if not lens.flows_to(Side.LEFT):
        return _one_way(lens, field, Side.RIGHT, (base_left, base_right))
    if not lens.flows_to(Side.RIGHT):
        return _one_way(lens, field, Side.LEFT, (base_left, base_right))
    # Sets: what either side added or removed is carried over, element by element.
    if lens.is_many and (not (left_changed and right_changed) or lens.policy is ConflictPolicy.MERGE):
        return _merged(lens, field, base_left, base_right)
    # Only one side changed: the other gets it.
    if not right_changed:
        return _follow(lens, field, Side.LEFT, Rule.ONE_SIDE_CHANGED)
    if not left_changed:
        return _follow(lens, field, Side.RIGHT, Rule.ONE_SIDE_CHANGED)
    # The two records meet for the first time and one is blank: it is filled.
    if (base_left is None or base_right is None) and is_blank(now_left) != is_blank(now_right):
        return _follow(lens, field, Side.RIGHT if is_blank(now_left) else Side.LEFT, Rule.FILLED_BLANK)
    return _contested(lens, field, view, left, right)


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
        return msgspec.structs.replace(field, rule=Rule.NO_COUNTERPART, reason=value.reason)
    if winner is Side.LEFT:
        return msgspec.structs.replace(field, rule=rule, to_right=value)
    return msgspec.structs.replace(field, rule=rule, to_left=value)


def _override(lens: Lens, field: FieldDecision, winner: Side, rule: Rule) -> FieldDecision:
    """The winner's value goes over, and the loser's goes to the history."""
    decided = _follow(lens, field, winner, rule)
    if decided.rule is Rule.NO_COUNTERPART:
        return decided
    loser = field.right if winner is Side.LEFT else field.left
    return msgspec.structs.replace(decided, lost=loser, lost_side=winner.other)


def _one_way(
    lens: Lens, field: FieldDecision, target: Side, bases: tuple[Value | None, Value | None]
) -> FieldDecision:
    leader, now = (field.left, field.right) if target is Side.RIGHT else (field.right, field.left)
    led, was = bases if target is Side.RIGHT else (bases[1], bases[0])
    assert leader is not None  # noqa: S101 - `merge_field` has looked
    assert now is not None  # noqa: S101 - `merge_field` has looked
    # A blank that nobody entered overwrites nothing.
    if is_blank(leader) and (led is None or is_blank(led)):
        return msgspec.structs.replace(field, rule=Rule.KEEPS_OWN)
    if lens.is_many and lens.policy is ConflictPolicy.MERGE:
        return _merged(lens, field, *bases)
    # What somebody wrote on the following side goes to the history.
    is_loss = not (is_blank(now) if was is None else same(was, now))
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


def _resolved(field: FieldDecision, chosen: Resolution) -> FieldDecision:
    """Both values stay in the history: whatever is written over is noted as lost."""
    to_left = None if same(chosen.left, chosen.seen_left) else chosen.left
    to_right = None if same(chosen.right, chosen.seen_right) else chosen.right
    lost_side = Side.LEFT if to_left is not None else Side.RIGHT
    lost = field.left if to_left is not None else field.right
    return msgspec.structs.replace(
        field, rule=Rule.RESOLVED, to_left=to_left, to_right=to_right, lost=lost, lost_side=lost_side
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
            if left_at is None or right_at is None or left_at == right_at:
                return msgspec.structs.replace(
                    field, rule=Rule.CONFLICT, reason="the two edits' times do not tell"
                )
            return _override(lens, field, Side.LEFT if left_at > right_at else Side.RIGHT, Rule.NEWEST)
        case ConflictPolicy.ASK | ConflictPolicy.MERGE:
            return msgspec.structs.replace(field, rule=Rule.CONFLICT, reason="this field asks")
        case _:
            assert_never(lens.policy)


_WINS = {Side.LEFT: (Side.LEFT, Rule.LEFT_WINS), Side.RIGHT: (Side.RIGHT, Rule.RIGHT_WINS)}


def _edited_at(edits: Mapping[FieldId, Edit], field: FieldId, record: Record) -> dt.datetime | None:
    """The field's own time where the vendor tells it, else the record's."""
    edit = edits.get(field)
    return edit.at if edit is not None and edit.at is not None else record.updated_at
