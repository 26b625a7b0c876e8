"""Expressions: what they say of a record, what is wrong with them and where, and how hostile ones are stopped."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from decimal import Decimal

import pytest

from syncline.core.convert import Untranslatable
from syncline.core.expression_parse import MAX_BRACKETS, MAX_LENGTH
from syncline.core.expressions import (
    Condition,
    Environment,
    Expression,
    Fault,
    Formula,
    compile_condition,
    compile_expression,
    compile_transform,
)
from syncline.core.records import FieldId, FieldSchema, ObjectSchema, ObjectTypeId, Option
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

T = FieldType
STAGES = (Option("o1", "Open"), Option("d1", "Done"))
SCHEMA = ObjectSchema(
    ObjectTypeId("task"),
    "Task",
    tuple(
        FieldSchema(FieldId(name), name.title(), kind, options=options, is_open=is_open)
        for name, kind, options, is_open in (
            ("name", T.TEXT, None, False),
            ("body", T.RICH_TEXT, None, False),
            ("hours", T.NUMBER, None, False),
            ("price", T.MONEY, None, False),
            ("urgent", T.YES_NO, None, False),
            ("due", T.DAY, None, False),
            ("made", T.MOMENT, None, False),
            ("phone", T.PHONE, None, False),
            ("stage", T.ONE_OF, STAGES, False),
            ("labels", T.MANY_OF, (Option("a", "a"), Option("b", "b")), True),
            ("owner", T.PERSON, None, False),
            ("parent", T.REFERENCE, None, False),
            ("files", T.FILES, None, False),
            ("odd.name", T.TEXT, None, False),
            ("note", T.TEXT, None, False),
        )
    ),
)
FIELDS: dict[FieldId, Value] = {
    FieldId("name"): Text(" Paint the wall "),
    FieldId("body"): RichText("<p>two <b>coats</b></p>"),
    FieldId("hours"): Number(Decimal("2.5")),
    FieldId("price"): Money(Decimal("19.90"), "EUR"),
    FieldId("urgent"): YesNo(yes=True),
    FieldId("due"): Day(dt.date(2026, 3, 1)),
    FieldId("made"): Moment(dt.datetime(2026, 2, 1, 23, 30, tzinfo=dt.UTC)),
    FieldId("phone"): Phone("+14155550100"),
    FieldId("stage"): OneOf("o1"),
    FieldId("labels"): ManyOf(("b", "a")),
    FieldId("owner"): Person("owner@example.test", "7", "Owner"),
    FieldId("parent"): Reference("project", "3"),
    FieldId("files"): Files((File("plan.pdf", 12, "", ""),)),
    FieldId("odd.name"): Text("x"),
    FieldId("note"): BLANK,
}
NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)


def holds(text: str, fields: dict[FieldId, Value] | None = None) -> bool | Untranslatable:
    found = compile_condition(text, SCHEMA, with_now=True)
    assert isinstance(found, Condition), found
    return found.holds(FIELDS if fields is None else fields, now=NOW)


def faults(text: str) -> list[tuple[int, str, str]]:
    found = compile_condition(text, SCHEMA)
    assert not isinstance(found, Condition), text
    return [(fault.column, fault.message, fault.remedy) for fault in found]


def field(kind: FieldType, *, name: str = "target", options: tuple[Option, ...] | None = None) -> FieldSchema:
    return FieldSchema(FieldId(name), name, kind, options=options)


def made(text: str, source: FieldType, target: FieldSchema, value: Value) -> Value | Untranslatable:
    found = compile_transform(text, field(source, name="source"), target)
    assert isinstance(found, Formula), found
    return found.apply(value)


@pytest.mark.parametrize(
    "text",
    [
        'name == "Paint the wall"',
        'record.name.startsWith("Paint") && record["odd.name"] == "x"',
        'name.contains("the") && name.endsWith("wall") && !name.matches("^the")',
        'name.matches("^P.*ll$") && matches(name, "wall")',
        'plain(body) == "two coats" && body == body',
        "hours > 2 && hours < 2.6 && hours + 0.5 == 3 && -hours < 0",
        "7 / 2 == 3.5 && 7 % -3 == 1 && -7 % 3 == -1 && int(-3.7) == -3 && 0x1F == 31 && 1e2 == 100",
        "math.round(2.5) == 3 && math.floor(-1.5) == -2 && math.ceil(1.2) == 2 && math.abs(-1) == 1",
        'price.amount > 19 && price.currency == "EUR" && price == money(19.9, "EUR")',
        "urgent && !(urgent == false)",
        'due == day("2026-03-01") && due < day(now) && due.getMonth() == 2 && due.getDayOfWeek() == 0',
        'made + duration("30m") == timestamp("2026-02-02T00:00:00Z") && made.getHours() == 23',
        'now - made > duration("24h") && (now - made).getHours() == 672 && day(made) < due',
        'phone == "+14155550100"',
        'stage == "Open" && stage == "o1" && stage.label == "Open" && stage != "done"',
        'stage in ["Done", "open"] && !(stage in ["Done"])',
        '"a" in labels && labels.exists(l, l.label == "b") && size(labels) == 2 && labels[0].key == "a"',
        'labels.all(l, l.label.size() == 1) && labels.exists_one(l, l.key == "a")',
        'labels.map(l, l.label).join("+") == "a+b" && labels.filter(l, l.key == "b").size() == 1',
        'owner.email.endsWith("@example.test") && owner == person("OWNER@example.test")',
        'parent.key == "3" && files.exists(f, f.name.endsWith(".pdf") && f.size > 10)',
        'note == null && !has(record.note) && has(record.name) && has(record["odd.name"])',
        'note != "x" && !(note == "x")',
        "!(has(record.note) && note.size() > 1)",
        "note.size() > 1 || urgent",
        '(urgent ? "yes" : "no") == "yes"',
        'name.substring(6) == "the wall" && name.substring(0, 5) == "Paint" && name.indexOf("wall") == 10',
        'name.split(" ").size() == 3 && name.replace("a", "o") == "Point the woll"',
        'name.upperAscii() == "PAINT THE WALL" && "ÄB".lowerAscii() == "Äb" && " x ".trim() == "x"',
        'string(hours) == "2.5" && string(due) == "2026-03-01" && string(urgent) == "true" && double("2.5") == hours',
        '"\\u00e9\\x41\\101\\n" == "éAA\\n" && r"\\d" == "\\\\d" && """a"b""" == "a\\"b"',
        "[1, 2].map(x, [3].map(y, x * y)) == [[3], [6]] && [] == []",
        "name // the rest is said in passing\n == 'Paint the wall'",
        "[1, 2].exists(x, 1 / (x - 1) == 1)",
    ],
)
def test_it_holds(text: str) -> None:
    assert holds(text) is True


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("note.size() > 1", "'note' is blank"),
        ("hours / 0 > 1", "division by zero"),
        ("hours % 0 > 1", "division by zero"),
        ("labels[7] == labels[0]", "the list of 2 has no item 7"),
        ("int(name) == 1", "'Paint the wall' is not a number"),
        ("day(name) == due", "'Paint the wall' is not a date like 2026-03-31"),
        ('duration(name) > duration("1s")', "'Paint the wall' is not a duration like 1h30m"),
        ("name.substring(99) == name", "a text of 14 characters has no part from 99 to 14"),
        ('made + duration("99999999h") > made', "there is no such time"),
        ("labels.exists(l, 1 / 0 == 1)", "division by zero"),
        ("note == null ? null : true", "it is neither yes nor no, but blank"),
    ],
)
def test_what_has_no_answer_says_why(text: str, reason: str) -> None:
    assert holds(text) == Untranslatable(reason)


