"""Reads, makes, changes and deletes custom fields and their folders (facts: highlevel-api.md 1.5).

Served for custom objects and `business` only. Keys of fields and options are the vendor's own reading of names.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from syncline.sandbox.highlevel.bodies import read_body, read_query, refuse_query
from syncline.sandbox.highlevel.calls import Answer, Call
from syncline.sandbox.highlevel.ids import key_of
from syncline.sandbox.highlevel.refusals import bad_request, not_found, unprocessable
from syncline.sandbox.highlevel.shapes import field_shape, folder_shape
from syncline.sandbox.highlevel.state import (
    OPTION_TYPES,
    UNIQUE_TYPES,
    DataType,
    Field,
    Folder,
    ObjectType,
    Option,
    World,
)

MAX_UNIQUE = 10
_FORMATS = frozenset(
    {".pdf", ".docx", ".doc", ".jpg", ".jpeg", ".png", ".gif", ".csv", ".xlsx", ".xls", "all"}
)


class OptionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One choice in a request."""

    label: str
    key: str = ""
    url: str = ""


class NewField(msgspec.Struct, frozen=True, rename="camel"):
    """The body of a create."""

    location_id: str
    show_in_forms: bool
    data_type: str
    field_key: str
    object_key: str
    parent_id: str
    name: str | None = None
    description: str | None = None
    placeholder: str | None = None
    options: list[OptionBody] | None = None
    accepted_formats: str | None = None
    max_file_limit: int | None = None
    allow_custom_option: bool | None = None


class _FieldEdit(msgspec.Struct, frozen=True, rename="camel"):
    location_id: str
    show_in_forms: bool
    name: str | None = None
    description: str | None = None
    placeholder: str | None = None
    options: list[OptionBody] | None = None
    accepted_formats: str | None = None
    max_file_limit: int | None = None


class _NewFolder(msgspec.Struct, frozen=True, rename="camel"):
    object_key: str
    name: str
    location_id: str


