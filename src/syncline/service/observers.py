"""What watches a running service, in one place: alerts, outgoing events, metrics, traces, and the masking of logs.

Made by `cli.serve` and by tests. `tell` goes to the dispatcher; `running` is entered beside the web application, in one
process only: it tells the channels and sends the events. Workers of their own only need `tell`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import structlog

from syncline.bootstrap import Installation
from syncline.connectors.transport import Transport
from syncline.core.findings import Limits
from syncline.core.objective import Objective
from syncline.errors import SynclineError
from syncline.ports import JobEngine
from syncline.service.alerts import Alerts
from syncline.service.dispatch import Happened
from syncline.service.events import Events
from syncline.service.guard import allows_private, check_url
from syncline.service.metrics import Metrics
from syncline.service.redaction import Redactor, secrets_of
from syncline.service.traces import Tracing
from syncline.service.watching import Watching

_SEND_EVERY = 1.0
_LOOK_EVERY = 60.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Observers:
    """Everything that watches. Each of them fails alone: a look at a sync never fails because nobody could note it."""

    installation: Callable[[], Installation]
    alerts: Alerts
    events: Events
    metrics: Metrics
    traces: Tracing = field(default_factory=Tracing)
    redactor: Redactor = field(default_factory=Redactor)

    def tell(self, happened: Happened) -> None:
        """One look at a sync, to everybody who watches."""
        self.metrics.heard(happened)
        self.traces.heard(happened)
        for hear in (self.events.heard, self.alerts.heard):
            try:
                hear(happened)
            except SynclineError as error:
                _log.warning("not noted", sync=happened.sync, code=error.full_code)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Send events every second, look for what goes wrong by itself every minute, until the end of the block."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_again(self.events.deliver, _SEND_EVERY, stop))
            tasks.create_task(_again(self.look, _LOOK_EVERY, stop))
            try:
                yield
            finally:
                stop.set()

    async def look(self) -> None:
        """Find what is wrong by itself, tell the channels, and learn the secrets that came since."""
        self.redactor.learn(secrets_of(self.installation()))
        self.events.prune()
        self.alerts.check()
        await self.alerts.deliver()


async def _again(work: Callable[[], Awaitable[object]], seconds: float, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await work()
        except SynclineError as error:
            # The database is busy or away: what was to be done is still written there.
            _log.warning("not done", code=error.full_code)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What may be chosen: from when on something is an alert, the freshness objective of each sync, when credentials end."""

    limits: Limits = field(default_factory=Limits)
    objective: Callable[[str], Objective | None] = lambda _: Objective()
    ends: Callable[[], dict[str, dt.datetime]] = dict


def observers(
    installation: Callable[[], Installation],
    jobs: JobEngine,
    transport: Transport,
    wishes: Wishes | None = None,
    traces: Tracing | None = None,
) -> Observers:
    """Everything that watches an installation. `transport` carries events out (`guard.guarded_transport`)."""
    chosen = wishes or Wishes()
    check = partial(_check, installation)
    events = Events(installation, transport, check=check)
    watching = Watching(installation, chosen.limits, chosen.ends, chosen.objective)
    return Observers(
        installation,
        Alerts(watching, tell=events.moved, check=check),
        events,
        Metrics(installation, jobs, chosen.objective),
        traces or Tracing(),
        Redactor(secrets_of(installation())),
    )


def _check(installation: Callable[[], Installation], url: str) -> None:
    check_url(url, "url", allow_private=allows_private(installation()))
