"""What is particular to contacts, opportunities, tasks and notes: duplicates, tags, stages, parents, keys and scopes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from syncline.connectors.highlevel import scopes_for
from syncline.core.records import (
    Create,
    FieldId,
    FieldSchema,
    Gone,
    ObjectTypeId,
    Present,
    Proof,
    RecordKey,
    Scope,
    Update,
)
from syncline.core.values import (
    BLANK,
    FieldType,
    ManyOf,
    Moment,
    OneOf,
    Person,
    Phone,
    Reference,
    Text,
    Value,
)
from syncline.errors import AuthError, ConfigError, Detail, NotFoundError, RejectedError, UnknownOutcomeError
from syncline.sandbox.faults import Fault, FaultKind
from syncline.sandbox.highlevel import Options
from tests.connectors.conformance import listed, made, present
from tests.connectors.highlevel_crm import CrmWorld, crm_world

DUE = Moment(dt.datetime(2026, 4, 1, tzinfo=dt.UTC))


def fields(**given: Value) -> dict[FieldId, Value]:
    return {FieldId(name): value for name, value in given.items()}


async def field_of(world: CrmWorld, name: str) -> FieldSchema:
    found = (await world.connector.schema(world.scope.object_type)).field(FieldId(name))
    assert found is not None, name
    return found


class TestContacts:
    async def test_a_duplicate_is_recognised_with_its_field_and_the_contact_that_is_there(self) -> None:
        async with crm_world("contact") as w:
            there = w.contact("Zoë", email="zoe@example.test", phone="+14155550100")
            for same, field in ((Text("ZOE@example.test"), "email"), (Phone("+1 415 555 0100"), "phone")):
                with pytest.raises(RejectedError) as caught:
                    await w.connector.write(w.scope, Create(fields(**{"first_name": Text("Z"), field: same})))

                assert caught.value.is_duplicate
                assert caught.value.detail is Detail.DUPLICATE
                assert caught.value.field == field
                assert there in str(caught.value.args[0])
            assert (await listed(w)).count == 1

    async def test_a_location_that_allows_duplicates_gets_them(self) -> None:
        async with crm_world("contact") as w:
            w.world.act("allow_duplicate_contacts", is_allowed=True)
            w.contact("Zoë", email="zoe@example.test")

            await w.connector.write(w.scope, Create(fields(email=Text("zoe@example.test"))))

            assert (await listed(w)).count == 2

    async def test_tags_are_added_and_removed_one_by_one_so_that_others_stay(self) -> None:
        async with crm_world("contact") as w:
            key = RecordKey(w.contact("Zoë", tags=["old", "theirs"]))
            before = w.connector.calls

            change = Update(key, fields(tags=ManyOf(("new",))), fields(tags=ManyOf(("old",))))
            receipt = await w.connector.write(w.scope, change)

            assert receipt.record is not None
            assert receipt.record.fields[FieldId("tags")] == ManyOf(("theirs", "new"))
            sent = w.world.requests()[-4:]
            assert [method for method, path in sent if path.endswith("/tags") and "contacts" in path] == [
                "POST",
                "DELETE",
            ]
            assert w.connector.calls - before <= 6

    async def test_tags_whose_past_is_not_told_are_looked_up(self) -> None:
        async with crm_world("contact") as w:
            key = RecordKey(w.contact("Zoë", tags=["old", "kept"]))

            await w.connector.write(w.scope, Update(key, fields(tags=ManyOf(("kept", "new")))))
            assert (await present(w, key)).fields[FieldId("tags")] == ManyOf(("kept", "new"))

            await w.connector.write(w.scope, Update(key, fields(tags=BLANK)))
            assert (await present(w, key)).fields[FieldId("tags")] == BLANK

    async def test_a_change_that_was_only_begun_has_an_unknown_outcome(self) -> None:
        async with crm_world("contact") as w:
            key = RecordKey(w.contact("Zoë"))
            await present(w, key)
            w.world.faults.add(Fault(FaultKind.STATUS, method="POST", path="/tags$", status=429, times=50))

            change = fields(first_name=Text("Anna"), tags=ManyOf(("new",)))
            with pytest.raises(UnknownOutcomeError):
                await w.connector.write(w.scope, Update(key, change, fields(tags=BLANK)))

            assert (await present(w, key)).fields[FieldId("first_name")] == Text("Anna")

    async def test_tags_are_open_options_and_known_by_any_writing_of_the_vendor(self) -> None:
        async with crm_world("contact", options=Options(lowercase_tags=True)) as w:
            w.contact("Zoë", tags=["VIP"])
            field = await field_of(w, "tags")

            receipt = await w.connector.write(
                w.scope, Create(fields(first_name=Text("A"), tags=ManyOf(("BUG",))))
            )

        assert field.is_open
        assert [option.key for option in field.options or ()] == ["vip"]
        assert receipt.record is not None
        assert receipt.record.fields[FieldId("tags")] == ManyOf(("bug",))

    async def test_what_cannot_be_written_says_why(self) -> None:
        async with crm_world("contact") as w:
            key = RecordKey(w.contact("Zoë", companyName="Doors"))
            for name in ("company_name", "business"):
                field = await field_of(w, name)
                assert field.is_read_only
                assert field.note
                with pytest.raises(RejectedError) as caught:
                    await w.connector.write(w.scope, Update(key, {FieldId(name): Text("x")}))
                assert (caught.value.field, caught.value.detail) == (name, Detail.READ_ONLY)
            assert (await present(w, key)).fields[FieldId("company_name")] == Text("Doors")

    async def test_names_in_lower_case_are_never_taken_for_names_and_are_read_once(self) -> None:
        async with crm_world("contact", options=Options(names_in_contact_search=False)) as w:
            for name in ("Zoë", "Anna"):
                w.contact(name)
            assert {r.fields[FieldId("first_name")] for r in (await listed(w)).records.values()} == {
                Text("Zoë"),
                Text("Anna"),
            }
            before = w.connector.calls

            await listed(w)

            assert w.connector.calls - before == 1

    async def test_custom_fields_are_typed_and_those_of_a_taken_name_are_told_apart(self) -> None:
        async with crm_world("contact") as w:
            w.world.act("create_location_field", model="contact", name="City", type="TEXT")
            w.world.act("create_location_field", model="contact", name="Plan", type="FILE_UPLOAD")
            w.world.act("create_location_field", model="contact", name="Lines", type="TEXTBOX_LIST")
            w.world.act("create_location_field", model="opportunity", name="Foreign", type="TEXT")
            schema = await w.connector.schema(w.scope.object_type)
            types = {field.id: (field.type, field.is_read_only) for field in schema.fields}
            level = schema.field(FieldId("level"))

        assert types[FieldId("custom.city")] == (FieldType.TEXT, False)
        assert types[FieldId("plan")] == (FieldType.FILES, True)
        assert types[FieldId("lines")] == (FieldType.TEXT, True)
        assert FieldId("foreign") not in types
        assert level is not None
        assert [option.key for option in level.options or ()] == ["Low", "High"]

    async def test_without_the_scope_of_custom_fields_and_tags_the_rest_is_still_synced(self) -> None:
        async with crm_world("contact") as w:
            token = w.world.vendor.account.private_tokens[w.world.location]
            w.world.act("set_scopes", token=token, scopes=["contacts.readonly", "contacts.write"])
            schema = await w.connector.schema(w.scope.object_type)
            receipt = await w.connector.write(w.scope, Create(fields(first_name=Text("Zoë"))))

            w.world.act("set_scopes", token=token, scopes=["contacts.readonly"])
            with pytest.raises(AuthError) as caught:
                await w.connector.write(w.scope, Create(fields(first_name=Text("Zoë"))))

        assert schema.field(FieldId("pin_code")) is None
        assert receipt.record is not None
        assert caught.value.missing_scopes == ("contacts.write",)


class TestOpportunities:
    async def test_pipelines_and_stages_are_options(self) -> None:
        async with crm_world("opportunity") as w:
            stage, pipeline = await field_of(w, "stage"), await field_of(w, "pipeline")
            status = await field_of(w, "status")

        assert [option.label for option in stage.options or ()][:2] == ["Sales: New", "Sales: Meeting"]
        assert [option.label for option in pipeline.options or ()] == ["Sales", "Renewals"]
        assert pipeline.is_read_only
        assert [option.key for option in status.options or ()] == ["open", "won", "lost", "abandoned"]

    async def test_a_stage_of_another_pipeline_moves_the_opportunity_there(self) -> None:
        async with crm_world("opportunity") as w:
            record = await made(w)
            assert record.fields[FieldId("pipeline")] == OneOf(w.pipelines[0])

            receipt = await w.connector.write(w.scope, Update(record.key, fields(stage=OneOf(w.stages[1]))))

            assert receipt.record is not None
            assert receipt.record.fields[FieldId("pipeline")] == OneOf(w.pipelines[1])
            with pytest.raises(RejectedError) as caught:
                await w.connector.write(w.scope, Update(record.key, fields(stage=OneOf("nowhere"))))
            assert caught.value.field == "stage"

    async def test_a_new_one_takes_its_place_and_contact_from_the_filter(self) -> None:
        async with crm_world("opportunity") as w:
            where = {"pipeline": (w.pipelines[1],), "create_for": (w.contacts[1],)}
            receipt = await w.connector.write(replace_where(w, where), Create(fields(name=Text("Door"))))

        assert receipt.record is not None
        assert receipt.record.fields[FieldId("stage")] == OneOf(w.stages[1])
        assert receipt.record.fields[FieldId("status")] == OneOf("open")
        assert receipt.record.fields[FieldId("contact")] == Reference("contact", w.contacts[1])

    async def test_without_a_contact_or_with_a_missing_one_there_is_no_parent(self) -> None:
        async with crm_world("opportunity") as w:
            for given in (
                fields(name=Text("Door")),
                fields(name=Text("Door"), contact=Reference("contact", "gone")),
            ):
                with pytest.raises(RejectedError) as caught:
                    await w.connector.write(w.scope, Create(given))
                assert (caught.value.field, caught.value.detail) == ("contact", Detail.NO_PARENT)

    async def test_the_contact_is_never_changed(self) -> None:
        async with crm_world("opportunity") as w:
            record = await made(w)
            change = fields(contact=Reference("contact", w.contacts[1]))

            with pytest.raises(RejectedError) as caught:
                await w.connector.write(w.scope, Update(record.key, change))

        assert (caught.value.field, caught.value.detail) == ("contact", Detail.UNSUPPORTED)

    async def test_one_that_left_its_pipeline_is_there_but_out_of_scope(self) -> None:
        async with crm_world("opportunity") as w:
            record = await made(w)
            scope = replace_where(w, {"pipeline": (w.pipelines[0],)})
            await w.connector.write(w.scope, Update(record.key, fields(stage=OneOf(w.stages[1]))))

            sighting = await w.connector.fetch(scope, record.key)
            w.scope = scope
            inside = await listed(w)

        assert isinstance(sighting, Present)
        assert not sighting.record.in_scope
        assert (inside.count, inside.ending.is_complete) == (0, True)

    async def test_a_filter_that_there_is_none_of_is_a_problem_of_the_configuration(self) -> None:
        async with crm_world("opportunity") as w:
            with pytest.raises(ConfigError) as caught:
                await w.connector.fetch(replace_where(w, {"colour": ("red",)}), RecordKey("x"))

        assert [problem.path for problem in caught.value.problems] == ["where.colour"]


class TestTasksAndNotes:
    async def test_a_task_needs_a_due_date_and_a_contact(self) -> None:
        async with crm_world("task") as w:
            contact = Reference("contact", w.contacts[0])
            refused = (
                (fields(title=Text("Call"), contact=contact), "due", Detail.REQUIRED_FIELD),
                (fields(title=Text("Call"), due=DUE), "contact", Detail.NO_PARENT),
                (
                    fields(title=Text("Call"), due=DUE, contact=Reference("contact", "gone")),
                    "contact",
                    Detail.NO_PARENT,
                ),
            )
            for given, field, detail in refused:
                with pytest.raises(RejectedError) as caught:
                    await w.connector.write(w.scope, Create(given))
                assert (caught.value.field, caught.value.detail) == (field, detail)

    @pytest.mark.parametrize("kind", ["task", "note"])
    async def test_a_filter_names_the_contacts_and_where_new_ones_go(self, kind: str) -> None:
        async with crm_world(kind) as w:
            first = await made(w)
            w.scope = replace_where(w, {"contact": (w.contacts[1],)})
            least = {name: value for name, value in w.least().items() if name != "contact"}

            receipt = await w.connector.write(w.scope, Create(least))
            sighting = await w.connector.fetch(w.scope, first.key)

            assert (await listed(w)).records.keys() == {receipt.key}
        assert receipt.key.startswith(f"{w.contacts[1]}:")
        assert isinstance(sighting, Present)
        assert not sighting.record.in_scope

    @pytest.mark.parametrize("kind", ["task", "note"])
    async def test_they_go_with_their_contact(self, kind: str) -> None:
        async with crm_world(kind) as w:
            record = await made(w)
            w.world.act("drop_crm", kind="contact", id=w.contacts[0])

            assert await w.connector.fetch(w.scope, record.key) == Gone(Proof.NOT_FOUND)
            assert (await listed(w)).count == 0

    @pytest.mark.parametrize("key", ["one-part", ":", "a:b:c", ""])
    async def test_a_key_of_another_form_is_no_record(self, key: str) -> None:
        async with crm_world("task") as w:
            assert await w.connector.fetch(w.scope, RecordKey(key)) == Gone(Proof.NOT_FOUND)
            with pytest.raises(NotFoundError):
                await w.connector.write(w.scope, Update(RecordKey(key), fields(title=Text("x"))))

    async def test_tasks_of_many_pages_come_whatever_the_page_of_the_vendor(self) -> None:
        async with crm_world("task") as w:
            keys = {await w.create(f"Task {number}") for number in range(205)}
            before = w.connector.calls

            assert (await listed(w)).records.keys() == keys
        assert w.connector.calls - before <= 6

    async def test_notes_of_all_contacts_cost_a_call_each(self) -> None:
        async with crm_world("note") as w:
            await listed(w)
            before = w.connector.calls

            await listed(w)

        assert w.connector.calls - before == 1 + len(w.contacts)

    async def test_the_title_of_a_note_without_one_is_its_first_line(self) -> None:
        async with crm_world("note") as w:
            given = fields(body=Text("First line\nmore"), contact=Reference("contact", w.contacts[0]))
            receipt = await w.connector.write(w.scope, Create(given))

        assert receipt.record is not None
        assert receipt.record.title == "First line"
        assert receipt.record.updated_at is None

    async def test_a_task_without_the_right_to_see_users_keeps_its_person_by_id(self) -> None:
        async with crm_world("task") as w:
            record = await made(w)
            token = w.world.vendor.account.private_tokens[w.world.location]
            scopes = ["contacts.readonly", "locations/tasks.readonly"]
            w.world.act("set_scopes", token=token, scopes=scopes)
            other = w.world.open()
            schema = await other.schema(w.scope.object_type)
            sighting = await other.fetch(w.scope, record.key)

        assert "users.readonly" in str(schema.field(FieldId("assigned_to")))
        assert isinstance(sighting, Present)
        person = sighting.record.fields[FieldId("assigned_to")]
        assert isinstance(person, Person)
        assert (person.email, bool(person.id)) == ("", True)


@pytest.mark.parametrize(
    ("kind", "reading", "writing"),
    [
        ("contact", "contacts.readonly", "contacts.write"),
        ("opportunity", "opportunities.readonly", "opportunities.write"),
        ("task", "locations/tasks.readonly", "contacts.write"),
        ("note", "contacts.readonly", "contacts.write"),
    ],
)
async def test_the_scopes_that_are_asked_for_are_enough(kind: str, reading: str, writing: str) -> None:
    assert reading in scopes_for(kind, is_written=False)
    assert writing not in scopes_for(kind, is_written=False)
    async with crm_world(kind) as w:
        token = w.world.vendor.account.private_tokens[w.world.location]
        scopes = [*scopes_for("", is_written=True), *scopes_for(kind, is_written=True)]
        w.world.act("set_scopes", token=token, scopes=scopes)
        w.connector = w.world.open()
        await w.connector.schema(w.scope.object_type)
        record = await made(w)

        assert (await listed(w)).records.keys() == {record.key}
        assert writing in scopes


async def test_the_types_of_the_crm_are_offered() -> None:
    async with crm_world("contact") as w:
        offered = {each.id: each.title for each in await w.connector.object_types()}

    assert offered[ObjectTypeId("contact")] == "Contacts"
    assert {ObjectTypeId(kind) for kind in ("opportunity", "task", "note")} <= offered.keys()


def replace_where(world: Any, where: dict[str, tuple[str, ...]]) -> Scope:
    return Scope(world.scope.object_type, where)
