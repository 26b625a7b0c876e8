"""An installation on sandbox accounts over real HTTP, with a clock of its own, for the tests of the service."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from syncline.bootstrap import Installation, install
from syncline.config import load
from syncline.core.records import RecordKey, Side, SyncId
from syncline.core.timetable import Timetable
from syncline.jobs.embedded import EmbeddedJobs
from syncline.ports import Mark
from syncline.service.dispatch import Dispatcher, Happened
from tests.cli.office import Office
from tests.clock import VirtualClock

TICKETS = SyncId("tickets")


@dataclass
class Desk:
    """The service's inner parts around one installation; what happened is noted."""

    office: Office
    installation: Installation
    clock: VirtualClock
    jobs: EmbeddedJobs
    table: Timetable = field(default_factory=Timetable)
    happened: list[Happened] = field(default_factory=list[Happened])
    dispatcher: Dispatcher = field(init=False)

    def __post_init__(self) -> None:
        """A dispatcher that notes what happens."""
        self.dispatcher = Dispatcher(
            lambda: self.installation, self.jobs, lambda _: self.table, self.happened.append
        )

    def mark(self, side: Side, key: str, seconds_ago: float = 0) -> Mark:
        """Something is heard of a record."""
        now = self.clock.now()
        mark = Mark(TICKETS, side, RecordKey(key), "test", now - dt.timedelta(seconds=seconds_ago), now)
        self.installation.store.add_marks([mark])
        return mark

    async def look(self) -> Happened | None:
        """One look at the sync; what happened, if anything did."""
        before = len(self.happened)
        await self.dispatcher.look(TICKETS)
        return self.happened[-1] if len(self.happened) > before else None


@asynccontextmanager
async def open_desk(office: Office) -> AsyncGenerator[Desk, None]:
    """The installation of the office's configuration, in a store of its own."""
    clock = VirtualClock()
    config = load(office.config, office.environ)
    installation = install(config, office.folder, clock=clock, seed=1)
    await installation.adopt()
    try:
        yield Desk(office, installation, clock, EmbeddedJobs(clock, jitter=lambda: 0.5))
    finally:
        await installation.close()
