"""Commands about the past: why a record did or did not sync, its history, taking a run back, deciding one again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from syncline.bootstrap import Installation
from syncline.cli.context import AsJson, given, kept, only, wait
from syncline.cli.output import complain, say, say_json, table
from syncline.core.case import Case, decide
from syncline.core.decisions import Fields, Rule
from syncline.core.memory import Entry
from syncline.core.records import RecordKey, RunId, SyncId
from syncline.core.replay import Replay
from syncline.core.undo import Kept
from syncline.core.values import Text
from syncline.engine.evidence import decide_again
from syncline.engine.explain import Explanation
from syncline.engine.explain import explain as explain_record
from syncline.engine.lookup import is_known, no_record
from syncline.engine.past import AsOf, Then, as_of, moment
from syncline.engine.undo import Undone, undo_run
from syncline.errors import SetupError
from syncline.story import shown, step_line

_PARTLY = 5
_NEW = "A new record is fetched by `syncline resync RECORD --sync SYNC`."

OnlySync = Annotated[str | None, typer.Option(help="Only this sync.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel="Records")(explain)
    app.command(rich_help_panel="Records")(history)
    app.command(rich_help_panel="Records")(undo)
    app.command(rich_help_panel="Records")(replay)


def _ids(names: Iterable[str]) -> list[SyncId]:
    return [SyncId(name) for name in names]


# --- explain --------------------------------------------------------------------------------------------------------


def explain(
    context: typer.Context,
    record: Annotated[str, typer.Argument(help="The record's id on either side.")],
    field: Annotated[
        str | None, typer.Argument(help="Only this field: its id or title on either side.")
    ] = None,
    sync: OnlySync = None,
    as_json: AsJson = False,
) -> None:
    """Say why a record, or one of its fields, did or did not sync. Answers from memory: no call is made."""

    async def work() -> list[Explanation]:
        async with given(context).open() as installation:
            world, names = installation.world(), only(installation, sync)
            found = [
                each
                for name in names
                for each in explain_record(
                    world, await installation.remembered(name), RecordKey(record), field
                )
            ]
            known = [each for each in found if each.side is not None] or [e for e in found if e.is_known]
            if not known:
                raise no_record(world.store, _ids(names), RecordKey(record), _NEW)
            return known

    found = wait(work())
    if as_json or given(context).as_json:
        say_json(found)
        return
    for each in found:
        for line in _explained(each, with_all=field is not None):
            say(line)


def _explained(each: Explanation, *, with_all: bool) -> Iterator[str]:
    yield f"{each.title or each.key} ({each.sync})"
    for sentence in each.sentences:
        yield f"  {sentence}"
    for line in each.lines:
        yield f"  {line.name}"
        for sentence in line.sentences:
            yield f"    {sentence}"
        if with_all:
            for entry in line.history[:-1]:
                yield f"    before: {entry.at:%Y-%m-%d %H:%M} UTC, run {entry.run}: {entry.rule.sentence}"


# --- history --------------------------------------------------------------------------------------------------------


def history(
    context: typer.Context,
    record: Annotated[str, typer.Argument(help="The record's id on either side.")],
    sync: OnlySync = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Show the record as of this ISO time (UTC unless it names a zone)."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What became of each field of a record: old, new, which side, which run, which rule; or what it held at a time."""
    if at is not None:
        _history_at(context, record, sync, _time(at), is_json=as_json)
        return

    async def work() -> list[Entry]:
        async with given(context).open() as installation:
            past = kept(installation, sync)
            names = [past] if past else _ids(only(installation, None))
            store, key = installation.store, RecordKey(record)
            entries = [entry for name in names for entry in store.history(name, key)]
            if not entries and not any(is_known(store, name, key) for name in names):
                raise no_record(store, names, key, _NEW)
            return entries

    found = wait(work())
    if as_json or given(context).as_json:
        say_json(found)
    elif not found:
        say(f"No run has written anything about the record '{record}' yet.")
    else:
        table(
            ("when (UTC)", "field", "written", "old", "new", "overridden", "rule", "run"),
            [_row(entry) for entry in found],
        )


def _time(text: str) -> dt.datetime:
    try:
        return moment(text)
    except ValueError as error:
        raise SetupError(f"--at '{text}' is no ISO time, such as 2026-03-02T09:30 (UTC).") from error


def _history_at(
    context: typer.Context, record: str, sync: str | None, at: dt.datetime, *, is_json: bool
) -> None:
    async def work() -> list[AsOf]:
        async with given(context).open() as installation:
            names, key, world = only(installation, sync), RecordKey(record), installation.world()
            found = [as_of(world, await installation.remembered(name), key, at) for name in names]
            if not any(found) and not any(is_known(world.store, SyncId(name), key) for name in names):
                raise no_record(world.store, _ids(names), key, _NEW)
            return [each for each in found if each is not None]

    found = wait(work())
    if is_json or given(context).as_json:
        say_json(found)
        return
    if not found:
        say(f"No run has written anything about the record '{record}' yet.")
    for each in found:
        title = (
            f"{each.title or each.key} ({each.sync}) as of {each.at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S} UTC"
        )
        rows = [(line.name, *_then(line.left), *_then(line.right)) for line in each.lines]
        table(("field", "left", "how we know", "right", "how we know"), rows, title)
        for side in each.gone:
            say(f"The record on the {side.value} was deleted by then.")


def _then(then: Then) -> tuple[str, str]:
    since = f", {then.since:%Y-%m-%d %H:%M} UTC" if then.since else ""
    return shown(then.value), f"{then.source.sentence}{since}"


