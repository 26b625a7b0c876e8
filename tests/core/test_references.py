"""References to records become references to their counterparts, by a table of what another sync ties."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.absence import created_fields
from syncline.core.case import Case, Decided, decide
from syncline.core.convert import Untranslatable
from syncline.core.decisions import AskDelete, DeletedEdit, DeletePolicy, Fields, Remove, Rule, Rules, View
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, Lens, lenses, looked_up
from syncline.core.merge import merge
from syncline.core.records import (
    Base,
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
    Side,
    SyncId,
)
from syncline.core.references import Known, Parent, Spot, Through, circular, parents_first, parents_of
from syncline.core.replay import change_of
from syncline.core.values import BLANK, FieldType, OneOf, Reference, Text, Value, same
from syncline.errors import MappingError

SYNC = SyncId("projects")
KINDS = {Side.LEFT: ObjectTypeId("project"), Side.RIGHT: ObjectTypeId("case")}
LEFT, RIGHT = FieldId("project"), FieldId("case")
POINTING = (FieldType.REFERENCE, FieldType.TEXT, FieldType.ONE_OF)


def field(name: FieldId, kind: FieldType, side: Side) -> FieldSchema:
    return FieldSchema(
        name, name.title(), kind, references=KINDS[side] if kind is FieldType.REFERENCE else None
    )


def made(
    left: FieldType = FieldType.REFERENCE,
    right: FieldType = FieldType.REFERENCE,
    *,
    is_turned: bool = False,
    direction: Direction = Direction.BOTH,
    **more: object,
) -> Lens:
    through = Through(SYNC, KINDS[Side.LEFT], KINDS[Side.RIGHT], is_turned)
    mapping = FieldMapping(LEFT, RIGHT, direction, through=through, **more)  # type: ignore[arg-type] - a mapping's own
    schemas = [
        ObjectSchema(ObjectTypeId("task"), "Task", (field(LEFT, left, Side.LEFT),)),
        ObjectSchema(ObjectTypeId("ticket"), "Ticket", (field(RIGHT, right, Side.RIGHT),)),
    ]
    return lenses([mapping], *schemas, ConflictPolicy.NEWEST)[0]


def pointing(kind: FieldType, side: Side, key: str) -> Value:
    if kind is FieldType.REFERENCE:
        return Reference(KINDS[side], key)
    return Text(key) if kind is FieldType.TEXT else OneOf(key)


def table(*pairs: tuple[str, str], is_turned: bool = False) -> dict[Spot, Parent]:
    """The two entries of every link between living records."""
    out: dict[Spot, Parent] = {}
    for left, right in pairs:
        for side, own, other in ((Side.LEFT, left, right), (Side.RIGHT, right, left)):
            there = side.other if is_turned else side
            out[SYNC, there, RecordKey(own)] = Parent(RecordKey(other), f"Title {own}")
    return out


KEYS = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1, max_size=6)
PAIRS = st.lists(st.tuples(KEYS, KEYS), unique_by=(lambda pair: pair[0], lambda pair: pair[1]), max_size=6)


@given(PAIRS, st.sampled_from(POINTING), st.sampled_from(POINTING), st.booleans(), KEYS)
def test_there_and_back_is_the_same_reference_on_what_is_linked_and_waits_on_all_else(
    pairs: list[tuple[str, str]], left: FieldType, right: FieldType, is_turned: bool, other: str
) -> None:
    (lens,) = looked_up([made(left, right, is_turned=is_turned)], table(*pairs, is_turned=is_turned))
    kinds = {Side.LEFT: left, Side.RIGHT: right}

    for pair in pairs:
        for side, own, counterpart in ((Side.LEFT, *pair), (Side.RIGHT, *reversed(pair))):
            value = pointing(kinds[side], side, own)
            there = lens.to(side.other, value)
            assert there == pointing(kinds[side.other], side.other, counterpart)
            assert not isinstance(there, Untranslatable)
            back = lens.to(side, there)
            assert not isinstance(back, Untranslatable)
            assert same(back, value)
    for side, known in zip(Side, zip(*pairs, strict=True) if pairs else ((), ()), strict=True):
        if other not in known:
            found = lens.to(side.other, pointing(kinds[side], side, other))
            assert isinstance(found, Untranslatable)
            assert found.is_awaited
            assert other in found.reason
            assert SYNC in found.reason
        assert lens.to(side.other, BLANK) == BLANK


def test_a_reference_to_another_type_of_record_is_for_a_person() -> None:
    (lens,) = looked_up([made()], table(("1", "a")))

    found = lens.to(Side.RIGHT, Reference("invoice", "1"))

    assert found == Untranslatable("it points to invoice, and 'projects' ties project")


@pytest.mark.parametrize(
    ("parent", "end"),
    [
        (Parent(), "'projects' it has not been seen yet"),
        (Parent(None, "Site", "is outside the filter"), "it is outside the filter"),
        (Parent(RecordKey("a"), "Site", is_counterpart_gone=True), "it has lost its counterpart"),
    ],
)
def test_what_is_waited_for_is_told_with_its_title_and_why(parent: Parent, end: str) -> None:
    (lens,) = looked_up([made()], {(SYNC, Side.LEFT, RecordKey("1")): parent})

    found = lens.to(Side.RIGHT, Reference("project", "1"))

    name = "'Site' (project 1)" if parent.title else "project 1"
    assert isinstance(found, Untranslatable)
    assert found.reason.startswith(f"waits for {name} on the left side")
    assert found.reason.endswith(end)


@pytest.mark.parametrize(
    ("left", "right", "more", "path", "text"),
    [
        (FieldType.NUMBER, FieldType.REFERENCE, {}, "fields[0].left", "cannot hold the key"),
        (FieldType.REFERENCE, FieldType.MANY_OF, {}, "fields[0].right", "cannot hold the key"),
        (
            FieldType.TEXT,
            FieldType.TEXT,
            {"values": (("a", "b"),)},
            "fields[0].through",
            "do not go together",
        ),
        (
            FieldType.TEXT,
            FieldType.TEXT,
            {"to_right": "value", "to_left": "value"},
            "fields[0].through",
            "do not go",
        ),
    ],
)
def test_a_line_that_cannot_go_through_a_sync_names_the_field(
    left: FieldType, right: FieldType, more: dict[str, object], path: str, text: str
) -> None:
    with pytest.raises(MappingError) as raised:
        made(left, right, **more)

    assert any(each.path == path and text in each.message for each in raised.value.problems)


def test_two_references_without_a_sync_say_that_one_is_needed() -> None:
    schemas = [
        ObjectSchema(ObjectTypeId(name), name, (field(name, FieldType.REFERENCE, side),))
        for name, side in ((LEFT, Side.LEFT), (RIGHT, Side.RIGHT))
    ]

    with pytest.raises(MappingError) as raised:
        lenses([FieldMapping(LEFT, RIGHT)], *schemas, ConflictPolicy.ASK)

    assert {each.remedy for each in raised.value.problems} == {
        "Name the sync that ties the records they point to: through: SYNC."
    }


# --- decisions --------------------------------------------------------------------------------------------------------

P1, A = Reference("project", "1"), Reference("case", "a")
GONE = Gone(Proof.NOT_FOUND)


def rules(parents: dict[Spot, Parent], *, deletes: DeletePolicy = DeletePolicy.PROPAGATE) -> Rules:
    return Rules((made(),), deletes, DeletedEdit.EDIT).looked_up(parents)


def here(side: Side, value: Value) -> Present:
    return Present(Record(RecordKey(side.value), {LEFT if side is Side.LEFT else RIGHT: value}))


def view(left: Value, right: Value) -> View:
    return View(LinkId(1), Base({LEFT: P1}, {RIGHT: A}), here(Side.LEFT, left), here(Side.RIGHT, right))


def gone(*sides: Side, is_closed: bool = False) -> dict[Spot, Parent]:
    """One link, of which these sides' records are gone."""
    out: dict[Spot, Parent] = {}
    for side, own, other in ((Side.LEFT, "1", "a"), (Side.RIGHT, "a", "1")):
        counterpart = None if is_closed else RecordKey(other)
        is_lost = side.other in sides
        out[SYNC, side, RecordKey(own)] = Parent(counterpart, "Site", "is gone", side in sides, is_lost)
    return out


