"""A step that is about to be written into the certainty that what it was decided on still holds, or an error.

Called by `apply` right before each write. Whatever a look finds instead is remembered: no listing may ever show it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from syncline.core.decisions import Rule
from syncline.core.memory import Standing
from syncline.core.plan import Effect, Step
from syncline.core.records import (
    Archive,
    Create,
    Delete,
    Gone,
    Present,
    Proof,
    Record,
    RecordKey,
    Restore,
    Side,
    Sighting,
    Unseen,
    Update,
)
from syncline.core.values import BLANK, same
from syncline.engine.notes import seen_now
from syncline.engine.pull import Sweep
from syncline.engine.settle import Ledger
from syncline.engine.sync import Sync, World
from syncline.errors import ConnectorError, Detail, NotFoundError, StaleError


@dataclass(frozen=True, slots=True)
class Known:
    """What a look is compared with: the state of a run that is being applied."""

    world: World
    sync: Sync
    ledger: Ledger
    sweeps: dict[Side, Sweep]


async def look(known: Known, step: Step) -> None:
    """Read again what may have moved since it was decided on, and refuse to write over it."""
    match step.write:
        case Create():
            await _expect_source(known, step)
        case Update(key, _, was):
            if not _is_fresh(known, step.side, key):
                await _expect(known, step.side, key, lambda record: all(
                    same(was[name], record.fields.get(name, BLANK)) for name in was
                ))  # fmt: skip
        case Delete(key) | Archive(key):
            seen = known.ledger.now[step.side, key]
            expected = seen.fields
            last = await _expect(known, step.side, key, lambda record: all(
                same(expected[name], record.fields[name]) for name in expected if name in record.fields
            ))  # fmt: skip
            if step.rule is not Rule.UNDONE:
                await _expect_gone(known, step)
            _keep_last(known, step, last)
        case Restore(key):
            await _expect_trashed(known, step, key)
        case _:
            return


def _is_fresh(known: Known, side: Side, key: RecordKey) -> bool:
    """Read in this run, a moment ago, by a listing that does not lag behind what people do."""
    sweep, patience = known.sweeps[side], known.sync.patience
    is_late = bool(patience.lag.get(side)) and key not in sweep.direct
    if sweep.began_at is None or is_late or not sweep.shows(key):
        return False
    # The listing's begin: nobody knows when within it this record was read.
    return known.world.clock.now() - sweep.began_at < patience.fresh


def _keep_last(known: Known, step: Step, last: Record) -> None:
    """Remember all that a record holds before it goes, also where its base never knew: the history tells it, even when
    we never hear of the deletion's outcome."""
    record = known.sync.trim(step.side, last)
    known.ledger.now[step.side, record.key] = record
    standing = Standing.RELEASED if step.effect is Effect.ALONE else Standing.LINKED
    kept = seen_now(record, b"", link=step.link, is_settled=False, standing=standing)
    known.world.store.see(known.sync.id, step.side, [kept])


async def _expect_source(known: Known, step: Step) -> None:
    """Before a copy of what an earlier run saw: no listing of changes need show that it is gone by now, or has left."""
    side, key = step.side.other, step.counterpart
    source = known.ledger.now.get((side, key)) if key is not None else None
    if source is None or source.key in known.sweeps[side].fresh:
        return
    held = source.fields
    await _expect(known, side, source.key, lambda record: all(
        same(held[name], record.fields.get(name, BLANK)) for name in held
    ))  # fmt: skip


async def _expect(known: Known, side: Side, key: RecordKey, is_same: Callable[[Record], bool]) -> Record:
    sighting = await _fetch(known, side, key)
    if not isinstance(sighting, Present):
        _remember(known, side, key, sighting)
        raise NotFoundError("the record is gone meanwhile", detail=Detail.GONE_MEANWHILE)
    if not is_same(sighting.record) or _has_left(known, side, sighting.record):
        _remember(known, side, key, sighting)
        raise StaleError("the record was edited meanwhile", detail=Detail.EDITED_MEANWHILE)
    return sighting.record


def _has_left(known: Known, side: Side, record: Record) -> bool:
    """Whether a record that was in the filter is not any more."""
    before = known.ledger.now.get((side, record.key))
    return before is not None and before.in_scope and not known.sync.trim(side, record).in_scope


async def _expect_trashed(known: Known, step: Step, key: RecordKey) -> None:
    """Before a revival: the record must still lie in the trash. It may have been purged meanwhile, or taken out of the
    trash outside the filter."""
    sighting = await _fetch(known, step.side, key)
    if not (isinstance(sighting, Gone) and sighting.proof is Proof.TRASHED):
        _remember(known, step.side, key, sighting)
        raise StaleError("the record does not lie in the trash any more", detail=Detail.NOT_IN_TRASH)


async def _expect_gone(known: Known, step: Step) -> None:
    """Before a deletion: the other record must still be gone."""
    if step.counterpart is None:
        return
    side, spot = step.side.other, (step.side.other, step.counterpart)
    sighting = await _fetch(known, side, step.counterpart)
    if isinstance(sighting, Present):
        _remember(known, side, step.counterpart, sighting)
    before = known.ledger.gone.get(spot)
    if isinstance(sighting, Gone):
        known.ledger.gone[spot] = sighting
    elif not isinstance(sighting, Unseen) or before is None or before.proof.is_direct:
        raise StaleError("the other record is back", detail=Detail.BACK_AGAIN)


async def look_after(known: Known, step: Step) -> None:
    """See what became of a record that the vendor did not let us write: it was moved, edited or deleted meanwhile."""
    if step.key is not None:
        with contextlib.suppress(ConnectorError):
            _remember(known, step.side, step.key, await _fetch(known, step.side, step.key))


async def _fetch(known: Known, side: Side, key: RecordKey) -> Sighting:
    setup = known.sync.side(side)
    return await setup.connector.fetch(setup.scope, key)


def _remember(known: Known, side: Side, key: RecordKey, sighting: Sighting) -> None:
    """What a look found instead of what was expected: the next run decides on it, for no listing may ever show it."""
    store = known.world.store
    was = store.seen(known.sync.id, side, [key]).get(key)
    if was is None or isinstance(sighting, Unseen):
        return
    if isinstance(sighting, Gone):
        now = msgspec.structs.replace(was, gone=sighting, is_settled=False)
    else:
        record = known.sync.trim(side, sighting.record)
        record = msgspec.structs.replace(record, wrote_at=was.wrote_at)
        now = seen_now(record, b"", link=was.link, is_settled=False, standing=was.standing)
    store.see(known.sync.id, side, [now])
