"""Commands about connections: test them, list their object types and fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from syncline.cli.context import AsJson, Context, given, wait
from syncline.cli.output import say, say_json, table
from syncline.core.records import FieldSchema, ObjectTypeId
from syncline.service.tested import Tested, examine

_UNUSABLE = 3
_NO_CONNECTION = "Add one over the API (docs/first-steps-api.md), or write one into syncline.yaml."


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
    """Test connections: account, user, rights, clock, quota, webhooks, expiry. Exit code 3 when one cannot be used."""
    found = wait(_check(given(context), names or []))
    if as_json or given(context).as_json:
        say_json(found)
    else:
        for each in found.values():
            _say_tested(each)
        if not found:
            say(f"No connection is configured yet. {_NO_CONNECTION}")
    return _UNUSABLE if any(each.problems for each in found.values()) else 0


async def _check(context: Context, names: list[str]) -> dict[str, Tested]:
    async with context.open() as installation:
        wanted = names or list(installation.config.connections)
        return {name: await examine(installation, name) for name in wanted}


def _say_tested(tested: Tested) -> None:
    say(f"{tested.connection}: {'has problems' if tested.problems else 'works'}")
    for label, text in _lines(tested):
        say(f"  {label:<9}{text}")


def _lines(tested: Tested) -> Iterator[tuple[str, str]]:
    yield "account", tested.account or "unknown"
    yield "user", tested.user or "unknown"
    if tested.version:
        yield "version", tested.version
    if tested.scopes is not None:
        yield "scopes", ", ".join(tested.scopes)
    if tested.missing_scopes:
        yield "missing", ", ".join(tested.missing_scopes)
    for need in tested.needed:
        if need.scopes:
            yield "needs", f"{', '.join(need.scopes)} for {need.object_type} of {need.sync}"
    if tested.skew is not None:
        yield "clock", f"{tested.skew:+.0f} s from ours"
    if tested.quota.daily_left is not None:
        yield "quota", f"{tested.quota.daily_left} of {tested.quota.daily_limit} calls left today"
    if tested.has_hook:
        yield (
            "webhooks",
            f"last {tested.last_delivery:%Y-%m-%d %H:%M}" if tested.last_delivery else "none yet",
        )
    if tested.expires_at is not None:
        yield "expires", f"{tested.expires_at:%Y-%m-%d}, unless used before"
    for warning in tested.warnings:
        yield "warning", warning
    for problem in tested.problems:
        yield "problem", problem


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
