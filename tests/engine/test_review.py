"""What a person chooses, for one question or for many: it holds while both sides are as they were seen."""

from __future__ import annotations

import pytest

from syncline.core.audit import AuditKind
from syncline.core.decisions import Answer, DeletedEdit, DeletePolicy, Resolution, Rule
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping
from syncline.core.memory import Question
from syncline.core.records import FieldId, RecordKey, Side
from syncline.core.values import Number, OneOf, Text
from syncline.engine import review
from syncline.errors import SetupError
from tests.engine.pair import MAPPINGS, Pair, edited, task, ticket

NAMES = ("A", "B", "C")


async def contested(pair: Pair) -> list[RecordKey]:
    """Three linked records whose names were edited on both sides."""
    keys = [pair.left.create(task(name)) for name in NAMES]
    await pair.settled()
    for key, name in zip(keys, NAMES, strict=True):
        pair.right.edit(pair.key(Side.RIGHT, name), edited(title=f"{name} right"))
        pair.left.edit(key, edited(name=f"{name} left"))
    await pair.run()
    return keys


def only(pair: Pair) -> Question:
    """The one open question."""
    (question,) = pair.store.questions()
    return question


async def unpaired(pair: Pair, direction: Direction = Direction.BOTH) -> RecordKey:
    """A linked record whose new stage has no counterpart."""
    if direction is not Direction.BOTH:
        pair.mappings = [
            FieldMapping(each.left, each.right, direction, each.conflict, each.values)
            if each.left == FieldId("stage")
            else each
            for each in MAPPINGS
        ]
    key = pair.left.create(task("Paint", stage=("open",)))
    await pair.settled()
    pair.left.edit(key, edited(stage=("odd",)))
    await pair.run()
    return key


# --- who and when ---------------------------------------------------------------------------------------------------


async def test_a_question_tells_who_edited_each_side_and_when_though_the_field_asks() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint"))
    await pair.settled()
    pair.left.edit(left, edited(name="Left"), by="anna@example.test")
    at = pair.clock.now()
    pair.clock.advance(5)
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(title="Right"), by="bert@example.test")
    await pair.run()

    asked = only(pair)

    assert asked.left_edit is not None
    assert asked.right_edit is not None
    assert (asked.left_edit.at, asked.left_edit.by) == (at, "anna@example.test")
    assert (asked.right_edit.by, asked.right_edit.is_record) == ("bert@example.test", False)


async def test_the_histories_are_read_once_for_a_question_and_again_for_other_values() -> None:
    pair = Pair()
    (left, *_) = await contested(pair)
    first, calls = only_of(pair, "A left"), pair.connectors[Side.LEFT].calls

    await pair.run()
    quiet = pair.connectors[Side.LEFT].calls - calls
    assert only_of(pair, "A left").left_edit == first.left_edit
    pair.left.edit(left, edited(name="A again"), by="carl@example.test")
    calls = pair.connectors[Side.LEFT].calls
    await pair.run()

    assert pair.connectors[Side.LEFT].calls - calls == quiet + 1
    again = only_of(pair, "A again")
    assert again.left_edit is not None
    assert again.left_edit.by == "carl@example.test"


async def test_a_vendor_without_field_histories_tells_of_the_record() -> None:
    pair = Pair()
    pair.right.tells_edits = False
    await contested(pair)

    asked = only_of(pair, "B left")

    assert asked.right_edit is not None
    assert (asked.right_edit.by, asked.right_edit.is_record) == ("owner@example.test", True)


def only_of(pair: Pair, left: str) -> Question:
    (found,) = [each for each in pair.store.questions() if each.held.left == Text(left)]
    return found


async def test_two_records_that_meet_contested_are_told_of_in_the_next_run() -> None:
    pair = Pair()
    pair.left.create(task("Paint", hours=1), by="anna@example.test")
    pair.right.create(ticket("Paint", effort=2))
    pair.conflicts = ConflictPolicy.ASK
    await pair.run()
    await pair.run()

    asked = only(pair)

    assert asked.left_edit is not None
    assert asked.left_edit.by == "anna@example.test"


async def test_a_choice_at_the_first_meeting_is_carried_out_in_the_next_run() -> None:
    pair = Pair(conflicts=ConflictPolicy.ASK)
    pair.left.create(task("Paint", hours=1))
    pair.right.create(ticket("Paint", effort=2))
    await pair.run()
    assert only(pair).held.link is None
    review.take(pair.world(), pair.sync(), only(pair), Side.RIGHT)

    await pair.run()

    assert pair.holds(Side.LEFT)["Paint"]["hours"] == Number(2)
    assert pair.store.questions() == []


