"""What a sync stood on when it last went through, and what it stands on now, into the facts that brakes look at.

Called by `reconcile` (the facts) and by `runs` (which keeps the new state once a run went through): mapping and filter,
our clock, how many records each side held, whose accounts they are and what may be done there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import msgspec

from syncline.core.brakes import Brake, BrakeName, Facts, SideFacts
from syncline.core.forecast import Count, Forecast, forecast, moved, with_count
from syncline.core.records import Side
from syncline.engine.drift import drift, keep_shapes
from syncline.engine.pull import Sweep
from syncline.engine.sync import Identity, Sync, World
from syncline.engine.versions import is_approved
from syncline.ports import Health

_COUNTS = msgspec.json.Decoder(tuple[Count, ...])


class Standing(msgspec.Struct, frozen=True):
    """Whose side it is, and what may be done there. Empty texts are unknown; `scopes` is None where nobody tells."""

    account: str
    user: str
    object_type: str
    abilities: tuple[str, ...]
    fields: tuple[str, ...]
    scopes: tuple[str, ...] | None = None
    missing_scopes: tuple[str, ...] = ()


def identity_of(health: Health) -> Identity | None:
    """Who a connection is, from its test; None when the test failed for another reason than missing rights."""
    if health.problems and not health.missing_scopes:
        return None
    account, user = health.account_id or health.account, health.user_id or health.user
    return Identity(account, user, health.scopes, health.missing_scopes)


def facts(
    world: World,
    sync: Sync,
    sweeps: Mapping[Side, Sweep],
    changed: Mapping[Side, int],
    gone: Mapping[Side, int],
) -> Facts:
    """What the brakes look at. `changed` and `gone` count each side's links in this run."""
    counts = world.store.counts(sync.id)
    known = {Side.LEFT: counts.left, Side.RIGHT: counts.right}
    is_known = is_approved(world.store, sync.id, sync.settings_digest)
    sides = {
        side: SideFacts(
            listed=sweep.listed,
            known=known[side],
            changed=changed[side],
            gone=gone[side],
            is_complete=sweep.ending.is_complete,
            is_delta=sweep.is_delta,
            reason=sweep.ending.reason,
            new=len(sweep.new),
            expected=_expected(world, sync, side),
        )
        for side, sweep in sweeps.items()
    }
    return Facts(
        left=sides[Side.LEFT],
        right=sides[Side.RIGHT],
        links=counts.links,
        now=world.clock.now(),
        last_run_at=_last_run_at(world, sync),
        is_mapping_changed=not is_known and _is_other(world, sync, "mapping", sync.mapping_digest),
        is_filter_changed=not is_known and _is_other(world, sync, "filter", sync.filter_digest),
        drift=drift(world, sync),
        moved=tuple(text for side in Side for text in _moved(world, sync, side)),
        lost=tuple(text for side in Side for text in _lost(world, sync, side)),
    )


def keep(
    world: World,
    sync: Sync,
    sweeps: Mapping[Side, Sweep],
    made: Mapping[Side, int],
    released: tuple[Brake, ...],
    *,
    is_targeted: bool,
) -> None:
    """Remember what the sync stands on, after a run that no brake stopped.

    `made` says by how many records our own writes changed each side. A run of chosen records has looked at nothing
    else, so it accepts neither a new mapping nor anything else that concerns them all.
    """
    is_accepted = any(brake.name is BrakeName.COUNT_FORECAST for brake in released) or _is_other(
        world, sync, "filter", sync.filter_digest
    )
    for side in Side:
        _keep_count(world, sync, side, sweeps[side], made[side], is_accepted=is_accepted)
    world.store.remember(sync.id, "clock", world.clock.now().isoformat())
    if is_targeted:
        return
    world.store.remember(sync.id, "mapping", sync.mapping_digest)
    world.store.remember(sync.id, "filter", sync.filter_digest)
    keep_shapes(world, sync)
    for side in Side:
        kept = msgspec.json.encode(_standing(sync, side, _known_standing(world, sync, side)))
        world.store.remember(sync.id, f"standing:{side.value}", kept.decode())


