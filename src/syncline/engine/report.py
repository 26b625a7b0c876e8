"""What a run did: the whole report for whoever waits for it, and the short form that is stored with the run.

Made by `runs`; shown by the CLI and `story`. The plan itself is not stored with the run: its evidence holds what was
decided, and the history what was written.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from syncline.core.brakes import Brake
from syncline.core.memory import Counts, Run
from syncline.core.plan import Plan
from syncline.core.records import RunId, Side, SyncId
from syncline.engine.apply import Failure
from syncline.engine.outlook import Outlook
from syncline.ports import Store

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


class Chosen(msgspec.Struct, frozen=True):
    """How many records of each side a run of chosen records read directly, their counterparts included."""

    left: int
    right: int


class Report(msgspec.Struct, frozen=True):
    """What a run did, for people and for `--json`. `read_left` and `read_right` are the calls that looking took, before
    anything was written; `forecast` is what the plan was expected to take then. A run of `chosen` records lists nothing,
    unless one of them is new: then `listed_left` and `listed_right` are what is new on both sides. `put_off` counts writes
    that were left to the next run: of all others, where a few records were chosen, or because somebody's edit goes first."""

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
    chosen: Chosen | None = None
    put_off: int = 0

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
    put_off: int = 0


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
        report.put_off,
    )


class _ByHand(msgspec.Struct, frozen=True):
    by_hand: str | None = None
    undone: str | None = None


def by_hand(what: str, error: str | None = None) -> str:
    """What is stored of something that a person did about single records: it held the lease, and was no run of the sync."""
    told_of = {"by_hand": what} if error is None else {"by_hand": what, "error": error}
    return msgspec.json.encode(told_of).decode()


def last_runs(store: Store, sync: SyncId, limit: int = 10) -> Iterator[Run]:
    """The latest runs of the sync itself, newest first; what persons did by hand in between is left out."""
    for most in (limit, limit * 10, limit * 100):
        runs = store.runs(sync, most)
        found = [run for run in runs if not _is_by_hand(run)]
        if len(found) >= limit or len(runs) < most:
            break
    yield from found[:limit]


def _is_by_hand(run: Run) -> bool:
    try:
        told_of = msgspec.json.decode(run.report, type=_ByHand)
    except msgspec.MsgspecError:
        return False
    return told_of.by_hand is not None or told_of.undone is not None


def told(run: Run) -> Summary | None:
    """What a run stored of its report; None when it did not come to its end."""
    try:
        return msgspec.json.decode(run.report, type=Summary)
    except msgspec.MsgspecError:
        return None
