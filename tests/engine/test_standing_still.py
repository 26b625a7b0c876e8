"""A process that stood still in the middle of a run, and woke up long after: it must not write what it decided before."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import pytest

from syncline.connectors.memory import MemoryConnector
from syncline.core.records import RecordKey, Scope, Side, Sighting
from syncline.engine.runs import Options, run
from syncline.engine.sync import Patience
from syncline.engine.undo import undo_run
from syncline.errors import BusyError
from tests.engine.pair import Pair, edited, task, value_of

LEASE = Patience().lease.total_seconds()
Meanwhile = Callable[[], Awaitable[object]]


class Sleeper(MemoryConnector):
    """Stands still whenever a record was read, before anybody could act on it."""

    meanwhile: list[Meanwhile]

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """As it was before standing still."""
        seen = await super().fetch(scope, key)
        if self.meanwhile:
            await self.meanwhile.pop(0)()
        return seen


async def sleeping(pair: Pair, key: RecordKey, *meanwhile: Meanwhile) -> None:
    """A run of one record, which stands still each time it has looked at the record on the other side."""
    awake, sleeper = pair.connectors[Side.RIGHT], Sleeper(pair.right, name="right")
    sleeper.meanwhile, pair.connectors[Side.RIGHT] = [*meanwhile], sleeper
    sync = pair.sync()
    pair.connectors[Side.RIGHT] = awake
    options = Options(is_full=False, only=frozenset({(Side.LEFT, key)}))
    await run(pair.world(), sync, random.Random(1).random, options)


def waiting(pair: Pair, seconds: float) -> Meanwhile:
    async def wait() -> None:
        pair.clock.advance(seconds)

    return wait


async def edited_pair() -> tuple[Pair, RecordKey]:
    pair = Pair()
    key = pair.left.create(task("Paint", hours=1))
    await pair.settled()
    pair.left.edit(key, edited(hours=2))
    return pair, key


def effort(pair: Pair) -> object:
    return pair.holds(Side.RIGHT)["Paint"]["effort"]


@pytest.mark.parametrize("seconds", [0.0, LEASE / 3, LEASE * 0.7])
async def test_a_run_that_was_silent_for_less_than_its_lease_goes_on(seconds: float) -> None:
    pair, key = await edited_pair()

    await sleeping(pair, key, waiting(pair, seconds))

    assert effort(pair) == value_of(2)


async def test_a_run_that_stood_still_after_its_last_look_writes_nothing_and_the_next_one_does() -> None:
    pair, key = await edited_pair()

    with pytest.raises(BusyError):
        # What was read so long ago is looked at again, right before the write.
        await sleeping(pair, key, waiting(pair, LEASE / 3), waiting(pair, LEASE))
    before = effort(pair)
    await pair.settled()

    assert (before, effort(pair)) == (value_of(1), value_of(2))


async def test_what_others_carried_meanwhile_is_not_overwritten() -> None:
    pair, key = await edited_pair()

    async def others() -> None:
        pair.clock.advance(LEASE)
        pair.left.edit(key, edited(hours=7))
        await pair.run()
        assert effort(pair) == value_of(7)

    with pytest.raises(BusyError):
        await sleeping(pair, key, others)

    assert effort(pair) == value_of(7)
    assert (await pair.settled()).is_quiet
    assert pair.store.questions() == []


async def test_a_clock_that_is_set_back_meanwhile_does_not_make_the_hold_last_longer() -> None:
    pair, key = await edited_pair()

    async def others() -> None:
        pair.clock.advance(LEASE * 2)
        pair.left.edit(key, edited(hours=7))
        await pair.run()
        pair.clock.advance(-3_600)

    with pytest.raises(BusyError):
        await sleeping(pair, key, others)

    assert effort(pair) == value_of(7)


async def test_an_undo_that_stood_still_after_its_last_look_puts_nothing_back() -> None:
    pair, _ = await edited_pair()
    wrong = await pair.run()
    sleeper = Sleeper(pair.right, name="right")
    # It reads once to plan, and once more right before it writes.
    sleeper.meanwhile = [waiting(pair, LEASE / 3), waiting(pair, LEASE)]
    pair.connectors[Side.RIGHT] = sleeper

    with pytest.raises(BusyError):
        await undo_run(pair.world(), pair.sync(), wrong.run, random.Random(1).random)

    assert effort(pair) == value_of(2)
