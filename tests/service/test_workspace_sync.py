"""The workspace syncs like any other account: contracts with a custom object of HighLevel, from start to end over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from syncline.bootstrap import Installation, install
from syncline.config import Config
from syncline.core.records import RecordKey, Side, SyncId
from syncline.core.workspace import Item, ItemType
from syncline.engine.report import Report
from syncline.engine.runs import run
from syncline.errors import UsageError
from syncline.jobs.embedded import EmbeddedJobs
from syncline.sandbox.run import Kind, Opened, Plan, open_sandboxes
from syncline.service.dispatch import Happened
from syncline.service.overhearing import overhear, workspace_routes
from syncline.service.routes import routes_of
from syncline.service.runtime import Runtime
from syncline.service.serving import Service
from syncline.service.workspace import Workspace
from tests.clock import VirtualClock

CONTRACT, CONTRACTS, OBJECT = ItemType.CONTRACT, SyncId("contracts"), "custom_objects.contract"
_STATUSES = ["draft", "sent", "viewed", "signed", "active", "completed", "expired", "cancelled", "declined"]
SYNC: dict[str, Any] = {
    "left": {"connection": "desk", "object": "contract"},
    "right": {"connection": "hl", "object": OBJECT},
    "match": {"on": [["title", "title"]]},
    "fields": [
        {"left": "title", "right": "title"},
        {"left": "client", "right": "client"},
        {"left": "ends_on", "right": "end_date"},
        {"left": "status", "right": "status", "values": [[each, each.capitalize()] for each in _STATUSES]},
    ],
    "conflicts": "newest",
    "deletes": "propagate",
    "brakes": {"at_least": 100},
}


@dataclass
class Pair:
    """A workspace and a HighLevel location, joined by a sync of contracts."""

    hl: Opened
    installation: Installation
    clock: VirtualClock
    happened: list[Happened] = field(default_factory=list[Happened])

    def __post_init__(self) -> None:
        home = self.installation
        self.service = Service(
            Runtime(home), EmbeddedJobs(self.clock, jitter=lambda: 0.5), self.happened.append
        )
        self.space = Workspace(home.store, home.clock, home.vault, changed=self.service.overhear)

    def control(self, action: str, **arguments: object) -> Any:
        return self.hl.server.vendor.control(action, arguments)

    async def run(self) -> Report:
        self.clock.advance(300)
        installation = self.installation
        return await run(installation.world(), await installation.sync(CONTRACTS), lambda: 0.5)

    async def look(self) -> None:
        self.clock.advance(1)
        await self.service.dispatcher.look(CONTRACTS)

    async def records(self) -> dict[str, dict[str, Any]]:
        """HighLevel's records by title, over its API."""
        sync = await self.installation.sync(CONTRACTS)
        found: dict[str, dict[str, Any]] = {}
        async for part in sync.right.connector.pages(sync.right.scope):
            for index in range(len(getattr(part, "keys", ()))):
                record = part.record(index)
                found[record.title] = {"key": record.key, **record.fields}
        return found

    def contracts(self) -> dict[str, Item]:
        return {item.title: item for item in self.space.page(CONTRACT)}


@asynccontextmanager
async def open_pair(folder: Path) -> AsyncGenerator[Pair]:
    """Both accounts with the contract's fields, and the configuration that joins them."""
    async with open_sandboxes(Plan((Kind.HIGHLEVEL,), is_running=False)) as (hl,):
        clock = VirtualClock(hl.server.clock.now(), hl.server.clock.advance)
        config = Config.model_validate(
            {
                "connections": {
                    "desk": {"vendor": "workspace"},
                    "hl": {
                        "vendor": "highlevel",
                        "url": hl.card.base_url,
                        "token": hl.card.token,
                        "location": hl.card.location,
                        "search_lag": 0,
                    },
                },
                "syncs": {"contracts": SYNC},
            }
        )
        installation = install(config, folder, clock=clock, seed=1)
        pair = Pair(hl, installation, clock)
        pair.control(
            "create_object", key="contract", singular="Contract", plural="Contracts", primary_name="Title"
        )
        for name, kind, options in (
            ("Client", "TEXT", []),
            ("End date", "DATE", []),
            ("Status", "SINGLE_OPTIONS", [each.capitalize() for each in _STATUSES]),
            ("Syncline key", "TEXT", []),
        ):
            pair.control("create_field", object=OBJECT, name=name, type=kind, options=options)
        pair.control("make_unique", object=OBJECT, field=f"{OBJECT}.syncline_key")
        try:
            yield pair
        finally:
            await installation.close()


