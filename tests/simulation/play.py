"""A seed or a script into a played world and what is wrong with it; a failing script into the smallest one that still fails."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator

import msgspec

from tests.simulation.improvise import improvise
from tests.simulation.invariants import check
from tests.simulation.script import Event, Script, Turn
from tests.simulation.world import World


def played(seed: int, *, is_traced: bool = False) -> tuple[World, list[str]]:
    """A seed's world after its end, and its faults."""
    return _played(World(seed, is_traced))


def replayed(script: Script, *, is_traced: bool = False) -> tuple[World, list[str]]:
    """A script's world after its end, and its faults."""
    return _played(World(script.seed, is_traced, script=script))


def _played(world: World) -> tuple[World, list[str]]:
    async def play() -> list[str]:
        try:
            await world.play(improvise)
        except AssertionError as error:
            return [str(error) or "an assertion of the engine failed"]
        return check(world)

    try:
        return world, asyncio.run(play())
    finally:
        world.store.close()


def script_of(world: World, faults: list[str]) -> Script:
    """What happened in a world."""
    assert world.weather is not None
    return Script(world.seed, world.weather, tuple(world.events), tuple(faults))


def shrunken(script: Script, say: Callable[[str], object] = lambda _: None) -> Script:
    """The smallest script found that still fails: events, faults and bad habits are left out as long as it does."""
    found, kinds = [script.faults], _kinds(script.faults)

    def fails(candidate: Script) -> bool:
        _, faults = replayed(candidate)
        is_same = not kinds.isdisjoint(_kinds(faults))
        if is_same:
            found[0] = tuple(faults)
        return is_same

    best, size = script, script.size + 1
    while best.size < size:
        size = best.size
        for shorter in (_calmer, _fewer_events, _emptier_turns):
            best = shorter(best, fails)
            say(f"{best.size} things left")
    return msgspec.structs.replace(best, faults=found[0])


Fails = Callable[[Script], bool]
_SUBJECT = re.compile(r"⟦.*|\(.*|[\[{].*")


def _kinds(faults: Iterable[str]) -> set[str]:
    """What kinds of faults these are: their last words, or the first ones where a plan is quoted."""
    return {" ".join(_SUBJECT.sub("", f).split()[:2]) or " ".join(f.split()[-3:]) for f in faults}


def _calmer(script: Script, fails: Fails) -> Script:
    """Without what the weather alone brings."""
    for name, value in (("lag", 0.0), ("writers", 1), ("one_way", {}), ("keys", "unique")):
        weather = msgspec.structs.replace(script.weather, **{name: value})
        calmer = msgspec.structs.replace(script, weather=weather)
        if weather != script.weather and fails(calmer):
            script = calmer
    return script


def _fewer_events(script: Script, fails: Fails) -> Script:
    return _with(script, _least(script.events, lambda events: fails(_with(script, events))))


def _emptier_turns(script: Script, fails: Fails) -> Script:
    for number, event in enumerate(script.events):
        if isinstance(event, Turn):
            for candidate in _emptier(event):
                emptier = _with(script, (*script.events[:number], candidate, *script.events[number + 1 :]))
                if fails(emptier):
                    return _emptier_turns(emptier, fails)
    return script


def _emptier(turn: Turn) -> Iterator[Turn]:
    if turn.crash_at is not None:
        yield msgspec.structs.replace(turn, crash_at=None, back_after=0.0)
    for name in ("way_at", "beside"):
        if getattr(turn, name) is not None:
            yield msgspec.structs.replace(turn, **{name: None})
    for name in ("during", "strikes"):
        items = getattr(turn, name)
        if len(items) > 1:
            yield msgspec.structs.replace(turn, **{name: ()})
        for number in range(len(items)):
            yield msgspec.structs.replace(turn, **{name: (*items[:number], *items[number + 1 :])})
    if turn.is_recheck:
        yield msgspec.structs.replace(turn, is_recheck=False)
    if turn.hints is not None:
        yield msgspec.structs.replace(turn, hints=None)


def _with(script: Script, events: tuple[Event, ...]) -> Script:
    return msgspec.structs.replace(script, events=events)


def _least(events: tuple[Event, ...], fails: Callable[[tuple[Event, ...]], bool]) -> tuple[Event, ...]:
    """Leave out ever smaller stretches, as long as it still fails."""
    stretch = len(events) // 2
    while stretch:
        start = 0
        while start < len(events):
            shorter = events[:start] + events[start + stretch :]
            if fails(shorter):
                events = shorter
            else:
                start += stretch
        stretch //= 2
    return events
