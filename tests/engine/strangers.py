"""Two records that nobody can tell apart or together yet: the worlds of the tests about links made by hand."""

from __future__ import annotations

from syncline.core.decisions import Rule
from syncline.core.mapping import ConflictPolicy
from syncline.core.match import MatchMode
from syncline.core.memory import Standing
from syncline.core.records import RecordKey, Side
from tests.engine.pair import Pair, task, ticket


def rules_of(pair: Pair, key: RecordKey) -> list[Rule]:
    """What the history tells of a record as a whole."""
    return [entry.rule for entry in pair.store.history(pair.sync().id, key) if not entry.field]


def standing(pair: Pair, side: Side, key: RecordKey) -> Standing:
    """How a record stands."""
    return pair.store.seen(pair.sync().id, side, [key])[key].standing


def apart_keys(
    mode: MatchMode = MatchMode.MATCH_THEN_CREATE, conflicts: ConflictPolicy = ConflictPolicy.NEWEST
) -> Pair:
    """A world in which no key stands for a record on both sides."""
    pair = Pair(mode=mode, conflicts=conflicts)
    pair.right.sequence = 100
    return pair


async def strangers() -> tuple[Pair, RecordKey, RecordKey]:
    """A sync that only matches, and two records that are the same thing under two names."""
    pair = apart_keys(mode=MatchMode.MATCH_ONLY)
    left = pair.left.create(task("Paint the fence", hours=1, note="oak", labels=["a"]))
    pair.clock.advance(10)
    there = pair.right.create(ticket("Fence: paint it", effort=2, tags=["b"]))
    await pair.run()
    return pair, left, there


async def twins() -> tuple[Pair, RecordKey, RecordKey, RecordKey]:
    """One record on the left, two with its name on the right: nobody can tell which it is."""
    pair = apart_keys()
    left = pair.left.create(task("Door", hours=1))
    pair.clock.advance(10)
    first = pair.right.create(ticket("Door", effort=2))
    second = pair.right.create(ticket("Door", effort=3))
    await pair.run()
    return pair, left, first, second


async def linked(conflicts: ConflictPolicy = ConflictPolicy.NEWEST) -> tuple[Pair, RecordKey, RecordKey]:
    """Two records in step."""
    pair = apart_keys(conflicts=conflicts)
    left = pair.left.create(task("Door", hours=1, note="oak"))
    await pair.settled()
    return pair, left, pair.key(Side.RIGHT, "Door")
