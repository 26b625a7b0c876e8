"""`/api/v1/quota`: what each connection may still call, what it called today, and when the work that waits will be done.

The router is made by `quota_router` over the runtime of the process. No call is made: it is all from our own memory.
"""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Request, Response

from syncline.core.people import Scope
from syncline.core.quota import Purpose
from syncline.core.records import Side
from syncline.engine.budget import Budget
from syncline.errors import Refusal, RequestError
from syncline.service import connections
from syncline.service.budgets import budget
from syncline.service.runtime import Runtime
from syncline.web.connections import Name
from syncline.web.forms import Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.security import Guarded, requires

_READ = requires(Scope.RUNS_READ)


class UsedOut(Told):
    """Calls of one hour (`hour` is its begin) for one purpose."""

    hour: dt.datetime
    purpose: Purpose
    calls: int


class CallsOut(Told):
    """When so many calls would be done, if they began now. `finished_at` is null where that never ends: the day has nothing
    for full runs."""

    calls: int
    left_today: int | None
    finished_at: dt.datetime | None
    seconds: float | None
    sentence: str


class PendingOut(Told):
    """What the next full run of a sync asks of this connection: `reads` to see the records, and `writes` that wait.
    `is_known` is false before the first full run: nobody knows then what looking takes."""

    sync: str
    side: Side
    reads: int
    writes: int
    forecast: CallsOut
    is_known: bool


class BudgetOut(Told):
    """One connection's limits and calls. A limit is null where nobody tells one; the `kept` part of it is left to what
    somebody has just edited. `left_for_bulk` is what full runs may still use today; `used_today` counts by purpose since
    `counted_from`, and `hours` tell the same hour by hour."""

    connection: str
    burst_limit: int | None
    burst_seconds: float | None
    burst_kept: int
    daily_limit: int | None
    daily_kept: int
    daily_left: int | None
    left_for_bulk: int | None
    resets_at: dt.datetime | None
    reserve: float
    used_today: dict[str, int]
    hours: list[UsedOut]
    pending: list[PendingOut]
    counted_from: dt.datetime


def quota_router(runtime: Runtime) -> APIRouter:
    """The routes over this runtime."""
    router = APIRouter(tags=["quota"], route_class=Guarded)

    @router.get("/api/v1/quota", dependencies=[_READ])
    async def list_quotas(request: Request, response: Response, paging: Paging) -> Page[BudgetOut]:
        """What each connection may still call, by name. One that is still to be authorised is left out."""
        installation = runtime.current()
        after = paging.position(str, "quota") or ""
        names = sorted(name for name in installation.config.connections if name > after)[: paging.most]
        found = [_out(budget(installation, name)) for name in names]
        return Listing(request, response, "quota").page(paging, found, lambda each: each.connection)

    @router.get("/api/v1/connections/{name}/quota", dependencies=[_READ])
    async def get_quota(name: Name) -> BudgetOut:
        """What one connection may still call, what it called today, and what waits."""
        installation = runtime.current()
        if name not in installation.config.connections:
            connections.kept_of(installation, name)
            raise RequestError(f"The connection '{name}' has to be authorised first.", Refusal.NOT_WORKING)
        return _out(budget(installation, name))

    return router


def _out(found: Budget) -> BudgetOut:
    return BudgetOut.model_validate(found)
