"""Versions of what is configured, and what putting one in force does to records that are linked already."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from syncline.core.brakes import BrakeName, Limits
from syncline.core.changes import digest
from syncline.core.mapping import Direction, FieldMapping
from syncline.core.records import FieldId, Scope, Side, SyncId
from syncline.core.values import BLANK, Text
from syncline.engine import versions
from syncline.engine.impact import impact
from syncline.engine.runs import Report, run
from syncline.engine.sync import Sync
from syncline.errors import SetupError
from tests.engine.pair import MAPPINGS, Pair, edited, task, ticket, value_of

NAME, HOURS, LABELS, STAGE, NOTE = MAPPINGS
TWO_WAY_NOTE = FieldMapping(NOTE.left, NOTE.right)


def _in_force(pair: Pair, mappings: Sequence[FieldMapping]) -> Sync:
    """The pair's sync with other lines, put in force by a person."""
    pair.mappings = mappings
    body = {"tickets": {"lines": [f"{each.left} {each.right} {each.direction.value}" for each in mappings]}}
    versions.apply(pair.store, pair.clock, body)
    return replace(pair.sync(), settings_digest=digest(body["tickets"]))


async def _run(pair: Pair, sync: Sync) -> Report:
    pair.clock.advance(60)
    return await run(pair.world(), sync, random.Random(1).random)


async def _linked(pair: Pair, *names: str, **fields: object) -> Pair:
    for name in names:
        pair.left.create(task(name, **fields))
    await pair.settled()
    return pair


# --- versions -------------------------------------------------------------------------------------------------------


def test_the_latest_version_is_in_force_and_a_rollback_is_a_new_one() -> None:
    store, clock = Pair().store, Pair().clock
    assert versions.applied(store) is None

    first = versions.apply(store, clock, {"a": {"x": 1}}, "one")
    second = versions.apply(store, clock, {"a": {"x": 2}}, "two")
    third = versions.rollback(store, clock, 1)

    assert [each.number for each in versions.versions(store)] == [3, 2, 1]
    assert versions.applied(store) == third
    assert (third.body, third.digest, third.note) == (first.body, first.digest, "back to version 1")
    assert second.digest != first.digest
    assert [entry.kind for entry in store.audit_trail()] == [
        "configuration_applied",
        "configuration_applied",
        "configuration_rolled_back",
    ]


def test_there_is_no_going_back_to_a_version_that_never_was() -> None:
    pair = Pair()

    with pytest.raises(SetupError, match="no version 7"):
        versions.rollback(pair.store, pair.clock, 7)


def test_an_amendment_is_a_version_of_its_own_and_leaves_the_one_before_as_it_was() -> None:
    pair = Pair()
    versions.apply(pair.store, pair.clock, {"a": {"fields": [{"conflict": None}]}})

    def let_left_win(syncs: dict[str, Any]) -> dict[str, Any]:
        syncs["a"]["fields"][0]["conflict"] = "left"
        return syncs

    made = versions.amend(pair.store, pair.clock, let_left_win, "next time let left win")
    again = versions.amend(pair.store, pair.clock, let_left_win, "twice")

    assert made.number == again.number == 2
    assert made.body["a"]["fields"] == [{"conflict": "left"}]
    assert versions.version(pair.store, 1).body["a"]["fields"] == [{"conflict": None}]
    assert versions.is_approved(pair.store, SyncId("a"), digest(made.body["a"]))


def test_nothing_can_be_amended_before_the_first_version() -> None:
    pair = Pair()

    with pytest.raises(SetupError, match="Nothing is applied yet"):
        versions.amend(pair.store, pair.clock, lambda syncs: syncs, "")


# --- applying is the approval ---------------------------------------------------------------------------------------


async def test_an_added_field_is_filled_without_a_brake_however_many_records_it_is() -> None:
    pair = Pair(mappings=(NAME, HOURS), limits=Limits(changes=0.1, at_least=1))
    await _linked(pair, "A", "B", "C", "D", "E", "F", note="fresh")

    report = await _run(pair, _in_force(pair, (NAME, HOURS, NOTE)))

    assert report.plan.brakes == ()
    assert report.right.updated == 6
    assert {record["remark"] for record in pair.holds(Side.RIGHT).values()} == {Text("fresh")}


