"""Which of two edits is later, when one vendor's clock knows only whole seconds."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from syncline.core.decisions import Fields, Resolution, Rule, Rules, View, line_name
from syncline.core.mapping import ConflictPolicy, FieldMapping, lenses
from syncline.core.merge import merge, needs_edit_times
from syncline.core.records import (
    Base,
    Edit,
    FieldId,
    FieldSchema,
    ObjectSchema,
    ObjectTypeId,
    Option,
    Present,
    Record,
    RecordKey,
)
from syncline.core.values import FieldType, OneOf, Text

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


_STATUS = FieldId("status")
_OPTIONS = ObjectSchema(
    ObjectTypeId("ticket"),
    "Ticket",
    (
        FieldSchema(
            _STATUS,
            "Status",
            FieldType.ONE_OF,
            options=tuple(Option(key, key) for key in ("a", "b", "c", "odd")),
        ),
    ),
)
_PAIRED = Rules(
    lenses(
        [FieldMapping(_STATUS, _STATUS, values=(("a", "a"), ("b", "b"), ("c", "c")))],
        _OPTIONS,
        _OPTIONS,
        ConflictPolicy.NEWEST,
    )
)


def _status(left: str, right: str, *, later: str = "left", edits: bool = False) -> View:
    def record(side: str, key: str) -> Present:
        at = _NOON + dt.timedelta(hours=side == later)
        return Present(Record(RecordKey(side), {_STATUS: OneOf(key)}, updated_at=at))

    base = Base({_STATUS: OneOf("a")}, {_STATUS: OneOf("a")})
    told = {_STATUS: Edit(_NOON - dt.timedelta(hours=1))} if edits else {}
    return View(None, base, record("left", left), record("right", right), told, {})


def test_times_are_wanted_when_the_later_record_holds_what_has_no_counterpart() -> None:
    contested = _status("odd", "b")
    decision = merge(contested, _PAIRED)
    assert isinstance(decision, Fields)
    assert decision.fields[0].rule is Rule.NO_COUNTERPART

    assert needs_edit_times(contested, _PAIRED)

    by_field = merge(_status("odd", "b", edits=True), _PAIRED)
    assert isinstance(by_field, Fields)
    assert (by_field.fields[0].rule, by_field.fields[0].to_left) == (Rule.NEWEST, OneOf("b"))


@pytest.mark.parametrize(
    ("left", "right"),
    [("odd", "a"), ("a", "b"), ("b", "a"), ("a", "a"), ("b", "b")],
    ids=["no counterpart, but uncontested", "right edited", "left edited", "nothing", "agreed"],
)
def test_times_are_not_asked_for_what_is_not_contested(left: str, right: str) -> None:
    assert not needs_edit_times(_status(left, right), _PAIRED)


@pytest.mark.parametrize("policy", [each for each in ConflictPolicy if each is not ConflictPolicy.MERGE])
def test_only_the_later_edit_s_policy_wants_times(policy: ConflictPolicy) -> None:
    lens = msgspec.structs.replace(_PAIRED.lenses[0], policy=policy)

    assert needs_edit_times(_status("b", "c"), Rules((lens,))) is (policy is ConflictPolicy.NEWEST)


def test_what_a_person_chose_needs_no_times() -> None:
    chosen = Resolution(OneOf("b"), OneOf("b"), OneOf("b"), OneOf("c"))
    view = msgspec.structs.replace(_status("b", "c"), resolutions={line_name(_STATUS, _STATUS): chosen})

    assert not needs_edit_times(view, _PAIRED)
