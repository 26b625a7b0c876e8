"""Every write of the engine, as it arrives at a vendor, into what is wrong with it at that very moment.

Asked by `network.Door`, told of runs by `world`, judged by `invariants`. What is told here leaves no trace in the end: a
value that goes back and forth, a copy of what nobody has any more, a deletion of what was brought back just before.

What a person did may stay unseen for a while: since the last run that nothing disturbed, and where a listing lags, for so
much longer. No write is held against the engine that may follow from that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from tests.simulation.people import Crowd, Deed, Held
from tests.simulation.weather import FIELDS, NAMES


@dataclass(frozen=True)
class _Moment:
    """When a run began: so many deeds had been done, and the vendors' clocks showed this."""

    deeds: int
    at: dt.datetime


@dataclass
class Witness:
    """Whoever stands at both doors. `lag` is by how much HighLevel's listings run behind."""

    crowd: Crowd
    now: Callable[[], dt.datetime]
    lag: float
    forgotten: set[int]
    """Origins whose links went with a database (`World.unknown`)."""
    rewound: set[int]
    """Origins of which an old backup remembers less, or more (`World.rewound`)."""
    are_marked: bool
    """Whether a copy in HighLevel carries the key of what it was made from."""
    one_way: Mapping[str, str]
    faults: list[str] = field(default_factory=list[str])
    _wrote: dict[int, dt.datetime] = field(default_factory=dict[int, dt.datetime])
    """When we last wrote on a record in HighLevel: a listing that shows an older state of it is not believed."""
    _shown: dict[int, dt.datetime] = field(default_factory=dict[int, dt.datetime])
    """Up to when we have seen what people did to a record in HighLevel."""
    _begun: _Moment | None = None
    _edits: _Moment | None = None
    """When the last run began that saw all edits; the next one, all deletions too. This run, unless it is disturbed."""
    _deletions: _Moment | None = None
    _last: tuple[_Moment | None, _Moment | None, dict[int, dt.datetime]] = (None, None, {})

    def begin(self, *, sees_edits: bool, sees_deletions: bool) -> None:
        """A run begins, which asks for everything that changed, or for everything that is there."""
        self._begun = begun = _Moment(len(self.crowd.deeds), self.now())
        self._last = self._edits, self._deletions, dict(self._shown)
        if sees_edits:
            shown = begun.at - dt.timedelta(seconds=self.lag)
            tokens = {deed.token for deed in self.crowd.deeds}
            self._shown |= {token: shown for token in tokens if self._wrote.get(token, shown) <= shown}
        self._edits = begun if sees_edits else self._edits
        self._deletions = begun if sees_deletions else self._deletions

    def disturb(self) -> None:
        """Something goes wrong in this run, or stops it: it may have seen less than there was."""
        self._edits, self._deletions, self._shown = self._last

    def end(self, excused: Collection[str]) -> None:
        """The run came to its end: if nothing disturbed it, what people typed before is on both sides by now. `excused`
        are the records of which it says itself that they wait."""
        if self._edits is None or self._edits != self._begun:
            return
        latest = {(deed.token, name): deed for deed in self.crowd.deeds for name in deed.new}
        for (token, name), deed in latest.items():
            if deed.what == "edited" and self.one_way.get(name) != deed.side:
                self._check_arrival(token, name, deed, excused)

    def _check_arrival(self, token: int, name: str, deed: Deed, excused: Collection[str]) -> None:
        deeds = list(self.crowd.touching(token))
        is_plain = token not in self.forgotten and all(each.what in ("made", "edited") for each in deeds)
        other = self._only_other(deed.side, token)
        if not is_plain or other is None or any(self._may_be_unseen(each, self._edits) for each in deeds):
            return
        keys = {key for side in NAMES for key in self.crowd.keys(side, token)}
        here = self.crowd.held(deed.side, deed.key)[name]
        # What somebody emptied again before anybody saw it leaves no trace, and a blank that nobody entered goes nowhere.
        is_nothing = name in self.one_way and not here
        if keys.isdisjoint(excused) and here != other[name] and not is_nothing:
            self._say(
                token, deed.side, f"{name}: {here!r} was not taken over, though nothing disturbed the run"
            )

    # --- what is looked at

    def changed(self, side: str, token: int, before: Held, after: Held, *, was_bare: bool) -> None:
        """We wrote on a record: what both sides agree on stays as it is."""
        self._note(side, token)
        other, deeds = self._only_other(side, token), list(self.crowd.touching(token))
        if other is None or any(self._may_be_unseen(deed, self._edits) for deed in deeds):
            return
        agreed = [name for name in FIELDS if before[name] == other[name]]
        for name in agreed:
            if before[name] != after[name]:
                self._say(token, side, f"{name}: both held {before[name]!r}, and we wrote {after[name]!r}")
        # What comes back out of the trash is given all that it should hold; so is what meets for the first time (again).
        is_back = any(deed.side == side and deed.what == "deleted" for deed in deeds)
        is_remembered = token not in self.forgotten and token not in self.rewound
        is_idle = len(agreed) == len(FIELDS) and before == after and is_remembered
        if is_idle and not (was_bare or is_back or self._was_touched(token)):
            self._say(token, side, "both held the same, and we wrote it once more")

    def deleted(self, side: str, token: int, left: int) -> None:
        """We deleted a record, `left` others of its origin are still there: the other side has none any more."""
        # Whose link is forgotten may have been copied once more: then the other one is no counterpart.
        if token not in self.forgotten and len(self.crowd.keys(_other(side), token)) > left:
            self._say(token, side, "deleted, though the other side's was there (again)")

    def made(self, side: str, token: int, others: int) -> None:
        """We made a record, beside `others` of its origin: it is a copy of something, and the only one."""
        self._note(side, token)
        deeds, source = list(self.crowd.touching(token)), _other(side)
        gone = [deed for deed in deeds if deed.side == source and deed.what == "deleted"]
        is_there = bool(self.crowd.keys(source, token))
        if not (is_there or any(self._may_be_unseen(deed, self._deletions) for deed in gone)):
            self._say(token, side, "copied from a record that was gone")
        # One that was brought back, or moved in again, may have become a thing of its own; and what lies outside the
        # filter is not found again once its link is forgotten, unless its copy says where it comes from.
        doings = {deed.what for deed in deeds}
        is_known = token not in self.forgotten and "moved" not in doings
        # (The mark names what its record was first made from, not what was made anew in its place.)
        is_marked = (
            self.are_marked
            and side == "ac"
            and not any(deed.what == ("deleted" if deed.side == side else "made") for deed in deeds)
        )
        if others and "restored" not in doings and (is_known or is_marked):
            self._say(token, side, f"copied once more, beside {others}")

    # --- what the engine can know

    def _may_be_unseen(self, deed: Deed, since: _Moment | None) -> bool:
        if since is None:
            return True
        if deed.side == "ac":
            return deed.number > since.deeds
        shown = since.at - dt.timedelta(seconds=self.lag)
        return deed.at >= min(shown, self._shown.get(deed.token, deed.at))

    def _note(self, side: str, token: int) -> None:
        if side == "hl":
            self._wrote[token] = self.now()

    def _was_touched(self, token: int) -> bool:
        """An edit that changes nothing that a person sees may well change what is stored."""
        return any(touched == token for _, touched, _ in self.crowd.touches)

    def _only_other(self, side: str, token: int) -> Held | None:
        """The other side's record, where there is one on each side and no doubt what belongs together."""
        keys: Mapping[str, list[str]] = {name: self.crowd.keys(name, token) for name in NAMES}
        if any(len(found) != 1 for found in keys.values()) or not self.crowd.ac.is_in_scope(keys["ac"][0]):
            return None
        other = _other(side)
        return self.crowd.account(other).record(keys[other][0])

    def _say(self, token: int, side: str, text: str) -> None:
        self.faults.append(f"⟦{token}⟧ {side} {text}")


def _other(side: str) -> str:
    return "hl" if side == "ac" else "ac"