# --- many -----------------------------------------------------------------------------------------------------------


async def test_all_alike_are_settled_at_once_each_by_its_own_values() -> None:
    pair = Pair()
    await contested(pair)
    world, sync, everything = pair.world(), pair.sync(), pair.store.questions()

    preview = review.resolve_all(world, {sync.id: sync}, everything, review.Take(Side.LEFT), is_preview=True)
    assert [each.choice for each in pair.store.questions()] == [None, None, None]
    stored = review.resolve_all(
        world,
        {sync.id: sync},
        review.alike(everything, everything[1]),
        review.Take(Side.LEFT),
        is_preview=False,
    )
    await pair.settled()

    assert preview == stored
    assert set(pair.holds(Side.RIGHT)) == {"A left", "B left", "C left"}
    lost = [entry.lost for entry in pair.store.history(sync.id) if entry.rule is Rule.RESOLVED]
    assert lost == [Text("A right"), Text("B right"), Text("C right")]


async def test_one_of_many_that_was_edited_meanwhile_is_asked_again() -> None:
    pair = Pair()
    keys = await contested(pair)
    sync = pair.sync()
    review.resolve_all(
        pair.world(), {sync.id: sync}, pair.store.questions(), review.Take(Side.LEFT), is_preview=False
    )
    pair.left.edit(keys[0], edited(name="A later"))

    await pair.settled()

    assert only(pair).held.left == Text("A later")
    assert set(pair.holds(Side.RIGHT)) == {"A right", "B left", "C left"}


async def test_alike_means_the_same_field_and_rule() -> None:
    pair = Pair(deleted_edit=DeletedEdit.ASK)
    keys = await contested(pair)
    pair.left.edit(keys[0], edited(stage=("odd",)))
    pair.left.delete(keys[1])
    await pair.run()
    everything = pair.store.questions()
    first = next(each for each in everything if each.held.rule is Rule.CONFLICT)

    rules = sorted(each.held.rule.value for each in everything)
    assert rules == ["conflict", "conflict", "deleted_ask", "no_counterpart"]
    assert {each.held.rule for each in review.alike(everything, first)} == {Rule.CONFLICT}
    assert [len(review.alike(everything, each)) for each in everything if each is not first].count(1) == 2


async def test_what_a_wish_does_not_fit_is_named_and_left_open() -> None:
    pair = Pair()
    await contested(pair)
    await unpaired(pair)
    sync, everything = pair.sync(), pair.store.questions()

    done = review.resolve_all(pair.world(), {sync.id: sync}, everything, Answer.DELETE, is_preview=False)

    assert all(each.choice is None and "not about a deletion" in each.refusal for each in done)
    assert [each.choice for each in pair.store.questions()] == [None] * 4


# --- taking back, and telling ---------------------------------------------------------------------------------------


async def test_a_choice_is_taken_back_before_it_was_carried_out() -> None:
    pair = Pair()
    await contested(pair)
    question = pair.store.questions()[0]
    review.take(pair.world(), pair.sync(), question, Side.LEFT)

    review.undo(pair.world(), question)
    report = await pair.run()

    assert report.writes == 0
    assert len(pair.store.questions()) == 3
    with pytest.raises(SetupError, match="Nothing is chosen"):
        review.undo(pair.world(), question)


async def test_a_choice_that_was_carried_out_is_not_taken_back() -> None:
    pair = Pair()
    await contested(pair)
    question = pair.store.questions()[0]
    review.take(pair.world(), pair.sync(), question, Side.LEFT)
    await pair.run()

    with pytest.raises(SetupError, match="closed"):
        review.undo(pair.world(), question)


async def test_choices_are_in_the_audit_trail_without_their_values() -> None:
    pair = Pair()
    await contested(pair)
    question = pair.store.questions()[0]
    review.enter(pair.world(), pair.sync(), question, "between us")
    review.undo(pair.world(), question)

    trail = pair.store.audit_trail(kind=AuditKind.CHOICE)

    assert [each.subject for each in trail] == [str(question.id)] * 2
    assert "between us" not in str([bytes(each.body) for each in trail])
    assert pair.store.verify_audit() is None


# --- values without counterpart, and keeping as is ------------------------------------------------------------------


