"""From a person's edit until the value stands on the other side, with fifty edits a second; beside a bare relay.

Both vendors run in a process of their own and send their real webhooks, signed or with their secret. Their quotas are set
so high that nobody feels them, and HighLevel's index does not lag: it is not the vendors' limits that are measured. The
editor is this process; both ends of each edit are noted at the vendors' doors. `syncline serve` listens and works on a
SQLite file; in a second round it leaves the work to two `syncline worker` on PostgreSQL. The relay (`relay`) takes the
same webhooks and makes the same calls, and nothing else: what it takes are the vendors' own delays.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench.accounts import OBJECT
from bench.figures import Figure, beyond
from bench.postgres import postgresql
from bench.relay import Wish
from bench.town import (
    Town,
    Vendor,
    addresses,
    forget,
    furnish,
    hear,
    helper,
    now,
    quantile,
    standing,
    subscribe,
    vendors,
)
from syncline.core.records import Side

RATE = 50
"""Edits a second."""
GOALS: Mapping[float, float] = {0.5: 30.0, 0.99: 100.0}
"""Milliseconds beyond the vendors' own delays, by the share of edits that may take no longer."""
_WORKERS = 2
_PATHS = {Side.LEFT: "ActiveCollab to HighLevel", Side.RIGHT: "HighLevel to ActiveCollab"}


@dataclass(frozen=True, slots=True)
class Size:
    """How many records there are, and how long they are edited."""

    records: int = 500
    warm: float = 3
    seconds: float = 10


Lags = Mapping[Side, Sequence[float]]


def figures(*, is_quick: bool) -> Iterator[Figure]:
    """p50 and p99 in both directions, embedded and on PostgreSQL."""
    size = Size(40, 0.2, 0.6) if is_quick else Size()
    yield from measure(size)
    with postgresql() as database:
        yield from measure(size, database)


def measure(size: Size, database: str = "") -> list[Figure]:
    """The figures of one installation; on a database that others can work on, others do."""
    where = f"{_WORKERS} workers on PostgreSQL" if database else "embedded"
    bare, ours = asyncio.run(_measured(size, database))
    return [
        beyond(
            f"p{share * 100:.0f} {_PATHS[side]}, {where}",
            quantile(ours[side], share),
            "ms",
            quantile(bare[side], share),
            goal,
        )
        for side in Side
        for share, goal in GOALS.items()
    ]


async def _measured(size: Size, database: str) -> tuple[Lags, Lags]:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        async with vendors() as accounts:
            town = Town(Path(folder), accounts, database)
            editor = _Editor(accounts, *await furnish(town, size.records))
            wish = Wish(town.reach, 1, tuple(zip(editor.tasks, editor.tickets, strict=True)))
            async with helper("bench.relay", told=msgspec.json.encode(wish) + b"\n") as line:
                url = line.decode().strip()
                bare = {side: await _through_relay(editor, side, url, size) for side in Side}
            town.command("run")
            hooks = addresses(town)
            with ExitStack() as running:
                idle = ("--no-work",) if database else ()
                service = running.enter_context(town.process("serve", "--port", "0", *idle))
                for _ in range(_WORKERS if database else 0):
                    running.enter_context(town.process("worker"))
                await hear(town, service, hooks)
                ours = {side: await editor.lags(side, size) for side in Side}
    return bare, ours


@dataclass(slots=True)
class _Editor:
    """A person who edits titles, one after the other and each of them anew."""

    accounts: Sequence[Vendor]
    tasks: Sequence[int]
    tickets: Sequence[str]
    count: int = 0

    async def lags(self, side: Side, size: Size) -> Sequence[float]:
        """Milliseconds until each edit stood on the other side; those of the beginning do not count."""
        await self._edits(side, size.warm)
        return await self._edits(side, size.seconds)

    async def _edits(self, side: Side, seconds: float) -> Sequence[float]:
        here, there = self.accounts[:2] if side is Side.LEFT else self.accounts[1::-1]
        for each in (here, there):
            await each.noted()
        began = now()
        editing: list[asyncio.Task[None]] = []
        for number in range(max(1, int(seconds * RATE))):
            await asyncio.sleep(max(0.0, began + number / RATE - now()))
            editing.append(asyncio.create_task(self._edit(side, here)))
        await asyncio.gather(*editing)
        edited = {each.title: each.at for each in await here.noted() if each.by_hand}
        stands = await standing(there, edited.keys())
        return [(stands[title] - at) * 1_000 for title, at in edited.items()]

    async def _edit(self, side: Side, vendor: Vendor) -> None:
        self.count += 1
        number, title = self.count % len(self.tasks), f"Edit {self.count}"
        if side is Side.LEFT:
            await vendor.act("update_task", task=self.tasks[number], name=title)
        else:
            wish = {"object": OBJECT, "id": self.tickets[number], "properties": {"title": title}}
            await vendor.act("update_record", **wish)


async def _through_relay(editor: _Editor, side: Side, url: str, size: Size) -> Sequence[float]:
    vendor = editor.accounts[0 if side is Side.LEFT else 1]
    await subscribe(vendor, url)
    try:
        return await editor.lags(side, size)
    finally:
        await forget(vendor)
