"""What a person says about links into our memory: these two are the same, these two are not, this one goes alone.

Called by the CLI (and later the web). Nothing is written to a vendor here: the next run decides the fields of a new link
as those of two records that meet. Everything happens under the sync's lease, so that no run is in the middle, and in one
transaction, so that it is done whole or not at all; doing it twice does nothing more. All of it is noted in the history
and in the audit trail.
"""

from __future__ import annotations

import msgspec

from syncline.core.audit import AuditKind
from syncline.core.decisions import Rule
from syncline.core.memory import Seen, Standing
from syncline.core.records import LinkId, Record, RecordKey, RunId, Side, SyncId
from syncline.engine.by_hand import (
    Desk,
    Spot,
    alone,
    audit,
    change,
    check_clear,
    check_free,
    check_not_linked,
    desk_of,
    find,
    held_by,
    is_apart,
    keys_of,
    part,
    present,
    record,
    settle,
    shared_link,
    spots_of,
    still_linked,
    tie,
    title_of,
    wait,
)
from syncline.engine.said import Wish, want_copy, wishes
from syncline.engine.sync import Sync, World
from syncline.errors import SetupError


class Done(msgspec.Struct, frozen=True):
    """What came of it. `is_new` is false when it was so already; then nothing was done, and there is no `run`."""

    sync: SyncId
    rule: Rule
    left: RecordKey | None = None
    right: RecordKey | None = None
    link: LinkId | None = None
    released: RecordKey | None = None
    run: RunId | None = None
    is_new: bool = True


async def link(world: World, sync: Sync, left: RecordKey, right: RecordKey) -> Done:
    """Say that two records are the same thing. Both are read; the next run decides their fields as at a first meeting.

    Released records and records kept apart may be linked: the later word counts. Raises `SetupError` when one of them is
    gone, outside the filter, or linked with another record, and `BusyError` while a run is on, as all of these do.
    """
    known = shared_link(world, sync, left, right)
    if known is not None:
        return Done(sync.id, Rule.LINKED_BY_HAND, left, right, known, is_new=False)
    with desk_of(world, sync) as desk:
        records = {
            side: await _free(desk, side, key) for side, key in ((Side.LEFT, left), (Side.RIGHT, right))
        }
        with change(desk, Rule.LINKED_BY_HAND):
            made = tie(desk, records, {})
    return Done(sync.id, Rule.LINKED_BY_HAND, left, right, made, run=desk.run)


async def unlink(
    world: World,
    sync: Sync,
    what: LinkId | RecordKey,
    *,
    side: Side | None = None,
    keep_apart: bool = True,
    reason: str = "",
) -> Done:
    """Say that two linked records (or a link, by its number) are not the same thing. Both stay as they are, each for
    itself: they are released, and the pair is kept apart. Raises `SetupError` for a record that was never linked."""
    if isinstance(what, str):
        spot, seen = find(world, sync, what, side)
        if seen.link is None:
            return _unlinked(sync, spot, seen)
        what = seen.link
    with desk_of(world, sync) as desk, change(desk, Rule.UNLINKED_BY_HAND):
        old = still_linked(desk, what)
        check_clear(desk, spots_of(old))
        part(desk, old, Side, reason if keep_apart else None)
    return Done(sync.id, Rule.UNLINKED_BY_HAND, old.left.key, old.right.key, old.id, run=desk.run)


def _unlinked(sync: Sync, spot: Spot, seen: Seen) -> Done:
    if seen.gone is not None:
        raise SetupError(f"The {spot[0].value} record '{spot[1]}' is gone, and its link is closed already.")
    if seen.standing is not Standing.RELEASED:
        raise SetupError(
            f"'{spot[1]}' is not linked. `syncline links candidates {spot[1]}` shows what may belong to it."
        )
    return Done(sync.id, Rule.UNLINKED_BY_HAND, *keys_of(spot), is_new=False)


async def relink(
    world: World, sync: Sync, key: RecordKey, to: RecordKey, *, side: Side | None = None, reason: str = ""
) -> Done:
    """Say that a linked record belongs to another one of the other side. Its old counterpart is released, and the two
    are kept apart.

    The new link begins without a base: what the record agreed on with its old counterpart says nothing about the new
    one, so every field is decided as at a first meeting.
    """
    (own, _), seen = find(world, sync, key, side)
    if seen.link is None:
        raise SetupError(f"'{key}' is not linked. Link it: `syncline links link LEFT RIGHT`.")
    keys = (key, to) if own is Side.LEFT else (to, key)
    if shared_link(world, sync, *keys) is not None:
        return Done(sync.id, Rule.LINKED_BY_HAND, *keys, seen.link, is_new=False)
    with desk_of(world, sync) as desk:
        old = still_linked(desk, seen.link)
        check_clear(desk, spots_of(old))
        records = {own: await present(desk, own, key), own.other: await _free(desk, own.other, to)}
        with change(desk, Rule.LINKED_BY_HAND):
            part(desk, old, [own.other], reason)
            made = tie(desk, records, {own: held_by(old, own)})
    released = old.of(own.other).key
    return Done(sync.id, Rule.LINKED_BY_HAND, *keys, made, released, desk.run)


