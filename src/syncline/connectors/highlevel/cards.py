"""Contacts, opportunities, tasks and notes: what is the same about reading and writing them.

`Entity` says what one of them is, `Card` is an entity with the fields of one location, `CardKind` makes the calls that are
alike. What differs is in `contacts`, `opportunities` and `attached`. Facts: highlevel-api.md 1.8.
"""

from __future__ import annotations

import datetime as dt
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import cast

import msgspec

from syncline.connectors.highlevel.attributes import Attribute, Form, read_attribute, written
from syncline.connectors.highlevel.client import Client, Route
from syncline.connectors.highlevel.custom_values import (
    CustomField,
    CustomStyle,
    WireLocationField,
    custom_fields,
    read_customs,
    written_custom,
)
from syncline.connectors.highlevel.kinds import check_filters
from syncline.connectors.highlevel.schema import People
from syncline.connectors.highlevel.settings import Settings
from syncline.connectors.highlevel.writing import encoded
from syncline.connectors.http import Answer
from syncline.core.records import (
    Create,
    Delete,
    FieldId,
    FieldSchema,
    Gone,
    ObjectSchema,
    ObjectTypeId,
    Option,
    Present,
    Proof,
    Receipt,
    Record,
    RecordKey,
    Scope,
    Sighting,
    Update,
    Write,
)
from syncline.core.values import Moment, Value, is_blank
from syncline.errors import (
    AuthError,
    ConnectorError,
    Detail,
    NotFoundError,
    RejectedError,
    TransientError,
    UnknownOutcomeError,
)
from syncline.ports import Clock, Ending, Page

AskPeople = Callable[[], Awaitable[People]]
Wire = Mapping[str, object]
CREATED_AT, UPDATED_AT = FieldId("created_at"), FieldId("updated_at")
LOCATION_FIELDS = Route(
    "GET", "/locations/{location}/customFields", "locations/customFields.readonly", "locations"
)
_NOT_THERE = re.compile(r"\b(contact|opportunity|task|note)\b.*\b(not found|does not exist)", re.IGNORECASE)
_WIRE = msgspec.json.Decoder(dict[str, object], float_hook=Decimal)
NOTHING_KEPT = "{}"
"""The cursor of a listing that has no delta."""
NO_USERS = "The token may not read users (users.readonly): people are known by id only."


class LocationFields(msgspec.Struct, rename="camel"):
    """`GET /locations/{id}/customFields`."""

    custom_fields: list[WireLocationField] = msgspec.field(default_factory=list[WireLocationField])


@dataclass(frozen=True, slots=True)
class Entity:
    """What one of the types is. `wrapper` is the key of a single one in an answer, `model` whose custom fields it has
    (none when empty), `has_numbers` whether those are written as numbers, `filters` what a scope may say. The ids of a record's path are the parts of its key, parted by
    colons and named by `parts`."""

    type: ObjectTypeId
    title: str
    wrapper: str
    attributes: tuple[Attribute, ...]
    create: Route
    read: Route
    update: Route
    delete: Route
    titled: Callable[[Wire], str]
    parts: tuple[str, ...] = ("id",)
    model: str = ""
    has_numbers: bool = True
    filters: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Card:
    """An entity with the fields of one location."""

    entity: Entity
    people: People
    customs: tuple[CustomField, ...] = ()
    style: CustomStyle = field(default_factory=CustomStyle)
    options: Mapping[FieldId, tuple[Option, ...] | None] = field(
        default_factory=dict[FieldId, tuple[Option, ...] | None]
    )

    @cached_property
    def schema(self) -> ObjectSchema:
        """What the engine is told."""
        fields = (*map(self._field, self.entity.attributes), *(custom.schema for custom in self.customs))
        return ObjectSchema(self.entity.type, self.entity.title, fields)

    @cached_property
    def attribute(self) -> Mapping[FieldId, Attribute]:
        """The standard fields by id."""
        return {each.id: each for each in self.entity.attributes}

    @cached_property
    def custom(self) -> Mapping[FieldId, CustomField]:
        """The custom fields by id."""
        return {each.schema.id: each for each in self.customs}

    def record(self, wire: Wire) -> Record:
        """One answer or listed record. A text that is told in lower case only is unseen. Raises `ConnectorError`."""
        what = self.entity.type
        told = [each for each in self.entity.attributes if not is_lowered(wire, each.key)]
        fields = {each.id: read_attribute(each, wire, self.people, what) for each in told}
        fields |= read_customs(self.customs, wire.get("customFields"), what)
        return Record(
            key=self.key(wire),
            fields=fields,
            updated_at=_at(fields.get(UPDATED_AT)),
            created_at=_at(fields.get(CREATED_AT)),
            title=self.entity.titled(wire),
        )

    def key(self, wire: Wire) -> RecordKey:
        """The key of what was answered. Raises `ConnectorError`."""
        names = {"id": ("id", "_id"), "contact": ("contactId",)}
        parts = [
            next((found for name in names[part] if isinstance(found := wire.get(name), str)), "")
            for part in self.entity.parts
        ]
        if not all(parts):
            raise ConnectorError(f"{self.entity.type}: a record tells no id")
        return RecordKey(":".join(parts))

    def body(self, fields: Mapping[FieldId, Value], *, is_new: bool) -> dict[str, object]:
        """The fields as a body holds them. Raises `RejectedError` with the field."""
        body: dict[str, object] = {}
        customs: list[Mapping[str, object]] = []
        for name, value in fields.items():
            if name in self.attribute:
                attribute = self.attribute[name]
                body[attribute.key] = written(attribute, value, self.people, is_new=is_new)
            elif name in self.custom:
                customs.append(written_custom(self.custom[name], value, self.style))
            else:
                text = f"{self.entity.type} has no field {name} that can be written"
                raise RejectedError(text, field=name, detail=Detail.UNKNOWN_FIELD)
        return body | ({"customFields": customs} if customs else {})

    def named(self, error: RejectedError) -> RejectedError:
        """The same error, with the field that its message names."""
        words = frozenset(re.findall(r"[\w.-]+", str(error.args[0])))
        keys = [(each.key, each.id) for each in self.entity.attributes]
        keys += [(each.full_key, each.schema.id) for each in self.customs]
        error.field = error.field or next((field_id for key, field_id in keys if key in words), None)
        return error

    def _field(self, attribute: Attribute) -> FieldSchema:
        if attribute.form is Form.PERSON:
            return attribute.schema(self.people.options, "" if self.people.is_known else NO_USERS)
        return attribute.schema(self.options.get(attribute.id))


