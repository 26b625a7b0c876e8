"""Trying again: parked records made due, and single records read fresh and decided again, at the price of two reads."""

from __future__ import annotations

import random

import pytest

from syncline.connectors.memory import When
from syncline.core.brakes import BrakeName, Limits
from syncline.core.decisions import DeletePolicy, Rule
from syncline.core.records import RecordKey, Side, Write
from syncline.core.values import Number, Text, Value
from syncline.engine import again
from syncline.engine.runs import Options, Report
from syncline.errors import RejectedError, SetupError, TransientError
from syncline.story import shown
from tests.engine.crashing import Fuse
from tests.engine.pair import MAPPINGS, Pair, edited, task, ticket
from tests.engine.test_crash import crashed

SYNC = Pair().sync().id


async def linked(*names: str) -> tuple[Pair, dict[str, RecordKey]]:
    pair = Pair()
    keys = {name: pair.left.create(task(name, hours=1)) for name in names}
    await pair.settled()
    return pair, keys


def failing(pair: Pair, *errors: Exception) -> None:
    """Every write on the right fails with one error after the other, then goes through."""
    left = list(errors)

    def strike(when: When, write: Write) -> None:
        if when is When.BEFORE and left:
            raise left.pop(0)

    pair.right.faults = strike


def effort(pair: Pair, name: str) -> Value:
    return pair.holds(Side.RIGHT)[name]["effort"]


async def resynced(pair: Pair, *spots: again.Spot, options: Options | None = None) -> Report:
    pair.clock.advance(60)
    return await again.resync(pair.world(), pair.sync(), random.Random(1).random, frozenset(spots), options)


# --- retry ----------------------------------------------------------------------------------------------------------


async def test_a_retry_makes_a_refused_record_due_and_keeps_its_attempts() -> None:
    pair, keys = await linked("Paint")
    failing(pair, RejectedError("no"))
    pair.left.edit(keys["Paint"], edited(hours=2))
    await pair.run()

    (due,) = again.retry(pair.world(), SYNC)
    now = pair.clock.now()
    report = await pair.run()

    assert (due.due, due.attempts) == (now, 1)
    assert report.right.updated == 1
    assert pair.store.parked(SYNC) == []


async def test_a_retry_that_fails_again_counts_on() -> None:
    pair, keys = await linked("Paint")
    failing(pair, *[RejectedError("no")] * 3)
    pair.left.edit(keys["Paint"], edited(hours=2))
    await pair.run()
    for _ in range(2):
        again.retry(pair.world(), SYNC)
        await pair.run()

    assert [(each.attempts, each.due) for each in pair.store.parked(SYNC)] == [(3, None)]


async def test_a_retry_needs_no_wait_for_a_busy_vendor() -> None:
    pair, keys = await linked("Paint")
    failing(pair, *[TransientError("busy")] * 6)
    pair.left.edit(keys["Paint"], edited(hours=2))
    for _ in range(6):
        again.retry(pair.world(), SYNC)
        await pair.run()

    again.retry(pair.world(), SYNC)
    report = await pair.run()

    assert report.right.updated == 1


async def test_a_retry_is_for_chosen_records_or_codes() -> None:
    pair, keys = await linked("Paint", "Print", "Post")
    failing(pair, RejectedError("no"), RejectedError("no"), RejectedError("no"))
    for key in keys.values():
        pair.left.edit(key, edited(hours=2))
    await pair.run()

    assert again.retry(pair.world(), SYNC, code="transient") == []
    assert len(again.retry(pair.world(), SYNC, [keys["Paint"]])) == 1
    await pair.run()
    assert len(pair.store.parked(SYNC)) == 2
    assert len(again.retry(pair.world(), SYNC, code="rejected")) == 2
    assert again.retry(pair.world(), SYNC, [RecordKey("nobody")]) == []


# --- resync ---------------------------------------------------------------------------------------------------------


async def test_a_resync_of_a_calm_record_costs_two_reads() -> None:
    pair, keys = await linked("Paint", "Print")

    report = await resynced(pair, (Side.LEFT, keys["Paint"]))

    assert (report.calls_left, report.calls_right) == (1, 1)
    assert report.is_quiet


