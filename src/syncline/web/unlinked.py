"""`/api/v1/syncs/{sync}/waiting`, `ambiguous`, `released`, `candidates`: records without a link, and words about them.

The router is made by `unlinked_router` over the runtime of the process. Nothing is linked by a score, and nothing is written
to a vendor here.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from syncline.core.candidates import Candidate
from syncline.core.decisions import Rule
from syncline.core.people import Scope
from syncline.core.records import RecordKey, Side, SyncId
from syncline.engine import linking, unlinked
from syncline.engine.linking import Done
from syncline.service.runtime import Runtime
from syncline.service.starting import checked
from syncline.web.forms import Sent, Told
from syncline.web.links import DoneOut, NamedOut, done_out
from syncline.web.paging import Listing, Page, Paging
from syncline.web.problems import ASKING
from syncline.web.security import Guarded, requires
from syncline.web.shapes import Key, SyncName

_READ = requires(Scope.RECORDS_READ)
_WRITE = requires(Scope.RECORDS_WRITE)
_OF_SYNC = "/api/v1/syncs/{sync}"


class WaitingOut(Told):
    """A record that waits for a link. `why` says how it stands, `reason` what the next run does about it."""

    record: NamedOut
    rule: Rule
    why: str
    reason: str


class LikenessOut(Told):
    """What one line says about a pair. `likeness` is null where only one side holds something."""

    line: str
    likeness: float | None
    text: str


class CandidateOut(Told):
    """Two records that may be the same thing: 1 is alike in everything, 0 in nothing. `certain_by` is what would make it
    certain, empty for a score alone."""

    left: str
    right: str
    left_title: str
    right_title: str
    score: float
    certain_by: str
    reasons: list[LikenessOut]


class GroupOut(Told):
    """Records that share their keys, and the pairs among them, most alike first."""

    left: list[NamedOut]
    right: list[NamedOut]
    candidates: list[CandidateOut]


class RecordIn(Sent):
    """One record without a link; its side is needed where both have its id."""

    key: Key
    side: Side | None = None


def unlinked_router(runtime: Runtime) -> APIRouter:
    """The routes over this runtime."""
    router = APIRouter(tags=["links"], route_class=Guarded)
    _add_waiting(router, runtime)
    _add_pairs(router, runtime)
    for act in (_COPY, _RELEASE, _RECALL):
        _add_word(router, runtime, *act)
    return router


def _add_waiting(router: APIRouter, runtime: Runtime) -> None:
    @router.get(_OF_SYNC + "/waiting", dependencies=[_READ], responses=ASKING)
    async def list_waiting(
        sync: SyncName, request: Request, response: Response, paging: Paging
    ) -> Page[WaitingOut]:
        """Records that wait for a link, and why."""
        list_name = f"waiting {sync}"
        after = paging.position(str, list_name) or ""
        async with runtime.held() as installation:
            checked(installation, sync)
            told = unlinked.waiting(installation.world(), await installation.remembered(sync))
        found = [
            WaitingOut(
                record=NamedOut.model_validate(each.record),
                rule=each.rule,
                why=each.rule.sentence,
                reason=each.reason,
            )
            for each in told
        ]
        found = sorted((each for each in found if _spot(each.record) > after), key=lambda e: _spot(e.record))
        listing = Listing(request, response, list_name)
        return listing.page(paging, found[: paging.most], lambda each: _spot(each.record))

    @router.get(_OF_SYNC + "/released", dependencies=[_READ])
    async def list_released(
        sync: SyncName, request: Request, response: Response, paging: Paging
    ) -> Page[NamedOut]:
        """Records that go on alone: neither matched nor copied."""
        list_name = f"released {sync}"
        after = paging.position(str, list_name) or ""
        installation = runtime.current()
        told = unlinked.released(installation.store, SyncId(checked(installation, sync)))
        found = [NamedOut.model_validate(each) for each in told]
        found = sorted((each for each in found if _spot(each) > after), key=_spot)
        return Listing(request, response, list_name).page(paging, found[: paging.most], _spot)


def _add_pairs(router: APIRouter, runtime: Runtime) -> None:
    @router.get(_OF_SYNC + "/ambiguous", dependencies=[_READ], responses=ASKING)
    async def list_ambiguous(
        sync: SyncName, request: Request, response: Response, paging: Paging
    ) -> Page[GroupOut]:
        """Records that share their keys, so that nobody but a person can tell which belong together."""
        list_name = f"ambiguous {sync}"
        after = paging.position(str, list_name) or ""
        async with runtime.held() as installation:
            checked(installation, sync)
            told = unlinked.groups(installation.world(), await installation.remembered(sync))
        found = sorted((_group(each) for each in told), key=_first)
        shown = [each for each in found if _first(each) > after][: paging.most]
        return Listing(request, response, list_name).page(paging, shown, _first)

    @router.get(_OF_SYNC + "/candidates", dependencies=[_READ], responses=ASKING)
    async def list_candidates(
        sync: SyncName,
        request: Request,
        response: Response,
        paging: Paging,
        key: Annotated[
            Key | None, Query(description="Only what may belong to this record, released ones too.")
        ] = None,
        side: Annotated[Side | None, Query(description="Its side, where both have its id.")] = None,
    ) -> Page[CandidateOut]:
        """Records without a link that may be the same thing, most alike first, with the reasons."""
        list_name = f"candidates {sync}"
        after = paging.position(str, list_name) or ""
        async with runtime.held() as installation:
            checked(installation, sync)
            told = await unlinked.candidates(
                installation.world(),
                await installation.remembered(sync),
                RecordKey(key) if key is not None else None,
                side=side,
            )
        found = sorted((_candidate(each) for each in told), key=_rank)
        shown = [each for each in found if _rank(each) > after][: paging.most]
        return Listing(request, response, list_name).page(paging, shown, _rank)


# --- what a person says -----------------------------------------------------------------------------------------------

_Word = Callable[..., Coroutine[Any, Any, Done]]
_COPY = (
    "copy",
    "copy_record",
    linking.copy,
    "Say that a record has no counterpart: the next run makes one, also where the sync only matches.",
)
_RELEASE = (
    "release",
    "release_record",
    linking.release,
    "Let a record go on alone: it is neither matched nor copied, and nobody is asked about it.",
)
_RECALL = (
    "recall",
    "recall_record",
    linking.recall,
    "Take back that a record goes on alone, or is to be copied: the next run matches it as if it were new.",
)


def _add_word(router: APIRouter, runtime: Runtime, path: str, name: str, say: _Word, text: str) -> None:
    async def said(sync: SyncName, body: RecordIn) -> DoneOut:
        async with runtime.held() as installation:
            checked(installation, sync)
            setup = await installation.sync(sync)
            return done_out(await say(installation.world(), setup, RecordKey(body.key), side=body.side))

    router.add_api_route(
        f"{_OF_SYNC}/{path}",
        said,
        methods=["POST"],
        name=name,
        description=text,
        dependencies=[_WRITE],
        responses=ASKING,
    )


# --- telling ----------------------------------------------------------------------------------------------------------


def _group(group: unlinked.Group) -> GroupOut:
    return GroupOut(
        left=[NamedOut.model_validate(each) for each in group.left],
        right=[NamedOut.model_validate(each) for each in group.right],
        candidates=[_candidate(each) for each in group.candidates],
    )


def _candidate(found: Candidate) -> CandidateOut:
    return CandidateOut(
        left=found.left,
        right=found.right,
        left_title=found.left_title,
        right_title=found.right_title,
        score=found.score,
        certain_by=found.by,
        reasons=[LikenessOut.model_validate(each) for each in found.reasons],
    )


def _spot(record: NamedOut) -> str:
    return f"{record.side.value}:{record.key}"


def _first(group: GroupOut) -> str:
    return " ".join(_spot(each) for each in (*group.left, *group.right))


def _rank(pair: CandidateOut) -> str:
    """Sorts the most alike first."""
    return f"{2 - pair.score:.9f} {pair.left} {pair.right}"
