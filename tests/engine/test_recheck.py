"""Rechecks: every record is decoded, and only those that something comes of are kept; nothing is decided otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncline.core.brakes import BrakeName
from syncline.core.decisions import Rule
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping
from syncline.core.memory import Link, Parked, RunState, Seen
from syncline.core.plan import Effect, Plan, Step
from syncline.core.records import LinkId, RecordKey, Side, StepId, Update
from syncline.engine import sift
from syncline.engine.impact import impact
from syncline.engine.reconcile import Reconciled, reconcile
from syncline.engine.recover import Recovery
from syncline.engine.remember import remember
from syncline.engine.runs import Options, decide, survey
from syncline.engine.spool import spools
from syncline.engine.sync import Sync
from tests.engine.pair import MAPPINGS, Pair, edited, task, ticket
from tests.engine.test_filters import MANY_HOURS, NOT_DONE, Filtered

NAME, HOURS, LABELS, STAGE, NOTE = MAPPINGS
_CHANGES = frozenset({BrakeName.MAPPING_CHANGED, BrakeName.FILTER_CHANGED})
RECHECK = Options(is_recheck=True, release=_CHANGES)
CHUNK = 3
_ALL_LINKS = [LinkId(number) for number in range(1, 200)]


@dataclass
class Looked:
    """What a recheck held when it had decided, by the titles of its links, and all that is remembered after it."""

    made: Reconciled
    fresh: Mapping[Side, set[RecordKey]]
    kept: Sequence[object]

    @property
    def plan(self) -> Plan:
        """What it would do."""
        return self.made.plan


async def _looked(pair: Pair, sync: Sync | None = None, *, is_forgetful: bool = True) -> Looked:
    """A recheck up to the point where it would write; without forgetting, everything that was laid aside is taken up."""
    sync, world = sync or pair.sync(), pair.world()
    pair.clock.advance(60)
    begun = pair.store.begin_run(sync.id, pair.clock.now(), sync.patience.lease)
    with pytest.MonkeyPatch.context() as patch, spools() as aside:
        patch.setattr(sift, "CHUNK", CHUNK)
        sweeps = await survey(world, sync, RECHECK, aside)
        assert any(each.aside is not None for each in sweeps.values())
        if not is_forgetful:
            sift.take_up(sweeps, _ALL_LINKS)
        made = await reconcile(world, sync, sweeps, Recovery().frozen, RECHECK.release)
        fresh = {side: set(sweep.fresh) for side, sweep in sweeps.items()}
        remember(world, sync, begun, sweeps, made)
    return Looked(made, fresh, _remembered(pair))


def _remembered(pair: Pair) -> Sequence[object]:
    """Every link and record of the store, and what is asked."""
    store, sync = pair.store, pair.sync().id
    links: Mapping[LinkId, Link] = store.links(sync, sorted(store.linked(sync, 10_000)))
    records: dict[Side, Mapping[RecordKey, Seen]] = {
        side: store.seen(sync, side, sorted(pair.account(side).records)) for side in Side
    }
    asked = [msgspec.structs.replace(each, id=0, run="") for each in store.questions(sync)]
    return links, records, asked, store.unsettled(sync), store.counts(sync)


async def _linked(pair: Pair, count: int = 8, **fields: object) -> Pair:
    for number in range(count):
        pair.left.create(task(f"T{number}", hours=number + 1, stage=("open",), **fields))
    await pair.settled()
    return pair


def _spots(pair: Pair, *titles: str) -> Mapping[Side, set[RecordKey]]:
    return {side: {pair.key(side, title) for title in titles} for side in Side}


# --- what is kept ---------------------------------------------------------------------------------------------------


async def test_a_resync_of_everything_keeps_nothing_where_nothing_must_change() -> None:
    pair = await _linked(Pair())

    looked = await _looked(pair)

    assert looked.fresh == {Side.LEFT: set(), Side.RIGHT: set()}
    assert (looked.made.links, looked.made.views, looked.made.intake.linked) == ({}, {}, [])
    assert not looked.plan.steps
    assert not looked.plan.held
    assert list(looked.made.news) == []


async def test_an_edit_in_between_is_all_that_it_keeps() -> None:
    pair = await _linked(Pair())
    pair.left.edit(pair.key(Side.LEFT, "T4"), edited(hours=40))

    looked = await _looked(pair)

    assert looked.fresh == _spots(pair, "T4")
    assert [step.title for step in looked.plan.steps] == ["T4"]
    assert looked.made.facts.left.changed == 1


async def test_a_removed_line_keeps_nothing_and_a_turned_one_what_it_writes() -> None:
    two_way = FieldMapping(NOTE.left, NOTE.right, conflict=ConflictPolicy.LEFT)
    pair = await _linked(Pair(), note="same")
    pair.right.edit(pair.key(Side.RIGHT, "T3"), edited(remark="other"))
    pair.mappings = (NAME, HOURS)
    removed = await _looked(pair)
    pair.mappings = (NAME, HOURS, two_way)
    turned = await _looked(pair)

    assert removed.fresh == _spots(pair, "T3")
    assert not removed.plan.steps
    assert turned.fresh == _spots(pair, "T3")
    assert [(step.side, step.title) for step in turned.plan.steps] == [(Side.LEFT, "T3")]


async def test_an_added_line_keeps_what_gets_a_base() -> None:
    pair = await _linked(Pair(mappings=(NAME, HOURS)))
    pair.mappings = (NAME, HOURS, LABELS)

    looked = await _looked(pair)

    assert len(looked.fresh[Side.LEFT]) == 8
    assert {step.rule for step in looked.plan.steps} == {Rule.AGREED}


async def test_another_filter_keeps_what_leaves() -> None:
    pair = await _linked(Filtered())
    pair.filters = {Side.LEFT: 'hours < 6 && stage != "Done"'}

    looked = await _looked(pair)

    assert looked.fresh == _spots(pair, "T5", "T6", "T7")
    assert {item.rule for item in looked.plan.held} == {Rule.OUT_OF_SCOPE}


async def test_what_a_filter_reads_is_noted_although_nothing_is_kept() -> None:
    pair = await _linked(Filtered(filters={}, mappings=(NAME, HOURS)))
    pair.filters = {Side.LEFT: NOT_DONE}

    looked = await _looked(pair)
    again = await _looked(pair)

    assert looked.fresh[Side.LEFT] == set()
    assert len(looked.made.news) == 8
    stored = pair.store.links(pair.sync().id, pair.store.linked(pair.sync().id))
    assert {tuple(link.left.fields or ()) for link in stored.values()} == {("stage",)}
    assert not list(again.made.news)


async def test_a_link_that_came_back_into_the_filter_is_remembered_as_back() -> None:
    pair = await _linked(Filtered(filters={Side.LEFT: "hours < 6"}))
    pair.filters = {Side.LEFT: "hours < 4"}
    await pair.run(RECHECK)
    left = pair.key(Side.LEFT, "T4")
    assert not pair.store.seen(pair.sync().id, Side.LEFT, [left])[left].in_scope
    pair.filters = {Side.LEFT: "hours < 6"}

    looked = await _looked(pair)

    assert looked.fresh == {Side.LEFT: set(), Side.RIGHT: set()}
    assert pair.store.seen(pair.sync().id, Side.LEFT, [left])[left].in_scope


async def test_a_deletion_takes_up_what_is_left() -> None:
    pair = await _linked(Pair())
    keys = _spots(pair, "T2")
    pair.right.delete(next(iter(keys[Side.RIGHT])))

    looked = await _looked(pair)

    assert looked.fresh == {Side.LEFT: keys[Side.LEFT], Side.RIGHT: set()}
    assert [item.rule for item in looked.plan.held] == [Rule.DELETED_ASK]
    assert looked.made.facts.right.gone == 1


async def test_a_side_that_is_listed_by_half_does_not_make_it_keep_the_other() -> None:
    pair = await _linked(Pair())
    pair.right.hidden = {pair.key(Side.RIGHT, f"T{number}") for number in range(5)}
    pair.right.listing_gap = "it broke off"

    looked = await _looked(pair)

    assert looked.fresh == {Side.LEFT: set(), Side.RIGHT: set()}
    assert [each.name for each in looked.plan.released or looked.plan.brakes] == [
        BrakeName.INCOMPLETE_LISTING
    ]


async def test_a_parked_record_and_one_that_is_asked_about_are_looked_at_as_ever() -> None:
    pair = await _linked(Pair(conflicts=ConflictPolicy.ASK))
    for side, title in ((Side.LEFT, "T1"), (Side.RIGHT, "T1")):
        name = "hours" if side is Side.LEFT else "effort"
        pair.account(side).edit(pair.key(side, title), edited(**{name: 50 + len(side.value)}))
    await pair.run()
    key, now = pair.key(Side.LEFT, "T6"), pair.clock.now()
    pair.store.park(pair.sync().id, Parked(Side.LEFT, key, "T6", "rejected", "no", None, 1, None, now))

    looked = await _looked(pair)

    assert looked.fresh == _spots(pair, "T1", "T6")
    assert {item.rule for item in looked.plan.held} == {Rule.CONFLICT, Rule.PARKED}


async def test_a_record_whose_last_write_is_unclear_takes_no_call_more_than_ever() -> None:
    pair = await _linked(Pair())
    left, right = (pair.key(side, "T2") for side in Side)
    sync, now = pair.sync().id, pair.clock.now()
    begun = pair.store.begin_run(sync, now, pair.sync().patience.lease)
    (link,) = pair.store.find_link(sync, left)
    write = Update(right, edited(effort=9), edited(effort=3))
    step = Step(
        StepId("1"), Side.RIGHT, write, Effect.KEEP, Rule.UNDONE, "T2", link=link, key=right, counterpart=left
    )
    pair.store.intend(sync, begun.id, [step], now)
    pair.store.end_run(begun.id, RunState.INTERRUPTED, "", now)

    report = await pair.run(RECHECK)

    assert (report.calls_left, report.calls_right) == (1, 2)
    assert report.writes == 0


async def test_records_that_go_on_alone_or_are_left_out_are_not_kept_either() -> None:
    pair = await _linked(Filtered(filters={Side.LEFT: NOT_DONE}))
    for number in range(4):
        pair.left.create(task(f"Done {number}", stage=("done",)))
    await pair.run()
    link = pair.store.linked(pair.sync().id)[0]
    seen = pair.store.links(pair.sync().id, [link])[link].left
    pair.store.untie(link, Side.LEFT, pair.clock.now())
    pair.right.delete(pair.key(Side.RIGHT, seen.title))

    looked = await _looked(pair)

    assert looked.fresh == {Side.LEFT: set(), Side.RIGHT: set()}
    assert not looked.plan.steps


async def test_a_record_that_nobody_can_judge_is_told_in_every_recheck() -> None:
    pair = Filtered(filters={Side.LEFT: MANY_HOURS})
    pair.left.create(task("Paint", hours=None))
    await pair.run()

    looked = await _looked(pair)

    assert [item.rule for item in looked.plan.held] == [Rule.OUT_OF_SCOPE]


async def test_the_count_of_a_change_holds_only_what_the_change_would_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sift, "CHUNK", CHUNK)
    pair = await _linked(Pair())
    pair.right.edit(pair.key(Side.RIGHT, "T3"), edited(remark="other"))
    pair.left.edit(pair.key(Side.LEFT, "T5"), edited(hours=50))
    current = pair.sync()
    pair.mappings = (NAME, HOURS, LABELS, STAGE, FieldMapping(NOTE.left, NOTE.right))

    found = await impact(pair.world(), current, pair.sync())

    assert (found.records, found.spared, found.lines) == (1, 0, {"note ↔ remark": 1})


# --- laws -----------------------------------------------------------------------------------------------------------

LINES = (
    MAPPINGS,
    (NAME, HOURS),
    (NAME, HOURS, STAGE, FieldMapping(NOTE.left, NOTE.right)),
    (NAME, FieldMapping(HOURS.left, HOURS.right, Direction.TO_RIGHT), NOTE),
    (NAME, STAGE, FieldMapping(NOTE.left, NOTE.right, conflict=ConflictPolicy.ASK)),
)
FILTERS: Sequence[Mapping[Side, str]] = (
    {},
    {Side.LEFT: NOT_DONE},
    {Side.LEFT: MANY_HOURS},
    {Side.RIGHT: 'remark != "b"'},
    {Side.LEFT: "hours < 3", Side.RIGHT: "effort > 1"},
)
_HOURS = st.one_of(st.none(), st.integers(1, 4))
_NOTES = st.one_of(st.none(), st.sampled_from("ab"))
_STAGES = st.sampled_from([("open",), ("done",), ("odd",)])
_TASKS = st.fixed_dictionaries({"hours": _HOURS, "note": _NOTES, "stage": _STAGES})
_LEFT_EDIT = st.one_of(
    _HOURS.map(lambda hours: {"hours": hours}),
    _NOTES.map(lambda note: {"note": note}),
    _STAGES.map(lambda stage: {"stage": stage}),
)
_RIGHT_EDIT = st.one_of(
    _HOURS.map(lambda hours: {"effort": hours}), _NOTES.map(lambda note: {"remark": note})
)
_DEED = st.one_of(
    st.tuples(st.just(Side.LEFT), st.integers(0, 6), _LEFT_EDIT),
    st.tuples(st.just(Side.RIGHT), st.integers(0, 6), _RIGHT_EDIT),
    st.tuples(st.sampled_from(Side), st.integers(0, 6), st.sampled_from(["delete", "hide", "create"])),
)
_DEEDS = st.lists(_DEED, max_size=4)
_SETTINGS = st.tuples(st.sampled_from(LINES), st.sampled_from(FILTERS))


@dataclass(frozen=True)
class Story:
    """A small world: records, what is configured first and then, and what people do before and after a run."""

    tasks: Sequence[Mapping[str, object]]
    policy: ConflictPolicy
    first: tuple[Sequence[FieldMapping], Mapping[Side, str]]
    then: tuple[Sequence[FieldMapping], Mapping[Side, str]]
    before: Sequence[tuple[Side, int, object]]
    after: Sequence[tuple[Side, int, object]]

    async def told(self) -> Filtered:
        """The world at the point where something else is configured."""
        pair = Filtered(conflicts=self.policy, mappings=self.first[0], filters=dict(self.first[1]))
        for number, fields in enumerate(self.tasks):
            pair.left.create(task(f"T{number}", **fields))
            if number % 3 == 0:
                pair.right.create(ticket(f"T{number}"))
        await pair.run()
        self._happen(pair, self.before)
        await pair.run(RECHECK)
        self._happen(pair, self.after)
        pair.mappings, pair.filters = self.then[0], dict(self.then[1])
        return pair

    def _happen(self, pair: Filtered, deeds: Sequence[tuple[Side, int, object]]) -> None:
        for side, number, what in deeds:
            account = pair.account(side)
            there = [each.key for each in account.records.values() if each.trashed_at is None]
            if what == "create":
                account.create((task if side is Side.LEFT else ticket)(f"N{number}"))
            elif not there:
                continue
            elif what == "delete":
                account.delete(there[number % len(there)])
            elif what == "hide":
                account.hidden = {*account.hidden, there[number % len(there)]}
            elif isinstance(what, dict):
                account.edit(there[number % len(there)], edited(**what))


STORIES = st.builds(
    Story,
    st.lists(_TASKS, min_size=1, max_size=7),
    st.sampled_from([ConflictPolicy.NEWEST, ConflictPolicy.ASK, ConflictPolicy.LEFT]),
    _SETTINGS,
    _SETTINGS,
    _DEEDS,
    _DEEDS,
)


@settings(max_examples=30, deadline=None)
@given(STORIES)
def test_forgetting_changes_neither_the_plan_nor_what_is_remembered(story: Story) -> None:
    async def both() -> tuple[Looked, Looked]:
        return (
            await _looked(await story.told()),
            await _looked(await story.told(), is_forgetful=False),
        )

    brief, whole = asyncio.run(both())

    assert brief.plan == whole.plan
    assert brief.made.facts == whole.made.facts
    assert brief.kept == whole.kept
    assert brief.made.links.keys() <= whole.made.links.keys()


@settings(max_examples=15, deadline=None)
@given(STORIES, st.sampled_from(LINES))
def test_two_plans_of_the_same_look_are_those_of_two_looks(
    story: Story, lines: Sequence[FieldMapping]
) -> None:
    """A count of what a change would do decides twice on the same records: what one plan takes up does not show in the
    other."""

    async def plans(*, is_forgetful: bool) -> list[Plan]:
        pair = await story.told()
        syncs = [pair.sync()]
        pair.mappings = lines
        syncs.append(pair.sync())
        return [plan async for plan in _decided(pair, syncs, is_forgetful=is_forgetful)]

    async def _decided(pair: Pair, syncs: Sequence[Sync], *, is_forgetful: bool) -> AsyncIterator[Plan]:
        lenses = tuple(lens for each in syncs for lens in each.rules.lenses)
        wide = replace(syncs[1], rules=msgspec.structs.replace(syncs[1].rules, lenses=lenses))
        with pytest.MonkeyPatch.context() as patch, spools() as aside:
            patch.setattr(sift, "CHUNK", CHUNK)
            sweeps = await survey(pair.world(), wide, RECHECK, aside)
            if not is_forgetful:
                sift.take_up(sweeps, _ALL_LINKS)
            for sync in syncs:
                yield await decide(pair.world(), sync, RECHECK, sweeps)

    async def both() -> tuple[list[Plan], list[Plan]]:
        return await plans(is_forgetful=True), await plans(is_forgetful=False)

    brief, whole = asyncio.run(both())

    assert brief == whole
