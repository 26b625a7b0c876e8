"""Many small writes that come at the same time into one: each waits until the common one is done.

Used by `service.intake` for webhooks. Who comes alone is written at once, in the next turn of the event loop. After a write,
the next one waits for company as long as that one took (and never long): a slow disk gets fewer and larger writes.
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
_LONGEST_WAIT = 0.01


class Batch(Generic[_Item, _Made]):
    """Group commit. `write` writes many, all or none, and answers in the same order; `after` is told what was written, once
    those who waited have been told to go on."""

    def __init__(
        self,
        write: Callable[[Sequence[_Item]], Sequence[_Made]],
        after: Callable[[Sequence[tuple[_Item, _Made]]], None],
        most: int,
    ) -> None:
        self._write = write
        self._after = after
        self._most = most
        self._waiting: deque[_Waiting[_Item, _Made]] = deque()
        self._is_due = False
        self._not_before = 0.0

    async def put(self, item: _Item) -> _Made:
        """Have an item written, and wait until it is. Raises `StoreError` when it could not be."""
        future: asyncio.Future[_Made] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._rouse()
        return await future

    def _rouse(self) -> None:
        loop = asyncio.get_running_loop()
        if len(self._waiting) == self._most:
            loop.call_soon(self._flush)
        elif not self._is_due:
            loop.call_at(max(self._not_before, loop.time()), self._flush)
        self._is_due = True

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
        self._is_due = False
        if not taken:
            return
        try:
            written = self._written(taken)
        finally:
            ended = loop.time()
            self._not_before = ended + min(ended - began, _LONGEST_WAIT)
            if self._waiting:
                self._rouse()
        if written:
            # In a later turn: the answers go out first.
            loop.call_soon(self._after, written)

    def _written(self, taken: Sequence[_Waiting[_Item, _Made]]) -> list[tuple[_Item, _Made]]:
        items = [item for item, _ in taken]
        made: Sequence[_Made] | None = None
        failure = StoreError("it was not written")
        try:
            made = self._write(items)
        except StoreError as error:
            if len(taken) > 1 and not isinstance(error, BusyError):
                # One of them may be to blame; the others must not go back for it.
                return [each for one in taken for each in self._written([one])]
            failure = error
        finally:
            # Also when something else went wrong, which is a bug: nobody is left waiting.
            self._tell(taken, made, failure)
        return list(zip(items, made, strict=True)) if made is not None else []

    @staticmethod
    def _tell(
        taken: Sequence[_Waiting[_Item, _Made]], made: Sequence[_Made] | None, failure: StoreError
    ) -> None:
        for index, (_, future) in enumerate(taken):
            if future.done():
                continue
            if made is None:
                future.set_exception(failure)
            else:
                future.set_result(made[index])
