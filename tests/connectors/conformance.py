"""What every connector promises, as tests: subclass `ConnectorConformance` and give it a `world`.

    class TestMyVendor(ConnectorConformance):
        @pytest.fixture
        async def world(self): ...   # yields a World: a fresh account with the connector to it

The suite speaks to the vendor only through the connector; what a person does there, and what goes wrong there, comes
through `World`. What only reads is in `tests.connectors.reading`, and what an object type must hold that cannot be
written.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from syncline.core.records import Ability, Create, Delete, FieldId, Gone, Record, Restore, Update
from syncline.core.values import BLANK, Value, YesNo, is_blank, same
from syncline.errors import BusyError, NotFoundError, RejectedError, UnknownOutcomeError
from syncline.ports import asking_before_writes
from tests.connectors.reading import ReadingConformance, World, cursor_now, listed, present

__all__ = ["ConnectorConformance", "World", "cursor_now", "differing", "listed", "made", "present"]


async def made(world: World, number: int = 1) -> Record:
    """A record made through the connector from a sample."""
    receipt = await world.connector.write(world.scope, Create(world.sample(number)))
    assert receipt.record is not None
    return receipt.record


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


class ConnectorConformance(ReadingConformance):
    """The promises of `ports.Connector` to whoever reads and writes."""

    # --- the connection ---------------------------------------------------------------------------------------------

    async def test_calls_are_counted_and_cost_is_what_a_write_takes(self, world: World) -> None:
        key = (await made(world)).key
        write = Update(key, {world.title: world.sample(2)[world.title]})
        before = world.connector.calls

        await world.connector.write(world.scope, write)

        assert world.connector.calls - before == world.connector.cost(write)

    # --- the schema -------------------------------------------------------------------------------------------------

    async def test_the_schema_covers_what_a_record_holds(self, world: World) -> None:
        record = await made(world)
        schema = await world.connector.schema(world.scope.object_type)

        for name, value in record.fields.items():
            field = schema.field(name)
            assert field is not None, name
            assert is_blank(value) or field.type.value == value.__struct_config__.tag, name

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
            if name in world.fixed:
                continue
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

        for name in [name for name in expected if name not in world.least()]:
            await world.connector.write(
                world.scope, Update(record.key, {name: BLANK}, {name: expected[name]})
            )
            expected[name] = BLANK

            assert differing(expected, await present(world, record.key)) == {}, name

    async def test_fields_that_are_not_sent_stay_empty(self, world: World) -> None:
        least = world.least()

        receipt = await world.connector.write(world.scope, Create(least))

        assert receipt.record is not None
        for name in world.sample(1).keys() - least.keys():
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

    async def test_a_deleted_record_is_gone(self, world: World) -> None:
        record = await made(world)

        receipt = await world.connector.write(world.scope, Delete(record.key))
        await world.settle()

        assert receipt.record is None
        assert isinstance(await world.connector.fetch(world.scope, record.key), Gone)
        assert (await listed(world)).records == {}

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
            title = {world.title: world.sample(2)[world.title]}
            for write in (Update(record.key, title), Create(world.sample(2)), Delete(record.key)):
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
            await world.connector.write(world.scope, Create(world.least()))
        await world.settle()

        assert (await listed(world)).count == 1

    async def test_a_read_is_repeated_through_a_failure(self, world: World) -> None:
        record = await made(world)
        before = world.connector.calls
        world.fail_next_read()

        await present(world, record.key)

        assert world.connector.calls - before == 2
