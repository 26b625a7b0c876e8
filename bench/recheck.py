"""Runs that decode every record although little or nothing must change: memory at two sizes, and CPU beside the no-op run.

Each size has a process of its own, on generated pages (`generated`). It resyncs everything, changes the mapping, counts
what another mapping would do (`diff`), and resyncs once more while people edit. A line that was added, and whose values
agree everywhere, has a new base in every link: what that takes is only told.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from bench.figures import Figure, at_most, told
from bench.generated import FIELD_COUNT, seed
from bench.million import ALLOWED_MIB, Office, peak
from syncline.core.brakes import BrakeName
from syncline.engine.impact import impact
from syncline.engine.runs import Options, Report, run
from syncline.engine.sync import Sync

EDITS = 100
"""So many links are edited at most, at any size; fewer where that would look like too many."""
GROWTH = 2.0
"""How much more memory a recheck may take with ten times as many links: eight bytes for each record tell where it waits."""
_ALONE = "bench.recheck"
_RECHECK = Options(is_recheck=True, release=frozenset({BrakeName.MAPPING_CHANGED}))


class Spent(msgspec.Struct, frozen=True):
    """What one process measured: CPU seconds of each kind of run, and the peak of all of them in MiB above idle."""

    noop: float
    resync: float
    mapping: float
    diff: float
    edited: float
    mebibytes: float


class Added(msgspec.Struct, frozen=True):
    """What a recheck took that stored a base for a new line in every link."""

    mebibytes: float


def figures(*, is_quick: bool) -> Iterator[Figure]:
    """Measure 20 k and 200 k links (quick: 2 k and 5 k)."""
    yield from measure(2_000, 5_000) if is_quick else measure(20_000, 200_000)


def figures_of_a_million(*, is_quick: bool) -> Iterator[Figure]:
    """The same with a million links: some minutes and 1.5 GB of disk."""
    yield from measure(2_000, 5_000) if is_quick else measure(20_000, 1_000_000)


def measure(small: int, large: int) -> list[Figure]:
    """The figures of two sizes."""
    few, many = (msgspec.json.decode(_alone("all", count), type=Spent) for count in (small, large))
    added = msgspec.json.decode(_alone("added", small), type=Added)
    return [*_memory(few, many, large), *_time(many, large), _of_an_added_line(added, small)]


def _memory(few: Spent, many: Spent, large: int) -> Iterator[Figure]:
    yield at_most(f"memory of rechecks, {large:,} links", many.mebibytes, "MiB", ALLOWED_MIB, 1.0)
    yield at_most("the same beside a small size", many.mebibytes, "MiB", few.mebibytes, GROWTH)


def _time(many: Spent, large: int) -> Iterator[Figure]:
    """CPU beside the no-op run of the same process."""
    each = 1e6 / large
    for name, seconds in (
        ("resync of everything", many.resync),
        ("resync of everything with a few edits", many.edited),
        ("run after a line was removed", many.mapping),
        ("diff of a mapping", many.diff),
    ):
        yield told(f"{name}, {large:,} links", seconds * each, "µs CPU/link", many.noop * each)


def _of_an_added_line(added: Added, count: int) -> Figure:
    name = f"memory of a new base for each of {count:,} links"
    return told(name, added.mebibytes * 1024 / count, "KiB/link", 0)


def _alone(part: str, count: int) -> bytes:
    """Fill a database, then measure in another process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "syncline.db"
        seed(path, count, FIELD_COUNT if part == "all" else FIELD_COUNT - 1)
        command = [sys.executable, "-m", _ALONE, part, str(path), str(count)]
        return subprocess.run(command, check=True, capture_output=True).stdout


async def spent(path: Path, count: int) -> Spent:
    """Measure one size."""
    before = peak()
    office = Office(path, count)
    noop, _ = await _timed(office, office.sync, Options())
    noop, _ = await _timed(office, office.sync, Options())
    resync, report = await _timed(office, office.sync, _RECHECK)
    assert report.is_quiet
    fewer = _without_last_line(office.sync)
    mapping, report = await _timed(office, fewer, _RECHECK)
    assert report.is_quiet
    diff = await _diff(office, fewer)
    edits = min(EDITS, count // 20)
    office.edit(edits)
    edited, report = await _timed(office, fewer, _RECHECK)
    assert report.writes == edits
    return Spent(noop, resync, mapping, diff, edited, peak() - before)


async def added(path: Path, count: int) -> Added:
    """Measure what a line takes that no base knows yet."""
    before = peak()
    office = Office(path, count)
    await _timed(office, _without_last_line(office.sync), Options())
    _, report = await _timed(office, office.sync, _RECHECK)
    assert report.writes == 0
    assert len(report.plan.steps) == count
    return Added(peak() - before)


async def _timed(office: Office, sync: Sync, options: Options) -> tuple[float, Report]:
    office.clock.advance(300)
    started = time.process_time()
    report = await run(office.world, sync, lambda: 0.5, options)
    seconds = time.process_time() - started
    assert report.listed_left == report.counts.links
    return seconds, report


async def _diff(office: Office, current: Sync) -> float:
    started = time.process_time()
    found = await impact(office.world, current, office.sync)
    assert found.records == 0
    return time.process_time() - started


def _without_last_line(sync: Sync) -> Sync:
    lenses = sync.rules.lenses[:-1]
    return replace(
        sync, rules=msgspec.structs.replace(sync.rules, lenses=lenses), mapping_digest="a line less"
    )


def _main(part: str, path: str, count: str) -> None:
    measure_it = spent if part == "all" else added
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(measure_it(Path(path), int(count)))))


if __name__ == "__main__":
    _main(*sys.argv[1:])
