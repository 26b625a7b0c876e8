"""`/api/v1/alerts` and `/api/v1/channels`: what is or was wrong, and who is told.

The routers are made by `alerts_router` and `channels_router` over the alerts of the process, and given to `make_app` among
the routers of its services. A channel's address is never answered, only what kind it is.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, SecretStr, StrictBool, StringConstraints

from syncline.core.alerting import TITLES, Alert, AlertKind, Channel
from syncline.core.people import Scope
from syncline.errors import Refusal, RequestError
from syncline.ports import AlertFilter
from syncline.service.alerts import Alerts
from syncline.web.etags import CONDITIONAL, IfMatch, put_etag
from syncline.web.forms import Line, Number, Sent, Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.security import Guarded, requires
from syncline.web.services import Services

_READ = requires(Scope.ALERTS_READ)
_WRITE = requires(Scope.ALERTS_WRITE)
_ChannelName = Annotated[str, Path(pattern="^[a-z0-9][a-z0-9_-]{0,63}$")]
_Address = Annotated[SecretStr, StringConstraints(min_length=1, max_length=2000)]


class AlertOut(Told):
    """One alert: found `count` times between `first_at` and `last_at`; open while `closed_at` is null."""

    id: int
    kind: AlertKind
    title: str
    subject: str
    text: str
    remedy: str
    code: str
    count: int
    first_at: dt.datetime
    last_at: dt.datetime
    told_at: dt.datetime | None
    closed_at: dt.datetime | None


class ChannelOut(Told):
    """Where alerts go. No `kinds` means all. `failure` says why the last message
    did not arrive."""

    name: str
    service: str = Field(description="What kind of address it has, such as mailto or slack.")
    kinds: list[AlertKind]
    is_on: bool
    revision: int
    changed_at: dt.datetime | None
    failure: str


class ChannelsOut(Told):
    """All channels."""

    items: list[ChannelOut]


class ChannelIn(Sent):
    """A channel as it is to be. Without an address the old one stays."""

    address: _Address | None = Field(
        None, description="An Apprise URL. It is kept encrypted, and never answered."
    )
    kinds: Annotated[list[AlertKind], Field(default_factory=list, max_length=len(AlertKind))]
    is_on: StrictBool = True


def _alert_out(alert: Alert) -> AlertOut:
    return AlertOut(
        id=alert.id,
        kind=alert.about.kind,
        title=TITLES[alert.about.kind],
        subject=alert.about.subject,
        text=alert.text,
        remedy=alert.remedy,
        code=alert.code,
        count=alert.count,
        first_at=alert.first_at,
        last_at=alert.last_at,
        told_at=alert.told_at,
        closed_at=alert.closed_at,
    )


def alerts_router(alerts: Alerts) -> APIRouter:
    """The routes of alerts."""
    router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"], route_class=Guarded)

    @router.get("", dependencies=[_READ])
    async def list_alerts(
        request: Request,
        response: Response,
        services: Services,
        paging: Paging,
        is_open: Annotated[bool | None, Query(description="Only open ones, or only closed ones.")] = None,
        kind: Annotated[AlertKind | None, Query(description="Only this kind.")] = None,
        subject: Annotated[
            Line | None, Query(description="Only about this sync, connection or subscription.")
        ] = None,
    ) -> Page[AlertOut]:
        """Alerts, newest first."""
        wanted = AlertFilter(is_open, kind, subject, paging.position(int, "alerts"))
        found = services.installation.store.alerts(wanted, paging.most)
        listing = Listing(request, response, "alerts")
        return listing.page(paging, [_alert_out(each) for each in found], lambda each: each.id)

    @router.get("/{alert}", dependencies=[_READ])
    async def get_alert(services: Services, alert: Number) -> AlertOut:
        """One alert."""
        found = services.installation.store.alert(alert)
        if found is None:
            raise RequestError("There is no such alert.", Refusal.NOT_THERE)
        return _alert_out(found)

    @router.post("/{alert}/close", dependencies=[_WRITE])
    async def close_alert(alert: Number) -> AlertOut:
        """Close an alert by hand; what is found again opens a new one."""
        return _alert_out(alerts.close(alert))

    return router


def channels_router(alerts: Alerts) -> APIRouter:
    """The routes of channels."""
    router = APIRouter(prefix="/api/v1/channels", tags=["alerts"], route_class=Guarded)

    def shown(channel: Channel, response: Response | None = None) -> ChannelOut:
        if response is not None:
            put_etag(response, channel.revision)
        return ChannelOut(
            name=channel.name,
            service=alerts.schema(channel.name),
            kinds=sorted(channel.kinds, key=lambda kind: kind.value),
            is_on=channel.is_on,
            revision=channel.revision,
            changed_at=channel.changed_at,
            failure=channel.failure,
        )

    @router.get("", dependencies=[_READ])
    async def list_channels(services: Services) -> ChannelsOut:
        """All channels by name."""
        return ChannelsOut(items=[shown(each) for each in services.installation.store.channels()])

    @router.get("/{name}", dependencies=[_READ])
    async def get_channel(name: _ChannelName, response: Response) -> ChannelOut:
        """One channel."""
        return shown(alerts.channel(name), response)

    @router.put("/{name}", dependencies=[_WRITE], responses=CONDITIONAL)
    async def put_channel(
        name: _ChannelName, body: ChannelIn, response: Response, services: Services, if_match: IfMatch
    ) -> ChannelOut:
        """Make a channel, or change one (with `If-Match`)."""
        known = {each.name: each for each in services.installation.store.channels()}
        if name in known:
            if_match.check(known[name].revision)
        address = body.address.get_secret_value() if body.address is not None else None
        kept = await alerts.save_channel(name, frozenset(body.kinds), is_on=body.is_on, address=address)
        return shown(kept, response)

    @router.delete("/{name}", status_code=204, dependencies=[_WRITE], responses=CONDITIONAL)
    async def remove_channel(name: _ChannelName, if_match: IfMatch) -> None:
        """Remove a channel and its address."""
        if_match.check(alerts.channel(name).revision)
        alerts.drop_channel(name)

    @router.post("/{name}/test", dependencies=[_WRITE])
    async def try_channel(name: _ChannelName) -> ChannelOut:
        """Send a message that says it is a test; `failure` says why it did not go out, and is empty when it did."""
        return shown(await alerts.try_channel(name))

    return router
