"""An installation into a running service: it hears, schedules and dispatches, until it is told to stop.

Made by `cli.serve`, by the demo and by tests; entered beside the web application.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import structlog

from syncline.bootstrap import Installation
from syncline.core.records import SyncId
from syncline.core.timetable import Timetable
from syncline.engine.sync import Watch, unwatched
from syncline.errors import StoreError, SynclineError
from syncline.ports import Handler, JobEngine
from syncline.service import snapshots
from syncline.service.dispatch import SYNC, Dispatcher, Tell
from syncline.service.hooks import open_doors
from syncline.service.intake import Intake
from syncline.service.marking import bound_marks
from syncline.service.overhearing import overhear, workspace_routes
from syncline.service.routes import Route, routes_of
from syncline.service.runtime import Runtime
from syncline.service.workspace import Workspace

TICK = 15.0
"""Seconds between two looks at what is due: so much a lost wake costs."""

_BODIES, _DELIVERIES, _AT_ONCE = dt.timedelta(days=14), dt.timedelta(days=60), 500

_log = structlog.get_logger(__name__)


class Service:
    """Everything that runs beside the answering of requests: what is configured may change meanwhile."""

    def __init__(
        self,
        runtime: Runtime,
        jobs: JobEngine,
        tell: Tell = lambda _: None,
        watch: Callable[[SyncId], Watch] = lambda _: unwatched,
        around: Callable[[str, Handler], Handler] = lambda _, handle: handle,
    ) -> None:
        self._runtime = runtime
        runtime.changed = self.reconfigured
        self._jobs = jobs
        self._handlers = {SYNC: around("look", self._look)}
        now = runtime.current()
        self.dispatcher = Dispatcher(runtime.current, jobs, self._table, tell, watch)
        self.intake = Intake(now.store, now.clock, self._routes, self._woken)
        self._stop = asyncio.Event()
        self._wakes: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self, *, works: bool = True) -> AsyncGenerator[None]:
        """Work until the end of the block; then let what runs finish. Without `works`, others do what was heard of."""
        await self._runtime.current().adopt()
        self.reconfigured(self._runtime.current())
        self._sweep()
        self._stop.clear()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tick())
            if works:
                tasks.create_task(self._jobs.run_worker(self._handlers, self._stop))
            try:
                yield
            finally:
                self._stop.set()
        await asyncio.gather(*self._wakes, return_exceptions=True)

    def reconfigured(self, now: Installation) -> None:
        """Listen for the connections of this installation, and for no others: for `Runtime.changed`."""
        open_doors(self.intake, now)

    def _sweep(self) -> None:
        """A process that was killed may have left files that no attachment has."""
        now = self._runtime.current()
        try:
            Workspace(now.store, now.clock, now.vault).sweep()
        except StoreError as error:
            _log.warning("attachments not swept", code=error.full_code)

    def overhear(self) -> None:
        """Something may have changed in the workspace: whoever syncs it looks at once. What cannot be noted now is at the next
        tick."""
        now = self._runtime.current()
        routes = workspace_routes(self._routes(), now.config.connections)
        try:
            for sync in sorted(overhear(now.store, routes, now.clock.now())):
                self._woken(sync)
        except StoreError as error:
            _log.warning("not overheard", code=error.full_code)

    async def _look(self, sync: str) -> None:
        """One look, with connectors that stay open until it is over, whatever is configured meanwhile."""
        async with self._runtime.held():
            await self.dispatcher.look(sync)
        self.overhear()

    async def _tick(self) -> None:
        while not self._stop.is_set():
            try:
                await self._runtime.refresh()
                self.intake.catch_up()
                self.overhear()
                await self.dispatcher.tick()
                self._forget()
                await self._keep_figures()
            except SynclineError as error:
                # The database is busy or away, or what is configured is not understood: the next tick tries again.
                _log.warning("tick failed", code=error.full_code)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), TICK)

    def _forget(self) -> None:
        """Old webhooks go, a few at each tick: bodies first, and what tells a repeated one only after weeks. So do marks
        of a sync that has too many."""
        installation = self._runtime.current()
        now = installation.clock.now()
        for sync, count in bound_marks(installation.store, now).items():
            _log.info("marks forgotten", sync=sync, count=count, instead="a listing of changes")
        installation.store.prune_deliveries(now - _BODIES, now - _DELIVERIES, _AT_ONCE)

    async def _keep_figures(self) -> None:
        """How the workspace stands, once a day."""
        now = self._runtime.current()
        await snapshots.keep(now.store, Workspace(now.store, now.clock, now.vault), now.clock.now())

    def _woken(self, sync: SyncId) -> None:
        """A webhook marked something. (The intake does not wait for the job engine.)"""
        task = asyncio.get_running_loop().create_task(self._jobs.wake(SYNC, sync))
        self._wakes.add(task)
        task.add_done_callback(self._wakes.discard)

    def _routes(self) -> tuple[Route, ...]:
        return routes_of(self._runtime.current().config.syncs)

    def _table(self, sync: str) -> Timetable:
        settings = self._runtime.current().config.syncs.get(sync)
        return settings.schedule.table() if settings is not None else Timetable()
