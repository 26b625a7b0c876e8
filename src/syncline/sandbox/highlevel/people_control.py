"""Control actions that a person does in the web app: edit records, make objects and fields, make a field unique.

Collected by `control`. `location` is the first one and `user` its first user where they are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from syncline.sandbox.highlevel import fields, objects, records
from syncline.sandbox.highlevel.ids import key_of
from syncline.sandbox.highlevel.options import PlainArray
from syncline.sandbox.highlevel.records import Author, Wish
from syncline.sandbox.highlevel.shapes import field_shape, object_shape, record_shape
from syncline.sandbox.highlevel.state import ObjectType, World, iso, ms_of
from syncline.sandbox.highlevel.table import Row


class _At(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    location: str | None = None
    user: str | None = None
    object: str


class _Record(_At, frozen=True, forbid_unknown_fields=True, kw_only=True):
    properties: dict[str, object] = {}
    owner: list[str] | None = None
    followers: list[str] | None = None


class _Change(_Record, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str


class _Deletion(_At, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str


class _LoadedRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    properties: dict[str, object]
    owner: list[str] | None = None
    followers: list[str] | None = None
    created_at: str | None = None
    updated_at: str | None = None


class _Load(_At, frozen=True, forbid_unknown_fields=True, kw_only=True):
    records: list[_LoadedRecord]


class _NewObject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    key: str
    singular: str
    plural: str
    primary_name: str = "Name"
    description: str | None = None
    location: str | None = None


class _NewField(_At, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: str
    type: str
    key: str | None = None
    options: list[str] = []
    is_unique: bool = False
    max_file_limit: int | None = None
    allow_custom_option: bool | None = None


class _FieldAt(_At, frozen=True, forbid_unknown_fields=True, kw_only=True):
    field: str


class _OptionAt(_FieldAt, frozen=True, forbid_unknown_fields=True, kw_only=True):
    option: str
    label: str


def _create_record(world: World, args: dict[str, object]) -> object:
    wish = msgspec.convert(args, _Record)
    item = _object(world, wish)
    made = Wish(wish.properties, wish.owner, wish.followers)
    return record_shape(records.create(world, item, made, _person(world, item, wish.user)))


def _update_record(world: World, args: dict[str, object]) -> object:
    """Lists replace, as a form in the web app does."""
    wish = msgspec.convert(args, _Change)
    item = _object(world, wish)
    author = _person(world, item, wish.user)
    edit = Wish(wish.properties, wish.owner, wish.followers)
    return record_shape(records.update(world, item, _row(item, wish.id), edit, author, PlainArray.REPLACE))


def _delete_record(world: World, args: dict[str, object]) -> object:
    wish = msgspec.convert(args, _Deletion)
    item = _object(world, wish)
    records.delete(world, item, _row(item, wish.id))
    return {"id": wish.id}


def _load(world: World, args: dict[str, object]) -> object:
    """Many records at once, checked like any other but without webhooks; answers their ids."""
    load = msgspec.convert(args, _Load)
    item = _object(world, load)
    author = _person(world, item, load.user)
    ids: list[str] = []
    for each in load.records:
        wish = Wish(each.properties, each.owner, each.followers)
        row = records.create(world, item, wish, author, is_silent=True)
        if each.created_at or each.updated_at:
            created = ms_of(each.created_at) if each.created_at else row.created_ms
            updated = ms_of(each.updated_at) if each.updated_at else max(created, row.updated_ms)
            item.table.put(_dated(row, created, updated), row.created_ms)
        ids.append(row.id)
    return {"ids": ids}


def _create_object(world: World, args: dict[str, object]) -> object:
    wish = msgspec.convert(args, _NewObject)
    location_id = _location(world, wish.location)
    primary = objects.Primary(key_of(wish.primary_name), wish.primary_name, "TEXT")
    labels = objects.Labels(wish.singular, wish.plural)
    body = objects.NewObject(labels, wish.key, location_id, primary, wish.description)
    return object_shape(objects.create_object(world, location_id, body))


def _create_field(world: World, args: dict[str, object]) -> object:
    wish = msgspec.convert(args, _NewField)
    item = _object(world, wish)
    body = fields.NewField(
        location_id=item.location_id,
        show_in_forms=True,
        data_type=wish.type,
        field_key=wish.key or wish.name,
        object_key=item.key,
        parent_id=next(iter(item.folders)),
        name=wish.name,
        options=[fields.OptionBody(label) for label in wish.options] or None,
        max_file_limit=wish.max_file_limit,
        allow_custom_option=wish.allow_custom_option,
    )
    field = fields.create_field(world, item, body)
    if wish.is_unique:
        fields.make_unique(item, field.key)
    return field_shape(item, field)


def _make_unique(world: World, args: dict[str, object]) -> object:
    """As in the web app; there is no way back."""
    wish = msgspec.convert(args, _FieldAt)
    item = _object(world, wish)
    fields.make_unique(item, _field_key(item, wish.field))
    return {"field": wish.field, "is_unique": True}


def _rename_option(world: World, args: dict[str, object]) -> object:
    wish = msgspec.convert(args, _OptionAt)
    item = _object(world, wish)
    key = _field_key(item, wish.field)
    fields.rename_option(item, key, wish.option, wish.label, world.now_ms())
    return field_shape(item, item.fields[key])


ACTIONS: Mapping[str, Callable[[World, dict[str, object]], object]] = MappingProxyType(
    {
        "create_record": _create_record,
        "update_record": _update_record,
        "delete_record": _delete_record,
        "load": _load,
        "create_object": _create_object,
        "create_field": _create_field,
        "make_unique": _make_unique,
        "rename_option": _rename_option,
    }
)


def _object(world: World, at: _At) -> ObjectType:
    return records.served_object(world, _location(world, at.location), at.object)


def _location(world: World, location_id: str | None) -> str:
    chosen = location_id or next(iter(world.locations))
    if chosen not in world.locations:
        raise ValueError(f"There is no location {chosen!r}.")
    return chosen


def _person(world: World, item: ObjectType, user_id: str | None) -> Author:
    if user_id is None:
        user_id = next(user.id for user in world.users.values() if item.location_id in user.location_ids)
    if user_id not in world.users:
        raise ValueError(f"There is no user {user_id!r}.")
    return Author("WEB_USER", world.options.human_source, user_id)


def _row(item: ObjectType, record_id: str) -> Row:
    if record_id not in item.table.rows:
        raise ValueError(f"There is no record {record_id!r}.")
    return item.table.rows[record_id]


def _field_key(item: ObjectType, key: str) -> str:
    short = key.removeprefix(f"{item.key}.")
    if short not in item.fields:
        raise ValueError(f"There is no field {key!r}.")
    return short


def _dated(row: Row, created_ms: int, updated_ms: int) -> Row:
    return msgspec.structs.replace(
        row,
        created_ms=created_ms,
        updated_ms=updated_ms,
        created_at=iso(created_ms),
        updated_at=iso(updated_ms),
        created_by=msgspec.structs.replace(row.created_by, created_at=iso(created_ms)),
        updated_by=msgspec.structs.replace(row.updated_by, created_at=iso(updated_ms)),
    )
