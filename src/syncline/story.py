"""Values, plans and reports into lines that a person reads. Used by the command line and the demo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import assert_never

from syncline.core.convert import text_of_html
from syncline.core.plan import Held, Plan, Step
from syncline.core.records import Archive, Create, Delete, Restore, Side, Update
from syncline.core.values import (
    Blank,
    Day,
    Files,
    ManyOf,
    Moment,
    Money,
    Number,
    OneOf,
    Person,
    Phone,
    Reference,
    RichText,
    Text,
    Value,
    YesNo,
)
from syncline.engine.runs import Report, Written

_SHORT = 60


def shown(value: Value | None) -> str:
    """A value as a person reads it, cut to one short line."""
    text = " ".join(_text(value).split())
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


def _text(value: Value | None) -> str:  # noqa: C901, PLR0911 - one line for each type is the table
    match value:
        case None:
            return "–"
        case Blank():
            return "(blank)"
        case Text(text):
            return text
        case RichText(html):
            return text_of_html(html)
        case Number(number):
            return format(number.normalize(), "f")
        case Money(amount, currency):
            return f"{amount} {currency}"
        case YesNo(yes):
            return "yes" if yes else "no"
        case Day(day):
            return day.isoformat()
        case Moment(at):
            return at.isoformat(sep=" ", timespec="minutes")
        case Phone(number):
            return number
        case OneOf(key):
            return key
        case ManyOf(keys):
            return ", ".join(sorted(keys))
        case Person(email, identifier, name):
            return name or email or identifier
        case Reference(object_type, key):
            return f"{object_type} {key}"
        case Files(files):
            return ", ".join(file.name or file.url for file in files)


_STEPS = 12


def plan_lines(plan: Plan) -> Iterator[str]:
    """A plan: brakes first, then writes, then what waits."""
    for brake in plan.brakes:
        yield f"BRAKE {brake.name.value}: {brake.sentence} {brake.remedy}"
    steps = plan.stopped or plan.steps
    writes = [step for step in steps if step.write is not None]
    if plan.brakes:
        yield f"{len(writes)} writes are stopped."
    elif not writes:
        yield "Nothing to write."
    else:
        yield f"{_counted(writes)}; {plan.calls_left} calls left, {plan.calls_right} calls right."
    for step in writes[:_STEPS]:
        yield f"  {step_line(step)}"
    if len(writes) > _STEPS:
        yield f"  … and {len(writes) - _STEPS} more"
    yield from held_lines(plan)


def held_lines(plan: Plan) -> Iterator[str]:
    """What a plan holds back."""
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


def held_line(held: Held) -> str:
    """One held item in a line."""
    title = held.title or held.left_key or held.right_key or "a record"
    if held.field is None:
        return f"{title}: {held.rule.sentence} {f'({held.reason})' if held.reason else ''}".rstrip()
    values = f"left {shown(held.left)}, right {shown(held.right)}"
    return f"{title}, {held.field}: {held.rule.sentence} ({values})"


def report_lines(report: Report, *, with_held: bool = True) -> Iterator[str]:
    """What a run did."""
    yield f"looked at {report.listed_left} records left and {report.listed_right} right"
    if report.plan.brakes:
        yield from plan_lines(report.plan)
    for side, written in ((Side.LEFT, report.left), (Side.RIGHT, report.right)):
        yield f"{side.value + ':':7}{_written(written)}"
    for failure in report.failures:
        yield f"failed on the {failure.side.value}: {failure.title or failure.key}: {failure.message}"
    if report.recovered:
        yield f"{report.recovered} interrupted writes were found done"
    if with_held:
        yield from held_lines(report.plan)
    yield f"{report.calls_left} calls left, {report.calls_right} calls right, {report.seconds:.1f} s"


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


def _counted(writes: list[Step]) -> str:
    kinds = Counter(f"{type(step.write).__name__.lower()} {step.side.value}" for step in writes)
    return ", ".join(f"{count} × {kind}" for kind, count in kinds.items())
