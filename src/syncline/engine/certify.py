"""Fresh listings of both sides, and what we remember, into a divergence certificate.

Called by the CLI after a run or on demand. Every record of both sides is listed and decoded anew; the left ones wait on
the disk until their right counterparts come, so that memory stays flat. Nothing is written to a vendor, and nothing but
the certificate to the store.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from syncline.core.audit import AuditEntry, AuditKind
from syncline.core.certificate import Certificate, Difference, Fingerprint, Lines, Listing, Records, summed
from syncline.core.comparison import Cause, Whereabouts, cause, half_cause, lone_cause
from syncline.core.decisions import line_name
from syncline.core.memory import Link, RunState, Seen
from syncline.core.quota import Purpose
from syncline.core.records import Gone, LinkId, Present, RecordKey, RunId, Side
from syncline.engine.known import Known, known_of
from syncline.engine.pull import Bitmap, Listed, version
from syncline.engine.spool import Spool
from syncline.engine.sync import Progress, Sync, World
from syncline.errors import BusyError, SetupError
from syncline.ports import Ending, Page, calling_for

LOOKS = 200
"""Records that are read by themselves at most, where a listing does not show them as they are."""
_SAMPLES = 20
_UNEXPLAINED_SAMPLES = 500
_CHUNK = 500
_BROKEN = Ending(is_complete=False, reason="the listing broke off")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Listed).decode


class Certified(msgspec.Struct, frozen=True):
    """A certificate with its place in the audit trail."""

    number: int
    hash: str
    certificate: Certificate


@dataclass(slots=True)
class _Side:
    """What became of one side's listing, and of the records in it. `spool` holds those that wait for a counterpart."""

    spool: Spool
    began_at: dt.datetime
    ending: Ending = _BROKEN
    total: int = 0
    compared: int = 0
    looks: int = 0
    causes: Counter[Cause] = field(default_factory=Counter[Cause])
    listed: Bitmap = field(default_factory=Bitmap)
    strangers: set[RecordKey] = field(default_factory=set[RecordKey])


@dataclass(slots=True)
class _Work:
    """One certificate in the making. `lines` counts causes by line, None standing for equal."""

    world: World
    sync: Sync
    known: Known
    sides: dict[Side, _Side]
    lines: dict[str, Counter[Cause | None]]
    with_values: bool
    done: Bitmap = field(default_factory=Bitmap)
    print: Fingerprint = field(default_factory=Fingerprint)
    links: Counter[Cause] = field(default_factory=Counter[Cause])
    samples: dict[Cause, list[Difference]] = field(default_factory=dict[Cause, list[Difference]])


async def certify(
    world: World, sync: Sync, *, configuration: int = 0, with_values: bool = False
) -> Certified:
    """Compare both sides, and keep the certificate in the audit trail. `configuration` is the number of the applied
    version; `with_values` adds what the two sides hold to the samples that are answered, never to what is kept.

    Raises `BusyError` when a run is going on or began meanwhile, `TransientError` or `AuthError` when a side cannot be
    listed.
    """
    run, now = _last_run(world, sync), world.clock.now()
    with Spool() as left, Spool() as right:
        known = known_of(world, sync)
        sides = {Side.LEFT: _Side(left, now), Side.RIGHT: _Side(right, now)}
        lines = {name: Counter[Cause | None]() for name in known.lines}
        work = _Work(world, sync, known, sides, lines, with_values)
        with calling_for(Purpose.BULK):
            for side in Side:
                await _read(work, side)
            await _rest(work)
    if _last_run(world, sync) != run:
        raise BusyError("a run began while the two sides were compared; certify again")
    made = _certificate(work, run, now, configuration)
    entry = world.store.audit(
        AuditKind.CERTIFICATE, _without_values(made), now=now, sync=sync.id, subject=run or ""
    )
    return Certified(entry.id, entry.hash, made)


def certificate_of(entry: AuditEntry) -> Certified:
    """The certificate that an entry of the audit trail holds. Raises `SetupError` for one that holds none."""
    if entry.kind != AuditKind.CERTIFICATE.value:
        raise SetupError(f"Entry {entry.id} of the audit trail is no certificate; see `syncline audit`.")
    return Certified(entry.id, entry.hash, msgspec.json.decode(entry.body, type=Certificate))


def _last_run(world: World, sync: Sync) -> RunId | None:
    last = next(iter(world.store.runs(sync.id, limit=1)), None)
    if last is not None and last.state is RunState.RUNNING:
        raise BusyError("a run is going on; certify when it has ended")
    return None if last is None else last.id


# --- reading --------------------------------------------------------------------------------------------------------


