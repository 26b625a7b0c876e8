"""What was found wrong or well, and the alerts that are open, into what becomes of them: opened, repeated, recovered.

Called by `service.alerts`; what counts as wrong is in `findings`. An alert is open for one kind and one subject at a
time: what is found again is counted on it, what is found well closes it. Telling is decided from the alert alone, so a
process that dies between a finding and its telling loses nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

import msgspec


class AlertKind(Enum):
    """What an alert is about. Stable: channels name the kinds they want."""

    SYNC_FAILING = "sync.failing"
    """The looks at a sync failed several times in a row."""
    CONNECTION_LOST = "connection.lost"
    """The credentials of a connection do not work."""
    CONNECTION_EXPIRING = "connection.expiring"
    """The credentials of a connection end soon."""
    BRAKE_PULLED = "brake.pulled"
    """A brake stopped a plan."""
    QUOTA_LOW = "quota.low"
    """The day's calls of a connection come to their end."""
    WEBHOOKS_SILENT = "webhooks.silent"
    """No webhook comes where some usually do."""
    QUESTION_WAITING = "question.waiting"
    """A conflict or deletion waits too long for a person."""
    PARKED_GROWING = "parked.growing"
    """Many records of a sync were parked within a day."""
    FRESHNESS_MISSED = "freshness.missed"
    """Edits take longer than the sync's objective allows."""
    EVENTS_UNDELIVERED = "events.undelivered"
    """A subscription to our events was turned off, because nothing arrives there."""


class About(msgspec.Struct, frozen=True):
    """What an alert is told apart by: its kind, and the sync, connection or subscription it is about."""

    kind: AlertKind
    subject: str


class Finding(msgspec.Struct, frozen=True):
    """Something that is wrong now: one sentence, what a person does about it, and the code of the error, where there is
    one. Holds no secret and no field value. What only lasts (`is_lasting`) is not counted each time somebody looks."""

    about: About
    text: str
    remedy: str = ""
    code: str = ""
    is_lasting: bool = False


