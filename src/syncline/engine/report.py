"""What a run did: the whole report for whoever waits for it, and the short form that is stored with the run.

Made by `runs`; shown by the CLI and `story`. The plan itself is not stored with the run: its evidence holds what was
decided, and the history what was written.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping

import msgspec

from syncline.core.brakes import Brake
from syncline.core.memory import Counts, Run
from syncline.core.plan import Plan
from syncline.core.records import RunId, Side, SyncId
from syncline.engine.apply import Failure
from syncline.engine.outlook import Outlook

_FAILURES = 100


class Written(msgspec.Struct, frozen=True):
    """Writes that went through, on one side."""

    created: int = 0
    updated: int = 0
    deleted: int = 0
    archived: int = 0
    restored: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.created + self.updated + self.deleted + self.archived + self.restored

    @property
    def surplus(self) -> int:
        """By how many records the side grew."""
        return self.created + self.restored - self.deleted


class Postponed(msgspec.Struct, frozen=True):
    """Writes of one side that were not sent: the day has no calls left for them. A later run decides on them again."""

    side: Side
    writes: int
    until: dt.datetime
    why: str


class Report(msgspec.Struct, frozen=True):
    """What a run did, for people and for `--json`. `read_left` and `read_right` are the calls that looking took, before
    anything was written; `forecast` is what the plan was expected to take then."""

    sync: SyncId
    run: RunId
    plan: Plan
    left: Written
    right: Written
    failures: tuple[Failure, ...]
    listed_left: int
    listed_right: int
    counts: Counts
    calls_left: int
    calls_right: int
    recovered: int
    unknown: int
    is_full: bool
    seconds: float
    read_left: int = 0
    read_right: int = 0
    postponed: tuple[Postponed, ...] = ()
    forecast: Outlook | None = None

    @property
    def is_quiet(self) -> bool:
        """Whether the run found nothing to write."""
        return not self.plan.writes and not self.plan.stopped and not self.failures

    @property
    def writes(self) -> int:
        """Writes that went through."""
        return self.left.total + self.right.total


class Summary(msgspec.Struct, frozen=True):
    """What is stored of a report: counts, pulled brakes and the first failures.

    `planned` are the writes that the plan held, `stopped` those that a brake stopped, `held` counts what was held back
    by its rule, and `failed` all failures.
    """

    planned: int
    stopped: int
    held: Mapping[str, int]
    brakes: tuple[Brake, ...]
    released: tuple[Brake, ...]
    left: Written
    right: Written
    failed: int
    failures: tuple[Failure, ...]
    listed_left: int
    listed_right: int
    counts: Counts
    calls_left: int
    calls_right: int
    recovered: int
    unknown: int
    is_full: bool
    seconds: float
    read_left: int = 0
    read_right: int = 0
    postponed: tuple[Postponed, ...] = ()


def summary(report: Report) -> Summary:
    """The short form of a report."""
    return Summary(
        len(report.plan.writes),
        len([step for step in report.plan.stopped if step.write is not None]),
        dict(Counter(held.rule.value for held in report.plan.held)),
        report.plan.brakes,
        report.plan.released,
        report.left,
        report.right,
        len(report.failures),
        report.failures[:_FAILURES],
        report.listed_left,
        report.listed_right,
        report.counts,
        report.calls_left,
        report.calls_right,
        report.recovered,
        report.unknown,
        report.is_full,
        report.seconds,
        report.read_left,
        report.read_right,
        report.postponed,
    )


def told(run: Run) -> Summary | None:
    """What a run stored of its report; None when it did not come to its end."""
    try:
        return msgspec.json.decode(run.report, type=Summary)
    except msgspec.MsgspecError:
        return None
