"""Links made, cut, moved and refused by a person: the next runs keep to it, no edit is lost, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from syncline.connectors.memory import When
from syncline.core.decisions import Rule
from syncline.core.mapping import ConflictPolicy
from syncline.core.match import MatchMode
from syncline.core.memory import RunState, Standing
from syncline.core.records import Create, FieldId, LinkId, RecordKey, Side, Write
from syncline.core.values import BLANK, Text, same
from syncline.engine import linking, unlinked
from syncline.engine.linking import Done
from syncline.engine.runs import Options
from syncline.engine.sync import Sync, World
from syncline.errors import BusyError, RejectedError, SetupError, UnknownOutcomeError
from tests.engine.crashing import Crash, CrashingStore, Fuse
from tests.engine.pair import Pair, edited, task, ticket, value_of


def rules_of(pair: Pair, key: RecordKey) -> list[Rule]:
    """What the history tells of a record as a whole."""
    return [entry.rule for entry in pair.store.history(pair.sync().id, key) if not entry.field]


def standing(pair: Pair, side: Side, key: RecordKey) -> Standing:
    """How a record stands."""
    return pair.store.seen(pair.sync().id, side, [key])[key].standing


def apart_keys(
    mode: MatchMode = MatchMode.MATCH_THEN_CREATE, conflicts: ConflictPolicy = ConflictPolicy.NEWEST
) -> Pair:
    """A world in which no key stands for a record on both sides."""
    pair = Pair(mode=mode, conflicts=conflicts)
    pair.right.sequence = 100
    return pair


async def strangers() -> tuple[Pair, RecordKey, RecordKey]:
    """A sync that only matches, and two records that are the same thing under two names."""
    pair = apart_keys(mode=MatchMode.MATCH_ONLY)
    left = pair.left.create(task("Paint the fence", hours=1, note="oak", labels=["a"]))
    pair.clock.advance(10)
    there = pair.right.create(ticket("Fence: paint it", effort=2, tags=["b"]))
    await pair.run()
    return pair, left, there


async def twins() -> tuple[Pair, RecordKey, RecordKey, RecordKey]:
    """One record on the left, two with its name on the right: nobody can tell which it is."""
    pair = apart_keys()
    left = pair.left.create(task("Door", hours=1))
    pair.clock.advance(10)
    first = pair.right.create(ticket("Door", effort=2))
    second = pair.right.create(ticket("Door", effort=3))
    await pair.run()
    return pair, left, first, second


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


async def linked(conflicts: ConflictPolicy = ConflictPolicy.NEWEST) -> tuple[Pair, RecordKey, RecordKey]:
    """Two records in step."""
    pair = apart_keys(conflicts=conflicts)
    left = pair.left.create(task("Door", hours=1, note="oak"))
    await pair.settled()
    return pair, left, pair.key(Side.RIGHT, "Door")


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


# --- kept apart, released, copied -------------------------------------------------------------------------------------


async def test_kept_apart_the_other_twin_is_matched_and_no_second_copy_is_made() -> None:
    pair, left, first, second = await twins()

    await linking.separate(pair.world(), pair.sync(), left, first, "the back door")
    report = await pair.run()

    assert pair.store.find_link(pair.sync().id, left) == pair.store.find_link(pair.sync().id, second)
    assert [(item.rule, item.right_key) for item in report.plan.held] == [(Rule.KEPT_APART, first)]
    assert (report.left.created, report.right.created) == (0, 0)
    assert not [each for each in await unlinked.candidates(pair.world(), pair.sync()) if each.right == first]


async def test_a_copy_is_made_when_a_person_says_so_and_only_one() -> None:
    pair, left, first, _ = await twins()
    await linking.separate(pair.world(), pair.sync(), left, first)
    await pair.run()

    await linking.copy(pair.world(), pair.sync(), first)
    await pair.settled()

    assert len(pair.left.records) == 2
    assert standing(pair, Side.RIGHT, first) is Standing.LINKED
    assert pair.store.questions() == []


async def test_the_wish_for_a_copy_outlives_a_write_that_failed() -> None:
    pair, left, _ = await strangers()
    await linking.copy(pair.world(), pair.sync(), left)

    def cut(when: When, write: Write) -> None:
        if when is When.AFTER and isinstance(write, Create):
            pair.right.faults = lambda _when, _write: None
            raise UnknownOutcomeError("cut")

    pair.right.faults = cut
    await pair.run()
    await pair.settled()

    assert len(pair.right.records) == 2
    assert standing(pair, Side.LEFT, left) is Standing.LINKED


async def test_an_unlinked_record_is_copied_anew_and_its_old_copy_stays_alone() -> None:
    pair, left, old = await linked()
    await linking.unlink(pair.world(), pair.sync(), left)

    await linking.copy(pair.world(), pair.sync(), left)
    await pair.settled()

    assert len(pair.right.records) == 2
    marks = [each.external_key for each in pair.right.records.values()]
    assert len(set(marks)) == 2
    assert standing(pair, Side.RIGHT, old) is Standing.RELEASED


async def test_a_recalled_record_is_not_copied_while_its_old_copy_goes_on_alone() -> None:
    pair, left, _ = await linked()
    await linking.unlink(pair.world(), pair.sync(), left, keep_apart=False)

    await linking.recall(pair.world(), pair.sync(), left)
    report = await pair.run()

    assert [item.rule for item in report.plan.held] == [Rule.KEPT_APART]
    assert len(pair.right.records) == 1


async def test_a_released_record_is_asked_about_no_more_until_it_is_recalled() -> None:
    pair, left, there = await strangers()
    assert len(pair.store.questions()) == 2

    await linking.release(pair.world(), pair.sync(), left)
    await linking.release(pair.world(), pair.sync(), there)
    assert (await pair.run()).plan.held == ()
    await linking.recall(pair.world(), pair.sync(), left)

    assert [item.left_key for item in (await pair.run()).plan.held] == [left]
    assert rules_of(pair, left) == [Rule.RELEASED_BY_HAND, Rule.RECALLED_BY_HAND]


async def test_rejoined_they_are_matched_again() -> None:
    pair = apart_keys()
    left, there = pair.left.create(task("Door")), pair.right.create(ticket("Door"))
    await linking.separate(pair.world(), pair.sync(), left, there)
    assert len((await pair.run()).plan.held) == 2

    await linking.rejoin(pair.world(), pair.sync(), left, there)
    await pair.run()

    assert pair.store.counts(pair.sync().id).links == 1


async def test_linked_records_are_not_kept_apart_released_recalled_or_copied() -> None:
    pair, left, there = await linked()

    for refused in (
        linking.separate(pair.world(), pair.sync(), left, there),
        linking.release(pair.world(), pair.sync(), left),
        linking.recall(pair.world(), pair.sync(), left),
        linking.copy(pair.world(), pair.sync(), left),
    ):
        with pytest.raises(SetupError, match="linked"):
            await refused


# --- what a person chooses from ---------------------------------------------------------------------------------------


async def test_a_person_sees_who_may_be_meant_and_why() -> None:
    pair, left, there = await strangers()

    (found,) = await unlinked.candidates(pair.world(), pair.sync(), left)

    assert (found.left, found.right, found.by) == (left, there, "")
    assert 0.3 < found.score < 0.9
    assert found.reasons[0].line == "name ↔ title"
    assert found.reasons[0].text.endswith("% alike")


async def test_a_group_shows_its_candidates() -> None:
    pair, left, first, second = await twins()

    (group,) = unlinked.groups(pair.world(), pair.sync())

    assert [each.key for each in group.right] == [first, second]
    assert {(each.left, each.right, each.by) for each in group.candidates} == {
        (left, first, "key fields"),
        (left, second, "key fields"),
    }
    assert {each.rule for each in unlinked.waiting(pair.world(), pair.sync())} == {Rule.AMBIGUOUS}


async def test_released_records_are_candidates_by_their_titles() -> None:
    pair, left, old = await linked()
    await linking.unlink(pair.world(), pair.sync(), left)
    other = pair.left.create(task("Doors"))
    await linking.release(*(await _seen(pair)), other)

    found = await unlinked.candidates(pair.world(), pair.sync(), other)

    assert [each.right for each in found] == [old]
    # Never its old partner.
    assert await unlinked.candidates(pair.world(), pair.sync(), left) == ()


async def _seen(pair: Pair) -> tuple[World, Sync]:
    """See what is there, without copying it."""
    pair.mode = MatchMode.MATCH_ONLY
    await pair.run()
    return pair.world(), pair.sync()


# --- once, twice, or stopped in the middle ----------------------------------------------------------------------------

Deed = Callable[[World, Pair, dict[str, RecordKey]], Awaitable[Done]]


async def ready() -> tuple[Pair, dict[str, RecordKey]]:
    """One link, and a free record on each side."""
    pair = apart_keys(conflicts=ConflictPolicy.ASK)
    keys = {"left": pair.left.create(task("Door", hours=1))}
    await pair.settled()
    pair.mode = MatchMode.MATCH_ONLY
    keys["right"] = pair.key(Side.RIGHT, "Door")
    keys["free left"] = pair.left.create(task("Gate", hours=2))
    keys["free right"] = pair.right.create(ticket("Portal", effort=3))
    await pair.run()
    return pair, keys


DEEDS: dict[str, Deed] = {
    "link": lambda world, pair, keys: linking.link(world, pair.sync(), keys["free left"], keys["free right"]),
    "unlink": lambda world, pair, keys: linking.unlink(world, pair.sync(), keys["left"]),
    "relink": lambda world, pair, keys: linking.relink(world, pair.sync(), keys["left"], keys["free right"]),
    "apart": lambda world, pair, keys: linking.separate(
        world, pair.sync(), keys["free left"], keys["free right"]
    ),
    "release": lambda world, pair, keys: linking.release(world, pair.sync(), keys["free left"]),
    "copy": lambda world, pair, keys: linking.copy(world, pair.sync(), keys["free left"]),
}
each_deed = pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)


def memory(pair: Pair, keys: dict[str, RecordKey]) -> object:
    """All that a deed can change in our memory, without run numbers and times."""
    sync = pair.sync().id
    seen = [
        (side, key, one.standing, one.is_settled, one.link, one.fields)
        for side in Side
        for key, one in sorted(pair.store.seen(sync, side, sorted(set(keys.values()))).items())
    ]
    links = {
        number: (link.left.key, link.right.key, link.base)
        for number, link in pair.store.links(sync, map(LinkId, range(1, 9))).items()
    }
    asked = [(q.held.rule, q.held.left_key, q.held.right_key) for q in pair.store.questions(sync)]
    apart = [(each.left, each.right) for each in pair.store.apart(sync)]
    told = [(e.rule, e.left_key, e.right_key, e.link) for e in pair.store.history(sync)]
    copies = (pair.store.recall(sync, "copies") or "").count("word")
    return seen, links, asked, apart, told, copies


@each_deed
async def test_twice_is_once(deed: Deed) -> None:
    pair, keys = await ready()
    first = await deed(pair.world(), pair, keys)
    after, runs = memory(pair, keys), len(pair.store.runs(pair.sync().id))

    second = await deed(pair.world(), pair, keys)

    assert (first.is_new, second.is_new) == (True, False)
    assert first.left == second.left
    assert memory(pair, keys) == after
    assert len(pair.store.runs(pair.sync().id)) == runs


@each_deed
async def test_stopped_after_any_effect_it_is_done_whole_or_not_at_all(deed: Deed) -> None:
    pair, keys = await ready()
    before = memory(pair, keys)
    await deed(pair.world(), pair, keys)
    wanted = memory(pair, keys)
    at, stopped = 1, 0
    while True:
        pair, keys = await ready()
        fuse = Fuse(at)
        world = replace(pair.world(), store=CrashingStore(pair.store, fuse))  # type: ignore[arg-type] - forwards
        try:
            await deed(world, pair, keys)
        except Crash:
            stopped += 1
            assert memory(pair, keys) in (before, wanted), fuse.effects
            # The dead process's lease runs out; saying it again ends in the same.
            pair.clock.advance(120)
            await deed(pair.world(), pair, keys)
        assert memory(pair, keys) == wanted, fuse.effects
        if not fuse.is_blown:
            break
        at += 1
    assert stopped >= 2


async def test_every_deed_is_in_the_audit_trail_without_values() -> None:
    pair, keys = await ready()
    for name in ("relink", "apart", "copy", "unlink"):
        if name == "apart":
            continue
        await DEEDS[name](pair.world(), pair, keys)

    trail = [entry for entry in pair.store.audit_trail() if entry.kind in ("linked", "unlinked")]

    assert [entry.kind for entry in trail] == ["unlinked", "linked", "linked", "unlinked"]
    assert all(
        word not in bytes(entry.body).decode() for entry in trail for word in ("Door", "Portal", "Gate")
    )


async def test_a_refused_copy_does_not_tie_the_record_that_carries_its_mark() -> None:
    pair, left, old = await linked()
    await linking.unlink(pair.world(), pair.sync(), left, keep_apart=False)
    other = pair.left.create(task("Gate"))
    await linking.link(pair.world(), pair.sync(), other, old)
    await linking.recall(pair.world(), pair.sync(), left)
    calls: list[Write] = []

    def taken(when: When, write: Write) -> None:
        if when is When.BEFORE and isinstance(write, Create):
            calls.append(write)
            raise RejectedError("another record has this value", is_duplicate=True)

    # The old copy carries the mark of the first record, and is another one's counterpart by now.
    pair.right.faults = taken
    for _ in range(3):
        await pair.run()

    assert calls
    assert pair.store.find_link(pair.sync().id, old) == pair.store.find_link(pair.sync().id, other)
    assert standing(pair, Side.LEFT, left) is Standing.WAITING
