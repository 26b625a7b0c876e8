"""Watched sandbox accounts and Syncline's own processes beside them: where `latency`, `workers`, `backfill` and `idle` measure.

All of it is as a person would set it up: a configuration file, `syncline run`, `syncline serve`, `syncline worker`, and
webhook addresses that are given to the vendors.
"""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence, Set
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import yaml

from bench.accounts import OBJECT, PLENTY, Reach, make_object, tasks, ticket, written
from bench.noted import Note
from syncline.bootstrap import SystemClock
from syncline.config.keys import key_beside
from syncline.connectors.http import AiohttpTransport
from syncline.sandbox.run import AccountCard, SandboxCard
from syncline.service.hooks import Hook, open_hook
from syncline.store import open_store

PATIENCE = 60.0
"""Seconds; far more than anything here takes."""
_LOADED_AT_ONCE = 500
_LOOK = 0.2


@dataclass(frozen=True, slots=True)
class Vendor:
    """One account, and what people and its administrator do there."""

    card: AccountCard
    session: aiohttp.ClientSession

    async def tell(self, path: str, wish: object) -> Any:
        """The control API."""
        async with self.session.post(
            f"{self.card.control_url}{path}", data=msgspec.json.encode(wish)
        ) as answer:
            found = await answer.json()
            assert answer.ok, found
            return found

    async def act(self, action: str, **arguments: object) -> Any:
        """Act as a person."""
        return await self.tell("act", {"action": action, **arguments})

    async def noted(self) -> list[Note]:
        """What was noted since it was asked last."""
        return msgspec.convert(await self.act("noted"), list[Note])


@dataclass(frozen=True, slots=True)
class Town:
    """The accounts, ActiveCollab first, and the folder of an installation. An empty `database` is a file in it."""

    folder: Path
    vendors: Sequence[Vendor]
    database: str = ""

    @property
    def reach(self) -> Reach:
        """The first two accounts."""
        left, right = (each.card for each in self.vendors[:2])
        return Reach(left.base_url, left.token, right.base_url, right.token, right.location)

    def write(self, configuration: object) -> None:
        """Write the configuration file."""
        (self.folder / "syncline.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")

    def command(self, *words: str) -> str:
        """Run a command to its end; answers what it said."""
        done = subprocess.run(
            self._words(*words), env=self._environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def process(self, *words: str) -> Generator[Process]:
        """A command that goes on until the block ends; it has said its first line."""
        log = (self.folder / "log.jsonl").open("ab")
        with (
            log,
            subprocess.Popen(
                self._words(*words), env=self._environ, stdout=subprocess.PIPE, stderr=log, text=True
            ) as running,
        ):
            try:
                assert running.stdout is not None
                yield Process(running.pid, running.stdout.readline())
            finally:
                running.terminate()

    def _words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "syncline", "--config", str(self.folder / "syncline.yaml"), *words]

    @property
    def _environ(self) -> dict[str, str]:
        environ = {"PATH": "/usr/bin:/bin"}
        return environ | {"SYNCLINE_DATABASE_URL": self.database} if self.database else environ


@dataclass(frozen=True, slots=True)
class Process:
    """A running command, and what it said first."""

    pid: int
    said: str

    @property
    def url(self) -> str:
        """Where `serve` answers: "Serving on ADDRESS; stop with…"."""
        return self.said.split()[2].rstrip(";")


@asynccontextmanager
async def vendors(sites: int = 1) -> AsyncGenerator[Sequence[Vendor]]:
    """Fresh accounts in another process: ActiveCollab, and so many of HighLevel with a quota that nobody feels."""
    async with helper("bench.noted", str(sites)) as line:
        cards = msgspec.json.decode(line, type=SandboxCard).accounts
        async with aiohttp.ClientSession() as session:
            made = [Vendor(card, session) for card in cards]
            for each in made[1:]:
                await each.tell("quota", PLENTY)
            yield made


@asynccontextmanager
async def helper(module: str, *words: str, told: bytes = b"") -> AsyncGenerator[bytes]:
    """A module of ours in a process of its own until the block ends; answers its first line."""
    command = (sys.executable, "-m", module, *words)
    process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(told)
        yield await process.stdout.readline()
    finally:
        process.stdin.close()
        await process.wait()


async def furnish(town: Town, count: int) -> tuple[list[int], list[str]]:
    """So many records that are the same on both sides, and a configuration that joins them; answers their ids."""
    transport = AiohttpTransport()
    await make_object(town.reach, SystemClock(), transport)
    await transport.close()
    left, right = town.vendors[:2]
    made = [{**each, "project": "Shop", "is_completed": False} for each in tasks(count)]
    task_ids: list[int] = []
    ticket_ids: list[str] = []
    for start in range(0, count, _LOADED_AT_ONCE):
        part = made[start : start + _LOADED_AT_ONCE]
        task_ids += (await left.act("load", tasks=part))["ids"]
        records = [{"properties": ticket(each)} for each in part]
        ticket_ids += (await right.act("load", object=OBJECT, records=records))["ids"]
    configuration = written(town.reach, 0)
    configuration["connections"]["hl"]["webhooks"] = {"keys": [right.card.webhook_public_key]}
    town.write(configuration)
    return task_ids, ticket_ids


def addresses(town: Town) -> Sequence[Hook]:
    """Where a service will listen for both vendors, and the secrets to give them; made before it starts."""
    key = key_beside(town.folder).get_secret_value()
    store = open_store(town.database or f"sqlite:///{town.folder}/syncline.db", secret_key=key)
    made = [open_hook(store, name, lambda: secrets.token_urlsafe(16)) for name in ("ac", "hl")]
    store.close()
    return made


async def hear(town: Town, service: Process, hooks: Sequence[Hook]) -> None:
    """Let both vendors send their webhooks to a service, once it answers."""
    await ready(town, service)
    for vendor, hook in zip(town.vendors, hooks, strict=False):
        await subscribe(vendor, f"{service.url}{hook.path}", hook.secret)


async def ready(town: Town, service: Process) -> None:
    """Wait until a service answers."""
    async with asyncio.timeout(PATIENCE):
        while not await _answers(town, service):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.1)


async def _answers(town: Town, service: Process) -> bool:
    try:
        async with town.vendors[0].session.get(f"{service.url}/readyz") as answer:
            return answer.ok
    except aiohttp.ClientConnectionError:
        return False


async def subscribe(vendor: Vendor, url: str, secret: str = "") -> None:
    """Let a vendor send its webhooks to an address."""
    if vendor.card.vendor == "activecollab":
        await vendor.act("register_webhook", url=url, secret=secret)
    else:
        await vendor.act("subscribe", url=url)


async def standing(vendor: Vendor, wanted: Set[str]) -> Mapping[str, float]:
    """Since when each of these titles stands at a vendor, once all of them do."""
    found: dict[str, float] = {}
    async with asyncio.timeout(PATIENCE):
        while True:
            for each in await vendor.noted():
                if not each.by_hand:
                    found.setdefault(each.title, each.at)
            if wanted <= found.keys():
                return found
            await asyncio.sleep(_LOOK)


async def forget(vendor: Vendor) -> None:
    """Let a vendor send no webhooks any more."""
    if vendor.card.vendor == "activecollab":
        await vendor.act("remove_webhook", webhook=1)
    else:
        await vendor.act("unsubscribe")


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def now() -> float:
    """Seconds of a clock that only goes forward."""
    return time.perf_counter()
