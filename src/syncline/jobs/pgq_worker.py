"""Rows of PgQueuer's queue into handlers at work: one loop that ends, beats, claims and begins, turn by turn.

Run by `jobs.pgqueuer`. The loop owns nothing that a lost connection could take along: what it has claimed, what runs and
what has ended is written down here until the database has been told.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from syncline.jobs.crew import Crew, Failure, Job, Limits, gone
from syncline.jobs.pgq_line import LOST, Line, pause, told
from syncline.jobs.pgq_wakes import Back, Claimed, Wakes
from syncline.ports.jobs import Handlers

_LOG = structlog.stdlib.get_logger(__name__)
_NOTHING = dt.timedelta()


@dataclass(frozen=True)
class Pace:
    """How soon another worker takes over from one that is gone: `stale` after its last beat, and at the next `look`. A
    killed worker's work goes on after some six seconds."""

    beat: dt.timedelta = dt.timedelta(seconds=1)
    stale: dt.timedelta = dt.timedelta(seconds=5)
    look: dt.timedelta = dt.timedelta(seconds=1)
    tidy: dt.timedelta = dt.timedelta(minutes=5)


class Worker:
    """One worker: its name in the queue, its handlers, and what it holds."""

    def __init__(
        self,
        line: Line,
        handlers: Handlers,
        limits: Limits,
        pace: Pace,
        jitter: Callable[[], float],
    ) -> None:
        self._line = line
        self._limits = limits
        self._pace = pace
        self._jitter = jitter
        self._name = uuid.uuid4()
        self._crew = Crew(handlers, limits, self._ended)
        self._stirred = asyncio.Event()
        self._stop = asyncio.Event()
        self._claimed: dict[int, Claimed] = {}
        self._running: dict[Job, Claimed] = {}
        self._done: set[int] = set()
        self._back: dict[int, Back] = {}
        self._last_beat = self._last_tidy = 0.0
        self._tries = 0

    @property
    def running(self) -> int:
        """How many handlers are at work."""
        return len(self._crew)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; then finish what runs, for a limited time."""
        self._stop = stop
        others = [
            asyncio.create_task(self._line.news(self._stirred.set)),
            asyncio.create_task(self._stir_at_the_end()),
        ]
        try:
            while not stop.is_set():
                await self._rest(await self._turn(self._work))
            await self._leave()
        finally:
            self._crew.stop()
            await self._crew.idle()
            for other in others:
                await gone(other)

    async def _leave(self) -> None:
        """Hand on what was claimed; let what runs finish, with its heart beating; then put back what did not."""
        for claimed in self._claimed.values():
            self._back[claimed.id] = Back(claimed.id, claimed.job, _NOTHING, claimed.attempts, "")
        self._claimed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._limits.grace.total_seconds()):
                while len(self._crew):
                    await self._rest(await self._turn(self._settle))
        self._crew.stop()
        await self._crew.idle()
        await self._turn(self._settle)

    async def _turn(self, work: Callable[[Wakes], Awaitable[float]]) -> float:
        """One round; how many seconds to rest after it."""
        self._stirred.clear()
        try:
            async with self._line.wakes() as wakes:
                rest = await work(wakes)
        except LOST as error:
            self._tries += 1
            _LOG.warning("jobs_out_of_reach", error=told(error), tries=self._tries)
            self._stirred.clear()
            return pause(self._tries)
        self._tries = 0
        return rest

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stirred.wait()

    async def _work(self, wakes: Wakes) -> float:
        rest = await self._settle(wakes)
        has_more = await self._take(wakes, bulk=False)
        has_more |= await self._take(wakes, bulk=True)
        if has_more:
            return 0.0
        if not self._crew.room(bulk=False):
            return rest
        eta = await wakes.next_due(self._kinds())
        return rest if eta is None else min(rest, max(0.001, eta.total_seconds()))

    async def _settle(self, wakes: Wakes) -> float:
        """Tell what has ended, and that the rest is alive."""
        done, back = list(self._done), list(self._back.values())
        if done:
            await wakes.end(done, self._name)
            self._done.difference_update(done)
        if back:
            await wakes.put_back(back, self._name)
            for row in back:
                del self._back[row.id]
        await self._beat(wakes)
        return min(self._pace.beat, self._pace.look).total_seconds()

    async def _beat(self, wakes: Wakes) -> None:
        now = asyncio.get_running_loop().time()
        held = [*self._claimed, *(claimed.id for claimed in self._running.values())]
        if held and now - self._last_beat >= self._pace.beat.total_seconds() * 0.9:
            await wakes.beat(held, self._name)
            self._last_beat = now
        if now - self._last_tidy >= self._pace.tidy.total_seconds():
            await wakes.tidy()
            self._last_tidy = now

    async def _take(self, wakes: Wakes, *, bulk: bool) -> bool:
        """Claim and start what there is room for; whether there may be more."""
        has_more = await self._claim(wakes, bulk=bulk)
        await self._begin(wakes)
        return has_more and self._crew.room(bulk=bulk) > 0

    async def _claim(self, wakes: Wakes, *, bulk: bool) -> bool:
        """Make rows ours; whether there were as many as asked for."""
        kinds = self._crew.kinds(bulk=bulk)
        room = self._crew.room(bulk=bulk) - len(self._startable())
        if not kinds or room <= 0 or self._stop.is_set():
            return False
        claimed = await wakes.claim(kinds, room, self._name, self._pace.stale)
        held = {running.id for running in self._running.values()} | self._done | self._back.keys()
        # Our own rows come again when our heart could not beat for a while.
        self._claimed |= {row.id: row for row in claimed if row.id not in held}
        return len(claimed) == room

    async def _begin(self, wakes: Wakes) -> None:
        """Start what is claimed, but nothing whose kind and key runs here already: that waits for its end."""
        ready = self._startable()
        if not ready or self._stop.is_set():
            return
        begun = await wakes.begin([row.id for row in ready], self._name)
        for row in ready:
            del self._claimed[row.id]
            if row.id in begun:
                self._running[row.job] = row
                self._crew.start(row.job)

    def _startable(self) -> list[Claimed]:
        first: dict[Job, Claimed] = {}
        for row in self._claimed.values():
            if not self._crew.is_busy(row.job):
                first.setdefault(row.job, row)
        return list(first.values())

    def _kinds(self) -> list[str]:
        return [*self._crew.kinds(bulk=False), *self._crew.kinds(bulk=True)]

    def _ended(self, job: Job, failure: Failure | None) -> None:
        row = self._running.pop(job)
        if failure is None:
            self._done.add(row.id)
        elif failure.is_stopped:
            self._back[row.id] = Back(row.id, job, _NOTHING, row.attempts, "")
        else:
            attempts = row.attempts + 1
            wait = self._limits.wait(attempts, self._jitter())
            self._back[row.id] = Back(row.id, job, wait, attempts, failure.error)
        self._stirred.set()

    async def _stir_at_the_end(self) -> None:
        await self._stop.wait()
        self._stirred.set()
