"""The vendors' clocks, noted when a run begins to create, into how much time has really passed at a vendor since.

Called by `apply` (which notes) and `recover` (which asks). Our own clock may jump between two runs, and whether a listing
that lags shows a new record by now is a matter of the vendor's time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from syncline.core.records import RunId, Side
from syncline.engine.sync import Sync, World

_MEMO = "clocks"
_ROUNDING = dt.timedelta(seconds=1)
"""Two times that are known to a second each."""

_decode = msgspec.json.Decoder(dict[str, dict[Side, float]]).decode


def note(world: World, sync: Sync, run: RunId) -> None:
    """Keep how far the vendors' clocks are ahead of ours, for as long as a write of this run waits for its outcome."""
    waiting = {str(intent.run) for intent in world.store.intents(sync.id)}
    kept = {each: ahead for each, ahead in _kept(world, sync).items() if each in waiting}
    skews = {side: sync.side(side).connector.skew for side in Side}
    kept[str(run)] = {side: skew.total_seconds() for side, skew in skews.items() if skew is not None}
    world.store.remember(sync.id, _MEMO, msgspec.json.encode(kept).decode())


def passed(
    world: World, sync: Sync, side: Side, run: RunId, since: dt.datetime, until: dt.datetime
) -> dt.timedelta:
    """How much time passed at a vendor between two moments of our clock, the first one in that run and the second one
    now; at least so much, where the vendor tells its time, else as much as our clock says."""
    then = _kept(world, sync).get(str(run), {}).get(side)
    now = sync.side(side).connector.skew
    if then is None or now is None:
        return until - since
    return until - since + now - dt.timedelta(seconds=then) - _ROUNDING


def _kept(world: World, sync: Sync) -> Mapping[str, dict[Side, float]]:
    kept = world.store.recall(sync.id, _MEMO)
    return _decode(kept) if kept else {}
