"""Documents and templates as object types of the connector: listed, never written.

Made by `connector`. HighLevel has no webhook for them and no read by id, so that every listing is a whole one, and a
document that no listing shows any more is only missing: two listings some time apart make the engine believe it. One that
is listed as deleted lies in the trash.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from syncline.connectors.highlevel.client import Client, Route
from syncline.connectors.highlevel.kinds import NamedKind, check_filters
from syncline.connectors.highlevel.paper_forms import (
    DOCUMENT,
    TEMPLATE,
    document_schema,
    template_schema,
    to_document,
    to_template,
)
from syncline.connectors.highlevel.papers import DOCUMENTS, TEMPLATES, Walked, probe, to_page, walk
from syncline.connectors.highlevel.schema import People
from syncline.core.records import (
    Gone,
    ObjectSchema,
    ObjectTypeId,
    Present,
    Proof,
    Receipt,
    Record,
    RecordKey,
    Scope,
    Sighting,
    Unseen,
    Write,
)
from syncline.errors import Detail, RejectedError
from syncline.ports import Ending, Page

_CURSOR = '"whole"'
"""Every delta is a listing of everything, so that there is nothing to remember."""


@dataclass(frozen=True, slots=True)
class Papers:
    """Documents, or templates: see `NamedKind`. `form` makes the schema, `read` a record, both with the users at hand."""

    client: Client
    route: Route
    title: str
    limit: int
    people: Callable[[], Awaitable[People]]
    form: Callable[[People], ObjectSchema]
    read: Callable[[People, bytes], Record]

    async def schema(self, object_type: ObjectTypeId) -> ObjectSchema:
        """The fields, which are always the same; one read tells whether this token may see the list."""
        del object_type
        await probe(self.client, self.route)
        return self.form(await self.people())

    async def pages(self, scope: Scope, since: str | None) -> AsyncIterator[Page | Ending]:
        """All of them, also as a delta. Complete when as many distinct ones came as HighLevel counts on every page."""
        del since
        check_filters(scope, frozenset(), self.title)
        decode = partial(self.read, await self.people())
        walked = Walked(set(), set())
        async for papers in walk(self.client, self.route, self.limit, walked):
            page = to_page(self.title, decode, papers, max(walked.totals))
            if page.keys:
                yield page
        yield Ending(walked.is_whole, _CURSOR, walked.reason, is_gapless=walked.is_whole)

    async def fetch(self, scope: Scope, key: RecordKey) -> Sighting:
        """Through the list, page after page until it shows: there is no read by id, so that absence is not proven."""
        check_filters(scope, frozenset(), self.title)
        async for papers in walk(self.client, self.route, self.limit, Walked(set(), set())):
            found = next((each for each in papers if each.key == key), None)
            if found is not None and found.is_deleted:
                return Gone(Proof.TRASHED)
            if found is not None:
                return Present(self.read(await self.people(), found.raw))
        return Unseen("HighLevel's list lacks it, and it cannot be read by itself")

    async def write(self, scope: Scope, write: Write) -> Receipt:
        """Never: raises `RejectedError`."""
        del scope, write
        raise RejectedError(
            f"{self.title} cannot be written: HighLevel's API lists them and sends them, and nothing else",
            detail=Detail.UNSUPPORTED,
        )

    async def find(self, scope: Scope, external_key: str) -> Sequence[Record]:
        """None: there is no place for our own key."""
        del scope, external_key
        return ()


def paper_kinds(
    client: Client, limit: int, people: Callable[[], Awaitable[People]]
) -> Mapping[ObjectTypeId, NamedKind]:
    """The two object types of the proposals API."""
    return {
        DOCUMENT: Papers(
            client, DOCUMENTS, document_schema().title, limit, people, _form_of_documents, _read_document
        ),
        TEMPLATE: Papers(
            client, TEMPLATES, "Document templates", limit, people, template_schema, to_template
        ),
    }


def _form_of_documents(people: People) -> ObjectSchema:
    del people
    return document_schema()


def _read_document(people: People, raw: bytes) -> Record:
    del people
    return to_document(raw)
