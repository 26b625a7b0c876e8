"""Commands about brakes: what each is and how it stands, and letting go of one once or for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from syncline.bootstrap import Installation
from syncline.cli.context import AsJson, given, only, wait
from syncline.cli.output import say, say_json, table
from syncline.core.brakes import BrakeName
from syncline.core.records import SyncId
from syncline.engine.brakes import BrakeReport, BrakeState, Release, arm, release, report
from syncline.errors import ProblemKind, SetupError, UsageError

brakes = typer.Typer(help="Brakes: list, release, arm.", no_args_is_help=True)

Name = Annotated[BrakeName, typer.Argument(help="The brake's name.")]
OfSync = Annotated[str | None, typer.Option(help="The sync; may be left out where there is only one.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(brakes, name="brakes", rich_help_panel="Syncs")


@brakes.command(name="list")
def list_brakes(
    context: typer.Context,
    sync: Annotated[str | None, typer.Option(help="Only this sync.")] = None,
    as_json: AsJson = False,
) -> None:
    """List every brake of each sync: armed, released once or off, and what the last run saw of it."""

    async def work() -> dict[str, Sequence[BrakeReport]]:
        async with given(context).open() as installation:
            return {name: _report(installation, name) for name in only(installation, sync)}

    found = wait(work())
    if as_json or given(context).as_json:
        say_json(found)
    else:
        _show(found)


def _report(installation: Installation, name: str) -> Sequence[BrakeReport]:
    return report(installation.store, SyncId(name), installation.config.syncs[name].limits())


def _show(found: Mapping[str, Sequence[BrakeReport]]) -> None:
    for name, each in found.items():
        columns = ("brake", "state", "pulls when", "last run")
        table(columns, [_row(brake) for brake in each], title=name)


def _row(brake: BrakeReport) -> tuple[str, ...]:
    state = {
        BrakeState.ARMED: "armed",
        BrakeState.RELEASED_ONCE: "released once",
        BrakeState.OFF: f"off ({brake.by})",
    }[brake.state]
    last = ""
    if brake.last is not None:
        last = f"{'would have pulled' if brake.last.is_released else 'PULLED'}: {brake.last.sentence}"
    return brake.name.value, state, brake.pulls, last


@brakes.command(name="release")
def release_brake(
    context: typer.Context,
    name: Name,
    sync: OfSync = None,
    once: Annotated[
        bool, typer.Option("--once", help="For the next run that it would have stopped (the default).")
    ] = False,
    for_good: Annotated[bool, typer.Option("--for-good", help="Until it is armed again.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let go of a brake beforehand. What it would have said is still written into the report."""
    if once and for_good:
        raise SetupError("Say one of --once and --for-good.")

    async def work() -> Release:
        async with given(context).open() as installation:
            chosen = SyncId(_named(installation, sync))
            return release(installation.world(), chosen, name, for_good=for_good)

    made = wait(work())
    if as_json or given(context).as_json:
        say_json(made)
    elif made.is_for_good:
        say(f"{name.value} is off. Arm it again with `syncline brakes arm {name.value}`.")
    else:
        say(f"{name.value} lets the next run pass, and is armed again after it.")


@brakes.command(name="arm")
def arm_brake(context: typer.Context, name: Name, sync: OfSync = None, as_json: AsJson = False) -> None:
    """Take a release back."""

    async def work() -> Sequence[BrakeReport]:
        async with given(context).open() as installation:
            chosen = _named(installation, sync)
            arm(installation.world(), SyncId(chosen), name, installation.config.syncs[chosen].limits())
            return [each for each in _report(installation, chosen) if each.name is name]

    found = wait(work())
    if as_json or given(context).as_json:
        say_json(found[0])
    else:
        say(f"{name.value} is armed.")


def _named(installation: Installation, sync: str | None) -> str:
    """The sync that is meant. Raises `SetupError` for one that is not there, or when there are several."""
    names = only(installation, sync)
    if len(names) == 1:
        return names[0]
    there = "There are several syncs." if names else "There is no sync."
    raise UsageError(
        "--sync",
        there,
        f"Name one with --sync: {', '.join(names) or 'there is none yet'}.",
        ProblemKind.NOT_SAID,
    )
