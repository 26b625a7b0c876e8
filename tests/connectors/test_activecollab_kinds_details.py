"""What is particular to ActiveCollab's object types beyond tasks: parents, money, archives, files, and who is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from decimal import Decimal

import pytest

from syncline.core.records import (
    Ability,
    Archive,
    Create,
    Delete,
    FieldId,
    Gone,
    ObjectTypeId,
    Present,
    Proof,
    Receipt,
    RecordKey,
    Restore,
    Scope,
    Unseen,
    Update,
)
from syncline.core.values import BLANK, Number, OneOf, Reference, RichText, Text, Value, YesNo
from syncline.errors import ConfigError, Detail, RejectedError
from syncline.sandbox.activecollab import Quirks
from syncline.sandbox.faults import Fault, FaultKind
from tests.connectors.activecollab_kinds import (
    READ,
    WRITTEN,
    CommentWorld,
    CompanyWorld,
    NoteWorld,
    SubtaskWorld,
    TimeRecordWorld,
    fields,
)
from tests.connectors.activecollab_world import ActiveCollabWorld, open_world
from tests.connectors.conformance import cursor_now, listed, made, present


def opened(kind: str, quirks: Quirks | None = None) -> AbstractAsyncContextManager[ActiveCollabWorld]:
    return open_world(object_type=kind, world_class={**WRITTEN, **READ}[kind], quirks=quirks)


def world_of(kind: str) -> Callable[[], AsyncGenerator[ActiveCollabWorld, None]]:
    @pytest.fixture(name=kind)
    async def fixture() -> AsyncGenerator[ActiveCollabWorld, None]:
        async with opened(kind) as world:
            yield world

    return fixture


company, note, time_record, subtask, comment = map(
    world_of, ("company", "note", "time_record", "subtask", "comment")
)


async def refusal(world: ActiveCollabWorld, write: Create | Update) -> RejectedError:
    with pytest.raises(RejectedError) as caught:
        await world.connector.write(world.scope, write)
    return caught.value


async def written(world: ActiveCollabWorld, **values: Value) -> Receipt:
    return await world.connector.write(world.scope, Create(fields(**values)))


# --- what is offered ------------------------------------------------------------------------------------------------


async def test_every_object_type_has_a_schema_that_can_be_read(note: NoteWorld) -> None:
    for offered in await note.connector.object_types():
        schema = await note.connector.schema(offered.id)

        assert schema.title == offered.title
        assert all(field.is_read_only for field in schema.fields) is (not schema.abilities)


async def test_what_may_reach_people_says_so(subtask: SubtaskWorld) -> None:
    for kind, name in (
        ("task", "assignee"),
        ("subtask", "assignee"),
        ("comment", "body"),
        ("project", "leader"),
    ):
        field = (await subtask.connector.schema(ObjectTypeId(kind))).field(FieldId(name))

        assert field is not None
        assert "e-mail" in field.note


async def test_nobody_can_be_invited(note: NoteWorld) -> None:
    schema = await note.connector.schema(ObjectTypeId("user"))

    assert schema.abilities == frozenset()
    assert "invites" in schema.fields[0].note


@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("company", {"project": ("1",)}),
        ("company", {"role": ("friend",)}),
        ("label", {"role": ("own",)}),
        ("note", {"on": ("task",)}),
        ("comment", {"on": ("file",)}),
    ],
)
async def test_a_filter_that_an_object_type_does_not_know_is_a_configuration_fault(
    note: NoteWorld, kind: str, where: dict[str, tuple[str, ...]]
) -> None:
    note.scope = Scope(ObjectTypeId(kind), where)

    with pytest.raises(ConfigError):
        await listed(note)
    with pytest.raises(ConfigError):
        await note.connector.fetch(note.scope, RecordKey("1"))


# --- companies ------------------------------------------------------------------------------------------------------


async def test_an_archived_company_is_still_listed_and_says_so(company: CompanyWorld) -> None:
    record = await made(company)

    await company.connector.write(company.scope, Archive(record.key))

    listing = await listed(company)
    assert listing.records[record.key].fields[FieldId("is_archived")] == YesNo(yes=True)


async def test_the_accounts_own_company_is_left_out_only_where_the_filter_says_so(
    company: CompanyWorld,
) -> None:
    own = RecordKey("1")
    sighting = await company.connector.fetch(company.scope, own)
    everything = await listed_with(company, Scope(ObjectTypeId("company")))

    assert isinstance(sighting, Present)
    assert not sighting.record.in_scope
    assert own in everything
    assert own not in await listed_with(company, company.scope)


async def listed_with(world: ActiveCollabWorld, scope: Scope) -> set[RecordKey]:
    world.scope, was = scope, world.scope
    try:
        return set((await listed(world)).records)
    finally:
        world.scope = was


async def test_a_project_and_a_user_refer_to_their_company(company: CompanyWorld) -> None:
    for kind in ("project", "user"):
        field = (await company.connector.schema(ObjectTypeId(kind))).field(FieldId("company"))

        assert field is not None
        assert field.references == "company"


# --- notes ----------------------------------------------------------------------------------------------------------


async def test_a_new_note_goes_into_the_project_it_names_where_the_filter_lets_it(note: NoteWorld) -> None:
    note.scope = Scope(ObjectTypeId("note"), {"project": (note.first, note.second)})

    receipt = await written(note, name=Text("Second"), project=OneOf(note.second))

    assert receipt.record is not None
    assert receipt.record.fields[FieldId("project")] == OneOf(note.second)
    note.scope = Scope(ObjectTypeId("note"), {"project": (note.first,)})
    refused = await refusal(note, Create(fields(name=Text("Outside"), project=OneOf(note.second))))
    assert refused.detail is Detail.NO_PARENT


async def test_a_note_does_not_move_to_another_project(note: NoteWorld) -> None:
    key = await note.create("Stays")
    await listed(note)

    refused = await refusal(note, Update(key, fields(project=OneOf(note.second))))

    assert (refused.field, refused.detail) == (FieldId("project"), Detail.READ_ONLY)


async def test_a_delta_asks_no_project_that_is_quiet(note: NoteWorld) -> None:
    await note.create("Quiet")
    note.scope = Scope(ObjectTypeId("note"), {"project": (note.first, note.second)})
    cursor = await cursor_now(note)
    before = note.connector.calls

    delta = await listed(note, cursor)

    assert (delta.count, delta.ending.is_complete) == (0, False)
    assert note.connector.calls - before == 1


async def test_trashing_a_project_takes_its_notes_along(note: NoteWorld) -> None:
    key = await note.create("Along")
    await listed(note)
    note.act("trash_project", project=int(note.first))

    sighting = await note.connector.fetch(note.scope, key)

    assert isinstance(sighting, Gone)
    assert sighting.proof is Proof.TRASHED


async def test_mentions_are_written_as_names_that_call_nobody(note: NoteWorld) -> None:
    body = (
        '<p>Ask <a class="mention" href="/users/2" data-entity-type="User" data-entity-id="2">Member Two</a> and '
        '<span class="mention mention-user">Owner One</span>, see <a href="https://example.test">this</a></p>'
    )

    receipt = await written(note, name=Text("Hello"), body=RichText(body))

    assert receipt.record is not None
    text = receipt.record.fields[FieldId("body")]
    assert isinstance(text, RichText)
    assert "mention" not in text.html
    assert "Member Two and Owner One" in text.html
    assert "https://example.test" in text.html


# --- time and money -------------------------------------------------------------------------------------------------


async def test_time_on_a_task_goes_into_the_tasks_project(time_record: TimeRecordWorld) -> None:
    task = str(time_record.act("create_task", project=int(time_record.second), name="Elsewhere").id)
    time_record.scope = Scope(ObjectTypeId("time_record"))
    sample = {**time_record.sample(1), FieldId("task"): Reference("task", task)}

    receipt = await time_record.connector.write(time_record.scope, Create(sample))

    assert receipt.record is not None
    assert receipt.record.fields[FieldId("task")] == Reference("task", task)
    assert receipt.record.fields[FieldId("project")] == OneOf(time_record.second)
    assert (await present(time_record, receipt.key)).fields[FieldId("task")] == Reference("task", task)


async def test_time_on_the_project_itself_has_no_task(time_record: TimeRecordWorld) -> None:
    record = await made(time_record)

    assert record.fields[FieldId("task")] == BLANK


@pytest.mark.parametrize("missing", ["value", "record_date", "user"])
async def test_what_a_time_record_needs_is_asked_for_before_anything_is_sent(
    time_record: TimeRecordWorld, missing: str
) -> None:
    sample = {name: value for name, value in time_record.sample(1).items() if name != missing}
    await time_record.connector.schema(ObjectTypeId("time_record"))
    before = time_record.connector.calls

    refused = await refusal(time_record, Create(sample))

    assert (refused.field, refused.detail) == (FieldId(missing), Detail.REQUIRED_FIELD)
    assert time_record.connector.calls == before


async def test_a_time_record_without_a_job_type_gets_the_default_one(time_record: TimeRecordWorld) -> None:
    sample = {name: value for name, value in time_record.sample(2).items() if name != "job_type"}

    receipt = await time_record.connector.write(time_record.scope, Create(sample))

    assert receipt.record is not None
    assert receipt.record.fields[FieldId("job_type")] == OneOf("1")


async def test_the_receipt_tells_that_a_project_without_billing_keeps_no(
    time_record: TimeRecordWorld,
) -> None:
    time_record.act("update_project", project=int(time_record.first), budget_type="not_billable")

    record = await made(time_record)

    assert record.fields[FieldId("is_billable")] == YesNo(yes=False)
    assert record.fields[FieldId("billing")] == OneOf("0")


async def test_what_an_invoice_made_of_time_is_told_and_not_written(time_record: TimeRecordWorld) -> None:
    key = await time_record.create("Invoiced")
    time_record.act("update_time_record", time_record=int(key), billable_status=3)

    record = await present(time_record, key)

    assert record.fields[FieldId("billing")] == OneOf("3")
    assert record.fields[FieldId("is_billable")] == YesNo(yes=True)
    refused = await refusal(time_record, Update(key, fields(billing=OneOf("1"))))
    assert refused.detail is Detail.READ_ONLY


async def test_a_delta_sees_time_that_the_project_does_not_speak_of(time_record: TimeRecordWorld) -> None:
    cursor = await cursor_now(time_record)
    key = await time_record.create("Unspoken")

    delta = await listed(time_record, cursor)

    assert (delta.records.keys(), delta.ending.is_complete) == ({key}, True)


async def test_expenses_may_come_as_a_bare_array() -> None:
    async with opened("expense", Quirks(expenses_are_wrapped=False)) as world:
        key = await world.create("Paint")

        listing = await listed(world)

        assert listing.records[key].fields[FieldId("value")] == Number(Decimal(1))
        assert listing.ending.is_complete


async def test_where_no_route_reads_one_expense_it_is_unseen_and_not_gone() -> None:
    async with opened("expense", Quirks(one_expense_is_readable=False)) as world:
        key = await world.create("Paint")
        await listed(world)

        assert isinstance(await world.connector.fetch(world.scope, key), Unseen)


# --- subtasks -------------------------------------------------------------------------------------------------------


async def test_a_subtask_that_moved_along_with_its_task_is_found(subtask: SubtaskWorld) -> None:
    record = await made(subtask)
    subtask.act("move_task", task=int(subtask.task), project=int(subtask.second))

    sighting = await subtask.connector.fetch(subtask.scope, record.key)

    assert isinstance(sighting, Present)
    assert not sighting.record.in_scope
    assert sighting.record.fields[FieldId("task")] == Reference("task", subtask.task)


async def test_a_subtask_needs_a_task_that_is_there(subtask: SubtaskWorld) -> None:
    sample = {**subtask.sample(1), FieldId("task"): Reference("task", "4711")}

    refused = await refusal(subtask, Create(sample))

    assert (refused.field, refused.detail) == (FieldId("task"), Detail.NO_PARENT)


async def test_completed_subtasks_are_listed_too_and_of_completed_tasks(subtask: SubtaskWorld) -> None:
    done = (await made(subtask)).key
    of_done = RecordKey(str(subtask.act("create_subtask", task=int(subtask.other), body="Hidden").id))
    subtask.act("complete_task", task=int(subtask.other))

    assert (await listed(subtask)).records.keys() == {done, of_done}


async def test_subtasks_that_did_not_come_make_the_listing_incomplete(subtask: SubtaskWorld) -> None:
    for number in range(20):
        await subtask.create(f"Step {number}")
    subtask.server.faults.add(Fault(FaultKind.PARTIAL, path="subtasks$"))

    listing = await listed(subtask)

    assert not listing.ending.is_complete
    assert f"task {subtask.task} counts 20" in listing.ending.reason


async def test_archiving_a_subtask_completes_it(subtask: SubtaskWorld) -> None:
    key = (await made(subtask, 2)).key

    await subtask.connector.write(subtask.scope, Archive(key))

    assert (await present(subtask, key)).fields[FieldId("is_completed")] == YesNo(yes=True)


# --- comments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["task", "note", "discussion"])
async def test_a_comment_is_on_what_it_names(comment: CommentWorld, kind: str) -> None:
    on = Reference(kind, getattr(comment, kind))

    receipt = await comment.connector.write(
        comment.scope, Create({FieldId("body"): RichText("<p>Hi</p>"), FieldId(kind): on})
    )

    record = (await listed(comment)).records[receipt.key]
    told = {name: record.fields[FieldId(name)] for name in ("task", "note", "discussion")}
    assert told == {"task": BLANK, "note": BLANK, "discussion": BLANK, kind: on}
    assert record.title == "Hi"


@pytest.mark.parametrize("kinds", [(), ("task", "note")])
async def test_a_comment_is_on_one_thing(comment: CommentWorld, kinds: tuple[str, ...]) -> None:
    parents = {FieldId(kind): Reference(kind, getattr(comment, kind)) for kind in kinds}

    refused = await refusal(comment, Create({FieldId("body"): RichText("<p>Hi</p>"), **parents}))

    assert refused.detail is Detail.NO_PARENT


async def test_comments_can_be_chosen_by_what_they_are_on(comment: CommentWorld) -> None:
    await comment.create("On the note")
    key = RecordKey(str(comment.act("add_comment", task=int(comment.task), body="On the task").id))
    comment.scope = Scope(ObjectTypeId("comment"), {"project": (comment.first,), "on": ("task",)})

    assert (await listed(comment)).records.keys() == {key}


async def test_a_comment_in_another_project_is_outside_the_filter(comment: CommentWorld) -> None:
    task = comment.act("create_task", project=int(comment.second), name="Other").id
    key = RecordKey(str(comment.act("add_comment", task=task, body="Elsewhere").id))

    assert not (await present(comment, key)).in_scope


# --- what cannot be done --------------------------------------------------------------------------------------------


async def test_notes_cannot_be_archived_and_say_so(note: NoteWorld) -> None:
    key = await note.create("Open")

    with pytest.raises(RejectedError) as caught:
        await note.connector.write(note.scope, Archive(key))

    assert caught.value.detail is Detail.UNSUPPORTED
    assert Ability.ARCHIVE not in (await note.connector.schema(ObjectTypeId("note"))).abilities


@pytest.mark.parametrize("kind", ["note", "time_record", "subtask", "comment", "discussion", "company"])
async def test_what_was_trashed_is_gone_with_its_time_and_comes_back(kind: str) -> None:
    async with opened(kind) as world:
        record = await made(world)
        await world.connector.write(world.scope, Delete(record.key))

        gone = await world.connector.fetch(world.scope, record.key)
        await world.connector.write(world.scope, Restore(record.key, {}))

        assert isinstance(gone, Gone)
        assert (gone.proof, gone.by) == (Proof.TRASHED, "owner@example.test")
        assert gone.at == dt.datetime.fromtimestamp(world.vendor.account.now(), dt.UTC)
        assert (await present(world, record.key)).title == record.title
