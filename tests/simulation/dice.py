"""Dice into what people do next, and into what goes wrong: everything random about a world.

Asked by `world` while a seed is played; what they say is carried out as a script, and written down.
"""

from __future__ import annotations

import datetime as dt
import html
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from syncline.sandbox.faults import Fault, FaultKind, Faults
from syncline.sandbox.wire import Request
from tests.simulation.people import PALETTE, PEOPLE, Crowd, Held, Plain
from tests.simulation.script import Act, Delete, Make, Move, Purge, Restore, Type, from_plain
from tests.simulation.weather import FIELDS, NAMES, Weather

_WORDS = (
    "Zoë’s café",
    "R&D <beta>",
    "naïve",
    "“quoted” & co",
    "日本語",
    "5 > 3",
    "e\u0301tat",
    "🚀 go",
    "plain",
    'a "b"',
)
_WRITES, _LISTINGS = "POST|PUT|DELETE", r"/tasks/archive$|/records/search$"


def trouble(faults: Faults, rate: float, *, is_doubtful: bool = False) -> None:
    """A network and vendors that fail at about this rate. While the outcome of a write `is_doubtful`, listings are cut
    short more often: troubles come in pairs.

    Listings are cut short only where a count goes with them: nothing can tell otherwise.
    """
    faults.add(Fault(FaultKind.CUT_AFTER, method=_WRITES, probability=rate))
    faults.add(Fault(FaultKind.CUT_BEFORE, probability=rate / 2))
    faults.add(Fault(FaultKind.STATUS, status=503, probability=rate / 2))
    faults.add(Fault(FaultKind.SLOW, seconds=7.0, probability=rate / 2))
    partial = 0.3 if is_doubtful else rate / 2
    faults.add(Fault(FaultKind.PARTIAL, path=_LISTINGS, keep=0.5, probability=partial))


def fault_of(kind: str, request: Request) -> Fault | None:
    """A fault of a script, if it can befall this request."""
    fault = Fault(FaultKind(kind), path=_LISTINGS if kind == FaultKind.PARTIAL.value else "", seconds=7.0)
    return fault if fault.matches(request.method, request.path) else None


