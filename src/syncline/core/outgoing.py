"""What happened into events for others, and tries at sending them into when to try again, or to give up.

Called by `service.events`, which stores, signs and sends. The waits follow the published standard for webhooks
(Standard Webhooks, "Deliverability and reliability"): soon at first, then slower, over three days.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import Enum
from typing import Any

import msgspec


class EventType(Enum):
    """What an event tells of. Stable: subscriptions name the types they want."""

    RUN_FINISHED = "run.finished"
    """A run of a sync ended."""
    RUN_FAILED = "run.failed"
    """A look at a sync ended with an error."""
    RECORD_WRITTEN = "record.written"
    """A record was made, changed, deleted, archived or restored by us."""
    RECORD_PARKED = "record.parked"
    """A write was refused or failed."""
    CONFLICT_OPENED = "conflict.opened"
    """A run holds something back until a person decides."""
    BRAKE_PULLED = "brake.pulled"
    """A brake stopped a plan."""
    CONNECTION_LOST = "connection.lost"
    """The credentials of a connection do not work."""
    ALERT_OPENED = "alert.opened"
    """An alert was raised."""
    ALERT_RECOVERED = "alert.recovered"
    """What an alert was about is over."""
    # An item of the workspace was made (or brought back from the trash), changed (or its attachments), put into the trash.
    WORKSPACE_PROJECT_CREATED = "workspace.project.created"
    WORKSPACE_PROJECT_UPDATED = "workspace.project.updated"
    WORKSPACE_PROJECT_DELETED = "workspace.project.deleted"
    WORKSPACE_DOCUMENT_CREATED = "workspace.document.created"
    WORKSPACE_DOCUMENT_UPDATED = "workspace.document.updated"
    WORKSPACE_DOCUMENT_DELETED = "workspace.document.deleted"
    WORKSPACE_CONTRACT_CREATED = "workspace.contract.created"
    WORKSPACE_CONTRACT_UPDATED = "workspace.contract.updated"
    WORKSPACE_CONTRACT_DELETED = "workspace.contract.deleted"
    WORKSPACE_MILESTONE_CREATED = "workspace.milestone.created"
    WORKSPACE_MILESTONE_UPDATED = "workspace.milestone.updated"
    WORKSPACE_MILESTONE_DELETED = "workspace.milestone.deleted"
    WORKSPACE_LEAD_CREATED = "workspace.lead.created"
    WORKSPACE_LEAD_UPDATED = "workspace.lead.updated"
    WORKSPACE_LEAD_DELETED = "workspace.lead.deleted"
    WORKSPACE_TASK_CREATED = "workspace.task.created"
    WORKSPACE_TASK_UPDATED = "workspace.task.updated"
    WORKSPACE_TASK_DELETED = "workspace.task.deleted"
    WORKSPACE_PERSON_CREATED = "workspace.person.created"
    WORKSPACE_PERSON_UPDATED = "workspace.person.updated"
    WORKSPACE_PERSON_DELETED = "workspace.person.deleted"


class Subscription(msgspec.Struct, frozen=True):
    """Whoever wants our events. No `types`: all of them. Field values go along only `with_values`. `failing_since` is when
    the first of the latest failures in a row was; `why_off` says why we turned it off ourselves."""

    id: str
    url: str
    created_at: dt.datetime
    types: frozenset[EventType] = frozenset()
    with_values: bool = False
    is_on: bool = True
    revision: int = 1
    failing_since: dt.datetime | None = None
    why_off: str = ""

    def wants(self, type_: EventType) -> bool:
        """Whether events of this type go there."""
        return self.is_on and (not self.types or type_ in self.types)


class Event(msgspec.Struct, frozen=True):
    """Something that happened, as it is told. `data` holds no secret; what it holds under `values` are field values."""

    type: EventType
    at: dt.datetime
    data: Mapping[str, Any]
    id: int = 0

    @property
    def mark(self) -> str:
        """What tells this event from every other one, also when it is sent again: the header `webhook-id`."""
        return f"evt_{int(self.at.timestamp() * 1000):x}_{self.id}"

    def payload(self, *, with_values: bool) -> bytes:
        """The body that is sent: type, timestamp, data."""
        data = {name: value for name, value in self.data.items() if with_values or name != VALUES}
        body = {"type": self.type.value, "timestamp": self.at, "data": data}
        return msgspec.json.encode(body, order="deterministic")


VALUES = "values"
"""Where in an event's data the field values are: left out unless a subscription asks for them."""


class DispatchState(Enum):
    """What became of one event on its way to one subscription."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    """Tried for three days, and given up."""
    DROPPED = "dropped"
    """The subscription was turned off before it arrived."""


class Dispatch(msgspec.Struct, frozen=True):
    """One event on its way to one subscription. `status` is the last answer's; `due` is None once it is over."""

    event: int
    subscription: str
    due: dt.datetime | None
    state: DispatchState = DispatchState.WAITING
    tries: int = 0
    status: int | None = None
    why: str = ""
    tried_at: dt.datetime | None = None
    id: int = 0


class Sent(msgspec.Struct, frozen=True):
    """How one try ended: the answer's status (None: there was none), and why it does not count."""

    status: int | None
    why: str = ""

    @property
    def has_arrived(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_refused_for_good(self) -> bool:
        """Whether the receiver wants no more events: 410."""
        return self.status == 410


_SECOND = dt.timedelta(seconds=1)
WAITS = tuple(each * _SECOND for each in (5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""How long to wait before each further try; three days in all."""
_JITTER = 0.1
PATIENCE = dt.timedelta(days=3)
"""A subscription that has failed for so long without one success is turned off."""


def after_try(dispatch: Dispatch, sent: Sent, now: dt.datetime, chance: float) -> Dispatch:
    """The dispatch after one try; `chance` from 0 to 1 spreads the next one by a tenth.

    Laws: what arrived, or was refused for good, is not tried again; the waits never get shorter; after the last one it
    has failed.
    """
    tries = dispatch.tries + 1
    state, due = DispatchState.WAITING, None
    if sent.has_arrived:
        state = DispatchState.SENT
    elif sent.is_refused_for_good or tries > len(WAITS):
        state = DispatchState.FAILED
    else:
        due = now + WAITS[tries - 1] * (1 + _JITTER * (2 * chance - 1))
    return msgspec.structs.replace(
        dispatch,
        state=state,
        due=due,
        tries=tries,
        status=sent.status,
        why="" if sent.has_arrived else sent.why,
        tried_at=now,
    )


def subscription_after(subscription: Subscription, sent: Sent, now: dt.datetime) -> Subscription:
    """The subscription after one try: well again, failing, or turned off (410 at once, failure for three days)."""
    if sent.has_arrived:
        return msgspec.structs.replace(subscription, failing_since=None)
    since = subscription.failing_since or now
    why = ""
    if sent.is_refused_for_good:
        why = "the receiver wants no more events (410)."
    elif now - since >= PATIENCE:
        why = f"nothing has arrived since {since:%Y-%m-%d %H:%M} UTC ({sent.why})."
    return msgspec.structs.replace(
        subscription,
        failing_since=since,
        is_on=subscription.is_on and not why,
        why_off=why or subscription.why_off,
    )
