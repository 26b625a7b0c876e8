"""A database file into whether another process has it open: then what nobody holds any more is free at once.

Used by `opening`. A process that was killed cannot give back the leases of its runs; on a file, the system knows that it
is gone. The lock lies on a file of its own beside the database, whose own locks it would end.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager

SUFFIX = "-open"


@contextmanager
def entering(database: str) -> Generator[tuple[int | None, bool]]:
    """While a database file is opened: the presence that lasts until its descriptor is closed, and whether nobody else is
    there. Whoever comes at the same time waits for the end of the block. Without locks nobody is known to be alone."""
    try:
        # Reading is enough, so that others than who made it may come in too.
        place = os.open(f"{database}{SUFFIX}", os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        yield None, False
        return
    try:
        yield place, _is_alone(place)
        fcntl.flock(place, fcntl.LOCK_SH)
    except BaseException:
        os.close(place)
        raise


def _is_alone(place: int) -> bool:
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(place, fcntl.LOCK_SH)
        return False
    except OSError:
        return False
    return True
