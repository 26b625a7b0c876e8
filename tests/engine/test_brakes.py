"""What changed around a sync since it last ran: nothing is written before a person has looked."""

from __future__ import annotations

import msgspec

from syncline.core.brakes import BrakeName
from syncline.core.records import Side
from syncline.core.values import FieldType, Text
from syncline.engine.runs import Options, Report
from tests.engine.pair import MAPPINGS, TICKET, Pair, edited, task


def _pulled(report: Report) -> list[BrakeName]:
    return [brake.name for brake in report.plan.brakes]


async def test_a_match_key_that_changed_its_type_stops_the_run_until_it_is_let_go() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", hours=1))
    await pair.settled()
    pair.left.edit(left, edited(hours=2))
    changed = tuple(
        msgspec.structs.replace(each, type=FieldType.PHONE) if each.id == "title" else each
        for each in TICKET.fields
    )
    pair.right.schema = msgspec.structs.replace(TICKET, fields=changed)

    stopped = await pair.run()
    released = await pair.run(Options(release=frozenset({BrakeName.SCHEMA_DRIFT})))

    assert _pulled(stopped) == [BrakeName.SCHEMA_DRIFT]
    assert "'title' on the right was text and is phone" in stopped.plan.brakes[0].sentence
    assert stopped.writes == 0
    assert released.right.updated == 1
    assert _pulled(await pair.run()) == []


async def test_a_changed_mapping_stops_the_run_and_then_fills_the_new_field() -> None:
    pair = Pair(mappings=MAPPINGS[:1])
    pair.left.create(task("Paint", note="fresh"))
    await pair.settled()
    pair.mappings = (MAPPINGS[0], MAPPINGS[4])

    stopped = await pair.run()
    released = await pair.run(Options(release=frozenset({BrakeName.MAPPING_CHANGED})))

    assert (_pulled(stopped), stopped.writes) == ([BrakeName.MAPPING_CHANGED], 0)
    assert released.right.updated == 1
    assert pair.holds(Side.RIGHT)["Paint"]["remark"] == Text("fresh")
    assert (await pair.run()).is_quiet


async def test_a_clock_that_went_back_stops_the_run() -> None:
    pair = Pair()
    pair.left.create(task("Paint"))
    await pair.settled()
    pair.clock.advance(-7200)

    assert _pulled(await pair.run()) == [BrakeName.CLOCK_JUMP]
