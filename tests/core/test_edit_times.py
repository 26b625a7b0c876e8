"""Which of two edits is later, when one vendor's clock knows only whole seconds."""

from __future__ import annotations

import datetime as dt

import pytest

from syncline.core.decisions import Fields, Rule, Rules, View
from syncline.core.mapping import ConflictPolicy, FieldMapping, lenses
from syncline.core.merge import merge
from syncline.core.records import (
    Base,
    FieldId,
    FieldSchema,
    ObjectSchema,
    ObjectTypeId,
    Present,
    Record,
    RecordKey,
)
from syncline.core.values import FieldType, Text

_NAME = FieldId("name")
_SCHEMA = ObjectSchema(ObjectTypeId("task"), "Task", (FieldSchema(_NAME, "Name", FieldType.TEXT),))
_RULES = Rules(lenses([FieldMapping(_NAME, _NAME)], _SCHEMA, _SCHEMA, ConflictPolicy.NEWEST))
_NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def test_a_time_that_our_own_write_left_only_bounds_the_edit() -> None:
    def edited(text: str, seconds: float, *, is_ours: bool) -> Present:
        at = _NOON + dt.timedelta(seconds=seconds)
        return Present(
            Record(RecordKey(text), {_NAME: Text(text)}, updated_at=at, wrote_at=at if is_ours else None)
        )

    base = Base({_NAME: Text("old")}, {_NAME: Text("old")})

    def rule(left: float, right: float) -> Rule:
        view = View(None, base, edited("left", left, is_ours=False), edited("right", right, is_ours=True))
        decision = merge(view, _RULES)
        assert isinstance(decision, Fields)
        return decision.fields[0].rule

    assert rule(5.5, 9.5) is Rule.CONFLICT
    assert rule(9.5, 5.5) is Rule.NEWEST


@pytest.mark.parametrize(
    ("left", "right", "winner"),
    [
        (5.0, 5.4, None),
        (5.4, 5.0, None),
        (5.0, 5.0, None),
        (5.0, 4.999, "left"),
        (5.0, 6.0, "right"),
        (5.0, 6.2, "right"),
        (5.4, 5.6, "right"),
        (5.6, 5.4, "left"),
    ],
)
def test_a_whole_second_stands_for_any_moment_in_it(left: float, right: float, winner: str | None) -> None:
    def edited(text: str, seconds: float) -> Present:
        at = _NOON + dt.timedelta(seconds=seconds)
        return Present(Record(RecordKey(text), {_NAME: Text(text)}, updated_at=at))

    base = Base({_NAME: Text("old")}, {_NAME: Text("old")})
    decision = merge(View(None, base, edited("left", left), edited("right", right)), _RULES)

    assert isinstance(decision, Fields)
    field = decision.fields[0]
    assert field.rule is (Rule.NEWEST if winner else Rule.CONFLICT)
    kept = {"left": Text("left"), "right": Text("right")}.get(winner or "")
    assert (field.to_left or field.to_right) == kept
