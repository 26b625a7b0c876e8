"""What taking back does in each single case: the whole step, or the whole reason why something stays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec
import pytest

from syncline.core.decisions import FieldDecision, Rule, line_name
from syncline.core.mapping import ConflictPolicy, FieldMapping, lenses
from syncline.core.memory import Entry, Link, Seen, Standing
from syncline.core.records import (
    Ability,
    Base,
    Create,
    Delete,
    FieldId,
    FieldSchema,
    Gone,
    LinkId,
    ObjectSchema,
    ObjectTypeId,
    Present,
    Proof,
    Record,
    RecordKey,
    Restore,
    RunId,
    Side,
    Sighting,
    StepId,
    SyncId,
    Unseen,
    Update,
    Write,
)
from syncline.core.steps import Effect, Step
from syncline.core.undo import Kept, Means, Traces, Undo, trace, undo
from syncline.core.values import BLANK, FieldType, Text, Value
from tests.clock import START

LEFT, RIGHT = Side.LEFT, Side.RIGHT
KEYS = {LEFT: RecordKey("1"), RIGHT: RecordKey("9")}
NAME, BODY, TITLE, TEXT = FieldId("name"), FieldId("body"), FieldId("title"), FieldId("text")
LINES = {1: (NAME, TITLE), 2: (BODY, TEXT)}
OLD, NEW, OTHER = Text("old"), Text("new"), Text("other")
ABLE = frozenset(Ability)


def schema(
    *names: FieldId, abilities: frozenset[Ability] = ABLE, required: str = "", fixed: str = ""
) -> ObjectSchema:
    """An object type whose fields are all texts."""
    made = (
        FieldSchema(n, n.capitalize(), FieldType.TEXT, is_required=n == required, is_read_only=n == fixed)
        for n in names
    )
    return ObjectSchema(ObjectTypeId("thing"), "Thing", tuple(made), abilities)


SCHEMAS = {LEFT: schema(NAME, BODY), RIGHT: schema(TITLE, TEXT)}
LENSES = lenses(
    [FieldMapping(*fields) for fields in LINES.values()], SCHEMAS[LEFT], SCHEMAS[RIGHT], ConflictPolicy.ASK
)
FREE = {side: Seen(key, b"", Standing.WAITING, is_settled=True) for side, key in KEYS.items()}
LINK = Link(LinkId(4), FREE[LEFT], FREE[RIGHT], Base({NAME: OLD, BODY: OLD}, {TITLE: OLD, TEXT: OLD}))
TIED = {side: msgspec.structs.replace(seen, link=LINK.id) for side, seen in FREE.items()}


def means(right: ObjectSchema | None = None) -> Means:
    """What the sync can do."""
    schemas = SCHEMAS if right is None else {**SCHEMAS, RIGHT: right}
    return Means(SyncId("things"), RunId("things-7"), LENSES, schemas)


def about(rule: Rule, title: str = "Roof") -> Entry:
    """An entry of the history about the whole record."""
    return Entry(
        RunId("things-7"), LINK.id, KEYS[LEFT], KEYS[RIGHT], "", None, None, None, None, rule, START, title
    )


def wrote(
    line: int,
    side: Side | None,
    old: Value | None,
    new: Value | None,
    rule: Rule = Rule.ONE_SIDE_CHANGED,
) -> Entry:
    """An entry about a mapped line."""
    return msgspec.structs.replace(about(rule), field=line_name(*LINES[line]), side=side, old=old, new=new)


def lost(side: Side, name: FieldId, value: Value) -> Entry:
    """An entry about a field of a record that was deleted."""
    return msgspec.structs.replace(about(Rule.DELETED_PROPAGATED), field=name, side=side, lost=value)


def there(side: Side, fields: Mapping[FieldId, Value], updated_at: dt.datetime | None = None) -> Present:
    """The record as it is now."""
    return Present(Record(KEYS[side], fields, updated_at=updated_at))


def planned(
    *entries: Entry,
    now: Mapping[Side, Sighting],
    link: Link | None = LINK,
    seen: Mapping[Side, Seen] = TIED,
    later: frozenset[str] = frozenset(),
    right: ObjectSchema | None = None,
) -> Undo:
    """How this one pair is taken back."""
    return undo(means(right), [Traces(entries, link, now, seen, later)])


def steps(*made: Step, already: int = 0) -> Undo:
    """Nothing but these steps."""
    return Undo(SyncId("things"), RunId("things-7"), made, (), already)


def kept(*made: Kept, already: int = 0) -> Undo:
    """Nothing but reasons why something stays."""
    return Undo(SyncId("things"), RunId("things-7"), (), made, already)


def stays(reason: str) -> Kept:
    """The whole record stays."""
    return Kept("Roof", KEYS[LEFT], KEYS[RIGHT], reason)


def value_stays(reason: str, entry: Entry, now: Value | None) -> Kept:
    """One value stays."""
    return Kept("Roof", KEYS[LEFT], KEYS[RIGHT], reason, entry.field, entry.side, entry.old, entry.new, now)


def step(
    side: Side, write: Write, effect: Effect, *fields: FieldDecision, number: int = 1, **more: object
) -> Step:
    """A step of an undo."""
    parts = {"link": LINK.id, "key": KEYS[side], "counterpart": KEYS[side.other], **more}
    return Step(StepId(f"{number:06d}"), side, write, effect, Rule.UNDONE, "Roof", fields=fields, **parts)  # pyright: ignore[reportArgumentType] - parts by name


def back(line: int, side: Side, now: Value | None, to: Value) -> FieldDecision:
    """A line whose value goes back on one side."""
    if side is LEFT:
        return FieldDecision(*LINES[line], Rule.UNDONE, left=now, to_left=to)
    return FieldDecision(*LINES[line], Rule.UNDONE, right=now, to_right=to)


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
