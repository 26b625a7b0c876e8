"""`/api/v1/errors`: the catalogue of codes. The `type` of every problem leads here."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from syncline.core.catalogue import ENTRIES, CatalogueEntry, EntryKind
from syncline.errors import Refusal, RequestError
from syncline.web.forms import Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.security import Guarded, anyone

router = APIRouter(prefix="/api/v1/errors", tags=["errors"], route_class=Guarded)


class CodeOut(Told):
    """One code, explained. `kind` is where it belongs; `is_retried` says whether Syncline tries again by itself."""

    code: str
    kind: EntryKind
    title: str
    happened: str
    done: str
    remedy: str
    exit_code: int | None
    is_retried: bool


@router.get("", dependencies=[anyone()])
async def list_codes(request: Request, response: Response, paging: Paging) -> Page[CodeOut]:
    """Every code, in the order of their names."""
    after = paging.position(str, "errors") or ""
    found = sorted((each for each in ENTRIES.values() if each.code > after), key=_code)[: paging.most]
    listing = Listing(request, response, "errors")
    return listing.page(paging, [CodeOut.model_validate(each) for each in found], lambda each: each.code)


@router.get("/{code}", dependencies=[anyone()])
async def get_code(code: str) -> CodeOut:
    """One code: what happened, what Syncline did, what you do."""
    found = ENTRIES.get(code)
    if found is None:
        raise RequestError("There is no such code.", Refusal.NOT_THERE)
    return CodeOut.model_validate(found)


def _code(entry: CatalogueEntry) -> str:
    return entry.code
