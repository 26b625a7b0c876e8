"""Checked expressions: every fault there is (`faults.txt`, accepted by eye), and what runs in place of each operator."""

from __future__ import annotations

import ast
import datetime as dt
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from syncline.core.convert import Untranslatable
from syncline.core.expression_check import Checker, Environment
from syncline.core.expression_cost import MAX_STEPS
from syncline.core.expression_nodes import Fault
from syncline.core.expression_parse import parse
from syncline.core.expression_run import Frame
from syncline.core.expression_types import Choice, Kind, Plain
from syncline.core.expressions import (
    Condition,
    Expression,
    Formula,
    accepted,
    compile_condition,
    compile_expression,
    compile_transform,
    value_of,
)
from syncline.core.records import FieldId, FieldSchema, Option
from syncline.core.values import (
    BLANK,
    Day,
    FieldType,
    File,
    Files,
    ManyOf,
    Moment,
    Money,
    Number,
    OneOf,
    Person,
    Phone,
    Reference,
    RichText,
    Text,
    Value,
    YesNo,
)
from tests.core.test_expressions import FIELDS, NOW, SCHEMA, STAGES, field, holds

T = FieldType
D = Decimal
BY_NAME = {str(each.id): each for each in SCHEMA.fields}
FAULTS = Path(__file__).with_name("faults.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("line", FAULTS)
def test_every_fault_says_where_what_and_what_to_do(line: str) -> None:
    text, _, expected = line.partition(" ⇒ ")
    found = compile_condition(ast.literal_eval(text), SCHEMA)
    assert isinstance(found, tuple)
    assert " ¶ ".join(f"{each.column} {each.message} | {each.remedy}" for each in found) == expected


def test_faults_are_told_by_their_place_whatever_was_found_first() -> None:
    found = compile_condition('labels.exists(l, "x" == naem)\n|| stage in ["Odd"] ||\nhours', SCHEMA)
    assert isinstance(found, tuple)
    assert [(each.line, each.column) for each in found] == [(1, 25), (2, 14), (3, 1)]


def test_without_a_record_there_is_only_what_is_named() -> None:
    found = compile_expression("record.name == recrod", Environment(BY_NAME))
    assert isinstance(found, tuple)
    assert [each.message for each in found] == ["there is no 'record' here.", "there is no 'recrod' here."]
    assert "record" not in found[1].remedy


# --- what runs ------------------------------------------------------------------------------------------------------


def ran(text: str, fields: dict[FieldId, Value] | None = None) -> tuple[Plain, int]:
    """The value of an expression, and the steps that it took."""
    checker = Checker(Environment(BY_NAME, has_record=True))
    node = parse(text)
    assert not isinstance(node, Fault)
    typed = checker.check(node)
    assert checker.faults == []
    frame = Frame(FIELDS if fields is None else fields, dict(checker.readings), {})
    return typed.run(frame), MAX_STEPS - frame.budget.left


@pytest.mark.parametrize(
    ("text", "expected", "steps"),
    [
        ("[1, 2, 3]", (D(1), D(2), D(3)), 3),
        ("[1, 2][1]", D(2), 3),
        ("labels[1.0].key", "b", 3),
        ("record['name']", "Paint the wall", 1),
        ("true || false", True, 1),
        ("false || false", False, 1),
        ("true && false", False, 1),
        ("true && true", True, 1),
        ("true ? 1 : 2", D(1), 1),
        ("false ? 1 : 2", D(2), 1),
        ("1 == 1", True, 1),
        ("1 != 1", False, 1),
        ("1 != 2", True, 1),
        ("2 in [1, 2, 3]", True, 8),
        ("5 in [1, 2, 3]", False, 9),
        ("'a'.matches('b|a')", True, 0),
        (f"'{'x' * 128}'.matches('a')", False, 2),
        ("has(record.name)", True, 2),
        ("has(record.note)", False, 2),
        ("has(owner.name)", True, 3),
        ("has(price.amount)", True, 3),
        ("math.round(2.5)", D(3), 1),
        ("[1].map(x, x + 1)", (D(2),), 4),
        ("[1, 2].map(x, [x].map(x, x * 10).size() + x)", (D(2), D(3)), 18),
        ("[[1], []].map(x, x.size())", (D(1), D(0)), 9),
    ],
)
def test_an_operator_gives_its_value_for_these_steps(text: str, expected: Plain, steps: int) -> None:
    assert ran(text) == (expected, steps)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("labels[2] == labels[0]", "the list of 2 has no item 2"),
        ("labels[-1] == labels[0]", "the list of 2 has no item -1"),
        ("labels[0.50] == labels[0]", "the list of 2 has no item 0.5"),
        ("[][0].foo == 1", "the expression has faults"),
        ("[note].exists(n, n.size() > 1)", "'n' is blank"),
        ("files.all(f, f.size > 1)", "'f.size' is blank"),
        ("files[0].size > 1", "'size' is blank"),
        ("record.note + 'a' == 'a'", "'note' is blank"),
        ("note.matches('a')", "'note' is blank"),
        ("'a' in (note == null ? null : ['a'])", "a value is blank"),
        ("[1][note == null ? null : 1] == 1", "a value is blank"),
        ("(note == null ? null : [1])[0] == 1", "a value is blank"),
        ("(note == null ? null : [1]).all(x, true)", "a value is blank"),
        ("(note == null ? null : true) && true", "a value is blank"),
        ("(note == null ? null : true) ? true : false", "a value is blank"),
        ("[1].map(x, note).join() == ''", "an item of the list is blank"),
        ("note.trim().size() == 1 || false", "'note' is blank"),
    ],
)
def test_what_stops_an_operator_is_named(text: str, reason: str) -> None:
    nameless = Files((File("plan.pdf"),))
    assert holds(text, FIELDS | {FieldId("files"): nameless}) == Untranslatable(reason)


