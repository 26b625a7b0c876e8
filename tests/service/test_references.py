"""A record that waits for what it points to goes as soon as that one is linked: two syncs behind one dispatcher."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from syncline.bootstrap import Installation
from syncline.config import Config
from syncline.core.records import RecordKey, Side, SyncId
from syncline.core.references import Through
from syncline.core.timetable import Timetable
from syncline.engine.runs import Options, run
from syncline.errors import MappingError
from syncline.jobs.embedded import EmbeddedJobs
from syncline.ports import Connector, Mark
from syncline.service.dispatch import SYNC, Cause, Dispatcher, Happened
from tests.engine.family import TYPES, Family

TASKS, PROJECTS = SyncId("tasks"), SyncId("projects")
NAMES = {Side.LEFT: "one", Side.RIGHT: "two"}
CONNECTIONS = {
    "one": {"vendor": "activecollab", "url": "http://127.0.0.1:9", "token": "token"},
    "two": {"vendor": "highlevel", "location": "location", "token": "token"},
}
NAME = {"left": "name", "right": "name"}


def settings(kind: str, *lines: Mapping[str, Any], is_turned: bool = False, **more: object) -> dict[str, Any]:
    """A sync of the family as it is configured."""
    sides = [{"connection": NAMES[side], "object": TYPES[kind][side is Side.RIGHT]} for side in Side]
    left, right = reversed(sides) if is_turned else sides
    return {
        "left": left,
        "right": right,
        "fields": [NAME, *lines],
        "match": {"on": [["name", "name"]]},
        **more,
    }


@dataclass
class Related(Installation):
    """An installation whose vendors are those of a family."""

    vendors: Mapping[str, Connector] = field(default_factory=dict[str, Connector])

    def connector(self, name: str) -> Connector:
        """A vendor of the family."""
        return self.vendors[name]


def installed(family: Family, syncs: Mapping[str, Any]) -> Related:
    """The family's accounts under a configuration."""
    config = Config.model_validate({"connections": CONNECTIONS, "syncs": syncs})
    vendors = {NAMES[side]: vendor for side, vendor in family.vendors.items()}
    return Related(config, family.store, family.clock, random.Random(1).random, vendors=vendors)


POINTING = ({"left": "project", "right": "case"}, {"left": "above", "right": "above"})
CHILDREN_FIRST = {"tasks": settings("tasks", *POINTING), "projects": settings("projects")}


@dataclass
class Service:
    """The dispatcher over a family; what happened is noted."""

    family: Family
    jobs: EmbeddedJobs = field(init=False)
    happened: list[Happened] = field(default_factory=list[Happened])

    def __post_init__(self) -> None:
        """Start it."""
        self.restart()

    def restart(self) -> None:
        """Another process: whatever was to be woken is forgotten."""
        self.jobs = EmbeddedJobs(self.family.clock, jitter=lambda: 0.5)
        self.installation = installation = installed(self.family, CHILDREN_FIRST)
        table = Timetable(dt.timedelta(hours=1), dt.timedelta(hours=1), None)
        self.dispatcher = Dispatcher(lambda: installation, self.jobs, lambda _: table, self.happened.append)

    def mark(self, sync: SyncId, key: RecordKey) -> None:
        """A record of the left side is heard of."""
        now = self.family.clock.now()
        self.family.store.add_marks([Mark(sync, Side.LEFT, key, "test", now, now)])

    async def run(self, sync: SyncId) -> None:
        """Somebody else runs a sync."""
        installation = self.installation
        await run(installation.world(), await installation.sync(sync), installation.jitter, Options())

    async def woken(self) -> list[str]:
        """The syncs that are to be looked at now."""
        now = self.family.clock.now()
        return [wake.key for wake in await self.jobs.waiting() if wake.kind == SYNC and wake.at <= now]


@pytest.fixture
async def service() -> Service:
    """Both syncs have been looked at once, and nothing was there."""
    service = Service(Family())
    for kind in TYPES:
        service.family.make(Side.LEFT, kind, "First")
    await service.dispatcher.tick()
    service.family.clock.advance(7200)
    for kind in ("tasks", "projects"):
        await service.dispatcher.look(kind)
    return service


async def test_a_waiting_child_goes_as_soon_as_its_parent_is_linked(service: Service) -> None:
    family = service.family
    project = family.make(Side.LEFT, "projects", "Site")
    service.mark(TASKS, family.make(Side.LEFT, "tasks", "Paint", project=project))
    await service.dispatcher.look(TASKS)
    assert "Paint" not in family.living(Side.RIGHT, "tasks").values()
    assert TASKS not in await service.woken()

    service.mark(PROJECTS, project)
    await service.dispatcher.look(PROJECTS)

    assert TASKS in await service.woken()
    await service.dispatcher.look(TASKS)
    assert family.points(Side.RIGHT, "Paint") == "Site"
    assert service.happened[-1].cause is Cause.HEARD
    assert family.store.mark_counts() == {}


