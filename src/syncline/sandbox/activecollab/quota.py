"""An optional rate limit. ActiveCollab publishes none, so there is none unless a test sets one (facts 5)."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Mapping

from syncline.sandbox.wire import Response, SandboxClock


class Quota:
    """So many requests in so many seconds, then 429 with `Retry-After`."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._limit: int | None = None
        self._window = dt.timedelta(seconds=10)
        self._allowed: deque[dt.datetime] = deque()

    def set(self, args: Mapping[str, object]) -> dict[str, object]:
        """`requests` (null: no limit) and `seconds`. Raises `ValueError` for anything else."""
        requests, seconds = args.get("requests"), args.get("seconds", 10)
        if not isinstance(requests, int | None) or not isinstance(seconds, int | float) or seconds <= 0:
            raise ValueError("A quota needs `requests` (a number or null) and `seconds` (a positive number).")
        self._limit, self._window = requests, dt.timedelta(seconds=seconds)
        self._allowed.clear()
        return {"requests": requests, "seconds": seconds}

    def refusal(self) -> Response | None:
        """Count one request; a 429 when it is one too many."""
        if self._limit is None:
            return None
        now = self._clock.now()
        while self._allowed and self._allowed[0] <= now - self._window:
            self._allowed.popleft()
        if len(self._allowed) < self._limit:
            self._allowed.append(now)
            return None
        oldest = self._allowed[0] if self._allowed else now
        wait = (oldest + self._window - now).total_seconds()
        body = {"type": "TooManyRequests", "message": "Too many requests."}
        return Response.json(body, 429, {"Retry-After": str(max(1, round(wait + 0.5)))})
