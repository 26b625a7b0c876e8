"""A person's word about a brake into a release that runs respect, and everything known of brakes into a list.

Called by the CLI (release, arm, list) and by `runs`. A release for once waits until a run goes through that it let pass;
a run that another brake stopped, or that broke off before, has not used it up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

import msgspec

from syncline.core.audit import AuditKind
from syncline.core.brakes import BRAKES, Brake, BrakeName, Limits
from syncline.core.records import RunId, SyncId
from syncline.engine.report import last_runs, told
from syncline.engine.sync import World
from syncline.errors import SetupError
from syncline.ports import Store


class Release(msgspec.Struct, frozen=True):
    """A person let go of a brake: once, or for good."""

    is_for_good: bool
    at: dt.datetime


class BrakeState(Enum):
    """How a brake of a sync stands."""

    ARMED = "armed"
    RELEASED_ONCE = "released_once"
    OFF = "off"


class Pulled(msgspec.Struct, frozen=True):
    """What the last run saw of a brake. `is_released`: it would have stopped the run, had nobody let go of it."""

    run: RunId
    sentence: str
    remedy: str
    is_released: bool = False


class BrakeReport(msgspec.Struct, frozen=True):
    """A brake of a sync: what it is, how it stands, since when and by what, and what the last run saw."""

    name: BrakeName
    title: str
    pulls: str
    protects: str
    may_be_off: bool
    state: BrakeState
    by: str = ""
    since: dt.datetime | None = None
    last: Pulled | None = None


def release(world: World, sync: SyncId, name: BrakeName, *, for_good: bool) -> Release:
    """Let go of a brake. Raises `SetupError` for one that can only be released once."""
    if for_good and not BRAKES[name].may_be_off:
        text = f"The brake {name.value} can only be released once, not for good: {BRAKES[name].protects}"
        raise SetupError(f"{text} Use --once.")
    made = Release(for_good, world.clock.now())
    world.store.remember(sync, _memo(name), msgspec.json.encode(made).decode())
    told = {"brakes": [name.value], "for_good": for_good}
    world.store.audit(AuditKind.BRAKES_RELEASED, told, now=made.at, sync=sync, subject=name.value)
    return made


def arm(world: World, sync: SyncId, name: BrakeName, limits: Limits) -> None:
    """Take a release back. Raises `SetupError` when the configuration keeps the brake off."""
    with world.store.transaction():
        if world.store.recall(sync, _memo(name)):
            told_of, now = {"brake": name.value}, world.clock.now()
            world.store.audit(AuditKind.BRAKE_ARMED, told_of, now=now, sync=sync, subject=name.value)
        world.store.remember(sync, _memo(name), "")
    if name in limits.off:
        raise SetupError(
            f"The configuration switches {name.value} off: take it out of syncs.{sync}.brakes.off."
        )


def releases(store: Store, sync: SyncId) -> Mapping[BrakeName, Release]:
    """What persons have let go of, and no run has used up."""
    kept = {name: store.recall(sync, _memo(name)) for name in BrakeName}
    return {name: msgspec.json.decode(text, type=Release) for name, text in kept.items() if text}


def use_up(world: World, sync: SyncId, released: Iterable[Brake]) -> None:
    """A run went through that would have been stopped: what was released for once is armed again."""
    kept, names = releases(world.store, sync), sorted({brake.name.value for brake in released})
    if names:
        told = {"brakes": names, "used": True}
        world.store.audit(AuditKind.BRAKES_RELEASED, told, now=world.clock.now(), sync=sync)
    for name in map(BrakeName, names):
        if name in kept and not kept[name].is_for_good:
            world.store.remember(sync, _memo(name), "")


def report(store: Store, sync: SyncId, limits: Limits) -> Sequence[BrakeReport]:
    """Every brake of a sync, in the order they are looked at."""
    kept, last = releases(store, sync), _last(store, sync)
    return [_report(name, kept.get(name), limits, last.get(name)) for name in BrakeName]


def _report(name: BrakeName, kept: Release | None, limits: Limits, last: Pulled | None) -> BrakeReport:
    state, by, since = BrakeState.ARMED, "", None
    if name in limits.off:
        state, by = BrakeState.OFF, "configuration"
    elif kept is not None:
        state = BrakeState.OFF if kept.is_for_good else BrakeState.RELEASED_ONCE
        by, since = "command", kept.at
    kind = BRAKES[name]
    return BrakeReport(name, kind.title, kind.pulls, kind.protects, kind.may_be_off, state, by, since, last)


def _last(store: Store, sync: SyncId) -> dict[BrakeName, Pulled]:
    """What the last run that came to its end saw."""
    for run in last_runs(store, sync):
        found = told(run)
        if found is not None:
            stopped = {each.name: Pulled(run.id, each.sentence, each.remedy) for each in found.brakes}
            passed = {
                each.name: Pulled(run.id, each.sentence, each.remedy, is_released=True)
                for each in found.released
            }
            return passed | stopped
    return {}


def _memo(name: BrakeName) -> str:
    return f"brake:{name.value}"
