"""HighLevel's lists of documents and templates, page after page, and the two calls that send one.

Used by `documents` (to read) and `sending`. There is no read by id, no order that can be asked for, and nobody knows whether
the date filters look at the last change: so every listing is a whole one. Facts: highlevel-api.md 1.7, section 4.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import cast

import msgspec

from syncline.connectors.highlevel.client import Client, Route
from syncline.connectors.highlevel.listing import SearchPage, digest
from syncline.core.records import Record, RecordKey
from syncline.errors import ConnectorError

DOCUMENTS = Route("GET", "/proposals/document", "documents_contracts/list.readonly", "proposals")
TEMPLATES = Route("GET", "/proposals/templates", "documents_contracts_templates/list.readonly", "proposals")
SEND_DOCUMENT = Route(
    "POST", "/proposals/document/send", "documents_contracts/sendlink.write", "proposals", is_write=True
)
SEND_TEMPLATE = Route(
    "POST",
    "/proposals/templates/send",
    "documents_contracts_templates/sendlink.write",
    "proposals",
    is_write=True,
)


class WireLink(msgspec.Struct, rename="camel"):
    """`ProposalEstimateLinksDto`: one recipient's way to a document."""

    document_id: str = ""
    recipient_id: str = ""
    reference_id: str = ""
    entity_name: str = ""


class _SendAnswer(msgspec.Struct):
    success: bool = True
    links: list[WireLink] = msgspec.field(default_factory=list[WireLink])


class _Listed(msgspec.Struct):
    """Documents come as `documents`, templates as `data`."""

    total: int
    documents: list[msgspec.Raw] | None = None
    data: list[msgspec.Raw] | None = None


class _Head(msgspec.Struct):
    id: str = msgspec.field(name="_id")
    deleted: bool = False


_LISTED = msgspec.json.Decoder(_Listed)
_HEAD = msgspec.json.Decoder(_Head)


@dataclass(frozen=True, slots=True)
class Paper:
    """One listed document or template, not yet decoded. `is_deleted`: HighLevel lists it still, as deleted."""

    key: RecordKey
    raw: bytes
    is_deleted: bool


@dataclass(slots=True)
class Walked:
    """What a walk through a list came to: the distinct keys that it showed, and how many HighLevel counted each time."""

    keys: set[RecordKey]
    totals: set[int]

    @property
    def is_whole(self) -> bool:
        """Whether every record was surely shown: nothing moved between the pages."""
        return self.totals == {len(self.keys)}

    @property
    def reason(self) -> str:
        """Why it is not whole; empty when it is."""
        if self.is_whole:
            return ""
        counts = " or ".join(str(each) for each in sorted(self.totals))
        return f"{len(self.keys)} came, HighLevel counts {counts}"


async def walk(client: Client, route: Route, limit: int, walked: Walked) -> AsyncIterator[list[Paper]]:
    """All pages of a list; `walked` is filled on the way. HighLevel may answer fewer than asked for: the next page begins
    after those that came. A page without anything new ends it, lest a list that moves be walked for ever."""
    skip = 0
    while True:
        query = {"locationId": client.location, "limit": str(limit), "skip": str(skip)}
        total, page = _split((await client.call(route, query=query)).body)
        before = len(walked.keys)
        walked.totals.add(total)
        walked.keys.update(each.key for each in page)
        skip += len(page)
        if page:
            yield page
        if len(walked.keys) == before or skip >= total:
            return


async def probe(client: Client, route: Route) -> None:
    """The cheapest read of a list: tells whether this token may see it at all."""
    await client.call(route, query={"locationId": client.location, "limit": "1", "skip": "0"})


def to_page(name: str, decode: Callable[[bytes], Record], papers: list[Paper], total: int) -> SearchPage:
    """Those that are not deleted, as a page of a listing."""
    kept = [each for each in papers if not each.is_deleted]
    raws, keys = [each.raw for each in kept], [each.key for each in kept]
    return SearchPage(name, decode, raws, keys, [digest(raw) for raw in raws], total)


async def post(client: Client, route: Route, body: Mapping[str, object]) -> list[WireLink]:
    """Send, and answer the recipients' links. What cannot be read has happened all the same: then there are none."""
    answer = await client.call(route, json={**body, "locationId": client.location})
    try:
        return answer.json(_SendAnswer).links
    except ConnectorError:
        return []


def _split(body: bytes) -> tuple[int, list[Paper]]:
    """The total and the papers of one answer. Raises `ConnectorError`."""
    try:
        listed = _LISTED.decode(body)
        raws = [bytes(raw) for raw in listed.documents or listed.data or ()]
        heads = [_HEAD.decode(raw) for raw in raws]
    except msgspec.MsgspecError as error:
        raise ConnectorError(f"the list of documents is not of the expected form ({error})") from error
    keys = cast("list[RecordKey]", [head.id for head in heads])
    return listed.total, [
        Paper(key, raw, head.deleted) for key, raw, head in zip(keys, raws, heads, strict=True)
    ]
