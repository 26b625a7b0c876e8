"""HighLevel's endpoints: one method each, bytes or wire forms out.

Used by `connector` and `setup`. Knows paths, the `Version` header, scopes, quota headers and the renewal of tokens; knows
nothing of records. Facts: highlevel-api.md 1.2, 1.9, 2.4, section 4.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from syncline.connectors.highlevel import refusals
from syncline.connectors.highlevel.credentials import (
    Credentials,
    OAuthClient,
    PrivateToken,
    RenewedTokens,
    StaticToken,
)
from syncline.connectors.highlevel.refusals import ExpiredTokenError, ScopeError
from syncline.connectors.highlevel.schema import WireField, WireObject, WireObjectAnswer, WireUser
from syncline.connectors.highlevel.token_calls import post_form
from syncline.connectors.http import Answer, Dialect, Environment, Http, SlidingWindow
from syncline.connectors.multipart import Form
from syncline.errors import (
    AuthError,
    ConnectorError,
    Detail,
    NotFoundError,
    RejectedError,
    TransientError,
    UnknownOutcomeError,
)

DEFAULT_VERSION = "2021-07-28"
BURST = 100
INTERVAL = dt.timedelta(seconds=10)
DAILY = 200_000
"""The published limits, until the first answer's headers tell the real one (facts: section 4)."""
CONCURRENCY = 10
"""Calls at a time: as many as the engine has writers, and a little more, so that the vendor's answers set the pace."""


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: where it is, the scope it needs, and the resource whose `Version` it is called with."""

    method: str
    path: str
    scope: str
    resource: str
    is_write: bool = False


LOCATION = Route("GET", "/locations/{location}", "locations.readonly", "locations")
USERS = Route("GET", "/users/", "users.readonly", "users")
OBJECTS = Route("GET", "/objects/", "objects/schema.readonly", "objects")
OBJECT = Route("GET", "/objects/{key}", "objects/schema.readonly", "objects")
CREATE_OBJECT = Route("POST", "/objects/", "objects/schema.write", "objects", is_write=True)
SEARCH = Route("POST", "/objects/{key}/records/search", "objects/record.readonly", "objects")
RECORD = Route("GET", "/objects/{key}/records/{id}", "objects/record.readonly", "objects")
CREATE_RECORD = Route("POST", "/objects/{key}/records", "objects/record.write", "objects", is_write=True)
UPDATE_RECORD = Route("PUT", "/objects/{key}/records/{id}", "objects/record.write", "objects", is_write=True)
DELETE_RECORD = Route(
    "DELETE", "/objects/{key}/records/{id}", "objects/record.write", "objects", is_write=True
)
FIELDS = Route("GET", "/custom-fields/object-key/{key}", "locations/customFields.readonly", "custom-fields")
CREATE_FIELD = Route(
    "POST", "/custom-fields/", "locations/customFields.write", "custom-fields", is_write=True
)
CREATE_FOLDER = Route(
    "POST", "/custom-fields/folder", "locations/customFields.write", "custom-fields", is_write=True
)


class Folder(msgspec.Struct):
    """A folder of custom fields."""

    id: str
    name: str = ""


class FieldsAnswer(msgspec.Struct):
    """`GET /custom-fields/object-key/{key}`."""

    fields: list[WireField] = msgspec.field(default_factory=list[WireField])
    folders: list[Folder] = msgspec.field(default_factory=list[Folder])


class Location(msgspec.Struct, rename="camel"):
    """What is shown of a location."""

    id: str = ""
    name: str = ""
    company_id: str = ""


class _LocationAnswer(msgspec.Struct):
    location: Location


class _ObjectsAnswer(msgspec.Struct):
    objects: list[WireObject] = msgspec.field(default_factory=list[WireObject])


class _UsersAnswer(msgspec.Struct):
    users: list[WireUser] = msgspec.field(default_factory=list[WireUser])


class _FieldAnswer(msgspec.Struct):
    field: WireField


@dataclass(frozen=True, slots=True)
class Search:
    """One page of a search. `after` is the last record's `searchAfter`; `page` counts only where there is none."""

    limit: int
    sort: str
    direction: str
    after: Sequence[object] = ()
    page: int = 1
    filters: Sequence[Mapping[str, object]] = ()


