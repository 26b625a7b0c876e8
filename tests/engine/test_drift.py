"""A field that changed at its vendor: its own line rests and says why, and everything else goes on."""

from __future__ import annotations

import random
from dataclasses import replace

import msgspec
import pytest

from syncline.core.brakes import BrakeName
from syncline.core.changes import digest
from syncline.core.mapping import FieldMapping
from syncline.core.records import FieldId, FieldSchema, Option, Side
from syncline.core.shapes import UNFIT, Paused
from syncline.core.values import BLANK, FieldType, Text
from syncline.engine import versions
from syncline.engine.drift import paused
from syncline.engine.runs import Options, Report, preview, run
from syncline.engine.sync import Sync, Unfit
from syncline.engine.views import status_of
from tests.engine.pair import MAPPINGS, TASK, TICKET, Pair, edited, task

STAGE = FieldMapping(FieldId("stage"), FieldId("state"), values=(("open", "active"), ("done", "closed")))
BY_LABEL = FieldMapping(FieldId("stage"), FieldId("state"), is_lossy=True)
RELEASED = Options(release=frozenset({BrakeName.SCHEMA_DRIFT}))


def _right(pair: Pair, name: str, **changed: object) -> None:
    """Change the description of one field on the right."""
    fields = tuple(
        msgspec.structs.replace(each, **changed) if each.id == name else each
        for each in pair.right.schema.fields
    )
    pair.right.schema = msgspec.structs.replace(pair.right.schema, fields=fields)


def _options(*options: tuple[str, str]) -> tuple[Option, ...]:
    return tuple(Option(key, label) for key, label in options)


async def _linked(pair: Pair | None = None) -> Pair:
    pair = pair or Pair()
    pair.left.create(task("Paint", hours=1, stage=("open",)))
    await pair.settled()
    return pair


async def test_a_changed_type_rests_its_line_while_the_others_go_on() -> None:
    pair = await _linked()
    left = pair.key(Side.LEFT, "Paint")
    _right(pair, "effort", type=FieldType.TEXT)
    pair.left.edit(left, edited(hours=5, note="now"))

    report = await pair.run()

    (resting,) = report.plan.paused
    assert resting.line == "hours ↔ effort"
    assert resting.reason == "'effort' on the right was number and is text."
    assert "--release schema_drift" in resting.remedy
    assert report.plan.brakes == ()
    assert pair.holds(Side.RIGHT)["Paint"]["remark"] == Text("now")
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] != Text("5")
    assert status_of(pair.store, "tickets").paused == (resting,)
    assert (await preview(pair.world(), pair.sync())).paused == (resting,)


async def test_it_rests_in_every_run_until_it_is_let_go_and_then_catches_up() -> None:
    pair = await _linked()
    left = pair.key(Side.LEFT, "Paint")
    _right(pair, "effort", type=FieldType.TEXT)
    pair.left.edit(left, edited(hours=5))
    await pair.run()

    again = await pair.run()
    released = await pair.run(RELEASED)

    assert [each.line for each in again.plan.paused] == ["hours ↔ effort"]
    assert released.plan.paused == ()
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == Text("5")
    assert status_of(pair.store, "tickets").paused == ()
    assert (await pair.run()).is_quiet


async def test_it_goes_on_by_itself_when_the_field_is_as_it_was_and_loses_no_edit() -> None:
    pair = await _linked()
    left = pair.key(Side.LEFT, "Paint")
    _right(pair, "effort", type=FieldType.TEXT)
    await pair.run()
    pair.left.edit(left, edited(hours=7))
    await pair.run()
    pair.right.schema = TICKET

    report = await pair.run(Options(is_full=False))

    assert report.plan.paused == ()
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == pair.holds(Side.LEFT)["Paint"]["hours"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (
            [("live", "Active"), ("closed", "Closed")],
            "'state' on the right has a new key for the option Active: active is now live.",
        ),
        (
            [("live", "Live"), ("closed", "Closed")],
            "'state' on the right lost the option Active (active), and Live (live) is new: it may have been renamed.",
        ),
        ([("closed", "Closed")], "'state' on the right lost the options Active (active)."),
        (
            [("active", "Going"), ("closed", "Closed")],
            "'state' on the right calls the option active now Going, not Active.",
        ),
    ],
)
async def test_a_renamed_or_lost_option_is_recognised(options: list[tuple[str, str]], reason: str) -> None:
    pair = await _linked(Pair(mappings=(*MAPPINGS[:1], BY_LABEL)))
    _right(pair, "state", options=_options(*options))

    assert [each.reason for each in (await pair.run()).plan.paused] == [reason]


