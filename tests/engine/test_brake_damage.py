"""Every brake, in a world where something went wrong: with it nothing is written, without it the damage is done.

And: a stopped plan tells what it would have done, loses nothing, costs no call beyond the look, and happens after a
release. What brakes judge by their figures stands in `tests/core/test_brakes.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import msgspec
import pytest

from syncline.core.brakes import FAR, BrakeName, Limits
from syncline.core.decisions import DeletePolicy
from syncline.core.mapping import FieldMapping
from syncline.core.records import Ability, FieldId, RecordKey, Scope, Side
from syncline.core.values import FieldType, Number
from syncline.engine import brakes
from syncline.engine.runs import Options, Report, preview
from syncline.engine.sync import Identity, Sync
from syncline.errors import SetupError
from tests.engine.pair import MAPPINGS, TICKET, Pair, edited, task, ticket

FAMILIAR = {side: Identity("acme", "owner", ("read", "write")) for side in Side}


@dataclass
class Braked(Pair):
    """A pair with its brakes on, whose sides tell who they are. `filters` may change between runs."""

    limits: Limits = field(default_factory=Limits)
    deletes: DeletePolicy = DeletePolicy.PROPAGATE
    identities: dict[Side, Identity | None] = field(default_factory=lambda: dict(FAMILIAR))
    filters: str = "all"
    where: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def sync(self) -> Sync:
        """The sync with its identities."""
        made = super().sync()
        left = replace(
            made.left,
            identity=self.identities[Side.LEFT],
            scope=Scope(made.left.scope.object_type, self.where),
        )
        right = replace(made.right, identity=self.identities[Side.RIGHT])
        return replace(made, left=left, right=right, filter_digest=self.filters)


async def grown(records: int = 30, runs: int = 3) -> Braked:
    """Linked records, and runs enough for a forecast."""
    pair = Braked()
    for number in range(records):
        pair.left.create(task(f"Task {number}", hours=1))
    for _ in range(runs):
        await pair.settled()
    return pair


def _pulled(report: Report) -> list[BrakeName]:
    return [brake.name for brake in report.plan.brakes]


def lefts(pair: Pair) -> list[RecordKey]:
    return [key for key, each in pair.left.records.items() if each.trashed_at is None]


def deletions(pair: Braked) -> None:
    for key in lefts(pair)[:5]:
        pair.left.delete(key)


def changes(pair: Braked) -> None:
    for key in lefts(pair)[:16]:
        pair.left.edit(key, edited(hours=2))


def all_changed(pair: Braked) -> None:
    for key in lefts(pair):
        pair.left.edit(key, edited(hours=2))


def flood(pair: Braked) -> None:
    for number in range(31):
        pair.left.create(task(f"Stray {number}"))


def incomplete(pair: Braked) -> None:
    """The right listing broke off before the record that the new left one belongs to."""
    pair.right.hidden.add(pair.right.create(ticket("Met")))
    pair.left.create(task("Met"))
    pair.right.listing_gap = "it broke off"


def emptied(pair: Braked) -> None:
    """The right lists nothing, and holds the record that the new left one belongs to."""
    pair.right.create(ticket("Met"))
    pair.right.hidden |= set(pair.right.records)
    pair.left.create(task("Met"))


def remapped(pair: Braked) -> None:
    pair.mappings = (MAPPINGS[0], FieldMapping(FieldId("note"), FieldId("remark")))
    pair.left.edit(lefts(pair)[0], edited(note="written by a slip"))


def refiltered(pair: Braked) -> None:
    pair.filters = "others"
    pair.left.create(task("Let in by a slip"))


def elsewhere(pair: Braked) -> None:
    pair.identities[Side.LEFT] = Identity("other", "owner", ("read", "write"))
    pair.left.create(task("Somebody else's"))


def shrunken(pair: Braked) -> None:
    """The token sees less than before: what it does not see looks deleted."""
    pair.identities[Side.LEFT] = Identity("acme", "owner", ("read",))
    key = lefts(pair)[0]
    pair.left.purge(key)


def drifted(pair: Braked) -> None:
    changed = tuple(
        msgspec.structs.replace(each, type=FieldType.PHONE) if each.id == "title" else each
        for each in TICKET.fields
    )
    pair.right.schema = msgspec.structs.replace(TICKET, fields=changed)
    pair.left.edit(lefts(pair)[0], edited(hours=5))


def jumped(pair: Braked) -> None:
    pair.clock.advance(-7200)
    pair.left.create(task("Made yesterday, it seems"))


ACCIDENTS: dict[BrakeName, Callable[[Braked], None]] = {
    BrakeName.INCOMPLETE_LISTING: incomplete,
    BrakeName.EMPTY_SIDE: emptied,
    BrakeName.COUNT_FORECAST: flood,
    BrakeName.DELETES: deletions,
    BrakeName.CHANGES: changes,
    BrakeName.ALL_CHANGED: all_changed,
    BrakeName.MAPPING_CHANGED: remapped,
    BrakeName.FILTER_CHANGED: refiltered,
    BrakeName.SCOPE_CHANGED: elsewhere,
    BrakeName.TOKEN_SCOPES: shrunken,
    BrakeName.SCHEMA_DRIFT: drifted,
    BrakeName.CLOCK_JUMP: jumped,
}

every_brake = pytest.mark.parametrize("name", list(BrakeName), ids=lambda name: name.value)


@every_brake
async def test_a_brake_stops_the_accident_for_as_long_as_nobody_lets_go(name: BrakeName) -> None:
    pair = await grown()
    ACCIDENTS[name](pair)

    reports = [await pair.run() for _ in range(3)]

    assert [_pulled(report) for report in reports] == [[name]] * 3
    assert [report.writes for report in reports] == [0, 0, 0]
    assert all([step for step in report.plan.stopped if step.write] for report in reports)


@every_brake
async def test_without_the_brake_the_damage_is_done(name: BrakeName) -> None:
    pair = await grown()
    pair.limits = Limits(off=frozenset({name}))
    ACCIDENTS[name](pair)

    report = await pair.run()

    assert (_pulled(report), [brake.name for brake in report.plan.released]) == ([], [name])
    assert report.writes > 0


@every_brake
async def test_a_stopped_plan_happens_after_a_release_and_the_next_run_is_calm(name: BrakeName) -> None:
    pair = await grown()
    ACCIDENTS[name](pair)
    stopped = await pair.run()
    brakes.release(pair.world(), pair.sync().id, name, for_good=False)

    released = await pair.run()
    pair.right.listing_gap, pair.right.hidden = "", set()
    calm = [await pair.run(), await pair.run()][-1]

    kinds = {(type(step.write), step.side, step.title) for step in stopped.plan.stopped if step.write}
    done = {(type(step.write), step.side, step.title) for step in released.plan.writes}
    assert kinds <= done
    assert released.writes == len(released.plan.writes)
    assert [brake.name for brake in released.plan.released] == [name]
    assert calm.is_quiet
    assert brakes.releases(pair.store, pair.sync().id) == {}


@every_brake
async def test_a_stopped_run_costs_no_more_than_the_look(name: BrakeName) -> None:
    pair = await grown()
    quiet = await pair.run()
    ACCIDENTS[name](pair)

    stopped = await pair.run()

    proofs = 5  # of deletions, by a direct read each
    assert stopped.calls_left + stopped.calls_right <= quiet.calls_left + quiet.calls_right + proofs


@pytest.mark.parametrize("name", [BrakeName.CHANGES, BrakeName.ALL_CHANGED, BrakeName.COUNT_FORECAST])
async def test_a_run_of_changes_only_is_not_blind(name: BrakeName) -> None:
    pair = await grown()
    ACCIDENTS[name](pair)

    report = await pair.run(Options(is_full=False))

    assert not report.is_full
    assert _pulled(report) == [name]
    assert report.writes == 0


async def test_a_stopped_closing_of_links_does_not_slip_through_the_second_run() -> None:
    pair = await grown()
    pair.deletes = DeletePolicy.IGNORE
    deletions(pair)

    reports = [await pair.run(), await pair.run()]

    assert [_pulled(report) for report in reports] == [[BrakeName.DELETES]] * 2
    assert reports[-1].counts.links == 30


async def test_exactly_the_limit_passes_and_one_more_does_not() -> None:
    pair = await grown()
    for key in lefts(pair)[:3]:
        pair.left.delete(key)
    pair.limits = Limits(at_least=1)

    assert _pulled(await pair.run()) == []

    for key in lefts(pair)[:3]:
        pair.left.delete(key)
    assert _pulled(await pair.run()) == [BrakeName.DELETES]


async def test_a_forecast_is_not_surprised_by_what_we_made_ourselves() -> None:
    pair = Braked()
    pair.left.create(task("Paint"))
    for _ in range(4):
        await pair.settled()
    for number in range(60):
        pair.left.create(task(f"Task {number}"))

    stopped = await pair.run()
    brakes.release(pair.world(), pair.sync().id, BrakeName.COUNT_FORECAST, for_good=False)
    released = await pair.run()

    assert _pulled(stopped) == [BrakeName.COUNT_FORECAST]
    assert released.right.created == 60
    assert [_pulled(await pair.run()) for _ in range(4)] == [[]] * 4


async def test_a_few_new_records_are_no_flood() -> None:
    pair = await grown(records=3)
    for number in range(FAR - 1):
        pair.left.create(task(f"New {number}"))

    assert (await pair.run()).right.created == FAR - 1


@pytest.mark.parametrize(
    ("identity", "told"),
    [
        (Identity("other", "owner", ("read", "write")), "the left account was acme and is other"),
        (Identity("acme", "guest", ("read", "write")), "the left user was owner and is guest"),
    ],
)
async def test_another_account_is_named(identity: Identity, told: str) -> None:
    pair = await grown(records=1)
    pair.identities[Side.LEFT] = identity

    (brake,) = (await pair.run()).plan.brakes

    assert told in brake.sentence


async def test_another_object_type_is_another_side() -> None:
    pair = await grown(records=1)
    pair.left.schema = msgspec.structs.replace(pair.left.schema, id=pair.right.schema.id)

    (brake,) = (await pair.run()).plan.brakes

    assert "the left object type was task and is ticket" in brake.sentence


async def test_lost_rights_are_named_and_new_ones_are_welcome() -> None:
    pair = await grown(records=1)
    pair.identities[Side.RIGHT] = Identity("acme", "owner", ("write", "admin"))
    (lost,) = (await pair.run()).plan.brakes
    pair.identities[Side.RIGHT] = Identity("acme", "owner", ("read", "write", "admin"))
    more = await pair.run()

    assert "the right lost the scopes read" in lost.sentence
    assert _pulled(more) == []


async def test_where_nobody_tells_scopes_the_missing_ones_count() -> None:
    pair = await grown(records=1)
    pair.identities[Side.RIGHT] = Identity("acme", "owner", None, ())
    await pair.run()
    pair.identities[Side.RIGHT] = Identity("acme", "owner", None, ("records.write",))

    (brake,) = (await pair.run()).plan.brakes

    assert (brake.name, "records.write" in brake.sentence) == (BrakeName.TOKEN_SCOPES, True)


async def test_an_ability_that_vanished_is_a_lost_right() -> None:
    pair = await grown(records=1)
    fewer = pair.right.schema.abilities - {Ability.DELETE}
    pair.right.schema = msgspec.structs.replace(pair.right.schema, abilities=fewer)

    (brake,) = (await pair.run()).plan.brakes

    assert "the right lost the abilities to delete" in brake.sentence


async def test_a_connection_that_told_nothing_this_time_is_not_judged() -> None:
    pair = await grown(records=1)
    pair.identities = dict.fromkeys(Side)

    assert _pulled(await pair.run()) == []

    pair.identities = {side: Identity("other", "owner", ("read",)) for side in Side}
    assert set(_pulled(await pair.run())) == {BrakeName.SCOPE_CHANGED, BrakeName.TOKEN_SCOPES}


# --- letting go -----------------------------------------------------------------------------------------------------


async def test_a_release_for_once_is_not_spent_by_a_preview_or_a_run_that_does_not_need_it() -> None:
    pair = await grown()
    brakes.release(pair.world(), pair.sync().id, BrakeName.DELETES, for_good=False)

    await preview(pair.world(), pair.sync())
    await pair.run()
    deletions(pair)
    assert (await preview(pair.world(), pair.sync())).brakes == ()
    report = await pair.run()

    assert report.right.deleted == 5
    deletions(pair)
    assert _pulled(await pair.run()) == [BrakeName.DELETES]


async def test_a_release_for_once_is_not_spent_by_a_run_that_another_brake_stopped() -> None:
    pair = await grown()
    brakes.release(pair.world(), pair.sync().id, BrakeName.DELETES, for_good=False)
    deletions(pair)
    refiltered(pair)

    stopped = await pair.run()
    released = await pair.run(Options(release=frozenset({BrakeName.FILTER_CHANGED})))

    assert _pulled(stopped) == [BrakeName.FILTER_CHANGED]
    assert released.right.deleted == 5


async def test_a_release_for_good_holds_until_it_is_armed() -> None:
    pair = await grown()
    brakes.release(pair.world(), pair.sync().id, BrakeName.DELETES, for_good=True)
    deleted: list[int] = []
    for _ in range(2):
        deletions(pair)
        deleted.append((await pair.run()).right.deleted)

    brakes.arm(pair.world(), pair.sync().id, BrakeName.DELETES, pair.limits)
    deletions(pair)

    assert deleted == [5, 5]
    assert _pulled(await pair.run()) == [BrakeName.DELETES]


@every_brake
def test_what_blinds_a_run_cannot_be_released_for_good(name: BrakeName) -> None:
    pair = Pair()
    blinding = (BrakeName.INCOMPLETE_LISTING, BrakeName.EMPTY_SIDE, BrakeName.SCOPE_CHANGED)

    if name in blinding:
        with pytest.raises(SetupError, match="only be released once"):
            brakes.release(pair.world(), pair.sync().id, name, for_good=True)
    else:
        brakes.release(pair.world(), pair.sync().id, name, for_good=True)

    assert (name in brakes.releases(pair.store, pair.sync().id)) == (name not in blinding)


def test_the_configuration_cannot_be_armed_from_outside() -> None:
    pair = Pair()

    with pytest.raises(SetupError, match=r"brakes\.off"):
        brakes.arm(
            pair.world(), pair.sync().id, BrakeName.DELETES, Limits(off=frozenset({BrakeName.DELETES}))
        )


async def test_every_brake_is_listed_with_what_the_last_run_saw() -> None:
    pair = await grown()
    sync = pair.sync().id
    deletions(pair)
    await pair.run()
    pulled = {each.name: each for each in brakes.report(pair.store, sync, pair.limits)}
    brakes.release(pair.world(), sync, BrakeName.DELETES, for_good=False)
    released = {each.name: each for each in brakes.report(pair.store, sync, pair.limits)}
    await pair.run()
    after = {
        each.name: each
        for each in brakes.report(pair.store, sync, Limits(off=frozenset({BrakeName.CHANGES})))
    }

    assert list(pulled) == list(BrakeName)
    last = pulled[BrakeName.DELETES].last
    assert last is not None
    assert (last.sentence, last.is_released) == (
        "5 of 30 linked records are gone on the left side (limit 10 %).",
        False,
    )
    assert released[BrakeName.DELETES].state is brakes.BrakeState.RELEASED_ONCE
    assert after[BrakeName.DELETES].state is brakes.BrakeState.ARMED
    seen = after[BrakeName.DELETES].last
    assert seen is not None
    assert seen.is_released
    assert (after[BrakeName.CHANGES].state, after[BrakeName.CHANGES].by) == (
        brakes.BrakeState.OFF,
        "configuration",
    )


async def test_a_side_that_was_really_emptied_empties_the_other_after_both_releases() -> None:
    pair = await grown(records=6)
    for key in lefts(pair):
        pair.left.delete(key)

    first = await pair.run()
    second = await pair.run(Options(release=frozenset({BrakeName.EMPTY_SIDE})))
    third = await pair.run(Options(release=frozenset({BrakeName.EMPTY_SIDE, BrakeName.DELETES})))

    assert [_pulled(each) for each in (first, second, third)] == [
        [BrakeName.EMPTY_SIDE],
        [BrakeName.DELETES],
        [],
    ]
    assert third.right.deleted == 6


async def test_what_was_stopped_is_still_there_after_more_edits() -> None:
    pair = await grown()
    changes(pair)
    await pair.run()
    pair.left.edit(lefts(pair)[0], edited(hours=7))

    await pair.run(Options(is_full=False, release=frozenset({BrakeName.CHANGES})))

    hours = [each["effort"] for each in pair.holds(Side.RIGHT).values()]
    assert hours.count(Number(7)) == 1
    assert hours.count(Number(2)) == 15
