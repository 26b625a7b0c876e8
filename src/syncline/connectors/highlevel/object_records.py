"""Custom-object records and businesses through the records API: which calls are made, and in which order.

Asked by `connector`. Wire forms are decoded in `records` and encoded in `writing`. Facts: highlevel-api.md 1.3.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import msgspec

from syncline.connectors.highlevel.client import Client, Search
from syncline.connectors.highlevel.cursor import read_cursor
from syncline.connectors.highlevel.kinds import check_filters
from syncline.connectors.highlevel.listing import SearchPage, split
from syncline.connectors.highlevel.records import to_record
from syncline.connectors.highlevel.refusals import is_about_object
from syncline.connectors.highlevel.schema import People, Shape, shape_of
from syncline.connectors.highlevel.settings import Settings
from syncline.connectors.highlevel.walk import Walk
from syncline.connectors.highlevel.writing import create_body, lists_without_past, update_body
from syncline.core.records import (
    Archive,
    Create,
    Delete,
    Gone,
    ObjectSchema,
    ObjectTypeId,
    Present,
    Proof,
    Receipt,
    Record,
    RecordKey,
    Restore,
    Scope,
    Sighting,
    Update,
    Write,
)
from syncline.core.values import Files, ManyOf, Person
from syncline.errors import (
    ConnectorError,
    Detail,
    NotFoundError,
    RejectedError,
    TransientError,
    UnknownOutcomeError,
)
from syncline.ports import Clock, Ending, Page

OLDEST = dt.datetime.min.replace(tzinfo=dt.UTC)
AskPeople = Callable[[], Awaitable[People]]
"""The users, read before; or read now where they were not."""


class ObjectRecords:
    """`kinds.Kind` of custom objects and businesses. The shape of an object type is read on first use and again by
    `schema`."""

    def __init__(self, client: Client, settings: Settings, clock: Clock, people: AskPeople) -> None:
        self.client = client
        self._settings = settings
        self._clock = clock
        self._people = people
        self._shapes: dict[ObjectTypeId, Shape] = {}

    async def schema(self, object_type: ObjectTypeId) -> ObjectSchema:
        """Fields and users, read anew. Raises `NotFoundError`.

        HighLevel may answer from a cache of its own (`cache: true`) for a while after a change of the fields.
        """
        self._shapes[object_type] = await self._read_shape(object_type, await self._people())
        return self._shapes[object_type].schema

    async def pages(self, scope: Scope, since: str | None) -> AsyncIterator[Page | Ending]:
        """A full walk in order of creation, or a walk back from the newest change. Raises `NotFoundError`.

        A full listing is complete when as many distinct records came as the vendor's total says. It shows the search
        index, which lags behind writes: a record made moments ago may be missing, one changed may be listed as it was.
        """
        shape = await self._scoped(scope)
        settings = self._settings

        async def look(search: Search) -> SearchPage:
            return split(shape, await self.client.search(shape.key, search))

        walk = Walk(look, self._clock, settings.page_limit, settings.search_lag)
        async for item in walk.full() if since is None else walk.delta(read_cursor(since)):
            yield item

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """A direct read, which does not lag. A 404 about the record proves that it is gone; one about its object type
        is raised as `NotFoundError`."""
        shape = await self._scoped(scope)
        try:
            body = await self.client.record(shape.key, key)
        except NotFoundError as error:
            if is_about_object(error):
                raise
            return Gone(Proof.NOT_FOUND)
        return Present(_answered(shape, body))

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """Create, update or delete. HighLevel has neither trash nor archive."""
        shape = await self._scoped(scope)
        match write:
            case Create():
                return await self._create(shape, write)
            case Update():
                return await self._update(shape, write)
            case Delete(key):
                await self.client.delete_record(shape.key, key)
                return Receipt(key, None)
            case Archive() | Restore():
                raise RejectedError(
                    "HighLevel can neither archive nor restore a record", detail=Detail.UNSUPPORTED
                )

    async def find(self, scope: Scope, external_key: str) -> Sequence[Record]:
        """Records whose external key field holds this, each verified by its own value.

        The search index lags behind writes: an empty answer proves nothing within `search_lag` of a create. Raises
        `TransientError` when fewer records come than HighLevel counts: nobody may take them for missing.
        """
        shape = await self._scoped(scope)
        if shape.external_key is None:
            return []
        criterion = {"field": f"properties.{shape.external_key}", "operator": "eq", "value": external_key}
        search = Search(self._settings.page_limit, "createdAt", "desc", filters=(criterion,))
        page = split(shape, await self.client.search(shape.key, search))
        if len(page.keys) < min(page.total, self._settings.page_limit):
            text = f"{len(page.keys)} records came, HighLevel counts {page.total}"
            raise TransientError(text, detail=Detail.MOVED_WHILE_READ)
        found = [page.record(index) for index in range(len(page.keys))]
        found = [record for record in found if record.external_key == external_key]
        return sorted(found, key=lambda record: record.created_at or OLDEST, reverse=True)

    # --- shapes -----------------------------------------------------------------------------------------------------

    async def _scoped(self, scope: Scope) -> Shape:
        """The shape of the scope's object type, from memory where it is known."""
        check_filters(scope, frozenset(), "HighLevel objects")
        if scope.object_type not in self._shapes:
            self._shapes[scope.object_type] = await self._read_shape(scope.object_type, await self._people())
        return self._shapes[scope.object_type]

    async def _read_shape(self, object_type: ObjectTypeId, people: People) -> Shape:
        answer = await self.client.object(object_type)
        return shape_of(answer, people, self._settings.external_key)

    # --- writes -----------------------------------------------------------------------------------------------------

    async def _create(self, shape: Shape, create: Create) -> Receipt:
        body = create_body(shape, create, location=self.client.location, style=self._settings.style)
        return _receipt(
            shape, await self._rejections_named(shape, self.client.create_record(shape.key, body))
        )

    async def _update(self, shape: Shape, update: Update) -> Receipt:
        """Send what changed. With nothing to send, answer what is there: an equal PUT might still bump the time."""
        style = self._settings.style
        if missing := lists_without_past(shape, update, style):
            now = _answered(shape, await self.client.record(shape.key, update.key))
            past = {field: now.fields[field] for field in missing}
            update = msgspec.structs.replace(update, was={**update.was, **past})
        body = update_body(shape, update, style=style)
        if body is None:
            return _receipt(shape, await self.client.record(shape.key, update.key))
        sent = self.client.update_record(shape.key, update.key, body)
        return _receipt(shape, await self._rejections_named(shape, sent))

    async def _rejections_named(self, shape: Shape, sent: Awaitable[bytes]) -> bytes:
        """The answer; a rejection gets the field that its message names.

        `Invalid Key Passed` means that our picture of the fields is old, so it is read again next time.
        """
        try:
            return await sent
        except RejectedError as error:
            words = frozenset(re.findall(r"[\w.-]+", str(error.args[0])))
            error.field = error.field or next(
                (str(id_) for id_ in shape.property_by_id if id_ in words), None
            )
            if "Invalid Key" in str(error.args[0]):
                self._shapes.pop(shape.key, None)
            raise


class _RecordAnswer(msgspec.Struct):
    record: msgspec.Raw


def _answered(shape: Shape, body: bytes) -> Record:
    """The record of `{"record": {…}}`. Raises `ConnectorError`."""
    try:
        raw = msgspec.json.decode(body, type=_RecordAnswer).record
    except msgspec.MsgspecError as error:
        raise ConnectorError(f"{shape.key}: the answer holds no record ({error})") from error
    return to_record(shape, raw)


def _receipt(shape: Shape, body: bytes) -> Receipt:
    """The receipt of a write that was answered with 2xx: what cannot be read has happened all the same."""
    try:
        record = _answered(shape, body)
    except ConnectorError as error:
        raise UnknownOutcomeError(
            f"written, but the answer cannot be read: {error}", detail=Detail.UNREADABLE
        ) from error
    return Receipt(record.key, record)


def needs_look(update: Update) -> bool:
    """Whether an update leaves out what a many-valued field held, which then has to be read first."""
    return any(
        isinstance(value, ManyOf | Files | Person) and field not in update.was
        for field, value in update.fields.items()
    )
