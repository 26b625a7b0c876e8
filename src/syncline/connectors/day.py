"""Answers and counted requests into what is left of a vendor's day, over restarts too.

Used by `connectors.limiter`, one day for each connection. What outlives the process lies behind a `Meter`.
"""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from syncline.core.quota import DAY, Allowance, Purpose, next_midnight
from syncline.ports import Clock


class Meter(Protocol):
    """What outlives the process of one connection's budget: calls by hour and purpose, and the vendor's last word.

    Made by `bootstrap` over the store. `count` is called for every request and must cost next to nothing: what was
    counted is written now and then, and by `flush`.
    """

    def count(self, purpose: Purpose) -> None:
        """One request goes out now."""
        ...

    def today(self) -> int:
        """Requests since midnight UTC, those of other processes too as far as they have been written."""
        ...

    def allowance(self) -> Allowance | None:
        """What the vendor said last, also to an earlier process."""
        ...

    def keep(self, allowance: Allowance) -> None:
        """What the vendor says now; written with the next counts."""
        ...

    def flush(self) -> None:
        """Write what was not written yet."""
        ...


class Tally:
    """A meter that forgets with the process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ends_at = next_midnight(clock.now())
        self._calls = 0

    def count(self, purpose: Purpose) -> None:
        """One request goes out now."""
        del purpose
        self._calls = self.today() + 1

    def today(self) -> int:
        """Requests since midnight UTC."""
        now = self._clock.now()
        if now >= self._ends_at:
            self._calls, self._ends_at = 0, next_midnight(now)
        return self._calls

    def allowance(self) -> Allowance | None:
        """Nothing from before."""
        return None

    def keep(self, allowance: Allowance) -> None:
        """Nobody asks later."""

    def flush(self) -> None:
        """Nowhere to write to."""


class Day:
    """The calls of one day: what is left, and when it starts again.

    The vendor's headers win. Where it tells nothing, a configured limit holds against what the meter counted of today
    in all processes.
    """

    def __init__(self, clock: Clock, meter: Meter, limit: int | None) -> None:
        self._clock = clock
        self._meter = meter
        self._told = meter.allowance()
        self._configured = limit
        self._left = 0 if self._told is None else self._told.daily_left

    @property
    def limit(self) -> int | None:
        """Calls in a whole day; None where nobody tells."""
        told = self._told.daily_limit if self._told is not None else None
        return self._configured if told is None else told

    @property
    def resets_at(self) -> dt.datetime:
        """When the next day begins."""
        return next_midnight(self._clock.now()) if self._told is None else self._told.resets_at

    def left(self) -> int | None:
        """Calls that may still go out; None where nobody tells."""
        if self._told is None:
            return None if self._configured is None else max(0, self._configured - self._meter.today())
        if self._clock.now() < self._told.resets_at:
            return self._left
        self._told = self._renewed(self._told, self._clock.now())
        return self.left()

    def _renewed(self, told: Allowance, now: dt.datetime) -> Allowance | None:
        """A new day: all is left again. Without a limit nothing is known of it."""
        if self.limit is None:
            return None
        self._left = self.limit
        days = (now - told.resets_at) // DAY + 1
        return Allowance(self.limit, self._left, now, told.resets_at + days * DAY)

    def spend(self) -> None:
        """One call goes out."""
        self._left -= 1

    def hear(
        self, limit: int | None, left: int, ends_in: dt.timedelta | None, others: int, most: int
    ) -> None:
        """What an answer says is left. `others` are our requests under way, `most` how many can be.

        Answers overtake each other, so that what is told may be too high by the requests that overlapped: our own count
        stays unless it is out of that range; then the told number counts, less all that is under way.
        """
        self.left()
        now, told = self._clock.now(), self._told
        if told is None or not left - most <= self._left <= left:
            self._left = max(0, left - others)
        if ends_in is not None:
            resets_at = now + ends_in
        else:
            resets_at = next_midnight(now) if told is None else told.resets_at
        self._told = Allowance(limit if limit is not None else self.limit, self._left, now, resets_at)
        self._meter.keep(self._told)
