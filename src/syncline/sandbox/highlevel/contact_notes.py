"""Notes of contacts: `/contacts/{contactId}/notes` (facts: highlevel-api.md 1.8). There is no list over a location."""

from __future__ import annotations

import msgspec

from syncline.sandbox.highlevel.bodies import read_body, refuse_query
from syncline.sandbox.highlevel.calls import Answer, Call
from syncline.sandbox.highlevel.contacts import addressed, missing, succeeded, user_of
from syncline.sandbox.highlevel.crm import Note
from syncline.sandbox.highlevel.crm_shapes import note_event, note_shape
from syncline.sandbox.highlevel.refusals import unprocessable
from syncline.sandbox.highlevel.state import World, iso
from syncline.sandbox.highlevel.webhooks import Event


class _New(msgspec.Struct, rename="camel"):
    body: str
    user_id: str = ""
    title: str = ""
    color: str = ""
    pinned: bool = False


class _Edit(msgspec.Struct, rename="camel"):
    body: str | None = None
    user_id: str | None = None
    title: str | None = None
    color: str | None = None
    pinned: bool | None = None


def list_notes(world: World, call: Call) -> Answer:
    """GET /contacts/{contactId}/notes."""
    refuse_query(call.request)
    _, crm, contact = addressed(world, call)
    return Answer(
        {"notes": [note_shape(each) for each in crm.notes.values() if each.contact_id == contact.id]}
    )


def post_note(world: World, call: Call) -> Answer:
    """POST /contacts/{contactId}/notes."""
    refuse_query(call.request)
    body = read_body(call.request, _New)
    location_id, _, contact = addressed(world, call)
    note = Note(
        id=world.ids.short(),
        contact_id=contact.id,
        body=body.body,
        added_at=iso(world.now_ms()),
        title=body.title,
        color=body.color,
        user_id=body.user_id,
        is_pinned=body.pinned,
    )
    return Answer({"note": note_shape(keep(world, location_id, note, Event.NOTE_CREATE))}, 201)


def get_note(world: World, call: Call) -> Answer:
    """GET /contacts/{contactId}/notes/{id}."""
    refuse_query(call.request)
    return Answer({"note": note_shape(_note(world, call)[1])})


def put_note(world: World, call: Call) -> Answer:
    """PUT /contacts/{contactId}/notes/{id}."""
    refuse_query(call.request)
    body = read_body(call.request, _Edit)
    location_id, note = _note(world, call)
    changed = msgspec.structs.replace(
        note,
        body=note.body if body.body is None else body.body,
        title=note.title if body.title is None else body.title,
        color=note.color if body.color is None else body.color,
        user_id=note.user_id if body.user_id is None else body.user_id,
        is_pinned=note.is_pinned if body.pinned is None else body.pinned,
    )
    return Answer({"note": note_shape(keep(world, location_id, changed, Event.NOTE_UPDATE))})


def delete_note(world: World, call: Call) -> Answer:
    """DELETE /contacts/{contactId}/notes/{id}."""
    refuse_query(call.request)
    location_id, note = _note(world, call)
    drop(world, location_id, note)
    return Answer({succeeded(call): True})


def keep(world: World, location_id: str, note: Note, event: Event) -> Note:
    """Keep a new or changed note, and tell of it. Raises 422."""
    if not note.body.strip():
        raise unprocessable("body should not be empty")
    if note.user_id:
        user_of(world, location_id, note.user_id, "userId")
    world.locations[location_id].crm.notes[note.id] = note
    world.webhooks.emit(event, location_id, lambda _: note_event(note, location_id))
    return note


def drop(world: World, location_id: str, note: Note) -> None:
    """Delete a note for good."""
    del world.locations[location_id].crm.notes[note.id]
    world.webhooks.emit(Event.NOTE_DELETE, location_id, lambda _: note_event(note, location_id))


def _note(world: World, call: Call) -> tuple[str, Note]:
    location_id, crm, contact = addressed(world, call)
    note = crm.notes.get(call.path["id"])
    if note is None or note.contact_id != contact.id:
        raise missing(world, "Note", call.path["id"])
    return location_id, note
