"""Who does something, known to whatever keeps the audit trail, however deep below the one who was asked.

Set by `web` for each request, read by the store when it appends to the trail. What the service does by itself is done by
nobody.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec


class Actor(msgspec.Struct, frozen=True, omit_defaults=True):
    """The number of a user, and of the API token that a program came with on their behalf."""

    by: int
    token: int | None = None


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


@contextmanager
def acting(actor: Actor | None) -> Generator[None]:
    """Let every entry of the audit trail that is made inside say who did it."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def actor_now() -> Actor | None:
    """Who does what is being done here; None where nobody is known, or nobody did it."""
    return _actor.get()