async def test_a_version_that_nobody_was_shown_still_pulls_the_brake() -> None:
    pair = await _linked(Pair(mappings=(NAME,)), "A")
    pair.mappings = (NAME, NOTE)
    versions.apply(pair.store, pair.clock, {"tickets": {"x": 1}}, is_approved=False)

    report = await _run(pair, replace(pair.sync(), settings_digest=digest({"x": 1})))

    assert [brake.name for brake in report.plan.brakes] == [BrakeName.MAPPING_CHANGED]


async def test_another_change_than_the_approved_one_pulls_the_brake() -> None:
    pair = await _linked(Pair(mappings=(NAME,)), "A")
    sync = _in_force(pair, (NAME, NOTE))

    report = await _run(pair, replace(sync, settings_digest="another"))

    assert [brake.name for brake in report.plan.brakes] == [BrakeName.MAPPING_CHANGED]


async def test_real_edits_still_pull_the_brake_on_changes() -> None:
    pair = Pair(mappings=(NAME, HOURS), limits=Limits(changes=0.1, at_least=1))
    await _linked(pair, "A", "B", "C")
    sync = _in_force(pair, (NAME, HOURS, NOTE))
    for name in "AB":
        pair.left.edit(pair.key(Side.LEFT, name), edited(hours=3))

    assert [brake.name for brake in (await _run(pair, sync)).plan.brakes] == [BrakeName.CHANGES]


# --- what a change does to linked records ---------------------------------------------------------------------------


async def test_adding_a_field_fills_only_that_field() -> None:
    pair = await _linked(
        Pair(mappings=(NAME, HOURS, STAGE)), "Held", "Odd", "Plain", note="n", stage=("new",)
    )
    held = pair.key(Side.LEFT, "Held")
    pair.left.edit(held, edited(name="Held left"))
    pair.right.edit(pair.key(Side.RIGHT, "Held"), edited(title="Held right"))
    await pair.run()
    before = pair.holds(Side.RIGHT)

    report = await _run(pair, _in_force(pair, (NAME, HOURS, STAGE, NOTE)))

    written = [step.write for step in report.plan.writes]
    assert [sorted(getattr(write, "fields", {})) for write in written] == [["remark"]] * 3
    for title, record in pair.holds(Side.RIGHT).items():
        assert record == {**before[title], FieldId("remark"): Text("n")}
    assert {record["stage"] for record in pair.holds(Side.LEFT).values()} == {value_of(("new",))}
    assert [each.field for each in report.plan.held] == ["name ↔ title"]
    assert (await _run(pair, replace(pair.sync(), settings_digest=""))).writes == 0


async def test_an_added_field_that_differs_on_both_sides_asks_and_the_rest_is_left_alone() -> None:
    pair = Pair(mappings=(NAME, HOURS))
    pair.left.create(task("A", note="left"))
    pair.right.create(ticket("A", remark="right"))
    await pair.settled()

    ask = FieldMapping(NOTE.left, NOTE.right, conflict=NAME.conflict)
    report = await _run(pair, _in_force(pair, (NAME, HOURS, ask)))

    assert report.writes == 0
    assert [(each.field, each.left, each.right) for each in report.plan.held] == [
        ("note ↔ remark", Text("left"), Text("right"))
    ]


async def test_removing_a_field_touches_no_record_and_taking_it_back_carries_what_was_edited_meanwhile() -> (
    None
):
    pair = await _linked(Pair(mappings=(NAME, HOURS, TWO_WAY_NOTE)), "A", "B", note="old")
    without = await _run(pair, _in_force(pair, (NAME, HOURS)))
    pair.right.edit(pair.key(Side.RIGHT, "A"), edited(remark="new"))
    ignored = await pair.run()
    back = await _run(pair, _in_force(pair, (NAME, HOURS, TWO_WAY_NOTE)))

    assert (without.writes, ignored.writes) == (0, 0)
    assert (back.left.updated, back.right.updated) == (1, 0)
    assert pair.holds(Side.LEFT)["A"]["note"] == Text("new")
    assert pair.holds(Side.LEFT)["B"]["note"] == Text("old")


