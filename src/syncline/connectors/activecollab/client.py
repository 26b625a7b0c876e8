"""ActiveCollab's endpoints and paging into JSON objects and raw pages.

Used by the other modules of this connector. All paths are below `{install}/api/v1` (facts: activecollab-api.md 1.1, 3).
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import msgspec
import xxhash

from syncline.connectors.http import Answer, Http
from syncline.core.records import RecordKey
from syncline.errors import ConnectorError, Detail, UnknownOutcomeError

Json = Mapping[str, object]

PAGE_SIZE = 100
"""Fixed by the vendor; `limit` is ignored (facts: 2, Pagination)."""


def api_url(address: str) -> str:
    """The API's base for an install or account address: `/api/v1` appended unless it is there."""
    trimmed = address.strip().rstrip("/")
    return trimmed if trimmed.endswith("/api/v1") else f"{trimmed}/api/v1"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of a collection, split into the raw bytes of its objects but not decoded.

    `total` is the collection's size where a header tells. `envelope` is what an object-shaped collection says beside.
    `home` is what the routes of its objects begin with, where that is more than their project (`1/tasks/5`).
    """

    raws: Sequence[msgspec.Raw]
    keys: Sequence[RecordKey]
    digests: Sequence[bytes]
    total: int | None = None
    envelope: Envelope | None = None
    home: str = ""

    def only(self, wanted: Collection[str]) -> Sheet:
        """The page with these objects alone."""
        kept = [index for index, key in enumerate(self.keys) if key in wanted]
        return replace(
            self,
            raws=[self.raws[index] for index in kept],
            keys=[self.keys[index] for index in kept],
            digests=[self.digests[index] for index in kept],
        )


class Envelope(msgspec.Struct, frozen=True):
    """An object-shaped collection: `/projects/{p}/tasks` with open tasks and bare ids of the others (facts: 3.4), or time
    records, expenses or discussions (facts: 3.9, 3.10). An empty one is null."""

    tasks: list[msgspec.Raw] | None = None
    time_records: list[msgspec.Raw] | None = None
    expenses: list[msgspec.Raw] | None = None
    discussions: list[msgspec.Raw] | None = None
    invoices: list[msgspec.Raw] | None = None
    estimates: list[msgspec.Raw] | None = None
    completed_task_ids: list[int] | None = None
    trashed_task_ids: list[int] | None = None
    project: Counts | None = None

    @property
    def rows(self) -> list[msgspec.Raw]:
        """What is listed."""
        kinds = (
            self.tasks,
            self.time_records,
            self.expenses,
            self.discussions,
            self.invoices,
            self.estimates,
        )
        return next((rows for rows in kinds if rows), None) or []


class Counts(msgspec.Struct, frozen=True):
    """What a project says of its tasks."""

    count_tasks: int | None = None


class _Identified(msgspec.Struct, frozen=True):
    id: int


_LEADING_ID = re.compile(rb'\{"id":(\d+),').match
_ID = msgspec.json.Decoder(_Identified)
_ENVELOPE = msgspec.json.Decoder(Envelope)
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(dict[str, object])


def split(answer: Answer) -> Sheet:
    """Cut one listing answer into raw objects with keys and digests; the benchmarked fast path.

    Raises `ConnectorError` when it is neither an array nor an object with `tasks`, or an object has no id.
    """
    try:
        envelope = None if answer.body.lstrip()[:1] == b"[" else _ENVELOPE.decode(answer.body)
        raws = _ARRAY.decode(answer.body) if envelope is None else envelope.rows
        keys = _keys(raws)
    except msgspec.DecodeError as error:
        raise ConnectorError(
            "a listing is not of the promised form; is this the right URL?", detail=Detail.UNEXPECTED_ANSWER
        ) from error
    return Sheet(raws, keys, list(map(xxhash.xxh3_128_digest, raws)), _number(answer, "totalitems"), envelope)


def _keys(raws: Sequence[msgspec.Raw]) -> list[RecordKey]:
    """The objects' ids. Read from their first bytes where they begin with the id, as they usually do: decoding even one
    attribute means going through all the bytes again."""
    found = [start[1].decode() if (start := _LEADING_ID(raw)) else str(_ID.decode(raw).id) for raw in raws]
    return cast("list[RecordKey]", found)


def _number(answer: Answer, name: str) -> int | None:
    text = answer.headers.get(f"x-angie-pagination{name}", "")
    return int(text) if text.isdigit() else None


def decode(raw: bytes | msgspec.Raw) -> Json:
    """One object. Raises `ConnectorError` when it is not one."""
    try:
        return _OBJECT.decode(raw)
    except msgspec.DecodeError as error:
        raise ConnectorError(
            "an object is not of the promised form", detail=Detail.UNEXPECTED_ANSWER
        ) from error


def single(answer: Answer) -> Json:
    """The object of an answer, out of its `{"single": ...}` wrapper where there is one (facts: 2, Envelopes)."""
    outer = decode(answer.body)
    inner = outer.get("single", outer)
    if not isinstance(inner, dict) or "id" not in inner:
        raise ConnectorError(
            "the answer holds no object; is this the right URL?", detail=Detail.UNEXPECTED_ANSWER
        )
    return inner  # pyright: ignore[reportUnknownVariableType] - keys of JSON objects are strings


class Client:
    """The calls of the API that this connector makes."""

    def __init__(self, http: Http) -> None:
        self.http = http

    async def get(self, path: str) -> Json:
        """One object."""
        return single(await self.http.read("GET", path))

    async def info(self) -> Json:
        """What product and version answers."""
        return decode((await self.http.read("GET", "info")).body)

    async def array(self, path: str) -> list[Json]:
        """All objects of a small collection, paged or not."""
        return [decode(raw) async for sheet in self.sheets(path) for raw in sheet.raws]

    async def sheets(self, path: str) -> AsyncGenerator[Sheet, None]:
        """All pages of a collection, each object once.

        Some collections are paged, some answer everything to any `page`: it stops where the headers say so, or on a
        short page, or on one without a new id (facts: 2, Pagination; 9.3).
        """
        seen: set[RecordKey] = set()
        page = 1
        while True:
            answer = await self.http.read("GET", path, query={"page": page} if page > 1 else {})
            sheet = split(answer)
            fresh = _without(sheet, seen)
            seen.update(fresh.keys)
            if fresh.keys or page == 1:
                yield fresh
            if not fresh.keys or _is_last(answer, page, len(sheet.keys)):
                return
            page += 1

    async def post(self, path: str, payload: Json) -> Json:
        """Create something; the object as stored."""
        return await self._write("POST", path, payload)

    async def put(self, path: str, payload: Json) -> Json:
        """Change something; the object as stored."""
        return await self._write("PUT", path, payload)

    async def delete(self, path: str) -> Json:
        """Move something to the trash; the object as it lies there."""
        return await self._write("DELETE", path, None)

    async def _write(self, method: str, path: str, payload: Json | None) -> Json:
        answer = await self.http.write(method, path, json=payload)
        try:
            return single(answer)
        except ConnectorError as error:
            raise UnknownOutcomeError(
                "the write was answered without the object it made",
                connection=error.connection,
                detail=Detail.UNREADABLE,
            ) from error

    async def history(self, slug: str, key: RecordKey) -> list[Json]:
        """The audit trail of one object."""
        answer = await self.http.read("GET", f"history/{slug}/{key}")
        return answer.json(list[dict[str, object]])  # pyright: ignore[reportReturnType] - list of mappings


def _is_last(answer: Answer, page: int, count: int) -> bool:
    """Whether a page is the last: by its headers or, without any, because it is not exactly full. More than a full page
    comes only from a collection that is not paged at all."""
    total, size = _number(answer, "totalitems"), _number(answer, "itemsperpage")
    if total is not None and size:
        return page * size >= total
    return count != PAGE_SIZE


def _without(sheet: Sheet, seen: set[RecordKey]) -> Sheet:
    """A page without the objects that came before."""
    return sheet if seen.isdisjoint(sheet.keys) else sheet.only(set(sheet.keys) - seen)
