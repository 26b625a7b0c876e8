"""The lags of a sync, and what waits to be written, into how it keeps its freshness objective.

Called by `service.watching` for the alert and by `service.metrics`.
"""

from __future__ import annotations

import datetime as dt

from syncline.core.objective import Burn, Objective, burn
from syncline.core.records import SyncId
from syncline.ports import Store

_HOUR = dt.timedelta(hours=1)


def freshness(store: Store, sync: SyncId, objective: Objective, now: dt.datetime) -> Burn:
    """How a sync does. Lags are kept by the hour, so the short window is between one and two hours long."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    recent, whole = store.lags(sync, hour - _HOUR), store.lags(sync, now - objective.over)
    marked = store.mark_counts().get(sync)
    # How many of the marks are late is not counted; that the oldest one is says that something is stuck.
    waiting = marked.count if marked is not None and now - marked.oldest > objective.within else 0
    return burn(objective, recent, whole, waiting)
