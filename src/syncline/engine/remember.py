"""What a run saw into the store, before anything is written to a vendor.

Called by `runs` right after the plan is made. A record that something still has to happen to is remembered as not
settled, with its values: a run that is stopped by a brake, a crash or a refusal finds everything again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from syncline.core.decisions import Rule
from syncline.core.memory import Run, Seen, Standing
from syncline.core.merge import is_agreed
from syncline.core.plan import Effect, Plan
from syncline.core.records import Base, FieldId, Gone, LinkId, Present, Record, RecordKey, Side, Sighting
from syncline.core.values import BLANK, Value, is_blank, same
from syncline.engine.absences import not_shown, remember_missing
from syncline.engine.outside import keys_only
from syncline.engine.pull import Sweep
from syncline.engine.questions import to_ask
from syncline.engine.reconcile import Reconciled
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


def unagreed(sync: Sync, side: Side, base: Base, sighting: Sighting) -> list[FieldId]:
    """The fields of a record that hold a value on a line that both sides never agreed on."""
    if not isinstance(sighting, Present):
        return []
    names = (lens.mapping.of(side) for lens in sync.rules.lenses if not is_agreed(base, lens))
    return [name for name in names if not is_blank(sighting.record.fields.get(name, BLANK))]


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


def seen_now(
    record: Record,
    digest: bytes,
    *,
    link: LinkId | None,
    is_settled: bool,
    base: Mapping[FieldId, Value] | None = None,
    standing: Standing = Standing.LINKED,
) -> Seen:
    """A present record as the store keeps it: its values while it is not settled, and afterwards those that its base
    does not tell (where `base` is given)."""
    fields = (
        record.fields if not is_settled else _beyond(record.fields, base or {}) if base is not None else None
    )
    return Seen(
        record.key,
        digest,
        standing,
        is_settled,
        updated_at=record.updated_at,
        title=record.title,
        fields=fields or None if is_settled else fields,
        link=link,
        external_key=record.external_key,
        in_scope=record.in_scope,
        wrote_at=record.wrote_at,
    )


def _beyond(fields: Mapping[FieldId, Value], base: Mapping[FieldId, Value]) -> Mapping[FieldId, Value]:
    """What a settled record holds that its base does not tell: a field that the other side does not show."""
    return {name: value for name, value in fields.items() if name not in base or not same(base[name], value)}


def tombstone(key: RecordKey, gone: Gone, title: str = "") -> Seen:
    """A record that is gone and that no link ties: kept, so that a listing that lags does not bring it back."""
    return Seen(key, b"", Standing.RELEASED, is_settled=True, title=title, gone=gone)


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
            is_settled = link.id not in busy
            record = msgspec.structs.replace(record, wrote_at=link.of(side).wrote_at)
            seen = seen_now(record, digest, link=link.id, is_settled=is_settled, base=link.base.of(side))
            # What has changed meanwhile is no base: it is kept until the link goes on.
            is_resting = link.id in resting
            yield msgspec.structs.replace(seen, is_settled=True) if is_resting else seen
        elif key in known and known[key].gone is None and known[key].standing is Standing.RELEASED:
            yield seen_now(record, digest, link=None, is_settled=True, standing=Standing.RELEASED)
        else:
            seen = seen_now(record, digest, link=None, is_settled=False, standing=Standing.WAITING)
            is_left_out = side in sync.filters and not record.in_scope
            kept = keys_only(sync, side, record.fields) if is_left_out else record.fields
            yield msgspec.structs.replace(seen, is_settled=is_left_out, fields=kept)
    for key, gone in sweep.gone.items():
        link = by_key.get(key)
        if link is None:
            yield tombstone(key, gone)
        else:
            yield msgspec.structs.replace(link.of(side), gone=gone, is_settled=False, digest=b"")
