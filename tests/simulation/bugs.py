"""Deliberate bugs in the engine into who catches them: `python -m tests.simulation.bugs [NAME…] [--dice] [--worlds N]`, or
`make bugs`.

Each bug is put into a private copy of the engine. A bug that needs a suite of its own names it; one that the dice seldom
show has a world of its own (`wanted`); for all others, and for all of them with `--dice`, worlds and planner cases are
played until something is found to be wrong (`hunt`). What fails without the bug too is no catch. Answers with 1 when a
bug gets away.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.seeded import BUGS, Bug

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
WANTED = Path(__file__).parent / "wanted"
"""A world for a bug, as `NAME.yaml`: written by hand, or found by the dice and cut down."""


@dataclass(frozen=True)
class Verdict:
    """Who caught a bug (nobody: empty), and after how many worlds (None: a suite or a world of its own was asked)."""

    bug: Bug
    caught_by: str
    worlds: int | None


def main(arguments: list[str]) -> int:
    """Seed, hunt, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.bugs", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these bugs")
    parser.add_argument(
        "--worlds", type=int, default=200, help="so many worlds for a bug that nothing catches"
    )
    parser.add_argument(
        "--dice", action="store_true", help="ask neither suites nor worlds that were made for a bug"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - {bug.name for bug in BUGS}):
        parser.error(
            f"no bug is called {', '.join(unknown)}; there are {', '.join(bug.name for bug in BUGS)}"
        )
    chosen = [bug for bug in BUGS if not options.names or bug.name in options.names]
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(options.workers) as pool:
        sound = snapshot(Path(place) / "sound")
        hunts = [pool.submit(hunted, bug, sound, options.worlds, by_dice=options.dice) for bug in chosen]
        verdicts = [_told(each.result()) for each in hunts]
    caught = sum(bool(each.caught_by) for each in verdicts)
    _say(f"\n{caught} of {len(verdicts)} bugs caught")
    return 0 if caught == len(verdicts) else 1


def snapshot(to: Path) -> Path:
    """A copy of the engine as it is now: whoever edits it meanwhile disturbs no hunt."""
    shutil.copytree(SOURCE / "syncline", to / "syncline")
    return to


def seed(bug: Bug, source: Path) -> None:
    """Put a bug into a copy of the engine. Raises `ValueError` when its place is not found exactly once."""
    path = source / "syncline" / bug.file
    text = path.read_text()
    if (count := text.count(bug.old)) != 1:
        raise ValueError(
            f"{bug.name}: its old text is found {count} times in {bug.file}; look for where it went"
        )
    changed = text.replace(bug.old, bug.new)
    compile(changed, bug.file, "exec")
    path.write_text(changed)
    for stale in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        stale.unlink()


def hunted(bug: Bug, sound: Path, worlds: int, *, by_dice: bool = False) -> Verdict:
    """Seed one bug into a copy of a sound engine, and look who catches it."""
    copy = sound.with_name(bug.name)
    shutil.copytree(sound, copy)
    seed(bug, copy)
    if bug.suite and not by_dice:
        return Verdict(bug, _by_suite(copy, bug.suite), None)
    own = WANTED / f"{bug.name}.yaml"
    if own.exists() and not by_dice:
        fault = "" if fault_in(sound, own) else fault_in(copy, own)
        return Verdict(bug, fault and f"wanted/{own.name}: {fault}", None)
    first = 1
    while first <= worlds:
        number, fault = first_fault(copy, first, worlds + 1 - first)
        if not fault:
            break
        if not first_fault(sound, number, 1)[1]:
            return Verdict(bug, f"seed {number}: {fault}", number)
        first = number + 1
    return Verdict(bug, "", worlds)


def first_fault(source: Path, first: int, worlds: int) -> tuple[int, str]:
    """The first seed that shows something wrong, and what; an empty text when none does."""
    done = _run(source, "tests.simulation.hunt", str(source), "--first", str(first), "--worlds", str(worlds))
    lines = done.stdout.splitlines()
    if done.returncode == 0:
        return first + worlds - 1, ""
    numbers = [int(line.removeprefix("seed ")) for line in lines if re.fullmatch(r"seed \d+", line)]
    if done.returncode != 1 or not numbers:
        raise RuntimeError(f"the hunt ended with {done.returncode} after {lines[-1:]}: {done.stderr}")
    fell = f"the engine fell: {(done.stderr.splitlines() or ['?'])[-1]}"
    return numbers[-1], fell if done.stderr else lines[-1]


def fault_in(source: Path, script: Path) -> str:
    """What is wrong at the end of a world that is played from its file; an empty text for nothing."""
    done = _run(source, "tests.simulation", str(script))
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{script} could not be played: {done.stderr}")
    return "" if done.returncode == 0 else [*done.stderr.splitlines()[-1:], *done.stdout.splitlines()][0]


def _by_suite(source: Path, suite: Sequence[str]) -> str:
    """The first test of a suite that fails."""
    done = _run(source, "pytest", *suite, "-x", "-q", "-rf", "-p", "no:cacheprovider")
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the suite {' '.join(suite)} could not be asked: {done.stdout}{done.stderr}")
    failed = re.search(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    return "" if done.returncode == 0 else failed[1] if failed else " ".join(suite)


def _run(source: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def _told(verdict: Verdict) -> Verdict:
    bug, caught = verdict.bug, verdict.caught_by or "NOBODY"
    worlds = "-" if verdict.worlds is None else str(verdict.worlds)
    _say(f"{bug.name:<38} {worlds:>6}  {caught[:170]}")
    return verdict


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
