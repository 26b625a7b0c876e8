"""`syncline`: the commands, and what each error means to the shell.

Commands are thin: they open the installation, call the engine, and show the result. Exit codes: 0 done; 2 a person must
change something; 3 a connection's credentials or rights; 4 a brake stopped the plan; 5 done, but some records failed;
6 a certificate found a difference that nothing explains; 70 a bug; 75 busy or temporarily out of reach, try again.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from syncline import __version__
from syncline.cli import (
    alerts,
    brakes,
    catalogue,
    certify,
    connections,
    deletes,
    deliveries,
    desk,
    explain,
    expressions,
    keys,
    links,
    migrate,
    quota,
    retry,
    rules,
    sandboxes,
    serve,
    syncs,
    templates,
    versions,
)
from syncline.cli.context import Context
from syncline.cli.output import complain, say, say_json
from syncline.cli.usage import usage_error
from syncline.core.catalogue import remedy_of
from syncline.errors import ConnectorError, Problem, SetupError, SynclineError

app = typer.Typer(
    name="syncline",
    help="Keeps ActiveCollab and HighLevel in step: two-way, field by field.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
connections.add_to(app)
syncs.add_to(app)
desk.add_to(app)
links.add_to(app)
explain.add_to(app)
expressions.add_to(app)
rules.add_to(desk.conflicts)
deletes.add_to(app)
versions.add_to(app)
templates.add_to(app)
quota.add_to(app)
deliveries.add_to(app)
alerts.add_to(app)
certify.add_to(app)
catalogue.add_to(app)
brakes.add_to(app)
retry.add_to(app)
migrate.add_to(app)
keys.add_to(app)
serve.add_to(app)
sandboxes.add_to(app)


def _version(asked: bool) -> None:
    if asked:
        say(__version__)
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path, typer.Option("--config", "-c", help="The configuration file.", envvar="SYNCLINE_CONFIG")
    ] = Path("syncline.yaml"),
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Common options; each command's own `--json` does the same."""
    context.obj = Context(config, as_json)


def told(error: SynclineError) -> dict[str, object]:
    """An error as JSON: its code, what it says, what to do, and every fault by its place. `field` and `found` are of the
    only fault, or the field that a vendor names."""
    problems: tuple[Problem, ...] = error.problems if isinstance(error, SetupError) else ()
    only = problems[0] if len(problems) == 1 else None
    field = error.field if isinstance(error, ConnectorError) else None
    return {
        "code": error.full_code,
        "message": str(error),
        "field": only.path if only else field,
        "found": only.found or None if only else None,
        "remedy": remedy(error),
        "exit_code": error.exit_code,
        "problems": [
            {
                "path": each.path,
                "found": each.found or None,
                "message": each.message,
                "remedy": each.remedy,
                "code": each.kind.value if each.kind is not None else error.code,
            }
            for each in problems
        ],
    }


def remedy(error: SynclineError) -> str:
    """What a person does about an error: the only fault's own remedy, else what the catalogue says of its code."""
    problems = error.problems if isinstance(error, SetupError) else ()
    if len(problems) == 1 and problems[0].remedy:
        return problems[0].remedy
    # Where nothing is listed, nothing listed can be mended.
    code = SetupError.code if isinstance(error, SetupError) and not problems else error.full_code
    return remedy_of(code)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and leave with its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = app(args=given, standalone_mode=False)
    except SynclineError as error:
        _leave(error, is_json="--json" in given)
    except typer.Abort:
        complain("Stopped.")
        sys.exit(130)
    except typer.TyperException as error:
        if not error.format_message():
            # A group without a command: its help was shown instead.
            sys.exit(2)
        _leave(usage_error(error), is_json="--json" in given)
    sys.exit(code if isinstance(code, int) else 0)


def _leave(error: SynclineError, *, is_json: bool) -> NoReturn:
    """Tell an error, and go with its exit code."""
    if is_json:
        say_json({"error": told(error)})
    else:
        complain(f"Error: {error}")
        if not isinstance(error, SetupError):
            # The others' own messages say what to do.
            complain(f"  {remedy(error)} (syncline errors {error.full_code})")
    sys.exit(error.exit_code)
