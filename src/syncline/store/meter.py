"""Single calls into a few rows: counts by hour and purpose, written now and then.

Made by `bootstrap` for each connection and given to the connectors' limiter. At most `CALLS` calls or `AGE` of them are
not written yet: a crash may lose so many. The vendor's next answer corrects the day; the usage stays a little too low.
"""

from __future__ import annotations

import datetime as dt

from syncline.core.quota import DAY, Allowance, Purpose, next_midnight
from syncline.errors import BusyError
from syncline.ports import Clock, Store

CALLS = 100
AGE = dt.timedelta(seconds=10)
_HOUR = dt.timedelta(hours=1)


class StoreMeter:
    """One connection's meter over the store."""

    def __init__(self, connection: str, store: Store, clock: Clock) -> None:
        self._connection = connection
        self._store = store
        self._clock = clock
        self._counts: dict[Purpose, int] = {}
        self._waiting = 0
        self._most = CALLS
        self._news: Allowance | None = None
        self._begin(clock.now())

    def count(self, purpose: Purpose) -> None:
        """One request goes out now."""
        now = self._clock.now()
        if not self._hour <= now < self._ends_at:
            self._write(now)
            self._begin(now)
        self._counts[purpose] = self._counts.get(purpose, 0) + 1
        self._waiting += 1
        if self._waiting >= self._most or now >= self._due:
            self._write(now)

    def today(self) -> int:
        """Requests since midnight UTC, those of other processes too as far as they have been written."""
        now = self._clock.now()
        if not self._hour <= now < self._ends_at:
            self._write(now)
            self._begin(now)
        return self._written + self._waiting

    def allowance(self) -> Allowance | None:
        """What the vendor said last, also to an earlier process."""
        return self._news or self._store.allowance(self._connection)

    def keep(self, allowance: Allowance) -> None:
        """What the vendor says now; written with the next counts."""
        self._news = allowance

    def flush(self) -> None:
        """Write what was not written yet."""
        self._write(self._clock.now())

    def _begin(self, now: dt.datetime) -> None:
        """A new hour, maybe a new day."""
        self._hour = now.replace(minute=0, second=0, microsecond=0)
        self._ends_at = self._hour + _HOUR
        self._due = now + AGE
        self._written = self._read(now)

    def _read(self, now: dt.datetime) -> int:
        used = self._store.usage(self._connection, next_midnight(now) - DAY)
        return sum(each.calls for each in used)

    def _write(self, now: dt.datetime) -> None:
        """One transaction; where another process is writing just now, they wait for the next time."""
        self._due = now + AGE
        if not self._waiting and self._news is None:
            return
        try:
            with self._store.transaction():
                for purpose, calls in self._counts.items():
                    self._store.use(self._connection, self._hour, purpose, calls)
                if self._news is not None:
                    self._store.save_allowance(self._connection, self._news)
                self._written = self._read(now)
        except BusyError:
            self._most = self._waiting + CALLS
            return
        self._counts, self._waiting, self._most, self._news = {}, 0, CALLS, None
