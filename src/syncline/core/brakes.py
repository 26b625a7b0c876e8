"""Facts about a run into pulled brakes: the calculus that stops a plan before it does damage.

Called by `plan`. A brake never guesses who is wrong: it says what was seen, what the limit is, and how a person lets
go of it. `BRAKES` declares all of them; the documents and the command line read it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import Enum

import msgspec

from syncline.core.forecast import Forecast
from syncline.core.records import Side


class BrakeName(Enum):
    """Every brake there is."""

    INCOMPLETE_LISTING = "incomplete_listing"
    EMPTY_SIDE = "empty_side"
    COUNT_FORECAST = "count_forecast"
    DELETES = "deletes"
    CHANGES = "changes"
    ALL_CHANGED = "all_changed"
    MAPPING_CHANGED = "mapping_changed"
    FILTER_CHANGED = "filter_changed"
    SCOPE_CHANGED = "scope_changed"
    TOKEN_SCOPES = "token_scopes"  # noqa: S105 - the name of a brake
    SCHEMA_DRIFT = "schema_drift"
    CLOCK_JUMP = "clock_jump"


class BrakeKind(msgspec.Struct, frozen=True):
    """What a brake is: its title, when it pulls, what it protects from, and when a person may let go of it.

    `may_be_off`: whether it may be released for good. What cannot is the sight itself: a run that does not see a side,
    or sees another one, is never right by habit.
    """

    title: str
    pulls: str
    protects: str
    release_when: str
    may_be_off: bool = True


BRAKES: Mapping[BrakeName, BrakeKind] = {
    BrakeName.INCOMPLETE_LISTING: BrakeKind(
        "Incomplete listing",
        "A full listing of a side broke off, or holds fewer records than the vendor counts.",
        "A record that was not listed would look like one that is not there, and be made a second time.",
        "Run again; or, to go on with what was listed",
        may_be_off=False,
    ),
    BrakeName.EMPTY_SIDE: BrakeKind(
        "Empty side",
        "A full listing of a side holds nothing, and the last one did.",
        "A wrong project, a lost right or an outage would empty the other side too, or copy it all over again.",
        "If it was really emptied",
        may_be_off=False,
    ),
    BrakeName.COUNT_FORECAST: BrakeKind(
        "Count far from forecast",
        "A side holds more than (1 + `forecast`) times, or less than that part of, the records that its last full "
        "listings let expect; in steps of 20 records at least.",
        "A filter that a vendor ignores, an import gone wrong or a copied account would flood the other side.",
        "If that is meant",
    ),
    BrakeName.DELETES: BrakeKind(
        "Deletions",
        "More than `deletes` of the linked records are gone on one side.",
        "An emptied project, a bulk deletion or a lost right would be repeated on the other side.",
        "If that is meant",
    ),
    BrakeName.CHANGES: BrakeKind(
        "Changes",
        "More than `changes` of the linked records changed on one side.",
        "A bulk edit, an import or a vendor's new way to tell a value would overwrite the other side.",
        "If that is meant",
    ),
    BrakeName.ALL_CHANGED: BrakeKind(
        "All changed",
        "Every linked record changed on one side.",
        "A changed format or a wrong account looks like an edit of everything.",
        "If that is meant",
    ),
    BrakeName.MAPPING_CHANGED: BrakeKind(
        "Mapping changed",
        "The field mapping is another one than in the last run that went through.",
        "A slip in the file would be written into every record.",
        "Look at the plan, and if it is meant",
    ),
    BrakeName.FILTER_CHANGED: BrakeKind(
        "Filter changed",
        "The filter of a side is another one than in the last run that went through.",
        "Records that fall out of the filter, or into it, would be taken for deleted or new.",
        "Look at the plan, and if it is meant",
    ),
    BrakeName.SCOPE_CHANGED: BrakeKind(
        "Another account",
        "A side's account, location, user or object type is another one than in the last run that went through.",
        "Another account's records are not the ones we linked; another user may see fewer of them.",
        "Look at the plan, and if it is meant",
        may_be_off=False,
    ),
    BrakeName.TOKEN_SCOPES: BrakeKind(
        "Shrunken rights",
        "A connection has fewer rights than in the last run that went through: a scope, a role, an ability or a field "
        "is gone.",
        "What a token may not see any more would look deleted, and what it may not write would fail record by record.",
        "Give the rights back; or, if it is meant",
    ),
    BrakeName.SCHEMA_DRIFT: BrakeKind(
        "Schema drift",
        "A match key, or a field that new records need, has another type or lost options since the last run that went "
        "through. Any other field rests by itself, and the run goes on.",
        "Values would be read as something else, or refused one by one.",
        "Mend the mapping; or, if all is well",
    ),
    BrakeName.CLOCK_JUMP: BrakeKind(
        "Clock jump",
        "Our clock stands more than five minutes before the last run that went through.",
        "Whoever edited last is told by times; deadlines, leases and retries hang on them too.",
        "Set the clock right; or, if it is right",
    ),
}


class Brake(msgspec.Struct, frozen=True):
    """One pulled brake: what was seen, in a sentence, and what to do."""

    name: BrakeName
    sentence: str
    remedy: str


class Limits(msgspec.Struct, frozen=True):
    """When brakes pull. Shares are of the sync's links (of the expected records for `forecast`); None switches a share
    off. A share only counts from `at_least` records on, so that small syncs are not stopped by a single edit."""

    changes: float | None = 0.5
    deletes: float | None = 0.1
    at_least: int = 5
    off: frozenset[BrakeName] = frozenset()
    forecast: float | None = 1.0


class SideFacts(msgspec.Struct, frozen=True):
    """One side's listing in this run. `known` is how many records the last run left behind, `changed` how many linked
    records changed, `gone` how many are proven gone, `new` how many were never seen before; `expected` is the forecast
    of the records that it holds."""

    listed: int
    known: int
    changed: int = 0
    gone: int = 0
    is_complete: bool = True
    is_delta: bool = False
    reason: str = ""
    new: int = 0
    expected: Forecast | None = None

    @property
    def count(self) -> int:
        """How many records the side holds, as far as this run can tell."""
        return max(0, self.known + self.new - self.gone) if self.is_delta else self.listed


class Facts(msgspec.Struct, frozen=True):
    """What the brakes look at. `moved` and `lost` say in sentences what became another account or object type, and
    which rights are gone."""

    left: SideFacts
    right: SideFacts
    links: int
    now: dt.datetime
    last_run_at: dt.datetime | None = None
    is_mapping_changed: bool = False
    is_filter_changed: bool = False
    drift: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    def of(self, side: Side) -> SideFacts:
        """The facts of one side."""
        return self.left if side is Side.LEFT else self.right


CLOCK_TOLERANCE = dt.timedelta(minutes=5)
FAR = 20
"""A count that differs from its forecast by fewer records than this is never far from it."""
_SPREADS = 3


def brakes(facts: Facts, limits: Limits) -> tuple[Brake, ...]:
    """The brakes that pull."""
    return tuple(brake for brake in _pulled(facts, limits) if brake.name not in limits.off)


def released(facts: Facts, limits: Limits) -> tuple[Brake, ...]:
    """The brakes that would pull, had nobody let go of them: what was seen is told all the same."""
    return tuple(brake for brake in _pulled(facts, limits) if brake.name in limits.off)


def _pulled(facts: Facts, limits: Limits) -> Iterator[Brake]:
    for side in Side:
        yield from _listing(side, facts.of(side))
        yield from _forecast(side, facts.of(side), limits)
    yield from _shares(facts, limits)
    yield from _settings(facts)


def _brake(name: BrakeName, sentence: str) -> Brake:
    return Brake(name, sentence, f"{BRAKES[name].release_when}, run with --release {name.value}.")


def _listing(side: Side, seen: SideFacts) -> Iterator[Brake]:
    if not seen.is_complete and not seen.is_delta:
        text = f"The {side.value} side's listing is incomplete: {seen.reason or 'it broke off'}."
        yield _brake(BrakeName.INCOMPLETE_LISTING, text)
    elif seen.listed == 0 and seen.known > 0 and not seen.is_delta:
        text = f"The {side.value} side lists no record at all; last time there were {seen.known}."
        yield _brake(BrakeName.EMPTY_SIDE, text)


def _forecast(side: Side, seen: SideFacts, limits: Limits) -> Iterator[Brake]:
    """Far is judged by ratio, in both directions alike: twice as many is as far as half as many."""
    told = seen.expected
    is_blind = not seen.is_delta and (not seen.is_complete or seen.listed == 0)
    if told is None or limits.forecast is None or is_blind:
        return
    ratio, slack = 1 + Decimal(str(limits.forecast)), _SPREADS * told.spread
    most, least = told.expected * ratio + slack, told.expected / ratio - slack
    is_far = seen.count > most or (seen.count + slack) * ratio < told.expected
    if not is_far or abs(seen.count - told.expected) < max(limits.at_least, FAR):
        return
    text = f"The {side.value} side holds {seen.count} records; about {told.expected} were expected"
    figures = f"{max(0, math.ceil(least))} to {int(most)}, by the last {told.listings} full listings"
    yield _brake(BrakeName.COUNT_FORECAST, f"{text} ({figures}).")


def _shares(facts: Facts, limits: Limits) -> Iterator[Brake]:
    if facts.links == 0:
        return
    for side in Side:
        seen = facts.of(side)
        if _over(seen.gone, facts.links, limits.deletes, limits.at_least):
            text = f"{seen.gone} of {facts.links} linked records are gone on the {side.value} side"
            yield _brake(BrakeName.DELETES, f"{text} (limit {_percent(limits.deletes)}).")
        if seen.changed >= max(facts.links, limits.at_least):
            text = f"All {facts.links} linked records changed on the {side.value} side at once."
            yield _brake(BrakeName.ALL_CHANGED, text)
        elif _over(seen.changed, facts.links, limits.changes, limits.at_least):
            text = f"{seen.changed} of {facts.links} linked records changed on the {side.value} side"
            yield _brake(BrakeName.CHANGES, f"{text} (limit {_percent(limits.changes)}).")


def _over(count: int, total: int, share: float | None, at_least: int) -> bool:
    """Whether more than the share: counted in decimals, for 29 of 100 are not more than 0.29 of them."""
    return share is not None and count >= at_least and count > Decimal(str(share)) * total


def _settings(facts: Facts) -> Iterator[Brake]:
    if facts.is_mapping_changed:
        yield _brake(BrakeName.MAPPING_CHANGED, "The field mapping changed since the records last agreed.")
    if facts.is_filter_changed:
        yield _brake(BrakeName.FILTER_CHANGED, "The filter changed since the records last agreed.")
    if facts.moved:
        yield _brake(BrakeName.SCOPE_CHANGED, f"A side is another one than before: {'; '.join(facts.moved)}.")
    if facts.lost:
        yield _brake(BrakeName.TOKEN_SCOPES, f"A connection lost rights: {'; '.join(facts.lost)}.")
    if facts.drift:
        yield _brake(
            BrakeName.SCHEMA_DRIFT, f"A mapped field changed at its vendor: {'; '.join(facts.drift)}."
        )
    if facts.last_run_at is not None and facts.now < facts.last_run_at - CLOCK_TOLERANCE:
        text = f"The clock says {facts.now:%Y-%m-%d %H:%M}, before the last run ({facts.last_run_at:%Y-%m-%d %H:%M})."
        yield _brake(BrakeName.CLOCK_JUMP, text)


def _percent(share: float | None) -> str:
    return f"{(share or 0) * 100:g} %"
