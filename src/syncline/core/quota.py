"""What a vendor still allows into what may go out now, and into when a number of calls will be done.

Asked by `connectors.limiter` before every call, and by `engine.outlook` for plans. Pure arithmetic: time comes in as an
argument. Bulk work never touches the share that is kept for live work.
"""

from __future__ import annotations

import datetime as dt
from enum import Enum

import msgspec

DAY = dt.timedelta(days=1)
RESERVE = 0.1
"""The share of every limit that bulk work leaves alone, unless configured."""
IN_A_ROW = 20
"""So many urgent calls may overtake a waiting bulk call before one bulk call has its turn."""


class Purpose(Enum):
    """What a call is made for. Urgent purposes go before bulk ones, and may use what bulk work must leave."""

    LIVE = "live"
    """Carrying an edit that somebody has just made: a run over changes only."""
    INTERACTIVE = "interactive"
    """A person waits for the answer."""
    RECOVERY = "recovery"
    """Finding out what became of an interrupted write."""
    BULK = "bulk"
    """Looking at everything, and what comes of it: first meetings, full runs."""

    @property
    def is_bulk(self) -> bool:
        """Whether it can wait."""
        return self is Purpose.BULK


class Allowance(msgspec.Struct, frozen=True):
    """What a vendor last said of its day: how many calls it holds, how many were left at `seen_at`, when it ends."""

    daily_limit: int | None
    daily_left: int
    seen_at: dt.datetime
    resets_at: dt.datetime


class Usage(msgspec.Struct, frozen=True):
    """Calls of one connection in one hour (`hour` is its begin) for one purpose."""

    hour: dt.datetime
    purpose: Purpose
    calls: int


class Terms(msgspec.Struct, frozen=True):
    """The limits that a person configured: calls a day, calls in so many seconds, the share kept for live work.

    They hold where the vendor's answers tell nothing; its headers win.
    """

    daily: int | None = None
    burst: tuple[int, float] | None = None
    reserve: float = RESERVE


def kept(limit: int, share: float) -> int:
    """How much of a limit is kept for live work. Law: 0 <= kept < limit, so that bulk work always has something."""
    return max(0, min(limit - 1, int(limit * share)))


class Quota(msgspec.Struct, frozen=True):
    """The limits of a connection as they are known now; None where nobody tells.

    `daily_left` calls may go until `resets_at`. `reserve` is the share kept for live work. `pace` is how many seconds
    one call takes, counting what goes on at the same time, as far as it was measured.
    """

    burst_limit: int | None = None
    burst_seconds: float | None = None
    daily_limit: int | None = None
    daily_left: int | None = None
    resets_at: dt.datetime | None = None
    reserve: float = 0.0
    pace: float = 0.0

    def burst(self, purpose: Purpose) -> int | None:
        """How many calls of the short window may be under this purpose."""
        if self.burst_limit is None or not purpose.is_bulk:
            return self.burst_limit
        return self.burst_limit - kept(self.burst_limit, self.reserve)

    def left(self, purpose: Purpose) -> int | None:
        """How many calls may still go out today. Law: for bulk, never more than what is over the reserve."""
        if self.daily_left is None or self.daily_limit is None or not purpose.is_bulk:
            return self.daily_left
        return max(0, self.daily_left - kept(self.daily_limit, self.reserve))

    def day(self, purpose: Purpose) -> int | None:
        """How many calls a whole day has for this purpose."""
        if self.daily_limit is None or not purpose.is_bulk:
            return self.daily_limit
        return self.daily_limit - kept(self.daily_limit, self.reserve)


def next_midnight(now: dt.datetime) -> dt.datetime:
    """When the day ends where no vendor says otherwise: at midnight UTC."""
    return dt.datetime.combine(now.astimezone(dt.UTC).date() + DAY, dt.time(), dt.UTC)


def is_bulk_next(*, urgent_waits: bool, bulk_waits: bool, overtaken: int) -> bool:
    """Whose turn it is. Urgent calls go before waiting bulk calls, but after `IN_A_ROW` of them one bulk call goes: a
    flood of edits slows bulk work down to a twentieth, and does not stop it."""
    return bulk_waits and (not urgent_waits or overtaken >= IN_A_ROW)