async def test_another_label_is_nothing_to_a_line_that_names_keys() -> None:
    pair = await _linked(Pair(mappings=(*MAPPINGS[:1], STAGE)))
    _right(pair, "state", options=_options(("active", "Going"), ("closed", "Closed")))

    assert (await pair.run()).plan.paused == ()


async def test_a_new_option_rests_nothing() -> None:
    pair = await _linked()
    _right(pair, "state", options=_options(("active", "Active"), ("closed", "Closed"), ("late", "Late")))

    assert (await pair.run()).plan.paused == ()


def _without(pair: Pair, line: int) -> Sync:
    """The sync as it is made once a line's right field has vanished."""
    gone = pair.mappings[line]
    fields = tuple(each for each in TICKET.fields if each.id != gone.right)
    pair.right.schema = msgspec.structs.replace(TICKET, fields=fields)
    pair.mappings = tuple(each for each in pair.mappings if each is not gone)
    return replace(
        pair.sync(), mapping_digest=str(hash(tuple(MAPPINGS))), unfit=(Unfit(gone, "It does not fit."),)
    )


async def _run(pair: Pair, sync: Sync) -> Report:
    pair.clock.advance(60)
    return await run(pair.world(), sync, random.Random(1).random)


async def test_a_vanished_field_rests_its_line_and_says_what_it_was() -> None:
    pair = await _linked()
    left = pair.key(Side.LEFT, "Paint")
    sync = _without(pair, 1)
    pair.left.edit(left, edited(hours=9, note="now"))

    report = await _run(pair, sync)

    expected = "'effort' on the right was number and is not there any more."
    assert report.plan.paused == (Paused("hours ↔ effort", expected, UNFIT),)
    assert paused(pair.store, sync.id) == report.plan.paused
    assert report.right.updated == 1
    assert pair.holds(Side.RIGHT)["Paint"]["remark"] == Text("now")
    assert report.plan.brakes == ()


async def test_a_record_brought_back_while_a_line_rests_is_not_taken_for_emptied() -> None:
    pair = await _linked()
    pair.left.create(task("Print"))
    await pair.settled()
    left, right = pair.key(Side.LEFT, "Paint"), pair.key(Side.RIGHT, "Paint")
    _right(pair, "effort", type=FieldType.TEXT)
    del pair.right.records[right]
    pair.left.edit(left, edited(note="edited here"))
    resting = await pair.settled()
    assert resting.plan.paused
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == BLANK
    pair.right.schema = TICKET

    await pair.settled()

    assert pair.holds(Side.LEFT)["Paint"]["hours"] == TASK_HOURS
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == TASK_HOURS


TASK_HOURS = edited(hours=1)[FieldId("hours")]


async def test_settings_applied_since_count_as_looked_at() -> None:
    pair = await _linked()
    body = {"tickets": {"fields": "as they are now"}}
    _right(pair, "effort", type=FieldType.TEXT)
    versions.apply(pair.store, pair.clock, body)
    sync = replace(pair.sync(), settings_digest=digest(body["tickets"]))

    assert (await _run(pair, sync)).plan.paused == ()

    _right(pair, "effort", type=FieldType.NUMBER)
    sync = replace(pair.sync(), settings_digest=sync.settings_digest)
    assert [each.line for each in (await _run(pair, sync)).plan.paused] == ["hours ↔ effort"]


def test_the_two_schemas_of_the_pair_are_what_these_tests_take_them_for() -> None:
    assert TASK.field(FieldId("hours")) == FieldSchema(FieldId("hours"), "Hours", FieldType.NUMBER)
    assert TICKET.field(FieldId("effort")) == FieldSchema(FieldId("effort"), "Effort", FieldType.NUMBER)