def test_a_field_that_was_not_seen_is_not_blank() -> None:
    assert holds("note == null", {}) == Untranslatable("'note' was not seen")


def test_a_value_that_is_not_what_the_schema_says_is_told() -> None:
    told = holds("hours > 1", {FieldId("hours"): Text("x")})
    assert told == Untranslatable("'hours' holds text instead of number")
    told = holds("hours > 1", {FieldId("hours"): Number(Decimal("NaN"))})
    assert told == Untranslatable("'hours' holds no number")


@pytest.mark.parametrize(
    ("text", "column", "message", "remedy"),
    [
        ('naem == "x"', 1, "there is no 'naem' here.", "Did you mean 'name'?"),
        ('urgent && record.naem == "x"', 18, "there is no field 'naem'.", "Did you mean 'name'?"),
        ('stage == "Opne"', 10, "'Opne' is none of the options.", "Did you mean 'Open'?"),
        ('stage in ["Open", "Odd"]', 19, "'Odd' is none of the options.", "There are: Done, Open."),
        ('hours == "3"', 10, "number is never equal to string.", "Write string(…)."),
        ("name", 1, "the result is string; it must be bool.", "Compare it with something."),
        ("hours.foo > 1", 7, "number has no 'foo'.", ""),
        ("price.amuont > 1", 7, "money has no 'amuont'.", "Did you mean 'amount'?"),
        ("name.startsWiht('a')", 6, "there is no function 'startsWiht'.", "Did you mean 'startsWith'?"),
        ("name && urgent", 1, "'&&' joins bool, and this is string.", "Compare it with something."),
        ('name.matches("(")', 14, "the pattern cannot be used: missing ): (.", "RE2 patterns are: no look-around."),
        ("name.matches(name)", 14, "a pattern must be written out.", 'Write text.matches("…").'),
        ('urgent ? "a" : 1 == 1', 16, "one branch is string, the other bool.", "Make both the same type."),
        ("null + 1 == 2", 1, "null is no operand here.", "Compare with == null instead."),
        ("1u == 1", 1, "numbers have no u here.", "Leave the u out."),
        ('{"a": 1} == 1', 1, "maps are not offered.", "Write it another way."),
        ('name == b"a"', 9, "bytes are not offered.", "Leave the b out."),
        ('name == "a', 9, "this text has no closing quote.", 'End it with ".'),
        ("name == 'a\n'", 9, "this text has no closing quote.", "End it with '."),
        ("name ==", 8, "the expression ends too early.", "Complete it."),
        ("name == == 1", 9, "'=' is not expected here.", "Check what stands before it."),
        ("import == 1", 1, "'import' is a word of the language.", 'Write record["…"] for a field of that name.'),
        ("", 1, "there is no expression.", "Write one, or leave the setting out."),
        ("record == 1", 1, "'record' is not a value.", "Write record.field."),
        ("now > made", 1, "there is no 'now' here.", "There is no time: a record that did not change is not judged again."),
        ("name.map(x, x) == name", 1, "'map' goes through a list, and this is string.", "Write list.map(item, any)."),
        ("labels.all(l, l.key)", 17, "'all' asks for bool, and this is string.", "Write list.all(item, bool)."),
        ("labels.all(1, true)", 8, "'all' takes a name and what is done with it.", "Write list.all(item, bool)."),
        ('name == "\\q"', 9, "'\\q' is not a way to write a character.", r"Write \\ for a backslash, or r before the text."),
        ("[1, 'a'] == [1]", 5, "a list of number cannot hold string.", "Keep to one type."),
        ("has(name)", 1, "'has' takes one value with a dot.", "Write has(record.field)."),
        ("hours in hours", 10, "number is never in number.", "Write value in [a, b]."),
        ("hours[0] == 1", 7, "number is not a list to count in.", "Write list[0]."),
    ],
)  # fmt: skip
def test_a_fault_names_its_column_and_what_to_do(text: str, column: int, message: str, remedy: str) -> None:
    assert faults(text) == [(column, message, remedy)]


