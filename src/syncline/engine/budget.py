"""What a connection may still use, what it used today, and when the work that waits will be done.

Called by the CLI; from our own memory alone, no call is made.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from syncline.core.quota import DAY, CallForecast, Purpose, Quota, Usage, forecast_calls, kept, next_midnight
from syncline.core.records import Side, SyncId
from syncline.engine.report import Summary, last_runs, told
from syncline.ports import Store

_PER_WRITE = 2
"""A look and a write."""
_RUNS = 20
"""How many runs are looked at for the last full one."""


class Pending(msgspec.Struct, frozen=True):
    """What the next full run of a sync will ask this connection, as far as earlier runs tell: `reads` calls to see the
    records, and `writes` that wait (for calls, or for another try). `is_known` is false before the first full run: nobody
    knows then what looking takes."""

    sync: SyncId
    side: Side
    reads: int
    writes: int
    forecast: CallForecast
    is_known: bool = True


class Budget(msgspec.Struct, frozen=True):
    """One connection's limits and calls. A limit is None where nobody tells one; the `_kept` part of each is left to
    live work. `left_for_bulk` is what full runs may still use today; `used_today` counts from `counted_from` on."""

    connection: str
    burst_limit: int | None
    burst_seconds: float | None
    burst_kept: int
    daily_limit: int | None
    daily_kept: int
    daily_left: int | None
    left_for_bulk: int | None
    resets_at: dt.datetime | None
    reserve: float
    used_today: Mapping[str, int]
    hours: tuple[Usage, ...]
    pending: tuple[Pending, ...]
    counted_from: dt.datetime


def budget_of(
    store: Store, connection: str, quota: Quota, sides: Iterable[tuple[SyncId, Side]], now: dt.datetime
) -> Budget:
    """The budget of a connection that these sides of syncs use."""
    midnight = next_midnight(now) - DAY
    hours = store.usage(connection, midnight)
    return Budget(
        connection,
        quota.burst_limit,
        quota.burst_seconds,
        0 if quota.burst_limit is None else kept(quota.burst_limit, quota.reserve),
        quota.daily_limit,
        0 if quota.daily_limit is None else kept(quota.daily_limit, quota.reserve),
        quota.daily_left,
        quota.left(Purpose.BULK),
        quota.resets_at,
        quota.reserve,
        _by_purpose(hours),
        tuple(hours),
        tuple(_pending(store, sync, side, quota, now) for sync, side in sides),
        midnight,
    )


def _by_purpose(hours: Sequence[Usage]) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for each in hours:
        found[each.purpose.value] += each.calls
    return dict(found.most_common())


def _pending(store: Store, sync: SyncId, side: Side, quota: Quota, now: dt.datetime) -> Pending:
    """By the last run for what waits, and by the last full one for what looking takes."""
    stories = [story for run in last_runs(store, sync, _RUNS) if (story := told(run)) is not None]
    full = next((story for story in stories if story.is_full), None)
    reads = 0 if full is None else _reads(full, side)
    waiting = sum(each.writes for each in stories[0].postponed if each.side is side) if stories else 0
    waiting += sum(each.due is not None and each.side is side for each in store.parked(sync))
    forecast = forecast_calls(reads + _PER_WRITE * waiting, quota, now)
    return Pending(sync, side, reads, waiting, forecast, full is not None)


def _reads(story: Summary, side: Side) -> int:
    return story.read_left if side is Side.LEFT else story.read_right
