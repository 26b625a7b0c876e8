"""Creates, reads, changes and deletes contacts: `/contacts/` and its tags (facts: highlevel-api.md 1.8, 1.9).

A contact is a row whose properties are the vendor's own keys. Unlike a record's, an update of `tags` replaces all tags;
single ones are added and removed by calls of their own. Deleting a contact takes its tasks and notes along.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

import msgspec

from syncline.sandbox.highlevel.bodies import read_body, refuse_query
from syncline.sandbox.highlevel.calls import Answer, Call
from syncline.sandbox.highlevel.crm import Crm, Model, changed_row, new_row
from syncline.sandbox.highlevel.crm_shapes import contact_event, contact_shape, new_contact_shape
from syncline.sandbox.highlevel.jsons import as_list, as_object, as_texts
from syncline.sandbox.highlevel.location_fields import phone_of, values_after
from syncline.sandbox.highlevel.records import Author, integration
from syncline.sandbox.highlevel.refusals import RefusalError, bad_request, foreign_location, unprocessable
from syncline.sandbox.highlevel.state import World, iso
from syncline.sandbox.highlevel.table import Row
from syncline.sandbox.highlevel.webhooks import Event

NAMES = ("firstName", "lastName")
TEXTS = (
    *NAMES,
    "email",
    "phone",
    "address1",
    "city",
    "state",
    "country",
    "postalCode",
    "website",
    "timezone",
    "source",
    "companyName",
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_UNNAMED = "Contacts without email, phone, firstName and lastName are not allowed."
_DUPLICATED = "This location does not allow duplicated contacts."
_DAY_FORMS = ("%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%m-%d-%Y", "%Y.%m.%d", "%m.%d.%Y", "%Y_%m_%d", "%m_%d_%Y")


class _Edit(msgspec.Struct, rename="camel", omit_defaults=True):
    """The body of an update. The official files leave `companyName` out."""

    first_name: str | msgspec.UnsetType | None = msgspec.UNSET
    last_name: str | msgspec.UnsetType | None = msgspec.UNSET
    name: str | msgspec.UnsetType | None = msgspec.UNSET
    email: str | msgspec.UnsetType | None = msgspec.UNSET
    phone: str | msgspec.UnsetType | None = msgspec.UNSET
    address1: str | msgspec.UnsetType | None = msgspec.UNSET
    city: str | msgspec.UnsetType | None = msgspec.UNSET
    state: str | msgspec.UnsetType | None = msgspec.UNSET
    country: str | msgspec.UnsetType = msgspec.UNSET
    postal_code: str | msgspec.UnsetType = msgspec.UNSET
    website: str | msgspec.UnsetType | None = msgspec.UNSET
    timezone: str | msgspec.UnsetType | None = msgspec.UNSET
    source: str | msgspec.UnsetType | None = msgspec.UNSET
    dnd: bool | msgspec.UnsetType = msgspec.UNSET
    date_of_birth: str | msgspec.UnsetType | None = msgspec.UNSET
    assigned_to: str | msgspec.UnsetType | None = msgspec.UNSET
    tags: list[str] | msgspec.UnsetType = msgspec.UNSET
    custom_fields: list[object] | msgspec.UnsetType = msgspec.UNSET


class _New(_Edit, rename="camel", omit_defaults=True, kw_only=True):
    location_id: str
    company_name: str | msgspec.UnsetType = msgspec.UNSET
    gender: str | msgspec.UnsetType = msgspec.UNSET


class _Tags(msgspec.Struct):
    tags: list[str]


def post_contact(world: World, call: Call) -> Answer:
    """POST /contacts/."""
    refuse_query(call.request)
    body = read_body(call.request, _New)
    location_id = call.location(world, body.location_id)
    given = {name: value for name, value in _given(body).items() if name not in {"locationId", "gender"}}
    row = create(world, location_id, given, integration(world, call))
    shape = contact_shape(row, location_id) if call.is_v3 else new_contact_shape(row, location_id)
    return Answer({"contact": shape}, 201)


def get_contact(world: World, call: Call) -> Answer:
    """GET /contacts/{contactId}."""
    refuse_query(call.request)
    location_id, _, row = addressed(world, call)
    return Answer({"contact": contact_shape(row, location_id)})


def put_contact(world: World, call: Call) -> Answer:
    """PUT /contacts/{contactId}; keys that are not sent stay as they are."""
    refuse_query(call.request)
    body = read_body(call.request, _Edit)
    location_id, _, row = addressed(world, call)
    after = update(world, location_id, row, _given(body), integration(world, call))
    return Answer({succeeded(call): True, "contact": contact_shape(after, location_id)})


def delete_contact(world: World, call: Call) -> Answer:
    """DELETE /contacts/{contactId}."""
    refuse_query(call.request)
    location_id, _, row = addressed(world, call)
    delete(world, location_id, row)
    return Answer({succeeded(call): True})


def post_tags(world: World, call: Call) -> Answer:
    """POST /contacts/{contactId}/tags: adds, and answers all."""
    refuse_query(call.request)
    given = read_body(call.request, _Tags).tags
    return Answer({"tags": _retagged(world, call, given, is_added=True)}, 201)


def delete_tags(world: World, call: Call) -> Answer:
    """DELETE /contacts/{contactId}/tags: removes, and answers what is left."""
    refuse_query(call.request)
    given = read_body(call.request, _Tags).tags
    return Answer({"tags": _retagged(world, call, given, is_added=False)})


def addressed(world: World, call: Call) -> tuple[str, Crm, Row]:
    """The contact of the path. How a missing one is refused is unconfirmed (`Options.missing_crm_status`)."""
    location_id = call.location(world)
    crm = world.locations[location_id].crm
    contact_id = call.path["contactId"]
    row = crm.contacts.rows.get(contact_id)
    if row is None:
        if any(contact_id in other.crm.contacts.rows for other in world.locations.values()):
            raise foreign_location()
        raise missing(world, "Contact", contact_id)
    return location_id, crm, row


def missing(world: World, what: str, key: str) -> RefusalError:
    """The refusal of an id that nothing has."""
    return RefusalError(world.options.missing_crm_status, f"{what} with id {key} not found")


def succeeded(call: Call) -> str:
    """The key that says so; misspelt before v3."""
    return "succeeded" if call.is_v3 else "succeded"


def create(
    world: World, location_id: str, given: Mapping[str, object], author: Author, *, is_silent: bool = False
) -> Row:
    """Make a contact. Raises 400 for a duplicate where the location allows none."""
    crm = world.locations[location_id].crm
    properties = _applied(world, location_id, {}, given)
    if not any(properties.get(name) for name in ("email", "phone", *NAMES)):
        raise bad_request(_UNNAMED)
    _require_single(crm, properties, "")
    now = world.now_ms()
    row = new_row(world.ids.short(), properties, now, author.stamp(iso(now)))
    crm.contacts.put(row, now)
    if not is_silent:
        tell(world, Event.CONTACT_CREATE, location_id, row)
    return row


def update(world: World, location_id: str, row: Row, given: Mapping[str, object], author: Author) -> Row:
    """Change what is given and nothing else."""
    crm = world.locations[location_id].crm
    properties = _applied(world, location_id, row.properties, given)
    if any(properties.get(name) != row.properties.get(name) for name in ("email", "phone")):
        _require_single(crm, properties, row.id)
    return _put(world, location_id, row, properties, author)


def delete(world: World, location_id: str, row: Row) -> None:
    """Delete a contact with its tasks and notes, of which no event tells."""
    crm = world.locations[location_id].crm
    crm.contacts.drop(row.id, world.now_ms())
    crm.tasks = {key: each for key, each in crm.tasks.items() if each.contact_id != row.id}
    crm.notes = {key: each for key, each in crm.notes.items() if each.contact_id != row.id}
    tell(world, Event.CONTACT_DELETE, location_id, row)


def user_of(world: World, location_id: str, value: str, name: str) -> str:
    """A user of the location. Raises 422 naming the field."""
    user = world.users.get(value)
    if user is None or location_id not in user.location_ids:
        raise unprocessable(f"{name} must be the id of a user of the location")
    return value


def tell(world: World, event: Event, location_id: str, row: Row) -> None:
    """Send an event about a contact."""
    world.webhooks.emit(event, location_id, lambda _: contact_event(row, location_id))


def _given(body: _Edit) -> dict[str, object]:
    """What the body holds, by the vendor's keys; a `name` as its two parts."""
    found = as_object(msgspec.to_builtins(body)) or {}
    if "name" in found:
        first, _, last = str(found.pop("name") or "").partition(" ")
        found = {"firstName": first, "lastName": last, **found}
    return found


