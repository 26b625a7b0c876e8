"""What a run saw into the store, before anything is written to a vendor.

Called by `runs` right after the plan is made. A record that something still has to happen to is remembered as not
settled, with its values: a run that is stopped by a brake, a crash or a refusal finds everything again.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from syncline.core.decisions import Rule
from syncline.core.memory import Run, Seen
from syncline.core.plan import Effect, Plan
from syncline.core.records import Base, LinkId, RecordKey, Side
from syncline.engine.absences import not_shown, remember_missing
from syncline.engine.notes import linked_now, lone_now, tombstone, unagreed
from syncline.engine.parents import note_awaited
from syncline.engine.pull import Sweep
from syncline.engine.questions import to_ask
from syncline.engine.reconcile import Reconciled
from syncline.engine.sift import note
from syncline.engine.sync import Sync, World


def remember(world: World, sync: Sync, run: Run, sweeps: dict[Side, Sweep], made: Reconciled) -> None:
    """Store sightings, cursors and questions in one transaction."""
    resting = _resting(sync, made.plan)
    with world.store.transaction():
        for question in made.asked.withdrawn:
            world.store.choose(question, None, world.clock.now())
        _note_spoken(world, sync, made)
        for side, sweep in sweeps.items():
            world.store.see(sync.id, side, list(_sightings(world, sync, side, sweep, made, resting)))
            missing = sweep.missing
            if missing is None:
                missing = not_shown(world, sync, side, sweep.fresh, sweep.known)
            remember_missing(world, sync, side, missing)
            if sweep.ending.cursor is not None and (sweep.ending.is_complete or sweep.is_delta):
                world.store.remember(sync.id, f"cursor:{side.value}", sweep.ending.cursor)
        note(world, sync, sweeps, made.news)
        is_partial = not all(sweep.shows_news for sweep in sweeps.values())
        note_awaited(world.store, sync, made.waits, is_partial=is_partial)
        for side, keys in _moot(world, sync, sweeps, made).items():
            world.store.unpark(sync.id, side, keys)
        asking = to_ask(sync, run, world.clock.now(), made.plan, made.views, made.asked)
        world.store.ask(sync.id, list(asking))


def _note_spoken(world: World, sync: Sync, made: Reconciled) -> None:
    """Values that were never agreed on: if one of them is found blank later, somebody emptied it."""
    for link, view in made.views.items():
        base = view.base or Base({}, {})
        left, right = (unagreed(sync, side, base, view.of(side)) for side in Side)
        if left or right:
            world.store.speak(link, left, right)


def _moot(
    world: World, sync: Sync, sweeps: dict[Side, Sweep], made: Reconciled
) -> dict[Side, list[RecordKey]]:
    """Parked records about which nothing is left to do: their link agrees by now, or was tied, or they are gone."""
    out: dict[Side, list[RecordKey]] = {side: [] for side in Side}
    parked = world.store.parked(sync.id)
    if not parked:
        return out
    plan = made.plan
    busy = {step.link for step in (*plan.steps, *plan.stopped) if step.write is not None}
    busy |= {held.link for held in plan.held}
    moot = {(side, link.of(side).key) for link in made.links.values() if link.id not in busy for side in Side}
    for step in plan.steps:
        if step.write is None and step.effect is Effect.TIE:
            moot |= {(step.side, step.key), (step.side.other, step.counterpart)}
    linked = {(side, link.of(side).key) for link in made.links.values() for side in Side}
    for each in parked:
        is_gone = each.key in sweeps[each.side].gone and (each.side, each.key) not in linked
        if is_gone or (each.side, each.key) in moot:
            out[each.side].append(each.key)
    return out


def _busy(plan: Plan) -> set[LinkId]:
    """Links that something has to happen to, or that wait for a person."""
    steps = {step.link for step in (*plan.steps, *plan.stopped)}
    return {link for link in steps | {held.link for held in plan.held} if link is not None}


def _resting(sync: Sync, plan: Plan) -> set[LinkId]:
    """Links that only wait for a record to come back into an expression's filter: its listing shows it all the same,
    so they are looked at again when a record changes, not in every run."""
    held = [item for item in plan.held if item.link is not None] if sync.filters else []
    others = {item.link for item in held if item.rule is not Rule.OUT_OF_SCOPE}
    return {item.link for item in held if item.link is not None and item.link not in others}


def _sightings(
    world: World, sync: Sync, side: Side, sweep: Sweep, made: Reconciled, resting: set[LinkId]
) -> Iterable[Seen]:
    busy = _busy(made.plan)
    by_key = {link.of(side).key: link for link in made.links.values()}
    others = [key for key in (*sweep.fresh, *sweep.gone) if key not in by_key]
    known = world.store.seen(sync.id, side, others)
    for key, record in sweep.fresh.items():
        link, digest = by_key.get(key), sweep.digests.get(key, b"")
        if link is not None:
            seen = linked_now(link, side, record, digest, is_settled=link.id not in busy)
            # What has changed meanwhile is no base: it is kept until the link goes on.
            is_resting = link.id in resting
            yield msgspec.structs.replace(seen, is_settled=True) if is_resting else seen
        else:
            yield lone_now(sync, side, record, digest, known.get(key))
    for key, gone in sweep.gone.items():
        link = by_key.get(key)
        if link is None:
            yield tombstone(key, gone)
        else:
            yield msgspec.structs.replace(link.of(side), gone=gone, is_settled=False, digest=b"")
