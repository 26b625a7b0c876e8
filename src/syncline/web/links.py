"""`/api/v1/syncs/{sync}/links`: which records belong together, which do not, and which go alone.

The router is made by `links_router` over the runtime of the process. What is said here is kept at once; the next run carries
it out. Nothing is written to a vendor.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, StrictBool

from syncline.bootstrap import Installation
from syncline.core.decisions import Rule
from syncline.core.people import Scope
from syncline.core.records import LinkId, RecordKey, Side, SyncId
from syncline.engine import linking, unlinked
from syncline.engine.explain import explain
from syncline.engine.linking import Done
from syncline.errors import Refusal, RequestError
from syncline.service.runtime import Runtime
from syncline.service.starting import checked
from syncline.web.explained import ExplanationOut, explanation_out
from syncline.web.forms import Number, Sent, Told
from syncline.web.paging import Listing, Page, PageQuery, Paging
from syncline.web.problems import ASKING
from syncline.web.security import Guarded, requires
from syncline.web.shapes import Key, SyncName

_READ = requires(Scope.RECORDS_READ)
_WRITE = requires(Scope.RECORDS_WRITE)
_OF_SYNC = "/api/v1/syncs/{sync}"

State = Literal["settled", "unsettled"]
Why = Annotated[str, Field(max_length=1000, description="Why; kept with the pair.")]


class NamedOut(Told):
    """A record by its side, its id and its title."""

    side: Side
    key: str
    title: str


class LinkOut(Told):
    """A link and its two records. `is_settled`: nothing of it waits for a run or a person."""

    link: int
    left: NamedOut
    right: NamedOut
    is_settled: bool


class LinkWhole(LinkOut):
    """The same with the state of every field, and why it is so."""

    explanation: ExplanationOut


class LinkIn(Sent):
    """Two records that are the same thing."""

    left: Key
    right: Key


class KeepApartIn(LinkIn):
    """Two records that are not the same, and why."""

    reason: Why = ""


class UnlinkIn(Sent):
    """Whether the two are kept apart: never proposed or matched again, until they are linked by hand."""

    keep_apart: StrictBool = True
    reason: Why = ""


class RelinkIn(Sent):
    """The record that stays in the link, by its side, and its new counterpart on the other one."""

    side: Side = Field(description="The side whose record gets another counterpart.")
    to: Key
    reason: Why = ""


class DoneOut(Told):
    """What came of it. `is_new` is false when it was so already; then nothing was done, and there is no `run`. `released` is
    a record that goes on alone from now on."""

    sync: str
    rule: Rule
    why: str
    left: str | None
    right: str | None
    link: int | None
    released: str | None
    run: str | None
    is_new: bool


class ApartOut(Told):
    """Two records that a person said are not the same."""

    left: str
    right: str
    at: dt.datetime
    reason: str


def links_router(runtime: Runtime) -> APIRouter:
    """The routes over this runtime."""
    router = APIRouter(tags=["links"], route_class=Guarded)
    _add_reading(router, runtime)
    _add_linking(router, runtime)
    return router


def _add_reading(router: APIRouter, runtime: Runtime) -> None:
    @router.get(_OF_SYNC + "/links", dependencies=[_READ])
    async def list_links(
        sync: SyncName,
        request: Request,
        response: Response,
        paging: Paging,
        state: Annotated[
            State | None, Query(description="Only those of which all, or not all, is settled.")
        ] = None,
        key: Annotated[Key | None, Query(description="Only of this record: its id on either side.")] = None,
    ) -> Page[LinkOut]:
        """The links of a sync, newest first."""
        list_name = f"links {sync}"
        before = paging.position(int, list_name)
        found = _links(runtime.current(), sync, paging, before, state, key)
        items = [LinkOut.model_validate(each) for each in found]
        return Listing(request, response, list_name).page(paging, items, lambda each: each.link)

    @router.get(_OF_SYNC + "/links/{link}", dependencies=[_READ], responses=ASKING)
    async def get_link(sync: SyncName, link: Number) -> LinkWhole:
        """One link: its two records, and every field as last seen, agreed on, and decided next."""
        async with runtime.held() as installation:
            found = _link(installation, sync, link)
            setup = await installation.remembered(sync)
            [told, *_] = [
                each
                for each in explain(installation.world(), setup, found.left.key)
                if each.link == found.link
            ]
        whole = LinkOut.model_validate(found)
        return LinkWhole(**whole.model_dump(), explanation=explanation_out(told))

    @router.get(_OF_SYNC + "/apart", dependencies=[_READ])
    async def list_apart(
        sync: SyncName, request: Request, response: Response, paging: Paging
    ) -> Page[ApartOut]:
        """Pairs that a person keeps apart, by their ids."""
        list_name = f"apart {sync}"
        installation = runtime.current()
        after = paging.position(str, list_name) or ""
        pairs = [
            ApartOut.model_validate(each) for each in installation.store.apart(checked(installation, sync))
        ]
        found = sorted((each for each in pairs if _place(each) > after), key=_place)
        return Listing(request, response, list_name).page(paging, found[: paging.most], _place)


def _add_linking(router: APIRouter, runtime: Runtime) -> None:
    @router.post(_OF_SYNC + "/links", status_code=201, dependencies=[_WRITE], responses=ASKING)
    async def link_records(sync: SyncName, body: LinkIn, response: Response) -> DoneOut:
        """Say that two records are the same thing. The next run decides their fields as at a first meeting."""
        async with runtime.held() as installation:
            checked(installation, sync)
            setup = await installation.sync(sync)
            done = await linking.link(
                installation.world(), setup, RecordKey(body.left), RecordKey(body.right)
            )
        response.headers["Location"] = f"/api/v1/syncs/{sync}/links/{done.link}"
        return done_out(done)

    @router.post(_OF_SYNC + "/links/{link}/unlink", dependencies=[_WRITE], responses=ASKING)
    async def unlink_records(sync: SyncName, link: Number, body: UnlinkIn | None = None) -> DoneOut:
        """Cut a link. Both records stay as they are, each for itself: neither is linked or copied again."""
        told = body or UnlinkIn()
        async with runtime.held() as installation:
            found = _link(installation, sync, link)
            setup = await installation.remembered(sync)
            done = await linking.unlink(
                installation.world(), setup, found.link, keep_apart=told.keep_apart, reason=told.reason
            )
        return done_out(done)

    @router.post(_OF_SYNC + "/links/{link}/relink", dependencies=[_WRITE], responses=ASKING)
    async def relink_records(sync: SyncName, link: Number, body: RelinkIn) -> DoneOut:
        """Give a linked record another counterpart. The old one stays for itself; all fields are decided anew."""
        async with runtime.held() as installation:
            found = _link(installation, sync, link)
            setup = await installation.sync(sync)
            own = found.left if body.side is Side.LEFT else found.right
            done = await linking.relink(
                installation.world(), setup, own.key, RecordKey(body.to), side=body.side, reason=body.reason
            )
        return done_out(done)

    @router.post(_OF_SYNC + "/apart", status_code=201, dependencies=[_WRITE], responses=ASKING)
    async def keep_apart(sync: SyncName, body: KeepApartIn) -> DoneOut:
        """Say that two records are not the same: they are never proposed or matched, and no second copy is made of them."""
        async with runtime.held() as installation:
            checked(installation, sync)
            setup = await installation.sync(sync)
            left, right = RecordKey(body.left), RecordKey(body.right)
            return done_out(await linking.separate(installation.world(), setup, left, right, body.reason))

    @router.post(_OF_SYNC + "/apart/undo", dependencies=[_WRITE], responses=ASKING)
    async def undo_keep_apart(sync: SyncName, body: LinkIn) -> DoneOut:
        """Take back that two records are not the same."""
        async with runtime.held() as installation:
            checked(installation, sync)
            setup = await installation.remembered(sync)
            left, right = RecordKey(body.left), RecordKey(body.right)
            return done_out(await linking.rejoin(installation.world(), setup, left, right))


def done_out(done: Done) -> DoneOut:
    """What came of a person's word about records."""
    told = {name: getattr(done, name) for name in Done.__struct_fields__}
    return DoneOut(**told, why=done.rule.sentence)


def _links(
    installation: Installation,
    sync: str,
    paging: PageQuery,
    before: int | None,
    state: State | None,
    key: str | None,
) -> tuple[unlinked.Tied, ...]:
    """A page of links. One record has few: they are looked up by it."""
    store, name = installation.store, checked(installation, sync)
    is_settled = None if state is None else state == "settled"
    if key is None:
        return unlinked.linked(store, name, paging.most, before=before, is_settled=is_settled)
    numbers = sorted(store.find_link(name, RecordKey(key)), reverse=True)
    found = unlinked.tied(store, name, [each for each in numbers if before is None or each < before])
    return tuple(each for each in found if is_settled in (None, each.is_settled))[: paging.most]


def _place(pair: ApartOut) -> str:
    return f"{pair.left} {pair.right}"


def _link(installation: Installation, sync: str, number: int) -> unlinked.Tied:
    name = SyncId(checked(installation, sync))
    found = unlinked.tied(installation.store, name, [LinkId(number)])
    if not found:
        raise RequestError("There is no such link, or it was cut.", Refusal.NOT_THERE)
    return found[0]
