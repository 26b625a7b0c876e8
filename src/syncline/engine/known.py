"""What the store knows of a sync into what may explain a difference: questions, refusals, open writes, lines that rest.

Made once by `certify`, asked for each pair and each record without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from syncline.core.absence import created_fields
from syncline.core.comparison import Asked, Knowledge, Lone
from syncline.core.convert import Untranslatable
from syncline.core.decisions import Rule, line_name
from syncline.core.match import MatchMode
from syncline.core.memory import Entry, Link, Run, RunState, Seen
from syncline.core.records import LinkId, Record, RecordKey, Side
from syncline.core.values import is_blank
from syncline.engine.drift import confine, resumes
from syncline.engine.outside import barred_now
from syncline.engine.pull import Listed
from syncline.engine.report import told
from syncline.engine.sync import Sync, World

Spot = tuple[Side, RecordKey]
Lines = Mapping[str, Asked]


@dataclass(slots=True)
class Known:
    """The open questions, parked records and open writes of a sync.

    `lines` are all configured lines, `paused` those that rest. `is_recheck`: the next run looks at every record.
    `is_finished`: the last run did all that it planned. `is_quiet`: it also found nothing to write.
    """

    world: World
    sync: Sync
    lines: tuple[str, ...] = ()
    paused: frozenset[str] = frozenset()
    is_recheck: bool = False
    is_finished: bool = False
    is_quiet: bool = False
    of_links: dict[LinkId, dict[str, Asked]] = field(default_factory=dict[LinkId, dict[str, Asked]])
    of_records: dict[Spot, dict[str, Asked]] = field(default_factory=dict[Spot, dict[str, Asked]])
    parked: set[Spot] = field(default_factory=set[Spot])
    unclear: set[Spot] = field(default_factory=set[Spot])
    barred: frozenset[Spot] = frozenset()

    def of_pair(self, link: Link, listed: Mapping[Side, Listed]) -> Knowledge:
        """What is known of a link whose records are both there."""
        spots = _spots(link)
        return Knowledge(
            link.base,
            self._asked(link.id, spots),
            self.paused,
            is_parked=not self.parked.isdisjoint(spots),
            is_unclear=not self.unclear.isdisjoint(spots),
            is_due=any(self._is_due(link.of(side), listed[side].digest) for side in Side),
            is_outside=not all(each.record.in_scope for each in listed.values()),
            is_open=not (link.left.is_settled and link.right.is_settled),
            told=lambda line: self._history(link, line),
        )

    def of_half(self, link: Link) -> Lone:
        """What is known of a link whose records are not both there."""
        spots = _spots(link)
        return Lone(
            link.left.standing,
            self._asked(link.id, spots).get(""),
            is_parked=not self.parked.isdisjoint(spots),
            is_unclear=not self.unclear.isdisjoint(spots),
            is_due=not (link.left.is_settled and link.right.is_settled),
        )

    def of_lone(self, side: Side, listed: Listed, seen: Seen | None) -> Lone:
        """What is known of a record that no link ties."""
        spot = (side, listed.record.key)
        asked = self.of_records.get(spot, {})
        return Lone(
            None if seen is None else seen.standing,
            asked.get("") or next(iter(asked.values()), None),
            is_gone=seen is not None and seen.gone is not None,
            is_parked=spot in self.parked,
            is_unclear=spot in self.unclear,
            may_be_copied=self._may_be_copied(side, listed.record),
            is_awaiting=self._is_awaiting(side, listed.record),
            is_outside=not listed.record.in_scope or spot in self.barred,
            is_due=not self.is_finished
            or self.is_recheck
            or (seen is not None and _moved(seen, listed.digest)),
        )

    def _asked(self, link: LinkId, spots: Iterable[Spot]) -> dict[str, Asked]:
        out: dict[str, Asked] = {}
        for spot in spots:
            out |= self.of_records.get(spot, {})
        return out | self.of_links.get(link, {})

    def _is_due(self, seen: Seen, digest: bytes) -> bool:
        is_open = not seen.is_settled and not self.is_quiet
        return self.is_recheck or is_open or _moved(seen, digest)

    def _history(self, link: Link, line: str) -> Iterator[Entry]:
        """What the history tells of one line of a link, newest first; also of before one of its records was made anew."""
        store, keys = self.world.store, (link.left.key, link.right.key)
        found = {entry.id: entry for key in keys for entry in store.history(self.sync.id, key)}
        for _, entry in sorted(found.items(), reverse=True):
            is_its = entry.link == link.id or (
                entry.link is None and (entry.left_key == keys[0] or entry.right_key == keys[1])
            )
            if is_its and entry.field == line:
                yield entry

    def _is_awaiting(self, side: Side, record: Record) -> bool:
        """Whether its copy would point to a record that has no counterpart yet."""
        made = created_fields(self.sync.rules.lenses, record, side.other)
        return any(each.rule is Rule.AWAITS_PARENT for each in made)

    def _may_be_copied(self, side: Side, record: Record) -> bool:
        """Whether the sync makes counterparts there, and the record has something that goes there."""
        if side.other not in self.sync.may_create or self.sync.match.mode is MatchMode.MATCH_ONLY:
            return False
        for lens in self.sync.rules.lenses:
            value = record.fields.get(lens.mapping.of(side))
            if value is None or not lens.flows_to(side.other):
                continue
            there = lens.to(side.other, value)
            if not isinstance(there, Untranslatable) and not is_blank(there):
                return True
        return False


def known_of(world: World, sync: Sync) -> Known:
    """Load what is known of a sync."""
    store = world.store
    confined = confine(world, sync)
    last = next(iter(store.runs(sync.id, limit=1)), None)
    is_finished, is_quiet = _end_of(last)
    known = Known(
        world,
        sync,
        tuple(dict.fromkeys([*_lines(sync), *(each.line for each in confined.paused)])),
        frozenset(each.line for each in confined.paused),
        is_recheck=store.recall(sync.id, "mapping") not in (None, sync.mapping_digest)
        or resumes(store, confined)
        or store.recall(sync.id, "filter") not in (None, sync.filter_digest),
        is_finished=is_finished,
        is_quiet=is_quiet,
        barred=barred_now(world, sync),
    )
    _take_questions(known)
    known.parked.update((entry.side, entry.key) for entry in store.parked(sync.id))
    for intent in store.intents(sync.id):
        step = intent.step
        for side, key in ((step.side, step.key), (step.side.other, step.counterpart)):
            if key is not None:
                known.unclear.add((side, key))
    return known


def _take_questions(known: Known) -> None:
    for question in known.world.store.questions(known.sync.id):
        held = question.held
        asked = Asked(held.rule, held.left, held.right, is_answered=question.choice is not None)
        if held.link is not None:
            known.of_links.setdefault(held.link, {})[held.field or ""] = asked
            continue
        for side, key in ((Side.LEFT, held.left_key), (Side.RIGHT, held.right_key)):
            if key is not None:
                known.of_records.setdefault((side, key), {})[held.field or ""] = asked


def _end_of(last: Run | None) -> tuple[bool, bool]:
    """Whether the last run did all that it planned, and whether it found nothing to write."""
    summary = told(last) if last is not None and last.state is RunState.DONE else None
    if summary is None or not summary.is_full or summary.brakes or summary.failed or summary.postponed:
        return False, False
    return True, not summary.planned


def _lines(sync: Sync) -> Iterator[str]:
    return (line_name(lens.mapping.left, lens.mapping.right) for lens in sync.rules.lenses)


def _spots(link: Link) -> tuple[Spot, Spot]:
    return (Side.LEFT, link.left.key), (Side.RIGHT, link.right.key)


def _moved(seen: Seen, digest: bytes) -> bool:
    """Whether a full run would decode the record: its bytes are not those that we know."""
    return not seen.digest or seen.digest != digest
