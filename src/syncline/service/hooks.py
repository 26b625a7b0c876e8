"""A connection's webhook address and secret: made once, kept encrypted, shown to whoever sets the webhook up.

Used by the service when it starts, by the command line and by the API. The address is the key to the door: 128 random bits
that nobody can guess, and that no listing shows.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from syncline.bootstrap import Installation
from syncline.config import WorkspaceSettings
from syncline.ports import Store
from syncline.ports.listening import PATH_NAME, SECRET_NAME
from syncline.service.intake import Intake

PREFIX = "/hooks/"
Token = Callable[[], str]
"""At least 128 random bits as text that may stand in a path."""


class Hook(msgspec.Struct, frozen=True):
    """Where a vendor sends a connection's webhooks, and the secret to give it where it asks for one."""

    path: str
    secret: str


def open_hook(store: Store, connection: str, token: Token, *, is_new: bool = False) -> Hook:
    """The connection's address and secret, made when there are none yet, or anew: the old address is dead then. Raises
    `SetupError` when the installation has no key to keep secrets with."""
    with store.transaction():
        found = None if is_new else hook_of(store, connection)
        if found is None:
            found = Hook(f"{PREFIX}{token()}", token())
            store.save_secret(PATH_NAME.format(connection), found.path.removeprefix(PREFIX))
            store.save_secret(SECRET_NAME.format(connection), found.secret)
        return found


def open_doors(intake: Intake, installation: Installation) -> None:
    """Listen for every configured connection that has an address, and for no other. Raises `ConfigError` for a key that is
    none."""
    for name in intake.connections - installation.config.connections.keys():
        intake.close(name)
    for name, settings in installation.config.connections.items():
        if isinstance(settings, WorkspaceSettings):
            continue
        hook = hook_of(installation.store, name)
        if hook is not None:
            intake.open(name, hook.path.removeprefix(PREFIX), installation.listener(name))


def hook_of(store: Store, connection: str) -> Hook | None:
    """The connection's address and secret, where they were made."""
    path = store.secret(PATH_NAME.format(connection))
    secret = store.secret(SECRET_NAME.format(connection))
    return Hook(f"{PREFIX}{path}", secret or "") if path else None
