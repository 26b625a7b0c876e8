"""`/api/v1/audit`: what people and runs did, and whether the trail still holds together."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from syncline.core.audit import AuditCheck, AuditEntry, AuditKind
from syncline.core.people import Scope
from syncline.ports import Store
from syncline.web.forms import Line, Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.security import Guarded, requires
from syncline.web.services import Services

router = APIRouter(prefix="/api/v1/audit", tags=["audit"], route_class=Guarded)

_READ = requires(Scope.AUDIT_READ)


class ActorOut(Told):
    """Who did it: the number of a user, what they are called now (empty when removed), and the number and name of the API
    token, where a program did it with one."""

    user: int
    name: str
    token: int | None
    token_name: str


class AuditOut(Told):
    """One entry. `hash` covers all of it and `previous`, the hash of the entry before. `by` is null for what the service
    did by itself, and for what was done on the command line."""

    id: int
    at: dt.datetime
    kind: str
    sync: str
    subject: str
    by: ActorOut | None
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
    return listing.page(
        paging, [_out(services.people.store, each) for each in reversed(found)], lambda each: each.id
    )


@router.get("/verify", dependencies=[_READ])
async def verify_audit(services: Services) -> AuditVerdict:
    """Check the trail link by link. It takes some ten milliseconds for a thousand entries, a few at a time: everything else
    goes on meanwhile."""
    check = AuditCheck()
    while not check.is_over:
        check = services.people.store.verify_audit_on(check)
        await asyncio.sleep(0)
    fault = check.fault
    if fault is None:
        return AuditVerdict(holds=True, broken_at=None, reason="")
    return AuditVerdict(holds=False, broken_at=fault.id, reason=fault.reason)


def _out(store: Store, entry: AuditEntry) -> AuditOut:
    body = msgspec.json.decode(entry.body)
    told = {**msgspec.structs.asdict(entry), "body": body, "by": _actor(store, body)}
    return AuditOut.model_validate(told)


def _actor(store: Store, body: dict[str, Any]) -> ActorOut | None:
    by, number = body.get("by"), body.get("token")
    if not isinstance(by, int):
        return None
    user = store.user(by)
    token = store.token(number) if isinstance(number, int) else None
    return ActorOut(
        user=by,
        name=(user.name or user.email) if user is not None else "",
        token=token.id if token is not None else None,
        token_name=token.name if token is not None else "",
    )
