"""A stored case or a run's evidence decided again: the same under the same rules, and told where it is not."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from syncline.core.case import Case, Decided, decide
from syncline.core.decisions import (
    Decision,
    DeletedEdit,
    DeletePolicy,
    FieldDecision,
    Fields,
    Forget,
    Remove,
    Revive,
    Rule,
    Rules,
    View,
    Wait,
)
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, Lens, lenses
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
    Sighting,
    Unseen,
)
from syncline.core.replay import LineChange, RecordChange, Replay, change_of, redecide, replay
from syncline.core.values import FieldType, Text, Value
from tests.core.worlds import World, worlds

LEFT, RIGHT = (
    ObjectSchema(
        ObjectTypeId(side),
        side,
        tuple(FieldSchema(FieldId(f"{side}{n}"), "F", FieldType.TEXT) for n in (1, 2)),
    )
    for side in "lr"
)
LINES = ((FieldId("l1"), FieldId("r1")), (FieldId("l2"), FieldId("r2")))
KEYS = RecordKey("1"), RecordKey("9")
OLD, NEW, OTHER = Text("old"), Text("new"), Text("other")
GONE = Gone(Proof.NOT_FOUND)


def made(
    *directions: Direction, conflicts: ConflictPolicy = ConflictPolicy.ASK, lines: int = 2
) -> tuple[Lens, ...]:
    """The lenses of the first lines."""
    ways = directions or (Direction.BOTH,) * lines
    mappings = [FieldMapping(*fields, way) for fields, way in zip(LINES, ways, strict=False)]
    return lenses(mappings, LEFT, RIGHT, conflicts)


ASKING = Rules(made())


def record(side: Side, *values: Value) -> Present:
    """A record with values of the first fields."""
    names = [fields[side is Side.RIGHT] for fields in LINES]
    return Present(Record(KEYS[side is Side.RIGHT], dict(zip(names, values, strict=False))))


def linked(left: Sighting, right: Sighting) -> View:
    """Two records that agreed on the old value of both lines."""
    base = Base({line[0]: OLD for line in LINES}, {line[1]: OLD for line in LINES})
    return View(LinkId(1), base, left, right)


def seen(view: View, rules: Rules = ASKING) -> Decided:
    """What a run kept of it under these rules."""
    return Decided(*KEYS, "Roof", view, merge(view, rules))


BOTH_EDITED = linked(record(Side.LEFT, NEW, OLD), record(Side.RIGHT, OTHER, OLD))


@given(worlds())
def test_evidence_decided_again_under_its_own_rules_is_the_same(world: World) -> None:
    each = Decided(*KEYS, "Roof", world.view, merge(world.view, world.rules))

    assert redecide(each, world.rules) == each.decision
    assert replay([each, each], world.rules) == Replay(2, 2, 0, ())


@given(worlds())
def test_a_stored_case_survives_its_json_and_gives_the_same_decision(world: World) -> None:
    left, right = (ObjectSchema(ObjectTypeId(side), side, fields) for side, fields in _fields(world))
    case = Case(
        left,
        right,
        tuple(lens.mapping for lens in world.rules.lenses),
        world.deletes,
        world.deleted_edit,
        tuple(world.may_archive),
        tuple(world.may_restore),
        world.view,
    )
    rules = msgspec.structs.replace(
        world.rules, lenses=lenses(case.mappings, left, right, ConflictPolicy.ASK)
    )

    assert decide(case) == merge(world.view, rules)
    assert decide(msgspec.json.decode(msgspec.json.encode(case), type=Case)) == decide(case)


def _fields(world: World) -> tuple[tuple[str, tuple[FieldSchema, ...]], ...]:
    return (
        ("l", tuple(line.left for line in world.lines)),
        ("r", tuple(line.right for line in world.lines)),
    )


CASES = [
    (linked(GONE, record(Side.RIGHT, OLD)), DeletePolicy.ARCHIVE, DeletedEdit.EDIT, Remove),
    (linked(GONE, record(Side.RIGHT, OLD)), DeletePolicy.PROPAGATE, DeletedEdit.EDIT, Remove),
    (linked(GONE, record(Side.RIGHT, NEW)), DeletePolicy.PROPAGATE, DeletedEdit.DELETE, Remove),
    (
        linked(Gone(Proof.TRASHED), record(Side.RIGHT, NEW)),
        DeletePolicy.PROPAGATE,
        DeletedEdit.EDIT,
        Revive,
    ),
    (BOTH_EDITED, DeletePolicy.ASK, DeletedEdit.ASK, Fields),
]


@pytest.mark.parametrize(("view", "deletes", "deleted_edit", "kind"), CASES)
@pytest.mark.parametrize("able", [(), (Side.LEFT, Side.RIGHT)])
def test_a_case_is_decided_by_all_of_its_rules(
    view: View,
    deletes: DeletePolicy,
    deleted_edit: DeletedEdit,
    kind: type[Decision],
    able: tuple[Side, ...],
) -> None:
    mappings = tuple(lens.mapping for lens in ASKING.lenses)
    case = Case(LEFT, RIGHT, mappings, deletes, deleted_edit, able, able, view)
    rules = Rules(ASKING.lenses, deletes, deleted_edit, frozenset(able), frozenset(able))

    assert decide(case) == merge(view, rules)
    assert isinstance(decide(case), kind) or not able


def test_a_case_whose_line_names_no_policy_asks() -> None:
    case = Case(
        LEFT, RIGHT, (FieldMapping(*LINES[0]),), DeletePolicy.ASK, DeletedEdit.EDIT, (), (), BOTH_EDITED
    )
    decision = decide(case)

    assert isinstance(decision, Fields)
    assert [field.rule for field in decision.fields] == [Rule.CONFLICT]


# --- what would be decided differently ------------------------------------------------------------------------------


def test_a_line_that_is_decided_otherwise_is_told_with_both_outcomes() -> None:
    each = seen(BOTH_EDITED)
    left_wins = Rules(made(conflicts=ConflictPolicy.LEFT))

    (change,) = replay([each], left_wins).changes

    assert isinstance(each.decision, Fields)
    after = merge(BOTH_EDITED, left_wins)
    assert isinstance(after, Fields)
    line = LineChange("l1 ↔ r1", each.decision.fields[0], after.fields[0])
    assert change == RecordChange("Roof", *KEYS, each.decision, after, (line,))
    assert line.sentence == "would now: left wins instead of: a person is asked"
    assert change.sentence == "", "only lines differ"


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 1)])
def test_a_line_that_is_mapped_only_then_or_only_now_is_told(before: int, after: int) -> None:
    change = change_of(seen(BOTH_EDITED, Rules(made(lines=before))), Rules(made(lines=after)))

    assert change is not None
    (line,) = change.lines
    assert line.name == "l2 ↔ r2"
    assert (line.before is None, line.after is None) == (before == 1, before == 2)
    assert line.sentence == ("is mapped now" if before == 1 else "is not mapped any more")


def test_the_same_rule_with_another_outcome_is_a_change() -> None:
    view = linked(record(Side.LEFT, NEW), record(Side.RIGHT, OLD))
    decision = merge(view, ASKING)
    assert isinstance(decision, Fields)
    first = decision.fields[0]

    def then(**parts: object) -> Decided:
        field = msgspec.structs.replace(first, **parts)
        return Decided(*KEYS, "Roof", view, Fields((field, *decision.fields[1:])))

    assert change_of(then(), ASKING) is None
    assert change_of(then(to_right=Text(" new ")), ASKING) is None, "it means the same"
    assert change_of(then(to_right=OTHER), ASKING) is not None
    assert change_of(then(to_right=None), ASKING) is not None
    assert change_of(then(to_left=NEW), ASKING) is not None
    assert change_of(then(rule=Rule.MERGED), ASKING) is not None


def test_a_deletion_that_is_treated_otherwise_is_told() -> None:
    view = linked(GONE, record(Side.RIGHT, OLD, OLD))

    (change,) = replay([seen(view)], msgspec.structs.replace(ASKING, deletes=DeletePolicy.PROPAGATE)).changes

    assert change.lines == ()
    ask, delete = Rule.DELETED_ASK.sentence, Rule.DELETED_PROPAGATED.sentence
    assert change.sentence == f"would now: {delete} instead of: {ask}"


def test_what_would_be_revived_is_told_with_its_lines() -> None:
    view = linked(GONE, record(Side.RIGHT, NEW, OLD))
    asking = msgspec.structs.replace(ASKING, deleted_edit=DeletedEdit.ASK)

    change = change_of(seen(view, asking), ASKING)

    assert change is not None
    assert isinstance(change.after, Revive)
    assert [(line.before, line.after) for line in change.lines] == [
        (None, each) for each in change.after.fields
    ]
    assert change.lines


def test_fields_instead_of_another_decision_are_told() -> None:
    each = msgspec.structs.replace(seen(BOTH_EDITED), decision=Wait(Rule.UNSEEN))
    change = change_of(each, Rules(()))

    assert change is not None
    told = f"would now: the fields are compared one by one instead of: {Rule.UNSEEN.sentence}"
    assert change.sentence == told


def test_another_decision_of_the_same_rule_is_no_change() -> None:
    view = linked(GONE, GONE)

    assert change_of(Decided(*KEYS, "Roof", view, Forget(Side.LEFT, Rule.DELETED_BOTH)), ASKING) is None


def test_what_was_not_decided_then_is_told_as_a_whole() -> None:
    each = msgspec.structs.replace(seen(linked(GONE, GONE)), decision=None, reason="refused before")

    change = change_of(each, ASKING)

    assert change is not None
    assert change.sentence == f"would now: {Rule.DELETED_BOTH.sentence}"


def test_a_replay_counts_what_is_the_same_and_what_was_not_decided() -> None:
    undecided = msgspec.structs.replace(seen(BOTH_EDITED), decision=None)
    quiet = seen(linked(record(Side.LEFT, OLD), record(Side.RIGHT, OLD)))
    left_wins = Rules(made(conflicts=ConflictPolicy.LEFT))

    found = replay([undecided, quiet, seen(BOTH_EDITED), undecided, quiet, seen(BOTH_EDITED)], left_wins)

    assert (found.decided, found.same, found.undecided, len(found.changes)) == (4, 2, 2, 2)


# --- a record that was copied ---------------------------------------------------------------------------------------


def copied(side: Side, other: Sighting | None = None, link: LinkId | None = None) -> Decided:
    """A lone record of a side, with what its copy was to hold."""
    own, there = record(side, NEW, OLD), other or Unseen()
    view = View(link, None, own, there) if side is Side.LEFT else View(link, None, there, own)
    to = {"to_right" if side is Side.LEFT else "to_left": NEW}
    fields = Fields((FieldDecision(*LINES[0], Rule.CREATED, **{side.value: NEW}, **to),))  # pyright: ignore[reportArgumentType] - parts by name
    keys = (KEYS[0], None) if side is Side.LEFT else (None, KEYS[1])
    return Decided(*keys, "Roof", view, fields)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("other", [None, GONE])
def test_a_lone_record_is_copied_again_field_by_field(side: Side, other: Sighting | None) -> None:
    each, rules = copied(side, other), Rules(made(lines=1))

    assert redecide(each, rules) == each.decision
    assert replay([each], rules) == Replay(1, 1, 0, ())


@pytest.mark.parametrize("side", list(Side))
def test_a_copy_leaves_out_what_does_not_go_that_way(side: Side) -> None:
    away = Direction.TO_LEFT if side is Side.LEFT else Direction.TO_RIGHT

    assert redecide(copied(side), Rules(made(Direction.BOTH, away))) == copied(side).decision


@pytest.mark.parametrize("side", list(Side))
def test_a_value_without_counterpart_is_not_copied(side: Side) -> None:
    here, there = (LEFT, RIGHT) if side is Side.LEFT else (RIGHT, LEFT)
    short = tuple(msgspec.structs.replace(field, max_length=3) for field in there.fields)
    narrow = msgspec.structs.replace(there, fields=short)
    mappings = [FieldMapping(*fields) for fields in LINES]
    schemas = (here, narrow) if side is Side.LEFT else (narrow, here)
    rules = Rules(lenses(mappings, *schemas, ConflictPolicy.ASK))
    each = copied(side)
    own = each.view.of(side)
    assert isinstance(own, Present)
    long = Present(
        msgspec.structs.replace(own.record, fields={**own.record.fields, LINES[1][side is Side.RIGHT]: OTHER})
    )
    view = msgspec.structs.replace(each.view, **{side.value: long})

    assert redecide(msgspec.structs.replace(each, view=view), rules) == each.decision


@pytest.mark.parametrize("side", list(Side))
def test_what_is_no_lone_record_is_merged(side: Side) -> None:
    rules = Rules(made(lines=1))
    is_linked = copied(side, link=LinkId(1))
    has_both_keys = msgspec.structs.replace(copied(side), left_key=KEYS[0], right_key=KEYS[1])
    both_there = copied(side, record(side.other, OTHER))

    for each in (is_linked, has_both_keys, both_there):
        assert redecide(each, rules) == merge(each.view, rules)
    assert not isinstance(redecide(is_linked, rules), Fields)
    assert not isinstance(redecide(has_both_keys, rules), Fields)
