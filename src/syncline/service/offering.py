"""A connection into the address that its vendor sends webhooks to: made on first use, and listened at from then on.

Called by `web.connections` and by `syncline deliveries address`. Every process notices it by the revision.
"""

from __future__ import annotations

import secrets
from functools import partial

from syncline.bootstrap import Installation
from syncline.core.audit import AuditKind
from syncline.service.hooks import Hook, hook_of, open_hook
from syncline.service.runtime import bump

_TOKEN_BYTES = 16


def offer(installation: Installation, name: str, by: int | None = None, *, is_new: bool = False) -> Hook:
    """The address and the secret of a connection's webhooks; with `is_new` others than before, and the old address is dead.
    `by` is the number of the user who asks. Raises `UsageError` for a connection that is not there, `ConfigError` for a key
    of its webhooks that is none, `SetupError` where there is no key to keep secrets with."""
    # Where nobody could listen, no address is given away.
    installation.listener(name)
    store, token = installation.store, partial(secrets.token_urlsafe, _TOKEN_BYTES)
    with store.transaction():
        before = hook_of(store, name)
        hook = open_hook(store, name, token, is_new=is_new)
        if hook != before:
            told = {"by": by, "fields": ["webhook address"]}
            store.audit(AuditKind.CONNECTION_CHANGED, told, now=installation.clock.now(), subject=name)
            bump(store, installation.clock)
    return hook
