"""What taking back does with whole records: copies go again, deleted ones come back, or the reason why they stay."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from syncline.core.decisions import Rule
from syncline.core.memory import Entry, Seen, Standing
from syncline.core.records import (
    Ability,
    Create,
    Delete,
    FieldId,
    Gone,
    ObjectSchema,
    Proof,
    Restore,
    Side,
    Sighting,
    Unseen,
)
from syncline.core.steps import Effect
from syncline.core.undo import Kept, Traces, undo
from syncline.core.values import BLANK, Value
from tests.clock import START
from tests.core.taken_back import (
    ABLE,
    FREE,
    KEYS,
    LEFT,
    LINK,
    NAME,
    NEW,
    OLD,
    OTHER,
    RIGHT,
    TEXT,
    TIED,
    TITLE,
    about,
    back,
    kept,
    lost,
    means,
    planned,
    schema,
    stays,
    step,
    steps,
    there,
    value_stays,
    wrote,
)

# --- records that were made -------------------------------------------------------------------------------------------

MADE = [
    about(Rule.CREATED),
    wrote(1, RIGHT, None, NEW, Rule.CREATED),
    wrote(2, RIGHT, None, OLD, Rule.CREATED),
]
COPY = {TITLE: NEW, TEXT: OLD}


def test_a_copy_goes_again_and_its_source_is_left_to_itself() -> None:
    found = planned(*MADE, now={RIGHT: there(RIGHT, COPY)})

    assert found == steps(step(RIGHT, Delete(KEYS[RIGHT]), Effect.CLOSE, release=LEFT))


def test_a_copy_on_the_left_goes_too() -> None:
    found = planned(wrote(1, LEFT, None, NEW), now={LEFT: there(LEFT, {NAME: NEW})})

    assert found == steps(step(LEFT, Delete(KEYS[LEFT]), Effect.CLOSE, release=RIGHT))


def test_a_copy_that_is_not_linked_any_more_goes_by_itself() -> None:
    found = planned(*MADE, now={RIGHT: there(RIGHT, COPY)}, link=None)

    assert found == steps(step(RIGHT, Delete(KEYS[RIGHT]), Effect.ALONE, link=None, release=LEFT))


def test_a_copy_that_is_gone_or_was_never_known_is_counted() -> None:
    nameless = [msgspec.structs.replace(each, right_key=None) for each in MADE]

    assert planned(*MADE, now={RIGHT: Gone(Proof.TRASHED)}) == steps(already=1)
    assert planned(*nameless, now={RIGHT: there(RIGHT, COPY)}) == steps(already=1)


@pytest.mark.parametrize(
    ("now", "reason"),
    [({}, "the record could not be read"), ({RIGHT: Unseen("x")}, "the record could not be read: x")],
)
def test_a_copy_that_is_not_seen_stays(now: dict[Side, Sighting], reason: str) -> None:
    assert planned(*MADE, now=now) == kept(stays(reason))


@pytest.mark.parametrize("rule", [Rule.EDIT_BEATS_DELETE, Rule.RESOLVED])
def test_a_record_that_was_brought_back_stays(rule: Rule) -> None:
    found = planned(wrote(1, RIGHT, None, NEW, rule), now={RIGHT: there(RIGHT, {TITLE: NEW})})

    told = "it was brought back from a deletion; delete it by hand if it is to go again"
    assert found == kept(stays(told))


def test_a_copy_stays_where_nothing_can_be_deleted() -> None:
    right = schema(TITLE, TEXT, abilities=ABLE - {Ability.DELETE})

    found = planned(*MADE, now={RIGHT: there(RIGHT, COPY)}, right=right)

    assert found == kept(stays("records cannot be deleted there"))


@pytest.mark.parametrize("text", [OTHER, None])
def test_a_copy_that_was_edited_stays_with_what_was_edited_named(text: Value | None) -> None:
    fields = {TITLE: NEW} if text is None else {TITLE: NEW, TEXT: text}

    found = planned(*MADE, now={RIGHT: there(RIGHT, fields, START)}, seen=written_at(START - HOUR))

    assert found == kept(value_stays("edited since it was made", MADE[2], text))


HOUR = dt.timedelta(hours=1)


def written_at(at: dt.datetime | None) -> dict[Side, Seen]:
    """Both as last seen, the right one with the time of our last write."""
    return {**TIED, RIGHT: msgspec.structs.replace(TIED[RIGHT], wrote_at=at)}


@pytest.mark.parametrize(
    ("wrote_at", "updated_at", "is_touched"),
    [
        (START, START, False),
        (START, START + HOUR, True),
        (START + HOUR, START, False),
        (None, START, False),
        (START, None, False),
    ],
)
def test_a_copy_stays_when_it_moved_after_our_last_write(
    wrote_at: dt.datetime | None, updated_at: dt.datetime | None, is_touched: bool
) -> None:
    found = planned(*MADE, now={RIGHT: there(RIGHT, COPY, updated_at)}, seen=written_at(wrote_at))

    told = [stays("something else in it was edited since it was made")]
    assert (list(found.kept), len(found.steps)) == (told if is_touched else [], int(not is_touched))


def test_a_copy_that_was_never_seen_goes() -> None:
    assert len(planned(*MADE, now={RIGHT: there(RIGHT, COPY, START)}, seen={}).steps) == 1


def test_what_is_as_it_was_before_is_counted_over_all_records() -> None:
    gone, back_again = {RIGHT: Gone(Proof.TRASHED)}, {RIGHT: there(RIGHT, {})}
    pairs = [
        Traces([wrote(1, RIGHT, OLD, NEW)], LINK, {RIGHT: there(RIGHT, {TITLE: OLD})}, TIED),
        *(Traces(MADE, LINK, gone, TIED) for _ in range(2)),
        *(Traces(DELETED, LINK, back_again, TIED) for _ in range(2)),
    ]

    assert undo(means(), pairs) == steps(already=5)


def test_a_copy_that_stays_keeps_no_other_copy() -> None:
    now: dict[Side, Sighting] = {RIGHT: there(RIGHT, COPY)}

    found = undo(means(), [Traces(MADE, LINK, {}, TIED), Traces(MADE, LINK, now, TIED)])

    assert (len(found.kept), [type(each.write) for each in found.steps]) == (1, [Delete])


# --- records that were deleted ----------------------------------------------------------------------------------------

DELETED = [about(Rule.DELETED_PROPAGATED), lost(RIGHT, TITLE, NEW), lost(RIGHT, TEXT, OLD)]
RESTORED = (back(1, RIGHT, None, NEW), back(2, RIGHT, None, OLD))
ANEW = "things:9:things-7"


def test_a_deleted_record_comes_out_of_the_trash() -> None:
    found = planned(*DELETED, now={RIGHT: Gone(Proof.TRASHED)}, link=None)

    assert found == steps(step(RIGHT, Restore(KEYS[RIGHT]), Effect.ALONE, *RESTORED, link=None))


@pytest.mark.parametrize("proof", [Proof.TRASHED, Proof.NOT_FOUND])
def test_a_deleted_record_that_cannot_be_restored_is_made_anew(proof: Proof) -> None:
    can_restore = frozenset[Ability]() if proof is Proof.TRASHED else frozenset({Ability.RESTORE})
    right = schema(TITLE, TEXT, abilities=frozenset({Ability.CREATE}) | can_restore, required="title")

    found = planned(*DELETED, now={RIGHT: Gone(proof)}, link=None, right=right)

    assert found == steps(step(RIGHT, Create(COPY, ANEW), Effect.ALONE, *RESTORED, link=None, key=None))


def test_a_record_deleted_on_the_left_comes_back_there() -> None:
    found = planned(lost(LEFT, NAME, NEW), now={LEFT: Gone(Proof.TRASHED)}, link=None)

    assert found == steps(step(LEFT, Restore(KEYS[LEFT]), Effect.ALONE, back(1, LEFT, None, NEW), link=None))


def test_only_what_can_be_written_and_says_something_is_made_anew() -> None:
    extra = [lost(RIGHT, FieldId("elsewhere"), OLD), lost(LEFT, NAME, OTHER)]
    right = schema(TITLE, TEXT, FieldId("note"), fixed="text")

    found = planned(
        *DELETED, *extra, lost(RIGHT, FieldId("note"), BLANK), now={RIGHT: Gone(Proof.NOT_FOUND)}, right=right
    )

    assert [each.write for each in found.steps] == [Create({TITLE: NEW}, ANEW)]


def test_a_record_that_is_back_is_counted() -> None:
    assert planned(*DELETED, now={RIGHT: there(RIGHT, {})}) == steps(already=1)


@pytest.mark.parametrize(
    ("now", "reason"),
    [({}, "the record could not be read"), ({RIGHT: Unseen("busy")}, "the record could not be read: busy")],
)
def test_a_deleted_record_that_is_not_seen_stays_away(now: dict[Side, Sighting], reason: str) -> None:
    assert planned(*DELETED, now=now) == kept(stays(reason))


def test_a_deleted_record_without_a_key_stays_away() -> None:
    nameless = [msgspec.structs.replace(each, right_key=None) for each in DELETED]

    found = planned(*nameless, now={RIGHT: Gone(Proof.TRASHED)})

    assert found == kept(Kept("Roof", KEYS[LEFT], None, "the record is gone meanwhile"))


@pytest.mark.parametrize(
    ("right", "reason"),
    [
        (schema(TITLE, TEXT, abilities=ABLE - {Ability.CREATE}), "no record can be made there"),
        (schema(FieldId("else")), "no record can be made there"),
        (
            schema(TITLE, TEXT, FieldId("stage"), required="stage"),
            "'Stage' is required there and not in the history",
        ),
    ],
)
def test_a_record_that_cannot_be_made_anew_stays_away(right: ObjectSchema, reason: str) -> None:
    found = planned(*DELETED, now={RIGHT: Gone(Proof.NOT_FOUND)}, right=right)

    assert found == kept(stays(reason))


SOURCE = {**FREE, LEFT: msgspec.structs.replace(FREE[LEFT], standing=Standing.RELEASED)}
UNMADE = [msgspec.structs.replace(each, rule=Rule.UNDONE) for each in DELETED[1:]]


def test_a_copy_that_went_by_an_undo_comes_back_to_its_source() -> None:
    now = {LEFT: there(LEFT, {}), RIGHT: Gone(Proof.TRASHED)}

    found = planned(*UNMADE, now=now, seen=SOURCE)

    assert found == steps(step(RIGHT, Restore(KEYS[RIGHT]), Effect.TIE, *RESTORED))


@pytest.mark.parametrize(
    ("entries", "left", "source"),
    [
        (DELETED, there(LEFT, {}), SOURCE[LEFT]),
        (UNMADE, Gone(Proof.NOT_FOUND), SOURCE[LEFT]),
        (UNMADE, there(LEFT, {}), None),
        (UNMADE, there(LEFT, {}), msgspec.structs.replace(SOURCE[LEFT], gone=Gone(Proof.NOT_FOUND))),
        (UNMADE, there(LEFT, {}), msgspec.structs.replace(SOURCE[LEFT], link=LINK.id)),
        (UNMADE, there(LEFT, {}), FREE[LEFT]),
    ],
    ids=["no undo", "source gone", "source never seen", "source seen gone", "source linked", "source waits"],
)
def test_a_record_comes_back_for_itself_where_no_source_waits(
    entries: list[Entry], left: Sighting, source: Seen | None
) -> None:
    seen = {RIGHT: FREE[RIGHT]} if source is None else {RIGHT: FREE[RIGHT], LEFT: source}

    found = planned(*entries, now={LEFT: left, RIGHT: Gone(Proof.TRASHED)}, seen=seen)

    assert [(each.effect, each.link) for each in found.steps] == [(Effect.ALONE, None)]
