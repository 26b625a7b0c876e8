"""Ties records together, lists the ties of one, and cuts them: `/associations/relations` (facts: highlevel-api.md 1.6).

A relation becomes visible later than it was made, where the options say so; a duplicate is refused at once all the same.
"""

from __future__ import annotations

import msgspec

from syncline.sandbox.highlevel.associations import Listing, addressed, tell_relation
from syncline.sandbox.highlevel.bodies import read_body, read_query, refuse_query
from syncline.sandbox.highlevel.calls import Answer, Call
from syncline.sandbox.highlevel.refusals import RefusalError, bad_request
from syncline.sandbox.highlevel.state import Location, World
from syncline.sandbox.highlevel.tie_shapes import relation_shape
from syncline.sandbox.highlevel.ties import Association, Relation
from syncline.sandbox.highlevel.webhooks import Event

_DUPLICATE = "Cannot create duplicate relation of object Ids for given association"


class _New(msgspec.Struct, rename="camel"):
    location_id: str
    association_id: str
    first_record_id: str
    second_record_id: str


class _List(Listing, rename="camel"):
    association_ids: str | None = None


class _Here(msgspec.Struct, rename="camel"):
    location_id: str


def post_relation(world: World, call: Call) -> Answer:
    """POST /associations/relations: the records in the order of the association."""
    refuse_query(call.request)
    body = read_body(call.request, _New)
    location = world.locations[call.location(world, body.location_id)]
    item = addressed(world, location, body.association_id)
    relation = relate(world, location, item, (body.first_record_id, body.second_record_id))
    return Answer(relation_shape(location.id, item, relation), 201)


def list_relations(world: World, call: Call) -> Answer:
    """GET /associations/relations/{recordId}. Ties to records that are gone are gone."""
    query = read_query(call.request, _List)
    query.check()
    location = world.locations[call.location(world, query.location_id)]
    wanted = frozenset(query.association_ids.split(",")) if query.association_ids else None
    shown_ms = world.now_ms() - int(world.options.relation_lag_seconds * 1000)
    found = [
        (location.ties.associations[each.association_id], each)
        for each in location.ties.of_record(call.path["recordId"])
        if (wanted is None or each.association_id in wanted) and each.added_ms <= shown_ms
    ]
    found = [(item, each) for item, each in found if _are_there(location, item, each.ends)]
    return query.answer(world, "relations", [relation_shape(location.id, item, each) for item, each in found])


def delete_relation(world: World, call: Call) -> Answer:
    """DELETE /associations/relations/{relationId}?locationId."""
    query = read_query(call.request, _Here)
    location = world.locations[call.location(world, query.location_id)]
    relation = location.ties.relations.get(call.path["relationId"])
    if relation is None:
        raise RefusalError(world.options.missing_relation_status, "Relation not found")
    item = addressed(world, location, relation.association_id)
    location.ties.drop(relation)
    tell_relation(world, Event.RELATION_DELETE, location.id, item, relation)
    return Answer(relation_shape(location.id, item, relation))


def relate(world: World, location: Location, item: Association, ends: tuple[str, str]) -> Relation:
    """Tie two records together. Raises 400: not there (or the wrong way round), there already, too many."""
    if not _are_there(location, item, ends):
        raise bad_request("Invalid record ids for the given association")
    if location.ties.holder(item.id, ends) is not None:
        raise bad_request(_DUPLICATE)
    limit = world.options.max_relations
    for end in ends:
        if sum(each.association_id == item.id for each in location.ties.of_record(end)) >= limit:
            raise bad_request(f"Maximum limit of {limit} records reached for this association label")
    now = world.now_ms()
    relation = Relation(world.ids.object_id(now), item.id, *ends, now)
    location.ties.add(relation)
    tell_relation(world, Event.RELATION_CREATE, location.id, item, relation)
    return relation


def _are_there(location: Location, item: Association, ends: tuple[str, str]) -> bool:
    """Whether each end is a record of its side's object."""
    return all(
        end in location.rows_of(key) for key, end in zip((item.first_key, item.second_key), ends, strict=True)
    )
