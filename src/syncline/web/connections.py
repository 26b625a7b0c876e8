"""`/api/v1/connections` and `/api/v1/authorisations`: accounts at the vendors, their credentials, and whether all is well.

The router is made by `connections_router` over the runtime of the process, and given to `make_app` among the routers of its
services. Credentials go in and never come out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field, SecretStr, StrictBool, StringConstraints

from syncline.core.people import Scope
from syncline.errors import AuthError, ConnectorError, Refusal, RequestError
from syncline.ports import ConnectionState
from syncline.service import authorise, connections
from syncline.service.authorise import Returned
from syncline.service.connections import Known
from syncline.service.offering import offer
from syncline.service.runtime import Runtime
from syncline.service.tested import Tested
from syncline.web.etags import CONDITIONAL, IfMatch, put_etag
from syncline.web.forms import Sent, Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.security import Guarded, Principal, Who, requires
from syncline.web.services import Services

CALLBACK = "/api/v1/authorisations/callback"
"""Where HighLevel sends people back to, below the service's public address."""

_Found = TypeVar("_Found")
_READ = requires(Scope.CONNECTIONS_READ)
_WRITE = requires(Scope.CONNECTIONS_WRITE)
_WRITE_IN_BROWSER = requires(Scope.CONNECTIONS_WRITE, session_only=True)

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
Secret = Annotated[SecretStr, StringConstraints(min_length=1, max_length=4000)]
ConnectionName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
_Text = Annotated[str, StringConstraints(max_length=4000)]


class ConnectionOut(Told):
    """One connection. `settings` hold no secret; `credentials` are the last four characters of each, by place; `used_by` are
    the syncs and drafts that need it. One of `syncline.yaml` (`is_from_file`) is read-only here."""

    name: str
    vendor: str
    settings: dict[str, Any]
    credentials: dict[str, str]
    used_by: list[str]
    revision: int
    state: ConnectionState
    why: str
    created_at: dt.datetime | None
    changed_at: dt.datetime | None
    is_from_file: bool


class ConnectionIn(Sent):
    """A connection that is to be made. `settings` are what `connections.NAME` of `syncline.yaml` would hold."""

    name: ConnectionName
    settings: dict[str, Any]


class ConnectionPatch(Sent):
    """What is to change: whatever is left out stays, what is null is as by default again."""

    settings: dict[str, Any]


class CredentialsIn(Sent):
    """New credentials, of those that the connection has."""

    token: Secret | None = None
    client_secret: Secret | None = None
    refresh_token: Secret | None = None

    def by_place(self) -> dict[str, str]:
        """As the settings have them."""
        places = {
            "token": self.token,
            "oauth.client_secret": self.client_secret,
            "oauth.refresh_token": self.refresh_token,
        }
        return {place: secret.get_secret_value() for place, secret in places.items() if secret is not None}


class NeededOut(Told):
    """What one sync needs on a connection, and what of it was not granted."""

    sync: str
    object_type: str
    is_written: bool
    scopes: list[str]
    missing: list[str]


class QuotaOut(Told):
    """The limits of a connection as they are known now."""

    burst_limit: int | None
    burst_seconds: float | None
    daily_limit: int | None
    daily_left: int | None
    resets_at: dt.datetime | None


class TestedOut(Told):
    """What a test found. A problem stops the connection from being used, a warning does not."""

    connection: str
    is_usable: bool
    account: str
    user: str
    version: str
    scopes: list[str] | None
    missing_scopes: list[str]
    problems: list[str]
    warnings: list[str]
    needed: list[NeededOut]
    skew: float | None = Field(description="Seconds that the vendor's clock is ahead of ours.")
    quota: QuotaOut
    has_hook: bool
    last_delivery: dt.datetime | None
    expires_at: dt.datetime | None
    at: dt.datetime


class HookIn(Sent):
    """Whether to make another address; the one before is dead then."""

    is_new: StrictBool = False


class HookOut(Told):
    """Where the vendor sends a connection's webhooks, and the secret to give it where it asks for one. Both open a door; they
    are null when the same request is answered again."""

    url: str | None
    secret: str | None


class BegunOut(Told):
    """Where a person goes to authorise the app, and until when they have to be back."""

    url: str
    scopes: list[str]
    expires_at: dt.datetime


class ReturnedIn(Sent):
    """What a person came back with."""

    state: Annotated[str, StringConstraints(min_length=1, max_length=4000)]
    code: Annotated[SecretStr, StringConstraints(min_length=1, max_length=4000)]


def connections_router(runtime: Runtime) -> APIRouter:
    """The routes over this runtime."""
    router = APIRouter(tags=["connections"], route_class=Guarded)
    _add_reading(router, runtime)
    _add_changing(router, runtime)
    _add_hooks(router, runtime)
    _add_authorising(router, runtime)
    return router


def _add_reading(router: APIRouter, runtime: Runtime) -> None:
    @router.get("/api/v1/connections", dependencies=[_READ])
    async def list_connections(request: Request, response: Response, paging: Paging) -> Page[ConnectionOut]:
        """All connections, by name."""
        after = paging.position(str, "connections") or ""
        found = [each for each in connections.listed(runtime.current()) if each.name > after]
        listing = Listing(request, response, "connections")
        items = [_out(each) for each in found[: paging.most]]
        return listing.page(paging, items, lambda each: each.name)

    @router.get("/api/v1/connections/{name}", dependencies=[_READ])
    async def get_connection(name: Name, response: Response) -> ConnectionOut:
        """One connection."""
        return _shown(response, connections.known(runtime.current(), name))

    @router.post("/api/v1/connections/{name}/test", dependencies=[_WRITE])
    async def test_connection(name: Name) -> TestedOut:
        """Test a connection: account, user, rights, clock, quota, webhooks, expiry. It takes a few calls."""
        return _tested(await reached(connections.look_at(runtime, name)))


