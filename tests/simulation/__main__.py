"""One world by its seed or its script, or many, or a recorded history: `python -m tests.simulation SEED|FILE|history`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.simulation.history import replayed as retold
from tests.simulation.play import played, replayed, script_of, shrunken
from tests.simulation.script import load, save


def main(arguments: list[str]) -> int:
    """Play, print, and answer with 1 when a world is not as it should be."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("what", help="a seed, a script's file, or `history`")
    parser.add_argument("--count", type=int, default=1, help="so many seeds from this one on")
    parser.add_argument("--trace", action="store_true", help="tell all that happens")
    parser.add_argument("--shrink", type=Path, help="cut a failing world down, and write its script here")
    parser.add_argument("--all", action="store_true", help="the whole history")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    if options.what == "history":
        told = retold(1, None if options.all else 300)
        _say(f"{told.summary} in {time.monotonic() - began:.0f} s", *told.faults)
        return 1 if told.faults else 0
    if not options.what.isdigit():
        return _from_script(Path(options.what), is_traced=options.trace, target=options.shrink)
    bad = 0
    for seed in range(int(options.what), int(options.what) + options.count):
        world, faults = played(seed, is_traced=options.trace)
        _say(*([str(world.weather), *world.lines] if options.trace else []))
        _say(*(f"seed {seed}: {fault}" for fault in faults))
        bad += bool(faults)
        if faults and options.shrink:
            save(shrunken(script_of(world, faults), _tell), options.shrink)
    seconds = time.monotonic() - began
    _tell(f"{options.count} worlds, {bad} bad, {options.count / seconds:.1f} a second")
    return 1 if bad else 0


def _from_script(path: Path, *, is_traced: bool, target: Path | None) -> int:
    script = load(path)
    world, faults = replayed(script, is_traced=is_traced)
    _say(*([str(world.weather), *world.lines] if is_traced else []), *faults)
    if faults and target:
        save(shrunken(script_of(world, faults), _tell), target)
    return 1 if faults else 0


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
