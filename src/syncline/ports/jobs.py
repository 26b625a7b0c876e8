"""Wakes into work: what the service knows of a job engine.

Implemented by `jobs.embedded` (one process) and `jobs.pgqueuer` (many workers on PostgreSQL); `tests/jobs/conformance.py`
proves that both fit. A wake says only "this should run". The truth is in our own tables: a lost wake costs one tick and
a doubled one nothing, so handlers look for themselves what there is to do (they are level-triggered).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from syncline.ports.wire import Wire

Handler = Callable[[str], Awaitable[None]]
"""Does whatever there is to do for a key, for a few seconds at most; an error means: again, later."""
Handlers = Mapping[str, Handler]
"""The handler of each kind of wake."""


class Wake(msgspec.Struct, frozen=True):
    """Somebody or something that waits to run, not before `at`. After a failure, `attempts` counts the tries so far and
    `error` names the last one's class and code, never its message."""

    kind: str
    key: str
    at: dt.datetime
    attempts: int = 0
    error: str = ""


class JobHealth(msgspec.Struct, frozen=True):
    """Whether wakes get through: `problem` says why not. `late` is how many seconds ago the oldest of the due wakes
    should have run; `running` counts this process only."""

    is_up: bool
    problem: str = ""
    waiting: int = 0
    running: int = 0
    late: float = 0.0


class JobEngine(Wire, Protocol):
    """Runs handlers, soon and at their time; and joins the processes that do.

    At most one wake waits for each kind and key. A wake that comes while the handler runs waits and runs it again: never
    two at once for the same kind and key in one worker. Across workers that is the lease's business.
    """

    async def wake(self, kind: str, key: str, at: dt.datetime | None = None) -> None:
        """Run it, at once or not before `at`. Where a wake waits already, the earlier time wins.

        Raises nothing when the engine is out of reach: the wake is kept, and handed over as soon as possible.
        """
        ...

    async def schedule(self, kind: str, key: str, at: dt.datetime) -> None:
        """Say anew when it should run: takes the place of a time that lies in the future, be it earlier or later. A wake
        that is due already stays due: an edit that has just come in is never put off."""
        ...

    async def cancel(self, kind: str, key: str) -> bool:
        """Forget what waits for this kind and key, and say whether something did. What runs, runs on."""
        ...

    async def waiting(self) -> tuple[Wake, ...]:
        """Everything that waits, by time; failures that will be tried again are among them."""
        ...

    async def run_worker(self, handlers: Handlers, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then start nothing more, let what runs finish for a limited time, and put back what did
        not. Only kinds with a handler are taken. A failed handler runs again after a growing wait."""
        ...

    async def health(self) -> JobHealth:
        """Whether wakes get through, and how far behind the work is. Answers within seconds, also when out of reach."""
        ...

    async def purge(self) -> int:
        """Forget everything that waits, and all notes on what ran; the number of forgotten wakes."""
        ...

    async def close(self) -> None:
        """Let go of connections. Workers should have been stopped before."""
        ...
