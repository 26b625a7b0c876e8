"""A proof as the history keeps it, and what a new record is made of."""

from __future__ import annotations

import datetime as dt

import msgspec

from syncline.core.absence import created_fields, one_gone, proof_text
from syncline.core.convert import Untranslatable
from syncline.core.decisions import Answer, FieldDecision, Remove, Revive, Rule, Rules, View
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, Lens, lenses
from syncline.core.records import (
    Base,
    FieldId,
    FieldSchema,
    Gone,
    ObjectSchema,
    ObjectTypeId,
    Option,
    Present,
    Proof,
    Record,
    RecordKey,
    Side,
)
from syncline.core.values import FieldType, OneOf, Text

READ_AT = dt.datetime(2026, 3, 1, 9, 5, 7, tzinfo=dt.UTC)
GONE_AT = dt.datetime(2026, 2, 27, 18, 0, 1, tzinfo=dt.UTC)
A, B, C = FieldId("a"), FieldId("b"), FieldId("c")
X, Y, Z = FieldId("x"), FieldId("y"), FieldId("z")


def test_a_proof_says_side_kind_and_sentence() -> None:
    text = proof_text(Side.RIGHT, Gone(Proof.TRASHED))

    assert text == "right: trashed, it lies in the trash"


def test_a_proof_says_when_it_was_read_when_it_went_and_by_whom() -> None:
    text = proof_text(Side.LEFT, Gone(Proof.TRASHED, GONE_AT, "owner@example.test"), READ_AT)

    assert text == (
        "left: trashed, it lies in the trash, read 2026-03-01 09:05:07 UTC; "
        "deleted 2026-02-27 18:00:01 UTC by owner@example.test"
    )


def test_a_record_that_only_the_listings_lack_is_missing_not_deleted() -> None:
    gone = Gone(Proof.LISTED_TWICE, GONE_AT)

    assert proof_text(Side.LEFT, gone).endswith("; missing since 2026-02-27 18:00:01 UTC")


def _lenses(last: Direction = Direction.BOTH, *, is_read_only: bool = False) -> tuple[Lens, ...]:
    left = (
        FieldSchema(A, "A", FieldType.TEXT),
        FieldSchema(B, "B", FieldType.ONE_OF, options=(Option("open", "Open"), Option("odd", "Odd"))),
        FieldSchema(C, "C", FieldType.TEXT),
    )
    right = (
        FieldSchema(X, "X", FieldType.TEXT),
        FieldSchema(Y, "Y", FieldType.ONE_OF, options=(Option("open", "Open"),)),
        FieldSchema(Z, "Z", FieldType.TEXT, is_read_only=is_read_only),
    )
    mappings = (
        FieldMapping(A, X),
        FieldMapping(B, Y),
        FieldMapping(C, Z, last),
    )
    schemas = ObjectSchema(ObjectTypeId("l"), "L", left), ObjectSchema(ObjectTypeId("r"), "R", right)
    return lenses(mappings, *schemas, ConflictPolicy.LEFT)


def test_a_field_that_the_source_does_not_show_leaves_the_others_to_be_made() -> None:
    made = created_fields(_lenses(), Record(RecordKey("1"), {C: Text("paint")}), Side.RIGHT)

    assert made == (FieldDecision(C, Z, Rule.CREATED, left=Text("paint"), to_right=Text("paint")),)


def test_a_value_without_counterpart_is_told_with_its_reason_and_the_others_are_made() -> None:
    lens = _lenses()[1]
    record = Record(RecordKey("1"), {B: OneOf("odd"), C: Text("paint")})

    odd, paint = created_fields(_lenses(), record, Side.RIGHT)

    refused = lens.to(Side.RIGHT, OneOf("odd"))
    assert isinstance(refused, Untranslatable)
    assert odd == FieldDecision(B, Y, Rule.NO_COUNTERPART, left=OneOf("odd"), reason=refused.reason)
    assert paint.to_right == Text("paint")


def test_a_line_that_does_not_flow_there_makes_nothing() -> None:
    fields = FieldSchema(A, "A", FieldType.TEXT), FieldSchema(X, "X", FieldType.TEXT)
    left, right = (ObjectSchema(ObjectTypeId(field.title), field.title, (field,)) for field in fields)
    back = FieldMapping(A, X, direction=Direction.TO_LEFT)
    record = Record(RecordKey("1"), {A: Text("paint"), X: Text("paint")})

    made = lenses((back,), left, right, ConflictPolicy.LEFT)

    assert created_fields(made, record, Side.RIGHT) == ()
    assert created_fields(made, record, Side.LEFT) == (
        FieldDecision(A, X, Rule.CREATED, right=Text("paint"), to_left=Text("paint")),
    )


def _revived(view: View, made: tuple[Lens, ...]) -> tuple[FieldDecision, ...]:
    decision = one_gone(view, Rules(made), Side.RIGHT, Gone(Proof.NOT_FOUND))
    assert isinstance(decision, Revive)
    return decision.fields


def test_a_record_comes_back_with_what_flows_to_it_and_with_what_it_had_of_its_own() -> None:
    view = View(
        None,
        Base({A: Text("paint")}, {X: Text("paint"), Y: OneOf("open"), Z: Text("kept")}),
        Present(Record(RecordKey("1"), {A: Text("wall"), B: OneOf("odd"), C: Text("other")})),
        Gone(Proof.NOT_FOUND),
        answer=Answer.RESTORE,
    )
    refused = _lenses()[1].to(Side.RIGHT, OneOf("odd"))
    assert isinstance(refused, Untranslatable)

    assert _revived(view, _lenses(Direction.TO_LEFT)) == (
        FieldDecision(A, X, Rule.RESOLVED, left=Text("wall"), to_right=Text("wall")),
        FieldDecision(
            B, Y, Rule.NO_COUNTERPART, left=OneOf("odd"), to_right=OneOf("open"), reason=refused.reason
        ),
        FieldDecision(C, Z, Rule.IN_STEP, left=Text("other"), to_right=Text("kept")),
    )


def test_what_was_never_known_or_cannot_be_written_does_not_come_back() -> None:
    present = Present(Record(RecordKey("1"), {C: Text("other")}))
    unknown = View(None, Base({}, {}), present, Gone(Proof.NOT_FOUND), answer=Answer.RESTORE)
    read_only = msgspec.structs.replace(unknown, base=Base({}, {Z: Text("theirs")}))

    assert _revived(unknown, _lenses(Direction.TO_LEFT)) == ()
    assert _revived(read_only, _lenses(Direction.TO_LEFT, is_read_only=True)) == ()


def test_what_was_edited_in_a_removed_record_is_named_as_lost_on_its_side() -> None:
    view = View(
        None,
        Base({A: Text("paint"), C: Text("same")}, {X: Text("paint")}),
        Present(Record(RecordKey("1"), {A: Text("wall"), C: Text("same")})),
        Gone(Proof.NOT_FOUND),
        answer=Answer.DELETE,
    )

    assert one_gone(view, Rules(_lenses()), Side.RIGHT, Gone(Proof.NOT_FOUND)) == Remove(
        Side.LEFT,
        False,
        Rule.RESOLVED,
        (FieldDecision(A, X, Rule.RESOLVED, left=Text("wall"), lost=Text("wall"), lost_side=Side.LEFT),),
    )
