"""Deletions: the queue that empties itself, approvals that hold only while nothing moved, and proofs that are kept."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from syncline.connectors.memory import MemoryConnector, When
from syncline.connectors.memory.account import no_faults
from syncline.core.decisions import Answer, DeletedEdit, DeletePolicy, Rule
from syncline.core.memory import Entry
from syncline.core.plan import Held
from syncline.core.records import (
    Ability,
    Archive,
    Delete,
    FieldId,
    FieldSchema,
    Proof,
    RecordKey,
    Side,
    Write,
)
from syncline.core.values import FieldType, Number, Text
from syncline.engine import review
from syncline.engine.deletions import deletions
from syncline.engine.runs import Options, Report
from syncline.errors import UnknownOutcomeError
from tests.engine.pair import TICKET, Pair, edited, task


async def linked(pair: Pair) -> RecordKey:
    """Two linked pairs; answers the left key of `Paint`."""
    pair.left.create(task("Stays"))
    key = pair.left.create(task("Paint", hours=1))
    await pair.settled()
    return key


def archiving(pair: Pair, *, can: bool) -> Pair:
    """A right side that can put records away, or not."""
    if can:
        put_away = FieldSchema(FieldId("put_away"), "Put away", FieldType.YES_NO)
        pair.right.schema = msgspec.structs.replace(
            TICKET, fields=(*TICKET.fields, put_away), abilities=TICKET.abilities | {Ability.ARCHIVE}
        )
        pair.connectors[Side.RIGHT] = MemoryConnector(pair.right, archive_field=put_away.id)
        pair.may_archive = frozenset({Side.RIGHT})
    return pair


def told(pair: Pair) -> list[Entry]:
    """The history's lines about whole records that left."""
    entries = pair.store.history(pair.sync().id)
    return [entry for entry in entries if not entry.field and entry.rule is not Rule.LINKED]


def proof(entry: Entry) -> str:
    """What the line keeps as its proof."""
    return entry.new.text if isinstance(entry.new, Text) else ""


# --- the queue ------------------------------------------------------------------------------------------------------


async def test_the_queue_shows_the_proof_who_deleted_it_and_what_would_be_lost() -> None:
    pair = Pair(deleted_edit=DeletedEdit.ASK)
    key = await linked(pair)
    pair.left.delete(key, by="anna@example.test")
    at = pair.clock.now()
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=9))
    report = await pair.run()

    (waiting,) = deletions(pair.store)

    assert (waiting.gone, waiting.gone_key, waiting.title) == (Side.LEFT, key, "Paint")
    assert (waiting.proof, waiting.deleted_at, waiting.deleted_by) == (Proof.TRASHED, at, "anna@example.test")
    assert (waiting.seen_at, waiting.run) == (pair.clock.now(), report.run)
    assert [(each.field, each.agreed, each.now) for each in waiting.edits] == [
        ("effort", Number(1), Number(9))
    ]
    await pair.run()
    (again,) = deletions(pair.store)
    assert (again.deleted_by, again.seen_at, again.edits) == (
        waiting.deleted_by,
        waiting.seen_at,
        waiting.edits,
    )


@pytest.mark.parametrize("answer", [None, *Answer])
@pytest.mark.parametrize("is_full", [True, False])
async def test_a_record_that_reappears_leaves_the_queue_by_itself(
    answer: Answer | None, is_full: bool
) -> None:
    pair = Pair()
    key = await linked(pair)
    pair.left.delete(key)
    await pair.run()
    if answer is not None:
        review.answer(pair.world(), pair.store.questions()[0], answer)
    pair.left.restore(key)

    report = await pair.run(Options(is_full=is_full))

    assert report.writes == 0
    assert deletions(pair.store) == []
    assert pair.store.counts(pair.sync().id).links == 2
    pair.left.edit(key, edited(hours=7))
    await pair.settled()
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == Number(7)


