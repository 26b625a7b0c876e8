"""Users and locations, read only (facts: highlevel-api.md 1.9)."""

from __future__ import annotations

import msgspec

from syncline.sandbox.highlevel.bodies import read_query, refuse_query
from syncline.sandbox.highlevel.calls import Answer, Call
from syncline.sandbox.highlevel.refusals import bad_request, foreign_location
from syncline.sandbox.highlevel.shapes import location_shape, location_summary, user_shape
from syncline.sandbox.highlevel.state import User, World


class _LocationQuery(msgspec.Struct, frozen=True, rename="camel"):
    location_id: str


class _UserQuery(msgspec.Struct, frozen=True):
    company_id: str = msgspec.field(name="companyId")
    query: str = ""
    skip: int = 0
    limit: int = 25
    location_id: str | None = msgspec.field(name="locationId", default=None)
    type: str | None = None
    role: str | None = None
    ids: str | None = None
    sort: str | None = None
    sort_direction: str | None = msgspec.field(name="sortDirection", default=None)
    enabled_two_way_sync: bool | None = msgspec.field(name="enabled2waySync", default=None)


class _LocationSearch(msgspec.Struct, frozen=True, rename="camel"):
    company_id: str | None = None
    skip: int = 0
    limit: int = 10
    order: str = "asc"
    email: str | None = None


def users_of_location(world: World, call: Call) -> Answer:
    """GET /users/?locationId=...; deprecated, and gone in v3."""
    query = read_query(call.request, _LocationQuery)
    location_id = call.location(world, query.location_id)
    return Answer(
        {"users": [user_shape(user) for user in world.users.values() if location_id in user.location_ids]}
    )


def search_users(world: World, call: Call) -> Answer:
    """GET /users/search."""
    query = read_query(call.request, _UserQuery)
    if query.company_id != world.company_id:
        raise foreign_location()
    own = call.location(world, query.location_id) if call.bearer.location_id else query.location_id
    found = [user for user in world.users.values() if _matches(user, query, own)]
    shown = sorted(found, key=lambda user: user.name, reverse=query.sort_direction == "desc")
    page = shown[query.skip : query.skip + query.limit] if query.sort else found[query.skip :][: query.limit]
    return Answer({"users": [user_shape(user) for user in page], "count": len(found)})


def get_user(world: World, call: Call) -> Answer:
    """GET /users/{userId}. How the vendor refuses an unknown id is unconfirmed; the spec documents 400."""
    refuse_query(call.request)
    user = world.users.get(call.path["userId"])
    own = call.bearer.location_id
    if user is None or (own is not None and own not in user.location_ids):
        raise bad_request("User not found")
    return Answer(user_shape(user))


def get_location(world: World, call: Call) -> Answer:
    """GET /locations/{locationId}."""
    refuse_query(call.request)
    location = world.locations[call.location(world, call.path["locationId"])]
    return Answer({"location": location_shape(location, world.company_id)})


def search_locations(world: World, call: Call) -> Answer:
    """GET /locations/search; a location's token finds its own."""
    query = read_query(call.request, _LocationSearch)
    if query.company_id not in (None, world.company_id):
        raise foreign_location()
    own = call.bearer.location_id
    found = [
        location
        for location in world.locations.values()
        if own in (None, location.id) and query.email in (None, location.email)
    ]
    found.sort(key=lambda location: location.name, reverse=query.order == "desc")
    return Answer(
        {"locations": [location_summary(location) for location in found[query.skip :][: query.limit]]}
    )


def _matches(user: User, query: _UserQuery, location_id: str | None) -> bool:
    text = query.query.lower()
    return (
        (location_id is None or location_id in user.location_ids)
        and (query.role is None or query.role == user.role)
        and (query.type in (None, "account"))
        and (query.ids is None or user.id in query.ids.split(","))
        and any(text in value.lower() for value in (user.name, user.email, user.phone))
    )
