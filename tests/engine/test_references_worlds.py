"""People make records and let them point to each other on both sides, processes stop; in the end both sides say the same."""

from __future__ import annotations

import random

import pytest

from syncline.core.records import FieldId, RecordKey, Side, SyncId
from syncline.engine.parents import awaited
from syncline.engine.runs import Options
from tests.engine.crashing import Crash, Fuse
from tests.engine.family import ABOVE, CASE, MAIN, PROJECT, TYPES, Family

ACTS = 40


async def world(seed: int) -> Family:
    """What people and runs do, one after the other, until nothing is left to do."""
    dice = random.Random(seed)
    family = Family(is_turned=dice.random() < 0.5)
    for number in range(ACTS):
        family.clock.advance(7)
        if dice.random() < 0.35:
            await one_run(family, dice)
        else:
            edit(family, dice, number)
    family.clock.advance(600)
    await family.settled(20)
    return family


async def one_run(family: Family, dice: random.Random) -> None:
    """A run of one sync; every third one stops somewhere."""
    fuse = Fuse(dice.randint(1, 40)) if dice.random() < 0.35 else None
    try:
        await family.run(dice.choice(list(TYPES)), Options(is_full=dice.random() < 0.5), fuse)
    except Crash:
        family.clock.advance(600)


def edit(family: Family, dice: random.Random, number: int) -> None:
    """Somebody makes a record, or lets one point elsewhere, or renames it."""
    side, kind = dice.choice(list(Side)), dice.choice(["projects", "tasks", "tasks"])
    living = sorted(family.living(side, kind))
    if not living or dice.random() < 0.4:
        key = family.make(side, kind, f"{kind} {number}")
    else:
        key = dice.choice(living)
        if dice.random() < 0.2:
            family.rename(side, kind, key, f"{kind} {number}")
    if kind == "projects" and dice.random() < 0.5:
        tasks = sorted(family.living(side, "tasks"))
        family.edit(side, "projects", key, main=dice.choice(tasks) if tasks else None)
    if kind == "tasks" and dice.random() < 0.8:
        field = dice.choice([PROJECT if side is Side.LEFT else CASE, ABOVE])
        others = sorted(family.living(side, "tasks" if field == ABOVE else "projects"))
        wanted: RecordKey | None = dice.choice([*others, None]) if others else None
        family.edit(side, "tasks", key, **{field: wanted})


def mains(family: Family, side: Side) -> list[tuple[str, str | None]]:
    """The main task of each project of a side, by names."""
    return [
        (name, family.points(side, name, MAIN)) for name in sorted(family.living(side, "projects").values())
    ]


def told(family: Family, side: Side) -> list[tuple[str, str | None, str | None]]:
    """What each task of a side points to, by names."""
    names = sorted(family.living(side, "tasks").values())
    return [(name, family.points(side, name), family.points(side, name, FieldId("above"))) for name in names]


@pytest.mark.parametrize("seed", range(12))
async def test_both_sides_say_the_same_and_nothing_is_there_twice(seed: int) -> None:
    family = await world(seed)

    assert told(family, Side.LEFT) == told(family, Side.RIGHT)
    assert mains(family, Side.LEFT) == mains(family, Side.RIGHT)
    for side in Side:
        for kind in TYPES:
            names = list(family.living(side, kind).values())
            assert len(names) == len(set(names))
            assert len(names) == family.store.counts(SyncId(kind)).links
            assert awaited(family.store, SyncId(kind)) == ()
