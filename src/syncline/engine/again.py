"""A person's "try again" into records that are due at once, or that are read fresh and decided again.

Called by the CLI. A retry only moves the time of the next try: the attempts stay counted. A resync of single records
reads them directly, two calls for a linked one, and goes through the same run as everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import msgspec

from syncline.core.audit import AuditKind
from syncline.core.memory import Link, Parked, Seen
from syncline.core.records import FieldId, Present, RecordKey, Side, SyncId
from syncline.core.values import Value, canonical_text
from syncline.engine.pull import remembered
from syncline.engine.report import Chosen, Report
from syncline.engine.runs import Options, run
from syncline.engine.sync import Sync, World
from syncline.errors import SetupError

Spot = tuple[Side, RecordKey]
_AT_ONCE = 500


def retry(
    world: World,
    sync: SyncId,
    keys: Iterable[RecordKey] | None = None,
    code: str | None = None,
) -> Sequence[Parked]:
    """Make parked records due now: those of these keys (or of the records they are linked with), those that failed with
    this code (or one of its details), or all. Answers them as they are now; the next run tries them."""
    keys = None if keys is None else list(keys)
    wanted = None if keys is None else {spot for key in keys for spot in spots(world, sync, key)}
    due = [
        msgspec.structs.replace(each, due=world.clock.now())
        for each in world.store.parked(sync)
        if (wanted is None or (each.side, each.key) in wanted) and _is_of(each.code, code)
    ]
    with world.store.transaction():
        for each in due:
            world.store.park(sync, each)
        if due:
            told = {"records": len(due), "code": code}
            about = code or ", ".join(keys or ["all"])
            world.store.audit(AuditKind.RETRIED, told, now=world.clock.now(), sync=sync, subject=about)
    return due


def _is_of(code: str, asked: str | None) -> bool:
    return asked is None or code == asked or code.startswith(f"{asked}.")


def spots(world: World, sync: SyncId, key: RecordKey) -> frozenset[Spot]:
    """Where a key stands for a record that we know, on either side, and the records these are linked with; nothing for
    a key that was never seen."""
    store = world.store
    found = {
        (side, seen.key)
        for side in Side
        for seen in store.seen(sync, side, [key]).values()
        if seen.gone is None or seen.link is not None
    }
    for link in store.links(sync, store.find_link(sync, key)).values():
        found |= {(side, link.of(side).key) for side in Side}
    return frozenset(found)


async def resync(
    world: World,
    sync: Sync,
    jitter: Callable[[], float],
    chosen: frozenset[Spot],
    options: Options | None = None,
) -> Report:
    """Read these records fresh, and those they are linked with, and decide again even where nothing seems changed.

    A record that waits after a failure is tried now. Raises what `run` raises.
    """
    make_due(world, sync.id, chosen)
    spots_read = _with_counterparts(world, sync.id, chosen)
    report = await run(world, sync, jitter, replace(options or Options(), is_full=False, only=chosen))
    left = sum(side is Side.LEFT for side, _ in spots_read)
    return msgspec.structs.replace(report, chosen=Chosen(left, len(spots_read) - left))


async def resync_all(
    world: World, sync: Sync, jitter: Callable[[], float], options: Options | None = None
) -> Report:
    """The same for every record of the sync: both sides are listed, and every record is decoded and decided."""
    retry(world, sync.id)
    return await run(world, sync, jitter, replace(options or Options(), is_full=True, is_recheck=True))


def _with_counterparts(world: World, sync: SyncId, chosen: frozenset[Spot]) -> frozenset[Spot]:
    """These records, and those that they are linked with: what a run of them reads."""
    known = [
        seen
        for side in Side
        for seen in world.store.seen(sync, side, sorted(key for at, key in chosen if at is side)).values()
    ]
    links = world.store.links(sync, [seen.link for seen in known if seen.link is not None])
    return chosen | {(side, link.of(side).key) for link in links.values() for side in Side}


def make_due(world: World, sync: SyncId, chosen: frozenset[Spot]) -> None:
    """Let the next run try those of these records again that wait after a failure."""
    now = world.clock.now()
    with world.store.transaction():
        for each in world.store.parked(sync):
            if (each.side, each.key) in chosen:
                world.store.park(sync, msgspec.structs.replace(each, due=now))


def matching(
    world: World, sync: Sync, field: str, text: str, shown: Callable[[Value], str]
) -> frozenset[Spot]:
    """The known records that hold this text in a field (of either side), as remembered, with those they are linked with.

    `shown` turns a value into the text that a person reads. Raises `SetupError` for a field that the sync does not look
    at.
    """
    sides = [side for side in Side if FieldId(field) in sync.fields(side)]
    if not sides:
        known = ", ".join(sorted({str(name) for side in Side for name in sync.fields(side)}))
        raise SetupError(f"The sync '{sync.id}' looks at no field '{field}'. It has: {known}.")
    wanted = canonical_text(text).casefold()
    found: set[Spot] = set()
    for side in sides:
        for held, spots_of in _held(world, sync.id, side):
            value = held.get(FieldId(field))
            if value is not None and canonical_text(shown(value)).casefold() == wanted:
                found |= spots_of
    return frozenset(found)


def _held(world: World, sync: SyncId, side: Side) -> Iterator[tuple[dict[FieldId, Value], set[Spot]]]:
    """What every known record of a side holds, as remembered, with its own spot and its counterpart's."""
    for several in _batches(world.store.absent(sync, side, frozenset[int]())):
        ids = [seen.link for seen in several if seen.link is not None]
        links = world.store.links(sync, ids)
        for seen in several:
            link = links.get(seen.link) if seen.link is not None else None
            yield _fields(link, seen, side), _spots(link, seen, side)


def _batches(records: Iterator[Seen]) -> Iterator[list[Seen]]:
    while several := list(islice(records, _AT_ONCE)):
        yield several


def _fields(link: Link | None, seen: Seen, side: Side) -> dict[FieldId, Value]:
    if link is None:
        return dict(seen.fields or {})
    sighting = remembered(link, side)
    return dict(sighting.record.fields) if isinstance(sighting, Present) else {}


def _spots(link: Link | None, seen: Seen, side: Side) -> set[Spot]:
    return {(side, seen.key)} if link is None else {(each, link.of(each).key) for each in Side}
