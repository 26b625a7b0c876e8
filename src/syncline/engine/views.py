"""What we remember into what people ask for. Read only; the CLI and (later) the web show the same numbers."""

from __future__ import annotations

import msgspec

from syncline.core.brakes import Brake
from syncline.core.catalogue import remedy_of
from syncline.core.memory import Counts, Parked, Run
from syncline.core.records import SyncId
from syncline.core.shapes import Paused
from syncline.engine.drift import paused
from syncline.engine.report import last_runs, told
from syncline.ports import Store


class Status(msgspec.Struct, frozen=True):
    """How a sync stands. `last` is its last run, links and undos made by hand left out; `paused` are the field lines that
    rested in it, and `brakes` those that stopped it."""

    sync: SyncId
    counts: Counts
    last: Run | None
    questions: int
    unknown: int
    parked: tuple[Parked, ...]
    paused: tuple[Paused, ...] = ()
    brakes: tuple[Brake, ...] = ()


def status_of(store: Store, sync: str) -> Status:
    """How a sync stands, from our own memory."""
    sync_id = SyncId(sync)
    last = next(last_runs(store, sync_id, 1), None)
    summary = told(last) if last is not None else None
    return Status(
        sync_id,
        store.counts(sync_id),
        last,
        len(store.questions(sync_id)),
        len(store.intents(sync_id)),
        tuple(msgspec.structs.replace(each, remedy=remedy_of(each.code)) for each in store.parked(sync_id)),
        paused(store, sync_id),
        summary.brakes if summary is not None else (),
    )
