"""Commands about deletions: the approval queue, with the proof of each absence and what would be lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from syncline.cli.context import AsJson, given, kept, wait
from syncline.cli.output import say, say_json, table
from syncline.core.decisions import Answer
from syncline.engine import review
from syncline.engine.deletions import Deletion, deletion, deletions
from syncline.errors import SetupError
from syncline.ports import Store
from syncline.story import shown

deletes = typer.Typer(
    help="Deletions that wait for approval: list, show, approve, restore, release.", no_args_is_help=True
)

Number = Annotated[int | None, typer.Argument(help="The question's number.")]
OfSync = Annotated[str | None, typer.Option(help="Only this sync.")]
All = Annotated[bool, typer.Option("--all", help="All that wait.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(deletes, name="deletes", rich_help_panel="Questions")


@deletes.command(name="list")
def list_deletes(context: typer.Context, sync: OfSync = None, as_json: AsJson = False) -> None:
    """List the deletions that wait. A record that reappears leaves the list by itself in the next run."""

    async def work() -> Sequence[Deletion]:
        async with given(context).open() as installation:
            return deletions(installation.store, kept(installation, sync))

    found = wait(work())
    if as_json or given(context).as_json:
        say_json(found)
    elif not found:
        say("No deletion waits for approval.")
    else:
        table(
            ("no.", "sync", "record", "gone", "deleted (UTC)", "by", "the other record", "proof", "answer"),
            [_row(each) for each in found],
        )


def _row(each: Deletion) -> tuple[str, ...]:
    return (
        str(each.question),
        each.sync,
        each.title or str(each.kept_key),
        each.gone.value,
        f"{each.deleted_at:%Y-%m-%d %H:%M}" if each.deleted_at else "",
        each.deleted_by,
        "edited since" if each.edits else "unchanged",
        each.proof.value if each.proof else "",
        each.answer.value if each.answer else "",
    )


@deletes.command()
def show(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="The question's number.")],
    as_json: AsJson = False,
) -> None:
    """Show one: how we know that the record is gone, since when, who deleted it, and what the other one holds anew."""

    async def work() -> Deletion:
        async with given(context).open() as installation:
            return _deletion(installation.store, number)

    found = wait(work())
    if as_json or given(context).as_json:
        say_json(found)
        return
    for line in deletion_lines(found):
        say(line)


def deletion_lines(found: Deletion) -> Iterator[str]:
    """A deletion as a person reads it."""
    kept = found.gone.other.value
    yield f"{found.title or found.kept_key} ({found.sync})"
    yield f"  gone on the {found.gone.value} ({found.gone_key}); {found.kept_key} on the {kept} is linked to it"
    if found.proof:
        yield f"  proof: {found.how_we_know} ({found.proof.value}), first seen {found.seen_at:%Y-%m-%d %H:%M:%S} UTC by {found.run}"
    if found.deleted_at:
        yield f"  deleted {found.deleted_at:%Y-%m-%d %H:%M:%S} UTC {f'by {found.deleted_by}' if found.deleted_by else ''}".rstrip()
    yield f"  {found.reason}"
    for edit in found.edits:
        yield f"  would be lost: {edit.field} = {shown(edit.now)}   (last agreed: {shown(edit.agreed)})"
    if found.answer:
        yield f"Answer: {found.answer.value}. Take it back: syncline conflicts undo {found.question}"
    else:
        yield f"Answer: syncline deletes approve|restore|release {found.question}"


@deletes.command()
def approve(
    context: typer.Context,
    number: Number = None,
    everything: All = False,
    sync: OfSync = None,
    as_json: AsJson = False,
) -> None:
    """Delete the other record too, if the first is still gone and the other still unchanged in the next run."""
    _answer(context, Answer.DELETE, number, everything, sync, as_json)


@deletes.command()
def restore(
    context: typer.Context,
    number: Number = None,
    everything: All = False,
    sync: OfSync = None,
    as_json: AsJson = False,
) -> None:
    """Bring the deleted record back: out of the trash where the vendor can, else made anew from the other one."""
    _answer(context, Answer.RESTORE, number, everything, sync, as_json)


@deletes.command()
def release(
    context: typer.Context,
    number: Number = None,
    everything: All = False,
    sync: OfSync = None,
    as_json: AsJson = False,
) -> None:
    """Keep the other record for itself: no link ties it any more, and it is never copied again."""
    _answer(context, Answer.RELEASE, number, everything, sync, as_json)


def _answer(
    context: typer.Context,
    answer: Answer,
    number: int | None,
    everything: bool,
    sync: str | None,
    as_json: bool,
) -> None:
    if (number is not None) == everything:
        raise SetupError("Say which: a number, or --all.")

    async def work() -> Sequence[review.Chosen]:
        async with given(context).open() as installation:
            store, world = installation.store, installation.world()
            waiting = deletions(store, kept(installation, sync))
            numbers = (
                [each.question for each in waiting] if number is None else [_deletion(store, number).question]
            )
            asked = [found for each in numbers if (found := store.question(each)) is not None]
            if number is not None:
                review.resolve(world, None, asked[0], answer)
            return review.resolve_all(world, {}, asked, answer, is_preview=number is not None)

    chosen = wait(work())
    if as_json or given(context).as_json:
        say_json(chosen)
    else:
        many = "deletion" if len(chosen) == 1 else "deletions"
        say(f"Noted for {len(chosen)} {many}. The next run looks again, then carries it out.")


def _deletion(store: Store, number: int) -> Deletion:
    question = store.question(number)
    if question is None:
        raise SetupError(f"There is no question {number}. See `syncline deletes list`.")
    found = deletion(store, question)
    if found is None:
        raise SetupError(f"Question {number} is not about a deletion. See `syncline deletes list`.")
    return found
