"""`/api/v1/audit`: what people and runs did, and whether the trail still holds together."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from syncline.core.audit import AuditEntry, AuditKind
from syncline.core.people import Scope
from syncline.web.forms import Line, Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.security import Guarded, requires
from syncline.web.services import Services

router = APIRouter(prefix="/api/v1/audit", tags=["audit"], route_class=Guarded)

_READ = requires(Scope.AUDIT_READ)


class AuditOut(Told):
    """One entry. `hash` covers all of it and `previous`, the hash of the entry before."""

    id: int
    at: dt.datetime
    kind: str
    sync: str
    subject: str
    body: dict[str, Any]
    previous: str
    hash: str


class AuditVerdict(Told):
    """Whether the trail holds; else the first entry at which it does not, and how."""

    holds: bool
    broken_at: int | None
    reason: str


@router.get("", dependencies=[_READ])
async def list_audit(
    request: Request,
    response: Response,
    services: Services,
    paging: Paging,
    kind: Annotated[AuditKind | None, Query(description="Only entries of this kind.")] = None,
    sync: Annotated[Line | None, Query(description="Only entries of this sync.")] = None,
) -> Page[AuditOut]:
    """The audit trail, newest first."""
    before = paging.position(int, "audit")
    found = services.people.store.audit_trail(None, kind, sync, paging.most, before)
    listing = Listing(request, response, "audit")
    return listing.page(paging, [_out(each) for each in reversed(found)], lambda each: each.id)


@router.get("/verify", dependencies=[_READ])
async def verify_audit(services: Services) -> AuditVerdict:
    """Check the trail link by link. It takes some ten milliseconds for a thousand entries."""
    fault = services.people.store.verify_audit()
    if fault is None:
        return AuditVerdict(holds=True, broken_at=None, reason="")
    return AuditVerdict(holds=False, broken_at=fault.id, reason=fault.reason)


def _out(entry: AuditEntry) -> AuditOut:
    return AuditOut.model_validate({**msgspec.structs.asdict(entry), "body": msgspec.json.decode(entry.body)})
