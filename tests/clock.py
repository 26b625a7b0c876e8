"""A clock whose sleep is over at once: time moves only when somebody waits or says so."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)


class VirtualClock:
    """`sleep` moves the time on and gives the other tasks a turn. `followers` are moved with it (a sandbox's clock)."""

    def __init__(self, start: dt.datetime = START, *followers: Callable[[float], object]) -> None:
        self._now = start
        self._followers = followers
        self.slept: list[float] = []

    def now(self) -> dt.datetime:
        """The virtual time, aware UTC."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Let so much virtual time pass."""
        self.slept.append(seconds)
        self.advance(max(0.0, seconds))
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Move forward (or back, with a negative number)."""
        self._now += dt.timedelta(seconds=seconds)
        for follow in self._followers:
            follow(seconds)

    def jump(self, seconds: float) -> None:
        """Be wrong by so much more; nobody follows."""
        self._now += dt.timedelta(seconds=seconds)
