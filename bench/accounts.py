"""Invented records into two filled accounts and a connected installation: the world that every benchmark measures in.

Used by `quiet`, `calls` and `first`. An ActiveCollab of many projects, three in five tasks completed as in an account of
some years, and a HighLevel location with a ticket object.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from bench.wires import Direct
from syncline.bootstrap import Installation
from syncline.config import Config
from syncline.connectors import highlevel
from syncline.connectors.highlevel import FieldWish, ObjectWish, PrivateToken, ensure_object
from syncline.connectors.highlevel.schema import DataType
from syncline.connectors.http import Environment, Transport
from syncline.core.brakes import BrakeName
from syncline.core.markup import text_of_html
from syncline.engine.runs import Options, Report, run
from syncline.ports import Clock
from syncline.sandbox.activecollab import ActiveCollabVendor
from syncline.sandbox.data import generated_history, tasks_of
from syncline.sandbox.highlevel import HighLevelVendor
from syncline.sandbox.wire import SandboxClock
from syncline.store import open_store

START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
SYNC = "tickets"
AC_HOST, HL_HOST = "ac.test", "hl.test"
WISH = ObjectWish(
    key="ticket",
    singular="Ticket",
    plural="Tickets",
    primary=FieldWish("Title"),
    fields=(
        FieldWish("Notes", DataType.LARGE_TEXT),
        FieldWish("Hours", DataType.NUMERICAL),
        FieldWish("Due", DataType.DATE),
        FieldWish("Tags"),
        FieldWish("Syncline key"),
    ),
)
OBJECT = WISH.full_key
KEY_FIELD = "syncline_key"
RELAXED = frozenset(BrakeName)
_TASKS_PER_PROJECT = 500
PLENTY: dict[str, object] = {"burst": 10_000_000, "interval_ms": 10_000, "daily": 100_000_000}
_FIELDS = (
    {"left": "name", "right": "title"},
    {"left": "due_on", "right": "due"},
    {"left": "estimate", "right": "hours"},
    {"left": "labels", "right": "tags"},
    {"left": "body", "right": "notes", "direction": "to_right"},
)


class StillClock:
    """Time that moves only when somebody waits or says so, with the stand-ins' clock behind it."""

    def __init__(self, start: dt.datetime = START, follow: Callable[[float], object] | None = None) -> None:
        self._now = start
        self._follow = follow

    def now(self) -> dt.datetime:
        """The time, aware UTC."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Move on, and give the others a turn."""
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Move on."""
        self._now += dt.timedelta(seconds=max(0.0, seconds))
        if self._follow is not None:
            self._follow(seconds)


@dataclass(frozen=True, slots=True)
class Reach:
    """How to reach both accounts."""

    ac_url: str
    ac_token: str
    hl_url: str
    hl_token: str
    location: str


def config(reach: Reach, search_lag: float) -> Config:
    """The configuration of the sync that is measured. `search_lag`: how far HighLevel's index may run behind."""
    return Config.model_validate(written(reach, search_lag))


def written(reach: Reach, search_lag: float) -> dict[str, Any]:
    """The same as it is written in a file."""
    return {
        "connections": {
            "ac": {"vendor": "activecollab", "url": reach.ac_url, "token": reach.ac_token},
            "hl": {
                "vendor": "highlevel",
                "url": reach.hl_url,
                "token": reach.hl_token,
                "location": reach.location,
                "search_lag": search_lag,
            },
        },
        "syncs": {
            SYNC: {
                "left": {"connection": "ac", "object": "task"},
                "right": {"connection": "hl", "object": OBJECT},
                "match": {"on": [["name", "title"]]},
                "fields": list(_FIELDS),
                "conflicts": "newest",
            }
        },
    }


def installed(
    reach: Reach, store: Path, clock: Clock, transport: Transport, *, search_lag: float = 0
) -> Installation:
    """An installation on that database and that transport. The stand-in's index does not lag unless it is told to."""
    jitter = random.Random(1).random
    settings = config(reach, search_lag)
    return Installation(
        settings,
        open_store(f"sqlite:///{store}"),
        clock,
        jitter,
        transport=transport,
        from_file=frozenset(settings.connections),
    )


