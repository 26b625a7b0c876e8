"""A rule is tried on what was asked and decided so far, then saved as a new version of the configuration."""

from __future__ import annotations

import datetime as dt

import pytest

from syncline.core.decisions import Rule
from syncline.core.mapping import ConflictPolicy
from syncline.core.records import FieldId, Side
from syncline.core.values import Text
from syncline.engine import review, rules, versions
from syncline.errors import SetupError
from tests.engine.pair import Pair, edited, task

BODY = {
    "tickets": {
        "fields": [
            {"left": "name", "right": "title", "conflict": "ask"},
            {"left": "hours", "right": "effort", "conflict": None},
        ]
    },
    "other": {"fields": [{"left": "name", "right": "title", "conflict": "ask"}]},
}


async def quarrel(pair: Pair) -> None:
    """Three contested names: one settled for the left, one for the right, one still open."""
    names = ("A", "B", "C")
    keys = [pair.left.create(task(name)) for name in names]
    await pair.settled()
    for key, name in zip(keys, names, strict=True):
        pair.left.edit(key, edited(name=f"{name} left"))
        pair.clock.advance(10)
        pair.right.edit(pair.key(Side.RIGHT, name), edited(title=f"{name} right"))
        await pair.run()
    sync, world = pair.sync(), pair.world()
    for question in pair.store.questions():
        if question.held.left in (Text("A left"), Text("B left")):
            side = Side.LEFT if question.held.left == Text("A left") else Side.RIGHT
            review.take(world, sync, question, side)
    await pair.settled()


@pytest.mark.parametrize("field", ["name", "title", "name ↔ title"])
async def test_past_conflicts_are_decided_again_each_once(field: str) -> None:
    pair = Pair()
    await quarrel(pair)

    found = rules.simulate(pair.world(), pair.sync(), field, ConflictPolicy.RIGHT)

    assert len(found.verdicts) == found.settled == found.won(Side.RIGHT) == 3
    assert (found.judged, found.agreed) == (2, 1)


async def test_the_past_is_read_from_the_questions_where_the_evidence_is_gone() -> None:
    pair = Pair()
    await quarrel(pair)
    whole = rules.simulate(pair.world(), pair.sync(), "name", ConflictPolicy.NEWEST)
    pair.store.prune_evidence(pair.sync().id, pair.clock.now() + dt.timedelta(days=1))

    left = rules.simulate(pair.world(), pair.sync(), "name", ConflictPolicy.NEWEST)

    assert len(left.verdicts) == 3
    assert {(each.left, each.winner) for each in left.verdicts} == {
        (each.left, each.winner) for each in whole.verdicts
    }
    assert left.won(Side.RIGHT) == 3


async def test_conflicts_that_a_rule_settled_are_in_the_past_too() -> None:
    pair = Pair()
    left = pair.left.create(task("Paint", hours=1))
    await pair.settled()
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=2))
    pair.clock.advance(10)
    pair.left.edit(left, edited(hours=3))
    await pair.settled()
    assert any(entry.rule is Rule.NEWEST for entry in pair.store.history(pair.sync().id))

    found = rules.simulate(pair.world(), pair.sync(), "hours", ConflictPolicy.RIGHT)

    assert [each.winner for each in found.verdicts] == [Side.RIGHT]
    assert found.judged == 0


async def test_only_what_came_since_a_day_is_looked_at() -> None:
    pair = Pair()
    await quarrel(pair)
    later = pair.clock.now() + dt.timedelta(days=1)

    assert rules.simulate(pair.world(), pair.sync(), "name", ConflictPolicy.LEFT, later).verdicts == ()


@pytest.mark.parametrize(
    ("field", "policy", "why"),
    [
        ("nmae", ConflictPolicy.LEFT, "'nmae' is not mapped in the sync 'tickets'. There are: name ↔ title"),
        ("name", ConflictPolicy.MERGE, "Only many-of fields merge"),
    ],
)
async def test_a_rule_that_does_not_fit_is_refused(field: str, policy: ConflictPolicy, why: str) -> None:
    pair = Pair()
    versions.apply(pair.store, pair.clock, BODY)

    with pytest.raises(SetupError, match=why):
        rules.simulate(pair.world(), pair.sync(), field, policy)
    with pytest.raises(SetupError, match=why):
        rules.save(pair.world(), pair.sync(), field, policy, "")

    assert len(pair.store.versions()) == 1


async def test_a_saved_rule_is_a_new_version_and_touches_its_field_alone() -> None:
    pair = Pair()
    versions.apply(pair.store, pair.clock, BODY)

    saved = rules.save(pair.world(), pair.sync(), "name", ConflictPolicy.LEFT, "question 3: left wins")

    assert (saved.number, saved.note) == (2, "question 3: left wins")
    assert saved.body["tickets"]["fields"][0] == {"left": "name", "right": "title", "conflict": "left"}
    assert saved.body["tickets"]["fields"][1] == BODY["tickets"]["fields"][1]
    assert saved.body["other"] == BODY["other"]
    assert rules.save(pair.world(), pair.sync(), "name", ConflictPolicy.LEFT, "again").number == 2


async def test_the_field_of_a_line_is_found_by_either_name() -> None:
    sync = Pair().sync()

    for field in ("hours", "effort", "hours ↔ effort"):
        assert rules.line_of(sync, field).mapping.left == FieldId("hours")
