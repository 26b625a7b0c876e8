"""What the service knows of webhooks that came in, and of the records that something was heard of.

Part of `ports.Store`; implemented by `store.inbox` and `store.marks`, proved by `tests/store/inbox_suite.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Protocol

import msgspec

from syncline.core.records import RecordKey, Side, SyncId


class DeliveryState(Enum):
    """What became of a webhook that came in."""

    WAITING = "waiting"
    USED = "used"
    IGNORED = "ignored"
    REFUSED = "refused"


class Delivery(msgspec.Struct, frozen=True):
    """One webhook as it came in, without its body.

    `mark` tells one delivery of a connection from another. `headers` hold no secret. `object_type` and `key` are of the
    first record that the event speaks of, empty where it speaks of none. `why` says why it was ignored or refused, or
    what it led to. `id` is the database's; 0 before it is kept.
    """

    connection: str
    mark: str
    event: str
    state: DeliveryState
    received_at: dt.datetime
    object_type: str = ""
    key: str = ""
    why: str = ""
    happened_at: dt.datetime | None = None
    used_at: dt.datetime | None = None
    headers: Mapping[str, str] = {}
    id: int = 0


class DeliveryFilter(msgspec.Struct, frozen=True):
    """Which deliveries to list; what is None does not matter. `before` is the id of the last one on the page before."""

    connection: str | None = None
    state: DeliveryState | None = None
    event: str | None = None
    object_type: str | None = None
    key: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    before: int | None = None


class Settled(msgspec.Struct, frozen=True):
    """What became of a delivery."""

    id: int
    state: DeliveryState
    why: str = ""


class DeliveryCount(msgspec.Struct, frozen=True):
    """How many deliveries of a connection are in a state, and when the last of them came."""

    connection: str
    state: DeliveryState
    count: int
    last_at: dt.datetime


class Pruned(msgspec.Struct, frozen=True):
    """How many bodies and how many whole deliveries were forgotten."""

    bodies: int
    deliveries: int


class Mark(msgspec.Struct, frozen=True):
    """A record of which something was heard: a run should look at it. An empty key means any record of the side.

    `origin` says from whom it was heard ("delivery 12", "poll"). `since` is when the edit was heard of, the start of
    its way to the other side. `number` is the database's and only grows; 0 before it is kept.
    """

    sync: SyncId
    side: Side
    key: RecordKey
    origin: str
    since: dt.datetime
    not_before: dt.datetime
    number: int = 0


class MarkCount(msgspec.Struct, frozen=True):
    """How many marks a sync has, since when the oldest one waits, and when the first of them is due."""

    count: int
    oldest: dt.datetime
    due: dt.datetime


class Inbox(Protocol):
    """Webhooks and marks in our memory."""

    def keep_deliveries(self, arrived: Sequence[tuple[Delivery, bytes]]) -> Sequence[int]:
        """Keep these with their bodies, all or none; on the disk once `unflushed` is through. Answers their ids in the same
        order, 0 for one that is known by its connection and mark."""
        ...

    def unflushed(self) -> Callable[[], None] | None:
        """What brings everything that is committed by now to the disk (after it, a loss of power takes none of it), to be
        called in any thread: nobody else waits meanwhile. None where every commit does so. It raises `StoreError`."""
        ...

    def deliveries(self, wanted: DeliveryFilter, limit: int = 50) -> Sequence[Delivery]:
        """Those that fit, newest first."""
        ...

    def delivery(self, delivery: int) -> Delivery | None:
        """One delivery."""
        ...

    def delivery_body(self, delivery: int) -> bytes | None:
        """The body as it came; None where there is no such delivery, empty where it was refused or is pruned."""
        ...

    def waiting_deliveries(self, limit: int = 1000) -> Sequence[Delivery]:
        """Those that were kept and not looked at, oldest first: after a crash there are some."""
        ...

    def settle_deliveries(self, settled: Sequence[Settled], now: dt.datetime) -> None:
        """What became of deliveries."""
        ...

    def delivery_counts(self, since: dt.datetime) -> Sequence[DeliveryCount]:
        """How many came since then, by connection and state."""
        ...

    def delivery_hours(self, connection: str, since: dt.datetime) -> Mapping[dt.datetime, int]:
        """How many genuine ones came in each hour that begins then or later; hours without any are left out."""
        ...

    def last_delivery(self, connection: str) -> dt.datetime | None:
        """When the latest genuine one came."""
        ...

    def prune_deliveries(self, bodies: dt.datetime, deliveries: dt.datetime, limit: int = 5000) -> Pruned:
        """Forget bodies that came before the one time, and whole deliveries that came before the other, at most so many
        of each. What waits stays whole."""
        ...

    def add_marks(self, marks: Sequence[Mark]) -> None:
        """Note that something was heard of these records. A record that is marked already is marked again."""
        ...

    def marks(self, sync: SyncId, now: dt.datetime, limit: int = 1000) -> Sequence[Mark]:
        """The marks of a sync that are due, in the order they were made. They stay until they are removed."""
        ...

    def remove_marks(self, marks: Sequence[Mark]) -> None:
        """Remove exactly these (as `marks` answered them): what was marked again meanwhile stays marked."""
        ...

    def fold_marks(self, sync: SyncId, origin: str, now: dt.datetime, most: int) -> int:
        """Where a sync has more than `most` marks, forget them and mark it as a whole, since the oldest of them: a listing
        of changes answers that. How many were forgotten."""
        ...

    def mark_counts(self) -> Mapping[SyncId, MarkCount]:
        """The marks of every sync that has some, due or not."""
        ...
