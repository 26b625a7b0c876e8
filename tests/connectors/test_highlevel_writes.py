"""Writes to HighLevel over real HTTP: every type, partial updates, refusals, unknown outcomes."""

from __future__ import annotations

import msgspec
import pytest

from syncline.connectors.highlevel import WriteStyle
from syncline.connectors.highlevel.writing import ListUpdate
from syncline.core.records import (
    Archive,
    Create,
    Delete,
    FieldId,
    Gone,
    ObjectTypeId,
    Present,
    Proof,
    RecordKey,
    Restore,
    Scope,
    Update,
)
from syncline.core.values import (
    BLANK,
    ManyOf,
    Person,
    Phone,
    Text,
    same,
)
from syncline.errors import (
    NotFoundError,
    RejectedError,
    TransientError,
    UnknownOutcomeError,
)
from syncline.sandbox.faults import Fault, FaultKind
from syncline.sandbox.highlevel import Options, PlainArray
from tests.connectors.highlevel_world import (
    FULL,
    KEY_FIELD,
    SCOPE,
    TICKET,
    create,
    listing,
    world,
)


class TestWrites:
    async def test_every_type_is_kept_as_it_was_sent(self) -> None:
        async with world() as w:
            receipt = await w.connector.write(SCOPE, Create(FULL, "k-1"))
            sighting = await w.connector.fetch(SCOPE, receipt.key)
            digests, pages, _ = await listing(w.connector)

        assert isinstance(sighting, Present)
        listed = pages[0].record(0)
        # Only a search tells who wrote last (facts: highlevel-api.md 2).
        assert receipt.record == sighting.record == msgspec.structs.replace(listed, updated_by="")
        assert list(digests) == [receipt.key]
        assert sighting.record.external_key == "k-1"
        for field, value in FULL.items():
            assert same(sighting.record.fields[field], value), field

    async def test_an_update_changes_only_what_it_names(self) -> None:
        async with world() as w:
            made = await w.connector.write(SCOPE, Create(FULL))
            changed = {
                FieldId("title"): Text("Window"),
                FieldId("hours"): BLANK,
                FieldId("lines.high"): Text("two"),
            }

            receipt = await w.connector.write(SCOPE, Update(made.key, changed))

        assert receipt.record is not None
        for field, value in {**FULL, **changed}.items():
            assert same(receipt.record.fields[field], value), field

    @pytest.mark.parametrize("plain_array", [PlainArray.REJECT, PlainArray.MERGE])
    async def test_sets_are_written_as_added_and_removed(self, plain_array: PlainArray) -> None:
        async with world(options=Options(plain_array=plain_array)) as w:
            made = await w.connector.write(SCOPE, Create(FULL))
            w.edit("update_record", id=made.key, properties={"areas": ["low", "high", "urgent"]})
            changed = {
                FieldId("areas"): ManyOf(("high",)),
                FieldId("files"): BLANK,
                FieldId("owner"): Person("editor@example.test"),
            }

            receipt = await w.connector.write(SCOPE, Update(made.key, changed, FULL))

        assert receipt.record is not None
        fields = receipt.record.fields
        assert same(fields[FieldId("areas")], ManyOf(("high", "urgent")))
        assert same(fields[FieldId("files")], BLANK)
        assert same(fields[FieldId("owner")], Person("editor@example.test"))

    async def test_plain_arrays_replace_where_that_is_chosen(self) -> None:
        async with world(style=WriteStyle(ListUpdate.PLAIN, "owners")) as w:
            made = await w.connector.write(SCOPE, Create(FULL))
            changed = {FieldId("areas"): ManyOf(("urgent",)), FieldId("owner"): BLANK}

            receipt = await w.connector.write(SCOPE, Update(made.key, changed, FULL))

        assert receipt.record is not None
        assert same(receipt.record.fields[FieldId("areas")], ManyOf(("urgent",)))
        assert same(receipt.record.fields[FieldId("owner")], BLANK)

    async def test_an_unknown_past_is_looked_up(self) -> None:
        async with world() as w:
            made = await w.connector.write(SCOPE, Create(FULL))
            update = Update(made.key, {FieldId("areas"): ManyOf(("urgent",))})
            before = w.connector.calls

            receipt = await w.connector.write(SCOPE, update)

            assert w.connector.calls - before == w.connector.cost(update) == 2
        assert receipt.record is not None
        assert same(receipt.record.fields[FieldId("areas")], ManyOf(("urgent",)))

    async def test_nothing_to_change_is_not_written(self) -> None:
        async with world() as w:
            made = await w.connector.write(SCOPE, Create(FULL))
            w.clock.advance(60)
            tags = {FieldId("tags"): FULL[FieldId("tags")]}

            receipt = await w.connector.write(SCOPE, Update(made.key, tags, tags))

        assert receipt == made

    async def test_one_call_a_write(self) -> None:
        async with world() as w:
            key = await create(w)
            before = w.connector.calls
            writes = [
                Create({FieldId("title"): Text("b")}),
                Update(key, {FieldId("title"): Text("c")}),
                Delete(key),
            ]
            for write in writes:
                await w.connector.write(SCOPE, write)

            assert w.connector.calls - before == sum(w.connector.cost(write) for write in writes) == 3

    async def test_a_deleted_record_is_gone_with_proof(self) -> None:
        async with world() as w:
            key = await create(w)

            receipt = await w.connector.write(SCOPE, Delete(key))

            assert receipt.record is None
            assert await w.connector.fetch(SCOPE, key) == Gone(Proof.NOT_FOUND)
            with pytest.raises(NotFoundError):
                await w.connector.write(SCOPE, Update(key, {FieldId("title"): Text("x")}))
            with pytest.raises(NotFoundError):
                await w.connector.write(SCOPE, Delete(key))

    async def test_a_business_is_a_record_too(self) -> None:
        business = Scope(ObjectTypeId("business"))
        async with world() as w:
            schema = await w.connector.schema(business.object_type)
            made = await w.connector.write(business, Create({FieldId("name"): Text("Company One")}))
            sighting = await w.connector.fetch(business, made.key)

        assert schema.field(FieldId("owner")) is None
        assert isinstance(sighting, Present)
        assert sighting.record.title == "Company One"

    async def test_an_object_that_vanished_is_no_proof_about_its_records(self) -> None:
        async with world() as w:
            key = await create(w)
            refusal = {"statusCode": 404, "message": "Object with key custom_objects.ticket not found"}
            w.faults.add(Fault(FaultKind.STATUS, path="/records/", status=404, body=refusal))

            with pytest.raises(NotFoundError):
                await w.connector.fetch(SCOPE, key)

    async def test_a_key_that_is_not_known_there_makes_the_fields_be_read_again(self) -> None:
        async with world() as w:
            key = await create(w)
            refusal = {"statusCode": 400, "message": "Invalid Key Passed"}
            w.faults.add(Fault(FaultKind.STATUS, method="PUT", status=400, body=refusal, times=1))
            update = Update(key, {FieldId("title"): Text("x")})
            with pytest.raises(RejectedError):
                await w.connector.write(SCOPE, update)
            before = len(w.requests())

            await w.connector.write(SCOPE, update)

            assert ("GET", "/objects/custom_objects.ticket") in w.requests(before)

    async def test_an_answer_that_cannot_be_read_is_an_unknown_outcome(self) -> None:
        async with world() as w:
            await w.connector.schema(TICKET)
            odd = Fault(FaultKind.STATUS, method="POST", path="/records$", status=201, body={"ok": True})
            w.faults.add(odd)

            with pytest.raises(UnknownOutcomeError):
                await create(w)

    async def test_there_is_neither_archive_nor_restore(self) -> None:
        async with world() as w:
            for write in (Archive(RecordKey("r")), Restore(RecordKey("r"))):
                with pytest.raises(RejectedError):
                    await w.connector.write(SCOPE, write)

    @pytest.mark.parametrize("status", [400, 409, 422])
    async def test_a_second_record_of_the_same_key_is_a_duplicate(self, status: int) -> None:
        async with world(options=Options(unique_status=status)) as w:
            await create(w, key="k-1")

            with pytest.raises(RejectedError) as caught:
                await create(w, key="k-1")

        assert caught.value.is_duplicate
        assert caught.value.field == KEY_FIELD

    async def test_a_refused_value_names_its_field(self) -> None:
        async with world() as w:
            with pytest.raises(RejectedError) as caught:
                await w.connector.write(SCOPE, Create({FieldId("phone"): Phone("555")}))

        assert caught.value.field == "phone"
        assert not caught.value.is_duplicate

    async def test_a_cut_after_the_commit_is_an_unknown_outcome_and_can_be_found(self) -> None:
        async with world() as w:
            await w.connector.schema(TICKET)
            w.faults.add(Fault(FaultKind.CUT_AFTER, method="POST", path="/records$", times=1))

            with pytest.raises(UnknownOutcomeError):
                await create(w, key="k-1")
            found = await w.connector.find(SCOPE, "k-1")

            assert [record.external_key for record in found] == ["k-1"]
            assert await w.connector.find(SCOPE, "k-2") == []

    async def test_a_search_for_a_key_that_is_cut_short_is_not_believed(self) -> None:
        async with world() as w:
            await create(w, key="k-1")
            w.faults.add(Fault(FaultKind.PARTIAL, path="/search$", times=1))

            with pytest.raises(TransientError):
                await w.connector.find(SCOPE, "k-1")

            assert len(await w.connector.find(SCOPE, "k-1")) == 1

    async def test_an_object_without_a_key_field_finds_nothing(self) -> None:
        async with world(external_key=None) as w:
            await create(w, key="k-1")

            assert await w.connector.find(SCOPE, "k-1") == []
