"""What a policy would have done with past conflicts: counted once each, compared with what people chose."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.case import Decided
from syncline.core.decisions import Fields, Resolution, Rule, View
from syncline.core.mapping import ConflictPolicy, FieldMapping, lenses
from syncline.core.memory import Question
from syncline.core.merge import merge
from syncline.core.plan import Held
from syncline.core.records import (
    Base,
    Edit,
    FieldId,
    FieldSchema,
    Gone,
    LinkId,
    ObjectSchema,
    ObjectTypeId,
    Present,
    Proof,
    Record,
    RecordKey,
    RunId,
    Side,
    SyncId,
)
from syncline.core.values import BLANK, FieldType, Text, Value, is_blank, same
from syncline.core.whatif import Verdict, past_conflicts, what_if
from tests.core.worlds import World, worlds

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
NAME, TITLE = FieldId("name"), FieldId("title")
LEFT, RIGHT = (
    ObjectSchema(ObjectTypeId(each), each, (FieldSchema(each, each, FieldType.TEXT),))
    for each in (NAME, TITLE)
)
(LENS,) = lenses([FieldMapping(NAME, TITLE)], LEFT, RIGHT, ConflictPolicy.ASK)
LINE = "name ↔ title"
SINGLE = [policy for policy in ConflictPolicy if policy is not ConflictPolicy.MERGE]


def view(left: str, right: str, was: str | None = "was", *, later: Side | None = None) -> View:
    """One link with one line; `later` says whose edit came later."""

    def record(side: Side, text: str) -> Record:
        value: Value = Text(text) if text else BLANK
        at = NOON + dt.timedelta(hours=1 if later is side else 0) if later else None
        name = LENS.mapping.of(side)
        return Record(RecordKey(side.value), {name: value}, updated_at=at)

    base = None if was is None else Base({LENS.mapping.left: Text(was)}, {LENS.mapping.right: Text(was)})
    return View(LinkId(1), base, Present(record(Side.LEFT, left)), Present(record(Side.RIGHT, right)))


def decided(seen: View, number: int = 1) -> Decided:
    """What a run kept of it."""
    return Decided(RecordKey(f"l{number}"), RecordKey(f"r{number}"), f"Record {number}", seen)


def asked(
    left: str,
    right: str,
    chosen: Resolution | None = None,
    number: int = 1,
    edits: tuple[Edit | None, ...] = (None, None),
) -> Question:
    """A question about it, as it is kept after it was closed."""
    keys = RecordKey(f"l{number}"), RecordKey(f"r{number}")
    held = Held(Rule.CONFLICT, "", f"Record {number}", LinkId(number), *keys, LINE, Text(left), Text(right))
    return Question(
        number, SyncId("s"), held, Text("was"), Text("was"), NOON, RunId("s-1"), chosen, edits[0], edits[1]
    )


def took(left: str, right: str, winner: str) -> Resolution:
    """A person chose this for both sides."""
    return Resolution(Text(winner), Text(winner), Text(left), Text(right))


def test_a_conflict_that_was_looked_at_often_counts_once() -> None:
    seen = view("a", "b")

    found = past_conflicts(LENS, [decided(seen), decided(seen)], [asked("a", "b"), asked("a ", "b")])

    assert len(found) == 1


def test_the_same_values_on_other_records_are_another_conflict() -> None:
    found = past_conflicts(
        LENS, [decided(view("a", "b")), decided(view("a", "b"), 2)], [asked("c", "b", number=3)]
    )

    assert [each.title for each in found] == ["Record 1", "Record 2", "Record 3"]


@pytest.mark.parametrize(
    "seen",
    [
        view("was", "b"),
        view("a", "was"),
        view("a", "a"),
        view("was", "was"),
        view("", "b", None),
        msgspec.structs.replace(view("a", "b"), left=Present(Record(RecordKey("x"), {}))),
    ],
    ids=["right edited", "left edited", "agreed", "nothing", "filled", "unseen"],
)
def test_what_was_not_contested_is_no_conflict(seen: View) -> None:
    assert past_conflicts(LENS, [decided(seen)], []) == []


def test_what_was_no_conflict_hides_none_that_comes_after() -> None:
    gone = msgspec.structs.replace(view("a", "b"), left=Gone(Proof.NOT_FOUND))
    runs = [decided(gone), decided(view("was", "b"), 2), decided(view("a", "b"), 3)]
    other = asked("a", "b", number=4)
    other_line = msgspec.structs.replace(other, held=msgspec.structs.replace(other.held, field="x ↔ y"))
    no_conflict = msgspec.structs.replace(
        other, held=msgspec.structs.replace(other.held, rule=Rule.NO_COUNTERPART)
    )
    half = [
        msgspec.structs.replace(other, held=msgspec.structs.replace(other.held, **{side: None}))
        for side in ("left", "right")
    ]
    questions = [other_line, no_conflict, *half, asked("was", "b", number=5), asked("a", "b", number=6)]

    found = past_conflicts(LENS, runs, questions)

    assert [each.title for each in found] == ["Record 3", "Record 6"]


def test_what_is_contested_does_not_hang_on_today_s_policy() -> None:
    today = msgspec.structs.replace(LENS, policy=ConflictPolicy.LEFT)

    assert len(past_conflicts(today, [decided(view("a", "b"))], [asked("c", "d", number=2)])) == 2


def test_a_question_s_conflict_holds_all_that_the_question_kept() -> None:
    question = asked("a", "b", edits=(Edit(NOON, "ann", is_record=True), Edit(NOON, "bob")), number=7)

    (found,) = past_conflicts(LENS, [], [question])

    assert found.left == Record(RecordKey("l7"), {NAME: Text("a")}, updated_at=NOON)
    assert found.right == Record(RecordKey("r7"), {TITLE: Text("b")})
    assert found.view == View(
        LinkId(7),
        Base({NAME: Text("was")}, {TITLE: Text("was")}),
        Present(found.left),
        Present(found.right),
        {},
        {TITLE: Edit(NOON, "bob")},
        cleared=frozenset({LINE}),
    )


@pytest.mark.parametrize("side", ["base_left", "base_right"])
def test_a_blank_that_was_asked_about_was_entered_by_somebody(side: str) -> None:
    question = asked("", "b")
    held = msgspec.structs.replace(question.held, left_key=None, right_key=None, link=None)
    question = msgspec.structs.replace(question, held=held, **{side: None})

    (found,) = past_conflicts(LENS, [], [question])

    assert found.view.base is None
    assert (found.left.key, found.right.key) == ("", "")


def test_the_first_choice_that_was_made_counts() -> None:
    first, second = took("a", "b", "a"), took("a", "b", "b")
    seen = msgspec.structs.replace(view("a", "b"), resolutions={LINE: first})

    (found,) = past_conflicts(LENS, [decided(seen)], [asked("a", "b", second), asked("a", "b")])

    assert found.chosen == first


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (
            ConflictPolicy.LEFT,
            Verdict("Record 1", Text("a"), Text("b"), Rule.LEFT_WINS, Side.LEFT, None, Text("a"), True),
        ),
        (
            ConflictPolicy.RIGHT,
            Verdict("Record 1", Text("a"), Text("b"), Rule.RIGHT_WINS, Side.RIGHT, Text("b"), None, False),
        ),
        (
            ConflictPolicy.ASK,
            Verdict("Record 1", Text("a"), Text("b"), Rule.CONFLICT, None, None, None, None),
        ),
    ],
)
def test_a_verdict_says_what_would_be_written_where(policy: ConflictPolicy, expected: Verdict) -> None:
    conflicts = past_conflicts(LENS, [], [asked("a", "b", took("a", "b", "a"))])

    found = what_if(LENS, conflicts, policy)

    assert (found.field, found.policy, found.verdicts) == (LINE, policy, (expected,))


def test_the_choice_comes_from_the_question_or_from_what_the_run_saw() -> None:
    choice = took("a", "b", "a")
    seen = msgspec.structs.replace(view("a", "b"), resolutions={LINE: choice})

    (by_question,) = past_conflicts(LENS, [decided(view("a", "b"))], [asked("a", "b", choice)])
    (by_run,) = past_conflicts(LENS, [decided(seen)], [])

    assert by_question.chosen == by_run.chosen == choice
    assert what_if(LENS, [by_run], ConflictPolicy.ASK).verdicts[0].rule is Rule.CONFLICT


@pytest.mark.parametrize(
    ("policy", "settled", "left", "right", "judged", "agreed"),
    [
        (ConflictPolicy.LEFT, 4, 4, 0, 3, 1),
        (ConflictPolicy.RIGHT, 4, 0, 4, 3, 1),
        (ConflictPolicy.NEWEST, 2, 1, 1, 1, 1),
        (ConflictPolicy.ASK, 0, 0, 0, 0, 0),
    ],
)
def test_a_policy_is_counted_against_what_people_chose(
    policy: ConflictPolicy, settled: int, left: int, right: int, judged: int, agreed: int
) -> None:
    runs = [decided(view("a", "b", later=Side.LEFT)), decided(view("c", "d", later=Side.RIGHT), 2)]
    questions = [
        asked("a", "b", took("a", "b", "a")),
        asked("e", "f", took("e", "f", "f"), number=3),
        asked("g", "h", took("g", "h", "something else"), number=4),
    ]

    found = what_if(LENS, past_conflicts(LENS, runs, questions), policy)

    assert len(found.verdicts) == 4
    assert (found.settled, found.won(Side.LEFT), found.won(Side.RIGHT)) == (settled, left, right)
    assert (found.judged, found.agreed) == (judged, agreed)


def test_leaving_both_as_they_are_agrees_with_no_winner() -> None:
    left_alone = Resolution(Text("a"), Text("b"), Text("a"), Text("b"))

    found = what_if(LENS, past_conflicts(LENS, [], [asked("a", "b", left_alone)]), ConflictPolicy.LEFT)

    assert found.verdicts[0].agrees is False


@pytest.mark.parametrize(("is_record", "rule"), [(True, Rule.NEWEST), (False, Rule.NEWEST)])
def test_a_question_s_own_times_decide_by_the_later_edit(is_record: bool, rule: Rule) -> None:
    edits = (Edit(NOON, is_record=is_record), Edit(NOON + dt.timedelta(hours=2), is_record=is_record))

    (verdict,) = what_if(
        LENS, past_conflicts(LENS, [], [asked("a", "b", edits=edits)]), ConflictPolicy.NEWEST
    ).verdicts

    assert (verdict.rule, verdict.winner, verdict.to_left) == (rule, Side.RIGHT, Text("b"))


@given(worlds(names=("text", "many to one", "person"), is_present=True), st.sampled_from(SINGLE))
def test_the_verdict_is_what_merge_decides_under_that_policy(world: World, policy: ConflictPolicy) -> None:
    plain = msgspec.structs.replace(world.view, resolutions={})
    for index, lens in enumerate(world.rules.lenses):
        found = past_conflicts(lens, [Decided(RecordKey("l"), RecordKey("r"), "R", world.view)], [])
        tried = tuple(
            msgspec.structs.replace(each, policy=policy) if at == index else each
            for at, each in enumerate(world.rules.lenses)
        )
        decision = merge(plain, msgspec.structs.replace(world.rules, lenses=tried))
        if not found or not isinstance(decision, Fields):
            continue
        (verdict,) = what_if(lens, found, policy).verdicts
        field = decision.fields[index]
        assert (verdict.rule, verdict.to_left, verdict.to_right) == (
            field.rule,
            field.to_left,
            field.to_right,
        )


@given(worlds(names=("text",), is_present=True), st.sampled_from([Side.LEFT, Side.RIGHT]))
def test_a_side_that_always_wins_agrees_with_whoever_always_took_it(world: World, side: Side) -> None:
    policy = ConflictPolicy.LEFT if side is Side.LEFT else ConflictPolicy.RIGHT
    for lens in world.rules.lenses:
        for conflict in past_conflicts(lens, [Decided(RecordKey("l"), RecordKey("r"), "R", world.view)], []):
            left, right = (
                conflict.left.fields[lens.mapping.left],
                conflict.right.fields[lens.mapping.right],
            )
            winner = left if side is Side.LEFT else right
            chosen = msgspec.structs.replace(conflict, chosen=Resolution(winner, winner, left, right))
            found = what_if(lens, [chosen], policy)
            assert (found.judged, found.agreed) == (1, 1)
            assert not same(left, right)
            assert not (is_blank(left) and is_blank(right))
