"""Commands that need no configuration: sandbox accounts to try things on, and the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from syncline.bootstrap import SystemClock
from syncline.cli.context import AsJson, given, wait
from syncline.cli.output import Bars, say, say_json
from syncline.demo.accounts import Accounts, serve_accounts
from syncline.demo.play import Wishes, play

_DISAGREE = 1
_RECORDED = Path("../shared/data/kep-history.jsonl")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel="Sandbox")(demo)
    app.command(rich_help_panel="Sandbox")(sandbox)


def demo(
    context: typer.Context,
    records: Annotated[int, typer.Option(min=20, help="About how many tracker records.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed plays the same story.")] = 7,
    data: Annotated[Path | None, typer.Option(help="A recorded tracker history (JSON lines).")] = None,
    keep: Annotated[Path | None, typer.Option(help="Keep configuration and database in this folder.")] = None,
    serve: Annotated[
        bool,
        typer.Option("--serve/--no-serve", help="Serve the web page after the story (there is none yet)."),
    ] = True,
    as_json: AsJson = False,
) -> int:
    """Play the main job end to end on sandbox accounts. Exit code 0 only when both sides really agree."""
    del serve  # there is no web page to serve yet: the story is all
    found = data or (_RECORDED if _RECORDED.is_file() else None)
    lines: list[str] = []
    is_json = as_json or given(context).as_json
    with Bars() as bars:
        agreed = wait(
            play(Wishes(records, seed, found, keep), lines.append if is_json else bars.say, bars.watch)
        )
    if is_json:
        say_json({"agreed": agreed, "story": lines})
    return 0 if agreed else _DISAGREE


def sandbox(
    context: typer.Context,
    activecollab: Annotated[int, typer.Option(min=0, help="How many ActiveCollab accounts.")] = 1,
    highlevel: Annotated[int, typer.Option(min=0, help="How many HighLevel locations.")] = 1,
    cloud: Annotated[
        bool, typer.Option("--cloud", help="ActiveCollab accounts in the cloud's form.")
    ] = False,
    port: Annotated[list[int] | None, typer.Option(help="Ports in order; free ones unless given.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same ids, tokens and data.")] = 0,
    records: Annotated[int, typer.Option(min=0, help="Generated tasks in each ActiveCollab account.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Serve sandbox accounts of both vendors on loopback until stopped."""
    wished = Accounts(activecollab, highlevel, cloud, tuple(port or ()), seed, records)
    is_json = as_json or given(context).as_json

    def ready(line: str, text: list[str]) -> None:
        if is_json:
            say(line)
        else:
            for each in text:
                say(each)

    try:
        wait(serve_accounts(wished, SystemClock().now(), ready))
    except KeyboardInterrupt:
        return