def test_all_faults_are_told_at_once_in_their_order() -> None:
    assert [column for column, _, _ in faults('hours.startsWith("x") || naem == 1 || stage == "Odd"')] == [
        1,
        26,
        48,
    ]


def test_a_fault_in_a_later_line_names_it() -> None:
    found = compile_condition("urgent &&\n  naem", SCHEMA)
    assert isinstance(found, tuple)
    assert found[0].place == "line 2, column 3"


def test_an_operand_of_the_wrong_type_shows_the_forms_there_are() -> None:
    ((column, message, remedy),) = faults("name.size() + name == 1")
    assert (column, message) == (15, "'+' does not take string here.")
    assert remedy.startswith("Write double(…). It is: number + number; string + string;")


# --- transforms -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "source", "value", "target", "expected"),
    [
        ('"#" + value', T.TEXT, Text("7"), field(T.TEXT), Text("#7")),
        ("value * 60", T.NUMBER, Number(Decimal("0.1")), field(T.NUMBER), Number(Decimal("6.0"))),
        ("value.label", T.ONE_OF, OneOf("a"), field(T.TEXT), Text("a")),
        ("plain(value)", T.RICH_TEXT, RichText("<p>a &amp; b</p>"), field(T.TEXT), Text("a & b")),
        ("html(value)", T.TEXT, Text("a < b"), field(T.RICH_TEXT), RichText("<p>a &lt; b</p>")),
        ('value ? "Done" : "Open"', T.YES_NO, YesNo(yes=True), field(T.ONE_OF, options=STAGES), OneOf("d1")),
        ('value == "x" ? null : value', T.TEXT, Text("x"), field(T.TEXT), BLANK),
        ("value.trim()", T.TEXT, Text("a"), field(T.PHONE), Untranslatable("'a' is not a phone number")),
        ("value", T.TEXT, Text("+1 415 555 0100"), field(T.PHONE), Phone("+1 415 555 0100")),
        ("value", T.TEXT, Text("open"), field(T.ONE_OF, options=STAGES), OneOf("o1")),
        ("value", T.TEXT, Text("?"), field(T.ONE_OF, options=STAGES), Untranslatable("'?' is no option of 'target'")),
        ('value.split(";")', T.TEXT, Text("open;done"), field(T.MANY_OF, options=STAGES), ManyOf(("o1", "d1"))),
        ('value.split(";")', T.TEXT, Text("x;"), field(T.MANY_OF), ManyOf(("x",))),
        ("value.email", T.PERSON, Person("a@b.test"), field(T.TEXT), Text("a@b.test")),
        ("value", T.TEXT, Text("a@b.test "), field(T.PERSON), Person("a@b.test")),
        ("day(value)", T.MOMENT, FIELDS[FieldId("made")], field(T.DAY), Day(dt.date(2026, 2, 1))),
        ("timestamp(value)", T.DAY, FIELDS[FieldId("due")], field(T.MOMENT), Moment(dt.datetime(2026, 3, 1, tzinfo=dt.UTC))),
        ("money(value)", T.NUMBER, Number(Decimal(3)), field(T.MONEY), Money(Decimal(3))),
        ("value > 3", T.NUMBER, Number(Decimal(3)), field(T.YES_NO), YesNo(yes=False)),
    ],
)  # fmt: skip
def test_a_transform_makes_the_value(
    text: str, source: FieldType, value: Value, target: FieldSchema, expected: Value | Untranslatable
) -> None:
    assert made(text, source, target, value) == expected


