"""A document or a template as HighLevel lists it into a `Record`, and the fields that each has.

Pure. Used by `documents` and `sending`. Every field is read-only: HighLevel's API sends documents, and nothing else (facts:
highlevel-api.md 1.7).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from syncline.connectors.highlevel.contacts import CONTACT
from syncline.connectors.highlevel.schema import CREATED_AT, UPDATED_AT, People
from syncline.core.records import FieldId, FieldSchema, ObjectSchema, ObjectTypeId, Option, Record, RecordKey
from syncline.core.values import (
    BLANK,
    FieldType,
    ManyOf,
    Moment,
    Money,
    Number,
    OneOf,
    Reference,
    Text,
    Value,
    YesNo,
)
from syncline.errors import ConnectorError

DOCUMENT, TEMPLATE = ObjectTypeId("documents"), ObjectTypeId("templates")
STATUSES = ("draft", "sent", "viewed", "completed", "accepted")
PAYMENTS = ("no_payment", "waiting_for_payment", "paid")
TEMPLATE_TYPES = ("proposal", "estimate", "contentLibrary")
_NOTE = (
    "Read only: HighLevel's API lists documents and sends them; they are written, signed and deleted there."
)
_STATUS_NOTE = (
    f"{_NOTE} HighLevel has no word for a declined document: it stays as it was before. Nothing is told by webhook, so a "
    "change is seen at the next listing."
)


class WireRecipient(msgspec.Struct, rename="camel"):
    """`RecipientItem`."""

    id: str = ""
    email: str = ""
    has_completed: bool = False
    is_primary: bool = False
    signed_date: str | None = None
    last_viewed_at: str | None = None
    share_link: str | None = None


class WireReader(msgspec.Struct, rename="camel"):
    """Of `ProposalEstimateLinksDto`: where a recipient's id belongs."""

    recipient_id: str = ""
    entity_name: str = ""


class WireTotal(msgspec.Struct):
    """`GrandTotalDto`."""

    amount: Decimal | int | None = None
    currency: str | None = None


class WireDocument(msgspec.Struct, rename="camel"):
    """`DocumentDto`. Status and payment status are lists there; a single word is understood too."""

    id: str = msgspec.field(name="_id")
    document_id: str = ""
    name: str = ""
    type: str = ""
    deleted: bool = False
    is_expired: bool = False
    document_revision: int | None = None
    grand_total: WireTotal | None = None
    status: list[str] | str = ""
    payment_status: list[str] | str = ""
    recipients: list[WireRecipient] | None = None
    links: list[WireReader] | None = None
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None

    @property
    def furthest(self) -> str:
        """Its status: the furthest word of the list, a word that nobody knows further than all."""
        return _furthest(self.status, STATUSES)

    @property
    def contact(self) -> str:
        """The contact it is for: the primary recipient, unless that is a user; empty where it is for nobody."""
        people = {link.recipient_id: link.entity_name for link in self.links or ()}
        ours = [each for each in self.recipients or () if people.get(each.id, "contacts") == "contacts"]
        first = next((each for each in ours if each.is_primary), next(iter(ours), None))
        return first.id if first else ""


class WireTemplate(msgspec.Struct, rename="camel"):
    """`TemplateListResponseDTO`."""

    id: str = msgspec.field(name="_id")
    name: str = ""
    type: str = ""
    version: int | None = None
    updated_by: str = ""
    is_public_document: bool = False
    document_count: int | None = None
    doc_form_url: str | None = None
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None


_DOCUMENT = msgspec.json.Decoder(WireDocument, float_hook=Decimal)
_TEMPLATE = msgspec.json.Decoder(WireTemplate)


def read_document(raw: bytes) -> WireDocument:
    """The wire form. Raises `ConnectorError`."""
    try:
        return _DOCUMENT.decode(raw)
    except msgspec.MsgspecError as error:
        raise ConnectorError(f"a document is not of the expected form ({error})") from error


def read_template(raw: bytes) -> WireTemplate:
    """The wire form. Raises `ConnectorError`."""
    try:
        return _TEMPLATE.decode(raw)
    except msgspec.MsgspecError as error:
        raise ConnectorError(f"a template is not of the expected form ({error})") from error


def to_document(raw: bytes) -> Record:
    """A document as a record. Raises `ConnectorError`."""
    wire = read_document(raw)
    people = wire.recipients or []
    signed = [each.email for each in people if each.has_completed]
    viewed = max((each.last_viewed_at or "" for each in people), default="")
    link = next((each.share_link for each in people if each.share_link), "")
    contact = wire.contact
    values: Mapping[str, Value] = {
        "name": _text(wire.name),
        "status": _one_of(wire.furthest),
        "payment_status": _one_of(_furthest(wire.payment_status, PAYMENTS)),
        "type": _text(wire.type),
        "is_expired": YesNo(wire.is_expired),
        "total": _money(wire.grand_total),
        "contact": Reference(CONTACT, contact) if contact else BLANK,
        "recipients": _many_of(each.email for each in people),
        "signed_by": _many_of(signed),
        "signed_at": _signed_at(people),
        "viewed_at": _moment(_at(viewed)),
        "link": _text(link or ""),
        "revision": _number(wire.document_revision),
        "document_id": _text(wire.document_id),
    }
    return _record(wire.id, wire.name, values, wire.created_at, wire.updated_at)


