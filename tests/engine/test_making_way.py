"""A long run that makes way for what somebody just edited: it ends between two writes, and the next one goes on."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from syncline.connectors.memory import When
from syncline.core.quota import Purpose
from syncline.core.records import RecordKey, Side, Write
from syncline.engine.report import Report, told
from syncline.engine.runs import Options, run
from tests.engine.pair import Pair, edited, task, ticket

_REST = Options(is_full=False, is_rest=True)


def after(writes: int) -> Callable[[], bool]:
    """Somebody waits once so many writes were asked about."""
    left = [writes]

    def makes_way() -> bool:
        left[0] -= 1
        return left[0] < 0

    return makes_way


async def run_until(pair: Pair, makes_way: Callable[[], bool], options: Options | None = None) -> Report:
    pair.clock.advance(60)
    world = replace(pair.world(), makes_way=makes_way)
    return await run(world, pair.sync(), random.Random(1).random, options)


@pytest.mark.parametrize("writes", [0, 1, 7, 30, 130, 170, 299])
async def test_a_run_that_makes_way_puts_off_the_rest_and_the_next_one_makes_it(writes: int) -> None:
    pair = Pair()
    for number in range(150):
        pair.left.create(task(f"Task {number}", hours=1))

    first = await run_until(pair, after(writes))
    done = len(pair.right.records)
    second = await pair.run(_REST)

    assert first.put_off == 150 - done
    assert first.put_off > 0 or writes > 149
    assert not first.failures
    assert first.unknown == 0
    assert second.left.total + second.right.total == 150 - done
    assert len(pair.right.records) == 150
    assert (await pair.run()).is_quiet


async def test_updates_and_deletions_that_were_put_off_are_made_by_a_listing_of_changes() -> None:
    pair = Pair()
    keys = [pair.left.create(task(f"Task {number}", hours=1)) for number in range(20)]
    await pair.settled()
    for number, key in enumerate(keys):
        pair.left.edit(key, edited(hours=number + 2))

    first = await run_until(pair, after(3), Options(is_full=False))
    second = await pair.run(_REST)

    assert first.writes + first.put_off == 20
    assert first.put_off > 0
    assert second.writes == first.put_off
    assert [pair.holds(Side.RIGHT)[f"Task {number}"]["effort"] for number in range(20)] == [
        edited(hours=number + 2)["hours"] for number in range(20)
    ]


async def test_what_was_put_off_is_told_with_the_run() -> None:
    pair = Pair()
    for number in range(5):
        pair.left.create(task(f"Task {number}"))

    report = await run_until(pair, after(0))

    stored = told(pair.store.runs(report.sync)[0])
    assert stored is not None
    assert stored.put_off == report.put_off == 5


async def test_an_edit_since_is_what_the_next_run_writes() -> None:
    pair = Pair()
    keys = [pair.left.create(task(f"Task {number}", hours=1)) for number in range(10)]

    await run_until(pair, after(2))
    for key in keys:
        pair.left.edit(key, edited(hours=9))
    await pair.settled()

    assert len(pair.right.records) == 10
    assert {str(each["effort"]) for each in pair.holds(Side.RIGHT).values()} == {str(edited(n=9)["n"])}


async def test_a_run_of_chosen_records_makes_way_for_nobody() -> None:
    pair = Pair()
    key = pair.left.create(task("Paint", hours=1))
    await pair.settled()
    pair.left.edit(key, edited(hours=2))

    report = await run_until(pair, after(0), Options(is_full=False, only=frozenset({(Side.LEFT, key)})))

    assert (report.writes, report.put_off) == (1, 0)


async def test_a_chosen_record_goes_before_all_that_was_put_off() -> None:
    pair = Pair()
    for number in range(150):
        pair.left.create(task(f"Task {number}"))
    await run_until(pair, after(0))
    new = pair.left.create(task("Urgent"))
    order = _order(pair)

    report = await pair.run(Options(is_full=False, only=frozenset({(Side.LEFT, new)})))

    assert order[0] == "Urgent"
    assert report.right.created == 1 + pair.sync().patience.beside
    assert report.put_off == 150 - pair.sync().patience.beside
    assert (await pair.run(_REST)).right.created == report.put_off


async def test_the_counterpart_of_a_chosen_record_may_be_among_those_put_off() -> None:
    pair = Pair()
    for number in range(3):
        pair.left.create(task(f"Task {number}"))
    await run_until(pair, after(0))
    twin = pair.right.create(ticket("Task 1"))

    await pair.run(Options(is_full=False, only=frozenset({(Side.RIGHT, twin)})))
    await pair.settled()

    assert len(pair.left.records) == len(pair.right.records) == 3


def test_the_rest_of_a_long_run_waits_behind_live_edits() -> None:
    assert _REST.purpose is Purpose.BULK
    assert Options(is_full=False).purpose is Purpose.LIVE
    assert replace(_REST, only=frozenset({(Side.LEFT, RecordKey("1"))})).purpose is Purpose.LIVE


def _order(pair: Pair) -> list[str]:
    """The titles of what is made on the right from now on, in their order."""
    order: list[str] = []

    def note(when: When, write: Write) -> None:
        if when is When.BEFORE:
            order.append(getattr(getattr(write, "fields", {}).get("title"), "text", ""))

    pair.right.faults = note
    return order
