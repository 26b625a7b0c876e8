"""Searches the records of one object: filters, text, sort, pages and cursors, over an index that may lag.

POST /objects/{schemaKey}/records/search (facts: highlevel-api.md 1.3, 6.5). A page costs its own length when nothing is
filtered; filtered results are kept until the index moves.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from syncline.sandbox.highlevel.bodies import read_body, refuse_query
from syncline.sandbox.highlevel.calls import Answer, Call
from syncline.sandbox.highlevel.filters import Group, bounds_of, parse, required, test_of
from syncline.sandbox.highlevel.options import Options
from syncline.sandbox.highlevel.records import served_object
from syncline.sandbox.highlevel.refusals import bad_request, unprocessable
from syncline.sandbox.highlevel.shapes import hit_shape
from syncline.sandbox.highlevel.state import ObjectType, World
from syncline.sandbox.highlevel.table import TIMES, Key, Row, SearchIndex, SortValue, sortable, values_of

_DEFAULT_SORT = ("createdAt",)
_KEPT = 16


class _Sort(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    field: str
    direction: str = "asc"


class _SearchBody(msgspec.Struct, rename="camel"):
    location_id: str
    page: int = 1
    page_limit: int = 20
    query: str = ""
    search_after: list[object] = []
    filters: list[object] = []
    sort: list[_Sort] = []


@dataclass(frozen=True, slots=True)
class _Order:
    fields: tuple[str, ...]
    is_descending: bool


def search_records(world: World, call: Call) -> Answer:
    """One page, with `total` and a cursor in each record."""
    refuse_query(call.request)
    body = read_body(call.request, _SearchBody)
    item = served_object(world, call.location(world, body.location_id), call.path["schemaKey"])
    _check_page(body, world.options)
    order = _order(item, body.sort, allows_times=world.options.time_sorts)
    index = item.table.index(world.now_ms() - world.search_lag_ms)
    hits = _hits(item, index, body, order, world.options)
    keys = _page(hits, body, order)
    records = [hit_shape(item, index.rows[str(key[-1])], _cursor(order, key)) for key in keys]
    cap = world.options.total_cap
    return Answer({"records": records, "total": len(hits) if cap is None else min(cap, len(hits))})


def _check_page(body: _SearchBody, options: Options) -> None:
    if body.page < 1:
        raise unprocessable("page must not be less than 1")
    if not 1 <= body.page_limit <= options.max_page_limit:
        bound = "less than 1" if body.page_limit < 1 else f"greater than {options.max_page_limit}"
        raise unprocessable(f"pageLimit must not be {bound}")
    is_too_deep = options.max_depth is not None and body.page * body.page_limit > options.max_depth
    if is_too_deep and not body.search_after:
        raise bad_request("Result window is too large; use searchAfter")


def _order(item: ObjectType, sorts: Sequence[_Sort], *, allows_times: bool) -> _Order:
    if not sorts:
        return _Order(_DEFAULT_SORT, is_descending=True)
    directions = {sort.direction for sort in sorts}
    if not directions <= {"asc", "desc"}:
        raise unprocessable("direction must be one of the following values: asc, desc")
    if len(directions) > 1:
        raise bad_request("The stand-in sorts all fields in one direction only")
    for sort in sorts:
        is_known = sort.field.removeprefix("properties.") in item.fields
        if not (allows_times if sort.field in TIMES else is_known):
            raise unprocessable(f"sort field {sort.field} is not known")
    return _Order(tuple(sort.field for sort in sorts), directions == {"desc"})


def _hits(
    item: ObjectType, index: SearchIndex, body: _SearchBody, order: _Order, options: Options
) -> Sequence[Key]:
    """All matching rows in ascending order: the index's own list when everything matches."""
    if not body.filters and not body.query:
        return index.ordering(order.fields).keys
    group = parse(body.filters, allows_time_ranges=options.time_ranges)
    question = msgspec.json.encode([body.filters, body.query, order.fields, item.searchable])
    known = index.kept.get(question)
    if known is None:
        if len(index.kept) >= _KEPT:
            index.kept.clear()
        known = index.kept[question] = _matching(item, index, group, body.query, order)
    return known


def _matching(item: ObjectType, index: SearchIndex, group: Group, query: str, order: _Order) -> Sequence[Key]:
    ordering = index.ordering(order.fields)
    ids = _ids_by_value(index, group)
    keys = (
        _narrowed(ordering.keys, group, order)
        if ids is None
        else sorted(ordering.key(index.rows[each]) for each in ids)
    )
    passes = test_of(group)
    found = [key for key in keys if passes(index.rows[str(key[-1])])]
    if query:
        found = [key for key in found if _mentions(item, index.rows[str(key[-1])], query)]
    return found


def _ids_by_value(index: SearchIndex, group: Group) -> set[str] | None:
    """The few rows with a wanted value, for the usual `eq` on one property."""
    for leaf in required(group):
        is_plain = isinstance(leaf.value, str | int | float)
        if leaf.operator == "eq" and leaf.name.startswith("properties.") and is_plain:
            return index.ids_with(leaf.name, leaf.value)
    return None


def _narrowed(keys: Sequence[Key], group: Group, order: _Order) -> Sequence[Key]:
    """Only the part of the ordering that a time range on the sorted field leaves."""
    for leaf in required(group):
        if leaf.operator == "range" and order.fields == (leaf.name,) and leaf.name in TIMES:
            lows = [bound for name, bound in bounds_of(leaf).items() if name in {"gt", "gte"}]
            return keys[bisect_left(keys, (lows[0],)) :] if lows else keys
    return keys


def _mentions(item: ObjectType, row: Row, query: str) -> bool:
    """Whether each word stands in a searchable property; `name:Buddy` looks in that property alone."""
    for word in query.lower().split():
        key, colon, text = word.partition(":")
        keys = [key] if colon and key in item.searchable else list(item.searchable)
        wanted = text if colon and key in item.searchable else word
        values = (value for name in keys for value in values_of(row, f"properties.{name}"))
        if not any(wanted in str(value).lower() for value in values):
            return False
    return True


def _page(hits: Sequence[Key], body: _SearchBody, order: _Order) -> list[Key]:
    limit = body.page_limit
    skipped = (body.page - 1) * limit
    try:
        if order.is_descending:
            end = (
                bisect_left(hits, _key(order, body.search_after))
                if body.search_after
                else len(hits) - skipped
            )
            return list(reversed(hits[max(0, end - limit) : max(0, end)]))
        start = bisect_right(hits, _key(order, body.search_after)) if body.search_after else skipped
        return list(hits[start : start + limit])
    except (TypeError, ValueError):
        raise unprocessable("searchAfter does not fit the sort") from None


def _key(order: _Order, cursor: Sequence[object]) -> Key:
    """Where a cursor stands. Numbers may come as text, as the spec says they do."""
    *values, record_id = cursor
    if len(values) != len(order.fields):
        raise ValueError
    parts = zip(order.fields, values, strict=True)
    return *(int(str(value)) if field in TIMES else sortable(value) for field, value in parts), str(record_id)


def _cursor(order: _Order, key: Key) -> list[object]:
    cursor: list[object] = []
    for field, value in zip(order.fields, key, strict=False):
        cursor.append(value if field in TIMES else _plain(value))
    return [*cursor, key[-1]]


def _plain(value: object) -> object:
    """The property value behind a sort value."""
    if not isinstance(value, SortValue) or value.kind == 2:
        return None
    return value.number if value.kind == 0 else value.text
