"""The laws of merge, over every kind of line, direction and policy."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

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
    View,
    Wait,
)
from syncline.core.elements import counterpart
from syncline.core.mapping import ConflictPolicy, Lens
from syncline.core.merge import merge, needs_edit_times
from syncline.core.records import Base, Gone, Present, Proof, Record, RecordKey, Side, Unseen
from syncline.core.values import BLANK, ManyOf, Value, is_blank, same
from tests.core.aftermath import after, plan_of
from tests.core.worlds import LINES, World, mirror_view, worlds

# --- symmetry -------------------------------------------------------------------------------------------------------

_MIRROR_RULE = {Rule.LEFT_WINS: Rule.RIGHT_WINS, Rule.RIGHT_WINS: Rule.LEFT_WINS}


def _mirror_field(field: FieldDecision) -> FieldDecision:
    return FieldDecision(
        field.right_field,
        field.left_field,
        _MIRROR_RULE.get(field.rule, field.rule),
        field.right,
        field.left,
        field.to_right,
        field.to_left,
        field.lost,
        field.lost_side.other if field.lost_side else None,
        _mirror_text(field.reason),
    )


def _mirror_text(text: str) -> str:
    return text.replace("left side", "?").replace("right side", "left side").replace("?", "right side")


def _mirror(decision: Decision) -> Decision:
    match decision:
        case Fields(fields):
            return Fields(tuple(_mirror_field(field) for field in fields))
        case Remove(side, is_archive, rule, fields):
            return Remove(side.other, is_archive, rule, tuple(_mirror_field(field) for field in fields))
        case Revive(side, is_restore, fields, rule):
            return Revive(side.other, is_restore, tuple(_mirror_field(field) for field in fields), rule)
        case Forget(release, rule):
            return Forget(release.other if release else None, rule)
        case AskDelete(gone, is_edited, rule, parent):
            return AskDelete(gone.other, is_edited, rule, parent)
        case Wait():
            return decision


def _plain(decision: Decision) -> object:
    """A decision to compare: a person chosen twice in one choice loses two values, of which one is named."""
    made = msgspec.to_builtins(decision)
    for field in made.get("fields", ()):
        if field["rule"] == Rule.RESOLVED.value and field["to_left"] and field["to_right"]:
            field["lost"] = field["lost_side"] = None
    return made


@given(worlds())
def test_swapping_the_sides_swaps_the_decision(world: World) -> None:
    mirrored = world.mirrored()

    decision = merge(mirrored.view, mirrored.rules)

    assert _plain(decision) == _plain(_mirror(merge(world.view, world.rules)))


@given(worlds())
def test_mirroring_twice_gives_the_same_world(world: World) -> None:
    again = mirror_view(world.mirrored().view, world.mirrored().rules.lenses)

    assert again == world.view


# --- convergence and idempotence ------------------------------------------------------------------------------------


def _agrees(lens: Lens, left: Value, right: Value) -> bool:
    if is_blank(left) and is_blank(right):
        return True
    if lens.is_many:
        is_covered = [_covers(lens, Side.RIGHT, left, right), _covers(lens, Side.LEFT, right, left)]
        if lens.policy is ConflictPolicy.MERGE and not (
            lens.flows_to(Side.LEFT) and lens.flows_to(Side.RIGHT)
        ):
            # A merged one-way set: the follower has all that the leader has, and may have more of its own.
            return is_covered[0 if lens.flows_to(Side.RIGHT) else 1]
        return all(is_covered)
    ways = [
        (side, here, there)
        for side, here, there in ((Side.RIGHT, left, right), (Side.LEFT, right, left))
        if lens.flows_to(side)
    ]
    return any(
        not isinstance(made := lens.to(side, here), Untranslatable) and same(made, there)
        for side, here, there in ways
    )


def _covers(lens: Lens, side: Side, source: Value, target: Value) -> bool:
    """Whether every element of the source that means something on `side` is there, by this name or another."""
    held = target.keys if isinstance(target, ManyOf) else ()
    for element in source.keys if isinstance(source, ManyOf) else ():
        image = counterpart(lens, side, element)
        origins = {counterpart(lens, side.other, other) for other in held}
        if image is not None and image not in held and element not in origins:
            return False
    return True


def _both(view: View, lens: Lens) -> tuple[Value | None, Value | None]:
    assert isinstance(view.left, Present)
    assert isinstance(view.right, Present)
    return view.left.record.fields.get(lens.mapping.left), view.right.record.fields.get(lens.mapping.right)


def _decided(world: World) -> tuple[Fields, View] | None:
    decision = merge(world.view, world.rules)
    if not isinstance(decision, Fields):
        return None
    return decision, after(world.view, plan_of(world.rules, decision))


@given(worlds(is_present=True))
def test_both_sides_agree_after_the_plan(world: World) -> None:
    decided = _decided(world)
    if decided is None:
        return
    decision, later = decided

    for lens, field in zip(world.rules.lenses, decision.fields, strict=True):
        if field.is_open or field.rule in (Rule.UNSEEN, Rule.KEEPS_OWN, Rule.RESOLVED):
            continue
        if field.rule is Rule.PARENT_GONE:
            # Blank with the record it pointed to; the other side's reference is not emptied for that.
            assert any(is_blank(each or BLANK) for each in _both(later, lens)), field
            continue
        left, right = _both(later, lens)
        assert left is not None
        assert right is not None
        assert _agrees(lens, left, right), (field, left, right)


@given(worlds(is_present=True))
def test_deciding_again_writes_nothing(world: World) -> None:
    decided = _decided(world)
    if decided is None:
        return
    decision, later = decided

    again = merge(later, world.rules)

    assert isinstance(again, Fields)
    for before, now in zip(decision.fields, again.fields, strict=True):
        assert (now.to_left, now.to_right) == (None, None), (before, now)
        if before.is_open or before.rule is Rule.UNSEEN:
            assert now.rule is before.rule
        else:
            assert now.rule is Rule.IN_STEP


@given(worlds(is_present=True))
def test_nothing_to_write_means_nothing_to_note_twice(world: World) -> None:
    decided = _decided(world)
    if decided is None:
        return

    again = plan_of(world.rules, merge(decided[1], world.rules))

    assert again.steps == ()


# --- nothing lost, nothing invented ---------------------------------------------------------------------------------


@given(worlds(is_present=True))
def test_no_edit_is_lost_silently(world: World) -> None:
    decided = _decided(world)
    if decided is None:
        return
    decision, later = decided
    for lens, field in zip(world.rules.lenses, decision.fields, strict=True):
        for side, now in zip(Side, _both(later, lens), strict=True):
            held, before = field.now(side), _base(world.view, lens, side)
            if held is None or now is None or same(held, now) or same(held, before or BLANK):
                continue
            if field.rule is Rule.PARENT_BACK and is_blank(held):
                # It went blank with the record that it pointed to: nobody edited it.
                continue
            if field.rule is Rule.MERGED:
                assert _added(held, before) <= _added(now, None) or _is_renamed(lens, side, held, now), field
            else:
                assert field.rule is Rule.RESOLVED or (field.lost == held and field.lost_side is side), field


def _base(view: View, lens: Lens, side: Side) -> Value | None:
    """What the line last agreed on; half a base is none."""
    left = view.base.left.get(lens.mapping.left) if view.base else None
    right = view.base.right.get(lens.mapping.right) if view.base else None
    if left is None or right is None:
        return None
    return left if side is Side.LEFT else right


def _added(value: Value, before: Value | None) -> set[str]:
    held = set(value.keys) if isinstance(value, ManyOf) else set[str]()
    return held - (set(before.keys) if isinstance(before, ManyOf) else set())


def _is_renamed(lens: Lens, side: Side, held: Value, now: Value) -> bool:
    """An element may go on under the other name that means the same."""
    assert isinstance(held, ManyOf)
    return _covers(lens, side.other, held, _mapped(lens, side.other, now))


def _mapped(lens: Lens, side: Side, value: Value) -> Value:
    made = lens.to(side, value)
    return BLANK if isinstance(made, Untranslatable) else made


@given(worlds(is_present=True))
def test_what_is_lost_was_there(world: World) -> None:
    decision = merge(world.view, world.rules)
    if not isinstance(decision, Fields):
        return

    for field in decision.fields:
        if field.lost_side is None:
            assert field.lost is None
        else:
            assert field.lost == field.now(field.lost_side)
            assert field.target(field.lost_side) is not None


@given(worlds())
def test_every_written_value_comes_from_the_other_side_or_a_person(world: World) -> None:
    decision = merge(world.view, world.rules)
    if not isinstance(decision, Fields | Revive):
        return
    lens_by_line = {(lens.mapping.left, lens.mapping.right): lens for lens in world.rules.lenses}
    for field in decision.fields:
        lens = lens_by_line[field.left_field, field.right_field]
        for side in Side:
            written = field.target(side)
            if written is not None:
                assert _is_known(world.view, lens, field, side, written), field


def _is_known(view: View, lens: Lens, field: FieldDecision, side: Side, written: Value) -> bool:
    chosen = view.resolutions.get(field.name)
    own, other = field.now(side), field.now(side.other)
    base = view.base.of(side).get(lens.mapping.of(side)) if view.base else None
    candidates = [base, chosen.left if side is Side.LEFT else chosen.right] if chosen else [base]
    if other is not None:
        made = lens.to(side, other)
        candidates.append(None if isinstance(made, Untranslatable) else made)
    if any(candidate is not None and same(candidate, written) for candidate in candidates):
        return True
    if not lens.is_many:
        return False
    known = {
        *_added(own or BLANK, None),
        *_added(base or BLANK, None),
        *_added(_mapped(lens, side, other or BLANK), None),
    }
    return _added(written, None) <= known


@given(worlds())
def test_a_one_way_line_never_writes_back(world: World) -> None:
    decision = merge(world.view, world.rules)
    if not isinstance(decision, Fields):
        return

    for lens, field in zip(world.rules.lenses, decision.fields, strict=True):
        for side in Side:
            assert lens.flows_to(side) or field.target(side) is None


@given(worlds())
def test_what_a_write_would_not_change_is_not_written(world: World) -> None:
    decision = merge(world.view, world.rules)
    if not isinstance(decision, Fields):
        return

    for field in decision.fields:
        for side in Side:
            held, target = field.now(side), field.target(side)
            assert held is None or target is None or not same(held, target), field


# --- unseen, out of scope, deleted ----------------------------------------------------------------------------------


@given(worlds(), st.sampled_from(list(Side)))
def test_unseen_decides_nothing(world: World, side: Side) -> None:
    view = msgspec.structs.replace(world.view, **{side.value: Unseen("timeout")})

    decision = merge(view, world.rules)

    assert isinstance(decision, Wait)
    assert decision.rule is Rule.UNSEEN
    assert plan_of(world.rules, decision).steps == ()


@given(worlds(is_present=True))
def test_a_field_that_one_side_does_not_show_is_left_alone(world: World) -> None:
    decision = merge(world.view, world.rules)
    if not isinstance(decision, Fields):
        return

    for field in decision.fields:
        if field.left is None or field.right is None:
            assert field.rule is Rule.UNSEEN
            assert (field.to_left, field.to_right, field.settles) == (None, None, False)


@given(worlds())
def test_a_record_outside_the_filter_is_never_touched(world: World) -> None:
    seen = [s for s in (world.view.left, world.view.right) if isinstance(s, Present)]
    decision = merge(world.view, world.rules)

    if any(not s.record.in_scope for s in seen) and world.view.answer is None:
        assert isinstance(decision, Wait)


@given(worlds())
def test_deletions_follow_the_policy(world: World) -> None:
    left_gone, right_gone = isinstance(world.view.left, Gone), isinstance(world.view.right, Gone)
    decision = merge(world.view, world.rules)
    is_seen = not isinstance(world.view.left, Unseen) and not isinstance(world.view.right, Unseen)

    if left_gone and right_gone:
        is_direct = any(
            isinstance(s, Gone) and s.proof.is_direct for s in (world.view.left, world.view.right)
        )
        assert decision == Forget(None, Rule.DELETED_BOTH) if is_direct else isinstance(decision, Wait)
    if (left_gone or right_gone) and world.view.answer is None and is_seen:
        gone = Side.LEFT if left_gone else Side.RIGHT
        match decision:
            case Remove(side, is_archive):
                assert side is gone.other
                assert world.deletes in (DeletePolicy.PROPAGATE, DeletePolicy.ARCHIVE)
                assert is_archive == (world.deletes is DeletePolicy.ARCHIVE)
                assert not is_archive or side in world.may_archive
            case Revive(side, is_restore):
                assert side is gone
                assert world.deleted_edit is DeletedEdit.EDIT
                assert not is_restore or side in world.may_restore
            case Forget(release):
                assert release is (None if left_gone and right_gone else gone.other)
            case AskDelete(side):
                assert side is gone
            case Wait(rule):
                assert rule is Rule.OUT_OF_SCOPE or (left_gone and right_gone)
            case Fields():
                raise AssertionError("nothing is merged with a record that is gone")


@given(worlds())
def test_a_record_that_is_only_missing_costs_nothing_until_a_person_says_so(world: World) -> None:
    sides = (world.view.left, world.view.right)
    is_doubtful = all(not isinstance(seen, Gone) or not seen.proof.is_direct for seen in sides)
    decision = merge(world.view, world.rules)

    if is_doubtful and any(isinstance(seen, Gone) for seen in sides) and world.view.answer is None:
        assert isinstance(decision, AskDelete | Wait)


@given(worlds())
def test_what_was_edited_in_a_removed_record_is_named(world: World) -> None:
    decision = merge(world.view, world.rules)
    if not isinstance(decision, Remove):
        return
    seen = world.view.of(decision.side)
    assert isinstance(seen, Present)
    lost = {field.of(decision.side): field.lost for field in decision.fields}

    for field, value in seen.record.fields.items():
        before = world.view.base.of(decision.side).get(field, BLANK) if world.view.base else BLANK
        assert same(before, value) or lost[field] == value


@given(worlds())
def test_only_what_lies_in_the_trash_is_restored(world: World) -> None:
    decision = merge(world.view, world.rules)
    if not isinstance(decision, Revive):
        return
    gone = world.view.of(decision.side)
    assert isinstance(gone, Gone)

    can = gone.proof is Proof.TRASHED and decision.side in world.may_restore
    assert decision.is_restore is can


@given(worlds(), st.sampled_from(list(Answer)))
def test_an_answer_is_carried_out(world: World, answer: Answer) -> None:
    if not isinstance(world.view.left, Gone) or not isinstance(world.view.right, Present):
        return

    decision = merge(msgspec.structs.replace(world.view, answer=answer), world.rules)

    expected = {Answer.DELETE: Remove, Answer.RESTORE: Revive, Answer.RELEASE: Forget}[answer]
    assert isinstance(decision, expected)
    assert decision.rule is Rule.RESOLVED


@given(worlds(is_present=True))
def test_a_choice_holds_only_for_what_the_person_saw(world: World) -> None:
    decision = merge(world.view, world.rules)
    if not isinstance(decision, Fields):
        return

    for field in decision.fields:
        chosen = world.view.resolutions.get(field.name)
        if field.rule is Rule.RESOLVED:
            assert chosen is not None
            assert same(chosen.seen_left, field.left or BLANK)
            assert same(chosen.seen_right, field.right or BLANK)
        elif chosen is not None and field.is_open:
            assert not (
                same(chosen.seen_left, field.left or BLANK) and same(chosen.seen_right, field.right or BLANK)
            )


@given(worlds(names=("text", "rich", "many to one"), is_present=True))
def test_a_choice_for_what_is_seen_is_carried_out(world: World) -> None:
    decision = merge(world.view, world.rules)
    if not isinstance(decision, Fields):
        return
    choices = {
        field.name: Resolution(field.left, field.right, field.left, field.right)
        for field in decision.fields
        if field.is_open and field.left is not None and field.right is not None
    }

    resolved = merge(msgspec.structs.replace(world.view, resolutions=choices), world.rules)

    assert isinstance(resolved, Fields)
    for field in resolved.fields:
        if field.name in choices:
            assert field.rule is Rule.RESOLVED
            assert (field.to_left, field.to_right, field.lost) == (None, None, None)


@given(worlds(is_present=True))
def test_asking_for_edit_times_is_only_worth_it_where_time_decides(world: World) -> None:
    asks = needs_edit_times(world.view, world.rules)

    if asks:
        assert ConflictPolicy.NEWEST in {lens.policy for lens in world.rules.lenses}


@given(worlds())
def test_a_view_and_its_decision_survive_json(world: World) -> None:
    decoded = msgspec.json.decode(msgspec.json.encode(world.view), type=View)
    decision = merge(world.view, world.rules)

    assert decoded == world.view
    assert msgspec.json.decode(msgspec.json.encode(decision), type=Decision) == decision


def test_half_a_base_is_no_base() -> None:
    line = LINES["text"].named(0)
    name, title, a = line.mapping.left, line.mapping.right, line.left_values[1]
    blank = View(None, None, Unseen(), Unseen())
    world = World(
        (line,), ConflictPolicy.ASK, DeletePolicy.ASK, DeletedEdit.EDIT, frozenset(), frozenset(), blank
    )
    left, right = Record(RecordKey("1"), {name: a}), Record(RecordKey("2"), {title: BLANK})

    decision = merge(View(None, Base({name: a}, {}), Present(left), Present(right)), world.rules)

    assert decision == Fields((FieldDecision(name, title, Rule.FILLED_BLANK, a, BLANK, to_right=a),))
