"""The divergence certificate: every record and field is accounted for, and what the engine cannot explain is named."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from syncline.connectors.memory import When
from syncline.core.audit import AuditKind
from syncline.core.certificate import Certificate, moved_branches
from syncline.core.comparison import Cause
from syncline.core.decisions import Answer, DeletePolicy
from syncline.core.mapping import ConflictPolicy
from syncline.core.match import MatchMode
from syncline.core.memory import RunState
from syncline.core.records import FieldId, Side, Write
from syncline.core.values import Number, Text, Value
from syncline.engine.certify import certificate_of, certify
from syncline.errors import BusyError, RejectedError, SetupError, UnknownOutcomeError
from tests.engine.pair import Pair, edited, task, ticket

LINES = 5


async def certified(pair: Pair, *, with_values: bool = False) -> Certificate:
    """A certificate of the pair as it is now."""
    return (await certify(pair.world(), pair.sync(), with_values=with_values)).certificate


async def settled(**policies: object) -> Pair:
    """Two linked pairs, in step."""
    pair = Pair(**policies)  # pyright: ignore[reportArgumentType] - policies of the pair
    for name in ("Paint", "Print"):
        pair.left.create(task(name, hours=1, labels=["a"], stage=("open",), note="n"))
    await pair.settled()
    return pair


def fields(certificate: Certificate) -> dict[Cause, int]:
    """The differing fields by cause."""
    return dict(certificate.fields.causes)


def store_base(pair: Pair, title: str, side: Side, field: str, value: Value) -> None:
    """Put something into a link's base behind the engine's back."""
    (link,) = pair.store.find_link(pair.sync().id, pair.key(side, title))
    moved = {FieldId(field): value}
    pair.store.move_base(link, moved if side is Side.LEFT else {}, moved if side is Side.RIGHT else {})


async def test_two_sides_in_step_have_no_difference() -> None:
    pair = await settled()

    found = await certified(pair)

    assert (found.left.total, found.right.total, found.links.total) == (2, 2, 2)
    assert (found.left.compared, found.right.compared, found.links.compared) == (2, 2, 2)
    assert (found.fields.total, found.fields.equal, found.unexplained) == (2 * LINES, 2 * LINES, 0)
    assert [listing.is_complete for listing in found.listings] == [True, True]
    assert found.samples == ()
    assert found.run == pair.store.runs(pair.sync().id)[0].id


async def test_before_the_first_run_everything_is_pending() -> None:
    pair = Pair()
    pair.left.create(task("Paint"))

    found = await certified(pair)

    assert found.left.causes == {Cause.PENDING: 1}
    assert (found.run, found.unexplained) == (None, 0)


@pytest.mark.parametrize("side", list(Side))
async def test_an_edit_since_the_last_run_is_pending(side: Side) -> None:
    pair = await settled()
    pair.account(side).edit(
        pair.key(side, "Paint"), edited(**{"hours" if side is Side.LEFT else "effort": 9})
    )

    found = await certified(pair)

    assert (fields(found), found.unexplained) == ({Cause.PENDING: 1}, 0)


async def test_a_conflict_is_one_until_it_is_answered() -> None:
    pair = await settled()
    pair.left.edit(pair.key(Side.LEFT, "Paint"), edited(name="Paint A"))
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(title="Paint B"))
    await pair.run()

    asked = await certified(pair)
    pair.right.edit(pair.key(Side.RIGHT, "Paint B"), edited(title="Paint C"))
    moved = await certified(pair)

    assert (fields(asked), asked.unexplained) == ({Cause.CONFLICT: 1}, 0)
    assert (fields(moved), moved.unexplained) == ({Cause.PENDING: 1}, 0)


async def test_a_value_without_counterpart_is_told_as_one() -> None:
    pair = await settled()
    pair.left.edit(pair.key(Side.LEFT, "Paint"), edited(stage=("odd",)))
    await pair.run()

    found = await certified(pair)

    assert (fields(found), found.unexplained) == ({Cause.NO_COUNTERPART: 1}, 0)


async def test_what_the_following_side_keeps_of_its_own_is_read_only() -> None:
    pair = Pair()
    pair.left.create(task("Paint"))
    pair.right.create(ticket("Paint", remark="mine"))
    await pair.settled()

    found = await certified(pair)

    assert found.lines["note ↔ remark"].causes == {Cause.READ_ONLY: 1}
    assert found.unexplained == 0


async def test_a_refused_write_is_parked() -> None:
    pair = await settled()
    _refuse(pair, RejectedError("no"))
    pair.left.edit(pair.key(Side.LEFT, "Paint"), edited(hours=2))
    await pair.run()

    found = await certified(pair)

    assert (fields(found), found.unexplained) == ({Cause.PARKED: 1}, 0)


async def test_a_write_without_an_answer_is_pending() -> None:
    pair = await settled()
    _refuse(pair, UnknownOutcomeError("?"))
    pair.left.edit(pair.key(Side.LEFT, "Paint"), edited(hours=2))
    await pair.run()

    found = await certified(pair)

    assert (fields(found), found.unexplained) == ({Cause.PENDING: 1}, 0)


async def test_what_a_vendor_made_of_our_value_is_agreed_apart() -> None:
    pair = Pair()
    pair.right.normalise = lambda name, value: Number(Decimal(2)) if name == "effort" else value
    pair.left.create(task("Paint", hours=1.7))
    await pair.settled()

    found = await certified(pair)

    assert (fields(found).get(Cause.AGREED_APART), found.unexplained) == (1, 0)


def _refuse(pair: Pair, error: Exception) -> None:
    def strike(when: When, write: Write) -> None:
        if when is When.BEFORE:
            raise error

    pair.right.faults = strike


# --- records --------------------------------------------------------------------------------------------------------


async def test_a_deletion_that_asks_is_a_conflict_of_the_record() -> None:
    pair = await settled(deletes=DeletePolicy.ASK)
    pair.left.delete(pair.key(Side.LEFT, "Paint"))
    unseen = await certified(pair)
    await pair.run()

    asked = await certified(pair)

    assert (unseen.right.causes, unseen.unexplained) == ({Cause.PENDING: 1}, 0)
    assert (asked.right.causes, asked.links.causes) == ({Cause.CONFLICT: 1}, {Cause.CONFLICT: 1})
    assert (asked.left.total, asked.unexplained) == (1, 0)


async def test_a_released_record_is_left_alone() -> None:
    pair = await settled(deletes=DeletePolicy.ASK)
    pair.left.delete(pair.key(Side.LEFT, "Paint"))
    await pair.run()
    (question,) = pair.store.questions()
    pair.store.choose(question.id, Answer.RELEASE, pair.clock.now())
    await pair.settled()

    found = await certified(pair)

    assert found.right.causes == {Cause.EXCLUDED: 1}
    assert (found.links.total, found.unexplained) == (1, 0)


async def test_records_that_only_match_have_no_counterpart() -> None:
    pair = Pair(mode=MatchMode.MATCH_ONLY)
    pair.left.create(task("Paint"))
    await pair.run()

    found = await certified(pair)

    assert (found.left.causes, found.unexplained) == ({Cause.NO_COUNTERPART: 1}, 0)


async def test_a_copy_that_was_refused_is_parked() -> None:
    pair = Pair()
    _refuse(pair, RejectedError("no"))
    pair.left.create(task("Paint"))
    await pair.run()

    found = await certified(pair)

    assert (found.left.causes, found.unexplained) == ({Cause.PARKED: 1}, 0)


async def test_a_record_that_a_listing_lacks_is_read_by_itself() -> None:
    pair = await settled()
    pair.right.hidden.add(pair.key(Side.RIGHT, "Paint"))

    found = await certified(pair)

    assert (found.right.total, found.right.compared, found.listings[1].looks) == (2, 2, 1)
    assert found.unexplained == 0


async def test_a_broken_listing_says_so() -> None:
    pair = await settled()
    pair.right.listing_gap = "cut off"

    found = await certified(pair)

    assert (found.listings[1].is_complete, found.listings[1].reason) == (False, "cut off")


async def test_many_pages_are_each_accounted_for_once() -> None:
    pair = Pair()
    for number in range(250):
        pair.left.create(task(f"Task {number}", hours=number))
    await pair.settled()

    found = await certified(pair)

    assert (found.left.compared, found.right.compared) == (250, 250)
    assert (found.fields.total, found.unexplained) == (250 * LINES, 0)


# --- what must not be explained away --------------------------------------------------------------------------------


@pytest.mark.parametrize("side", list(Side))
async def test_a_base_that_was_broken_is_unexplained(side: Side) -> None:
    pair = await settled()
    field = "hours" if side is Side.LEFT else "effort"
    store_base(pair, "Paint", side, field, Number(Decimal(7)))

    found = await certified(pair)

    assert (fields(found), found.unexplained) == ({Cause.UNEXPLAINED: 1}, 1)
    assert found.samples[0].line == "hours ↔ effort"


async def test_a_difference_that_a_forged_base_agrees_to_is_unexplained() -> None:
    """The engine thinks that both sides agreed: base, digests and values fit together. The history does not."""
    pair = await settled()
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=9))
    store_base(pair, "Paint", Side.RIGHT, "effort", Number(Decimal(9)))

    quiet = await pair.run()
    found = await certified(pair)

    assert quiet.is_quiet
    assert (fields(found), found.unexplained) == ({Cause.UNEXPLAINED: 1}, 1)


async def test_a_change_behind_an_unchanged_digest_is_unexplained() -> None:
    """A vendor that changes a record without any change of its bytes cannot be; a store that holds the new digest
    without having taken the change in can."""
    pair = await settled()
    key = pair.key(Side.RIGHT, "Paint")
    pair.right.edit(key, edited(effort=9))
    sync = pair.sync()
    (page,) = [
        part async for part in pair.connectors[Side.RIGHT].pages(sync.right.scope) if hasattr(part, "keys")
    ]
    digest = page.digests[list(page.keys).index(key)]
    seen = pair.store.seen(sync.id, Side.RIGHT, [key])[key]
    pair.store.see(sync.id, Side.RIGHT, [msgspec.structs.replace(seen, digest=digest)])

    quiet = await pair.run()
    found = await certified(pair)

    assert quiet.is_quiet
    assert (fields(found), found.unexplained) == ({Cause.UNEXPLAINED: 1}, 1)


async def test_a_record_that_waits_for_nothing_is_unexplained() -> None:
    """Decided by a run that finished, never copied, and nobody was asked."""
    pair = await settled()
    key = pair.left.create(task("Lost"))
    sync = pair.sync()
    _refuse(pair, RejectedError("no"))
    await pair.run()
    pair.store.unpark(sync.id, Side.LEFT, [key])
    run = pair.store.begin_run(sync.id, pair.clock.now(), sync.patience.lease)
    earlier = next(each.report for each in pair.store.runs(sync.id, 5) if '"failed":0' in each.report)
    pair.store.end_run(run.id, RunState.DONE, earlier, pair.clock.now())

    found = await certified(pair)

    assert (found.left.causes, found.unexplained) == ({Cause.UNEXPLAINED: 1}, 1)


async def test_a_link_that_was_closed_behind_its_records_is_unexplained() -> None:
    pair = await settled()
    pair.store._execute("UPDATE link SET closed_at = 1 WHERE id = 1")

    found = await certified(pair)

    assert found.left.causes == {Cause.UNEXPLAINED: 1}
    assert found.right.causes == {Cause.UNEXPLAINED: 1}


# --- the document ---------------------------------------------------------------------------------------------------


async def test_certificates_are_chained_and_kept_without_values() -> None:
    pair = await settled()
    pair.left.edit(pair.key(Side.LEFT, "Paint"), edited(hours=9))

    made = await certify(pair.world(), pair.sync(), with_values=True, configuration=3)

    (entry,) = pair.store.audit_trail(kind=AuditKind.CERTIFICATE)
    kept = certificate_of(entry)
    assert (made.number, made.hash) == (entry.id, entry.hash)
    assert [(each.left, each.right) for each in made.certificate.samples] == [
        (Number(Decimal(9)), Number(Decimal(1)))
    ]
    assert [(each.left, each.right) for each in kept.certificate.samples] == [(None, None)]
    assert kept.certificate == msgspec.structs.replace(made.certificate, samples=kept.certificate.samples)
    assert kept.certificate.version == 3
    assert pair.store.verify_audit() is None


async def test_the_fingerprint_changes_with_any_value_and_with_nothing_else() -> None:
    pair = await settled()
    first = await certified(pair)
    again = await certified(pair)
    pair.left.edit(pair.key(Side.LEFT, "Paint"), {FieldId("note"): Text("other")})
    other = await certified(pair)

    assert (first.digest, moved_branches(first, again)) == (again.digest, 0)
    assert moved_branches(again, other) == 1
    assert other.digest != first.digest


async def test_another_entry_is_no_certificate() -> None:
    pair = await settled()
    entry = pair.store.audit(AuditKind.CHOICE, {}, now=pair.clock.now())

    with pytest.raises(SetupError, match="no certificate"):
        certificate_of(entry)


async def test_a_run_that_goes_on_is_not_certified() -> None:
    pair = await settled()
    sync = pair.sync()
    pair.store.begin_run(sync.id, pair.clock.now(), sync.patience.lease)

    with pytest.raises(BusyError):
        await certify(pair.world(), sync)


async def test_nothing_but_the_certificate_is_written() -> None:
    pair = await settled(conflicts=ConflictPolicy.ASK)
    pair.left.edit(pair.key(Side.LEFT, "Paint"), edited(hours=9))
    before = (pair.holds(Side.LEFT), pair.holds(Side.RIGHT), pair.store.unsettled(pair.sync().id))

    await certified(pair)

    assert (pair.holds(Side.LEFT), pair.holds(Side.RIGHT), pair.store.unsettled(pair.sync().id)) == before