async def test_one_that_is_edited_while_it_waits_stays_in_the_queue_and_says_so() -> None:
    pair = Pair(deleted_edit=DeletedEdit.ASK)
    pair.left.delete(await linked(pair))
    await pair.run()
    number = deletions(pair.store)[0].question
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=9))
    await pair.run()

    (waiting,) = deletions(pair.store)

    assert waiting.question == number
    assert "edited here since" in waiting.reason


async def test_an_approval_holds_only_while_the_other_record_is_unchanged() -> None:
    pair = Pair(deleted_edit=DeletedEdit.ASK)
    pair.left.delete(await linked(pair))
    await pair.run()
    pair.right.edit(pair.key(Side.RIGHT, "Paint"), edited(effort=9))
    review.answer(pair.world(), pair.store.questions()[0], Answer.DELETE)

    report = await pair.run()

    assert report.writes == 0
    assert deletions(pair.store)[0].answer is None
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == Number(9)


async def test_an_approval_holds_only_while_the_record_is_gone_up_to_the_last_moment() -> None:
    pair = Pair()
    key = await linked(pair)
    pair.left.delete(key)
    await pair.run()
    review.answer(pair.world(), pair.store.questions()[0], Answer.DELETE)
    connector = pair.connectors[Side.RIGHT]
    fetch = connector.fetch

    async def restored_meanwhile(*given: object) -> object:
        if pair.left.records[key].trashed_at is not None:
            pair.left.restore(key)
        return await fetch(*given)  # type: ignore[arg-type]

    connector.fetch = restored_meanwhile  # type: ignore[method-assign, assignment]
    report = await pair.run()

    assert report.writes == 0
    assert "Paint" in pair.holds(Side.RIGHT)
    assert not told(pair)


async def test_an_answer_that_cannot_be_carried_out_is_asked_again_with_the_reason() -> None:
    pair = Pair()
    key = await linked(pair)
    pair.left.delete(key)
    pair.left.purge(key)
    await pair.run()
    pair.may_create = frozenset({Side.RIGHT})
    review.answer(pair.world(), pair.store.questions()[0], Answer.RESTORE)

    await pair.run()

    (waiting,) = deletions(pair.store)
    assert waiting.answer is None
    assert "no record can be made there" in waiting.reason


# --- policies -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("can", [True, False])
@pytest.mark.parametrize("is_edited", [True, False])
@pytest.mark.parametrize("policy", list(DeletePolicy))
async def test_each_policy_does_what_it_says(policy: DeletePolicy, is_edited: bool, can: bool) -> None:
    pair = archiving(Pair(deletes=policy), can=can)
    pair.may_restore = frozenset(Side) if can else frozenset()
    key = await linked(pair)
    right = pair.key(Side.RIGHT, "Paint")
    pair.left.delete(key)
    if is_edited:
        pair.right.edit(right, edited(effort=9))

    report = await pair.run()

    assert _outcome(report) == _expected(policy, is_edited, can)
    links = pair.store.counts(pair.sync().id).links
    assert links == (2 if is_edited or _expected(policy, is_edited, can) == "asked" else 1)
    assert (await pair.run()).writes == 0 or is_edited


def _expected(policy: DeletePolicy, is_edited: bool, can: bool) -> str:
    if is_edited:
        return "restored left" if can else "created left"
    match policy:
        case DeletePolicy.PROPAGATE:
            return "deleted right"
        case DeletePolicy.ARCHIVE:
            return "archived right" if can else "asked"
        case DeletePolicy.IGNORE:
            return "released"
        case DeletePolicy.ASK:
            return "asked"


def _outcome(report: Report) -> str:
    words = [
        f"{word} {side}"
        for side, written in (("left", report.left), ("right", report.right))
        for word in ("created", "updated", "deleted", "archived", "restored")
        if getattr(written, word)
    ]
    if not words and any(held.rule is Rule.DELETED_ASK for held in report.plan.held):
        return "asked"
    return " ".join(words) or "released"