async def separate(world: World, sync: Sync, left: RecordKey, right: RecordKey, reason: str = "") -> Done:
    """Say that two records are not the same: they are never proposed or matched. Raises `SetupError` when they are
    linked, or one of them is not there."""
    if shared_link(world, sync, left, right) is not None:
        raise SetupError(f"'{left}' and '{right}' are linked. Unlink them: `syncline links unlink {left}`.")
    if is_apart(world, sync, left, right):
        return Done(sync.id, Rule.KEPT_APART, left, right, is_new=False)
    with desk_of(world, sync) as desk:
        titles = [await title_of(desk, side, key) for side, key in ((Side.LEFT, left), (Side.RIGHT, right))]
        with change(desk, Rule.KEPT_APART):
            world.store.keep_apart(sync.id, left, right, reason, world.clock.now())
            record(desk, Rule.KEPT_APART, (left, right), titles[0] or titles[1])
            audit(desk, AuditKind.UNLINKED, left, {"apart": [left, right], "reason": reason})
    return Done(sync.id, Rule.KEPT_APART, left, right, run=desk.run)


async def rejoin(world: World, sync: Sync, left: RecordKey, right: RecordKey) -> Done:
    """Take back that two records are not the same."""
    if not is_apart(world, sync, left, right):
        return Done(sync.id, Rule.REJOINED_BY_HAND, left, right, is_new=False)
    with desk_of(world, sync) as desk, change(desk, Rule.REJOINED_BY_HAND):
        world.store.rejoin(sync.id, left, right)
        record(desk, Rule.REJOINED_BY_HAND, (left, right), "")
        audit(desk, AuditKind.LINKED, left, {"rejoined": [left, right]})
    return Done(sync.id, Rule.REJOINED_BY_HAND, left, right, run=desk.run)


async def release(world: World, sync: Sync, key: RecordKey, *, side: Side | None = None) -> Done:
    """Say that a record without a link goes on alone: it is neither matched nor copied. Raises `SetupError` for one that
    is linked, or gone."""
    spot, seen = find(world, sync, key, side)
    check_not_linked(world, sync, spot, seen)
    if seen.gone is not None:
        raise SetupError(f"The {spot[0].value} record '{key}' is gone: {seen.gone.proof.sentence}.")
    if seen.standing is Standing.RELEASED:
        return Done(sync.id, Rule.RELEASED_BY_HAND, *keys_of(spot), is_new=False)
    with desk_of(world, sync) as desk, change(desk, Rule.RELEASED_BY_HAND):
        check_free(desk, spot)
        _, seen = find(world, sync, key, spot[0])
        world.store.see(sync.id, spot[0], [alone(seen)])
        settle(desk, [spot])
        record(desk, Rule.RELEASED_BY_HAND, keys_of(spot), seen.title)
        audit(desk, AuditKind.UNLINKED, key, {"released": key, "side": spot[0].value})
    return Done(sync.id, Rule.RELEASED_BY_HAND, *keys_of(spot), run=desk.run)


async def recall(world: World, sync: Sync, key: RecordKey, *, side: Side | None = None) -> Done:
    """Take back that a record goes on alone, or is to be copied: the next run matches it as if it were new."""
    spot, seen = find(world, sync, key, side)
    check_not_linked(world, sync, spot, seen)
    if seen.standing is Standing.WAITING and not _is_wanted(world, sync, spot):
        return Done(sync.id, Rule.RECALLED_BY_HAND, *keys_of(spot), is_new=False)
    with desk_of(world, sync) as desk:
        found = await _free(desk, *spot)
        with change(desk, Rule.RECALLED_BY_HAND):
            wait(desk, spot[0], found)
            record(desk, Rule.RECALLED_BY_HAND, keys_of(spot), found.title)
            audit(desk, AuditKind.LINKED, key, {"recalled": key, "side": spot[0].value})
    return Done(sync.id, Rule.RECALLED_BY_HAND, *keys_of(spot), run=desk.run)


async def copy(world: World, sync: Sync, key: RecordKey, *, side: Side | None = None) -> Done:
    """Say that a record without a link has no counterpart: the next run makes one, whatever the match mode, and whoever
    it is kept apart from. Raises `SetupError` for one that is linked, and where no record can be made."""
    spot, seen = find(world, sync, key, side)
    check_not_linked(world, sync, spot, seen)
    if spot[0].other not in sync.may_create:
        raise SetupError(f"No record can be made on the {spot[0].other.value}: see `create` of the sync.")
    if _is_wanted(world, sync, spot):
        return Done(sync.id, Rule.COPIED_BY_HAND, *keys_of(spot), is_new=False)
    with desk_of(world, sync) as desk:
        found = await _free(desk, *spot)
        with change(desk, Rule.COPIED_BY_HAND):
            wait(desk, spot[0], found)
            want_copy(world.store, sync.id, Wish(*spot, desk.run))
            record(desk, Rule.COPIED_BY_HAND, keys_of(spot), found.title)
            audit(desk, AuditKind.LINKED, key, {"copied": key, "side": spot[0].value})
    return Done(sync.id, Rule.COPIED_BY_HAND, *keys_of(spot), run=desk.run)


def _is_wanted(world: World, sync: Sync, spot: Spot) -> bool:
    return any((wish.side, wish.key) == spot for wish in wishes(world.store, sync.id))


async def _free(desk: Desk, side: Side, key: RecordKey) -> Record:
    """A record that no link ties and no write is about, as it is now."""
    check_free(desk, (side, key))
    return await present(desk, side, key)