@pytest.mark.parametrize(
    ("text", "source", "target", "expected"),
    [
        ("value", T.NUMBER, field(T.TEXT), Fault(1, 1, "the result is number; 'target' takes string.", "Write string(…).")),
        ("value", T.TEXT, field(T.RICH_TEXT), Fault(1, 1, "the result is string; 'target' takes html.", "Write html(…) for text as HTML.")),
        ("value", T.REFERENCE, field(T.REFERENCE), Fault(1, 1, "an expression cannot make a value for this field.", "Map it without one.")),
        ('value == "x" ? "Open" : "Shut"', T.TEXT, field(T.ONE_OF, options=STAGES), Fault(25, 1, "'Shut' is no option of 'target'.", "It takes: Open, Done.")),
        ("record.name", T.TEXT, field(T.TEXT), Fault(1, 1, "there is no 'record' here.", "There are: value.")),
    ],
)  # fmt: skip
def test_a_transform_must_make_what_its_target_takes(
    text: str, source: FieldType, target: FieldSchema, expected: Fault
) -> None:
    assert compile_transform(text, field(source, name="source"), target) == (expected,)


# --- hostile expressions --------------------------------------------------------------------------------------------


def _quickly(text: str, value: Value = BLANK, limit: float = 2.0) -> object:
    compile_condition("urgent", SCHEMA)  # the parser is loaded
    began = time.process_time()
    found = compile_expression(text, Environment({"value": field(T.TEXT, name="value")}))
    answer = found.evaluate({FieldId("value"): value}) if isinstance(found, Expression) else found[0].message
    assert time.process_time() - began < limit
    return answer


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('"' + "\\a" * 1000, "this text has no closing quote."),
        ("'" + "\\a" * 1000 + "\n'", "this text has no closing quote."),
        ('b"""' + "\\a" * 1000, "bytes are not offered."),
        ("(" * 1500 + "1" + ")" * 1500, f"more than {MAX_BRACKETS} brackets lie in each other."),
        ("!" * 3000 + "true", "the expression is too large."),
        ("-" * 3000 + "1", "the expression is too large."),
        ("1" + "+1" * 1900, "the expression is too large."),
        ("true ? 1 : " * 300 + "1", "the expression is too large."),
        ("[" + "1," * 1900 + "1]", "the expression is too large."),
        ("value" + ".trim()" * 500, "the expression is too large."),
        ("1" * (MAX_LENGTH + 1), f"the expression has {MAX_LENGTH + 1:,} characters; {MAX_LENGTH:,} are allowed."),
        ("[1].all(a, [1].all(b, [1].all(c, true)))", "lists are gone through more than 2 deep."),
        ('value.matches("((a{900}){900}){900}")', "the pattern cannot be used: invalid repetition size: {900}."),
        ('value.matches("(a+)\\\\1")', "the pattern cannot be used: invalid escape sequence: \\1."),
    ],
)  # fmt: skip
def test_a_hostile_text_is_refused_quickly(text: str, told: str) -> None:
    assert _quickly(text) == told


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('value.replace("", value).replace("", value)', Text("x" * 2000)),
        ('value.split("").map(a, value.split("").map(b, a + b))', Text("x" * 3000)),
        ("value" + ' + value.replace("x", value)' * 20, Text("x" * 900)),
        ('value.split("").map(x, value).join(value)', Text("x" * 5000)),
        ('value.split("").all(a, value.split("").all(b, value.contains(a + b)))', Text("x" * 3000)),
        ("9" * 2000 + " * 9" * 40 + " > 1 ? value : value", Text("x" * 2_000_000)),
    ],
)
def test_a_hostile_evaluation_is_stopped_quickly(text: str, value: Value) -> None:
    told = _quickly(text, value)
    assert isinstance(told, str | Untranslatable)
    if isinstance(told, Untranslatable):
        stopped = (
            "the expression takes too many steps",
            "the expression makes a",
            "the calculation has no result",
        )
        assert told.reason.startswith(stopped)


def test_a_pattern_that_keeps_other_engines_busy_is_quick() -> None:
    assert _quickly('value.matches("^(a+)+$")', Text("a" * 100_000 + "b")) is False


def test_too_much_work_is_not_swallowed_by_or() -> None:
    told = _quickly('value.replace("", value).replace("", value) == "" || true', Text("x" * 2000))
    assert isinstance(told, Untranslatable)


def test_nothing_of_the_machine_can_be_reached() -> None:
    for text in (
        "value.__class__",
        "open('x')",
        "__import__('os')",
        "value.format()",
        "os.environ",
        "getattr(value, 'x')",
    ):
        assert isinstance(_quickly(text), str)


def test_the_parser_is_loaded_with_the_first_expression_only() -> None:
    code = "import sys, syncline.core.expressions; sys.exit('celpy' in sys.modules or 're2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
