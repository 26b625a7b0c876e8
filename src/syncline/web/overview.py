"""`/api/v1/overview/…`: how projects go, what contracts are worth, how far documents are, which milestones are due.

The router is made by `overview_router`. Each overview is of one client or of all, and of a period; each comes as JSON, or as the
same lines in a CSV file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from syncline.core.contracts import ContractStatus
from syncline.core.figures import Figures
from syncline.core.health import Health, Reason
from syncline.core.people import Scope
from syncline.errors import Refusal, RequestError
from syncline.ports import Clock, Store
from syncline.service import overview, snapshots
from syncline.service.overview import DocumentLine, MilestoneLine, ProjectLine, Span, Timing
from syncline.web.forms import Line, Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.security import Guarded, requires
from syncline.web.sheets import SHEET, Sheet, sheet
from syncline.web.workspace_items import Offer
from syncline.web.workspace_values import Day, Instant

_READ = requires(Scope.WORKSPACE_READ)
_HISTORY = "overview.history"
_OF_DAY = ("day", "of", "state", "count", "currency", "amount", "progress")


class ReasonOut(Told):
    """Why a project is at risk or late."""

    reason: Reason
    sentence: str


class ProjectHealthOut(Told):
    """How one project goes. `open` and `overdue` count its tasks and milestones, those of its contracts too; `moved_at` is when
    it, or anything of it, last changed."""

    id: str
    name: str
    client: str | None
    owner: str | None
    status: str
    due_on: dt.date | None
    health: Health
    reasons: list[ReasonOut]
    completed: int
    open: int
    overdue: int
    overdue_share: float
    documents: int
    moved_at: Instant
    idle_days: int
    last_modified: Instant


class ProjectsOverviewOut(Told):
    """How projects go, the worst first; `by_health` counts them."""

    at: dt.datetime
    by_health: dict[str, int]
    items: list[ProjectHealthOut]


class AmountOut(Told):
    """A sum in one currency."""

    currency: str
    amount: str


class ContractsOfStatusOut(Told):
    """The contracts of one status."""

    status: ContractStatus
    count: int
    values: list[AmountOut]


class ContractsOfMonthOut(Told):
    """The contracts that end in one month (`2026-12`); null: they name no end."""

    month: str | None
    count: int
    values: list[AmountOut]


class ContractsOverviewOut(Told):
    """Contracts by status; and by the month in which they end, without cancelled and declined ones."""

    at: dt.datetime
    by_status: list[ContractsOfStatusOut]
    by_month: list[ContractsOfMonthOut]


class DocumentProgressOut(Told):
    """How far a document is, in percent: as it says itself, else 100 when it is approved or final, else 0."""

    id: str
    title: str
    project_id: str
    project: str
    client: str | None
    status: str
    progress: int
    due_on: dt.date | None
    is_overdue: bool
    version: int
    last_modified: Instant


class DocumentsOverviewOut(Told):
    """How far documents are, the earliest due first. `progress` is the mean; null when there are none."""

    at: dt.datetime
    by_status: dict[str, int]
    progress: float | None
    overdue: int
    items: list[DocumentProgressOut]


class MilestoneDueOut(Told):
    """A milestone of a project or of a contract; `of` is what that is called. `days_left` is negative once the day has passed."""

    id: str
    title: str
    project_id: str | None
    contract_id: str | None
    of: str
    client: str | None
    owner: str | None
    due_on: dt.date | None
    timing: Timing
    days_left: int | None
    last_modified: Instant


class MilestonesOverviewOut(Told):
    """Milestones, the earliest due first, completed ones last; `by_timing` counts them."""

    at: dt.datetime
    by_timing: dict[str, int]
    items: list[MilestoneDueOut]


class DayOut(Told):
    """How the workspace stood on a day (UTC): projects by health, contracts and what they are worth by status (and currency), how
    far documents are in the mean, milestones by when they are due."""

    day: dt.date
    projects: dict[str, int]
    contracts: dict[str, int]
    values: dict[str, dict[str, str]]
    documents: int
    progress: float | None
    milestones: dict[str, int]


def _span(
    client: Annotated[Line | None, Query(description="Only this client's.")] = None,
    begin: Annotated[Day | None, Query(alias="from", description="Due on this day or later.")] = None,
    end: Annotated[Day | None, Query(alias="until", description="Due on this day or earlier.")] = None,
) -> Span:
    """What an overview is of."""
    return Span(client, *(dt.date.fromisoformat(day) if day is not None else None for day in (begin, end)))


_Spanning = Annotated[Span, Depends(_span)]


def overview_router(offer: Offer, clock: Callable[[], Clock], store: Callable[[], Store]) -> APIRouter:
    """The routes over this workspace, and over what the store keeps of it."""
    router = APIRouter(prefix="/api/v1/overview", tags=["overview"], route_class=Guarded)
    _add_work(router, offer, clock)
    _add_papers(router, offer, clock)
    _add_history(router, store)
    return router


def _add_work(router: APIRouter, offer: Offer, clock: Callable[[], Clock]) -> None:
    @router.get("/projects", dependencies=[_READ], response_model=ProjectsOverviewOut, responses=SHEET)
    async def get_project_overview(span: _Spanning, is_sheet: Sheet) -> Any:
        """How projects go: on track, at risk or late, by what is due, what is overdue, and when anything last moved."""
        now = clock().now()
        lines = await overview.projects(offer(), now, span)
        if is_sheet:
            return _sheet("projects", ProjectLine, lines)
        return ProjectsOverviewOut(
            at=now,
            by_health=dict(overview.counted(line.health for line in lines)),
            items=[_project(line) for line in lines],
        )

    @router.get("/milestones", dependencies=[_READ], response_model=MilestonesOverviewOut, responses=SHEET)
    async def get_milestone_overview(span: _Spanning, is_sheet: Sheet) -> Any:
        """Milestones of projects and contracts by when they are due."""
        now = clock().now()
        lines = await overview.milestones(offer(), now, span)
        if is_sheet:
            return _sheet("milestones", MilestoneLine, lines)
        return MilestonesOverviewOut(
            at=now,
            by_timing=dict(overview.counted(line.timing for line in lines)),
            items=[MilestoneDueOut.model_validate(line) for line in lines],
        )


def _add_papers(router: APIRouter, offer: Offer, clock: Callable[[], Clock]) -> None:
    @router.get("/contracts", dependencies=[_READ], response_model=ContractsOverviewOut, responses=SHEET)
    async def get_contract_overview(span: _Spanning, is_sheet: Sheet) -> Any:
        """How many contracts there are and what they are worth, by status and by month of expiry. The period is that of their
        ends."""
        found = await overview.contracts(offer(), span)
        if is_sheet:
            lines = [
                {"by": by, by: line.key, "count": line.count, **msgspec.structs.asdict(amount)}
                for by, listed in (("status", found.by_status), ("month", found.by_month))
                for line in listed
                for amount in line.values or (overview.Amount("", ""),)
            ]
            return sheet("contracts", ("by", "status", "month", "count", "currency", "amount"), lines)
        told = msgspec.to_builtins(found)
        return ContractsOverviewOut.model_validate(
            {
                "at": clock().now(),
                "by_status": [{**line, "status": line["key"]} for line in told["by_status"]],
                "by_month": [{**line, "month": line["key"]} for line in told["by_month"]],
            }
        )

    @router.get("/documents", dependencies=[_READ], response_model=DocumentsOverviewOut, responses=SHEET)
    async def get_document_overview(span: _Spanning, is_sheet: Sheet) -> Any:
        """How far documents are."""
        now = clock().now()
        lines = await overview.documents(offer(), now, span)
        if is_sheet:
            return _sheet("documents", DocumentLine, lines)
        return DocumentsOverviewOut(
            at=now,
            by_status=dict(overview.counted(line.status for line in lines)),
            progress=round(sum(line.progress for line in lines) / len(lines), 1) if lines else None,
            overdue=sum(line.is_overdue for line in lines),
            items=[DocumentProgressOut.model_validate(line) for line in lines],
        )


def _add_history(router: APIRouter, store: Callable[[], Store]) -> None:
    @router.get("/history", dependencies=[_READ], response_model=Page[DayOut], responses=SHEET)
    async def get_overview_history(
        request: Request, response: Response, paging: Paging, span: _Spanning, is_sheet: Sheet
    ) -> Any:
        """How the workspace stood day by day, oldest first: one snapshot a day, of those on which the service ran."""
        begin, last = span.begin or dt.date.min, paging.position(str, _HISTORY)
        if last is not None:
            begin = max(begin, _day_after(last))
        found = snapshots.history(store(), span.client, begin, span.end or dt.date.max, paging.most)
        lines = [_stood(day, figures) for day, figures in found]
        page = Listing(request, response, _HISTORY).page(paging, lines, lambda each: each.day.isoformat())
        if is_sheet:
            return sheet("history", _OF_DAY, [row for each in page.items for row in _rows(each)], response)
        return page


def _day_after(last: str) -> dt.date:
    try:
        return dt.date.fromisoformat(last) + dt.timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise RequestError("The cursor is not one of this list.", Refusal.CURSOR) from error


def _stood(day: dt.date, figures: Figures) -> DayOut:
    told = msgspec.to_builtins(figures)
    return DayOut.model_validate({**told, "day": day, "progress": figures.progress})


def _rows(each: DayOut) -> Iterator[dict[str, object]]:
    """A day as lines of a sheet: one for each number."""
    of = {"day": each.day}
    for kind, counts in (
        ("projects", each.projects),
        ("contracts", each.contracts),
        ("milestones", each.milestones),
    ):
        for name, count in counts.items():
            yield {**of, "of": kind, "state": name, "count": count}
    for status, sums in each.values.items():
        for currency, amount in sums.items():
            yield {**of, "of": "values", "state": status, "currency": currency, "amount": amount}
    yield {**of, "of": "documents", "count": each.documents, "progress": each.progress}


def _project(line: ProjectLine) -> ProjectHealthOut:
    why = [ReasonOut(reason=each, sentence=each.sentence) for each in line.reasons]
    return ProjectHealthOut.model_validate({**msgspec.structs.asdict(line), "reasons": why})


def _sheet(name: str, kind: type[msgspec.Struct], lines: Sequence[msgspec.Struct]) -> Any:
    return sheet(name, kind.__struct_fields__, [msgspec.structs.asdict(line) for line in lines])
