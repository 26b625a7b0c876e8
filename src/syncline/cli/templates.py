"""The commands about ready-made syncs: list them, look at one, and make what it needs, with the lines for syncline.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from syncline.cli.context import AsJson, given, wait
from syncline.cli.output import say, say_json, table
from syncline.config import SyncSettings, as_yaml
from syncline.errors import ProblemKind, UsageError
from syncline.service import making
from syncline.service.making import Choice, Prepared
from syncline.service.ready_made import TEMPLATES, template_of

_WHERE = "Which records take part: FILTER=ID, as often as needed, such as project=12."


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(no_args_is_help=True, help="Ready-made syncs.")
    group.command("list")(list_templates)
    group.command("use")(use_template)
    app.add_typer(group, name="templates", rich_help_panel="Configuration")


def list_templates(context: typer.Context, as_json: AsJson = False) -> None:
    """List the ready-made syncs."""
    if as_json or given(context).as_json:
        say_json(list(TEMPLATES.values()))
        return
    rows = [
        (each.id, each.title, f"{each.left.vendor}, {each.right.vendor}", each.summary)
        for each in TEMPLATES.values()
    ]
    table(("template", "title", "between", "what it does"), rows)


def use_template(
    context: typer.Context,
    template: Annotated[str, typer.Argument(help="See `syncline templates list`.")],
    left: Annotated[str, typer.Option(help="The connection of the left side.")],
    right: Annotated[str, typer.Option(help="The connection of the right side.")],
    name: Annotated[str | None, typer.Option(help="The sync's name; the template's unless given.")] = None,
    where: Annotated[list[str] | None, typer.Option(help=_WHERE)] = None,
    create: Annotated[bool, typer.Option("--create", help="Make what is missing on the right side.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what a ready-made sync needs, and its lines for syncline.yaml. Makes nothing without --create."""

    async def work() -> Prepared:
        async with given(context).open() as installation:
            act = making.make if create else making.look
            return await act(installation, template_of(template), Choice(left, right, _where(where or ())))

    found = wait(work())
    if as_json or given(context).as_json:
        say_json(found)
        return
    for line in _lines(found, name or template, is_made=create):
        say(line)


def _where(given: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for each in given:
        key, separator, value = each.partition("=")
        if not separator or not value:
            remedy = "Write FILTER=ID, such as project=12."
            raise UsageError("--where", "says no id.", remedy, ProblemKind.WRONG_VALUE, each)
        found[key] = (*found.get(key, ()), value)
    return found


def _lines(prepared: Prepared, name: str, *, is_made: bool) -> Iterator[str]:
    for each in prepared.wanted:
        options = f" ({', '.join(each.options)})" if each.options else ""
        how = "is there" if each.is_there else "would be made"
        yield f"{each.what} {each.name}, {each.kind}{options}: {how}"
    if any(not each.is_there for each in prepared.wanted) and not is_made:
        yield "Say --create to make what is missing."
    yield ""
    yield "Put this into syncline.yaml, look it over, then see `syncline diff`:"
    yield ""
    yield as_yaml({name: SyncSettings.model_validate(prepared.body)}).rstrip()
    yield from ("", *prepared.notes)
