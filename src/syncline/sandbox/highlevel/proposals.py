"""Lists and sends documents and templates: the four operations of `/proposals` (facts: highlevel-api.md 1.7).

There is no read by id, no create, no change and no webhook. Sending has no idempotency key: whoever asks twice sends
twice. People's side of it (view, sign, decline) is `document_control`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from syncline.sandbox.highlevel.bodies import read_body, read_query, refuse_query
from syncline.sandbox.highlevel.calls import Answer, Call
from syncline.sandbox.highlevel.document_shapes import document_shape, link_shape, template_shape
from syncline.sandbox.highlevel.documents import (
    DRAFT,
    PAYMENTS,
    SENT,
    STATUSES,
    Document,
    Link,
    Mail,
    Recipient,
    Shelf,
    Template,
)
from syncline.sandbox.highlevel.refusals import bad_request, unprocessable
from syncline.sandbox.highlevel.state import World, ms_of

T = TypeVar("T")
_MEDIA = ("link", "email")


class _Documents(msgspec.Struct, rename="camel"):
    location_id: str
    status: str | None = None
    payment_status: str | None = None
    limit: int = 10
    skip: int = 0
    query: str = ""
    date_from: str | None = None
    date_to: str | None = None


class _Templates(msgspec.Struct, rename="camel"):
    location_id: str
    date_from: str | None = None
    date_to: str | None = None
    type: str = ""
    name: str = ""
    is_public_document: bool | None = None
    user_id: str | None = None
    limit: int = 10
    skip: int = 0


class _Send(msgspec.Struct, rename="camel"):
    location_id: str
    document_id: str
    sent_by: str
    document_name: str | None = None
    medium: str = "email"
    cc_recipients: list[object] = []
    notification_settings: object = None


class _SendTemplate(msgspec.Struct, rename="camel"):
    template_id: str
    user_id: str
    location_id: str
    contact_id: str
    send_document: bool = True
    opportunity_id: str | None = None


def list_documents(world: World, call: Call) -> Answer:
    """GET /proposals/document."""
    query = read_query(call.request, _Documents)
    location_id = call.location(world, query.location_id)
    for name, value, known in (
        ("status", query.status, STATUSES),
        ("paymentStatus", query.payment_status, PAYMENTS),
    ):
        if value is not None and value not in known:
            raise unprocessable(f"{name} must be one of the following values: {', '.join(known)}")
    options = world.options
    found = [
        each
        for each in world.locations[location_id].shelf.documents.values()
        if query.status in (None, each.status)
        and query.payment_status in (None, each.payment)
        and query.query.lower() in each.name.lower()
        and (options.deleted_documents_listed or not each.is_deleted)
        and _is_between(
            each.updated_ms if options.document_dates_by_update else each.created_ms,
            query.date_from,
            query.date_to,
        )
    ]
    found.sort(
        key=lambda each: (each.updated_ms if options.documents_by_update else each.created_ms, each.id),
        reverse=True,
    )
    page = _page(world, query.skip, query.limit, found)
    return Answer({"documents": [document_shape(location_id, each) for each in page], "total": len(found)})


def list_templates(world: World, call: Call) -> Answer:
    """GET /proposals/templates."""
    query = read_query(call.request, _Templates)
    location_id = call.location(world, query.location_id)
    types = frozenset(query.type.split(",")) if query.type else None
    found = [
        each
        for each in world.locations[location_id].shelf.templates.values()
        if (types is None or each.type in types)
        and query.name.lower() in each.name.lower()
        and query.is_public_document in (None, each.is_public)
        and (world.options.deleted_documents_listed or not each.is_deleted)
        and _is_between(each.created_ms, query.date_from, query.date_to)
    ]
    found.sort(key=lambda each: (each.created_ms, each.id), reverse=True)
    page = _page(world, query.skip, query.limit, found)
    return Answer({"data": [template_shape(location_id, each) for each in page], "total": len(found)})


def send_document(world: World, call: Call) -> Answer:
    """POST /proposals/document/send. How the vendor refuses what it does not know is unconfirmed; the files say 400."""
    refuse_query(call.request)
    body = read_body(call.request, _Send)
    location_id = call.location(world, body.location_id)
    if body.medium not in _MEDIA:
        raise unprocessable(f"medium must be one of the following values: {', '.join(_MEDIA)}")
    shelf = world.locations[location_id].shelf
    document = next((each for each in shelf.documents.values() if body.document_id == each.document_id), None)
    if document is None or document.is_deleted:
        raise bad_request("Document not found")
    _require_user(world, location_id, body.sent_by)
    if document.status != DRAFT and not world.options.documents_sent_again:
        raise bad_request("Document is not in draft state")
    named = msgspec.structs.replace(document, name=body.document_name or document.name)
    sent = send(world, shelf, named, body.sent_by, is_mailed=body.medium == "email")
    return Answer({"success": True, "links": [link_shape(sent, each) for each in sent.links]})


def send_template(world: World, call: Call) -> Answer:
    """POST /proposals/templates/send: a new document for a contact, sent at once unless it says otherwise."""
    refuse_query(call.request)
    body = read_body(call.request, _SendTemplate)
    location_id = call.location(world, body.location_id)
    shelf = world.locations[location_id].shelf
    template = shelf.templates.get(body.template_id)
    if template is None or template.is_deleted:
        raise bad_request("Template not found")
    _require_user(world, location_id, body.user_id)
    document = from_template(world, template, contact(world, location_id, body.contact_id))
    shelf.documents[document.id] = document
    shelf.templates[template.id] = msgspec.structs.replace(template, documents=template.documents + 1)
    if body.send_document:
        document = send(world, shelf, document, body.user_id, is_mailed=True)
    return Answer({"success": True, "links": [link_shape(document, each) for each in document.links]})


def contact(world: World, location_id: str, contact_id: str) -> Recipient:
    """A contact as somebody who gets a document. Raises 400."""
    row = world.locations[location_id].crm.contacts.rows.get(contact_id)
    if row is None:
        raise bad_request("Contact not found")
    first, last, email = (str(row.properties.get(name) or "") for name in ("firstName", "lastName", "email"))
    if not email:
        raise bad_request("Contact does not have an email")
    return Recipient(contact_id, email, first, last)


def new_document(world: World, name: str, recipients: Sequence[Recipient]) -> Document:
    """A draft."""
    now = world.now_ms()
    record_id = world.ids.object_id(now)
    document_id = record_id if world.options.one_document_id else world.ids.uuid()
    ordered = tuple(
        msgspec.structs.replace(each, order=number) for number, each in enumerate(recipients, start=1)
    )
    return Document(record_id, document_id, name, now, now, recipients=ordered)


def from_template(world: World, template: Template, recipient: Recipient) -> Document:
    """A draft for one contact that is called what its template is called."""
    made = new_document(world, template.name, [recipient])
    return msgspec.structs.replace(made, type=template.type, template=template.id)


def send(world: World, shelf: Shelf, document: Document, user_id: str, *, is_mailed: bool) -> Document:
    """Give every recipient a link, and a mail if so wished. Raises 400 for a document of nobody."""
    if not document.recipients:
        raise bad_request("Document has no recipients")
    now = world.now_ms()
    links = document.links or tuple(
        Link(world.ids.uuid(), each.id, each.entity, document.revision, user_id)
        for each in document.recipients
    )
    status = SENT if document.status == DRAFT else document.status
    sent = msgspec.structs.replace(document, status=status, links=links, updated_ms=now)
    shelf.documents[sent.id] = sent
    if is_mailed:
        shelf.mails += [Mail(sent.id, each.email, now) for each in sent.recipients]
    return sent


def _page(world: World, skip: int, limit: int, found: Sequence[T]) -> Sequence[T]:
    if limit < 1 or skip < 0:
        raise unprocessable("limit must not be less than 1" if limit < 1 else "skip must not be less than 0")
    return found[skip:][: min(limit, world.options.max_documents_limit)]


def _is_between(at_ms: int, start: str | None, end: str | None) -> bool:
    try:
        return (start is None or at_ms >= ms_of(start)) and (end is None or at_ms <= ms_of(end))
    except ValueError:
        raise bad_request("dateFrom and dateTo must be valid ISO 8601 date strings") from None


def _require_user(world: World, location_id: str, user_id: str) -> None:
    user = world.users.get(user_id)
    if user is None or location_id not in user.location_ids:
        raise bad_request("User not found")
