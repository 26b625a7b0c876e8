"""When events came, by the hour, into whether it is unusual that none comes now.

Used by `service.silence`. An account is quiet at night and at week-ends, so each hour is compared with the same hour of
earlier weeks: the silence is unusual when it would hardly happen by chance.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping

import msgspec

HOUR = dt.timedelta(hours=1)
WEEK = dt.timedelta(weeks=1)
LOOKED_BACK = 4 * WEEK
"""How far back the hours should go."""
_LEAST_WEEKS = 2
_BY_CHANCE = 0.001


class Silence(msgspec.Struct, frozen=True):
    """When the last event came, since how long there is none, and how likely so long a silence is here (1 is normal). None
    where too little is known to say."""

    last_at: dt.datetime | None
    quiet: dt.timedelta | None
    chance: float | None

    @property
    def is_unusual(self) -> bool:
        """Whether somebody should look why no event comes."""
        return self.chance is not None and self.chance < _BY_CHANCE


def silence(hours: Mapping[dt.datetime, int], last: dt.datetime | None, now: dt.datetime) -> Silence:
    """Judge the time since the last event by the hours (their beginnings in UTC, with how many events) before it.

    Whole hours without an event are judged, each by the share of earlier weeks in which that hour had one; more than one
    week is needed. Hours are taken for independent, so a rare holiday may look unusual once.
    """
    if last is None:
        return Silence(None, None, None)
    quiet = max(now - last, dt.timedelta())
    before = [hour for hour, count in hours.items() if count and hour <= last]
    # A week that is known in part counts as one: that errs on the quiet side.
    weeks = -((min(before) - last) // WEEK) if before else 0
    if weeks < _LEAST_WEEKS:
        return Silence(last, quiet, None)
    active = Counter(_hour_of_week(hour) for hour in before if hour > last - weeks * WEEK)
    chance = 1.0
    hour = _begin(last) + HOUR
    while hour + HOUR <= now and chance >= _BY_CHANCE:
        # One more week than there was: what happened every time so far is still not certain.
        chance *= 1 - min(active[_hour_of_week(hour)], weeks) / (weeks + 1)
        hour += HOUR
    return Silence(last, quiet, chance)


def _begin(at: dt.datetime) -> dt.datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _hour_of_week(hour: dt.datetime) -> tuple[int, int]:
    return hour.weekday(), hour.hour
