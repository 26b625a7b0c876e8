"""Wakes that may start into handlers at work: never two for one kind and key, never too many, bulk never all of them.

Used by both job engines, which decide what is due and what becomes of a failure.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from syncline.core.retry import delay
from syncline.errors import SynclineError
from syncline.ports.jobs import Handler, Handlers

_LOG = structlog.stdlib.get_logger(__name__)


class Job(NamedTuple):
    """What a wake is for: a kind of work, and which of them (the name of a sync, an id)."""

    kind: str
    key: str


class Failure(NamedTuple):
    """What a handler ended with, without its message: that may quote what must not be shown."""

    error: str
    is_stopped: bool = False
    """Cut off by the end of the worker: no fault of its own."""


Ended = Callable[[Job, Failure | None], None]


@dataclass(frozen=True)
class Limits:
    """How many handlers run at once in a worker, which kinds are bulk (they start after the others, and take half of
    the places at most), how long a worker that stops lets them finish, and how long it waits after failures."""

    at_once: int = 8
    bulk: frozenset[str] = frozenset()
    grace: dt.timedelta = dt.timedelta(seconds=30)
    first_wait: dt.timedelta = dt.timedelta(seconds=1)
    longest_wait: dt.timedelta = dt.timedelta(minutes=5)

    @property
    def bulk_at_once(self) -> int:
        """How many of them may be bulk."""
        return max(1, self.at_once // 2)

    def wait(self, attempts: int, jitter: float) -> dt.timedelta:
        """How long to wait after failed attempt number `attempts` (from 1): between half and all of a growing time."""
        return delay(attempts, (1 + jitter) / 2, first=self.first_wait, longest=self.longest_wait)


class Crew:
    """The handlers of one worker. `ended` is called for each that ends, after its place is free."""

    def __init__(self, handlers: Handlers, limits: Limits, ended: Ended) -> None:
        self._handlers = handlers
        self._limits = limits
        self._ended = ended
        self._tasks: dict[Job, asyncio.Task[None]] = {}
        self._is_stopping = False
        self._idle = asyncio.Event()
        self._idle.set()

    def __len__(self) -> int:
        return len(self._tasks)

    def is_busy(self, job: Job) -> bool:
        """Whether the handler of this very kind and key is running."""
        return job in self._tasks

    def room(self, *, bulk: bool) -> int:
        """How many more of this kind of work may start."""
        free = max(0, self._limits.at_once - len(self._tasks))
        if not bulk:
            return free
        taken = sum(job.kind in self._limits.bulk for job in self._tasks)
        return min(free, max(0, self._limits.bulk_at_once - taken))

    def kinds(self, *, bulk: bool) -> list[str]:
        """The kinds that this worker takes, of one of the two sorts."""
        return [kind for kind in self._handlers if (kind in self._limits.bulk) is bulk]

    def start(self, job: Job) -> None:
        """Let its handler run."""
        task = asyncio.create_task(_run(self._handlers[job.kind], job.key), name=f"{job.kind} {job.key}")
        self._tasks[job] = task
        self._idle.clear()
        task.add_done_callback(functools.partial(self._done, job))

    def stop(self) -> None:
        """Cut off what still runs."""
        self._is_stopping = True
        for task in self._tasks.values():
            task.cancel()

    async def idle(self) -> None:
        """Wait until nothing runs."""
        await self._idle.wait()

    def _done(self, job: Job, task: asyncio.Task[None]) -> None:
        del self._tasks[job]
        if not self._tasks:
            self._idle.set()
        self._ended(job, self._failure(job, task))

    def _failure(self, job: Job, task: asyncio.Task[None]) -> Failure | None:
        if task.cancelled():
            return Failure("CancelledError", self._is_stopping)
        error = task.exception()
        if error is None:
            return None
        failure = Failure(_named(error))
        _LOG.warning("job_failed", kind=job.kind, key=job.key, error=failure.error, place=_place(error))
        return failure


async def _run(handler: Handler, key: str) -> None:
    await handler(key)


def _named(error: BaseException) -> str:
    """The class of an error, with the stable code where it has one."""
    name = type(error).__name__
    return f"{name} ({error.full_code})" if isinstance(error, SynclineError) else name


def _place(error: BaseException) -> str:
    """Module and line that raised it: what finds a fault without telling what was in it."""
    trace = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"


async def gone(task: asyncio.Future[None]) -> None:
    """Cancel it, and wait until it is over."""
    task.cancel()
    await asyncio.wait((task,))
