"""The HighLevel connector keeps the promises of all connectors, with and without a lagging search index."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from syncline.connectors.highlevel import HighLevelConnector, PrivateToken
from syncline.core.records import FieldId, RecordKey
from syncline.core.values import (
    Day,
    File,
    Files,
    ManyOf,
    Money,
    Number,
    OneOf,
    Person,
    Phone,
    Text,
    Value,
)
from syncline.sandbox.faults import Fault, FaultKind
from tests.connectors import highlevel_world
from tests.connectors.conformance import ConnectorConformance, World
from tests.connectors.highlevel_world import SCOPE

SAMPLES: dict[str, tuple[Value, Value]] = {
    "title": (Text("First"), Text("Second")),
    "notes": (Text("one\ntwo"), Text("three <b> & four")),
    "hours": (Number(Decimal("1.25")), Number(Decimal(-3))),
    "phone": (Phone("+14155550100"), Phone("+14155550101")),
    "price": (Money(Decimal("46401.10")), Money(Decimal("0.01"))),
    "areas": (ManyOf(("low", "high")), ManyOf(("urgent",))),
    "tags": (ManyOf(("low",)), ManyOf(("low", "high", "urgent"))),
    "kind": (OneOf("low"), OneOf("high")),
    "level": (OneOf("high"), OneOf("urgent")),
    "due": (Day(dt.date(2026, 3, 1)), Day(dt.date(2024, 2, 29))),
    "lines.low": (Text("a"), Text("b")),
    "lines.high": (Text("c"), Text("d")),
    "files": (
        Files((File(url="https://files.example.test/1"), File(url="https://files.example.test/2"))),
        Files((File(url="https://files.example.test/2"), File(url="https://files.example.test/3"))),
    ),
    "owner": (Person("owner@example.test"), Person("member@example.test")),
}


class HighLevelWorld(World):
    """A sandbox behind a real port."""

    scope = SCOPE
    title = FieldId("title")
    unknown_key = RecordKey("67a235b49b289431bcf657f8")
    quiet_calls = 1

    def __init__(self, world: highlevel_world.World) -> None:
        self.world = world
        self.connector = world.connector
        self.clock = world.clock

    def sample(self, number: int) -> dict[FieldId, Value]:
        follower = self.world.vendor.account.user_ids_by_email["editor@example.test"]
        followers: dict[FieldId, Value] = {
            FieldId("followers"): ManyOf((follower,) if number == 1 else (follower, self.owner))
        }
        return {FieldId(name): values[number - 1] for name, values in SAMPLES.items()} | followers

    @property
    def owner(self) -> str:
        return self.world.vendor.account.user_ids_by_email["owner@example.test"]

    def refused(self) -> tuple[FieldId, Value]:
        return FieldId("phone"), Phone("555")

    async def create(self, title: str) -> RecordKey:
        return RecordKey(self.world.edit("create_record", properties={"title": title})["id"])

    async def rename(self, key: RecordKey, title: str) -> None:
        self.world.edit("update_record", id=key, properties={"title": title})

    async def delete(self, key: RecordKey) -> None:
        self.world.edit("delete_record", id=key)

    async def purge(self, key: RecordKey) -> None:
        """There is no trash: what is deleted is gone for good."""

    def stranger(self) -> HighLevelConnector:
        return self.world.open(access=PrivateToken("wrong-token"))

    def fail_next_read(self) -> None:
        self.world.faults.add(Fault(FaultKind.STATUS, status=503, times=1))

    def cut_next_write(self) -> None:
        self.world.faults.add(Fault(FaultKind.CUT_AFTER, method="POST", path="/records$", times=1))


@asynccontextmanager
async def conforming(lag: float) -> AsyncIterator[HighLevelWorld]:
    async with highlevel_world.world(lag=lag) as made:
        yield HighLevelWorld(made)


class TestHighLevel(ConnectorConformance):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with conforming(lag=0) as made:
            yield made


class TestHighLevelWithALaggingIndex(ConnectorConformance):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with conforming(lag=45) as made:
            yield made