@pytest.mark.parametrize(
    "text",
    [
        "labels.map(record, record.key) == ['a', 'b']",
        "labels.map(name, name.key) == ['a', 'b']",
        "labels.all(name, true) && name.size() > 2",
        "[1].all(a, [1].all(b, true)) && [1].all(c, [1].all(d, true))",
        "(urgent ? stage : 'done') == 'open' && ('Open' == stage)",
        "(urgent ? 'Done' : stage).key == 'd1'",
        "'open' in [stage] && stage in ['d1', 'o1'] && !('Done' in [stage])",
        "'fresh' in labels || 'b' in labels",
        "labels.filter(l, l.key == 'b')[0].label == 'b'",
        "labels.exists_one(l, l == 'a') && labels.exists(l, l == 'b')",
        "(note == null ? [] : [1]) == []",
        "note == null ? true : note.size() > 1",
        "false && note.size() > 1 ? false : true",
        "!(note.size() > 1 && false)",
        "!has(record.note) && has(record['name'])",
        "now == now && day(now) == day('2026-03-02')",
        "matches(name, 'wall') && !name.matches('Wall')",
        "[labels, []].size() == 2 && [null, 1].size() == 2",
    ],
)
def test_names_options_and_blanks_are_what_they_seem(text: str) -> None:
    assert holds(text) is True


def test_a_blank_text_behind_a_dot_is_not_there() -> None:
    assert holds("has(owner.name)", FIELDS | {FieldId("owner"): Person("a@example.test")}) is False


def test_an_expression_knows_what_it_reads_and_gives() -> None:
    made = compile_expression('record.name + record["odd.name"]', Environment(BY_NAME, has_record=True))
    assert isinstance(made, Expression)
    assert made.reads == {FieldId("name"), FieldId("odd.name")}
    assert (made.gives.kind, made.text) == (Kind.STRING, 'record.name + record["odd.name"]')
    condition = compile_condition("labels.all(name, name.key != '') && urgent", SCHEMA)
    assert isinstance(condition, Condition)
    assert condition.reads == {FieldId("labels"), FieldId("urgent")}


@pytest.mark.usefixtures("far_west")
def test_now_is_given_in_any_zone_and_read_as_utc() -> None:
    made = compile_condition("now.getHours() == 0", SCHEMA, with_now=True)
    assert isinstance(made, Condition)
    assert made.holds({}, now=NOW.astimezone(dt.timezone(dt.timedelta(hours=5)))) is True


# --- what comes out -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "source", "target", "expected"),
    [
        ("value", T.NUMBER, field(T.PERSON), (1, "the result is number; 'target' takes person or string.", "Write string(…).")),
        ("value", T.TEXT, field(T.NUMBER), (1, "the result is string; 'target' takes number.", "Write double(…).")),
        ("value", T.YES_NO, field(T.DAY), (1, "the result is bool; 'target' takes day.", "")),
        ("[1]", T.TEXT, field(T.MANY_OF), (1, "the result is list(number); 'target' takes list(string) or list(option).", "")),
        ("value", T.FILES, field(T.FILES), (1, "an expression cannot make a value for this field.", "Map it without one.")),
        ("naem", T.TEXT, field(T.FILES), (1, "there is no 'naem' here.", "There are: value.")),
        ("'Shut'", T.TEXT, field(T.ONE_OF, options=(Option("o", "Open"), Option("k", ""))), (1, "'Shut' is no option of 'target'.", "It takes: Open, k.")),
        ("value == '' ? 'Open' : value == 'a' ? 'x' : 'Done'", T.TEXT, field(T.ONE_OF, options=STAGES), (39, "'x' is no option of 'target'.", "It takes: Open, Done.")),
        ("value == '' ? 'x' : 'Done'", T.TEXT, field(T.ONE_OF, options=STAGES), (15, "'x' is no option of 'target'.", "It takes: Open, Done.")),
    ],
)  # fmt: skip
def test_a_result_that_its_field_does_not_take_is_told(
    text: str, source: FieldType, target: FieldSchema, expected: tuple[int, str, str]
) -> None:
    found = compile_transform(text, field(source, name="source"), target)
    assert isinstance(found, tuple)
    assert [(each.column, each.message, each.remedy) for each in found] == [expected]


