"""Expressions of a configuration: their faults as problems, what goes over by them, and the filters of a side."""

from __future__ import annotations

from syncline.core.convert import Untranslatable
from syncline.core.expressions import Condition
from syncline.core.formulas import filter_of, problems, transform_faults, translated_by
from syncline.core.records import FieldId, Option
from syncline.core.translation import Way
from syncline.core.values import BLANK, FieldType, ManyOf, OneOf, Text
from syncline.errors import Problem, ProblemKind
from tests.core.test_mapping_laws import field, schema

T = FieldType
COLOURS = (Option("1", "Red"), Option("2", "Blue"))
SWAPPED = (Option("1", "Blue"), Option("2", "Red"))


def test_every_fault_is_a_problem_of_its_setting_with_its_column() -> None:
    found = transform_faults("vlaue + 1 + odd", field("a"), field("b"), "fields[0].to_right")

    assert found == [
        Problem(
            "fields[0].to_right",
            "column 1: there is no 'vlaue' here.",
            "Did you mean 'value'?",
            ProblemKind.EXPRESSION,
        ),
        Problem(
            "fields[0].to_right", "column 13: there is no 'odd' here.", "There are: value.", ProblemKind.EXPRESSION
        ),
    ]  # fmt: skip
    assert transform_faults("value", field("a"), field("b"), "fields[0].to_right") == []
    assert problems([], "x") == []


def test_an_expression_with_a_fault_translates_nothing_and_says_why() -> None:
    made = translated_by("value +\n vlaue", Way(field("a"), field("b")))

    assert made(Text("x")) == Untranslatable(
        "the expression has a fault at line 2, column 2: there is no 'vlaue' here."
    )
    assert isinstance(made(BLANK), Untranslatable)


def test_an_option_that_comes_out_is_the_targets_own() -> None:
    one = Way(field("a", T.ONE_OF, COLOURS), field("b", T.ONE_OF, SWAPPED))
    many = Way(field("a", T.MANY_OF, COLOURS), field("b", T.MANY_OF, SWAPPED))

    assert translated_by("value.label", one)(OneOf("1")) == OneOf("2")
    assert translated_by("value.map(v, v.label)", many)(ManyOf(("1",))) == ManyOf(("2",))


def test_what_comes_out_is_fitted_and_blank_stays_blank() -> None:
    made = translated_by('value + "!"', Way(field("a"), field("b", max_length=3)))

    assert made(Text("ab")) == Text("ab!")
    assert made(Text("abc")) == Untranslatable("4 characters are too long for 'b' (3)")
    assert made(Text(" ")) == BLANK
    assert translated_by("value.substring(9)", Way(field("a"), field("b")))(Text("a")) == Untranslatable(
        "a text of 1 characters has no part from 9 to 1"
    )


def test_a_filter_knows_the_fields_and_no_time() -> None:
    made = filter_of('record.name == "a"', schema("task", field("name")))
    assert isinstance(made, Condition)
    assert made.reads == {FieldId("name")}
    assert made.holds({FieldId("name"): Text("a")}) is True
    assert made.holds({FieldId("name"): Text("b")}) is False

    told = filter_of("now == now", schema("task", field("name")))
    assert isinstance(told, tuple)
    assert {fault.message for fault in told} == {"there is no 'now' here."}
