"""A webhook request into a kept delivery and marks for the syncs that should look, answered only when it is on the disk.

Called by `web.hooks` for every request; `catch_up` by the service when it starts and at every tick. An event is a hint: it
marks records, and a run reads them again, so a lost, doubled or late one does no harm. What cannot be kept is answered
503, so that the vendor sends it again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import msgspec

from syncline.core.records import SyncId
from syncline.errors import StoreError
from syncline.ports import Clock, Delivery, DeliveryState, Heard, Listener, Refused, Spoken, Store
from syncline.service.batch import Batch
from syncline.service.limits import Bucket, Limits
from syncline.service.marking import Marked, heard_again, mark_all, redeliver
from syncline.service.routes import Route

_SHOWN_HEADERS = frozenset({"content-type", "content-length", "user-agent", "date"})
_HIDDEN = "(not kept)"
_MOST_HEADERS, _LONGEST_TEXT = 40, 200
_HOUR = dt.timedelta(hours=1)


class Outcome(Enum):
    """What became of a request; the value is what is told to the sender and counted."""

    KEPT = "kept"
    KNOWN = "known"
    NO_DOOR = "no_door"
    NOT_UNDERSTOOD = "not_understood"
    REFUSED = "refused"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    NOT_STORED = "not_stored"


_STATUS: Mapping[Outcome, int] = {
    Outcome.KEPT: 200,
    Outcome.KNOWN: 200,
    Outcome.NO_DOOR: 404,
    Outcome.NOT_UNDERSTOOD: 400,
    Outcome.REFUSED: 401,
    Outcome.TOO_LARGE: 413,
    Outcome.TOO_MANY: 429,
    Outcome.NOT_STORED: 503,
}


class Answer(msgspec.Struct, frozen=True):
    """What the sender is told. `after`: in how many seconds it may try again, where that is known."""

    outcome: Outcome
    after: int = 0

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _STATUS[self.outcome]


class Arrived(msgspec.Struct, frozen=True):
    """A request that is to be kept. `heard` is None for one that is refused."""

    delivery: Delivery
    body: bytes
    heard: Heard | None


@dataclass(slots=True)
class _Door:
    connection: str
    listener: Listener
    bucket: Bucket
    refused: int = 0
    refused_since: dt.datetime | None = None

    def may_keep_refused(self, most: int, now: dt.datetime) -> bool:
        if self.refused_since is None or now - self.refused_since >= _HOUR:
            self.refused, self.refused_since = 0, now
        self.refused += 1
        return self.refused <= most


Reader = Callable[[int], Awaitable[bytes | None]]
"""Reads a request's body; None when it is longer than the number given."""