# --- the proof ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_purged", [True, False])
async def test_a_deletion_keeps_the_proof_of_the_absence_that_led_to_it(is_purged: bool) -> None:
    pair = Pair(deletes=DeletePolicy.PROPAGATE)
    key = await linked(pair)
    pair.left.delete(key, by="anna@example.test")
    if is_purged:
        pair.left.purge(key)

    report = await pair.run()

    (step,) = report.plan.writes
    assert isinstance(step.write, Delete)
    assert step.proof is not None
    (entry,) = told(pair)
    read = f"read {pair.clock.now():%Y-%m-%d %H:%M:%S} UTC"
    assert proof(entry).startswith("left: not_found" if is_purged else "left: trashed")
    assert read in proof(entry)
    assert ("by anna@example.test" in proof(entry)) is not is_purged


@pytest.mark.parametrize("policy", [DeletePolicy.ARCHIVE, DeletePolicy.IGNORE])
async def test_what_is_archived_or_let_go_keeps_its_proof_too(policy: DeletePolicy) -> None:
    pair = archiving(Pair(deletes=policy), can=True)
    key = await linked(pair)
    pair.left.delete(key)

    report = await pair.run()

    assert any(isinstance(step.write, Archive) for step in report.plan.steps) is (
        policy is DeletePolicy.ARCHIVE
    )
    assert [proof(entry)[:13] for entry in told(pair)] == ["left: trashed"]


async def test_two_deletions_keep_both_proofs() -> None:
    pair = Pair()
    key = await linked(pair)
    pair.right.delete(pair.key(Side.RIGHT, "Paint"))
    pair.left.delete(key)
    pair.left.purge(key)

    await pair.run()

    (entry,) = told(pair)
    assert "left: not_found" in proof(entry)
    assert "right: trashed" in proof(entry)


async def test_a_deletion_whose_answer_never_came_has_its_proof_in_the_history_all_the_same() -> None:
    pair = Pair(deletes=DeletePolicy.PROPAGATE)
    key = await linked(pair)
    pair.left.delete(key)
    pair.right.faults = _lose_the_answer
    await pair.run()
    pair.right.faults = no_faults
    assert "Paint" not in pair.holds(Side.RIGHT)
    pair.left.restore(key)

    await pair.run()

    assert any(proof(entry).startswith("left: trashed") for entry in told(pair))


def _lose_the_answer(when: When, write: Write) -> None:
    if when is When.AFTER and isinstance(write, Delete):
        raise UnknownOutcomeError("no answer")


# --- missing, but not provably gone ---------------------------------------------------------------------------------


def hide(pair: Pair, key: RecordKey) -> None:
    """As if the user lost the right to see it."""
    pair.left.hidden.add(key)
    pair.left.unreadable.add(key)


def show(pair: Pair, key: RecordKey) -> None:
    """And got it back."""
    pair.left.hidden.discard(key)
    pair.left.unreadable.discard(key)


def missing(report: Report) -> list[Held]:
    """What is asked because of listings alone."""
    return [held for held in report.plan.held if held.proof and held.proof.proof is Proof.LISTED_TWICE]


HOUR = 3600


@pytest.mark.parametrize("policy", list(DeletePolicy))
async def test_what_two_complete_listings_lack_an_hour_apart_is_asked_about_whatever_the_policy(
    policy: DeletePolicy,
) -> None:
    pair = Pair(deletes=policy)
    key = await linked(pair)
    hide(pair, key)
    first = await pair.run()
    since = pair.clock.now()
    early = await pair.run()
    pair.clock.advance(HOUR)

    late = await pair.run()

    assert [missing(first), missing(early)] == [[], []]
    (held,) = missing(late)
    assert held.proof is not None
    assert held.proof.at == since
    assert late.writes == 0
    assert len(pair.holds(Side.RIGHT)) == 2


