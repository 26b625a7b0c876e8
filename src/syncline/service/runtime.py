"""A configuration that changes into the installation in force: replaced while runs go on, the old one let go after them.

Made by whoever serves. Every process looks at the same revision in the store, so that a change made in one of them is
noticed by all: at each tick, and whenever work is taken up.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from syncline.bootstrap import Installation, renewed
from syncline.ports import Clock, Store

_REVISION = "revision"


def bump(store: Store, clock: Clock) -> None:
    """Say that what is configured has changed."""
    store.save_setting(_REVISION, None, clock.now())


def _mark(store: Store) -> tuple[int, int]:
    """What moves when something configured changes: our own revision, and the applied version."""
    revision, version = store.setting(_REVISION), store.version()
    return (revision.revision if revision else 0, version.number if version else 0)


def _nobody(installation: Installation) -> None:
    del installation


@dataclass(slots=True)
class _Generation:
    installation: Installation
    users: int = 0


class Runtime:
    """The installation in force. `changed` hears of every new one, such as the intake that listens for its connections.
    Whoever opened the first one closes it."""

    def __init__(self, installation: Installation, changed: Callable[[Installation], None] = _nobody) -> None:
        self._mark = _mark(installation.store)
        self._generations = [_Generation(installation)]
        self.changed = changed

    def current(self) -> Installation:
        """The installation in force, as far as it was noticed."""
        return self._generations[-1].installation

    async def refresh(self) -> bool:
        """Notice a change; whether there was one. Raises `ConfigError` for a connection that this Syncline does not
        understand, and the installation before it stays."""
        mark = _mark(self.current().store)
        if mark == self._mark:
            return False
        self._generations.append(_Generation(renewed(self.current())))
        self._mark = mark
        self.changed(self.current())
        await self._let_go()
        return True

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[Installation]:
        """The installation in force, whose connectors (and those of later ones) stay open until the block ends."""
        await self.refresh()
        generation = self._generations[-1]
        generation.users += 1
        try:
            yield generation.installation
        finally:
            generation.users -= 1
            await self._let_go()

    async def close(self) -> None:
        """Let go of everything but the database."""
        for generation in self._generations:
            await generation.installation.release()

    async def _let_go(self) -> None:
        """Release the old ones from the oldest on: work that began before a change may go on with what came after it."""
        while len(self._generations) > 1 and self._generations[0].users == 0:
            await self._generations.pop(0).installation.release()
