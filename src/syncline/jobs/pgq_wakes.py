"""Wakes into rows of PgQueuer's queue table, and back.

Used by `jobs.pgqueuer` and its worker, over `jobs.pgq_line`. Tables, claims and the taking over of a dead worker's rows
are PgQueuer's; what is ours is what it has no statement for:

- A wake is a row with a dedupe key. An earlier time wins (`wake`), a later one may replace it (`schedule`).
- A claimed row loses its dedupe key right before its handler starts (`begin`), so that a wake that comes from then on
  is a row of its own, and runs afterwards; one that comes before is answered by the handler that is about to start.
- Ending, putting back and heartbeats hold only for rows that are still this worker's (a zombie's are not).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, cast

import msgspec
import psycopg
from pgqueuer.adapters.drivers.psycopg import PsycopgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel, QueueEntrypoint, QueueManagerId
from pgqueuer.ports.repository import EntrypointExecutionParameter
from psycopg import sql

from syncline.jobs.crew import Job
from syncline.jobs.pgq_sql import Statements

_UNLIMITED = EntrypointExecutionParameter(concurrency_limit=0)
_LOG_KEPT = dt.timedelta(hours=1)


class Claimed(NamedTuple):
    """A row that is ours now, and what it wakes."""

    id: int
    job: Job
    attempts: int


class Back(NamedTuple):
    """A row to put back: what it wakes and when, after how many attempts, and why."""

    id: int
    job: Job
    wait: dt.timedelta
    attempts: int
    error: str


class Row(NamedTuple):
    """A wake that waits, and how long from now."""

    job: Job
    wait: dt.timedelta
    attempts: int
    error: str


class Depth(NamedTuple):
    """How many wakes wait, and how many seconds the oldest of the due ones is late."""

    waiting: int
    late: float


class Wakes:
    """The wakes of one schema, over one connection. Every method is one statement and raises `pgq_line.LOST`."""

    def __init__(self, connection: psycopg.AsyncConnection, schema: str) -> None:
        settings = _settings(schema)
        self._schema = schema
        self._driver = PsycopgDriver(connection)
        self._queries = Queries(
            self._driver,
            QueryBuilderEnvironment(settings),
            QueryQueueBuilder(settings),
            QuerySchedulerBuilder(settings),
        )
        self._sql = Statements(settings)

    @staticmethod
    def listening(schema: str) -> sql.Composed:
        """The statement that subscribes to changes."""
        return sql.SQL("LISTEN {}").format(sql.Identifier(_settings(schema).channel))

    @staticmethod
    def hearing(schema: str) -> sql.Composed:
        """The statement that subscribes to notes."""
        return sql.SQL("LISTEN {}").format(sql.Identifier(_notes(schema)))

    async def say(self, note: str) -> None:
        """Tell everybody who listens to this schema."""
        await self._driver.execute("SELECT pg_notify($1, $2)", _notes(self._schema), note)

    async def install(self) -> None:
        """Make PgQueuer's tables in a schema of their own, or bring them up to this version; one process at a time."""
        async with self._queries.schema_lock():
            if await self._queries.schema_is_installed():
                await self._queries.apply_upgrade()
            else:
                await self._queries.install()
                await self._queries.optimize_autovacuum()

    async def wake(self, wakes: Mapping[Job, dt.timedelta], bulk: frozenset[str]) -> None:
        """Make each wait for so long at most."""
        # In one order everywhere, so that two batches never wait for each other.
        jobs = sorted(wakes)
        await self._driver.execute(
            self._sql.wake,
            [job.kind for job in jobs],
            [job.key for job in jobs],
            [_mark(job) for job in jobs],
            [wakes[job] for job in jobs],
            [_rank(job, bulk) for job in jobs],
        )

    async def schedule(self, job: Job, wait: dt.timedelta, bulk: frozenset[str]) -> None:
        """Let it wait for exactly so long, unless it is due."""
        await self._driver.execute(
            self._sql.schedule, [job.kind], [job.key], [_mark(job)], [wait], [_rank(job, bulk)]
        )

    async def cancel(self, job: Job) -> bool:
        """Forget what waits; whether something did."""
        return bool(await self._driver.fetch(self._sql.cancel, _mark(job)))

    async def waiting(self) -> list[Row]:
        """What waits, by time."""
        return [_row(row) for row in await self._driver.fetch(self._sql.waiting)]

    async def depth(self) -> Depth:
        """How much waits."""
        (row,) = await self._driver.fetch(self._sql.depth)
        return Depth(cast("int", row["waiting"]), max(0.0, cast("float", row["late"])))

    async def purge(self) -> int:
        """Forget what waits, and PgQueuer's log."""
        rows = await self._driver.fetch(self._sql.purge)
        await self.tidy(dt.timedelta())
        return len(rows)

    async def tidy(self, kept: dt.timedelta = _LOG_KEPT) -> None:
        """Forget the older part of PgQueuer's log of what ran: nobody reads it, and it would grow for ever."""
        await self._driver.execute(self._sql.tidy, kept)

    async def claim(
        self, kinds: Sequence[str], count: int, worker: uuid.UUID, stale: dt.timedelta
    ) -> list[Claimed]:
        """Take so many that are due, and rows of workers that have not been heard of for `stale`."""
        entrypoints = {QueueEntrypoint(kind): _UNLIMITED for kind in kinds}
        rows = await self._queries.dequeue(count, entrypoints, QueueManagerId(worker), None, stale)
        return [
            Claimed(row.id, Job(row.entrypoint, (row.payload or b"").decode()), row.attempts) for row in rows
        ]

    async def next_due(self, kinds: Iterable[str]) -> dt.timedelta | None:
        """How long until the next one that waits for a time."""
        return await self._queries.next_deferred_eta([QueueEntrypoint(kind) for kind in kinds])

    async def begin(self, ids: Sequence[int], worker: uuid.UUID) -> set[int]:
        """Let go of the dedupe keys; those that were cancelled, or are somebody else's by now, are not in the answer."""
        rows = await self._driver.fetch(self._sql.begin, list(ids), worker)
        return {cast("int", row["id"]) for row in rows}

    async def end(self, ids: Sequence[int], worker: uuid.UUID) -> None:
        """They have run."""
        await self._driver.execute(self._sql.end, list(ids), worker)

    async def put_back(self, rows: Sequence[Back], worker: uuid.UUID) -> None:
        """They have to run again. Where a wake came meanwhile, it keeps its time and learns of the failure."""
        await self._driver.execute(
            self._sql.put_back,
            [row.id for row in rows],
            worker,
            [row.wait for row in rows],
            [row.attempts for row in rows],
            [row.error for row in rows],
            [_mark(row.job) for row in rows],
        )

    async def beat(self, ids: Sequence[int], worker: uuid.UUID) -> None:
        """Say that this worker is alive, and at work on these."""
        await self._driver.execute(self._sql.beat, list(ids), worker)


def _settings(schema: str) -> DBSettings:
    """Names of PgQueuer's things: all in a schema of their own, none from the environment. The log survives no crash of the
    database: it costs no write-ahead log so."""
    return DBSettings(
        prefix="", db_schema=schema, channel=Channel(f"{schema}_changed"), durability=Durability.balanced
    )


def _notes(schema: str) -> str:
    """The channel of notes between processes."""
    return f"{schema}_notes"


def _mark(job: Job) -> str:
    """What tells one waiting wake from another. No kind or key holds the separator."""
    return f"{job.kind}\x1f{job.key}"


def _rank(job: Job, bulk: frozenset[str]) -> int:
    return 0 if job.kind in bulk else 1


def _row(row: Mapping[str, object]) -> Row:
    kind, payload, wait, attempts, error = msgspec.convert(
        tuple(row.values()), tuple[str, bytes, dt.timedelta, int, str | None], strict=False
    )
    return Row(Job(kind, payload.decode()), wait, attempts, error or "")