async def _read(work: _Work, side: Side) -> None:
    """List one side, and put every record of it where it belongs."""
    setup, state = work.sync.side(side), work.sides[side]
    state.began_at = work.world.clock.now()
    async for part in setup.connector.pages(setup.scope, None):
        if isinstance(part, Ending):
            state.ending = part
            return
        await _take(work, side, part)
        work.world.watch(Progress(f"comparing {side.value}", state.total))


async def _take(work: _Work, side: Side, page: Page) -> None:
    store, sync = work.world.store, work.sync
    keys, digests = page.keys, page.digests
    seen = store.seen(sync.id, side, keys)
    fresh = _unlisted(work, side, keys)
    tied = {keys[index]: seen[keys[index]].link for index in fresh if keys[index] in seen}
    ids = sorted({link for link in tied.values() if link is not None})
    links = store.links(sync.id, ids if side is Side.RIGHT else ())
    for index in fresh:
        key = keys[index]
        listed = Listed(sync.trim(side, page.record(index)), digests[index])
        work.sides[side].total += 1
        link = tied.get(key)
        waiting = None if link is None or link not in links else work.sides[Side.LEFT].spool.get(link)
        if link is None:
            _count_lone(work, side, listed, seen.get(key))
        elif waiting is None:
            work.sides[side].spool.put(link, _encode(listed))
        else:
            await _compare(work, links[link], {Side.LEFT: _decode(waiting), Side.RIGHT: listed})


def _unlisted(work: _Work, side: Side, keys: Sequence[RecordKey]) -> list[int]:
    """The positions of a page's records that did not come before."""
    state = work.sides[side]
    known = work.world.store.recognise(work.sync.id, side, keys)
    out: list[int] = []
    for index, key in enumerate(keys):
        ours = known.get(key)
        if key in state.strangers or (ours is not None and ours.id in state.listed):
            continue
        if ours is None:
            state.strangers.add(key)
        else:
            state.listed.add(ours.id)
        out.append(index)
    return out


async def _rest(work: _Work) -> None:
    """Links whose records were not both listed."""
    store, sync = work.world.store, work.sync
    numbers: set[int] = set(store.unsettled(sync.id))
    for side, state in work.sides.items():
        numbers.update(number for number in state.spool.numbers() if number not in work.done)
        numbers.update(
            seen.link for seen in store.absent(sync.id, side, state.listed) if seen.link is not None
        )
    left = [LinkId(number) for number in sorted(numbers) if number not in work.done]
    for start in range(0, len(left), _CHUNK):
        chunk = left[start : start + _CHUNK]
        links = store.links(sync.id, chunk)
        for number in chunk:
            if number in links:
                await _halve(work, links[number])
            else:
                _count_orphan(work, number)


async def _halve(work: _Work, link: Link) -> None:
    """A link of which a listing lacks a record: where is it?"""
    listed: dict[Side, Listed] = {}
    places: list[Whereabouts] = []
    for side in Side:
        waiting = work.sides[side].spool.get(link.id)
        if waiting is None:
            place, found = await _find(work, side, link.of(side))
        else:
            place, found = Whereabouts.HERE, _decode(waiting)
        places.append(place)
        if found is not None:
            listed[side] = found
    if len(listed) == len(Side):
        await _compare(work, link, listed)
        return
    why = half_cause(places, work.known.of_half(link))
    work.links[why] += 1
    for side in listed:
        work.sides[side].causes[why] += 1
    _sample(work, Difference(why, link.left.key, link.right.key))


async def _find(work: _Work, side: Side, seen: Seen) -> tuple[Whereabouts, Listed | None]:
    """Where a record is that its listing lacks."""
    if seen.gone is not None:
        return Whereabouts.GONE, None
    if not seen.in_scope:
        return Whereabouts.OUTSIDE, None
    found = await _look(work, side, seen.key)
    if isinstance(found, Listed):
        work.sides[side].total += 1
        return Whereabouts.HERE, found
    return found, None


async def _look(work: _Work, side: Side, key: RecordKey) -> Listed | Whereabouts:
    """Read a record by itself, as long as there is patience for it."""
    state, setup = work.sides[side], work.sync.side(side)
    if state.looks >= LOOKS:
        return Whereabouts.UNKNOWN
    state.looks += 1
    sighting = await setup.connector.fetch(setup.scope, key)
    if isinstance(sighting, Gone):
        return Whereabouts.LOST
    if not isinstance(sighting, Present):
        return Whereabouts.UNKNOWN
    record = sighting.record
    return Listed(work.sync.trim(side, record), b"") if record.in_scope else Whereabouts.OUTSIDE


# --- comparing ------------------------------------------------------------------------------------------------------


