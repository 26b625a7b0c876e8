"""Decisions into steps: the order, what waits for what, what is settled when, what is held, and what it costs."""

from __future__ import annotations

import msgspec
import pytest

from syncline.core.brakes import Limits
from syncline.core.decisions import (
    AskDelete,
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
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, lenses
from syncline.core.match import Matching, MatchMode, MatchRule, match
from syncline.core.merge import merge
from syncline.core.plan import Effect, Held, Intake, Linked, Plan, plan
from syncline.core.records import (
    Archive,
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
    Side,
    SyncId,
    Update,
    Write,
)
from syncline.core.values import BLANK, FieldType, ManyOf, Text, Value
from tests.core.aftermath import QUIET, after, intake, plan_of

T = FieldType
A, B, C = FieldId("a"), FieldId("b"), FieldId("c")
X, Y, Z = FieldId("x"), FieldId("y"), FieldId("z")


def rules_of(*mappings: FieldMapping, required: FieldId | None = None, short: FieldId | None = None) -> Rules:
    """Lines between text fields a, b, c and x, y, z."""
    left = tuple(FieldSchema(name, name.upper(), T.TEXT) for name in (A, B, C))
    right = tuple(
        FieldSchema(
            name, name.upper(), T.TEXT, is_required=name == required, max_length=3 if name == short else None
        )
        for name in (X, Y, Z)
    )
    schemas = ObjectSchema(ObjectTypeId("l"), "L", left), ObjectSchema(ObjectTypeId("r"), "R", right)
    return Rules(lenses(mappings, *schemas, ConflictPolicy.LEFT))


PLAIN = rules_of(FieldMapping(A, X), FieldMapping(B, Y))


def record(key: str, **fields: str) -> Record:
    made: dict[FieldId, Value] = {
        FieldId(name): Text(word) if word else BLANK for name, word in fields.items()
    }
    return Record(RecordKey(key), made, title=key)


def cost(_: Side, write: Write) -> int:
    return {Create: 5, Update: 1, Restore: 3, Archive: 2, Delete: 7}[type(write)]


def planned(made: Intake, limits: Limits | None = None, **facts: object) -> Plan:
    return plan(made, msgspec.structs.replace(QUIET, **facts), limits or Limits(), cost)


def lone(rules: Rules, *left: Record, right: tuple[Record, ...] = (), **settings: object) -> Plan:
    return planned(intake(rules, matching=Matching((), left, right, ()), **settings))


def linked(decision: object, number: int = 1) -> Linked:
    key = str(number)
    return Linked(LinkId(number), RecordKey("l" + key), RecordKey("r" + key), "Record", decision)  # pyright: ignore[reportArgumentType] - a decision


def view(base: Base | None, left: dict[str, str], right: dict[str, str]) -> View:
    return View(LinkId(1), base, Present(record("l1", **left)), Present(record("r1", **right)))


def base(left: dict[str, str], right: dict[str, str]) -> Base:
    return Base(record("", **left).fields, record("", **right).fields)


def decision_of(field: FieldId, other: FieldId, rule: Rule, **values: object) -> FieldDecision:
    return msgspec.structs.replace(FieldDecision(field, other, rule, Text("1"), Text("2")), **values)


# --- order ----------------------------------------------------------------------------------------------------------


def test_notes_first_then_creates_then_updates_then_deletions() -> None:
    update = Fields((decision_of(A, X, Rule.ONE_SIDE_CHANGED, to_right=Text("1")),))
    revive = Revive(Side.RIGHT, True, (decision_of(A, X, Rule.RESOLVED, to_right=Text("1")),), Rule.RESOLVED)
    decisions = [
        Remove(Side.LEFT, False, Rule.DELETED_PROPAGATED),
        Remove(Side.RIGHT, True, Rule.DELETED_ARCHIVED),
        update,
        revive,
        msgspec.structs.replace(revive, is_restore=False),
        Forget(Side.LEFT, Rule.DELETED_IGNORED),
        Fields((decision_of(A, X, Rule.AGREED),)),
    ]
    made = planned(
        intake(
            PLAIN,
            *(linked(decision, number) for number, decision in enumerate(decisions)),
            matching=Matching((), (record("lone", a="n"),), (), ()),
            paired=[(record("p", a="1"), record("q", x="1"), Fields((decision_of(A, X, Rule.AGREED),)))],
        )
    )

    kinds = [type(step.write).__name__ for step in made.steps]
    assert kinds == ["NoneType"] * 4 + ["Create"] * 2 + ["Update", "Restore"] + ["Delete", "Archive"]
    assert len({step.id for step in made.steps}) == len(made.steps)


# --- new records ----------------------------------------------------------------------------------------------------


def test_a_lone_record_is_made_on_the_other_side_without_its_blanks() -> None:
    made = lone(PLAIN, record("1", a="n", b=""))

    (step,) = made.steps
    assert step.write == Create({X: Text("n")}, "s:1")
    assert (step.side, step.effect, step.rule, step.key, step.counterpart) == (
        Side.RIGHT,
        Effect.TIE,
        Rule.CREATED,
        None,
        "1",
    )
    assert [field.name for field in step.fields] == ["a ↔ x", "b ↔ y"]


def test_both_sides_lone_records_are_made() -> None:
    made = lone(PLAIN, record("1", a="n"), right=(record("1", x="m"),))

    assert [(step.side, step.write) for step in made.steps] == [
        (Side.RIGHT, Create({X: Text("n")}, "s:1")),
        (Side.LEFT, Create({A: Text("m")}, "s:1")),
    ]


def test_no_record_is_made_of_nothing() -> None:
    for empty in (record("1"), record("1", a="", b=""), record("1", c="unmapped")):
        assert lone(PLAIN, empty).steps == ()


def test_no_record_is_made_where_none_may_be() -> None:
    made = lone(PLAIN, record("1", a="n"), right=(record("2", x="n"),), may_create=frozenset({Side.LEFT}))

    assert [step.side for step in made.steps] == [Side.LEFT]


def test_match_only_makes_nothing_and_says_so() -> None:
    made = lone(PLAIN, record("1", a="n"), right=(record("2", x="m"),), mode=MatchMode.MATCH_ONLY)

    assert made.steps == ()
    assert {(item.left_key, item.right_key) for item in made.held} == {("1", None), (None, "2")}


def test_a_missing_required_field_holds_the_record_and_is_named() -> None:
    required = rules_of(FieldMapping(A, X), FieldMapping(B, Y), required=Y)
    led = rules_of(FieldMapping(A, X), FieldMapping(B, Y, Direction.TO_LEFT), required=Y)

    for rules, fields in (
        (required, {"a": "n", "b": ""}),
        (required, {"a": "n"}),
        (led, {"a": "n", "b": "m"}),
    ):
        (held,) = lone(rules, record("1", **fields)).held
        assert (held.rule, held.left_key, held.field) == (Rule.NO_COUNTERPART, "1", None)
        assert "'Y' is required" in held.reason
    assert lone(required, record("1", a="n", b="m")).held == ()


def test_a_required_value_without_counterpart_is_explained() -> None:
    rules = rules_of(FieldMapping(A, X), FieldMapping(B, Y), required=Y, short=Y)

    (held,) = lone(rules, record("1", a="n", b="long")).held

    assert "'Y' is required" in held.reason
    assert "too long" in held.reason


def test_a_value_without_counterpart_is_held_while_the_rest_goes() -> None:
    made = lone(rules_of(FieldMapping(A, X), FieldMapping(B, Y), short=Y), record("1", a="n", b="long"))

    (step,) = made.steps
    assert step.write == Create({X: Text("n")}, "s:1")
    assert [field.name for field in step.fields] == ["a ↔ x"]
    assert [(item.field, item.left) for item in made.held] == [("b ↔ y", Text("long"))]


# --- first meetings -------------------------------------------------------------------------------------------------


def test_a_pair_is_tied_before_its_fields_are_written() -> None:
    left, right = record("1", a="n", b=""), record("2", x="n", y="m")
    met = merge(View(None, None, Present(left), Present(right)), PLAIN)

    made = planned(intake(PLAIN, paired=[(left, right, met)]))

    tie, note, write = made.steps
    assert (tie.effect, tie.rule, tie.key, tie.counterpart) == (Effect.TIE, Rule.LINKED, "2", "1")
    assert (note.after, [field.name for field in note.fields]) == (tie.id, ["a ↔ x"])
    assert (write.after, write.write) == (tie.id, Update(RecordKey("1"), {B: Text("m")}, {B: BLANK}))
    assert [field.name for field in write.fields] == ["b ↔ y"]


def test_a_pair_that_must_wait_is_held() -> None:
    made = planned(intake(PLAIN, paired=[(record("1"), record("2"), Wait(Rule.OUT_OF_SCOPE))]))

    assert [(item.rule, item.left_key, item.right_key) for item in made.held] == [
        (Rule.OUT_OF_SCOPE, "1", "2")
    ]


def test_ambiguous_records_are_all_held_and_none_is_made() -> None:
    rule = MatchRule(((A, X),))
    left, right = [record("1", a="n"), record("2", a="n")], [record("3", x="n")]
    found = match(SyncId("s"), rule, PLAIN.lenses, left, right)

    made = planned(intake(PLAIN, matching=found))

    assert made.steps == ()
    assert {(item.left_key, item.right_key) for item in made.held} == {("1", None), ("2", None), (None, "3")}
    assert {item.reason for item in made.held} == {
        "2 records here and 1 there have the same keys",
        "1 records here and 2 there have the same keys",
    }


# --- links ----------------------------------------------------------------------------------------------------------


def test_both_sides_get_one_write_each_with_what_they_held() -> None:
    decided = Fields(
        (
            decision_of(A, X, Rule.ONE_SIDE_CHANGED, to_right=Text("1")),
            decision_of(B, Y, Rule.ONE_SIDE_CHANGED, to_left=BLANK),
            decision_of(C, Z, Rule.IN_STEP),
        )
    )

    left, right = planned(intake(PLAIN, linked(decided))).steps

    assert left.write == Update(RecordKey("l1"), {B: BLANK}, {B: Text("1")})
    assert right.write == Update(RecordKey("r1"), {X: Text("1")}, {X: Text("2")})
    assert (left.after, right.after) == (None, None)
    assert ([f.name for f in left.fields], [f.name for f in right.fields]) == (["b ↔ y"], ["a ↔ x"])
    assert (left.key, left.counterpart, right.key, right.counterpart) == ("l1", "r1", "r1", "l1")


def test_a_field_that_both_sides_get_settles_with_the_second_write() -> None:
    sets = decision_of(A, X, Rule.MERGED, to_left=ManyOf(("a",)), to_right=ManyOf(("a",)))

    left, right = planned(intake(PLAIN, linked(Fields((sets,))))).steps

    assert (left.fields, left.rule) == ((), Rule.MERGED)
    assert (right.fields, right.after) == ((sets,), left.id)


def test_nothing_to_do_is_no_step() -> None:
    assert planned(intake(PLAIN, linked(Fields((decision_of(A, X, Rule.IN_STEP),))))).steps == ()


def test_a_removed_record_closes_the_link_and_names_what_was_edited() -> None:
    lost = decision_of(A, X, Rule.DELETED_PROPAGATED, lost=Text("2"), lost_side=Side.RIGHT)

    (delete,) = planned(
        intake(PLAIN, linked(Remove(Side.RIGHT, False, Rule.DELETED_PROPAGATED, (lost,))))
    ).steps
    (archive,) = planned(intake(PLAIN, linked(Remove(Side.LEFT, True, Rule.DELETED_ARCHIVED)))).steps

    assert (delete.write, delete.effect, delete.release, delete.fields) == (
        Delete(RecordKey("r1")),
        Effect.CLOSE,
        None,
        (lost,),
    )
    assert (archive.write, archive.side, archive.release) == (Archive(RecordKey("l1")), Side.LEFT, Side.LEFT)


def test_a_forgotten_link_is_only_closed() -> None:
    for release in (None, *Side):
        (step,) = planned(intake(PLAIN, linked(Forget(release, Rule.DELETED_IGNORED)))).steps
        assert (step.write, step.effect, step.release) == (None, Effect.CLOSE, release)


def test_a_question_about_a_deletion_is_held() -> None:
    (held,) = planned(intake(PLAIN, linked(AskDelete(Side.LEFT, True)))).held

    assert (held.rule, held.gone, held.link, held.reason) == (
        Rule.DELETED_ASK,
        Side.LEFT,
        1,
        "edited here since",
    )


@pytest.mark.parametrize("gone", list(Side))
def test_what_follows_from_an_absence_carries_its_proof(gone: Side) -> None:
    proof = Gone(Proof.TRASHED, by="anna@example.test")
    fields = (decision_of(A, X, Rule.RESOLVED, to_right=Text("1"), to_left=Text("1")),)

    def made(decision: object) -> Plan:
        sides = {"left_gone" if gone is Side.LEFT else "right_gone": proof}
        return planned(intake(PLAIN, msgspec.structs.replace(linked(decision), **sides)))

    steps = [
        *made(Remove(gone.other, False, Rule.DELETED_PROPAGATED)).steps,
        *made(Remove(gone.other, True, Rule.DELETED_ARCHIVED)).steps,
        *made(Forget(gone.other, Rule.DELETED_IGNORED)).steps,
        *made(Revive(gone, True, fields, Rule.EDIT_BEATS_DELETE)).steps,
        *made(Revive(gone, False, fields, Rule.EDIT_BEATS_DELETE)).steps,
    ]
    assert [step.proof for step in steps] == [proof] * 5
    (held,) = made(AskDelete(gone, False)).held
    assert (held.gone, held.proof, held.reason) == (gone, proof, "unchanged here since")


def test_a_question_about_a_missing_record_says_that_it_may_be_hidden() -> None:
    missing = msgspec.structs.replace(linked(AskDelete(Side.LEFT, False)), left_gone=Gone(Proof.LISTED_TWICE))

    (held,) = planned(intake(PLAIN, missing)).held

    assert held.reason == f"unchanged here since; {Proof.LISTED_TWICE.sentence}"
    assert "hidden" in held.reason


def test_a_restored_record_gets_its_blanks_and_a_remade_one_does_not() -> None:
    fields = (
        decision_of(A, X, Rule.EDIT_BEATS_DELETE, to_right=Text("1")),
        decision_of(B, Y, Rule.EDIT_BEATS_DELETE, to_right=BLANK),
        decision_of(C, Z, Rule.IN_STEP, to_right=Text("own")),
    )

    (restore,) = planned(
        intake(PLAIN, linked(Revive(Side.RIGHT, True, fields, Rule.EDIT_BEATS_DELETE)))
    ).steps
    (create,) = planned(
        intake(PLAIN, linked(Revive(Side.RIGHT, False, fields, Rule.EDIT_BEATS_DELETE)))
    ).steps

    assert restore.write == Restore(RecordKey("r1"), {X: Text("1"), Y: BLANK, Z: Text("own")})
    assert create.write == Create({X: Text("1"), Z: Text("own")}, "s:l1")
    for step in (restore, create):
        assert [field.name for field in step.fields] == ["a ↔ x", "b ↔ y"]
        assert (step.effect, step.key, step.counterpart, step.link) == (Effect.TIE, "r1", "l1", 1)


@pytest.mark.parametrize(
    ("rules", "may_create", "reason"),
    [
        (PLAIN, frozenset[Side](), "no record can be made there"),
        (rules_of(FieldMapping(A, X), FieldMapping(B, Y), required=Y), frozenset(Side), "'Y' is required"),
    ],
)
def test_a_record_that_cannot_be_remade_is_asked_about(
    rules: Rules, may_create: frozenset[Side], reason: str
) -> None:
    fields = (decision_of(A, X, Rule.EDIT_BEATS_DELETE, to_right=Text("1")),)
    revive = Revive(Side.RIGHT, False, fields, Rule.EDIT_BEATS_DELETE)

    made = planned(intake(rules, linked(revive), may_create=may_create))

    assert made.steps == ()
    (held,) = made.held
    assert (held.rule, held.gone) == (Rule.DELETED_ASK, Side.RIGHT)
    assert reason in held.reason


def test_an_edit_that_waits_for_the_other_side_to_be_seen_is_held() -> None:
    old = base({"a": "n"}, {"x": "n"})

    (held,) = plan_of(PLAIN, merge(view(old, {"a": "new"}, {}), PLAIN)).held

    assert (held.rule, held.field, held.left) == (Rule.UNSEEN, "a ↔ x", Text("new"))
    assert plan_of(PLAIN, merge(view(old, {"a": "n"}, {}), PLAIN)).held == ()


# --- lines that share a field ---------------------------------------------------------------------------------------

TWO_COPIES = rules_of(FieldMapping(A, X), FieldMapping(A, Y, Direction.TO_RIGHT), short=Y)
OLD = base({"a": "old"}, {"x": "old", "y": "old"})


def _fields(seen: View, rules: Rules) -> tuple[FieldDecision, ...]:
    decided = merge(seen, rules)
    assert isinstance(decided, Fields)
    return decided.fields


def test_a_field_that_one_line_writes_and_another_reads_goes_all_the_way() -> None:
    seen = view(OLD, {"a": "old"}, {"x": "new", "y": "old"})

    made = plan_of(TWO_COPIES, merge(seen, TWO_COPIES))

    left, right = made.steps
    assert left.write == Update(RecordKey("left"), {A: Text("new")}, {A: Text("old")})
    assert right.write == Update(RecordKey("right"), {Y: Text("new")}, {Y: Text("old")})
    assert (right.after, left.fields, len(right.fields)) == (left.id, (), 2)
    assert plan_of(TWO_COPIES, merge(after(seen, made), TWO_COPIES)).steps == ()


def test_an_edit_is_not_agreed_on_while_another_line_still_waits_for_it() -> None:
    seen = view(OLD, {"a": "too long"}, {"x": "old", "y": "old"})

    made = plan_of(TWO_COPIES, merge(seen, TWO_COPIES))
    later = after(seen, made)
    again = plan_of(TWO_COPIES, merge(later, TWO_COPIES))

    assert [item.field for item in made.held] == ["a ↔ y"]
    assert [step.write for step in made.steps] == [
        Update(RecordKey("right"), {X: Text("too long")}, {X: Text("old")})
    ]
    assert [step.fields[0].name for step in made.steps] == ["a ↔ x"], "the history hears of it"
    assert later.base is not None
    assert later.base.left[A] == Text("old")
    assert [item.field for item in again.held] == ["a ↔ y"], "the edit is not forgotten"
    assert again.steps == ()


def test_a_chain_of_lines_is_followed_to_its_end() -> None:
    chain = rules_of(
        FieldMapping(A, X), FieldMapping(A, Y, Direction.TO_RIGHT), FieldMapping(B, Y, Direction.TO_LEFT)
    )
    seen = view(base({"a": "1", "b": "1"}, {"x": "1", "y": "1"}), {"a": "1", "b": "1"}, {"x": "2", "y": "1"})

    fields = _fields(seen, chain)

    assert [(f.to_left, f.to_right) for f in fields] == [
        (Text("2"), None),
        (None, Text("2")),
        (Text("2"), None),
    ]
    assert plan_of(chain, merge(after(seen, plan_of(chain, Fields(fields))), chain)).steps == ()


def test_a_new_line_on_a_known_field_starts_as_a_first_meeting() -> None:
    fields = _fields(view(base({"a": "old"}, {"y": "old"}), {"a": "old"}, {"x": "", "y": "old"}), TWO_COPIES)

    assert (fields[0].rule, fields[0].to_left, fields[0].to_right) == (Rule.FILLED_BLANK, None, Text("old"))


def test_a_held_field_knows_its_two_fields() -> None:
    assert Held(Rule.CONFLICT, "", "", field="a ↔ x").line == (A, X)
    assert Held(Rule.CONFLICT, "", "").line is None
