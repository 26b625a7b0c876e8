"""Why a record did or did not sync, told from memory alone, and what it held at a time."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

import msgspec
import pytest

from syncline.connectors.memory import When
from syncline.core.brakes import Limits
from syncline.core.decisions import DeletePolicy, Rule
from syncline.core.mapping import ConflictPolicy
from syncline.core.match import MatchMode
from syncline.core.records import RecordKey, Side, Write
from syncline.core.values import Number, Text
from syncline.engine.evidence import decide_again
from syncline.engine.explain import Explanation, explain
from syncline.engine.explain_line import Line
from syncline.engine.past import AsOf, Source, as_of, moment
from syncline.engine.undo import undo_run
from syncline.errors import RejectedError, SetupError, UnknownOutcomeError
from tests.engine.pair import Pair, edited, task, ticket


def told(pair: Pair, key: str, field: str | None = None) -> Explanation:
    """The explanation of a record, without a single call."""
    before = [pair.connectors[side].calls for side in Side]
    (found,) = explain(pair.world(), pair.sync(), RecordKey(key), field)
    assert [pair.connectors[side].calls for side in Side] == before
    return found


def has(sentences: Sequence[str], *parts: str) -> bool:
    """Whether one sentence holds all of these."""
    return any(all(part in sentence for part in parts) for sentence in sentences)


async def linked() -> tuple[Pair, RecordKey, RecordKey]:
    """Two linked records in step, under keys of their own."""
    pair = Pair()
    pair.left.create(task("Elsewhere"))
    pair.left.delete(RecordKey("1"))
    left = pair.left.create(task("Paint", hours=3))
    await pair.settled()
    return pair, left, pair.key(Side.RIGHT, "Paint")


def line(found: Explanation) -> Line:
    """The only line."""
    (only,) = found.lines
    return only


async def test_a_record_in_step_says_so_field_by_field() -> None:
    pair, left, right = await linked()
    pair.left.edit(left, edited(hours=4))
    await pair.settled()

    found = told(pair, left, "hours")

    assert (found.title, found.side) == ("Paint", Side.LEFT)
    assert has(
        found.sentences, "It is linked", f"Paint ({left}) on the left", f"Paint ({right}) on the right"
    )
    assert has(found.sentences, "Next run: nothing to do")
    assert line(found).is_in_step is True
    assert (line(found).left, line(found).right) == (Number(4), Number(4))
    assert has(line(found).sentences, "Both sides mean the same")
    assert has(
        line(found).sentences, "on the right: '3' became '4'", Rule.ONE_SIDE_CHANGED.sentence, "tickets-"
    )


async def test_a_field_is_found_by_either_sides_id_title_or_both() -> None:
    pair, left, _ = await linked()

    names = {
        line(told(pair, left, name)).name for name in ("hours", "effort", "Effort", "HOURS", "hours ↔ effort")
    }

    assert names == {"hours ↔ effort"}


async def test_a_field_that_is_not_mapped_says_so_and_suggests() -> None:
    pair, left, _ = await linked()
    pair.mappings = pair.mappings[:2]

    unmapped, mistyped, alien = (told(pair, left, name) for name in ("labels", "efort", "zzz"))

    assert has(unmapped.sentences, "'labels' is not mapped in this sync")
    assert has(mistyped.sentences, "There is no field 'efort'")
    assert "effort" in mistyped.suggestions
    assert has(alien.sentences, "Mapped are: name ↔ title, hours ↔ effort")
    assert unmapped.lines == ()


async def test_an_unknown_record_and_one_that_was_known_once() -> None:
    pair, left, right = await linked()
    pair.left.create(task("Other"))
    await pair.settled()
    pair.left.delete(left)
    pair.right.delete(right)
    await pair.settled()

    assert has(told(pair, "nope").sentences, "No record 'nope' is known in this sync")
    assert has(told(pair, left).sentences, "is gone")


async def test_a_conflict_names_its_question_and_both_values() -> None:
    pair, left, right = await linked()
    pair.left.edit(left, edited(name="Paint A"))
    pair.right.edit(right, edited(title="Paint B"))
    await pair.run()

    found = told(pair, left, "name")

    assert line(found).question is not None
    assert has(line(found).sentences, "left 'Paint A'", "right 'Paint B'")
    assert has(line(found).sentences, "Last agreed on: left 'Paint', right 'Paint'")
    assert has(line(found).sentences, "A person is asked (question", "nobody has answered")
    assert has(found.sentences, "waits for a person in name ↔ title")


async def test_what_the_next_run_would_write_is_said() -> None:
    pair, left, _ = await linked()
    pair.left.edit(left, edited(hours=9))
    pair.limits = Limits(changes=0.0001, at_least=0)
    await pair.run()

    found = told(pair, left, "hours")

    assert has(found.sentences, "A brake stopped the last run")
    assert has(line(found).sentences, "Next run: the right gets '9'", Rule.ONE_SIDE_CHANGED.sentence)


async def test_a_refused_record_says_why_how_often_and_what_to_do() -> None:
    pair, left, _ = await linked()

    def strike(when: When, write: Write) -> None:
        raise RejectedError("too long")

    pair.right.faults = strike
    pair.left.edit(left, edited(hours=9))
    await pair.run()

    found = told(pair, left)

    assert [each.attempts for each in found.parked] == [1]
    assert has(found.sentences, "A write failed once on the right (rejected): too long", "syncline retry")
    assert has(found.sentences, "Next run: nothing, until it is edited or tried again")


async def test_a_write_without_an_answer_is_named() -> None:
    pair, left, _ = await linked()

    def strike(when: When, write: Write) -> None:
        raise UnknownOutcomeError("cut")

    pair.right.faults = strike
    pair.left.edit(left, edited(hours=9))
    await pair.run()

    assert has(told(pair, left).sentences, "has no known outcome yet")


async def test_a_lone_record_of_a_sync_that_only_matches() -> None:
    pair = Pair(mode=MatchMode.MATCH_ONLY)
    left = pair.left.create(task("Paint"))
    await pair.run()

    found = told(pair, left)

    assert has(found.sentences, "makes no copies (match_only)")
    assert found.next is None


async def test_a_record_whose_link_was_ended_stands_for_itself() -> None:
    pair, left, _ = await linked()
    made = pair.store.history(pair.sync().id, left)[0].run
    pair.clock.advance(60)
    await undo_run(pair.world(), pair.sync(), made, random.Random(1).random)

    assert has(told(pair, left).sentences, "It stands for itself on the left")


async def test_an_undone_field_says_that_the_sides_stay_apart() -> None:
    pair, left, right = await linked()
    pair.left.edit(left, edited(hours=4))
    wrong = await pair.run()
    await undo_run(pair.world(), pair.sync(), wrong.run, random.Random(1).random)
    await pair.settled()

    found = told(pair, right, "hours")

    assert has(
        line(found).sentences, "It was undone: the two sides stay apart in this field until somebody edits it"
    )
    assert has(found.sentences, "Next run: nothing to do")


async def test_an_edit_after_an_undo_flows_and_nothing_is_said_to_stay_apart() -> None:
    pair, left, _ = await linked()
    pair.left.edit(left, edited(hours=4))
    wrong = await pair.run()
    await undo_run(pair.world(), pair.sync(), wrong.run, random.Random(1).random)
    pair.left.edit(left, edited(hours=7))

    def strike(when: When, write: Write) -> None:
        raise RejectedError("no")

    pair.right.faults = strike
    await pair.run()

    found = line(told(pair, left, "hours"))
    assert has(found.sentences, "Next run: the right gets '7'")
    assert not has(found.sentences, "stay apart in this field until")


async def test_a_one_way_field_says_which_way() -> None:
    pair, left, _ = await linked()

    assert has(line(told(pair, left, "note")).sentences, "It goes one way, to the right")


async def test_a_deletion_that_waits_tells_its_proof_and_its_question() -> None:
    pair, left, right = await linked()
    pair.left.create(task("Other"))
    await pair.settled()
    pair.left.delete(left)
    await pair.run()

    found = told(pair, right)

    assert has(found.sentences, "The record on the left is gone", "trash")
    assert has(found.sentences, "A person is asked", "Deleted on one side")
    assert has(found.sentences, "Next run", "a person must say")


async def test_the_same_key_on_both_sides_may_be_two_records() -> None:
    pair = Pair(mode=MatchMode.MATCH_ONLY)
    key = pair.left.create(task("Paint"))
    assert pair.right.create(ticket("Print")) == key
    await pair.run()

    found = explain(pair.world(), pair.sync(), key)

    assert [(each.side, each.title) for each in found] == [(Side.LEFT, "Paint"), (Side.RIGHT, "Print")]


# --- the past ---------------------------------------------------------------------------------------------------------


async def edited_twice() -> tuple[Pair, RecordKey, list[dt.datetime]]:
    """A left record whose hours became 3, 4 and 5, and the times after each run."""
    pair, left, _ = await linked()
    times = [pair.clock.now()]
    for hours in (4, 5):
        pair.clock.advance(3600)
        pair.left.edit(left, edited(hours=hours))
        await pair.settled()
        times.append(pair.clock.now())
    return pair, left, times


def then(pair: Pair, key: RecordKey, at: dt.datetime) -> AsOf:
    """The record as of a time."""
    found = as_of(pair.world(), pair.sync(), key, at)
    assert found is not None
    return found


async def test_a_record_is_shown_as_it_was_on_both_sides() -> None:
    pair, left, times = await edited_twice()

    held = [
        [
            (each.left.value, each.right.value)
            for each in then(pair, left, at).lines
            if each.name == "hours ↔ effort"
        ]
        for at in times
    ]

    assert held == [[(Number(number), Number(number))] for number in (3, 4, 5)]


async def test_before_our_first_sight_nothing_is_known() -> None:
    pair, left, times = await edited_twice()

    found = then(pair, left, times[0] - dt.timedelta(days=1))

    assert {each.left.source for each in found.lines} == {Source.UNKNOWN}
    assert {each.right.value for each in found.lines} == {None}
    assert found.first_seen is not None


async def test_how_a_value_is_known_is_told() -> None:
    pair, left, times = await edited_twice()

    (hours,) = (each for each in then(pair, left, times[1]).lines if each.name == "hours ↔ effort")

    assert (hours.right.source, hours.left.source) == (Source.WRITTEN, Source.CARRIED)


async def test_a_deleted_record_is_gone_by_then_and_not_before() -> None:
    pair, left, times = await edited_twice()
    pair.left.create(task("Other"))
    pair.deletes = DeletePolicy.PROPAGATE
    await pair.settled()
    pair.left.delete(left)
    await pair.settled()

    assert set(then(pair, left, pair.clock.now()).gone) == {Side.LEFT, Side.RIGHT}
    assert then(pair, left, times[1]).gone == ()


async def test_what_both_sides_deleted_is_gone_by_then_on_both() -> None:
    pair, left, times = await edited_twice()
    pair.left.create(task("Other"))
    await pair.settled()
    pair.left.delete(left)
    pair.right.delete(pair.key(Side.RIGHT, "Paint"))
    await pair.settled()

    assert set(then(pair, left, pair.clock.now()).gone) == {Side.LEFT, Side.RIGHT}
    assert then(pair, left, times[1]).gone == ()


async def test_nothing_is_known_of_a_stranger() -> None:
    pair, _, times = await edited_twice()

    assert as_of(pair.world(), pair.sync(), RecordKey("nope"), times[0]) is None


def test_a_time_without_a_zone_is_utc() -> None:
    assert moment("2026-03-02T09:30") == dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)
    assert moment("2026-03-02T09:30+02:00") == dt.datetime(2026, 3, 2, 7, 30, tzinfo=dt.UTC)


# --- decided again ----------------------------------------------------------------------------------------------------


async def test_the_policy_of_a_conflict_may_be_tried_on_a_past_run() -> None:
    pair, left, right = await linked()
    pair.left.edit(left, edited(name="Paint A", hours=5))
    pair.right.edit(right, edited(title="Paint B"))
    run = await pair.run()
    same = decide_again(pair.world(), pair.sync(), run.run)
    pair.conflicts = ConflictPolicy.LEFT
    pair.mappings = [msgspec.structs.replace(each, conflict=None) for each in pair.mappings]

    found = decide_again(pair.world(), pair.sync(), run.run)

    assert (same.decided, same.same, same.changes) == (1, 1, ())
    (change,) = found.changes
    (name,) = change.lines
    assert name.sentence == "would now: left wins instead of: a person is asked"
    assert name.after is not None
    assert name.after.to_right == Text("Paint A")


async def test_a_line_that_is_mapped_now_or_not_any_more_is_named() -> None:
    pair, left, _ = await linked()
    pair.left.edit(left, edited(hours=5))
    run = await pair.run()
    pair.mappings = [pair.mappings[0], *pair.mappings[2:]]

    (change,) = decide_again(pair.world(), pair.sync(), run.run).changes

    assert [(each.name, each.sentence) for each in change.lines] == [
        ("hours ↔ effort", "is not mapped any more")
    ]


async def test_a_deletion_under_another_policy() -> None:
    pair, left, _ = await linked()
    pair.left.create(task("Other"))
    await pair.settled()
    pair.left.delete(left)
    run = await pair.run()
    pair.deletes = DeletePolicy.PROPAGATE

    (change,) = decide_again(pair.world(), pair.sync(), run.run).changes

    assert change.sentence.startswith(
        "would now: Deleted on one side and unchanged on the other; deleted there too."
    )


async def test_copies_are_decided_again_too() -> None:
    pair = Pair()
    pair.left.create(task("Paint", hours=3, stage=("odd",)))
    run = await pair.run()
    same = decide_again(pair.world(), pair.sync(), run.run)
    pair.mappings = pair.mappings[:1]

    (change,) = decide_again(pair.world(), pair.sync(), run.run).changes

    assert (same.same, same.changes) == (1, ())
    assert "hours ↔ effort" in {each.name for each in change.lines}


async def test_what_was_held_back_is_counted_and_not_decided_again() -> None:
    pair = Pair(mode=MatchMode.MATCH_ONLY)
    pair.left.create(task("Paint"))
    run = await pair.run()

    found = decide_again(pair.world(), pair.sync(), run.run)

    assert (found.decided, found.undecided) == (0, 1)


async def test_a_quiet_run_has_nothing_to_decide_again() -> None:
    pair, _, _ = await linked()
    run = await pair.run()

    with pytest.raises(SetupError, match="Nothing is kept of a run"):
        decide_again(pair.world(), pair.sync(), run.run)
