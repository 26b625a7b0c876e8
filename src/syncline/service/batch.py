"""Many small writes that come at the same time into one: each waits until the common one is done, and on the disk.

Used by `service.intake` for webhooks. Who comes alone is written at once, in the next turn of the event loop. The disk is
waited for in a thread, while the loop goes on; whoever comes meanwhile waits for the next write. Where a write itself takes
its time, the next one waits for company as long as that one took (and never long).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from syncline.errors import BusyError, StoreError

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")
_Waiting = tuple[_Item, asyncio.Future[_Made]]
_Written = tuple[_Waiting[_Item, _Made], _Made | StoreError]
Flush = Callable[[], None]
_LONGEST_WAIT = 0.01


def _nothing() -> Flush | None:
    return None


class Batch(Generic[_Item, _Made]):
    """Group commit. `write` writes many, all or none, and answers in the same order; `after` is told what was written, in
    a later turn. `unflushed` answers what brings it to the disk, which is called in a thread before those who wait are told to
    go on, or None where it is there already."""

    def __init__(
        self,
        write: Callable[[Sequence[_Item]], Sequence[_Made]],
        after: Callable[[Sequence[tuple[_Item, _Made]]], None],
        most: int,
        unflushed: Callable[[], Flush | None] = _nothing,
    ) -> None:
        self._write = write
        self._after = after
        self._most = most
        self._unflushed = unflushed
        self._waiting: deque[_Waiting[_Item, _Made]] = deque()
        self._is_due = False
        self._not_before = 0.0
        self._flushing: asyncio.Task[None] | None = None

    async def put(self, item: _Item) -> _Made:
        """Have an item written, and wait until it is. Raises `StoreError` when it could not be."""
        future: asyncio.Future[_Made] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._rouse()
        return await future

    def _rouse(self) -> None:
        if self._flushing is not None:
            return
        loop = asyncio.get_running_loop()
        if len(self._waiting) == self._most:
            loop.call_soon(self._turn)
        elif not self._is_due:
            loop.call_at(max(self._not_before, loop.time()), self._turn)
        self._is_due = True

    def _turn(self) -> None:
        """Write what waits; those who wait are told when it is on the disk."""
        self._is_due = False
        if self._flushing is not None or not self._waiting:
            return
        taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            written = self._written(taken)
        except BaseException:
            # A bug: nobody is left waiting.
            _tell([(each, StoreError("it was not written")) for each in taken])
            raise
        finally:
            ended = loop.time()
            self._not_before = ended + min(ended - began, _LONGEST_WAIT)
            self._go_on()
        made = [(each[0], one) for each, one in written if not isinstance(one, StoreError)]
        flush = self._unflushed() if made else None
        if flush is None:
            _tell(written)
        else:
            self._flushing = loop.create_task(self._flushed(flush, written))
        if made:
            # In a later turn: answers that are ready go out first.
            loop.call_soon(self._after, made)

    def _go_on(self) -> None:
        if self._waiting:
            self._rouse()

    async def _flushed(self, flush: Flush, written: Sequence[_Written[_Item, _Made]]) -> None:
        failure: StoreError | None = StoreError("it did not reach the disk")
        try:
            await asyncio.get_running_loop().run_in_executor(None, flush)
            failure = None
        except StoreError as error:
            failure = error
        finally:
            # Also when this is stopped: nobody is left waiting.
            self._flushing = None
            _tell(written if failure is None else [(each, failure) for each, _ in written])
            self._go_on()

    def _written(self, taken: Sequence[_Waiting[_Item, _Made]]) -> list[_Written[_Item, _Made]]:
        items = [item for item, _ in taken]
        try:
            return list(zip(taken, self._write(items), strict=True))
        except StoreError as error:
            if len(taken) > 1 and not isinstance(error, BusyError):
                # One of them may be to blame; the others must not go back for it.
                return [each for one in taken for each in self._written([one])]
            return [(each, error) for each in taken]


def _tell(written: Sequence[_Written[_Item, _Made]]) -> None:
    for (_, future), made in written:
        if future.done():
            continue
        if isinstance(made, StoreError):
            future.set_exception(made)
        else:
            future.set_result(made)
