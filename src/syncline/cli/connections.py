"""Commands about connections: test them, list their object types and fields."""

from __future__ import annotations

from typing import Annotated

import typer

from syncline.cli.context import AsJson, Context, given, wait
from syncline.cli.output import say, say_json, table
from syncline.core.records import FieldSchema, ObjectTypeId
from syncline.ports import Health

_UNUSABLE = 3


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel="Connections")(check)
    app.command(rich_help_panel="Connections")(objects)
    app.command(rich_help_panel="Connections")(fields)


def check(
    context: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(help="Connections to test; all unless named.")] = None,
    as_json: AsJson = False,
) -> int:
    """Test connections: account, user, rights. Exit code 3 when one cannot be used."""
    found = wait(_check(given(context), names or []))
    if as_json or given(context).as_json:
        say_json(found)
    else:
        for name, health in found.items():
            _say_health(name, health)
    return _UNUSABLE if any(health.problems for health in found.values()) else 0


async def _check(context: Context, names: list[str]) -> dict[str, Health]:
    async with context.open() as installation:
        wanted = names or list(installation.config.connections)
        return {name: await installation.connector(name).check() for name in wanted}


def _say_health(name: str, health: Health) -> None:
    say(f"{name}: {'has problems' if health.problems else 'works'}")
    say(f"  account  {health.account or 'unknown'}")
    say(f"  user     {health.user or 'unknown'}")
    if health.version:
        say(f"  version  {health.version}")
    if health.scopes is not None:
        say(f"  scopes   {', '.join(health.scopes)}")
    if health.missing_scopes:
        say(f"  missing  {', '.join(health.missing_scopes)}")
    for warning in health.warnings:
        say(f"  warning  {warning}")
    for problem in health.problems:
        say(f"  problem  {problem}")


def objects(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A connection.")],
    as_json: AsJson = False,
) -> None:
    """List the object types that a connection offers."""

    async def work() -> list[tuple[str, str]]:
        async with given(context).open() as installation:
            return [(str(kind.id), kind.title) for kind in await installation.connector(name).object_types()]

    found = wait(work())
    if as_json or given(context).as_json:
        say_json([{"id": kind, "title": title} for kind, title in found])
    else:
        table(("object type", "title"), found)


def fields(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A connection.")],
    object_type: Annotated[str, typer.Argument(help="One of its object types.")],
    as_json: AsJson = False,
) -> None:
    """List the fields of an object type: type, required, read-only, options."""

    async def work() -> tuple[FieldSchema, ...]:
        async with given(context).open() as installation:
            return (await installation.connector(name).schema(ObjectTypeId(object_type))).fields

    found = wait(work())
    if as_json or given(context).as_json:
        say_json(found)
    else:
        table(("field", "title", "type", "", "options"), [_row(field) for field in found])


_SHOWN = 6


def _row(field: FieldSchema) -> tuple[str, ...]:
    marks = [
        mark
        for mark, is_set in (
            ("required", field.is_required),
            ("read-only", field.is_read_only),
            ("unique", field.is_unique),
        )
        if is_set
    ]
    options = [option.label for option in field.options or ()]
    more = f" … {len(options)} in all" if len(options) > _SHOWN else ""
    return field.id, field.title, field.type.value, ", ".join(marks), ", ".join(options[:_SHOWN]) + more
