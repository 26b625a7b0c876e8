"""What taking back does in each single case: the whole step, or the whole reason why something stays."""

from __future__ import annotations

import msgspec
import pytest

from syncline.core.decisions import Rule
from syncline.core.memory import Entry
from syncline.core.records import (
    Base,
    FieldId,
    Gone,
    LinkId,
    ObjectSchema,
    Proof,
    RecordKey,
    Side,
    Sighting,
    Unseen,
    Update,
)
from syncline.core.steps import Effect
from syncline.core.undo import Kept, Traces, trace, undo
from syncline.core.values import BLANK, Value
from tests.core.taken_back import (
    FREE,
    KEYS,
    LEFT,
    LINES,
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

# --- values that were written -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("old", [OLD, BLANK])
@pytest.mark.parametrize(("side", "name"), [(LEFT, NAME), (RIGHT, TITLE)])
def test_a_value_goes_back_to_what_was_there(side: Side, name: FieldId, old: Value) -> None:
    made = planned(wrote(1, side, old, NEW), now={side: there(side, {name: NEW})})

    update = Update(KEYS[side], {name: old}, {name: NEW})
    assert made == steps(step(side, update, Effect.KEEP, back(1, side, NEW, old)))


def test_the_lines_of_one_side_are_one_step_and_each_side_has_its_own() -> None:
    entries = [wrote(1, RIGHT, OLD, NEW), wrote(1, LEFT, OTHER, NEW), wrote(2, RIGHT, OTHER, OLD)]
    now = {LEFT: there(LEFT, {NAME: NEW}), RIGHT: there(RIGHT, {TITLE: NEW, TEXT: OLD})}

    assert planned(*entries, now=now) == steps(
        step(LEFT, Update(KEYS[LEFT], {NAME: OTHER}, {NAME: NEW}), Effect.KEEP, back(1, LEFT, NEW, OTHER)),
        step(
            RIGHT,
            Update(KEYS[RIGHT], {TITLE: OLD, TEXT: OTHER}, {TITLE: NEW, TEXT: OLD}),
            Effect.KEEP,
            back(1, RIGHT, NEW, OLD),
            back(2, RIGHT, OLD, OTHER),
            number=2,
        ),
    )


def test_a_line_that_was_written_twice_goes_back_to_the_first_old_value() -> None:
    entries = [wrote(1, RIGHT, OLD, OTHER), wrote(1, RIGHT, OTHER, NEW)]

    made = planned(*entries, now={RIGHT: there(RIGHT, {TITLE: NEW})})

    assert [each.write for each in made.steps] == [Update(KEYS[RIGHT], {TITLE: OLD}, {TITLE: NEW})]


def test_what_moved_the_base_alone_wrote_nothing() -> None:
    entries = [wrote(1, None, OLD, NEW, Rule.AGREED), wrote(2, RIGHT, OLD, None)]

    assert planned(*entries, now={RIGHT: there(RIGHT, {TITLE: NEW, TEXT: NEW})}) == steps()


def test_what_is_back_already_is_counted() -> None:
    entries = [wrote(1, RIGHT, OLD, NEW), wrote(2, RIGHT, OLD, NEW)]

    assert planned(*entries, now={RIGHT: there(RIGHT, {TITLE: OLD, TEXT: OLD})}) == steps(already=2)


@pytest.mark.parametrize(
    ("now", "reason", "value"),
    [
        ({}, "the record could not be read", None),
        ({RIGHT: Unseen()}, "the record could not be read", None),
        ({RIGHT: Unseen("no right")}, "the record could not be read: no right", None),
        ({RIGHT: Gone(Proof.NOT_FOUND)}, "the record is gone meanwhile", None),
        ({RIGHT: there(RIGHT, {})}, "the record does not show this field any more", None),
        ({RIGHT: there(RIGHT, {TITLE: OTHER})}, "edited since", OTHER),
    ],
)
def test_a_value_stays_for_a_reason(now: dict[Side, Sighting], reason: str, value: Value | None) -> None:
    entry = wrote(1, RIGHT, BLANK, NEW)

    assert planned(entry, now=now) == kept(value_stays(reason, entry, value))


@pytest.mark.parametrize(
    "right", [schema(TEXT), schema(TITLE, TEXT, fixed="title")], ids=["no field", "read-only"]
)
def test_a_field_that_cannot_be_written_any_more_stays(right: ObjectSchema) -> None:
    entry = wrote(1, RIGHT, OLD, NEW)

    found = planned(entry, now={RIGHT: there(RIGHT, {TITLE: NEW})}, right=right)

    assert found == kept(value_stays("the field cannot be written any more", entry, NEW))


def test_a_value_of_records_that_are_no_longer_linked_stays() -> None:
    entry = wrote(1, RIGHT, OLD, NEW)

    found = planned(entry, now={RIGHT: there(RIGHT, {TITLE: NEW})}, link=None)

    assert found == kept(value_stays("the two records are no longer linked", entry, NEW))


@pytest.mark.parametrize("side", list(Side))
def test_a_line_whose_other_side_was_never_agreed_on_stays(side: Side) -> None:
    entry, name = wrote(1, side, OLD, NEW), LINES[1][side is RIGHT]
    own = {name: OLD}
    link = msgspec.structs.replace(LINK, base=Base(own, {}) if side is LEFT else Base({}, own))

    found = planned(entry, now={side: there(side, {name: NEW})}, link=link)

    told = "another line of the same field still waits for a person"
    assert found == kept(value_stays(told, entry, NEW))


def test_what_the_vendor_made_of_our_value_is_still_ours() -> None:
    entry = wrote(1, RIGHT, BLANK, NEW)
    now = {RIGHT: there(RIGHT, {TITLE: OLD})}
    update = Update(KEYS[RIGHT], {TITLE: BLANK}, {TITLE: OLD})

    assert [each.write for each in planned(entry, now=now).steps] == [update]
    edited = kept(value_stays("edited since", entry, OLD))
    assert planned(entry, now=now, later=frozenset({entry.field})) == edited
    assert planned(entry, now=now, link=None) == edited


def test_a_record_whose_key_is_not_known_is_not_written() -> None:
    entry = msgspec.structs.replace(wrote(1, RIGHT, OLD, NEW), right_key=None)

    assert planned(entry, now={RIGHT: there(RIGHT, {TITLE: NEW})}) == steps()


def test_an_open_outcome_keeps_everything() -> None:
    now: dict[Side, Sighting] = {RIGHT: there(RIGHT, {TITLE: NEW})}
    traces = Traces([wrote(1, RIGHT, OLD, NEW)], LINK, now, TIED, is_frozen=True)

    found = undo(means(), [traces])

    assert found == kept(stays("a write before has no known outcome yet: run the sync, then undo again"))


@pytest.mark.parametrize(
    "entry",
    [
        msgspec.structs.replace(wrote(1, RIGHT, OLD, NEW), lost=OTHER),
        msgspec.structs.replace(about(Rule.NEWEST), side=RIGHT, lost=OTHER),
        msgspec.structs.replace(lost(RIGHT, TITLE, OTHER), lost=None),
    ],
    ids=["a line", "a record", "nothing lost"],
)
def test_what_a_rule_overrode_is_no_deleted_record(entry: Entry) -> None:
    entries = [entry, wrote(1, RIGHT, OLD, NEW)]

    made = planned(*entries, now={RIGHT: there(RIGHT, {TITLE: NEW})})

    assert [each.write for each in made.steps] == [Update(KEYS[RIGHT], {TITLE: OLD}, {TITLE: NEW})]


# --- links that were made or taken apart ------------------------------------------------------------------------------


def test_a_match_is_taken_apart_and_what_it_wrote_goes_back() -> None:
    entries = [about(Rule.LINKED), wrote(1, RIGHT, BLANK, NEW)]

    found = planned(*entries, now={RIGHT: there(RIGHT, {TITLE: NEW})})

    assert found.part == ((LINK.id, KEYS[LEFT], KEYS[RIGHT]),)
    assert (len(found.steps), found.kept, found.rejoin) == (1, (), ())


def test_a_match_of_records_that_are_not_linked_any_more_is_over() -> None:
    assert planned(about(Rule.LINKED), now={}, link=None) == steps()


@pytest.mark.parametrize("side", list(Side))
def test_a_match_without_both_keys_is_not_taken_apart(side: Side) -> None:
    entry = about(Rule.LINKED)
    lone = (None, entry.right_key) if side is LEFT else (entry.left_key, None)
    entry = msgspec.structs.replace(entry, left_key=lone[0], right_key=lone[1])

    assert planned(entry, now={}) == steps()


def test_a_match_stays_where_something_was_edited_since() -> None:
    entry = wrote(1, RIGHT, BLANK, NEW)

    found = planned(about(Rule.LINKED), entry, now={RIGHT: there(RIGHT, {TITLE: OTHER})})

    assert found == kept(
        value_stays("edited since", entry, OTHER),
        stays("they stay linked, for something in them was edited since"),
    )


def test_what_stays_in_one_pair_keeps_no_other_pair_together() -> None:
    entry = wrote(1, RIGHT, BLANK, NEW)
    now: dict[Side, Sighting] = {RIGHT: there(RIGHT, {TITLE: OTHER})}

    found = undo(means(), [Traces([entry], LINK, now, TIED), Traces([about(Rule.LINKED)], LINK, {}, TIED)])

    assert (len(found.kept), len(found.part)) == (1, 1)


def test_records_that_an_undo_took_apart_are_tied_again() -> None:
    found = planned(about(Rule.UNDONE), now={}, link=None, seen=FREE)

    assert found == msgspec.structs.replace(steps(), rejoin=((KEYS[LEFT], KEYS[RIGHT]),))


def test_an_undo_of_values_alone_took_nothing_apart() -> None:
    entry = wrote(1, None, OLD, NEW, Rule.UNDONE)
    beside = msgspec.structs.replace(about(Rule.UNDONE), side=RIGHT)

    assert planned(entry, now={}, link=None, seen=FREE) == steps()
    assert planned(beside, now={}, link=None, seen=FREE) == steps()
    assert planned(about(Rule.UNDONE), now={}, seen=FREE) == steps(), "they are linked"


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("how", ["never seen", "gone", "linked", "no key"])
def test_records_that_are_not_free_are_not_tied_again(side: Side, how: str) -> None:
    entry, seen = about(Rule.UNDONE), dict(FREE)
    if how == "never seen":
        del seen[side]
    elif how == "no key":
        entry = msgspec.structs.replace(entry, **{f"{side.value}_key": None})
    elif how == "gone":
        seen[side] = msgspec.structs.replace(seen[side], gone=Gone(Proof.NOT_FOUND))
    else:
        seen[side] = TIED[side]

    found = planned(entry, now={}, link=None, seen=seen)

    told = "one of the two records is gone, or linked with another one"
    assert found == kept(Kept("Roof", entry.left_key, entry.right_key, told))


# --- a run's history by pair ------------------------------------------------------------------------------------------


def test_entries_of_one_link_or_one_pair_of_records_belong_together() -> None:
    linked = [about(Rule.LINKED), wrote(1, RIGHT, OLD, NEW)]
    other = msgspec.structs.replace(about(Rule.LINKED), link=LinkId(5))
    loose = [
        msgspec.structs.replace(each, link=None) for each in (about(Rule.CREATED), wrote(1, LEFT, OLD, NEW))
    ]
    lone = msgspec.structs.replace(loose[0], right_key=None)

    assert trace([linked[0], loose[0], other, lone, linked[1], loose[1]]) == [linked, loose, [other], [lone]]


def test_a_pair_is_called_by_its_last_title_and_keys() -> None:
    entries = [about(Rule.LINKED, "Old roof"), about(Rule.LINKED, "New roof"), about(Rule.LINKED, "")]
    entries[0] = msgspec.structs.replace(entries[0], left_key=RecordKey("before"))
    traces = Traces(entries, None, {}, {})

    assert (traces.title, traces.keys) == ("New roof", ("1", "9"))
    assert (traces.key(LEFT), traces.key(RIGHT)) == ("1", "9")
    assert Traces(entries[2:], None, {}, {}).title == ""
