"""`/api/v1/syncs`: how each sync stands, starting and pausing it, and what a run would do.

The router is made by `syncs_router` over the runtime and the job engine of the process.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field, StrictBool

from syncline.bootstrap import Installation
from syncline.core.brakes import BrakeName
from syncline.core.people import Scope
from syncline.core.records import Side, SyncId
from syncline.core.timetable import DueKind
from syncline.engine.outlook import counted, foreseen
from syncline.engine.runs import Options, preview
from syncline.engine.views import status_of
from syncline.ports import JobEngine
from syncline.service import drafting
from syncline.service.dispatch import SYNC
from syncline.service.drafting import Consent
from syncline.service.pauses import Pauses, pause, pauses
from syncline.service.runtime import Runtime
from syncline.service.starting import checked, start, why_paused
from syncline.story import paused_line
from syncline.web.etags import CONDITIONAL, IfMatch, put_etag
from syncline.web.forms import Sent, Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.plans import PlanIn, PlanOut, plan_out
from syncline.web.security import Guarded, Who, requires
from syncline.web.shapes import BrakeOut, CountsOut, EndOut, RunOut, SyncName, run_out

_READ = requires(Scope.SYNCS_READ)
_CHANGE = requires(Scope.SYNCS_WRITE)
_PLAN = requires(Scope.RUNS_READ)
_WRITE = requires(Scope.RUNS_WRITE)
_MEASURED = dt.timedelta(hours=24)


class DueOut(Told):
    """When a sync is looked at next, and why. `misses`: how often it failed in a row, `why`: the last failure's code."""

    kind: DueKind
    at: dt.datetime
    misses: int
    why: str


class LagOut(Told):
    """How long edits of the last 24 hours took from when we heard of them until they were written, in seconds: so many per
    cent took at most so long. Null where there were none."""

    count: int
    p50: float | None
    p95: float | None
    p99: float | None


class SyncOut(Told):
    """How a sync stands. `paused` says why it does not run; `resting` are field lines that do not fit any more."""

    name: str
    left: EndOut
    right: EndOut
    counts: CountsOut
    last: RunOut | None
    brakes: list[BrakeOut]
    questions: int
    parked: int
    unknown: int
    paused: str
    resting: list[str]
    due: list[DueOut]
    lag: LagOut


class SyncWhole(SyncOut):
    """The same with its settings, and the version that they are of."""

    settings: dict[str, Any]
    version: int | None


class RunIn(Sent):
    """How to run: everything is listed, or only what may have changed; and brakes to release for this once."""

    is_full: StrictBool = False
    release: Annotated[tuple[BrakeName, ...], Field(max_length=len(BrakeName))] = ()


class StartedOut(Told):
    """A run that is due now. `after` is the last run before it: the next one in the list is this one. `paused` says why it
    waits, where people paused it."""

    sync: str
    kind: DueKind
    at: dt.datetime
    after: str | None
    paused: str


class PausesOut(Told):
    """What is paused, and since when."""

    everything: dt.datetime | None
    connections: dict[str, dt.datetime]
    syncs: dict[str, dt.datetime]


class RemoveIn(Sent):
    """Why a sync is removed, and that this is meant although it has links."""

    note: Annotated[str, Field(max_length=1000)] = ""
    confirmed: StrictBool = False


def syncs_router(runtime: Runtime, jobs: JobEngine) -> APIRouter:
    """The routes over this runtime."""
    router = APIRouter(tags=["syncs"], route_class=Guarded)
    _add_reading(router, runtime)
    _add_running(router, runtime, jobs)
    _add_pausing(router, runtime, jobs)
    return router


def _add_reading(router: APIRouter, runtime: Runtime) -> None:
    @router.get("/api/v1/syncs", dependencies=[_READ])
    async def list_syncs(request: Request, response: Response, paging: Paging) -> Page[SyncOut]:
        """How each sync stands, by name."""
        installation = runtime.current()
        after = paging.position(str, "syncs") or ""
        names = sorted(name for name in installation.config.syncs if name > after)[: paging.most]
        found = [SyncOut(**_sync(installation, name)) for name in names]
        return Listing(request, response, "syncs").page(paging, found, lambda each: each.name)

    @router.get("/api/v1/syncs/{sync}", dependencies=[_READ])
    async def get_sync(sync: SyncName, response: Response) -> SyncWhole:
        """How one sync stands, and its settings. Its `ETag` is the version in force."""
        installation = runtime.current()
        checked(installation, sync)
        settings = installation.config.syncs[sync].model_dump(mode="json")
        number = installation.version.number if installation.version else None
        put_etag(response, number or 0)
        return SyncWhole(**_sync(installation, sync), settings=settings, version=number)

    @router.delete("/api/v1/syncs/{sync}", status_code=204, dependencies=[_CHANGE], responses=CONDITIONAL)
    async def remove_sync(sync: SyncName, if_match: IfMatch, body: RemoveIn | None = None) -> None:
        """Let a sync run no more, as a new version. Nothing is deleted at the vendors; its links are remembered."""
        installation = runtime.current()
        checked(installation, sync)
        if_match.check(installation.version.number if installation.version else 0)
        told = body or RemoveIn()
        await drafting.remove(runtime, sync, Consent(told.note, told.confirmed))


