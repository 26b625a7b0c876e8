"""How long edits took into whether a sync keeps its freshness objective, and how fast it uses up what is forgiven.

Called by `service.freshness`, for metrics and alerts. The burn rate is the share of late edits over the share that is
forgiven: at 1 the forgiven part is used up exactly when the span is over. An alarm needs a short and a long window to
agree: the short one ends it soon after things are well, the long one keeps a single slow edit from raising it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

Counts = Mapping[dt.timedelta, int]
"""Edits by the bound of their bucket: so many took at most so long."""

_FAST, _SLOW = 14.4, 6.0
_LEAST = 3


class Objective(msgspec.Struct, frozen=True):
    """That this share of all edits is written within a time, counted over a span."""

    share: float = 0.99
    within: dt.timedelta = dt.timedelta(seconds=60)
    over: dt.timedelta = dt.timedelta(hours=24)

    def __post_init__(self) -> None:
        """Raises `ValueError` for a share that forgives nothing or everything, or a span that is none."""
        if not 0 < self.share < 1 or min(self.within, self.over) <= dt.timedelta():
            raise ValueError("an objective is a share between 0 and 1, and two spans longer than nothing")


class Burn(msgspec.Struct, frozen=True):
    """How a sync does: its edits over the whole span and how many of them were late, and the burn rates of the short
    (`fast`) and the long (`slow`) window. `left` is the share of the forgiven part that is not used up; below 0 the
    objective is missed."""

    edits: int
    late: int
    fast: float
    slow: float
    left: float
    is_alarming: bool


def burn(objective: Objective, recent: Counts, whole: Counts, waiting: int = 0) -> Burn:
    """Judge the edits of a short window (an hour) and of the whole span. `waiting` edits are late already and not written:
    they count in both, so that a sync that writes nothing at all does not look well.

    Laws: no edits, no alarm; one more late edit never lowers a rate, one more in time never raises one; all in time
    means rates of 0 and everything left.
    """
    edits, late = _counted(objective, whole, waiting)
    recent_edits, recent_late = _counted(objective, recent, waiting)
    fast = _rate(objective, recent_edits, recent_late)
    slow = _rate(objective, edits, late)
    is_alarming = late >= _LEAST and recent_late > 0 and ((fast >= _FAST and slow >= 1) or slow >= _SLOW)
    return Burn(edits, late, fast, slow, 1 - slow, is_alarming)


def quantile(counts: Counts, share: float) -> dt.timedelta | None:
    """The time within which this share of the edits was written, as far as buckets tell: the bound of the bucket in which
    it lies. None without edits. Law: it grows with the share."""
    total, seen = sum(counts.values()), 0
    for bound in sorted(counts):
        seen += counts[bound]
        if seen and seen >= share * total:
            return bound
    return None


def _counted(objective: Objective, counts: Counts, waiting: int) -> tuple[int, int]:
    late = sum(count for bound, count in counts.items() if bound > objective.within)
    return sum(counts.values()) + waiting, late + waiting


def _rate(objective: Objective, edits: int, late: int) -> float:
    return late / edits / (1 - objective.share) if edits else 0.0
