"""What every connector promises of reading, as tests: subclass `ReadingConformance` and give it a `world`.

For object types that can be written too, `tests.connectors.conformance` adds what is promised of writing. Both speak to
the vendor only through the connector; what a person does there, and what goes wrong there, comes through `World`.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from syncline.core.records import (
    Create,
    Delete,
    FieldId,
    Gone,
    Present,
    Proof,
    Record,
    RecordKey,
    Scope,
    Sighting,
    Update,
)
from syncline.core.values import Value
from syncline.errors import AuthError, NotFoundError, RejectedError
from syncline.ports import Connector, Ending
from tests.clock import VirtualClock


class World(ABC):
    """A fresh account at a vendor, the connector to it, a person who edits there, and trouble on demand.

    `title` is a required text field. `unknown_key` has the form of a key and belongs to no record. `quiet_calls` is what
    a delta listing may cost at most when nothing happened. `many` is how many records fill more than one page. `fixed` are
    fields that are set when a record is made, and stay.
    """

    connector: Connector
    scope: Scope
    clock: VirtualClock
    title: FieldId
    unknown_key: RecordKey
    quiet_calls = 2
    many = 120
    fixed: frozenset[FieldId] = frozenset()

    @abstractmethod
    def sample(self, number: int) -> dict[FieldId, Value]:
        """A value for each writable field to try, the title among them; number 1 and 2 differ in every field."""

    def least(self) -> dict[FieldId, Value]:
        """The fewest fields of the first sample that a record can be made of; none of them can be emptied."""
        return {self.title: self.sample(1)[self.title]}

    @abstractmethod
    def refused(self) -> tuple[FieldId, Value]:
        """A field and a value of the right type that the vendor refuses for good, naming the field."""

    @abstractmethod
    async def create(self, title: str) -> RecordKey:
        """A person makes a record in scope."""

    @abstractmethod
    async def rename(self, key: RecordKey, title: str) -> None:
        """A person changes the title, and nothing else."""

    @abstractmethod
    async def delete(self, key: RecordKey) -> None:
        """A person deletes a record the vendor's usual way."""

    @abstractmethod
    async def purge(self, key: RecordKey) -> None:
        """A record that a person deleted goes for good."""

    @abstractmethod
    def stranger(self) -> Connector:
        """A connector to the same account with a wrong token. It is closed with the world."""

    def is_absence(self, sighting: Sighting) -> bool:
        """Whether this is what a direct read of a key answers that belongs to no record (any more)."""
        return sighting == Gone(Proof.NOT_FOUND)

    def fail_next_read(self) -> None:
        """The vendor answers the next read with 503."""
        pytest.skip("no failing reads here")

    def cut_next_write(self) -> None:
        """The vendor commits the next write, and its answer never comes."""
        pytest.skip("no cut answers here")

    async def settle(self) -> None:
        """Let so much time pass that listings show everything, and no edit counts as just now."""
        await self.clock.sleep(60)


@dataclass(frozen=True, slots=True)
class Listed:
    """A whole listing."""

    records: Mapping[RecordKey, Record]
    digests: Mapping[RecordKey, bytes]
    ending: Ending
    count: int


async def listed(world: World, since: str | None = None) -> Listed:
    """Run a listing to its end and decode every record."""
    records: dict[RecordKey, Record] = {}
    digests: dict[RecordKey, bytes] = {}
    ending, count = None, 0
    async for part in world.connector.pages(world.scope, since):
        assert ending is None, "an ending comes last, and once"
        if isinstance(part, Ending):
            ending = part
            continue
        assert len(part.keys) == len(part.digests)
        for index, key in enumerate(part.keys):
            records[key], digests[key] = part.record(index), part.digests[index]
            assert records[key].key == key
            count += 1
    assert ending is not None, "a listing has an ending"
    return Listed(records, digests, ending, count)


async def cursor_now(world: World) -> str:
    """The cursor of a complete listing, long after the last edit."""
    await world.settle()
    first = await listed(world)
    await world.settle()
    cursor = (await listed(world, first.ending.cursor)).ending.cursor
    assert cursor is not None
    return cursor


async def present(world: World, key: RecordKey) -> Record:
    """A record that is surely there."""
    sighting = await world.connector.fetch(world.scope, key)
    assert isinstance(sighting, Present), sighting
    return sighting.record


