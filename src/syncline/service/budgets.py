"""A connection into its budget: which syncs use it, and what the vendor and our own memory tell of its calls.

Called by the CLI and by `web.quota`. No call is made.
"""

from __future__ import annotations

from syncline.bootstrap import Installation
from syncline.core.records import Side, SyncId
from syncline.engine.budget import Budget, budget_of


def budget(installation: Installation, name: str) -> Budget:
    """What a connection may still call, what it called today, and what waits. Raises `UsageError` for a name that is not
    there."""
    sides = [
        (SyncId(sync), side)
        for sync, settings in installation.config.syncs.items()
        for side in Side
        if settings.side(side).connection == name
    ]
    left = installation.connector(name).quota
    return budget_of(installation.store, name, left, sides, installation.clock.now())