async def test_a_value_without_counterpart_gets_one_by_hand() -> None:
    pair = Pair()
    await unpaired(pair)

    review.resolve(pair.world(), pair.sync(), only(pair), review.Enter("closed", Side.RIGHT))
    await pair.settled()

    assert pair.holds(Side.LEFT)["Paint"]["stage"] == OneOf("odd")
    assert pair.holds(Side.RIGHT)["Paint"]["state"] == OneOf("closed")
    assert pair.store.questions() == []


@pytest.mark.parametrize("direction", [Direction.BOTH, Direction.TO_RIGHT])
async def test_a_value_without_counterpart_is_left_until_somebody_edits_it(direction: Direction) -> None:
    pair = Pair()
    key = await unpaired(pair, direction)

    review.resolve(pair.world(), None, only(pair), review.Leave())
    await pair.settled()

    assert pair.store.questions() == []
    assert pair.holds(Side.LEFT)["Paint"]["stage"] == OneOf("odd")
    assert pair.holds(Side.RIGHT)["Paint"]["state"] == OneOf("active")
    pair.left.edit(key, edited(stage=("done",)))
    await pair.settled()
    assert pair.holds(Side.RIGHT)["Paint"]["state"] == OneOf("closed")


async def test_the_other_side_may_win_over_a_value_without_counterpart() -> None:
    pair = Pair()
    await unpaired(pair)

    review.take(pair.world(), pair.sync(), only(pair), Side.RIGHT)
    await pair.settled()

    assert pair.holds(Side.LEFT)["Paint"]["stage"] == OneOf("open")
    lost = [entry.lost for entry in pair.store.history(pair.sync().id) if entry.rule is Rule.RESOLVED]
    assert lost == [OneOf("odd")]


async def test_two_contested_values_are_both_kept_when_a_person_leaves_them() -> None:
    pair = Pair()
    await contested(pair)
    for question in pair.store.questions():
        review.resolve(pair.world(), None, question, review.Leave())

    await pair.settled()

    assert set(pair.holds(Side.LEFT)) == {"A left", "B left", "C left"}
    assert set(pair.holds(Side.RIGHT)) == {"A right", "B right", "C right"}
    assert (await pair.run()).is_quiet


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        (review.Take(Side.LEFT), "cannot be taken over"),
        (review.Enter("odd"), "cannot be taken over"),
        (review.Enter("purple"), "no option of Stage"),
        (review.Enter("purple", Side.RIGHT), "no option of State. It has: Active, Closed"),
        (Answer.DELETE, "not about a deletion"),
    ],
)
async def test_what_cannot_be_is_refused_with_what_can_be_done(wish: review.Wish, why: str) -> None:
    pair = Pair()
    await unpaired(pair)

    with pytest.raises(SetupError, match=why):
        review.resolve(pair.world(), pair.sync(), only(pair), wish)

    assert only(pair).choice is None


async def test_the_side_that_is_never_written_is_given_nothing() -> None:
    pair = Pair()
    await unpaired(pair, Direction.TO_RIGHT)

    with pytest.raises(SetupError, match="never written on the left"):
        review.resolve(pair.world(), pair.sync(), only(pair), review.Enter("open", Side.LEFT))
    with pytest.raises(SetupError, match="never written on the left"):
        review.take(pair.world(), pair.sync(), only(pair), Side.RIGHT)


async def test_a_lone_record_is_told_what_to_do() -> None:
    pair = Pair()
    pair.left.create(task("Paint"))
    pair.left.create(task("Paint"))
    pair.right.create(ticket("Paint"))
    await pair.run()
    question = pair.store.questions()[0]

    with pytest.raises(SetupError, match="not about a field"):
        review.take(pair.world(), pair.sync(), question, Side.LEFT)
    assert "links link" in review.how_to_answer(question)


async def test_every_kind_of_question_can_be_answered_or_says_what_to_do() -> None:
    pair = Pair(deletes=DeletePolicy.ASK)
    keys = await contested(pair)
    await unpaired(pair)
    pair.left.delete(keys[2])
    await pair.run()

    for question in pair.store.questions():
        told = review.how_to_answer(question)
        assert str(question.id) in told
        match question.held.rule:
            case Rule.DELETED_ASK:
                review.answer(pair.world(), question, Answer.RELEASE)
            case _:
                choice = review.resolve(pair.world(), None, question, review.Leave())
                assert isinstance(choice, Resolution)
    await pair.settled()

    assert pair.store.questions() == []