class _FolderEdit(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    location_id: str


class _LocationQuery(msgspec.Struct, frozen=True, rename="camel"):
    location_id: str


def list_fields(world: World, call: Call) -> Answer:
    """GET /custom-fields/object-key/{objectKey}."""
    query = read_query(call.request, _LocationQuery)
    item = _fielded(world, call.location(world, query.location_id), call.path["objectKey"])
    return Answer(
        {
            "fields": [field_shape(item, field) for field in item.fields.values()],
            "folders": [folder_shape(item, folder) for folder in item.folders.values()],
        }
    )


def get_field(world: World, call: Call) -> Answer:
    """GET /custom-fields/{id}: a field, or a folder."""
    refuse_query(call.request)
    location_id = call.location(world)
    for item in world.locations[location_id].objects.values():
        if call.path["id"] in item.folders:
            return Answer({"field": folder_shape(item, item.folders[call.path["id"]])})
    item, field = _by_id(world, location_id, call.path["id"])
    return Answer({"field": field_shape(item, field)})


def post_field(world: World, call: Call) -> Answer:
    """POST /custom-fields/."""
    refuse_query(call.request)
    body = read_body(call.request, NewField)
    item = _fielded(world, call.location(world, body.location_id), body.object_key)
    return Answer({"field": field_shape(item, create_field(world, item, body))}, 201)


def put_field(world: World, call: Call) -> Answer:
    """PUT /custom-fields/{id}. `options` replaces, and has to contain all that are there."""
    refuse_query(call.request)
    body = read_body(call.request, _FieldEdit)
    item, field = _by_id(world, call.location(world, body.location_id), call.path["id"])
    _check_formats(body.accepted_formats)
    options = field.options
    if body.options is not None:
        options = _extended(field, body.options, keeps_keys=world.options.keep_option_keys)
    changed = msgspec.structs.replace(
        field,
        name=body.name if body.name is not None else field.name,
        show_in_forms=body.show_in_forms,
        description=body.description if body.description is not None else field.description,
        placeholder=body.placeholder if body.placeholder is not None else field.placeholder,
        options=options,
        accepted_formats=body.accepted_formats or field.accepted_formats,
        max_file_limit=body.max_file_limit if body.max_file_limit is not None else field.max_file_limit,
        updated_ms=world.now_ms(),
    )
    item.fields[field.key] = changed
    return Answer({"field": field_shape(item, changed)})


def delete_field(world: World, call: Call) -> Answer:
    """DELETE /custom-fields/{id}. The answer's key is misspelt by the vendor."""
    refuse_query(call.request)
    item, field = _by_id(world, call.location(world), call.path["id"])
    if field.key == item.primary:
        raise bad_request("Primary display property cannot be deleted")
    del item.fields[field.key]
    item.searchable = tuple(key for key in item.searchable if key != field.key)
    item.table.forget_field(field.key, world.now_ms())
    return Answer({"succeded": True, "id": field.id, "key": item.full_key(field.key)})


def post_folder(world: World, call: Call) -> Answer:
    """POST /custom-fields/folder."""
    refuse_query(call.request)
    body = read_body(call.request, _NewFolder)
    item = _fielded(world, call.location(world, body.location_id), body.object_key)
    if any(folder.name == body.name for folder in item.folders.values()):
        raise bad_request(f"Folder {body.name} already exists")
    folder = Folder(world.ids.short(), body.name)
    item.folders[folder.id] = folder
    return Answer(folder_shape(item, folder), 201)


def put_folder(world: World, call: Call) -> Answer:
    """PUT /custom-fields/folder/{id}."""
    refuse_query(call.request)
    body = read_body(call.request, _FolderEdit)
    item = _by_folder(world, call.location(world, body.location_id), call.path["id"])
    item.folders[call.path["id"]] = Folder(call.path["id"], body.name)
    return Answer(folder_shape(item, item.folders[call.path["id"]]))


def delete_folder(world: World, call: Call) -> Answer:
    """DELETE /custom-fields/folder/{id}?locationId=..., for an empty folder."""
    query = read_query(call.request, _LocationQuery)
    item = _by_folder(world, call.location(world, query.location_id), call.path["id"])
    if any(field.parent_id == call.path["id"] for field in item.fields.values()):
        raise bad_request("Folder is not empty")
    folder = item.folders.pop(call.path["id"])
    return Answer({"succeded": True, "id": folder.id, "key": item.full_key(key_of(folder.name))})


def create_field(world: World, item: ObjectType, body: NewField) -> Field:
    """Make a field. Raises 400 and 422."""
    data_type = _data_type(body.data_type)
    _check_formats(body.accepted_formats)
    if (data_type in OPTION_TYPES) != bool(body.options):
        raise unprocessable(f"options should {'not ' if data_type in OPTION_TYPES else ''}be empty")
    if body.parent_id not in item.folders:
        raise bad_request("Parent folder not found")
    from_name = world.options.field_keys_from_names and body.name
    key = key_of(body.name or "") if from_name else key_of(body.field_key.rpartition(".")[2])
    if not key:
        raise bad_request("fieldKey is invalid")
    if key in item.fields:
        raise bad_request(f"Field with key {item.full_key(key)} already exists")
    now = world.now_ms()
    field = Field(
        id=world.ids.short(),
        key=key,
        name=body.name or key,
        data_type=data_type,
        parent_id=body.parent_id,
        added_ms=now,
        updated_ms=now,
        show_in_forms=body.show_in_forms,
        description=body.description,
        placeholder=body.placeholder,
        options=_made((), body.options or [], keeps_keys=world.options.keep_option_keys),
        accepted_formats=body.accepted_formats,
        max_file_limit=body.max_file_limit,
        allow_custom_option=body.allow_custom_option,
    )
    item.fields[key] = field
    return field


def make_unique(item: ObjectType, key: str) -> None:
    """Make a field unique, as in the web app; it stays so. Raises `ValueError`."""
    field = item.fields[key]
    if field.data_type not in UNIQUE_TYPES:
        raise ValueError("Only single-line text, multi-line text, number and phone fields can be unique.")
    if not field.is_unique and len(item.table.unique) >= MAX_UNIQUE:
        raise ValueError(f"An object has no more than {MAX_UNIQUE} unique fields.")
    item.table.make_unique(key)
    item.fields[key] = msgspec.structs.replace(field, is_unique=True)


def rename_option(item: ObjectType, key: str, option_key: str, label: str, now_ms: int) -> None:
    """Give an option another label, as in the web app; its key stays. Raises `ValueError`."""
    field = item.fields[key]
    if option_key not in field.option_keys:
        raise ValueError(f"The field {key} has no option {option_key}.")
    options = tuple(
        Option(option.key, label, option.url) if option.key == option_key else option
        for option in field.options
    )
    item.fields[key] = msgspec.structs.replace(field, options=options, updated_ms=now_ms)


def _data_type(name: str) -> DataType:
    # EMAIL exists on create only (facts 1.5); the field then reads as TEXT.
    known = {each.value for each in DataType} | {"EMAIL"}
    if name not in known:
        raise unprocessable(f"dataType must be one of the following values: {', '.join(sorted(known))}")
    return DataType.TEXT if name == "EMAIL" else DataType(name)


def _check_formats(accepted: str | None) -> None:
    if accepted is not None and accepted not in _FORMATS:
        raise unprocessable(
            f"acceptedFormats must be one of the following values: {', '.join(sorted(_FORMATS))}"
        )


def _extended(field: Field, given: Sequence[OptionBody], *, keeps_keys: bool) -> tuple[Option, ...]:
    """The options of an update: each old one is known by its key, or else by its label."""
    keys = {body.key for body in given}
    labels = {body.label for body in given}
    missing = [each.label for each in field.options if each.key not in keys and each.label not in labels]
    if missing:
        raise bad_request(f"Existing options cannot be removed: {', '.join(missing)}")
    return _made(field.options, given, keeps_keys=keeps_keys)


def _made(before: Sequence[Option], given: Sequence[OptionBody], *, keeps_keys: bool) -> tuple[Option, ...]:
    by_key = {option.key: option for option in before}
    by_label = {option.label: option for option in before}
    made: dict[str, Option] = {}
    for number, body in enumerate(given, 1):
        old = by_key.get(body.key) or by_label.get(body.label)
        wished = body.key if keeps_keys and body.key else body.label
        key = old.key if old is not None else key_of(wished) or f"option_{number}"
        if key in made:
            raise bad_request(f"Option {body.label} already exists")
        made[key] = Option(key, body.label, body.url)
    return tuple(made.values())


def _fielded(world: World, location_id: str, key: str) -> ObjectType:
    item = world.object_of(location_id, key)
    if not item.has_records:
        raise bad_request(f"Custom fields of {item.key} are not supported here")
    return item


def _by_id(world: World, location_id: str, field_id: str) -> tuple[ObjectType, Field]:
    for item in world.locations[location_id].objects.values():
        for field in item.fields.values():
            if field.id == field_id:
                return item, field
    raise not_found("Custom field not found")


def _by_folder(world: World, location_id: str, folder_id: str) -> ObjectType:
    for item in world.locations[location_id].objects.values():
        if folder_id in item.folders:
            return item
    raise not_found("Folder not found")
