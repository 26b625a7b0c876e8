"""Worlds and planner cases for as long as wanted, on all cores: `python -m tests.simulation.soak --seconds N`, or `make soak`.

Prints how many there were a minute. A world that fails is cut down and written as a scenario file that can be played again;
a case that fails is named by its seed. Answers with 1 when anything failed.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.planner import broken
from tests.simulation.play import played, script_of, shrunken
from tests.simulation.script import save

_CASES = 64
"""Planner cases between two worlds."""
_EVERY = 30.0


@dataclass
class Tally:
    """What the workers told so far."""

    counts: Counter[str] = field(default_factory=Counter[str])
    failures: list[str] = field(default_factory=list[str])


def main(arguments: list[str]) -> int:
    """Soak, and tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1_000_000, help="the first seed")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--out", type=Path, default=Path("build/soak"), help="where failing worlds are written"
    )
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    context = mp.get_context("spawn")
    told: mp.Queue[tuple[str, str]] = context.Queue()
    until = time.monotonic() + options.seconds
    workers = [
        context.Process(
            target=_work, args=(told, options.seed + number, options.workers, until, options.out), daemon=True
        )
        for number in range(options.workers)
    ]
    for worker in workers:
        worker.start()
    tally = _listen(told, workers, time.monotonic())
    _say(_summary(tally, options))
    for failure in tally.failures:
        _say(failure)
    return 1 if tally.failures else 0


def _listen(told: mp.Queue[tuple[str, str]], workers: list[mp.Process], began: float) -> Tally:
    tally, alive, last = Tally(), len(workers), began
    while alive:
        kind, text = told.get()
        if kind == "end":
            alive -= 1
        elif kind == "failed":
            tally.failures.append(text)
            _say(text)
        else:
            tally.counts[kind] += int(text)
        if time.monotonic() - last > _EVERY:
            last = time.monotonic()
            minutes = (last - began) / 60
            _say(f"{_counted(tally, minutes)}, {len(tally.failures)} failing")
    for worker in workers:
        worker.join()
        if worker.exitcode:
            tally.failures.append(f"a worker died with exit code {worker.exitcode}")
    return tally


def _counted(tally: Tally, minutes: float) -> str:
    kinds = ("worlds", "cases", "runs", "calls")
    return ", ".join(
        f"{tally.counts[kind]:,} {kind} ({tally.counts[kind] / minutes:,.0f}/min)" for kind in kinds
    )


def _summary(tally: Tally, options: argparse.Namespace) -> str:
    minutes = options.seconds / 60
    return (
        f"{_counted(tally, minutes)} in {minutes:.1f} minutes on {options.workers} workers, seeds from {options.seed}: "
        f"{len(tally.failures)} failing"
    )


def _work(told: mp.Queue[tuple[str, str]], seed: int, step: int, until: float, out: Path) -> None:
    """One worker: every so manieth seed."""
    try:
        while time.monotonic() < until:
            _one_world(told, seed, out)
            _some_cases(told, seed)
            seed += step
    finally:
        told.put(("end", ""))


def _one_world(told: mp.Queue[tuple[str, str]], seed: int, out: Path) -> None:
    world, faults = played(seed)
    told.put(("worlds", "1"))
    told.put(("runs", str(world.runs)))
    told.put(("calls", str(sum(door.counted.calls for door in world.doors.values()))))
    if faults:
        path = out / f"seed-{seed}.yaml"
        script = script_of(world, faults)
        save(script, path)
        told.put(("failed", f"world {seed}: {faults[0][:200]} (written to {path})"))
        save(shrunken(script), path)


def _some_cases(told: mp.Queue[tuple[str, str]], seed: int) -> None:
    for number in range(_CASES):
        for text in broken(seed * _CASES + number):
            told.put(("failed", text))
    told.put(("cases", str(_CASES)))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
