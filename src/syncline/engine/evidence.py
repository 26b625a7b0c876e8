"""What a run decided, and on what, into the store, so that it can be explained and decided again later.

Called by `runs` before anything is remembered or written. Only what is new is kept: what has a step, what moved or went
since the last run, and what is asked for the first time. A quiet run keeps nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from syncline.core.case import Decided
from syncline.core.decisions import FieldDecision, Fields, Rule, View
from syncline.core.plan import Held
from syncline.core.records import LinkId, Present, Record, RecordKey, RunId, Side, Sighting, Unseen
from syncline.core.replay import Replay, replay
from syncline.engine.parents import kept
from syncline.engine.pull import Sweep
from syncline.engine.reconcile import Reconciled, comes_to_nothing
from syncline.engine.sync import Sync, World
from syncline.errors import SetupError

_NO_COUNTERPART = Unseen("no counterpart yet")
_PRUNED = "pruned"
_EVERY = dt.timedelta(days=1)

Sweeps = Mapping[Side, Sweep]
About = tuple[LinkId | None, RecordKey | None, RecordKey | None]


def keep(world: World, sync: Sync, run: RunId, sweeps: Sweeps, made: Reconciled) -> None:
    """Keep what was decided in this run and not in an earlier one."""
    world.store.keep_evidence(run, _decided(sync, sweeps, made, _asked_first(world, sync, made)))


def decide_again(world: World, sync: Sync, run: RunId) -> Replay:
    """A run's decisions under today's rules. Raises `SetupError` when nothing of it is kept."""
    found = replay(world.store.evidence(run), sync.rules)
    if not found.decided and not found.undecided:
        days = sync.patience.evidence.days
        text = f"Nothing is kept of a run '{run}': it decided nothing, is older than {days} days, or is not known."
        raise SetupError(f"{text} `syncline replay FILE` takes a case's file.")
    return found


def prune(world: World, sync: Sync) -> None:
    """Once a day, forget evidence and settled intents that are older than the sync keeps them."""
    now = world.clock.now()
    last = world.store.recall(sync.id, _PRUNED)
    if last is None or now - dt.datetime.fromisoformat(last) >= _EVERY:
        world.store.prune_evidence(sync.id, now - sync.patience.evidence)
        world.store.remember(sync.id, _PRUNED, now.isoformat())


def _decided(sync: Sync, sweeps: Sweeps, made: Reconciled, asked: frozenset[About]) -> Iterator[Decided]:
    going = {step.link for step in made.plan.steps if step.link is not None}
    for linked in made.intake.linked:
        keys = (linked.left_key, linked.right_key)
        is_news = linked.link in going or _moved(sweeps, *keys) or (linked.link, *keys) in asked
        if is_news and not comes_to_nothing(linked.decision):
            yield Decided(*keys, linked.title, made.views[linked.link], linked.decision)
    for left, right, decision in made.intake.paired:
        yield Decided(left.key, right.key, left.title or right.title, _view(sync, left, right), decision)
    yield from _created(sync, made)
    for held in made.plan.held:
        view = _held_view(sync, held, made)
        is_news = _moved(sweeps, held.left_key, held.right_key) or _about(held) in asked
        if view is not None and is_news:
            reason = f"{held.rule.sentence} {f'({held.reason})' if held.reason else ''}".rstrip()
            yield Decided(held.left_key, held.right_key, held.title, view, None, reason)


def _moved(sweeps: Sweeps, left: RecordKey | None, right: RecordKey | None) -> bool:
    return any(
        key in sweeps[side].moved or key in sweeps[side].gone
        for side, key in ((Side.LEFT, left), (Side.RIGHT, right))
    )


def _created(sync: Sync, made: Reconciled) -> Iterator[Decided]:
    """Lone records that get a copy."""
    copies: dict[tuple[Side, RecordKey], Sequence[FieldDecision]] = {
        (step.side.other, step.counterpart): step.fields
        for step in made.plan.steps
        if step.rule is Rule.CREATED and step.counterpart is not None
    }
    for side in Side:
        for record in made.intake.matching.lone(side):
            fields = copies.get((side, record.key))
            if fields is not None:
                is_left = side is Side.LEFT
                keys = (record.key, None) if is_left else (None, record.key)
                view = _view(sync, record, None) if is_left else _view(sync, None, record)
                yield Decided(*keys, record.title, view, Fields(tuple(fields)))


def _held_view(sync: Sync, held: Held, made: Reconciled) -> View | None:
    """What was seen of something about which nothing was decided; None for a link that was decided."""
    if held.link is not None:
        is_stopped = held.rule in (Rule.PARKED, Rule.UNKNOWN_OUTCOME)
        return made.views.get(held.link) if is_stopped else None
    if held.left_key is not None and held.right_key is not None:
        return None
    left = made.waiting[Side.LEFT].get(held.left_key) if held.left_key else None
    right = made.waiting[Side.RIGHT].get(held.right_key) if held.right_key else None
    return _view(sync, left, right) if (left or right) and held.field is None else None


def _view(sync: Sync, left: Record | None, right: Record | None) -> View:
    now = {Side.LEFT: _sighting(left), Side.RIGHT: _sighting(right)}
    return View(None, None, now[Side.LEFT], now[Side.RIGHT], parents=kept(sync, now, {}))


def _sighting(record: Record | None) -> Sighting:
    return _NO_COUNTERPART if record is None else Present(record)


def _asked_first(world: World, sync: Sync, made: Reconciled) -> frozenset[About]:
    """What a person is asked about now and was not before this run."""
    known = {
        (_about(question.held), question.held.field, question.held.rule)
        for question in world.store.questions(sync.id)
    }
    return frozenset(
        _about(held)
        for held in made.plan.held
        if held.rule.is_question and (_about(held), held.field, held.rule) not in known
    )


def _about(held: Held) -> About:
    return held.link, held.left_key, held.right_key
