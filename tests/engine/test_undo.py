"""Taking back what a run wrote: values, copies, deletions and links; never over somebody's later edit."""

from __future__ import annotations

import random

import pytest

from syncline.connectors.memory import When
from syncline.core.decisions import DeletePolicy, Rule
from syncline.core.records import RecordKey, RunId, Side, Update, Write
from syncline.core.values import BLANK, ManyOf, Number, Text
from syncline.engine.undo import Undone, undo_run
from syncline.errors import SetupError, UnknownOutcomeError
from tests.engine.pair import Pair, edited, task, ticket


async def take_back(pair: Pair, target: str, *, is_dry: bool = False) -> Undone:
    """Undo, a minute later."""
    pair.clock.advance(60)
    return await undo_run(pair.world(), pair.sync(), target, random.Random(1).random, is_dry=is_dry)


async def linked() -> tuple[Pair, RecordKey, RecordKey]:
    """Two linked records in step."""
    pair = Pair()
    left = pair.left.create(task("Paint", hours=3, labels=["red"]))
    await pair.settled()
    return pair, left, pair.key(Side.RIGHT, "Paint")


def effort(pair: Pair, title: str = "Paint") -> object:
    """What the right record holds."""
    return pair.holds(Side.RIGHT)[title]["effort"]


async def test_what_a_run_wrote_is_put_back_and_the_next_run_is_quiet() -> None:
    pair, left, _ = await linked()
    pair.left.edit(left, edited(hours=4))
    wrong = await pair.run()

    undone = await take_back(pair, wrong.run)

    assert undone.done == 1
    assert undone.undo.kept == ()
    assert effort(pair) == Number(3)
    assert pair.holds(Side.LEFT)["Paint"]["hours"] == Number(4)
    for _ in range(3):
        assert (await pair.run()).is_quiet
    assert effort(pair) == Number(3)


@pytest.mark.parametrize("side", Side)
async def test_a_later_edit_on_either_side_flows_again(side: Side) -> None:
    pair, left, right = await linked()
    pair.left.edit(left, edited(hours=4))
    await take_back(pair, (await pair.run()).run)
    await pair.run()

    if side is Side.LEFT:
        pair.left.edit(left, edited(hours=9))
    else:
        pair.right.edit(right, edited(effort=9))
    await pair.settled()

    assert (effort(pair), pair.holds(Side.LEFT)["Paint"]["hours"]) == (Number(9), Number(9))


async def test_an_edit_of_the_source_that_no_run_has_seen_yet_is_not_swallowed() -> None:
    pair, left, _ = await linked()
    pair.left.edit(left, edited(hours=4))
    wrong = await pair.run()
    pair.left.edit(left, edited(hours=5, name="Paint it"))

    await take_back(pair, wrong.run)
    await pair.settled()

    assert effort(pair, "Paint it") == Number(5)


async def test_an_edit_of_another_field_on_the_written_side_is_not_swallowed() -> None:
    pair, left, right = await linked()
    pair.left.edit(left, edited(hours=4))
    wrong = await pair.run()
    pair.right.edit(right, edited(title="Paint it"))

    await take_back(pair, wrong.run)
    await pair.settled()

    assert effort(pair, "Paint it") == Number(3)
    assert "Paint it" in pair.holds(Side.LEFT)


async def test_what_somebody_edited_since_is_kept_and_both_values_are_named() -> None:
    pair, left, right = await linked()
    pair.left.edit(left, edited(hours=4, name="Paint it"))
    wrong = await pair.run()
    pair.right.edit(right, edited(effort=7))

    undone = await take_back(pair, wrong.run)

    (kept,) = undone.undo.kept
    assert (kept.field, kept.reason) == ("hours ↔ effort", "edited since")
    assert (kept.before, kept.wrote, kept.now) == (Number(3), Number(4), Number(7))
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == Number(7)
    await pair.settled()
    assert pair.holds(Side.LEFT)["Paint it"]["hours"] == Number(7)
    assert "Paint" in pair.holds(Side.RIGHT)


async def test_what_was_put_back_by_hand_is_left_alone() -> None:
    pair, left, right = await linked()
    pair.left.edit(left, edited(hours=4))
    wrong = await pair.run()
    pair.right.edit(right, edited(effort=3))

    undone = await take_back(pair, wrong.run)

    assert (undone.undo.already, undone.undo.steps, undone.undo.kept) == (1, (), ())


async def test_a_dry_run_shows_the_plan_and_changes_nothing() -> None:
    pair, left, _ = await linked()
    pair.left.edit(left, edited(hours=4))
    wrong = await pair.run()
    runs = len(pair.store.runs(pair.sync().id))

    shown = await take_back(pair, wrong.run, is_dry=True)

    (step,) = shown.undo.steps
    assert isinstance(step.write, Update)
    assert step.write.fields == {"effort": Number(3)}
    assert (shown.run, effort(pair)) == (None, Number(4))
    assert len(pair.store.runs(pair.sync().id)) == runs