async def _compare(work: _Work, link: Link, listed: dict[Side, Listed]) -> None:
    """Compare the two records of a link line by line."""
    is_stale = False
    for side, each in listed.items():
        if version(each.record.updated_at) < version(link.of(side).updated_at):
            # A listing that lags shows an older state than the one that a write answered.
            found = await _look(work, side, each.record.key)
            is_stale = is_stale or not isinstance(found, Listed)
            listed[side] = found if isinstance(found, Listed) else each
    known = work.known.of_pair(link, listed)
    left, right = (listed[side].record.fields for side in Side)
    values = [(left.get(lens.mapping.left), right.get(lens.mapping.right)) for lens in work.sync.rules.lenses]
    for lens, (ours, theirs) in zip(work.sync.rules.lenses, values, strict=True):
        name, why = line_name(lens.mapping.left, lens.mapping.right), cause(lens, ours, theirs, known)
        if is_stale and why in (Cause.PENDING, Cause.UNEXPLAINED):
            why = Cause.UNSEEN
        work.lines[name][why] += 1
        if why is not None:
            held = (ours, theirs) if work.with_values else (None, None)
            _sample(work, Difference(why, link.left.key, link.right.key, name, *held))
    work.print.add(link.left.key, link.right.key, values)
    work.done.add(link.id)
    for state in work.sides.values():
        state.compared += 1


def _count_lone(work: _Work, side: Side, listed: Listed, seen: Seen | None) -> None:
    why = lone_cause(work.known.of_lone(side, listed, seen))
    work.sides[side].causes[why] += 1
    key = listed.record.key
    _sample(work, Difference(why, *((key, None) if side is Side.LEFT else (None, key))))


def _count_orphan(work: _Work, number: LinkId) -> None:
    """Records that are tied by a link that is closed, or was never there."""
    for side, state in work.sides.items():
        waiting = state.spool.get(number)
        if waiting is not None:
            state.causes[Cause.UNEXPLAINED] += 1
            key = _decode(waiting).record.key
            keys = (key, None) if side is Side.LEFT else (None, key)
            _sample(work, Difference(Cause.UNEXPLAINED, *keys))


def _sample(work: _Work, difference: Difference) -> None:
    kept = work.samples.setdefault(difference.cause, [])
    if len(kept) < (_UNEXPLAINED_SAMPLES if difference.cause is Cause.UNEXPLAINED else _SAMPLES):
        kept.append(difference)


# --- the document ---------------------------------------------------------------------------------------------------


def _certificate(work: _Work, run: RunId | None, now: dt.datetime, configuration: int) -> Certificate:
    lines = {name: _line(work, name) for name in work.lines}
    left, right = (work.sides[side] for side in Side)
    return Certificate(
        work.sync.id,
        run,
        now,
        work.sync.mapping_digest,
        work.sync.filter_digest,
        configuration,
        (_listing(left), _listing(right)),
        Records(left.total, left.compared, _ordered(left.causes)),
        Records(right.total, right.compared, _ordered(right.causes)),
        _links(work),
        summed(lines.values()),
        lines,
        work.print.branches,
        work.print.digest,
        tuple(_samples(work)),
    )


def _listing(state: _Side) -> Listing:
    return Listing(state.began_at, state.ending.is_complete, state.looks, state.ending.reason)


def _links(work: _Work) -> Records:
    """All open links; one that neither a listing nor the memory of it led to is unexplained."""
    compared = work.sides[Side.LEFT].compared
    lost = work.world.store.counts(work.sync.id).links - compared - work.links.total()
    causes = work.links + Counter({Cause.UNEXPLAINED: max(0, lost)})
    return Records(compared + causes.total(), compared, _ordered(causes))


def _line(work: _Work, name: str) -> Lines:
    """One line's counts. A line that does not fit any more was not compared at all: it rests."""
    pairs, counts = work.sides[Side.LEFT].compared, work.lines[name]
    if not counts and name in work.known.paused:
        return Lines(pairs, 0, {Cause.EXCLUDED: pairs} if pairs else {})
    causes = Counter({why: count for why, count in counts.items() if why is not None})
    return Lines(pairs, counts[None], _ordered(causes))


def _ordered(causes: Counter[Cause]) -> dict[Cause, int]:
    return {why: causes[why] for why in Cause if causes[why]}


def _samples(work: _Work) -> Sequence[Difference]:
    """The unexplained ones first."""
    order = sorted(work.samples, key=lambda why: (why is not Cause.UNEXPLAINED, list(Cause).index(why)))
    return [each for why in order for each in work.samples[why]]


def _without_values(certificate: Certificate) -> Certificate:
    bare = (msgspec.structs.replace(each, left=None, right=None) for each in certificate.samples)
    return msgspec.structs.replace(certificate, samples=tuple(bare))