class Alert(msgspec.Struct, frozen=True):
    """Something that is or was wrong: found `count` times between `first_at` and `last_at`. `told_at` is when the channels
    were last told; open while `closed_at` is None. `id` is the database's; 0 before it is kept."""

    about: About
    text: str
    first_at: dt.datetime
    last_at: dt.datetime
    count: int = 1
    remedy: str = ""
    code: str = ""
    told_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None
    id: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it lasts."""
        return self.closed_at is None


class Channel(msgspec.Struct, frozen=True):
    """Where alerts go. Its address is a secret and lies elsewhere. No `kinds`: all of them. `failure` says why the last
    message did not arrive; empty when it did."""

    name: str
    kinds: frozenset[AlertKind] = frozenset()
    is_on: bool = True
    revision: int = 0
    changed_at: dt.datetime | None = None
    failure: str = ""

    def wants(self, kind: AlertKind) -> bool:
        """Whether alerts of this kind go there."""
        return self.is_on and (not self.kinds or kind in self.kinds)


class Move(Enum):
    """What becomes of an alert."""

    OPENED = "opened"
    REPEATED = "repeated"
    RECOVERED = "recovered"


class Moved(msgspec.Struct, frozen=True):
    """An alert as it is after a look, and what became of it."""

    move: Move
    alert: Alert


class Telling(Enum):
    """Why a channel is told of an alert."""

    NEW = "new"
    LASTING = "lasting"
    OVER = "over"


def moves(
    looked_at: Iterable[About], findings: Iterable[Finding], open_alerts: Iterable[Alert], now: dt.datetime
) -> Sequence[Moved]:
    """What a look changes. `looked_at` was looked at, and is well unless it is among the findings.

    Laws: what was not looked at stays as it is; one alert at most is open for each kind and subject; looking again at
    what is well changes nothing; an alert is counted once for each look that finds it, unless it only lasts.
    """
    before = {alert.about: alert for alert in open_alerts if alert.is_open}
    wrong = {finding.about: finding for finding in findings}
    out = [_found(finding, before.get(about), now) for about, finding in wrong.items()]
    well = dict.fromkeys(about for about in looked_at if about in before and about not in wrong)
    out += [
        Moved(
            Move.RECOVERED, msgspec.structs.replace(before[about], closed_at=max(now, before[about].last_at))
        )
        for about in well
    ]
    return out


def _found(finding: Finding, alert: Alert | None, now: dt.datetime) -> Moved:
    about, text, remedy, code = finding.about, finding.text, finding.remedy, finding.code
    if alert is None:
        return Moved(Move.OPENED, Alert(about, text, now, now, remedy=remedy, code=code))
    again = msgspec.structs.replace(
        alert,
        text=text,
        remedy=remedy,
        code=code,
        last_at=max(now, alert.last_at),
        count=alert.count + (not finding.is_lasting),
    )
    return Moved(Move.REPEATED, again)


def telling(alert: Alert, now: dt.datetime, again: dt.timedelta) -> Telling | None:
    """Whether the channels are to be told of an alert now: at once when it is new, then at most every `again` while it is
    still found, and once when it is over. What was over before anybody was told stays untold."""
    if alert.told_at is None:
        return Telling.NEW if alert.is_open else None
    if alert.closed_at is not None:
        return Telling.OVER if alert.told_at < alert.closed_at else None
    is_due = now - alert.told_at >= again and alert.last_at > alert.told_at
    return Telling.LASTING if is_due else None


def told(alert: Alert, why: Telling, now: dt.datetime) -> Alert:
    """The alert once the channels were told, for this reason. What ended while they were told has still to be told."""
    over = alert.closed_at if why is Telling.OVER else None
    return msgspec.structs.replace(alert, told_at=max(now, over or now))


def closed(alert: Alert, now: dt.datetime) -> Alert:
    """The alert after a person closed it: nobody is told, and what is found again opens a new one."""
    at = max(now, alert.last_at)
    return msgspec.structs.replace(alert, closed_at=at, told_at=at)


TITLES: Mapping[AlertKind, str] = {
    AlertKind.SYNC_FAILING: "A sync keeps failing",
    AlertKind.CONNECTION_LOST: "A connection is lost",
    AlertKind.CONNECTION_EXPIRING: "A connection's credentials end soon",
    AlertKind.BRAKE_PULLED: "A brake stopped a sync",
    AlertKind.QUOTA_LOW: "A quota is nearly used up",
    AlertKind.WEBHOOKS_SILENT: "No webhooks come",
    AlertKind.QUESTION_WAITING: "Something waits for a decision",
    AlertKind.PARKED_GROWING: "Many records cannot be written",
    AlertKind.FRESHNESS_MISSED: "Edits arrive late",
    AlertKind.EVENTS_UNDELIVERED: "Events do not arrive",
}
"""What each kind is called in a message."""


class Message(msgspec.Struct, frozen=True):
    """What a channel is told. `is_good` when all of it is over."""

    title: str
    text: str
    is_good: bool


def message(tellings: Sequence[tuple[Telling, Alert]]) -> Message:
    """Several alerts as one message: a line for a title, then each with its sentence, how often it was found, and what to
    do."""
    lines = [_title(why, alert) for why, alert in tellings]
    title = lines[0] if len(lines) == 1 else f"{len(lines)} alerts"
    blocks = ["\n".join(_block(line, why, alert)) for line, (why, alert) in zip(lines, tellings, strict=True)]
    is_good = all(why is Telling.OVER for why, _ in tellings)
    return Message(f"Syncline: {title}", "\n\n".join(blocks), is_good)


def _title(why: Telling, alert: Alert) -> str:
    prefix = {Telling.NEW: "", Telling.LASTING: "Still: ", Telling.OVER: "Recovered: "}[why]
    return f"{prefix}{TITLES[alert.about.kind]} ({alert.about.subject})"


def _block(line: str, why: Telling, alert: Alert) -> list[str]:
    out = [line, alert.text]
    if alert.count > 1:
        out.append(f"Found {alert.count} times since {alert.first_at:%Y-%m-%d %H:%M} UTC.")
    if why is Telling.OVER:
        out[1] = f"It is over since {alert.closed_at:%Y-%m-%d %H:%M} UTC. It was: {alert.text}"
    elif alert.remedy:
        out.append(f"What to do: {alert.remedy}")
    return out
