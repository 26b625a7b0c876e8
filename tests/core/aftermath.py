"""A decision into the world after it: both records written, the base moved as the engine moves it.

The engine's rule, in short: a step writes one record and then moves the base of its fields, on each side to what that
side was to hold, else to what it held.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from syncline.core.brakes import Facts, Limits, SideFacts
from syncline.core.decisions import Decision, Rules, View
from syncline.core.match import Matching, MatchMode
from syncline.core.plan import Effect, Intake, Linked, Plan, Step, plan
from syncline.core.records import (
    Base,
    Create,
    FieldId,
    LinkId,
    Present,
    Record,
    RecordKey,
    Restore,
    Side,
    SyncId,
    Update,
)
from syncline.core.values import Value

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
QUIET = Facts(SideFacts(10, 10), SideFacts(10, 10), links=10, now=NOW)
NOTHING = Matching((), (), (), ())


def intake(rules: Rules, *linked: Linked, **changes: object) -> Intake:
    """Decided links and nothing else."""
    made = Intake(
        SyncId("s"), linked, NOTHING, (), MatchMode.MATCH_THEN_CREATE, rules.lenses, frozenset(Side)
    )
    return msgspec.structs.replace(made, **changes)


def plan_of(rules: Rules, decision: Decision) -> Plan:
    """The plan for one decided link."""
    linked = Linked(LinkId(1), RecordKey("left"), RecordKey("right"), "Record", decision)
    return plan(intake(rules, linked), QUIET, Limits(), lambda _side, _write: 1)


def after(view: View, made: Plan) -> View:
    """The view of the next run, when every step of a link whose records are both there went well."""
    fields = {side: dict(_record(view, side).fields) for side in Side}
    base: dict[Side, dict[FieldId, Value]] = {
        side: dict(view.base.of(side)) if view.base else {} for side in Side
    }
    done: set[str] = set()
    for step in made.steps:
        assert step.after is None or step.after in done, "a step comes before the one it waits for"
        done.add(step.id)
        if isinstance(step.write, Update | Create | Restore):
            fields[step.side].update(step.write.fields)
        _move(base, step)
    present = {side: msgspec.structs.replace(_record(view, side), fields=fields[side]) for side in Side}
    return msgspec.structs.replace(
        view,
        base=Base(base[Side.LEFT], base[Side.RIGHT]),
        left=Present(present[Side.LEFT]),
        right=Present(present[Side.RIGHT]),
    )


def _move(base: dict[Side, dict[FieldId, Value]], step: Step) -> None:
    if step.effect is Effect.CLOSE:
        return
    for decision in step.fields:
        for side in Side:
            target = decision.target(side)
            held = decision.now(side) if target is None else target
            if held is not None:
                base[side][decision.of(side)] = held


def _record(view: View, side: Side) -> Record:
    seen = view.of(side)
    return seen.record if isinstance(seen, Present) else Record(RecordKey(side.value), {})
