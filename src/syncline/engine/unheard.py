"""An update, deletion or revival that nobody heard of into what can be said of it all the same.

Called by `recover` with the record as it was just read: whether the write may have happened, what it overrode, which values
are our own by now, and of which nobody can tell whose they are.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from syncline.core.decisions import FieldDecision
from syncline.core.forms import resembles
from syncline.core.memory import Entry, Intent
from syncline.core.plan import Step
from syncline.core.records import (
    Archive,
    Delete,
    FieldId,
    Gone,
    Present,
    Receipt,
    Record,
    Restore,
    Side,
    Sighting,
    Update,
)
from syncline.core.values import Value, same
from syncline.engine.keeping import without
from syncline.engine.pull import Sweep, remembered
from syncline.engine.settle import Ledger, closing, keys_of, removed, settle
from syncline.engine.sync import Sync, World


def learn(world: World, sync: Sync, intent: Intent, now: Record, others: Sweep) -> None:
    """A value that is what we sent, be it in the vendor's own form, is our write and no edit: it becomes the base, or it
    would go back to where it came from, and an edit of the other side since would meet it as one.

    A person may have typed the very same. Where the other side speaks again, it will be overridden, and the history tells.
    """
    step, run = intent.step, intent.run
    if step.link is None or not isinstance(step.write, Update | Restore):
        return
    learnt: list[FieldDecision] = []
    # What a revived record held in the trash is not known; where that is what we sent, both sides agree all the same.
    before = step.write.was if isinstance(step.write, Update) else dict[FieldId, Value]()
    for decision in step.fields:
        name = decision.of(step.side)
        sent, kept, was = (held.get(name) for held in (step.write.fields, now.fields, before))
        is_as_before = was is not None and kept is not None and same(was, kept)
        if sent is not None and kept is not None and resembles(sent, kept) and not is_as_before:
            told = msgspec.structs.replace(decision, lost=kept, lost_side=step.side)
            learnt.append(told if speaks_again(step, decision, others) else decision)
    if not learnt or step.link not in world.store.links(sync.id, [step.link]):
        return
    rest = frozenset(step.write.fields) - {each.of(step.side) for each in learnt}
    by_name = {each.name: each for each in learnt}
    step = msgspec.structs.replace(step, fields=tuple(by_name.get(each.name, each) for each in step.fields))
    known = Ledger(left={keys_of(step): 2})  # stays open: the two records are compared in this run
    with world.store.transaction():
        settle(world, sync, run, without(step, rest), Receipt(now.key, sync.trim(step.side, now)), known)


def speaks_again(step: Step, decision: FieldDecision, others: Sweep) -> bool:
    """Whether the record that a value came from holds another one by now."""
    there = others.fresh.get(step.counterpart) if step.counterpart is not None else None
    side = step.side.other
    then = decision.target(side) or (decision.left if side is Side.LEFT else decision.right)
    now = there.fields.get(decision.of(side)) if there is not None else None
    return then is not None and now is not None and not same(then, now)


def doubt(world: World, sync: Sync, intent: Intent, now: Record) -> None:
    """A field that holds neither what was there nor what we sent: somebody edited it, before our write or after. Nobody
    can tell what both sides last agreed on, so nothing of either side is taken for unchanged. (Where a field goes one
    way, it does not matter: the other side follows.)"""
    step = intent.step
    if step.link is None or not isinstance(step.write, Update):
        return
    link = world.store.links(sync.id, [step.link]).get(step.link)
    mutual = {
        (n.mapping.left, n.mapping.right) for n in sync.rules.lenses if all(n.flows_to(side) for side in Side)
    }
    doubtful = [
        each
        for each in step.fields
        if (each.left_field, each.right_field) in mutual and _is_a_third(step.write, each.of(step.side), now)
    ]
    if link is None or not doubtful:
        return
    names = [[each.of(side) for each in doubtful] for side in Side]
    with world.store.transaction():
        for side, fields in zip(Side, names, strict=True):
            world.store.unbase(step.link, side, fields)
        # Whatever is blank there now was emptied by somebody.
        world.store.speak(step.link, *names)


def _is_a_third(write: Update, name: FieldId, now: Record) -> bool:
    sent, was, held = write.fields.get(name), write.was.get(name), now.fields.get(name)
    if sent is None or was is None or held is None:
        return False
    return not same(held, was) and not same(held, sent) and not resembles(sent, held)


def may_have_happened(step: Step, sighting: Sighting) -> bool:
    """Whether the record looks as if the write went through, or nobody can tell."""
    match step.write:
        # Gone or hidden by now: nobody can tell what it held in between.
        case Update(_, _, was):
            return not isinstance(sighting, Present) or any(
                name in sighting.record.fields and not same(was[name], sighting.record.fields[name])
                for name in was
            )
        case Delete() | Archive():
            return isinstance(sighting, Gone)
        case Restore():
            return isinstance(sighting, Present)
        case _:
            return False


def _is_overridden(step: Step, decision: FieldDecision) -> bool:
    is_lost = decision.lost is not None and decision.lost_side is step.side
    return is_lost or (decision in step.later and decision.target(step.side) is not None)


def tell_losses(world: World, sync: Sync, intent: Intent) -> None:
    """An overridden value must be in the history even when we never heard that it was overridden; so must what a
    deleted record held last. The first of two writes overrides even where no value is lost: the second tells of its own
    side alone."""
    step, now = intent.step, world.clock.now()
    link = world.store.links(sync.id, [step.link]).get(step.link) if step.link is not None else None
    before = remembered(link, step.side) if link else None
    held: Mapping[FieldId, Value] = before.record.fields if isinstance(before, Present) else {}
    world.store.record(
        sync.id,
        [
            Entry(
                intent.run,
                step.link,
                *keys_of(step),
                decision.name,
                step.side,
                decision.left if step.side is Side.LEFT else decision.right,
                decision.to_left if step.side is Side.LEFT else decision.to_right,
                decision.lost,
                decision.rule,
                now,
                step.title,
            )
            for decision in (*step.fields, *step.later)
            if _is_overridden(step, decision)
        ]
        + (
            [closing(intent.run, step, {}, now, intent.at)]
            if isinstance(step.write, Delete | Archive)
            else []
        )
        + list(removed(intent.run, step, held, now)),
    )
