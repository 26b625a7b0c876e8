"""Commands that need no configuration: sandbox accounts to try things on, and the demo."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from syncline.bootstrap import Installation, SystemClock
from syncline.cli.context import AsJson, given, wait
from syncline.cli.output import Bars, say, say_json
from syncline.cli.serve import listening, serve_installation
from syncline.demo.accounts import Accounts, serve_accounts
from syncline.demo.people import Office
from syncline.demo.play import Wishes, play
from syncline.errors import UsageError
from syncline.service.engines import job_engine
from syncline.service.hooks import open_hook
from syncline.service.serving import Service

_DISAGREE = 1
_PORT = 8420
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
        typer.Option(
            "--serve/--no-serve", help="Go on after the story: serve, with the sync running by itself."
        ),
    ] = True,
    as_json: AsJson = False,
) -> int:
    """Play the main job end to end on sandbox accounts. Exit code 0 only when both sides really agree."""
    found = data or (_RECORDED if _RECORDED.is_file() else None)
    lines: list[str] = []
    is_json = as_json or given(context).as_json
    with Bars() as bars:
        told = lines.append if is_json else bars.say
        wishes, after = Wishes(records, seed, found, keep), _go_on if serve and not is_json else None
        try:
            agreed = wait(play(wishes, told, bars.watch, after))
        except KeyboardInterrupt:
            return 0
    if is_json:
        say_json({"agreed": agreed, "story": lines})
    return 0 if agreed else _DISAGREE


async def _go_on(installation: Installation, office: Office) -> None:
    """Serve the accounts of the story; what people do in ActiveCollab from now on is heard of at once."""
    hook = open_hook(installation.store, "ac", lambda: secrets.token_urlsafe(16))

    async def ready(url: str, _: Service) -> None:
        await office.in_activecollab("register_webhook", url=f"{url}{hook.path}", secret=hook.secret)
        say("Edit a task, and see it arrive in HighLevel:")
        task = '{"action": "update_task", "task": 1, "name": "Edited by hand"}'
        say(f"  curl -s {office.activecollab.control_url}act -d '{task}'")

    jobs = job_engine("sqlite", installation.clock)
    try:
        listener = listening("127.0.0.1", _PORT)
    except UsageError:
        listener = listening("127.0.0.1", 0)
    try:
        await serve_installation(installation, jobs, listener, ready=ready)
    finally:
        await jobs.close()


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
