"""A change of a workspace item into the event that others are told.

Used by `connectors.workspace.account`, which keeps the event together with the change. Ids and the status stand beside each other
(`project_id`, `contract_id`, `status`...), so that a receiver need not ask again; field values and the title only under `values`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from syncline.core.outgoing import VALUES, Event, EventType
from syncline.core.workspace import FORMS, Item, ItemType, Plain

_LONGEST = 10_000


class Verb(Enum):
    """What became of an item."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"


def event_type(kind: ItemType, verb: Verb) -> EventType:
    """The type of event that tells of it."""
    return EventType(f"workspace.{kind.value}.{verb.value}")


def news(item: Item, verb: Verb, names: Iterable[str]) -> Event:
    """The event of one change; `names` are the fields that changed."""
    changed = sorted(names)
    data: dict[str, Any] = {
        **_ids(item),
        "kind": item.kind.value,
        "id": item.id,
        "revision": item.revision,
        "change": item.change,
        "last_modified": item.last_modified.isoformat(),
        "by": item.by,
        "fields": changed,
    }
    if "status" in item.fields:
        data["status"] = item.fields["status"]
    values = {name: item.fields.get(name) for name in changed if not _is_long(item.fields.get(name))}
    data[VALUES] = {"title": item.title, "fields": values}
    return Event(event_type(item.kind, verb), item.last_modified, data)


def _is_long(value: Plain | None) -> bool:
    """A whole document goes into no event: whoever is told that it changed asks for it."""
    return isinstance(value, str) and len(value) > _LONGEST


def _ids(item: Item) -> dict[str, str]:
    """The item and those that it points to, by their kinds: `task_id`, `project_id`."""
    ids = {f"{item.kind.value}_id": item.id}
    if item.parent is not None:
        ids[f"{item.parent.kind.value}_id"] = item.parent.id
    for field in FORMS[item.kind].fields:
        found = item.fields.get(field.name)
        if field.references is not None and isinstance(found, str):
            ids.setdefault(f"{field.name}_id", found)
    return ids


def sample(kind: ItemType) -> Mapping[str, Any]:
    """What the data of an event about such an item looks like."""
    form = FORMS[kind]
    parents = {f"{parent.value}_id": f"{parent.value}-3" for parent in form.parents[:1]}
    status = form.field("status")
    return {
        f"{kind.value}_id": f"{kind.value}-12",
        **parents,
        "kind": kind.value,
        "id": f"{kind.value}-12",
        "revision": 2,
        "change": 40,
        "last_modified": "2026-03-02T09:00:00+00:00",
        "by": "anna@example.test",
        "fields": [form.title_field],
        **({"status": status.options[0].key} if status is not None else {}),
    }
