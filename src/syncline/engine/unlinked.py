"""What we remember of links and of records without one into the lists that a person chooses from.

Called by the CLI (and later the web). Only `candidates` for a single record may read: a released record's values are not
kept. Everything else comes from our own memory, as the last run left it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from syncline.core.absence import created_fields
from syncline.core.candidates import Candidate, Reach
from syncline.core.candidates import candidates as candidates_of
from syncline.core.decisions import Rule
from syncline.core.match import Ambiguous, Matching, Said, match
from syncline.core.memory import Seen, Standing
from syncline.core.records import LinkId, Present, Record, RecordKey, Side, SyncId
from syncline.engine.by_hand import find
from syncline.engine.pull import as_seen, read, remembered
from syncline.engine.said import said
from syncline.engine.sync import Sync, World
from syncline.errors import SetupError
from syncline.ports import Store

_WIDE = Reach(each=10, least=0.3, compared=64)
"""For one record: everything that is somehow like it."""


class Named(msgspec.Struct, frozen=True):
    """A record by its key and title."""

    side: Side
    key: RecordKey
    title: str


class Tied(msgspec.Struct, frozen=True):
    """A link and its two records. `is_settled`: nothing waits for a run or a person."""

    link: LinkId
    left: Named
    right: Named
    is_settled: bool


class Waiting(msgspec.Struct, frozen=True):
    """A record without a link. `rule` says how it stands, `reason` what the next run does about it."""

    record: Named
    rule: Rule
    reason: str


class Group(msgspec.Struct, frozen=True):
    """Records that share their keys, and the pairs among them, most alike first."""

    left: tuple[Named, ...]
    right: tuple[Named, ...]
    candidates: tuple[Candidate, ...]


def linked(
    store: Store,
    sync: SyncId,
    limit: int = 100,
    *,
    before: int | None = None,
    is_settled: bool | None = None,
) -> tuple[Tied, ...]:
    """Open links, the newest first; with `before` those with a lower number."""
    return tied(store, sync, store.linked(sync, limit, before=before, is_settled=is_settled))


def tied(store: Store, sync: SyncId, numbers: Sequence[LinkId]) -> tuple[Tied, ...]:
    """Those of these links that are open."""
    found = store.links(sync, numbers)
    return tuple(
        Tied(
            number,
            _named(Side.LEFT, found[number].left),
            _named(Side.RIGHT, found[number].right),
            found[number].left.is_settled and found[number].right.is_settled,
        )
        for number in numbers
        if number in found
    )


def waiting(world: World, sync: Sync) -> tuple[Waiting, ...]:
    """Every record that waits for a link, and why."""
    told, matching = _matching(world, sync)
    out = [
        Waiting(
            _named_record(side, pair.left if side is Side.LEFT else pair.right), Rule.LINKED, f"by {pair.by}"
        )
        for pair in matching.pairs
        for side in Side
    ]
    for group in matching.ambiguous:
        reason = f"{len(group.left)} on the left and {len(group.right)} on the right have the same keys"
        out += [Waiting(each, Rule.AMBIGUOUS, reason) for each in _members(group)]
    wanted, partners = told.wanted(), told.partners()
    for side in Side:
        for record in matching.lone(side):
            spot = (side, record.key)
            if spot in wanted:
                rule, reason = Rule.COPIED_BY_HAND, "the next run makes a copy"
            elif spot in partners:
                rule, reason = Rule.KEPT_APART, f"kept apart from {', '.join(partners[spot])}"
            elif awaited := _awaited(sync, side, record):
                rule, reason = Rule.AWAITS_PARENT, awaited
            else:
                rule, reason = Rule.NO_COUNTERPART, sync.match.mode.value
            out.append(Waiting(_named_record(side, record), rule, reason))
    return tuple(out)


def _awaited(sync: Sync, side: Side, record: Record) -> str:
    """The record that its copy would point to, where that one has no counterpart yet; empty for none."""
    made = created_fields(sync.rules.lenses, record, side.other)
    return next((each.reason for each in made if each.rule is Rule.AWAITS_PARENT), "")


def groups(world: World, sync: Sync) -> tuple[Group, ...]:
    """Records that share their keys, so that nobody but a person can tell which belong together."""
    told, matching = _matching(world, sync)
    return tuple(
        Group(
            tuple(_named_record(Side.LEFT, record) for record in group.left),
            tuple(_named_record(Side.RIGHT, record) for record in group.right),
            _compared(sync, group.left, group.right, told, _WIDE),
        )
        for group in matching.ambiguous
    )


def released(store: Store, sync: SyncId) -> tuple[Named, ...]:
    """Records that go on alone."""
    return tuple(_named(side, seen) for side in Side for seen in store.released(sync, side))


async def candidates(
    world: World, sync: Sync, record: RecordKey | None = None, *, side: Side | None = None
) -> tuple[Candidate, ...]:
    """Pairs of unlinked records that may be the same thing, most alike first; with `record`, what may belong to it,
    released records too. A record that is to be copied, or kept apart from the other, is nobody's candidate.

    Raises `SetupError` for a record that is not known, not there any more, or on both sides.
    """
    told = said(world.store, sync.id)
    if record is None:
        left, right = (_open(world, sync, each, told) for each in Side)
        return _compared(sync, left, right, told, Reach())
    (own, _), seen = find(world, sync, record, side)
    mine = await _whole(world, sync, own, seen)
    others = [*_open(world, sync, own.other, told), *_alone(world, sync, own.other)]
    left, right = ([mine], others) if own is Side.LEFT else (others, [mine])
    found = _compared(sync, left, right, told, _WIDE)
    return found[: _WIDE.each]


def _compared(
    sync: Sync, left: Sequence[Record], right: Sequence[Record], told: Said, reach: Reach
) -> tuple[Candidate, ...]:
    return candidates_of(sync.id, sync.match, sync.rules.lenses, left, right, told, reach)


def _matching(world: World, sync: Sync) -> tuple[Said, Matching]:
    told = said(world.store, sync.id)
    left, right = (_records(world, sync, side) for side in Side)
    return told, match(sync.id, sync.match, sync.rules.lenses, left, right, told)


def _records(world: World, sync: Sync, side: Side) -> list[Record]:
    """The records of a side that wait for a link."""
    found = (as_seen(seen) for seen in world.store.waiting(sync.id, side))
    return [each.record for each in found if isinstance(each, Present) and each.record.in_scope]


def _open(world: World, sync: Sync, side: Side, told: Said) -> list[Record]:
    wanted = told.wanted()
    return [record for record in _records(world, sync, side) if (side, record.key) not in wanted]


def _alone(world: World, sync: Sync, side: Side) -> list[Record]:
    """Released records: only their titles are kept."""
    return [Record(seen.key, {}, title=seen.title) for seen in world.store.released(sync.id, side)]


async def _whole(world: World, sync: Sync, side: Side, seen: Seen) -> Record:
    """A record with its values: as remembered, else read."""
    if seen.link is not None:
        tied = world.store.links(sync.id, [seen.link]).get(seen.link)
        known = remembered(tied, side) if tied else None
    else:
        known = as_seen(seen) if seen.standing is Standing.WAITING else None
    if known is None:
        known = (await read(sync, side, [seen.key]))[seen.key]
    if not isinstance(known, Present):
        raise SetupError(f"The {side.value} record '{seen.key}' is not there any more.")
    return sync.trim(side, known.record)


def _members(group: Ambiguous) -> list[Named]:
    return [
        *(_named_record(Side.LEFT, record) for record in group.left),
        *(_named_record(Side.RIGHT, record) for record in group.right),
    ]


def _named(side: Side, seen: Seen) -> Named:
    return Named(side, seen.key, seen.title)


def _named_record(side: Side, record: Record) -> Named:
    return Named(side, record.key, record.title)
