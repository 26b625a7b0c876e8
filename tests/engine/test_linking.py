"""Links made, cut, moved and refused by a person: the next runs keep to it, no edit is lost, and nothing is done twice."""

from __future__ import annotations

import pytest

from syncline.connectors.memory import When
from syncline.core.decisions import Rule
from syncline.core.mapping import ConflictPolicy
from syncline.core.memory import RunState, Standing
from syncline.core.records import Create, FieldId, RecordKey, Side, Write
from syncline.core.values import BLANK, Text, same
from syncline.engine import linking
from syncline.engine.runs import Options
from syncline.errors import BusyError, SetupError, UnknownOutcomeError
from tests.engine.pair import Pair, edited, task, ticket, value_of
from tests.engine.strangers import apart_keys, linked, rules_of, standing, strangers, twins

# --- link -----------------------------------------------------------------------------------------------------------


async def test_linked_by_hand_the_fields_are_decided_as_at_a_first_meeting() -> None:
    pair, left, there = await strangers()

    done = await linking.link(pair.world(), pair.sync(), left, there)
    report = await pair.run()

    assert done.is_new
    held = {item.field: item.rule for item in report.plan.held if item.link == done.link}
    assert held == {"name ↔ title": Rule.CONFLICT}  # this field asks; nothing overwrites either name
    assert same(
        pair.left.live(left).fields[FieldId("hours")], value_of(2)
    )  # the newer one; the older is told
    assert [entry.lost for entry in pair.store.history(pair.sync().id, left) if entry.lost] == [value_of(1)]
    assert same(pair.right.live(there).fields[FieldId("remark")], Text("oak"))
    assert same(pair.right.live(there).fields[FieldId("tags")], value_of(["a", "b"]))
    assert same(pair.left.live(left).fields[FieldId("labels")], value_of(["a", "b"]))
    assert rules_of(pair, left)[0] is Rule.LINKED_BY_HAND


async def test_linked_twins_follow_each_other_from_then_on() -> None:
    pair, left, first, second = await twins()
    assert [each.rule for each in (await pair.run()).plan.held] == [Rule.AMBIGUOUS] * 3

    await linking.link(pair.world(), pair.sync(), left, second)
    await pair.settled()
    pair.clock.advance(100)
    pair.left.edit(left, edited(hours=8))
    pair.right.edit(second, edited(title="Front door"))
    await pair.settled()

    assert same(pair.right.live(second).fields[FieldId("effort")], value_of(8))
    assert same(pair.left.live(left).fields[FieldId("name")], Text("Front door"))
    # The other twin is nobody's any more, and the sync copies such records.
    assert standing(pair, Side.RIGHT, first) is Standing.LINKED
    assert sorted(pair.holds(Side.LEFT)) == sorted(pair.holds(Side.RIGHT)) == ["Door", "Front door"]
    assert pair.store.questions() == []


async def test_questions_about_the_two_are_settled_at_once() -> None:
    pair, left, first, second = await twins()

    await linking.link(pair.world(), pair.sync(), left, second)

    assert [question.held.right_key for question in pair.store.questions()] == [first]


async def test_a_record_that_no_run_has_seen_can_be_linked() -> None:
    pair, left, _ = await strangers()
    new = pair.right.create(ticket("Brand new"))

    done = await linking.link(pair.world(), pair.sync(), left, new)
    await pair.run(Options(is_full=False))

    assert pair.store.find_link(pair.sync().id, new) == [done.link]
    assert same(pair.right.live(new).fields[FieldId("effort")], value_of(1))


async def test_a_run_of_changes_only_decides_a_link_made_by_hand() -> None:
    pair, left, there = await strangers()
    await linking.link(pair.world(), pair.sync(), left, there)

    report = await pair.run(Options(is_full=False))

    assert report.right.updated == 1


async def test_a_value_emptied_while_it_waited_is_not_filled_again() -> None:
    pair, left, there = await strangers()
    pair.left.edit(left, edited(hours=None))

    await linking.link(pair.world(), pair.sync(), left, there)
    await pair.run()

    # Emptied at 09:01, the other written at 09:00: the later edit wins, and it is the emptying.
    assert same(pair.left.live(left).fields[FieldId("hours")], BLANK)
    assert same(pair.right.live(there).fields[FieldId("effort")], BLANK)


