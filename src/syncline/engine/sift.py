"""Records that a recheck laid aside into the links that something comes of; the others are forgotten, a chunk at a time.

Called by `reconcile` before it decides, and by `remember`, which notes what is new of links that nothing comes of: that
they came back into the filter, or hold a value that is looked at now. So the memory of a recheck grows with what has to
happen, not with how many records there are.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from syncline.core.memory import Link, Seen
from syncline.core.records import FieldId, LinkId, Present, Side
from syncline.engine.notes import linked_now, unagreed
from syncline.engine.parents import learn, table_of
from syncline.engine.pull import Listed, Sweep, remembered
from syncline.engine.sync import Progress, Sync, World

CHUNK = 500
"""Links that are loaded at a time."""

Sweeps = Mapping[Side, Sweep]
Aside = Mapping[Side, Listed]
IsQuiet = Callable[[Link], bool]


@dataclass(frozen=True, slots=True)
class _Note:
    """What is to be remembered of a link that nothing comes of: its records as they are now, and fields that hold a value
    which was never agreed on."""

    seen: Mapping[Side, Seen]
    spoken: Mapping[Side, Sequence[FieldId]]


def take_up(sweeps: Sweeps, links: Iterable[LinkId]) -> None:
    """The laid aside records of these links are worth a decision: something happened to the link anyway."""
    if any(sweep.aside is not None for sweep in sweeps.values()):
        for link in links:
            _take_up(sweeps, _aside(sweeps, link))


def sift(
    world: World, sync: Sync, sweeps: Sweeps, others: Container[LinkId], is_quiet: IsQuiet
) -> tuple[dict[LinkId, Link], array[int]]:
    """Of all links but the `others` with a record laid aside: those that something comes of, whose records are taken up,
    and the numbers of quiet ones of which something new is to be noted all the same."""
    busy: dict[LinkId, Link] = {}
    news = array("Q")
    done = 0
    for chunk in _chunks(number for number in _numbers(sweeps) if number not in others):
        found = world.store.links(sync.id, chunk)
        _ask_of_parents(sync, sweeps, chunk)
        for number in chunk:
            aside, link = _aside(sweeps, number), found.get(number)
            _take_up(sweeps, aside)
            # Records that a closed link ties go on by themselves.
            if link is None:
                continue
            if not is_quiet(link):
                busy[number] = link
                continue
            if _note(sync, link, aside) is not None:
                news.append(number)
            for side, listed in aside.items():
                sweeps[side].forget(listed)
        done += len(chunk)
        world.watch(Progress("looking again", done))
    return busy, news


def _ask_of_parents(sync: Sync, sweeps: Sweeps, chunk: Iterable[LinkId]) -> None:
    """Look up together what the records of a chunk point to."""
    if table_of(sync) is not None:
        asides = [_aside(sweeps, number) for number in chunk]
        learn(sync, {side: [each[side].record for each in asides if side in each] for side in Side})


def note(world: World, sync: Sync, sweeps: Sweeps, news: Iterable[int]) -> None:
    """Remember what is new of quiet links. Only inside a transaction."""
    done = 0
    for chunk in _chunks(LinkId(number) for number in news):
        seen: dict[Side, list[Seen]] = {side: [] for side in Side}
        for link in world.store.links(sync.id, chunk).values():
            found = _note(sync, link, _aside(sweeps, link.id))
            if found is not None:
                for side, each in found.seen.items():
                    seen[side].append(each)
                if any(found.spoken.values()):
                    world.store.speak(link.id, found.spoken[Side.LEFT], found.spoken[Side.RIGHT])
        for side, many in seen.items():
            world.store.see(sync.id, side, many)
        done += len(chunk)
        world.watch(Progress("remembering", done))


def _note(sync: Sync, link: Link, aside: Aside) -> _Note | None:
    """What is new of a quiet link; None for nothing."""
    seen: dict[Side, Seen] = {}
    spoken: dict[Side, Sequence[FieldId]] = {}
    for side in Side:
        listed, before = aside.get(side), link.of(side)
        sighting = remembered(link, side) if listed is None else Present(listed.record)
        noted = link.spoken.of(side)
        spoken[side] = [name for name in unagreed(sync, side, link.base, sighting) if name not in noted]
        if listed is not None:
            now = linked_now(link, side, listed.record, listed.digest, is_settled=True)
            if now != before:
                seen[side] = now
    return _Note(seen, spoken) if seen or any(spoken.values()) else None


def _aside(sweeps: Sweeps, link: LinkId) -> Aside:
    found = {side: sweep.laid_aside(link) for side, sweep in sweeps.items()}
    return {side: listed for side, listed in found.items() if listed is not None}


def _take_up(sweeps: Sweeps, aside: Aside) -> None:
    for side, listed in aside.items():
        sweeps[side].take_up(listed)


def _numbers(sweeps: Sweeps) -> Iterator[LinkId]:
    """Every link with a record laid aside, once."""
    left, right = sweeps[Side.LEFT].aside, sweeps[Side.RIGHT].aside
    if left is not None:
        yield from (LinkId(number) for number in left.numbers())
    if right is not None:
        yield from (LinkId(number) for number in right.numbers() if left is None or number not in left)


def _chunks(numbers: Iterable[LinkId]) -> Iterator[Sequence[LinkId]]:
    every = iter(numbers)
    while chunk := list(islice(every, CHUNK)):
        yield chunk
