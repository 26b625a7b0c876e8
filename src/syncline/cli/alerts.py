"""Alerts and the channels that are told of them, from the command line."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import msgspec
import typer

from syncline.bootstrap import Installation
from syncline.cli.context import AsJson, given, wait
from syncline.cli.output import say, say_json, table
from syncline.core.alerting import Alert, AlertKind, Channel
from syncline.errors import ProblemKind, TransientError, UsageError
from syncline.ports import AlertFilter
from syncline.service.alerts import Alerts
from syncline.service.watching import Watching
from syncline.service.wished import wished

alerts = typer.Typer(help="What is or was wrong, and who is told.", no_args_is_help=True)
_T = TypeVar("_T")

_Name = Annotated[str, typer.Argument(help="The channel's name.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.add_typer(alerts, name="alerts", rich_help_panel="Service")


class ShownChannel(msgspec.Struct, frozen=True):
    """A channel as it is shown: with what kind of address it has, never the address."""

    name: str
    service: str
    kinds: list[AlertKind]
    is_on: bool
    failure: str


@alerts.command("list")
def list_alerts(
    context: typer.Context,
    closed: Annotated[bool, typer.Option("--closed", help="Those that are over too.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)] = 50,
    as_json: AsJson = False,
) -> None:
    """Open alerts, newest first. No call is made."""

    async def work(installation: Installation, _: Alerts) -> list[Alert]:
        return list(installation.store.alerts(AlertFilter(None if closed else True), limit))

    found = _done(context, work)
    if as_json or given(context).as_json:
        say_json(found)
    elif not found:
        say("No alert is open." if not closed else "There was no alert.")
    else:
        for each in found:
            _tell(each)


@alerts.command()
def close(
    context: typer.Context,
    alert: Annotated[int, typer.Argument(help="Its number, as `list` shows it.", min=1)],
    as_json: AsJson = False,
) -> None:
    """Close an alert by hand: nobody is told, and what is found again opens a new one."""

    async def work(installation: Installation, service: Alerts) -> Alert:
        if installation.store.alert(alert) is None:
            text, remedy = f"There is no alert {alert}.", "See `syncline alerts list --closed`."
            raise UsageError("alert", text, remedy, ProblemKind.NO_RECORD, str(alert))
        return service.close(alert)

    found = _done(context, work)
    if as_json or given(context).as_json:
        say_json(found)
    else:
        say(f"Closed: {found.text}")


@alerts.command()
def channels(context: typer.Context, as_json: AsJson = False) -> None:
    """The channels that alerts go to, and whether the last message arrived."""

    async def work(installation: Installation, service: Alerts) -> list[ShownChannel]:
        return [_shown(each, service) for each in installation.store.channels()]

    found = _done(context, work)
    if as_json or given(context).as_json:
        say_json(found)
    elif not found:
        say("There is no channel yet: `syncline alerts set NAME` makes one.")
    else:
        rows = [
            (each.name, each.service, _kinds(each), "on" if each.is_on else "off", each.failure)
            for each in found
        ]
        table(("channel", "service", "kinds", "is", "last failure"), rows)


@alerts.command("set")
def set_channel(
    context: typer.Context,
    name: _Name,
    kinds: Annotated[
        list[AlertKind] | None,
        typer.Option("--kind", help="Only this kind (again for more); all unless named."),
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Keep it, and send nothing there.")] = False,
    keep: Annotated[bool, typer.Option("--keep-address", help="Leave the address as it is.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a channel, or change one. Its address, an Apprise URL, is asked for: it may hold a password."""
    address = None if keep else _asked()
    given(context).ensure_key()

    async def work(_: Installation, service: Alerts) -> ShownChannel:
        kept = await service.save_channel(name, frozenset(kinds or ()), is_on=not off, address=address)
        return _shown(kept, service)

    found = _done(context, work)
    if as_json or given(context).as_json:
        say_json(found)
    else:
        say(f"Alerts go to {found.name} ({found.service}); `syncline alerts test {found.name}` tries it.")


@alerts.command()
def remove(context: typer.Context, name: _Name, as_json: AsJson = False) -> None:
    """Remove a channel and its address."""

    async def work(installation: Installation, service: Alerts) -> ShownChannel:
        found = _shown(_known(installation, name), service)
        service.drop_channel(name)
        return found

    found = _done(context, work)
    if as_json or given(context).as_json:
        say_json(found)
    else:
        say(f"Removed {name}.")


@alerts.command("test")
def try_channel(context: typer.Context, name: _Name, as_json: AsJson = False) -> None:
    """Send a message that says it is a test. Exit code 75 when it did not go out."""

    async def work(installation: Installation, service: Alerts) -> ShownChannel:
        _known(installation, name)
        return _shown(await service.try_channel(name), service)

    found = _done(context, work)
    if found.failure:
        raise TransientError(found.failure, connection=name)
    if as_json or given(context).as_json:
        say_json(found)
    else:
        say(f"A test message went to {name}.")


def _asked() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Address (an Apprise URL)", hide_input=True)).strip()
    return sys.stdin.readline().strip()


def _done(context: typer.Context, work: Callable[[Installation, Alerts], Awaitable[_T]]) -> _T:
    async def opened() -> _T:
        async with given(context).open() as installation:
            watching = Watching(lambda: installation, lambda: wished(installation).settings.limits())
            return await work(installation, Alerts(watching))

    return wait(opened())


def _known(installation: Installation, name: str) -> Channel:
    found = {each.name: each for each in installation.store.channels()}
    if name not in found:
        text, remedy = f"There is no channel '{name}'.", f"There are: {', '.join(found) or 'none yet'}."
        raise UsageError("channel", text, remedy, ProblemKind.NO_RECORD, name)
    return found[name]


def _shown(channel: Channel, service: Alerts) -> ShownChannel:
    kinds = sorted(channel.kinds, key=lambda kind: kind.value)
    return ShownChannel(channel.name, service.schema(channel.name), kinds, channel.is_on, channel.failure)


def _kinds(channel: ShownChannel) -> str:
    return ", ".join(kind.value for kind in channel.kinds) or "all"


def _tell(each: Alert) -> None:
    over = "" if each.closed_at is None else f", over since {each.closed_at:%Y-%m-%d %H:%M} UTC"
    times = "" if each.count == 1 else f", found {each.count} times"
    say(
        f"{each.id}  {each.about.kind.value} ({each.about.subject}) since {each.first_at:%Y-%m-%d %H:%M} UTC{times}{over}"
    )
    say(f"   {each.text}")
    if each.remedy and each.is_open:
        say(f"   What to do: {each.remedy}")
