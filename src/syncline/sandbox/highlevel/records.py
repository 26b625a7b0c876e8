"""Creates, reads, changes and deletes single records, for the API and for people in the web app.

Reads by id see every write at once; search follows later (`table`). Sources: highlevel-api.md 1.3, 6.2, 6.12.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from syncline.sandbox.highlevel.bodies import read_body, read_query, refuse_query
from syncline.sandbox.highlevel.calls import Answer, Call
from syncline.sandbox.highlevel.coding import Rules, WrongValueError, apply_properties, merged
from syncline.sandbox.highlevel.options import PlainArray
from syncline.sandbox.highlevel.refusals import (
    RefusalError,
    bad_request,
    foreign_location,
    not_found,
    unprocessable,
)
from syncline.sandbox.highlevel.shapes import record_event, record_shape
from syncline.sandbox.highlevel.state import ObjectType, World, iso
from syncline.sandbox.highlevel.table import Row, Stamp
from syncline.sandbox.highlevel.webhooks import Event

MAX_OWNERS = 1
MAX_FOLLOWERS = 10


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes: an integration or a person, as `lastUpdatedBy` will say."""

    channel: str
    source: str
    source_id: str

    def stamp(self, at: str) -> Stamp:
        """With the time."""
        return Stamp(self.channel, at, self.source, self.source_id)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a record is to become. None leaves owner or followers as they are."""

    properties: Mapping[str, object]
    owner: object = None
    followers: object = None


class _CreateBody(msgspec.Struct, rename="camel"):
    location_id: str
    properties: dict[str, object]
    owner: list[str] | None = None
    owners: list[str] | None = None
    followers: list[str] | None = None


class _UpdateBody(msgspec.Struct, rename="camel"):
    properties: dict[str, object] = {}
    owner: object = None
    owners: object = None
    followers: object = None


class _LocationQuery(msgspec.Struct, rename="camel"):
    location_id: str


def create_record(world: World, call: Call) -> Answer:
    """POST /objects/{schemaKey}/records."""
    refuse_query(call.request)
    body = read_body(call.request, _CreateBody)
    item = served_object(world, call.location(world, body.location_id), call.path["schemaKey"])
    wish = Wish(body.properties, body.owner or body.owners, body.followers)
    return Answer({"record": record_shape(create(world, item, wish, integration(world, call)))}, 201)


def get_record(world: World, call: Call) -> Answer:
    """GET /objects/{schemaKey}/records/{id}."""
    refuse_query(call.request)
    _, row = _addressed(world, call, None)
    return Answer({"record": record_shape(row)})


def update_record(world: World, call: Call) -> Answer:
    """PUT /objects/{schemaKey}/records/{id}?locationId=..."""
    query = read_query(call.request, _LocationQuery)
    body = read_body(call.request, _UpdateBody)
    item, row = _addressed(world, call, query.location_id)
    wish = Wish(body.properties, body.owner if body.owner is not None else body.owners, body.followers)
    after = update(world, item, row, wish, integration(world, call), world.options.plain_array)
    return Answer({"record": record_shape(after)})


def delete_record(world: World, call: Call) -> Answer:
    """DELETE /objects/{schemaKey}/records/{id}; `?locationId=` is refused here."""
    refuse_query(call.request)
    item, row = _addressed(world, call, None)
    delete(world, item, row)
    return Answer({"id": row.id, "success": True})


def served_object(world: World, location_id: str, key: str) -> ObjectType:
    """An object whose records this API serves. Raises 400."""
    item = world.object_of(location_id, key)
    if not item.has_records:
        raise bad_request(f"Records of {item.key} are not supported here")
    return item


def create(world: World, item: ObjectType, wish: Wish, author: Author, *, is_silent: bool = False) -> Row:
    """Make a record. `is_silent` sends no webhook."""
    rules = Rules(None, world.options.invalid_option_status)
    properties = apply_properties(item.fields, {}, wish.properties, rules)
    _require_primary(world, item, properties)
    _require_unique(world, item, properties, None)
    now = world.now_ms()
    stamp = author.stamp(iso(now))
    row = Row(
        id=world.ids.object_id(now),
        owner=_people(world, item, "owner", (), wish.owner, None),
        followers=_people(world, item, "followers", (), wish.followers, None),
        properties=properties,
        created_ms=now,
        updated_ms=now,
        created_at=stamp.created_at,
        updated_at=stamp.created_at,
        created_by=stamp,
        updated_by=stamp,
    )
    item.table.put(row, now)
    if not is_silent:
        _tell(world, Event.RECORD_CREATE, item, row)
    return row


def update(
    world: World, item: ObjectType, row: Row, wish: Wish, author: Author, plain_array: PlainArray
) -> Row:
    """Change what the wish names and nothing else."""
    rules = Rules(plain_array, world.options.invalid_option_status)
    properties = apply_properties(item.fields, row.properties, wish.properties, rules)
    _require_primary(world, item, properties)
    _require_unique(world, item, properties, row.id)
    owner = _people(world, item, "owner", row.owner, wish.owner, plain_array)
    followers = _people(world, item, "followers", row.followers, wish.followers, plain_array)
    is_same = (properties, owner, followers) == (row.properties, row.owner, row.followers)
    if not is_same or world.options.identical_put_bumps:
        now = world.now_ms()
        stamp = author.stamp(iso(now))
        row = msgspec.structs.replace(
            row,
            properties=properties,
            owner=owner,
            followers=followers,
            updated_ms=now,
            updated_at=stamp.created_at,
            updated_by=stamp,
        )
        item.table.put(row, now)
    if not is_same or world.options.identical_put_fires:
        _tell(world, Event.RECORD_UPDATE, item, row)
    return row


def delete(world: World, item: ObjectType, row: Row) -> None:
    """Delete a record for good: there is no trash."""
    item.table.drop(row.id, world.now_ms())
    _tell(world, Event.RECORD_DELETE, item, row)


def integration(world: World, call: Call) -> Author:
    """The program that a token belongs to, as an author."""
    return Author(world.options.api_channel, "PUBLIC_API", call.bearer.source_id)


def _addressed(world: World, call: Call, location_id: str | None) -> tuple[ObjectType, Row]:
    item = served_object(world, call.location(world, location_id), call.path["schemaKey"])
    record_id = call.path["id"]
    row = item.table.rows.get(record_id)
    if row is None:
        is_foreign = any(
            record_id in other.table.rows for other in world.all_objects() if other.key == item.key
        )
        if is_foreign and world.options.foreign_record_status == 403:
            raise foreign_location()
        raise not_found("Record not found")
    return item, row


def _require_primary(world: World, item: ObjectType, properties: Mapping[str, object]) -> None:
    if world.options.primary_required and item.primary not in properties:
        raise unprocessable(f"{item.primary} should not be empty")


def _require_unique(
    world: World, item: ObjectType, properties: Mapping[str, object], own_id: str | None
) -> None:
    for field in item.table.unique:
        if field in properties and item.table.holder(field, properties[field]) not in (None, own_id):
            options = world.options
            raise RefusalError(options.unique_status, options.unique_message.replace("{field}", field))


def _people(
    world: World,
    item: ObjectType,
    name: str,
    before: tuple[str, ...],
    wish: object,
    plain_array: PlainArray | None,
) -> tuple[str, ...]:
    if wish is None:
        return before
    try:
        after = merged(before, wish, plain_array, lambda value: _user_id(world, item, value))
    except WrongValueError as exc:
        raise unprocessable(f"{name} {exc}") from exc
    limit = MAX_OWNERS if name == "owner" else MAX_FOLLOWERS
    if len(after) > limit:
        raise unprocessable(f"{name} must contain no more than {limit} elements")
    return tuple(after)


def _user_id(world: World, item: ObjectType, value: object) -> str:
    user = world.users.get(value) if isinstance(value, str) else None
    if user is None or item.location_id not in user.location_ids:
        raise WrongValueError("must be ids of users of the location")
    return user.id


def _tell(world: World, event: Event, item: ObjectType, row: Row) -> None:
    with_key = world.options.object_key_in_webhooks
    world.webhooks.emit(
        event,
        item.location_id,
        lambda timestamp: record_event(item, row, timestamp, with_object_key=with_key),
    )
