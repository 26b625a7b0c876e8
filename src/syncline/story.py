"""Values, plans and reports into lines that a person reads. Used by the command line and the demo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import assert_never

from syncline.core.decisions import Rule
from syncline.core.plan import Held, Plan, Step
from syncline.core.records import Archive, Create, Delete, Restore, Side, Update
from syncline.core.shapes import Paused
from syncline.core.shown import shown
from syncline.engine.outlook import Foreseen, Outlook
from syncline.engine.runs import Report, Written

_STEPS = 12


def plan_lines(plan: Plan) -> Iterator[str]:
    """A plan: brakes first, then writes, then what waits."""
    for brake in plan.brakes:
        yield f"BRAKE {brake.name.value}: {brake.sentence} {brake.remedy}"
    steps = plan.stopped or plan.steps
    writes = [step for step in steps if step.write is not None]
    if plan.brakes:
        yield f"{len(writes)} {'write is' if len(writes) == 1 else 'writes are'} stopped."
    elif not writes:
        yield "Nothing to write."
    else:
        yield f"{_counted(writes)}; {_many(plan.calls_left, 'call')} left, {_many(plan.calls_right, 'call')} right."
        if isinstance(plan, Foreseen) and plan.forecast is not None:
            yield from outlook_lines(plan.forecast)
    for step in writes[:_STEPS]:
        yield f"  {step_line(step)}"
    if len(writes) > _STEPS:
        yield f"  … and {len(writes) - _STEPS} more"
    yield from _ended_lines([step for step in (*plan.steps, *plan.stopped) if step.release is not None])
    yield from held_lines(plan)


def _ended_lines(ended: list[Step]) -> Iterator[str]:
    """Links that end although one of their records stays: nothing is written, and yet it is for good."""
    for step in ended[:_STEPS]:
        side = step.release.value if step.release else step.side.value
        yield f"  end the link of {step.title or step.key}: its record on the {side} goes on alone"
    if len(ended) > _STEPS:
        yield f"  … and {len(ended) - _STEPS} more links end"


def outlook_lines(outlook: Outlook) -> Iterator[str]:
    """What a run takes on each side, and when it is done."""
    for side in Side:
        each = outlook.of(side)
        price = f"{_many(each.reads, 'call')} to read, up to {each.writes:,} to write"
        yield f"{side.value + ':':7}{price}: {each.forecast.sentence}"


def held_lines(plan: Plan) -> Iterator[str]:
    """What a plan holds back: resting field lines, then single records."""
    for each in plan.paused:
        yield f"  paused: {paused_line(each)}"
    for held in plan.held[:_STEPS]:
        yield f"  held: {held_line(held)}"
    if len(plan.held) > _STEPS:
        yield f"  … and {len(plan.held) - _STEPS} more held"


def step_line(step: Step) -> str:
    """One step in a line."""
    where, title = f"on the {step.side.value}", step.title or step.key or "a record"
    match step.write:
        case None:
            return f"note {title}: {step.rule.sentence}"
        case Create():
            return f"create {title} {where}"
        case Update(_, fields):
            changes = ", ".join(f"{name} = {shown(value)}" for name, value in fields.items())
            return f"update {title} {where}: {changes}"
        case Delete():
            return f"delete {title} {where}"
        case Archive():
            return f"archive {title} {where}"
        case Restore():
            return f"restore {title} {where}"
        case _:
            assert_never(step.write)


def paused_line(paused: Paused) -> str:
    """One resting field line: what was found, and what to do."""
    return f"{paused.line}: {paused.reason} {paused.remedy}"


def held_line(held: Held) -> str:
    """One held item in a line."""
    title = held.title or held.left_key or held.right_key or "a record"
    if held.field is None:
        return f"{title}: {held.rule.sentence} {f'({held.reason})' if held.reason else ''}".rstrip()
    values = f"left {shown(held.left)}, right {shown(held.right)}"
    if held.rule is Rule.AWAITS_PARENT:
        values = held.reason
    return f"{title}, {held.field}: {held.rule.sentence} ({values})"


def report_lines(report: Report, *, with_held: bool = True) -> Iterator[str]:
    """What a run did."""
    yield _looked(report)
    if report.plan.brakes:
        yield from plan_lines(report.plan)
    for brake in report.plan.released:
        yield f"released brake {brake.name.value}: {brake.sentence}"
    for side, written in ((Side.LEFT, report.left), (Side.RIGHT, report.right)):
        yield f"{side.value + ':':7}{_written(written)}"
    for failure in report.failures:
        yield f"failed on the {failure.side.value}: {failure.title or failure.key}: {failure.message} [{failure.code}]"
        yield f"  {failure.remedy}"
    for postponed in report.postponed:
        wait = "waits" if postponed.writes == 1 else "wait"
        yield f"{_many(postponed.writes, 'write')} on the {postponed.side.value} {wait}: {postponed.why}"
    if report.put_off:
        wait = "waits" if report.put_off == 1 else "wait"
        yield f"{_many(report.put_off, 'write')} {wait} for the next run: something more urgent goes first"
    if report.recovered:
        were = "was" if report.recovered == 1 else "were"
        yield f"{_many(report.recovered, 'interrupted write')} {were} found done"
    if with_held and not report.plan.brakes:
        yield from held_lines(report.plan)
    calls = f"{_many(report.calls_left, 'call')} left, {_many(report.calls_right, 'call')} right"
    yield f"{calls}, {report.seconds:.1f} s"


def _looked(report: Report) -> str:
    """What was listed, or read directly."""
    listed = f"{_many(report.listed_left, 'record')} left and {report.listed_right:,} right"
    if report.chosen is None:
        return f"looked at {listed}"
    read = f"read {_many(report.chosen.left, 'record')} left and {report.chosen.right:,} right directly"
    if report.listed_left or report.listed_right:
        return f"{read}, then looked at what is new: {listed}"
    return f"{read}; nothing else was listed"


def _written(written: Written) -> str:
    parts = [
        f"{count} {word}"
        for count, word in (
            (written.created, "created"),
            (written.updated, "updated"),
            (written.deleted, "deleted"),
            (written.archived, "archived"),
            (written.restored, "restored"),
        )
        if count
    ]
    return ", ".join(parts) or "nothing written"


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _counted(writes: list[Step]) -> str:
    kinds = Counter(f"{type(step.write).__name__.lower()} {step.side.value}" for step in writes)
    return ", ".join(f"{count} × {kind}" for kind, count in kinds.items())