async def test_a_resync_finds_the_edit_and_writes_it_and_nothing_is_listed() -> None:
    pair, keys = await linked("Paint", "Print")
    pair.left.edit(keys["Paint"], edited(hours=2))
    pair.left.edit(keys["Print"], edited(hours=3))

    report = await resynced(pair, *again.spots(pair.world(), SYNC, keys["Paint"]))

    assert (report.calls_left, report.calls_right) == (1, 2)
    assert (effort(pair, "Paint"), effort(pair, "Print")) == (Number(2), Number(1))
    assert (await pair.run(Options(is_full=False))).right.updated == 1


async def test_a_resync_that_did_not_look_at_a_record_takes_it_for_neither_gone_nor_seen() -> None:
    pair, keys = await linked("Paint", "Print")
    pair.left.delete(keys["Print"])

    report = await resynced(pair, (Side.LEFT, keys["Paint"]))

    assert report.plan.held == ()
    assert [held.rule for held in (await pair.run()).plan.held] == [Rule.DELETED_ASK]


async def test_a_resync_tells_a_deletion_from_a_direct_read() -> None:
    pair, keys = await linked("Paint", "Print")
    pair.deletes = DeletePolicy.PROPAGATE
    pair.left.delete(keys["Paint"])

    report = await resynced(pair, (Side.LEFT, keys["Paint"]))

    assert report.right.deleted == 1
    assert set(pair.holds(Side.RIGHT)) == {"Print"}


async def test_a_record_that_nobody_knew_is_copied() -> None:
    pair, _ = await linked("Print")
    new = pair.left.create(task("Paint", hours=4))

    report = await resynced(pair, *((side, new) for side in Side))

    assert report.right.created == 1
    assert (await pair.run()).is_quiet


async def _stopped_before_the_other_side_was_seen() -> tuple[Pair, RecordKey]:
    """A first run that a brake stopped: one side was remembered, and the twin on the other one never listed."""
    pair = Pair()
    pair.limits = Limits()
    left = pair.left.create(task("Paint", hours=1))
    pair.left.create(task("Print"))
    pair.right.hidden.add(pair.right.create(ticket("Paint", effort=1)))
    pair.right.listing_gap = "it broke off"
    stopped = await pair.run()
    assert [brake.name for brake in stopped.plan.brakes] == [BrakeName.INCOMPLETE_LISTING]
    return pair, left


@pytest.mark.parametrize("is_chosen", [True, False])
async def test_a_record_that_waits_is_not_copied_before_the_other_side_was_looked_at(
    *, is_chosen: bool
) -> None:
    pair, left = await _stopped_before_the_other_side_was_seen()
    pair.right.hidden.clear()
    pair.right.listing_gap = ""

    await resynced(pair, (Side.LEFT, left if is_chosen else RecordKey("999")))
    await pair.settled()

    assert len(pair.right.records) == 2
    assert set(pair.holds(Side.RIGHT)) == {"Paint", "Print"}


async def test_a_chosen_record_waits_while_the_other_side_breaks_off() -> None:
    pair, left = await _stopped_before_the_other_side_was_seen()

    report = await resynced(pair, (Side.LEFT, left))

    assert [brake.name for brake in report.plan.brakes] == [BrakeName.INCOMPLETE_LISTING]
    assert len(pair.right.records) == 1


async def test_a_record_that_is_nowhere_leaves_no_trace() -> None:
    pair, _ = await linked("Print")

    report = await resynced(pair, *((side, RecordKey("999")) for side in Side))

    assert report.is_quiet
    assert pair.store.seen(SYNC, Side.LEFT, [RecordKey("999")]) == {}


async def test_a_resync_tries_a_parked_record_now() -> None:
    pair, keys = await linked("Paint")
    failing(pair, RejectedError("no"))
    pair.left.edit(keys["Paint"], edited(hours=2))
    await pair.run()

    report = await resynced(pair, *again.spots(pair.world(), SYNC, keys["Paint"]))

    assert report.right.updated == 1
    assert pair.store.parked(SYNC) == []


async def test_a_resync_does_not_slip_past_the_brakes_nor_accept_a_new_mapping_for_all() -> None:
    pair, keys = await linked("Paint", "Print")
    pair.left.edit(keys["Print"], edited(note="fresh"))
    await pair.settled()
    pair.mappings = MAPPINGS[:4]
    spots = again.spots(pair.world(), SYNC, keys["Paint"])

    stopped = await resynced(pair, *spots)
    await resynced(pair, *spots, options=Options(release=frozenset({BrakeName.MAPPING_CHANGED})))

    assert [brake.name for brake in stopped.plan.brakes] == [BrakeName.MAPPING_CHANGED]
    assert [brake.name for brake in (await pair.run()).plan.brakes] == [BrakeName.MAPPING_CHANGED]


