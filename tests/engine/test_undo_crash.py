"""An undo of everything that a run can do is stopped after each single effect; undoing again ends where it would have."""

from __future__ import annotations

import dataclasses
import random

import pytest

from syncline.core.records import RunId, Side
from syncline.engine.sync import World
from syncline.engine.undo import Undone, undo_run
from tests.engine.crashing import Crash, CrashingConnector, CrashingStore, Fuse
from tests.engine.pair import Pair
from tests.engine.test_crash import KEYS_ON_THE_RIGHT, End, end_of, finished, prepared


async def done(*, has_external_keys: bool) -> tuple[Pair, RunId]:
    """A world after the run that is to be taken back."""
    pair = await prepared(has_external_keys=has_external_keys)
    report = await pair.run()
    await pair.settled()
    return pair, report.run


async def take_back(pair: Pair, run: RunId, fuse: Fuse) -> Undone | None:
    """One undo behind a fuse; None when it blew."""
    whole = pair.sync()
    setups = {
        side: dataclasses.replace(
            whole.side(side),
            connector=CrashingConnector(whole.side(side).connector, fuse, side.value),
        )
        for side in Side
    }
    sync = dataclasses.replace(whole, left=setups[Side.LEFT], right=setups[Side.RIGHT])
    world = World(CrashingStore(pair.store, fuse), pair.clock)  # type: ignore[arg-type] - forwards what it does not wrap
    pair.clock.advance(60)
    try:
        return await undo_run(world, sync, run, random.Random(1).random)
    except Crash:
        return None


async def undisturbed(*, has_external_keys: bool) -> End:
    """Where it is to end."""
    pair, run = await done(has_external_keys=has_external_keys)
    await take_back(pair, run, Fuse())
    await finished(pair)
    return without_losses(pair)


def without_losses(pair: Pair) -> End:
    """Both accounts and what is asked. A record brought back in two goes is told of twice."""
    return dataclasses.replace(end_of(pair), lost=frozenset())


@KEYS_ON_THE_RIGHT
async def test_an_undo_of_everything_takes_everything_back_and_the_next_run_is_quiet(
    has_external_keys: bool,
) -> None:
    pair, run = await done(has_external_keys=has_external_keys)

    undone = await take_back(pair, run, Fuse())

    assert undone is not None
    assert undone.failures == ()
    assert undone.done > 8
    assert (await pair.run()).is_quiet
    held = pair.holds(Side.RIGHT)
    assert "New left" not in held
    assert "New right" not in pair.holds(Side.LEFT)
    assert "Deleted left" in held
    assert "Renamed" in held


@KEYS_ON_THE_RIGHT
@pytest.mark.parametrize("part", range(2))
async def test_stopping_after_any_effect_and_undoing_again_ends_the_same(
    part: int, has_external_keys: bool
) -> None:
    wanted = await undisturbed(has_external_keys=has_external_keys)
    at, stopped = 1 + 2 * part, 0
    while True:
        pair, run = await done(has_external_keys=has_external_keys)
        fuse = Fuse(at)
        if await take_back(pair, run, fuse) is not None:
            break
        stopped += 1
        await finished(pair)
        again = await take_back(pair, run, Fuse())
        assert again is not None
        await finished(pair)
        assert without_losses(pair) == wanted, f"stopped after effect {at}, {fuse.effects[-1]}"
        at += 4
    assert stopped > 10