def _row(entry: Entry) -> tuple[str, ...]:
    side = entry.side.value if entry.side else "–"
    lost = shown(entry.lost) if entry.lost is not None and entry.rule is not Rule.DELETED_PROPAGATED else ""
    when = f"{entry.at:%Y-%m-%d %H:%M:%S}"
    return (
        when,
        entry.field or "record",
        side,
        shown(entry.old),
        _proof(entry) or shown(entry.new),
        lost,
        entry.rule.value,
        entry.run,
    )


def _proof(entry: Entry) -> str:
    """The proof of an absence, whole: the line of the record itself keeps it."""
    return f"proof: {entry.new.text}" if not entry.field and isinstance(entry.new, Text) else ""


# --- undo -----------------------------------------------------------------------------------------------------------


def undo(
    context: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="RUN|RECORD", help="A run, or a record whose last run is meant.")
    ],
    sync: OnlySync = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    as_json: AsJson = False,
) -> int:
    """Take back what a run wrote. What somebody edited since is kept. Exit code 5 when not all could be taken back."""

    async def work() -> Undone:
        async with given(context).open() as installation:
            name = _sync_of(installation, target, sync)
            world, found = installation.world(), await installation.sync(name)
            return await undo_run(world, found, target, installation.jitter, is_dry=dry_run)

    done = wait(work())
    if as_json or given(context).as_json:
        say_json(done)
    else:
        for line in _undone(done):
            say(line)
        for failure in done.failures:
            complain(f"failed on the {failure.side.value}: {failure.title or failure.key}: {failure.message}")
    return _PARTLY if done.undo.kept or done.failures else 0


def _sync_of(installation: Installation, target: str, sync: str | None) -> str:
    """The sync whose run or record is meant. Raises `SetupError` when several know it."""
    store, asked = installation.store, only(installation, sync)
    names = [
        name
        for name in asked
        if store.history(SyncId(name), run=RunId(target), limit=1)
        or store.history(SyncId(name), RecordKey(target), limit=1)
    ]
    if len(names) > 1:
        raise SetupError(f"Several syncs know '{target}': say --sync {' or --sync '.join(names)}.")
    if not names:
        if any(is_known(store, SyncId(name), RecordKey(target)) for name in asked):
            raise SetupError(
                f"No run has written anything about the record '{target}', so nothing can be taken back."
            )
        hint = "A run is named as in `syncline history RECORD`, such as tickets-12."
        raise no_record(store, _ids(asked), RecordKey(target), hint, what="run or record")
    return names[0]


def _undone(done: Undone) -> Iterator[str]:
    planned, is_dry = done.undo, done.run is None
    for step in planned.steps:
        yield f"  {step_line(step)}"
    for _, left, right in planned.part:
        yield f"  take apart {left} and {right}"
    for left, right in planned.rejoin:
        yield f"  link {left} and {right} again"
    for each in planned.kept:
        yield f"  kept: {_kept(each)}"
    count = len(planned.steps) if is_dry else done.done
    word = "would be taken back" if is_dry else "taken back"
    yield f"run {planned.run}: {count} {word}, {planned.already} as before already, {len(planned.kept)} kept"
    if done.run is not None and (done.done or planned.part or planned.rejoin):
        yield f"This was run {done.run}; `syncline undo {done.run}` takes it back."


def _kept(each: Kept) -> str:
    title = each.title or each.left_key or each.right_key or "a record"
    if each.field is None:
        return f"{title}: {each.reason}"
    values = f"before {shown(each.before)}, written {shown(each.wrote)}, now {shown(each.now)}"
    return f"{title}, {each.field}: {each.reason} ({values})"


# --- replay ---------------------------------------------------------------------------------------------------------


def replay(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="RUN|FILE", help="A run, or a case from `syncline conflicts show N --case FILE`."
        ),
    ],
    sync: OnlySync = None,
    as_json: AsJson = False,
) -> None:
    """Decide a stored run, or one stored case, again with today's configuration, and show the difference."""
    is_json = as_json or given(context).as_json
    if what.endswith(".json") or Path(what).exists():
        _replay_case(Path(what), is_json=is_json)
    else:
        _replay_run(context, what, sync, is_json=is_json)


def _replay_run(context: typer.Context, run: str, sync: str | None, *, is_json: bool) -> None:
    async def work() -> Replay:
        async with given(context).open() as installation:
            name = sync or run.rpartition("-")[0]
            if name not in installation.config.syncs:
                known = ", ".join(installation.config.syncs) or "none yet"
                raise SetupError(f"'{run}' is neither a file nor a run of a sync. There are: {known}.")
            return decide_again(installation.world(), await installation.remembered(name), RunId(run))

    found = wait(work())
    if is_json:
        say_json(found)
        return
    for change in found.changes:
        say(change.title or change.left_key or change.right_key or "a record")
        for line in [change.sentence] if change.sentence else []:
            say(f"  {line}")
        for each in change.lines:
            say(f"  {each.name}: {each.sentence}")
    counts = f"{found.decided} decided again: {found.same} the same, {len(found.changes)} different"
    say(f"{counts}; {found.undecided} were held back then.")


def _replay_case(file: Path, *, is_json: bool) -> None:
    try:
        case = msgspec.json.decode(file.read_bytes(), type=Case)
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror}.") from error
    except msgspec.MsgspecError as error:
        raise SetupError(
            f"{file} is not a case: {error}. Write one with `syncline conflicts show N --case`."
        ) from error
    decision = decide(case)
    if is_json:
        say_json(decision)
    elif isinstance(decision, Fields):
        for field in decision.fields:
            values = (("left", field.to_left), ("right", field.to_right))
            to = [f"{side} = {shown(value)}" for side, value in values if value is not None]
            say(f"{field.name}: {field.rule.sentence} {'; '.join(to)} {field.reason}".rstrip())
    else:
        say(f"{type(decision).__name__}: {decision.rule.sentence}")
