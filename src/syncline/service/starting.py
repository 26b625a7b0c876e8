"""A person's "now" into something that is due at once: a run, or another try of what is parked.

Called by `web.syncs`, `web.runs` and `web.records`. The dispatcher does the rest; while the sync is paused it waits.
"""

from __future__ import annotations

from collections.abc import Iterable

from syncline.bootstrap import Installation
from syncline.core.brakes import BrakeName
from syncline.core.records import RecordKey, Side, SyncId
from syncline.core.timetable import DueKind
from syncline.engine import again, brakes
from syncline.ports import Due, JobEngine, Mark, Store
from syncline.service.dispatch import MOST_CHOSEN, RECHECK, SYNC
from syncline.service.pauses import pauses

_BY = "a person"


async def start(
    installation: Installation, jobs: JobEngine, name: str, *, is_full: bool, release: Iterable[BrakeName]
) -> Due:
    """Let a sync be looked at now: everything, or what may have changed. Brakes to be released let the next run pass.
    Answers what is due. Raises `UsageError` for a sync that is not there."""
    checked(installation, name)
    store, now, sync = installation.store, installation.clock.now(), SyncId(name)
    made = Due(
        sync, DueKind.RECONCILE if is_full else DueKind.POLL, now, why=_asked(store, sync, is_full=is_full)
    )
    with store.transaction():
        for brake in release:
            brakes.release(installation.world(), sync, brake, for_good=False)
        if is_full:
            store.save_due(made)
        else:
            # A run that is under way plans the next poll, and would put off this one; a mark stays.
            store.add_marks([Mark(sync, Side.LEFT, RecordKey(""), _BY, now, now)])
        _wake_up(installation, sync)
    await jobs.wake(SYNC, name)
    return made


async def retry(
    installation: Installation,
    jobs: JobEngine,
    name: str,
    keys: Iterable[RecordKey] | None,
    code: str | None,
) -> int:
    """Let parked records be tried again now; how many those are. Raises `UsageError` for a sync that is not there."""
    checked(installation, name)
    store, now, sync = installation.store, installation.clock.now(), SyncId(name)
    with store.transaction():
        due = again.retry(installation.world(), sync, keys, code)
        if due:
            _wake_up(installation, sync)
            if not any(each.kind is DueKind.RETRY for each in store.dues(sync)):
                store.save_due(Due(sync, DueKind.RETRY, now))
    if due:
        await jobs.wake(SYNC, name)
    return len(due)


async def resync(
    installation: Installation, jobs: JobEngine, name: str, chosen: frozenset[again.Spot] | None
) -> Due | None:
    """Let records be read fresh and decided again now, even where nothing seems changed; None: every record. Few are read by
    themselves; for many, both sides are listed, which takes fewer calls: then that is what is due. Raises `UsageError` for a
    sync that is not there."""
    checked(installation, name)
    store, now, sync = installation.store, installation.clock.now(), SyncId(name)
    made = None
    with store.transaction():
        if chosen is None:
            again.retry(installation.world(), sync)
        else:
            again.make_due(installation.world(), sync, chosen)
        heard = store.mark_counts().get(sync)
        if chosen is None or len(chosen) + (heard.count if heard is not None else 0) > MOST_CHOSEN:
            made = Due(sync, DueKind.RECONCILE, now, why=RECHECK)
            store.save_due(made)
        else:
            marks = sorted(chosen, key=lambda spot: (spot[0].value, spot[1]))
            store.add_marks([Mark(sync, side, key, _BY, now, now) for side, key in marks])
        _wake_up(installation, sync)
    await jobs.wake(SYNC, name)
    return made


def checked(installation: Installation, name: str) -> SyncId:
    """A sync in force. Raises `UsageError` for one that is not there."""
    if name not in installation.config.syncs:
        raise installation.unknown(name)
    return SyncId(name)


def why_paused(installation: Installation, name: str) -> str:
    """Why a sync does not run now, where people paused it; empty when they did not."""
    settings = installation.config.syncs[name]
    return pauses(installation.store).why(name, [settings.side(side).connection for side in Side])


def _asked(store: Store, sync: SyncId, *, is_full: bool) -> str:
    """A full run that is due already to decide everything again does so also when it is asked for once more."""
    is_recheck = is_full and any(
        each.kind is DueKind.RECONCILE and each.why == RECHECK for each in store.dues(sync)
    )
    return RECHECK if is_recheck else ""


def _wake_up(installation: Installation, sync: SyncId) -> None:
    """One that rests after a failure is tried now; how often it failed stays counted."""
    store, now = installation.store, installation.clock.now()
    for each in store.dues(sync):
        if each.kind is DueKind.RETRY and each.at > now:
            store.save_due(Due(sync, DueKind.RETRY, now, each.every, each.misses, each.why))