@pytest.mark.parametrize("gone", ["trash", "purge"])
async def test_a_deleted_record_cannot_be_linked(gone: str) -> None:
    pair, left, there = await strangers()
    pair.right.delete(there)
    if gone == "purge":
        pair.right.purge(there)
    await pair.run()

    with pytest.raises(SetupError, match="not there"):
        await linking.link(pair.world(), pair.sync(), left, there)

    assert pair.store.counts(pair.sync().id).links == 0
    assert pair.store.runs(pair.sync().id)[0].state is RunState.FAILED


async def test_a_restored_record_can_be_linked() -> None:
    pair, left, there = await strangers()
    pair.right.delete(there)
    await pair.run()
    pair.right.restore(there)

    assert (await linking.link(pair.world(), pair.sync(), left, there)).is_new


async def test_a_record_linked_with_another_says_with_which() -> None:
    pair = apart_keys()
    left = pair.left.create(task("Door"))
    await pair.settled()
    there = pair.right.create(ticket("Wall"))

    with pytest.raises(SetupError, match=rf"linked with '{pair.key(Side.RIGHT, 'Door')}' \(Door\)"):
        await linking.link(pair.world(), pair.sync(), left, there)


async def test_nothing_is_linked_while_a_run_is_on() -> None:
    pair, left, there = await strangers()
    sync = pair.sync()
    pair.store.begin_run(sync.id, pair.clock.now(), sync.patience.lease)

    with pytest.raises(BusyError):
        await linking.link(pair.world(), sync, left, there)


async def test_nothing_is_linked_while_a_write_about_it_has_no_outcome() -> None:
    pair = apart_keys()
    left = pair.left.create(task("Door"))

    def cut(when: When, write: Write) -> None:
        if when is When.AFTER and isinstance(write, Create):
            raise UnknownOutcomeError("cut")

    pair.right.faults = cut
    await pair.run()
    other = pair.right.create(ticket("Gate"))

    with pytest.raises(SetupError, match="got no answer"):
        await linking.link(pair.world(), pair.sync(), left, other)


# --- unlink ---------------------------------------------------------------------------------------------------------


async def test_unlinked_both_stay_and_neither_is_touched_again() -> None:
    pair, left, there = await linked()

    done = await linking.unlink(pair.world(), pair.sync(), left, reason="another customer")
    pair.left.edit(left, edited(hours=5))
    pair.right.edit(there, edited(effort=6, remark="elm"))
    report = await pair.run()

    assert (done.left, done.right, done.is_new) == (left, there, True)
    assert report.is_quiet
    assert report.plan.held == ()
    assert same(pair.left.live(left).fields[FieldId("hours")], value_of(5))
    assert same(pair.right.live(there).fields[FieldId("effort")], value_of(6))
    assert standing(pair, Side.LEFT, left) is standing(pair, Side.RIGHT, there) is Standing.RELEASED
    (apart,) = pair.store.apart(pair.sync().id)
    assert (apart.left, apart.right, apart.reason) == (left, there, "another customer")
    assert rules_of(pair, there)[-1] is Rule.UNLINKED_BY_HAND


async def test_a_contested_link_takes_its_questions_with_it() -> None:
    pair, left, there = await linked()
    pair.left.edit(left, edited(name="Gate"))
    pair.right.edit(there, edited(title="Portal"))
    await pair.run()
    assert len(pair.store.questions()) == 1

    await linking.unlink(pair.world(), pair.sync(), there)

    assert pair.store.questions() == []
    assert (await pair.run()).plan.held == ()
    assert set(pair.holds(Side.LEFT)) | set(pair.holds(Side.RIGHT)) == {"Gate", "Portal"}


async def test_one_unlinked_half_way_through_a_deletion_stays() -> None:
    pair, left, there = await linked()
    pair.left.delete(left)
    await pair.run()

    await linking.unlink(pair.world(), pair.sync(), there)

    assert (await pair.settled()).plan.held == ()
    assert set(pair.holds(Side.RIGHT)) == {"Door"}
    with pytest.raises(SetupError, match="trash"):
        await linking.link(pair.world(), pair.sync(), left, there)


async def test_unlinked_records_can_be_linked_again_at_any_time() -> None:
    pair, left, there = await linked()
    await linking.unlink(pair.world(), pair.sync(), left)
    pair.left.edit(left, edited(hours=5))
    await pair.run()

    await linking.link(pair.world(), pair.sync(), left, there)
    await pair.settled()

    assert pair.store.apart(pair.sync().id) == []
    assert same(pair.right.live(there).fields[FieldId("effort")], value_of(5))


