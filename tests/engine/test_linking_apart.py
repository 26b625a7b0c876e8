"""Records kept apart, released and copied by a person; every deed done once, twice, or stopped in the middle."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from syncline.connectors.memory import When
from syncline.core.decisions import Rule
from syncline.core.mapping import ConflictPolicy
from syncline.core.match import MatchMode
from syncline.core.memory import Standing
from syncline.core.records import Create, LinkId, RecordKey, Side, Write
from syncline.engine import linking, unlinked
from syncline.engine.linking import Done
from syncline.engine.sync import Sync, World
from syncline.errors import RejectedError, SetupError, UnknownOutcomeError
from tests.engine.crashing import Crash, CrashingStore, Fuse
from tests.engine.pair import Pair, task, ticket
from tests.engine.strangers import apart_keys, linked, rules_of, standing, strangers, twins

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