def only(decision: object) -> tuple[Rule, Value | None, Value | None]:
    assert isinstance(decision, Fields)
    (line,) = decision.fields
    return line.rule, line.to_left, line.to_right


def test_a_blank_is_an_edit_while_what_it_pointed_to_is_there() -> None:
    assert only(merge(view(BLANK, A), rules(table(("1", "a"))))) == (Rule.ONE_SIDE_CHANGED, None, BLANK)


def test_a_blank_that_a_deletion_left_waits_as_long_as_the_link_is_open() -> None:
    assert only(merge(view(BLANK, A), rules(gone(Side.LEFT)))) == (Rule.AWAITS_PARENT, None, None)


def test_a_blank_that_a_deletion_left_stays_where_it_is_once_the_link_is_closed() -> None:
    assert only(merge(view(BLANK, A), rules(gone(Side.LEFT, is_closed=True)))) == (
        Rule.PARENT_GONE,
        None,
        None,
    )


def test_a_blank_that_a_deletion_left_is_filled_when_the_record_is_made_anew() -> None:
    parents = {**gone(Side.LEFT, is_closed=True), **table(("2", "a"))}

    assert only(merge(view(BLANK, A), rules(parents))) == (Rule.PARENT_BACK, Reference("project", "2"), None)
    assert only(merge(view(P1, A), rules(parents))) == (Rule.PARENT_BACK, Reference("project", "2"), None)


