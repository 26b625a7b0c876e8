"""`/api/v1/search`: projects, documents, contracts, leads and all else of the workspace, and the records that syncs know, by name.

The router is made by `search_router` over the runtime of the process.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import StringConstraints

from syncline.core.people import Scope
from syncline.core.records import Side
from syncline.service.runtime import Runtime
from syncline.service.search import Asked, search
from syncline.web.forms import Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.security import Guarded, Who, requires
from syncline.web.sheets import SHEET, Sheet, sheet
from syncline.web.workspace_values import Instant

_READ = requires(Scope.WORKSPACE_READ)
_COLUMNS = ("kind", "connection", "object", "key", "title", "field", "sync", "side", "last_modified", "path")
_LIST = "search"

_Text = Annotated[
    str,
    StringConstraints(min_length=2, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$"),
    Query(description="A part of what it is called, or of what an item holds."),
]
_Kind = Literal["project", "document", "contract", "milestone", "lead", "task", "person", "record"]


class HitOut(Told):
    """Something that was found. `connection` is whose it is, `object` its object type there; `sync` and `side` are those that know
    a record; `field` is where the text stands in an item; `path` is where the API tells more."""

    kind: _Kind
    connection: str
    object: str
    key: str
    title: str
    field: str | None
    sync: str | None
    side: Side | None
    last_modified: Instant | None
    path: str


def search_router(runtime: Runtime) -> APIRouter:
    """The route over this runtime."""
    router = APIRouter(tags=["overview"], route_class=Guarded)

    @router.get("/api/v1/search", dependencies=[_READ], response_model=Page[HitOut], responses=SHEET)
    async def search_everything(
        q: _Text,
        request: Request,
        response: Response,
        who: Who,
        paging: Paging,
        is_sheet: Sheet,
        kind: Annotated[_Kind | None, Query(description="Only this kind.")] = None,
    ) -> Any:
        """Find things by name: items of the workspace, last changed first; then, for who may read records, those that syncs
        know."""
        place = paging.position(str, _LIST) or ""
        asked = Asked(q, kind, place, paging.most, Scope.RECORDS_READ in who.rights)
        found = search(runtime.current(), asked)
        page = Listing(request, response, _LIST).page(paging, found, lambda hit: hit.place)
        items = [HitOut.model_validate(each) for each in page.items]
        if not is_sheet:
            return Page[HitOut](items=items, next_cursor=page.next_cursor)
        return sheet("search", _COLUMNS, [each.model_dump() for each in items], response)

    return router
