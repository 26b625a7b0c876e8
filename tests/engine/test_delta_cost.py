"""A delta run costs what changed, however many records are linked: counted in SQLite's own steps."""

from __future__ import annotations

from syncline.core.records import Side
from syncline.engine.runs import Options
from tests.engine.pair import Pair, edited, task, ticket

_EVERY = 10
_DELTA = Options(is_full=False)


async def _linked(count: int) -> Pair:
    pair = Pair()
    for number in range(count):
        pair.left.create(task(f"Record {number}", hours=1))
        pair.right.create(ticket(f"Record {number}", effort=1))
    await pair.settled()
    return pair


async def _steps(pair: Pair, changes: int) -> int:
    """SQLite's steps in a delta run with so many edits, in tens; what it wrote is listed by the run after."""
    for number in range(changes):
        pair.left.edit(pair.key(Side.LEFT, f"Record {number}"), edited(hours=number + 2))
    seen: list[None] = []
    connection = pair.store._connection
    connection.set_progress_handler(lambda: seen.append(None), _EVERY)
    report = await pair.run(_DELTA)
    connection.set_progress_handler(None, 0)
    assert report.right.updated == changes
    assert not report.is_full
    assert (await pair.run(_DELTA)).is_quiet
    return len(seen)


async def test_a_delta_run_takes_no_more_steps_on_a_database_twenty_times_as_large() -> None:
    small, large = await _linked(20), await _linked(400)

    for changes in (0, 5):
        few, many = await _steps(small, changes), await _steps(large, changes)
        assert many <= few * 1.1, (changes, few, many)


async def test_what_a_run_reports_is_what_there_is_to_count() -> None:
    pair = await _linked(20)
    for number in range(3):
        pair.left.create(task(f"New {number}"))

    report = await pair.run(_DELTA)

    assert report.counts == pair.store.recount(pair.sync().id)
    assert report.counts.links == 23
