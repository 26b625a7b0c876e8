"""Three accounts in a row, edited everywhere: ActiveCollab, the workspace and HighLevel come to hold the same, each record
once, with few writes, and then nothing is left to do."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from syncline.bootstrap import Installation, install
from syncline.config import Config
from syncline.core.brakes import BrakeName
from syncline.core.records import FieldId, Record, Side, SyncId
from syncline.core.values import OneOf, Value, YesNo
from syncline.core.workspace import ItemType
from syncline.engine.runs import Options, run
from syncline.ports import Ending
from syncline.sandbox.run import Opened, Plan, open_sandboxes
from syncline.service.workspace import Workspace
from tests.clock import VirtualClock

ACTS = 30
INNER, OUTER = SyncId("inner"), SyncId("outer")
_OBJECT = "custom_objects.project"
_POLICIES = {"conflicts": "newest", "deletes": "propagate", "brakes": {"at_least": 1000}}
SYNCS: dict[str, Any] = {
    INNER: {
        "left": {"connection": "ac", "object": "project"},
        "right": {"connection": "desk", "object": "project"},
        "match": {"on": [["name", "name"]]},
        "fields": [
            {"left": "name", "right": "name"},
            {"left": "is_completed", "right": "status", "values": [[False, "active"], [True, "completed"]]},
        ],
        **_POLICIES,
    },
    OUTER: {
        "left": {"connection": "desk", "object": "project"},
        "right": {"connection": "hl", "object": _OBJECT},
        "match": {"on": [["name", "name"]]},
        "fields": [
            {"left": "name", "right": "name"},
            {
                "left": "status",
                "right": "status",
                "values": [["active", "Active"], ["completed", "Completed"]],
            },
        ],
        **_POLICIES,
    },
}


@dataclass
class Star:
    """The three accounts, the two syncs between them, and how many writes they took."""

    ac: Opened
    hl: Opened
    installation: Installation
    clock: VirtualClock
    dice: random.Random
    writes: int = 0
    names: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        home = self.installation
        self.space = Workspace(home.store, home.clock, home.vault)

    async def run(self, name: SyncId, *, is_full: bool) -> int:
        """One run; how many writes it made."""
        self.clock.advance(61)
        sync = await self.installation.sync(name)
        # That somebody deletes the last project of a side is meant.
        options = Options(is_full=is_full, release=frozenset({BrakeName.EMPTY_SIDE}))
        report = await run(self.installation.world(), sync, self.dice.random, options)
        # A record that went since it was listed is decided on again in the next run.
        assert {each.code.partition(".")[0] for each in report.failures} <= {"not_found"}
        self.writes += report.writes
        return report.writes

    async def listed(self, name: SyncId, side: Side) -> list[Record]:
        """All records of a side, as its vendor tells them."""
        here = (await self.installation.sync(name)).side(side)
        parts = [part async for part in here.connector.pages(here.scope) if not isinstance(part, Ending)]
        return [part.record(index) for part in parts for index in range(len(part.keys))]

    async def told(self, name: SyncId, side: Side) -> Counter[tuple[str, bool]]:
        """Names, and which are completed."""
        return Counter((each.title, _is_done(each)) for each in await self.listed(name, side))

    async def act(self, number: int) -> None:
        """Somebody makes a project somewhere, renames one, completes it, opens it again or deletes it."""
        self.clock.advance(7)
        where = self.dice.choice(("ac", "desk", "hl"))
        name = f"Projet n° {number}"
        if self.dice.random() < 0.3:
            self._make(where, name)
            return
        side, sync = {"ac": (Side.LEFT, INNER), "desk": (Side.RIGHT, INNER), "hl": (Side.RIGHT, OUTER)}[where]
        there = sorted(await self.listed(sync, side), key=lambda each: each.key)
        if there and self.dice.random() < 0.1:
            self._delete(where, self.dice.choice(there).key)
        elif there:
            self._edit(where, self.dice.choice(there).key, name if self.dice.random() < 0.5 else "")

    def _delete(self, where: str, key: str) -> None:
        if where == "ac":
            self.ac.server.vendor.control("trash_project", {"project": int(key)})
        elif where == "hl":
            self.hl.server.vendor.control("delete_record", {"object": _OBJECT, "id": key})
        else:
            self.space.delete(ItemType.PROJECT, key)

    def _make(self, where: str, name: str) -> None:
        if where == "ac":
            self.ac.server.vendor.control("create_project", {"name": name})
        elif where == "hl":
            properties = {"name": name, "status": "active"}
            self.hl.server.vendor.control("create_record", {"object": _OBJECT, "properties": properties})
        else:
            self.space.create(ItemType.PROJECT, {"name": name})

    def _edit(self, where: str, key: str, name: str) -> None:
        is_done = self.dice.random() < 0.5
        status = {"name": name} if name else {"status": "completed" if is_done else "active"}
        if where == "desk":
            self.space.update(ItemType.PROJECT, key, status)
        elif where == "hl":
            wish = {"object": _OBJECT, "id": key, "properties": status}
            self.hl.server.vendor.control("update_record", wish)
        elif name:
            self.ac.server.vendor.control("update_project", {"project": int(key), "name": name})
        else:
            word = "complete_project" if is_done else "open_project"
            self.ac.server.vendor.control(word, {"project": int(key)})


def _is_done(record: Record) -> bool:
    found: Value | None = record.fields.get(FieldId("is_completed"), record.fields.get(FieldId("status")))
    return found.yes if isinstance(found, YesNo) else isinstance(found, OneOf) and found.key == "completed"


@asynccontextmanager
async def open_star(folder: Path, seed: int) -> AsyncGenerator[Star]:
    """Both vendors, the workspace between them, and nothing in any."""
    async with open_sandboxes(Plan(is_running=False)) as (ac, hl):

        def follow(seconds: float) -> None:
            ac.server.clock.advance(seconds)
            hl.server.clock.advance(seconds)

        clock = VirtualClock(hl.server.clock.now(), follow)
        connections: dict[str, Any] = {
            "ac": {"vendor": "activecollab", "url": ac.card.base_url, "token": ac.card.token},
            "desk": {"vendor": "workspace"},
            "hl": {
                "vendor": "highlevel", "url": hl.card.base_url, "token": hl.card.token,
                "location": hl.card.location, "search_lag": 0,
            },
        }  # fmt: skip
        control = hl.server.vendor.control
        made = {"key": "project", "singular": "Project", "plural": "Projects", "primary_name": "Name"}
        control("create_object", made)
        options = ["Active", "Completed"]
        control(
            "create_field",
            {"object": _OBJECT, "name": "Status", "type": "SINGLE_OPTIONS", "options": options},
        )
        control("create_field", {"object": _OBJECT, "name": "Syncline key", "type": "TEXT", "options": []})
        control("make_unique", {"object": _OBJECT, "field": f"{_OBJECT}.syncline_key"})
        config = Config.model_validate({"connections": connections, "syncs": SYNCS})
        installation = install(config, folder, clock=clock, seed=seed)
        try:
            yield Star(ac, hl, installation, clock, random.Random(seed))
        finally:
            await installation.close()


@pytest.mark.parametrize("seed", range(6))
async def test_three_accounts_that_are_edited_everywhere_come_to_hold_the_same(
    tmp_path: Path, seed: int
) -> None:
    async with open_star(tmp_path, seed) as star:
        for number in range(ACTS):
            await star.act(number)
            if star.dice.random() < 0.3:
                await star.run(star.dice.choice((INNER, OUTER)), is_full=star.dice.random() < 0.5)
        for _ in range(8):
            # One after the other: what comes in at one end takes two runs to the other.
            if await star.run(INNER, is_full=True) + await star.run(OUTER, is_full=True) == 0:
                break
        else:
            raise AssertionError("they never come to rest")
        ends = [
            await star.told(INNER, Side.LEFT), await star.told(INNER, Side.RIGHT), await star.told(OUTER, Side.RIGHT)
        ]  # fmt: skip

        assert ends[0] == ends[1] == ends[2]
        assert max(ends[0].values(), default=1) == 1
        assert ends[0]
        assert star.writes <= 3 * ACTS
        assert star.installation.store.questions() == []
