"""Workers killed, paused and cut off for as long as wanted: `python -m tests.jobs.soak --seconds N`, or `make soak`.

Events of many records come in all the time while worker processes are killed (-9) or paused past their heartbeat, and
PostgreSQL loses its power. At the end everything must have been applied, once, in order for each record, with nobody's
help: there is no tick here that would wake what a queue has lost. Answers with 1 when something is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator

import psycopg

from syncline.bootstrap import SystemClock
from syncline.jobs.pgqueuer import PgQueuerJobs
from tests.jobs.labour import KIND, connected, prepare, safe, verdict
from tests.jobs.samples import limits
from tests.jobs.test_processes import worker
from tests.store.postgres import empty_database, server

_RECORDS = 40
_BATCH = 10
_PAUSED = 8.0
_SETTLED_WITHIN = 120.0


class Trouble:
    """What happens to the workers and to their database."""

    def __init__(self, url: str, workers: int, dice: random.Random, stack: contextlib.ExitStack) -> None:
        self._url = url
        self._dice = dice
        self._stack = stack
        self._paused: dict[int, float] = {}
        self.counts = Counter[str]()
        self.processes = [self._hired() for _ in range(workers)]

    def strike(self) -> None:
        """One misfortune; and who was paused long enough goes on."""
        self.resume(time.monotonic() - _PAUSED)
        what = self._dice.choices(("kill", "pause", "restart"), (4, 2, 2))[0]
        place = self._dice.randrange(len(self.processes))
        process = self.processes[place]
        self.counts[what] += 1
        if what == "kill":
            process.kill()
            process.wait()
            self._paused.pop(process.pid, None)
            self.processes[place] = self._hired()
        elif what == "pause":
            os.kill(process.pid, signal.SIGSTOP)
            self._paused.setdefault(process.pid, time.monotonic())
        else:
            server().restart()

    def resume(self, before: float) -> None:
        """Let go on who was paused before that moment."""
        for pid in [pid for pid, since in self._paused.items() if since <= before]:
            os.kill(pid, signal.SIGCONT)
            del self._paused[pid]

    def died_by_themselves(self) -> int:
        """How many workers ended without being killed."""
        return sum(process.poll() is not None for process in self.processes)

    def _hired(self) -> subprocess.Popen[str]:
        self.counts["worker"] += 1
        return self._stack.enter_context(worker(self._url, f"worker {self.counts['worker']}"))


async def _feed(url: str, until: float, dice: random.Random) -> None:
    """Store events and wake, like an intake that is asked again until it has answered."""
    engine, numbers = PgQueuerJobs(url, SystemClock(), limits()), Counter[str]()
    while time.monotonic() < until:
        keys = [str(dice.randrange(_RECORDS)) for _ in range(_BATCH)]
        events = [(key, numbers[key] + keys[:place].count(key)) for place, key in enumerate(keys)]
        try:
            async with connected(url) as connection, connection.transaction():
                await connection.cursor().executemany(
                    "INSERT INTO event VALUES (%s, %s) ON CONFLICT DO NOTHING", events
                )
        except psycopg.OperationalError:
            await asyncio.sleep(0.1)
            continue
        numbers.update(keys)
        await asyncio.gather(*(engine.wake(KIND, key) for key in keys))
        await asyncio.sleep(dice.uniform(0, 0.1))
    while not (await engine.health()).is_up:  # noqa: ASYNC110 - the database tells nobody that it is back
        await asyncio.sleep(0.2)
    await engine.close()


async def _strike(trouble: Trouble, until: float, dice: random.Random) -> None:
    while time.monotonic() < until - 1:
        await asyncio.sleep(dice.uniform(1, 4))
        await asyncio.to_thread(trouble.strike)
    trouble.resume(time.monotonic())


async def _all_applied(url: str) -> float:
    """Wait until everything is applied, or nothing helps any more; how long it took."""
    began = time.monotonic()
    while time.monotonic() - began < _SETTLED_WITHIN:
        events, applied, _ = await asyncio.to_thread(verdict, url)
        if applied >= events:
            break
        await asyncio.sleep(0.5)
    return time.monotonic() - began


async def soak(seconds: float, workers: int, seed: int) -> int:
    """Soak, and tell."""
    dice = random.Random(seed)
    with _database() as url, contextlib.ExitStack() as stack:
        trouble = Trouble(url, workers, dice, stack)
        until = time.monotonic() + seconds
        await asyncio.gather(_feed(url, until, random.Random(seed + 1)), _strike(trouble, until, dice))
        took = await _all_applied(url)
        events, applied, wrong = verdict(url)
        dead = trouble.died_by_themselves()
    _say(f"jobs: {events} events, {applied} applied, settled {took:.0f} s after the last; seed {seed}")
    _say("      " + ", ".join(f"{count} {what}s" for what, count in sorted(trouble.counts.items())))
    for text in [*wrong, *([f"{dead} workers ended by themselves"] if dead else [])]:
        _say(f"      WRONG {text}")
    return int(bool(events != applied or not events or wrong or dead))


@contextlib.contextmanager
def _database() -> Generator[str]:
    with empty_database() as url:
        prepare(safe(url))
        yield safe(url)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command line


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.jobs.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args(arguments)
    return asyncio.run(soak(options.seconds, options.workers, options.seed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