async def test_an_undo_can_be_undone() -> None:
    pair, left, _ = await linked()
    pair.left.edit(left, edited(hours=4))
    undone = await take_back(pair, (await pair.run()).run)
    await pair.run()

    again = await take_back(pair, str(undone.run))

    assert again.done == 1
    assert effort(pair) == Number(4)
    assert (await pair.run()).is_quiet


async def test_undoing_twice_does_nothing_the_second_time() -> None:
    pair, left, _ = await linked()
    pair.left.edit(left, edited(hours=4))
    wrong = await pair.run()
    await take_back(pair, wrong.run)

    again = await take_back(pair, wrong.run)

    assert (again.done, again.undo.already) == (0, 1)


async def test_of_a_record_only_its_last_run_is_undone() -> None:
    pair, left, right = await linked()
    other = pair.left.create(task("Print", hours=1))
    await pair.settled()
    pair.left.edit(left, edited(hours=4))
    await pair.run()
    pair.left.edit(left, edited(hours=5))
    pair.left.edit(other, edited(hours=2))
    await pair.run()

    await take_back(pair, right)

    assert (effort(pair), effort(pair, "Print")) == (Number(4), Number(2))


async def test_both_sides_of_a_merged_set_are_put_back() -> None:
    pair, left, right = await linked()
    pair.left.edit(left, edited(labels=["red", "blue"]))
    pair.right.edit(right, edited(tags=["red", "green"]))
    merged = await pair.run()

    await take_back(pair, merged.run)
    assert (await pair.run()).is_quiet

    assert set(pair.holds(Side.LEFT)["Paint"]["labels"].keys) == {"red", "blue"}  # type: ignore[union-attr] - a set
    assert set(pair.holds(Side.RIGHT)["Paint"]["tags"].keys) == {"red", "green"}  # type: ignore[union-attr] - a set


async def test_the_history_says_that_it_was_undone() -> None:
    pair, left, right = await linked()
    pair.left.edit(left, edited(hours=4))
    undone = await take_back(pair, (await pair.run()).run)

    (entry,) = pair.store.history(pair.sync().id, right, undone.run)

    assert (entry.rule, entry.side, entry.old, entry.new) == (Rule.UNDONE, Side.RIGHT, Number(4), Number(3))
    assert [each.kind for each in pair.store.audit_trail()][-1] == "undone"


# --- records ----------------------------------------------------------------------------------------------------------


async def copied() -> tuple[Pair, RunId, RecordKey]:
    """A left record with the copy that the run made on the right."""
    pair = Pair()
    pair.left.create(task("Paint", hours=3))
    made = await pair.run()
    return pair, made.run, pair.key(Side.RIGHT, "Paint")


async def test_a_copy_goes_again_and_is_not_made_a_second_time() -> None:
    pair, run, _ = await copied()

    undone = await take_back(pair, run)

    assert (undone.done, pair.holds(Side.RIGHT)) == (1, {})
    assert (await pair.run()).is_quiet
    assert (pair.holds(Side.RIGHT), set(pair.holds(Side.LEFT))) == ({}, {"Paint"})


async def test_a_copy_that_somebody_edited_stays() -> None:
    pair, run, copy = await copied()
    pair.right.edit(copy, edited(effort=8))

    undone = await take_back(pair, run)

    assert [kept.now for kept in undone.undo.kept] == [Number(8)]
    assert effort(pair) == Number(8)
    await pair.settled()
    assert pair.holds(Side.LEFT)["Paint"]["hours"] == Number(8)


async def test_a_copy_that_was_edited_in_a_field_nobody_mapped_stays() -> None:
    pair = Pair()
    pair.mappings = pair.mappings[:1]
    pair.left.create(task("Paint"))
    made = await pair.run()
    pair.clock.advance(60)
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=8))

    undone = await take_back(pair, made.run)

    assert [kept.reason for kept in undone.undo.kept] == ["something else in it was edited since it was made"]
    assert "Paint" in pair.holds(Side.RIGHT)


async def test_undoing_the_undo_of_a_copy_brings_it_back_and_ties_it() -> None:
    pair, run, copy = await copied()
    undone = await take_back(pair, run)
    await pair.run()

    await take_back(pair, str(undone.run))
    await pair.settled()

    assert pair.key(Side.RIGHT, "Paint") == copy
    assert pair.store.counts(pair.sync().id).links == 1
    assert len(pair.left.records) == 1
    pair.right.edit(copy, edited(effort=8))
    await pair.settled()
    assert pair.holds(Side.LEFT)["Paint"]["hours"] == Number(8)