def _is_other(world: World, sync: Sync, name: str, now: str) -> bool:
    return world.store.recall(sync.id, name) not in (None, now)


def _last_run_at(world: World, sync: Sync) -> dt.datetime | None:
    """When a run last went through. A run that a brake stopped does not count: its clock was not believed."""
    kept = world.store.recall(sync.id, "clock")
    if kept is not None:
        return dt.datetime.fromisoformat(kept)
    last = next((run for run in world.store.runs(sync.id, limit=2) if run.ended_at is not None), None)
    return last.ended_at if last else None


# --- counts ---------------------------------------------------------------------------------------------------------


def _counts(world: World, sync: Sync, side: Side) -> tuple[Count, ...]:
    kept = world.store.recall(sync.id, f"counts:{side.value}")
    return _COUNTS.decode(kept) if kept else ()


def _expected(world: World, sync: Sync, side: Side) -> Forecast | None:
    if _is_other(world, sync, "filter", sync.filter_digest):
        return None  # another filter lists other records: the past tells nothing
    return forecast(_counts(world, sync, side), world.clock.now())


def _keep_count(world: World, sync: Sync, side: Side, sweep: Sweep, made: int, *, is_accepted: bool) -> None:
    """Only a complete listing counts; after a count that a person accepted, the past tells nothing any more."""
    before = _counts(world, sync, side)
    after = moved(before, made) if made else before
    if sweep.ending.is_complete and not sweep.is_delta:
        latest = Count(world.clock.now(), max(0, sweep.listed + made))
        after = (latest,) if is_accepted else with_count(after, latest)
    if after != before:
        world.store.remember(sync.id, f"counts:{side.value}", msgspec.json.encode(after).decode())


# --- accounts and rights --------------------------------------------------------------------------------------------


def _known_standing(world: World, sync: Sync, side: Side) -> Standing | None:
    kept = world.store.recall(sync.id, f"standing:{side.value}")
    return msgspec.json.decode(kept, type=Standing) if kept else None


def _standing(sync: Sync, side: Side, before: Standing | None) -> Standing:
    """How the side stands now; what the connection test did not tell stays as it was known."""
    setup, used = sync.side(side), sync.fields(side)
    who = setup.identity
    if who is None:
        who = (
            Identity(before.account, before.user, before.scopes, before.missing_scopes)
            if before
            else Identity()
        )
    writable = (field.id for field in setup.schema.fields if field.id in used and not field.is_read_only)
    return Standing(
        who.account or (before.account if before else ""),
        who.user or (before.user if before else ""),
        setup.scope.object_type,
        tuple(sorted(ability.value for ability in setup.schema.abilities)),
        tuple(sorted(writable)),
        who.scopes,
        who.missing_scopes,
    )


def _moved(world: World, sync: Sync, side: Side) -> Iterator[str]:
    """What became another account, user or object type, in sentences."""
    before = _known_standing(world, sync, side)
    if before is None:
        return
    now = _standing(sync, side, before)
    for what, old, new in (
        ("account", before.account, now.account),
        ("user", before.user, now.user),
        ("object type", before.object_type, now.object_type),
    ):
        if old and old != new:
            yield f"the {side.value} {what} was {old} and is {new}"


def _lost(world: World, sync: Sync, side: Side) -> Iterator[str]:
    """Which rights are gone, in sentences: scopes where they are told, else the ones that were found missing."""
    before = _known_standing(world, sync, side)
    if before is None:
        return
    now = _standing(sync, side, before)
    if before.scopes is not None and now.scopes is not None:
        scopes = set(before.scopes) - set(now.scopes)
    else:
        scopes = set(now.missing_scopes) - set(before.missing_scopes)
    fields = (set(before.fields) & sync.fields(side)) - set(now.fields)
    for what, gone in (
        ("the scopes", scopes),
        ("the abilities to", set(before.abilities) - set(now.abilities)),
        ("the right to write", fields),
    ):
        if gone:
            yield f"the {side.value} lost {what} {', '.join(sorted(gone))}"