@dataclass
class Dice:
    """The people of a world who make up their minds."""

    chance: random.Random
    crowd: Crowd
    weather: Weather
    last_token: int = 0
    faults: dict[str, Faults] = field(default_factory=dict[str, Faults])

    def act(self) -> Iterator[Act]:
        """Somebody does something; each act is to be done before the next one is asked for."""
        roll = self.chance.random()
        side = self.chance.choice(NAMES)
        if roll < 0.18:
            yield self.make(side)
        elif roll < 0.60:
            if (spot := self._pick(side)) is not None:
                yield self._type(side, *spot)
        elif roll < 0.74:
            yield from self._clash()
        elif roll < 0.86:
            if (spot := self._pick(side, is_for_good=True)) is not None:
                yield Delete(side, *spot)
        else:
            yield from self._tidy()

    def second_thoughts(self, token: int) -> Iterator[Act]:
        """Somebody goes on with what a person has just spoken of."""
        side = self.chance.choice(NAMES)
        keys = self.crowd.keys(side, token)
        if keys and self.crowd.may_touch(side, token):
            yield self._type(side, token, self.chance.randrange(len(keys)))

    def reorganise(self) -> Iterator[Act]:
        """Somebody moves a task out of the filter, before anybody notices that a backup was put back."""
        spot = self._pick("ac", is_for_good=True)
        if spot is not None and self.chance.random() < 0.5:
            yield Move(spot[0], len(self.crowd.ac.projects) - 1, spot[1])

    def make(self, side: str) -> Make:
        """A new record of a new origin."""
        self.last_token += 1
        names = [name for name in FIELDS if name == "name" or self.chance.random() < 0.5]
        fields = {name: self._value(side, name, self.last_token) for name in names}
        return Make(
            side, self.last_token, from_plain(fields), self.chance.choice((0, 1)) if side == "ac" else 0
        )

    def twin(self, token: int, name: str) -> Make:
        """The same thing in HighLevel, typed in by somebody else."""
        fields = {each: self._value("hl", each, token) for each in ("due_on", "estimate", "labels")}
        return Make("hl", token, from_plain({**fields, "name": name}), is_twin=True)

    def fault(self, name: str, request: Request) -> Fault | None:
        """What goes wrong with a request."""
        return self.faults[name].decide(request) if name in self.faults else None

    def _type(self, side: str, token: int, nth: int, names: list[str] | None = None) -> Type:
        """Change one field, rarely two."""
        known = [name for name in FIELDS if name != "name" or not self.weather.rewinds]
        names = names or self.chance.sample(known, 2 if self.chance.random() < 0.2 else 1)
        before = self.crowd.held(side, self.crowd.keys(side, token)[nth])
        return Type(side, token, from_plain({n: self._value(side, n, token, before) for n in names}), nth)

    def _clash(self) -> Iterator[Act]:
        """The same field of the same thing, on both sides."""
        spot = self._pick("ac")
        if spot is None:
            return
        token, nth = spot
        if not self.crowd.keys("hl", token) or not self.crowd.may_touch("hl", token):
            return
        names = [self.chance.choice([n for n in FIELDS if n != "name" or not self.weather.rewinds])]
        for side, at in self.chance.sample([("ac", nth), ("hl", 0)], 2):
            yield self._type(side, token, at, names)

    def _tidy(self) -> Iterator[Act]:
        """Restore, purge, or move between projects."""
        ac = self.crowd.ac
        trashed = [key for key in ac.trashed() if ("ac", ac.token(key)) not in self.crowd.locked]
        if trashed and self.chance.random() < 0.6:
            latest = [d.key for d in self.crowd.deeds if d.key in trashed][-1:]
            token = ac.token(self.chance.choice(latest if latest and self.chance.random() < 0.7 else trashed))
            nth = self.chance.randrange(sum(ac.token(key) == token for key in ac.trashed()))
            yield (Restore if self.chance.random() < 0.75 else Purge)(token, nth)
            return
        spot = self._pick("ac", is_for_good=True)
        if spot is not None:
            yield Move(spot[0], self.chance.randrange(len(ac.projects)), spot[1])

    def _pick(self, side: str, *, is_for_good: bool = False) -> tuple[int, int] | None:
        """A record that may be touched, as (origin, number), often one that is on somebody's mind; origin 1 is never
        deleted, so that no side is emptied."""
        account = self.crowd.account(side)
        tokens = {key: account.token(key) for key in account.live()}
        free = self.crowd.free(side, tokens.values()) - ({1} if is_for_good else set())
        keys = [key for key, token in tokens.items() if token in free]
        if not keys:
            return None
        if self.chance.random() < 0.4:
            minded = self.crowd.doubtful() | {deed.token for deed in self.crowd.deeds[-3:]}
            keys = [key for key in keys if tokens[key] in minded] or keys
        key = self.chance.choice(keys)
        return tokens[key], self.crowd.keys(side, tokens[key]).index(key)

    def _value(self, side: str, name: str, token: int, before: Held | None = None) -> Plain:
        chance, unique = self.chance, len(self.crowd.deeds)
        if name == "name":
            return f"⟦{token}⟧ {chance.choice(_WORDS)} {unique}"
        if name == "is_completed":
            return not before["is_completed"] if before else chance.random() < 0.3
        if name == "labels":
            held = set(before["labels"]) if before else set[str]()
            return frozenset(held ^ set(chance.sample(PALETTE, chance.choice((1, 1, 2)))))
        if before and chance.random() < 0.2:
            return None if name != "body" or side == "hl" else ""
        if name == "body":
            text = f"{chance.choice(_WORDS)} {unique}\nsecond {chance.choice(_WORDS)}"
            return text if side == "hl" else f"<p>{html.escape(text, quote=False)}</p>"
        if name == "due_on":
            return (dt.date(2026, 1, 1) + dt.timedelta(days=unique % 700)).isoformat()
        if name == "estimate":
            return Decimal(unique + 1) / (8 if self.weather.rounds and side == "hl" else 4)
        return (
            chance.choice(PEOPLE)
            if chance.random() < 0.9
            else f"{'client' if side == 'ac' else 'editor'}@example.test"
        )