class CallForecast(msgspec.Struct, frozen=True):
    """When so many calls will be done, at the earliest, with the quota that is left.

    `left_today` is what this purpose may still use (None: no daily limit is known). `finished_at` is None when it never
    ends: the day has nothing for this purpose.
    """

    calls: int
    left_today: int | None
    finished_at: dt.datetime | None
    seconds: float | None
    sentence: str


def forecast_calls(
    calls: int, quota: Quota, now: dt.datetime, purpose: Purpose = Purpose.BULK
) -> CallForecast:
    """When `calls` calls that begin now are done.

    Laws: more calls never end earlier; never earlier than the rate allows; never more calls in a day than the purpose
    has; a quota that allows more never ends later.
    """
    left, end = quota.left(purpose), _end(calls, quota, now, purpose)
    seconds = None if end is None else (end - now).total_seconds()
    return CallForecast(calls, left, end, seconds, _sentence(calls, left, end, now))


def _end(calls: int, quota: Quota, now: dt.datetime, purpose: Purpose) -> dt.datetime | None:
    """The time of the last call; None for never."""
    left, day = quota.left(purpose), quota.day(purpose)
    at_least = now + _duration(calls, quota, purpose)
    if left is None or day is None:
        return at_least
    resets_at = quota.resets_at or next_midnight(now)
    first = min(left, _possible(max(dt.timedelta(), resets_at - now), quota, purpose, left))
    if calls <= first:
        return at_least
    each = min(day, _possible(DAY, quota, purpose, day))
    if each <= 0:
        return None
    days, rest = divmod(calls - first - 1, each)
    return max(at_least, resets_at + days * DAY + _duration(rest + 1, quota, purpose))


def _duration(calls: int, quota: Quota, purpose: Purpose) -> dt.timedelta:
    """How long so many calls take at least: whole windows before the last one, and the measured pace."""
    burst = quota.burst(purpose)
    paced = calls * quota.pace
    if not burst:
        return dt.timedelta(seconds=paced)
    return dt.timedelta(seconds=max(paced, (calls - 1) // burst * (quota.burst_seconds or 0.0)))


def _possible(within: dt.timedelta, quota: Quota, purpose: Purpose, most: int) -> int:
    """How many calls can begin before a time is over, `most` at most."""
    seconds, found = within.total_seconds(), most
    burst = quota.burst(purpose)
    if burst is not None and quota.burst_seconds:
        found = min(found, burst * int(-(-seconds // quota.burst_seconds)))
    if quota.pace > 0:
        found = min(found, int(seconds / quota.pace))
    return found if seconds > 0 else 0


def _sentence(calls: int, left: int | None, end: dt.datetime | None, now: dt.datetime) -> str:
    if calls <= 0:
        return "no calls"
    counted = f"{calls:,} call{'s' if calls != 1 else ''}"
    if end is None:
        return f"needs {counted}, and no day has any for this work"
    if left is None:
        return f"{counted}; {spoken(end - now)}"
    if calls <= left and end <= now + DAY:
        return f"{counted}; {spoken(end - now)}; {left:,} calls left today"
    return f"needs {counted}, {left:,} left today: finishes {_when(end, now)}"


def spoken(span: dt.timedelta) -> str:
    """A duration in its two largest units: "3 min 10 s"."""
    seconds = int(span.total_seconds())
    if seconds < 1:
        return "under 1 s"
    parts = [
        (seconds // 86_400, "d"),
        (seconds // 3600 % 24, "h"),
        (seconds // 60 % 60, "min"),
        (seconds % 60, "s"),
    ]
    first = next(index for index, (count, _) in enumerate(parts) if count)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2] if count)


def _when(at: dt.datetime, now: dt.datetime) -> str:
    """A time as a person says it, in UTC."""
    there = at.astimezone(dt.UTC)
    days = (there.date() - now.astimezone(dt.UTC).date()).days
    named = {0: "today", 1: "tomorrow"}.get(days, f"{there:%Y-%m-%d}")
    return f"{named} {there:%H:%M} UTC"
