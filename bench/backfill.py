"""A first sync under the vendor's quota of 100 calls in 10 seconds, against the least time that the quota allows.

The sandbox runs four times as fast as the vendor: 100 calls in 2.5 seconds, each answered after 25 ms instead of 100. What
the quota governs (from the first create to the last) is told at the vendor's pace, four times as long (so our own delays in
it count four times); the rest of the run (listing, matching, planning) is added as it is. No share of the quota is kept for live
edits (`quota.reserve: false`): with the usual tenth kept, the least time is that of 90 calls.
"""

from __future__ import annotations

import asyncio
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench.accounts import OBJECT, SYNC, make_object, tasks, written
from bench.figures import Figure, at_most
from bench.town import Town, vendors
from syncline.bootstrap import SystemClock
from syncline.connectors.http import AiohttpTransport
from syncline.sandbox.faults import Fault, FaultKind

SHARE = 1.03
_CALLS, _SECONDS = 100, 10.0
_LATE = 0.1
_FASTER = 4


class _Ran(msgspec.Struct, frozen=True):
    """As much of a run's report as is looked at."""

    seconds: float


def figures(*, is_quick: bool) -> Iterator[Figure]:
    """The time of 10 k records (quick: 300), and how often the vendor had to say no."""
    yield from measure(300 if is_quick else 10_000)


def figures_at_real_pace(*, is_quick: bool) -> Iterator[Figure]:
    """The same at the vendor's own pace: a quarter of an hour."""
    yield from measure(300 if is_quick else 10_000, 1)


def measure(count: int, faster: float = _FASTER) -> list[Figure]:
    """The figures of a first sync of so many records."""
    seconds, span, refused = asyncio.run(_measured(count, faster))
    least = (math.ceil(count / _CALLS) - 1) * _SECONDS
    took = span * faster + (seconds - span)
    return [
        at_most(f"first sync of {count:,} records, 100 calls in 10 s", took, "s", least, SHARE),
        at_most("calls refused for their rate", refused, "calls", 0, 1),
    ]


async def _measured(count: int, faster: float) -> tuple[float, float, int]:
    """Seconds of the run, seconds from the first create to the last, and how many 429s there were."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        async with vendors() as accounts:
            town = Town(Path(folder), accounts)
            right = accounts[1]
            await _furnish(town, count)
            interval = int(_SECONDS * 1000 / faster)
            await right.tell("quota", {"burst": _CALLS, "interval_ms": interval, "daily": 200_000})
            late = Fault(FaultKind.SLOW, "POST", f"/objects/{OBJECT}/records$", seconds=_LATE / faster)
            await right.tell("faults", late)
            await asyncio.sleep(interval / 1000)
            await right.noted()
            ran = msgspec.json.decode(town.command("run", "--json"), type=dict[str, _Ran])
            made = [each.at for each in await right.noted()]
            assert len(made) == count, f"{len(made)} of {count} were made"
            stats = await right.act("stats")
    return ran[SYNC].seconds, max(made) - min(made), stats["refused_429"]


async def _furnish(town: Town, count: int) -> None:
    """So many tasks, an empty object, and a configuration that joins them."""
    transport = AiohttpTransport()
    await make_object(town.reach, SystemClock(), transport)
    await transport.close()
    made = tasks(count)
    for start in range(0, count, 500):
        await town.vendors[0].act("load", tasks=made[start : start + 500])
    configuration = written(town.reach, 0)
    configuration["connections"]["hl"]["quota"] = {"reserve": False}
    town.write(configuration)
