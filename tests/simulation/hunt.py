"""Seeds into the first world or planner case that shows something wrong, with the engine that this process imports.

Run by `bugs` in a process of its own, with a deliberate bug in the engine: `python -m tests.simulation.hunt FOLDER
--first SEED --worlds N`. Names each seed before it is played, so that one that falls over is known too.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import syncline
from tests.simulation.planner import broken
from tests.simulation.play import played

CASES = 16
"""Planner cases before each world."""
_SECONDS = 30.0
"""What a world may take of the processor; one takes a quarter of a second."""


class EndlessError(Exception):
    """A world that does not come to an end."""


def main(arguments: list[str]) -> int:
    """Hunt; answers with 1, and the fault in the last line, when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.hunt", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the engine must come from")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--worlds", type=int, default=1)
    options = parser.parse_args(arguments)
    found = Path(syncline.__file__).parents[1]
    if found != options.folder.resolve():
        parser.error(f"the engine comes from {found}, not from {options.folder}")
    signal.signal(signal.SIGVTALRM, _stop)
    for seed in range(options.first, options.first + options.worlds):
        _say(f"seed {seed}")
        signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
        fault = next(_faults(seed), None)
        if fault is not None:
            _say(" ".join(fault.split()))
            return 1
    return 0


def _faults(seed: int) -> Iterator[str]:
    for number in range(seed * CASES, (seed + 1) * CASES):
        yield from broken(number)
    yield from (f"world: {fault}" for fault in played(seed)[1])


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise EndlessError(f"still playing after {_SECONDS:.0f} seconds")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
