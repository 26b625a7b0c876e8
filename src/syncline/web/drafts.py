"""`/api/v1/drafts` and `/api/v1/versions`: syncs as somebody sets them up, checked, put in force, and gone back to.

The router is made by `drafts_router` over the runtime of the process.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import Field, StrictBool

from syncline.config import applied_syncs, canonical
from syncline.core.changes import ChangeKind, changes
from syncline.core.memory import Version
from syncline.core.people import Scope
from syncline.core.records import Side
from syncline.engine.runs import Options
from syncline.errors import Refusal, RequestError
from syncline.ports import Draft
from syncline.service import drafting
from syncline.service.drafting import Checked, Consent
from syncline.service.runtime import Runtime
from syncline.web.etags import CONDITIONAL, IfMatch, Precondition, etag, put_etag
from syncline.web.forms import Number, Sent, Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.plans import PlanIn, PlanOut, plan_out
from syncline.web.problems import Fault, configuration_fault
from syncline.web.security import Guarded, Who, requires
from syncline.web.shapes import BrakeOut, ValueOut, value_out

_READ = requires(Scope.SYNCS_READ)
_WRITE = requires(Scope.SYNCS_WRITE)

DraftName = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
Body = Annotated[dict[str, Any], Field(description="What `syncs.NAME` of syncline.yaml would hold.")]


class DraftOut(Told):
    """A sync as somebody is setting it up. `revision` is the `ETag`."""

    name: str
    body: Body
    revision: int
    changed_at: dt.datetime
    changed_by: str


class CheckIn(Sent):
    """Whether to make no call: then only what is changed is told."""

    is_offline: StrictBool = False


class ChangeOut(Told):
    """One change: where, what, and what it does to linked records. `records` would be written because of it."""

    path: str
    kind: ChangeKind
    sentence: str
    meaning: str
    records: int | None


class ImpactOut(Told):
    """What would be different, in counts and in sentences."""

    records: int
    lines: dict[str, int]
    linked: int
    created: int
    deleted: int
    leaving: int
    returning: int
    asked: int
    spared: int
    brakes: list[BrakeOut]
    sentences: list[str]


class UncarriedOut(Told):
    """A real value that a field line could not carry over, and why."""

    side: Side
    line: str
    value: ValueOut | None
    reason: str


class CheckOut(Told):
    """What a draft would do. It can be put in force when `faults` is empty; with `touches_links` only when that is
    confirmed. Each fault's `pointer` is a place in the draft. `warnings` stop nothing."""

    revision: int
    faults: list[Fault]
    changes: list[ChangeOut]
    impact: ImpactOut | None
    uncarried: list[UncarriedOut]
    touches_links: bool
    warnings: list[str]


class ApplyIn(Sent):
    """Why, kept with the version; and that changes to linked records are meant."""

    note: Annotated[str, Field(max_length=1000)] = ""
    confirmed: StrictBool = False


class VersionOut(Told):
    """What was configured from `at` on."""

    number: int
    at: dt.datetime
    digest: str
    note: str


class VersionWhole(VersionOut):
    """The same with the syncs by name."""

    syncs: dict[str, Any]


class DiffOut(Told):
    """What a version changed from the one that it is compared with."""

    sync: str
    path: str
    kind: ChangeKind
    sentence: str
    meaning: str


def drafts_router(runtime: Runtime) -> APIRouter:
    """The routes over this runtime."""
    router = APIRouter(tags=["drafts"], route_class=Guarded)
    _add_drafts(router, runtime)
    _add_applying(router, runtime)
    _add_versions(router, runtime)
    return router


def _add_drafts(router: APIRouter, runtime: Runtime) -> None:
    @router.get("/api/v1/drafts", dependencies=[_READ])
    async def list_drafts(request: Request, response: Response, paging: Paging) -> Page[DraftOut]:
        """All drafts, by name."""
        after = paging.position(str, "drafts") or ""
        found = [_draft(each) for each in runtime.current().store.drafts() if each.name > after]
        listing = Listing(request, response, "drafts")
        return listing.page(paging, found[: paging.most], lambda each: each.name)

    @router.get("/api/v1/drafts/{sync}", dependencies=[_READ])
    async def get_draft(sync: DraftName, response: Response) -> DraftOut:
        """One draft."""
        return _tagged(response, drafting.draft_of(runtime.current().store, sync))

    @router.put("/api/v1/drafts/{sync}", dependencies=[_WRITE], responses=CONDITIONAL)
    async def save_draft(
        sync: DraftName,
        body: Body,
        response: Response,
        who: Who,
        if_match: IfMatch,
        if_none_match: Annotated[
            str | None, Header(max_length=1000, description="`*`: only when there is no draft yet.")
        ] = None,
    ) -> DraftOut:
        """Make a draft, or replace one (then with `If-Match`). It may have faults: see its check."""
        installation = runtime.current()
        now = installation.store.draft(sync)
        _may_save(now, if_match, if_none_match)
        by = who.user.name or f"user {who.user.id}"
        kept = drafting.save(installation, sync, body, by, now.revision if now is not None else 0)
        return _tagged(response, kept)

    @router.delete("/api/v1/drafts/{sync}", status_code=204, dependencies=[_WRITE], responses=CONDITIONAL)
    async def remove_draft(sync: DraftName, if_match: IfMatch) -> None:
        """Throw a draft away. What is in force stays."""
        store = runtime.current().store
        if_match.check(drafting.draft_of(store, sync).revision)
        store.remove_draft(sync)


