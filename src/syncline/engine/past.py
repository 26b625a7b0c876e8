"""A record's history into what it held at a time: each mapped field on both sides, and how that is known.

Called by the CLI (`history RECORD --at TIME`). Nothing is asked of a vendor and nothing is guessed: a value that no run
saw or wrote by then is unknown, and says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import Enum

import msgspec

from syncline.core.convert import Untranslatable
from syncline.core.decisions import Rule, line_name
from syncline.core.mapping import Lens
from syncline.core.memory import Entry, Link
from syncline.core.records import RecordKey, Side, SyncId
from syncline.core.values import Value
from syncline.engine.sync import Sync, World


class Source(Enum):
    """How a value of the past is known."""

    WRITTEN = "written"
    """A run had written it by then."""
    SEEN = "seen"
    """A run had found it there by then."""
    CARRIED = "carried"
    """A run had carried it over to the other side by then; it is the other side's value led back."""
    REPLACED = "replaced"
    """A later run replaced it, and nothing tells of a change in between."""
    AGREED = "agreed"
    """It is the last agreed value, and no run has written or seen another one since."""
    UNKNOWN = "unknown"
    """Before our first sight of it, or the record was gone."""

    @property
    def sentence(self) -> str:
        """The source in a person's words."""
        return _SENTENCES[self]


_SENTENCES = {
    Source.WRITTEN: "written by a run",
    Source.SEEN: "found by a run",
    Source.CARRIED: "carried over by a run",
    Source.REPLACED: "replaced by a later run; nothing tells of a change in between",
    Source.AGREED: "last agreed on; no run has seen another value since",
    Source.UNKNOWN: "unknown: before our first sight",
}


_FOUND_GONE = (Rule.DELETED_BOTH, Rule.DELETED_PROPAGATED, Rule.DELETED_ARCHIVED)
"""Rules that follow a deletion: the record on the side that was not written was gone."""


class Then(msgspec.Struct, frozen=True):
    """What one side held. `since` is when the run was that tells it."""

    value: Value | None
    source: Source
    since: dt.datetime | None = None


class ThenLine(msgspec.Struct, frozen=True):
    """One mapped line as of then."""

    name: str
    left: Then
    right: Then


class AsOf(msgspec.Struct, frozen=True):
    """A record as of a time. `first_seen` is the first line of its history; `gone` names the sides whose record a run
    had deleted, or found deleted, by then."""

    sync: SyncId
    key: RecordKey
    title: str
    at: dt.datetime
    first_seen: dt.datetime | None
    gone: tuple[Side, ...]
    lines: tuple[ThenLine, ...]


def as_of(world: World, sync: Sync, key: RecordKey, at: dt.datetime) -> AsOf | None:
    """The record as of a time (aware); None when nothing is known of it."""
    entries = world.store.history(sync.id, key, limit=100_000)
    ids = world.store.find_link(sync.id, key)
    links = world.store.links(sync.id, ids)
    link = next(iter(links.values()), None)
    if not entries and link is None:
        return None
    lines = tuple(_line(lens, entries, link, at) for lens in sync.rules.lenses)
    title = next((entry.title for entry in reversed(entries) if entry.title), "")
    first = entries[0].at if entries else None
    return AsOf(sync.id, key, title, at, first, tuple(_gone(entries, at)), lines)


def moment(text: str) -> dt.datetime:
    """An ISO time; without a zone it is UTC. Raises `ValueError` when it is none."""
    at = dt.datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def _gone(entries: Sequence[Entry], at: dt.datetime) -> list[Side]:
    """Sides whose record the last thing known by then was a deletion of, by a run or found by one."""
    state: dict[Side, bool] = {}
    for entry in entries:
        if entry.at > at:
            continue
        if not entry.field and entry.rule in _FOUND_GONE:
            state |= {side: True for side in Side if side is not entry.side}
        if entry.side is None:
            continue
        is_removed = entry.new is None and entry.lost is not None
        state[entry.side] = is_removed if entry.field else state.get(entry.side, False)
    return [side for side, is_gone in state.items() if is_gone]


def _line(lens: Lens, entries: Sequence[Entry], link: Link | None, at: dt.datetime) -> ThenLine:
    name = line_name(lens.mapping.left, lens.mapping.right)
    own = [entry for entry in entries if entry.field == name and entry.rule is not Rule.NORMALISED]
    left, right = (_then(lens, side, own, link, at) for side in Side)
    return ThenLine(name, left, right)


def _then(lens: Lens, side: Side, entries: Sequence[Entry], link: Link | None, at: dt.datetime) -> Then:
    for entry in reversed([each for each in entries if each.at <= at]):
        found = _told_by(lens, side, entry)
        if found is not None:
            return found
    if not entries or entries[0].at > at:
        # What the first write replaced was there before; since when, nobody knows.
        return Then(None, Source.UNKNOWN)
    for entry in entries:
        if entry.at > at and entry.side is side and entry.old is not None:
            return Then(entry.old, Source.REPLACED, entry.at)
    value = link.base.of(side).get(lens.mapping.of(side)) if link else None
    return Then(None, Source.UNKNOWN) if value is None else Then(value, Source.AGREED)


def _told_by(lens: Lens, side: Side, entry: Entry) -> Then | None:
    """What one line of the history tells of a side at its time."""
    if entry.side is side:
        return None if entry.new is None else Then(entry.new, Source.WRITTEN, entry.at)
    if entry.side is None:
        # Nothing was written: the line tells what both sides held.
        value = entry.old if side is Side.LEFT else entry.new
        return None if value is None else Then(value, Source.SEEN, entry.at)
    if entry.rule is Rule.UNDONE or entry.new is None or not lens.flows_to(entry.side):
        return None
    led_back = lens.to(side, entry.new)
    return None if isinstance(led_back, Untranslatable) else Then(led_back, Source.CARRIED, entry.at)
