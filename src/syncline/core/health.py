"""How a project goes, from what is due, what is overdue and when anything last moved.

Asked by `service.overview` for every project. Nothing is guessed: each state comes with the reasons that make it.
"""

from __future__ import annotations

import datetime as dt
from enum import Enum

import msgspec


class Health(Enum):
    """How a project goes, from well to badly; `DONE` is for those that are over."""

    DONE = "done"
    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    LATE = "late"


class Reason(Enum):
    """Why a project is at risk or late."""

    PAST_DUE = "past_due"
    MOSTLY_OVERDUE = "mostly_overdue"
    DUE_SOON = "due_soon"
    PARTLY_OVERDUE = "partly_overdue"
    MILESTONE_OVERDUE = "milestone_overdue"
    IDLE = "idle"

    @property
    def sentence(self) -> str:
        """The reason as a person reads it."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.PAST_DUE: "Its due date has passed.",
    Reason.MOSTLY_OVERDUE: "Half of what is open, or more, is overdue.",
    Reason.DUE_SOON: "It is due within a week, and something is open.",
    Reason.PARTLY_OVERDUE: "A fifth of what is open, or more, is overdue.",
    Reason.MILESTONE_OVERDUE: "A milestone is overdue.",
    Reason.IDLE: "Nothing has moved for two weeks.",
}

_MAKE_LATE = frozenset({Reason.PAST_DUE, Reason.MOSTLY_OVERDUE})


class Gauge(msgspec.Struct, frozen=True):
    """From when on a project is at risk, or late. Shares are of what is open."""

    late_share: float = 0.5
    risk_share: float = 0.2
    soon: dt.timedelta = dt.timedelta(days=7)
    idle: dt.timedelta = dt.timedelta(days=14)


USUAL = Gauge()


class Progress(msgspec.Struct, frozen=True):
    """What is known of a project: `open` counts tasks and milestones that are not completed, `overdue` those of them whose due
    date has passed, `milestones_overdue` the milestones of those. `moved_at` is when it, or anything of it, last changed."""

    is_over: bool
    due_on: dt.date | None
    open: int
    overdue: int
    milestones_overdue: int
    moved_at: dt.datetime

    @property
    def overdue_share(self) -> float:
        """The part of what is open that is overdue; 0 when nothing is open."""
        return self.overdue / self.open if self.open else 0.0


def is_overdue(due_on: dt.date | None, now: dt.datetime) -> bool:
    """Whether a day has passed: the day itself still counts as in time (UTC)."""
    return due_on is not None and due_on < now.date()


def reasons(progress: Progress, now: dt.datetime, gauge: Gauge = USUAL) -> tuple[Reason, ...]:
    """Everything that speaks against a project, in the order of `Reason`; nothing for one that is over.

    Laws: while nothing else changes, reasons that make it late do not go away as time passes; more overdue items of as many open
    ones never take a reason away; completing an overdue item never adds one.
    """
    if progress.is_over:
        return ()
    share = progress.overdue_share
    due = progress.due_on
    is_past = is_overdue(due, now)
    is_soon = due is not None and not is_past and due <= (now + gauge.soon).date() and progress.open > 0
    found = {
        Reason.PAST_DUE: is_past,
        Reason.MOSTLY_OVERDUE: progress.overdue > 0 and share >= gauge.late_share,
        Reason.DUE_SOON: is_soon,
        Reason.PARTLY_OVERDUE: progress.overdue > 0 and gauge.risk_share <= share < gauge.late_share,
        Reason.MILESTONE_OVERDUE: progress.milestones_overdue > 0,
        Reason.IDLE: now - progress.moved_at >= gauge.idle,
    }
    return tuple(reason for reason, holds in found.items() if holds)


def health(progress: Progress, now: dt.datetime, gauge: Gauge = USUAL) -> Health:
    """How a project goes: late for a reason that makes it so, at risk for any other, else on track.

    Laws: it never gets better by time alone; more overdue items of as many open ones never make it better; completing an overdue
    item never makes it worse; it is on track exactly when there is no reason.
    """
    if progress.is_over:
        return Health.DONE
    found = reasons(progress, now, gauge)
    if _MAKE_LATE & set(found):
        return Health.LATE
    return Health.AT_RISK if found else Health.ON_TRACK
