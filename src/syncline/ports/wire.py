"""Short notes from each process of an installation to the others, such as how far a run is.

Part of `ports.jobs.JobEngine`: whoever shares wakes is connected anyway. Used by `service.following`. Nothing is kept, and
nothing may hang on a note: who does not listen has missed it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

LONGEST = 7_900
"""Bytes of a note in UTF-8: PostgreSQL carries somewhat less than 8,000."""


class Wire(Protocol):
    """From one process to all."""

    async def say(self, note: str) -> bool:
        """Tell all who listen, oneself too; whether it went out. What is longer than `LONGEST` does not. Raises nothing."""
        ...

    async def listen(self, hear: Callable[[str], None], missed: Callable[[], None]) -> None:
        """Call `hear` with every note, until cancelled; `missed` whenever the line was cut and is there again."""
        ...
