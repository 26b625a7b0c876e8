"""`/api/v1/syncs/{sync}/certificates`: both sides compared field by field, and the certificates that are kept.

The router is made by `certificates_router` over the runtime of the process.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, StrictBool

from syncline.bootstrap import Installation
from syncline.core.audit import AuditKind
from syncline.core.certificate import Difference, moved_branches
from syncline.core.comparison import Cause
from syncline.core.people import Scope
from syncline.engine.certify import Certified, certificate_of, certify
from syncline.errors import Refusal, RequestError
from syncline.service.runtime import Runtime
from syncline.service.starting import checked
from syncline.web.forms import Number, Sent, Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.problems import ASKING
from syncline.web.security import Guarded, Who, requires
from syncline.web.shapes import SyncName, ValueOut, value_out

_READ = requires(Scope.RUNS_READ)
_WRITE = requires(Scope.RUNS_WRITE)
_OF_SYNC = "/api/v1/syncs/{sync}/certificates"


class ComparedOut(Told):
    """Records of one side, or links: all of them, those whose pair was compared, and the others by cause."""

    total: int
    compared: int
    causes: dict[Cause, int]


class EqualOut(Told):
    """Compared fields: all of them, those that are equal, and the others by cause."""

    total: int
    equal: int
    causes: dict[Cause, int]


class ListedOut(Told):
    """How one side was read. `looks` counts the records that were read by themselves."""

    began_at: dt.datetime
    is_complete: bool
    looks: int
    reason: str


class DifferenceOut(Told):
    """One difference: of a line, or with an empty `line` of a record. Values only where they were asked for, and never
    kept."""

    cause: Cause
    left_key: str | None
    right_key: str | None
    line: str
    left: ValueOut | None
    right: ValueOut | None


class CertificateOut(Told):
    """What both sides hold, compared: to be kept, and to be compared with another one. `unexplained` is to be zero;
    `differences` counts the fields that differ. `version` is what was configured (0: not kept), `run` the last run before it,
    `digest` the fingerprint of all that was compared, `hash` its place in the audit trail."""

    number: int
    hash: str
    sync: str
    run: str | None
    at: dt.datetime
    mapping: str
    filter: str
    version: int
    unexplained: int
    differences: int
    left: ComparedOut
    right: ComparedOut
    links: ComparedOut
    fields: EqualOut
    lines: dict[str, EqualOut]
    left_listing: ListedOut
    right_listing: ListedOut
    digest: str
    samples: list[DifferenceOut]


class CertificateWhole(CertificateOut):
    """The same. `moved_parts` says in how many of `parts` it differs from the one that it is compared with: 0 when both saw
    the same."""

    parts: int
    moved_parts: int | None


class CertifyIn(Sent):
    """Whether to tell what both sides hold where they differ; it is never kept, and needs `records:read`."""

    with_values: StrictBool = Field(default=False)


def certificates_router(runtime: Runtime) -> APIRouter:
    """The routes over this runtime."""
    router = APIRouter(tags=["certificates"], route_class=Guarded)

    @router.get(_OF_SYNC, dependencies=[_READ])
    async def list_certificates(
        sync: SyncName, request: Request, response: Response, paging: Paging
    ) -> Page[CertificateOut]:
        """The certificates of a sync, newest first."""
        installation = runtime.current()
        list_name = f"certificates {sync}"
        before = paging.position(int, list_name)
        found = installation.store.audit_trail(
            None, AuditKind.CERTIFICATE, checked(installation, sync), paging.most, before
        )
        items = [_out(certificate_of(each)) for each in reversed(found)]
        return Listing(request, response, list_name).page(paging, items, lambda each: each.number)

    @router.post(_OF_SYNC, status_code=201, dependencies=[_WRITE], responses=ASKING)
    async def certify_sync(
        sync: SyncName, response: Response, who: Who, body: CertifyIn | None = None
    ) -> CertificateOut:
        """Compare both sides field by field, and keep the outcome. Both are listed: it answers when it is done."""
        with_values = body is not None and body.with_values and Scope.RECORDS_READ in who.rights
        async with runtime.held() as installation:
            checked(installation, sync)
            version = installation.version.number if installation.version is not None else 0
            setup = await installation.sync(sync)
            made = await certify(installation.world(), setup, configuration=version, with_values=with_values)
        response.headers["Location"] = f"/api/v1/syncs/{sync}/certificates/{made.number}"
        return _out(made)

    @router.get(_OF_SYNC + "/{certificate}", dependencies=[_READ])
    async def get_certificate(
        sync: SyncName,
        certificate: Number,
        against: Annotated[
            int | None,
            Query(ge=1, le=2**53 - 1, description="Another certificate of this sync, to compare with."),
        ] = None,
    ) -> CertificateWhole:
        """One certificate; and whether it saw the same as another one."""
        installation = runtime.current()
        found = _known(installation, sync, certificate)
        branches, moved = found.certificate.branches, None
        if against is not None:
            moved = moved_branches(_known(installation, sync, against).certificate, found.certificate)
        return CertificateWhole(**_out(found).model_dump(), parts=len(branches), moved_parts=moved)

    return router


def _known(installation: Installation, sync: str, number: int) -> Certified:
    checked(installation, sync)
    entry = installation.store.audit_entry(number)
    if entry is None or entry.kind != AuditKind.CERTIFICATE.value or entry.sync != sync:
        raise RequestError(f"There is no certificate {number} of this sync.", Refusal.NOT_THERE)
    return certificate_of(entry)


def _out(made: Certified) -> CertificateOut:
    found = made.certificate
    told = {
        name: getattr(found, name)
        for name in (
            "sync",
            "run",
            "at",
            "mapping",
            "filter",
            "version",
            "digest",
            "unexplained",
            "differences",
        )
    }
    left, right = (ListedOut.model_validate(each) for each in found.listings)
    return CertificateOut(
        **told,
        number=made.number,
        hash=made.hash,
        left=ComparedOut.model_validate(found.left),
        right=ComparedOut.model_validate(found.right),
        links=ComparedOut.model_validate(found.links),
        fields=EqualOut.model_validate(found.fields),
        lines={name: EqualOut.model_validate(each) for name, each in found.lines.items()},
        left_listing=left,
        right_listing=right,
        samples=[_difference(each) for each in found.samples],
    )


def _difference(each: Difference) -> DifferenceOut:
    plain = {name: getattr(each, name) for name in ("cause", "left_key", "right_key", "line")}
    return DifferenceOut(**plain, left=value_out(each.left), right=value_out(each.right))
