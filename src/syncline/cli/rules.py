"""Commands about rules: what a conflict policy would have done with a field's past conflicts, and saving one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer

from syncline.cli.context import AsJson, given, wait
from syncline.cli.output import say, say_json
from syncline.core.mapping import ConflictPolicy
from syncline.core.records import Side
from syncline.core.whatif import Verdict, WhatIf
from syncline.engine import rules
from syncline.story import shown

_SHOWN = 12

TheSync = Annotated[str, typer.Option("--sync", help="The sync.")]
TheField = Annotated[str, typer.Option("--field", help="Its field (left, right, or `left ↔ right`).")]
ThePolicy = Annotated[ConflictPolicy, typer.Option("--policy", help="Who would win.")]
Since = Annotated[
    dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only conflicts from this day on (UTC).")
]


Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def add_to(conflicts: typer.Typer) -> None:
    """Register the commands."""
    conflicts.command()(simulate)
    conflicts.command()(rule)


class Judgement(msgspec.Struct, frozen=True):
    """A policy tried on the past, in numbers and case by case; `version` is the one that a saved rule made."""

    field: str
    policy: ConflictPolicy
    past: int
    settled: int
    to_left: int
    to_right: int
    judged: int
    agreed: int
    cases: tuple[Verdict, ...]
    version: int | None = None


def simulate(
    context: typer.Context,
    sync: TheSync,
    field: TheField,
    policy: ThePolicy,
    since: Since = None,
    as_json: AsJson = False,
) -> None:
    """Show what a policy would have done with a field's past conflicts. Changes nothing."""

    async def work() -> Judgement:
        async with given(context).open() as installation:
            found = await installation.sync(sync)
            return _judged(rules.simulate(installation.world(), found, field, policy, _utc(since)))

    judgement = wait(work())
    if as_json or given(context).as_json:
        say_json(judgement)
    else:
        _say(judgement)


def rule(
    context: typer.Context,
    sync: TheSync,
    field: TheField,
    policy: ThePolicy,
    note: Annotated[str, typer.Option(help="Why; kept with the version.")] = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let a policy decide a field from now on: tried on past conflicts first, then put in force as a new version."""
    is_json = as_json or given(context).as_json

    async def work() -> Judgement:
        async with given(context).open() as installation:
            found, world = await installation.sync(sync), installation.world()
            tried = _judged(rules.simulate(world, found, field, policy))
            if not is_json:
                _say(tried)
            if not (yes or (not is_json and typer.confirm("Save this rule?"))):
                return tried
            saved = rules.save(world, found, field, policy, note or f"{tried.field}: {policy.value} wins")
            return msgspec.structs.replace(tried, version=saved.number)

    done = wait(work())
    if is_json:
        say_json(done)
    elif done.version is None:
        say("Nothing is saved.")
    else:
        say(f"Version {done.version} is in force. Take it over into syncline.yaml.")


def _utc(day: dt.datetime | None) -> dt.datetime | None:
    return None if day is None else day.replace(tzinfo=dt.UTC)


def _judged(found: WhatIf) -> Judgement:
    return Judgement(
        found.field,
        found.policy,
        len(found.verdicts),
        found.settled,
        found.won(Side.RIGHT),
        found.won(Side.LEFT),
        found.judged,
        found.agreed,
        found.verdicts,
    )


def _say(judgement: Judgement) -> None:
    for line in _lines(judgement):
        say(line)


def _lines(judgement: Judgement) -> Iterator[str]:
    policy = judgement.policy.value
    if not judgement.past:
        yield f"{judgement.field}: no past conflict is kept."
        return
    yield f"{judgement.field}: of {judgement.past} past conflicts, '{policy}' would have settled {judgement.settled}:"
    yield f"  left wins {judgement.to_right}, right wins {judgement.to_left}, still asked {judgement.past - judgement.settled}."
    if judgement.judged:
        yield f"  People chose on {judgement.judged} of those; '{policy}' agrees with {judgement.agreed}."
    for case in judgement.cases[:_SHOWN]:
        winner = f"{case.winner.value} wins" if case.winner else case.rule.sentence
        verdict = {True: ", as the person chose", False: ", a person chose otherwise", None: ""}[case.agrees]
        yield f"  {case.title}: left {shown(case.left)}, right {shown(case.right)}: {winner}{verdict}"
    if judgement.past > _SHOWN:
        yield f"  … and {judgement.past - _SHOWN} more (--json shows all)"
