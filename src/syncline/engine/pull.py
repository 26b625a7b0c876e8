"""One side's listing into what changed on it since we last looked.

Called by `reconcile`. Most records are recognised by the digest of their bytes and never decoded; the rest is decoded,
checked against what we know to be newer, and handed on. A recheck decodes every record: what seems to be as it was is
laid aside on the disk until `sift` looks at it. Absence is never taken at its word: a record that a complete listing lacks
is read directly before it counts as gone.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from syncline.core.memory import Counts, Link, Seen, Standing
from syncline.core.records import Gone, LinkId, Present, Record, RecordKey, Side, Sighting, Unseen
from syncline.engine.absences import Missing, count_missing
from syncline.engine.notes import lone_now
from syncline.engine.spool import Spool
from syncline.engine.sync import Progress, Sync, World
from syncline.ports import Ending, Page, Recognised

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_READERS = 8


class Listed(msgspec.Struct, frozen=True):
    """A record as its listing shows it, with the digest of its bytes. An empty digest: it was read directly."""

    record: Record
    digest: bytes


_encoded = msgspec.msgpack.Encoder().encode
_decoded = msgspec.msgpack.Decoder(Listed).decode


class Bitmap:
    """A set of small whole numbers, one bit each: a million records fit in 128 kB."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self.count = 0

    def add(self, number: int) -> None:
        """Put a number in."""
        index, bit = number >> 3, 1 << (number & 7)
        if index >= len(self._bits):
            self._bits.extend(bytes(max(index + 1 - len(self._bits), len(self._bits))))
        if not self._bits[index] & bit:
            self._bits[index] |= bit
            self.count += 1

    def add_all(self, numbers: Sequence[int]) -> None:
        """Put many in; a range at once."""
        if not isinstance(numbers, range) or not numbers:
            for number in numbers:
                self.add(number)
            return
        start, stop = numbers[0] >> 3, (numbers[-1] >> 3) + 1
        if stop > len(self._bits):
            self._bits.extend(bytes(max(stop - len(self._bits), len(self._bits))))
        old = int.from_bytes(self._bits[start:stop], "little")
        new = old | ((1 << len(numbers)) - 1) << (numbers[0] - (start << 3))
        self._bits[start:stop] = new.to_bytes(stop - start, "little")
        self.count += new.bit_count() - old.bit_count()

    def __contains__(self, number: object) -> bool:
        """Whether a number is in."""
        if not isinstance(number, int):
            return False
        index = number >> 3
        return index < len(self._bits) and bool(self._bits[index] & 1 << (number & 7))


@dataclass(slots=True)
class Sweep:
    """What one side's listing told.

    `fresh` are records worth a decision, with their listing digests; `moved` those of them whose bytes differ from
    what we knew; `direct` those that were read one by one; `gone` the proven absences; `listed` counts distinct records;
    `missing` those that this complete listing lacks and nobody could read, and since when (None: the listing says
    nothing of absence). `is_chosen`: nothing was listed, only chosen records were read. `aside` has, by link, records that did not change, for a recheck that looks at all of them.
    """

    ending: Ending
    fresh: dict[RecordKey, Record] = field(default_factory=dict[RecordKey, Record])
    digests: dict[RecordKey, bytes] = field(default_factory=dict[RecordKey, bytes])
    moved: set[RecordKey] = field(default_factory=set[RecordKey])
    gone: dict[RecordKey, Gone] = field(default_factory=dict[RecordKey, Gone])
    known: Bitmap = field(default_factory=Bitmap)
    new: set[RecordKey] = field(default_factory=set[RecordKey])
    direct: set[RecordKey] = field(default_factory=set[RecordKey])
    missing: Missing | None = None
    began_at: dt.datetime | None = None
    is_delta: bool = False
    is_chosen: bool = False
    aside: Spool | None = None

    @property
    def listed(self) -> int:
        """How many distinct records the listing held."""
        return self.known.count + len(self.new)

    def shows(self, key: RecordKey) -> bool:
        """Whether the listing tells what a known record holds: it was decoded, or it did not change, for all that did
        were listed."""
        is_delta = self.is_delta and self.ending.is_gapless and self.ending.cursor is not None
        return key in self.fresh or ((self.ending.is_complete or is_delta) and key not in self.gone)

    @property
    def shows_news(self) -> bool:
        """Whether a record that nobody knew would have been listed. (A full listing with a gap pulls a brake.)"""
        return not self.is_chosen and (self.ending.is_gapless or not self.is_delta)

    def put(self, key: RecordKey, sighting: Sighting) -> None:
        """Add what a direct read told; it is truer than the listing."""
        self.digests.pop(key, None)
        if isinstance(sighting, Present):
            self.fresh[key] = sighting.record
            self.direct.add(key)
            self.moved.add(key)
            self.gone.pop(key, None)
        elif isinstance(sighting, Gone):
            self.gone[key] = sighting
            self.fresh.pop(key, None)
            self.moved.discard(key)

    def lay_aside(self, link: LinkId, listed: Listed) -> None:
        """Put a record on the disk that most likely nothing comes of."""
        assert self.aside is not None  # noqa: S101 - only a recheck lays aside, and has where to
        self.aside.put(link, _encoded(listed))

    def laid_aside(self, link: LinkId) -> Listed | None:
        """The record of a link that was laid aside, unless something truer is known of it by now."""
        content = None if self.aside is None else self.aside.get(link)
        if content is None:
            return None
        found = _decoded(content)
        return None if found.record.key in self.fresh or found.record.key in self.gone else found

    def take_up(self, listed: Listed) -> None:
        """A record that was laid aside is worth a decision."""
        self.fresh[listed.record.key] = listed.record
        self.digests[listed.record.key] = listed.digest

    def forget(self, listed: Listed) -> None:
        """It was not: nothing comes of it."""
        del self.fresh[listed.record.key], self.digests[listed.record.key]


