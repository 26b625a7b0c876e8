"""What every connector promises, as tests: subclass `ConnectorConformance` and give it a `world`.

    class TestMyVendor(ConnectorConformance):
        @pytest.fixture
        async def world(self): ...   # yields a World: a fresh account with the connector to it

The suite speaks to the vendor only through the connector; what a person does there, and what goes wrong there, comes
through `World`.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from syncline.core.records import (
    Ability,
    Create,
    Delete,
    FieldId,
    Gone,
    Present,
    Proof,
    Record,
    RecordKey,
    Restore,
    Scope,
    Update,
)
from syncline.core.values import BLANK, Value, YesNo, is_blank, same
from syncline.errors import AuthError, BusyError, NotFoundError, RejectedError, UnknownOutcomeError
from syncline.ports import Connector, Ending, asking_before_writes
from tests.clock import VirtualClock


class World(ABC):
    """A fresh account at a vendor, the connector to it, a person who edits there, and trouble on demand.

    `title` is a required text field. `unknown_key` has the form of a key and belongs to no record. `quiet_calls` is what
    a delta listing may cost at most when nothing happened. `many` is how many records fill more than one page.
    """

    connector: Connector
    scope: Scope
    clock: VirtualClock
    title: FieldId
    unknown_key: RecordKey
    quiet_calls = 2
    many = 120

    @abstractmethod
    def sample(self, number: int) -> dict[FieldId, Value]:
        """A value for each writable field to try, the title among them; number 1 and 2 differ in every field."""

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


async def made(world: World, number: int = 1) -> Record:
    """A record made through the connector from a sample."""
    receipt = await world.connector.write(world.scope, Create(world.sample(number)))
    assert receipt.record is not None
    return receipt.record


async def present(world: World, key: RecordKey) -> Record:
    """A record that is surely there."""
    sighting = await world.connector.fetch(world.scope, key)
    assert isinstance(sighting, Present), sighting
    return sighting.record


def differing(expected: Mapping[FieldId, Value], actual: Record) -> dict[FieldId, tuple[Value, Value | None]]:
    """The fields that do not mean the same, with both values; a yes/no that was emptied may read as no."""
    return {
        name: (value, actual.fields.get(name))
        for name, value in expected.items()
        if not _agrees(value, actual.fields.get(name))
    }


def _agrees(expected: Value, actual: Value | None) -> bool:
    if actual is None:
        return False
    return same(expected, actual) or (is_blank(expected) and actual == YesNo(yes=False))


class ConnectorConformance:
    """The promises of `ports.Connector`."""

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

    async def test_calls_are_counted_and_cost_is_what_a_write_takes(self, world: World) -> None:
        key = (await made(world)).key
        write = Update(key, {world.title: world.sample(2)[world.title]})
        before = world.connector.calls

        await world.connector.write(world.scope, write)

        assert world.connector.calls - before == world.connector.cost(write)

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

    async def test_the_schema_covers_what_a_record_holds(self, world: World) -> None:
        record = await made(world)
        schema = await world.connector.schema(world.scope.object_type)

        for name, value in record.fields.items():
            field = schema.field(name)
            assert field is not None, name
            assert is_blank(value) or field.type.value == value.__struct_config__.tag, name

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

    # --- what is written is what is read ----------------------------------------------------------------------------

    async def test_every_field_comes_back_from_a_create(self, world: World) -> None:
        sample = world.sample(1)

        record = await made(world)
        await world.settle()

        assert differing(sample, record) == {}
        assert differing(sample, await present(world, record.key)) == {}
        assert differing(sample, (await listed(world)).records[record.key]) == {}

    async def test_receipt_fetch_and_listing_agree(self, world: World) -> None:
        record = await made(world)
        await world.settle()

        assert differing(record.fields, await present(world, record.key)) == {}
        assert differing((await listed(world)).records[record.key].fields, record) == {}

    async def test_every_field_can_be_changed_alone_and_touches_no_other(self, world: World) -> None:
        record = await made(world)
        expected = world.sample(1)

        for name, value in world.sample(2).items():
            receipt = await world.connector.write(
                world.scope, Update(record.key, {name: value}, {name: expected[name]})
            )
            expected[name] = value

            assert receipt.key == record.key
            assert receipt.record is not None
            assert differing(expected, receipt.record) == {}, name
        assert differing(expected, await present(world, record.key)) == {}

    async def test_a_blank_clears_a_field(self, world: World) -> None:
        record = await made(world)
        expected = world.sample(1)

        for name in [name for name in expected if name != world.title]:
            await world.connector.write(
                world.scope, Update(record.key, {name: BLANK}, {name: expected[name]})
            )
            expected[name] = BLANK

            assert differing(expected, await present(world, record.key)) == {}, name

    async def test_fields_that_are_not_sent_stay_empty(self, world: World) -> None:
        title = {world.title: world.sample(1)[world.title]}

        receipt = await world.connector.write(world.scope, Create(title))

        assert receipt.record is not None
        for name in world.sample(1).keys() - title.keys():
            assert _agrees(BLANK, receipt.record.fields.get(name)), name

    async def test_an_external_key_finds_its_record_or_nothing_at_all(self, world: World) -> None:
        receipt = await world.connector.write(
            world.scope, Create(world.sample(1), external_key="sync-1-record-7")
        )
        await world.settle()

        found = await world.connector.find(world.scope, "sync-1-record-7")

        assert [record.key for record in found] in ([], [receipt.key])
        assert await world.connector.find(world.scope, "sync-1-record-8") == []

    async def test_edits_tell_the_time_of_a_field_or_nothing_at_all(self, world: World) -> None:
        record = await made(world)
        await world.settle()
        await world.rename(record.key, "Another title")
        renamed = await present(world, record.key)

        edits = await world.connector.edits(world.scope, record.key)

        if edits:
            assert edits[world.title].at == renamed.updated_at

    # --- gone -------------------------------------------------------------------------------------------------------

    async def test_an_unknown_key_is_gone(self, world: World) -> None:
        assert await world.connector.fetch(world.scope, world.unknown_key) == Gone(Proof.NOT_FOUND)

    async def test_a_deleted_record_is_gone(self, world: World) -> None:
        record = await made(world)

        receipt = await world.connector.write(world.scope, Delete(record.key))
        await world.settle()

        assert receipt.record is None
        assert isinstance(await world.connector.fetch(world.scope, record.key), Gone)
        assert (await listed(world)).records == {}

    async def test_a_record_deleted_by_a_person_is_gone_also_for_good(self, world: World) -> None:
        key = await world.create("Short-lived")
        await listed(world)
        await world.delete(key)
        await world.settle()

        assert isinstance(await world.connector.fetch(world.scope, key), Gone)
        await world.purge(key)
        assert await world.connector.fetch(world.scope, key) == Gone(Proof.NOT_FOUND)

    async def test_a_write_to_a_gone_record_is_not_found(self, world: World) -> None:
        key = await world.create("Short-lived")
        await listed(world)
        await world.delete(key)
        change = {world.title: world.sample(2)[world.title]}

        with pytest.raises(NotFoundError):
            await world.connector.write(world.scope, Update(key, change))
        with pytest.raises(NotFoundError):
            await world.connector.write(world.scope, Update(world.unknown_key, change))

    async def test_a_restored_record_is_the_same_record(self, world: World) -> None:
        schema = await world.connector.schema(world.scope.object_type)
        if Ability.RESTORE not in schema.abilities:
            pytest.skip("this vendor restores nothing")
        record = await made(world)
        await world.connector.write(world.scope, Delete(record.key))
        title = {world.title: world.sample(2)[world.title]}

        receipt = await world.connector.write(world.scope, Restore(record.key, title))
        await world.settle()

        assert receipt.key == record.key
        assert differing({**world.sample(1), **title}, await present(world, record.key)) == {}
        assert record.key in (await listed(world)).records

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

    # --- trouble ----------------------------------------------------------------------------------------------------

    async def test_a_rejected_write_names_the_field_and_changes_nothing(self, world: World) -> None:
        record = await made(world)
        name, value = world.refused()

        with pytest.raises(RejectedError) as caught:
            await world.connector.write(world.scope, Update(record.key, {name: value}))
        with pytest.raises(RejectedError):
            await world.connector.write(world.scope, Create({**world.sample(2), name: value}))
        await world.settle()

        assert caught.value.field == name
        assert differing(world.sample(1), await present(world, record.key)) == {}
        assert (await listed(world)).records.keys() == {record.key}

    async def test_whoever_must_not_write_any_more_sends_nothing(self, world: World) -> None:
        record = await made(world)

        def stop() -> None:
            raise BusyError("another run holds the sync")

        with asking_before_writes(stop):
            for write in (Update(record.key, world.sample(2)), Create(world.sample(2)), Delete(record.key)):
                with pytest.raises(BusyError):
                    await world.connector.write(world.scope, write)
        await world.settle()

        assert differing(world.sample(1), await present(world, record.key)) == {}
        assert (await listed(world)).records.keys() == {record.key}

    async def test_a_write_cut_after_it_happened_has_an_unknown_outcome_and_happens_once(
        self, world: World
    ) -> None:
        world.cut_next_write()

        with pytest.raises(UnknownOutcomeError):
            await world.connector.write(world.scope, Create({world.title: world.sample(1)[world.title]}))
        await world.settle()

        assert (await listed(world)).count == 1

    async def test_a_read_is_repeated_through_a_failure(self, world: World) -> None:
        record = await made(world)
        before = world.connector.calls
        world.fail_next_read()

        await present(world, record.key)

        assert world.connector.calls - before == 2
