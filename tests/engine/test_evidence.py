"""What a run keeps of what it decided: enough to decide it again, nothing in a quiet run, and not for ever."""

from __future__ import annotations

import datetime as dt

from syncline.core.decisions import Fields, Rule
from syncline.core.match import MatchMode
from syncline.core.memory import RunState
from syncline.core.merge import merge
from syncline.core.records import Present, Side, Unseen
from syncline.core.values import Number
from syncline.engine.report import Report, told
from tests.engine.pair import Pair, edited, task, ticket


def _rules(pair: Pair, report: Report) -> list[tuple[str, set[Rule]]]:
    return [
        (each.title, {field.rule for field in each.decision.fields})
        for each in pair.store.evidence(report.run)
        if isinstance(each.decision, Fields)
    ]


async def test_an_edit_is_kept_so_that_it_can_be_decided_again() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", hours=3))
    await pair.settled()
    pair.left.edit(left, edited(hours=4))

    report = await pair.run()

    (kept,) = pair.store.evidence(report.run)
    assert (kept.left_key, kept.right_key, kept.title) == (left, pair.key(Side.RIGHT, "Paint"), "Paint")
    assert kept.decision == merge(kept.view, pair.sync().rules)
    assert isinstance(kept.view.left, Present)
    assert kept.view.left.record.fields["hours"] == Number(4)


async def test_a_quiet_run_keeps_nothing() -> None:
    pair = Pair()
    pair.left.create(task("Paint"))
    await pair.settled()

    report = await pair.run()

    assert list(pair.store.evidence(report.run)) == []


async def test_a_field_that_is_not_mapped_is_no_evidence() -> None:
    pair = Pair()
    pair.mappings = pair.mappings[:1]
    left = pair.left.create(task("Paint", hours=3))
    await pair.settled()
    pair.left.edit(left, edited(hours=4))

    report = await pair.run()

    assert list(pair.store.evidence(report.run)) == []


async def test_first_meetings_and_copies_are_kept() -> None:
    pair = Pair()
    pair.left.create(task("Paint", hours=3))
    pair.right.create(ticket("Paint"))
    lone = pair.right.create(ticket("Print", effort=5))

    report = await pair.run()

    met, copied = pair.store.evidence(report.run)
    assert (met.title, met.view.base) == ("Paint", None)
    assert (copied.left_key, copied.right_key, copied.view.left) == (None, lone, Unseen("no counterpart yet"))
    assert _rules(pair, report)[1] == ("Print", {Rule.CREATED})


async def test_what_is_held_for_a_lone_record_is_kept_with_its_reason_once() -> None:
    pair = Pair(mode=MatchMode.MATCH_ONLY)
    pair.left.create(task("Paint"))

    first, second = await pair.run(), await pair.run()

    (kept,) = pair.store.evidence(first.run)
    assert kept.decision is None
    assert kept.reason.endswith("(no record on the other side matches)")
    assert list(pair.store.evidence(second.run)) == []


async def test_a_conflict_is_kept_when_it_comes_up_and_not_in_every_run_that_it_waits() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint"))
    await pair.settled()
    pair.left.edit(left, edited(name="Paint A"))
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(title="Paint B"))

    first, second = await pair.run(), await pair.run()

    assert [Rule.CONFLICT in rules for _, rules in _rules(pair, first)] == [True]
    assert second.plan.held
    assert list(pair.store.evidence(second.run)) == []


async def test_a_conflict_that_a_new_mapping_brings_is_kept_though_nothing_moved() -> None:
    pair = Pair()
    pair.mappings = pair.mappings[:1]
    pair.left.create(task("Paint", hours=3))
    pair.right.create(ticket("Paint", effort=4))
    await pair.settled()
    pair.mappings = Pair().mappings[:2]
    pair.conflicts = pair.conflicts.ASK

    stopped = await pair.run()

    assert [brake.name.value for brake in stopped.plan.brakes] == ["mapping_changed"]
    assert [Rule.CONFLICT in rules for _, rules in _rules(pair, stopped)] == [True]


async def test_old_evidence_goes_when_a_run_ends_and_at_most_once_a_day() -> None:
    pair = Pair()
    pair.left.create(task("Paint"))
    first = await pair.run()
    pair.clock.advance(29 * 86400)
    await pair.settled()
    assert list(pair.store.evidence(first.run))

    pair.clock.advance(2 * 86400)
    await pair.run()

    assert list(pair.store.evidence(first.run)) == []


async def test_the_stored_report_is_short_and_says_what_happened() -> None:
    pair = Pair()
    for number in range(300):
        pair.left.create(task(f"Paint {number}"))

    report = await pair.run()

    (run,) = pair.store.runs(pair.sync().id)
    short = told(run)
    assert run.state is RunState.DONE
    assert len(run.report) < 1_000
    assert short is not None
    assert (short.planned, short.right.created, short.counts.links) == (300, 300, 300)
    assert short.right == report.right


def test_a_run_that_broke_off_has_no_report() -> None:
    pair = Pair()
    run = pair.store.begin_run(pair.sync().id, pair.clock.now(), dt.timedelta(minutes=1))

    assert told(run) is None
