"""The command that moves an installation to another database, or compares two.

Thin: `store.moving` does the work. Registered by `cli.app`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from syncline.bootstrap import move_installation
from syncline.cli.context import AsJson, given
from syncline.cli.output import say, say_json
from syncline.config import load

_DIFFERENT = 6


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Configuration")(migrate)


def migrate(
    context: typer.Context,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="The other database: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME. The environment does not show "
            "a password to others on the machine.",
            envvar="SYNCLINE_MIGRATE_TO",
            show_envvar=True,
        ),
    ],
    verify: Annotated[
        bool, typer.Option("--verify", help="Move nothing; compare the two databases.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Move everything from the configured database to another one, and compare both. Stop Syncline first.

    Exit code 6 when the two differ.
    """
    common = given(context)
    found = move_installation(load(common.config), common.config.resolve().parent, to, only_compare=verify)
    if as_json or common.as_json:
        say_json(found)
    else:
        for table in found.tables:
            if not table.is_equal:
                say(f"{table.name} differs: {table.rows:,} and {table.target_rows:,} rows")
        if found.is_equal:
            done = "hold the same" if verify else "hold the same now"
            say(
                f"{found.source} and {found.target} {done}: {found.rows:,} rows in {len(found.tables)} tables."
            )
        if not verify:
            say("Name the new one in the configuration (`database:`) or in SYNCLINE_DATABASE_URL.")
    if not found.is_equal:
        raise typer.Exit(_DIFFERENT)