def _add_changing(router: APIRouter, runtime: Runtime) -> None:
    @router.post("/api/v1/connections", status_code=201, dependencies=[_WRITE])
    async def add_connection(body: ConnectionIn, response: Response, who: Who) -> ConnectionOut:
        """Add a connection and test it. One that does not work is kept all the same: see its `state`."""
        made = await connections.add(runtime, who.user.id, body.name, body.settings)
        response.headers["Location"] = f"/api/v1/connections/{made.name}"
        return _shown(response, made)

    @router.patch("/api/v1/connections/{name}", dependencies=[_WRITE], responses=CONDITIONAL)
    async def change_connection(
        name: Name, body: ConnectionPatch, response: Response, who: Who, if_match: IfMatch
    ) -> ConnectionOut:
        """Change settings. Credentials stay, unless the address moves to another host."""
        kept = connections.kept_of(runtime.current(), name)
        if_match.check(kept.revision)
        changed = await connections.change(runtime, who.user.id, name, body.settings, kept.revision)
        return _shown(response, changed)

    @router.put("/api/v1/connections/{name}/credentials", dependencies=[_WRITE])
    async def rotate_credentials(
        name: Name, body: CredentialsIn, response: Response, who: Who
    ) -> ConnectionOut:
        """Give new credentials of the same account and user. They are tested before they take the old ones' place."""
        return _shown(response, await connections.rotate(runtime, who.user.id, name, body.by_place()))

    @router.delete(
        "/api/v1/connections/{name}", status_code=204, dependencies=[_WRITE], responses=CONDITIONAL
    )
    async def remove_connection(name: Name, who: Who, if_match: IfMatch) -> None:
        """Remove a connection that no sync needs, and wipe its secrets."""
        if_match.check(connections.kept_of(runtime.current(), name).revision)
        await connections.remove(runtime, who.user.id, name)


def _add_hooks(router: APIRouter, runtime: Runtime) -> None:
    once = requires(Scope.CONNECTIONS_WRITE, shown_once=("url", "secret"))

    @router.post("/api/v1/connections/{name}/webhook", dependencies=[once])
    async def open_webhook(name: Name, services: Services, who: Who, body: HookIn | None = None) -> HookOut:
        """Where a vendor is to send a connection's webhooks: made when first asked for, and listened at from then on."""
        told = body or HookIn()
        async with runtime.held() as installation:
            hook = offer(installation, name, who.user.id, is_new=told.is_new)
        await runtime.refresh()
        return HookOut(url=services.settings.public_url.rstrip("/") + hook.path, secret=hook.secret)


def _add_authorising(router: APIRouter, runtime: Runtime) -> None:
    @router.post("/api/v1/connections/{name}/authorisations", status_code=201, dependencies=[_WRITE])
    async def begin_authorisation(name: Name, services: Services, who: Who) -> BegunOut:
        """Begin to authorise the app of a connection. The address is for the person who asked, and good once."""
        redirect_uri = services.settings.public_url.rstrip("/") + CALLBACK
        begun = authorise.begin(runtime.current(), name, session_of(who), redirect_uri)
        return BegunOut.model_validate(begun)

    @router.post("/api/v1/authorisations", dependencies=[_WRITE])
    async def finish_authorisation(body: ReturnedIn, response: Response, who: Who) -> ConnectionOut:
        """Finish it with what the person came back with."""
        back = Returned(body.state, body.code.get_secret_value(), session_of(who), who.user.id)
        return _shown(response, await reached(authorise.finish(runtime, back)))

    @router.get(CALLBACK, dependencies=[_WRITE_IN_BROWSER])
    async def finish_authorisation_in_browser(
        response: Response,
        who: Who,
        state: Annotated[_Text, Query()] = "",
        code: Annotated[_Text, Query()] = "",
        error: Annotated[_Text, Query(description="Why the person came back without a code.")] = "",
    ) -> ConnectionOut:
        """Where HighLevel sends the person back to."""
        if error or not code:
            raise RequestError("The app was not authorised.", Refusal.AUTHORISATION)
        back = Returned(state, code, session_of(who), who.user.id)
        return _shown(response, await reached(authorise.finish(runtime, back)))


async def reached(asked: Awaitable[_Found]) -> _Found:
    """What a vendor answers. That it cannot be asked is no fault of ours: raises `RequestError` then."""
    try:
        return await asked
    except AuthError:
        raise
    except ConnectorError as error:
        raise RequestError(f"The vendor could not be asked: {error}.", Refusal.NOT_WORKING) from error


def session_of(who: Principal) -> str:
    """What an authorisation is bound to: the session, or the token of a program."""
    if who.session is not None:
        return who.session.hash
    return f"token {who.token.id}" if who.token is not None else ""


def _out(known: Known) -> ConnectionOut:
    return ConnectionOut.model_validate(known)


def _shown(response: Response, known: Known) -> ConnectionOut:
    put_etag(response, known.revision)
    return _out(known)


def _tested(found: Tested) -> TestedOut:
    return TestedOut.model_validate(msgspec.structs.asdict(found))