def _add_running(router: APIRouter, runtime: Runtime, jobs: JobEngine) -> None:
    @router.post("/api/v1/syncs/{sync}/run", status_code=202, dependencies=[_WRITE])
    async def start_sync(sync: SyncName, body: RunIn | None = None) -> StartedOut:
        """Start a run now. It goes on by itself; see the list of runs, or the stream of events."""
        installation, told = runtime.current(), body or RunIn()
        checked(installation, sync)
        last = next(iter(installation.store.runs(SyncId(sync), 1)), None)
        due = await start(installation, jobs, sync, is_full=told.is_full, release=told.release)
        return StartedOut(
            sync=sync,
            kind=due.kind,
            at=due.at,
            after=last.id if last is not None else None,
            paused=why_paused(installation, sync),
        )

    @router.post("/api/v1/syncs/{sync}/plan", dependencies=[_PLAN])
    async def plan_sync(sync: SyncName, who: Who, body: PlanIn | None = None) -> PlanOut:
        """What a run would do now. Both sides are read; nothing is written anywhere."""
        told = body or PlanIn()
        options = Options(is_full=told.is_full, release=frozenset(told.release))
        async with runtime.held() as installation:
            checked(installation, sync)
            connected = await installation.sync(sync)
            world, before = installation.world(), counted(connected)
            made = await preview(world, connected, options)
            plan = foreseen(connected, made, before, world.clock.now(), options.purpose)
        return plan_out(plan, told.most, with_values=Scope.RECORDS_READ in who.rights)


def _add_pausing(router: APIRouter, runtime: Runtime, jobs: JobEngine) -> None:
    async def resumed(names: list[str]) -> None:
        for name in names:
            await jobs.wake(SYNC, name)

    @router.get("/api/v1/pauses", dependencies=[_READ])
    async def list_pauses() -> PausesOut:
        """What is paused."""
        return _pauses(pauses(runtime.current().store))

    @router.post("/api/v1/pause", dependencies=[_WRITE])
    async def pause_everything() -> PausesOut:
        """Start no run at all, until it is resumed. What is heard meanwhile is kept."""
        home = runtime.current()
        return _pauses(pause(home.store, home.clock))

    @router.post("/api/v1/resume", dependencies=[_WRITE])
    async def resume_everything() -> PausesOut:
        """Start runs again. What is paused by its own name stays paused."""
        home = runtime.current()
        done = pause(home.store, home.clock, is_paused=False)
        await resumed(list(home.config.syncs))
        return _pauses(done)

    @router.post("/api/v1/syncs/{sync}/pause", dependencies=[_WRITE])
    async def pause_sync(sync: SyncName) -> PausesOut:
        """Start no run of this sync, until it is resumed. A run that is under way ends by itself."""
        home = runtime.current()
        return _pauses(pause(home.store, home.clock, sync=checked(home, sync)))

    @router.post("/api/v1/syncs/{sync}/resume", dependencies=[_WRITE])
    async def resume_sync(sync: SyncName) -> PausesOut:
        """Start runs of this sync again."""
        home = runtime.current()
        done = pause(home.store, home.clock, sync=checked(home, sync), is_paused=False)
        await resumed([sync])
        return _pauses(done)

    @router.post("/api/v1/connections/{name}/pause", dependencies=[_WRITE])
    async def pause_connection(name: SyncName) -> PausesOut:
        """Start no run that needs this connection, until it is resumed."""
        home = runtime.current()
        home.connector(name)
        return _pauses(pause(home.store, home.clock, connection=name))

    @router.post("/api/v1/connections/{name}/resume", dependencies=[_WRITE])
    async def resume_connection(name: SyncName) -> PausesOut:
        """Start runs that need this connection again."""
        home = runtime.current()
        home.connector(name)
        done = pause(home.store, home.clock, connection=name, is_paused=False)
        await resumed(
            [
                sync
                for sync, settings in home.config.syncs.items()
                if name in {settings.side(side).connection for side in Side}
            ]
        )
        return _pauses(done)


# --- telling ----------------------------------------------------------------------------------------------------------


def _sync(installation: Installation, name: str) -> dict[str, Any]:
    settings, store = installation.config.syncs[name], installation.store
    status = status_of(store, name)
    left, right = (
        EndOut(connection=settings.side(side).connection, object=settings.side(side).object) for side in Side
    )
    return {
        "name": name,
        "left": left,
        "right": right,
        "counts": CountsOut.model_validate(status.counts),
        "last": run_out(status.last) if status.last is not None else None,
        "brakes": [BrakeOut.model_validate(each) for each in status.brakes],
        "questions": status.questions,
        "parked": len(status.parked),
        "unknown": status.unknown,
        "paused": why_paused(installation, name),
        "resting": [paused_line(each) for each in status.paused],
        "due": [DueOut.model_validate(each) for each in store.dues(SyncId(name))],
        "lag": _lag(installation, SyncId(name)),
    }


def _lag(installation: Installation, sync: SyncId) -> LagOut:
    counts = installation.store.lags(sync, installation.clock.now() - _MEASURED)
    total = sum(counts.values())

    def within(share: float) -> float | None:
        reached = 0
        for bound, count in sorted(counts.items()):
            reached += count
            if reached >= share * total:
                return bound.total_seconds()
        return None

    return LagOut(count=total, p50=within(0.5), p95=within(0.95), p99=within(0.99))


def _pauses(found: Pauses) -> PausesOut:
    return PausesOut(
        everything=found.everything, connections=dict(found.connections), syncs=dict(found.syncs)
    )