class CardKind(ABC):
    """`kinds.NamedKind` of one entity, but for its listing. The card is read on first use and again by `schema`."""

    entity: Entity

    def __init__(self, client: Client, settings: Settings, clock: Clock, people: AskPeople) -> None:
        self.client = client
        self.settings = settings
        self.clock = clock
        self._people = people
        self._card: Card | None = None

    @property
    def title(self) -> str:
        """What a person calls it."""
        return self.entity.title

    async def schema(self, object_type: ObjectTypeId) -> ObjectSchema:
        """Fields, options and users, read anew."""
        del object_type
        self._card = await self._read_card()
        return self._card.schema

    @abstractmethod
    def pages(self, scope: Scope, since: str | None) -> AsyncIterator[Page | Ending]:
        """List a scope."""

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """A direct read, which does not lag."""
        card = await self.card(scope)
        try:
            answer = await self.sent(card, self.client.call(self.entity.read, self.path(key)))
        except NotFoundError:
            return Gone(Proof.NOT_FOUND)
        record = self.answered(card, answer)
        return Present(msgspec.structs.replace(record, in_scope=self.is_in(scope, record)))

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """Create, update or delete."""
        card = await self.card(scope)
        match write:
            case Create(fields):
                return await self.create(card, scope, fields)
            case Update():
                return await self.update(card, write)
            case Delete(key):
                await self.sent(card, self.client.call(self.entity.delete, self.path(key)))
                return Receipt(key, None)
            case _:
                text = "HighLevel can neither archive nor restore a record"
                raise RejectedError(text, detail=Detail.UNSUPPORTED)

    async def find(self, scope: Scope, external_key: str) -> Sequence[Record]:
        """Nothing: there is no place for our own key that a search would be known to find."""
        del scope, external_key
        return []

    async def create(self, card: Card, scope: Scope, fields: Mapping[FieldId, Value]) -> Receipt:
        """Make a record of what is not blank, with what the vendor wants besides."""
        given = {name: value for name, value in fields.items() if not is_blank(value)}
        body, path = self.new_body(card, scope, given)
        called = self.client.call(self.entity.create, path, json=encoded(body))
        try:
            return self.receipt(card, await self.sent(card, called))
        except NotFoundError as error:
            text = f"the contact that it is for is not there: {error.args[0]}"
            raise RejectedError(text, field="contact", detail=Detail.NO_PARENT) from error

    async def update(self, card: Card, update: Update) -> Receipt:
        """Send what changed. With nothing to send, answer what is there."""
        body = self.changed_body(card, update.fields)
        if not body:
            called = self.client.call(self.entity.read, self.path(update.key))
        else:
            called = self.client.call(self.entity.update, self.path(update.key), json=encoded(body))
        return self.receipt(card, await self.sent(card, called))

    # --- what differs -----------------------------------------------------------------------------------------------

    @abstractmethod
    def new_body(
        self, card: Card, scope: Scope, fields: Mapping[FieldId, Value]
    ) -> tuple[dict[str, object], Mapping[str, str]]:
        """The body of a create, and the ids of its path. Raises `RejectedError` with the field."""

    def changed_body(self, card: Card, fields: Mapping[FieldId, Value]) -> dict[str, object]:
        """The body of an update. Raises `RejectedError` with the field."""
        return card.body(fields, is_new=False)

    def is_in(self, scope: Scope, record: Record) -> bool:
        """Whether a record fits the filter."""
        del scope, record
        return True

    async def options(self) -> Mapping[FieldId, tuple[Option, ...] | None]:
        """The choices of the standard fields."""
        return {}

    # --- what is alike ----------------------------------------------------------------------------------------------

    async def card(self, scope: Scope) -> Card:
        """The card, from memory where it is known. Raises `ConfigError` for a filter that there is none of."""
        check_filters(scope, self.entity.filters, self.entity.title)
        self._card = self._card or await self._read_card()
        return self._card

    def path(self, key: RecordKey) -> Mapping[str, str]:
        """The ids of a record's path. Raises `NotFoundError` for a key that cannot be one."""
        parts = key.split(":")
        if len(parts) != len(self.entity.parts) or not all(parts):
            raise NotFoundError(f"{self.entity.type}: {key} is no key of this type")
        return dict(zip(self.entity.parts, parts, strict=True))

    async def sent(self, card: Card, called: Awaitable[Answer]) -> Answer:
        """The answer. A rejection gets the field that it names; one that says that the record is missing, whose status
        is unconfirmed, is `NotFoundError`."""
        try:
            return await called
        except RejectedError as error:
            if _NOT_THERE.search(str(error.args[0])):
                raise NotFoundError(str(error.args[0]), connection=error.connection) from error
            raise card.named(error) from None

    def answered(self, card: Card, answer: Answer) -> Record:
        """The record of `{"contact": {…}}`. Raises `ConnectorError`."""
        found = decoded(answer.body, card.entity.type).get(self.entity.wrapper)
        if not isinstance(found, dict):
            raise ConnectorError(f"{card.entity.type}: the answer holds no {self.entity.wrapper}")
        return card.record(cast("Wire", found))

    def receipt(self, card: Card, answer: Answer) -> Receipt:
        """The receipt of a write that was answered with 2xx: what cannot be read has happened all the same."""
        try:
            record = self.answered(card, answer)
        except ConnectorError as error:
            text = f"written, but the answer cannot be read: {error}"
            raise UnknownOutcomeError(text, detail=Detail.UNREADABLE) from error
        return Receipt(record.key, record)

    async def _read_card(self) -> Card:
        customs: tuple[CustomField, ...] = ()
        if self.entity.model:
            taken = [each.id for each in self.entity.attributes]
            customs = custom_fields(await self._location_fields(), self.entity.model, taken)
        options = await self.options()
        key = "fieldValue" if self.client.version(self.entity.create) == "v3" else "field_value"
        style = CustomStyle(key, has_numbers=self.entity.has_numbers)
        return Card(self.entity, await self._people(), customs, style, options)

    async def _location_fields(self) -> Sequence[WireLocationField]:
        """The custom fields; none where the token may not read them, as the rest can be synced without."""
        try:
            answer = await self.client.call(LOCATION_FIELDS, query={"model": self.entity.model})
        except AuthError as error:
            if error.missing_scopes:
                return ()
            raise
        return answer.json(LocationFields).custom_fields


async def after_the_first(called: Awaitable[Answer]) -> Answer:
    """A call of a write whose first part is done already. Raises `UnknownOutcomeError` where it was surely not applied:
    the write as a whole was, in part."""
    try:
        return await called
    except TransientError as error:
        text = f"only the first part was written: {error.args[0]}"
        raise UnknownOutcomeError(text, connection=error.connection, detail=Detail.INTERRUPTED) from error


def decoded(body: bytes, what: str) -> dict[str, object]:
    """A JSON object with exact numbers. Raises `ConnectorError`."""
    try:
        return _WIRE.decode(body)
    except msgspec.MsgspecError as error:
        raise ConnectorError(f"{what}: the answer is not of the expected form ({error})") from error


def is_lowered(wire: Wire, key: str) -> bool:
    """Whether a text is there in lower case only, which is no value of the field."""
    return wire.get(key) is None and bool(wire.get(f"{key}LowerCase"))


def _at(value: Value | None) -> dt.datetime | None:
    return value.at if isinstance(value, Moment) else None
