"""OAuth 2: code and refresh token to tokens, an agency's token to a location's, installed locations.

Facts: highlevel-api.md 1.2 and 2.1. With `Version: v3` names are in camel case in both directions and JSON is taken as
well as a form; otherwise a form with the usual names. A refresh token is good once.
"""

from __future__ import annotations

import msgspec

from syncline.sandbox.highlevel.bodies import checked, form, is_json, json_object, read_query
from syncline.sandbox.highlevel.calls import Answer, Call
from syncline.sandbox.highlevel.refusals import RefusalError, bad_request, unauthorised, v3_oauth
from syncline.sandbox.highlevel.state import Location, World, iso
from syncline.sandbox.highlevel.tokens import ACCESS_SECONDS, App, Grant, Token

_GRANT_TYPES = frozenset({"authorization_code", "refresh_token", "client_credentials"})


class _ExchangeBody(msgspec.Struct, frozen=True, rename="camel"):
    company_id: str
    location_id: str


class _InstalledQuery(msgspec.Struct, frozen=True, rename="camel"):
    company_id: str
    app_id: str
    skip: int = 0
    limit: int = 20
    query: str = ""
    is_installed: bool | None = None
    version_id: str | None = None
    on_trial: bool | None = None
    plan_id: str | None = None
    location_id: str | None = None


class _InstalledQueryV3(msgspec.Struct, frozen=True, rename="camel"):
    company_id: str
    app_id: str
    page_size: int = 20
    page_token: int = 0
    query: str = ""
    is_installed: bool | None = None
    restrict_to_user_locations: bool | None = None
    version_id: str | None = None
    on_trial: bool | None = None
    plan_id: str | None = None
    location_id: str | None = None


def post_token(world: World, call: Call) -> Answer:
    """POST /oauth/token."""
    given = _Given(call)
    app = _client(world, given)
    grant_type = given.text("grant_type")
    if grant_type not in _GRANT_TYPES:
        raise bad_request(f"Invalid parameter: {given.name('grant_type')}")
    now = world.now_ms()
    if grant_type == "client_credentials":
        return _issued(world, call, _company_grant(world, app), None)
    if grant_type == "authorization_code":
        grant = world.tokens.redeem_code(given.text("code"), app.client_id, now)
        if given.optional("redirect_uri") not in (None, grant.redirect_uri):
            raise bad_request(f"Invalid parameter: {given.name('redirect_uri')}")
    else:
        spent = given.text("refresh_token")
        grant = world.tokens.known_refresh(spent, app.client_id, now)
        if grant.location_id is not None and not world.locations[grant.location_id].is_active:
            raise bad_request("Location is not active")
        world.tokens.spend_refresh(spent)
    return _issued(world, call, grant, world.tokens.add_refresh(grant, now))


def post_location_token(world: World, call: Call) -> Answer:
    """POST /oauth/locationToken, in v3 /oauth/location-token: an agency's token makes a location's."""
    data = json_object(call.request) if is_json(call.request) else form(call.request)
    body = checked(data, _ExchangeBody, is_strict=True)
    agency = call.bearer
    app = world.tokens.apps.get(agency.app)
    location = world.locations.get(body.location_id)
    if app is None or location is None or body.company_id != agency.company_id:
        raise bad_request("Location not found")
    if location.id not in app.installed_ms:
        raise bad_request("The app is not installed on this location")
    grant = Grant(app.client_id, agency.company_id, location.id, agency.user_id, app.scopes, "", 0)
    refresh = world.tokens.add_refresh(grant, world.now_ms()) if call.is_v3 else None
    data = _token_data(world.tokens.add_access(grant, world.now_ms()), refresh) | {
        "appId": app.id,
        "versionId": app.version_id,
    }
    return Answer(_named(data, call))


def get_installed_locations(world: World, call: Call) -> Answer:
    """GET /oauth/installedLocations."""
    query = read_query(call.request, _InstalledQuery)
    app = _app_by_id(world, query.company_id, query.app_id)
    if app is None:
        raise bad_request("App not found")
    found = _installed(world, app, query)
    shown = [_installed_shape(location, app) for location in found[query.skip :][: query.limit]]
    return Answer({"locations": shown, "count": len(found), "installToFutureLocations": False})


