"""What happened to the syncs into alerts that are kept, and into messages on the channels that want them.

`heard` is told by `service.dispatch`, `check` and `deliver` are called every minute by whoever serves; `web` and `cli`
list, close, and set channels up. What is to be told is read from the alerts themselves: after a crash the next `deliver`
tells what the one before did not.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Callable, Sequence

import structlog

from syncline.core.alerting import (
    TITLES,
    Alert,
    AlertKind,
    Channel,
    Message,
    Move,
    Moved,
    Telling,
    closed,
    message,
    moves,
    telling,
    told,
)
from syncline.core.audit import AuditKind
from syncline.errors import Problem, Refusal, RequestError
from syncline.ports import Clock, Store
from syncline.ports.alerts import ADDRESS
from syncline.service.channels import Check, anything, checked, schema_of, send
from syncline.service.dispatch import Happened
from syncline.service.watching import Look, Watching

_SECONDS = 30.0
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_log = structlog.get_logger(__name__)

Tell = Callable[[Moved], None]
"""Hears of every alert that opens or is over."""


def _nobody(moved: Moved) -> None:
    del moved


class Alerts:
    """Keeps alerts and tells the channels. `tell` hears what opens and what is over; `check` guards what is called."""

    def __init__(
        self,
        watching: Watching,
        *,
        tell: Tell = _nobody,
        check: Check = anything,
        seconds: float = _SECONDS,
    ) -> None:
        self._watching = watching
        self._tell = tell
        self._check = check
        self._seconds = seconds
        self._resting: dict[str, dt.datetime] = {}
        self._turn = asyncio.Lock()

    @property
    def _store(self) -> Store:
        return self._watching.installation().store

    @property
    def _clock(self) -> Clock:
        return self._watching.installation().clock

    # --- what is wrong

    def heard(self, happened: Happened) -> Sequence[Moved]:
        """Keep what one look at a sync says; answers what changed."""
        return self.note(self._watching.after(happened))

    def check(self) -> Sequence[Moved]:
        """Look for what goes wrong by itself, and forget what is long over; answers what changed."""
        self._store.prune_alerts(self._clock.now() - self._watching.limits().kept)
        return self.note(self._watching.now())

    def note(self, look: Look) -> Sequence[Moved]:
        """Keep what was found; answers what changed."""
        store, now = self._store, self._clock.now()
        found = moves(look.looked_at, look.findings, store.open_alerts(), now)
        if not found:
            return []
        with store.transaction():
            kept = [Moved(each.move, store.save_alert(each.alert)) for each in found]
        for each in kept:
            if each.move is not Move.REPEATED:
                _log.warning(
                    "alert",
                    move=each.move.value,
                    kind=each.alert.about.kind.value,
                    subject=each.alert.about.subject,
                )
                self._tell(each)
        return kept

    def close(self, number: int) -> Alert:
        """Close an alert by hand: nobody is told. Raises `RequestError` when it is not there; closing it again does nothing."""
        alert = self._store.alert(number)
        if alert is None:
            raise RequestError("There is no such alert.", Refusal.NOT_THERE)
        return self._store.save_alert(closed(alert, self._clock.now())) if alert.is_open else alert

    # --- who is told

    async def deliver(self) -> int:
        """Tell the channels what they are to be told now; answers how many messages went out."""
        async with self._turn:
            now, again = self._clock.now(), self._watching.limits().again
            due = [
                (why, alert)
                for alert in self._store.untold_alerts()
                if (why := telling(alert, now, again)) is not None
            ]
            ready = [each for each in self._store.channels() if self._is_ready(each, now)] if due else []
            wanted = {each.name: [(why, a) for why, a in due if each.wants(a.about.kind)] for each in ready}
            names = [name for name, tellings in wanted.items() if tellings]
            sent = await asyncio.gather(*(self._send(name, message(wanted[name])) for name in names))
            arrived = [name for name, is_sent in zip(names, sent, strict=True) if is_sent]
            for why, number in {(why, alert.id) for name in arrived for why, alert in wanted[name]}:
                self._note_told(number, why, now)
            return len(arrived)

    def _is_ready(self, channel: Channel, now: dt.datetime) -> bool:
        return channel.is_on and self._resting.get(channel.name, now) <= now

    def _note_told(self, number: int, why: Telling, now: dt.datetime) -> None:
        # Read again: it may have changed while the message was on its way.
        alert = self._store.alert(number)
        if alert is not None:
            self._store.save_alert(told(alert, why, now))

    async def _send(self, name: str, text: Message) -> bool:
        address = self._store.secret(ADDRESS.format(name))
        failure = (
            await send(address, text, self._seconds, self._check) if address else "Its address is not known."
        )
        self._store.note_failure(name, failure)
        if failure:
            _log.warning("alert channel failed", channel=name, failure=failure)
            self._resting[name] = self._clock.now() + self._watching.limits().rest
        else:
            self._resting.pop(name, None)
        return not failure

    # --- channels

    def channel(self, name: str) -> Channel:
        """A channel. Raises `RequestError` when it is not there."""
        found = next((each for each in self._store.channels() if each.name == name), None)
        if found is None:
            raise RequestError("There is no such channel.", Refusal.NOT_THERE)
        return found

    def schema(self, name: str) -> str:
        """What kind of channel it is (mailto, slack): all that is told of its address."""
        return schema_of(self._store.secret(ADDRESS.format(name)) or "")

    async def save_channel(
        self, name: str, kinds: frozenset[AlertKind], *, is_on: bool, address: str | None = None
    ) -> Channel:
        """Make a channel, or change one; without an address the old one stays. Raises `RequestError` for a name or an
        address that cannot be used."""
        if not _NAME.fullmatch(name):
            problem = Problem("name", "is no name.", "Use small letters, digits, - and _.", found=name[:64])
            raise RequestError("The channel cannot be kept.", Refusal.INVALID, problems=(problem,))
        if address is not None:
            # In a thread: the first time Apprise loads everything that it knows.
            await asyncio.to_thread(checked, address, self._check)
        elif all(each.name != name for each in self._store.channels()):
            problem = Problem("address", "is missing.", "Write an Apprise URL.")
            raise RequestError("A new channel needs an address.", Refusal.INVALID, problems=(problem,))
        self._resting.pop(name, None)
        now = self._clock.now()
        body = {
            "kinds": sorted(each.value for each in kinds),
            "is_on": is_on,
            "is_moved": address is not None,
        }
        with self._store.transaction():
            self._store.audit(AuditKind.CHANNEL_SAVED, body, now=now, subject=name)
            return self._store.save_channel(Channel(name, kinds, is_on), address, now)

    def drop_channel(self, name: str) -> None:
        """Forget a channel and its address. Raises `RequestError` when it is not there."""
        with self._store.transaction():
            if not self._store.drop_channel(name):
                raise RequestError("There is no such channel.", Refusal.NOT_THERE)
            self._store.audit(AuditKind.CHANNEL_REMOVED, {}, now=self._clock.now(), subject=name)

    async def try_channel(self, name: str) -> Channel:
        """Send a message that says it is a test; the channel tells whether it went out (`failure`)."""
        self.channel(name)
        told_kinds = ", ".join(title.lower() for title in TITLES.values())
        text = f"This channel works. It would be told of: {told_kinds}."
        await self._send(name, Message("Syncline: a test", text, is_good=True))
        return self.channel(name)
