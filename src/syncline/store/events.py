"""Subscriptions, events and dispatches into rows and back.

A part of `SqlStore`. An event and all its dispatches are written together, so that nobody is left out by a crash.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from syncline.core.outgoing import Dispatch, DispatchState, Event, EventType, Subscription
from syncline.ports.events import SIGNING, DispatchFilter, Outgoing
from syncline.store.codec import micros, moment, moment_or_none
from syncline.store.dialects import Dialect, fixed
from syncline.store.secrets import Secrets
from syncline.store.service_tables import dispatch, event, subscription
from syncline.store.session import Row
from syncline.store.tables import secret

_SUBSCRIPTION = ("id", "url", "events", "is_on", "revision", "created_at", "failing_since", "why_off")
_SUBSCRIPTION_COLUMNS = sa.select(*(subscription.c[name] for name in _SUBSCRIPTION))
_SUBSCRIPTIONS = (
    _SUBSCRIPTION_COLUMNS.where(subscription.c.id > sa.bindparam("after"))
    .order_by(subscription.c.id)
    .limit(sa.bindparam("limit"))
)
_ONE_SUBSCRIPTION = _SUBSCRIPTION_COLUMNS.where(subscription.c.id == sa.bindparam("id"))
_UNSUBSCRIBE = sa.delete(subscription).where(subscription.c.id == sa.bindparam("id"))
_FORGET_DISPATCHES = sa.delete(dispatch).where(dispatch.c.subscription == sa.bindparam("id"))
_WIPE = sa.delete(secret).where(secret.c.name == sa.bindparam("name"))

_EVENT = (event.c.id, event.c.type, event.c.at, event.c.body)
_EVENTS = sa.select(*_EVENT).order_by(event.c.id.desc()).limit(sa.bindparam("limit"))
_AFTER = (
    sa.select(*_EVENT)
    .where(event.c.id > sa.bindparam("after"))
    .order_by(event.c.id)
    .limit(sa.bindparam("limit"))
)
_ONE_EVENT = sa.select(*_EVENT).where(event.c.id == sa.bindparam("id"))
_ADD = (
    sa.insert(event)
    .inline()
    .values({name: sa.bindparam(name) for name in ("type", "at", "body")})
    .returning(event.c.id)
)
_SINCE = (
    sa.select(event.c.id, event.c.type)
    .where(
        event.c.at >= sa.bindparam("since"),
        ~sa.exists().where(
            dispatch.c.event == event.c.id,
            dispatch.c.subscription == sa.bindparam("subscription"),
            dispatch.c.due.is_not(None),
        ),
    )
    .order_by(event.c.id)
)
_EVENT_CONDITIONS: Mapping[str, sa.ColumnElement[bool]] = {
    "type": event.c.type == sa.bindparam("type"),
    "before": event.c.id < sa.bindparam("before"),
}

_DISPATCH = ("event", "subscription", "state", "tries", "due", "status", "why", "tried_at")
_SEND = sa.insert(dispatch).inline().values({name: sa.bindparam(name) for name in _DISPATCH})
_OUTGOING = sa.select(dispatch.c.id, *(dispatch.c[name] for name in _DISPATCH), *_EVENT[1:]).join_from(
    dispatch, event, dispatch.c.event == event.c.id
)
_DUE = (
    _OUTGOING.where(dispatch.c.due <= sa.bindparam("now"))
    .order_by(dispatch.c.due, dispatch.c.id)
    .limit(sa.bindparam("limit"))
)
_NEXT = sa.select(sa.func.min(dispatch.c.due)).where(dispatch.c.due.is_not(None))
_CLAIM = (
    sa.update(dispatch)
    .where(dispatch.c.id == sa.bindparam("at"), dispatch.c.due.is_not(None))
    .values(due=sa.bindparam("until"))
)
_NOTE = (
    sa.update(dispatch)
    .where(dispatch.c.id == sa.bindparam("at"))
    .values({name: sa.bindparam(name) for name in ("state", "tries", "due", "status", "why", "tried_at")})
)
_LOG = _OUTGOING.order_by(dispatch.c.id.desc()).limit(sa.bindparam("limit"))
_LOG_CONDITIONS: Mapping[str, sa.ColumnElement[bool]] = {
    "subscription": dispatch.c.subscription == sa.bindparam("subscription"),
    "state": dispatch.c.state == sa.bindparam("state"),
    "before": dispatch.c.id < sa.bindparam("before"),
}
_DROP = (
    sa.update(dispatch)
    .where(dispatch.c.subscription == sa.bindparam("at"), dispatch.c.due.is_not(None))
    .values(due=sa.null(), state=fixed(DispatchState.DROPPED.value), why=sa.bindparam("why"))
)
_OLD = sa.select(event.c.id).where(
    event.c.at < sa.bindparam("before"),
    ~sa.exists().where(dispatch.c.event == event.c.id, dispatch.c.due.is_not(None)),
)
_FORGET_OLD_DISPATCHES = sa.delete(dispatch).where(dispatch.c.event.in_(_OLD))
_FORGET_OLD = sa.delete(event).where(event.c.id.in_(_OLD))


class _Wanted(msgspec.Struct, frozen=True):
    """What a subscription wants, as it is stored in `events`."""

    types: list[EventType]
    with_values: bool = False


def _save(dialect: Dialect) -> sa.Insert:
    upsert = dialect.upsert(subscription, ["id"], _SUBSCRIPTION)
    return upsert.values({name: sa.bindparam(name) for name in _SUBSCRIPTION})


@functools.cache
def _event_listing(names: frozenset[str]) -> sa.ClauseElement:
    return _EVENTS.where(*(_EVENT_CONDITIONS[name] for name in sorted(names)))


@functools.cache
def _log_listing(names: frozenset[str]) -> sa.ClauseElement:
    return _LOG.where(*(_LOG_CONDITIONS[name] for name in sorted(names)))


class Events(Secrets):
    """Subscriptions, events, dispatches."""

    def save_subscription(self, subscription: Subscription, secret: str | None = None) -> None:
        """Keep a subscription as it is (insert, or replace by id), and its signing secret where one is given."""
        with self._together():
            if secret is not None:
                self.save_secret(SIGNING.format(subscription.id), secret)
            self._run(_save, **_subscription_row(subscription))

    def subscriptions(self, after: str = "", limit: int = 1000) -> Sequence[Subscription]:
        """Subscriptions in the order of their ids, those after one of them."""
        return [_subscription(row) for row in self._rows(_SUBSCRIPTIONS, after=after, limit=limit)]

    def subscription(self, subscription: str) -> Subscription | None:
        """One subscription."""
        row = self._row(_ONE_SUBSCRIPTION, id=subscription)
        return None if row is None else _subscription(row)

    def drop_subscription(self, subscription: str) -> bool:
        """Forget a subscription with its secret and everything on its way there; whether there was one."""
        with self._together():
            self._run(_FORGET_DISPATCHES, id=subscription)
            self._run(_WIPE, name=SIGNING.format(subscription))
            return self._run(_UNSUBSCRIBE, id=subscription) > 0

    def add_event(self, event: Event, subscriptions: Sequence[str]) -> Event:
        """Keep an event and put it on its way to these, due at once: all or nothing. Answers it with its id."""
        with self._together():
            body = msgspec.json.encode(event.data).decode()
            row = self._row(_ADD, type=event.type.value, at=micros(event.at), body=body)
            kept = msgspec.structs.replace(event, id=row[0] if row else 0)
            self._send([kept.id], subscriptions, event.at)
        return kept

    def _send(self, events: Sequence[int], subscriptions: Sequence[str], due: dt.datetime) -> None:
        made = [Dispatch(number, name, due) for name in subscriptions for number in events]
        rows = [
            {"event": each.event, "subscription": each.subscription, **_dispatch_row(each)} for each in made
        ]
        self._many(_SEND, rows)

    def events(
        self, type_: EventType | None = None, before: int | None = None, limit: int = 50
    ) -> Sequence[Event]:
        """The latest events, newest first."""
        values = {"type": type_.value if type_ is not None else None, "before": before}
        given = {name: value for name, value in values.items() if value is not None}
        return [_event(*row) for row in self._rows(_event_listing(frozenset(given)), limit=limit, **given)]

    def events_after(self, event: int, limit: int = 100) -> Sequence[Event]:
        """The events that were kept after this one, oldest first."""
        return [_event(*row) for row in self._rows(_AFTER, after=event, limit=limit)]

    def event(self, event: int) -> Event | None:
        """One event."""
        row = self._row(_ONE_EVENT, id=event)
        return None if row is None else _event(*row)

    def replay(
        self, subscription: str, types: Sequence[EventType], since: dt.datetime, now: dt.datetime
    ) -> int:
        """Put every event of these types (none: of all) that happened since then on its way once more; answers how many."""
        wanted = {each.value for each in types}
        with self._together():
            rows = self._rows(_SINCE, since=micros(since), subscription=subscription)
            numbers = [number for number, type_ in rows if not wanted or type_ in wanted]
            self._send(numbers, [subscription], now)
        return len(numbers)

    def due_dispatches(self, now: dt.datetime, limit: int = 100) -> Sequence[Outgoing]:
        """What is to be sent now, longest due first, with its events."""
        return [_outgoing(row) for row in self._rows(_DUE, now=micros(now), limit=limit)]

    def next_dispatch(self) -> dt.datetime | None:
        """When the next one is due; None when nothing waits."""
        row = self._row(_NEXT)
        return moment_or_none(row[0]) if row else None

    def claim_dispatches(self, dispatches: Sequence[int], until: dt.datetime) -> None:
        """Put these off until then. Not noted by then, they are due again."""
        with self._together():
            self._many(_CLAIM, [{"at": number, "until": micros(until)} for number in dispatches])

    def note_dispatch(self, dispatch: Dispatch) -> None:
        """Keep what became of a try."""
        self._run(_NOTE, at=dispatch.id, **_dispatch_row(dispatch))

    def dispatches(self, wanted: DispatchFilter, limit: int = 50) -> Sequence[Outgoing]:
        """Those that fit, newest first."""
        values: dict[str, object] = {"subscription": wanted.subscription, "before": wanted.before}
        values["state"] = wanted.state.value if wanted.state is not None else None
        given = {name: value for name, value in values.items() if value is not None}
        return [_outgoing(row) for row in self._rows(_log_listing(frozenset(given)), limit=limit, **given)]

    def drop_dispatches(self, subscription: str, why: str) -> int:
        """What waits for a subscription is not sent any more; answers how many."""
        return self._run(_DROP, at=subscription, why=why)

    def prune_events(self, before: dt.datetime) -> int:
        """Forget events that happened before, with their dispatches, unless one still waits; answers how many."""
        with self._together():
            self._run(_FORGET_OLD_DISPATCHES, before=micros(before))
            return self._run(_FORGET_OLD, before=micros(before))


def _subscription_row(kept: Subscription) -> dict[str, object]:
    wanted = _Wanted(sorted(kept.types, key=lambda each: each.value), kept.with_values)
    return {
        "id": kept.id,
        "url": kept.url,
        "events": msgspec.json.encode(wanted).decode(),
        "is_on": int(kept.is_on),
        "revision": kept.revision,
        "created_at": micros(kept.created_at),
        "failing_since": micros(kept.failing_since),
        "why_off": kept.why_off,
    }


def _subscription(row: Row) -> Subscription:
    id_, url, events, is_on, revision, created_at, failing_since, why_off = row
    wanted = msgspec.json.decode(events, type=_Wanted)
    return Subscription(
        id_,
        url,
        moment(created_at),
        frozenset(wanted.types),
        wanted.with_values,
        bool(is_on),
        revision,
        moment_or_none(failing_since),
        why_off,
    )


def _event(number: int, type_: str, at: int, body: str) -> Event:
    return Event(EventType(type_), moment(at), msgspec.json.decode(body, type=dict[str, Any]), number)


def _dispatch_row(kept: Dispatch) -> dict[str, object]:
    return {
        "state": kept.state.value,
        "tries": kept.tries,
        "due": micros(kept.due),
        "status": kept.status,
        "why": kept.why,
        "tried_at": micros(kept.tried_at),
    }


def _outgoing(row: Row) -> Outgoing:
    number, event_, subscription_, state, tries, due, status, why, tried_at, type_, at, body = row
    sent = Dispatch(
        event_,
        subscription_,
        moment_or_none(due),
        DispatchState(state),
        tries,
        status,
        why,
        moment_or_none(tried_at),
        number,
    )
    return Outgoing(sent, _event(event_, type_, at, body))
