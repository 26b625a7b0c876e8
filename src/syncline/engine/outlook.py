"""A plan and what the vendors still allow into when a run will be done.

Called by `runs` once the plan stands, and by the CLI for a dry run and for `syncline quota`. No call is made.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping

import msgspec

from syncline.core.plan import Plan
from syncline.core.quota import CallForecast, Purpose, forecast_calls
from syncline.core.records import Archive, Delete, Restore, Side, Update
from syncline.engine.sync import Sync


class SideOutlook(msgspec.Struct, frozen=True):
    """What one side's vendor will be asked: `reads` calls to see the records, and at most `writes` to carry the plan
    out, looks before the writes included. `forecast` is about both together."""

    reads: int
    writes: int
    forecast: CallForecast


class Outlook(msgspec.Struct, frozen=True):
    """What a run takes, by side. `finished_at` is the later of the two ends; None when one of them never ends."""

    left: SideOutlook
    right: SideOutlook
    finished_at: dt.datetime | None

    def of(self, side: Side) -> SideOutlook:
        """One side."""
        return self.left if side is Side.LEFT else self.right


class Foreseen(Plan, frozen=True):
    """A plan, and when a run would be done with it."""

    forecast: Outlook | None = None


def counted(sync: Sync) -> dict[Side, int]:
    """The calls that each side's connector has made so far."""
    return {side: sync.side(side).connector.calls for side in Side}


def spent_since(sync: Sync, before: Mapping[Side, int]) -> dict[Side, int]:
    """The calls made since then."""
    return {side: now - before[side] for side, now in counted(sync).items()}


def looks(plan: Plan) -> Counter[Side]:
    """How many records are read again before the plan's writes, at most: a deletion looks at both sides."""
    found: Counter[Side] = Counter()
    for step in plan.writes:
        match step.write:
            case Update() | Restore():
                found[step.side] += 1
            case Delete() | Archive():
                found.update((step.side, step.side.other))
            case _:
                continue
    return found


def outlook(sync: Sync, plan: Plan, reads: Mapping[Side, int], now: dt.datetime, purpose: Purpose) -> Outlook:
    """When a run with this plan that begins now is done. `reads` are the calls that looking takes (0: it is done)."""
    looked = looks(plan)
    writes = {
        Side.LEFT: plan.calls_left + looked[Side.LEFT],
        Side.RIGHT: plan.calls_right + looked[Side.RIGHT],
    }
    left, right = (
        SideOutlook(
            reads[side],
            writes[side],
            forecast_calls(reads[side] + writes[side], sync.side(side).connector.quota, now, purpose),
        )
        for side in Side
    )
    ends = (left.forecast.finished_at, right.forecast.finished_at)
    return Outlook(left, right, None if None in ends else max(end for end in ends if end is not None))


def foreseen(
    sync: Sync, plan: Plan, before: Mapping[Side, int], now: dt.datetime, purpose: Purpose
) -> Foreseen:
    """A plan that was made since `before` (see `counted`), with its forecast: a run looks again, at the same price."""
    found = outlook(sync, plan, spent_since(sync, before), now, purpose)
    return Foreseen(**msgspec.structs.asdict(plan), forecast=found)
