"""Webhooks into rows and back: kept once, on the disk before anybody is told, and forgotten with age.

A part of `SqlStore`. Called for every webhook that comes in, many at a time, so the statements are few and plain.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from syncline.ports.inbox import Delivery, DeliveryCount, DeliveryFilter, DeliveryState, Pruned, Settled
from syncline.store.codec import micros, moment, moment_or_none
from syncline.store.dialects import Dialect, fixed
from syncline.store.service_tables import delivery
from syncline.store.session import Row, Rows

_HOUR = 3_600_000_000
_GENUINE = delivery.c.state != fixed(DeliveryState.REFUSED.value)
_KEPT = (
    "connection",
    "mark",
    "event",
    "object_type",
    "key",
    "state",
    "why",
    "happened_at",
    "received_at",
    "used_at",
    "headers",
    "body",
)
_COLUMNS = (delivery.c.id, *(delivery.c[name] for name in _KEPT if name != "body"))
_ALL = sa.select(*_COLUMNS).order_by(delivery.c.id.desc()).limit(sa.bindparam("limit"))
_ONE = sa.select(*_COLUMNS).where(delivery.c.id == sa.bindparam("id"))
_BODY = sa.select(delivery.c.body).where(delivery.c.id == sa.bindparam("id"))
_WAITING = (
    sa.select(*_COLUMNS)
    .where(delivery.c.state == fixed(DeliveryState.WAITING.value))
    .order_by(delivery.c.id)
    .limit(sa.bindparam("limit"))
)
_SETTLE = (
    sa.update(delivery)
    .where(delivery.c.id == sa.bindparam("at"))
    .values({name: sa.bindparam(name) for name in ("state", "why", "used_at")})
)
_COUNTS = (
    sa.select(delivery.c.connection, delivery.c.state, sa.func.count(), sa.func.max(delivery.c.received_at))
    .where(delivery.c.received_at >= sa.bindparam("since"))
    .group_by(delivery.c.connection, delivery.c.state)
    .order_by(delivery.c.connection, delivery.c.state)
)
_HOURS_BEGIN = (delivery.c.received_at - delivery.c.received_at % fixed(_HOUR)).label("hour")
_HOURS = (
    sa.select(_HOURS_BEGIN, sa.func.count())
    .where(
        delivery.c.connection == sa.bindparam("connection"),
        delivery.c.received_at >= sa.bindparam("since"),
        _GENUINE,
    )
    .group_by(_HOURS_BEGIN)
    .order_by(_HOURS_BEGIN)
)
_LAST = (
    sa.select(delivery.c.received_at)
    .where(delivery.c.connection == sa.bindparam("connection"), _GENUINE)
    .order_by(delivery.c.id.desc())
    .limit(sa.literal_column("1"))
)
_OLD = (
    sa.select(delivery.c.id)
    .where(
        delivery.c.received_at < sa.bindparam("before"),
        delivery.c.state != fixed(DeliveryState.WAITING.value),
    )
    .order_by(delivery.c.received_at)
    .limit(sa.bindparam("limit"))
)
_EMPTY = (
    sa.update(delivery)
    .where(delivery.c.id.in_(_OLD.where(sa.func.length(delivery.c.body) > fixed(0))))
    .values(body=sa.bindparam("empty"))
)
_FORGET = sa.delete(delivery).where(delivery.c.id.in_(_OLD))

_WANTED: Mapping[str, sa.ColumnElement[bool]] = {
    "connection": delivery.c.connection == sa.bindparam("connection"),
    "state": delivery.c.state == sa.bindparam("state"),
    "event": delivery.c.event == sa.bindparam("event"),
    "object_type": delivery.c.object_type == sa.bindparam("object_type"),
    "key": delivery.c.key == sa.bindparam("key"),
    "since": delivery.c.received_at >= sa.bindparam("since"),
    "until": delivery.c.received_at < sa.bindparam("until"),
    "before": delivery.c.id < sa.bindparam("before"),
}


def _keep(dialect: Dialect) -> sa.Insert:
    insert: Any = dialect.insert(delivery)
    made = insert.values({name: sa.bindparam(name) for name in _KEPT})
    return made.on_conflict_do_nothing(index_elements=["connection", "mark"]).returning(delivery.c.id)


@functools.cache
def _listing(names: frozenset[str]) -> sa.Select[Any]:
    """The listing with these conditions; made once for each set of them, because statements are kept by identity."""
    return _ALL.where(*(_WANTED[name] for name in sorted(names)))


class Deliveries(Rows):
    """Webhooks that came in."""

    def keep_deliveries(self, arrived: Sequence[tuple[Delivery, bytes]]) -> Sequence[int]:
        """Keep these with their bodies, all or none. Answers their ids in the same order, 0 for one that is known."""
        with self._together():
            return [self._kept(each, body) for each, body in arrived]

    def _kept(self, arrived: Delivery, body: bytes) -> int:
        row = self._row(_keep, **_told(arrived), body=body)
        return row[0] if row else 0

    def deliveries(self, wanted: DeliveryFilter, limit: int = 50) -> Sequence[Delivery]:
        """Those that fit, newest first."""
        given = {name: value for name in _WANTED if (value := getattr(wanted, name)) is not None}
        values = {name: _plain(value) for name, value in given.items()}
        return [_delivery(row) for row in self._rows(_listing(frozenset(given)), limit=limit, **values)]

    def delivery(self, delivery: int) -> Delivery | None:
        """One delivery."""
        row = self._row(_ONE, id=delivery)
        return None if row is None else _delivery(row)

    def delivery_body(self, delivery: int) -> bytes | None:
        """The body as it came; None where there is no such delivery, empty where it was refused or is pruned."""
        row = self._row(_BODY, id=delivery)
        return None if row is None else bytes(row[0])

    def waiting_deliveries(self, limit: int = 1000) -> Sequence[Delivery]:
        """Those that were kept and not looked at, oldest first."""
        return [_delivery(row) for row in self._rows(_WAITING, limit=limit)]

    def settle_deliveries(self, settled: Sequence[Settled], now: dt.datetime) -> None:
        """What became of deliveries."""
        at = micros(now)
        with self._together():
            self._many(
                _SETTLE,
                [
                    {"at": each.id, "state": each.state.value, "why": each.why, "used_at": at}
                    for each in settled
                ],
            )

    def delivery_counts(self, since: dt.datetime) -> Sequence[DeliveryCount]:
        """How many came since then, by connection and state."""
        return [
            DeliveryCount(connection, DeliveryState(state), count, moment(last))
            for connection, state, count, last in self._rows(_COUNTS, since=micros(since))
        ]

    def delivery_hours(self, connection: str, since: dt.datetime) -> Mapping[dt.datetime, int]:
        """How many genuine ones came in each hour that begins then or later."""
        rows = self._rows(_HOURS, connection=connection, since=micros(since))
        return {moment(hour): count for hour, count in rows}

    def last_delivery(self, connection: str) -> dt.datetime | None:
        """When the latest genuine one came."""
        row = self._row(_LAST, connection=connection)
        return None if row is None else moment(row[0])

    def prune_deliveries(self, bodies: dt.datetime, deliveries: dt.datetime, limit: int = 5000) -> Pruned:
        """Forget bodies that came before the one time, and whole deliveries that came before the other."""
        with self._together():
            gone = self._run(_FORGET, before=micros(deliveries), limit=limit)
            emptied = self._run(_EMPTY, before=micros(bodies), limit=limit, empty=b"")
        return Pruned(emptied, gone)


def _told(arrived: Delivery) -> dict[str, object]:
    return {
        "connection": arrived.connection,
        "mark": arrived.mark,
        "event": arrived.event,
        "object_type": arrived.object_type,
        "key": arrived.key,
        "state": arrived.state.value,
        "why": arrived.why,
        "happened_at": micros(arrived.happened_at),
        "received_at": micros(arrived.received_at),
        "used_at": micros(arrived.used_at),
        "headers": msgspec.json.encode(arrived.headers).decode(),
    }


def _plain(value: object) -> object:
    if isinstance(value, dt.datetime):
        return micros(value)
    return value.value if isinstance(value, DeliveryState) else value


def _delivery(row: Row) -> Delivery:
    number, connection, mark, event, object_type, key, state, why, happened, received, used, headers = row
    return Delivery(
        connection,
        mark,
        event,
        DeliveryState(state),
        moment(received),
        object_type,
        key,
        why,
        moment_or_none(happened),
        moment_or_none(used),
        msgspec.json.decode(headers, type=dict[str, str]),
        number,
    )
