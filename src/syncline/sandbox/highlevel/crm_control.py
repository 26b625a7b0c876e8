"""Control actions of the CRM that a person does in the web app, and its settings. Collected by `control`.

`make_crm`, `edit_crm` and `drop_crm` take a `kind` (contact, opportunity, task, note) and the vendor's own keys as `values`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from syncline.sandbox.highlevel import contact_notes, contact_tasks, contacts, location_fields, opportunities
from syncline.sandbox.highlevel.crm import Crm, Note, Task
from syncline.sandbox.highlevel.crm_shapes import pipeline_shape
from syncline.sandbox.highlevel.records import Author
from syncline.sandbox.highlevel.state import World, iso
from syncline.sandbox.highlevel.webhooks import Event


class _At(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    location: str | None = None


class _Wish(_At, frozen=True, forbid_unknown_fields=True, kw_only=True):
    kind: str
    id: str = ""
    values: dict[str, object] = {}


class _Field(_At, frozen=True, forbid_unknown_fields=True, kw_only=True):
    model: str
    name: str
    type: str
    options: list[str] = []


class _Setting(_At, frozen=True, forbid_unknown_fields=True, kw_only=True):
    is_allowed: bool


def _make(world: World, args: dict[str, object]) -> object:
    wish, location_id, crm = _read(world, args)
    values = wish.values
    match wish.kind:
        case "contact":
            return {"id": contacts.create(world, location_id, values, _person(world)).id}
        case "opportunity":
            first = next(iter(crm.pipelines))
            whole = {"status": "open", "pipelineId": first, **values}
            return {"id": opportunities.create(world, location_id, whole, _person(world)).id}
        case "task":
            now = iso(world.now_ms())
            task = Task(
                world.ids.short(), str(values["contactId"]), "", now, is_completed=False, added_at=now
            )
            return {"id": contact_tasks.create(world, location_id, _edited_task(task, values)).id}
        case _:
            note = Note(world.ids.short(), str(values["contactId"]), "", iso(world.now_ms()))
            return {
                "id": contact_notes.keep(world, location_id, _edited_note(note, values), Event.NOTE_CREATE).id
            }


def _edit(world: World, args: dict[str, object]) -> object:
    wish, location_id, crm = _read(world, args)
    match wish.kind:
        case "contact":
            contacts.update(world, location_id, crm.contacts.rows[wish.id], wish.values, _person(world))
        case "opportunity":
            row = crm.opportunities.rows[wish.id]
            opportunities.update(world, location_id, row, wish.values, _person(world))
        case "task":
            contact_tasks.update(world, location_id, _edited_task(crm.tasks[wish.id], wish.values))
        case _:
            note = _edited_note(crm.notes[wish.id], wish.values)
            contact_notes.keep(world, location_id, note, Event.NOTE_UPDATE)
    return {"id": wish.id}


def _drop(world: World, args: dict[str, object]) -> object:
    wish, location_id, crm = _read(world, args)
    match wish.kind:
        case "contact":
            contacts.delete(world, location_id, crm.contacts.rows[wish.id])
        case "opportunity":
            opportunities.delete(world, location_id, crm.opportunities.rows[wish.id])
        case "task":
            contact_tasks.delete(world, location_id, crm.tasks[wish.id])
        case _:
            contact_notes.drop(world, location_id, crm.notes[wish.id])
    return {"id": wish.id}


def _location_field(world: World, args: dict[str, object]) -> object:
    wish = msgspec.convert(args, _Field)
    location_id = _location(world, wish.location)
    body = location_fields.NewLocationField(
        name=wish.name, data_type=wish.type, model=wish.model, text_box_list_options=list(wish.options)
    )
    made = location_fields.create_field(world, world.locations[location_id].crm, body)
    return location_fields.field_shape(made, location_id)


def _allow_duplicates(world: World, args: dict[str, object]) -> object:
    """The location's setting *Allow Duplicate Contact*."""
    wish = msgspec.convert(args, _Setting)
    world.locations[_location(world, wish.location)].crm.allows_duplicates = wish.is_allowed
    return {"is_allowed": wish.is_allowed}


def _pipelines(world: World, args: dict[str, object]) -> object:
    """The pipelines with their stages."""
    location_id = _location(world, msgspec.convert(args, _At).location)
    lines = world.locations[location_id].crm.pipelines.values()
    return {"pipelines": [pipeline_shape(each, location_id) for each in lines]}


ACTIONS: Mapping[str, Callable[[World, dict[str, object]], object]] = MappingProxyType(
    {
        "make_crm": _make,
        "edit_crm": _edit,
        "drop_crm": _drop,
        "pipelines": _pipelines,
        "create_location_field": _location_field,
        "allow_duplicate_contacts": _allow_duplicates,
    }
)


def _read(world: World, args: dict[str, object]) -> tuple[_Wish, str, Crm]:
    wish = msgspec.convert(args, _Wish)
    if wish.kind not in {"contact", "opportunity", "task", "note"}:
        raise ValueError(f"There is no kind {wish.kind!r}; there are contact, opportunity, task and note.")
    location_id = _location(world, wish.location)
    crm = world.locations[location_id].crm
    held = {
        "contact": crm.contacts.rows,
        "opportunity": crm.opportunities.rows,
        "task": crm.tasks,
        "note": crm.notes,
    }[wish.kind]
    if wish.id and wish.id not in held:
        raise ValueError(f"There is no {wish.kind} {wish.id!r}.")
    return wish, location_id, crm


def _location(world: World, location_id: str | None) -> str:
    chosen = location_id or next(iter(world.locations))
    if chosen not in world.locations:
        raise ValueError(f"There is no location {chosen!r}.")
    return chosen


def _person(world: World) -> Author:
    return Author("WEB_USER", world.options.human_source, next(iter(world.users)))


def _edited_task(task: Task, values: Mapping[str, object]) -> Task:
    names = {
        "title": "title",
        "body": "body",
        "dueDate": "due",
        "completed": "is_completed",
        "assignedTo": "assigned_to",
    }
    return msgspec.structs.replace(
        task, **{names[key]: value for key, value in values.items() if key in names}
    )


def _edited_note(note: Note, values: Mapping[str, object]) -> Note:
    names = {"body": "body", "title": "title", "color": "color", "pinned": "is_pinned", "userId": "user_id"}
    return msgspec.structs.replace(
        note, **{names[key]: value for key, value in values.items() if key in names}
    )
