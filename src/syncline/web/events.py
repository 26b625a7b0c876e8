"""`/api/v1/events` and `/api/v1/subscriptions`: what happened, and whoever wants to be told (Standard Webhooks).

The routers are made by `events_router` and `subscriptions_router` over the events of the process, and given to `make_app`
among the routers of its services. Subscribing and unsubscribing work as REST hooks do: a POST with an address, a DELETE on
what it answers. The address is told whole only then: it often holds a key.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, StrictBool, StringConstraints
from yarl import URL

from syncline.core.outgoing import VALUES, DispatchState, Event, EventType, Subscription
from syncline.core.people import Scope
from syncline.ports import DispatchFilter, Outgoing
from syncline.service.events import Events
from syncline.service.telling import SAMPLES
from syncline.web.etags import CONDITIONAL, IfMatch, put_etag
from syncline.web.forms import Moment, Sent, Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.security import Guarded, requires
from syncline.web.services import Services

_READ = requires(Scope.EVENTS_READ)
_WRITE = requires(Scope.EVENTS_WRITE)
_SubscriptionId = Annotated[str, Path(pattern="^sub_[0-9a-f]{18}$")]
_Url = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^https?://[!-~]+$")]
_Types = Annotated[list[EventType], Field(max_length=len(EventType))]


class EventOut(Told):
    """One event, as it is sent (without field values). `webhook_id` is the header that tells it from every other one."""

    id: int
    webhook_id: str
    type: EventType
    timestamp: dt.datetime
    data: dict[str, Any]


class EventTypeOut(Told):
    """A type of event, with what its data looks like."""

    type: EventType
    sample: dict[str, Any]


class EventTypesOut(Told):
    """All types of events."""

    items: list[EventTypeOut]


class SubscriptionOut(Told):
    """Whoever wants events. No `types` means all. `why_off` says why we turned it off ourselves."""

    id: str
    url: str = Field(description="Scheme and host; what comes after them is not shown.")
    types: list[EventType]
    with_values: bool
    is_on: bool
    revision: int
    created_at: dt.datetime
    failing_since: dt.datetime | None
    why_off: str


class SubscribedOut(SubscriptionOut):
    """The same with the secret that signs the events: shown only now."""

    secret: str | None


class SecretOut(Told):
    """A new signing secret: shown only now."""

    secret: str | None


class SubscriptionIn(Sent):
    """Who wants which events."""

    url: _Url
    types: Annotated[_Types, Field(default_factory=list)]
    with_values: StrictBool = Field(default=False, description="Whether field values and titles go along.")


class SubscriptionPatch(Sent):
    """What is to change; whatever is left out stays."""

    url: _Url | None = None
    types: _Types | None = None
    with_values: StrictBool | None = None
    is_on: StrictBool | None = None


class ReplayIn(Sent):
    """From when on to send once more."""

    since: Moment


class ReplayedOut(Told):
    """How many events are on their way once more."""

    events: int


class DispatchOut(Told):
    """One event on its way to one subscription: how often it was tried, what came back, when it is tried next."""

    id: int
    event: int
    webhook_id: str
    type: EventType
    state: DispatchState
    tries: int
    status: int | None
    why: str
    due: dt.datetime | None
    tried_at: dt.datetime | None


def events_router() -> APIRouter:
    """The routes of events."""
    router = APIRouter(prefix="/api/v1/events", tags=["events"], route_class=Guarded)

    @router.get("", dependencies=[_READ])
    async def list_events(
        request: Request,
        response: Response,
        services: Services,
        paging: Paging,
        kind: Annotated[EventType | None, Query(alias="type", description="Only this type.")] = None,
    ) -> Page[EventOut]:
        """What happened in the last 30 days, newest first."""
        found = services.installation.store.events(kind, paging.position(int, "events"), paging.most)
        listing = Listing(request, response, "events")
        return listing.page(paging, [_event_out(each) for each in found], lambda each: each.id)

    @router.get("/types", dependencies=[_READ])
    async def list_event_types() -> EventTypesOut:
        """All types of events, each with a sample of its data."""
        return EventTypesOut(
            items=[EventTypeOut(type=each, sample=dict(SAMPLES[each])) for each in EventType]
        )

    return router


def subscriptions_router(events: Events) -> APIRouter:
    """The routes of subscriptions."""
    router = APIRouter(prefix="/api/v1/subscriptions", tags=["events"], route_class=Guarded)

    @router.get("", dependencies=[_READ])
    async def list_subscriptions(
        request: Request, response: Response, paging: Paging
    ) -> Page[SubscriptionOut]:
        """Whoever wants events."""
        after = paging.position(str, "subscriptions") or ""
        found = events.store.subscriptions(after, paging.most)
        listing = Listing(request, response, "subscriptions")
        return listing.page(paging, [_out(each) for each in found], lambda each: each.id)

    @router.post("", status_code=201, dependencies=[requires(Scope.EVENTS_WRITE, shown_once=("secret",))])
    async def subscribe(body: SubscriptionIn, response: Response) -> SubscribedOut:
        """Subscribe: events are sent to the address from now on, signed with the secret that is answered here."""
        made, secret = events.subscribe(body.url, frozenset(body.types), with_values=body.with_values)
        response.headers["Location"] = f"/api/v1/subscriptions/{made.id}"
        put_etag(response, made.revision)
        return SubscribedOut(**_out(made).model_dump(exclude={"url"}), url=made.url, secret=secret)

    @router.get("/{subscription}", dependencies=[_READ])
    async def get_subscription(subscription: _SubscriptionId, response: Response) -> SubscriptionOut:
        """One subscription."""
        found = events.known(subscription)
        put_etag(response, found.revision)
        return _out(found)

    @router.patch("/{subscription}", dependencies=[_WRITE], responses=CONDITIONAL)
    async def change_subscription(
        subscription: _SubscriptionId, body: SubscriptionPatch, response: Response, if_match: IfMatch
    ) -> SubscriptionOut:
        """Change a subscription. Turned on, it begins anew; turned off, what waits for it is dropped."""
        found = events.known(subscription)
        if_match.check(found.revision)
        given = body.model_dump(exclude_none=True, exclude={"types"})
        if body.types is not None:
            given["types"] = frozenset(body.types)
        kept = events.change(msgspec.structs.replace(found, **given))
        put_etag(response, kept.revision)
        return _out(kept)

    @router.delete("/{subscription}", status_code=204, dependencies=[_WRITE])
    async def unsubscribe(subscription: _SubscriptionId) -> None:
        """Unsubscribe; without `If-Match`, because REST hooks have none."""
        events.unsubscribe(subscription)

    _add_sending(router, events)
    return router


def _add_sending(router: APIRouter, events: Events) -> None:
    """The routes of what is sent to a subscription."""

    @router.post(
        "/{subscription}/secret",
        dependencies=[requires(Scope.EVENTS_WRITE, shown_once=("secret",))],
    )
    async def replace_secret(subscription: _SubscriptionId) -> SecretOut:
        """Make another signing secret; the old one signs nothing any more."""
        return SecretOut(secret=events.new_secret(subscription))

    @router.post("/{subscription}/replay", dependencies=[_WRITE])
    async def replay_events(subscription: _SubscriptionId, body: ReplayIn) -> ReplayedOut:
        """Send everything that happened since then once more."""
        return ReplayedOut(events=events.replay(subscription, body.since))

    @router.get("/{subscription}/dispatches", dependencies=[_READ])
    async def list_dispatches(
        subscription: _SubscriptionId,
        request: Request,
        response: Response,
        paging: Paging,
        state: Annotated[DispatchState | None, Query(description="Only those in this state.")] = None,
    ) -> Page[DispatchOut]:
        """What was sent there, or is on its way, newest first."""
        events.known(subscription)
        wanted = DispatchFilter(subscription, state, paging.position(int, "dispatches"))
        found = events.store.dispatches(wanted, paging.most)
        listing = Listing(request, response, "dispatches")
        return listing.page(paging, [_dispatch_out(each) for each in found], lambda each: each.id)


def _out(kept: Subscription) -> SubscriptionOut:
    return SubscriptionOut(
        id=kept.id,
        url=str(URL(kept.url).origin()),
        types=sorted(kept.types, key=lambda each: each.value),
        with_values=kept.with_values,
        is_on=kept.is_on,
        revision=kept.revision,
        created_at=kept.created_at,
        failing_since=kept.failing_since,
        why_off=kept.why_off,
    )


def _event_out(event: Event) -> EventOut:
    data = {name: value for name, value in event.data.items() if name != VALUES}
    return EventOut(id=event.id, webhook_id=event.mark, type=event.type, timestamp=event.at, data=data)


def _dispatch_out(outgoing: Outgoing) -> DispatchOut:
    sent, event = outgoing
    return DispatchOut(
        id=sent.id,
        event=event.id,
        webhook_id=event.mark,
        type=event.type,
        state=sent.state,
        tries=sent.tries,
        status=sent.status,
        why=sent.why,
        due=sent.due,
        tried_at=sent.tried_at,
    )
