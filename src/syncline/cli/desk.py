"""Commands about single records: conflicts, history, and deciding a stored case again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from syncline.bootstrap import Installation
from syncline.cli.context import AsJson, given, wait
from syncline.cli.output import say, say_json, table
from syncline.core.case import Case, decide
from syncline.core.decisions import Answer, Fields, Resolution, Rule
from syncline.core.memory import Entry, Question
from syncline.core.records import RecordKey, Side, SyncId
from syncline.engine import review
from syncline.errors import SetupError
from syncline.story import shown

conflicts = typer.Typer(help="What waits for a person: list, show, resolve.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(conflicts, name="conflicts")
    app.command()(history)
    app.command()(replay)


@conflicts.command(name="list")
def list_conflicts(
    context: typer.Context,
    sync: Annotated[str | None, typer.Option(help="Only this sync.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what waits for a person."""

    async def work() -> list[Question]:
        async with given(context).open() as installation:
            return list(installation.store.questions(SyncId(sync) if sync else None))

    found = wait(work())
    if as_json or given(context).as_json:
        say_json(found)
    elif not found:
        say("Nothing waits for a person.")
    else:
        table(
            ("no.", "sync", "record", "field", "left", "right", "why"), [_row(question) for question in found]
        )


def _row(question: Question) -> tuple[str, ...]:
    held = question.held
    chosen = " (chosen, waits for the next run)" if question.choice is not None else ""
    title = held.title or held.left_key or held.right_key or ""
    gone = f"gone {held.gone.value}" if held.gone else ""
    why = f"{held.rule.sentence}{chosen}"
    return (
        str(question.id),
        question.sync,
        title,
        held.field or gone,
        shown(held.left),
        shown(held.right),
        why,
    )


@conflicts.command()
def show(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="The question's number.")],
    case: Annotated[
        Path | None, typer.Option(help="Also write the case to this file, for `syncline replay`.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show one question: what both sides last agreed on, what each holds now, who changed it and when."""

    async def work() -> Question:
        async with given(context).open() as installation:
            question = _question(installation, number)
            if case is not None:
                stored = review.case_of(
                    installation.world(), await installation.sync(question.sync), question
                )
                case.write_bytes(msgspec.json.format(msgspec.json.encode(stored), indent=2))
            return question

    question = wait(work())
    if as_json or given(context).as_json:
        say_json(question)
        return
    held = question.held
    say(f"{held.title or held.left_key or held.right_key} ({question.sync})")
    say(
        f"  {held.field or ('deleted on the ' + held.gone.value if held.gone else 'record')}: {held.rule.sentence}"
    )
    if held.reason:
        say(f"  {held.reason}")
    if held.field:
        for side, base, now, edit in (
            ("left", question.base_left, held.left, question.left_edit),
            ("right", question.base_right, held.right, question.right_edit),
        ):
            who = f"   edited {edit.at:%Y-%m-%d %H:%M:%S} {edit.by}".rstrip() if edit and edit.at else ""
            say(f"  {side:6} {shown(now)}   (last agreed: {shown(base)}){who}")
        say(f"Resolve: syncline conflicts resolve {number} --take left|right, or --value TEXT")
    elif held.gone:
        say(f"Resolve: syncline conflicts resolve {number} --answer delete|restore|release")


@conflicts.command()
def resolve(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="The question's number.")],
    take: Annotated[Side | None, typer.Option(help="Let this side win.")] = None,
    value: Annotated[
        str | None, typer.Option(help="Let this value win, typed as the left field's type.")
    ] = None,
    answer: Annotated[
        Answer | None, typer.Option(help="For a deletion: what happens to the other record.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Choose. The next run carries the choice out, if both sides are still as they were."""
    if sum(option is not None for option in (take, value, answer)) != 1:
        raise SetupError(
            "Say exactly one of --take left|right, --value TEXT, --answer delete|restore|release."
        )

    async def work() -> Resolution | Answer:
        async with given(context).open() as installation:
            question, world = _question(installation, number), installation.world()
            if answer is not None:
                return review.answer(world, question, answer)
            sync = await installation.sync(question.sync)
            if take is not None:
                return review.take(world, sync, question, take)
            return review.enter(world, sync, question, value or "")

    chosen = wait(work())
    if as_json or given(context).as_json:
        say_json(chosen)
    else:
        say("Noted. The next run carries it out.")


def _question(installation: Installation, number: int) -> Question:
    found = installation.store.question(number)
    if found is None:
        raise SetupError(f"There is no question {number}. See `syncline conflicts list`.")
    return found


def history(
    context: typer.Context,
    record: Annotated[str, typer.Argument(help="The record's id on either side.")],
    sync: Annotated[str | None, typer.Option(help="Only this sync.")] = None,
    as_json: AsJson = False,
) -> None:
    """What became of each field of a record: old, new, which side, which run, which rule."""

    async def work() -> list[Entry]:
        async with given(context).open() as installation:
            names = [sync] if sync else list(installation.config.syncs)
            return [
                entry
                for name in names
                for entry in installation.store.history(SyncId(name), RecordKey(record))
            ]

    found = wait(work())
    if as_json or given(context).as_json:
        say_json(found)
    elif not found:
        say(f"Nothing is known of a record '{record}'.")
    else:
        table(
            ("when (UTC)", "field", "written", "old", "new", "overridden", "rule", "run"),
            [_line(e) for e in found],
        )


def _line(entry: Entry) -> tuple[str, ...]:
    side = entry.side.value if entry.side else "–"
    lost = shown(entry.lost) if entry.lost is not None and entry.rule is not Rule.DELETED_PROPAGATED else ""
    when = f"{entry.at:%Y-%m-%d %H:%M:%S}"
    return (
        when,
        entry.field or "record",
        side,
        shown(entry.old),
        shown(entry.new),
        lost,
        entry.rule.value,
        entry.run,
    )


def replay(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A case written by `syncline conflicts show N --case FILE`.")],
    as_json: AsJson = False,
) -> None:
    """Decide one stored case again: the same file gives the same decision on any machine."""
    try:
        case = msgspec.json.decode(file.read_bytes(), type=Case)
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror}.") from error
    except msgspec.MsgspecError as error:
        raise SetupError(
            f"{file} is not a case: {error}. Write one with `syncline conflicts show N --case`."
        ) from error
    decision = decide(case)
    if as_json or given(context).as_json:
        say_json(decision)
    elif isinstance(decision, Fields):
        for field in decision.fields:
            to = [
                f"{s} = {shown(v)}"
                for s, v in (("left", field.to_left), ("right", field.to_right))
                if v is not None
            ]
            say(f"{field.name}: {field.rule.sentence} {'; '.join(to)} {field.reason}".rstrip())
    else:
        say(f"{type(decision).__name__}: {decision.rule.sentence}")