class ReadingConformance:
    """The promises of `ports.Connector` to whoever only reads."""

    # --- the connection ---------------------------------------------------------------------------------------------

    async def test_check_names_account_and_user(self, world: World) -> None:
        health = await world.connector.check()

        assert (health.problems, health.missing_scopes) == ((), ())
        assert health.account
        assert health.user

    async def test_a_wrong_token_is_an_auth_error_and_a_problem_of_the_check(self, world: World) -> None:
        stranger = world.stranger()

        health = await stranger.check()
        assert health.problems
        with pytest.raises(AuthError) as caught:
            await stranger.schema(world.scope.object_type)
        await stranger.close()

        assert "wrong-token" not in f"{caught.value!r} {caught.value} {health}"

    # --- the schema -------------------------------------------------------------------------------------------------

    async def test_the_object_type_is_offered(self, world: World) -> None:
        offered = {each.id for each in await world.connector.object_types()}

        assert world.scope.object_type in offered

    async def test_the_schema_is_typed(self, world: World) -> None:
        schema = await world.connector.schema(world.scope.object_type)

        assert schema.id == world.scope.object_type
        assert len({field.id for field in schema.fields}) == len(schema.fields)
        for name, value in world.sample(1).items():
            field = schema.field(name)
            assert field is not None, name
            assert field.type.value == value.__struct_config__.tag, name
            assert not field.is_read_only, name

    async def test_an_unknown_object_type_is_not_found(self, world: World) -> None:
        with pytest.raises(NotFoundError):
            await world.connector.schema(type(world.scope.object_type)("custom_objects.no_such_thing"))

    # --- listings ---------------------------------------------------------------------------------------------------

    async def test_an_empty_scope_is_a_complete_listing_of_nothing(self, world: World) -> None:
        listing = await listed(world)

        assert (listing.count, listing.ending.is_complete) == (0, True)

    async def test_a_full_listing_holds_every_record_once_across_pages(self, world: World) -> None:
        keys = {await world.create(f"Record {number}") for number in range(world.many)}
        await world.settle()

        listing = await listed(world)

        assert listing.records.keys() == keys
        assert listing.count == len(keys)
        assert listing.ending.is_complete
        assert listing.ending.cursor is not None

    async def test_a_digest_changes_exactly_when_its_record_does(self, world: World) -> None:
        keys = [await world.create(f"Record {number}") for number in range(3)]
        await world.settle()
        first, second = await listed(world), await listed(world)
        await world.rename(keys[1], "Another title")
        await world.settle()

        third = await listed(world)

        assert first.digests == second.digests
        assert {key for key in keys if first.digests[key] != third.digests[key]} == {keys[1]}

    # --- gone -------------------------------------------------------------------------------------------------------

    async def test_an_unknown_key_is_gone(self, world: World) -> None:
        assert world.is_absence(await world.connector.fetch(world.scope, world.unknown_key))

    async def test_a_record_deleted_by_a_person_is_gone_also_for_good(self, world: World) -> None:
        key = await world.create("Short-lived")
        await listed(world)
        await world.delete(key)
        await world.settle()

        assert isinstance(await world.connector.fetch(world.scope, key), Gone)
        await world.purge(key)
        assert world.is_absence(await world.connector.fetch(world.scope, key))

    # --- deltas -----------------------------------------------------------------------------------------------------

    async def test_a_delta_holds_what_was_made_and_changed_since(self, world: World) -> None:
        old, quiet = await world.create("Old"), await world.create("Quiet")
        cursor = await cursor_now(world)
        new = await world.create("New")
        await world.rename(old, "Renamed")
        await world.settle()

        delta = await listed(world, cursor)

        assert {old, new} <= delta.records.keys() <= {old, new, quiet}
        assert delta.records[old].title == "Renamed"
        assert delta.ending.cursor is not None

    async def test_deltas_follow_each_other_without_a_gap(self, world: World) -> None:
        key = await world.create("Title 0")
        cursor = (await listed(world)).ending.cursor

        for number in range(1, 4):
            await world.rename(key, f"Title {number}")
            await world.settle()
            delta = await listed(world, cursor)
            cursor = delta.ending.cursor

            assert delta.records[key].title == f"Title {number}"

    async def test_an_edit_in_the_moment_of_the_listing_is_not_missed(self, world: World) -> None:
        key = await world.create("Before")
        cursor = (await listed(world)).ending.cursor
        await world.rename(key, "After")
        await world.settle()

        delta = await listed(world, cursor)

        assert delta.records[key].title == "After"

    async def test_the_vendors_clock_is_told_to_a_second(self, world: World) -> None:
        await listed(world)

        assert world.connector.skew is not None
        assert abs(world.connector.skew) <= dt.timedelta(seconds=1)

    async def test_a_delta_of_nothing_is_cheap(self, world: World) -> None:
        for number in range(5):
            await world.create(f"Record {number}")
        cursor = await cursor_now(world)
        before = world.connector.calls

        delta = await listed(world, cursor)

        assert delta.count <= 5
        assert world.connector.calls - before <= world.quiet_calls


class ReadOnlyConformance(ReadingConformance):
    """What an object type promises besides that cannot be written: it says so before anybody tries."""

    async def test_the_schema_offers_nothing_to_write(self, world: World) -> None:
        schema = await world.connector.schema(world.scope.object_type)

        assert schema.abilities == frozenset()
        assert all(field.is_read_only for field in schema.fields)

    async def test_the_schema_covers_what_a_record_holds(self, world: World) -> None:
        record = await present(world, await world.create("Made by a person"))
        schema = await world.connector.schema(world.scope.object_type)

        assert record.title == "Made by a person"
        assert record.fields.keys() <= {field.id for field in schema.fields}

    async def test_every_write_is_refused_before_anything_is_sent(self, world: World) -> None:
        key = await world.create("Made by a person")
        value = (await present(world, key)).fields[world.title]
        before = world.connector.calls

        for write in (Create({world.title: value}), Update(key, {world.title: value}), Delete(key)):
            with pytest.raises(RejectedError):
                await world.connector.write(world.scope, write)

        assert world.connector.calls == before
