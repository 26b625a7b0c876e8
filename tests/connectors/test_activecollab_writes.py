"""What is particular to writing to ActiveCollab: homes, job types, two-call writes and its many refusals."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
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
    Proof,
    RecordKey,
    Restore,
    Scope,
    Update,
)
from syncline.core.values import BLANK, Number, OneOf, Person, RichText, Text, Value, YesNo, canonical
from syncline.errors import RejectedError, UnknownOutcomeError
from syncline.sandbox.faults import Fault, FaultKind
from tests.clock import START
from tests.connectors.activecollab_world import ActiveCollabWorld, open_world
from tests.connectors.conformance import listed, made, present

NAME, JOB_TYPE, DONE = FieldId("name"), FieldId("job_type"), FieldId("is_completed")
TASK = ObjectTypeId("task")


@pytest.fixture
async def world() -> AsyncGenerator[ActiveCollabWorld, None]:
    async with open_world() as world:
        yield world


async def write(world: ActiveCollabWorld, key: RecordKey, **fields: Value) -> None:
    await world.connector.write(
        world.scope, Update(key, {FieldId(name): value for name, value in fields.items()})
    )


async def test_a_new_task_goes_into_the_project_that_the_filter_names_for_it(
    world: ActiveCollabWorld,
) -> None:
    world.scope = Scope(TASK, {"project": (world.first, world.second), "create_in": (world.second,)})

    receipt = await world.connector.write(world.scope, Create({NAME: Text("New")}))

    assert receipt.record is not None
    assert receipt.record.fields[FieldId("project")] == OneOf(world.second)


async def test_a_new_task_needs_a_project(world: ActiveCollabWorld) -> None:
    with pytest.raises(RejectedError, match="create_in"):
        await world.connector.write(Scope(TASK), Create({NAME: Text("Homeless")}))


async def test_an_estimate_takes_the_default_job_type_but_never_replaces_one(
    world: ActiveCollabWorld,
) -> None:
    plain, priced = await world.create("Plain"), await world.create("Priced")
    world.act("update_task", task=int(priced), estimate=1, job_type_id=2)

    await write(world, plain, estimate=Number(Decimal(2)))
    await write(world, priced, estimate=Number(Decimal(2)))

    assert (await present(world, plain)).fields[JOB_TYPE] == OneOf("1")
    assert (await present(world, priced)).fields[JOB_TYPE] == OneOf("2")


async def test_the_default_job_type_can_be_configured(world: ActiveCollabWorld) -> None:
    world.connector = world.connect(replace(world.settings, job_type="2"))

    assert (await made(world)).fields[JOB_TYPE] == OneOf("2")


async def test_text_with_loose_angles_is_not_cut_short(world: ActiveCollabWorld) -> None:
    key = await world.create("Angles")
    body = RichText("<p>if a < b && c > d: R&D &amp; <b>bold</b></p>")

    await write(world, key, body=body)

    stored = (await present(world, key)).fields[FieldId("body")]
    assert canonical(stored) == canonical(body)


async def test_an_unknown_person_is_refused_before_anything_is_sent(world: ActiveCollabWorld) -> None:
    key = await world.create("Orphan")

    with pytest.raises(RejectedError) as caught:
        await write(world, key, assignee=Person(email="nobody@example.test"), name=Text("Changed"))

    assert caught.value.field == "assignee"
    assert (await present(world, key)).title == "Orphan"


async def test_a_person_who_joined_since_is_known(world: ActiveCollabWorld) -> None:
    key = await world.create("Orphan")
    await listed(world)
    world.act("create_user", type="Member", email="new@example.test", password="secret-1", first_name="New")

    await write(world, key, assignee=Person(email="new@example.test"))

    person = (await present(world, key)).fields[FieldId("assignee")]
    assert isinstance(person, Person)
    assert person.email == "new@example.test"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", BLANK),
        ("project", OneOf("2")),
        ("no_such_field", Text("x")),
        ("due_on", Text("tomorrow")),
        ("task_list", OneOf("backlog")),
        ("is_completed", Text("yes")),
    ],
)
async def test_what_cannot_be_written_is_refused_here(
    world: ActiveCollabWorld, field: str, value: Value
) -> None:
    key = await world.create("Steady")
    await listed(world)
    before = world.connector.calls

    with pytest.raises(RejectedError) as caught:
        await write(world, key, **{field: value})

    assert caught.value.field == field
    assert world.connector.calls == before


@pytest.mark.parametrize("fault", [FaultKind.STATUS, FaultKind.CUT_BEFORE, FaultKind.CUT_AFTER])
async def test_when_the_second_call_of_a_write_fails_the_outcome_is_unknown(
    world: ActiveCollabWorld, fault: FaultKind
) -> None:
    world.server.faults.add(Fault(fault, path="complete/", status=429))

    with pytest.raises(UnknownOutcomeError):
        await world.connector.write(world.scope, Create({NAME: Text("Half"), DONE: YesNo(yes=True)}))

    assert len(await _names(world)) == 1


async def _names(world: ActiveCollabWorld) -> list[str]:
    return [record.title for record in (await listed(world)).records.values()]


async def test_archiving_completes_and_deleting_trashes(world: ActiveCollabWorld) -> None:
    kept, thrown = await world.create("Kept"), await world.create("Thrown")
    await listed(world)

    await world.connector.write(world.scope, Archive(kept))
    await world.connector.write(world.scope, Delete(thrown))

    assert (await present(world, kept)).fields[DONE] == YesNo(yes=True)
    assert await world.connector.fetch(world.scope, thrown) == Gone(
        Proof.TRASHED, START, "owner@example.test"
    )


async def test_restoring_can_be_switched_off(world: ActiveCollabWorld) -> None:
    world.connector = world.connect(replace(world.settings, restore_path=""))

    assert Ability.RESTORE not in (await world.connector.schema(TASK)).abilities
    with pytest.raises(RejectedError):
        await world.connector.write(world.scope, Restore(RecordKey("1")))


async def test_a_route_that_this_version_does_not_have_is_no_transient_trouble(
    world: ActiveCollabWorld,
) -> None:
    world.connector = world.connect(replace(world.settings, restore_path="bring-back/{slug}/{id}"))
    before = world.connector.calls

    with pytest.raises(RejectedError, match="route"):
        await world.connector.write(world.scope, Restore(RecordKey("1")))

    assert world.connector.calls - before == 1
