"""Expressions while they run: fields, equality, lists, the table of functions, patterns; and what it all costs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest

from syncline.core.expression_cost import MAX_ITEMS, MAX_STEPS, StopError, TooCostlyError
from syncline.core.expression_nodes import Literal, Spot
from syncline.core.expression_overloads import OVERLOADS, Overload, by_name, free
from syncline.core.expression_patterns import MAX_PATTERN, pattern
from syncline.core.expression_run import (
    Frame,
    Typed,
    any_of,
    applied,
    equal,
    given,
    items,
    literal,
    looped,
    member,
)
from syncline.core.expression_types import (
    BOOL,
    DAY,
    NULL,
    NUMBER,
    STRING,
    Choice,
    Kind,
    Plain,
    Type,
    reading,
)
from syncline.core.records import FieldId
from syncline.core.values import (
    FieldType,
    File,
    Money,
    Person,
    Reference,
    RichText,
    Text,
    Value,
)
from tests.core.test_mapping_laws import field

T = FieldType
D = Decimal
PLAN = File("plan.pdf", 12)
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


def frame(fields: dict[str, Value] | None = None, **kinds: FieldType) -> Frame:
    named = {FieldId(name): value for name, value in (fields or {}).items()}
    return Frame(named, {FieldId(name): reading(field(name, kind)) for name, kind in kinds.items()}, {})


def spent(at: Frame) -> int:
    return MAX_STEPS - at.budget.left


def always(plain: Plain) -> Callable[[Frame], Plain]:
    return lambda _: plain


def counting(plain: Plain) -> Callable[[Frame], Plain]:
    """Gives a value, and takes a step for it."""

    def run(at: Frame) -> Plain:
        at.budget.spend()
        return plain

    return run


# --- running --------------------------------------------------------------------------------------------------------


def test_a_field_is_read_once_and_must_have_been_seen() -> None:
    at = frame({"a": Text("x"), "b": Text("y")}, a=T.TEXT, b=T.NUMBER, c=T.TEXT)

    assert at.field(FieldId("a")) is at.field(FieldId("a"))
    assert spent(at) == 2
    with pytest.raises(StopError, match=r"^'b' holds text instead of number$"):
        at.field(FieldId("b"))
    with pytest.raises(StopError, match=r"^'c' was not seen$"):
        at.field(FieldId("c"))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (None, None, True),
        (None, "", False),
        ("a", "a", True),
        ("a", "b", False),
        (D("1.0"), D(1), True),
        (D(1), True, False),
        (NOON, NOON.date(), False),
        (Choice("o", "Open"), Choice("o", "open"), True),
        (Choice("o", "Open"), Choice("d", "Open"), False),
        ((D(1), "a"), (D(1), "a"), True),
        ((D(1), "a"), (D(1), "b"), False),
        ((D(1),), (D(1), D(1)), False),
        (("a",), "a", False),
        (PLAN, File("PLAN.pdf", 13), False),
        (File(sha256="AB"), File("x", sha256="ab"), True),
        (RichText("<b>a</b>"), RichText("<strong>a</strong>"), True),
        (RichText("a"), RichText("b"), False),
        (RichText("a"), "a", False),
        (Money(D("1.001"), "eur"), Money(D(1), "EUR"), True),
        (Money(D(1)), Money(D(2)), False),
        (Person("A@example.test"), Person("a@example.test", "7"), True),
        (Reference("a", "1"), Reference("b", "1"), False),
        (Person("a@example.test"), Money(D(1)), False),
    ],
)
def test_what_is_equal(a: Plain, b: Plain, expected: bool) -> None:
    assert equal(frame(), a, b) is expected
    assert equal(frame(), b, a) is expected


@pytest.mark.parametrize(
    ("a", "b", "steps"),
    [
        (D(1), D(1), 1),
        ("x" * 128, "y", 3),
        ((D(1), D(1)), (D(1), D(1)), 3),
        (RichText("x" * 64), RichText("y" * 32), 4),
    ],
)
def test_comparing_is_paid_for(a: Plain, b: Plain, steps: int) -> None:
    at = frame()
    equal(at, a, b)
    assert spent(at) == steps


def _stops(reason: str) -> Callable[[], Plain]:
    def run() -> Plain:
        raise StopError(reason)

    return run


def test_one_that_decides_is_enough_and_else_the_first_reason_counts() -> None:
    def yes() -> Plain:
        return True

    def no() -> Plain:
        return False

    assert any_of([no, yes], decides=True) is True
    assert any_of([_stops("a"), yes], decides=True) is True
    assert any_of([no, no], decides=True) is False
    assert any_of([yes, no], decides=False) is False
    assert any_of([yes, yes], decides=False) is True
    assert any_of([], decides=True) is False
    with pytest.raises(StopError, match=r"^a$"):
        any_of([no, _stops("a"), _stops("b"), no], decides=True)


def test_a_blank_where_a_value_is_needed_is_named() -> None:
    assert given(always("a"), "'x'")(frame()) == "a"
    assert given(always(False), "'x'")(frame()) is False
    with pytest.raises(StopError, match=r"^'x' is blank$"):
        given(always(None), "'x'")(frame())


def test_the_items_of_a_list_are_paid_for() -> None:
    at = frame()
    assert items(at, always(("a", "b"))) == ("a", "b")
    assert spent(at) == 2
    with pytest.raises(TooCostlyError):
        items(frame(), always(("a",) * (MAX_ITEMS + 1)))


@pytest.mark.parametrize(
    ("value", "kind", "label"),
    [
        (True, BOOL, "a value"),
        (False, BOOL, "a value"),
        ("", STRING, "a value"),
        (D(0), NUMBER, "a value"),
        (None, NULL, "null"),
    ],
)
def test_what_is_written_out_has_its_type(value: Decimal | str | bool | None, kind: Type, label: str) -> None:
    made = literal(Literal(Spot(1, 1), value))
    assert (made.type, made.label, made.run(frame())) == (kind, label, value)


def test_what_is_behind_a_dot_is_a_text_or_a_number() -> None:
    at = frame()
    assert member(always(PLAN), "name")(at) == "plan.pdf"
    assert spent(at) == 1
    size = member(always(PLAN), "size")(at)
    assert (size, type(size)) == (D(12), Decimal)
    assert member(always(File()), "size")(at) is None
    assert member(always(Money(D("1.5"))), "amount")(at) == D("1.5")


def test_a_function_gets_the_values_in_its_places() -> None:
    at = frame()
    (minus,) = (each for each in OVERLOADS["_-_"] if each.gives == NUMBER)
    made = applied(minus, [Typed(NUMBER, counting(D(7)), "'a'"), Typed(NUMBER, counting(D(2)), "'b'")])

    assert made.type == NUMBER
    assert made.label == "the result of -"
    assert made.run(at) == D(5)
    assert spent(at) == 3
    with pytest.raises(StopError, match=r"^'b' is blank$"):
        applied(minus, [Typed(NUMBER, always(D(7)), "'a'"), Typed(NUMBER, always(None), "'b'")]).run(at)


def _item(at: Frame) -> Plain:
    return at.local["x"]


LISTED = (D(1), D(0), D(2))


def _over(name: str, body: Typed, listed: tuple[Plain, ...] = LISTED) -> Plain:
    return looped(name, "x", always(listed), body)(frame())


POSITIVE = Typed(BOOL, lambda at: at.local["x"] != D(0))


def test_a_list_is_gone_through_item_by_item() -> None:
    assert _over("all", POSITIVE) is False
    assert _over("all", POSITIVE, (D(1), D(2))) is True
    assert _over("exists", POSITIVE) is True
    assert _over("exists", POSITIVE, (D(0),)) is False
    assert _over("exists_one", POSITIVE) is False
    assert _over("exists_one", POSITIVE, (D(0), D(1))) is True
    assert _over("exists_one", POSITIVE, ()) is False
    assert _over("filter", POSITIVE) == (D(1), D(2))
    assert _over("map", Typed(NUMBER, _item)) == LISTED
    assert _over("map", Typed(NUMBER, always(None))) == (None,) * 3


@pytest.mark.parametrize("name", ["all", "exists", "exists_one", "filter", "map"])
def test_every_item_is_paid_for(name: str) -> None:
    at = frame()
    looped(name, "x", always((D(1),)), Typed(BOOL, counting(plain=True)))(at)
    assert spent(at) == 3


@pytest.mark.parametrize("name", ["all", "exists", "exists_one", "filter"])
def test_an_item_without_an_answer_is_named_as_what_it_is(name: str) -> None:
    with pytest.raises(StopError, match=r"^'l' is blank$"):
        _over(name, Typed(BOOL, always(None), "'l'"))


# --- the table of functions -----------------------------------------------------------------------------------------


def _called(name: str, *plain: Plain) -> Plain:
    takes = [type_name(each) for each in plain]
    (found,) = (
        each for each in OVERLOADS[name] if [one.kind for one in each.takes] == takes and not each.is_method
    )
    return found.apply(frame().budget, *plain)


def type_name(plain: Plain) -> Kind:
    named = {str: Kind.STRING, Decimal: Kind.NUMBER, bool: Kind.BOOL, tuple: Kind.LIST}
    return named[type(plain)]


def test_the_functions_without_a_price() -> None:
    assert _called("size", "abc") == D(3)
    assert _called("size", ("a", "b")) == D(2)
    assert _called("string", True) == "true"
    assert _called("string", False) == "false"
    assert _called("string", "a") == "a"
    assert _called("double", D("1.5")) == D("1.5")
    assert _called("-_", D(1)) == D(-1)
    assert _called("!_", True) is False
    assert _called("person", " a@example.test ") == Person(email="a@example.test")
    assert _called("money", D(1), "EUR") == Money(D(1), "EUR")


def test_a_function_without_a_price_takes_no_steps() -> None:
    at = frame()
    assert free(max)(at.budget, 1, 3, 2) == 3
    assert spent(at) == 0


def test_the_place_of_a_part_is_its_first_or_last() -> None:
    for name, expected in (("indexOf", 1), ("lastIndexOf", 3)):
        (found,) = OVERLOADS[name]
        assert found.is_method
        assert found.apply(frame().budget, "abab", "b") == D(expected)
        assert found.apply(frame().budget, "abab", "c") == D(-1)


def test_functions_of_one_name_stand_together_in_their_order() -> None:
    one, other, alone = (
        Overload(name, (each,), each, max) for name, each in (("a", NUMBER), ("a", DAY), ("b", DAY))
    )

    assert by_name([one, alone, other]) == {"a": (one, other), "b": (alone,)}


def test_a_result_is_called_by_its_function() -> None:
    assert applied(Overload("X", (), NUMBER, max), []).label == "the result of X"


def test_every_function_is_written_as_it_is_called() -> None:
    written = {each.shown for found in OVERLOADS.values() for each in found}

    assert {
        "number + number",
        "-number",
        "!bool",
        "string.size()",
        "size(list(any))",
        "string.replace(string, string, number)",
        "money(number, string)",
        "duration.getHours()",
    } <= written
    assert all(
        isinstance(each, Overload) and name == each.name
        for name, found in OVERLOADS.items()
        for each in found
    )


# --- patterns -------------------------------------------------------------------------------------------------------


def _finds(written: str, text: str) -> bool:
    found = pattern(written)
    assert not isinstance(found, str), found
    return found(text)


def test_a_pattern_is_found_anywhere_in_a_text() -> None:
    assert _finds("b+$", "abb") is True
    assert _finds("^b", "abb") is False
    assert _finds("a" * MAX_PATTERN, "a" * MAX_PATTERN) is True


def test_what_is_no_pattern_says_why_and_nothing_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    assert pattern("(") == "missing ): ("
    assert pattern("a" * (MAX_PATTERN + 1)) == "it has 501 characters; 500 are allowed"
    assert pattern("\ud800") == "it holds half a character"
    assert capfd.readouterr() == ("", "")


def test_a_pattern_that_takes_too_much_memory_is_refused() -> None:
    assert isinstance(pattern(r"\pL{250}"), str)


def test_a_text_with_half_a_character_cannot_be_searched() -> None:
    found = pattern("a")
    assert not isinstance(found, str)
    with pytest.raises(StopError, match=r"^the text holds half a character$"):
        found("\ud800a")
