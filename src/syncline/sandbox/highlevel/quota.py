"""Counts requests per app and resource in a strict sliding window and a day (facts: highlevel-api.md 4).

Called by `gate` for every request with a good token. Any interval of the configured length holds at most `burst`
answered requests; a refused one (429) does not count. The day is UTC's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

DAY_MS = 86_400_000


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The size of a quota."""

    burst: int = 100
    interval_ms: int = 10_000
    daily: int = 200_000


@dataclass(slots=True)
class _Bucket:
    taken_ms: deque[int] = field(default_factory=deque[int])
    day: int = 0
    used: int = 0


class Quota:
    """All buckets, each named by app and resource."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.refused = 0
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def take(self, bucket: tuple[str, str], now_ms: int) -> bool:
        """Count one request; False when it has to be refused."""
        state = self._state(bucket, now_ms)
        if len(state.taken_ms) >= self.limits.burst or state.used >= self.limits.daily:
            self.refused += 1
            return False
        state.taken_ms.append(now_ms)
        state.used += 1
        return True

    def headers(
        self, bucket: tuple[str, str] | None, now_ms: int, *, with_daily_reset: bool
    ) -> Mapping[str, str]:
        """What every answer tells. Without a bucket (nobody knows whose request it was) everything is left."""
        state = self._state(bucket, now_ms) if bucket is not None else _Bucket()
        limits = self.limits
        headers = {
            "X-RateLimit-Limit-Daily": str(limits.daily),
            "X-RateLimit-Daily-Remaining": str(max(0, limits.daily - state.used)),
            "X-RateLimit-Interval-Milliseconds": str(limits.interval_ms),
            "X-RateLimit-Max": str(limits.burst),
            "X-RateLimit-Remaining": str(max(0, limits.burst - len(state.taken_ms))),
        }
        if with_daily_reset:
            headers["X-RateLimit-Daily-Reset"] = str(DAY_MS - now_ms % DAY_MS)
        return headers

    def wait_seconds(self, bucket: tuple[str, str], now_ms: int) -> int:
        """How long until a refused bucket has room again, rounded up."""
        state = self._state(bucket, now_ms)
        if state.used >= self.limits.daily or not state.taken_ms:
            return -(-(DAY_MS - now_ms % DAY_MS) // 1000)
        return -(-(state.taken_ms[0] + self.limits.interval_ms - now_ms) // 1000)

    def _state(self, bucket: tuple[str, str], now_ms: int) -> _Bucket:
        state = self._buckets.setdefault(bucket, _Bucket())
        while state.taken_ms and state.taken_ms[0] <= now_ms - self.limits.interval_ms:
            state.taken_ms.popleft()
        if state.day != now_ms // DAY_MS:
            state.day, state.used = now_ms // DAY_MS, 0
        return state
