"""The store's links of other syncs into what is known of the records that a sync's lines point to.

Made for a run, or for whatever else asks what a reference becomes (`looking_up`). Looked up together where it is known
beforehand what will be asked (`learn`), one by one else. What was looked up once stays so: a run decides everything by the
same table, whatever another sync ties meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec

from syncline.core.absence import created_fields
from syncline.core.decisions import Decision, FieldDecision, Fields, Remove, Revive, Rule, line_name
from syncline.core.mapping import Lens
from syncline.core.match import Matching
from syncline.core.memory import Seen, Standing
from syncline.core.plan import Linked
from syncline.core.records import FieldId, Gone, Present, Record, RecordKey, Scope, Side, Sighting, SyncId
from syncline.core.references import Known, Parent, Spot, Through, circular, spot_of
from syncline.core.values import Value, is_blank
from syncline.engine.sync import Sync
from syncline.errors import NotFoundError, RejectedError
from syncline.ports import Store

_AWAITED, _WAITS, _REMADE = "awaited", "waits", "remade"
_READERS = 8
_MOST_READ = 200
"""So many records that others point to are read in one run, to see whether they went together."""
_UNSEEN = Parent()


class Awaited(msgspec.Struct, frozen=True):
    """A record that another one waits for: the sync that is to tie it, and its side there."""

    sync: SyncId
    side: Side
    key: RecordKey


class Wait(msgspec.Struct, frozen=True):
    """A record that is to be made once others are: its side in its own sync, and what it waits for. `is_needed`: it cannot
    be made without."""

    side: Side
    key: RecordKey
    awaited: tuple[Awaited, ...]
    is_needed: bool = False


class ParentTable(Mapping[Spot, Parent]):
    """What other syncs know of records, as far as somebody asked. `awaited` are those that were asked for and have no living
    counterpart; `remade` says how many each of them had made anew before anybody asked."""

    def __init__(self, store: Store, remade: Mapping[str, str] | None = None) -> None:
        self._store = store
        self.remade = remade or {}
        self._known: dict[Spot, Parent] = {}
        self.awaited: set[Spot] = set()

    def __getitem__(self, spot: Spot) -> Parent:
        """What is known of a record; looked up at the first time."""
        self.learn([spot])
        parent = self._known[spot]
        if parent.counterpart is None or parent.is_counterpart_gone:
            self.awaited.add(spot)
        return parent

    def __contains__(self, spot: object) -> bool:
        """Anything can be asked for."""
        return isinstance(spot, tuple)

    def __iter__(self) -> Iterator[Spot]:
        """Those that were looked up."""
        return iter(self._known)

    def __len__(self) -> int:
        """How many were looked up."""
        return len(self._known)

    def learn(self, spots: Iterable[Spot]) -> None:
        """Look these up together: two statements for each side of each sync."""
        wanted: dict[tuple[SyncId, Side], list[RecordKey]] = {}
        for spot in dict.fromkeys(spots):
            if spot not in self._known:
                wanted.setdefault(spot[:2], []).append(spot[2])
        for (sync, side), keys in wanted.items():
            found = _looked_up(self._store, sync, side, keys)
            self._known.update(((sync, side, key), found.get(key, _UNSEEN)) for key in keys)

    def bury(self, spot: Spot) -> None:
        """A direct read told that this one is gone, and its sync does not know yet."""
        self._known[spot] = msgspec.structs.replace(self[spot], is_gone=True)

    def known(self, spots: Iterable[Spot]) -> tuple[Known, ...]:
        """What is known of these, to be kept."""
        wanted = list(dict.fromkeys(spots))
        self.learn(wanted)
        return tuple(Known(*spot, self._known[spot]) for spot in wanted)


def _looked_up(store: Store, sync: SyncId, side: Side, keys: Sequence[RecordKey]) -> dict[RecordKey, Parent]:
    seen = store.seen(sync, side, keys)
    links = store.links(sync, sorted({each.link for each in seen.values() if each.link is not None}))
    out: dict[RecordKey, Parent] = {}
    for key, each in seen.items():
        link = None if each.link is None else links.get(each.link)
        other = None if link is None else link.of(side.other)
        title = each.title or (other.title if other is not None else "")
        if other is None:
            out[key] = Parent(None, title, _why(each), is_gone=each.gone is not None)
        else:
            is_lost = other.gone is not None
            out[key] = Parent(other.key, title, "", each.gone is not None, is_lost)
    return out


def _why(seen: Seen) -> str:
    if seen.gone is not None:
        return "is gone"
    if seen.standing is Standing.RELEASED:
        return "stands for itself, and gets no counterpart"
    return "has no counterpart yet" if seen.in_scope else "is outside the filter"


def looking_up(store: Store, sync: Sync) -> Sync:
    """The sync with a table of its own of what is known of the records that its lines point to."""
    if all(lens.mapping.through is None for lens in sync.rules.lenses):
        return sync
    return replace(sync, rules=sync.rules.looked_up(ParentTable(store, _remade(store, sync))))


def table_of(sync: Sync) -> ParentTable | None:
    """The table that a sync's lines look at; None where no line goes through another sync."""
    tables = (lens.parents for lens in sync.rules.lenses if lens.mapping.through is not None)
    return next((each for each in tables if isinstance(each, ParentTable)), None)


