"""Records whose writes fail wait with their reason, while the rest goes on."""

from __future__ import annotations

import datetime as dt

import msgspec

from syncline.connectors.memory import When
from syncline.core.decisions import Rule
from syncline.core.records import Side, Write
from syncline.core.values import Number
from syncline.errors import RejectedError, TransientError
from tests.engine.pair import TICKET, Pair, edited, task, ticket


async def refusing(error: type[RejectedError | TransientError]) -> tuple[Pair, str]:
    """Two linked records edited on the left; the write of one on the right fails."""
    pair = Pair()
    keys = [pair.left.create(task(name, hours=1)) for name in ("Paint", "Print")]
    await pair.settled()
    bad = pair.key(Side.RIGHT, "Paint")

    def strike(when: When, write: Write) -> None:
        if when is When.BEFORE and getattr(write, "key", "") == bad:
            raise error("no")

    pair.right.faults = strike
    for key in keys:
        pair.left.edit(key, edited(hours=2))
    return pair, keys[0]


async def test_a_refused_record_is_parked_and_the_others_go_on() -> None:
    pair, _ = await refusing(RejectedError)

    first = await pair.run()
    second = await pair.run()

    assert [failure.code for failure in first.failures] == ["rejected"]
    assert pair.holds(Side.RIGHT)["Print"]["effort"] == Number(2)
    assert second.failures == ()
    assert [held.rule for held in second.plan.held] == [Rule.PARKED]
    assert [parked.due for parked in pair.store.parked(pair.sync().id)] == [None]


async def test_an_edit_gets_a_parked_record_going_again() -> None:
    pair, left = await refusing(RejectedError)
    await pair.run()
    pair.right.faults = lambda when, write: None
    pair.left.edit(left, edited(hours=3))

    await pair.settled()

    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == Number(3)
    assert pair.store.parked(pair.sync().id) == []


async def test_a_busy_vendor_is_tried_again_when_it_is_due_and_not_before() -> None:
    pair, _ = await refusing(TransientError)
    await pair.run()
    attempts = [(await pair.run(), pair.store.parked(pair.sync().id)[0].attempts)[1] for _ in range(12)]
    pair.right.faults = lambda when, write: None
    pair.clock.advance(dt.timedelta(hours=2).total_seconds())

    await pair.settled()

    assert attempts == sorted(attempts)
    assert attempts[-1] < 13
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == Number(2)


async def test_a_copy_whose_value_another_record_has_waits_for_a_person_and_is_not_sent_again() -> None:
    pair = Pair(has_external_keys=False)
    remark = msgspec.structs.replace(TICKET.fields[-1], is_unique=True)
    pair.right.schema = msgspec.structs.replace(TICKET, fields=(*TICKET.fields[:-1], remark))
    pair.right.create(ticket("Somebody else's", remark="zoe@example.test"))
    await pair.settled()
    pair.left.create(task("Paint", note="zoe@example.test"))

    first = await pair.run()
    second = await pair.run()

    assert [failure.code for failure in first.failures] == ["rejected.duplicate"]
    assert second.failures == ()
    assert [held.rule for held in second.plan.held] == [Rule.PARKED]
    assert [each.code for each in pair.store.parked(pair.sync().id)] == ["rejected.duplicate"]
