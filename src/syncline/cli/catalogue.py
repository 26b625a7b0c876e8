"""The command that explains a code: what happened, what Syncline did, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from syncline.cli.context import AsJson, given
from syncline.cli.output import say, say_json, table
from syncline.core.catalogue import ENTRIES, CatalogueEntry, entry
from syncline.errors import SetupError


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Proof")(errors)


def errors(
    context: typer.Context,
    code: Annotated[
        str | None,
        typer.Argument(help="A code, such as rejected.duplicate, or an exit code; all unless named."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain a code: of an error, a failure, a parked record, a brake, something held, or an exit code."""
    is_json = as_json or given(context).as_json
    if code is None:
        _list(is_json=is_json)
        return
    found = entry(f"exit.{code}" if code.isdecimal() else code)
    if found is None:
        raise SetupError(f"There is no code '{code}'. `syncline errors` lists all of them.")
    if is_json:
        say_json(found)
    else:
        for line in entry_lines(found):
            say(line)


def _list(*, is_json: bool) -> None:
    if is_json:
        say_json(list(ENTRIES.values()))
    else:
        table(("code", "what it is", "what you do"), [(e.code, e.title, e.remedy) for e in ENTRIES.values()])


def entry_lines(found: CatalogueEntry) -> Iterator[str]:
    """One entry, as a person reads it."""
    yield f"{found.code}: {found.title}"
    yield f"  what happened     {found.happened}"
    yield f"  what was done     {found.done}"
    yield f"  what you do       {found.remedy}"
    if found.exit_code is not None:
        yield f"  exit code         {found.exit_code}"
    yield f"  tried again       {'by itself' if found.is_retried else 'no'}"
