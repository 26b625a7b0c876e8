"""Alerts and channels into rows and back.

A part of `SqlStore`. A channel's address is a secret: it goes with the row, and never into it.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from syncline.core.alerting import About, Alert, AlertKind, Channel
from syncline.ports.alerts import ADDRESS, AlertFilter
from syncline.store.codec import micros, moment, moment_or_none
from syncline.store.dialects import Dialect
from syncline.store.secrets import Secrets
from syncline.store.service_tables import alert, channel
from syncline.store.session import Row
from syncline.store.tables import secret

_KEPT = ("kind", "subject", "text", "body", "count", "first_at", "last_at", "told_at", "closed_at")
_COLUMNS = (alert.c.id, *(alert.c[name] for name in _KEPT))
_ALERTS = sa.select(*_COLUMNS)
_NEWEST = _ALERTS.order_by(alert.c.id.desc()).limit(sa.bindparam("limit"))
_ONE = _ALERTS.where(alert.c.id == sa.bindparam("id"))
_OPEN = _ALERTS.where(alert.c.closed_at.is_(None)).order_by(alert.c.id)
_UNTOLD = _ALERTS.where(alert.c.closed_at.is_(None) | (alert.c.told_at < alert.c.closed_at)).order_by(
    alert.c.id
)
_INSERT = sa.insert(alert).inline().values({name: sa.bindparam(name) for name in _KEPT}).returning(alert.c.id)
_CHANGE = (
    sa.update(alert)
    .where(alert.c.id == sa.bindparam("at"))
    .values({name: sa.bindparam(name) for name in _KEPT if name not in ("kind", "subject", "first_at")})
)
_PRUNE = sa.delete(alert).where(alert.c.closed_at < sa.bindparam("before"))
_WANTED: Mapping[str, sa.ColumnElement[bool]] = {
    "open": alert.c.closed_at.is_(None),
    "closed": alert.c.closed_at.is_not(None),
    "kind": alert.c.kind == sa.bindparam("kind"),
    "subject": alert.c.subject == sa.bindparam("subject"),
    "before": alert.c.id < sa.bindparam("before"),
}

_CHANNEL = ("name", "kinds", "is_on", "revision", "changed_at", "failure")
_CHANNELS = sa.select(*(channel.c[name] for name in _CHANNEL)).order_by(channel.c.name)
_REVISION = sa.select(channel.c.revision).where(channel.c.name == sa.bindparam("name"))
_DROP = sa.delete(channel).where(channel.c.name == sa.bindparam("name"))
_WIPE = sa.delete(secret).where(secret.c.name == sa.bindparam("name"))
_FAILED = (
    sa.update(channel).where(channel.c.name == sa.bindparam("at")).values(failure=sa.bindparam("failure"))
)


class _Body(msgspec.Struct, frozen=True):
    """What of an alert has no column of its own."""

    remedy: str = ""
    code: str = ""


def _save_channel(dialect: Dialect) -> sa.Insert:
    upsert = dialect.upsert(channel, ["name"], _CHANNEL)
    return upsert.values({name: sa.bindparam(name) for name in _CHANNEL})


@functools.cache
def _listing(names: frozenset[str]) -> sa.Select[Any]:
    """The listing with these conditions; made once for each set of them, because statements are kept by identity."""
    return _NEWEST.where(*(_WANTED[name] for name in sorted(names)))


class Alerts(Secrets):
    """Alerts and channels."""

    def save_alert(self, alert: Alert) -> Alert:
        """Keep an alert: a new one (its id is 0), or one that changed. Answers it with its id."""
        values = _told(alert)
        if alert.id:
            for name in ("kind", "subject", "first_at"):
                del values[name]
            self._run(_CHANGE, at=alert.id, **values)
            return alert
        row = self._row(_INSERT, **values)
        return msgspec.structs.replace(alert, id=row[0] if row else 0)

    def alerts(self, wanted: AlertFilter, limit: int = 50) -> Sequence[Alert]:
        """Those that fit, newest first."""
        values: dict[str, object] = {"before": wanted.before, "subject": wanted.subject}
        values["kind"] = wanted.kind.value if wanted.kind is not None else None
        given = {name: value for name, value in values.items() if value is not None}
        names = set(given)
        if wanted.is_open is not None:
            names.add("open" if wanted.is_open else "closed")
        return [_alert(row) for row in self._rows(_listing(frozenset(names)), limit=limit, **given)]

    def alert(self, alert: int) -> Alert | None:
        """One alert."""
        row = self._row(_ONE, id=alert)
        return None if row is None else _alert(row)

    def open_alerts(self) -> Sequence[Alert]:
        """All open ones, oldest first."""
        return [_alert(row) for row in self._rows(_OPEN)]

    def untold_alerts(self) -> Sequence[Alert]:
        """Those that the channels may have to be told of, oldest first."""
        return [_alert(row) for row in self._rows(_UNTOLD)]

    def prune_alerts(self, before: dt.datetime) -> int:
        """Forget alerts that were closed before; answers how many."""
        return self._run(_PRUNE, before=micros(before))

    def channels(self) -> Sequence[Channel]:
        """All channels by name."""
        return [_channel(row) for row in self._rows(_CHANNELS)]

    def save_channel(self, channel: Channel, address: str | None, now: dt.datetime) -> Channel:
        """Keep a channel, and its address where one is given (encrypted). Its revision grows; answers it as kept."""
        with self._together():
            if address is not None:
                self.save_secret(ADDRESS.format(channel.name), address)
            row = self._row(_REVISION, name=channel.name)
            kept = msgspec.structs.replace(channel, revision=(row[0] if row else 0) + 1, changed_at=now)
            self._run(
                _save_channel,
                name=kept.name,
                kinds=msgspec.json.encode(sorted(kind.value for kind in kept.kinds)).decode(),
                is_on=int(kept.is_on),
                revision=kept.revision,
                changed_at=micros(now),
                failure=kept.failure,
            )
        return kept

    def drop_channel(self, name: str) -> bool:
        """Forget a channel and its address; whether there was one."""
        with self._together():
            self._run(_WIPE, name=ADDRESS.format(name))
            return self._run(_DROP, name=name) > 0

    def note_failure(self, name: str, failure: str) -> None:
        """Note why the last message to a channel did not arrive; empty when it did. The revision stays."""
        self._run(_FAILED, at=name, failure=failure)


def _told(alert: Alert) -> dict[str, object]:
    return {
        "kind": alert.about.kind.value,
        "subject": alert.about.subject,
        "text": alert.text,
        "body": msgspec.json.encode(_Body(alert.remedy, alert.code)).decode(),
        "count": alert.count,
        "first_at": micros(alert.first_at),
        "last_at": micros(alert.last_at),
        "told_at": micros(alert.told_at),
        "closed_at": micros(alert.closed_at),
    }


def _alert(row: Row) -> Alert:
    number, kind, subject, text, body, count, first, last, told, closed = row
    more = msgspec.json.decode(body, type=_Body)
    return Alert(
        About(AlertKind(kind), subject),
        text,
        moment(first),
        moment(last),
        count,
        more.remedy,
        more.code,
        moment_or_none(told),
        moment_or_none(closed),
        number,
    )


def _channel(row: Row) -> Channel:
    name, kinds, is_on, revision, changed_at, failure = row
    wanted = frozenset(AlertKind(kind) for kind in msgspec.json.decode(kinds, type=list[str]))
    return Channel(name, wanted, bool(is_on), revision, moment(changed_at), failure)
