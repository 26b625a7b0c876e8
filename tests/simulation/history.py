"""A recorded history into edits on both sides of a sync: real text, real lists, real typing mistakes, real order.

Each edit is made on a seeded random side where its record is there already, else where it is. Syncs run in between. At
the end the two accounts are compared with each other and with the history itself.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import html
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import msgspec

from syncline.core.decisions import DeletedEdit, DeletePolicy
from syncline.core.mapping import ConflictPolicy
from syncline.core.match import MatchMode
from syncline.engine.runs import Options
from syncline.sandbox.data import Event, generated_history
from tests.simulation.invariants import plain_value
from tests.simulation.network import token_of
from tests.simulation.outfit import SYNC
from tests.simulation.people import Held, plain_text, plain_words
from tests.simulation.weather import FIELDS, NAMES, Weather
from tests.simulation.world import World

_RECORDED = Path(__file__).parents[2].parent / "shared" / "data" / "kep-history.jsonl"
_FIELDS = ("name", "body", "due_on", "labels", "is_completed")
_LABELS = {"provisional": "amber", "implementable": "green", "deferred": "blue", "withdrawn": "red"}


def events(count: int | None) -> list[Event]:
    """The recorded history where it is at hand, else an invented one of the same shape; the first so many events."""
    if _RECORDED.exists():
        lines = _RECORDED.read_bytes().splitlines()
        return [msgspec.json.decode(line, type=dict[str, object]) for line in lines[:count]]
    return generated_history(7, 600, 2650)[:count]


@dataclass
class Told:
    """How a replay ended. `ends` holds each side's records by number."""

    summary: str
    faults: list[str]
    ends: Mapping[str, Mapping[int, Held]] = field(default_factory=dict[str, Mapping[int, Held]])


def weather(left: str) -> Weather:
    """Peace, and the later edit wins."""
    return Weather(
        left, "unique", MatchMode.MATCH_THEN_CREATE, DeletePolicy.PROPAGATE, DeletedEdit.EDIT,
        dict.fromkeys(("name", "body", "due_on", "estimate", "is_completed", "assignee"), ConflictPolicy.NEWEST)
        | {"labels": ConflictPolicy.MERGE},
        {}, 0.0, 0.0, 0.0, 0.0, 8,
    )  # fmt: skip


def replayed(seed: int, count: int | None, left: str = "ac", between: int = 40) -> Told:
    """Play the history; a sync after every `between` events, so that edits of both sides meet in each."""
    return asyncio.run(_Replay(seed, events(count), left, between).play())


