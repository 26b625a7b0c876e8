"""Control actions on relations: what people tie together and cut in the web app. Collected by `control`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from syncline.sandbox.highlevel import associations, relations
from syncline.sandbox.highlevel.state import Location, World
from syncline.sandbox.highlevel.webhooks import Event


class _At(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    location: str | None = None


class _Pairs(_At, frozen=True, forbid_unknown_fields=True, kw_only=True):
    association: str
    pairs: list[tuple[str, str]]


class _Relation(_At, frozen=True, forbid_unknown_fields=True, kw_only=True):
    id: str


def _relate(world: World, args: dict[str, object]) -> object:
    """Tie many pairs of records (first, second) at once; answers the relations' ids."""
    wish = msgspec.convert(args, _Pairs)
    location = _location(world, wish)
    item = associations.addressed(world, location, wish.association)
    return {"ids": [relations.relate(world, location, item, pair).id for pair in wish.pairs]}


def _unrelate(world: World, args: dict[str, object]) -> object:
    wish = msgspec.convert(args, _Relation)
    location = _location(world, wish)
    relation = location.ties.relations.get(wish.id)
    if relation is None:
        raise ValueError(f"There is no relation {wish.id!r}.")
    item = associations.addressed(world, location, relation.association_id)
    location.ties.drop(relation)
    associations.tell_relation(world, Event.RELATION_DELETE, location.id, item, relation)
    return {"id": wish.id}


ACTIONS: Mapping[str, Callable[[World, dict[str, object]], object]] = MappingProxyType(
    {"relate": _relate, "unrelate": _unrelate}
)


def _location(world: World, at: _At) -> Location:
    chosen = at.location or next(iter(world.locations))
    if chosen not in world.locations:
        raise ValueError(f"There is no location {chosen!r}.")
    return world.locations[chosen]
