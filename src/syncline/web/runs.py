"""Runs, the history of every field, and writes that failed: `/api/v1/syncs/{sync}/…` and `/api/v1/runs/{run}`.

The router is made by `runs_router` over the runtime and the job engine of the process.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from syncline.core.catalogue import entry as explained
from syncline.core.catalogue import remedy_of
from syncline.core.memory import Parked
from syncline.core.people import Scope
from syncline.core.records import RecordKey, RunId, Side
from syncline.errors import ProblemKind, Refusal, RequestError, UsageError
from syncline.ports import JobEngine
from syncline.service.runtime import Runtime
from syncline.service.starting import checked, retry
from syncline.web.forms import Line, Sent, Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.security import Guarded, requires
from syncline.web.shapes import EntryOut, Key, RunOut, RunWhole, SyncName, entry_out, run_out, run_whole

_RUNS = requires(Scope.RUNS_READ)
_RECORDS = requires(Scope.RECORDS_READ)
_RETRY = requires(Scope.RECORDS_WRITE)
_MOST_KEYS = 200


class ParkedOut(Told):
    """A record whose write failed. `due` is the next try; null when only an edit or a retry gets it going again."""

    side: Side
    key: str
    title: str
    code: str
    message: str
    field: str | None
    attempts: int
    due: dt.datetime | None
    since: dt.datetime
    remedy: str


class RetryIn(Sent):
    """Which parked records: by their ids (of either side), by the code of the failure, or (with neither) all."""

    keys: Annotated[list[Key] | None, Field(min_length=1, max_length=_MOST_KEYS)] = None
    code: Line | None = None


class RetriedOut(Told):
    """How many are due now."""

    due: int


def runs_router(runtime: Runtime, jobs: JobEngine) -> APIRouter:
    """The routes over this runtime."""
    router = APIRouter(tags=["runs"], route_class=Guarded)
    _add_runs(router, runtime)
    _add_parked(router, runtime, jobs)
    return router


def _add_runs(router: APIRouter, runtime: Runtime) -> None:
    @router.get("/api/v1/syncs/{sync}/runs", dependencies=[_RUNS])
    async def list_runs(sync: SyncName, request: Request, response: Response, paging: Paging) -> Page[RunOut]:
        """The runs of a sync, newest first."""
        installation = runtime.current()
        list_name = f"runs {sync}"
        before = paging.position(int, list_name)
        found = installation.store.runs_before(checked(installation, sync), paging.most, before)
        numbers = {run.id: number for number, run in found}
        listing = Listing(request, response, list_name)
        return listing.page(paging, [run_out(run) for _, run in found], lambda each: numbers[RunId(each.id)])

    @router.get("/api/v1/runs/{run}", dependencies=[_RUNS])
    async def get_run(run: SyncName) -> RunWhole:
        """One run, with all that it did and the first failures."""
        found = runtime.current().store.find_run(RunId(run))
        if found is None:
            raise RequestError("There is no such run.", Refusal.NOT_THERE)
        return run_whole(found)

    @router.get("/api/v1/syncs/{sync}/history", dependencies=[_RECORDS])
    async def list_history(
        sync: SyncName,
        request: Request,
        response: Response,
        paging: Paging,
        key: Annotated[Key | None, Query(description="Only this record: its id on either side.")] = None,
        run: Annotated[Key | None, Query(description="Only what this run did.")] = None,
    ) -> Page[EntryOut]:
        """What became of every field, newest first."""
        installation = runtime.current()
        list_name = f"history {sync}"
        found = installation.store.history_before(
            checked(installation, sync),
            paging.most,
            key=RecordKey(key) if key is not None else None,
            run=RunId(run) if run is not None else None,
            before=paging.position(int, list_name),
        )
        listing = Listing(request, response, list_name)
        return listing.page(paging, [entry_out(each) for each in found], lambda each: each.id)


def _add_parked(router: APIRouter, runtime: Runtime, jobs: JobEngine) -> None:
    @router.get("/api/v1/syncs/{sync}/parked", dependencies=[_RECORDS])
    async def list_parked(
        sync: SyncName, request: Request, response: Response, paging: Paging
    ) -> Page[ParkedOut]:
        """The records whose writes failed: why, how often they were tried, and when next."""
        installation = runtime.current()
        list_name = f"parked {sync}"
        after = paging.position(str, list_name) or ""
        found = sorted(installation.store.parked(checked(installation, sync)), key=_place)
        shown = [parked_out(each) for each in found if _place(each) > after][: paging.most]
        listing = Listing(request, response, list_name)
        return listing.page(paging, shown, lambda each: f"{each.side.value}:{each.key}")

    @router.post("/api/v1/syncs/{sync}/retry", status_code=202, dependencies=[_RETRY])
    async def retry_parked(sync: SyncName, body: RetryIn | None = None) -> RetriedOut:
        """Try parked records again now."""
        told = body or RetryIn()
        if told.code is not None and explained(told.code) is None:
            text, remedy = f"There is no code '{told.code}'.", "See /api/v1/errors."
            raise UsageError("code", text, remedy, ProblemKind.WRONG_VALUE, told.code)
        keys = [RecordKey(key) for key in told.keys] if told.keys is not None else None
        return RetriedOut(due=await retry(runtime.current(), jobs, sync, keys, told.code))


def _place(parked: Parked) -> str:
    return f"{parked.side.value}:{parked.key}"


def parked_out(parked: Parked) -> ParkedOut:
    """A record whose write failed, with what to do about it."""
    found = ParkedOut.model_validate(parked)
    found.remedy = remedy_of(parked.code)
    return found