@pytest.mark.parametrize(
    "text", ["''", "' open '", "'o1'", "value", "value.trim()", "value == 'a' ? '' : null"]
)
def test_a_result_that_may_be_an_option_is_let_through(text: str) -> None:
    assert isinstance(compile_transform(text, field(T.TEXT), field(T.ONE_OF, options=STAGES)), Formula)


def test_where_options_are_free_any_text_is_let_through() -> None:
    open_one = msgspec.structs.replace(field(T.ONE_OF, options=STAGES), is_open=True)

    assert isinstance(compile_transform("'Shut'", field(T.TEXT), open_one), Formula)
    assert isinstance(compile_transform("'Shut'", field(T.TEXT), field(T.ONE_OF)), Formula)
    assert isinstance(compile_transform("'Shut'", field(T.TEXT), field(T.TEXT, options=STAGES)), Formula)


KEYS = (Option("1", " Open"), Option("2", "DONE"), Option("done", "Other"), Option("k", ""))
NO = Untranslatable


@pytest.mark.parametrize(
    ("plain", "kind", "expected"),
    [
        (None, T.TEXT, BLANK),
        ("", T.TEXT, BLANK),
        ((), T.MANY_OF, BLANK),
        (False, T.YES_NO, YesNo(yes=False)),
        (D(0), T.NUMBER, Number(D(0))),
        (NOW, T.MOMENT, Moment(NOW)),
        (NOW.date(), T.DAY, Day(NOW.date())),
        (RichText("a"), T.RICH_TEXT, RichText("a")),
        (Money(D(1)), T.MONEY, Money(D(1))),
        (Person("a@example.test"), T.PERSON, Person("a@example.test")),
        ("a", T.TEXT, Text("a")),
        ("+1", T.PHONE, Phone("+1")),
        ("x" * 50, T.PHONE, NO(f"'{'x' * 40}' is not a phone number")),
        (" a@example.test ", T.PERSON, Person("a@example.test")),
        ("OPEN ", T.ONE_OF, OneOf("1")),
        ("done", T.ONE_OF, OneOf("2")),
        ("K", T.ONE_OF, OneOf("k")),
        (Choice("done", "x"), T.ONE_OF, OneOf("done")),
        (Choice("x", "open"), T.ONE_OF, OneOf("1")),
        (Choice("x", "y"), T.ONE_OF, NO("'y' is no option of 'target'")),
        (("open", None, "", Choice("2", "x"), "Open"), T.MANY_OF, ManyOf(("1", "2"))),
        (("open", "y", "done"), T.MANY_OF, NO("'y' is no option of 'target'")),
        ((None, ""), T.MANY_OF, BLANK),
        (dt.timedelta(1), T.TEXT, NO("this is no value of a field")),
        (Reference("a", "1"), T.TEXT, NO("this is no value of a field")),
    ],
)
def test_a_plain_value_becomes_one_of_the_field(
    plain: Plain, kind: FieldType, expected: Value | Untranslatable
) -> None:
    assert value_of(plain, field(kind, options=KEYS)) == expected


def test_an_open_field_takes_the_label_and_one_without_options_the_key() -> None:
    open_one = msgspec.structs.replace(field(T.ONE_OF, options=KEYS), is_open=True)

    assert value_of(Choice("x", "y"), open_one) == OneOf("y")
    assert value_of(Choice("k", "y"), open_one) == OneOf("k")
    assert value_of(Choice("x", "y"), field(T.ONE_OF)) == OneOf("x")


def test_a_field_tells_what_makes_a_value_for_it() -> None:
    assert [str(each) for each in accepted(T.PERSON)] == ["person", "string"]
    assert accepted(T.FILES) == ()


def test_a_condition_is_yes_no_or_unknown() -> None:
    assert holds("urgent") is True
    assert holds("urgent", FIELDS | {FieldId("urgent"): YesNo(yes=False)}) is False
    assert holds("urgent", FIELDS | {FieldId("urgent"): BLANK}) == NO("it is neither yes nor no, but blank")
    assert holds("urgent", {FieldId("urgent"): Text("x")}) == NO("'urgent' holds text instead of yes_no")


def test_a_value_without_an_answer_keeps_its_reason_in_a_transform() -> None:
    made = compile_transform("value.substring(5)", field(T.TEXT, name="a"), field(T.TEXT))
    assert isinstance(made, Formula)
    assert made.apply(Text("abc")) == NO("a text of 3 characters has no part from 5 to 3")
    assert made.apply(Text("abcdef")) == Text("f")
    assert made.expression.reads == {FieldId("a")}
