"""The counts of the last full listings into how many records the next one should hold.

Called by `engine.counting`, which keeps the counts, and judged by `brakes`. Robust on purpose: a line through the
medians (Theil and Sen's), so that one odd listing among several bends nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import combinations
from statistics import median

import msgspec

NEEDED = 3
"""Fewer full listings than this tell nothing."""
KEPT = 12
"""How many full listings are remembered."""


class Count(msgspec.Struct, frozen=True):
    """How many records a side held when a full listing of it ended."""

    at: dt.datetime
    records: int


class Forecast(msgspec.Struct, frozen=True):
    """How many records are expected now, how far the past listings lay beside their own line (the median), and how many
    listings say so."""

    expected: int
    spread: int
    listings: int


def forecast(counts: Sequence[Count], now: dt.datetime) -> Forecast | None:
    """What the counts, oldest first, say of now; None while there are too few.

    The trend is followed for as long as it was watched, and no longer. Laws: equal counts are forecast as they are; one
    odd count among five changes nothing; what is expected is never below nothing.
    """
    if len(counts) < NEEDED:
        return None
    first, last = counts[0].at, counts[-1].at
    points = [((each.at - first).total_seconds(), each.records) for each in counts]
    slopes = [(b - a) / (later - time) for (time, a), (later, b) in combinations(points, 2) if later != time]
    slope = median(slopes) if slopes else 0.0
    level = median(records - slope * time for time, records in points)
    spread = median(abs(records - level - slope * time) for time, records in points)
    ahead = min(max(now - last, dt.timedelta()), last - first)
    expected = max(0, round(level + slope * (last - first + ahead).total_seconds()))
    return Forecast(expected, round(spread), len(counts))


def with_count(counts: Sequence[Count], count: Count) -> tuple[Count, ...]:
    """The counts with one more; only the latest are kept."""
    return (*counts, count)[-KEPT:]


def moved(counts: Sequence[Count], by: int) -> tuple[Count, ...]:
    """The counts as if what we made and deleted ourselves had always been so: our own writes are no surprise."""
    return tuple(Count(each.at, max(0, each.records + by)) for each in counts)
