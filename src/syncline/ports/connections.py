"""What our memory knows of connections made over the API, of drafts of syncs, and of authorisations that were begun.

Part of `ports.Store`; implemented by `store.connections`, proved by `tests/store/connections_suite.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

import msgspec

CREDENTIALS_NAME = "connection:{}"
"""Under which name a connection's credentials are kept."""


class ConnectionState(Enum):
    """How a connection was when it was last tested."""

    UNTESTED = "untested"
    WAITING = "waiting"
    """Somebody has to authorise it first."""
    WORKING = "working"
    BROKEN = "broken"


class KeptConnection(msgspec.Struct, frozen=True):
    """A connection made over the API. `settings` hold no secret; `revision` grows with every change of them, not with
    what a test found (`state`, `why`)."""

    name: str
    vendor: str
    settings: Mapping[str, Any]
    revision: int
    state: ConnectionState
    why: str
    created_at: dt.datetime
    changed_at: dt.datetime


class Draft(msgspec.Struct, frozen=True):
    """A sync as somebody is setting it up. `body` is what `syncs.NAME` would hold; `changed_by` says who wrote it."""

    name: str
    body: Mapping[str, Any]
    revision: int
    changed_at: dt.datetime
    changed_by: str


class Authorisation(msgspec.Struct, frozen=True):
    """An authorisation that was begun. `hash` is a digest of what finds it again; `body` may be seen, `secrets` not."""

    hash: str
    connection: str
    vendor: str
    body: Mapping[str, Any]
    secrets: Mapping[str, str]
    expires_at: dt.datetime

    def __repr__(self) -> str:
        return f"Authorisation(connection={self.connection!r})"


class ConnectionStore(Protocol):
    """Connections, drafts and authorisations."""

    # connections

    def add_connection(
        self, name: str, vendor: str, settings: Mapping[str, Any], state: ConnectionState, now: dt.datetime
    ) -> KeptConnection | None:
        """Keep a new connection, of revision 1; None when there is one of this name."""
        ...

    def kept_connection(self, name: str) -> KeptConnection | None:
        """One connection."""
        ...

    def kept_connections(self) -> Sequence[KeptConnection]:
        """All of them, by name."""
        ...

    def change_connection(
        self, name: str, settings: Mapping[str, Any], revision: int, now: dt.datetime
    ) -> KeptConnection | None:
        """Replace the settings on top of a revision, which grows by one; None when another one is in force."""
        ...

    def note_connection(self, name: str, state: ConnectionState, why: str) -> None:
        """Keep what a test found. The revision stays."""
        ...

    def remove_connection(self, name: str) -> bool:
        """Remove a connection and what was begun for it; False when there is none. Its secrets are forgotten apart."""
        ...

    # drafts

    def draft(self, name: str) -> Draft | None:
        """The draft of one sync."""
        ...

    def drafts(self) -> Sequence[Draft]:
        """All of them, by name."""
        ...

    def save_draft(
        self, name: str, body: Mapping[str, Any], by: str, now: dt.datetime, revision: int | None = None
    ) -> Draft | None:
        """Keep a draft. With a `revision` only on top of that one (0: only when there is none): None when another is in
        force. The revision grows by one."""
        ...

    def remove_draft(self, name: str) -> bool:
        """Remove a draft; False when there is none."""
        ...

    # authorisations

    def begin_authorisation(self, begun: Authorisation) -> None:
        """Keep an authorisation; its secrets are encrypted."""
        ...

    def take_authorisation(self, hash_: str) -> Authorisation | None:
        """One that was begun, also an expired one, and forget it: whoever takes it is the only one."""
        ...

    def forget_authorisations(self, before: dt.datetime) -> int:
        """Forget those that expired by then; answers how many."""
        ...

    # secrets

    def forget_secret(self, name: str) -> bool:
        """Remove a secret for good; False when there is none."""
        ...

    def secret_names(self) -> Sequence[str]:
        """The names of all secrets."""
        ...
