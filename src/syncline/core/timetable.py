"""A sync's schedule and what the last look found into when to look again.

Pure; called by `service.dispatch`. Polling adapts: a look that finds something makes the next one come soon, one that
finds nothing makes it come later. The nightly reconcile follows a cron line in the account's own time zone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

_SLOWER = 1.5
_JITTER = 0.1
_LONGEST_TRY = dt.timedelta(hours=1)
_SHORTEST_TRY = dt.timedelta(seconds=5)


class DueKind(Enum):
    """What may be due for a sync. The rest is what a run put off."""

    POLL = "poll"
    RECONCILE = "reconcile"
    RETRY = "retry"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Timetable:
    """When a sync is to be looked at by itself.

    `fastest` and `slowest` bound the time between two polls (both None: never polled); `nightly` is a cron line (None:
    no full runs by themselves) in `zone`.
    """

    fastest: dt.timedelta | None = dt.timedelta(minutes=1)
    slowest: dt.timedelta | None = dt.timedelta(minutes=15)
    nightly: str | None = "30 2 * * *"
    zone: str = "UTC"


def next_poll(
    table: Timetable, now: dt.datetime, every: dt.timedelta | None, chance: float, *, found: bool
) -> tuple[dt.datetime, dt.timedelta] | None:
    """When to poll next, and the interval that leads there. `every` is the interval before (None: the first one), `chance`
    from 0 to 1 spreads it by a tenth, so that many syncs do not ask at once."""
    if table.fastest is None or table.slowest is None:
        return None
    slowest = max(table.fastest, table.slowest)
    longer = table.fastest if found or every is None else min(every * _SLOWER, slowest)
    interval = max(table.fastest, longer)
    return now + interval * (1 + _JITTER * (2 * chance - 1)), interval


def next_nightly(table: Timetable, now: dt.datetime) -> dt.datetime | None:
    """The next time of the cron line after `now`. Over a change of the clocks it comes once: a local time that is skipped
    comes right after the gap, one that is there twice only the first time. Raises `ValueError` like `problem`."""
    if table.nightly is None:
        return None
    told = problem(table.nightly, table.zone)
    if told:
        raise ValueError(told)
    local = now.astimezone(ZoneInfo(table.zone))
    return next(CronSim(table.nightly, local)).astimezone(dt.UTC)


def problem(nightly: str, zone: str) -> str:
    """What is wrong with a cron line or a time zone; empty when nothing is."""
    try:
        known = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return f"'{zone}' is no time zone; write one such as Europe/Berlin"
    try:
        next(CronSim(nightly, dt.datetime(2026, 1, 1, tzinfo=known)))
    except StopIteration:
        return f"'{nightly}' never comes"
    except CronSimError:
        return f"'{nightly}' is no cron line; five fields are needed, such as 30 2 * * *"
    return ""


def next_try(now: dt.datetime, misses: int, chance: float, asked: dt.timedelta | None) -> dt.datetime:
    """When to try again after so many failures in a row: doubling up to an hour, with jitter, never sooner than `asked`."""
    wait = min(_SHORTEST_TRY * 2 ** min(misses, 12), _LONGEST_TRY)
    spread = wait * (0.5 + chance / 2)
    return now + max(spread, asked or dt.timedelta())