async def test_contracts_travel_both_ways_with_edits_and_deletions(tmp_path: Path) -> None:
    async with open_pair(tmp_path) as pair:
        pair.space.create(CONTRACT, {"title": "Größe ☃", "client": "Acme", "ends_on": "2026-12-31"})
        made = pair.control("create_record", object=OBJECT, properties={"title": "Theirs", "client": "Bolt"})
        await pair.run()

        assert (await pair.records()).keys() == pair.contracts().keys() == {"Größe ☃", "Theirs"}
        theirs = pair.contracts()["Theirs"]
        assert (theirs.fields["client"], theirs.by, theirs.fields["status"]) == ("Bolt", "sync", "draft")

        key = made["id"] if isinstance(made, dict) else made.id
        pair.clock.advance(60)
        pair.control(
            "update_record", object=OBJECT, id=key, properties={"client": "Cord", "status": "signed"}
        )
        pair.space.update(CONTRACT, theirs.id, {"ends_on": "2027-01-31"})
        await pair.run()

        theirs = pair.contracts()["Theirs"]
        assert {name: theirs.fields[name] for name in ("client", "status", "ends_on")} == {
            "client": "Cord", "status": "signed", "ends_on": "2027-01-31"
        }  # fmt: skip

        pair.space.delete(CONTRACT, pair.contracts()["Größe ☃"].id)
        await pair.run()
        assert (await pair.records()).keys() == {"Theirs"}

        before = pair.installation.store.last_change()
        quiet = await pair.run()
        assert quiet.is_quiet
        assert pair.installation.store.last_change() == before


async def test_a_change_in_the_workspace_is_heard_of_at_once(tmp_path: Path) -> None:
    async with open_pair(tmp_path) as pair:
        store = pair.installation.store
        made = pair.space.create(CONTRACT, {"title": "Offer"})
        await pair.run()
        store.remove_marks(store.marks(CONTRACTS, pair.clock.now()))

        pair.space.update(CONTRACT, made.id, {"client": "Acme", "status": "sent"})

        (mark,) = store.marks(CONTRACTS, pair.clock.now())
        assert (mark.side, mark.key) == (Side.LEFT, made.id)
        await pair.look()
        record = (await pair.records())["Offer"]
        assert (record["client"].text, record["status"].key) == ("Acme", "sent")
        assert store.marks(CONTRACTS, pair.clock.now()) == []

        pair.space.delete(CONTRACT, made.id)
        await pair.look()
        assert await pair.records() == {}


async def test_what_is_overheard_is_marked_once_and_only_for_who_syncs_it(tmp_path: Path) -> None:
    async with open_pair(tmp_path) as pair:
        store, config = pair.installation.store, pair.installation.config
        routes = workspace_routes(routes_of(config.syncs), config.connections)
        assert [(each.sync, each.side) for each in routes] == [(CONTRACTS, Side.LEFT)]
        pair.space.changed = lambda: None
        project = pair.space.create(ItemType.PROJECT, {"name": "Shop"})
        made = [pair.space.create(CONTRACT, {"title": f"Offer {number}"}) for number in range(3)]
        pair.space.delete(CONTRACT, made[2].id)

        assert overhear(store, routes, pair.clock.now()) == {CONTRACTS}
        assert overhear(store, routes, pair.clock.now()) == frozenset()

        keys = [each.key for each in store.marks(CONTRACTS, pair.clock.now())]
        assert keys == [RecordKey(each.id) for each in made]
        assert project.id not in keys


async def test_the_workspace_sends_no_webhooks_and_needs_no_address(tmp_path: Path) -> None:
    async with open_pair(tmp_path) as pair:
        with pytest.raises(UsageError, match="no webhooks"):
            pair.installation.listener("desk")
