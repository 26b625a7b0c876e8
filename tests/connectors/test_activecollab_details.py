"""What is particular to reading ActiveCollab: projects and archives, moves and trash."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, replace

import pytest

from syncline.connectors.activecollab import ActiveCollabConnector
from syncline.connectors.activecollab.connector import connect
from syncline.connectors.http import Answer, Environment, Transport
from syncline.core.records import (
    Archive,
    Delete,
    Edit,
    FieldId,
    Gone,
    ObjectTypeId,
    Present,
    Proof,
    RecordKey,
    Scope,
    Unseen,
    Update,
)
from syncline.core.values import OneOf, Person, Text, YesNo
from syncline.errors import (
    ConfigError,
    Detail,
    NotFoundError,
    ProblemKind,
    StaleError,
    TransientError,
)
from syncline.sandbox.faults import Fault, FaultKind
from tests.clock import START
from tests.connectors.activecollab_world import ActiveCollabWorld, open_world
from tests.connectors.conformance import cursor_now, listed, made, present

NAME, DONE = FieldId("name"), FieldId("is_completed")
TASK = ObjectTypeId("task")


@pytest.fixture
async def world() -> AsyncGenerator[ActiveCollabWorld, None]:
    async with open_world() as world:
        yield world


def load(world: ActiveCollabWorld, count: int, *, is_completed: bool = False) -> set[RecordKey]:
    tasks = [
        {"name": f"Loaded {number}", "project": "First", "is_completed": is_completed}
        for number in range(count)
    ]
    return {RecordKey(str(each)) for each in world.vendor.load(tasks)}


# --- listings -------------------------------------------------------------------------------------------------------


async def test_completed_tasks_are_listed_from_all_pages_of_the_archive(world: ActiveCollabWorld) -> None:
    still_open, completed = load(world, 30), load(world, 230, is_completed=True)

    listing = await listed(world)

    assert listing.records.keys() == still_open | completed
    assert listing.ending.is_complete
    assert {
        key for key, record in listing.records.items() if record.fields[DONE] == YesNo(yes=True)
    } == completed


async def test_without_a_filter_all_projects_are_listed_completed_ones_too(world: ActiveCollabWorld) -> None:
    keys = {await world.create("In the first")}
    keys.add(RecordKey(str(world.act("create_task", project=int(world.second), name="In the second").id)))
    world.act("complete_project", project=int(world.second))

    world.scope = Scope(TASK)

    assert (await listed(world)).records.keys() == keys


async def test_a_listing_of_a_quiet_project_takes_three_calls(world: ActiveCollabWorld) -> None:
    load(world, 250)

    await listed(world)

    assert world.connector.calls == 3


@pytest.mark.parametrize("path", ["tasks$", "tasks/archive$"])
async def test_a_listing_that_lost_objects_is_not_complete(world: ActiveCollabWorld, path: str) -> None:
    load(world, 20)
    load(world, 150, is_completed=True)
    world.server.faults.add(Fault(FaultKind.PARTIAL, path=path))

    listing = await listed(world)

    assert not listing.ending.is_complete
    assert f"project {world.first}" in listing.ending.reason


async def test_counts_that_mean_something_else_can_be_ignored(world: ActiveCollabWorld) -> None:
    load(world, 20)
    world.server.faults.add(Fault(FaultKind.PARTIAL, path="tasks$"))
    world.connector = world.connect(replace(world.settings, trust_counts=False))

    assert (await listed(world)).ending.is_complete


async def test_a_project_with_a_gap_is_listed_again_by_the_next_delta(world: ActiveCollabWorld) -> None:
    keys = load(world, 20)
    fault = world.server.faults.add(Fault(FaultKind.PARTIAL, path="tasks$"))
    first = await listed(world)
    again = await listed(world, first.ending.cursor)
    world.server.faults.remove(fault)
    last = await listed(world, again.ending.cursor)

    assert last.records.keys() == keys
    assert [each.ending.is_gapless for each in (first, again, last)] == [False, False, True]


@dataclass
class Interfering:
    """Passes everything on, and lets a person act before the first request to a path."""

    inner: Transport
    path: str
    act: Callable[[], object]
    is_done: bool = False

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        if self.path in url and not self.is_done:
            self.is_done = True
            self.act()
        return await self.inner.send(method, url, headers, body)

    async def close(self) -> None:
        await self.inner.close()


async def test_a_task_reopened_between_two_pages_is_not_missed(world: ActiveCollabWorld) -> None:
    keys = load(world, 3, is_completed=True)
    transport = Interfering(
        world.environment.transport, "archive", lambda: world.act("open_task", task=int(min(keys)))
    )
    world.connector = connect("ac", world.settings, Environment(transport, world.clock, lambda: 0.5))

    listing = await listed(world)

    assert (listing.records.keys(), listing.ending.is_complete) == (keys, True)


async def test_a_delta_lists_only_projects_where_something_happened(world: ActiveCollabWorld) -> None:
    await world.create("Quiet")
    world.scope = Scope(TASK, {"project": (world.first, world.second)})
    cursor = await cursor_now(world)
    key = RecordKey(str(world.act("create_task", project=int(world.second), name="New").id))
    before = world.connector.calls

    delta = await listed(world, cursor)

    assert delta.records.keys() == {key}
    assert not delta.ending.is_complete
    assert world.connector.calls - before == 2


async def test_a_cursor_of_another_kind_means_listing_everything(world: ActiveCollabWorld) -> None:
    key = await world.create("Here")

    listing = await listed(world, "not a cursor")

    assert (listing.records.keys(), listing.ending.is_complete) == ({key}, True)


async def test_a_filter_that_names_a_missing_project_is_not_found(world: ActiveCollabWorld) -> None:
    world.scope = Scope(TASK, {"project": (world.first, "4711")})

    with pytest.raises(NotFoundError, match="4711"):
        await listed(world)


@pytest.mark.parametrize(
    ("where", "kind", "found"),
    [
        ({"colour": ("red",)}, ProblemKind.UNKNOWN_SETTING, "colour"),
        ({"project": ("First",)}, ProblemKind.BAD_VALUE, "First"),
        ({"project": ("1/../2",)}, ProblemKind.BAD_VALUE, "1/../2"),
    ],
)
async def test_a_filter_that_cannot_be_is_a_configuration_fault(
    world: ActiveCollabWorld, where: dict[str, tuple[str, ...]], kind: ProblemKind, found: str
) -> None:
    world.scope = Scope(TASK, where)

    with pytest.raises(ConfigError) as caught:
        await listed(world)

    assert [(each.kind, each.found) for each in caught.value.problems] == [(kind, found)]


# --- one record -----------------------------------------------------------------------------------------------------


async def test_a_record_tells_its_address_times_and_people(world: ActiveCollabWorld) -> None:
    record = await made(world)

    assert record.url == f"{world.settings.url}/projects/{world.first}/tasks/{record.key}"
    assert (record.created_at, record.updated_at, record.updated_by) == (START, START, "owner@example.test")
    assert record.fields[FieldId("project")] == OneOf(world.first)
    assert record.fields[FieldId("created_by")] == Person("owner@example.test", "1", "Owner One")


async def test_a_task_that_moved_to_another_project_is_not_gone(world: ActiveCollabWorld) -> None:
    key = await world.create("Wanderer")
    await listed(world)
    world.act("move_task", task=int(key), project=int(world.second))

    sighting = await world.connector.fetch(world.scope, key)

    assert isinstance(sighting, Present)
    assert not sighting.record.in_scope
    assert sighting.record.fields[FieldId("project")] == OneOf(world.second)


class Restless:
    """A transport beside which somebody moves a task to the other project, right after a listing showed it (or, with
    `behind`, right after the other project's listing did not): so often."""

    def __init__(self, world: ActiveCollabWorld, key: RecordKey, moves: int, *, behind: bool = False) -> None:
        self._world, self._key, self._moves, self._behind = world, key, moves, behind
        self._inner = world.environment.transport

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """One exchange."""
        answer = await self._inner.send(method, url, headers, body)
        path = url.partition("?")[0]
        for here, there in itertools.permutations((self._world.first, self._world.second)):
            is_shown = f'"id":{self._key},'.encode() in answer.body
            if path.endswith(f"projects/{here}/tasks") and is_shown is not self._behind and self._moves:
                self._moves -= 1
                to = here if self._behind else there
                self._world.act("move_task", task=int(self._key), project=int(to))
        return answer

    async def close(self) -> None:
        """The world's own."""


async def beside_a_mover(
    world: ActiveCollabWorld, moves: int, *, behind: bool = False
) -> tuple[ActiveCollabConnector, RecordKey]:
    key = await world.create("Wanderer")
    if behind:
        world.act("move_task", task=int(key), project=int(world.second))
    world.clock.advance(60)
    transport = Restless(world, key, moves, behind=behind)
    return connect("ac", world.settings, replace(world.environment, transport=transport, limiters={})), key


async def test_a_task_that_moves_while_it_is_looked_for_is_looked_for_again(world: ActiveCollabWorld) -> None:
    connector, key = await beside_a_mover(world, moves=1)

    assert isinstance(await connector.fetch(world.scope, key), Present)


async def test_a_task_that_moves_to_where_nobody_looks_any_more_is_looked_for_again(
    world: ActiveCollabWorld,
) -> None:
    connector, key = await beside_a_mover(world, moves=1, behind=True)

    assert isinstance(await connector.fetch(world.scope, key), Present)


async def test_a_task_that_moves_again_and_again_is_not_taken_for_gone(world: ActiveCollabWorld) -> None:
    connector, key = await beside_a_mover(world, moves=100)

    with pytest.raises(TransientError) as caught:
        await connector.fetch(world.scope, key)

    assert caught.value.detail is Detail.MOVED_WHILE_READ


async def test_a_write_follows_a_task_that_moved(world: ActiveCollabWorld) -> None:
    key = await world.create("Wanderer")
    await listed(world)
    world.act("move_task", task=int(key), project=int(world.second))

    receipt = await world.connector.write(world.scope, Update(key, {NAME: Text("Found")}))

    assert receipt.record is not None
    assert receipt.record.title == "Found"


@pytest.mark.parametrize("is_found_by_chance", [False, True])
async def test_a_write_does_not_follow_a_task_that_moved_and_was_edited(
    world: ActiveCollabWorld, is_found_by_chance: bool
) -> None:
    key = await world.create("Wanderer")
    await listed(world)
    world.act("update_task", task=int(key), name="Typed on the way")
    world.act("move_task", task=int(key), project=int(world.second))
    if is_found_by_chance:
        # The search for another record lists the project that this one is in now.
        await world.connector.fetch(world.scope, world.unknown_key)

    with pytest.raises(StaleError) as caught:
        await world.connector.write(world.scope, Update(key, {NAME: Text("Found")}, {NAME: Text("Wanderer")}))

    assert caught.value.detail is Detail.EDITED_MEANWHILE
    assert (await present(world, key)).title == "Typed on the way"


async def test_a_completion_says_that_the_task_has_left_the_filter(world: ActiveCollabWorld) -> None:
    key = await world.create("Wanderer")
    await listed(world)
    world.act("move_task", task=int(key), project=int(world.second))

    receipt = await world.connector.write(world.scope, Update(key, {DONE: YesNo(yes=True)}))

    assert receipt.record is not None
    assert not receipt.record.in_scope


async def test_a_task_is_found_without_a_listing_before(world: ActiveCollabWorld) -> None:
    still_open, completed = min(load(world, 150)), min(load(world, 150, is_completed=True))

    assert (await present(world, still_open)).key == still_open
    before = world.connector.calls
    assert (await present(world, completed)).key == completed

    assert world.connector.calls - before == 1


async def test_many_missing_tasks_do_not_search_all_projects_again(world: ActiveCollabWorld) -> None:
    await world.settle()
    for number in range(3):
        assert await world.connector.fetch(world.scope, RecordKey(f"77{number}")) == Gone(Proof.NOT_FOUND)
        await world.settle()
    before = world.connector.calls

    await world.connector.fetch(world.scope, RecordKey("7799"))

    assert world.connector.calls - before == 2


@dataclass
class _Overlapping:
    """Counts how many tasks are being read at the same time, at most."""

    inner: Transport
    now: int = 0
    most: int = 0

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        is_task = "/tasks/" in url
        self.now += is_task
        self.most = max(self.most, self.now)
        try:
            return await self.inner.send(method, url, headers, body)
        finally:
            self.now -= is_task

    async def close(self) -> None:
        await self.inner.close()


async def test_tasks_that_one_search_has_found_are_read_side_by_side(world: ActiveCollabWorld) -> None:
    keys = [await world.create(f"Task {number}") for number in range(5)]
    await world.settle()
    counting = _Overlapping(world.environment.transport)
    restarted = connect("ac", world.settings, replace(world.environment, transport=counting))

    await asyncio.gather(*(restarted.fetch(world.scope, key) for key in keys))

    assert counting.most > 1


async def test_tasks_looked_for_at_the_same_time_are_all_found(world: ActiveCollabWorld) -> None:
    keys = [await world.create(f"Task {number}") for number in range(5)]
    restarted = world.connect(world.settings)

    async def time_goes_by() -> None:
        while True:
            world.clock.advance(1)
            await asyncio.sleep(0)

    passing = asyncio.create_task(time_goes_by())
    found = await asyncio.gather(*(restarted.fetch(world.scope, key) for key in keys))
    passing.cancel()

    assert all(isinstance(sighting, Present) for sighting in found)


async def test_the_trash_tells_when_a_task_went_and_who_moved_it_there(world: ActiveCollabWorld) -> None:
    key = await world.create("Short-lived")
    await world.clock.sleep(90)
    await world.delete(key)

    sighting = await world.connector.fetch(world.scope, key)

    assert sighting == Gone(Proof.TRASHED, START + dt.timedelta(seconds=90), "owner@example.test")


async def test_a_task_of_a_project_that_is_not_visible_any_more_is_unseen(world: ActiveCollabWorld) -> None:
    key = await world.create("Behind the door")
    member = replace(world.settings, token=world.vendor.token("member@example.test"))
    world.connector = world.connect(member)
    await listed(world)
    world.act("update_project", project=int(world.first), members=[1])

    sighting = await world.connector.fetch(world.scope, key)

    assert isinstance(sighting, Unseen)


@pytest.mark.parametrize("key", ["", "abc", "1/../2", "-1"])
async def test_a_key_that_is_no_id_never_reaches_an_address(world: ActiveCollabWorld, key: str) -> None:
    before = world.connector.calls

    assert await world.connector.fetch(world.scope, RecordKey(key)) == Gone(Proof.NOT_FOUND)
    with pytest.raises(NotFoundError):
        await world.connector.write(world.scope, Delete(RecordKey(key)))
    with pytest.raises(NotFoundError):
        await world.connector.write(world.scope, Archive(RecordKey(key)))

    assert world.connector.calls == before


async def test_edits_tell_who_changed_which_field_last(world: ActiveCollabWorld) -> None:
    key = await world.create("First")
    await world.rename(key, "Second")
    await world.clock.sleep(5)
    world.act("update_task", user=2, task=int(key), name="Third", due_on="2026-05-01")
    await world.clock.sleep(5)
    world.act("complete_task", task=int(key))

    edits = await world.connector.edits(world.scope, key)

    later = dt.timedelta(seconds=5)
    assert edits[NAME] == Edit(START + later, "member@example.test")
    assert edits[FieldId("due_on")] == Edit(START + later, "member@example.test")
    assert edits[DONE] == Edit(START + 2 * later, "owner@example.test")
