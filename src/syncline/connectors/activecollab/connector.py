"""What the engine asks into ActiveCollab's calls: the object types of `activecollab.forms`, of one account.

Made by `connect`. Scope filters: `project` (ids; absent means every project the token's user sees) and `create_in` (one
id); companies and users have `role` instead, comments also `on`. A new record goes into `create_in`, else into the first
listed `project`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from syncline.connectors.activecollab.account import Account
from syncline.connectors.activecollab.attributes import Directory, Form, Place, moment
from syncline.connectors.activecollab.bill_forms import answers, discovered
from syncline.connectors.activecollab.client import Client, Json, Sheet, api_url, decode
from syncline.connectors.activecollab.dialect import ANGIE, ActiveCollabDialect, Credentials
from syncline.connectors.activecollab.downloads import Downloads
from syncline.connectors.activecollab.forms import FORMS
from syncline.connectors.activecollab.health import examine
from syncline.connectors.activecollab.homes import Homes
from syncline.connectors.activecollab.listing import AccountListing, Collection, Cursor, Listing, projects
from syncline.connectors.activecollab.nested import CommentListing, SubtaskListing
from syncline.connectors.activecollab.parts import PROJECT
from syncline.connectors.activecollab.places import Lost, Places
from syncline.connectors.activecollab.records import to_edits, to_record
from syncline.connectors.activecollab.schema import form_of, options, schema
from syncline.connectors.activecollab.scopes import checked, project_filter
from syncline.connectors.activecollab.work_forms import TASK
from syncline.connectors.activecollab.writing import Writer, cost, is_wanted
from syncline.connectors.http import Environment, Http
from syncline.connectors.multipart import Outgoing
from syncline.core.records import (
    Edit,
    FieldId,
    Gone,
    ObjectSchema,
    ObjectTypeId,
    Present,
    Proof,
    Receipt,
    Record,
    RecordKey,
    Scope,
    Sighting,
    Unseen,
    Write,
)
from syncline.errors import ConnectorError, Detail, NotFoundError, RejectedError
from syncline.ports import Ending, Health, ObjectSummary, Page, Quota


@dataclass(frozen=True, slots=True)
class Settings:
    """How to reach one ActiveCollab.

    `url`: the install's address (`https://projects.example.com`, also with a path) or the cloud account's
    (`https://app.activecollab.com/123456`); `/api/v1` is appended unless there. `header` and `prefix` say how the token
    is sent. `job_type`: id used for estimates of tasks without one; empty means the account's default. `restore_path`
    is unconfirmed by the vendor's documents (facts: activecollab-api.md 3.1); empty means restoring is not offered.
    `projects` narrows whose task lists are offered as options; empty means all. `trust_counts`: a listing with fewer
    open tasks than the project counts is incomplete; switch it off where a version counts otherwise. `concurrency` is
    our own restraint, the vendor publishes no limit (facts: 5).
    """

    url: str
    token: str = field(repr=False)
    header: str = ANGIE
    prefix: str = ""
    job_type: str = ""
    restore_path: str = "restore-from-trash/{slug}/{id}"
    projects: tuple[str, ...] = ()
    trust_counts: bool = True
    concurrency: int = 5


def connect(name: str, settings: Settings, environment: Environment) -> ActiveCollabConnector:
    """The connector of a configured connection. Raises `ConfigError` when the address cannot be used."""
    credentials = Credentials(settings.token, settings.header, settings.prefix)
    http = Http(
        api_url(settings.url),
        connection=name,
        environment=environment,
        limiter=environment.limiter(name, concurrency=settings.concurrency),
        dialect=ActiveCollabDialect(credentials),
    )
    return ActiveCollabConnector(name, settings, Client(http), environment, credentials.user_id)


@dataclass(frozen=True, slots=True)
class SheetPage:
    """A page of raw objects; `record` decodes one of them."""

    sheet: Sheet
    form: Form
    people: Directory
    site: str

    @property
    def keys(self) -> Sequence[RecordKey]:
        """The objects' ids."""
        return self.sheet.keys

    @property
    def digests(self) -> Sequence[bytes]:
        """Digests of the objects' bytes as listed."""
        return self.sheet.digests

    def record(self, index: int) -> Record:
        """One record."""
        return to_record(self.form, decode(self.sheet.raws[index]), self.people, self.site)


