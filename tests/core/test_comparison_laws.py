"""The certificate's own comparison beside `merge`: two ways to say the same, found to agree on every kind of line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec
from hypothesis import given

from syncline.core.comparison import Asked, Cause, Knowledge, agree, cause
from syncline.core.decisions import FieldDecision, Rule, View
from syncline.core.mapping import Lens
from syncline.core.memory import Entry
from syncline.core.merge import merge_field
from syncline.core.records import Base, Present, RunId, Side
from syncline.core.values import Value
from tests.core.worlds import World, worlds

NOBODY = Base({}, {})
AT = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def _decisions(world: World, base: Base | None) -> Iterator[tuple[Lens, FieldDecision]]:
    """What merge says of each line, with no choice made and nothing else known."""
    left, right = world.view.left, world.view.right
    if isinstance(left, Present) and isinstance(right, Present):
        view = View(None, base, left, right)
        for lens in world.rules.lenses:
            yield lens, merge_field(lens, view, left.record, right.record)


def _entry(side: Side | None, old: Value | None, new: Value | None) -> Entry:
    return Entry(RunId("r"), None, None, None, "", side, old, new, None, Rule.AGREED, AT)


@given(worlds(is_present=True))
def test_two_values_agree_just_when_merge_finds_them_agreed(world: World) -> None:
    for lens, decided in _decisions(world, None):
        if decided.left is not None and decided.right is not None:
            assert agree(lens, decided.left, decided.right) == (decided.rule is Rule.AGREED)


@given(worlds(is_present=True))
def test_a_line_is_equal_for_the_certificate_when_merge_has_nothing_to_say(world: World) -> None:
    base = world.view.base or NOBODY
    for lens, decided in _decisions(world, base):
        why = cause(lens, decided.left, decided.right, Knowledge(base, is_due=True))
        match decided.rule:
            case Rule.UNSEEN:
                assert why is Cause.UNSEEN
            case Rule.AGREED:
                assert why is None
            case Rule.IN_STEP:
                # Nobody changed: equal, its own, or apart without a word in the history.
                assert why in (None, Cause.READ_ONLY, Cause.UNEXPLAINED)
            case Rule.KEEPS_OWN:
                assert why is Cause.READ_ONLY
            case Rule.MERGED if decided.to_left is None and decided.to_right is None:
                assert why in (Cause.READ_ONLY, Cause.PENDING)
            case _:
                assert why is Cause.PENDING


@given(worlds(is_present=True))
def test_what_the_next_run_does_not_look_at_is_never_called_pending(world: World) -> None:
    base = world.view.base or NOBODY
    for lens, decided in _decisions(world, base):
        why = cause(lens, decided.left, decided.right, Knowledge(base))
        assert why in (None, Cause.UNSEEN, Cause.READ_ONLY, Cause.UNEXPLAINED)
        if decided.rule in (Rule.ONE_SIDE_CHANGED, Rule.CONFLICT, Rule.NEWEST, Rule.ONE_WAY):
            assert why is Cause.UNEXPLAINED


@given(worlds(is_present=True))
def test_what_the_history_tells_is_agreed_apart_and_nothing_else_is(world: World) -> None:
    base = world.view.base or NOBODY
    for lens, decided in _decisions(world, base):
        left, right = decided.left, decided.right
        if decided.rule is not Rule.IN_STEP or left is None or right is None:
            continue
        noted, none = _entry(None, left, right), cause(lens, left, right, Knowledge(base))
        told = cause(lens, left, right, Knowledge(base, told=lambda _, noted=noted: [noted]))
        assert told == (Cause.AGREED_APART if none is Cause.UNEXPLAINED else none)
        for side, value in ((Side.LEFT, left), (Side.RIGHT, right)):
            wrote = _entry(side, None, value)
            assert cause(lens, left, right, Knowledge(base, told=lambda _, wrote=wrote: [wrote])) == told


@given(worlds(is_present=True))
def test_what_waits_is_told_before_the_base_is_asked(world: World) -> None:
    base = world.view.base or NOBODY
    for lens, decided in _decisions(world, None):
        if decided.left is None or decided.right is None or agree(lens, decided.left, decided.right):
            continue

        def why(known: Knowledge, lens: Lens = lens, decided: FieldDecision = decided) -> Cause | None:
            return cause(lens, decided.left, decided.right, known)

        asked = Asked(Rule.CONFLICT, decided.left, decided.right)
        answered = msgspec.structs.replace(asked, is_answered=True)
        moved = msgspec.structs.replace(asked, left=decided.right, right=decided.left)
        lacking = msgspec.structs.replace(asked, rule=Rule.NO_COUNTERPART)
        name = decided.name
        assert why(Knowledge(base, {name: asked})) is Cause.CONFLICT
        assert why(Knowledge(base, {name: asked}, is_parked=True)) is Cause.CONFLICT
        assert why(Knowledge(base, {name: answered})) is Cause.PENDING
        assert why(Knowledge(base, {name: lacking})) is Cause.NO_COUNTERPART
        assert why(Knowledge(base, {name: moved})) in (Cause.PENDING, Cause.CONFLICT)
        assert why(Knowledge(base, {name: asked}, is_unclear=True)) is Cause.PENDING
        assert why(Knowledge(base, is_parked=True)) is Cause.PARKED
        assert why(Knowledge(base, {name: asked}, frozenset({name}))) is Cause.EXCLUDED
