"""What a run would do, as the API tells it: of a sync in force, and of a draft.

Used by `syncs` and `drafts`.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import msgspec
from pydantic import Field, StrictBool

from syncline.core.brakes import BrakeName
from syncline.engine.outlook import Foreseen
from syncline.web.forms import WHOLE, Sent, Told
from syncline.web.shapes import BrakeOut, StepOut, step_out

_MOST_STEPS = 500


class PlanIn(Sent):
    """What to plan, and how many steps of it to show."""

    is_full: StrictBool = True
    release: Annotated[tuple[BrakeName, ...], Field(max_length=len(BrakeName))] = ()
    most: Annotated[int, Field(ge=0, le=_MOST_STEPS), WHOLE] = 100


class PlanOut(Told):
    """What a run would do now. With a brake `stopped` counts what it would stop, and `steps` shows that. `forecast` says
    what it takes and when it would be done."""

    sync: str
    brakes: list[BrakeOut]
    released: list[BrakeOut]
    writes: int
    stopped: int
    steps: list[StepOut]
    steps_in_all: int
    held: dict[str, int]
    calls_left: int
    calls_right: int
    forecast: dict[str, Any] | None


def plan_out(plan: Foreseen, most: int, *, with_values: bool) -> PlanOut:
    """A plan as an answer, with so many of its steps; with the values that would be written, or without."""
    steps = plan.stopped or plan.steps
    return PlanOut(
        sync=plan.sync,
        brakes=[BrakeOut.model_validate(each) for each in plan.brakes],
        released=[BrakeOut.model_validate(each) for each in plan.released],
        writes=len(plan.writes),
        stopped=sum(step.write is not None for step in plan.stopped),
        steps=[step_out(step, with_values=with_values) for step in steps[:most]],
        steps_in_all=len(steps),
        held=dict(Counter(held.rule.value for held in plan.held)),
        calls_left=plan.calls_left,
        calls_right=plan.calls_right,
        forecast=msgspec.to_builtins(plan.forecast) if plan.forecast is not None else None,
    )
