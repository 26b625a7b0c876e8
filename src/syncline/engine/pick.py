"""A few chosen records into two sweeps, by direct reads: what a run of chosen records looks at.

Called by `runs` for `resync`, for a retry at once, and for whoever learns of single records (a webhook). Nothing is
listed, unless one of them has no counterpart yet, so nothing is said of absence beyond the records read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from syncline.core.memory import Seen, Standing
from syncline.core.records import Present, Record, RecordKey, Side
from syncline.engine.pull import Sweep, pull, read
from syncline.engine.sync import Sync, World
from syncline.ports import Ending


async def pick(world: World, sync: Sync, wanted: Iterable[tuple[Side, RecordKey]]) -> dict[Side, Sweep]:
    """Read chosen records, and the ones that they are linked with: two calls for a linked record. What the reads do not
    tell stays as it was remembered."""
    keys: dict[Side, set[RecordKey]] = {side: set[RecordKey]() for side in Side}
    for side, key in wanted:
        keys[side].add(key)
    known = [world.store.seen(sync.id, side, sorted(keys[side])) for side in Side]
    links = [seen.link for found in known for seen in found.values() if seen.link is not None]
    for link in world.store.links(sync.id, links).values():
        for side in Side:
            keys[side].add(link.of(side).key)
    sweeps = {side: await _read(world, sync, side, sorted(keys[side])) for side in Side}
    if not any(sweep.new for sweep in sweeps.values()) and not any(map(_is_lone, known)):
        return sweeps
    return {side: await _with_news(world, sync, side, sweeps[side]) for side in Side}


def _is_lone(known: Mapping[RecordKey, Seen]) -> bool:
    """Whether one of them was seen before, and still waits for its counterpart, or to be copied."""
    return any(seen.standing is Standing.WAITING for seen in known.values())


async def _with_news(world: World, sync: Sync, side: Side, chosen: Sweep) -> Sweep:
    """A record without a link may have its counterpart on the other side, unseen so far: before anything is made from
    it, both sides tell what is new."""
    news = await pull(world, sync, side, world.store.recall(sync.id, f"cursor:{side.value}"))
    # A listing from the beginning that broke off tells nothing of the rest: it stays one, and stops the run.
    news.is_delta = news.is_delta or news.ending.is_complete
    for key, record in chosen.fresh.items():
        if not _is_newer(news, record):
            news.put(key, Present(record))
    for key, gone in chosen.gone.items():
        news.put(key, gone)
    news.new |= chosen.new
    return news


def _is_newer(news: Sweep, record: Record) -> bool:
    """Whether a record was edited after it was read, and before it was listed."""
    listed = news.fresh.get(record.key)
    if listed is None or listed.updated_at is None or record.updated_at is None:
        return False
    return listed.updated_at > record.updated_at


async def _read(world: World, sync: Sync, side: Side, keys: list[RecordKey]) -> Sweep:
    ending = Ending(is_complete=False, reason="only chosen records were read")
    sweep = Sweep(ending, began_at=world.clock.now(), is_delta=True, is_chosen=True)
    known = world.store.seen(sync.id, side, keys)
    for key, sighting in (await read(sync, side, keys)).items():
        before = known.get(key)
        if isinstance(sighting, Present):
            sweep.put(key, Present(sync.trim(side, sighting.record)))
            if before is None or (before.gone is not None and before.link is None):
                sweep.new.add(key)
        elif before is not None and before.gone is None:
            # A record that nobody knew, and that is not there, leaves no trace.
            sweep.put(key, sighting)
    return sweep
