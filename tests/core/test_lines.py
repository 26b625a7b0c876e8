"""Lines that share a field settle together, and a written line beside a waiting one keeps the shared base."""

from __future__ import annotations

import msgspec
import pytest

from syncline.core.decisions import FieldDecision, Rule
from syncline.core.lines import groups, last, settled, written
from syncline.core.records import FieldId, Side
from syncline.core.values import BLANK, Text, Value

A, B = FieldId("a"), FieldId("b")
X, Y = FieldId("x"), FieldId("y")
OLD, NEW = Text("old"), Text("new")


def line(left: FieldId, right: FieldId, rule: Rule, **values: Value) -> FieldDecision:
    made = FieldDecision(left, right, rule, left=NEW, right=OLD)
    return msgspec.structs.replace(made, **values)


def test_a_written_line_keeps_the_base_of_the_side_that_another_line_waits_for() -> None:
    done = line(A, X, Rule.ONE_SIDE_CHANGED, to_right=NEW)
    waiting = line(A, Y, Rule.CONFLICT)

    assert settled((done, waiting)) == (msgspec.structs.replace(done, left=None),)


def test_it_keeps_the_right_sides_base_too() -> None:
    done = line(A, X, Rule.ONE_SIDE_CHANGED, to_left=OLD)
    waiting = line(B, X, Rule.CONFLICT)

    assert settled((done, waiting)) == (msgspec.structs.replace(done, right=None),)


def test_a_written_line_that_reaches_a_waiting_one_only_by_a_third_line_settles_whole() -> None:
    far = line(A, X, Rule.ONE_SIDE_CHANGED, to_right=NEW)
    between = line(B, X, Rule.AGREED)
    waiting = line(B, Y, Rule.CONFLICT)

    assert settled((far, between, waiting)) == (far,)


@pytest.mark.parametrize(("other", "target"), [((A, Y), "to_left"), ((B, X), "to_right")])
def test_a_line_that_writes_the_field_that_is_waited_for_does_not_settle(
    other: tuple[FieldId, FieldId], target: str
) -> None:
    done = line(A, X, Rule.ONE_SIDE_CHANGED, **{target: NEW})

    assert settled((done, line(*other, Rule.CONFLICT))) == ()


def test_a_line_in_step_waits_for_nothing_and_settles_nothing() -> None:
    done = line(A, X, Rule.AGREED)

    assert settled((done, line(A, Y, Rule.IN_STEP))) == (done,)


def test_lines_that_share_a_field_are_one_group() -> None:
    first, second = line(A, X, Rule.AGREED), line(B, Y, Rule.AGREED)
    bridge = line(A, Y, Rule.AGREED)

    assert groups((first, second)) == [(first,), (second,)]
    assert groups((first, second, bridge)) == [(first, second, bridge)]


def test_the_right_side_is_written_last() -> None:
    both = line(A, X, Rule.MERGED, to_left=OLD, to_right=NEW)

    assert last((both,)) is Side.RIGHT
    assert last((line(A, X, Rule.MERGED, to_left=OLD),)) is Side.LEFT
    assert last((line(A, X, Rule.AGREED),)) is None


def test_a_new_record_is_made_without_its_blanks() -> None:
    fields = (line(A, X, Rule.CREATED, to_right=NEW), line(B, Y, Rule.CREATED, to_right=BLANK))

    assert written(fields, Side.RIGHT) == {X: NEW}
    assert written(fields, Side.RIGHT, keep_blank=True) == {X: NEW, Y: BLANK}
    assert written(fields, Side.LEFT) == {}
