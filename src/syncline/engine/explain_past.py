"""What became of a record as a whole, out of the history and the kept decisions, into sentences: found gone, link closed.

Used by `explain`. A link that is closed leaves no base and no sighting worth reading; what is known of it is what the runs
kept: a line of the history for the end of the link, with the proof of each absence, and the decisions of the last runs,
which tell when a record was found gone first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from syncline.core.decisions import Rule
from syncline.core.memory import Entry, Seen
from syncline.core.records import Gone, Present, Proof, RecordKey, RunId, Side
from syncline.core.shown import shown
from syncline.core.values import Text
from syncline.engine.sync import Sync, World

_RUNS = 50
"""How many runs are asked when a record was found gone first."""
_DECISIONS = 5_000
"""How many of their decisions are read for it, at most: an answer comes in under a second."""


class Absence(msgspec.Struct, frozen=True):
    """One side's record that is gone. `at` and `by` come from the vendor, where it tells; `found_at` and `run` are of the
    first run that found it gone, None where that is not kept any more."""

    side: Side
    key: RecordKey
    proof: Proof
    at: dt.datetime | None = None
    by: str = ""
    run: RunId | None = None
    found_at: dt.datetime | None = None

    @property
    def sentence(self) -> str:
        """For a person."""
        when = ""
        if self.at is not None:
            when = f", {'deleted' if self.proof.is_direct else 'missing since'} {_minute(self.at)}"
        by = f" by {self.by}" if self.by else ""
        found = f" Run {self.run} found it gone, {_minute(self.found_at)}." if self.found_at else ""
        return f"The record on the {self.side.value} is gone: {self.proof.sentence}{when}{by}.{found}"


def absences(world: World, sync: Sync, records: Sequence[tuple[Side, Seen]]) -> tuple[Absence, ...]:
    """The records among these that are gone, each with the first run that found it so."""
    gone = {(side, seen.key): seen.gone for side, seen in records if seen.gone is not None}
    first = _found_first(world, sync, set(gone)) if gone else {}
    return tuple(
        Absence(side, key, proof.proof, proof.at, proof.by, *first.get((side, key), (None, None)))
        for (side, key), proof in gone.items()
    )


def _found_first(
    world: World, sync: Sync, wanted: set[tuple[Side, RecordKey]]
) -> dict[tuple[Side, RecordKey], tuple[RunId, dt.datetime]]:
    """The first run that found each gone, among the last ones: back to the run that still saw it."""
    found: dict[tuple[Side, RecordKey], tuple[RunId, dt.datetime]] = {}
    open_ones, left = set(wanted), _DECISIONS
    for run in world.store.runs(sync.id, _RUNS):
        for decided in islice(world.store.evidence(run.id), left):
            left -= 1
            for side, key in ((Side.LEFT, decided.left_key), (Side.RIGHT, decided.right_key)):
                if key is None or (side, key) not in open_ones:
                    continue
                sighting = decided.view.of(side)
                if isinstance(sighting, Gone):
                    found[side, key] = (run.id, run.started_at)
                elif isinstance(sighting, Present):
                    open_ones.discard((side, key))
        if not left or not open_ones:
            break
    return found


def ended(entries: Sequence[Entry]) -> Entry | None:
    """The last thing that happened to a record as a whole; None where nothing did."""
    return next((each for each in reversed(entries) if not each.field), None)


def told_of(entry: Entry) -> str:
    """A line of the history in a sentence."""
    when = f"{_minute(entry.at)} (run {entry.run})"
    lost = f" '{shown(entry.lost)}' was overridden." if entry.lost is not None and entry.field else ""
    if entry.side is None or not entry.field:
        return f"{when}: {entry.rule.sentence}{lost}"
    new = f"'{shown(entry.new)}'"
    change = f"{new} was written" if entry.old is None else f"'{shown(entry.old)}' became {new}"
    return f"{when}, on the {entry.side.value}: {change}. {entry.rule.sentence}{lost}"


def end_sentences(entry: Entry) -> Iterator[str]:
    """How a record's link ended (or what else was done to the record last), who was its counterpart, and the proof."""
    if entry.left_key is not None and entry.right_key is not None and entry.rule is not Rule.KEPT_APART:
        yield f"It was linked: {entry.left_key} on the left, {entry.right_key} on the right."
    yield f"What happened to it last: {told_of(entry)} [{entry.rule.value}]"
    if isinstance(entry.new, Text):
        yield f"Proof: {entry.new.text}."


def _minute(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
