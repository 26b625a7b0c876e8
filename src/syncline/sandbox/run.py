"""Starts accounts of both vendors on loopback ports, and says how to reach them.

Called by the command line (`syncline sandbox`, `syncline demo`) and by tests. `open_sandboxes` serves while its
context is open; `serve` until it is cancelled.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from urllib.parse import urlencode

import msgspec

from syncline.sandbox.activecollab import OWNER_EMAIL, PASSWORD, ActiveCollabVendor, Flavour, Quirks
from syncline.sandbox.data import generated_history, tasks_of
from syncline.sandbox.faults import Faults
from syncline.sandbox.highlevel import HighLevelVendor
from syncline.sandbox.server import SandboxServer
from syncline.sandbox.wire import RealTicker, Request, SandboxClock, Vendor

_START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
_EDITS_PER_RECORD = 4
_FIRST_ACCOUNT_ID = 123456


class Kind(Enum):
    """Which account to start."""

    ACTIVECOLLAB = "activecollab"
    ACTIVECOLLAB_CLOUD = "activecollab_cloud"
    HIGHLEVEL = "highlevel"


class AccountCard(msgspec.Struct, frozen=True, omit_defaults=True):
    """How to reach one account. Every secret on it opens this sandbox only.

    `base_url` is what a connection's `url` is set to; `server_url` is the same without a path.
    """

    name: str
    vendor: str
    base_url: str
    server_url: str
    control_url: str
    token: str
    email: str = ""
    password: str = ""
    location: str = ""
    client_id: str = ""
    client_secret: str = ""
    refresh_token: str = ""
    webhook_secret: str = ""
    webhook_public_key: str = ""


class SandboxCard(msgspec.Struct, frozen=True):
    """All accounts that are served: the one JSON line of `syncline sandbox --json`."""

    accounts: tuple[AccountCard, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """One account that is being served."""

    card: AccountCard
    server: SandboxServer


class Plan(msgspec.Struct, frozen=True):
    """What to start. `ports` run in parallel to `kinds`; what is missing is a free port.

    `records`: how many generated tasks an ActiveCollab account begins with. `start`: the sandbox clocks' first
    moment; `is_running`: whether time passes from there by itself.
    """

    kinds: tuple[Kind, ...] = (Kind.ACTIVECOLLAB, Kind.HIGHLEVEL)
    ports: tuple[int, ...] = ()
    seed: int = 0
    records: int = 0
    start: dt.datetime = _START
    is_running: bool = True
    quirks: Quirks = Quirks()


@asynccontextmanager
async def open_sandboxes(plan: Plan) -> AsyncGenerator[Sequence[Opened], None]:
    """Serve the accounts while the context is open. Raises `OSError` when a port is taken."""
    async with AsyncExitStack() as stack:
        opened: list[Opened] = []
        for index, kind in enumerate(plan.kinds):
            clock = SandboxClock(plan.start)
            if plan.is_running:
                clock.run(RealTicker())
            vendor, card = _MAKERS[kind](plan, clock, plan.seed + index)
            port = plan.ports[index] if index < len(plan.ports) else 0
            server = SandboxServer(vendor, clock, Faults(plan.seed + index), port=port)
            await stack.enter_async_context(server)
            opened.append(Opened(_addressed(card, server, index), server))
        yield opened


async def serve(plan: Plan, ready: Callable[[SandboxCard], None]) -> None:
    """Start the accounts, hand their description to `ready`, and serve until cancelled."""
    async with open_sandboxes(plan) as opened:
        ready(SandboxCard(tuple(each.card for each in opened)))
        await asyncio.Event().wait()


def _addressed(card: AccountCard, server: SandboxServer, index: int) -> AccountCard:
    return msgspec.structs.replace(
        card,
        name=f"{card.name} {index + 1}",
        base_url=server.base_url + card.base_url,
        server_url=server.base_url,
        control_url=server.control_url,
    )


def _activecollab(plan: Plan, clock: SandboxClock, seed: int) -> tuple[Vendor, AccountCard]:
    return _activecollab_of(Flavour.SELF_HOSTED, plan, clock, seed)


def _activecollab_cloud(plan: Plan, clock: SandboxClock, seed: int) -> tuple[Vendor, AccountCard]:
    return _activecollab_of(Flavour.CLOUD, plan, clock, seed)


def _activecollab_of(
    flavour: Flavour, plan: Plan, clock: SandboxClock, seed: int
) -> tuple[Vendor, AccountCard]:
    vendor = ActiveCollabVendor(
        clock, seed, flavour=flavour, account_id=_FIRST_ACCOUNT_ID + seed, quirks=plan.quirks
    )
    if plan.records:
        vendor.load(tasks_of(generated_history(seed, plan.records, plan.records * _EDITS_PER_RECORD)))
    card = AccountCard(
        name="ActiveCollab sandbox",
        vendor="activecollab",
        base_url=vendor.root_path,
        server_url="",
        control_url="",
        token=vendor.token(),
        email=OWNER_EMAIL,
        password=PASSWORD,
        webhook_secret=vendor.account.webhook_secret,
    )
    return vendor, card


def _highlevel(plan: Plan, clock: SandboxClock, seed: int) -> tuple[Vendor, AccountCard]:
    vendor = HighLevelVendor(clock, seed)
    account = vendor.account
    location = account.location_ids[0]
    card = AccountCard(
        name="HighLevel sandbox",
        vendor="highlevel",
        base_url="",
        server_url="",
        control_url="",
        token=account.private_tokens[location],
        email=next(iter(account.user_ids_by_email)),
        location=location,
        client_id=account.app.client_id,
        client_secret=account.app.client_secret,
        refresh_token=_refresh_token(vendor, location),
        webhook_public_key=account.webhook_public_key,
    )
    return vendor, card


class _Code(msgspec.Struct, frozen=True):
    code: str


class _Tokens(msgspec.Struct, frozen=True):
    refresh_token: str


def _refresh_token(vendor: HighLevelVendor, location: str) -> str:
    """Install the app in the location, as a person does in the browser, and take the refresh token."""
    code = msgspec.convert(vendor.control("authorize", {"location": location}), _Code).code
    app = vendor.account.app
    form = {
        "grant_type": "authorization_code",
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "code": code,
        "user_type": "Location",
    }
    headers = {"content-type": "application/x-www-form-urlencoded"}
    request = Request("POST", "/oauth/token", headers=headers, body=urlencode(form).encode())
    return msgspec.json.decode(vendor.handle(request).body, type=_Tokens).refresh_token


_MAKERS: Mapping[Kind, Callable[[Plan, SandboxClock, int], tuple[Vendor, AccountCard]]] = MappingProxyType(
    {
        Kind.ACTIVECOLLAB: _activecollab,
        Kind.ACTIVECOLLAB_CLOUD: _activecollab_cloud,
        Kind.HIGHLEVEL: _highlevel,
    }
)
