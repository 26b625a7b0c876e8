"""The wish to send a document, or a template as a new document, into one sent document and a clear word of what happened.

Called by actions and by people's commands. HighLevel has no idempotency key here, and sending twice writes to people twice:
so each call looks before it sends, and again where no clear answer came. Facts: highlevel-api.md 1.7.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Mapping
from enum import Enum
from typing import TypeVar

import msgspec

from syncline.connectors.highlevel.client import Client, Route
from syncline.connectors.highlevel.paper_forms import WireDocument, read_document, read_template
from syncline.connectors.highlevel.papers import (
    DOCUMENTS,
    SEND_DOCUMENT,
    SEND_TEMPLATE,
    TEMPLATES,
    Paper,
    Walked,
    post,
    walk,
)
from syncline.core.records import RecordKey
from syncline.errors import (
    ConnectorError,
    Detail,
    NotFoundError,
    RejectedError,
    TransientError,
    UnknownOutcomeError,
)

T = TypeVar("T")
_PAGE = 100
_DRAFT = "draft"
_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)


class Medium(Enum):
    """How recipients hear of it: by a mail from HighLevel, or not at all (a link is made, and somebody hands it on)."""

    EMAIL = "email"
    LINK = "link"


class Outcome(Enum):
    """What came of a wish to send. `WAS_SENT`: it had happened before, and nothing was sent now."""

    SENT = "sent"
    WAS_SENT = "was_sent"
    DRAFTED = "drafted"
    WAS_DRAFTED = "was_drafted"


_SENTENCES = {
    Outcome.SENT: "The document was sent.",
    Outcome.WAS_SENT: "The document had been sent already; nothing was sent now.",
    Outcome.DRAFTED: "A draft was made; nobody has been written to.",
    Outcome.WAS_DRAFTED: "The draft had been made already; nothing was done now.",
}


class Sent(msgspec.Struct, frozen=True):
    """A document that is where it was wished to be. `document` is its key, empty where HighLevel does not list it yet (look
    for `document_id` later). `links` are the addresses to sign at, by recipient, as far as HighLevel lists them."""

    outcome: Outcome
    document: RecordKey
    document_id: str
    links: Mapping[str, str]

    @property
    def sentence(self) -> str:
        """The outcome in a person's words."""
        return _SENTENCES[self.outcome]


class TemplateWish(msgspec.Struct, frozen=True):
    """A new document from a template for one contact. `by` is the HighLevel user in whose name it is sent. Without
    `is_sent` only a draft is made. A sent one writes to the contact: there is no choice of the medium."""

    template: RecordKey
    contact: RecordKey
    by: str
    opportunity: RecordKey = RecordKey("")
    is_sent: bool = True


class TemplateIntent(msgspec.Struct, frozen=True):
    """A wish with what was there before it: keep it durably, then send it, and after a crash send the same one again.

    `known` are the documents that the contact had. One intent at a time for one contact and template: what another makes
    meanwhile would be taken for this one's.
    """

    wish: TemplateWish
    name: str
    known: frozenset[RecordKey]


async def send_document(
    client: Client, document: RecordKey, *, by: str, medium: Medium = Medium.EMAIL, name: str = ""
) -> Sent:
    """Send a draft, once. `by` is the HighLevel user in whose name, `name` another name for it.

    One or more reads, then the call. Raises `NotFoundError` (not listed), `RejectedError` (deleted, expired, or for
    nobody), `TransientError` (nothing was sent) and `UnknownOutcomeError` (it may have been sent: HighLevel still shows a
    draft; look there, then try again). Two at the same time may both send.
    """
    before = await _listed(client, document)
    _check_sendable(before)
    if before.furthest != _DRAFT:
        return _sent(Outcome.WAS_SENT, before)
    body: dict[str, object] = {
        "documentId": before.document_id or before.id,
        "sentBy": by,
        "medium": medium.value,
    }
    try:
        await post(client, SEND_DOCUMENT, body | ({"documentName": name} if name else {}))
    except (UnknownOutcomeError, RejectedError) as error:
        after = await _unless_broken(_listed(client, document))
        if after is None or after.furthest == _DRAFT:
            raise
        return _sent(Outcome.SENT if isinstance(error, UnknownOutcomeError) else Outcome.WAS_SENT, after)
    return _sent(Outcome.SENT, await _unless_broken(_listed(client, document)) or before)


