"""The workspace's connector keeps the promises of all connectors, for every kind of item."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from syncline.core.records import (
    Create,
    Delete,
    FieldId,
    Gone,
    ObjectTypeId,
    Present,
    Proof,
    Record,
    RecordKey,
    Scope,
    Update,
)
from syncline.core.values import BLANK, Files, Number, OneOf, Person, Reference, Text
from syncline.core.workspace import Attachment, Item, ItemRef, ItemType
from syncline.errors import Detail, NotFoundError, RejectedError
from tests.connectors.conformance import ConnectorConformance, listed
from tests.connectors.workspace_world import PERSON, WorkspaceWorld

STATUS, OWNER = FieldId("status"), FieldId("owner")


@pytest.fixture(params=list(ItemType), ids=lambda kind: kind.value)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[WorkspaceWorld]:
    made = WorkspaceWorld(request.param)
    yield made
    made.store.close()


class TestWorkspace(ConnectorConformance):
    """The promises of `ports.Connector`."""

    async def test_a_wrong_token_is_an_auth_error_and_a_problem_of_the_check(
        self, world: WorkspaceWorld
    ) -> None:
        pytest.skip("the workspace lies in our own database: there is no token")


@pytest.fixture
async def contracts() -> AsyncIterator[WorkspaceWorld]:
    made = WorkspaceWorld(ItemType.CONTRACT)
    yield made
    made.store.close()


@pytest.fixture
async def tasks() -> AsyncIterator[WorkspaceWorld]:
    made = WorkspaceWorld(ItemType.TASK)
    yield made
    made.store.close()


async def _record(world: WorkspaceWorld, key: RecordKey) -> Record:
    sighting = await world.connector.fetch(world.scope, key)
    assert isinstance(sighting, Present)
    return sighting.record


async def _update(world: WorkspaceWorld, key: RecordKey, **fields: object) -> None:
    await world.connector.write(
        world.scope, Update(key, {FieldId(name): value for name, value in fields.items()})
    )


class TestWrites:
    """What a sync may do in the workspace."""

    async def test_a_status_that_came_late_may_leap_and_none_goes_back(
        self, contracts: WorkspaceWorld
    ) -> None:
        key = await contracts.create("Offer")

        await _update(contracts, key, status=OneOf("active"))
        with pytest.raises(RejectedError, match="Allowed are: completed, expired, cancelled") as caught:
            await _update(contracts, key, status=OneOf("draft"))

        assert caught.value.field == "status"
        assert (await _record(contracts, key)).fields[STATUS] == OneOf("active")

    async def test_somebody_without_an_email_is_refused_by_name(self, contracts: WorkspaceWorld) -> None:
        key = await contracts.create("Offer")

        with pytest.raises(RejectedError) as caught:
            await _update(contracts, key, owner=Person(id="17", name="Anna"))

        assert (caught.value.field, caught.value.detail) == ("owner", Detail.UNKNOWN_PERSON)

    async def test_a_task_without_a_project_has_no_parent(self, tasks: WorkspaceWorld) -> None:
        everywhere = Scope(ObjectTypeId("task"))

        with pytest.raises(RejectedError) as caught:
            await tasks.connector.write(everywhere, Create({tasks.title: Text("Lost")}))

        assert caught.value.detail is Detail.NO_PARENT
        with pytest.raises(RejectedError) as caught:
            await tasks.connector.write(
                everywhere,
                Create({tasks.title: Text("Lost"), FieldId("project"): Reference("project", "nowhere")}),
            )
        assert caught.value.detail is Detail.NO_PARENT

    async def test_a_task_moves_to_another_project_and_leaves_the_scope(self, tasks: WorkspaceWorld) -> None:
        key = await tasks.create("Moving")
        other = tasks.account.create(ItemType.PROJECT, {"name": "Other"})

        await _update(tasks, key, project=Reference("project", other.id))

        record = await _record(tasks, key)
        assert (record.in_scope, record.fields[FieldId("project")]) == (False, Reference("project", other.id))
        assert (await tasks.connector.edits(tasks.scope, key))[FieldId("project")].at == record.updated_at
        assert (await listed(tasks)).records == {}
        with pytest.raises(RejectedError):
            await _update(tasks, key, project=BLANK)

    async def test_what_is_so_already_is_no_change(self, tasks: WorkspaceWorld) -> None:
        key = await tasks.create("Same")
        before = (await listed(tasks)).digests

        await _update(tasks, key, title=Text("Same"))

        assert (await listed(tasks)).digests == before

    async def test_edits_tell_who_edited_which_field(self, contracts: WorkspaceWorld) -> None:
        key = await contracts.create("Offer")
        await _update(contracts, key, owner=Person(email="owner@example.test"))

        edits = await contracts.connector.edits(contracts.scope, key)
        record = await _record(contracts, key)

        assert edits[contracts.title].by == PERSON
        assert edits[OWNER].by != PERSON
        assert record.wrote_at == record.updated_at == edits[OWNER].at

    async def test_the_version_of_a_document_is_read_only_and_counts_rewording(self) -> None:
        world = WorkspaceWorld(ItemType.DOCUMENT)
        key, version = await world.create("Draft"), FieldId("version")
        await _update(world, key, body=Text("one"))
        await _update(world, key, progress=Number(50))

        assert (await _record(world, key)).fields[version] == Number(2)
        with pytest.raises(RejectedError) as caught:
            await _update(world, key, version=Number(7))
        assert caught.value.detail is Detail.READ_ONLY
        assert [each.title for each in world.store.editions(key)] == ["Draft"]
        world.store.close()


class TestReads:
    """What a sync sees of the workspace."""

    async def test_a_trashed_item_is_gone_with_its_time_and_by_whom(self, tasks: WorkspaceWorld) -> None:
        key = await tasks.create("Short-lived")
        await tasks.delete(key)

        gone = await tasks.connector.fetch(tasks.scope, key)

        assert isinstance(gone, Gone)
        assert (gone.proof, gone.by) == (Proof.TRASHED, PERSON)
        assert gone.at is not None

    async def test_a_filter_by_a_field_holds_for_listings_reads_and_new_items(
        self, contracts: WorkspaceWorld
    ) -> None:
        scope = Scope(ObjectTypeId("contract"), {"labels": ("vip", "key"), "status": ("draft",)})
        await contracts.create("Other")

        made = await contracts.connector.write(scope, Create({contracts.title: Text("Ours")}))
        contracts.scope = scope

        assert (await listed(contracts)).records.keys() == {made.key}
        await _update(contracts, made.key, status=OneOf("sent"))
        assert not (await _record(contracts, made.key)).in_scope

    async def test_where_new_items_go_is_no_filter(self, tasks: WorkspaceWorld) -> None:
        other = tasks.account.create(ItemType.PROJECT, {"name": "Other"})
        key = await tasks.create("Here")
        assert tasks.parent is not None
        where = {"project": (tasks.parent.id, other.id), "create_in": (other.id,)}
        tasks.scope = Scope(ObjectTypeId("task"), where)

        made = await tasks.connector.write(tasks.scope, Create({tasks.title: Text("There")}))

        assert made.record is not None
        assert made.record.fields[FieldId("project")] == Reference("project", other.id)
        assert (await listed(tasks)).records.keys() == {key, made.key}

    async def test_a_filter_that_names_nothing_is_not_found(self, tasks: WorkspaceWorld) -> None:
        for where in ({"project": ("nowhere",)}, {"create_in": ("nowhere",)}, {"colour": ("red",)}):
            tasks.scope = Scope(ObjectTypeId("task"), where)
            with pytest.raises(NotFoundError):
                await listed(tasks)

    async def test_attachments_are_files_by_their_content_and_a_change_of_their_item(
        self, tasks: WorkspaceWorld
    ) -> None:
        key = await tasks.create("With a file")
        item = tasks.store.item(ItemRef(ItemType.TASK, key))
        assert isinstance(item, Item)
        cursor = (await listed(tasks)).ending.cursor
        tasks.store.save_attachment(
            Attachment("a", item.ref, "ä.pdf", "application/pdf", 3, "ab", item.created_at)
        )
        tasks.account.touch(item.ref, "attachments")

        files = (await listed(tasks, cursor)).records[key].fields[FieldId("attachments")]

        assert isinstance(files, Files)
        assert [(each.name, each.size, each.sha256) for each in files.files] == [("ä.pdf", 3, "ab")]

    async def test_a_deletion_through_the_connector_leaves_children_alone(
        self, tasks: WorkspaceWorld
    ) -> None:
        key = await tasks.create("Child")
        assert tasks.parent is not None

        await tasks.connector.write(Scope(ObjectTypeId("project")), Delete(RecordKey(tasks.parent.id)))

        assert isinstance(await tasks.connector.fetch(tasks.scope, key), Present)
