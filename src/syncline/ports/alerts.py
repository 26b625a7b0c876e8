"""What the service knows of alerts and of the channels that are told of them.

Part of `ports.Store`; implemented by `store.alerts`, proved by `tests/store/alerts_suite.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

import msgspec

from syncline.core.alerting import Alert, AlertKind, Channel

ADDRESS = "channel:{}"
"""The name of the secret that holds a channel's address."""


class AlertFilter(msgspec.Struct, frozen=True):
    """Which alerts to list; what is None does not matter. `before` is the id of the last one on the page before."""

    is_open: bool | None = None
    kind: AlertKind | None = None
    subject: str | None = None
    before: int | None = None


class AlertStore(Protocol):
    """Alerts and channels in our memory."""

    def save_alert(self, alert: Alert) -> Alert:
        """Keep an alert: a new one (its id is 0), or one that changed. Answers it with its id. Raises `StoreError` for a
        second open one of the same kind and subject."""
        ...

    def alerts(self, wanted: AlertFilter, limit: int = 50) -> Sequence[Alert]:
        """Those that fit, newest first."""
        ...

    def alert(self, alert: int) -> Alert | None:
        """One alert."""
        ...

    def open_alerts(self) -> Sequence[Alert]:
        """All open ones, oldest first."""
        ...

    def untold_alerts(self) -> Sequence[Alert]:
        """Those that the channels may have to be told of, oldest first: the open ones, and those that were closed after the
        last telling."""
        ...

    def prune_alerts(self, before: dt.datetime) -> int:
        """Forget alerts that were closed before; answers how many."""
        ...

    def channels(self) -> Sequence[Channel]:
        """All channels by name."""
        ...

    def save_channel(self, channel: Channel, address: str | None, now: dt.datetime) -> Channel:
        """Keep a channel, and its address where one is given (encrypted). Its revision grows; answers it as kept."""
        ...

    def drop_channel(self, name: str) -> bool:
        """Forget a channel and its address; whether there was one."""
        ...

    def note_failure(self, name: str, failure: str) -> None:
        """Note why the last message to a channel did not arrive; empty when it did. The revision stays."""
        ...
