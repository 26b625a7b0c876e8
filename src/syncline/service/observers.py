"""What watches a running service, in one place: alerts, outgoing events, metrics, traces, and the masking of logs.

Made by `cli.serve` and by tests. `tell` goes to the dispatcher; `running` is entered beside the web application, in one
process only: it tells the channels and sends the events. Workers of their own only need `tell`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import structlog

from syncline.bootstrap import Installation
from syncline.config import AlertSettings
from syncline.connectors.transport import Transport
from syncline.core.findings import Limits
from syncline.core.objective import Objective
from syncline.errors import SchemaError, SetupError, SynclineError
from syncline.ports import JobEngine
from syncline.service.alerts import Alerts
from syncline.service.dispatch import Happened
from syncline.service.events import Events
from syncline.service.guard import allows_private, check_url
from syncline.service.metrics import Metrics
from syncline.service.redaction import Redactor, secrets_of
from syncline.service.traces import Tracing
from syncline.service.watching import Watching
from syncline.service.wished import wished

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
    every: Callable[[], float] = lambda: _LOOK_EVERY

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
        """Send events every second, look for what goes wrong by itself now and then, until the end of the block."""
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_again(self.events.deliver, lambda: _SEND_EVERY, stop))
            tasks.create_task(_again(self.look, self.every, stop))
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


async def _again(
    work: Callable[[], Awaitable[object]], every: Callable[[], float], stop: asyncio.Event
) -> None:
    seconds = _SEND_EVERY
    while not stop.is_set():
        try:
            await work()
            seconds = every()
        except SynclineError as error:
            # The database is busy or away: what was to be done is still written there.
            _log.warning("not done", code=error.full_code)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What may be chosen: from when on something is an alert, the freshness objective of each sync, when credentials end,
    and every how many seconds is looked for what is wrong."""

    limits: Callable[[], Limits] = Limits
    objective: Callable[[str], Objective | None] = lambda _: Objective()
    ends: Callable[[], Mapping[str, dt.datetime]] = dict
    every: Callable[[], float] = lambda: _LOOK_EVERY


def configured(installation: Callable[[], Installation]) -> Wishes:
    """As the settings say, read anew at each look: what is configured may change meanwhile."""

    def alerts() -> AlertSettings:
        return wished(installation()).settings

    def objective(sync: str) -> Objective | None:
        settings = installation().config.syncs.get(sync)
        return settings.freshness.objective() if settings is not None and settings.freshness else None

    return Wishes(
        lambda: alerts().limits(),
        objective,
        lambda: _ends(installation()),
        lambda: alerts().every.total_seconds(),
    )


def _ends(installation: Installation) -> Mapping[str, dt.datetime]:
    """When the credentials of connections end, as far as that is known."""
    known: dict[str, dt.datetime] = {}
    for name in installation.config.connections:
        # What cannot be decrypted is told of where it is used.
        with suppress(SchemaError, SetupError):
            at = installation.expires_at(name)
            known |= {name: at} if at is not None else {}
    return known


def observers(
    installation: Callable[[], Installation],
    jobs: JobEngine,
    transport: Transport,
    wishes: Wishes | None = None,
    traces: Tracing | None = None,
) -> Observers:
    """Everything that watches an installation, as it is configured unless somebody wishes otherwise. `transport` carries
    events out (`guard.guarded_transport`)."""
    chosen, spans, redactor = (
        wishes or configured(installation),
        traces or Tracing(),
        Redactor(secrets_of(installation())),
    )
    spans.mask = redactor.mask
    check = partial(_check, installation)
    events = Events(installation, transport, check=check)
    watching = Watching(installation, chosen.limits, chosen.ends, chosen.objective)
    return Observers(
        installation,
        Alerts(watching, tell=events.moved, check=check),
        events,
        Metrics(installation, jobs, chosen.objective),
        spans,
        redactor,
        chosen.every,
    )


def _check(installation: Callable[[], Installation], url: str) -> None:
    check_url(url, "url", allow_private=allows_private(installation()))
