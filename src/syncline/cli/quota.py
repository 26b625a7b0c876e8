"""The command about quotas: what each connection may still use, what it used, and when pending work will be done."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Annotated

import typer

from syncline.cli.context import AsJson, given, wait
from syncline.cli.output import say, say_json
from syncline.engine.budget import Budget, Pending
from syncline.service.budgets import budget


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Connections")(quota)


def quota(
    context: typer.Context,
    connection: Annotated[str | None, typer.Argument(help="A connection; all unless named.")] = None,
    as_json: AsJson = False,
) -> None:
    """What each connection may still call, what it called today, and what waits. No call is made."""

    async def work() -> list[Budget]:
        async with given(context).open() as installation:
            names = [connection] if connection else list(installation.config.connections)
            return [budget(installation, name) for name in names]

    found = wait(work())
    if as_json or given(context).as_json:
        say_json({each.connection: each for each in found})
        return
    for each in found:
        say(f"{each.connection}:")
        for line in _lines(each):
            say(f"  {line}")


def _lines(budget: Budget) -> Iterator[str]:
    if budget.burst_limit is None:
        yield "at once      no limit is known"
    else:
        span = f"{budget.burst_limit:,} calls in {budget.burst_seconds:g} s"
        yield f"at once      {span}, {budget.burst_kept:,} of them kept for live work"
    if budget.daily_limit is None:
        yield "a day        no limit is known"
    else:
        yield f"a day        {budget.daily_limit:,} calls, {budget.daily_kept:,} of them kept for live work"
    if budget.daily_left is not None:
        again = f"; the next day begins {budget.resets_at:%Y-%m-%d %H:%M} UTC" if budget.resets_at else ""
        yield f"left today   {budget.daily_left:,}, {budget.left_for_bulk or 0:,} of them for full runs{again}"
    yield f"used today   {_used(budget)}"
    for hour, used in groupby(budget.hours, key=lambda each: each.hour):
        yield f"  {hour:%H:%M}      {', '.join(f'{each.calls:,} {each.purpose.value}' for each in used)}"
    for each in budget.pending:
        yield f"{each.sync} ({each.side.value}): {_waiting(each)}"


def _waiting(pending: Pending) -> str:
    if not pending.is_known:
        return "no full run yet, so what one takes is not known; `syncline plan` tells"
    writes = f"{pending.writes:,} {'write waits' if pending.writes == 1 else 'writes wait'}"
    return f"next full run, {writes}: {pending.forecast.sentence}"


def _used(budget: Budget) -> str:
    if not budget.hours:
        return f"nothing counted yet since {budget.counted_from:%Y-%m-%d %H:%M} UTC"
    parts = [f"{calls:,} {purpose}" for purpose, calls in budget.used_today.items()]
    total = sum(budget.used_today.values())
    return f"{total:,} call{'' if total == 1 else 's'}" + (f" ({', '.join(parts)})" if parts else "")