async def run_once(home: Installation, clock: StillClock, *, is_full: bool = True) -> Report:
    """One run, a few minutes after the last one, so that every index has caught up."""
    clock.advance(300)
    sync = await home.sync(SYNC)
    return await run(home.world(), sync, home.jitter, Options(is_full=is_full, release=RELAXED))


def tasks(count: int, seed: int = 1) -> list[dict[str, object]]:
    """So many tasks as `ActiveCollabVendor.load` takes them, with names of their own."""
    chance = random.Random(seed)
    sample = tasks_of(generated_history(seed, min(count, 500) + 20, 2_000))
    return [_task(sample[number % len(sample)], number, chance) for number in range(count)]


def _task(model: Mapping[str, object], number: int, chance: random.Random) -> dict[str, object]:
    project = f"Project {number // _TASKS_PER_PROJECT + 1}"
    return {
        **model,
        "name": f"{number} {model['name']}",
        "project": project,
        "estimate": chance.choice((0.5, 1, 2, 8)),
        "job_type_id": 1,
        "assignee": chance.choice(("owner@example.test", "member@example.test")),
        "is_completed": chance.random() < 0.6,
    }


def ticket(task: Mapping[str, object]) -> dict[str, object]:
    """The properties of the ticket that holds the same as a task."""
    labels = cast("list[str]", task["labels"])
    found: dict[str, object] = {
        "title": task["name"],
        "notes": text_of_html(str(task["body"])),
        "hours": task["estimate"],
        "due": task["due_on"],
        "tags": ", ".join(sorted(set(labels))),
    }
    return {name: value for name, value in found.items() if value}


@dataclass
class Accounts:
    """Both stand-ins in memory, empty."""

    seed: int = 1
    sandbox_clock: SandboxClock = field(default_factory=lambda: SandboxClock(START))

    def __post_init__(self) -> None:
        """Open the accounts with a quota that never gets in the way."""
        self.clock = StillClock(follow=self.sandbox_clock.advance)
        self.ac = ActiveCollabVendor(self.sandbox_clock, self.seed)
        self.hl = HighLevelVendor(self.sandbox_clock, self.seed)
        self.hl.control("quota", dict(PLENTY))
        self.transport = Direct({AC_HOST: self.ac, HL_HOST: self.hl})
        location = self.hl.account.location_ids[0]
        self.reach = Reach(
            f"http://{AC_HOST}",
            self.ac.token(),
            f"http://{HL_HOST}",
            self.hl.account.private_tokens[location],
            location,
        )

    async def furnish(self) -> None:
        """Make the ticket object."""
        await make_object(self.reach, self.clock, self.transport)
        self.hl.control("make_unique", {"object": OBJECT, "field": KEY_FIELD})

    def fill(self, count: int) -> None:
        """So many records that are the same on both sides."""
        made = tasks(count, self.seed)
        self.task_ids = self.ac.load(made)
        self.ticket_ids = [each for part in _parts(made, 1_000) for each in self._load(part)]
        self.clock.advance(3_600)

    def _load(self, part: Iterable[Mapping[str, object]]) -> Iterator[str]:
        args: dict[str, object] = {
            "object": OBJECT,
            "records": [{"properties": ticket(each)} for each in part],
        }
        answer: Any = self.hl.control("load", args)
        self.clock.advance(1)
        yield from answer["ids"]


async def make_object(reach: Reach, clock: Clock, transport: Transport) -> None:
    """Make the ticket object through the API."""
    environment = Environment(transport, clock, random.Random(1).random)
    settings = highlevel.Settings(reach.location, PrivateToken(reach.hl_token), reach.hl_url)
    await ensure_object(highlevel.connect(settings, environment).client, WISH)


def _parts(items: list[dict[str, object]], size: int) -> Iterator[list[dict[str, object]]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
