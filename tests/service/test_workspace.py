"""What people do in the workspace: items, leads that become projects, attachments, and the events that tell of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from syncline.core.outgoing import EventType, Subscription
from syncline.core.people import Role
from syncline.core.workspace import FirstTask, Item, ItemType, ProjectWish
from syncline.errors import Refusal, RequestError
from syncline.ports import Actor, DispatchFilter, acting
from syncline.service.workspace import Workspace, cursor_of
from syncline.store import DirectoryVault, SqlStore, open_store
from tests.clock import VirtualClock

TASK, PROJECT, DOCUMENT = ItemType.TASK, ItemType.PROJECT, ItemType.DOCUMENT


class Desk:
    """A workspace with a clock of its own."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock()
        self.store: SqlStore = open_store("sqlite://")
        self.folder = folder
        self.changes = 0
        self.space = Workspace(self.store, self.clock, DirectoryVault(folder), changed=self._count)

    def _count(self) -> None:
        self.changes += 1

    def project(self, name: str = "Shop", **fields: object) -> Item:
        return self.space.create(PROJECT, {"name": name, **fields})

    def files(self) -> int:
        return sum(path.is_file() for path in self.folder.rglob("*"))

    def events(self) -> list[str]:
        return [each.type.value for each in reversed(self.store.events(limit=100))]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.store.close()


