"""The laws of plan: what is decided is written, settled once, paid for, and stopped by any pulled brake."""

from __future__ import annotations

from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.brakes import BrakeName, Limits
from syncline.core.decisions import (
    Fields,
    Revive,
    Rule,
)
from syncline.core.merge import merge
from syncline.core.plan import Effect, Plan
from syncline.core.records import (
    Side,
    Update,
)
from tests.core.aftermath import intake, plan_of
from tests.core.test_plan import cost, linked, planned
from tests.core.worlds import World, worlds


@given(worlds())
def test_every_settled_field_is_settled_once_and_no_open_one_is(world: World) -> None:
    decision = merge(world.view, world.rules)
    made = plan_of(world.rules, decision)
    fields = decision.fields if isinstance(decision, Fields | Revive) else ()

    settled = Counter(
        field.name for step in made.steps if step.effect is not Effect.CLOSE for field in step.fields
    )
    assert set(settled.values()) <= {1}
    if made.steps:
        assert set(settled) == {field.name for field in fields if field.settles}
    held = Counter(item.field for item in made.held if item.field)
    assert made.steps == () or set(held) == {
        f.name for f in fields if f.is_open or (f.rule is Rule.UNSEEN and f.reason)
    }


@given(worlds())
def test_what_is_decided_is_written_and_nothing_else(world: World) -> None:
    decision = merge(world.view, world.rules)
    if not isinstance(decision, Fields):
        return
    made = plan_of(world.rules, decision)

    for side in Side:
        expected = {f.of(side): f.target(side) for f in decision.fields if f.target(side) is not None}
        writes = [step.write for step in made.writes if step.side is side]
        assert len(writes) == (1 if expected else 0)
        for write in writes:
            assert isinstance(write, Update)
            assert write.fields == expected
            assert write.was == {f.of(side): f.now(side) for f in decision.fields if f.of(side) in expected}


@given(worlds())
def test_steps_wait_for_what_comes_before_them(world: World) -> None:
    decision = merge(world.view, world.rules)
    made = plan_of(world.rules, decision)
    seen: set[str] = set()

    for step in made.steps:
        assert step.after is None or step.after in seen
        assert step.id not in seen
        seen.add(step.id)
    if isinstance(decision, Fields) and any(
        f.to_left is not None and f.to_right is not None for f in decision.fields
    ):
        left, right = made.writes
        assert (left.side, right.side, right.after) == (Side.LEFT, Side.RIGHT, left.id)


@given(worlds())
def test_a_plan_costs_what_its_writes_cost(world: World) -> None:
    made = planned(intake(world.rules, linked(merge(world.view, world.rules))))

    assert made.calls == sum(cost(step.side, step.write) for step in made.steps if step.write is not None)
    for side, calls in ((Side.LEFT, made.calls_left), (Side.RIGHT, made.calls_right)):
        assert calls == sum(
            cost(side, s.write) for s in made.writes if s.write is not None and s.side is side
        )


@given(worlds(), st.sampled_from(list(BrakeName)))
def test_a_pulled_brake_leaves_no_step(world: World, name: BrakeName) -> None:
    made = intake(world.rules, linked(merge(world.view, world.rules)))
    free = planned(made)

    stopped = planned(made, drift=("name is gone",))

    assert (stopped.steps, stopped.writes, stopped.calls) == ((), (), 0)
    assert stopped.stopped == free.steps
    assert stopped.held == free.held
    assert free.stopped == ()
    released = planned(made, Limits(off=frozenset({name})), drift=("name is gone",))
    assert (released.steps == free.steps) == (name is BrakeName.SCHEMA_DRIFT or not free.steps)


@given(worlds())
def test_a_plan_survives_json(world: World) -> None:
    made = plan_of(world.rules, merge(world.view, world.rules))

    assert msgspec.json.decode(msgspec.json.encode(made), type=Plan) == made
