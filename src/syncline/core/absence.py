"""One record of a link without the other: deleted over there, brought back, or still to be made.

Called by `merge` for a link that has lost a side, and by `plan` for a record that has no counterpart yet.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
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
    Forget,
    Remove,
    Revive,
    Rule,
    Rules,
    View,
    Wait,
)
from syncline.core.elements import mirror_elements
from syncline.core.mapping import Lens
from syncline.core.records import FieldId, Gone, Present, Proof, Record, Side
from syncline.core.values import BLANK, Value, is_blank, same


def one_gone(view: View, rules: Rules, gone_side: Side, gone: Gone) -> Decision:
    """Decide a link one of whose records is gone, with proof."""
    decision = _one_gone(view, rules, gone_side, gone)
    parent = _lost_parent(view, rules, gone_side)
    # It went together with the record that it points to: nobody may have meant this one, so nothing follows by itself.
    if parent and view.answer is None and isinstance(decision, Remove | AskDelete):
        is_edited = _is_edited(view, rules, gone_side.other)
        return AskDelete(gone_side, is_edited=is_edited, parent=parent)
    return decision


def _one_gone(view: View, rules: Rules, gone_side: Side, gone: Gone) -> Decision:
    kept = gone_side.other
    # A person has answered.
    if view.answer is not None:
        return _answered(view, rules, gone_side, gone, view.answer)
    # What is left moved out of the filter: the link rests until it is back.
    if not present(view, kept).in_scope:
        return Wait(Rule.OUT_OF_SCOPE)
    is_edited = _is_edited(view, rules, kept)
    # Nobody but the listings says that it is gone, and they may only hide it: a person is asked, whatever the policy.
    if not gone.proof.is_direct:
        return AskDelete(gone_side, is_edited=is_edited)
    # Deleted here, edited there: the edit wins, unless the sync says otherwise.
    if is_edited and rules.deleted_edit is DeletedEdit.EDIT:
        return _revive(view, rules, gone_side, gone, Rule.EDIT_BEATS_DELETE)
    if is_edited and rules.deleted_edit is DeletedEdit.ASK:
        return AskDelete(gone_side, is_edited=True)
    match rules.deletes:
        # Deleted here, unchanged there: the other follows.
        case DeletePolicy.PROPAGATE:
            return _remove(view, rules, kept, Rule.DELETED_PROPAGATED)
        # … or is put away, where the vendor can.
        case DeletePolicy.ARCHIVE if kept in rules.may_archive:
            return _remove(view, rules, kept, Rule.DELETED_ARCHIVED, is_archive=True)
        # … or is left alone, and no link ties it any more.
        case DeletePolicy.IGNORE:
            return Forget(kept, Rule.DELETED_IGNORED)
        # … or a person is asked.
        case DeletePolicy.ASK | DeletePolicy.ARCHIVE:
            return AskDelete(gone_side, is_edited=is_edited)
        case _:
            assert_never(rules.deletes)


def is_orphaned(lens: Lens, side: Side, base: Value | None, now: Value | None) -> bool:
    """Whether a side's reference is blank since the record that it pointed to is gone."""
    if lens.mapping.through is None or base is None or now is None or not is_blank(now):
        return False
    parent = lens.parent(side, base)
    return parent is not None and parent.is_gone


def without_counterpart(value: Untranslatable) -> Rule:
    """By which rule a value stays where it is."""
    return Rule.AWAITS_PARENT if value.is_awaited else Rule.NO_COUNTERPART


def _lost_parent(view: View, rules: Rules, side: Side) -> str:
    """The record that the side's record pointed to when both agreed, where it is gone as well; empty where none is."""
    for lens in rules.lenses:
        parent = lens.parent(side, _base_of(view, side).get(lens.mapping.of(side)))
        if parent is not None and parent.is_gone:
            return parent.title or lens.of(side).title
    return ""