class Intake:
    """All webhook doors of an installation, in the process that listens."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        routes: Callable[[], Sequence[Route]],
        wake: Callable[[SyncId], None],
        limits: Limits | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._routes = routes
        self._wake = wake
        self._limits = limits or Limits()
        self._doors: dict[bytes, _Door] = {}
        self._batch: Batch[Arrived, int] = Batch(self._keep, self._use, self._limits.group, store.unflushed)
        self.counts: Counter[tuple[str, Outcome]] = Counter()

    def open(self, connection: str, path: str, listener: Listener) -> None:
        """Listen at `/hooks/` and this secret path for a connection; its earlier path is closed."""
        self.close(connection)
        bucket = Bucket(self._limits.rate, self._limits.burst, self._clock.now())
        self._doors[_hashed(path)] = _Door(connection, listener, bucket)

    def close(self, connection: str) -> None:
        """Listen no more for a connection."""
        self._doors = {at: door for at, door in self._doors.items() if door.connection != connection}

    @property
    def connections(self) -> set[str]:
        """The connections whose doors are open."""
        return {door.connection for door in self._doors.values()}

    def listener(self, connection: str) -> Listener | None:
        """What understands the webhooks of a connection, while its door is open."""
        return next((door.listener for door in self._doors.values() if door.connection == connection), None)

    async def receive(self, path: str, headers: Mapping[str, str], read: Reader) -> Answer:
        """Take one request in. Header names are lower case. The answer is due when this returns, not before."""
        # Found by a digest: how long the look-up takes tells nothing about the paths that there are.
        door = self._doors.get(_hashed(path))
        if door is None:
            return self._told("", Outcome.NO_DOOR)
        wait = door.bucket.take(self._clock.now())
        if wait:
            return self._told(door.connection, Outcome.TOO_MANY, math.ceil(wait))
        body = await read(self._limits.body)
        if body is None:
            return self._told(door.connection, Outcome.TOO_LARGE)
        found = door.listener.hear(headers, body)
        if isinstance(found, Heard):
            door, found = self._rightful(door, found, headers, body)
        return await self._arrived(door, found, headers, body)

    def catch_up(self) -> int:
        """Use what was kept and not used, because the process died or the database was busy in between; answers how many
        there were. Raises `StoreError`."""
        count = 0
        while waiting := self._store.waiting_deliveries():
            heard = [(each, heard_again(self._store, self.listener, each)) for each in waiting]
            self._woken(mark_all(self._store, self._routes(), heard, self._clock.now()))
            count += len(waiting)
        return count

    def redeliver(self, ids: Iterable[int]) -> Marked:
        """Use kept deliveries once more, and wake the syncs that want them."""
        return self._woken(redeliver(self._store, self.listener, self._routes(), ids, self._clock.now()))

    def _rightful(
        self, door: _Door, heard: Heard, headers: Mapping[str, str], body: bytes
    ) -> tuple[_Door, Heard | Refused]:
        """The door that an event is for: a vendor may send the events of several accounts to one address."""
        if heard.account and heard.account != door.listener.account:
            for other in self._doors.values():
                if other.listener.account == heard.account:
                    return other, other.listener.hear(headers, body)
        return door, heard

    async def _arrived(
        self, door: _Door, found: Heard | Refused, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        now = self._clock.now()
        if isinstance(found, Refused):
            outcome = Outcome.REFUSED if found.is_forged else Outcome.NOT_UNDERSTOOD
            if not door.may_keep_refused(self._limits.refused, now):
                return self._told(door.connection, outcome)
            arrived = _refused(door.connection, found, headers, body, now)
        else:
            outcome = Outcome.KEPT
            arrived = _genuine(door.connection, found, headers, body, now)
        try:
            number = await self._batch.put(arrived)
        except StoreError:
            return self._told(door.connection, Outcome.NOT_STORED, 1)
        known = outcome is Outcome.KEPT and not number
        return self._told(door.connection, Outcome.KNOWN if known else outcome)

    def _keep(self, arrived: Sequence[Arrived]) -> Sequence[int]:
        return self._store.keep_deliveries([(each.delivery, each.body) for each in arrived])

    def _use(self, kept: Sequence[tuple[Arrived, int]]) -> None:
        """After the commit: mark what the new ones speak of. What fails here waits for `catch_up`."""
        now = self._clock.now()
        heard = [
            (msgspec.structs.replace(each.delivery, id=number), each.heard)
            for each, number in kept
            if number and each.heard is not None
        ]
        try:
            self._woken(mark_all(self._store, self._routes(), heard, now))
        except StoreError:
            return

    def _woken(self, marked: Marked) -> Marked:
        for sync in sorted(marked.syncs):
            self._wake(sync)
        return marked

    def _told(self, connection: str, outcome: Outcome, after: int = 0) -> Answer:
        self.counts[connection, outcome] += 1
        return Answer(outcome, after)


def _genuine(
    connection: str, heard: Heard, headers: Mapping[str, str], body: bytes, now: dt.datetime
) -> Arrived:
    spoken = tuple([Spoken(_text(each.object_type), _text(each.key)) for each in heard.spoken])
    first = spoken[0] if spoken else Spoken("")
    # Prefixes keep the vendor's ids apart from our digests, and both from what was refused.
    mark = f"id:{_text(heard.mark)}" if heard.mark else f"body:{_digest(body)}"
    delivery = Delivery(
        connection,
        mark,
        _text(heard.event),
        DeliveryState.WAITING,
        now,
        first.object_type,
        first.key,
        happened_at=heard.happened_at,
        headers=_redacted(headers),
    )
    return Arrived(delivery, body, msgspec.structs.replace(heard, spoken=spoken))


def _refused(
    connection: str, refusal: Refused, headers: Mapping[str, str], body: bytes, now: dt.datetime
) -> Arrived:
    """Without its body: nobody knows who wrote it. The same one again is kept once."""
    delivery = Delivery(
        connection,
        f"refused:{_digest(body)}",
        "",
        DeliveryState.REFUSED,
        now,
        why=refusal.why,
        headers=_redacted(headers),
    )
    return Arrived(delivery, b"", None)


def _redacted(headers: Mapping[str, str]) -> dict[str, str]:
    """Signatures, secrets and cookies stay out; that they were there is kept."""
    names = sorted(headers)[:_MOST_HEADERS]
    return {_text(name): _text(headers[name]) if name in _SHOWN_HEADERS else _HIDDEN for name in names}


def _text(text: str) -> str:
    """Text that every database takes, and not too much of it."""
    if text.isascii() and len(text) <= _LONGEST_TEXT and "\0" not in text:
        return text
    return text[:_LONGEST_TEXT].replace("\0", "").encode("utf-8", "replace").decode()


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _hashed(path: str) -> bytes:
    return hashlib.sha256(path.encode("utf-8", "replace")).digest()