class _Replay:
    """One history on its way."""

    def __init__(self, seed: int, history: Sequence[Event], left: str, between: int) -> None:
        self.world = World(seed, is_traced=False, weather=weather(left))
        self.chance = random.Random(seed)
        self.history, self.between = history, between
        self.wanted: dict[int, Held] = {}
        self.sides: Counter[str] = Counter()
        self.written = 0

    async def play(self) -> Told:
        """All events, then quiet, then the comparison."""
        world = self.world
        await world.furnish()
        for number, event in enumerate(self.history, 1):
            world.clock.advance(2)
            self._happen(event)
            if number % self.between == 0:
                report = await world.run(Options(), self.chance.choice((1.0, 20.0, 70.0)))
                self.written += report.writes if report else 0
        last = await world.settle()
        made = {name: sum(world.doors[name].counted.made.values()) for name in NAMES}
        summary = (
            f"{len(self.history)} events ({dict(sorted(self.sides.items()))}), {world.runs} runs, made {made}, "
            f"{len(self.wanted)} records, {sum(door.counted.calls for door in world.doors.values())} calls"
        )
        ends = {name: self._ends(name) for name in NAMES}
        faults = list(self._faults(ends))
        faults += ["the last run wrote"] if last.writes else []
        world.store.close()
        return Told(summary, faults, ends)

    def _happen(self, event: Event) -> None:
        number, fields = int(str(event["id"])), cast("Mapping[str, object]", event["fields"])
        keys = {name: key for name in NAMES if (key := self._key(name, number)) is not None}
        if event["op"] == "delete":
            self._delete(number, keys)
            return
        wish = _wish(number, fields, self.wanted.get(number))
        side = self.chance.choice(sorted(keys) or list(NAMES))
        self.sides[side] += 1
        account = self.world.crowd.account(side)
        before = account.records()[keys[side]] if side in keys else _BLANK
        if side in keys:
            account.edit(keys[side], {n: _typed(side, n, v) for n, v in wish.items()})
        else:
            account.create({n: _typed(side, n, v) for n, v in wish.items() if v}, self.chance.choice((0, 1)))
        # What is there already is no edit: it says nothing of what the other side may hold meanwhile.
        meant = {n: v for n, v in wish.items() if side not in keys or _plain(n, v) != before[n]}
        self.wanted.setdefault(number, _BLANK.copy()).update(meant)

    def _delete(self, number: int, keys: Mapping[str, str]) -> None:
        """People agree that it goes: an edit of this round on the other side would bring it back."""
        for name, key in keys.items():
            self.world.crowd.account(name).delete(key)
            self.sides[name] += 1
        self.wanted.pop(number, None)

    def _key(self, name: str, number: int) -> str | None:
        account = self.world.crowd.account(name)
        known = self._keys.setdefault(name, {})
        key = known.get(number)
        if key is None or account.token(key) != number:
            known.update({account.token(key): key for key in account.records()})
            key = known.get(number)
        return key if key is not None and account.token(key) == number and key in account.records() else None

    @property
    def _keys(self) -> dict[str, dict[int, str]]:
        return self.__dict__.setdefault("_known", {})

    def _ends(self, name: str) -> dict[int, Held]:
        records = self.world.crowd.account(name).records().values()
        return {token_of(held["name"]): {field: held[field] for field in _FIELDS} for held in records}

    def _faults(self, ends: Mapping[str, Mapping[int, Held]]) -> Iterator[str]:
        """Both sides alike, and as the last edit left them, unless the history tells which edit of the same time won."""
        told = self._overridden()
        for name in NAMES:
            count = len(self.world.crowd.account(name).records())
            if count != len(self.wanted):
                yield f"{count} records in {name}, {len(self.wanted)} expected"
        for number, wanted in self.wanted.items():
            ac, hl = (ends[name].get(number) for name in NAMES)
            if ac is None or hl is None or ac != hl:
                yield f"{number}: {ac} in ac, {hl} in hl"
                continue
            for name, value in wanted.items():
                meant = _plain(name, value)
                is_there = meant <= ac[name] if name == "labels" else meant == ac[name]
                if not is_there and (number, name, meant) not in told:
                    yield f"{number} {name}: {ac[name]!r}, not {meant!r}, and the history does not say why"

    def _overridden(self) -> set[tuple[int, str, object]]:
        """Values that a rule overrode, by record and field."""
        known = {**{hl: ac for ac, hl in FIELDS.items()}, **{ac: ac for ac in FIELDS}}
        out: set[tuple[int, str, object]] = set()
        for entry in self.world.store.history(SYNC, limit=1_000_000):
            if entry.lost is not None and entry.field:
                name = known[entry.field.split(" ↔ ")[0]]
                out.add((token_of(entry.title), name, plain_value(entry.lost, name)))
        return out


_BLANK: Held = {"name": None, "body": None, "due_on": None, "labels": frozenset(), "is_completed": False}


def _wish(number: int, fields: Mapping[str, object], before: Held | None) -> Held:
    """An event's fields as a task's."""
    out: Held = {}
    if before is None or "title" in fields:
        out["name"] = f"⟦{number}⟧ {fields.get('title') or 'Untitled'}"[:180]
    if "summary" in fields:
        out["body"] = str(fields["summary"] or "")
    if "created_on" in fields:
        out["due_on"] = _day(fields["created_on"])
    if "status" in fields:
        label = _LABELS.get(str(fields["status"]))
        out["labels"] = frozenset([label]) if label else frozenset[str]()
        out["is_completed"] = fields["status"] == "implemented"
    return out


def _day(text: object) -> str | None:
    try:
        return dt.date.fromisoformat(str(text)).isoformat()
    except ValueError:
        return None


def _typed(side: str, name: str, value: object) -> object:
    """What a person types: HTML on one side, plain text on the other."""
    if name != "body" or side == "hl":
        return value
    return "".join(
        f"<p>{html.escape(part, quote=False)}</p>" for part in str(value).splitlines() if part.strip()
    )


def _plain(name: str, value: object) -> object:
    if name == "body":
        return plain_words(value)
    return plain_text(value) if name == "name" else value