def _add_applying(router: APIRouter, runtime: Runtime) -> None:
    @router.post("/api/v1/drafts/{sync}/check", dependencies=[_READ])
    async def check_draft(sync: DraftName, body: CheckIn | None = None) -> CheckOut:
        """What a draft would change and do, and every fault of it. Both sides are read; nothing is written."""
        told = body or CheckIn()
        async with runtime.held() as installation:
            draft = drafting.draft_of(installation.store, sync)
            checked = await drafting.check(installation, draft, is_offline=told.is_offline)
        return _checked(draft, checked)

    @router.post("/api/v1/drafts/{sync}/plan", dependencies=[_READ])
    async def plan_draft(sync: DraftName, who: Who, body: PlanIn | None = None) -> PlanOut:
        """What a run would do if a draft were in force. Both sides are read; nothing is written."""
        told = body or PlanIn()
        options = Options(is_full=told.is_full, release=frozenset(told.release))
        async with runtime.held() as installation:
            plan = await drafting.foresee(installation, drafting.draft_of(installation.store, sync), options)
        return plan_out(plan, told.most, with_values=Scope.RECORDS_READ in who.rights)

    @router.post("/api/v1/drafts/{sync}/apply", status_code=201, dependencies=[_WRITE], responses=CONDITIONAL)
    async def apply_draft(
        sync: DraftName, response: Response, if_match: IfMatch, body: ApplyIn | None = None
    ) -> VersionOut:
        """Put a draft in force beside the other syncs, as a new version. Start the first run with `/syncs/{sync}/run`."""
        told = body or ApplyIn()
        draft = drafting.draft_of(runtime.current().store, sync)
        if_match.check(draft.revision)
        made = await drafting.apply(runtime, draft, Consent(told.note, told.confirmed))
        response.headers["Location"] = f"/api/v1/versions/{made.number}"
        return VersionOut.model_validate(made)


def _add_versions(router: APIRouter, runtime: Runtime) -> None:
    @router.get("/api/v1/versions", dependencies=[_READ])
    async def list_versions(request: Request, response: Response, paging: Paging) -> Page[VersionOut]:
        """Every version that was ever in force, newest first."""
        store = runtime.current().store
        latest = store.version()
        before = paging.position(int, "versions") or (latest.number + 1 if latest is not None else 1)
        numbers = range(before - 1, max(0, before - 1 - paging.most), -1)
        found = [VersionOut.model_validate(each) for number in numbers if (each := store.version(number))]
        return Listing(request, response, "versions").page(paging, found, lambda each: each.number)

    @router.get("/api/v1/versions/{version}", dependencies=[_READ])
    async def get_version(version: Number, response: Response) -> VersionWhole:
        """One version, with its syncs."""
        found = drafting.known_version(runtime.current().store, version)
        put_etag(response, found.number)
        return _version(found)

    @router.get("/api/v1/versions/{version}/diff", dependencies=[_READ])
    async def diff_versions(
        version: Number,
        base: Annotated[
            int | None,
            Query(
                ge=1, le=2**53 - 1, description="The version to compare with; the one before unless given."
            ),
        ] = None,
    ) -> list[DiffOut]:
        """What a version changed."""
        store = runtime.current().store
        new = drafting.known_version(store, version)
        old = drafting.known_version(store, base) if base is not None else store.version(version - 1)
        before = canonical(applied_syncs(old.body, old.number)) if old is not None else {}
        found = changes(before, canonical(applied_syncs(new.body, new.number)))
        return [
            DiffOut(
                sync=each.sync,
                path=each.path,
                kind=each.kind,
                sentence=each.sentence,
                meaning=each.kind.meaning,
            )
            for each in found
        ]

    @router.post("/api/v1/versions/{version}/rollback", status_code=201, dependencies=[_WRITE])
    async def rollback_to_version(
        version: Number, response: Response, body: ApplyIn | None = None
    ) -> VersionOut:
        """Put an older version in force again, as a new one. Where that says the same, nothing is made."""
        told = body or ApplyIn()
        made = await drafting.rollback(runtime, version, Consent(told.note, told.confirmed))
        response.headers["Location"] = f"/api/v1/versions/{made.number}"
        return VersionOut.model_validate(made)


def _may_save(now: Draft | None, if_match: Precondition, if_none_match: str | None) -> None:
    """Nobody overwrites what they have not seen."""
    if now is None and if_match.given is not None:
        raise RequestError("There is no such draft any more.", Refusal.OLD_REVISION)
    if now is not None:
        told = {each.strip() for each in (if_none_match or "").split(",")}
        if told & {"*", etag(now.revision)}:
            raise RequestError("There is a draft already.", Refusal.OLD_REVISION)
        if_match.check(now.revision)


def _tagged(response: Response, draft: Draft) -> DraftOut:
    put_etag(response, draft.revision)
    return _draft(draft)


def _draft(draft: Draft) -> DraftOut:
    return DraftOut.model_validate(draft)


def _version(version: Version) -> VersionWhole:
    told = {name: getattr(version, name) for name in ("number", "at", "digest", "note")}
    return VersionWhole(**told, syncs=dict(version.body))


def _checked(draft: Draft, checked: Checked) -> CheckOut:
    review = checked.review
    impact = review.impact if review is not None else None
    return CheckOut(
        revision=draft.revision,
        faults=[configuration_fault(each) for each in checked.faults],
        changes=[
            ChangeOut(
                path=each.change.path,
                kind=each.change.kind,
                sentence=each.change.sentence,
                meaning=each.meaning,
                records=each.records,
            )
            for each in (review.changes if review is not None else ())
        ],
        impact=None
        if impact is None
        else ImpactOut.model_validate({**msgspec.structs.asdict(impact), "sentences": impact.sentences}),
        uncarried=[
            UncarriedOut(side=each.side, line=each.line, value=value_out(each.value), reason=each.reason)
            for each in (review.uncarried if review is not None else ())
        ],
        touches_links=checked.touches_links,
        warnings=list(checked.warnings),
    )