def _put(world: World, location_id: str, row: Row, properties: dict[str, object], author: Author) -> Row:
    now = world.now_ms()
    after = changed_row(row, properties, now, author.stamp(iso(now)))
    world.locations[location_id].crm.contacts.put(after, now)
    if properties.get("tags") != row.properties.get("tags"):
        tell(world, Event.CONTACT_TAGS, location_id, after)
    tell(world, Event.CONTACT_UPDATE, location_id, after)
    return after


def _retagged(world: World, call: Call, given: list[str], *, is_added: bool) -> list[str]:
    location_id, _, row = addressed(world, call)
    before, named = as_texts(row.properties.get("tags", [])) or [], [_tag(world, each) for each in given]
    kept = [tag for tag in before if is_added or tag not in named]
    tags = list(dict.fromkeys([*kept, *(named if is_added else ())]))
    if tags != before:
        properties = _applied(world, location_id, row.properties, {"tags": tags})
        _put(world, location_id, row, properties, integration(world, call))
    return tags


def _applied(
    world: World, location_id: str, before: Mapping[str, object], given: Mapping[str, object]
) -> dict[str, object]:
    """The properties after a write. What is null or empty is not kept at all."""
    crm, after = world.locations[location_id].crm, dict(before)
    for name, value in given.items():
        kept = _kept(world, location_id, name, value)
        if name == "customFields":
            kept = (
                values_after(crm, Model.CONTACT, as_object(before.get(name)) or {}, as_list(value) or ())
                or None
            )
        after.pop(name, None)
        if kept is not None:
            after[name] = kept
    return after


