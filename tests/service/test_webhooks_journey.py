"""An edit at a vendor's stand-in becomes a mark: over real HTTP, verified, stored; lost, doubled and late ones too."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from syncline.connectors.activecollab import WebhookListener as ActiveCollabListener
from syncline.connectors.highlevel import WebhookListener
from syncline.core.records import Side
from syncline.ports import DeliveryState
from syncline.sandbox.activecollab import ActiveCollabVendor
from syncline.sandbox.faults import Fault, FaultKind
from syncline.sandbox.highlevel import HighLevelVendor
from syncline.sandbox.run import Kind, Opened, Plan, open_sandboxes
from tests.service.hall import AC_PATH, AC_SECRET, HL_PATH, TICKET, Hall, open_hall


@dataclass
class Journey:
    """Both stand-ins, told to send their webhooks to a hall."""

    hall: Hall
    left: Opened
    right: Opened

    @property
    def ac(self) -> ActiveCollabVendor:
        vendor = self.left.server.vendor
        assert isinstance(vendor, ActiveCollabVendor)
        return vendor

    @property
    def hl(self) -> HighLevelVendor:
        vendor = self.right.server.vendor
        assert isinstance(vendor, HighLevelVendor)
        return vendor

    async def arrive(self) -> None:
        """Let everything that was sent come in."""
        await self.left.server.flush_webhooks()
        await self.right.server.flush_webhooks()

    def heard(self) -> Sequence[tuple[str, str, str]]:
        """Event, key and state of all deliveries."""
        return [(each.event, each.key, each.state.value) for each in self.hall.kept()]

    def ticket(self, title: str) -> str:
        """A person makes a ticket; answers its id."""
        made: Any = self.hl.control("create_record", {"object": TICKET, "properties": {"title": title}})
        return made["id"] if isinstance(made, dict) else made.id


@asynccontextmanager
async def open_journey() -> AsyncGenerator[Journey]:
    """Two accounts with one object type each, and the hall that listens."""
    hall = Hall()
    plan = Plan((Kind.ACTIVECOLLAB, Kind.HIGHLEVEL), is_running=False)
    async with open_sandboxes(plan) as (left, right), open_hall(hall) as address:
        journey = Journey(hall, left, right)
        card = right.card
        hall.intake.open("hl", HL_PATH, WebhookListener(card.location, [card.webhook_public_key]))
        hall.intake.open("ac", AC_PATH, ActiveCollabListener(AC_SECRET, journey.ac.account.id))
        journey.hl.control(
            "create_object",
            {"key": "ticket", "singular": "Ticket", "plural": "Tickets", "primary_name": "Title"},
        )
        journey.hl.control("subscribe", {"url": f"{address}/hooks/{HL_PATH}"})
        journey.ac.control("register_webhook", {"url": f"{address}/hooks/{AC_PATH}", "secret": AC_SECRET})
        yield journey


async def test_an_edit_on_either_side_becomes_a_mark() -> None:
    async with open_journey() as journey:
        record = journey.ticket("first")
        project: Any = journey.ac.control("create_project", {"name": "Shop"})
        task: Any = journey.ac.control("create_task", {"project": project.id, "name": "first"})
        journey.ac.control("update_task", {"task": task.id, "name": "second"})
        await journey.arrive()

        marked = {(each.side, each.key) for each in journey.hall.marks()}
        assert marked == {(Side.RIGHT, record), (Side.LEFT, str(task.id))}
        assert ("RecordCreate", record, "used") in journey.heard()
        assert ("TaskCreated", str(task.id), "used") in journey.heard()
        assert ("ProjectCreated", str(project.id), "ignored") in journey.heard()
        assert all(each.state is not DeliveryState.REFUSED for each in journey.hall.kept())


async def test_a_lost_event_leaves_no_mark_and_a_later_one_does() -> None:
    async with open_journey() as journey:
        journey.right.server.faults.add(Fault(FaultKind.LOST, times=1))
        record = journey.ticket("lost")
        await journey.arrive()
        assert journey.hall.marks() == []

        journey.hl.control("update_record", {"object": TICKET, "id": record, "properties": {"title": "seen"}})
        await journey.arrive()
        assert journey.hall.keys() == [record]


async def test_a_doubled_event_is_used_once() -> None:
    async with open_journey() as journey:
        journey.right.server.faults.add(Fault(FaultKind.DUPLICATE, seconds=5))
        record = journey.ticket("twice")
        assert await journey.right.server.flush_webhooks() == 2

        assert journey.heard() == [("RecordCreate", record, "used")]
        assert journey.hall.keys() == [record]


async def test_events_out_of_order_mark_the_same_records() -> None:
    async with open_journey() as journey:
        journey.right.server.faults.add(Fault(FaultKind.LATE, seconds=60, times=1))
        record = journey.ticket("late")
        journey.hl.control("delete_record", {"object": TICKET, "id": record})
        await journey.arrive()

        assert [event for event, _, _ in journey.heard()] == ["RecordDelete", "RecordCreate"]
        assert set(journey.hall.keys()) == {record}


@pytest.mark.parametrize("is_right", [True, False])
async def test_a_wrong_secret_or_key_marks_nothing(is_right: bool) -> None:
    async with open_journey() as journey:
        if not is_right:
            journey.hall.intake.open("hl", HL_PATH, WebhookListener(journey.right.card.location))
        journey.ticket("x")
        await journey.arrive()

        assert bool(journey.hall.marks()) is is_right