async def _bytes(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _refused(error: pytest.ExceptionInfo[RequestError]) -> tuple[Refusal, list[str]]:
    return error.value.refusal, [each.path for each in error.value.problems]


class TestItems:
    """Making, changing, deleting, listing."""

    def test_an_item_is_as_it_was_asked_for_with_defaults(self, desk: Desk) -> None:
        made = desk.project(budget={"amount": 1200.50}, owner="anna@example.test")

        assert desk.space.get(PROJECT, made.id) == made
        assert (made.revision, made.created_at, made.last_modified) == (1, desk.clock.now(), desk.clock.now())
        assert made.fields == {
            "name": "Shop",
            "status": "active",
            "is_template": False,
            "budget": {"amount": "1200.5", "currency": "default"},
            "owner": "anna@example.test",
        }

    def test_every_fault_is_told_at_once_and_nothing_is_made(self, desk: Desk) -> None:
        with pytest.raises(RequestError) as caught:
            desk.space.create(TASK, {"due_on": "soon", "priority": "sky", "colour": 1, "milestone": "m"})

        assert _refused(caught) == (
            Refusal.INVALID, ["title", "colour", "due_on", "priority", "project", "milestone"]
        )  # fmt: skip
        assert desk.space.page(TASK) == []
        assert desk.events() == []

    def test_only_what_is_given_changes(self, desk: Desk) -> None:
        made = desk.project(client="Acme", due_on="2026-05-01")

        changed = desk.space.update(PROJECT, made.id, {"client": None, "status": "on_hold"}, revision=1)

        assert changed.revision == 2
        assert changed.last_modified > made.last_modified
        assert {name: changed.fields.get(name) for name in ("name", "client", "status", "due_on")} == {
            "name": "Shop", "client": None, "status": "on_hold", "due_on": "2026-05-01"
        }  # fmt: skip

    def test_an_old_revision_changes_nothing(self, desk: Desk) -> None:
        made = desk.project()
        desk.space.update(PROJECT, made.id, {"client": "Acme"})

        for act in (
            lambda: desk.space.update(PROJECT, made.id, {"client": "Bolt"}, revision=1),
            lambda: desk.space.delete(PROJECT, made.id, revision=1),
        ):
            with pytest.raises(RequestError) as caught:
                act()
            assert caught.value.refusal is Refusal.OLD_REVISION
        assert desk.space.get(PROJECT, made.id).fields["client"] == "Acme"

    def test_a_contract_goes_its_way_step_by_step(self, desk: Desk) -> None:
        contract = desk.space.create(ItemType.CONTRACT, {"title": "Offer"})

        with pytest.raises(RequestError) as caught:
            desk.space.update(ItemType.CONTRACT, contract.id, {"status": "active"})
        assert "Allowed are: sent, cancelled." in caught.value.problems[0].remedy
        for status in ("sent", "viewed", "signed", "active", "completed"):
            assert (
                desk.space.update(ItemType.CONTRACT, contract.id, {"status": status}).fields["status"]
                == status
            )
        with pytest.raises(RequestError, match="cannot be so"):
            desk.space.update(ItemType.CONTRACT, contract.id, {"status": "cancelled"})

    def test_the_trash_hides_an_item_and_gives_it_back_with_its_children(self, desk: Desk) -> None:
        project = desk.project()
        task = desk.space.create(TASK, {"title": "One"}, parent=project.ref)

        desk.space.delete(PROJECT, project.id)

        with pytest.raises(RequestError) as caught:
            desk.space.get(PROJECT, project.id)
        assert caught.value.refusal is Refusal.NOT_THERE
        assert desk.space.get(TASK, task.id) == task
        (gone,) = desk.space.page(PROJECT, with_deleted=True)
        assert gone.deleted_at == gone.last_modified
        assert desk.space.restore(PROJECT, project.id).deleted_at is None
        assert [each.id for each in desk.space.page(PROJECT)] == [project.id]

    def test_pages_follow_each_other_and_what_changes_comes_last(self, desk: Desk) -> None:
        made = [desk.project(f"Project {number}", labels=["odd"] * (number % 2)) for number in range(7)]
        desk.space.update(PROJECT, made[0].id, {"client": "Acme"})

        first = desk.space.page(PROJECT, limit=3)
        second = desk.space.page(PROJECT, limit=9, after=cursor_of(first[-1]))

        names = [each.title for each in (*first, *second)]
        assert names == [f"Project {number}" for number in (1, 2, 3, 4, 5, 6, 0)]
        odd = desk.space.page(PROJECT, where={"labels": "odd"}, limit=2)
        assert [each.title for each in odd] == ["Project 1", "Project 3"]
        since = desk.space.page(PROJECT, since=made[5].last_modified)
        assert [each.title for each in since] == ["Project 6", "Project 0"]
        with pytest.raises(RequestError) as caught:
            desk.space.page(PROJECT, after="x")
        assert caught.value.refusal is Refusal.CURSOR

    def test_an_id_of_ones_own_is_taken_once(self, desk: Desk) -> None:
        assert desk.space.create(PROJECT, {"name": "Shop"}, id="crm-7").id == "crm-7"

        for id_, refusal in (
            ("crm-7", Refusal.NAME_TAKEN),
            ("a b", Refusal.INVALID),
            ("task-7", Refusal.INVALID),
        ):
            with pytest.raises(RequestError) as caught:
                desk.space.create(PROJECT, {"name": "Shop"}, id=id_)
            assert caught.value.refusal is refusal

    def test_earlier_versions_of_a_document_stay(self, desk: Desk) -> None:
        project = desk.project()
        document = desk.space.create(DOCUMENT, {"title": "Offer", "body": "<p>1</p>"}, parent=project.ref)
        desk.space.update(DOCUMENT, document.id, {"progress": 50})
        desk.space.update(DOCUMENT, document.id, {"body": "<p>2</p>"})
        changed = desk.space.update(DOCUMENT, document.id, {"title": "Order"})

        assert changed.fields["version"] == 3
        assert [(each.version, each.title, each.body) for each in desk.space.editions(document.id)] == [
            (2, "Offer", "<p>2</p>"), (1, "Offer", "<p>1</p>")
        ]  # fmt: skip

    def test_whoever_asks_is_noted(self, desk: Desk) -> None:
        user = desk.store.add_user("anna@example.test", "Anna", Role.ADMIN, "a hash", desk.clock.now())
        with acting(Actor(user.id)):
            made = desk.project()

        assert (made.by, made.edits["name"].by) == ("anna@example.test", "anna@example.test")
        assert desk.project().by == ""


class TestEvents:
    """Others are told of every change."""

    def test_every_change_is_an_event_on_its_way_to_whoever_wants_it(self, desk: Desk) -> None:
        types = frozenset({EventType.WORKSPACE_TASK_UPDATED})
        desk.store.save_subscription(Subscription("sub", "https://x.example.test", desk.clock.now(), types))
        project = desk.project()
        task = desk.space.create(TASK, {"title": "One"}, parent=project.ref)
        desk.space.update(TASK, task.id, {"title": "Two"})
        desk.space.update(TASK, task.id, {"title": "Two"})
        desk.space.delete(TASK, task.id)

        assert desk.events() == [
            f"workspace.{each}"
            for each in ("project.created", "task.created", "task.updated", "task.deleted")
        ]
        (sent,) = desk.store.dispatches(DispatchFilter("sub"))
        data = sent.event.data
        assert (data["task_id"], data["project_id"], data["fields"]) == (task.id, project.id, ["title"])
        assert data["values"] == {"title": "Two", "fields": {"title": "Two"}}
        assert b"Two" not in sent.event.payload(with_values=False)

    def test_a_contracts_event_tells_its_status_and_what_it_belongs_to(self, desk: Desk) -> None:
        project = desk.project()
        contract = desk.space.create(ItemType.CONTRACT, {"title": "Offer", "project": project.id})
        desk.space.create(ItemType.MILESTONE, {"title": "Half"}, parent=contract.ref)

        milestone, made, *_ = desk.store.events()
        assert (made.data["contract_id"], made.data["project_id"], made.data["status"]) == (
            contract.id, project.id, "draft"
        )  # fmt: skip
        assert milestone.data["contract_id"] == contract.id

    def test_a_long_text_goes_into_no_event(self, desk: Desk) -> None:
        project = desk.project()
        desk.space.create(DOCUMENT, {"title": "Offer", "body": "x" * 20_000}, parent=project.ref)

        data = desk.store.events()[0].data
        assert "body" in data["fields"]
        assert "body" not in data["values"]["fields"]

    def test_a_listener_is_called_after_every_change(self, desk: Desk) -> None:
        project = desk.project()
        desk.space.update(PROJECT, project.id, {"client": "Acme"})
        desk.space.delete(PROJECT, project.id)
        desk.space.restore(PROJECT, project.id)

        assert desk.changes == 4


class TestLeads:
    """A lead becomes a project."""

    def _lead(self, desk: Desk) -> Item:
        fields = {
            "name": "Acme shop",
            "company": "Acme",
            "owner": "anna@example.test",
            "value": {"amount": "5"},
        }
        return desk.space.create(ItemType.LEAD, fields)

    async def test_it_is_made_whole_and_only_once(self, desk: Desk) -> None:
        template = desk.project("Template", is_template=True)
        kickoff = desk.space.create(DOCUMENT, {"title": "Kick-off", "body": "<p>Ä</p>"}, parent=template.ref)
        await desk.space.attach(kickoff.ref, "plan.pdf", "application/pdf", _bytes(b"plan"))
        elsewhere = desk.project("Elsewhere")
        desk.space.create(DOCUMENT, {"title": "NDA", "is_template": True}, parent=elsewhere.ref)
        desk.space.create(DOCUMENT, {"title": "Private"}, parent=elsewhere.ref)
        lead = self._lead(desk)
        tasks = (FirstTask("Call", due_in=2), FirstTask("Plan", "bob@example.test"))
        wish = ProjectWish(template=template.id, with_marked=True, tasks=tasks, due_on=dt.date(2026, 9, 1))

        project = desk.space.to_project(lead.id, wish)

        assert (project.title, project.fields["client"], project.fields["lead"]) == (
            "Acme shop",
            "Acme",
            lead.id,
        )
        assert (project.fields["due_on"], project.fields["budget"]) == (
            "2026-09-01", {"amount": "5", "currency": "default"}
        )  # fmt: skip
        now = desk.space.get(ItemType.LEAD, lead.id)
        assert (now.fields["project"], now.fields["status"]) == (project.id, "won")
        documents = desk.space.page(DOCUMENT, parent=project.ref)
        assert [each.title for each in documents] == ["Kick-off", "NDA"]
        assert [each.name for each in desk.space.attachments(documents[0].ref)] == ["plan.pdf"]
        assert desk.files() == 1
        assert [
            (each.title, each.fields["assignee"], each.fields.get("due_on"))
            for each in desk.space.page(TASK, parent=project.ref)
        ] == [("Call", "anna@example.test", "2026-03-04"), ("Plan", "bob@example.test", None)]

        again = desk.space.to_project(lead.id, wish)
        assert again == project
        assert len(desk.space.page(PROJECT)) == 3

    def test_what_cannot_be_leaves_nothing_behind(self, desk: Desk) -> None:
        lead = self._lead(desk)

        for wish in (
            ProjectWish(template="nowhere"),
            ProjectWish(tasks=(FirstTask("One"), FirstTask(""))),
            ProjectWish(tasks=(FirstTask("One", due_in=10**9),)),
            ProjectWish(owner="nobody"),
        ):
            with pytest.raises(RequestError) as caught:
                desk.space.to_project(lead.id, wish)
            assert caught.value.refusal is Refusal.INVALID
        assert desk.space.page(PROJECT) == []
        assert desk.space.page(TASK) == []
        assert desk.space.get(ItemType.LEAD, lead.id) == lead

    def test_people_cannot_say_which_project_a_lead_became(self, desk: Desk) -> None:
        lead, project = self._lead(desk), desk.project()

        with pytest.raises(RequestError) as caught:
            desk.space.update(ItemType.LEAD, lead.id, {"project": project.id})

        assert _refused(caught) == (Refusal.INVALID, ["project"])


class TestAttachments:
    """Files on items."""

    async def test_a_file_comes_back_as_it_was_and_its_item_changed(self, desk: Desk) -> None:
        project = desk.project()

        made = await desk.space.attach(project.ref, "Größe ☃.pdf", "application/pdf", _bytes(b"\x00\xff"))

        assert desk.space.attachments(project.ref) == [made]
        found, pieces = desk.space.open(made.id)
        assert (found, b"".join([piece async for piece in pieces])) == (made, b"\x00\xff")
        assert desk.space.get(PROJECT, project.id).revision == 2
        assert desk.events()[-1] == "workspace.project.updated"

    async def test_equal_bytes_are_stored_once_until_the_last_one_goes(self, desk: Desk) -> None:
        one, two = desk.project("One"), desk.project("Two")
        first = await desk.space.attach(one.ref, "a.txt", "text/plain", _bytes(b"same"))
        second = await desk.space.attach(two.ref, "b.txt", "text/plain", _bytes(b"same"))
        assert desk.files() == 1

        desk.space.detach(first.id)
        assert desk.files() == 1
        desk.space.detach(second.id)

        assert desk.files() == 0
        with pytest.raises(RequestError) as caught:
            desk.space.open(second.id)
        assert caught.value.refusal is Refusal.NOT_THERE

    @pytest.mark.parametrize(
        ("name", "mime"), [("", "text/plain"), ("../x", "text/plain"), ("a", "text"), ("a", "")]
    )
    async def test_a_name_that_is_none_is_refused_before_a_byte_is_read(
        self, desk: Desk, name: str, mime: str
    ) -> None:
        project = desk.project()

        with pytest.raises(RequestError) as caught:
            await desk.space.attach(project.ref, name, mime, _bytes(b"x"))

        assert caught.value.refusal is Refusal.INVALID
        assert desk.files() == 0

    async def test_an_item_that_goes_while_its_file_comes_in_gets_none(self, desk: Desk) -> None:
        project = desk.project()

        async def slow() -> AsyncIterator[bytes]:
            yield b"half"
            desk.space.delete(PROJECT, project.id)
            yield b"whole"

        with pytest.raises(RequestError):
            await desk.space.attach(project.ref, "a.txt", "text/plain", slow())

        assert desk.files() == 0

    async def test_a_purged_item_takes_its_bytes_along_and_nobody_elses(self, desk: Desk) -> None:
        one, two = desk.project("One"), desk.project("Two")
        await desk.space.attach(one.ref, "a.txt", "text/plain", _bytes(b"same"))
        await desk.space.attach(one.ref, "b.txt", "text/plain", _bytes(b"own"))
        await desk.space.attach(two.ref, "c.txt", "text/plain", _bytes(b"same"))
        with pytest.raises(RequestError):
            desk.space.purge(PROJECT, one.id)
        desk.space.delete(PROJECT, one.id)

        desk.space.purge(PROJECT, one.id)

        assert desk.files() == 1
        assert desk.space.page(PROJECT, with_deleted=True) == [desk.space.get(PROJECT, two.id)]

    async def test_what_a_crash_left_behind_is_swept(self, desk: Desk) -> None:
        project = desk.project()
        await desk.space.attach(project.ref, "a.txt", "text/plain", _bytes(b"kept"))
        vault = DirectoryVault(desk.folder)
        vault.settle(await vault.receive(_bytes(b"left behind")))

        assert desk.space.sweep() == 1
        assert desk.files() == 1