async def test_one_incomplete_listing_never_counts() -> None:
    pair = Pair()
    key = await linked(pair)
    hide(pair, key)
    await pair.run()
    pair.left.listing_gap = "page 2 was missing"
    pair.clock.advance(2 * HOUR)

    assert missing(await pair.run()) == []

    pair.left.listing_gap = ""
    assert len(missing(await pair.run())) == 1


@pytest.mark.parametrize("gap", ["", "page 2 was missing"])
@pytest.mark.parametrize("is_full", [True, False])
async def test_an_appearance_in_between_starts_the_count_anew(gap: str, is_full: bool) -> None:
    pair = Pair()
    key = await linked(pair)
    hide(pair, key)
    await pair.run()
    show(pair, key)
    pair.left.edit(key, edited(hours=3))
    pair.left.listing_gap = gap
    await pair.run(Options(is_full=is_full))
    pair.left.listing_gap = ""
    hide(pair, key)
    pair.clock.advance(2 * HOUR)

    assert missing(await pair.run()) == []


async def test_a_preview_counts_for_nothing() -> None:
    pair = Pair()
    key = await linked(pair)
    hide(pair, key)
    await pair.preview()
    pair.clock.advance(2 * HOUR)

    assert missing(await pair.run()) == []


@pytest.mark.parametrize("is_readable", [True, False])
async def test_a_missing_record_that_is_listed_again_goes_on_as_before(is_readable: bool) -> None:
    pair = Pair()
    key = await linked(pair)
    hide(pair, key)
    await pair.run()
    pair.clock.advance(HOUR)
    await pair.run()
    assert len(deletions(pair.store)) == 1
    pair.left.hidden.discard(key)
    if is_readable:
        pair.left.unreadable.discard(key)
    pair.left.edit(key, edited(hours=8))

    await pair.settled()

    assert deletions(pair.store) == []
    assert pair.holds(Side.RIGHT)["Paint"]["effort"] == Number(8)
    assert pair.store.counts(pair.sync().id).links == 2
    assert len(pair.left.records) == 2


async def test_a_missing_record_s_counterpart_is_deleted_once_a_person_says_so() -> None:
    pair = Pair()
    key = await linked(pair)
    hide(pair, key)
    await pair.run()
    pair.clock.advance(HOUR)
    await pair.run()
    review.answer(pair.world(), pair.store.questions()[0], Answer.DELETE)

    report = await pair.run()

    assert report.right.deleted == 1
    (entry,) = told(pair)
    assert proof(entry).startswith("left: listed_twice")
    assert "missing since" in proof(entry)


async def test_a_missing_record_that_can_be_read_again_is_not_deleted_for() -> None:
    pair = Pair()
    key = await linked(pair)
    hide(pair, key)
    await pair.run()
    pair.clock.advance(HOUR)
    await pair.run()
    review.answer(pair.world(), pair.store.questions()[0], Answer.DELETE)
    pair.left.unreadable.discard(key)

    report = await pair.run()

    assert report.right.deleted == 0
    assert len(pair.holds(Side.RIGHT)) == 2


async def test_a_record_missing_on_both_sides_rests_and_is_not_doubled_when_it_is_back() -> None:
    pair = Pair()
    key = await linked(pair)
    right = pair.key(Side.RIGHT, "Paint")
    hide(pair, key)
    pair.right.hidden.add(right)
    pair.right.unreadable.add(right)
    await pair.run()
    pair.clock.advance(HOUR)
    await pair.run()
    assert pair.store.counts(pair.sync().id).links == 2
    show(pair, key)
    pair.right.hidden.clear()
    pair.right.unreadable.clear()
    pair.left.edit(key, edited(name="Renamed"))

    await pair.settled()

    assert set(pair.holds(Side.RIGHT)) == {"Stays", "Renamed"}
    assert len(pair.left.records) == len(pair.right.records) == 2


def test_the_wait_is_an_hour() -> None:
    assert Pair().sync().patience.absence == dt.timedelta(hours=1)
