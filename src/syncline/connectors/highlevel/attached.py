"""Tasks and notes of contacts. Neither tells when it changed, so they are compared by content, and listed whole each time.

Kinds of `connector` (`crm.crm_kinds`). Their keys are `<contact>:<id>`, as nothing is found without its contact. Tasks are
listed over the location. Notes are listed contact by contact: a call for each, unless the filter `contact` names those that
matter. Scope filters: `contact` (ids), and `create_for`, the contact of new ones whose field is not given. Facts:
highlevel-api.md 1.8.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import cast

import msgspec

from syncline.connectors.highlevel.attributes import Attribute, Emptied, Form
from syncline.connectors.highlevel.cards import (
    CREATED_AT,
    NOTHING_KEPT,
    AskPeople,
    Card,
    CardKind,
    Entity,
    Wire,
    decoded,
)
from syncline.connectors.highlevel.client import CONCURRENCY, Client, Route
from syncline.connectors.highlevel.contacts import CONTACT, SEARCH_CONTACTS, Contacts
from syncline.connectors.highlevel.listing import SearchPage, digest
from syncline.connectors.highlevel.settings import Settings
from syncline.core.records import (
    FieldId,
    ObjectSchema,
    ObjectTypeId,
    Record,
    RecordKey,
    Scope,
)
from syncline.core.values import BLANK, Reference, Value, YesNo
from syncline.errors import Detail, NotFoundError, RejectedError
from syncline.ports import Clock, Ending

TASK, NOTE = ObjectTypeId("task"), ObjectTypeId("note")
FOR = FieldId("contact")
SEARCH_TASKS = Route("POST", "/locations/{location}/tasks/search", "locations/tasks.readonly", "locations")
LIST_NOTES = Route("GET", "/contacts/{contact}/notes", "contacts.readonly", "contacts")
_LIMIT = 100
_NEVER_CHANGED = "HighLevel takes it when a {} is made, and never changes it."


def _route(method: str, path: str) -> Route:
    is_write = method != "GET"
    scope = "contacts.write" if is_write else "contacts.readonly"
    return Route(method, f"/contacts/{{contact}}/{path}", scope, "contacts", is_write=is_write)


def _contact(what: str) -> Attribute:
    return Attribute(
        FOR,
        "Contact",
        "contactId",
        Form.RECORD,
        Emptied.NEVER,
        is_required=True,
        is_fixed=True,
        references=CONTACT,
        note=_NEVER_CHANGED.format(what),
    )


def _title_of_task(wire: Wire) -> str:
    return str(wire.get("title") or "")


def _title_of_note(wire: Wire) -> str:
    """Its title, else the beginning of its text."""
    first = str(wire.get("body") or "").strip().partition("\n")[0]
    return str(wire.get("title") or "") or first[:80]


_TASK_FIELDS = (
    Attribute(FieldId("title"), "Title", "title", emptied=Emptied.NEVER, is_required=True),
    Attribute(FieldId("body"), "Description", "body", emptied=Emptied.TEXT),
    Attribute(FieldId("due"), "Due", "dueDate", Form.MOMENT, Emptied.NEVER, is_required=True),
    Attribute(FieldId("is_completed"), "Completed", "completed", Form.YES_NO, Emptied.NO),
    Attribute(FieldId("assigned_to"), "Assigned to", "assignedTo", Form.PERSON, Emptied.TEXT),
    _contact("task"),
)
_NOTE_FIELDS = (
    Attribute(FieldId("title"), "Title", "title", emptied=Emptied.TEXT),
    Attribute(FieldId("body"), "Text", "body", emptied=Emptied.NEVER, is_required=True),
    Attribute(FieldId("color"), "Colour", "color", emptied=Emptied.TEXT),
    Attribute(FieldId("is_pinned"), "Pinned", "pinned", Form.YES_NO, Emptied.NO),
    Attribute(FieldId("author"), "Author", "userId", Form.PERSON, Emptied.TEXT),
    _contact("note"),
    Attribute(CREATED_AT, "Created at", "dateAdded", Form.MOMENT, is_read_only=True),
)


class _Tasks(msgspec.Struct):
    tasks: list[msgspec.Raw] = msgspec.field(default_factory=list[msgspec.Raw])


class _Notes(msgspec.Struct):
    notes: list[msgspec.Raw] = msgspec.field(default_factory=list[msgspec.Raw])


class Attached(CardKind):
    """`kinds.NamedKind` of what belongs to a contact, but for its listing."""

    async def schema(self, object_type: ObjectTypeId) -> ObjectSchema:
        """Fields and users, after a look whether the token may list the type at all."""
        await self.probe()
        return await super().schema(object_type)

    @abstractmethod
    async def probe(self) -> None:
        """The cheapest call of the listing."""

    def new_body(
        self, card: Card, scope: Scope, fields: Mapping[FieldId, Value]
    ) -> tuple[dict[str, object], Mapping[str, str]]:
        """The contact goes into the path: that of the field, else that of the filter."""
        place = scope.where.get("create_for") or scope.where.get("contact")
        contact = fields.get(FOR) or (Reference(CONTACT, place[0]) if place else BLANK)
        if not isinstance(contact, Reference):
            text = (
                f"a {self.entity.type} needs a contact: map the field, or name one in the filter create_for"
            )
            raise RejectedError(text, field=FOR, detail=Detail.NO_PARENT)
        rest = {name: value for name, value in fields.items() if name != FOR}
        return card.body(rest, is_new=True), {"contact": contact.key}

    def is_in(self, scope: Scope, record: Record) -> bool:
        """Whether its contact is among the wanted ones."""
        return "contact" not in scope.where or record.key.partition(":")[0] in scope.where["contact"]

    def page(self, card: Card, raws: Sequence[msgspec.Raw], contact: str = "") -> SearchPage:
        """Some of them as listed. Raises `ConnectorError`."""
        wires = [bytes(raw) for raw in raws]
        keys = [card.key(_whole(raw, contact)) for raw in wires]
        decode = partial(_decoded, card, contact)
        return SearchPage(card.entity.type, decode, wires, keys, [digest(raw) for raw in wires], len(wires))


class Tasks(Attached):
    """`kinds.NamedKind` of tasks."""

    entity = Entity(
        type=TASK,
        title="Contact tasks",
        wrapper="task",
        attributes=_TASK_FIELDS,
        create=_route("POST", "tasks"),
        read=_route("GET", "tasks/{id}"),
        update=_route("PUT", "tasks/{id}"),
        delete=_route("DELETE", "tasks/{id}"),
        titled=_title_of_task,
        parts=("contact", "id"),
        filters=frozenset({"contact", "create_for"}),
    )

    async def probe(self) -> None:
        """One task."""
        await self._look({"limit": 1, "skip": 0})

    async def pages(self, scope: Scope, since: str | None) -> AsyncIterator[SearchPage | Ending]:
        """All tasks of the filter. The search tells no total and its greatest page is not published, so that it ends with
        a page that brings nothing new."""
        del since
        card = await self.card(scope)
        contacts = list(scope.where.get("contact", ()))
        seen: set[RecordKey] = set()
        skip = 0
        while True:
            wish: dict[str, object] = {"limit": _LIMIT, "skip": skip}
            raws = await self._look(wish | ({"contactId": contacts} if contacts else {}))
            page = self.page(card, raws, contacts[0] if len(contacts) == 1 else "")
            if seen.issuperset(page.keys):
                break
            seen.update(page.keys)
            skip += len(page.keys)
            yield page
        yield Ending(is_complete=True, cursor=NOTHING_KEPT)

    def new_body(
        self, card: Card, scope: Scope, fields: Mapping[FieldId, Value]
    ) -> tuple[dict[str, object], Mapping[str, str]]:
        """HighLevel insists on a due date, and on whether it is completed."""
        if FieldId("due") not in fields:
            text = "HighLevel takes no task without a due date"
            raise RejectedError(text, field="due", detail=Detail.REQUIRED_FIELD)
        return super().new_body(card, scope, {FieldId("is_completed"): YesNo(yes=False), **fields})

    async def _look(self, body: Mapping[str, object]) -> list[msgspec.Raw]:
        return (await self.client.call(SEARCH_TASKS, json=body)).json(_Tasks).tasks


class Notes(Attached):
    """`kinds.NamedKind` of notes."""

    entity = Entity(
        type=NOTE,
        title="Contact notes",
        wrapper="note",
        attributes=_NOTE_FIELDS,
        create=_route("POST", "notes"),
        read=_route("GET", "notes/{id}"),
        update=_route("PUT", "notes/{id}"),
        delete=_route("DELETE", "notes/{id}"),
        titled=_title_of_note,
        parts=("contact", "id"),
        filters=frozenset({"contact", "create_for"}),
    )

    def __init__(self, client: Client, settings: Settings, clock: Clock, people: AskPeople) -> None:
        super().__init__(client, settings, clock, people)
        self._contacts = Contacts(client, settings, clock, people)

    async def probe(self) -> None:
        """One contact."""
        await self.client.call(
            SEARCH_CONTACTS, json={"locationId": self.client.location, "pageLimit": 1, "page": 1}
        )

    async def pages(self, scope: Scope, since: str | None) -> AsyncIterator[SearchPage | Ending]:
        """The notes of every contact, or of those of the filter: a call for each. Complete when the contacts were."""
        del since
        card = await self.card(scope)
        named = [RecordKey(key) for key in scope.where.get("contact", ())]
        ending = Ending(is_complete=True, cursor=NOTHING_KEPT)
        async for contacts in _once(named) if named else self._contacts.keys():
            if isinstance(contacts, Ending):
                ending = Ending(contacts.is_complete, NOTHING_KEPT, contacts.reason)
                continue
            for page in await self._of_all(card, contacts):
                if page.keys:
                    yield page
        yield ending

    async def _of_all(self, card: Card, contacts: Sequence[RecordKey]) -> Sequence[SearchPage]:
        gate = asyncio.Semaphore(CONCURRENCY)

        async def one(contact: RecordKey) -> SearchPage:
            async with gate:
                return await self._of(card, contact)

        return await asyncio.gather(*map(one, contacts))

    async def _of(self, card: Card, contact: RecordKey) -> SearchPage:
        """The notes of a contact; none where it is gone, as they go with it."""
        try:
            answer = await self.sent(card, self.client.call(LIST_NOTES, {"contact": contact}))
        except NotFoundError:
            return self.page(card, ())
        return self.page(card, answer.json(_Notes).notes, contact)


async def _once(contacts: Sequence[RecordKey]) -> AsyncIterator[Sequence[RecordKey] | Ending]:
    yield contacts


def _decoded(card: Card, contact: str, raw: bytes) -> Record:
    return card.record(_whole(raw, contact))


def _whole(raw: bytes, contact: str) -> Wire:
    """What was listed, with the contact that it was listed for where it does not name it."""
    wire = decoded(raw, "contact")
    return cast("Wire", {"contactId": contact, **wire}) if contact else wire
