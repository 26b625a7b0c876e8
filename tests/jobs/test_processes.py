"""Workers that are killed, paused or cut off from PostgreSQL: real processes, nothing lost, nothing applied twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import psycopg
import pytest

from syncline.bootstrap import SystemClock
from syncline.jobs.pgqueuer import PgQueuerJobs
from tests.jobs.conformance import working
from tests.jobs.labour import KIND, Labour, connected, prepare, safe, verdict
from tests.jobs.samples import limits
from tests.store.postgres import empty_database, server

ROOT = Path(__file__).parents[2]
RESUMED_WITHIN = 10.0
_PATIENCE = 40.0


@pytest.fixture
def url() -> Generator[str]:
    with empty_database() as made:
        prepare(safe(made))
        yield safe(made)


@contextmanager
def worker(url: str, name: str, *flags: str) -> Generator[subprocess.Popen[str]]:
    """A worker process; killed at the end, whatever its state."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.jobs.labour", url, name, *flags],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@asynccontextmanager
async def engine_on(url: str) -> AsyncGenerator[PgQueuerJobs]:
    engine = PgQueuerJobs(url, SystemClock(), limits())
    try:
        yield engine
    finally:
        await engine.close()


async def happen(engine: PgQueuerJobs, url: str, key: str, numbers: range) -> None:
    """Note events as a webhook would: stored first, then a wake."""
    async with connected(url) as connection:
        await connection.execute(
            "INSERT INTO event SELECT %s, number FROM unnest(%s::int[]) AS number ON CONFLICT DO NOTHING",
            (key, list(numbers)),
        )
    await engine.wake(KIND, key)


async def heard(process: subprocess.Popen[str], line: str) -> None:
    """Wait until the process says so."""
    assert process.stdout is not None
    async with asyncio.timeout(_PATIENCE):
        while (said := await asyncio.to_thread(process.stdout.readline)) != f"{line}\n":
            assert said, "the worker ended by itself"


async def all_applied(url: str) -> float:
    """Wait until every event is applied; how long it took."""
    began = time.monotonic()
    async with asyncio.timeout(_PATIENCE):
        while True:
            events, applied, wrong = await asyncio.to_thread(verdict, url)
            assert not wrong
            if applied >= events:
                return time.monotonic() - began
            await asyncio.sleep(0.05)


async def test_what_a_killed_worker_had_begun_goes_on_elsewhere_within_ten_seconds(url: str) -> None:
    async with engine_on(url) as engine:
        with worker(url, "killed", "--hold") as process:
            await happen(engine, url, "a", range(3))
            await heard(process, "begun a")
            process.kill()
            async with working(engine, {KIND: Labour(url, "other")}):
                assert await all_applied(url) < RESUMED_WITHIN


async def test_a_worker_that_was_paused_past_its_heartbeat_applies_nothing_twice_and_then_works_on(
    url: str,
) -> None:
    async with engine_on(url) as engine:
        with worker(url, "zombie", "--hold") as process:
            await happen(engine, url, "a", range(3))
            await heard(process, "begun a")
            os.kill(process.pid, signal.SIGSTOP)
            async with working(engine, {KIND: Labour(url, "other")}):
                await all_applied(url)
            os.kill(process.pid, signal.SIGCONT)
            assert process.stdin is not None
            process.stdin.write("go on\n")
            process.stdin.flush()
            await heard(process, "refused a")

            await happen(engine, url, "b", range(2))
            await heard(process, "ended b")
            await all_applied(url)

        assert (await engine.health()).waiting == 0


async def test_an_immediate_restart_of_postgresql_loses_nothing_and_needs_no_hand(url: str) -> None:
    async with engine_on(url) as engine, working(engine, {KIND: Labour(url, "one")}):
        with worker(url, "two") as process:
            for number in range(60):
                if number in (20, 40):
                    server().execute("CHECKPOINT")  # what other tests keep here commits less carefully
                    await asyncio.to_thread(server().restart)
                for key in ("a", "b", "c", "d"):
                    await _persist(engine, url, key, number)
            await all_applied(url)
            assert process.poll() is None
        health = await engine.health()

    assert verdict(url) == (240, 240, [])
    assert health.is_up


async def test_two_worker_processes_share_thousands_of_events_and_stop_when_told(url: str) -> None:
    async with engine_on(url) as engine:
        with worker(url, "one") as first, worker(url, "two") as second:
            for part in range(5):
                await asyncio.gather(
                    *(happen(engine, url, str(key), range(part * 20, part * 20 + 20)) for key in range(20))
                )
            await all_applied(url)
            for process in (first, second):
                process.terminate()
                assert await asyncio.to_thread(process.wait, 20) == 0

    assert verdict(url) == (2000, 2000, [])


async def _persist(engine: PgQueuerJobs, url: str, key: str, number: int) -> None:
    """As `happen`, again and again while the database is away."""
    async with asyncio.timeout(_PATIENCE):
        while True:
            try:
                return await happen(engine, url, key, range(number, number + 1))
            except psycopg.OperationalError:
                await asyncio.sleep(0.1)
