"""Interrupted steps of an undo into settled ones.

Called by `recover`. Any other interrupted write is simply decided again from the base; what an undo wrote would look
like somebody's edit then, and be carried over to the other side. So a step of an undo that did happen is settled, with
its base and history, as it would have been at the time.
"""

from __future__ import annotations

from syncline.core.memory import Intent, IntentState
from syncline.core.plan import Step
from syncline.core.records import (
    Delete,
    Gone,
    Present,
    Receipt,
    Restore,
    RunId,
    Side,
    Sighting,
    Update,
)
from syncline.core.values import BLANK, same
from syncline.engine.pull import remembered
from syncline.engine.settle import Ledger, keys_of, settle, touched
from syncline.engine.sync import Sync, World


def finish(world: World, sync: Sync, run: RunId, intent: Intent, sighting: Sighting) -> bool:
    """Settle a step of an undo whose record is in the state that the step was to bring about; answers whether it is. `run`
    is the one that looks."""
    step = intent.step
    if not _is_done(step, sighting) or step.key is None:
        return False
    receipt = Receipt(step.key, None)
    ledger = Ledger(left=touched([step]), open={keys_of(step)})
    link = world.store.links(sync.id, [step.link]).get(step.link) if step.link is not None else None
    if step.link is not None and link is None:
        return False
    if link is not None:
        ledger.bases[link.id] = {side: link.base.of(side) for side in Side}
        before = remembered(link, step.side)
        if isinstance(before, Present):
            ledger.now[step.side, step.key] = before.record
    if isinstance(sighting, Present):
        receipt = Receipt(step.key, sync.trim(step.side, sighting.record))
    with world.store.transaction():
        world.store.settle(run, {intent.id: IntentState.DONE}, world.clock.now())
        settle(world, sync, intent.run, step, receipt, ledger)
    return True


def _is_done(step: Step, sighting: Sighting) -> bool:
    match step.write:
        case Update(_, fields):
            return isinstance(sighting, Present) and all(
                same(value, sighting.record.fields.get(name, BLANK)) for name, value in fields.items()
            )
        case Delete():
            return isinstance(sighting, Gone)
        case Restore():
            return isinstance(sighting, Present)
        case _:
            return False
