"""The command that tries an expression before it is written down."""

from __future__ import annotations

import json
from typing import Annotated

import msgspec
import typer

from syncline.cli.context import AsJson, Context, given, wait
from syncline.cli.output import say, say_json, table
from syncline.core.records import ObjectTypeId
from syncline.engine.tryout import Attempt, Said, attempt

_FAULTY = 2


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel="Configuration")(expression)


def expression(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="The expression, in CEL.")],
    connection: Annotated[str, typer.Option("--connection", help="A connection.")],
    object_type: Annotated[str, typer.Option("--object", help="One of its object types.")],
    field: Annotated[
        str, typer.Option("--field", help="Try a transform of this field: it is called value.")
    ] = "",
    value: Annotated[
        str | None, typer.Option("--value", help="The field's value; those of some records unless given.")
    ] = None,
    records: Annotated[
        int, typer.Option("--records", min=0, max=100, help="How many records to try it on.")
    ] = 5,
    as_json: AsJson = False,
) -> int:
    """Try a filter or transform: its type, its faults by column, what it says of records. Exit code 2 when faulty."""

    async def work(found: Context) -> Attempt:
        async with found.open() as installation:
            connector = installation.connector(connection)
            schema = await connector.schema(ObjectTypeId(object_type))
            return await attempt(connector, schema, text, field=field, value=value, limit=records)

    made = wait(work(given(context)))
    if as_json or given(context).as_json:
        say_json(made)
    else:
        _say(made)
    return _FAULTY if made.faults else 0


def _say(made: Attempt) -> None:
    for fault in made.faults:
        say(made.text.split("\n")[fault.line - 1])
        say(" " * (fault.column - 1) + "^")
        say(f"{fault.place}: {fault.message} {fault.remedy}".rstrip())
    if made.gives:
        say(f"gives  {made.gives}")
        say(f"reads  {', '.join(made.reads) or 'nothing'}")
    if made.said:
        table(("of", "says"), [(each.about, _answer(each)) for each in made.said])


def _answer(said: Said) -> str:
    if said.reason:
        return f"no value: {said.reason}"
    return json.dumps(msgspec.to_builtins(said.answer, enc_hook=str), ensure_ascii=False)
