"""What other processes do, and what is kept of it, into the stream of this process; and what this one does into theirs.

Made by `cli.serve` over the hub of the process, and entered beside the service. Progress is passed on a few times a second
at most, however many runs go on: of each sync the latest. Events that are kept are read from the store, so that it does not
matter which process kept them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from syncline.core.outgoing import VALUES, Event, EventType
from syncline.errors import SynclineError
from syncline.ports import Store
from syncline.ports.wire import LONGEST, Wire
from syncline.service.hub import MISSED, PROGRESS, Hub

_AT_ONCE = 100
_MOST_WAITING = 500
_UNTOLD = frozenset({EventType.RECORD_WRITTEN})
"""One for each record of a large run: whoever watches would only be told that they missed something."""

_log = structlog.get_logger(__name__)


class _Told(msgspec.Struct):
    """One thing that is passed on: its name and data."""

    name: str
    data: dict[str, Any]


class _Note(msgspec.Struct):
    """What is said on the wire: by which process, and what."""

    by: str
    told: list[_Told]


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two notes to other processes (`away`: after one that could not be sent), and between two looks at the
    events that are kept."""

    notes: float = 0.5
    away: float = 5.0
    events: float = 1.0


class Following:
    """Joins the hub of a process with those of the others."""

    def __init__(self, hub: Hub, wire: Wire, store: Callable[[], Store], pace: Pace | None = None) -> None:
        self._hub = hub
        self._wire = wire
        self._store = store
        self._pace = pace or Pace()
        self._waiting: dict[object, _Told] = {}
        self._stirred = asyncio.Event()

    @asynccontextmanager
    async def running(self, *, listens: bool = True) -> AsyncGenerator[None]:
        """Pass on until the end of the block, what came last too. Without `listens`, nobody watches this process."""
        self._hub.pass_on = self._keep
        work = [self._pass_on()]
        if listens:
            work += [self._wire.listen(self._hear, self._missed), self._follow()]
        tasks = [asyncio.create_task(each) for each in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            self._hub.pass_on = None
            await self._say()

    # --- what this process does

    def _keep(self, name: str, data: Mapping[str, Any]) -> None:
        if len(self._waiting) >= _MOST_WAITING:
            # The others cannot be reached, or far too much happens: they will read everything anew.
            self._waiting = {(MISSED, None): _Told(MISSED, {})}
        key = (name, data.get("sync")) if name in (PROGRESS, MISSED) else object()
        self._waiting.pop(key, None)
        self._waiting[key] = _Told(name, dict(data))
        self._stirred.set()

    async def _pass_on(self) -> None:
        while True:
            await self._stirred.wait()
            is_said = await self._say()
            await asyncio.sleep(self._pace.notes if is_said else self._pace.away)

    async def _say(self) -> bool:
        """Tell the others; what could not be told they will have missed."""
        self._stirred.clear()
        told, self._waiting = list(self._waiting.values()), {}
        is_said = True
        for note in _notes(self._hub.boot, told):
            is_said = await self._wire.say(note) and is_said
        if not is_said:
            self._keep(MISSED, {})
        return is_said

    # --- what others do

    def _hear(self, text: str) -> None:
        try:
            note = msgspec.json.decode(text, type=_Note)
        except msgspec.DecodeError:
            # Of another version of Syncline, or of somebody else.
            _log.info("a note is not understood")
            return
        if note.by != self._hub.boot:
            for each in note.told:
                self._hub.publish(each.name, each.data)

    def _missed(self) -> None:
        self._hub.publish(MISSED, {})

    async def _follow(self) -> None:
        """Publish events as they are kept, by whichever process."""
        after: int | None = None
        while True:
            try:
                if after is None:
                    after = max((each.id for each in self._store().events(limit=1)), default=0)
                for event in self._store().events_after(after, _AT_ONCE):
                    after = event.id
                    if event.type not in _UNTOLD:
                        self._hub.publish(event.type.value, _shown(event))
            except SynclineError as error:
                # The database is busy or away: the events are there when it is back.
                _log.warning("events not followed", code=error.full_code)
            await asyncio.sleep(self._pace.events)


def _notes(by: str, told: list[_Told]) -> Iterator[str]:
    """As few notes as hold it; what is too long for one alone is left out."""
    part: list[_Told] = []
    for each in told:
        if part and len(_text(by, [*part, each])) > LONGEST:
            yield _text(by, part).decode()
            part = []
        if len(_text(by, [each])) <= LONGEST:
            part.append(each)
    if part:
        yield _text(by, part).decode()


def _text(by: str, told: list[_Told]) -> bytes:
    return msgspec.json.encode(_Note(by, told))


def _shown(event: Event) -> dict[str, Any]:
    """As the log of events shows it: without values."""
    data = {name: value for name, value in event.data.items() if name != VALUES}
    return {
        "id": event.id,
        "webhook_id": event.mark,
        "type": event.type.value,
        "timestamp": event.at,
        "data": data,
    }