def _answered(view: View, rules: Rules, gone_side: Side, gone: Gone, answer: Answer) -> Decision:
    match answer:
        case Answer.DELETE:
            return _remove(view, rules, gone_side.other, Rule.RESOLVED)
        case Answer.RESTORE:
            return _revive(view, rules, gone_side, gone, Rule.RESOLVED)
        case Answer.RELEASE:
            return Forget(gone_side.other, Rule.RESOLVED)
        case _:
            assert_never(answer)


def proof_text(side: Side, gone: Gone, read_at: dt.datetime | None = None) -> str:
    """A proof as the history keeps it: `right: not_found, a direct read …`. `read_at` is when the vendor was asked, just
    before a deletion; else it was in the run of the history's line, or an earlier one."""
    text = f"{side.value}: {gone.proof.value}, {gone.proof.sentence}"
    if read_at is not None:
        text += f", read {read_at:%Y-%m-%d %H:%M:%S} UTC"
    if gone.at is not None:
        word = "missing since" if not gone.proof.is_direct else "deleted"
        text += f"; {word} {gone.at:%Y-%m-%d %H:%M:%S} UTC"
    return text + (f" by {gone.by}" if gone.by else "")


def present(view: View, side: Side) -> Record:
    """The record of a side that is there."""
    seen = view.of(side)
    assert isinstance(seen, Present)  # noqa: S101 - the caller has looked
    return seen.record


def _is_edited(view: View, rules: Rules, side: Side) -> bool:
    """Whether the side's record was edited in a field that the other side would have received."""
    return any(lens.flows_to(side.other) for lens, _ in _edits(view, rules, side))


def _edits(view: View, rules: Rules, side: Side) -> Iterator[tuple[Lens, Value]]:
    """What a side holds that it did not hold when both agreed. A blank that nobody entered is no edit."""
    record, base = present(view, side), _base_of(view, side)
    for lens in rules.lenses:
        value = record.fields.get(lens.mapping.of(side))
        if value is not None and not same(base.get(lens.mapping.of(side), BLANK), value):
            yield lens, value


def _base_of(view: View, side: Side) -> Mapping[FieldId, Value]:
    return view.base.of(side) if view.base else {}


def _remove(view: View, rules: Rules, side: Side, rule: Rule, *, is_archive: bool = False) -> Remove:
    """The record goes; what was edited in it goes to the history."""
    lost = tuple(
        msgspec.structs.replace(_decided(lens, side, value, rule), lost=value, lost_side=side)
        for lens, value in _edits(view, rules, side)
    )
    return Remove(side, is_archive, rule, lost)


def _revive(view: View, rules: Rules, side: Side, gone: Gone, rule: Rule) -> Decision:
    """Bring back the gone record: what flows to it from the surviving one, what does not from its own base."""
    kept, base = present(view, side.other), _base_of(view, side)
    is_restore = gone.proof is Proof.TRASHED and side in rules.may_restore
    fields = (_revived_field(lens, side, kept, base, rule) for lens in rules.lenses)
    return Revive(side, is_restore, tuple(field for field in fields if field is not None), rule)


def _revived_field(
    lens: Lens, side: Side, kept: Record, base: Mapping[FieldId, Value], rule: Rule
) -> FieldDecision | None:
    source = kept.fields.get(lens.mapping.of(side.other))
    own = None if lens.of(side).is_read_only else base.get(lens.mapping.of(side))
    if source is None or not lens.flows_to(side):
        # Nothing new to say: it comes back as it was, and whatever was agreed on still is.
        return None if own is None else _decided(lens, side.other, source, Rule.IN_STEP, target=own)
    value = mirror_elements(lens, side, source, own or BLANK) if lens.is_many else lens.to(side, source)
    if isinstance(value, Untranslatable):
        # What pointed to a record that is gone would point nowhere.
        parent = lens.parent(side, own)
        own = None if parent is not None and parent.is_gone else own
        rule = without_counterpart(value)
        return _decided(lens, side.other, source, rule, target=own, reason=value.reason)
    return _decided(lens, side.other, source, rule, target=value)


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
            rule = without_counterpart(value)
            out.append(_decided(lens, side.other, source, rule, reason=value.reason))
        else:
            out.append(_decided(lens, side.other, source, Rule.CREATED, target=value))
    return tuple(out)
