"""A part of what something is called into everything that is called so: in the workspace, and among the records that syncs know.

Called by `web.search`. First the workspace's items, last changed first; then records, in the order in which they were first seen.
A place says where the next page begins.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

import msgspec

from syncline.bootstrap import Installation
from syncline.core.records import Side
from syncline.core.workspace import Item, ItemType, Plain
from syncline.errors import Refusal, RequestError
from syncline.ports import FoundRecord, Store

RECORD = "record"
"""The kind of what a sync knows."""

_WORKSPACE = "workspace"
_PATHS: Mapping[ItemType, str] = {
    ItemType.PROJECT: "projects",
    ItemType.DOCUMENT: "documents",
    ItemType.CONTRACT: "contracts",
    ItemType.MILESTONE: "milestones",
    ItemType.LEAD: "leads",
    ItemType.TASK: "tasks",
    ItemType.PERSON: "people",
}


class Hit(msgspec.Struct, frozen=True):
    """Something that was found. `connection` is whose it is, `object` its object type there; `sync` and `side` are those that know
    a record; `field` is where the text stands in an item; `path` is where the API tells more."""

    kind: str
    connection: str
    object: str
    key: str
    title: str
    field: str | None
    sync: str | None
    side: Side | None
    last_modified: dt.datetime | None
    path: str
    place: str


class Asked(msgspec.Struct, frozen=True):
    """What is searched: a text, one kind or all, from which place on, so many at most; records only `with_records`."""

    text: str
    kind: str | None
    place: str
    most: int
    with_records: bool


def search(installation: Installation, asked: Asked) -> Sequence[Hit]:
    """What is called so. Raises `RequestError` for a place that is none."""
    phase, number = _place(asked.place)
    found = list[Hit]()
    if phase == "i" and asked.kind != RECORD:
        found += _some(_items(installation.store, asked, number or None), asked.most)
    wants_records = asked.with_records and asked.kind in (None, RECORD)
    if wants_records and len(found) < asked.most:
        found += _some(_records(installation, asked, number if phase == "r" else 0), asked.most - len(found))
    return found


def _some(hits: Iterator[Hit], most: int) -> list[Hit]:
    return [hit for hit, _ in zip(hits, range(most), strict=False)]


def _items(store: Store, asked: Asked, before: int | None) -> Iterator[Hit]:
    while found := store.search_items(asked.text, asked.most, before):
        for item in found:
            field = _holding(item, asked.text)
            if field is not None and asked.kind in (None, item.kind.value):
                yield _item(item, field)
        before = found[-1].change


def _records(installation: Installation, asked: Asked, after: int) -> Iterator[Hit]:
    config = installation.config
    while found := installation.store.search_records(asked.text, asked.most, after):
        for record in found:
            sync = config.syncs.get(record.sync)
            if sync is None:
                continue
            end = sync.left if record.side is Side.LEFT else sync.right
            connection = config.connections.get(end.connection)
            # What lies in the workspace was found there.
            if connection is not None and str(connection.vendor) != _WORKSPACE:
                yield _record(record, end.connection, end.object)
        after = found[-1].id


def _holding(item: Item, text: str) -> str | None:
    """The field that holds a text; None where only the name of one does."""
    wanted = text.casefold()
    return next((name for name, value in item.fields.items() if wanted in _read(value).casefold()), None)


def _read(value: Plain) -> str:
    if isinstance(value, dict):
        return value.get("amount", "")
    return "\n".join(value) if isinstance(value, list) else str(value)


def _item(item: Item, field: str) -> Hit:
    above = f"/{_PATHS[item.parent.kind]}/{item.parent.id}" if item.parent is not None else ""
    return Hit(
        kind=item.kind.value,
        connection=_WORKSPACE,
        object=item.kind.value,
        key=item.id,
        title=item.title,
        field=field,
        sync=None,
        side=None,
        last_modified=item.last_modified,
        path=f"/api/v1{above}/{_PATHS[item.kind]}/{item.id}",
        place=f"i{item.change}",
    )


def _record(record: FoundRecord, connection: str, object_type: str) -> Hit:
    sync, key = quote(record.sync, safe=""), quote(record.key, safe="")
    return Hit(
        kind=RECORD,
        connection=connection,
        object=object_type,
        key=record.key,
        title=record.title,
        field=None,
        sync=record.sync,
        side=record.side,
        last_modified=record.updated_at,
        path=f"/api/v1/syncs/{sync}/records/{key}/explanation",
        place=f"r{record.id}",
    )


def _place(place: str) -> tuple[str, int]:
    if not place:
        return "i", 0
    phase, number = place[:1], place[1:]
    if phase not in ("i", "r") or not number.isdecimal() or len(number) > len(str(2**62)) - 1:
        raise RequestError("The cursor is not one of this list.", Refusal.CURSOR)
    return phase, int(number)
