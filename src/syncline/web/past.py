"""`/api/v1/syncs/{sync}/undo` and `/api/v1/runs/{run}/replay`: a run taken back, and a run decided again.

The router is made by `past_router` over the runtime of the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from syncline.core.people import Scope
from syncline.core.records import RunId, Side
from syncline.core.replay import LineChange, RecordChange
from syncline.core.undo import Kept
from syncline.engine.evidence import decide_again
from syncline.engine.undo import Undone, undo_run
from syncline.errors import Refusal, RequestError
from syncline.service.runtime import Runtime
from syncline.service.starting import checked
from syncline.web.explained import DecisionOut, decision_out
from syncline.web.forms import WHOLE, Sent, Told
from syncline.web.problems import ASKING, declared
from syncline.web.security import Guarded, Who, requires
from syncline.web.shapes import FailureOut, Key, StepOut, SyncName, ValueOut, step_out, value_out

_PLAN = requires(Scope.RUNS_READ)
_WRITE = requires(Scope.RUNS_WRITE)
_READ = requires(Scope.RECORDS_READ)
_MOST = 500


class UndoPlanIn(Sent):
    """A run; or a record (its id on either side), whose last run is meant."""

    target: Key


class UndoIn(UndoPlanIn):
    """The same, and how many steps the plan showed: nothing is done when it would be another number now."""

    expected: Annotated[int, Field(ge=0, le=2**53 - 1), WHOLE]


class KeptOut(Told):
    """Something that is not taken back, and why. `wrote` is what the run wrote, `before` what it replaced, `now` what is
    there; all null where the whole record is meant."""

    title: str
    left_key: str | None
    right_key: str | None
    reason: str
    field: str | None
    side: Side | None
    before: ValueOut | None
    wrote: ValueOut | None
    now: ValueOut | None


class PairOut(Told):
    """Two records."""

    left: str
    right: str


class UndoneOut(Told):
    """What is, or would be, taken back of the run `undone`. `steps` and `kept` are the first five hundred; `already` counts
    what is as before already; `part` are records that are taken apart, `rejoin` those that are linked again. `run` is the run
    that took it back, null for a plan: undo it to take that back in turn."""

    sync: str
    undone: str
    run: str | None
    steps: list[StepOut]
    steps_in_all: int
    kept: list[KeptOut]
    kept_in_all: int
    already: int
    part: list[PairOut]
    rejoin: list[PairOut]
    done: int
    failures: list[FailureOut]


class LineChangeOut(Told):
    """A line that would be decided differently. Null: it was not mapped then, or is not now."""

    name: str
    sentence: str
    before: DecisionOut | None
    after: DecisionOut | None


class RecordChangeOut(Told):
    """Records about which something else would be decided. `sentence` is empty where only lines differ."""

    title: str
    left_key: str | None
    right_key: str | None
    sentence: str
    lines: list[LineChangeOut]


class ReplayOut(Told):
    """A run decided again with what is configured today. `undecided` counts what was held back then for other reasons than
    its values. `changes` are the first of `changes_in_all`."""

    run: str
    sync: str
    decided: int
    same: int
    undecided: int
    changes: list[RecordChangeOut]
    changes_in_all: int


def past_router(runtime: Runtime) -> APIRouter:
    """The routes over this runtime."""
    router = APIRouter(tags=["runs"], route_class=Guarded)

    @router.post("/api/v1/syncs/{sync}/undo/plan", dependencies=[_PLAN], responses=ASKING)
    async def plan_undo(sync: SyncName, body: UndoPlanIn, who: Who) -> UndoneOut:
        """What would be taken back of a run, and what was edited since and is kept. Both sides are read; nothing is
        written."""
        async with runtime.held() as installation:
            checked(installation, sync)
            setup = await installation.sync(sync)
            planned = await undo_run(
                installation.world(), setup, body.target, installation.jitter, is_dry=True
            )
        return _undone(planned, with_values=Scope.RECORDS_READ in who.rights)

    @router.post("/api/v1/syncs/{sync}/undo", dependencies=[_WRITE], responses={**ASKING, **declared(412)})
    async def undo(sync: SyncName, body: UndoIn, who: Who) -> UndoneOut:
        """Take back what a run wrote. What somebody edited since is kept. It answers when it is done."""
        async with runtime.held() as installation:
            checked(installation, sync)
            setup = await installation.sync(sync)
            done = await undo_run(
                installation.world(), setup, body.target, installation.jitter, expected=body.expected
            )
        return _undone(done, with_values=Scope.RECORDS_READ in who.rights)

    @router.get("/api/v1/runs/{run}/replay", dependencies=[_READ], responses=ASKING)
    async def replay_run(
        run: SyncName,
        most: Annotated[int, Query(ge=0, le=_MOST, description="At most so many changes.")] = 100,
    ) -> ReplayOut:
        """What would be decided differently about a run, with what is configured today. From our own memory, which keeps
        what runs decided on for 30 days."""
        async with runtime.held() as installation:
            found = installation.store.find_run(RunId(run))
            if found is None:
                raise RequestError("There is no such run.", Refusal.NOT_THERE)
            checked(installation, found.sync)
            setup = await installation.remembered(found.sync)
            told = decide_again(installation.world(), setup, found.id)
        return ReplayOut(
            run=found.id,
            sync=found.sync,
            decided=told.decided,
            same=told.same,
            undecided=told.undecided,
            changes=[_change(each) for each in told.changes[:most]],
            changes_in_all=len(told.changes),
        )

    return router


def _undone(done: Undone, *, with_values: bool) -> UndoneOut:
    planned = done.undo
    return UndoneOut(
        sync=planned.sync,
        undone=planned.run,
        run=done.run,
        steps=[step_out(each, with_values=with_values) for each in planned.steps[:_MOST]],
        steps_in_all=len(planned.steps),
        kept=[_kept(each, with_values=with_values) for each in planned.kept[:_MOST]],
        kept_in_all=len(planned.kept),
        already=planned.already,
        part=_pairs([(left, right) for _, left, right in planned.part]),
        rejoin=_pairs(planned.rejoin),
        done=done.done,
        failures=[FailureOut.model_validate(each) for each in done.failures],
    )


def _pairs(pairs: Sequence[tuple[str, str]]) -> list[PairOut]:
    return [PairOut(left=left, right=right) for left, right in pairs]


def _kept(kept: Kept, *, with_values: bool) -> KeptOut:
    values = kept if with_values else None
    return KeptOut(
        title=kept.title,
        left_key=kept.left_key,
        right_key=kept.right_key,
        reason=kept.reason,
        field=kept.field,
        side=kept.side,
        before=value_out(values.before) if values else None,
        wrote=value_out(values.wrote) if values else None,
        now=value_out(values.now) if values else None,
    )


def _change(change: RecordChange) -> RecordChangeOut:
    return RecordChangeOut(
        title=change.title,
        left_key=change.left_key,
        right_key=change.right_key,
        sentence=change.sentence,
        lines=[_line(each) for each in change.lines],
    )


def _line(line: LineChange) -> LineChangeOut:
    return LineChangeOut(
        name=line.name,
        sentence=line.sentence,
        before=decision_out(line.before),
        after=decision_out(line.after),
    )
