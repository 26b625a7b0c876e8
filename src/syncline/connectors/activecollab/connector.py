"""What the engine asks into ActiveCollab's calls: tasks, task lists and projects of one account.

Made by `connect`. Scope filters: `project` (ids; absent means every project the token's user sees) and `create_in` (one
id). A new task or task list goes into `create_in`, else into the first listed `project`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import msgspec

from syncline.connectors.activecollab.account import Account
from syncline.connectors.activecollab.attributes import FORMS, PROJECT_FORM, Directory, Form, moment
from syncline.connectors.activecollab.client import Client, Json, Sheet, api_url, decode
from syncline.connectors.activecollab.dialect import ANGIE, ActiveCollabDialect, Credentials
from syncline.connectors.activecollab.health import examine
from syncline.connectors.activecollab.listing import Cursor, Listing, ProjectListing, projects
from syncline.connectors.activecollab.places import Lost, Places
from syncline.connectors.activecollab.records import to_edits, to_record
from syncline.connectors.activecollab.schema import form_of, options, schema
from syncline.connectors.activecollab.scopes import project_filter
from syncline.connectors.activecollab.writing import Writer, cost
from syncline.connectors.http import Environment, Http
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
from syncline.errors import ConnectorError, NotFoundError
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
        }

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
        """Tasks, task lists and projects; every account has them."""
        return [ObjectSummary(ObjectTypeId(name), form.title) for name, form in FORMS.items()]

    async def schema(self, object_type: ObjectTypeId) -> ObjectSchema:
        """The fields with the options of this account; for tasks a call per project, for their task lists."""
        form = form_of(object_type)
        visible = [decode(each.raw) for each in await projects(self._client, self._settings.projects)]
        people = await self._account.ask_people()
        found = await options(self._client, form, people, visible)
        return schema(object_type, form, found, can_restore=bool(self._settings.restore_path))

    async def pages(self, scope: Scope, since: str | None = None) -> AsyncGenerator[Page | Ending, None]:
        """List a scope. The delta of tasks lists those projects whose own description changed since the cursor."""
        form = form_of(scope.object_type)
        people = await self._account.people()
        wanted = project_filter(scope)
        if form is PROJECT_FORM:
            overview = ProjectListing(self._client)
            async for sheet in overview.sheets(wanted):
                yield SheetPage(sheet, form, people, self._account.site)
            yield Ending(not overview.gap, Cursor({}).text(), overview.gap)
            return
        cursor = Cursor.parse(since)
        listing = Listing(self._client, self._clock, form, cursor, trust_counts=self._settings.trust_counts)
        async for project, sheet, collection in listing.sheets(await projects(self._client, wanted)):
            if sheet.envelope is not None:
                self._places[form.slug].learn_all(project.id, collection)
            elif not (collection.completed or set[str]()).issuperset(sheet.keys):
                self._places[form.slug].learn(project.id, sheet.keys)
            yield SheetPage(sheet, form, people, self._account.site)
        reason = "; ".join(listing.gaps) or ("" if cursor is None else "a delta listing")
        yield Ending(not reason, listing.cursor, reason, is_gapless=not listing.gaps)

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """Read one record.

        One call while it is where it was last seen. A record that left its project is looked for in all visible ones
        before it counts as gone (see `Places.find`); when its project cannot be seen any more it is unseen.
        """
        form = form_of(scope.object_type)
        wanted = project_filter(scope)
        if not key.isdigit():
            return Gone(Proof.NOT_FOUND)
        if form is PROJECT_FORM:
            return await self._fetch_project(key, wanted)
        place = await self._places[form.slug].find(key, wanted)
        if isinstance(place, Lost):
            hidden = "its project is not visible to the token's user any more"
            return Unseen(hidden) if place.is_hidden else Gone(Proof.NOT_FOUND)
        return await self._sighting(form, place.json, is_in=not wanted or place.project in wanted)

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """Carry out one write. Labels are replaced as a whole set; deleting moves to the trash; archiving completes."""
        form = form_of(scope.object_type)
        writer = Writer(self._account, form, self._places[form.slug], self._settings.restore_path)
        try:
            return await writer.write(scope, write)
        except ConnectorError as error:
            error.connection = self._name
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

    def cost(self, write: Write) -> int:
        """The calls of one write."""
        return cost(write)

    async def close(self) -> None:
        """Let go of sockets."""
        await self._client.http.close()

    async def _fetch_project(self, key: RecordKey, wanted: Sequence[str]) -> Sighting:
        try:
            json = await self._client.get(f"projects/{key}")
        except NotFoundError:
            return Gone(Proof.NOT_FOUND)
        return await self._sighting(PROJECT_FORM, json, is_in=not wanted or key in wanted)

    async def _sighting(self, form: Form, json: Json, *, is_in: bool) -> Sighting:
        if json.get("is_trashed"):
            by = str(json.get("trashed_by_id") or "")
            email = (await self._account.people()).person(by).email if by else ""
            return Gone(Proof.TRASHED, moment(json.get("trashed_on")), email or by)
        record = await self._account.record(form, json)
        return Present(record if is_in else msgspec.structs.replace(record, in_scope=False))
