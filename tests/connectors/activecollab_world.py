"""An ActiveCollab sandbox on a real port with two projects, the connector to it, and a person who edits there.

Used by the tests of the ActiveCollab connector. One virtual clock moves the connector and the sandbox.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

from syncline.connectors.activecollab import ActiveCollabConnector, Settings, connect
from syncline.connectors.http import AiohttpTransport, Environment
from syncline.core.records import FieldId, ObjectTypeId, RecordKey, Scope
from syncline.core.values import Day, ManyOf, Number, OneOf, Person, RichText, Text, Value, YesNo
from syncline.sandbox.activecollab import ActiveCollabVendor, Flavour, Quirks
from syncline.sandbox.faults import Fault, FaultKind
from syncline.sandbox.server import SandboxServer
from syncline.sandbox.wire import SandboxClock
from tests.clock import START, VirtualClock
from tests.connectors.conformance import World

NAME = FieldId("name")


class ActiveCollabWorld(World):
    """An account with the projects First and Second; the first is in scope."""

    def __init__(
        self, server: SandboxServer, vendor: ActiveCollabVendor, clock: VirtualClock, kind: str
    ) -> None:
        self.server = server
        self.vendor = vendor
        self.clock = clock
        self.title = NAME
        self.kind = kind
        self.unknown_key = RecordKey("999999")
        self.environment = Environment(AiohttpTransport(), clock, random.Random(1).random)
        self.first, self.second, self.lists = "", "", ["0", "0"]
        self.scope = Scope(ObjectTypeId(kind))
        if kind != "project":
            self._furnish()
        self.settings = Settings(server.base_url + vendor.root_path, vendor.token())
        self.connector = self.connect(self.settings)
        if self.first:
            self.scope = Scope(ObjectTypeId(kind), {"project": (self.first,)})

    def _furnish(self) -> None:
        self.first, self.second = (
            str(self.act("create_project", name=name, members=[1, 2]).id) for name in ("First", "Second")
        )
        if self.kind == "task":
            names = ("To do", "Doing")
            made = [self.act("create_task_list", project=int(self.first), name=name) for name in names]
            self.lists = [str(each.id) for each in made]

    def connect(self, settings: Settings) -> ActiveCollabConnector:
        """Another connector to the same account; its sockets are shared."""
        return connect("ac", settings, self.environment)

    def act(self, action: str, **args: object) -> Any:
        """A person does something in the web UI."""
        return self.vendor.control(action, args)

    def sample(self, number: int) -> dict[FieldId, Value]:
        is_first = number == 1
        common: dict[str, Value] = {
            "name": Text("Fix the door & window" if is_first else "Paint it"),
            "is_completed": YesNo(yes=is_first),
        }
        days: dict[str, Value] = {
            "start_on": Day(dt.date(2026, 3, number)),
            "due_on": Day(dt.date(2026, 4, number)),
        }
        body = RichText("<p>One <b>bold</b> &amp; more</p>" if is_first else "<ul><li>two</li></ul>")
        person = Person(email="owner@example.test" if is_first else "member@example.test")
        task: dict[str, Value] = {
            "body": body,
            "assignee": person,
            "task_list": OneOf(self.lists[number - 1]),
            "labels": ManyOf(("BUG", "NEW") if is_first else ("NEW", "LATER")),
            "estimate": Number(Decimal("1.5") if is_first else Decimal(3)),
            "is_important": YesNo(yes=is_first),
            "is_hidden_from_clients": YesNo(yes=is_first),
        }
        project: dict[str, Value] = {
            "body": body,
            "leader": person,
            "budget": Number(Decimal(100 * number)),
        }
        more = {"task": days | task, "task_list": days, "project": project}[self.kind]
        return {FieldId(name): value for name, value in (common | more).items()}

    def refused(self) -> tuple[FieldId, Value]:
        return NAME, Text("long " * 100)

    async def create(self, title: str) -> RecordKey:
        home = {"project": int(self.first)} if self.first else {}
        return RecordKey(str(self.act(f"create_{self.kind}", **home, name=title).id))

    async def rename(self, key: RecordKey, title: str) -> None:
        self.act(f"update_{self.kind}", **self._named(key), name=title)

    async def delete(self, key: RecordKey) -> None:
        self.act(f"trash_{self.kind}", **self._named(key))

    async def purge(self, key: RecordKey) -> None:
        headers = {"x-angie-authapitoken": self.settings.token}
        answer = await self.environment.transport.send(
            "DELETE", f"{self.settings.url}/api/v1/trash", headers, None
        )
        assert answer.is_ok

    def stranger(self) -> ActiveCollabConnector:
        return self.connect(replace(self.settings, token="1-wrong-token"))

    def fail_next_read(self) -> None:
        self.server.faults.add(Fault(FaultKind.STATUS, method="GET", status=503, times=1))

    def cut_next_write(self) -> None:
        self.server.faults.add(Fault(FaultKind.CUT_AFTER, method="POST|PUT|DELETE", times=1))

    def _named(self, key: RecordKey) -> dict[str, object]:
        return {self.kind: int(key)}


@asynccontextmanager
async def open_world(
    *,
    flavour: Flavour = Flavour.SELF_HOSTED,
    quirks: Quirks | None = None,
    object_type: str = "task",
    world_class: type[ActiveCollabWorld] | None = None,
) -> AsyncGenerator[ActiveCollabWorld, None]:
    """A sandbox that serves until the block ends."""
    sandbox_clock = SandboxClock(START)
    vendor = ActiveCollabVendor(sandbox_clock, flavour=flavour, quirks=quirks)
    async with SandboxServer(vendor, sandbox_clock) as server:
        vendor.serve_files_at(server.base_url)
        made = world_class or ActiveCollabWorld
        world = made(server, vendor, VirtualClock(START, sandbox_clock.advance), object_type)
        try:
            yield world
        finally:
            await world.connector.close()