async def test_what_a_brake_stopped_stays_stopped_in_a_resync() -> None:
    pair, keys = await linked(*(f"Task {n}" for n in range(8)))
    pair.limits = Limits()
    for key in keys.values():
        pair.left.edit(key, edited(hours=2))
    await pair.run()

    report = await resynced(pair, (Side.LEFT, keys["Task 1"]))

    assert [brake.name for brake in report.plan.brakes] == [BrakeName.ALL_CHANGED]


async def test_the_cursor_stays_where_it_was() -> None:
    pair, keys = await linked("Paint", "Print")
    pair.left.edit(keys["Print"], edited(hours=3))

    await resynced(pair, (Side.LEFT, keys["Paint"]))
    delta = await pair.run(Options(is_full=False))

    assert delta.right.updated == 1


@pytest.mark.parametrize(
    ("field", "text"), [("name", "paint"), ("title", "Paint"), ("hours", "2"), ("effort", " 2 ")]
)
async def test_records_are_found_by_what_they_hold_on_either_side(field: str, text: str) -> None:
    pair, _ = await linked("Print", "Post")
    left = pair.left.create(task("Paint", hours=2))
    await pair.settled()

    found = again.matching(pair.world(), pair.sync(), field, text, shown)

    assert found == {(Side.LEFT, left), (Side.RIGHT, pair.key(Side.RIGHT, "Paint"))}


def test_a_field_that_nobody_mapped_is_named() -> None:
    pair = Pair()

    with pytest.raises(SetupError, match="looks at no field 'colour'"):
        again.matching(pair.world(), pair.sync(), "colour", "red", shown)


async def test_records_that_wait_are_found_too() -> None:
    pair, _ = await linked("Print")
    pair.limits = Limits(off=frozenset())
    failing(pair, RejectedError("no"))
    left = pair.left.create(task("Paint", hours=2))
    await pair.run()

    assert again.matching(pair.world(), pair.sync(), "name", "Paint", shown) == {(Side.LEFT, left)}


async def test_a_resync_of_all_looks_at_every_record() -> None:
    pair, keys = await linked("Paint", "Print")
    failing(pair, RejectedError("no"))
    pair.left.edit(keys["Paint"], edited(hours=2))
    await pair.run()
    pair.clock.advance(60)

    report = await again.resync_all(pair.world(), pair.sync(), random.Random(1).random)

    assert report.is_full
    assert report.right.updated == 1


# --- crashes --------------------------------------------------------------------------------------------------------


async def _busy() -> Pair:
    """A parked record, a new one on each side, an edit on each side, and a vendor with a form of its own."""
    pair, keys = await linked("Paint", "Print", "Post")
    failing(pair, RejectedError("no"))
    pair.left.edit(keys["Paint"], edited(hours=2))
    await pair.run()
    pair.left.edit(keys["Print"], edited(hours=2.404))
    pair.right.edit(pair.key(Side.RIGHT, "Post"), edited(effort=7))
    pair.left.create(task("New left", hours=3))
    pair.right.create(ticket("New right", effort=4))
    pair.right.normalise = _rounded
    again.retry(pair.world(), SYNC)
    return pair


def _rounded(name: str, value: Value) -> Value:
    return Number(round(value.number, 2)) if isinstance(value, Number) else value


def _everything(pair: Pair) -> frozenset[again.Spot]:
    return frozenset((side, key) for side in Side for key in pair.account(side).records)


async def test_a_resync_that_stops_anywhere_ends_where_an_undisturbed_one_does() -> None:
    calm = await _busy()
    await resynced(calm, *_everything(calm))
    await calm.settled()
    at, is_blown = 0, True
    while is_blown:
        at += 1
        pair = await _busy()
        fuse = Fuse(at)

        await crashed(pair, fuse, Options(is_full=False, only=_everything(pair)))
        is_blown = fuse.is_blown
        pair.clock.advance(300)
        await resynced(pair, *_everything(pair))
        await pair.settled()

        assert pair.holds(Side.LEFT) == calm.holds(Side.LEFT), at
        assert pair.holds(Side.RIGHT) == calm.holds(Side.RIGHT), at
        assert pair.store.parked(SYNC) == [], at
    assert at > 20
    assert calm.holds(Side.LEFT)["Print"]["hours"] != calm.holds(Side.RIGHT)["Print"]["effort"]
    assert calm.holds(Side.RIGHT)["New left"]["title"] == Text("New left")
