"""The commands about webhooks that came in: list them, show one, use some once more, and the address to give a vendor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Annotated, TypeVar

import msgspec
import typer

from syncline.bootstrap import Installation
from syncline.cli.context import AsJson, given, wait
from syncline.cli.output import say, say_json, table
from syncline.errors import ProblemKind, UsageError
from syncline.ports import Delivery, DeliveryFilter, DeliveryState, Listener
from syncline.service.hooks import Hook
from syncline.service.marking import redeliver as use_again
from syncline.service.offering import offer
from syncline.service.routes import routes_of
from syncline.service.silence import silence_of

_T = TypeVar("_T")
_Numbers = Annotated[list[int], typer.Argument(help="Their numbers, as `list` shows them.", min=1)]

deliveries = typer.Typer(help="Webhooks that came in, and what became of them.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(deliveries, name="deliveries", rich_help_panel="Connections")


class Shown(msgspec.Struct, frozen=True):
    """One delivery with its body."""

    delivery: Delivery
    body: str


@deliveries.command("list")
def list_deliveries(
    context: typer.Context,
    connection: Annotated[str | None, typer.Argument(help="A connection; all unless named.")] = None,
    state: Annotated[DeliveryState | None, typer.Option(help="Only those in this state.")] = None,
    event: Annotated[str | None, typer.Option(help="Only this event.")] = None,
    key: Annotated[str | None, typer.Option(help="Only those about this record.")] = None,
    before: Annotated[int | None, typer.Option(help="Only those before this number.", min=1)] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Webhooks that came in, newest first: what they were about, and what became of them. No call is made."""
    wanted = DeliveryFilter(connection, state, event, key=key, before=before)

    def work(installation: Installation) -> tuple[list[Delivery], list[str]]:
        found = list(installation.store.deliveries(wanted, limit))
        return found, _silent(installation, [connection] if connection else None)

    found, silent = _done(context, work)
    if as_json or given(context).as_json:
        say_json(found)
        return
    if not found:
        say("No webhook has come in." if wanted == DeliveryFilter() else "None fits.")
    else:
        table(("number", "received", "connection", "event", "record", "state", "why"), map(_row, found))
    for line in silent:
        say(line)


@deliveries.command()
def show(
    context: typer.Context,
    delivery: Annotated[int, typer.Argument(help="Its number, as `list` shows it.", min=1)],
    as_json: AsJson = False,
) -> None:
    """One webhook: its headers (without secrets) and its body."""

    def work(installation: Installation) -> Shown:
        found = installation.store.delivery(delivery)
        if found is None:
            raise _unknown(delivery)
        body = installation.store.delivery_body(delivery) or b""
        return Shown(found, body.decode(errors="replace"))

    shown = _done(context, work)
    if as_json or given(context).as_json:
        say_json(shown)
        return
    for name, value in msgspec.structs.asdict(shown.delivery).items():
        if name not in ("headers", "mark"):
            say(f"{name.replace('_', ' '):<12}  {_plain(value)}")
    for name, value in shown.delivery.headers.items():
        say(f"  {name}: {value}")
    say(shown.body or "(The body is not kept.)")


@deliveries.command()
def redeliver(context: typer.Context, numbers: _Numbers, as_json: AsJson = False) -> None:
    """Use webhooks once more, as if they had just come: the syncs look at their records again."""

    def work(installation: Installation) -> list[dict[str, object]]:
        for number in numbers:
            if installation.store.delivery(number) is None:
                raise _unknown(number)
        routes, now = routes_of(installation.config.syncs), installation.clock.now()
        marked = use_again(installation.store, partial(_listener, installation), routes, numbers, now)
        return [msgspec.to_builtins(each) for each in marked.settled]

    settled = _done(context, work)
    if as_json or given(context).as_json:
        say_json(settled)
        return
    for each in settled:
        say(f"{each['id']}: {each['state']}. {each['why']}")


@deliveries.command()
def address(
    context: typer.Context,
    connection: Annotated[str, typer.Argument(help="A connection.")],
    new: Annotated[bool, typer.Option("--new", help="Make a new one; the old one is dead then.")] = False,
    as_json: AsJson = False,
) -> None:
    """Where a vendor should send a connection's webhooks, made on first use. Both lines are secrets."""

    def work(installation: Installation) -> Hook:
        return offer(installation, connection, is_new=new)

    given(context).ensure_key()
    hook = _done(context, work)
    if as_json or given(context).as_json:
        say_json(hook)
        return
    say(f"address  https://YOUR-SERVER{hook.path}")
    say(f"secret   {hook.secret}  (where the vendor asks for one)")


def _done(context: typer.Context, work: Callable[[Installation], _T]) -> _T:
    async def opened() -> _T:
        async with given(context).open() as installation:
            return work(installation)

    return wait(opened())


def _listener(installation: Installation, connection: str) -> Listener | None:
    return installation.listener(connection) if connection in installation.config.connections else None


def _silent(installation: Installation, connections: list[str] | None) -> list[str]:
    now = installation.clock.now()
    found = {
        name: silence_of(installation.store, name, now)
        for name in connections or installation.config.connections
    }
    return [
        f"{name}: no webhook since {each.last_at:%Y-%m-%d %H:%M} UTC, which is unusual."
        for name, each in found.items()
        if each.is_unusual
    ]


def _row(each: Delivery) -> tuple[str, ...]:
    received = f"{each.received_at:%Y-%m-%d %H:%M:%S}"
    record = " ".join(filter(None, (each.object_type, each.key)))
    return (str(each.id), received, each.connection, each.event, record, each.state.value, each.why)


def _plain(value: object) -> str:
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return "" if value is None else str(value.value if isinstance(value, Enum) else value)


def _unknown(number: int) -> UsageError:
    return UsageError(
        "delivery",
        f"There is no delivery {number}.",
        "See `syncline deliveries list`.",
        ProblemKind.NO_RECORD,
        str(number),
    )
