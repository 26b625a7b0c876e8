"""What happened in a world, as data: every act of a person, every run with its faults and its crash, every jump of the clock.

A seed makes one of these as it plays; a script alone plays the same world again. So a failing world can be cut down, kept
as a file, and read.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import yaml

from tests.simulation.weather import Weather

Fields = dict[str, str | bool | list[str] | None]
"""Plain values as JSON: an estimate is a decimal's text, labels are a sorted list."""


class Make(msgspec.Struct, frozen=True, tag="make"):
    """A person makes a record of an origin; `project` counts ActiveCollab's projects."""

    side: str
    token: int
    fields: Fields
    project: int = 0
    is_twin: bool = False


class Type(msgspec.Struct, frozen=True, tag="type"):
    """A person edits the origin's `nth` record on a side."""

    side: str
    token: int
    fields: Fields
    nth: int = 0


class Delete(msgspec.Struct, frozen=True, tag="delete"):
    """A person deletes (into the trash where there is one)."""

    side: str
    token: int
    nth: int = 0


class Restore(msgspec.Struct, frozen=True, tag="restore"):
    """A person takes a task out of the trash."""

    token: int
    nth: int = 0


class Purge(msgspec.Struct, frozen=True, tag="purge"):
    """A person empties a task from the trash."""

    token: int
    nth: int = 0


class Move(msgspec.Struct, frozen=True, tag="move"):
    """A person moves a task to another project; the last one is outside the filter."""

    token: int
    project: int = 0
    nth: int = 0


Act = Make | Type | Delete | Restore | Purge | Move


class During(msgspec.Struct, frozen=True):
    """An act that happens just before the run's request number `at`."""

    at: int
    act: Act


class Strike(msgspec.Struct, frozen=True):
    """What goes wrong with the run's request number `at`."""

    at: int
    kind: str


class Pass(msgspec.Struct, frozen=True, tag="pass"):
    """Time goes by."""

    seconds: float


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """A person answers the question about a field (or, without one, the deletion) of an origin."""

    token: int
    field: str
    choice: str


class Jump(msgspec.Struct, frozen=True, tag="jump"):
    """Our own clock jumps; the vendors' clocks stay right."""

    seconds: float


class Backup(msgspec.Struct, frozen=True, tag="backup"):
    """Somebody copies the database."""


class Rewind(msgspec.Struct, frozen=True, tag="rewind"):
    """Somebody puts the copy back, and starts anew."""


class Turn(msgspec.Struct, frozen=True, tag="run"):
    """A run, after so many seconds. `hints` names the origins that webhooks spoke of: only these are looked at.
    `crash_at`: the process dies at this effect; it comes back after `back_after` seconds. `way_at`: the run makes way when
    it has asked so often whether to; `beside`: what a run of hints writes of other records at most."""

    after: float
    is_full: bool = True
    is_recheck: bool = False
    hints: tuple[tuple[str, int], ...] | None = None
    crash_at: int | None = None
    back_after: float = 0.0
    way_at: int | None = None
    beside: int | None = None
    during: tuple[During, ...] = ()
    strikes: tuple[Strike, ...] = ()


Event = Act | Pass | Answer | Jump | Backup | Rewind | Turn


class Script(msgspec.Struct, frozen=True):
    """A whole world. `faults` is what was wrong with it when it was written down."""

    seed: int
    weather: Weather
    events: tuple[Event, ...]
    faults: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How much there is that could be left out."""
        inner = sum(
            len(e.during) + len(e.strikes) + (e.crash_at is not None)
            for e in self.events
            if isinstance(e, Turn)
        )
        return len(self.events) + inner


def save(script: Script, path: Path) -> None:
    """Write a script as YAML."""
    plain = msgspec.to_builtins(_without_defaults(script))
    path.write_text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=110), encoding="utf-8")


def load(path: Path) -> Script:
    """Read a script."""
    return msgspec.convert(yaml.safe_load(path.read_text(encoding="utf-8")), Script)


def _without_defaults(script: Script) -> object:
    return _pruned(msgspec.to_builtins(script))


def _pruned(value: Any) -> Any:
    """Leave out what every event has by default."""
    if isinstance(value, dict):
        return {k: _pruned(v) for k, v in value.items() if k in ("fields", "seed") or not _is_default(k, v)}
    return [_pruned(each) for each in value] if isinstance(value, list | tuple) else value


_DEFAULTS: dict[str, object] = {
    "nth": 0, "project": 0, "is_twin": False, "is_full": True, "is_recheck": False, "hints": None, "crash_at": None,
    "back_after": 0.0, "way_at": None, "beside": None,
}  # fmt: skip


def _is_default(name: str, value: object) -> bool:
    return (name in _DEFAULTS and value == _DEFAULTS[name]) or (name in ("during", "strikes") and not value)


def to_plain(fields: Fields) -> dict[str, Any]:
    """Fields of a script in the form that people's hands take."""
    out: dict[str, Any] = dict(fields)
    if "labels" in out:
        out["labels"] = frozenset(out["labels"] or ())
    if out.get("estimate") is not None:
        out["estimate"] = Decimal(str(out["estimate"]))
    return out


def from_plain(fields: dict[str, Any]) -> Fields:
    """The other way."""
    return {
        name: sorted(value)
        if isinstance(value, frozenset)
        else str(value)
        if isinstance(value, Decimal)
        else value
        for name, value in fields.items()
    }
