"""How much may come in: so many events at once and a second, so many refusals kept, so large a body.

Used by `service.intake`, one set of counters for each connection.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """`body` in bytes; `rate` events a second and `burst` at once, of one connection; `refused` is how many refused
    deliveries of a connection are kept in an hour (all are counted); `group` events share one commit at most."""

    body: int = 1 << 20
    rate: float = 500.0
    burst: float = 5_000.0
    refused: int = 100
    group: int = 256


class Bucket:
    """Tokens that drip in at a steady rate; each event takes one."""

    def __init__(self, rate: float, burst: float, now: dt.datetime) -> None:
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._at = now

    def take(self, now: dt.datetime) -> float:
        """Take a token; answers 0, or how many seconds until there is one again. A clock that goes back adds nothing."""
        passed = max(0.0, (now - self._at).total_seconds())
        self._at = now
        self._left = min(self._burst, self._left + passed * self._rate)
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) / self._rate
