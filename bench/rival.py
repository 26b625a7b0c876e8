"""vdirsyncer's no-op sync in memory: the baseline of `quiet`.

Two of its memory storages hold the same items, its status is SQLite in memory. It lists hrefs and etags that are there
already, so it neither receives nor decodes anything: a baseline that is kind to vdirsyncer.
"""

from __future__ import annotations

import asyncio
import logging
import time

from vdirsyncer.storage.memory import MemoryStorage
from vdirsyncer.sync import sync
from vdirsyncer.sync.status import SqliteStatus
from vdirsyncer.vobject import Item

_TASK = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Sandbox//Tasks//EN
BEGIN:VTODO
UID:task-{number}@example.test
DTSTAMP:20260302T090000Z
CREATED:20260301T080000Z
LAST-MODIFIED:20260302T090000Z
SUMMARY:{number} Rework in-place résize of pods
DESCRIPTION:Rework in-place résize of pods\\, because today every team scripts this by hand.\\n
 \\n- users see <none> where a name should be\\n- `kubectl get x | grep -v '<'`
ORGANIZER;CN=Owner One:mailto:owner@example.test
ATTENDEE;CN=Member Two;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED:mailto:member@example.test
DUE;VALUE=DATE:20260401
CATEGORIES:IMPLEMENTABLE,ALPHA
STATUS:NEEDS-ACTION
PERCENT-COMPLETE:0
PRIORITY:5
END:VTODO
END:VCALENDAR
"""


class Rival:
    """Two storages that a first sync has made equal."""

    def __init__(self, count: int) -> None:
        logging.getLogger("vdirsyncer").setLevel(logging.WARNING)
        self._count = count
        self._left, self._right = MemoryStorage(), MemoryStorage()
        self._status = SqliteStatus(":memory:")
        asyncio.run(self._fill())

    async def _fill(self) -> None:
        for number in range(self._count):
            await self._left.upload(Item(_TASK.format(number=number)))
        await sync(self._left, self._right, self._status)
        assert len(self._right.items) == self._count

    def microseconds(self) -> float:
        """CPU time of one no-op sync, for each linked record."""
        started = time.process_time()
        asyncio.run(sync(self._left, self._right, self._status))
        return (time.process_time() - started) / self._count * 1e6

    def close(self) -> None:
        """Let go of the status."""
        self._status.close()