def spots(sync: Sync, side: Side, fields: Mapping[FieldId, Value]) -> Iterator[Spot]:
    """What these values of one side point to."""
    for lens, through in _lines(sync):
        spot = spot_of(through, side, fields.get(lens.mapping.of(side)))
        if spot is not None:
            yield spot


def learn(sync: Sync, records: Mapping[Side, Iterable[Record]]) -> None:
    """Look up what these records point to, all together."""
    table = table_of(sync)
    if table is not None:
        table.learn(
            spot for side, many in records.items() for each in many for spot in spots(sync, side, each.fields)
        )


def kept(
    sync: Sync, sightings: Mapping[Side, Sighting], base: Mapping[Side, Mapping[FieldId, Value]]
) -> tuple[Known, ...]:
    """What a link's decision is made from beside its records: what is known of all that they point to, or pointed to."""
    table = table_of(sync)
    if table is None:
        return ()
    now = {side: each.record.fields for side, each in sightings.items() if isinstance(each, Present)}
    return table.known(
        spot
        for side in Side
        for fields in (now.get(side, {}), base.get(side, {}))
        for spot in spots(sync, side, fields)
    )


def emptying(sync: Sync, decision: Decision) -> Iterator[tuple[Side, Sequence[FieldId]]]:
    """The sides that hold references no more, which the other side is to lose as well because of that: by a deletion that
    nobody answered for, or a blank."""
    match decision:
        case Remove(side, _, rule) if rule is not Rule.RESOLVED:
            yield side.other, [lens.mapping.of(side.other) for lens, _ in _lines(sync)]
        case Fields(fields):
            names = {line_name(lens.mapping.left, lens.mapping.right) for lens, _ in _lines(sync)}
            for each in fields:
                for side in Side:
                    target = each.target(side)
                    if each.name in names and target is not None and is_blank(target):
                        yield side.other, [each.of(side.other)]
        case _:
            return


async def read_lost(sync: Sync, left: Mapping[Side, Iterable[Mapping[FieldId, Value]]]) -> None:
    """See whether records are gone that others pointed to. `left` holds what records held when both sides agreed, and hold
    no more. The other sync may not have looked yet, so those that it believes to be there are read."""
    table = table_of(sync)
    if table is None:
        return
    asked: dict[Spot, tuple[Side, Through]] = {}
    for side, many in left.items():
        for fields in many:
            for lens, through in _lines(sync):
                spot = spot_of(through, side, fields.get(lens.mapping.of(side)))
                if spot is not None and through.of(side):
                    asked.setdefault(spot, (side, through))
    table.learn(asked)
    living = {spot: where for spot, where in asked.items() if not table.known([spot])[0].parent.is_gone}
    gate = asyncio.Semaphore(_READERS)

    async def look(spot: Spot, side: Side, through: Through) -> None:
        async with gate:
            try:
                found = await sync.side(side).connector.fetch(Scope(through.of(side)), spot[2])
            except (NotFoundError, RejectedError):
                # Nobody can tell: the record's own sync will.
                return
        if isinstance(found, Gone):
            table.bury(spot)

    await asyncio.gather(*(look(spot, *living[spot]) for spot in list(living)[:_MOST_READ]))


def _lines(sync: Sync) -> Iterator[tuple[Lens, Through]]:
    for lens in sync.rules.lenses:
        if lens.mapping.through is not None:
            yield lens, lens.mapping.through


# --- records that wait for each other -------------------------------------------------------------------------------


def waits_of(sync: Sync, linked: Iterable[Linked], matching: Matching) -> Sequence[Wait]:
    """The records whose copies wait for others, to be made or made anew."""
    if table_of(sync) is None:
        return ()
    made = [
        (side, record.key, created_fields(sync.rules.lenses, record, side.other))
        for side in Side
        for record in matching.lone(side)
    ]
    made += [
        (each.decision.side.other, each.key(each.decision.side.other), each.decision.fields)
        for each in linked
        if isinstance(each.decision, Revive) and not each.decision.is_restore
    ]
    found = (_wait(sync, *each) for each in made if each[0].other in sync.may_create)
    return [each for each in found if each is not None]


