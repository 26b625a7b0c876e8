"""A HighLevel location as a `Connector`: each object type through the part of the public API that serves it.

Made by `connect`, used by the engine. This file finds the `Kind` of an object type and holds what all of them share; which
calls are made, and in which order, is up to the kinds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence
from types import MappingProxyType

from syncline.connectors.highlevel import health
from syncline.connectors.highlevel.client import Client
from syncline.connectors.highlevel.crm import crm_kinds
from syncline.connectors.highlevel.documents import paper_kinds
from syncline.connectors.highlevel.kinds import Kind, NamedKind
from syncline.connectors.highlevel.object_records import ObjectRecords, needs_look
from syncline.connectors.highlevel.schema import BUSINESS, CUSTOM_PREFIX, People
from syncline.connectors.highlevel.settings import Settings
from syncline.connectors.highlevel.writing import ListUpdate
from syncline.connectors.http import Environment
from syncline.core.records import (
    Edit,
    FieldId,
    ObjectSchema,
    ObjectTypeId,
    Receipt,
    Record,
    RecordKey,
    Scope,
    Sighting,
    Update,
    Write,
)
from syncline.errors import AuthError, NotFoundError, RejectedError
from syncline.ports import Clock, Ending, Health, ObjectSummary, Page, Quota


def connect(settings: Settings, environment: Environment, *, connection: str = "") -> HighLevelConnector:
    """A connector; nothing is sent yet. Raises `ConfigError` for an address that cannot be used."""
    client = Client(
        settings.url,
        connection=connection,
        environment=environment,
        access=settings.access,
        location=settings.location,
        versions=settings.versions,
    )
    return HighLevelConnector(client, settings, environment.clock)


class HighLevelConnector:
    """`ports.Connector` of one HighLevel location. See there for what each method promises.

    The users are read on first use and again by `schema`.
    """

    def __init__(self, client: Client, settings: Settings, clock: Clock) -> None:
        self.client = client
        self._settings = settings
        self._known_people: People | None = None
        self._records = ObjectRecords(client, settings, clock, self._people)
        self._kinds: Mapping[ObjectTypeId, NamedKind] = MappingProxyType(
            {
                **crm_kinds(client, settings, clock, self._people),
                **paper_kinds(client, settings.page_limit, self._people),
            }
        )

    @property
    def calls(self) -> int:
        """How many requests were sent, those for tokens too."""
        return self.client.http.calls

    @property
    def skew(self) -> dt.timedelta | None:
        """From the `Date` header."""
        return self.client.http.skew

    @property
    def quota(self) -> Quota:
        """From the `X-RateLimit-*` headers."""
        return self.client.http.limiter.quota

    async def check(self) -> Health:
        """Five cheap reads tell account, user and scopes; see `health`."""
        return await health.check(self.client)

    async def object_types(self) -> Sequence[ObjectSummary]:
        """Custom objects and businesses, which the records API covers (facts: 1.3), and the types that have an API of
        their own."""
        objects = await self.client.objects()
        records = [
            ObjectSummary(ObjectTypeId(wire.key), wire.labels.plural or wire.labels.singular or wire.key)
            for wire in objects
            if wire.key == BUSINESS or wire.key.startswith(CUSTOM_PREFIX)
        ]
        return [*records, *(ObjectSummary(key, kind.title) for key, kind in self._kinds.items())]

    async def schema(self, object_type: ObjectTypeId) -> ObjectSchema:
        """Fields and users, read anew. Raises `NotFoundError`."""
        self._known_people = await self._read_people()
        return await self._kind(object_type).schema(object_type)

    async def pages(self, scope: Scope, since: str | None = None) -> AsyncIterator[Page | Ending]:
        """List a scope; how complete and how dear that is differs from type to type."""
        async for item in self._kind(scope.object_type).pages(scope, since):
            yield item

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """A direct read, which does not lag behind writes."""
        return await self._kind(scope.object_type).fetch(scope, key)

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """Create, update or delete. HighLevel has neither trash nor archive."""
        return await self._kind(scope.object_type).write(scope, write)

    async def find(self, scope: Scope, external_key: str) -> Sequence[Record]:
        """Records that carry our own key; only those of the records API have a place for one."""
        return await self._kind(scope.object_type).find(scope, external_key)

    async def edits(self, scope: Scope, key: RecordKey) -> Mapping[FieldId, Edit]:
        """Nothing: HighLevel keeps no history of fields."""
        del scope, key
        return {}

    def cost(self, write: Write) -> int:
        """One call; two for an update that must look up what a many-valued field holds, or that goes to a second place."""
        is_against_past = self._settings.style.lists is ListUpdate.ADD_REMOVE
        return 2 if is_against_past and isinstance(write, Update) and needs_look(write) else 1

    async def close(self) -> None:
        """Let go of sockets."""
        await self.client.http.close()

    def _kind(self, object_type: ObjectTypeId) -> Kind:
        return self._kinds.get(object_type, self._records)

    async def _people(self) -> People:
        if self._known_people is None:
            self._known_people = await self._read_people()
        return self._known_people

    async def _read_people(self) -> People:
        """The users, or none where the token may not read them: records can be synced without."""
        try:
            return People(await self.client.users())
        except (AuthError, NotFoundError, RejectedError):
            return People(is_known=False)