async def test_one_way_instead_of_two_way_changes_nothing_until_somebody_edits() -> None:
    pair = await _linked(Pair(mappings=(NAME, TWO_WAY_NOTE)), "A", note="same")

    quiet = await _run(pair, _in_force(pair, (NAME, NOTE)))
    pair.left.edit(pair.key(Side.LEFT, "A"), edited(note="led"))
    await pair.settled()
    pair.right.edit(pair.key(Side.RIGHT, "A"), edited(remark="written here"))
    await pair.settled()

    assert quiet.is_quiet
    assert pair.holds(Side.LEFT)["A"]["note"] == Text("led")
    assert pair.holds(Side.RIGHT)["A"]["remark"] == Text("led")


# --- saying so beforehand -------------------------------------------------------------------------------------------


async def test_what_an_added_field_would_write_is_counted_apart_from_what_is_due_anyway() -> None:
    pair = await _linked(Pair(mappings=(NAME, HOURS)), "A", "B", "C")
    for name in "AB":
        pair.left.edit(pair.key(Side.LEFT, name), edited(note="fresh"))
    pair.left.edit(pair.key(Side.LEFT, "C"), edited(hours=9))
    current = pair.sync()
    pair.mappings = (NAME, HOURS, NOTE)
    calls = pair.store.runs(current.id)

    found = await impact(pair.world(), current, pair.sync())

    assert found.records == 2
    assert found.lines == {"note ↔ remark": 2}
    assert (found.created, found.deleted, found.leaving, found.asked, found.spared) == (0, 0, 0, 0, 0)
    assert "2 records would be written because of it." in found.sentences
    assert pair.store.runs(current.id) == calls
    assert pair.holds(Side.RIGHT)["A"]["remark"] == BLANK


async def test_what_a_direction_would_no_longer_write_is_told() -> None:
    pair = await _linked(Pair(mappings=(NAME, HOURS)), "A")
    pair.right.edit(pair.key(Side.RIGHT, "A"), edited(effort=4))
    current = pair.sync()
    pair.mappings = (NAME, FieldMapping(HOURS.left, HOURS.right, Direction.TO_RIGHT))

    found = await impact(pair.world(), current, pair.sync())

    assert (found.records, found.spared) == (0, 1)


def _only(sync: Sync, *stages: str) -> Sync:
    """The sync with a filter on the left."""
    scope = Scope(sync.left.scope.object_type, {"stage": stages} if stages else {})
    return replace(sync, left=replace(sync.left, scope=scope), filter_digest=f"only {stages}")


async def test_widening_and_narrowing_a_filter_say_what_becomes_of_the_records() -> None:
    pair = Pair()
    for name, stage in (("A", "open"), ("B", "open"), ("C", "done"), ("D", "done"), ("E", "done")):
        pair.left.create(task(name, stage=(stage,)))
    everything, narrow = pair.sync(), _only(pair.sync(), "open")
    await _run(pair, narrow)
    pair.right.create(ticket("C"))

    wider = await impact(pair.world(), narrow, everything)
    pair.store.remember(narrow.id, "filter", everything.filter_digest)
    await _run(pair, everything)
    narrower = await impact(pair.world(), everything, narrow)
    pair.store.remember(narrow.id, "filter", narrow.filter_digest)
    rested = await _run(pair, narrow)
    back = await impact(pair.world(), narrow, everything)

    assert (wider.linked, wider.created, wider.leaving) == (1, 2, 0)
    assert "3 records come in: 1 match, 2 would be created." in wider.sentences
    assert (narrower.leaving, narrower.records, narrower.deleted) == (3, 0, 0)
    assert "3 linked records leave the filter: their links rest, nothing is deleted." in narrower.sentences
    assert rested.writes == 0
    assert len(pair.holds(Side.RIGHT)) == 5
    assert (back.returning, back.created, back.linked) == (3, 0, 0)