class HighLevelDialect(Dialect):
    """HighLevel's errors and quota headers."""

    def classify(self, answer: Answer, *, is_write: bool) -> ConnectorError | None:
        """By message (see `refusals`); a 429 on an empty day is not worth waiting for here."""
        del is_write
        if answer.status == 429:
            return _used_up_day(answer.headers)
        return refusals.classify(answer.status, answer.body)

    def observe(self, answer: Answer, limiter: SlidingWindow) -> None:
        """Learn from `X-RateLimit-*`. A 429 of the short window comes without `Retry-After`: wait one window. What a 401
        tells is nobody's budget."""
        if answer.status == 401:
            return
        window = _number(answer.headers, "x-ratelimit-interval-milliseconds")
        reset = _number(answer.headers, "x-ratelimit-daily-reset")
        interval = None if window is None else dt.timedelta(milliseconds=window)
        limiter.observe(
            limit=_number(answer.headers, "x-ratelimit-max"),
            interval=interval,
            left=_number(answer.headers, "x-ratelimit-remaining"),
            daily_limit=_number(answer.headers, "x-ratelimit-limit-daily"),
            daily_left=_number(answer.headers, "x-ratelimit-daily-remaining"),
            daily_reset=None if reset is None else dt.timedelta(milliseconds=reset),
        )
        if answer.status == 429 and _used_up_day(answer.headers) is None:
            limiter.hold(interval or INTERVAL)


def _used_up_day(headers: Mapping[str, str]) -> TransientError | None:
    left = _number(headers, "x-ratelimit-daily-remaining")
    if left is None or left > 0:
        return None
    reset = _number(headers, "x-ratelimit-daily-reset")
    after = dt.timedelta(hours=1) if reset is None else dt.timedelta(milliseconds=reset)
    return TransientError("the daily quota of HighLevel is used up", after=after, detail=Detail.DAILY_QUOTA)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "").strip()
    return int(text) if text.isdigit() else None


