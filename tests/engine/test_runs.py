"""Whole runs over two accounts in memory: what a person would expect to find on both sides afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from syncline.connectors.memory import MemoryConnector
from syncline.core.brakes import BrakeName, Limits
from syncline.core.decisions import Answer, DeletedEdit, DeletePolicy, Rule
from syncline.core.mapping import ConflictPolicy
from syncline.core.match import MatchMode
from syncline.core.records import FieldId, Scope, Side
from syncline.core.values import BLANK, ManyOf, Number, OneOf, Text
from syncline.engine.runs import Options
from syncline.ports import Ending, Page
from tests.engine.pair import Pair, edited, task, ticket


async def test_the_first_run_copies_new_records_both_ways() -> None:
    pair = Pair()
    pair.left.create(task("Paint", hours=3, labels=["red"], stage=("open",)))
    pair.right.create(ticket("Print", effort=5, tags=["blue"]))

    report = await pair.run()

    assert (report.left.created, report.right.created) == (1, 1)
    assert set(pair.holds(Side.LEFT)) == set(pair.holds(Side.RIGHT)) == {"Paint", "Print"}
    assert pair.holds(Side.RIGHT)["Paint"]["state"] == OneOf("active")
    assert (await pair.run()).is_quiet


async def test_records_that_are_there_on_both_sides_are_linked_not_doubled() -> None:
    pair = Pair()
    pair.left.create(task("Paint", hours=3))
    pair.right.create(ticket("Paint"))

    report = await pair.settled()

    assert report.counts.links == 1
    assert len(pair.right.records) == len(pair.left.records) == 1
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == Number(3)


async def test_an_edit_on_either_side_reaches_the_other_and_nothing_echoes() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", hours=3))
    await pair.settled()
    right = pair.key(Side.RIGHT, "Paint")

    pair.left.edit(left, edited(hours=4))
    pair.right.edit(right, edited(title="Paint it"))
    report = await pair.run()

    assert (report.left.updated, report.right.updated) == (1, 1)
    assert pair.holds(Side.RIGHT)["Paint it"]["effort"] == Number(4)
    assert "Paint it" in pair.holds(Side.LEFT)
    assert (await pair.run()).is_quiet


async def test_the_later_edit_wins_and_the_other_is_kept_in_the_history() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", hours=3))
    await pair.settled()
    pair.left.edit(left, edited(hours=4))
    pair.clock.advance(10)
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=5))

    await pair.settled()

    assert pair.holds(Side.LEFT)["Paint"]["hours"] == Number(5)
    entries = pair.store.history(pair.sync().id, left)
    assert [entry.lost for entry in entries if entry.rule is Rule.NEWEST] == [Number(4)]


async def test_a_contested_field_waits_for_a_person_while_the_others_go_on() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", hours=3))
    await pair.settled()
    right = pair.key(Side.RIGHT, "Paint")
    pair.left.edit(left, edited(name="Paint A", hours=7))
    pair.right.edit(right, edited(title="Paint B"))

    report = await pair.run()

    assert report.right.updated == 1
    assert pair.holds(Side.RIGHT)["Paint B"]["effort"] == Number(7)
    questions = pair.store.questions()
    assert [(q.held.rule, q.held.left, q.held.right, q.base_left) for q in questions] == [
        (Rule.CONFLICT, Text("Paint A"), Text("Paint B"), Text("Paint"))
    ]
    assert (await pair.run()).is_quiet
    assert [q.id for q in pair.store.questions()] == [questions[0].id]


async def test_a_conflict_goes_away_when_the_people_settle_it_themselves() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint"))
    await pair.settled()
    right = pair.key(Side.RIGHT, "Paint")
    pair.left.edit(left, edited(name="A"))
    pair.right.edit(right, edited(title="B"))
    await pair.run()

    pair.right.edit(right, edited(title="A"))
    await pair.settled()

    assert pair.store.questions() == []


async def test_what_somebody_empties_before_it_was_ever_agreed_on_is_not_filled_again() -> None:
    pair = Pair(conflicts=ConflictPolicy.ASK)
    left = pair.left.create(task("Paint", hours=1))
    pair.right.create(ticket("Paint", effort=2))
    await pair.run()
    pair.left.edit(left, edited(hours=None))

    await pair.run()

    assert pair.holds(Side.LEFT)["Paint"]["hours"] == BLANK
    assert [(q.held.left, q.held.right) for q in pair.store.questions()] == [(BLANK, Number(2))]
    await pair.run()
    assert pair.holds(Side.LEFT)["Paint"]["hours"] == BLANK


async def test_labels_of_both_sides_survive() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", labels=["a", "b"]))
    await pair.settled()
    pair.left.edit(left, edited(labels=["a", "b", "c"]))
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(tags=["b", "d"]))

    await pair.settled()

    for side, name in ((Side.LEFT, "labels"), (Side.RIGHT, "tags")):
        held = pair.holds(side)["Paint"][name]
        assert isinstance(held, ManyOf)
        assert set(held.keys) == {"b", "c", "d"}


async def test_a_one_way_field_never_writes_back() -> None:
    pair = Pair()
    pair.left.create(task("Paint", note="theirs"))
    await pair.settled()
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(remark="mine"))

    await pair.settled()

    assert pair.holds(Side.LEFT)["Paint"]["note"] == Text("theirs")
    assert pair.holds(Side.RIGHT)["Paint"]["remark"] == Text("theirs")
    lost = [entry.lost for entry in pair.store.history(pair.sync().id) if entry.lost is not None]
    assert lost == [Text("mine")]


async def test_values_without_a_pair_are_held_with_the_reason() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", stage=("open",)))
    await pair.settled()
    pair.left.edit(left, edited(stage=("odd",), hours=2))

    report = await pair.run()

    assert report.right.updated == 1
    assert [held.rule for held in report.plan.held] == [Rule.NO_COUNTERPART]
    assert pair.holds(Side.RIGHT)["Paint"]["state"] == OneOf("active")


async def test_a_deletion_asks_and_the_record_that_comes_back_takes_the_question_away() -> None:
    pair = Pair()
    pair.left.create(task("Stays"))
    left = pair.left.create(task("Paint"))
    await pair.settled()
    pair.left.delete(left)

    report = await pair.run()

    assert report.writes == 0
    assert [question.held.rule for question in pair.store.questions()] == [Rule.DELETED_ASK]
    pair.left.restore(left)
    assert (await pair.run()).is_quiet
    assert pair.store.questions() == []
    assert pair.store.counts(pair.sync().id).links == 2


async def test_an_edit_after_the_answer_is_not_deleted_with_the_record() -> None:
    pair = Pair(deleted_edit=DeletedEdit.ASK)
    pair.left.create(task("Stays"))
    left = pair.left.create(task("Paint"))
    await pair.settled()
    pair.left.delete(left)
    await pair.run()
    pair.store.choose(pair.store.questions()[0].id, Answer.DELETE, pair.clock.now())
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=9))

    report = await pair.run()

    assert report.writes == 0
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == Number(9)
    assert [question.choice for question in pair.store.questions()] == [None]
    pair.store.choose(pair.store.questions()[0].id, Answer.DELETE, pair.clock.now())
    assert (await pair.run()).right.deleted == 1


async def test_a_deletion_is_carried_over_when_the_sync_says_so() -> None:
    pair = Pair(deletes=DeletePolicy.PROPAGATE)
    pair.left.create(task("Stays"))
    left = pair.left.create(task("Paint"))
    await pair.settled()
    pair.left.delete(left)

    report = await pair.run()

    assert report.right.deleted == 1
    assert set(pair.holds(Side.RIGHT)) == {"Stays"}
    assert (await pair.run()).is_quiet
    assert pair.store.counts(pair.sync().id).links == 1


async def test_an_edit_beats_a_deletion_and_the_record_is_restored() -> None:
    pair = Pair(deletes=DeletePolicy.PROPAGATE)
    pair.left.create(task("Stays"))
    left = pair.left.create(task("Paint", hours=1))
    await pair.settled()
    pair.left.delete(left)
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=9))

    report = await pair.run()

    assert report.left.restored == 1
    assert pair.holds(Side.LEFT)["Paint"]["hours"] == Number(9)
    assert (await pair.settled()).counts.links == 2


async def test_an_edited_record_whose_other_was_purged_is_made_anew() -> None:
    pair = Pair(deletes=DeletePolicy.PROPAGATE)
    pair.left.create(task("Stays"))
    left = pair.left.create(task("Paint", hours=1, note="kept"))
    await pair.settled()
    pair.left.delete(left)
    pair.left.purge(left)
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=9))

    report = await pair.run()

    assert report.left.created == 1
    assert pair.holds(Side.LEFT)["Paint"]["hours"] == Number(9)
    assert pair.holds(Side.LEFT)["Paint"]["note"] == Text("kept")
    assert (await pair.settled()).counts.links == 2
    assert len(pair.right.records) == 2


async def test_an_ignored_deletion_leaves_the_other_record_alone_for_good() -> None:
    pair = Pair(deletes=DeletePolicy.IGNORE)
    pair.left.create(task("Stays"))
    left = pair.left.create(task("Paint"))
    await pair.settled()
    pair.left.delete(left)
    await pair.settled()

    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=2))
    report = await pair.settled()

    assert report.counts.links == 1
    assert set(pair.holds(Side.LEFT)) == {"Stays"}
    assert set(pair.holds(Side.RIGHT)) == {"Paint", "Stays"}


async def test_an_emptied_side_pulls_the_brake_and_nothing_is_written() -> None:
    pair = Pair(deletes=DeletePolicy.PROPAGATE)
    for number in range(3):
        pair.left.create(task(f"Task {number}"))
    await pair.settled()
    for key in list(pair.left.records):
        pair.left.delete(key)

    report = await pair.run()

    assert [brake.name for brake in report.plan.brakes] == [BrakeName.EMPTY_SIDE]
    assert len(pair.holds(Side.RIGHT)) == 3


async def test_a_stopped_plan_is_still_there_when_the_brake_is_let_go() -> None:
    pair = Pair(limits=Limits(changes=0.3, at_least=1))
    keys = [pair.left.create(task(f"Task {number}", hours=0)) for number in range(4)]
    await pair.settled()
    for key in keys[:2]:
        pair.left.edit(key, edited(hours=8))

    braked = await pair.run()
    again = await pair.run()
    released = await pair.run(Options(release=frozenset({BrakeName.CHANGES})))

    assert [brake.name for brake in braked.plan.brakes] == [BrakeName.CHANGES]
    assert [brake.name for brake in again.plan.brakes] == [BrakeName.CHANGES]
    assert braked.writes == again.writes == 0
    assert released.right.updated == 2
    assert (await pair.run()).is_quiet


async def test_an_incomplete_listing_decides_nothing() -> None:
    pair = Pair(deletes=DeletePolicy.PROPAGATE)
    left = pair.left.create(task("Paint"))
    pair.left.create(task("Print"))
    await pair.settled()
    pair.left.hidden.add(left)
    pair.left.listing_gap = "page 2 was missing"

    report = await pair.run()

    assert [brake.name for brake in report.plan.brakes] == [BrakeName.INCOMPLETE_LISTING]
    assert len(pair.holds(Side.RIGHT)) == 2


class Interrupted(MemoryConnector):
    """A connector whose listing does not show all there is, and says so, and how far it came."""

    async def pages(self, scope: Scope, since: str | None = None) -> AsyncIterator[Page | Ending]:
        """The listing, and what it is worth."""
        async for part in super().pages(scope, since):
            yield msgspec.structs.replace(part, is_complete=False) if isinstance(part, Ending) else part


async def test_what_a_listing_that_broke_off_did_not_show_is_asked_for_again() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", hours=1))
    pair.left.create(task("Print"))
    await pair.settled()
    pair.left.edit(left, edited(hours=5))
    pair.left.hidden.add(left)
    whole, pair.connectors[Side.LEFT] = pair.connectors[Side.LEFT], Interrupted(pair.left, name="left")
    await pair.run()
    pair.left.hidden.clear()
    pair.connectors[Side.LEFT] = whole

    await pair.run(Options(is_full=False))

    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == Number(5)


async def test_nothing_is_copied_while_a_listing_of_changes_has_a_gap() -> None:
    pair = Pair()
    pair.left.create(task("Stays", hours=1))
    await pair.settled()
    pair.right.edit(pair.key(Side.RIGHT, "Stays"), edited(effort=2))
    pair.right.create(ticket("Paint"))
    pair.left.hidden.add(pair.left.create(task("Paint")))
    pair.left.listing_gap = "page 2 was missing"

    report = await pair.run(Options(is_full=False))

    assert not report.plan.brakes
    assert pair.holds(Side.LEFT)["Stays"]["hours"] == Number(2)
    assert len(pair.left.records) == len(pair.right.records) == 2
    pair.left.listing_gap, pair.left.hidden = "", set()
    await pair.settled()
    assert len(pair.left.records) == len(pair.right.records) == 2


async def test_a_record_missing_from_a_complete_listing_is_read_before_it_counts_as_gone() -> None:
    pair = Pair(deletes=DeletePolicy.PROPAGATE)
    left = pair.left.create(task("Paint"))
    pair.left.create(task("Print"))
    await pair.settled()
    pair.left.hidden.add(left)

    report = await pair.run()

    assert report.is_quiet
    assert len(pair.holds(Side.RIGHT)) == 2


async def test_match_only_makes_nothing() -> None:
    pair = Pair(mode=MatchMode.MATCH_ONLY)
    pair.left.create(task("Paint"))

    report = await pair.run()

    assert report.writes == 0
    assert pair.right.records == {}
    pair.right.create(ticket("Paint"))
    assert (await pair.settled()).counts.links == 1


async def test_records_with_the_same_keys_are_never_guessed_at() -> None:
    pair = Pair()
    pair.left.create(task("Paint"))
    pair.left.create(task("Paint"))
    pair.right.create(ticket("Paint"))

    report = await pair.settled()

    assert report.counts.links == 0
    assert (len(pair.left.records), len(pair.right.records)) == (2, 1)
    assert len(pair.store.questions()) == 3


async def test_only_changes_are_looked_at_when_that_is_asked() -> None:
    pair = Pair()
    keys = [pair.left.create(task(f"Task {number}")) for number in range(5)]
    await pair.settled()
    pair.left.edit(keys[2], edited(hours=2))

    report = await pair.run(Options(is_full=False))

    assert (report.is_full, report.listed_left, report.right.updated) == (False, 1, 1)
    assert (await pair.run()).is_quiet


async def test_what_the_vendor_makes_of_a_value_is_not_sent_back() -> None:
    pair = Pair()
    pair.right.normalise = lambda name, value: (
        Text(value.text[:4]) if isinstance(value, Text) and name == FieldId("remark") else value
    )
    pair.left.create(task("Paint", note="far too long"))

    await pair.run()

    assert (await pair.run()).is_quiet
    assert pair.holds(Side.RIGHT)["Paint"]["remark"] == Text("far ")
    assert pair.holds(Side.LEFT)["Paint"]["note"] == Text("far too long")


async def test_a_cleared_field_is_cleared_on_the_other_side() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", hours=3))
    await pair.settled()
    pair.left.edit(left, edited(hours=None))

    await pair.settled()

    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == BLANK
