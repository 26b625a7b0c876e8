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
    times = [(each.at - first).total_seconds() for each in counts]
    slopes = [
        (counts[b].records - counts[a].records) / (times[b] - times[a])
        for a, b in combinations(range(len(counts)), 2)
        if times[a] != times[b]
    ]
    slope = median(slopes) if slopes else 0.0
    level = median(each.records - slope * time for each, time in zip(counts, times, strict=True))
    spread = median(
        abs(each.records - level - slope * time) for each, time in zip(counts, times, strict=True)
    )
    ahead = min(max(now - last, dt.timedelta()), last - first).total_seconds()
    expected = max(0, round(level + slope * (times[-1] + ahead)))
    return Forecast(expected, round(spread), len(counts))


def with_count(counts: Sequence[Count], count: Count) -> tuple[Count, ...]:
    """The counts with one more; only the latest are kept."""
    return (*counts, count)[-KEPT:]


def moved(counts: Sequence[Count], by: int) -> tuple[Count, ...]:
    """The counts as if what we made and deleted ourselves had always been so: our own writes are no surprise."""
    return tuple(Count(each.at, max(0, each.records + by)) for each in counts)
