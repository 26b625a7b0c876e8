"""Makes, lists, relabels and deletes associations: `/associations` (facts: highlevel-api.md 1.6).

The vendor lower-cases keys and may put the second object first. How it refuses what is too much or there already is
unconfirmed; the caps themselves are documented.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from syncline.sandbox.highlevel.bodies import read_body, read_query, refuse_query
from syncline.sandbox.highlevel.calls import Answer, Call
from syncline.sandbox.highlevel.ids import key_of
from syncline.sandbox.highlevel.options import SideOrder
from syncline.sandbox.highlevel.refusals import RefusalError, bad_request, not_found, unprocessable
from syncline.sandbox.highlevel.state import CUSTOM_PREFIX, Location, World
from syncline.sandbox.highlevel.tie_shapes import association_event, association_shape, relation_shape
from syncline.sandbox.highlevel.ties import SYSTEM, USER, Association, Relation
from syncline.sandbox.highlevel.webhooks import Event

MAX_LABELS = 10
_MAX_PAGE = 100
_BUILT_IN = ("contact_business", "contact", "Contact", "business", "Company")


class _New(msgspec.Struct, rename="camel"):
    location_id: str
    key: str
    first_object_label: str
    first_object_key: str
    second_object_label: str
    second_object_key: str


class _Labels(msgspec.Struct, rename="camel"):
    first_object_label: str
    second_object_label: str


class _Here(msgspec.Struct, rename="camel"):
    location_id: str


class _Maybe(msgspec.Struct, rename="camel"):
    location_id: str | None = None


class Listing(msgspec.Struct, rename="camel"):
    """The query of a list: both numbers are required."""

    location_id: str
    skip: int
    limit: int

    def check(self) -> None:
        """Raises 422."""
        if self.skip < 0 or not 1 <= self.limit <= _MAX_PAGE:
            raise unprocessable(f"limit must not be less than 1 or greater than {_MAX_PAGE}")

    def answer(self, world: World, name: str, shapes: Sequence[dict[str, object]]) -> Answer:
        """One page."""
        page = shapes[self.skip :][: min(self.limit, world.options.max_ties_limit)]
        data: dict[str, object] = {name: page}
        if world.options.tie_totals:
            data |= {"total": len(shapes), "skip": self.skip, "limit": self.limit}
        return Answer(data)


def list_associations(world: World, call: Call) -> Answer:
    """GET /associations/?locationId&skip&limit."""
    query = read_query(call.request, Listing)
    query.check()
    location = world.locations[call.location(world, query.location_id)]
    items = list(_all(world, location).values())
    shapes = [association_shape(location.id, each) for each in items]
    return query.answer(world, "associations", shapes)


def post_association(world: World, call: Call) -> Answer:
    """POST /associations/."""
    refuse_query(call.request)
    body = read_body(call.request, _New)
    location = world.locations[call.location(world, body.location_id)]
    item = _made(world, location, body)
    location.ties.associations[item.id] = item
    _tell(world, Event.ASSOCIATION_CREATE, location.id, item)
    return Answer(association_shape(location.id, item), 201)


def get_association(world: World, call: Call) -> Answer:
    """GET /associations/{associationId}."""
    refuse_query(call.request)
    location = world.locations[call.location(world)]
    return Answer(association_shape(location.id, addressed(world, location, call.path["associationId"])))


def get_by_key(world: World, call: Call) -> Answer:
    """GET /associations/key/{key_name}."""
    query = read_query(call.request, _Here)
    location = world.locations[call.location(world, query.location_id)]
    for item in _all(world, location).values():
        if item.key == call.path["key_name"]:
            return Answer(association_shape(location.id, item))
    raise not_found("Association not found")


def list_of_object(world: World, call: Call) -> Answer:
    """GET /associations/objectKey/{objectKey}."""
    query = read_query(call.request, _Maybe)
    location = world.locations[call.location(world, query.location_id)]
    key = world.object_of(location.id, call.path["objectKey"]).key
    found = [each for each in _all(world, location).values() if key in each.pair]
    return Answer({"associations": [association_shape(location.id, each) for each in found]})


def put_association(world: World, call: Call) -> Answer:
    """PUT /associations/{associationId}: other labels."""
    refuse_query(call.request)
    body = read_body(call.request, _Labels)
    location = world.locations[call.location(world)]
    item = _own(world, location, call.path["associationId"])
    item = msgspec.structs.replace(
        item, first_label=body.first_object_label, second_label=body.second_object_label
    )
    location.ties.associations[item.id] = item
    _tell(world, Event.ASSOCIATION_UPDATE, location.id, item)
    return Answer(association_shape(location.id, item))


def delete_association(world: World, call: Call) -> Answer:
    """DELETE /associations/{associationId}; its relations go with it."""
    refuse_query(call.request)
    location = world.locations[call.location(world)]
    item = _own(world, location, call.path["associationId"])
    for relation in [each for each in location.ties.relations.values() if each.association_id == item.id]:
        location.ties.drop(relation)
        tell_relation(world, Event.RELATION_DELETE, location.id, item, relation)
    del location.ties.associations[item.id]
    _tell(world, Event.ASSOCIATION_DELETE, location.id, item)
    return Answer({"deleted": True, "id": item.id, "message": "Association deleted successfully"})


def addressed(world: World, location: Location, association_id: str) -> Association:
    """One association of a location. Raises 404."""
    found = _all(world, location).get(association_id)
    if found is None:
        raise not_found("Association not found")
    return found


def tell_relation(
    world: World, event: Event, location_id: str, item: Association, relation: Relation
) -> None:
    """Relation events come for ties of custom objects only (facts: 3.3)."""
    if any(key.startswith(CUSTOM_PREFIX) for key in item.pair):
        world.webhooks.emit(event, location_id, lambda _at: relation_shape(location_id, item, relation))


def _made(world: World, location: Location, body: _New) -> Association:
    first = world.object_of(location.id, body.first_object_key).key
    second = world.object_of(location.id, body.second_object_key).key
    key = key_of(body.key)
    if not key:
        raise unprocessable("key should not be empty")
    there = _all(world, location).values()
    if any(each.key == key for each in there):
        raise bad_request(f"Association with key {key} already exists")
    pair = frozenset({first, second})
    if sum(each.pair == pair and each.type == USER for each in there) >= MAX_LABELS:
        raise bad_request(f"Maximum limit of {MAX_LABELS} association labels reached for these objects")
    sides = [(first, body.first_object_label), (second, body.second_object_label)]
    if _is_swapped(world.options.association_order, first, second):
        sides.reverse()
    (one, one_label), (other, other_label) = sides
    return Association(world.ids.object_id(world.now_ms()), key, one, one_label, other, other_label)


def _is_swapped(order: SideOrder, first: str, second: str) -> bool:
    if order is SideOrder.SORTED:
        return second < first
    return order is SideOrder.SWAPPED


def _own(world: World, location: Location, association_id: str) -> Association:
    item = addressed(world, location, association_id)
    if item.type == SYSTEM:
        raise RefusalError(400, "System defined associations cannot be changed")
    return item


def _all(world: World, location: Location) -> dict[str, Association]:
    """All associations; the built-in one is there from the first look on."""
    kept = location.ties.associations
    if not kept:
        item = Association(world.ids.object_id(world.now_ms()), *_BUILT_IN, type=SYSTEM)
        kept[item.id] = item
    return kept


def _tell(world: World, event: Event, location_id: str, item: Association) -> None:
    is_new = event is Event.ASSOCIATION_CREATE
    world.webhooks.emit(event, location_id, lambda _at: association_event(location_id, item, is_new=is_new))
