"""A wished kind of tie between two object types into a HighLevel association: found where it is there, else made.

Called before records are related (`relations`), by setup and by whoever translates references. Idempotent. HighLevel writes
keys in lower case and may put the second object first, so that an association is known by its objects and labels, whichever
way round. Facts: highlevel-api.md 1.6, 6 rows 1 and 14.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeVar, cast

import msgspec

from syncline.connectors.highlevel.client import Client, Route
from syncline.connectors.highlevel.setup import slug
from syncline.core.records import ObjectTypeId
from syncline.core.values import Reference
from syncline.errors import ConnectorError, RejectedError, SetupError, UnknownOutcomeError

T = TypeVar("T")
MAX_LABELS = 10
"""Associations between the same two objects (facts: 6 row 1)."""
_PAGE = 100
_USER_DEFINED = "USER_DEFINED"

ASSOCIATIONS = Route("GET", "/associations/", "associations.readonly", "associations")
CREATE_ASSOCIATION = Route("POST", "/associations/", "associations.write", "associations", is_write=True)


@dataclass(frozen=True, slots=True)
class End:
    """One side of an association: the object, and what its records are called there (`Customer`)."""

    object_type: ObjectTypeId
    label: str

    def is_like(self, other: End) -> bool:
        """The same object under the same label."""
        return self.object_type == other.object_type and _plain(self.label) == _plain(other.label)


@dataclass(frozen=True, slots=True)
class AssociationWish:
    """A kind of tie. Which end is first does not matter, unless both are of one object."""

    key: str
    first: End
    second: End


@dataclass(frozen=True, slots=True)
class Association:
    """An association as HighLevel keeps it. `is_swapped`: its first end is the second of the wish."""

    id: str
    key: str
    first: End
    second: End
    is_swapped: bool = False

    def order(self, one: Reference, other: Reference) -> tuple[str, str]:
        """Two records' keys in the order that HighLevel wants (first, second). Records of one and the same object are
        taken in the order of the wish. Raises `RejectedError` for records of other objects."""
        wanted = (self.first.object_type, self.second.object_type)
        pairs = ((one, other), (other, one))
        for first, second in reversed(pairs) if self.is_swapped else pairs:
            if (first.object_type, second.object_type) == wanted:
                return first.key, second.key
        raise RejectedError(
            f"the association {self.key} is between {wanted[0]} and {wanted[1]}, "
            f"not between {one.object_type} and {other.object_type}"
        )


class WireAssociation(msgspec.Struct, frozen=True, rename="camel"):
    """`GetPostSuccessfulResponseDto`."""

    id: str
    key: str
    first_object_key: str
    second_object_key: str
    first_object_label: str = ""
    second_object_label: str = ""
    association_type: str = _USER_DEFINED

    @property
    def ends(self) -> tuple[End, End]:
        """First and second."""
        return (
            End(ObjectTypeId(self.first_object_key), self.first_object_label),
            End(ObjectTypeId(self.second_object_key), self.second_object_label),
        )


async def ensure_association(client: Client, wish: AssociationWish) -> Association:
    """Find or make it. Needs `associations.readonly`, and `associations.write` to make it.

    Raises `SetupError`, before anything is sent, when its key is taken by another pair of objects, or when HighLevel's ten
    labels between the two are used up; `UnknownOutcomeError` when it may have been made and is not listed (try again).
    """
    there = await associations(client)
    if (found := _found(wish, there)) is not None:
        return found
    _check_room(wish, there)
    try:
        await client.call(CREATE_ASSOCIATION, json=_body(client, wish))
    except (RejectedError, UnknownOutcomeError):
        if (found := _found(wish, await associations(client))) is None:
            raise
        return found
    if (found := _found(wish, await associations(client))) is None:
        raise UnknownOutcomeError(
            f"the association {wish.key} was made, but HighLevel does not list it yet; try again in a minute"
        )
    return found


async def associations(client: Client) -> Sequence[WireAssociation]:
    """All associations of the location, HighLevel's own among them."""
    found = [each async for each in walk(client, ASSOCIATIONS, "associations", WireAssociation)]
    return list({each.id: each for each in found}.values())


