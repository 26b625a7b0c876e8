"""API calls per changed record, over stand-ins in memory.

Linked records; some are edited on one side, then the sync runs: what it calls beyond an empty run of the same mode, for
each edited record. The least possible is one write for each. The run after it is told too: that is where a loop would
show. The time stands still meanwhile, and the stand-in's index does not lag; where a search index may (the setting
`search_lag`, two minutes unless changed), a record is read again before it is written over, which is a second call.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.accounts import OBJECT, Accounts, installed, run_once
from bench.figures import Figure, at_most, told
from syncline.bootstrap import Installation

SHARE = 1.05
_LEAST = 1.0
_USUAL_LAG = 120


@dataclass(frozen=True, slots=True)
class _World:
    accounts: Accounts
    home: Installation

    async def calls(self, *, is_full: bool, writes: int = 0) -> int:
        """What one run calls; it must write so much."""
        report = await run_once(self.home, self.accounts.clock, is_full=is_full)
        assert report.writes == writes, f"{report.writes} writes instead of {writes}"
        return report.calls_left + report.calls_right

    def edit_left(self, number: int, text: str) -> None:
        """A person edits a task."""
        task = self.accounts.task_ids[number]
        self.accounts.ac.control("update_task", {"task": task, "name": f"{number} {text}", "estimate": 4})

    def edit_right(self, number: int, text: str) -> None:
        """A person edits a ticket."""
        properties = {"title": f"{number} {text}", "hours": 3}
        wish: dict[str, object] = {"object": OBJECT, "id": self.accounts.ticket_ids[number]}
        self.accounts.hl.control("update_record", wish | {"properties": properties})


def figures(*, is_quick: bool) -> Iterator[Figure]:
    """Edits on either side, found by a full listing and by a delta."""
    count, changed = (200, 40) if is_quick else (2_000, 400)
    yield from asyncio.run(measure(count, changed))


async def measure(count: int, changed: int) -> list[Figure]:
    """The figures for so many linked and so many edited records."""
    found: list[Figure] = []
    chosen = random.Random(1).sample(range(count), changed)
    async with _linked(count, 0) as world:
        for side, edit in (("ActiveCollab", world.edit_left), ("HighLevel", world.edit_right)):
            for mode in ("full", "delta"):
                beyond = await _beyond(world, edit, chosen, f"{side} {mode}", is_full=mode == "full")
                name = f"calls per {side} edit, {mode} run"
                found += [
                    at_most(name, beyond[0], "calls", _LEAST, SHARE),
                    told(f"{name}: in the run after", beyond[1], "calls", 0),
                ]
    async with _linked(count, _USUAL_LAG) as world:
        beyond = await _beyond(world, world.edit_left, chosen, "lag", is_full=True)
        name = f"calls per ActiveCollab edit, index {_USUAL_LAG} s behind"
        found.append(told(name, beyond[0], "calls", _LEAST))
    return found


@asynccontextmanager
async def _linked(count: int, search_lag: float) -> AsyncGenerator[_World, None]:
    accounts = Accounts()
    await accounts.furnish()
    accounts.fill(count)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "syncline.db"
        home = installed(accounts.reach, store, accounts.clock, accounts.transport, search_lag=search_lag)
        world = _World(accounts, home)
        await world.calls(is_full=True)
        yield world
        await home.close()


async def _beyond(
    world: _World, edit: Callable[[int, str], None], chosen: Sequence[int], text: str, *, is_full: bool
) -> tuple[float, float]:
    """Calls beyond an empty run, for each edited record: in the run that finds the edits, and in the one after it."""
    empty = 0
    for _ in range(3):
        # What the last edits left behind: a listing is believed only some time after the last change in it.
        empty = await world.calls(is_full=is_full)
    for number in chosen:
        edit(number, text)
    spent = await world.calls(is_full=is_full, writes=len(chosen))
    after = await world.calls(is_full=is_full)
    return (spent - empty) / len(chosen), (after - empty) / len(chosen)
