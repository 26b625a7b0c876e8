"""Wakes into handlers across many workers: PgQueuer's tables on PostgreSQL behind the `JobEngine` port.

Used by `syncline serve` and `syncline worker` on PostgreSQL (through `bootstrap`). Nothing here has to be restarted by
hand: wakes that cannot be handed over are kept and sent when the database is back, and workers come back by themselves.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import Callable, Mapping

import structlog

from syncline.jobs.crew import Job, Limits, gone
from syncline.jobs.pgq_line import LOST, Line, pause, told
from syncline.jobs.pgq_worker import Pace, Worker
from syncline.ports import Clock
from syncline.ports.jobs import Handlers, JobHealth, Wake
from syncline.ports.wire import LONGEST

SCHEMA = "syncline_jobs"
"""Where PgQueuer's tables are: apart from ours, which migrations own."""
_HEALTH_PATIENCE = 3.0

_LOG = structlog.stdlib.get_logger(__name__)


class PgQueuerJobs:
    """A `JobEngine` on PostgreSQL. `url` is a `postgresql:` address, with or without a driver's name; times are told to the
    database as "so long from now", so that its clock may differ from ours."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        limits: Limits | None = None,
        *,
        pace: Pace | None = None,
        schema: str = SCHEMA,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._limits = limits or Limits()
        self._pace = pace or Pace()
        self._jitter = jitter
        self._line = Line(url, schema)
        self._unsent: dict[Job, dt.datetime] = {}
        self._sending = asyncio.Lock()
        self._courier: asyncio.Task[None] | None = None
        self._workers: set[Worker] = set()

    async def wake(self, kind: str, key: str, at: dt.datetime | None = None) -> None:
        """As `JobEngine.wake`. Wakes that come while others are being sent go together in one statement."""
        job, when = Job(kind, key), at or self._clock.now()
        self._keep({job: when})
        try:
            await self._send(job)
        except LOST as error:
            _LOG.warning("wake_kept_for_later", kind=kind, key=key, error=told(error))

    async def schedule(self, kind: str, key: str, at: dt.datetime) -> None:
        """As `JobEngine.schedule`; out of reach, it becomes a wake that is kept."""
        job = Job(kind, key)
        try:
            async with self._line.wakes() as wakes:
                await wakes.schedule(job, self._until(at), self._limits.bulk)
        except LOST:
            await self.wake(kind, key, at)

    async def cancel(self, kind: str, key: str) -> bool:
        """As `JobEngine.cancel`. Raises one of `pgq_line.LOST` when out of reach."""
        job = Job(kind, key)
        was_unsent = self._unsent.pop(job, None) is not None
        async with self._line.wakes() as wakes:
            return await wakes.cancel(job) or was_unsent

    async def say(self, note: str) -> bool:
        """As `Wire.say`, over the connection of the wakes."""
        if len(note.encode()) > LONGEST:
            return False
        try:
            async with self._line.wakes() as wakes:
                await wakes.say(note)
        except LOST as error:
            _LOG.info("note_lost", error=told(error))
            return False
        return True

    async def listen(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        """As `Wire.listen`, over a connection of its own."""
        await self._line.notes(hear, missed)

    async def waiting(self) -> tuple[Wake, ...]:
        """As `JobEngine.waiting`. Raises one of `pgq_line.LOST` when out of reach."""
        async with self._line.wakes() as wakes:
            rows = await wakes.waiting()
        now = self._clock.now()
        return tuple(Wake(*row.job, now + row.wait, row.attempts, row.error) for row in rows)

    async def run_worker(self, handlers: Handlers, stop: asyncio.Event) -> None:
        """As `JobEngine.run_worker`."""
        worker = Worker(self._line, handlers, self._limits, self._pace, self._jitter)
        self._workers.add(worker)
        try:
            await worker.run(stop)
        finally:
            self._workers.discard(worker)

    async def health(self) -> JobHealth:
        """As `JobEngine.health`."""
        running = sum(worker.running for worker in self._workers)
        try:
            async with asyncio.timeout(_HEALTH_PATIENCE), self._line.wakes() as wakes:
                depth = await wakes.depth()
        except LOST as error:
            text = f"The job queue's database cannot be used: {told(error)}. It is tried again all the time."
            return JobHealth(is_up=False, problem=text, waiting=len(self._unsent), running=running)
        return JobHealth(
            is_up=True, waiting=depth.waiting + len(self._unsent), running=running, late=depth.late
        )

    async def purge(self) -> int:
        """As `JobEngine.purge`. Raises one of `pgq_line.LOST` when out of reach."""
        self._unsent.clear()
        async with self._line.wakes() as wakes:
            return await wakes.purge()

    async def close(self) -> None:
        """As `JobEngine.close`; what is still kept is offered once more."""
        try:
            await self._send()
        except LOST as error:
            _LOG.warning("wakes_left_to_the_tick", count=len(self._unsent), error=told(error))
        if self._courier is not None:
            await gone(self._courier)
        await self._line.drop()

    @property
    def _is_away(self) -> bool:
        """Whether the database could not be reached, and the courier is at it."""
        return self._courier is not None and not self._courier.done()

    def _keep(self, wakes: Mapping[Job, dt.datetime]) -> None:
        for job, at in wakes.items():
            self._unsent[job] = min(at, self._unsent.get(job, at))

    async def _send(self, job: Job | None = None) -> None:
        """Hand over what is kept; for a job, unless somebody else has done it meanwhile or the courier will."""
        async with self._sending:
            if not self._unsent or (job is not None and (self._is_away or job not in self._unsent)):
                return
            batch, self._unsent = self._unsent, {}
            try:
                async with self._line.wakes() as wakes:
                    waits = {job: self._until(at) for job, at in batch.items()}
                    await wakes.wake(waits, self._limits.bulk)
            except BaseException:  # also when the caller is cancelled: others' wakes are in the batch
                self._keep(batch)
                if not self._is_away:
                    self._courier = asyncio.create_task(self._deliver())
                raise

    async def _deliver(self) -> None:
        """Hand over what is kept as soon as the database is back."""
        tries = 0
        while self._unsent:
            tries += 1
            await asyncio.sleep(pause(tries))
            try:
                await self._send()
            except LOST as error:
                _LOG.info("wakes_still_kept", count=len(self._unsent), error=told(error), tries=tries)

    def _until(self, at: dt.datetime) -> dt.timedelta:
        return max(dt.timedelta(), at - self._clock.now())