def version(at: dt.datetime | None) -> int:
    """A time as whole microseconds since 1970; 0 for none."""
    return 0 if at is None else (at - _EPOCH) // _MICROSECOND


async def pull(
    world: World, sync: Sync, side: Side, since: str | None, *, aside: Spool | None = None
) -> Sweep:
    """List one side: all of it, or what changed since the cursor. With a place for what is laid aside, it is a recheck,
    and every record is decoded."""
    ending = Ending(is_complete=False, reason="the listing broke off", is_gapless=False)
    sweep = Sweep(ending, began_at=world.clock.now(), is_delta=since is not None, aside=aside)
    unclear = frozenset[RecordKey]() if aside is None else _unclear(world, sync, side)
    setup = sync.side(side)
    async for part in setup.connector.pages(setup.scope, since):
        if isinstance(part, Ending):
            sweep.ending = part
            break
        if aside is None:
            _take(world, sync, side, part, sweep)
        else:
            _look_again(world, sync, side, part, sweep, unclear)
        world.watch(Progress(f"reading {side.value}", sweep.listed))
    await _check_returned(world, sync, side, sweep)
    return sweep


def _take(world: World, sync: Sync, side: Side, page: Page, sweep: Sweep) -> None:
    """The fast path: look every record of the page up at once, and decode only what is new, changed or not settled."""
    keys, digests = page.keys, page.digests
    same_ids, rest = world.store.compare(sync.id, side, keys, digests)
    sweep.known.add_all(same_ids)
    if not rest:
        return
    find = world.store.recognise(sync.id, side, [keys[index] for index in rest]).get
    for index in rest:
        ours = find(keys[index])
        if ours is not None:
            sweep.known.add(ours.id)
            if ours.is_settled and ours.digest == digests[index]:
                continue
        listed = _decode(sync, side, page, index, ours)
        if listed is not None:
            _put(listed, ours, sweep)


def _look_again(
    world: World, sync: Sync, side: Side, page: Page, sweep: Sweep, unclear: Collection[RecordKey]
) -> None:
    """A recheck: every record is decoded. One that is settled and did not change is laid aside until both sides are
    known, or forgotten right away when it has no other side. Those whose last write is `unclear` are looked after
    first (`recover`)."""
    seen = world.store.seen(sync.id, side, page.keys)
    find = world.store.recognise(sync.id, side, page.keys).get
    for index, key in enumerate(page.keys):
        ours = find(key)
        if ours is not None:
            sweep.known.add(ours.id)
        listed = _decode(sync, side, page, index, ours)
        if listed is None:
            continue
        is_same = ours is not None and ours.is_settled and ours.digest == listed.digest
        if not is_same or key in unclear:
            _put(listed, ours, sweep)
        elif (link := seen[key].link) is not None:
            sweep.lay_aside(link, listed)
        elif not _is_as_before(sync, side, listed, seen[key]):
            _put(listed, ours, sweep)


def _is_as_before(sync: Sync, side: Side, listed: Listed, seen: Seen) -> bool:
    """Whether a record without a link stands for itself, or outside the filter, just as it did."""
    is_same = lone_now(sync, side, listed.record, listed.digest, seen) == seen
    return is_same and not sync.doubt(side, listed.record)


def _unclear(world: World, sync: Sync, side: Side) -> frozenset[RecordKey]:
    """The records of a side whose last write has no known outcome."""
    steps = [intent.step for intent in world.store.intents(sync.id)]
    keys = (step.key if step.side is side else step.counterpart for step in steps)
    return frozenset(key for key in keys if key is not None)


