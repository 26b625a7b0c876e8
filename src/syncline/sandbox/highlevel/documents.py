"""What a location keeps under *Documents & Contracts*: documents, their templates, and the mails that were sent for them.

Plain data, kept in `state.Location.shelf`; the operations live in `proposals`, what people do in `document_control`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

DRAFT, SENT, VIEWED, COMPLETED, ACCEPTED = STATUSES = ("draft", "sent", "viewed", "completed", "accepted")
NO_PAYMENT, WAITING, PAID = PAYMENTS = ("no_payment", "waiting_for_payment", "paid")
TEMPLATE_TYPES = ("proposal", "estimate", "contentLibrary")


class Recipient(msgspec.Struct, frozen=True):
    """Somebody who gets a document. `entity` is where the id belongs: `contacts` or `users`."""

    id: str
    email: str
    first_name: str = ""
    last_name: str = ""
    entity: str = "contacts"
    order: int = 1
    has_completed: bool = False
    signed_ms: int | None = None
    viewed_ms: int | None = None

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


class Link(msgspec.Struct, frozen=True):
    """The address under which one recipient reads one revision of a document."""

    reference_id: str
    recipient_id: str
    entity: str
    revision: int
    created_by: str


class Document(msgspec.Struct, frozen=True):
    """One document. `id` is its `_id`, `document_id` its `documentId`; `template` is known here, but never told."""

    id: str
    document_id: str
    name: str
    created_ms: int
    updated_ms: int
    type: str = "proposal"
    status: str = DRAFT
    payment: str = NO_PAYMENT
    amount: float = 0
    currency: str = "USD"
    recipients: tuple[Recipient, ...] = ()
    links: tuple[Link, ...] = ()
    revision: int = 1
    is_expired: bool = False
    is_deleted: bool = False
    template: str = ""


class Template(msgspec.Struct, frozen=True):
    """What documents are made from."""

    id: str
    name: str
    created_ms: int
    updated_ms: int
    updated_by: str
    type: str = "proposal"
    version: int = 1
    is_public: bool = False
    is_deleted: bool = False
    documents: int = 0


class Mail(msgspec.Struct, frozen=True):
    """A message that somebody got because a document was sent."""

    document: str
    to: str
    at_ms: int


@dataclass(slots=True)
class Shelf:
    """The documents and templates of one location, by `_id`."""

    documents: dict[str, Document] = field(default_factory=dict[str, Document])
    templates: dict[str, Template] = field(default_factory=dict[str, Template])
    mails: list[Mail] = field(default_factory=list[Mail])