async def deleted() -> tuple[Pair, RunId, RecordKey]:
    """A right record that went because its left one did."""
    pair, left, right = await linked()
    pair.left.create(task("Print"))
    await pair.settled()
    pair.deletes = DeletePolicy.PROPAGATE
    pair.left.delete(left)
    run = await pair.run()
    assert set(pair.holds(Side.RIGHT)) == {"Print"}
    return pair, run.run, right


@pytest.mark.parametrize("is_purged", [False, True], ids=["from the trash", "made anew"])
async def test_a_deleted_record_comes_back_and_stands_for_itself(is_purged: bool) -> None:
    pair, run, right = await deleted()
    if is_purged:
        pair.right.purge(right)

    await take_back(pair, run)
    assert (await pair.run()).is_quiet
    assert (await pair.run()).is_quiet

    held = pair.holds(Side.RIGHT)["Paint"]
    assert (held["effort"], held["tags"]) == (Number(3), ManyOf(("red",)))
    assert set(pair.holds(Side.LEFT)) == {"Print"}


async def test_undoing_the_undo_of_a_deletion_deletes_it_again() -> None:
    pair, run, _ = await deleted()
    undone = await take_back(pair, run)
    await pair.run()

    await take_back(pair, str(undone.run))

    assert set(pair.holds(Side.RIGHT)) == {"Print"}
    assert (await pair.run()).is_quiet


async def test_a_record_that_is_back_by_itself_is_left_alone() -> None:
    pair, run, right = await deleted()
    pair.right.restore(right)

    assert (await take_back(pair, run)).undo.already == 1


async def met() -> tuple[Pair, RunId]:
    """Two records that a run matched; it filled a blank."""
    pair = Pair()
    pair.left.create(task("Paint", hours=3))
    pair.right.create(ticket("Paint"))
    run = await pair.run()
    assert effort(pair) == Number(3)
    return pair, run.run


async def test_a_match_is_taken_apart_and_what_it_filled_is_emptied() -> None:
    pair, run = await met()

    await take_back(pair, run)

    assert effort(pair) == BLANK
    assert (await pair.run()).is_quiet
    assert pair.store.counts(pair.sync().id).links == 0
    assert (len(pair.left.records), len(pair.right.records)) == (1, 1)


async def test_undoing_that_ties_them_again() -> None:
    pair, run = await met()
    undone = await take_back(pair, run)
    await pair.run()

    await take_back(pair, str(undone.run))
    await pair.settled()

    assert pair.store.counts(pair.sync().id).links == 1
    assert effort(pair) == Number(3)


async def test_a_match_stays_when_one_of_its_values_was_edited_since() -> None:
    pair, run = await met()
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=6))

    undone = await take_back(pair, run)

    assert undone.undo.part == ()
    assert pair.store.counts(pair.sync().id).links == 1


# --- what cannot be undone --------------------------------------------------------------------------------------------


async def test_something_unknown_is_refused() -> None:
    pair, _, _ = await linked()

    with pytest.raises(SetupError, match="no run that wrote anything"):
        await take_back(pair, "tickets-99")


async def test_nothing_is_taken_back_while_a_write_has_no_known_outcome() -> None:
    pair, left, _ = await linked()
    pair.left.edit(left, edited(hours=4))
    wrong = await pair.run()

    def strike(when: When, write: Write) -> None:
        if when is When.AFTER:
            raise UnknownOutcomeError("no answer")

    pair.right.faults = strike
    pair.left.edit(left, edited(hours=5))
    await pair.run()
    pair.right.faults = lambda when, write: None

    undone = await take_back(pair, wrong.run)

    assert [kept.reason for kept in undone.undo.kept] == [
        "a write before has no known outcome yet: run the sync, then undo again"
    ]
    assert effort(pair) == Number(5)


async def test_an_undo_that_got_no_answer_is_looked_up_and_does_not_flow_back() -> None:
    pair, left, _ = await linked()
    pair.left.edit(left, edited(hours=4))
    wrong = await pair.run()

    def strike(when: When, write: Write) -> None:
        if when is When.AFTER:
            raise UnknownOutcomeError("no answer")

    pair.right.faults = strike
    undone = await take_back(pair, wrong.run)
    pair.right.faults = lambda when, write: None
    await pair.settled()

    assert [failure.code for failure in undone.failures] == ["unknown_outcome"]
    assert (effort(pair), pair.holds(Side.LEFT)["Paint"]["hours"]) == (Number(3), Number(4))
    assert pair.store.parked(pair.sync().id) == []
    assert pair.holds(Side.RIGHT)["Paint"]["title"] == Text("Paint")
