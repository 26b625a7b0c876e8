"""Commands about syncs: plan, run, status."""

from __future__ import annotations

from typing import Annotated

import typer

from syncline.cli.certify import code_of, say_certificates
from syncline.cli.context import NO_SYNC, AsJson, Context, chosen, given, parents_first, wait
from syncline.cli.output import Bars, complain, say, say_json
from syncline.core.brakes import BrakeName
from syncline.engine.certify import Certified, certify
from syncline.engine.outlook import Foreseen, counted, foreseen
from syncline.engine.runs import Options, Report, preview, run
from syncline.engine.views import Status, status_of
from syncline.story import paused_line, plan_lines, report_lines

_BRAKED = 4
_PARTLY = 5

Names = Annotated[list[str] | None, typer.Argument(help="Syncs; all unless named.")]
Release = Annotated[
    list[BrakeName] | None,
    typer.Option("--release", help="Let go of a brake for this once; may be repeated."),
]
ChangesOnly = Annotated[
    bool, typer.Option("--changes-only", help="Look only at what may have changed since the last run.")
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel="Syncs")(plan)
    app.command(name="run", rich_help_panel="Syncs")(run_syncs)
    app.command(rich_help_panel="Syncs")(status)


def plan(
    context: typer.Context,
    names: Names = None,
    release: Release = None,
    changes_only: ChangesOnly = False,
    as_json: AsJson = False,
) -> int:
    """Show what a run would write, and change nothing. Exit code 4 when a brake would stop it."""
    options = Options(is_full=not changes_only, release=frozenset(release or ()))
    plans = wait(_plans(given(context), names, options))
    if as_json or given(context).as_json:
        say_json(plans)
    else:
        for name, made in plans.items():
            say(f"{name}:")
            for line in plan_lines(made):
                say(f"  {line}")
    return _BRAKED if any(made.brakes for made in plans.values()) else 0


async def _plans(context: Context, names: list[str] | None, options: Options) -> dict[str, Foreseen]:
    async with context.open() as installation:
        with Bars() as bars:
            world = installation.world(bars.watch)
            plans: dict[str, Foreseen] = {}
            for name in await parents_first(installation, chosen(installation, names)):
                sync = await installation.sync(name)
                before = counted(sync)
                made = await preview(world, sync, options)
                plans[name] = foreseen(sync, made, before, world.clock.now(), options.purpose)
            return plans


def run_syncs(
    context: typer.Context,
    names: Names = None,
    release: Release = None,
    changes_only: ChangesOnly = False,
    certified: Annotated[
        bool,
        typer.Option("--certify", help="Then compare both sides field by field; see `syncline certify`."),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Run syncs once: plan, write, report. Exit code 4: a brake stopped one, 5: writes failed or wait, 6: see --certify."""
    options = Options(is_full=not changes_only, release=frozenset(release or ()))
    reports, certificates = wait(_runs(given(context), names, options, certified=certified))
    if as_json or given(context).as_json:
        say_json({"reports": reports, "certificates": certificates} if certified else reports)
    else:
        for name, report in reports.items():
            say(f"{name}:")
            for line in report_lines(report):
                say(f"  {line}")
        say_certificates(certificates)
    if any(report.plan.brakes for report in reports.values()):
        return _BRAKED
    if code_of(certificates):
        return code_of(certificates)
    return _PARTLY if any(report.failures or report.postponed for report in reports.values()) else 0


async def _runs(
    context: Context, names: list[str] | None, options: Options, *, certified: bool
) -> tuple[dict[str, Report], dict[str, Certified]]:
    async with context.open() as installation:
        with Bars() as bars:
            world = installation.world(bars.watch)
            await installation.adopt()
            reports: dict[str, Report] = {}
            certificates: dict[str, Certified] = {}
            for name in await parents_first(installation, chosen(installation, names)):
                sync = await installation.sync(name)
                reports[name] = await run(world, sync, installation.jitter, options)
                if certified:
                    number = installation.version.number if installation.version else 0
                    certificates[name] = await certify(world, sync, configuration=number)
            return reports, certificates


def status(
    context: typer.Context,
    names: Names = None,
    as_json: AsJson = False,
) -> None:
    """How each sync stands, from our own memory: no call is made."""

    async def work() -> dict[str, Status]:
        async with given(context).open() as installation:
            # Nothing to tell of is no fault, unless somebody asks for one by name.
            wanted = chosen(installation, names) if names or installation.config.syncs else []
            return {name: status_of(installation.store, name) for name in wanted}

    found = wait(work())
    if as_json or given(context).as_json:
        say_json(found)
        return
    if not found:
        say(f"No sync is configured yet. {NO_SYNC}")
    for name, each in found.items():
        say(f"{name}: {each.counts.links} linked, {each.counts.left} left, {each.counts.right} right")
        if each.last is None:
            say("  never run")
        else:
            end = "stopped by a brake" if each.brakes else each.last.state.value
            say(f"  last run  {each.last.started_at:%Y-%m-%d %H:%M:%S} UTC, {end}")
            for brake in each.brakes:
                complain(f"    {brake.name.value}: {brake.sentence} {brake.remedy}")
        say(f"  waiting for a person  {each.questions}")
        say(f"  failed writes         {len(each.parked)}")
        if each.unknown:
            say(f"  without known outcome {each.unknown}; the next run looks before it writes again")
        for paused in each.paused:
            complain(f"    paused: {paused_line(paused)}")
        for parked in each.parked:
            due = f", next try {parked.due:%H:%M:%S}" if parked.due else ""
            complain(
                f"    {parked.title or parked.key}: {parked.message} [{parked.code}] (tried {parked.attempts}×{due})"
            )
            complain(f"      {parked.remedy}")
