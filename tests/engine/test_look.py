"""The looks around a write: what moved meanwhile is not written over, and is decided on in the next run, also when no
listing of changes ever shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from syncline.connectors.memory import MemoryConnector
from syncline.connectors.memory.account import When, no_faults
from syncline.core.decisions import DeletePolicy, Rule
from syncline.core.mapping import ConflictPolicy
from syncline.core.records import RecordKey, Scope, Side, Update, Write
from syncline.core.values import Number
from syncline.engine.runs import Options
from syncline.ports import Ending, Page
from tests.engine.pair import Pair, edited, task, ticket

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


class Edited(MemoryConnector):
    """Somebody edits a record right before the first listing."""

    deed: Callable[[], object] | None = None

    async def pages(self, scope: Scope, since: str | None = None) -> AsyncIterator[Page | Ending]:
        """The account's."""
        if self.deed is not None:
            self.deed()
            self.deed = None
        async for part in super().pages(scope, since):
            yield part


async def test_a_listing_that_shows_a_later_edit_is_believed_over_the_read_before_it() -> None:
    pair = Pair(conflicts=ConflictPolicy.LEFT)
    left = pair.left.create(task("Paint", hours=1))
    await pair.settled()
    other, news = pair.key(Side.RIGHT, "Paint"), pair.right.create(ticket("Print"))
    pair.left.edit(left, edited(hours=None))
    pair.right.edit(other, edited(effort=None))
    busy = Edited(pair.left, name="left")

    def edit() -> None:
        pair.clock.advance(1)
        pair.left.edit(left, edited(hours=3))

    busy.deed = edit
    pair.connectors[Side.LEFT] = busy

    await pair.run(Options(only=frozenset({(Side.LEFT, left), (Side.RIGHT, news)})))

    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == Number(3)
