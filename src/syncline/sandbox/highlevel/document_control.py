"""Control actions on documents and templates: what people write, view, sign, decline, pay, expire and delete in the web app.

Collected by `control`. `location` is the first one where it is left out; a document is named by its `_id`. None of this
sends a webhook: the vendor has none for documents (facts: highlevel-api.md 1.7).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from syncline.sandbox.highlevel import proposals
from syncline.sandbox.highlevel.document_shapes import document_shape, template_shape
from syncline.sandbox.highlevel.documents import (
    ACCEPTED,
    COMPLETED,
    DRAFT,
    NO_PAYMENT,
    PAID,
    SENT,
    TEMPLATE_TYPES,
    VIEWED,
    WAITING,
    Document,
    Recipient,
    Shelf,
    Template,
)
from syncline.sandbox.highlevel.state import World


class _At(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    location: str | None = None


class _Document(_At, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str


class _Signer(_Document, frozen=True, forbid_unknown_fields=True, kw_only=True):
    email: str | None = None


class _Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    email: str
    id: str = ""
    first_name: str = ""
    last_name: str = ""


class _NewDocument(_At, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str
    contacts: list[str] = []
    recipients: list[_Person] = []
    amount: float = 0
    currency: str = "USD"
    type: str = "proposal"
    is_sent: bool = False


class _Rename(_Document, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str


class _NewTemplate(_At, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str
    type: str = "proposal"
    is_public: bool = False


def _create_document(world: World, args: dict[str, object]) -> object:
    """A draft for contacts, or for anybody with an address; sent at once where so wished."""
    wish = msgspec.convert(args, _NewDocument)
    location_id, shelf = _shelf(world, wish)
    people = [proposals.contact(world, location_id, each) for each in wish.contacts]
    people += [
        Recipient(each.id or world.ids.short(), each.email, each.first_name, each.last_name)
        for each in wish.recipients
    ]
    made = msgspec.structs.replace(
        proposals.new_document(world, wish.name, people),
        amount=wish.amount,
        currency=wish.currency,
        type=wish.type,
        payment=WAITING if wish.amount else NO_PAYMENT,
    )
    shelf.documents[made.id] = made
    if wish.is_sent:
        made = proposals.send(world, shelf, made, next(iter(world.users)), is_mailed=True)
    return document_shape(location_id, made)


def _rename_document(world: World, args: dict[str, object]) -> object:
    wish = msgspec.convert(args, _Rename)
    return _change(world, wish, name=wish.name)


def _view_document(world: World, args: dict[str, object]) -> object:
    """A recipient (the first one, or the one of an e-mail address) opens the link."""
    wish = msgspec.convert(args, _Signer)
    document = _sent(world, wish)
    seen = _recipients(document, wish, viewed_ms=world.now_ms())
    return _change(world, wish, recipients=seen, status=_after(document.status, VIEWED))


def _sign_document(world: World, args: dict[str, object]) -> object:
    """A recipient signs; the document is completed once all have."""
    wish = msgspec.convert(args, _Signer)
    document, now = _sent(world, wish), world.now_ms()
    signed = _recipients(document, wish, viewed_ms=now, signed_ms=now, has_completed=True)
    is_over = all(each.has_completed for each in signed)
    return _change(
        world, wish, recipients=signed, status=_after(document.status, COMPLETED if is_over else VIEWED)
    )


def _decline_document(world: World, args: dict[str, object]) -> object:
    """A recipient declines. The official files have no word for it, so by default it only shows as viewed."""
    wish = msgspec.convert(args, _Signer)
    document = _sent(world, wish)
    seen = _recipients(document, wish, viewed_ms=world.now_ms())
    status = world.options.declined_document_status or _after(document.status, VIEWED)
    return _change(world, wish, recipients=seen, status=status)


def _accept_document(world: World, args: dict[str, object]) -> object:
    """As estimates are."""
    wish = msgspec.convert(args, _Document)
    return _change(world, wish, status=_after(_sent(world, wish).status, ACCEPTED))


def _pay_document(world: World, args: dict[str, object]) -> object:
    return _change(world, msgspec.convert(args, _Document), payment=PAID)


def _expire_document(world: World, args: dict[str, object]) -> object:
    return _change(world, msgspec.convert(args, _Document), is_expired=True)


def _revise_document(world: World, args: dict[str, object]) -> object:
    """Back to a draft: nobody has signed, and the links are void."""
    wish = msgspec.convert(args, _Document)
    document = _document(world, wish)
    blank = tuple(
        msgspec.structs.replace(each, has_completed=False, signed_ms=None, viewed_ms=None)
        for each in document.recipients
    )
    return _change(world, wish, status=DRAFT, links=(), recipients=blank, revision=document.revision + 1)


def _delete_document(world: World, args: dict[str, object]) -> object:
    return _change(world, msgspec.convert(args, _Document), is_deleted=True)


def _purge_document(world: World, args: dict[str, object]) -> object:
    """Gone for good."""
    wish = msgspec.convert(args, _Document)
    _, shelf = _shelf(world, wish)
    return {"id": shelf.documents.pop(_document(world, wish).id).id}


def _create_template(world: World, args: dict[str, object]) -> object:
    wish = msgspec.convert(args, _NewTemplate)
    if wish.type not in TEMPLATE_TYPES:
        raise ValueError(f"A template is one of {', '.join(TEMPLATE_TYPES)}.")
    location_id, shelf = _shelf(world, wish)
    now, author = world.now_ms(), next(iter(world.users))
    made = Template(
        world.ids.object_id(now), wish.name, now, now, author, wish.type, is_public=wish.is_public
    )
    shelf.templates[made.id] = made
    return template_shape(location_id, made)


def _rename_template(world: World, args: dict[str, object]) -> object:
    wish = msgspec.convert(args, _Rename)
    return _change_template(world, wish, name=wish.name)


def _delete_template(world: World, args: dict[str, object]) -> object:
    return _change_template(world, msgspec.convert(args, _Document), is_deleted=True)


def _purge_template(world: World, args: dict[str, object]) -> object:
    wish = msgspec.convert(args, _Document)
    _, shelf = _shelf(world, wish)
    return {"id": shelf.templates.pop(_template(shelf, wish).id).id}


def _mails(world: World, args: dict[str, object]) -> object:
    """Who was written to, in order."""
    _, shelf = _shelf(world, msgspec.convert(args, _At))
    return {"mails": list(shelf.mails)}


ACTIONS: Mapping[str, Callable[[World, dict[str, object]], object]] = MappingProxyType(
    {
        "create_document": _create_document,
        "rename_document": _rename_document,
        "view_document": _view_document,
        "sign_document": _sign_document,
        "decline_document": _decline_document,
        "accept_document": _accept_document,
        "pay_document": _pay_document,
        "expire_document": _expire_document,
        "revise_document": _revise_document,
        "delete_document": _delete_document,
        "purge_document": _purge_document,
        "create_template": _create_template,
        "rename_template": _rename_template,
        "delete_template": _delete_template,
        "purge_template": _purge_template,
        "document_mails": _mails,
    }
)
_ORDER = (DRAFT, SENT, VIEWED, COMPLETED, ACCEPTED)


def _shelf(world: World, at: _At) -> tuple[str, Shelf]:
    chosen = at.location or next(iter(world.locations))
    if chosen not in world.locations:
        raise ValueError(f"There is no location {chosen!r}.")
    return chosen, world.locations[chosen].shelf


def _document(world: World, at: _Document) -> Document:
    _, shelf = _shelf(world, at)
    if at.id not in shelf.documents:
        raise ValueError(f"There is no document {at.id!r}.")
    return shelf.documents[at.id]


def _sent(world: World, at: _Document) -> Document:
    document = _document(world, at)
    if document.status == DRAFT or document.is_expired or document.is_deleted:
        raise ValueError(f"The document {at.id!r} has not been sent, or its links lead nowhere any more.")
    return document


def _template(shelf: Shelf, at: _Document) -> Template:
    if at.id not in shelf.templates:
        raise ValueError(f"There is no template {at.id!r}.")
    return shelf.templates[at.id]


def _recipients(document: Document, at: _Signer, **changes: object) -> tuple[Recipient, ...]:
    wanted = at.email or (document.recipients[0].email if document.recipients else "")
    if all(each.email != wanted for each in document.recipients):
        raise ValueError(f"The document {at.id!r} has no recipient {wanted!r}.")
    return tuple(
        msgspec.structs.replace(each, **changes) if each.email == wanted else each
        for each in document.recipients
    )


def _after(before: str, wish: str) -> str:
    """A document never falls back: who looks again at what is signed does not unsign it."""
    if before not in _ORDER:
        return before
    return max(before, wish, key=_ORDER.index)


def _change(world: World, at: _Document, **changes: object) -> object:
    location_id, shelf = _shelf(world, at)
    changed = msgspec.structs.replace(_document(world, at), **changes, updated_ms=world.now_ms())
    shelf.documents[changed.id] = changed
    return document_shape(location_id, changed)


def _change_template(world: World, at: _Document, **changes: object) -> object:
    location_id, shelf = _shelf(world, at)
    before = _template(shelf, at)
    changed = msgspec.structs.replace(
        before, **changes, version=before.version + 1, updated_ms=world.now_ms()
    )
    shelf.templates[changed.id] = changed
    return template_shape(location_id, changed)