def _decode(sync: Sync, side: Side, page: Page, index: int, ours: Recognised | None) -> Listed | None:
    """A record of a page; None for one that is older than what we know."""
    record = sync.trim(side, page.record(index))
    if ours is not None and version(record.updated_at) < ours.version:
        # A search index that lags shows an older state than the one a write already answered.
        return None
    return Listed(record, page.digests[index])


def _put(listed: Listed, ours: Recognised | None, sweep: Sweep) -> None:
    key, digest = listed.record.key, listed.digest
    sweep.take_up(listed)
    if ours is None:
        sweep.new.add(key)
        sweep.moved.add(key)
    elif ours.digest != digest:
        sweep.moved.add(key)


async def _check_returned(world: World, sync: Sync, side: Side, sweep: Sweep) -> None:
    """A record listed although it is gone: back again, or only a listing that lags? A direct read tells."""
    if not sweep.new:
        return
    buried = world.store.seen(sync.id, side, sorted(sweep.new))
    doubtful = [key for key, seen in buried.items() if seen.gone is not None]
    for key, sighting in (await read(sync, side, doubtful)).items():
        if isinstance(sighting, Present):
            sweep.put(key, Present(sync.trim(side, sighting.record)))
            if buried[key].link is not None:
                sweep.new.discard(key)
        elif isinstance(sighting, Unseen) and _was_only_missing(buried[key]):
            # Listed again, and it could never be read: nothing truer than the listing is to be had.
            if buried[key].link is not None:
                sweep.new.discard(key)
        else:
            sweep.fresh.pop(key, None)
            sweep.digests.pop(key, None)
            sweep.new.discard(key)
            sweep.moved.discard(key)


def _was_only_missing(seen: Seen) -> bool:
    return seen.gone is not None and not seen.gone.proof.is_direct


async def read(sync: Sync, side: Side, keys: Iterable[RecordKey]) -> Mapping[RecordKey, Sighting]:
    """Read records directly, a few at a time."""
    setup, gate = sync.side(side), asyncio.Semaphore(_READERS)

    async def one(key: RecordKey) -> tuple[RecordKey, Sighting]:
        async with gate:
            return key, await setup.connector.fetch(setup.scope, key)

    return dict(await asyncio.gather(*(one(key) for key in keys)))


async def prove_absences(
    world: World, sync: Sync, side: Side, sweep: Sweep, counts: Counts, *, is_emptied: bool = False
) -> None:
    """Read every record that a complete listing lacks. Nothing is proven from an incomplete or an empty listing: the
    one says nothing, and the other pulls a brake, unless a person says that the side `is_emptied`. `counts` are the
    store's own."""
    if not sweep.ending.is_complete or (sweep.listed == 0 and not is_emptied):
        return
    if sweep.known.count == (counts.left if side is Side.LEFT else counts.right):
        # Every record that we know was listed; the same rows are counted on both sides of the comparison.
        sweep.missing = {}
        return
    missing = [
        seen.key
        for seen in world.store.absent(sync.id, side, sweep.known)
        # A record outside the filter rests until a listing shows it again: it is not read in every run.
        if seen.standing is not Standing.RELEASED and seen.in_scope and seen.key not in sweep.fresh
    ]
    found = await read(sync, side, missing)
    for key, sighting in found.items():
        if isinstance(sighting, Present):
            # There, but not listed: outside the filter, or a listing that lags. The direct read is the truth.
            sweep.put(key, Present(sync.trim(side, sighting.record)))
        else:
            sweep.put(key, sighting)
    if sweep.began_at is not None:
        unread = [key for key, sighting in found.items() if isinstance(sighting, Unseen)]
        gone, sweep.missing = count_missing(world, sync, side, sweep.began_at, unread)
        for key, proof in gone.items():
            sweep.put(key, proof)


def remembered(link: Link, side: Side) -> Sighting:
    """What we remember of one side of a link: a settled record holds what its base holds, and what is noted beside."""
    seen = link.of(side)
    sighting = as_seen(seen)
    if isinstance(sighting, Present) and (seen.is_settled or seen.fields is None):
        fields = {**link.base.of(side), **(seen.fields or {})}
        return Present(msgspec.structs.replace(sighting.record, fields=fields))
    return sighting


def as_seen(seen: Seen) -> Sighting:
    """What we remember of a record that was not read now."""
    if seen.gone is not None:
        return seen.gone
    return Present(
        Record(
            seen.key,
            dict(seen.fields or {}),
            updated_at=seen.updated_at,
            title=seen.title,
            external_key=seen.external_key,
            in_scope=seen.in_scope,
            wrote_at=seen.wrote_at,
        )
    )
