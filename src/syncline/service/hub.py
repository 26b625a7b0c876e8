"""What happens into a stream for whoever watches this process: progress of runs, what became of them, events that are kept.

Made by `cli.serve`, which hands `tell` and `watch` to the service; joined with other processes by `service.following`; read
by `web.stream`. The latest events are kept, so that a watcher who was cut off goes on where they were; one who was away for
longer is told to read everything anew. Nobody who reads slowly holds up a run.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from syncline.core.records import SyncId
from syncline.engine.sync import Progress, Watch
from syncline.ports import Clock
from syncline.service.dispatch import Happened

PROGRESS, RUN, MISSED = "progress", "run", "missed"
"""What this module calls events itself; others are called by the type of the event that is kept."""

_KEPT = 1000
_PAUSE = dt.timedelta(milliseconds=250)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `id` is what a watcher goes on after; `name` says what it is."""

    id: str
    name: str
    data: Mapping[str, Any]


class Hub:
    """The latest events. `boot` tells this process from others and earlier ones; `pass_on`, where there is one, hears what
    happens in this process."""

    def __init__(self, clock: Clock, boot: str) -> None:
        self._clock = clock
        self.boot = boot
        self.pass_on: Callable[[str, Mapping[str, Any]], None] | None = None
        self._latest: deque[Event] = deque(maxlen=_KEPT)
        self._count = 0
        self._is_closed = False
        self._news = asyncio.Event()

    def tell(self, happened: Happened) -> None:
        """A look at a sync is over: for `Service(tell=…)`."""
        self._happened(RUN, _told(happened))

    def watch(self, sync: SyncId) -> Watch:
        """How far runs of a sync are, a few times a second: for `Service(watch=…)`."""
        return _Gauge(self._happened, self._clock.now, sync).show

    def _happened(self, name: str, data: Mapping[str, Any]) -> None:
        self.publish(name, data)
        if self.pass_on is not None:
            self.pass_on(name, data)

    def publish(self, name: str, data: Mapping[str, Any]) -> None:
        """Let everybody know who watches this process."""
        self._count += 1
        self._latest.append(Event(f"{self.boot}-{self._count}", name, data))
        self._wake()

    def close(self) -> None:
        """No more: every stream ends."""
        self._is_closed = True
        self._wake()

    async def events(self, after: str | None, patience: float) -> AsyncIterator[Event | None]:
        """Everything from now on, or after an event that was seen; None when nothing came for `patience` seconds. A watcher
        who missed something gets an event `missed` first. Ends when the hub is closed."""
        position = self._count if after is None else self._position(after)
        while not self._is_closed:
            news = self._news
            if position is None or position < self._count - len(self._latest):
                position = self._count
                yield Event(f"{self.boot}-{position}", MISSED, {})
                continue
            waiting = list(self._latest)[len(self._latest) - (self._count - position) :]
            position = self._count
            for event in waiting:
                yield event
            if not waiting and not await _comes(news, patience):
                yield None

    def _position(self, after: str) -> int | None:
        """Up to where somebody has seen everything; None where that was another process, or never."""
        boot, _, number = after.rpartition("-")
        is_ours = boot == self.boot and number.isdecimal() and len(number) <= len(str(self._count))
        return int(number) if is_ours and int(number) <= self._count else None

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


@dataclass(slots=True)
class _Gauge:
    """The progress of one run: a new stage is told at once, the rest now and then."""

    told: Callable[[str, Mapping[str, Any]], None]
    now: Callable[[], dt.datetime]
    sync: SyncId
    stage: str = ""
    told_at: dt.datetime | None = None

    def show(self, progress: Progress) -> None:
        now = self.now()
        is_new = progress.stage != self.stage or self.told_at is None
        if not is_new and self.told_at is not None and now - self.told_at < _PAUSE:
            return
        self.stage, self.told_at = progress.stage, now
        data = {"sync": self.sync, "stage": progress.stage, "done": progress.done, "total": progress.total}
        self.told(PROGRESS, data)


async def _comes(news: asyncio.Event, patience: float) -> bool:
    try:
        await asyncio.wait_for(news.wait(), patience)
    except TimeoutError:
        return False
    return True


def _told(happened: Happened) -> dict[str, Any]:
    """The gist, without values: more is read from the run itself."""
    report, error = happened.report, happened.error
    told: dict[str, Any] = {
        "sync": happened.sync,
        "cause": happened.cause.value,
        "at": happened.at.isoformat(),
        "run": report.run if report is not None else None,
        "error": error.full_code if error is not None else None,
    }
    if report is not None:
        told |= {
            "writes": report.writes,
            "failures": len(report.failures),
            "questions": sum(held.rule.is_question for held in report.plan.held),
            "brakes": [brake.name.value for brake in report.plan.brakes],
        }
    return told
