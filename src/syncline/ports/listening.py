"""What a webhook's body means, told by whoever knows the vendor: heard, or refused.

Implemented by the connectors' `webhooks` modules, made by `bootstrap`, used by `service.intake`, which knows no vendor.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import Enum
from typing import Protocol

import msgspec

PATH_NAME = "hook:{}"
"""Under which name the secret part of a connection's webhook address is kept."""
SECRET_NAME = "hook-secret:{}"  # noqa: S105 - a name, no secret
"""Under which name the secret is kept that a connection's webhooks must carry, where its vendor has such."""


class Verdict(Enum):
    """What is to be done about an event."""

    LOOK = "look"
    """Something changed that a sync may care for: look at it."""
    NOTE = "note"
    """Nothing that a sync could look at; it is noted and answered, nothing more."""


class Spoken(msgspec.Struct, frozen=True):
    """A record that an event speaks of. `object_type` is empty where the vendor does not tell it; `key` is empty where
    any record of the type may have changed."""

    object_type: str
    key: str = ""


class Heard(msgspec.Struct, frozen=True):
    """A genuine event. `mark` tells one delivery from another and is the same when the vendor sends it again; where the
    vendor gives none, it is empty and a digest of the body serves.

    `spoken` are the records it is about, the first one first; `happened_at` is the vendor's own time (aware UTC).
    `is_schema`: fields or types changed, not records. `project` is the place where it happened, where the vendor has such.
    `account` is the vendor's id of the account it happened in, where it tells. `why` says of an event that is only noted why
    it is.
    """

    event: str
    verdict: Verdict
    mark: str = ""
    spoken: tuple[Spoken, ...] = ()
    happened_at: dt.datetime | None = None
    is_schema: bool = False
    project: str = ""
    account: str = ""
    why: str = ""


class Refused(msgspec.Struct, frozen=True):
    """What is not believed. `is_forged` says that who sent it is in doubt (401), otherwise the body makes no sense (400).
    `why` is one sentence and repeats nothing of what was sent."""

    why: str
    is_forged: bool = True


class Listener(Protocol):
    """One connection's ear. Pure: no call is made, nothing is kept."""

    @property
    def account(self) -> str:
        """The vendor's id of the account that this connection is for; empty where its events do not tell one."""
        ...

    def hear(self, headers: Mapping[str, str], body: bytes) -> Heard | Refused:
        """Verify a request and say what it means. Header names are lower case; `body` is as it came, byte for byte."""
        ...

    def read(self, body: bytes) -> Heard | Refused:
        """The same for a body that was verified when it came in and was kept."""
        ...
