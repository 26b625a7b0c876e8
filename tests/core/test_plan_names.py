"""What a plan names: each step its link and its two records, each question the records and the reason."""

from __future__ import annotations

import msgspec
import pytest

from syncline.core.brakes import BrakeName, Limits
from syncline.core.decisions import FieldDecision, Fields, Forget, Remove, Revive, Rule, Rules, Wait
from syncline.core.mapping import ConflictPolicy, FieldMapping, lenses
from syncline.core.match import Matching, Said
from syncline.core.plan import Intake, Linked, Plan, plan
from syncline.core.records import (
    FieldId,
    FieldSchema,
    LinkId,
    ObjectSchema,
    ObjectTypeId,
    Record,
    RecordKey,
    Side,
)
from syncline.core.values import BLANK, FieldType, Text
from tests.core.aftermath import QUIET, intake

A, X, Y = FieldId("a"), FieldId("x"), FieldId("y")
B = FieldId("b")
NEW = Text("new")


def rules(required: FieldId | None = None) -> Rules:
    left = tuple(FieldSchema(name, name.upper(), FieldType.TEXT) for name in (A, B))
    right = tuple(
        FieldSchema(name, name.upper(), FieldType.TEXT, is_required=name == required) for name in (X, Y)
    )
    schemas = ObjectSchema(ObjectTypeId("l"), "L", left), ObjectSchema(ObjectTypeId("r"), "R", right)
    return Rules(lenses((FieldMapping(A, X), FieldMapping(B, Y)), *schemas, ConflictPolicy.LEFT))


def planned(made: Intake) -> Plan:
    return plan(made, QUIET, Limits(), lambda _side, _write: 1)


def linked(decision: object) -> Linked:
    return Linked(LinkId(7), RecordKey("l"), RecordKey("r"), "Record", decision)  # pyright: ignore[reportArgumentType] - a decision


def line(rule: Rule, left: FieldId = A, right: FieldId = X, **values: object) -> FieldDecision:
    return msgspec.structs.replace(FieldDecision(left, right, rule, Text("1"), Text("2")), **values)


TO_RIGHT = line(Rule.RESOLVED, to_right=NEW)


@pytest.mark.parametrize(
    "decision",
    [
        Fields((line(Rule.AGREED),)),
        Fields((line(Rule.ONE_SIDE_CHANGED, to_left=NEW),)),
        Fields((TO_RIGHT,)),
        Fields((line(Rule.MERGED, to_left=NEW, to_right=NEW), line(Rule.AGREED, B, Y))),
        Remove(Side.LEFT, False, Rule.DELETED_PROPAGATED),
        Remove(Side.RIGHT, True, Rule.DELETED_ARCHIVED),
        Forget(None, Rule.DELETED_BOTH),
        Forget(Side.RIGHT, Rule.DELETED_IGNORED),
        Revive(Side.RIGHT, True, (TO_RIGHT,), Rule.RESOLVED),
        Revive(Side.RIGHT, False, (TO_RIGHT,), Rule.RESOLVED),
    ],
    ids=lambda decision: type(decision).__name__,
)
def test_every_step_of_a_link_names_it_and_both_records(decision: object) -> None:
    steps = planned(intake(rules(), linked(decision))).steps

    assert steps
    for step in steps:
        keys = ("l", "r") if step.side is Side.LEFT else ("r", "l")
        assert (step.link, step.key, step.counterpart, step.title) == (7, *keys, "Record")


NO_WORD = line(Rule.NO_COUNTERPART, B, Y, reason="no such word")


@pytest.mark.parametrize(
    "decision",
    [
        Fields((line(Rule.CONFLICT),)),
        Fields((TO_RIGHT, NO_WORD)),
        Revive(Side.RIGHT, True, (TO_RIGHT, NO_WORD), Rule.RESOLVED),
        Wait(Rule.OUT_OF_SCOPE),
    ],
    ids=["conflict", "beside a write", "beside a restored record", "waiting"],
)
def test_every_question_of_a_link_names_it_and_both_records(decision: object) -> None:
    (held,) = planned(intake(rules(), linked(decision))).held

    assert (held.link, held.left_key, held.right_key, held.title) == (7, "l", "r", "Record")
    assert (held.left, held.right) == ((Text("1"), Text("2")) if held.field else (None, None))


def test_a_pair_is_called_as_whichever_side_has_a_title() -> None:
    for left, right in (("Paint", ""), ("", "Paint"), ("Paint", "paint it")):
        pair = Record(RecordKey("1"), {}, title=left), Record(RecordKey("2"), {}, title=right)

        made = planned(intake(rules(), paired=[(*pair, Fields(()))]))

        assert [step.title for step in made.steps] == ["Paint"]


def test_a_record_kept_apart_from_two_names_both() -> None:
    alone = Record(RecordKey("1"), {A: NEW}, title="Paint")
    said = Said(apart=frozenset({(RecordKey("1"), RecordKey("8")), (RecordKey("1"), RecordKey("9"))}))

    (held,) = planned(intake(rules(), matching=Matching((), (alone,), (), ()), said=said)).held

    assert (held.rule, held.reason) == (
        Rule.KEPT_APART,
        "kept apart from 8, 9; a copy could be a second one",
    )


def test_a_required_field_without_value_is_told_with_its_own_reason_only() -> None:
    alone = Record(RecordKey("1"), {A: NEW, B: BLANK}, title="Paint")

    (held,) = planned(intake(rules(required=Y), matching=Matching((), (alone,), (), ()))).held

    assert held.reason == "'Y' is required there and has no value here"


def test_another_fields_reason_is_not_given_for_a_required_one() -> None:
    other = line(Rule.NO_COUNTERPART, A, X, reason="no such word")
    revive = Revive(Side.RIGHT, False, (other, line(Rule.RESOLVED, A, X, to_right=NEW)), Rule.RESOLVED)

    (held,) = planned(intake(rules(required=Y), linked(revive))).held

    assert held.reason == "'Y' is required there and has no value here"


def test_a_record_of_which_nothing_goes_there_is_not_made_anew() -> None:
    revive = Revive(Side.RIGHT, False, (line(Rule.IN_STEP),), Rule.EDIT_BEATS_DELETE)

    (held,) = planned(intake(rules(), linked(revive))).held

    assert (held.rule, held.gone, held.link) == (Rule.DELETED_ASK, Side.RIGHT, 7)
    assert held.reason == "edited here since, but nothing of it goes there"


def test_a_plan_tells_what_would_have_stopped_it_had_nobody_let_go() -> None:
    name = BrakeName.MAPPING_CHANGED
    changed = msgspec.structs.replace(QUIET, is_mapping_changed=True)

    made = plan(intake(rules()), changed, Limits(off=frozenset({name})), lambda _side, _write: 1)

    assert (made.brakes, [brake.name for brake in made.released]) == ((), [name])
