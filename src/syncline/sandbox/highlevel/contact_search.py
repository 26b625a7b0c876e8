"""Lists contacts: the advanced search, the deprecated listing, and the search for a duplicate.

POST /contacts/search, GET /contacts/ (gone in v3), GET /contacts/search/duplicate (facts: highlevel-api.md 1.8, 4). The body
and the answer of the advanced search are empty in the official files; they are taken from the records search, with the
contact's own names of the times. All three see the search index, which lags behind writes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import msgspec

from syncline.sandbox.highlevel.bodies import read_body, read_query, refuse_query
from syncline.sandbox.highlevel.calls import Answer, Call
from syncline.sandbox.highlevel.crm_shapes import contact_hit_shape, contact_shape, listed_contact_shape
from syncline.sandbox.highlevel.filters import parse, test_of
from syncline.sandbox.highlevel.jsons import as_list, as_object
from syncline.sandbox.highlevel.refusals import bad_request, unprocessable
from syncline.sandbox.highlevel.state import World
from syncline.sandbox.highlevel.table import Key, RecordTable, Row, SearchIndex

TIMES = {"dateAdded": "createdAt", "dateUpdated": "updatedAt"}
_MAX_LIMIT = 100


class _Sort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    field: str
    direction: str = "asc"


class _SearchBody(msgspec.Struct, rename="camel"):
    location_id: str
    page_limit: int
    page: int = 1
    query: str = ""
    search_after: list[object] = []
    filters: list[object] = []
    sort: list[_Sort] = []


class _ListQuery(msgspec.Struct, frozen=True, rename="camel"):
    location_id: str
    start_after_id: str | None = None
    start_after: int | None = None
    query: str = ""
    limit: int = 20


class _DuplicateQuery(msgspec.Struct, frozen=True, rename="camel"):
    location_id: str
    number: str = ""
    email: str = ""


def search_contacts(world: World, call: Call) -> Answer:
    """POST /contacts/search: one page, with `total` and a cursor in each contact."""
    refuse_query(call.request)
    body = read_body(call.request, _SearchBody)
    location_id = call.location(world, body.location_id)
    if not 1 <= body.page_limit <= _MAX_LIMIT:
        raise unprocessable(f"pageLimit must be between 1 and {_MAX_LIMIT}")
    field, is_descending = _order(body.sort)
    index = index_of(world, world.locations[location_id].crm.contacts)
    keys = _matching(index, field, body.filters, body.query)
    page = _page(keys, body, is_descending=is_descending)
    hits = [
        contact_hit_shape(
            index.rows[str(key[-1])], location_id, list(key), has_names=world.options.names_in_contact_search
        )
        for key in page
    ]
    return Answer({"contacts": hits, "total": len(keys)})


def list_contacts(world: World, call: Call) -> Answer:
    """GET /contacts/: newest first. Without both `startAfter` and `startAfterId` the first page repeats (facts 4)."""
    query = read_query(call.request, _ListQuery)
    location_id = call.location(world, query.location_id)
    index = index_of(world, world.locations[location_id].crm.contacts)
    keys = _matching(index, "createdAt", (), query.query)
    end = len(keys)
    if query.start_after is not None and query.start_after_id is not None:
        end = bisect_left(keys, (query.start_after, query.start_after_id))
    page = list(reversed(keys[max(0, end - query.limit) : end]))
    rows = [index.rows[str(key[-1])] for key in page]
    shapes = [listed_contact_shape(row, location_id) for row in rows]
    return Answer({"contacts": shapes, "count": len(keys)})


def find_duplicate(world: World, call: Call) -> Answer:
    """GET /contacts/search/duplicate: by phone number or e-mail address; null where there is none."""
    query = read_query(call.request, _DuplicateQuery)
    location_id = call.location(world, query.location_id)
    if not query.number and not query.email:
        raise bad_request("number or email is required")
    for row in index_of(world, world.locations[location_id].crm.contacts).rows.values():
        is_phone = bool(query.number) and row.properties.get("phone") == query.number
        is_email = bool(query.email) and _lower(row, "email") == query.email.lower()
        if is_phone or is_email:
            return Answer({"contact": contact_shape(row, location_id)})
    return Answer({"contact": None})


def index_of(world: World, table: RecordTable) -> SearchIndex:
    """The index as it shows itself now."""
    return table.index(world.now_ms() - world.search_lag_ms)


def _order(sorts: Sequence[_Sort]) -> tuple[str, bool]:
    if not sorts:
        return "createdAt", True
    if len(sorts) > 1:
        raise bad_request("The stand-in sorts contacts by one field only")
    sort = sorts[0]
    if sort.field not in TIMES:
        raise unprocessable(f"sort field {sort.field} is not known")
    if sort.direction not in {"asc", "desc"}:
        raise unprocessable("direction must be one of the following values: asc, desc")
    return TIMES[sort.field], sort.direction == "desc"


def _matching(index: SearchIndex, field: str, filters: Sequence[object], query: str) -> Sequence[Key]:
    keys = index.ordering((field,)).keys
    if filters:
        passes = test_of(parse([_translated(each) for each in filters], allows_time_ranges=True))
        keys = [key for key in keys if passes(index.rows[str(key[-1])])]
    if query:
        keys = [key for key in keys if _mentions(index.rows[str(key[-1])], query.lower())]
    return keys


def _translated(condition: object) -> object:
    """A condition on a contact's field as one on a record's."""
    item = dict(as_object(condition) or {})
    inner = as_list(item.get("filters"))
    if inner is not None:
        return item | {"filters": [_translated(each) for each in inner]}
    name = str(item.get("field", ""))
    return item | {"field": TIMES.get(name) or (name if name == "id" else f"properties.{name}")}


def _mentions(row: Row, query: str) -> bool:
    return any(
        query in _lower(row, name) for name in ("firstName", "lastName", "email", "phone", "companyName")
    )


def _lower(row: Row, name: str) -> str:
    return str(row.properties.get(name, "")).lower()


def _page(keys: Sequence[Key], body: _SearchBody, *, is_descending: bool) -> Sequence[Key]:
    limit, skipped = body.page_limit, (body.page - 1) * body.page_limit
    after = body.search_after
    try:
        place = (int(str(after[0])), str(after[1])) if after else None
        if is_descending:
            end = len(keys) - skipped if place is None else bisect_left(keys, place)
            return list(reversed(keys[max(0, end - limit) : max(0, end)]))
        start = skipped if place is None else bisect_right(keys, place)
        return keys[start : start + limit]
    except (IndexError, ValueError):
        raise unprocessable("searchAfter does not fit the sort") from None
