"""What the service knows of outgoing events: who wants them, what happened, and what is on its way.

Part of `ports.Store`; implemented by `store.events`, proved by `tests/store/events_suite.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from syncline.core.outgoing import Dispatch, DispatchState, Event, EventType, Subscription

SIGNING = "subscription:{}"
"""The name of the secret that signs what goes to a subscription."""


class DispatchFilter(msgspec.Struct, frozen=True):
    """Which dispatches to list; what is None does not matter. `before` is the id of the last one on the page before."""

    subscription: str | None = None
    state: DispatchState | None = None
    before: int | None = None


class Outgoing(NamedTuple):
    """A dispatch with its event."""

    dispatch: Dispatch
    event: Event


class EventStore(Protocol):
    """Subscriptions, events and dispatches in our memory."""

    def save_subscription(self, subscription: Subscription, secret: str | None = None) -> None:
        """Keep a subscription as it is (insert, or replace by id), and its signing secret where one is given."""
        ...

    def subscriptions(self, after: str = "", limit: int = 1000) -> Sequence[Subscription]:
        """Subscriptions in the order of their ids, those after one of them."""
        ...

    def subscription(self, subscription: str) -> Subscription | None:
        """One subscription."""
        ...

    def drop_subscription(self, subscription: str) -> bool:
        """Forget a subscription with its secret and everything on its way there; whether there was one."""
        ...

    def add_event(self, event: Event, subscriptions: Sequence[str]) -> Event:
        """Keep an event and put it on its way to these, due at once: all or nothing. Answers it with its id."""
        ...

    def events(
        self, type_: EventType | None = None, before: int | None = None, limit: int = 50
    ) -> Sequence[Event]:
        """The latest events, newest first."""
        ...

    def events_after(self, event: int, limit: int = 100) -> Sequence[Event]:
        """The events that were kept after this one, oldest first."""
        ...

    def event(self, event: int) -> Event | None:
        """One event."""
        ...

    def replay(
        self, subscription: str, types: Sequence[EventType], since: dt.datetime, now: dt.datetime
    ) -> int:
        """Put every event of these types (none: of all) that happened since then on its way once more; answers how many.
        What waits for that subscription anyway is not doubled."""
        ...

    def due_dispatches(self, now: dt.datetime, limit: int = 100) -> Sequence[Outgoing]:
        """What is to be sent now, longest due first, with its events."""
        ...

    def next_dispatch(self) -> dt.datetime | None:
        """When the next one is due; None when nothing waits."""
        ...

    def claim_dispatches(self, dispatches: Sequence[int], until: dt.datetime) -> None:
        """Put these off until then: whoever sends them has so long. Not noted by then, they are due again."""
        ...

    def note_dispatch(self, dispatch: Dispatch) -> None:
        """Keep what became of a try."""
        ...

    def dispatches(self, wanted: DispatchFilter, limit: int = 50) -> Sequence[Outgoing]:
        """Those that fit, newest first."""
        ...

    def drop_dispatches(self, subscription: str, why: str) -> int:
        """What waits for a subscription is not sent any more; answers how many."""
        ...

    def prune_events(self, before: dt.datetime) -> int:
        """Forget events that happened before, with their dispatches, unless one still waits; answers how many."""
        ...