async def test_a_link_is_cut_by_its_number_too_and_need_not_be_kept_apart() -> None:
    pair, left, _ = await linked()
    (number,) = pair.store.find_link(pair.sync().id, left)

    await linking.unlink(pair.world(), pair.sync(), number, keep_apart=False)

    assert pair.store.apart(pair.sync().id) == []
    assert standing(pair, Side.LEFT, left) is Standing.RELEASED


async def test_a_record_that_was_never_linked_cannot_be_unlinked() -> None:
    pair, left, _ = await strangers()

    with pytest.raises(SetupError, match="not linked"):
        await linking.unlink(pair.world(), pair.sync(), left)
    with pytest.raises(SetupError, match="knows no record"):
        await linking.unlink(pair.world(), pair.sync(), RecordKey("nobody"))


# --- relink ---------------------------------------------------------------------------------------------------------


async def test_relinked_to_another_record_no_stale_base_decides() -> None:
    pair, left, old = await linked(conflicts=ConflictPolicy.ASK)
    # Agreed on with the old counterpart: hours 1. The new one says 7, and nobody has edited the left since.
    new = pair.right.create(ticket("Door", effort=7, remark="elm"))
    await linking.separate(pair.world(), pair.sync(), left, new)

    done = await linking.relink(pair.world(), pair.sync(), left, new)
    report = await pair.run()

    held = {item.field: item.rule for item in report.plan.held}
    assert held == {"hours ↔ effort": Rule.CONFLICT}
    assert same(pair.left.live(left).fields[FieldId("hours")], value_of(1))
    assert same(pair.right.live(new).fields[FieldId("effort")], value_of(7))
    # One-way: the left leads, and what it overrides is told.
    assert same(pair.right.live(new).fields[FieldId("remark")], Text("oak"))
    assert Text("elm") in [entry.lost for entry in pair.store.history(pair.sync().id, new)]
    assert done.released == old
    assert standing(pair, Side.RIGHT, old) is Standing.RELEASED
    assert [(each.left, each.right) for each in pair.store.apart(pair.sync().id)] == [(left, old)]


async def test_an_edit_made_just_before_relinking_is_not_lost() -> None:
    pair, left, old = await linked(conflicts=ConflictPolicy.ASK)
    new = pair.right.create(ticket("Door", effort=7))
    pair.left.edit(left, edited(hours=5, note=None))
    pair.right.edit(old, edited(effort=9))

    await linking.relink(pair.world(), pair.sync(), left, new)
    report = await pair.run()

    (held,) = [item for item in report.plan.held if item.field == "hours ↔ effort"]
    assert held.left is not None
    assert same(held.left, value_of(5))
    assert same(pair.left.live(left).fields[FieldId("hours")], value_of(5))
    assert same(pair.right.live(old).fields[FieldId("effort")], value_of(9))


async def test_a_value_emptied_just_before_relinking_is_not_filled_from_the_new_one() -> None:
    pair, left, _ = await linked(conflicts=ConflictPolicy.ASK)
    new = pair.right.create(ticket("Door", effort=7))
    pair.left.edit(left, edited(hours=None))

    await linking.relink(pair.world(), pair.sync(), left, new)
    report = await pair.run()

    assert {item.field for item in report.plan.held} == {"hours ↔ effort"}
    assert same(pair.left.live(left).fields[FieldId("hours")], BLANK)


async def test_the_right_end_keeps_its_record_when_the_left_one_moves() -> None:
    pair, left, there = await linked()
    other = pair.left.create(task("Gate", hours=3))

    done = await linking.relink(pair.world(), pair.sync(), there, other)

    assert (done.left, done.right, done.released) == (other, there, left)


async def test_only_a_linked_record_is_relinked_and_only_to_a_free_one() -> None:
    pair, left, there = await linked()
    second = pair.left.create(task("Wall"))
    await pair.settled()

    with pytest.raises(SetupError, match="is linked with"):
        await linking.relink(pair.world(), pair.sync(), left, pair.key(Side.RIGHT, "Wall"))
    await linking.unlink(pair.world(), pair.sync(), second)
    with pytest.raises(SetupError, match="not linked"):
        await linking.relink(pair.world(), pair.sync(), second, there)

    assert pair.store.find_link(pair.sync().id, left)


async def test_a_key_that_both_sides_have_needs_its_side() -> None:
    pair = Pair()
    left = pair.left.create(task("Door"))
    await pair.settled()
    assert pair.key(Side.RIGHT, "Door") == left

    with pytest.raises(SetupError, match="--side"):
        await linking.unlink(pair.world(), pair.sync(), left)

    assert (await linking.unlink(pair.world(), pair.sync(), left, side=Side.RIGHT)).is_new