async def test_a_parent_that_is_linked_while_the_childs_run_goes_on_is_noticed(service: Service) -> None:
    family = service.family
    project = family.make(Side.LEFT, "projects", "Site")
    family.make(Side.LEFT, "tasks", "Other")
    service.mark(TASKS, family.make(Side.LEFT, "tasks", "Paint", project=project))
    account, happened = family.accounts[Side.RIGHT, "tasks"], list[str]()

    async def tie() -> None:
        await service.run(PROJECTS)
        happened.append("tied")

    def meanwhile(when: object, write: object) -> None:
        # The child's run has decided, and is writing.
        del when, write
        if not happened:
            happened.append("began")
            waiting.append(asyncio.ensure_future(tie()))

    waiting: list[asyncio.Future[None]] = []
    account.faults = meanwhile
    await service.dispatcher.look(TASKS)
    await asyncio.gather(*waiting)
    await service.dispatcher.tick()

    assert happened == ["began", "tied"]
    assert TASKS in await service.woken()
    await service.dispatcher.look(TASKS)
    assert family.points(Side.RIGHT, "Paint") == "Site"


async def test_a_wake_that_was_lost_with_the_process_is_made_up_for_by_the_next_tick(
    service: Service,
) -> None:
    family = service.family
    project = family.make(Side.LEFT, "projects", "Site")
    service.mark(TASKS, family.make(Side.LEFT, "tasks", "Paint", project=project))
    await service.dispatcher.look(TASKS)
    await service.run(PROJECTS)
    service.restart()

    await service.dispatcher.tick()

    assert TASKS in await service.woken()
    await service.dispatcher.look(TASKS)
    assert family.points(Side.RIGHT, "Paint") == "Site"
    await service.dispatcher.tick()
    assert family.store.mark_counts() == {}


async def test_records_of_one_sync_that_point_to_each_other_go_one_after_the_other(service: Service) -> None:
    family = service.family
    above = family.make(Side.LEFT, "tasks", "House")
    for name in ("Roof", "Tile"):
        above = family.make(Side.LEFT, "tasks", name, above=above)
        service.mark(TASKS, above)
    looks = 0
    await service.dispatcher.look(TASKS)
    while TASKS in await service.woken() and looks < 6:
        looks += 1
        await service.dispatcher.look(TASKS)

    assert sorted(family.living(Side.RIGHT, "tasks").values()) == ["First", "House", "Roof", "Tile"]


# --- which sync a line goes through -----------------------------------------------------------------------------------


async def lines(syncs: Mapping[str, Any]) -> list[Through | None]:
    """What the lines of the tasks' sync go through."""
    sync = await installed(Family(), syncs).sync("tasks")
    return [lens.mapping.through for lens in sync.rules.lenses]


async def test_the_only_sync_that_ties_both_types_is_found_by_itself() -> None:
    syncs = {"tasks": settings("tasks", *POINTING), "projects": settings("projects", is_turned=True)}

    assert await lines(syncs) == [
        None,
        Through(PROJECTS, TYPES["projects"][0], TYPES["projects"][1], is_turned=True),
        Through(TASKS, *TYPES["tasks"]),
    ]


@pytest.mark.parametrize(
    ("line", "others", "path", "text"),
    [
        ({}, (), "through", "'project' and 'case' point to records (project and case) that no sync ties."),
        ({}, ("projects", "more"), "through", "several syncs tie project and case: projects, more."),
        ({"through": "nowhere"}, ("projects",), "through", "there is no sync 'nowhere'."),
        ({"through": "tasks"}, ("projects",), "through", "'tasks' ties task of one and ticket of two"),
        ({"through": "projects", "values": [["1", "a"]]}, ("projects",), "through", "do not go together"),
    ],
)
async def test_a_line_whose_sync_cannot_be_said_names_its_place_and_what_to_do(
    line: dict[str, Any], others: tuple[str, ...], path: str, text: str
) -> None:
    syncs = {
        "tasks": settings("tasks", {**POINTING[0], **line}),
        **{name: settings("projects") for name in others},
    }

    with pytest.raises(MappingError) as raised:
        await lines(syncs)

    found = [each for each in raised.value.problems if each.path == f"syncs.tasks.fields[1].{path}"]
    assert any(text in each.message and each.remedy for each in found), raised.value.problems


async def test_a_text_that_holds_keys_goes_through_the_sync_that_it_names() -> None:
    named = {"left": "project", "right": "name", "direction": "to_right", "through": "projects"}
    fields = [named]
    syncs = {"tasks": {**settings("tasks"), "fields": fields, "match": {}}, "projects": settings("projects")}

    assert await lines(syncs) == [Through(PROJECTS, *TYPES["projects"])]


async def test_a_line_whose_sync_was_taken_away_rests_where_it_was_in_force() -> None:
    family = Family()
    before = installed(family, CHILDREN_FIRST)
    await before.adopt()
    after = installed(family, {"tasks": CHILDREN_FIRST["tasks"]})
    after.version = before.version

    sync = await after.sync("tasks")

    assert [each.mapping.left for each in sync.unfit] == ["project"]
    assert "no sync ties" in sync.unfit[0].reason
