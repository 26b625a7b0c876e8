"""Wakes into handlers within one process: a dictionary, two heaps and an alarm, and nothing persisted.

Used by `syncline serve` on SQLite (through `bootstrap`). Whatever waits is lost with the process; the tick of the next
one wakes what is due.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

from syncline.jobs.crew import Crew, Failure, Job, Limits, gone
from syncline.ports import Clock
from syncline.ports.jobs import Handlers, JobHealth, Wake

_LONGEST_ALARM = dt.timedelta(seconds=30)
"""No alarm is set further ahead: a clock that was put right is noticed soon."""


@dataclass(eq=False)
class _Waiting:
    """One wake; where its time changes, another takes its place."""

    job: Job
    at: dt.datetime
    attempts: int = 0
    error: str = ""


class EmbeddedJobs:
    """A `JobEngine` for one process and one worker, all in the loop of whoever calls."""

    def __init__(
        self, clock: Clock, limits: Limits | None = None, jitter: Callable[[], float] = random.random
    ) -> None:
        self._clock = clock
        self._limits = limits or Limits()
        self._jitter = jitter
        self._waiting: dict[Job, _Waiting] = {}
        self._attempts: dict[Job, int] = {}
        self._later: list[tuple[dt.datetime, int, _Waiting]] = []
        self._due: dict[bool, list[tuple[dt.datetime, int, _Waiting]]] = {False: [], True: []}
        self._numbers = itertools.count()
        self._stirred = asyncio.Event()
        self._crew: Crew | None = None
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at: dt.datetime | None = None

    async def wake(self, kind: str, key: str, at: dt.datetime | None = None) -> None:
        """As `JobEngine.wake`."""
        job, when = Job(kind, key), at or self._clock.now()
        known = self._waiting.get(job)
        if known is None or when < known.at:
            self._put(job, when, known)

    async def schedule(self, kind: str, key: str, at: dt.datetime) -> None:
        """As `JobEngine.schedule`."""
        job = Job(kind, key)
        known = self._waiting.get(job)
        if known is None or known.at > self._clock.now():
            self._put(job, at, known)

    async def cancel(self, kind: str, key: str) -> bool:
        """As `JobEngine.cancel`."""
        return self._waiting.pop(Job(kind, key), None) is not None

    async def say(self, note: str) -> bool:
        """As `Wire.say`: there is nobody else."""
        return True

    async def listen(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        """As `Wire.listen`: there is nobody else."""
        await asyncio.Event().wait()

    async def waiting(self) -> tuple[Wake, ...]:
        """As `JobEngine.waiting`."""
        wakes = sorted(self._waiting.values(), key=lambda waiting: waiting.at)
        return tuple(Wake(*waiting.job, waiting.at, waiting.attempts, waiting.error) for waiting in wakes)

    async def run_worker(self, handlers: Handlers, stop: asyncio.Event) -> None:
        """As `JobEngine.run_worker`; one at a time."""
        crew = self._crew = Crew(handlers, self._limits, self._ended)
        halt = asyncio.create_task(self._stir_when(stop))
        try:
            while not stop.is_set():
                self._stirred.clear()
                self._start(crew)
                self._set_alarm()
                await self._stirred.wait()
            await self._finish(crew)
        finally:
            crew.stop()
            await crew.idle()
            await gone(halt)
            await self._no_alarm()
            self._crew = None

    async def health(self) -> JobHealth:
        """As `JobEngine.health`: always up; `late` tells a worker that hangs."""
        now = self._clock.now()
        oldest = min((waiting.at for waiting in self._waiting.values()), default=now)
        late = max(0.0, (now - oldest).total_seconds())
        return JobHealth(is_up=True, waiting=len(self._waiting), running=len(self._crew or ()), late=late)

    async def purge(self) -> int:
        """As `JobEngine.purge`."""
        count = len(self._waiting)
        self._waiting.clear()
        return count

    async def close(self) -> None:
        """As `JobEngine.close`: only what waits is left, and nobody will ask for it."""
        self._waiting.clear()
        await self._no_alarm()

    def _put(self, job: Job, at: dt.datetime, known: _Waiting | None) -> None:
        waiting = _Waiting(job, at, known.attempts, known.error) if known else _Waiting(job, at)
        self._waiting[job] = waiting
        heapq.heappush(self._later, (at, next(self._numbers), waiting))
        self._stirred.set()

    def _start(self, crew: Crew) -> None:
        self._ripen()
        for bulk in (False, True):
            self._start_some(crew, bulk=bulk)

    def _ripen(self) -> None:
        """From waiting for a time to waiting for a place; what was cancelled or has another time falls out here."""
        now = self._clock.now()
        while self._later and self._later[0][0] <= now:
            entry = heapq.heappop(self._later)
            if self._is_current(entry[2]):
                heapq.heappush(self._due[entry[2].job.kind in self._limits.bulk], entry)

    def _start_some(self, crew: Crew, *, bulk: bool) -> None:
        due, aside, kinds = self._due[bulk], list[tuple[dt.datetime, int, _Waiting]](), crew.kinds(bulk=bulk)
        while due and crew.room(bulk=bulk):
            entry = heapq.heappop(due)
            job = entry[2].job
            if not self._is_current(entry[2]):
                continue
            if crew.is_busy(job) or job.kind not in kinds:
                aside.append(entry)
                continue
            del self._waiting[job]
            self._attempts[job] = entry[2].attempts
            crew.start(job)
        for entry in aside:
            heapq.heappush(due, entry)

    def _is_current(self, waiting: _Waiting) -> bool:
        return self._waiting.get(waiting.job) is waiting

    def _ended(self, job: Job, failure: Failure | None) -> None:
        attempts = self._attempts.pop(job, 0)
        if failure is not None:
            self._again(job, attempts, failure)
        self._stirred.set()

    def _again(self, job: Job, attempts: int, failure: Failure) -> None:
        """Put a failed one back; a wake that came meanwhile keeps its time and learns of the failure."""
        now, known = self._clock.now(), self._waiting.get(job)
        if failure.is_stopped:
            at, error = now, known.error if known else ""
        else:
            attempts, error = attempts + 1, failure.error
            at = now + self._limits.wait(attempts, self._jitter())
        self._put(job, min(at, known.at) if known else at, _Waiting(job, at, attempts, error))

    def _set_alarm(self) -> None:
        """Have the loop stirred when the next wake is due."""
        while self._later and not self._is_current(self._later[0][2]):
            heapq.heappop(self._later)
        at = self._later[0][0] if self._later else None
        if at == self._alarm_at:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = at
        self._alarm = None if at is None else asyncio.create_task(self._ring(at))

    async def _ring(self, at: dt.datetime) -> None:
        wait = min(at - self._clock.now(), _LONGEST_ALARM)
        await self._clock.sleep(max(0.0, wait.total_seconds()))
        self._alarm_at = None
        self._stirred.set()

    async def _no_alarm(self) -> None:
        if self._alarm is not None:
            await gone(self._alarm)
        self._alarm = self._alarm_at = None

    async def _stir_when(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._stirred.set()

    async def _finish(self, crew: Crew) -> None:
        """Let what runs finish, for a limited time."""
        grace = asyncio.ensure_future(self._clock.sleep(self._limits.grace.total_seconds()))
        idle = asyncio.create_task(crew.idle())
        try:
            await asyncio.wait((grace, idle), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await gone(grace)
            await gone(idle)