def get_installed_locations_v3(world: World, call: Call) -> Answer:
    """GET /oauth/installed-locations, with page tokens and the errors of v3."""
    try:
        query = read_query(call.request, _InstalledQueryV3)
    except RefusalError as exc:
        raise v3_oauth(400, "INVALID_ARGUMENT", str(exc)) from exc
    if not 1 <= query.page_size <= 100 or query.page_token < 0:
        raise v3_oauth(400, "INVALID_ARGUMENT", "pageSize or pageToken is invalid")
    app = _app_by_id(world, query.company_id, query.app_id)
    if app is None:
        raise v3_oauth(404, "NOT_FOUND", "App not found")
    found = _installed(world, app, query)
    start = query.page_token
    end = start + query.page_size
    page = found[start:end]
    pagination: dict[str, object] = {
        "totalRecords": len(found),
        "hasNextPage": end < len(found),
        "hasPrevPage": start > 0,
        "currentPageSize": len(page),
    }
    if end < len(found):
        pagination["nextPageToken"] = str(end)
    items = [_installed_shape(location, app) for location in page]
    return Answer({"items": items, "pagination": pagination, "installToFutureLocations": False})


class _Given:
    """The parameters of a token request, under their names in the request's version."""

    def __init__(self, call: Call) -> None:
        self._is_v3 = call.is_v3
        takes_json = call.is_v3 and is_json(call.request)
        self._data = json_object(call.request) if takes_json else form(call.request)

    def name(self, name: str) -> str:
        """`client_id`, or `clientId` in v3."""
        return _camel(name) if self._is_v3 else name

    def optional(self, name: str) -> str | None:
        """A parameter that may be missing."""
        value = self._data.get(self.name(name))
        return value if isinstance(value, str) and value else None

    def text(self, name: str) -> str:
        """A parameter that has to be there. Raises 400."""
        value = self.optional(name)
        if value is None:
            raise bad_request(f"Missing parameter: {self.name(name)}")
        return value


def _client(world: World, given: _Given) -> App:
    client_id, secret = given.text("client_id"), given.text("client_secret")
    app = world.tokens.apps.get(client_id)
    if app is None or app.secret != secret:
        raise unauthorised("Invalid client: client credentials are invalid")
    return app


def _company_grant(world: World, app: App) -> Grant:
    owner = next(iter(world.users))
    return Grant(app.client_id, world.company_id, None, owner, app.scopes, app.redirect_uri, 0)


def _issued(world: World, call: Call, grant: Grant, refresh: str | None) -> Answer:
    token = world.tokens.add_access(grant, world.now_ms())
    data = _token_data(token, refresh) | {
        "userType": "Location" if grant.location_id else "Company",
        "companyId": grant.company_id,
        "isBulkInstallation": grant.location_id is None,
    }
    if grant.location_id is None:
        app = world.tokens.apps[grant.client_id]
        data["approvedLocations"] = [each for each in world.locations if each in app.installed_ms]
    return Answer(_named(data, call))


def _token_data(token: Token, refresh: str | None) -> dict[str, object]:
    data: dict[str, object] = {
        "access_token": token.value,
        "token_type": "Bearer",
        "expires_in": ACCESS_SECONDS,
        "scope": " ".join(sorted(token.scopes)),
        "userId": token.user_id,
    }
    if refresh is not None:
        data["refresh_token"] = refresh
    return data | ({"locationId": token.location_id} if token.location_id else {})


def _named(data: dict[str, object], call: Call) -> dict[str, object]:
    return {_camel(name): value for name, value in data.items()} if call.is_v3 else data


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _app_by_id(world: World, company_id: str, app_id: str) -> App | None:
    if company_id != world.company_id:
        return None
    return next((app for app in world.tokens.apps.values() if app.id == app_id), None)


def _installed(world: World, app: App, query: _InstalledQuery | _InstalledQueryV3) -> list[Location]:
    return [
        location
        for location in world.locations.values()
        if query.is_installed in (None, location.id in app.installed_ms)
        and query.location_id in (None, location.id)
        and query.query.lower() in location.name.lower()
    ]


def _installed_shape(location: Location, app: App) -> dict[str, object]:
    shape: dict[str, object] = {
        "_id": location.id,
        "name": location.name,
        "address": "1 Sandbox Street",
        "isInstalled": location.id in app.installed_ms,
    }
    if location.id not in app.installed_ms:
        return shape
    return shape | {"versionId": app.version_id, "installedAt": iso(app.installed_ms[location.id])}