class ActiveCollabConnector:
    """One ActiveCollab account. See `ports.Connector` for what each call promises."""

    def __init__(
        self, name: str, settings: Settings, client: Client, environment: Environment, user_id: str
    ) -> None:
        self._name = name
        self._settings = settings
        self._client = client
        self._clock = environment.clock
        self._user_id = user_id
        site = client.http.base.removesuffix("/api/v1")
        self._account = Account(client, environment.clock, site, settings.job_type)
        self._places = {
            form.slug: Places(client, environment.clock, form, trust_counts=settings.trust_counts)
            for form in FORMS.values()
            if not form.is_global
        }
        self._discovered: dict[str, Form] = {}
        self._downloads = Downloads(client, environment.clock)
        self._homes = Homes(self._places[TASK.slug])

    @property
    def calls(self) -> int:
        """How many requests were sent."""
        return self._client.http.calls

    @property
    def skew(self) -> dt.timedelta | None:
        """From the `Date` header."""
        return self._client.http.skew

    @property
    def quota(self) -> Quota:
        """ActiveCollab tells no limits; what is configured and our own restraint hold (facts: activecollab-api.md 5)."""
        return self._client.http.limiter.quota

    async def check(self) -> Health:
        """Test the connection in three calls: the product, the token's user, the account's own company."""
        parts = urlsplit(self._account.site)
        return await examine(self._client, f"{parts.netloc}{parts.path}", self._user_id)

    async def object_types(self) -> Sequence[ObjectSummary]:
        """All that is known; every account has them, but for invoices and estimates, which are asked for."""
        return [
            ObjectSummary(ObjectTypeId(name), form.title)
            for name, form in FORMS.items()
            if not form.is_discovered or await answers(self._client, form)
        ]

    async def schema(self, object_type: ObjectTypeId) -> ObjectSchema:
        """The fields with the options of this account; for tasks a call per project, for their task lists."""
        form = form_of(object_type)
        shown = await projects(self._client, self._settings.projects) if form.attribute(PROJECT) else []
        visible = [decode(each.raw) for each in shown]
        people = await self._account.ask_people()
        if form.is_discovered:
            form = self._told(form, await self._client.array(form.collection))
        found = await options(self._client, form, people, visible)
        return schema(object_type, form, found, can_restore=bool(self._settings.restore_path))

    async def pages(self, scope: Scope, since: str | None = None) -> AsyncGenerator[Page | Ending, None]:
        """List a scope. The delta of tasks lists those projects whose own description changed since the cursor."""
        form = form_of(scope.object_type)
        people = await self._account.people()
        wanted = project_filter(scope, form)
        if form.place is Place.ACCOUNT:
            overview = AccountListing(self._client, form, scope.where.get("role", ()))
            async for sheet in overview.sheets(wanted):
                if form.is_discovered:
                    form = self._told(form, [decode(raw) for raw in sheet.raws])
                yield SheetPage(sheet, form, people, self._account.site)
            yield Ending(not overview.gap, Cursor({}).text(), overview.gap)
            return
        cursor = Cursor.parse(since) if form.shows_activity else None
        listing = self._listing(form, scope, cursor)
        async for project, sheet, collection in listing.sheets(await projects(self._client, wanted)):
            self._learn(form, project.id, sheet, collection)
            yield SheetPage(sheet, form, people, self._account.site)
        reason = "; ".join(listing.gaps) or ("" if cursor is None else "a delta listing")
        yield Ending(not reason, listing.cursor, reason, is_gapless=not listing.gaps)

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """Read one record.

        One call while it is where it was last seen. A record that left its project is looked for in all visible ones
        before it counts as gone (see `Places.find`); when its project cannot be seen any more it is unseen.
        """
        form = form_of(scope.object_type)
        checked(scope, form)
        if not key.isdigit():
            return Gone(Proof.NOT_FOUND)
        try:
            return await self._fetch(form, scope, key)
        except RejectedError as error:
            if error.detail is not Detail.UNKNOWN_ROUTE:
                raise
            return Unseen("this version of ActiveCollab has no route that reads one of them")

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """Carry out one write. Labels are replaced as a whole set; deleting moves to the trash; archiving completes."""
        form = form_of(scope.object_type)
        try:
            return await self._writer(form).write(scope, write)
        except ConnectorError as error:
            error.connection = self._name
            error.field = form.meant(error.field)
            raise

    async def find(self, scope: Scope, external_key: str) -> Sequence[Record]:
        """Nothing: ActiveCollab has no place for an external key (facts: activecollab-api.md 3.14)."""
        del scope, external_key
        return []

    async def edits(self, scope: Scope, key: RecordKey) -> Mapping[FieldId, Edit]:
        """The latest edit of each field, from a task's audit trail; other types have none that is confirmed."""
        form = form_of(scope.object_type)
        if form.slug != "task":
            return {}
        try:
            edits = to_edits(await self._client.history(form.slug, key))
        except NotFoundError:
            return {}
        return {name: edit for name, edit in edits.items() if form.attribute(name)}

    async def content(self, object_type: ObjectTypeId, key: RecordKey) -> AsyncGenerator[bytes, None]:
        """The bytes of a file (`file`) or of something attached (`attachment`), in pieces. Raises `NotFoundError`."""
        path = f"attachments/{key}"
        if object_type == "file":
            place = await self._places["file"].find(key, ())
            if isinstance(place, Lost):
                raise NotFoundError("not there, or not visible to the token's user")
            path = f"projects/{place.project}/files/{key}"
        async for piece in self._downloads.of(path):
            yield piece

    async def attach(self, scope: Scope, key: RecordKey, file: Outgoing) -> None:
        """Attach a file to a record: it is uploaded in pieces, then named in a write. Raises as `write` does."""
        try:
            await self._writer(form_of(scope.object_type)).attach(scope, key, file)
        except ConnectorError as error:
            error.connection = self._name
            raise

    def cost(self, write: Write) -> int:
        """The calls of one write."""
        return cost(write)

    async def close(self) -> None:
        """Let go of sockets."""
        await self._client.http.close()

    def _told(self, form: Form, objects: Sequence[Json]) -> Form:
        """What is known by now of an object type that only its objects describe."""
        self._discovered[form.slug] = discovered(self._discovered.get(form.slug, form), objects)
        return self._discovered[form.slug]

    def _writer(self, form: Form) -> Writer:
        places = self._places.get(form.slug, self._places[TASK.slug])
        return Writer(self._account, form, places, self._homes, self._settings.restore_path)

    def _listing(self, form: Form, scope: Scope, since: Cursor | None) -> Listing:
        """The listing of what is in projects; subtasks and comments hang below something there."""
        trust = self._settings.trust_counts
        if form.place is Place.TASK:
            return SubtaskListing(self._client, self._clock, form, since, trust_counts=trust)
        if form.place is Place.COMMENTED:
            on = scope.where.get("on", ())
            return CommentListing(self._client, self._clock, form, since, on, trust_counts=trust)
        return Listing(self._client, self._clock, form, since, trust_counts=trust)

    def _learn(self, form: Form, project: str, sheet: Sheet, collection: Collection) -> None:
        """Remember where the records of a page are."""
        if form.is_global:
            return
        places = self._places[form.slug]
        if sheet.envelope is not None:
            places.learn_all(project, collection)
        elif not (collection.completed or set[str]()).issuperset(sheet.keys):
            places.learn(sheet.home or project, sheet.keys)

    async def _fetch(self, form: Form, scope: Scope, key: RecordKey) -> Sighting:
        if form.is_global:
            try:
                json = await self._client.get(f"{form.collection}/{key}")
            except NotFoundError:
                if form.is_discovered and not await answers(self._client, form):
                    return Unseen("the token's user may not see any of them")
                return Gone(Proof.NOT_FOUND)
            form = self._told(form, [json]) if form.is_discovered else form
            return await self._sighting(form, json, is_in=is_wanted(scope, form, json))
        wanted = project_filter(scope, form)
        place = await self._places[form.slug].find(key, wanted)
        if isinstance(place, Lost):
            hidden = "its project is not visible to the token's user any more"
            return Unseen(hidden) if place.is_hidden else Gone(Proof.NOT_FOUND)
        return await self._sighting(form, place.json, is_in=not wanted or place.project in wanted)

    async def _sighting(self, form: Form, json: Json, *, is_in: bool) -> Sighting:
        if json.get("is_trashed"):
            by = str(json.get("trashed_by_id") or "")
            email = (await self._account.people()).person(by).email if by else ""
            return Gone(Proof.TRASHED, moment(json.get("trashed_on")), email or by)
        record = await self._account.record(form, json)
        return Present(record if is_in else msgspec.structs.replace(record, in_scope=False))
