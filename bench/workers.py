"""Edits carried by one, two and four workers on PostgreSQL, at vendors that answer after 100 ms.

A worker runs syncs, one run of each at a time, and makes so many calls at once to each account; more workers make more. So
there are many syncs with as many edits each, all of one ActiveCollab account, and HighLevel records in four locations. The
edits are marked as webhooks mark them, and every sync is woken; what counts is the time from then until the last edit
stands on the other side. Quotas are set so high that nobody feels them. Syncline's workers run as `syncline worker`.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from bench.accounts import WISH, tasks, ticket, written
from bench.figures import Figure, at_least, told
from bench.postgres import postgresql
from bench.town import Town, Vendor, now, standing, vendors
from syncline.bootstrap import SystemClock
from syncline.connectors import highlevel
from syncline.connectors.highlevel import PrivateToken, ensure_object
from syncline.connectors.http import AiohttpTransport, Environment
from syncline.core.records import RecordKey, Side, SyncId
from syncline.ports import Mark
from syncline.sandbox.faults import Fault, FaultKind
from syncline.service.dispatch import SYNC
from syncline.service.engines import job_engine
from syncline.store import open_store

GOALS: Mapping[int, float | None] = {1: None, 2: None, 4: 3.5}
"""How many times as many edits as one worker so many workers should carry."""
_LATE = 0.1


@dataclass(frozen=True, slots=True)
class Size:
    """HighLevel locations, syncs in each, records of each sync (all are edited), rounds."""

    sites: int = 4
    syncs: int = 8
    records: int = 12
    rounds: int = 2


def figures(*, is_quick: bool) -> Iterator[Figure]:
    """Edits a second of one, two and four workers."""
    with postgresql() as database:
        yield from measure(Size(1, 2, 2, 1) if is_quick else Size(), database)


def measure(size: Size, database: str) -> list[Figure]:
    """The figures; the best of some rounds each."""
    rates = asyncio.run(_measured(size, database))
    count = size.sites * size.syncs
    found: list[Figure] = []
    for workers, goal in GOALS.items():
        name = f"edits by {workers} worker{'s' if workers > 1 else ''}, {count} syncs"
        rate = rates[workers]
        figure = told(name, rate, "edits/s", rates[1])
        found.append(figure if goal is None else at_least(name, rate, "edits/s", rates[1], goal))
    return found


@dataclass(frozen=True, slots=True)
class _Shop:
    """One sync: its name, the account and object of its right side, and the records there."""

    name: str
    vendor: Vendor
    object_type: str
    records: Sequence[str]


async def _measured(size: Size, database: str) -> Mapping[int, float]:
    with tempfile.TemporaryDirectory() as folder:
        async with vendors(size.sites) as accounts:
            town = Town(Path(folder), accounts, database)
            shops = await _furnish(town, size)
            town.command("run")
            for each in accounts:
                await each.tell("faults", Fault(FaultKind.SLOW, seconds=_LATE))
            return {workers: await _rate(town, shops, workers, size.rounds) for workers in GOALS}


async def _rate(town: Town, shops: Sequence[_Shop], workers: int, rounds: int) -> float:
    """Edits a second that so many workers carry; the first round is not counted."""
    with ExitStack() as running:
        for _ in range(workers):
            running.enter_context(town.process("worker"))
        count = sum(len(shop.records) for shop in shops)
        found = [count / await _round(town, shops, f"{workers} {number}") for number in range(rounds + 1)]
    return max(found[1:])


async def _round(town: Town, shops: Sequence[_Shop], text: str) -> float:
    """Edit every record, and say so; seconds until the last one stands on the other side."""
    titles = set[str]()
    for shop in shops:
        for record in shop.records:
            titles.add(title := f"{text} {record}")
            wish = {"object": shop.object_type, "id": record, "properties": {"title": title}}
            await shop.vendor.act("update_record", **wish)
    await town.vendors[0].noted()
    began = now()
    await _wake(town, shops)
    await standing(town.vendors[0], titles)
    return now() - began


async def _wake(town: Town, shops: Sequence[_Shop]) -> None:
    """As webhooks about all these records would."""
    clock = SystemClock()
    at = clock.now()
    store, jobs = open_store(town.database), job_engine(town.database, clock)
    for shop in shops:
        sync = SyncId(shop.name)
        store.add_marks([Mark(sync, Side.RIGHT, RecordKey(each), "bench", at, at) for each in shop.records])
        await jobs.wake(SYNC, shop.name)
    await jobs.close()
    store.close()


async def _furnish(town: Town, size: Size) -> Sequence[_Shop]:
    """A project and an object for each sync, with the same records, and a configuration that joins them."""
    configuration = written(town.reach, 0)
    (model,) = configuration["syncs"].values()
    # Nothing is looked at but what was marked, and nobody wonders that everything changes at once.
    quiet = {"schedule": {"poll": False, "nightly": False}, "brakes": {"at_least": 1_000}}
    configuration |= {"syncs": {}, "connections": {"ac": configuration["connections"]["ac"]}}
    made: list[_Shop] = []
    for number, vendor in enumerate(town.vendors[1:]):
        card, connection = vendor.card, f"hl{number}"
        configuration["connections"][connection] = {
            "vendor": "highlevel",
            "url": card.base_url,
            "token": card.token,
            "location": card.location,
            "search_lag": 0,
        }
        for each in range(size.syncs):
            name = f"shop{number}x{each}"
            project, shop = await _fill(town, vendor, name, size.records)
            configuration["syncs"][name] = {
                **model,
                "left": {"connection": "ac", "object": "task", "where": {"project": [project]}},
                "right": {"connection": connection, "object": shop.object_type},
                **quiet,
            }
            made.append(shop)
    town.write(configuration)
    return made


async def _fill(town: Town, vendor: Vendor, name: str, count: int) -> tuple[int, _Shop]:
    """The project of a sync, and its right side."""
    wish = replace(WISH, key=name, singular=name.title(), plural=f"{name.title()}s")
    transport, card = AiohttpTransport(), vendor.card
    environment = Environment(transport, SystemClock(), random.Random(1).random)
    settings = highlevel.Settings(card.location, PrivateToken(card.token), card.base_url)
    await ensure_object(highlevel.connect(settings, environment).client, wish)
    await transport.close()
    project = (await town.vendors[0].act("create_project", name=name))["id"]
    made = [{**each, "project": name, "is_completed": False} for each in tasks(count)]
    await town.vendors[0].act("load", tasks=made)
    records = [{"properties": ticket(each)} for each in made]
    ids = (await vendor.act("load", object=wish.full_key, records=records))["ids"]
    return project, _Shop(name, vendor, wish.full_key, ids)