def _kept(world: World, location_id: str, name: str, value: object) -> object:
    if value is None or value in ("", []):
        return None
    if name == "tags":
        tags = list(dict.fromkeys(_tag(world, tag) for tag in as_texts(value) or ()))
        for tag in tags:
            known = world.locations[location_id].crm.tags
            known[tag] = known.get(tag) or world.ids.short()
        return tags
    if not isinstance(value, str):
        return value
    if name == "email" and not _EMAIL.fullmatch(value):
        raise unprocessable("email must be an email")
    if name == "phone":
        return phone_of(value, "phone")
    if name == "dateOfBirth":
        return _day(value)
    return user_of(world, location_id, value, name) if name == "assignedTo" else value


def _tag(world: World, tag: str) -> str:
    return tag.lower() if world.options.lowercase_tags else tag


def _day(value: str) -> str:
    for form in _DAY_FORMS:
        try:
            return dt.datetime.strptime(value, form).replace(tzinfo=dt.UTC).date().isoformat()
        except ValueError:
            continue
    raise unprocessable("dateOfBirth must be a valid date")


def _require_single(crm: Crm, properties: Mapping[str, object], own_id: str) -> None:
    """Nobody else may have the e-mail address or the phone number, unless the location allows it."""
    if crm.allows_duplicates:
        return
    for name in ("email", "phone"):
        wanted = str(properties.get(name, "")).casefold()
        for row in crm.contacts.rows.values():
            if wanted and row.id != own_id and str(row.properties.get(name, "")).casefold() == wanted:
                raise _duplicated(row, name)


def _duplicated(row: Row, name: str) -> RefusalError:
    """With the contact that is there already, as live answers have it."""
    full = " ".join(str(row.properties[part]) for part in NAMES if part in row.properties)
    meta = {"contactId": row.id, "contactName": full, "matchingField": name}
    return RefusalError(400, _DUPLICATED, {"statusCode": 400, "message": _DUPLICATED, "meta": meta})
