"""Commands about trying again: what is parked, a retry of it, and a fresh look at chosen records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

import msgspec
import typer

from syncline.bootstrap import Installation
from syncline.cli.context import AsJson, Context, given, only, wait
from syncline.cli.output import Bars, say, say_json, table
from syncline.core.catalogue import entry, remedy_of
from syncline.core.memory import Parked
from syncline.core.records import RecordKey, Side, SyncId
from syncline.engine import again
from syncline.engine.lookup import is_known, no_record
from syncline.engine.report import Report
from syncline.errors import ProblemKind, SetupError, UsageError
from syncline.story import report_lines, shown

_BRAKED = 4
_PARTLY = 5

OfSync = Annotated[str | None, typer.Option(help="Only this sync.")]
Record = Annotated[str | None, typer.Argument(help="The record's id on either side.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(name="parked", rich_help_panel="Syncs")(list_parked)
    app.command(rich_help_panel="Syncs")(retry)
    app.command(rich_help_panel="Syncs")(resync)


def list_parked(context: typer.Context, sync: OfSync = None, as_json: AsJson = False) -> None:
    """List the records whose writes failed: why, how often they were tried, and when next."""

    async def work() -> dict[str, Sequence[Parked]]:
        async with given(context).open() as installation:
            store, names = installation.store, only(installation, sync)
            return {name: [_told(each) for each in store.parked(SyncId(name))] for name in names}

    found = wait(work())
    if as_json or given(context).as_json:
        say_json(found)
    elif not any(found.values()):
        say("Nothing is parked.")
    else:
        _show(found)


def _told(each: Parked) -> Parked:
    return msgspec.structs.replace(each, remedy=remedy_of(each.code))


def _show(found: Mapping[str, Sequence[Parked]]) -> None:
    columns = ("sync", "record", "side", "code", "why", "tried", "next try (UTC)", "since (UTC)")
    table(columns, [(name, *_row(each)) for name, several in found.items() for each in several])


def _row(each: Parked) -> tuple[str, ...]:
    due = f"{each.due:%Y-%m-%d %H:%M:%S}" if each.due else "when edited or retried"
    since = f"{each.since:%Y-%m-%d %H:%M}"
    return each.title or each.key, each.side.value, each.code, each.message, f"{each.attempts}×", due, since


def retry(
    context: typer.Context,
    record: Record = None,
    sync: OfSync = None,
    code: Annotated[
        str | None, typer.Option(help="Those that failed with this code, such as rejected or transient.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Everything that is parked.")] = False,
    run: Annotated[bool, typer.Option("--run", help="Try them at once, and nothing else is listed.")] = False,
    as_json: AsJson = False,
) -> int:
    """Make parked records due now; the next run tries them. Exit code 5 when one tried at once failed again."""
    if sum((record is not None, code is not None, every)) != 1:
        raise SetupError("Say which: a record's id, --code CODE or --all.")
    if code is not None and entry(code) is None:
        text = f"There is no code '{code}'."
        raise UsageError(
            "--code", text, "`syncline errors` lists all of them.", ProblemKind.WRONG_VALUE, code
        )
    keys = None if record is None else [RecordKey(record)]
    due, reports = wait(_retry(given(context), sync, keys, code, is_run=run))
    if as_json or given(context).as_json:
        say_json({name: {"due": found, "report": reports.get(name)} for name, found in due.items()})
    else:
        _say_due(due, is_run=run)
        _say_reports(reports)
    return _exit_code(reports.values())


async def _retry(
    context: Context, sync: str | None, keys: list[RecordKey] | None, code: str | None, *, is_run: bool
) -> tuple[dict[str, Sequence[Parked]], dict[str, Report]]:
    async with context.open() as installation:
        with Bars() as bars:
            world = installation.world(bars.watch)
            names = only(installation, sync)
            for key in keys or ():
                _check_known(installation, key, sync)
            due = {name: again.retry(world, SyncId(name), keys, code) for name in names}
            reports: dict[str, Report] = {}
            for name, found in due.items():
                if is_run and found:
                    chosen = frozenset((each.side, each.key) for each in found)
                    connected = await installation.sync(name)
                    reports[name] = await again.resync(world, connected, installation.jitter, chosen)
            return due, reports


def _say_due(due: Mapping[str, Sequence[Parked]], *, is_run: bool) -> None:
    count = sum(len(found) for found in due.values())
    if not count:
        say("No parked record fits.")
    elif not is_run:
        say(f"{count} due now: the next run tries them.")


def resync(
    context: typer.Context,
    record: Record = None,
    sync: OfSync = None,
    where: Annotated[
        str | None, typer.Option(help="FIELD=VALUE: every record that we remember with this value.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every record: both sides are listed.")] = False,
    as_json: AsJson = False,
) -> int:
    """Read records fresh from both vendors and decide again. Exit code 4 when a brake stopped it, 5 on failures."""
    if sum((record is not None, where is not None, every)) != 1:
        raise SetupError("Say which: a record's id, --where FIELD=VALUE or --all.")
    reports = wait(_resync(given(context), sync, record, where))
    if as_json or given(context).as_json:
        say_json(reports)
    else:
        _say_reports(reports)
        if not reports:
            say("No record fits.")
    return _exit_code(reports.values())


async def _resync(
    context: Context, sync: str | None, record: str | None, where: str | None
) -> dict[str, Report]:
    async with context.open() as installation:
        with Bars() as bars:
            world, jitter = installation.world(bars.watch), installation.jitter
            reports: dict[str, Report] = {}
            for name in only(installation, sync):
                connected = await installation.sync(name)
                if record is None and where is None:
                    reports[name] = await again.resync_all(world, connected, jitter)
                    continue
                chosen = (
                    again.spots(world, connected.id, RecordKey(record)) if record else frozenset[again.Spot]()
                )
                if where is not None:
                    chosen = again.matching(world, connected, *_parted(where), shown)
                if record and not chosen and sync is not None:
                    # Nobody knows it yet: whichever side has it, answers.
                    chosen = frozenset((side, RecordKey(record)) for side in Side)
                if chosen:
                    reports[name] = await again.resync(world, connected, jitter, chosen)
            if record:
                hint = "Neither side shows one: check the id, and the rights of the connection's user."
                _check_known(
                    installation, RecordKey(record), sync, hint if reports else "A new record needs --sync."
                )
            return reports


def _check_known(installation: Installation, record: RecordKey, sync: str | None, hint: str = "") -> None:
    """Raises `UsageError` when nobody knows a record. `hint` is what to do where none resembles it."""
    names = [SyncId(name) for name in only(installation, sync)]
    if any(is_known(installation.store, name, record) for name in names):
        return
    raise no_record(installation.store, names, record, hint)


def _parted(where: str) -> tuple[str, str]:
    field, sign, value = where.partition("=")
    if not sign or not field.strip():
        raise SetupError(f"--where: '{where}' is not of the form FIELD=VALUE.")
    return field.strip(), value


def _say_reports(reports: Mapping[str, Report]) -> None:
    for name, report in reports.items():
        say(f"{name}:")
        for line in report_lines(report):
            say(f"  {line}")


def _exit_code(reports: Iterable[Report]) -> int:
    """As of a run."""
    several = list(reports)
    if any(report.plan.brakes for report in several):
        return _BRAKED
    return _PARTLY if any(report.failures or report.postponed for report in several) else 0
