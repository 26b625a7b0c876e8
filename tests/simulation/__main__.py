"""One world by its seed, with its trace, or many; or a recorded history: `python -m tests.simulation SEED [--trace]`."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from tests.simulation.history import replayed
from tests.simulation.invariants import check
from tests.simulation.world import World


def played(seed: int, *, is_traced: bool = False) -> tuple[World, list[str]]:
    """A world after its script, and what is wrong with it."""
    world = World(seed, is_traced)

    async def play() -> list[str]:
        try:
            await world.play()
        except AssertionError as error:
            return [str(error)]
        return check(world)

    try:
        return world, asyncio.run(play())
    finally:
        world.store.close()


def main(arguments: list[str]) -> int:
    """Play, print, and answer with 1 when a world is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", help="a number, or `history`")
    parser.add_argument("--count", type=int, default=1, help="so many seeds from this one on")
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--all", action="store_true", help="the whole history")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    if options.seed == "history":
        told = replayed(1, None if options.all else 300)
        _say(f"{told.summary} in {time.monotonic() - began:.0f} s", *told.faults)
        return 1 if told.faults else 0
    bad = 0
    for seed in range(int(options.seed), int(options.seed) + options.count):
        world, faults = played(seed, is_traced=options.trace)
        _say(*([str(world.weather), *world.lines] if options.trace else []))
        _say(*(f"seed {seed}: {fault}" for fault in faults))
        bad += bool(faults)
    seconds = time.monotonic() - began
    sys.stderr.write(f"{options.count} worlds, {bad} bad, {options.count / seconds:.1f} a second\n")
    return 1 if bad else 0


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