async def prepare_template(client: Client, wish: TemplateWish) -> TemplateIntent:
    """Look up the template and the contact's documents. Raises `NotFoundError` for a template that is not there."""
    template = next((each for each in await _all(client, TEMPLATES) if each.key == wish.template), None)
    if template is None or template.is_deleted:
        raise NotFoundError(f"there is no template {wish.template} in this location")
    known = frozenset(RecordKey(each.id) for each in await _documents_for(client, wish.contact))
    return TemplateIntent(wish, read_template(template.raw).name, known)


async def send_template(client: Client, intent: TemplateIntent) -> Sent:
    """Make the document of an intent, and send it, once: one that the contact has got since is taken for it.

    HighLevel never tells from which template a document was made, so it is known by its contact, its name, and by having
    not been there before. One that an earlier try made and did not send is sent. Raises as `send_document` does.
    """
    wish = intent.wish
    if (made := await _made_since(client, intent)) is not None:
        return await _finished(client, intent, made)
    body: dict[str, object] = {
        "templateId": wish.template,
        "userId": wish.by,
        "contactId": wish.contact,
        "sendDocument": wish.is_sent,
    }
    try:
        links = await post(
            client, SEND_TEMPLATE, body | ({"opportunityId": wish.opportunity} if wish.opportunity else {})
        )
    except UnknownOutcomeError:
        if await _unless_broken(_made_since(client, intent)) is None:
            raise
        links = []
    outcome = Outcome.SENT if wish.is_sent else Outcome.DRAFTED
    if (made := await _unless_broken(_made_since(client, intent))) is not None:
        return _sent(outcome, made)
    return Sent(outcome, RecordKey(""), next((each.document_id for each in links), ""), {})


async def _finished(client: Client, intent: TemplateIntent, made: WireDocument) -> Sent:
    """What an earlier try came to, or what is left of it to do."""
    if made.furthest != _DRAFT:
        return _sent(Outcome.WAS_SENT, made)
    if not intent.wish.is_sent:
        return _sent(Outcome.WAS_DRAFTED, made)
    return await send_document(client, RecordKey(made.id), by=intent.wish.by)


def _check_sendable(document: WireDocument) -> None:
    """Raises `RejectedError` for what HighLevel would not send, or nobody would get."""
    fault = ""
    if document.deleted:
        fault = "is deleted; restore it in HighLevel first"
    elif document.is_expired:
        fault = "has expired; give it a new date in HighLevel first"
    elif not document.recipients:
        fault = "has no recipient; add one in HighLevel first"
    if fault:
        raise RejectedError(f"the document {document.name!r} {fault}", detail=Detail.VALIDATION)


async def _listed(client: Client, key: RecordKey) -> WireDocument:
    """One document, through the list. Raises `NotFoundError`."""
    for paper in await _all(client, DOCUMENTS, key):
        if paper.key == key:
            return read_document(paper.raw)
    raise NotFoundError(f"HighLevel lists no document {key} in this location")


async def _unless_broken(looked: Awaitable[T]) -> T | None:
    """A look after a call: where it fails, it tells nothing, and what the call came to stands."""
    try:
        return await looked
    except ConnectorError:
        return None


async def _documents_for(client: Client, contact: RecordKey) -> list[WireDocument]:
    documents = [read_document(each.raw) for each in await _all(client, DOCUMENTS) if not each.is_deleted]
    return [each for each in documents if any(one.id == contact for one in each.recipients or ())]


async def _made_since(client: Client, intent: TemplateIntent) -> WireDocument | None:
    """The newest document that an intent may have made."""
    name = intent.name.casefold()
    found = [
        each
        for each in await _documents_for(client, intent.wish.contact)
        if each.id not in intent.known and name in each.name.casefold()
    ]
    return max(found, key=lambda each: each.created_at or _LONG_AGO, default=None)


async def _all(client: Client, route: Route, wanted: RecordKey | None = None) -> list[Paper]:
    """All papers, or those up to a wanted one. Raises `TransientError` when the list moved while it was read: what seems
    to be missing may only have slipped by."""
    walked = Walked(set(), set())
    found: list[Paper] = []
    async for papers in walk(client, route, _PAGE, walked):
        found += papers
        if wanted is not None and wanted in walked.keys:
            return found
    if not walked.is_whole:
        raise TransientError(
            f"the list moved while it was read ({walked.reason}); nothing was sent",
            detail=Detail.MOVED_WHILE_READ,
        )
    return found


def _sent(outcome: Outcome, document: WireDocument) -> Sent:
    links = {each.id: each.share_link for each in document.recipients or () if each.share_link}
    return Sent(outcome, RecordKey(document.id), document.document_id, links)