def to_template(people: People, raw: bytes) -> Record:
    """A template as a record. Raises `ConnectorError`."""
    wire = read_template(raw)
    author = people.person(wire.updated_by) if wire.updated_by else None
    values: Mapping[str, Value] = {
        "name": _text(wire.name),
        "type": _one_of(wire.type),
        "version": _number(wire.version),
        "is_public": YesNo(wire.is_public_document),
        "documents": _number(wire.document_count),
        "form_url": _text(wire.doc_form_url or ""),
        "updated_by": author or BLANK,
    }
    record = _record(wire.id, wire.name, values, wire.created_at, wire.updated_at)
    by = (author.email or author.id) if author else ""
    return msgspec.structs.replace(record, updated_by=by)


def document_schema() -> ObjectSchema:
    """The fields of documents."""
    return ObjectSchema(
        DOCUMENT,
        "Documents & contracts",
        (
            _field("name", "Name", FieldType.TEXT),
            _field("status", "Status", FieldType.ONE_OF, STATUSES, _STATUS_NOTE),
            _field("payment_status", "Payment", FieldType.ONE_OF, PAYMENTS),
            _field("type", "Type", FieldType.TEXT),
            _field("is_expired", "Expired", FieldType.YES_NO),
            _field("total", "Total", FieldType.MONEY),
            _field("contact", "Contact", FieldType.REFERENCE, references=CONTACT),
            _field("recipients", "Recipients", FieldType.MANY_OF),
            _field("signed_by", "Signed by", FieldType.MANY_OF),
            _field("signed_at", "Signed by all at", FieldType.MOMENT),
            _field("viewed_at", "Last viewed at", FieldType.MOMENT),
            _field("link", "Link for the first recipient", FieldType.TEXT),
            _field("revision", "Revision", FieldType.NUMBER),
            _field("document_id", "Document id", FieldType.TEXT),
            *_times(),
        ),
        frozenset(),
    )


def template_schema(people: People) -> ObjectSchema:
    """The fields of templates."""
    return ObjectSchema(
        TEMPLATE,
        "Document templates",
        (
            _field("name", "Name", FieldType.TEXT),
            _field("type", "Type", FieldType.ONE_OF, TEMPLATE_TYPES),
            _field("version", "Version", FieldType.NUMBER),
            _field("is_public", "Public form", FieldType.YES_NO),
            _field("documents", "Documents made", FieldType.NUMBER),
            _field("form_url", "Address of the public form", FieldType.TEXT),
            msgspec.structs.replace(
                _field("updated_by", "Changed by", FieldType.PERSON), options=people.options
            ),
            *_times(),
        ),
        frozenset(),
    )


def _times() -> tuple[FieldSchema, ...]:
    return (
        _field(CREATED_AT, "Created at", FieldType.MOMENT),
        _field(UPDATED_AT, "Updated at", FieldType.MOMENT),
    )


def _field(
    name: str,
    title: str,
    kind: FieldType,
    words: Sequence[str] = (),
    note: str = _NOTE,
    *,
    references: ObjectTypeId | None = None,
) -> FieldSchema:
    """One read-only field. Its words are open: HighLevel may learn new ones."""
    options = tuple(Option(word, word.replace("_", " ").capitalize()) for word in words) or None
    return FieldSchema(
        FieldId(name),
        title,
        kind,
        is_read_only=True,
        options=options,
        is_open=bool(words),
        references=references,
        note=note,
    )


def _record(
    key: str,
    title: str,
    values: Mapping[str, Value],
    created: dt.datetime | None,
    updated: dt.datetime | None,
) -> Record:
    times = {CREATED_AT: _moment(created), UPDATED_AT: _moment(updated)}
    return Record(
        RecordKey(key),
        {FieldId(name): value for name, value in values.items()} | times,
        updated_at=updated,
        created_at=created,
        title=title,
    )


def _furthest(said: list[str] | str, order: Sequence[str]) -> str:
    words = [said] if isinstance(said, str) else said
    return max(words, key=lambda word: order.index(word) if word in order else len(order), default="")


def _signed_at(people: Sequence[WireRecipient]) -> Value:
    """When the last one signed, once all of them have."""
    if not people or not all(each.has_completed for each in people):
        return BLANK
    return _moment(_at(max(each.signed_date or "" for each in people)))


def _at(text: str) -> dt.datetime | None:
    """A time that HighLevel writes as text; None for any other text."""
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def _text(text: str) -> Value:
    return Text(text) if text else BLANK


def _one_of(key: str) -> Value:
    return OneOf(key) if key else BLANK


def _many_of(keys: Iterable[str]) -> Value:
    kept = tuple(key for key in keys if key)
    return ManyOf(kept) if kept else BLANK


def _number(number: int | None) -> Value:
    return BLANK if number is None else Number(Decimal(number))


def _moment(at: dt.datetime | None) -> Value:
    return BLANK if at is None else Moment(at)


def _money(total: WireTotal | None) -> Value:
    if total is None or total.amount is None:
        return BLANK
    return Money(Decimal(total.amount), total.currency or "default")
