"""A million linked records: memory and CPU of a full run, cost of a delta run, size of the database.

The records are generated page by page (`generated`), so that what is measured is the engine and its store. Each size has a
process of its own. What must not grow with the number of links stands beside the same at a small size, memory beside what
is allowed, and CPU time for each link beside vdirsyncer's at ten thousand.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from bench import quiet
from bench.accounts import StillClock
from bench.figures import Figure, at_most, told
from bench.generated import Account, seed, sync_of, values
from syncline.core.records import FieldId, Side
from syncline.core.values import Number
from syncline.engine.runs import Options, Report, run
from syncline.engine.sync import Sync, World
from syncline.store import open_store

ALLOWED_MIB = 300
GROWTH = 1.5
"""How much more a delta run may cost on the large database than on the small one: its trees are a level deeper."""
CHANGES = (0, 100, 1_000)
_RIVAL = 10_000
_ALONE = "bench.million"
_HOURS = FieldId("hours")


class Spent(msgspec.Struct, frozen=True):
    """What one process measured. CPU of a delta run in milliseconds by its number of changes."""

    full_microseconds: float
    full_mebibytes: float
    deltas: Mapping[int, float]
    bytes_per_link: float = 0


def figures(*, is_quick: bool) -> Iterator[Figure]:
    """Measure 1 M linked records beside 10 k (quick: 20 k beside 5 k)."""
    yield from measure(5_000, 20_000) if is_quick else measure(10_000, 1_000_000)


def measure(small: int, large: int, changes: tuple[int, ...] = CHANGES, rounds: int = 3) -> list[Figure]:
    """The figures of two sizes."""
    few, many = (_alone(count, changes, rounds) for count in (small, large))
    rival = quiet.alone("rival", "", min(_RIVAL, small)).microseconds
    return [*_of_full_runs(few, many, rival, f"{large:,}"), *_of_deltas(few, many, f"{large:,}")]


def _of_full_runs(few: Spent, many: Spent, rival: float, size: str) -> Iterator[Figure]:
    yield at_most(f"no-op run of {size} links", many.full_microseconds, "µs CPU/link", rival, quiet.SHARE)
    yield at_most(f"memory of a no-op run, {size} links", many.full_mebibytes, "MiB", ALLOWED_MIB, 1.0)
    yield told("database", many.bytes_per_link, "bytes/link", _payload())


def _of_deltas(few: Spent, many: Spent, size: str) -> Iterator[Figure]:
    for count, spent in many.deltas.items():
        name = f"delta run of {count:,} changes, {size} links"
        yield at_most(name, spent, "ms CPU", few.deltas[count], GROWTH)
    least, *_, most = many.deltas
    each = (many.deltas[most] - many.deltas[least]) / (most - least)
    yield told(
        "a change more in a delta run",
        each,
        "ms CPU",
        (few.deltas[most] - few.deltas[least]) / (most - least),
    )


def _payload() -> float:
    """Bytes of the values that both bases hold."""
    return 2.0 * len(msgspec.json.encode(values(100_000)))


def _alone(count: int, changes: tuple[int, ...], rounds: int) -> Spent:
    """Fill a database, then measure in another process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "syncline.db"
        seed(path, count)
        given = [str(path), str(count), ",".join(map(str, changes)), str(rounds)]
        command = [sys.executable, "-m", _ALONE, *given]
        size = path.stat().st_size / count
        measured = subprocess.run(command, check=True, capture_output=True).stdout
        return msgspec.structs.replace(msgspec.json.decode(measured, type=Spent), bytes_per_link=size)


class Office:
    """The two accounts and the database of one process."""

    def __init__(self, path: Path, count: int) -> None:
        self.clock = StillClock()
        self.accounts = {side: Account(side, count) for side in Side}
        self.sync: Sync = sync_of(self.accounts, self.clock)
        self.world = World(open_store(f"sqlite:///{path}"), self.clock)
        self._chance = random.Random(1)

    async def run(self, *, is_full: bool) -> tuple[Report, float]:
        """One run, and its CPU seconds."""
        self.clock.advance(300)
        started = time.process_time()
        report = await run(self.world, self.sync, lambda: 0.5, Options(is_full=is_full))
        return report, time.process_time() - started

    def edit(self, count: int) -> None:
        """People edit so many records on the left, here and there."""
        account = self.accounts[Side.LEFT]
        for number in self._chance.sample(range(1, account.count + 1), count):
            hours = account.record(number).fields[_HOURS]
            assert isinstance(hours, Number)
            account.edit(number, {_HOURS: Number(hours.number + 1)}, self.clock.now())


async def spent(path: Path, count: int, changes: tuple[int, ...], rounds: int) -> Spent:
    """Measure one size. Memory first: afterwards the peak is what it is."""
    before = peak()
    office = Office(path, count)
    full, full_peak = await _full(office, rounds), peak() - before
    deltas = {each: await _delta(office, each, rounds) for each in changes}
    return Spent(full / count * 1e6, full_peak, deltas)


async def _full(office: Office, rounds: int) -> float:
    """CPU seconds of the quickest full run."""
    quickest = float("inf")
    for _ in range(rounds):
        report, seconds = await office.run(is_full=True)
        assert report.is_quiet
        assert report.listed_left == report.counts.links == office.accounts[Side.LEFT].count
        quickest = min(quickest, seconds)
    return quickest


async def _delta(office: Office, changes: int, rounds: int) -> float:
    """CPU milliseconds of the quickest delta run with so many edits. What it wrote is listed once more, by a run that
    is not measured."""
    quickest = float("inf")
    for _ in range(rounds):
        office.edit(changes)
        report, seconds = await office.run(is_full=False)
        assert report.writes == changes
        assert (await office.run(is_full=False))[0].is_quiet
        quickest = min(quickest, seconds)
    return quickest * 1e3


def peak() -> float:
    """The most memory that this process ever held, in MiB. What it inherits from the process that started it does not
    count where the system tells the two apart."""
    status = Path("/proc/self/status")
    if not status.exists():
        return quiet.peak()
    (line,) = (each for each in status.read_text().splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _main(path: str, count: str, changes: str, rounds: str) -> None:
    measured = asyncio.run(spent(Path(path), int(count), tuple(map(int, changes.split(","))), int(rounds)))
    sys.stdout.buffer.write(msgspec.json.encode(measured))


if __name__ == "__main__":
    _main(*sys.argv[1:])
