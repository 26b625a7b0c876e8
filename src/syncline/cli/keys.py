"""The command that puts a new secret key in force.

Thin: `bootstrap.rotate_key` does the work. Registered by `cli.app`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from syncline.bootstrap import rotate_key as rotated
from syncline.cli.context import AsJson, given
from syncline.cli.output import say, say_json
from syncline.config import load

_NAME = "rotate-key"


class Rotated(msgspec.Struct, frozen=True):
    """How many secrets are encrypted with the newest key now, and whether it lies beside the configuration."""

    secrets: int
    is_kept_here: bool


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(_NAME, rich_help_panel="Configuration")(rotate_key)


def rotate_key(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether Syncline is stopped.")] = False,
    as_json: AsJson = False,
) -> None:
    """Encrypt every stored secret with a new key. Stop Syncline first.

    Where the key lies beside the configuration (syncline.key), a new one is made and takes its place. Where it comes from
    the environment, set both, the new one first (SYNCLINE_SECRET_KEY=NEW,OLD), call this, and take the old one away.
    """
    common = given(context)
    is_json = as_json or common.as_json
    if not yes and not is_json:
        typer.confirm(
            "Is Syncline stopped? What runs on goes on with the old key, and could not open anything.",
            abort=True,
        )
    config = load(common.config)
    told = Rotated(rotated(config, common.config.resolve().parent), config.secret_key is None)
    if is_json:
        say_json(told)
        return
    say(f"{told.secrets} secrets are encrypted with the new key.")
    rest = "syncline.key holds it: back it up." if told.is_kept_here else "The older keys can go."
    say(rest)
