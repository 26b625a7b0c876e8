"""The workspace as it stands into a snapshot, once a day; and snapshots into a history that can be drawn.

`keep` is called at each tick of the service, `history` by `web.overview`. Days are those of UTC: the first tick of a day keeps how
it stood then. There is none of a day on which nothing served.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from syncline.core.figures import Figures, Snapshot, together
from syncline.core.workspace import Item, ItemType
from syncline.ports import Store
from syncline.service import overview
from syncline.service.overview import DocumentLine, MilestoneLine, ProjectLine, Span
from syncline.service.workspace import Workspace

_ALL = Span()


async def keep(store: Store, workspace: Workspace, now: dt.datetime) -> bool:
    """Keep how the workspace stands, unless that was done today, or there is nothing in it; whether it was kept."""
    if store.has_snapshot(now.date()):
        return False
    made = await snapshot(workspace, now)
    if not made.clients:
        return False
    store.keep_snapshot(made)
    return True


async def snapshot(workspace: Workspace, now: dt.datetime) -> Snapshot:
    """How the workspace stands, by client."""
    projects = defaultdict[str, list[ProjectLine]](list)
    contracts = defaultdict[str, list[Item]](list)
    documents = defaultdict[str, list[DocumentLine]](list)
    milestones = defaultdict[str, list[MilestoneLine]](list)
    for line in await overview.projects(workspace, now, _ALL):
        projects[line.client or ""].append(line)
    for item in await overview.every(workspace, ItemType.CONTRACT):
        contracts[str(item.fields.get("client", ""))].append(item)
    for line in await overview.documents(workspace, now, _ALL):
        documents[line.client or ""].append(line)
    for line in await overview.milestones(workspace, now, _ALL):
        milestones[line.client or ""].append(line)
    return Snapshot(
        now.date(),
        {
            client: _figures(projects[client], contracts[client], documents[client], milestones[client])
            for client in sorted({*projects, *contracts, *documents, *milestones})
        },
    )


def history(
    store: Store, client: str | None, begin: dt.date, end: dt.date, most: int
) -> Sequence[tuple[dt.date, Figures]]:
    """The figures of one client (or of all together) on each day that there is a snapshot of, oldest first."""
    return [
        (
            each.day,
            each.clients.get(client, Figures()) if client is not None else together(each.clients.values()),
        )
        for each in store.snapshots(begin, end, most)
    ]


def _figures(
    projects: Sequence[ProjectLine],
    contracts: Iterable[Item],
    documents: Sequence[DocumentLine],
    milestones: Sequence[MilestoneLine],
) -> Figures:
    of_status = defaultdict[str, list[Item]](list)
    for each in contracts:
        of_status[str(each.fields["status"])].append(each)
    return Figures(
        projects=Counter(each.health.value for each in projects),
        contracts={status: len(items) for status, items in of_status.items()},
        values={
            status: {each.currency: each.amount for each in overview.total(items)}
            for status, items in of_status.items()
        },
        documents=len(documents),
        percents=sum(each.progress for each in documents),
        milestones=Counter(each.timing.value for each in milestones),
    )
