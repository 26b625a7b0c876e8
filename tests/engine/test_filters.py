"""Filters that are expressions: who takes part, who rests, and that nothing is deleted or made twice because of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import pytest

from syncline.core.brakes import BrakeName
from syncline.core.comparison import Cause
from syncline.core.decisions import DeletePolicy, Rule
from syncline.core.expressions import Condition, compile_condition
from syncline.core.plan import Plan
from syncline.core.records import Side
from syncline.core.values import Number
from syncline.engine.certify import certify
from syncline.engine.runs import Options
from syncline.engine.sync import Sync
from tests.engine.pair import Pair, edited, task, ticket

NOT_DONE = 'stage != "Done"'
MANY_HOURS = "hours > 2"
RELEASED = Options(release=frozenset({BrakeName.FILTER_CHANGED}))


@dataclass
class Filtered(Pair):
    """A pair whose sync has filters; they may be changed before a run."""

    filters: dict[Side, str] = field(default_factory=lambda: {Side.LEFT: NOT_DONE})

    def sync(self) -> Sync:
        """The sync as it is configured now."""
        made = super().sync()
        conditions = {side: condition(text, made.side(side).schema) for side, text in self.filters.items()}
        digest = hashlib.sha256(repr(sorted(self.filters.items(), key=str)).encode()).hexdigest()
        return replace(made, filters=conditions, filter_digest=digest)


def condition(text: str, schema: object) -> Condition:
    found = compile_condition(text, schema)  # type: ignore[arg-type]
    assert isinstance(found, Condition), found
    return found


def held(plan: Plan) -> list[tuple[Rule, str]]:
    return [(item.rule, item.reason) for item in plan.held]


async def test_a_record_that_the_filter_leaves_out_is_not_copied() -> None:
    pair = Filtered()
    pair.left.create(task("Paint", stage=("open",)))
    pair.left.create(task("Sand", stage=("done",)))
    await pair.settled()
    assert set(pair.holds(Side.RIGHT)) == {"Paint"}


async def test_it_is_copied_once_it_comes_in() -> None:
    pair = Filtered()
    left = pair.left.create(task("Sand", stage=("done",)))
    await pair.settled()
    pair.left.edit(left, edited(stage=("open",)))
    await pair.settled()
    assert set(pair.holds(Side.RIGHT)) == {"Sand"}


async def test_a_linked_record_that_leaves_rests_and_nothing_is_deleted() -> None:
    pair = Filtered(deletes=DeletePolicy.PROPAGATE)
    left = pair.left.create(task("Paint", stage=("open",), hours=3))
    await pair.settled()
    pair.left.edit(left, edited(stage=("done",), hours=5))
    report = await pair.run()
    assert held(report.plan) == [(Rule.OUT_OF_SCOPE, "")]
    assert report.writes == 0
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == Number(3)


async def test_edits_of_both_sides_are_merged_when_it_is_back() -> None:
    pair = Filtered()
    left = pair.left.create(task("Paint", stage=("open",), hours=3))
    await pair.settled()
    right = pair.key(Side.RIGHT, "Paint")
    pair.left.edit(left, edited(stage=("done",), hours=5))
    await pair.run()
    pair.right.edit(right, edited(tags=["wall"]))
    assert (await pair.run()).writes == 0
    assert (await pair.run()).writes == 0
    pair.left.edit(left, edited(stage=("open",)))
    await pair.settled()
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == Number(5)
    assert pair.holds(Side.LEFT)["Paint"]["labels"].keys == ("wall",)  # type: ignore[union-attr]


async def test_a_link_that_rests_is_not_looked_at_again_while_nothing_changes() -> None:
    pair = Filtered()
    left = pair.left.create(task("Paint", stage=("open",)))
    await pair.settled()
    pair.left.edit(left, edited(stage=("done",)))
    await pair.run()
    report = await pair.run()
    assert report.plan.held == ()
    assert list(pair.store.unsettled(pair.sync().id)) == []


async def test_nothing_is_evaluated_for_an_unchanged_record(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Filtered()
    pair.left.create(task("Paint", stage=("open",)))
    pair.left.create(task("Sand", stage=("done",)))
    await pair.settled()
    seen: list[object] = []
    monkeypatch.setattr(Sync, "trim", lambda *given: seen.append(given))
    await pair.run()
    assert seen == []


async def test_a_counterpart_outside_the_filter_bars_a_copy() -> None:
    pair = Filtered()
    pair.left.create(task("Paint", stage=("done",)))
    await pair.settled()
    pair.right.create(ticket("Paint", state=("closed",)))
    pair.right.create(ticket("Sand"))
    report = await pair.run()
    assert (Rule.OUT_OF_SCOPE, "its counterpart lies outside the left filter") in held(report.plan)
    await pair.run()
    assert set(pair.holds(Side.LEFT)) == {"Paint", "Sand"}
    assert len(pair.left.records) == 2


async def test_both_are_linked_once_the_counterpart_comes_in() -> None:
    pair = Filtered()
    left = pair.left.create(task("Paint", stage=("done",)))
    pair.right.create(ticket("Paint", state=("closed",)))
    await pair.run()
    pair.left.edit(left, edited(stage=("open",)))
    await pair.settled()
    assert pair.store.counts(pair.sync().id).links == 1
    assert len(pair.left.records) == len(pair.right.records) == 1


async def test_a_blank_that_the_filter_cannot_do_without_leaves_a_record_out_and_says_why() -> None:
    pair = Filtered(filters={Side.LEFT: MANY_HOURS})
    pair.left.create(task("Paint", hours=None))
    report = await pair.run()
    reason = "the left filter says neither yes nor no: 'hours' is blank"
    assert held(report.plan) == [(Rule.OUT_OF_SCOPE, reason)]
    assert pair.holds(Side.RIGHT) == {}


async def test_a_linked_record_with_such_a_blank_rests_and_says_why() -> None:
    pair = Filtered(filters={Side.LEFT: MANY_HOURS}, deletes=DeletePolicy.PROPAGATE)
    left = pair.left.create(task("Paint", hours=3))
    await pair.settled()
    pair.left.edit(left, {**edited(hours=None), **edited(note="x")})
    report = await pair.run()
    reason = "the left filter says neither yes nor no: 'hours' is blank"
    assert held(report.plan) == [(Rule.OUT_OF_SCOPE, reason)]
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == Number(3)
    pair.left.edit(left, edited(hours=4))
    await pair.settled()
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == Number(4)


async def test_such_a_record_gets_no_second_copy_of_its_counterpart_either() -> None:
    pair = Filtered(filters={Side.LEFT: MANY_HOURS})
    pair.left.create(task("Paint", hours=None))
    pair.right.create(ticket("Paint", effort=5))
    await pair.run()
    await pair.run()
    assert len(pair.left.records) == len(pair.right.records) == 1


async def test_a_filter_may_read_a_field_that_is_not_mapped() -> None:
    pair = Filtered(filters={Side.RIGHT: 'remark == "" || remark == null || remark.startsWith("share")'})
    pair.mappings = [line for line in pair.mappings if line.right != "remark"]
    pair.right.create(ticket("Paint", remark="share this"))
    pair.right.create(ticket("Sand", remark="keep this"))
    await pair.settled()
    assert set(pair.holds(Side.LEFT)) == {"Paint"}


async def test_a_changed_filter_pulls_the_brake_and_then_judges_every_record_anew() -> None:
    pair = Filtered()
    pair.left.create(task("Paint", stage=("open",)))
    pair.left.create(task("Sand", stage=("done",)))
    await pair.settled()
    pair.filters = {Side.LEFT: 'stage == "Done"'}
    stopped = await pair.run()
    assert [brake.name for brake in stopped.plan.brakes] == [BrakeName.FILTER_CHANGED]
    await pair.run(RELEASED)
    await pair.settled()
    assert set(pair.holds(Side.RIGHT)) == {"Paint", "Sand"}


async def test_without_the_filter_what_it_left_out_comes_in() -> None:
    pair = Filtered()
    pair.left.create(task("Sand", stage=("done",)))
    await pair.settled()
    pair.filters = {}
    await pair.run(RELEASED)
    await pair.settled()
    assert set(pair.holds(Side.RIGHT)) == {"Sand"}


async def test_a_deleted_record_of_a_resting_link_is_not_carried_over() -> None:
    pair = Filtered(deletes=DeletePolicy.PROPAGATE)
    left = pair.left.create(task("Paint", stage=("open",)))
    await pair.settled()
    pair.left.edit(left, edited(stage=("done",)))
    await pair.run()
    pair.right.delete(pair.key(Side.RIGHT, "Paint"))
    await pair.run()
    assert set(pair.holds(Side.LEFT)) == {"Paint"}


async def test_an_edit_that_carries_a_record_out_is_still_written_to_it() -> None:
    """The other side's edit is what makes it leave: it arrives, and the link rests from then on."""
    pair = Filtered(filters={Side.LEFT: 'name != "Gone"'})
    pair.left.create(task("Paint", hours=3))
    await pair.settled()
    right = pair.key(Side.RIGHT, "Paint")
    pair.right.edit(right, {**edited(title="Gone"), **edited(effort=8)})
    await pair.run()
    assert pair.holds(Side.LEFT)["Gone"]["hours"] == Number(8)
    pair.right.edit(right, edited(effort=9))
    await pair.run()
    await pair.run()
    assert pair.holds(Side.LEFT)["Gone"]["hours"] == Number(8)


async def test_a_certificate_explains_what_the_filter_leaves_out() -> None:
    pair = Filtered()
    left = pair.left.create(task("Paint", stage=("open",), hours=3))
    pair.left.create(task("Sand", stage=("done",)))
    pair.left.create(task("Oil", stage=("done",)))
    await pair.settled()
    pair.right.create(ticket("Oil", effort=2))
    pair.left.edit(left, edited(stage=("done",), hours=5))
    await pair.run()
    await pair.run()
    made = (await certify(pair.world(), pair.sync())).certificate
    causes = {each.cause for each in made.samples}
    assert causes == {Cause.EXCLUDED}


async def test_a_store_without_a_filter_is_judged_as_before() -> None:
    pair = Filtered(filters={})
    pair.left.create(task("Paint", stage=("done",)))
    await pair.settled()
    assert set(pair.holds(Side.RIGHT)) == {"Paint"}
