"""Requests that want to go out into requests that may: one budget per connection, never above the vendor's limit.

Used by `connectors.http`. A slot is freed `interval` after the request's *completion*: whatever the latency, a window of
that length at the vendor then never holds more requests than the limit.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from syncline.errors import TransientError
from syncline.ports import Clock, Quota


class SlidingWindow:
    """Lets `limit` requests through per `interval`, `concurrency` at once, first come first served.

    `limit` None means that the vendor publishes no rate: only `concurrency` holds. A day's budget is kept where the
    vendor's answers tell of one (`observe`); the day is taken to end at midnight UTC.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        limit: int | None = None,
        interval: dt.timedelta = dt.timedelta(seconds=10),
        concurrency: int = 5,
        daily_limit: int | None = None,
    ) -> None:
        self._clock = clock
        self._limit = limit
        self._interval = interval
        self._daily_limit = daily_limit
        self._daily_left = daily_limit
        self._day = clock.now().date()
        self._places = asyncio.Semaphore(concurrency)
        self._turnstile = asyncio.Lock()
        self._completed: deque[dt.datetime] = deque()
        self._under_way = 0
        self._landed = asyncio.Event()
        self._held_until: dt.datetime | None = None

    @property
    def quota(self) -> Quota:
        """The limits as they are known now."""
        return Quota(
            burst_limit=self._limit,
            burst_seconds=None if self._limit is None else self._interval.total_seconds(),
            daily_limit=self._daily_limit,
            daily_left=self._daily_left,
        )

    @asynccontextmanager
    async def slot(self) -> AsyncGenerator[None, None]:
        """One request's turn. Raises `TransientError` when the day's budget is used up."""
        async with self._places:
            async with self._turnstile:
                await self._wait_for_room()
                self._spend_day()
                self._under_way += 1
            try:
                yield
            finally:
                self._under_way -= 1
                self._completed.append(self._clock.now())
                self._landed.set()

    def observe(
        self,
        *,
        limit: int | None = None,
        interval: dt.timedelta | None = None,
        left: int | None = None,
        daily_limit: int | None = None,
        daily_left: int | None = None,
    ) -> None:
        """Correct the budget by what an answer's headers say; None leaves a figure as it is.

        `left` below what we have spent ourselves means that another program shares the window: the missing slots count
        as spent now.
        """
        self._limit = self._limit if limit is None else max(1, limit)
        self._interval = self._interval if interval is None else interval
        self._daily_limit = self._daily_limit if daily_limit is None else daily_limit
        if daily_left is not None:
            self._daily_left, self._day = daily_left, self._clock.now().date()
        if left is not None and self._limit is not None:
            self._forget_old()
            foreign = (self._limit - left) - (self._under_way + len(self._completed))
            self._completed.extend([self._clock.now()] * max(0, foreign))

    def hold(self, pause: dt.timedelta) -> None:
        """Let nothing through for so long: the vendor asked us to wait."""
        until = self._clock.now() + pause
        if self._held_until is None or until > self._held_until:
            self._held_until = until

    async def _wait_for_room(self) -> None:
        """Return once one more request may go out. Called by one task at a time."""
        while True:
            self._forget_old()
            now = self._clock.now()
            if self._held_until is not None and self._held_until > now:
                await self._clock.sleep((self._held_until - now).total_seconds())
            elif self._limit is None or self._under_way + len(self._completed) < self._limit:
                return
            elif self._completed:
                await self._clock.sleep((self._completed[0] + self._interval - now).total_seconds())
            else:
                self._landed.clear()
                await self._landed.wait()

    def _forget_old(self) -> None:
        """Free the slots that ended an interval ago. After a jump back of the clock, an end counts as just now."""
        now = self._clock.now()
        for index, at in enumerate(self._completed):
            if at <= now:
                break
            self._completed[index] = now
        while self._completed and (self._limit is None or self._completed[0] + self._interval <= now):
            self._completed.popleft()
        if self._held_until is not None and self._held_until <= now:
            self._held_until = None

    def _spend_day(self) -> None:
        now = self._clock.now()
        if now.date() != self._day:
            self._daily_left, self._day = self._daily_limit, now.date()
        if self._daily_left is None:
            return
        if self._daily_left <= 0:
            midnight = dt.datetime.combine(now.date() + dt.timedelta(days=1), dt.time(), dt.UTC)
            raise TransientError("the vendor's daily quota is used up", after=midnight - now)
        self._daily_left -= 1
