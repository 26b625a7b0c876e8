"""`/api/v1/deliveries`: webhooks as they came in, what became of each and why, and using them once more.

The router is made by `deliveries_router` over the intake of the process that listens, and given to `make_app` among the
routers of its services.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from syncline.core.people import Scope
from syncline.errors import Refusal, RequestError
from syncline.ports import Delivery, DeliveryFilter, DeliveryState, Store
from syncline.service.intake import Intake
from syncline.service.silence import silence_of
from syncline.web.forms import Line, Moment, Number, Sent, Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.security import Guarded, requires
from syncline.web.services import Services

_READ = requires(Scope.DELIVERIES_READ)
_WRITE = requires(Scope.DELIVERIES_WRITE)
_MOST_AT_ONCE = 100
_COUNTED = dt.timedelta(days=7)
_Id = Annotated[int, Field(ge=1, le=2**53 - 1)]


class DeliveryOut(Told):
    """A webhook that came in. `state`: waiting, used, ignored or refused, and `why`. Its headers hold no secret."""

    id: int
    connection: str
    event: str
    state: DeliveryState
    why: str
    object_type: str
    key: str
    happened_at: dt.datetime | None
    received_at: dt.datetime
    used_at: dt.datetime | None


class DeliveryWhole(DeliveryOut):
    """The same with its headers and body. The body is empty where it was refused, or is so old that it is pruned."""

    headers: dict[str, str]
    body: str


class WantedDeliveries(Sent):
    """Which deliveries to use once more."""

    ids: Annotated[list[_Id], Field(min_length=1, max_length=_MOST_AT_ONCE)]


class SettledOut(Told):
    """What became of one of them."""

    id: int
    state: DeliveryState
    why: str


class RedeliveredOut(Told):
    """What became of them, and the syncs that look at records because of it."""

    settled: list[SettledOut]
    syncs: list[str]


class CountOut(Told):
    """How many of a connection are in a state."""

    connection: str
    state: DeliveryState
    count: int
    last_at: dt.datetime


class SilenceOut(Told):
    """When a connection's last genuine webhook came. `chance`: how likely so long a silence is there at this time of the
    week; null where too little is known."""

    connection: str
    last_at: dt.datetime | None
    quiet_seconds: float | None
    chance: float | None
    is_unusual: bool


class DeliveryCountsOut(Told):
    """The counts since a time, and who is silent."""

    since: dt.datetime
    counts: list[CountOut]
    silences: list[SilenceOut]


def _filter(
    connection: Annotated[Line | None, Query(description="Only those of this connection.")] = None,
    state: Annotated[DeliveryState | None, Query(description="Only those in this state.")] = None,
    event: Annotated[Line | None, Query(description="Only this event.")] = None,
    object_type: Annotated[Line | None, Query(description="Only those about this object type.")] = None,
    key: Annotated[Line | None, Query(description="Only those about this record.")] = None,
    since: Annotated[Moment | None, Query(description="Only those received then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Only those received before.")] = None,
) -> DeliveryFilter:
    """What a request wants to see."""
    return DeliveryFilter(connection, state, event, object_type, key, since, until)


def deliveries_router(intake: Intake) -> APIRouter:
    """The routes over this intake."""
    router = APIRouter(prefix="/api/v1/deliveries", tags=["deliveries"], route_class=Guarded)

    @router.get("", dependencies=[_READ])
    async def list_deliveries(
        request: Request,
        response: Response,
        services: Services,
        paging: Paging,
        wanted: Annotated[DeliveryFilter, Depends(_filter)],
    ) -> Page[DeliveryOut]:
        """Webhooks that came in, newest first."""
        narrowed = msgspec.structs.replace(wanted, before=paging.position(int, "deliveries"))
        found = services.installation.store.deliveries(narrowed, paging.most)
        listing = Listing(request, response, "deliveries")
        return listing.page(
            paging, [DeliveryOut.model_validate(each) for each in found], lambda each: each.id
        )

    @router.get("/counts", dependencies=[_READ])
    async def count_deliveries(
        services: Services,
        since: Annotated[Moment | None, Query(description="Seven days ago unless given.")] = None,
    ) -> DeliveryCountsOut:
        """How many came in, by connection and state, and which connections are silent."""
        return _counted(services.installation.store, since, services.installation.clock.now())

    @router.get("/{delivery}", dependencies=[_READ])
    async def show_delivery(services: Services, delivery: Number) -> DeliveryWhole:
        """One of them, with its headers and body."""
        found = services.installation.store.delivery(delivery)
        if found is None:
            raise RequestError("There is no such delivery.", Refusal.NOT_THERE)
        return _whole(services.installation.store, found)

    @router.post("/redeliver", dependencies=[_WRITE])
    async def redeliver_deliveries(wanted: WantedDeliveries) -> RedeliveredOut:
        """Use some once more, as if they had just come: the records they are about are looked at again."""
        marked = intake.redeliver(wanted.ids)
        settled = [SettledOut.model_validate(each) for each in marked.settled]
        return RedeliveredOut(settled=settled, syncs=sorted(marked.syncs))

    return router


def _whole(store: Store, found: Delivery) -> DeliveryWhole:
    body = store.delivery_body(found.id) or b""
    return DeliveryWhole.model_validate(
        {**msgspec.structs.asdict(found), "body": body.decode(errors="replace")}
    )


def _counted(store: Store, since: dt.datetime | None, now: dt.datetime) -> DeliveryCountsOut:
    since = since or now - _COUNTED
    counts = store.delivery_counts(since)
    silences = [_silence(store, name, now) for name in dict.fromkeys(each.connection for each in counts)]
    return DeliveryCountsOut(
        since=since, counts=[CountOut.model_validate(each) for each in counts], silences=silences
    )


def _silence(store: Store, connection: str, now: dt.datetime) -> SilenceOut:
    found = silence_of(store, connection, now)
    return SilenceOut(
        connection=connection,
        last_at=found.last_at,
        quiet_seconds=found.quiet.total_seconds() if found.quiet is not None else None,
        chance=found.chance,
        is_unusual=found.is_unusual,
    )
