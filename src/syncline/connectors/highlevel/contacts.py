"""Contacts through the contacts API: searched newest first, written field by field, tagged by calls of their own.

A kind of `connector` (`crm.crm_kinds`). An update of `tags` would replace them all, so tags are added and removed instead.
Facts: highlevel-api.md 1.8, section 4; the search's body and answer are in no official file.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial

import msgspec

from syncline.connectors.highlevel.attributes import Attribute, Emptied, Form
from syncline.connectors.highlevel.cards import (
    CREATED_AT,
    UPDATED_AT,
    AskPeople,
    Card,
    CardKind,
    Entity,
    Wire,
    after_the_first,
    decoded,
    is_lowered,
)
from syncline.connectors.highlevel.client import CONCURRENCY, Client, Route, Search
from syncline.connectors.highlevel.cursor import read_cursor
from syncline.connectors.highlevel.listing import SearchPage, digest
from syncline.connectors.highlevel.settings import Settings
from syncline.connectors.highlevel.walk import Walk
from syncline.connectors.highlevel.writing import encoded
from syncline.core.records import (
    FieldId,
    ObjectTypeId,
    Option,
    Receipt,
    Record,
    RecordKey,
    Scope,
    Update,
)
from syncline.core.values import Blank, ManyOf, Value, is_blank
from syncline.errors import AuthError, ConnectorError, Detail, NotFoundError, RejectedError
from syncline.ports import Clock, Ending

CONTACT = ObjectTypeId("contact")
TAGS, EMAIL, PHONE = FieldId("tags"), FieldId("email"), FieldId("phone")
SEARCH_CONTACTS = Route("POST", "/contacts/search", "contacts.readonly", "contacts")
ADD_TAGS = Route("POST", "/contacts/{id}/tags", "contacts.write", "contacts", is_write=True)
REMOVE_TAGS = Route("DELETE", "/contacts/{id}/tags", "contacts.write", "contacts", is_write=True)
LOCATION_TAGS = Route("GET", "/locations/{location}/tags", "locations/tags.readonly", "locations")
_NAMES = ("firstName", "lastName")
_UNTOLD = frozenset({FieldId("timezone")})
"""Not in the answer to a create (specification: CreateContactSchema)."""


def _titled(wire: Wire) -> str:
    """First and last name, else whatever names a contact."""
    full = " ".join(str(wire[name]) for name in _NAMES if wire.get(name))
    return full or next((str(wire[name]) for name in ("name", "email", "phone") if wire.get(name)), "")


def _text(field_id: str, title: str, key: str, *others: str, emptied: Emptied = Emptied.NULL) -> Attribute:
    return Attribute(FieldId(field_id), title, key, emptied=emptied, others=others)


_ATTRIBUTES = (
    _text("first_name", "First name", "firstName", "firstNameRaw"),
    _text("last_name", "Last name", "lastName", "lastNameRaw"),
    _text(EMAIL, "E-mail", "email"),
    Attribute(PHONE, "Phone", "phone", Form.PHONE),
    Attribute(
        FieldId("company_name"),
        "Company name",
        "companyName",
        is_read_only=True,
        note="HighLevel takes it only when a contact is made, so that it could not be kept in step.",
    ),
    _text("address", "Street address", "address1", "address"),
    _text("city", "City", "city"),
    _text("state", "State", "state"),
    _text("postal_code", "Postal code", "postalCode", emptied=Emptied.TEXT),
    _text("country", "Country", "country", emptied=Emptied.TEXT),
    _text("website", "Website", "website"),
    _text("timezone", "Time zone", "timezone"),
    _text("source", "Source", "source"),
    Attribute(FieldId("date_of_birth"), "Date of birth", "dateOfBirth", Form.DAY),
    Attribute(FieldId("dnd"), "Do not disturb", "dnd", Form.YES_NO, Emptied.NO),
    Attribute(TAGS, "Tags", "tags", Form.LABELS, is_open=True),
    Attribute(FieldId("assigned_to"), "Assigned to", "assignedTo", Form.PERSON),
    Attribute(
        FieldId("business"),
        "Company",
        "businessId",
        Form.RECORD,
        is_read_only=True,
        references=ObjectTypeId("business"),
        note="HighLevel links contacts and companies by a call of its own, which is not made here.",
    ),
    Attribute(CREATED_AT, "Created at", "dateAdded", Form.MOMENT, is_read_only=True),
    Attribute(UPDATED_AT, "Updated at", "dateUpdated", Form.MOMENT, is_read_only=True),
)


class _Found(msgspec.Struct):
    """A page of the search, with each contact's bytes left alone."""

    contacts: list[msgspec.Raw]
    total: int


