"""Two records and a kind of tie into a HighLevel relation, and back: related, listed, cut.

Called after both records are there: a relation is a call of its own, which may be left behind by a crash and is made by the
next try. Every function can be repeated. Facts: highlevel-api.md 1.6, 6 rows 1, 13 and 14.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from syncline.connectors.highlevel.associations import Association, walk
from syncline.connectors.highlevel.client import Client, Route
from syncline.connectors.highlevel.refusals import is_about_duplicate_relation
from syncline.core.values import Reference
from syncline.errors import Detail, NotFoundError, RejectedError

MAX_RECORDS = 1000
"""Relations of one record under one label (facts: 6 row 1)."""

RELATIONS = Route("GET", "/associations/relations/{record}", "associations/relation.readonly", "associations")
CREATE_RELATION = Route(
    "POST", "/associations/relations", "associations/relation.write", "associations", is_write=True
)
DELETE_RELATION = Route(
    "DELETE", "/associations/relations/{id}", "associations/relation.write", "associations", is_write=True
)


@dataclass(frozen=True, slots=True)
class Relation:
    """A tie as HighLevel keeps it."""

    id: str
    association: str
    first: Reference
    second: Reference

    def other(self, record: str) -> Reference:
        """The record at the other end."""
        return self.second if self.first.key == record else self.first


@dataclass(frozen=True, slots=True)
class Related:
    """A tie that is there now. `id` is empty where it was there before, and nobody looked it up."""

    id: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Room:
    """How many records one record is tied to under one label, of those that it may be."""

    used: int
    limit: int = MAX_RECORDS

    @property
    def left(self) -> int:
        """How many more HighLevel would take."""
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of relating one record to many: ties made now, and ties that were there."""

    made: int
    found: int


class _WireRelation(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    association_id: str
    first_record_id: str
    second_record_id: str
    first_object_key: str = ""
    second_object_key: str = ""


class _Made(msgspec.Struct):
    id: str = ""


async def relate(client: Client, association: Association, one: Reference, other: Reference) -> Related:
    """Tie two records together, in either order: one call. A tie that is there already is a success.

    Raises `RejectedError` with the counts when a record has all the ties that it may have, `NotFoundError` when the
    association is gone, `UnknownOutcomeError` when no clear answer came: simply try again.
    """
    first, second = association.order(one, other)
    body = {
        "locationId": client.location,
        "associationId": association.id,
        "firstRecordId": first,
        "secondRecordId": second,
    }
    try:
        answer = await client.call(CREATE_RELATION, json=body)
    except RejectedError as error:
        if is_about_duplicate_relation(error):
            return Related("", is_new=False)
        await _explain(client, association, (first, second))
        raise
    return Related(_id_of(answer.body), is_new=True)


async def relate_all(
    client: Client, association: Association, one: Reference, others: Sequence[Reference]
) -> Tally:
    """Tie one record to many. What is tied already is read first, so that a broken run goes on where it stopped.

    Raises `RejectedError` before the first tie is made when they are more than HighLevel allows for the one record.
    """
    there = {each.other(one.key).key for each in await relations_of(client, one.key, association)}
    missing = list({each.key: each for each in others if each.key not in there}.values())
    room = Room(len(there))
    if len(missing) > room.left:
        raise _full(association, one.key, room, f"{len(missing)} more are wished")
    made = [await relate(client, association, one, other) for other in missing]
    new = sum(each.is_new for each in made)
    return Tally(new, len({each.key for each in others}) - new)


async def room(client: Client, association: Association, record: str) -> Room:
    """How many more ties one record may have under this label: ask before many are made."""
    return Room(len(await relations_of(client, record, association)))


async def relations_of(
    client: Client, record: str, association: Association | None = None
) -> Sequence[Relation]:
    """The ties of a record, of one kind or of all. A new one may be missing for a while (facts: 6 row 5)."""
    query = {"associationIds": association.id} if association else {}
    found: dict[str, Relation] = {}
    async for each in walk(
        client, RELATIONS, "relations", _WireRelation, parts={"record": record}, query=query
    ):
        found[each.id] = _relation(each)
    return [each for each in found.values() if association is None or each.association == association.id]


async def unrelate(client: Client, relation: str) -> bool:
    """Cut a tie by its id. False where it was cut already."""
    try:
        await client.call(DELETE_RELATION, {"id": relation}, query={"locationId": client.location})
    except NotFoundError:
        return False
    except RejectedError as error:
        if "not found" in str(error.args[0]).lower():
            return False
        raise
    return True


async def unrelate_records(
    client: Client, association: Association, one: Reference, other: Reference
) -> bool:
    """Cut the tie between two records, in either order. False where there is none (that is shown yet)."""
    ends = association.order(one, other)
    there = await relations_of(client, other.key, association)
    ours = [each for each in there if (each.first.key, each.second.key) == ends]
    return any([await unrelate(client, each.id) for each in ours])


def _relation(wire: _WireRelation) -> Relation:
    return Relation(
        wire.id,
        wire.association_id,
        Reference(wire.first_object_key, wire.first_record_id),
        Reference(wire.second_object_key, wire.second_record_id),
    )


def _id_of(body: bytes) -> str:
    """The id of what was made; empty when the answer cannot be read: it was made all the same."""
    try:
        return msgspec.json.decode(body, type=_Made).id
    except msgspec.MsgspecError:
        return ""


async def _explain(client: Client, association: Association, ends: tuple[str, str]) -> None:
    """After a refusal: raises `RejectedError` when one of the records is full, which HighLevel's words need not say."""
    for record in ends:
        used = await room(client, association, record)
        if used.left == 0:
            raise _full(association, record, used, "one more was refused")


def _full(association: Association, record: str, used: Room, more: str) -> RejectedError:
    return RejectedError(
        f"{record} is tied to {used.used} records as {association.key}, and HighLevel allows {used.limit} for one record "
        f"under one label; {more}. Use a second association, or cut some in HighLevel",
        detail=Detail.VALIDATION,
    )
