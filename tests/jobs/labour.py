"""Work that shows what was lost, doubled or out of order, and a worker process for it: `python -m tests.jobs.labour URL NAME`.

Events of a record are numbered. The handler takes the record's lease, applies the next events in small parts, and asks at
each whether the lease is still its own (its fencing token, under a row lock): what a real run does with its writes. No
unique key protects `applied`: a double would be there to be counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator

import psycopg

from syncline.bootstrap import SystemClock
from syncline.errors import BusyError
from syncline.jobs.pgqueuer import PgQueuerJobs
from tests.jobs.samples import limits

KIND = "record"
_TABLES = """
CREATE TABLE event (key text, number int, PRIMARY KEY (key, number));
CREATE TABLE applied (id bigserial PRIMARY KEY, key text, number int, worker text);
CREATE INDEX applied_key ON applied (key, number);
CREATE TABLE fence (key text PRIMARY KEY, token bigint, until timestamptz);
"""
_TAKE = """
INSERT INTO fence AS held VALUES (%s, 1, now() + interval '2 seconds')
ON CONFLICT (key) DO UPDATE SET token = held.token + 1, until = EXCLUDED.until WHERE held.until < now()
RETURNING token
"""
_NEXT = """
SELECT number FROM event WHERE key = %(key)s
    AND number > coalesce((SELECT max(number) FROM applied WHERE key = %(key)s), -1) ORDER BY number LIMIT 20
"""
_RENEW = "UPDATE fence SET until = now() + interval '2 seconds' WHERE key = %s AND token = %s RETURNING token"


def safe(url: str) -> str:
    """Commits that survive a lost power: the tests' servers do not wait for that by default."""
    return f"{url}&options=-c%20synchronous_commit%3Don"


def prepare(url: str) -> None:
    """Make the tables."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_TABLES)


class Labour:
    """A handler on one database. With `holds`, it stops before each write until it is told to go on."""

    def __init__(self, url: str, name: str, *, holds: bool = False) -> None:
        self._url = url
        self._name = name
        self._holds = holds
        self.go = asyncio.Event()

    async def __call__(self, key: str) -> None:
        """Apply what is new."""
        async with connected(self._url) as connection:
            cursor = await connection.execute(_TAKE, (key,))
            taken = await cursor.fetchone()
            if taken is None:
                raise BusyError(key)
            while numbers := await _next(connection, key):
                if self._holds:
                    self._say(f"begun {key}")
                    await self.go.wait()
                if not await self._apply(connection, key, numbers, taken[0]):
                    self._say(f"refused {key}")
                    raise BusyError(key)
            await connection.execute(
                "UPDATE fence SET until = now() WHERE key = %s AND token = %s", (key, taken[0])
            )
            self._say(f"ended {key}")

    async def _apply(
        self, connection: psycopg.AsyncConnection, key: str, numbers: list[int], token: int
    ) -> bool:
        """One part, if the lease is still ours."""
        async with connection.transaction():
            if await (await connection.execute(_RENEW, (key, token))).fetchone() is None:
                return False
            await connection.execute(
                "INSERT INTO applied (key, number, worker) SELECT %s, number, %s FROM unnest(%s::int[]) AS number",
                (key, self._name, numbers),
            )
            return True

    def _say(self, text: str) -> None:
        if self._holds:
            print(text, flush=True)  # noqa: T201 - told to the test


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncGenerator[psycopg.AsyncConnection]:
    """A connection for one run."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        yield connection


async def _next(connection: psycopg.AsyncConnection, key: str) -> list[int]:
    rows = await (await connection.execute(_NEXT, {"key": key})).fetchall()
    return [int(number) for (number,) in rows]


def verdict(url: str) -> tuple[int, int, list[str]]:
    """How many events there are, how many are applied, and what is wrong: doubled, or out of order."""
    with psycopg.connect(url, autocommit=True) as connection:
        ((events,),) = connection.execute("SELECT count(*) FROM event").fetchall()
        rows = connection.execute("SELECT key, number FROM applied ORDER BY key, id").fetchall()
    numbers: dict[str, list[int]] = {}
    for key, number in rows:
        numbers.setdefault(key, []).append(number)
    wrong = [f"{key}: {found}" for key, found in numbers.items() if found != list(range(len(found)))]
    return events, len(rows), wrong


async def _listen(labour: Labour) -> None:
    """A line on standard input lets a held handler go on."""
    while await asyncio.to_thread(sys.stdin.readline):
        labour.go.set()


async def main(url: str, name: str, holds: bool) -> None:
    """Work until terminated."""
    engine = PgQueuerJobs(url, SystemClock(), limits())
    labour, stop = Labour(url, name, holds=holds), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    listener = asyncio.create_task(_listen(labour)) if holds else None
    await engine.run_worker({KIND: labour}, stop)
    await engine.close()
    if listener is not None:
        os._exit(0)  # a thread waits for a line that will not come


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], "--hold" in sys.argv))