def test_what_goes_with_its_parent_is_asked_about_and_what_goes_alone_is_not() -> None:
    lost = msgspec.structs.replace(view(P1, A), left=GONE)

    assert merge(lost, rules(gone(Side.LEFT))) == AskDelete(Side.LEFT, is_edited=False, parent="Site")
    assert isinstance(merge(lost, rules(table(("1", "a")))), Remove)


def test_a_new_record_that_points_to_nothing_yet_says_so() -> None:
    (line,) = created_fields(rules({}).lenses, here(Side.LEFT, P1).record, Side.RIGHT)

    assert (line.rule, line.to_right) == (Rule.AWAITS_PARENT, None)


def test_a_case_is_decided_by_what_was_known_then() -> None:
    known = tuple(Known(*spot, parent) for spot, parent in table(("1", "a"), ("2", "b")).items())
    then = msgspec.structs.replace(view(Reference("project", "2"), A), parents=known)
    left, right = (
        ObjectSchema(ObjectTypeId(name), name, (field(name, FieldType.REFERENCE, side),))
        for name, side in ((LEFT, Side.LEFT), (RIGHT, Side.RIGHT))
    )
    mapping = msgspec.structs.replace(made().mapping, conflict=ConflictPolicy.ASK)
    case = Case(left, right, (mapping,), DeletePolicy.ASK, DeletedEdit.EDIT, (), (), then)
    read = msgspec.json.decode(msgspec.json.encode(case), type=Case)

    assert only(decide(read)) == (Rule.ONE_SIDE_CHANGED, None, Reference("case", "b"))
    kept = Decided(RecordKey("l"), RecordKey("r"), "", then, merge(then, rules(dict(parents_of(known)))))
    assert change_of(kept, rules({})) is None


# --- which goes first -------------------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 7), unique=True),
    st.dictionaries(st.integers(0, 7), st.lists(st.integers(0, 7), max_size=3)),
)
def test_parents_go_first_and_nobody_is_lost(names: list[int], needs: dict[int, list[int]]) -> None:
    found = parents_first(names, needs)

    assert sorted(found) == sorted(names)
    downwards = {name: [each for each in many if each < name] for name, many in needs.items()}
    ordered = parents_first(names, downwards)
    for name in names:
        for needed in downwards.get(name, ()):
            assert needed not in names or ordered.index(needed) < ordered.index(name)
    assert parents_first(names, {}) == tuple(names)


RING = st.dictionaries(st.integers(0, 6), st.lists(st.integers(0, 8), max_size=3), max_size=7)


@given(RING)
def test_who_waits_for_nothing_but_themselves_is_found(waits: dict[int, list[int]]) -> None:
    def reached(start: int) -> set[int]:
        found, work = set[int](), [start]
        while work:
            work += [each for each in waits.get(work.pop(), ()) if each not in found and not found.add(each)]  # type: ignore[func-returns-value] - added on the way
        return found

    wanted = {
        name
        for name, many in waits.items()
        if many and all(name == each or name in reached(each) for each in many)
    }

    assert circular(waits) == wanted


def test_a_long_chain_is_no_matter() -> None:
    chain = {number: [number + 1] for number in range(20_000)}

    assert circular(chain) == frozenset()
    assert len(circular({**chain, 20_000: [0]})) == 20_001
