"""Facts about a run into pulled brakes: the calculus that stops a plan before it does damage.

Called by `plan`. A brake never guesses who is wrong: it says what was seen, what the limit is, and how a person lets
go of it for one run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum

import msgspec

from syncline.core.records import Side


class BrakeName(Enum):
    """Every brake there is."""

    INCOMPLETE_LISTING = "incomplete_listing"
    EMPTY_SIDE = "empty_side"
    DELETES = "deletes"
    CHANGES = "changes"
    ALL_CHANGED = "all_changed"
    MAPPING_CHANGED = "mapping_changed"
    FILTER_CHANGED = "filter_changed"
    SCHEMA_DRIFT = "schema_drift"
    CLOCK_JUMP = "clock_jump"


class Brake(msgspec.Struct, frozen=True):
    """One pulled brake: what was seen, in a sentence, and what to do."""

    name: BrakeName
    sentence: str
    remedy: str


class Limits(msgspec.Struct, frozen=True):
    """When brakes pull. Shares are of the sync's links; None switches a share off. A share only counts from
    `at_least` records on, so that small syncs are not stopped by a single edit."""

    changes: float | None = 0.5
    deletes: float | None = 0.1
    at_least: int = 5
    off: frozenset[BrakeName] = frozenset()


class SideFacts(msgspec.Struct, frozen=True):
    """One side's listing in this run. `known` is how many records the last run left behind, `changed` how many linked
    records changed, `gone` how many are proven gone."""

    listed: int
    known: int
    changed: int = 0
    gone: int = 0
    is_complete: bool = True
    is_delta: bool = False
    reason: str = ""


class Facts(msgspec.Struct, frozen=True):
    """What the brakes look at."""

    left: SideFacts
    right: SideFacts
    links: int
    now: dt.datetime
    last_run_at: dt.datetime | None = None
    is_mapping_changed: bool = False
    is_filter_changed: bool = False
    drift: tuple[str, ...] = ()

    def of(self, side: Side) -> SideFacts:
        """The facts of one side."""
        return self.left if side is Side.LEFT else self.right


CLOCK_TOLERANCE = dt.timedelta(minutes=5)


def brakes(facts: Facts, limits: Limits) -> tuple[Brake, ...]:
    """The brakes that pull."""
    return tuple(brake for brake in _pulled(facts, limits) if brake.name not in limits.off)


def _pulled(facts: Facts, limits: Limits) -> Iterator[Brake]:
    for side in Side:
        yield from _listing(side, facts.of(side))
    yield from _shares(facts, limits)
    yield from _settings(facts)


def _listing(side: Side, seen: SideFacts) -> Iterator[Brake]:
    if not seen.is_complete and not seen.is_delta:
        text = f"The {side.value} side's listing is incomplete: {seen.reason or 'it broke off'}."
        yield Brake(
            BrakeName.INCOMPLETE_LISTING, text, "Run again; nothing was decided from what is missing."
        )
    elif seen.listed == 0 and seen.known > 0 and not seen.is_delta:
        text = f"The {side.value} side lists no record at all; last time there were {seen.known}."
        yield Brake(BrakeName.EMPTY_SIDE, text, _release("If it was really emptied", BrakeName.EMPTY_SIDE))


def _shares(facts: Facts, limits: Limits) -> Iterator[Brake]:
    if facts.links == 0:
        return
    for side in Side:
        seen = facts.of(side)
        if _over(seen.gone, facts.links, limits.deletes, limits.at_least):
            text = f"{seen.gone} of {facts.links} linked records are gone on the {side.value} side"
            yield Brake(
                BrakeName.DELETES,
                f"{text} (limit {_percent(limits.deletes)}).",
                _release("If that is meant", BrakeName.DELETES),
            )
        if seen.changed >= max(facts.links, limits.at_least):
            text = f"All {facts.links} linked records changed on the {side.value} side at once."
            yield Brake(BrakeName.ALL_CHANGED, text, _release("If that is meant", BrakeName.ALL_CHANGED))
        elif _over(seen.changed, facts.links, limits.changes, limits.at_least):
            text = f"{seen.changed} of {facts.links} linked records changed on the {side.value} side"
            yield Brake(
                BrakeName.CHANGES,
                f"{text} (limit {_percent(limits.changes)}).",
                _release("If that is meant", BrakeName.CHANGES),
            )


def _over(count: int, total: int, share: float | None, at_least: int) -> bool:
    """Whether more than the share: counted in decimals, for 29 of 100 are not more than 0.29 of them."""
    return share is not None and count >= at_least and count > Decimal(str(share)) * total


def _settings(facts: Facts) -> Iterator[Brake]:
    if facts.is_mapping_changed:
        text = "The field mapping changed since the records last agreed."
        yield Brake(
            BrakeName.MAPPING_CHANGED,
            text,
            _release("Look at the plan, and if it is meant", BrakeName.MAPPING_CHANGED),
        )
    if facts.is_filter_changed:
        text = "The filter changed since the records last agreed."
        yield Brake(
            BrakeName.FILTER_CHANGED,
            text,
            _release("Look at the plan, and if it is meant", BrakeName.FILTER_CHANGED),
        )
    if facts.drift:
        text = f"A mapped field changed at its vendor: {'; '.join(facts.drift)}."
        yield Brake(
            BrakeName.SCHEMA_DRIFT,
            text,
            _release("Mend the mapping; or, if all is well", BrakeName.SCHEMA_DRIFT),
        )
    if facts.last_run_at is not None and facts.now < facts.last_run_at - CLOCK_TOLERANCE:
        text = f"The clock says {facts.now:%Y-%m-%d %H:%M}, before the last run ({facts.last_run_at:%Y-%m-%d %H:%M})."
        yield Brake(
            BrakeName.CLOCK_JUMP,
            text,
            _release("Set the clock right; or, if it is right", BrakeName.CLOCK_JUMP),
        )


def _release(when: str, name: BrakeName) -> str:
    return f"{when}, run with --release {name.value}."


def _percent(share: float | None) -> str:
    return f"{(share or 0) * 100:g} %"