class Client:
    """One location's API. Every method may raise what `Http.read` and `Http.write` raise."""

    def __init__(
        self,
        base: str,
        *,
        connection: str,
        environment: Environment,
        access: PrivateToken | OAuthClient,
        location: str,
        versions: Mapping[str, str],
    ) -> None:
        limiter = environment.limiter(
            connection, limit=BURST, interval=INTERVAL, concurrency=CONCURRENCY, daily_limit=DAILY
        )
        self.location = location
        self.http = Http(
            base, connection=connection, environment=environment, limiter=limiter, dialect=HighLevelDialect()
        )
        self._environment = environment
        self._versions = versions
        self._connection = connection
        self.credentials: Credentials = (
            StaticToken(access)
            if isinstance(access, PrivateToken)
            else RenewedTokens(access, environment.clock, self._post_form)
        )

    def version(self, route: Route) -> str:
        """The `Version` that a route is called with."""
        return self._versions.get(route.resource, DEFAULT_VERSION)

    async def location_card(self) -> Location:
        """Name and company of the location."""
        return (await self.call(LOCATION)).json(_LocationAnswer).location

    async def users(self) -> tuple[WireUser, ...]:
        """The users of the location. The route is gone under `Version: v3` (facts: 1.2)."""
        return tuple((await self.call(USERS, query=self._here)).json(_UsersAnswer).users)

    async def objects(self) -> Sequence[WireObject]:
        """All object types, the standard ones too."""
        return (await self.call(OBJECTS, query=self._here)).json(_ObjectsAnswer).objects

    async def object(self, key: str) -> WireObjectAnswer:
        """One object type with its fields. Raises `NotFoundError`."""
        query = self._here | {"fetchProperties": "true"}
        return (await self._of_object(self.call(OBJECT, {"key": key}, query=query))).json(WireObjectAnswer)

    async def search(self, key: str, search: Search) -> bytes:
        """One page of records, as sent. The specification requires all five plain keys. Raises `NotFoundError`."""
        body: dict[str, object] = {
            "locationId": self.location,
            "page": search.page,
            "pageLimit": search.limit,
            "query": "",
            "searchAfter": list(search.after),
            "sort": [{"field": search.sort, "direction": search.direction}],
        }
        if search.filters:
            body["filters"] = [{"group": "AND", "filters": list(search.filters)}]
        return (await self._of_object(self.call(SEARCH, {"key": key}, json=body))).body

    async def record(self, key: str, record: str) -> bytes:
        """One record, as sent. Raises `NotFoundError`."""
        return (await self.call(RECORD, {"key": key, "id": record})).body

    async def create_record(self, key: str, body: msgspec.Raw) -> bytes:
        """Create a record; the answer as sent."""
        return (await self.call(CREATE_RECORD, {"key": key}, json=body)).body

    async def update_record(self, key: str, record: str, body: msgspec.Raw) -> bytes:
        """Change a record; the answer as sent."""
        return (await self.call(UPDATE_RECORD, {"key": key, "id": record}, query=self._here, json=body)).body

    async def delete_record(self, key: str, record: str) -> None:
        """Delete a record. A query would be refused with 422 (facts: 1.3)."""
        await self.call(DELETE_RECORD, {"key": key, "id": record})

    async def fields(self, key: str) -> FieldsAnswer:
        """The custom fields and folders of an object, not cached as `object` may be."""
        return (await self.call(FIELDS, {"key": key}, query=self._here)).json(FieldsAnswer)

    async def create_object(self, body: Mapping[str, object]) -> None:
        """Create a custom object."""
        await self.call(CREATE_OBJECT, json={**body, **self._here})

    async def create_folder(self, key: str, name: str) -> Folder:
        """Create a folder for fields."""
        body = {"objectKey": key, "name": name} | self._here
        return (await self.call(CREATE_FOLDER, json=body)).json(Folder)

    async def create_field(self, body: Mapping[str, object]) -> WireField:
        """Create a custom field and answer it as HighLevel keeps it."""
        return (await self.call(CREATE_FIELD, json={**body, **self._here})).json(_FieldAnswer).field

    async def _of_object(self, called: Awaitable[Answer]) -> Answer:
        """The answer; a missing object type is `NotFoundError` whatever its status, which is unconfirmed."""
        try:
            return await called
        except RejectedError as error:
            if refusals.is_about_object(error):
                raise NotFoundError(str(error.args[0]), connection=self._connection) from error
            raise

    @property
    def _here(self) -> dict[str, str]:
        return {"locationId": self.location}

    async def call(
        self,
        route: Route,
        parts: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        json: object = None,
    ) -> Answer:
        """Call a route; once more with a renewed token when the first was refused as expired."""
        return await self._renewing(route, lambda token: self._send(route, parts or {}, token, query, json))

    async def pour(self, route: Route, form: Form) -> Answer:
        """POST a form with a file to a route, in pieces; otherwise as `call`."""
        return await self._renewing(
            route, lambda token: self.http.pour(route.path, form, self._headers(route, token))
        )

    async def _renewing(self, route: Route, send: Callable[[str], Awaitable[Answer]]) -> Answer:
        """Send with a token, perhaps twice: a request that was refused as expired was surely not carried out, so that a
        write may be sent again."""
        used = await self.credentials.token()
        try:
            try:
                return await send(used)
            except ExpiredTokenError:
                if not await self.credentials.renew(used):
                    raise
            return await send(await self.credentials.token())
        except ScopeError as error:
            raise AuthError(
                f"the token lacks the scope {route.scope}",
                connection=self._connection,
                missing_scopes=(route.scope,),
                detail=Detail.MISSING_SCOPE,
            ) from error

    async def _send(
        self,
        route: Route,
        parts: Mapping[str, str],
        token: str,
        query: Mapping[str, str] | None,
        json: object,
    ) -> Answer:
        quoted = {name: quote(part, safe="") for name, part in parts.items()}
        path = route.path.format_map(quoted | {"location": quote(self.location, safe="")})
        send = self.http.write if route.is_write else self.http.read
        return await send(
            route.method, path, query=query or {}, json=json, headers=self._headers(route, token)
        )

    def _headers(self, route: Route, token: str) -> Mapping[str, str]:
        return {"authorization": f"Bearer {token}", "version": self.version(route)}

    async def _post_form(self, form: bytes, bearer: str) -> Answer:
        """Ask for tokens. Whatever becomes of it, the request that waits for the token was not sent."""
        try:
            async with self.http.limiter.slot():
                self.http.calls += 1
                return await post_form(self._environment.transport, self.http.base, form, bearer)
        except UnknownOutcomeError as error:
            raise TransientError(
                "no clear answer to the token request",
                connection=self._connection,
                detail=Detail.UNREACHABLE,
            ) from error
