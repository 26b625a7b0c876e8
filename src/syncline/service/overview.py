"""The workspace's items into what a dashboard shows: how projects go, what contracts are worth, how far documents are, what is due.

Called by `web.overview`. Read whole from the workspace each time, in pages between which other work goes on; nothing is kept.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum

import msgspec

from syncline.core.contracts import ContractStatus
from syncline.core.figures import written
from syncline.core.health import Health, Progress, Reason, health, is_overdue, reasons
from syncline.core.workspace import Item, ItemType
from syncline.service.workspace import Workspace, cursor_of

_AT_ONCE = 500
_OVER = frozenset({"completed", "cancelled"})
_VOID = frozenset({ContractStatus.CANCELLED, ContractStatus.DECLINED})
_SOON = dt.timedelta(days=7)
_SEVERITY = [Health.LATE, Health.AT_RISK, Health.ON_TRACK, Health.DONE]
_FINAL = frozenset({"approved", "final"})
_LAST_DAY = dt.date.max


class Span(msgspec.Struct, frozen=True):
    """What an overview is of: one client, or all; what is due (or ends) in a period, both ends included. Without a beginning and
    an end, what has no date is in it too."""

    client: str | None = None
    begin: dt.date | None = None
    end: dt.date | None = None

    def holds(self, client: object, day: dt.date | None) -> bool:
        """Whether something of this client, due on this day, belongs to it."""
        if self.client is not None and client != self.client:
            return False
        if self.begin is None and self.end is None:
            return True
        return day is not None and (self.begin or dt.date.min) <= day <= (self.end or _LAST_DAY)


class ProjectLine(msgspec.Struct, frozen=True):
    """How one project goes. `open` and `overdue` count its tasks and milestones, those of its contracts too; `moved_at` is when it
    or anything of it last changed."""

    id: str
    name: str
    client: str | None
    owner: str | None
    status: str
    due_on: dt.date | None
    health: Health
    reasons: tuple[Reason, ...]
    completed: int
    open: int
    overdue: int
    overdue_share: float
    documents: int
    moved_at: dt.datetime
    idle_days: int
    last_modified: dt.datetime


class Amount(msgspec.Struct, frozen=True):
    """A sum of money in one currency."""

    currency: str
    amount: str


class ContractLine(msgspec.Struct, frozen=True):
    """Contracts of one status, or that end in one month (`2026-12`; None: they name no end)."""

    key: str | None
    count: int
    values: tuple[Amount, ...]


class Contracts(msgspec.Struct, frozen=True):
    """Contracts by status, in the order of their way; and by the month in which they end, without cancelled and declined ones."""

    by_status: tuple[ContractLine, ...]
    by_month: tuple[ContractLine, ...]


class DocumentLine(msgspec.Struct, frozen=True):
    """How far a document is: as it says itself, else 100 when it is approved or final, else 0."""

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
    last_modified: dt.datetime


class Timing(Enum):
    """When a milestone is due."""

    OVERDUE = "overdue"
    SOON = "soon"
    LATER = "later"
    UNDATED = "undated"
    COMPLETED = "completed"


class MilestoneLine(msgspec.Struct, frozen=True):
    """A milestone of a project or of a contract: `of` is what that is called."""

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
    last_modified: dt.datetime


async def projects(workspace: Workspace, now: dt.datetime, span: Span) -> Sequence[ProjectLine]:
    """How projects go, the worst first."""
    found = [
        each
        for each in await every(workspace, ItemType.PROJECT)
        if span.holds(each.fields.get("client"), _day(each, "due_on"))
    ]
    below = await _below(workspace)
    lines = [_project(each, below.get(each.id, []), now) for each in found]
    return sorted(
        lines, key=lambda line: (_SEVERITY.index(line.health), line.due_on or _LAST_DAY, line.name, line.id)
    )


async def contracts(workspace: Workspace, span: Span) -> Contracts:
    """What contracts are worth, by status and by month of expiry."""
    found = [
        each
        for each in await every(workspace, ItemType.CONTRACT)
        if span.holds(each.fields.get("client"), _day(each, "ends_on"))
    ]
    statuses = defaultdict[ContractStatus, list[Item]](list)
    months = defaultdict[str | None, list[Item]](list)
    for each in found:
        status = ContractStatus(str(each.fields["status"]))
        statuses[status].append(each)
        if status not in _VOID:
            ends_on = each.fields.get("ends_on")
            months[str(ends_on)[:7] if ends_on is not None else None].append(each)
    return Contracts(
        tuple(_contracts(each.value, statuses[each]) for each in ContractStatus if each in statuses),
        tuple(_contracts(month, months[month]) for month in sorted(months, key=lambda key: key or "~")),
    )


async def documents(workspace: Workspace, now: dt.datetime, span: Span) -> Sequence[DocumentLine]:
    """How far documents are, the earliest due first."""
    above = {each.id: each for each in await every(workspace, ItemType.PROJECT)}
    lines = [_document(each, above, now) for each in await every(workspace, ItemType.DOCUMENT)]
    return sorted(
        (line for line in lines if span.holds(line.client, line.due_on)),
        key=lambda line: (line.due_on or _LAST_DAY, line.project, line.title, line.id),
    )


async def milestones(workspace: Workspace, now: dt.datetime, span: Span) -> Sequence[MilestoneLine]:
    """Milestones, the earliest due first; completed ones last."""
    above = {
        each.ref: each
        for kind in (ItemType.PROJECT, ItemType.CONTRACT)
        for each in await every(workspace, kind)
    }
    lines = [
        _milestone(each, above.get(each.parent) if each.parent is not None else None, now)
        for each in await every(workspace, ItemType.MILESTONE)
    ]
    return sorted(
        (line for line in lines if span.holds(line.client, line.due_on)),
        key=lambda line: (
            line.timing is Timing.COMPLETED,
            line.due_on or _LAST_DAY,
            line.of,
            line.title,
            line.id,
        ),
    )


def progress_of(document: Item) -> int:
    """How far a document is, in percent."""
    told = document.fields.get("progress")
    if isinstance(told, int):
        return told
    return 100 if document.fields.get("status") in _FINAL else 0


def total(items: Iterable[Item]) -> tuple[Amount, ...]:
    """What items are worth together, by currency."""
    sums = defaultdict[str, Decimal](Decimal)
    for each in items:
        value = each.fields.get("value")
        if isinstance(value, dict):
            sums[value["currency"]] += Decimal(value["amount"])
    return tuple(Amount(currency, written(sums[currency])) for currency in sorted(sums))


def counted(values: Iterable[Enum | str]) -> Mapping[str, int]:
    """How many there are of each."""
    return Counter(each.value if isinstance(each, Enum) else each for each in values)


# --- one line ---------------------------------------------------------------------------------------------------------


def _project(project: Item, below: Sequence[Item], now: dt.datetime) -> ProjectLine:
    steps = [each for each in below if each.kind in (ItemType.TASK, ItemType.MILESTONE)]
    waiting = [each for each in steps if not each.fields.get("is_completed")]
    overdue = [each for each in waiting if is_overdue(_day(each, "due_on"), now)]
    moved_at = max(each.last_modified for each in (project, *below))
    progress = Progress(
        is_over=project.fields.get("status") in _OVER,
        due_on=_day(project, "due_on"),
        open=len(waiting),
        overdue=len(overdue),
        milestones_overdue=sum(each.kind is ItemType.MILESTONE for each in overdue),
        moved_at=moved_at,
    )
    return ProjectLine(
        id=project.id,
        name=project.title,
        client=_text(project, "client"),
        owner=_text(project, "owner"),
        status=str(project.fields.get("status")),
        due_on=progress.due_on,
        health=health(progress, now),
        reasons=reasons(progress, now),
        completed=len(steps) - len(waiting),
        open=progress.open,
        overdue=progress.overdue,
        overdue_share=round(progress.overdue_share, 3),
        documents=sum(each.kind is ItemType.DOCUMENT for each in below),
        moved_at=moved_at,
        idle_days=max(0, (now - moved_at).days),
        last_modified=project.last_modified,
    )


def _contracts(key: str | None, items: Sequence[Item]) -> ContractLine:
    return ContractLine(key, len(items), total(items))


def _document(document: Item, above: Mapping[str, Item], now: dt.datetime) -> DocumentLine:
    id_ = document.parent.id if document.parent is not None else ""
    project = above.get(id_)
    due_on, progress = _day(document, "due_on"), progress_of(document)
    version = document.fields.get("version")
    return DocumentLine(
        id=document.id,
        title=document.title,
        project_id=id_,
        project=project.title if project is not None else "",
        client=_text(project, "client") if project is not None else None,
        status=str(document.fields.get("status")),
        progress=progress,
        due_on=due_on,
        is_overdue=progress < 100 and is_overdue(due_on, now),
        version=version if isinstance(version, int) else 1,
        last_modified=document.last_modified,
    )


def _milestone(milestone: Item, above: Item | None, now: dt.datetime) -> MilestoneLine:
    parent, due_on = milestone.parent, _day(milestone, "due_on")
    is_of_project = parent is not None and parent.kind is ItemType.PROJECT
    parent_id = parent.id if parent is not None else None
    return MilestoneLine(
        id=milestone.id,
        title=milestone.title,
        project_id=parent_id if is_of_project else None,
        contract_id=None if is_of_project else parent_id,
        of=above.title if above is not None else "",
        client=_text(above, "client") if above is not None else None,
        owner=_text(milestone, "owner"),
        due_on=due_on,
        timing=_timing(milestone, due_on, now),
        days_left=(due_on - now.date()).days if due_on is not None else None,
        last_modified=milestone.last_modified,
    )


def _timing(milestone: Item, due_on: dt.date | None, now: dt.datetime) -> Timing:
    if milestone.fields.get("is_completed"):
        return Timing.COMPLETED
    if due_on is None:
        return Timing.UNDATED
    if is_overdue(due_on, now):
        return Timing.OVERDUE
    return Timing.SOON if due_on <= (now + _SOON).date() else Timing.LATER


# --- reading ----------------------------------------------------------------------------------------------------------


async def _below(workspace: Workspace) -> Mapping[str, Sequence[Item]]:
    """What is of each project, by its id: what is under it, its contracts, and what is under those."""
    found = defaultdict[str, list[Item]](list)
    project_of = dict[str, str]()
    for each in await every(workspace, ItemType.CONTRACT):
        project = each.fields.get("project")
        if isinstance(project, str):
            project_of[each.id] = project
            found[project].append(each)
    for kind in (ItemType.DOCUMENT, ItemType.TASK, ItemType.MILESTONE):
        for each in await every(workspace, kind):
            parent = each.parent
            if parent is None:
                continue
            project = parent.id if parent.kind is ItemType.PROJECT else project_of.get(parent.id)
            if project is not None:
                found[project].append(each)
    return found


async def every(workspace: Workspace, kind: ItemType) -> Sequence[Item]:
    """All items of a kind that do not lie in the trash."""
    found, after = dict[str, Item](), ""
    while page := workspace.page(kind, after=after, limit=_AT_ONCE):
        # What changes meanwhile comes once more.
        found.update({each.id: each for each in page})
        after = cursor_of(page[-1])
        await asyncio.sleep(0)
    return [*found.values()]


def _day(item: Item, name: str) -> dt.date | None:
    found = item.fields.get(name)
    return dt.date.fromisoformat(str(found)) if found is not None else None


def _text(item: Item, name: str) -> str | None:
    found = item.fields.get(name)
    return str(found) if found is not None else None
