"""One world by its seed, with its trace; or many; or the whole recorded history: `python -m tests.simulation SEED`."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
import traceback

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
    parser.add_argument("seed", type=int)
    parser.add_argument("--count", type=int, default=1, help="so many seeds from this one on")
    parser.add_argument("--trace", action="store_true")
    options = parser.parse_args(arguments)
    began, bad = time.monotonic(), 0
    for seed in range(options.seed, options.seed + options.count):
        try:
            world, faults = played(seed, is_traced=options.trace)
        except Exception:
            print(f"seed {seed}:\n{traceback.format_exc()}")
            bad += 1
            continue
        if options.trace:
            print(world.weather)
            print("\n".join(world.lines))
        for fault in faults:
            print(f"seed {seed}: {fault}")
        bad += bool(faults)
    seconds = time.monotonic() - began
    print(f"{options.count} worlds, {bad} bad, {options.count / seconds:.1f} a second", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
