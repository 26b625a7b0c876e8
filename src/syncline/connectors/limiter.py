"""Requests that want to go out into requests that may: one budget per connection, never above the vendor's limit.

Used by `connectors.http`. A slot is freed `interval` after the request's *completion*: whatever the latency, a window of
that length at the vendor then never holds more requests than the limit. Urgent requests go before waiting bulk ones
(`core.quota`), and a share of the window and of the day is kept for them. The day (`connectors.day`) outlives the process.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import deque

from syncline.connectors.day import Day, Meter, Tally
from syncline.core.quota import IN_A_ROW, Purpose, Quota, Terms, is_bulk_next, kept
from syncline.errors import Detail, TransientError
from syncline.ports import Clock, purpose_now

_SMOOTH = 16
"""How many calls the measured pace looks back on, about."""


class _Turn:
    """A request that waits. Its bell rings when it may go, when it never may, or when it shall keep the time."""

    __slots__ = ("bell", "is_granted", "purpose", "refusal")

    def __init__(self, purpose: Purpose) -> None:
        self.purpose = purpose
        self.bell = asyncio.Event()
        self.is_granted = False
        self.refusal: TransientError | None = None


class _Slot:
    """One request's turn, as a context."""

    __slots__ = ("_began_at", "_limiter")

    def __init__(self, limiter: SlidingWindow) -> None:
        self._limiter = limiter

    async def __aenter__(self) -> None:
        await self._limiter.enter()
        self._began_at = self._limiter.clock.now()

    async def __aexit__(self, *_: object) -> None:
        self._limiter.leave(self._began_at)