class _Id(msgspec.Struct):
    id: str


class _Tag(msgspec.Struct):
    name: str


class _Tags(msgspec.Struct):
    tags: list[_Tag] = msgspec.field(default_factory=list[_Tag])


class _Read(msgspec.Struct):
    contact: msgspec.Raw


class Contacts(CardKind):
    """`kinds.NamedKind` of contacts."""

    entity = Entity(
        type=CONTACT,
        title="Contacts",
        wrapper="contact",
        attributes=_ATTRIBUTES,
        create=Route("POST", "/contacts/", "contacts.write", "contacts", is_write=True),
        read=Route("GET", "/contacts/{id}", "contacts.readonly", "contacts"),
        update=Route("PUT", "/contacts/{id}", "contacts.write", "contacts", is_write=True),
        delete=Route("DELETE", "/contacts/{id}", "contacts.write", "contacts", is_write=True),
        titled=_titled,
        model="contact",
    )

    def __init__(self, client: Client, settings: Settings, clock: Clock, people: AskPeople) -> None:
        super().__init__(client, settings, clock, people)
        self._whole: dict[RecordKey, tuple[bytes, bytes]] = {}

    async def pages(self, scope: Scope, since: str | None) -> AsyncIterator[SearchPage | Ending]:
        """As records are listed. Contacts that the search tells without their names are read one by one, again only when
        they changed."""
        card = await self.card(scope)
        walk = Walk(
            partial(self._look, card),
            self.clock,
            self.settings.page_limit,
            self.settings.search_lag,
            "dateAdded",
            "dateUpdated",
        )
        async for item in walk.full() if since is None else walk.delta(read_cursor(since)):
            yield item if isinstance(item, Ending) else await self._completed(item)

    async def keys(self) -> AsyncIterator[Sequence[RecordKey] | Ending]:
        """The keys of all contacts, page by page, for what is listed contact by contact."""
        async for item in self.pages(Scope(CONTACT), None):
            yield item if isinstance(item, Ending) else item.keys

    async def options(self) -> Mapping[FieldId, tuple[Option, ...] | None]:
        """The tags of the location; any other text becomes a new one."""
        try:
            found = (await self.client.call(LOCATION_TAGS)).json(_Tags)
        except AuthError as error:
            if error.missing_scopes:
                return {TAGS: None}
            raise
        return {TAGS: tuple(Option(tag.name, tag.name) for tag in found.tags)}

    def new_body(
        self, card: Card, scope: Scope, fields: Mapping[FieldId, Value]
    ) -> tuple[dict[str, object], Mapping[str, str]]:
        """All that is given, in one body."""
        del scope
        return {"locationId": self.client.location, **card.body(fields, is_new=True)}, {}

    async def create(self, card: Card, scope: Scope, fields: Mapping[FieldId, Value]) -> Receipt:
        """One call; another where the answer leaves out something that was given. A refused duplicate always names the
        field that is the same, the e-mail address where the answer does not say."""
        try:
            receipt = await super().create(card, scope, fields)
        except RejectedError as error:
            if error.is_duplicate:
                error.field = error.field or (EMAIL if EMAIL in fields else PHONE)
            raise
        if not any(name in _UNTOLD and not is_blank(value) for name, value in fields.items()):
            return receipt
        read = self.client.call(self.entity.read, self.path(receipt.key))
        return self.receipt(card, await self.sent(card, after_the_first(read)))

    async def update(self, card: Card, update: Update) -> Receipt:
        """One call for all fields but the tags; one each for tags that are added and removed, and a read after them."""
        if TAGS not in update.fields:
            return await super().update(card, update)
        path, wish = self.path(update.key), update.fields[TAGS]
        rest = {name: value for name, value in update.fields.items() if name != TAGS}
        was = update.was.get(TAGS)
        if was is None:
            was = (await self._read(card, path)).fields[TAGS]
        is_begun = bool(rest)
        if rest:
            await super().update(card, msgspec.structs.replace(update, fields=rest))
        old, new = _tags(was), _tags(wish)
        added = [tag for tag in new if tag not in old]
        removed = [tag for tag in old if tag not in new]
        for route, tags in ((ADD_TAGS, added), (REMOVE_TAGS, removed)):
            if tags:
                called = self.client.call(route, path, json=encoded({"tags": tags}))
                await self.sent(card, after_the_first(called) if is_begun else called)
                is_begun = True
        read = self.client.call(self.entity.read, path)
        answer = await self.sent(card, after_the_first(read) if is_begun else read)
        return self.receipt(card, answer)

    async def _read(self, card: Card, path: Mapping[str, str]) -> Record:
        return self.answered(card, await self.sent(card, self.client.call(self.entity.read, path)))

    async def _look(self, card: Card, search: Search) -> SearchPage:
        body: dict[str, object] = {
            "locationId": self.client.location,
            "pageLimit": search.limit,
            "sort": [{"field": search.sort, "direction": search.direction}],
        }
        body |= {"searchAfter": list(search.after)} if search.after else {"page": search.page}
        return _page(card, (await self.client.call(SEARCH_CONTACTS, json=body)).body)

    async def _completed(self, page: SearchPage) -> SearchPage:
        """The page with the names of contacts that the search told in lower case only."""
        wires = [decoded(raw, CONTACT) for raw in page.raws]
        lacking = [i for i, wire in enumerate(wires) if any(is_lowered(wire, name) for name in _NAMES)]
        if not lacking:
            return page
        gate = asyncio.Semaphore(CONCURRENCY)

        async def whole(index: int) -> bytes:
            async with gate:
                return await self._whole_of(page.keys[index], page.digests[index], page.raws[index])

        raws = list(page.raws)
        for index, raw in zip(lacking, await asyncio.gather(*map(whole, lacking)), strict=True):
            raws[index] = raw
        return SearchPage(page.name, page.decode, raws, page.keys, page.digests, page.total)

    async def _whole_of(self, key: RecordKey, listed: bytes, raw: bytes) -> bytes:
        known = self._whole.get(key)
        if known is not None and known[0] == listed:
            return known[1]
        try:
            answer = await self.client.call(self.entity.read, {"id": key})
        except (NotFoundError, RejectedError):
            return raw
        found = bytes(answer.json(_Read).contact)
        self._whole[key] = listed, found
        return found


def _page(card: Card, body: bytes) -> SearchPage:
    try:
        found = msgspec.json.decode(body, type=_Found)
        raws = [bytes(raw) for raw in found.contacts]
        keys = [RecordKey(msgspec.json.decode(raw, type=_Id).id) for raw in raws]
    except msgspec.MsgspecError as error:
        raise ConnectorError(f"{CONTACT}: the listing is not of the expected form ({error})") from error
    return SearchPage(
        CONTACT, partial(_decoded, card), raws, keys, [digest(raw) for raw in raws], found.total
    )


def _decoded(card: Card, raw: bytes) -> Record:
    return card.record(decoded(raw, CONTACT))


def _tags(value: Value) -> tuple[str, ...]:
    match value:
        case ManyOf(keys):
            return tuple(dict.fromkeys(keys))
        case Blank():
            return ()
        case _:
            raise RejectedError(
                f"{TAGS} cannot hold a value of type {type(value).__name__}",
                field=TAGS,
                detail=Detail.VALIDATION,
            )
