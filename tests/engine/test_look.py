"""The looks around a write: what moved meanwhile is not written over, and is decided on in the next run, also when no
listing of changes ever shows it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from syncline.connectors.memory.account import When, no_faults
from syncline.core.decisions import DeletePolicy, Rule
from syncline.core.records import RecordKey, Side, Update, Write
from syncline.engine.runs import Options
from tests.engine.pair import Pair, edited, task

DELTA = Options(is_full=False)


def before_an_update(pair: Pair, deed: Callable[[RecordKey], object]) -> Callable[[When, Write], None]:
    """Somebody does something to the left record at the moment when an update arrives: once."""

    def strike(when: When, write: Write) -> None:
        if when is When.BEFORE and isinstance(write, Update):
            pair.left.faults = no_faults
            deed(write.key)

    return strike


@pytest.mark.parametrize("is_purged", [False, True])
async def test_a_record_that_goes_while_it_is_written_is_decided_on_though_no_delta_shows_it(
    is_purged: bool,
) -> None:
    pair = Pair(deletes=DeletePolicy.ASK)
    left = pair.left.create(task("Paint", hours=1))
    await pair.settled()
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=2))
    deed = pair.left.purge if is_purged else pair.left.delete
    pair.left.faults = before_an_update(pair, deed)

    first = await pair.run(DELTA)
    second = await pair.run(DELTA)

    assert [failure.key for failure in first.failures] == [left]
    assert not second.failures
    assert {step.rule for step in second.plan.steps} == {Rule.EDIT_BEATS_DELETE}
    assert await pair.settled()
    assert pair.holds(Side.LEFT).keys() == pair.holds(Side.RIGHT).keys() == {"Paint"}
