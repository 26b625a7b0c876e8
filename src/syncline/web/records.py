"""`/api/v1/syncs/{sync}/records/…` and `…/resync`: why a record is as it is, what it held at a time, and a fresh look.

The router is made by `records_router` over the runtime and the job engine of the process.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field

from syncline.bootstrap import Installation
from syncline.core.people import Scope
from syncline.core.records import RecordKey, Side, SyncId
from syncline.core.shown import shown
from syncline.engine import again
from syncline.engine.explain import explain
from syncline.engine.lookup import is_known, no_record
from syncline.engine.past import AsOf, Source, Then, ThenLine, as_of
from syncline.ports import JobEngine
from syncline.service.runtime import Runtime
from syncline.service.starting import checked, resync, why_paused
from syncline.web.explained import ExplanationOut, explanation_out
from syncline.web.forms import Line, Moment, Sent, Told
from syncline.web.problems import ASKING
from syncline.web.security import Guarded, requires
from syncline.web.shapes import Key, SyncName, ValueOut, value_out

_READ = requires(Scope.RECORDS_READ)
_WRITE = requires(Scope.RECORDS_WRITE)
_RECORD = "/api/v1/syncs/{sync}/records/{key}"
_MOST_KEYS = 200
RecordId = Annotated[Key, Path(description="The record's id on either side.")]


class ExplanationsOut(Told):
    """Why a record is as it is: once; twice where two records, one on each side, have the same id."""

    items: list[ExplanationOut]


class ThenOut(Told):
    """What one side held, and how that is known. `since` is when the run was that tells it."""

    value: ValueOut | None
    source: Source
    how_we_know: str
    since: dt.datetime | None


class ThenLineOut(Told):
    """One mapped line as of then."""

    name: str
    left: ThenOut
    right: ThenOut


class AsOfOut(Told):
    """A record as of a time. `first_seen` is the first line of its history; `gone` names the sides whose record a run had
    deleted, or found deleted, by then. Without a history there are no lines."""

    sync: str
    key: str
    title: str
    at: dt.datetime
    first_seen: dt.datetime | None
    gone: list[Side]
    lines: list[ThenLineOut]


class OfKeys(Sent):
    """Records by their ids on either side; those that they are linked with come along."""

    kind: Literal["keys"]
    keys: Annotated[list[Key], Field(min_length=1, max_length=_MOST_KEYS)]


class OfValue(Sent):
    """Every record that we remember with this value (as a person reads it) in a field of either side."""

    kind: Literal["value"]
    field: Annotated[Line, Field(min_length=1)]
    value: Line


class OfAll(Sent):
    """Every record: both sides are listed."""

    kind: Literal["all"]


class ResyncIn(Sent):
    """Which records to read fresh and decide again."""

    which: Annotated[OfKeys | OfValue | OfAll, Field(discriminator="kind")]


class ResyncedOut(Told):
    """What is looked at now. `records` are read by themselves; `is_everything`: both sides are listed, because that takes
    fewer calls. `paused` says why it waits, where people paused the sync."""

    sync: str
    records: int
    is_everything: bool
    paused: str


def records_router(runtime: Runtime, jobs: JobEngine) -> APIRouter:
    """The routes over this runtime."""
    router = APIRouter(tags=["records"], route_class=Guarded)

    @router.get(_RECORD + "/explanation", dependencies=[_READ], responses=ASKING)
    async def explain_record(
        sync: SyncName,
        key: RecordId,
        field: Annotated[
            Line | None, Query(description="Only this field: its id or title on either side.")
        ] = None,
    ) -> ExplanationsOut:
        """Why a record, or one of its fields, did or did not sync. From our own memory."""
        async with runtime.held() as installation:
            checked(installation, sync)
            setup = await installation.remembered(sync)
            found = explain(installation.world(), setup, RecordKey(key), field)
            known = [each for each in found if each.side is not None] or [
                each for each in found if each.is_known
            ]
            if not known:
                raise no_record(installation.store, [setup.id], RecordKey(key), _NEW)
        return ExplanationsOut(items=[explanation_out(each) for each in known])

    @router.get(_RECORD + "/as-of", dependencies=[_READ], responses=ASKING)
    async def get_record_as_of(
        sync: SyncName, key: RecordId, at: Annotated[Moment, Query(description="The time.")]
    ) -> AsOfOut:
        """What a record held at a time, field by field, and how that is known. Nothing is guessed."""
        async with runtime.held() as installation:
            checked(installation, sync)
            setup = await installation.remembered(sync)
            found = as_of(installation.world(), setup, RecordKey(key), at)
            if found is None and not is_known(installation.store, setup.id, RecordKey(key)):
                raise no_record(installation.store, [setup.id], RecordKey(key), _NEW)
        return _as_of(found or AsOf(setup.id, RecordKey(key), "", at, None, (), ()))

    @router.post("/api/v1/syncs/{sync}/resync", status_code=202, dependencies=[_WRITE], responses=ASKING)
    async def resync_records(sync: SyncName, body: ResyncIn) -> ResyncedOut:
        """Read records fresh from both vendors now, and decide again even where nothing seems changed. It goes on by itself;
        see the list of runs."""
        async with runtime.held() as installation:
            checked(installation, sync)
            chosen = await _chosen(installation, sync, body.which)
            if chosen is not None and not chosen:
                return ResyncedOut(sync=sync, records=0, is_everything=False, paused="")
            due = await resync(installation, jobs, sync, chosen)
            return ResyncedOut(
                sync=sync,
                records=len(chosen or ()) if due is None else 0,
                is_everything=due is not None,
                paused=why_paused(installation, sync),
            )

    return router


_NEW = "A new record is fetched by a resync of its id."


async def _chosen(
    installation: Installation, sync: str, which: OfKeys | OfValue | OfAll
) -> frozenset[again.Spot] | None:
    """Where the records are that are meant; None for all of them."""
    world = installation.world()
    match which:
        case OfAll():
            return None
        case OfValue(field=field, value=value):
            setup = await installation.remembered(sync)
            return again.matching(world, setup, field.strip(), value, shown)
        case OfKeys(keys=keys):
            found: set[again.Spot] = set()
            for key in map(RecordKey, keys):
                # One that nobody knows yet: whichever side has it, answers.
                found |= again.spots(world, SyncId(sync), key) or {(side, key) for side in Side}
            return frozenset(found)


def _as_of(found: AsOf) -> AsOfOut:
    return AsOfOut(
        sync=found.sync,
        key=found.key,
        title=found.title,
        at=found.at,
        first_seen=found.first_seen,
        gone=list(found.gone),
        lines=[_line(each) for each in found.lines],
    )


def _line(line: ThenLine) -> ThenLineOut:
    return ThenLineOut(name=line.name, left=_then(line.left), right=_then(line.right))


def _then(then: Then) -> ThenOut:
    return ThenOut(
        value=value_out(then.value), source=then.source, how_we_know=then.source.sentence, since=then.since
    )
