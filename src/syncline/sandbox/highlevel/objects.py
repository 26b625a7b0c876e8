"""Lists, reads, makes and changes objects: GET/POST /objects/, GET/PUT /objects/{key} (facts: highlevel-api.md 1.4)."""

from __future__ import annotations

import msgspec

from syncline.sandbox.highlevel.bodies import read_body, read_query, refuse_query
from syncline.sandbox.highlevel.calls import Answer, Call
from syncline.sandbox.highlevel.ids import key_of
from syncline.sandbox.highlevel.refusals import bad_request, unprocessable
from syncline.sandbox.highlevel.shapes import field_shape, object_event, object_shape
from syncline.sandbox.highlevel.state import CUSTOM_PREFIX, DataType, Field, Folder, ObjectType, World
from syncline.sandbox.highlevel.webhooks import Event

MAX_CUSTOM_OBJECTS = 10


class Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an object is called."""

    singular: str
    plural: str


class Primary(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The field that names a record."""

    key: str
    name: str
    data_type: str


class NewObject(msgspec.Struct, frozen=True, rename="camel"):
    """The body of a create."""

    labels: Labels
    key: str
    location_id: str
    primary_display_property_details: Primary
    description: str | None = None


class _LabelsEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    singular: str | None = None
    plural: str | None = None


class _ObjectEdit(msgspec.Struct, frozen=True, rename="camel"):
    location_id: str
    searchable_properties: list[str]
    labels: _LabelsEdit | None = None
    description: str | msgspec.UnsetType | None = msgspec.UNSET


class _ListQuery(msgspec.Struct, frozen=True, rename="camel"):
    location_id: str


class _ReadQuery(msgspec.Struct, frozen=True, rename="camel"):
    location_id: str
    fetch_properties: str = "false"


def list_objects(world: World, call: Call) -> Answer:
    """Standard and custom objects of a location."""
    query = read_query(call.request, _ListQuery)
    location = world.locations[call.location(world, query.location_id)]
    return Answer({"objects": [object_shape(item) for item in location.objects.values()]})


def get_object(world: World, call: Call) -> Answer:
    """One object, with its fields when `fetchProperties=true`. `cache` says that the answer may be old."""
    query = read_query(call.request, _ReadQuery)
    item = world.object_of(call.location(world, query.location_id), call.path["key"])
    shape, is_cached = _schema(world, item)
    data: dict[str, object] = {"object": shape["object"], "cache": is_cached}
    return Answer(data | ({"fields": shape["fields"]} if query.fetch_properties == "true" else {}))


def post_object(world: World, call: Call) -> Answer:
    """A new custom object with its first field."""
    refuse_query(call.request)
    body = read_body(call.request, NewObject)
    location_id = call.location(world, body.location_id)
    return Answer({"object": object_shape(create_object(world, location_id, body))}, 201)


def put_object(world: World, call: Call) -> Answer:
    """Other labels, description or searchable properties."""
    refuse_query(call.request)
    body = read_body(call.request, _ObjectEdit)
    item = world.object_of(call.location(world, body.location_id), call.path["key"])
    item.searchable = tuple(_short_key(item, key) for key in body.searchable_properties)
    if body.labels is not None:
        item.singular = body.labels.singular or item.singular
        item.plural = body.labels.plural or item.plural
    if body.description is not msgspec.UNSET:
        item.description = body.description
    item.updated_ms = world.now_ms()
    world.webhooks.emit(
        Event.OBJECT_UPDATE, item.location_id, lambda timestamp: object_event(item, timestamp)
    )
    return Answer({"object": object_shape(item)})


def create_object(world: World, location_id: str, body: NewObject) -> ObjectType:
    """Make a custom object; its key is the vendor's own reading of the wished one. Raises 400 and 422."""
    primary = body.primary_display_property_details
    if primary.data_type not in {"TEXT", "NUMERICAL"}:
        raise unprocessable("dataType must be one of the following values: TEXT, NUMERICAL")
    objects = world.locations[location_id].objects
    if sum(not item.is_standard for item in objects.values()) >= MAX_CUSTOM_OBJECTS:
        raise bad_request(f"Maximum limit of {MAX_CUSTOM_OBJECTS} custom objects reached")
    name = key_of(body.key.removeprefix(CUSTOM_PREFIX))
    short = key_of(primary.key.rpartition(".")[2])
    if not name or not short:
        raise bad_request("key is invalid")
    if CUSTOM_PREFIX + name in objects:
        raise bad_request(f"Object with key {CUSTOM_PREFIX + name} already exists")
    now = world.now_ms()
    item = ObjectType(
        id=world.ids.object_id(now),
        key=CUSTOM_PREFIX + name,
        location_id=location_id,
        singular=body.labels.singular,
        plural=body.labels.plural,
        primary=short,
        added_ms=now,
        updated_ms=now,
        description=body.description,
        searchable=(short,),
    )
    folder = Folder(world.ids.short(), "General")
    item.folders[folder.id] = folder
    item.fields[short] = Field(
        world.ids.short(), short, primary.name, DataType(primary.data_type), folder.id, now, now
    )
    objects[item.key] = item
    world.webhooks.emit(Event.OBJECT_CREATE, location_id, lambda timestamp: object_event(item, timestamp))
    return item


def _schema(world: World, item: ObjectType) -> tuple[dict[str, object], bool]:
    """The object and its fields, from the cache while that lasts."""
    now = world.now_ms()
    lifetime_ms = world.options.schema_cache_seconds * 1000
    if item.cached is not None and now - item.cached[0] < lifetime_ms:
        return item.cached[1], True
    fields = [field_shape(item, field) for field in item.fields.values()]
    shape: dict[str, object] = {"object": object_shape(item), "fields": fields}
    item.cached = now, shape
    return shape, False


def _short_key(item: ObjectType, full: str) -> str:
    short = full.removeprefix(f"{item.key}.")
    if short == full or short not in item.fields:
        raise bad_request(f"Property {full} not found")
    return short