async def walk(
    client: Client,
    route: Route,
    name: str,
    kind: type[T],
    *,
    parts: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> AsyncIterator[T]:
    """All items of a paged list, perhaps some twice. HighLevel may answer fewer than asked for, and need not tell a total:
    so it goes on until that is reached, or a page shows nothing new. Raises `ConnectorError`."""
    seen: set[T] = set()
    skip = 0
    while True:
        place = {"locationId": client.location, "skip": str(skip), "limit": str(_PAGE), **(query or {})}
        page, total = _page((await client.call(route, parts, query=place)).body, name, kind)
        news = set(page) - seen
        for each in page:
            yield each
        seen |= news
        skip += len(page)
        if not news or (total is not None and skip >= total):
            return


def _page(body: bytes, name: str, kind: type[T]) -> tuple[list[T], int | None]:
    """The items, below their name or bare, and the total where it is told: the official files describe neither."""
    try:
        data = msgspec.json.decode(body)
        whole = cast("dict[str, object]", data) if isinstance(data, dict) else {name: data}
        total = whole.get("total")
        items = msgspec.convert(whole.get(name), list[kind])
    except msgspec.MsgspecError as error:
        raise ConnectorError(f"the list of {name} is not of the expected form ({error})") from error
    return items, total if isinstance(total, int) else None


def _found(wish: AssociationWish, there: Sequence[WireAssociation]) -> Association | None:
    """The association of these ends: ours by its key, else anybody's by its labels. Raises `SetupError` when our key means
    other objects."""
    named = next((wire for wire in there if slug(wire.key) == slug(wish.key)), None)
    if named is not None:
        return _oriented(wish, named) or _refuse(named)
    alike = (_oriented(wish, wire) for wire in there if _is_alike(wish, wire))
    return next(alike, None)


def _is_alike(wish: AssociationWish, wire: WireAssociation) -> bool:
    """Whether both ends are the same, whichever way round."""
    first, second = wire.ends
    return any(
        first.is_like(one) and second.is_like(other)
        for one, other in ((wish.first, wish.second), (wish.second, wish.first))
    )


def _oriented(wish: AssociationWish, wire: WireAssociation) -> Association | None:
    """The association, with the way round that it is kept; None when it is between other objects."""
    first, second = wire.ends
    objects = (first.object_type, second.object_type)
    wished = (wish.first.object_type, wish.second.object_type)
    if objects not in (wished, wished[::-1]):
        return None
    is_swapped = objects != wished
    if wished[0] == wished[1]:
        is_swapped = first.is_like(wish.second) and not first.is_like(wish.first)
    return Association(wire.id, wire.key, first, second, is_swapped)


def _refuse(wire: WireAssociation) -> NoReturn:
    raise SetupError(
        f"The association {wire.key} is there, but between {wire.first_object_key} and {wire.second_object_key}: "
        "choose another key."
    )


def _check_room(wish: AssociationWish, there: Sequence[WireAssociation]) -> None:
    """Raises `SetupError` when HighLevel would refuse one more."""
    pair = {wish.first.object_type, wish.second.object_type}
    used = [
        wire.key
        for wire in there
        if wire.association_type == _USER_DEFINED and {end.object_type for end in wire.ends} == pair
    ]
    if len(used) >= MAX_LABELS:
        raise SetupError(
            f"HighLevel allows {MAX_LABELS} associations between {wish.first.object_type} and "
            f"{wish.second.object_type}, and there are {len(used)}: {', '.join(sorted(used))}. Use one of them, or delete "
            "one in HighLevel (Settings, Objects, Associations), which deletes its relations too."
        )


def _body(client: Client, wish: AssociationWish) -> dict[str, object]:
    return {
        "locationId": client.location,
        "key": slug(wish.key),
        "firstObjectKey": wish.first.object_type,
        "firstObjectLabel": wish.first.label,
        "secondObjectKey": wish.second.object_type,
        "secondObjectLabel": wish.second.label,
    }


def _plain(label: str) -> str:
    return label.strip().casefold()
