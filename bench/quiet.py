"""A run that finds nothing to do: CPU and memory for each linked record, beside vdirsyncer's no-op sync in memory.

The accounts are filled, linked by one real run, and what a second run reads is recorded. Then, in a process of its own,
the real connectors, engine and SQLite file go through these bytes again; vdirsyncer gets a process of its own too. CPU
time counts both sides of a link.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench.accounts import SYNC, Accounts, Reach, StillClock, installed, run_once
from bench.figures import Figure, at_most
from bench.rival import Rival
from bench.wires import Recording, Replay
from syncline.connectors.http import Transport
from syncline.engine.runs import Options, run

SHARE = 0.1
_ROUNDS = 7
_ALONE = "bench.quiet"
_KIBIBYTES = 1 if sys.platform != "darwin" else 1024


class Spent(msgspec.Struct, frozen=True):
    """What one process needed: the least CPU time of its rounds, and memory above what it had before."""

    microseconds: float
    mebibytes: float


def figures(*, is_quick: bool) -> Iterator[Figure]:
    """Measure 10 k and 100 k linked records (quick: 1 k)."""
    for count in (1_000,) if is_quick else (10_000, 100_000):
        yield from measure(count)


def measure(count: int, rounds: int = 2) -> list[Figure]:
    """The figures of one size; the best of so many processes each."""
    with tempfile.TemporaryDirectory() as folder:
        alone("record", folder, count)
        # Turn about, so that a busy moment of the machine does not meet the same one twice.
        ours: list[Spent] = []
        theirs: list[Spent] = []
        for _ in range(rounds):
            theirs.append(alone("rival", folder, count))
            ours.append(alone("replay", folder, count))
    size = f"{count:,}"
    least, rival = _least(ours), _least(theirs)
    return [
        at_most(f"no-op run of {size} links", least.microseconds, "µs CPU/link", rival.microseconds, SHARE),
        at_most(f"memory of a no-op run, {size} links", least.mebibytes, "MiB", rival.mebibytes, 1.0),
    ]


def _least(all_spent: list[Spent]) -> Spent:
    return Spent(min(each.microseconds for each in all_spent), min(each.mebibytes for each in all_spent))


def alone(part: str, folder: str, count: int) -> Spent:
    """Run one part in a process of its own."""
    command = [sys.executable, "-m", _ALONE, part, folder, str(count)]
    return msgspec.json.decode(subprocess.run(command, check=True, capture_output=True).stdout, type=Spent)


async def record(folder: Path, count: int) -> Spent:
    """Fill and link the accounts, and keep what a run reads that finds nothing to do."""
    accounts = Accounts()
    await accounts.furnish()
    accounts.fill(count)
    store = folder / "syncline.db"
    home = installed(accounts.reach, store, accounts.clock, accounts.transport)
    linked = await run_once(home, accounts.clock)
    assert linked.counts.links == count
    assert linked.writes == 0
    await home.close()
    home = installed(accounts.reach, store, accounts.clock, Recording(accounts.transport, folder))
    assert (await run_once(home, accounts.clock)).is_quiet
    (folder / "reach.json").write_bytes(msgspec.json.encode(accounts.reach))
    await home.close()
    return Spent(0, 0)


async def replay(folder: Path, count: int) -> Spent:
    """Go through the kept bytes: once from the file for memory, then from memory for time."""
    wire = Replay(folder)
    before = peak()
    await _rounds(folder, count, wire, 1)
    held = peak() - before
    return Spent(min(await _rounds(folder, count, Replay(folder).all(), _ROUNDS)), held)


async def _rounds(folder: Path, count: int, wire: Transport, rounds: int) -> list[float]:
    """CPU microseconds for each link, of each round."""
    reach = msgspec.json.decode((folder / "reach.json").read_bytes(), type=Reach)
    clock = StillClock()
    home = installed(reach, folder / "syncline.db", clock, wire)
    sync = await home.sync(SYNC)
    (last,) = home.store.runs(sync.id, limit=1)
    clock.advance((last.started_at - clock.now()).total_seconds())
    spent: list[float] = []
    for _ in range(rounds):
        clock.advance(300)
        started = time.process_time()
        report = await run(home.world(), sync, home.jitter, Options())
        spent.append((time.process_time() - started) / count * 1e6)
        assert report.is_quiet
        assert report.listed_left == report.listed_right == count
    await home.close()
    return spent


def rival(count: int) -> Spent:
    """The no-op of vdirsyncer; its records and its status lie in memory, and count."""
    before = peak()
    other = Rival(count)
    spent = min(other.microseconds() for _ in range(max(2, _ROUNDS // 2)))
    held = peak() - before
    other.close()
    return Spent(spent, held)


def peak() -> float:
    """The most memory that this process ever held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIBIBYTES / 1024


def _main(part: str, folder: str, count: str) -> None:
    if part == "rival":
        spent = rival(int(count))
    else:
        work = record if part == "record" else replay
        spent = asyncio.run(work(Path(folder), int(count)))
    sys.stdout.buffer.write(msgspec.json.encode(spent))


if __name__ == "__main__":
    _main(*sys.argv[1:])
