"""A message and a channel's address into something sent: mail, Slack, Teams, and whatever else Apprise knows.

Used by `service.alerts`. The address holds tokens and passwords: it is never part of a text that is made here. Sending
blocks, so it is done in a thread, and nobody waits for it longer than told.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable

from apprise import Apprise, NotifyBase, NotifyFormat, NotifyType

from syncline.core.alerting import Message
from syncline.errors import Problem, Refusal, RequestError

Check = Callable[[str], None]
"""Raises a `SynclineError` when we must not call an address (the guard against calls into our own network)."""

_SCHEMA = re.compile(r"([a-z0-9_+-]{1,32})://", re.IGNORECASE)
# They speak to the machine that we run on, not to a person.
_LOCAL = frozenset({"dbus", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"})
_APPRISE_LOG = "apprise"


def anything(url: str) -> None:
    """A check that lets everything through."""
    del url


def schema_of(address: str) -> str:
    """What kind of channel an address is (mailto, slack, msteams): all that may be shown of it."""
    found = _SCHEMA.match(address)
    return found[1].lower() if found else ""


def checked(address: str, check: Check = anything) -> None:
    """Raises `RequestError` for an address that Apprise does not know or that speaks to this machine only, and what
    `check` raises for a host that we must not call."""
    plugin = _plugin(address)
    if plugin is None or schema_of(address) in _LOCAL:
        problem = Problem(
            "address",
            "is no address of a channel.",
            "Write an Apprise URL, such as mailtos://user:password@mail.example.test?to=owner@example.test.",
        )
        raise RequestError("The channel's address cannot be used.", Refusal.INVALID, problems=(problem,))
    for url in _called(plugin):
        check(url)


async def send(address: str, message: Message, seconds: float, check: Check = anything) -> str:
    """Send a message; answers why it did not go out, empty when it did. Never longer than so many seconds."""
    schema = schema_of(address)
    try:
        async with asyncio.timeout(seconds):
            is_sent = await asyncio.to_thread(_notify, address, message, check)
    except RequestError as error:
        return str(error.args[0])
    except TimeoutError:
        return f"{schema}: no answer within {seconds:g} s."
    return "" if is_sent else f"{schema}: the message was not taken."


def _notify(address: str, message: Message, check: Check) -> bool:
    checked(address, check)
    apprise = Apprise()
    if not apprise.add(address):  # pyright: ignore[reportUnknownMemberType] - their types name a bare dict
        return False
    kind = NotifyType.SUCCESS if message.is_good else NotifyType.WARNING
    return bool(
        apprise.notify(  # pyright: ignore[reportUnknownMemberType] - their types name a bare dict
            body=message.text, title=message.title, notify_type=kind, body_format=NotifyFormat.TEXT
        )
    )


def _plugin(address: str) -> NotifyBase | None:
    # Its own messages name addresses and answers; what we tell is enough.
    logging.getLogger(_APPRISE_LOG).setLevel(logging.CRITICAL + 1)
    made = Apprise.instantiate(address)  # pyright: ignore[reportUnknownMemberType] - their types name a bare dict
    return made if isinstance(made, NotifyBase) else None


def _called(plugin: NotifyBase) -> list[str]:
    """The hosts of its own that an address names. For the others the part in a host's place is a token: looking that up
    would tell it to a name server."""
    hosts: list[object] = [getattr(plugin, "smtp_host", None)]
    if any("{host}" in str(template) for template in plugin.templates):
        hosts.append(getattr(plugin, "host", None))
    port = getattr(plugin, "port", None)
    ending = f":{port}/" if isinstance(port, int) else "/"
    return [f"https://{host}{ending}" for host in dict.fromkeys(hosts) if isinstance(host, str) and host]
