"""The vendors' webhooks on their way to us: some are lost, some come twice, some late. What arrives names records to look at.

The bodies are the stand-ins' own; only the record's id is read from them, as a hint.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

import msgspec

from syncline.sandbox.wire import Delivery, Vendor

Hint = tuple[str, str]
"""A vendor's short name and a record's key."""


class Post:
    """Everything that is on its way."""

    def __init__(self, vendors: Mapping[str, Vendor]) -> None:
        self._vendors = vendors
        self._late: list[Hint] = []

    def subscribe(self) -> None:
        """Ask both vendors to tell us of changes."""
        self._vendors["ac"].control("register_webhook", {"url": "http://hooks.example.test/ac"})
        self._vendors["hl"].control("subscribe", {"url": "http://hooks.example.test/hl"})

    def arrived(self, chance: random.Random) -> list[Hint]:
        """What has come since the last time, in the order it came."""
        came, self._late = self._late, []
        for name, vendor in self._vendors.items():
            for delivery in vendor.outbox():
                hint = _hint(name, delivery)
                roll = chance.random()
                if hint is None or roll < 0.2:
                    continue
                if roll < 0.4:
                    self._late.append(hint)
                else:
                    came += [hint, hint] if roll < 0.5 else [hint]
        chance.shuffle(came)
        return came


def _hint(name: str, delivery: Delivery) -> Hint | None:
    body = msgspec.json.decode(delivery.body)
    if name == "ac":
        return (name, str(body["payload"]["id"])) if str(body["type"]).startswith("Task") else None
    return (name, str(body["id"])) if "id" in body else None