def _wait(sync: Sync, side: Side, key: RecordKey, fields: Sequence[FieldDecision]) -> Wait | None:
    waiting = {
        each.name: each
        for each in fields
        if each.rule is Rule.AWAITS_PARENT and each.target(side.other) is None
    }
    awaited: list[Awaited] = []
    is_needed = False
    for lens, through in _lines(sync):
        line = waiting.get(line_name(lens.mapping.left, lens.mapping.right))
        spot = None if line is None else spot_of(through, side, line.now(side))
        if spot is not None:
            awaited.append(Awaited(*spot))
            is_needed = is_needed or lens.of(side.other).is_required
    return Wait(side, key, tuple(awaited), is_needed) if awaited else None


def in_circles(store: Store, sync: Sync, waits: Sequence[Wait]) -> frozenset[tuple[Side, RecordKey]]:
    """Those of these that wait for nothing but themselves in the end, also by way of what records of other syncs wait for."""
    ours = {(sync.id, each.side, each.key): each for each in waits}
    told: dict[SyncId, Sequence[Wait]] = {sync.id: waits}
    names = [sync.id] if waits else []
    while names:
        following = {
            spot.sync for name in names for each in told[name] for spot in each.awaited
        } - told.keys()
        told |= {name: _waits(store, name) for name in following}
        names = sorted(following)
    graph = {
        (name, each.side, each.key): [(spot.sync, spot.side, spot.key) for spot in each.awaited]
        for name, many in told.items()
        for each in many
    }
    return frozenset(spot[1:] for spot in circular(graph) if spot in ours and not ours[spot].is_needed)


# --- records that were made anew ------------------------------------------------------------------------------------


def note_remade(store: Store, sync: SyncId) -> None:
    """Note that one more record of a sync was made anew: what pointed to the old one points nowhere."""
    store.remember(sync, _REMADE, str(int(store.recall(sync, _REMADE) or 0) + 1))


def is_any_remade(store: Store, sync: Sync) -> bool:
    """Whether records that this sync's lines may point to were made anew since it last looked at all of its own."""
    return any(store.recall(sync.id, name) != now for name, now in _remade(store, sync).items())


def keep_remade(store: Store, sync: Sync) -> None:
    """Every record was looked at, by what was so when the run began."""
    table = table_of(sync)
    for name, count in table.remade.items() if table is not None else ():
        store.remember(sync.id, name, count)


def _remade(store: Store, sync: Sync) -> Mapping[str, str]:
    names = sorted({through.sync for _, through in _lines(sync)})
    found = {f"{_REMADE}:{name}": store.recall(name, _REMADE) for name in names}
    return {name: count for name, count in found.items() if count is not None}


# --- what is waited for, from run to run ------------------------------------------------------------------------------


def note_awaited(store: Store, sync: Sync, waits: Sequence[Wait], *, is_partial: bool) -> None:
    """Remember what records wait for, and which of them are still to be made. `is_partial`: the run did not look at all that
    wait, so what others waited for before still counts."""
    if not is_partial and list(waits) != list(_waits(store, sync.id)):
        store.remember(sync.id, _WAITS, msgspec.json.encode(waits).decode())
    table, before = table_of(sync), awaited(store, sync.id)
    spots = table.awaited if table is not None else set[Spot]()
    found = {Awaited(*spot) for spot in spots}
    if is_partial:
        found |= set(before)
    if found != set(before):
        told = sorted(found, key=lambda each: (each.sync, each.side.value, each.key))
        store.remember(sync.id, _AWAITED, msgspec.json.encode(told).decode())


def _waits(store: Store, sync: SyncId) -> Sequence[Wait]:
    told = store.recall(sync, _WAITS)
    return msgspec.json.decode(told, type=tuple[Wait, ...]) if told else ()


def awaited(store: Store, sync: SyncId) -> tuple[Awaited, ...]:
    """What records of a sync wait for, as its last run left it."""
    told = store.recall(sync, _AWAITED)
    return msgspec.json.decode(told, type=tuple[Awaited, ...]) if told else ()


def has_arrived(store: Store, sync: SyncId) -> bool:
    """Whether something that records of the sync wait for has a counterpart by now."""
    waiting = awaited(store, sync)
    table = ParentTable(store)
    table.learn((each.sync, each.side, each.key) for each in waiting)
    return any(parent.counterpart is not None and not parent.is_counterpart_gone for parent in table.values())
