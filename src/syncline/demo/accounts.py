"""Sandbox accounts served until somebody stops them: `syncline sandbox`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from syncline.sandbox.run import AccountCard, Kind, Plan, SandboxCard, serve


@dataclass(frozen=True, slots=True)
class Accounts:
    """Which accounts to serve. `ports` in the order ActiveCollab, HighLevel; what is missing is a free port."""

    activecollab: int = 1
    highlevel: int = 1
    is_cloud: bool = False
    ports: tuple[int, ...] = ()
    seed: int = 0
    records: int = 0


async def serve_accounts(wished: Accounts, now: dt.datetime, ready: Callable[[str, list[str]], None]) -> None:
    """Start the accounts, describe them (as one line of JSON, and as text), and serve until cancelled."""
    kind = Kind.ACTIVECOLLAB_CLOUD if wished.is_cloud else Kind.ACTIVECOLLAB
    plan = Plan(
        (kind,) * wished.activecollab + (Kind.HIGHLEVEL,) * wished.highlevel,
        wished.ports,
        wished.seed,
        wished.records,
        now,
    )

    def told(card: SandboxCard) -> None:
        lines = [line for account in card.accounts for line in _lines(account)]
        ready(msgspec.json.encode(card).decode(), [*lines, "Serving on loopback; stop with Ctrl+C."])

    await serve(plan, told)


def _lines(card: AccountCard) -> list[str]:
    shown = {
        "url": card.base_url,
        "token": card.token,
        "location": card.location,
        "login": f"{card.email} / {card.password}" if card.password else card.email,
        "control": card.control_url,
        "hook key": _one_line(card.webhook_public_key),
    }
    return [card.name, *(f"  {name:9} {value}" for name, value in shown.items() if value)]


def _one_line(pem: str) -> str:
    """A public key as it fits into one line: what stands between the first line and the last."""
    return "".join(line for line in pem.splitlines() if not line.startswith("-----"))