class SlidingWindow:
    """Lets `limit` requests through per `interval`, `concurrency` at once: urgent ones first, else as they came.

    `limit` None means that the vendor publishes no rate: only `concurrency` holds. Configured `terms` take the place of
    `limit`, `interval` and `daily_limit`; the vendor's own words (`observe`) take the place of all of them. Without
    another word a day ends at midnight UTC.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        limit: int | None = None,
        interval: dt.timedelta = dt.timedelta(seconds=10),
        concurrency: int = 5,
        daily_limit: int | None = None,
        terms: Terms | None = None,
        meter: Meter | None = None,
    ) -> None:
        terms = terms or Terms()
        self.clock = clock
        self.meter: Meter = meter or Tally(clock)
        self._limit, self._interval = limit, interval
        if terms.burst is not None:
            self._limit, self._interval = terms.burst[0], dt.timedelta(seconds=terms.burst[1])
        self._reserve = terms.reserve
        self._concurrency = concurrency
        self._day = Day(clock, self.meter, daily_limit if terms.daily is None else terms.daily)
        self._urgent: deque[_Turn] = deque()
        self._bulk: deque[_Turn] = deque()
        self._overtaken = 0
        self._timekeeper: _Turn | None = None
        self._wakes_at = clock.now()
        self._completed: deque[dt.datetime] = deque()
        self._under_way = 0
        self._held_until: dt.datetime | None = None
        self._pace = 0.0
        self._burst_for_bulk: int | None = None
        self._size()

    @property
    def quota(self) -> Quota:
        """The limits as they are known now."""
        limit = self._day.limit
        return Quota(
            burst_limit=self._limit,
            burst_seconds=None if self._limit is None else self._interval.total_seconds(),
            daily_limit=limit,
            daily_left=self._day.left(),
            resets_at=None if limit is None else self._day.resets_at,
            reserve=self._reserve,
            pace=self._pace / self._concurrency,
        )

    def slot(self) -> _Slot:
        """One request's turn: `async with`. Entering raises `TransientError` when the day has no call for its purpose."""
        return _Slot(self)

    async def enter(self) -> None:
        """Wait for a turn; `leave` must follow. Raises `TransientError`."""
        purpose = purpose_now()
        if not self._urgent and not self._bulk and self._has_room(purpose):
            refusal = self._refusal(purpose)
            if refusal is not None:
                raise refusal
            self._go(purpose)
        else:
            await self._queue(purpose)

    def leave(self, began_at: dt.datetime) -> None:
        """The request that began then is over."""
        now = self.clock.now()
        self._under_way -= 1
        self._completed.append(now)
        took = (now - began_at).total_seconds()
        self._pace = took if self._pace == 0.0 else self._pace + (took - self._pace) / _SMOOTH
        if self._urgent or self._bulk:
            self._serve()

    def observe(
        self,
        *,
        limit: int | None = None,
        interval: dt.timedelta | None = None,
        left: int | None = None,
        daily_limit: int | None = None,
        daily_left: int | None = None,
        daily_reset: dt.timedelta | None = None,
    ) -> None:
        """Correct the budget by what an answer's headers say; None leaves a figure as it is. Called within the slot.

        `left` below what we have spent ourselves means that another program shares the window: the missing slots count
        as spent now.
        """
        if limit is not None and limit != self._limit:
            self._limit = max(1, limit)
            self._size()
        self._interval = self._interval if interval is None else interval
        if daily_left is not None:
            others = max(0, self._under_way - 1)
            self._day.hear(daily_limit, daily_left, daily_reset, others, self._concurrency)
        if left is not None and self._limit is not None:
            self._forget_old()
            foreign = (self._limit - left) - (self._under_way + len(self._completed))
            if foreign > 0:
                self._completed.extend([self.clock.now()] * foreign)

    def hold(self, pause: dt.timedelta) -> None:
        """Let nothing through for so long: the vendor asked us to wait."""
        until = self.clock.now() + pause
        if self._held_until is None or until > self._held_until:
            self._held_until = until

    def close(self) -> None:
        """Write down what was counted."""
        self.meter.flush()

    # --- who goes -------------------------------------------------------------------------------------------------

    def _go(self, purpose: Purpose) -> None:
        self._under_way += 1
        self._day.spend()
        self.meter.count(purpose)

    def _size(self) -> None:
        """How many of the window bulk requests may use."""
        self._burst_for_bulk = Quota(burst_limit=self._limit, reserve=self._reserve).burst(Purpose.BULK)

    def _has_room(self, purpose: Purpose) -> bool:
        """Whether one more request may go out now, as far as the short window goes."""
        if self._under_way >= self._concurrency:
            return False
        self._forget_old()
        if self._held_until is not None:
            return False
        # A bulk request that was overtaken often enough has its turn, also in the kept share of the window.
        is_cut = purpose.is_bulk and self._overtaken < IN_A_ROW
        limit = self._burst_for_bulk if is_cut else self._limit
        return limit is None or self._under_way + len(self._completed) < limit

    def _refusal(self, purpose: Purpose) -> TransientError | None:
        """Why a request may not go out today."""
        left = self._day.left()
        if left is None:
            return None
        limit = self._day.limit
        if left > (kept(limit, self._reserve) if purpose.is_bulk and limit is not None else 0):
            return None
        resets_at = self._day.resets_at
        why = "the vendor's daily quota is used up"
        if left > 0:
            why = f"the day's calls for bulk work are used up; {left:,} are kept for live work"
        return TransientError(
            f"{why}; it goes on at {resets_at:%Y-%m-%d %H:%M} UTC",
            after=resets_at - self.clock.now(),
            detail=Detail.DAILY_QUOTA,
        )

    async def _queue(self, purpose: Purpose) -> None:
        """Wait until it is this request's turn. One of those who wait keeps the time for all."""
        turn = _Turn(purpose)
        lane = self._bulk if purpose.is_bulk else self._urgent
        lane.append(turn)
        try:
            self._serve()
            while not turn.is_granted:
                await self._wait(turn)
                if turn.refusal is not None:
                    raise turn.refusal
        except BaseException:
            if turn.is_granted:
                self._under_way -= 1
            elif turn in lane:
                lane.remove(turn)
            self._serve()
            raise

    async def _wait(self, turn: _Turn) -> None:
        """Until the bell rings; who keeps the time rings for the others."""
        pause = self._pause() if self._timekeeper is None else None
        if turn.refusal is not None or turn.is_granted:
            return
        if pause is None:
            turn.bell.clear()
            await turn.bell.wait()
            return
        self._timekeeper, self._wakes_at = turn, self.clock.now() + dt.timedelta(seconds=pause)
        try:
            await self.clock.sleep(pause)
        finally:
            self._timekeeper = None
        self._serve()

    def _serve(self) -> None:
        """Let everybody go whose turn it is, and see to it that somebody keeps the time for the others."""
        while (turn := self._next()) is not None:
            refusal = self._refusal(turn.purpose)
            if refusal is None and not self._has_room(turn.purpose):
                break
            (self._bulk if turn.purpose.is_bulk else self._urgent).popleft()
            turn.refusal = refusal
            if refusal is None:
                self._overtaken = 0 if turn.purpose.is_bulk else self._overtaken + bool(self._bulk)
                turn.is_granted = True
                self._go(turn.purpose)
            turn.bell.set()
        waiting = self._urgent or self._bulk
        if waiting and self._timekeeper is None and self._pause() is not None:
            waiting[0].bell.set()

    def _next(self) -> _Turn | None:
        """Who is next; nobody while that one keeps the time and is about to wake. A bulk request that keeps the time
        stands in nobody's way before its time has come."""
        urgent, bulk = (next(iter(lane), None) for lane in (self._urgent, self._bulk))
        if bulk is not None and bulk is self._timekeeper and self.clock.now() < self._wakes_at:
            bulk = None
        is_bulk = is_bulk_next(
            urgent_waits=urgent is not None, bulk_waits=bulk is not None, overtaken=self._overtaken
        )
        found = bulk if is_bulk else urgent
        return None if found is self._timekeeper else found

    def _pause(self) -> float | None:
        """Seconds until there may be room again; None when that hangs on an answer, not on time."""
        self._forget_old()
        now = self.clock.now()
        if self._held_until is not None:
            return (self._held_until - now).total_seconds()
        if self._under_way >= self._concurrency or not self._completed:
            return None
        return (self._completed[0] + self._interval - now).total_seconds()

    def _forget_old(self) -> None:
        """Free the slots that ended an interval ago. After a jump back of the clock, an end counts as just now."""
        completed = self._completed
        now = self.clock.now()
        if completed and completed[0] > now:
            for index, at in enumerate(completed):
                if at <= now:
                    break
                completed[index] = now
        while completed and (self._limit is None or completed[0] + self._interval <= now):
            completed.popleft()
        if self._held_until is not None and self._held_until <= now:
            self._held_until = None
