"""A run's lease, kept alive by every sign of progress, and asked for right before every write.

Used by `runs` and `undo`. The database fences what a run that lost its sync stores; only the run itself can keep from
sending what it decided before it stood still.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from syncline.core.records import RunId
from syncline.engine.sync import Progress, World
from syncline.errors import BusyError


@dataclass(slots=True)
class Hold:
    """A run's hold on its sync. Every sign of progress keeps it; a run that makes none for so long has lost it, by its own
    clock too: it may have stood still, and what it looked at may have moved."""

    world: World
    run: RunId
    lease: dt.timedelta
    beat_at: dt.datetime

    def confirm(self) -> None:
        """Hold on; inside a transaction, until it ends nobody else can take the sync. Raises `BusyError` when another run
        holds it, or held it since."""
        now = self.world.clock.now()
        self.world.store.renew(self.run, now, self.lease)
        self.beat_at = now

    def beat(self) -> None:
        """Hold on, where that was not said for a while. Raises as `confirm` does."""
        if not dt.timedelta() <= self.world.clock.now() - self.beat_at < self.lease / 2:
            self.confirm()

    def ask(self) -> None:
        """Right before a write. Raises `BusyError` when the run was silent for too long."""
        if self.world.clock.now() - self.beat_at >= self.lease:
            raise BusyError(f"run {self.run} stood still for too long to write on what it saw before")
        self.beat()

    def watch(self, progress: Progress) -> None:
        """Progress is made: a sign of life."""
        self.beat()
        self.world.watch(progress)
