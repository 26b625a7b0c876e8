"""Texts of expressions into nodes with their places (`parsed.txt`, accepted by eye), and how large a text may be."""

from __future__ import annotations

import ast
from decimal import Decimal
from pathlib import Path

import pytest

from syncline.core.expression_nodes import Call, Fault, ListOf, Literal, Name, Node, Select, Spot
from syncline.core.expression_parse import MAX_BRACKETS, MAX_DEPTH, MAX_LENGTH, MAX_NODES, MAX_WORDS, parse

PARSED = Path(__file__).with_name("parsed.txt").read_text(encoding="utf-8").splitlines()
LARGE = "the expression is too large."


def told(found: Node | Fault) -> str:
    """A node and all below it on one line, each with its line and column behind it; or the fault."""
    if isinstance(found, Fault):
        return f"{found.line}:{found.column} {found.message} | {found.remedy}"
    return f"{_node(found)}@{found.at.line}:{found.at.column}"


def _node(node: Node) -> str:
    match node:
        case Literal(_, value):
            return str(value) if isinstance(value, Decimal) else ascii(value)
        case Name(_, name):
            return name
        case Select(_, of, name):
            return f"({told(of)}).{name}"
        case ListOf(_, items):
            return f"[{', '.join(map(told, items))}]"
        case Call(_, name, arguments, of):
            return f"{f'({told(of)}).' if of else ''}{name}({', '.join(map(told, arguments))})"


@pytest.mark.parametrize("line", PARSED)
def test_a_text_is_read_as_it_is_meant(line: str) -> None:
    text, _, expected = line.partition(" ⇒ ")
    assert told(parse(ast.literal_eval(text))).replace("\n", "⏎") == expected


# --- how large ------------------------------------------------------------------------------------------------------


def place(text: str, message: str = LARGE) -> int:
    found = parse(text)
    assert isinstance(found, Fault)
    assert found.message == message
    assert message != LARGE or found.remedy == "Split it up, or write less."
    return found.column


def test_a_text_has_a_longest() -> None:
    assert isinstance(parse("a".ljust(MAX_LENGTH)), Name)
    assert place("a".ljust(MAX_LENGTH + 1), "the expression has 4,001 characters; 4,000 are allowed.") == 1


def test_brackets_lie_only_so_deep_in_each_other() -> None:
    told = f"more than {MAX_BRACKETS} brackets lie in each other."

    assert isinstance(parse("(" * MAX_BRACKETS + "a" + ")" * MAX_BRACKETS), Name)
    for opening in "([{":
        assert place("f" + opening * (MAX_BRACKETS + 1), told) == MAX_BRACKETS + 2
    assert place("X(" * (MAX_BRACKETS + 1), told) == 2 * (MAX_BRACKETS + 1)
    assert isinstance(parse("X" * (MAX_BRACKETS + 1)), Name)
    flat = parse("[" + ", ".join(["(a)", "[b]"] * MAX_BRACKETS) + "]")
    assert isinstance(flat, ListOf)


def test_words_signs_and_texts_are_counted_before_anything_is_parsed() -> None:
    assert place("!" * (MAX_WORDS - 1) + "a") == MAX_DEPTH + 2
    assert place("!" * MAX_WORDS + "a") == MAX_WORDS + 1
    assert place('"",' * (MAX_WORDS * 3 // 4)) == MAX_WORDS // 2 * 3 + 2
    assert place("a " * (MAX_WORDS + 1)) == 2 * MAX_WORDS + 1
    assert isinstance(parse("a" * (MAX_WORDS + 1)), Name)
    assert isinstance(parse("_1" * MAX_WORDS), Name)
    assert isinstance(parse("a" + " " * MAX_WORDS), Name)
    assert isinstance(parse("a // " + "'(" * MAX_WORDS), Name)


def test_nodes_are_counted() -> None:
    assert isinstance(parse("[" + "1," * (MAX_NODES - 2) + "1]"), ListOf)
    assert place("[" + "1," * (MAX_NODES - 1) + "1]") == 2 * MAX_NODES


def test_operators_lie_only_so_deep_in_each_other() -> None:
    assert isinstance(parse("!" * MAX_DEPTH + "a"), Call)
    assert place("!" * (MAX_DEPTH + 1) + "a") == MAX_DEPTH + 2


# --- faults ---------------------------------------------------------------------------------------------------------


def test_a_fault_is_cut_where_it_gets_too_long_to_read() -> None:
    assert Spot(2, 3).fault("x" * 300, "y") == Fault(3, 2, "x" * 300, "y")
    assert Spot(2, 3).fault("x" * 301) == Fault(3, 2, "x" * 300 + "…", "")
    assert Spot(1, 3).fault("x").place == "column 3"
    assert Spot(2, 3).fault("x").place == "line 2, column 3"


def test_what_is_not_expected_is_named_by_its_first_characters() -> None:
    assert (
        told(parse(f"1 {'x' * 50}"))
        == f"1:3 '{'x' * 30}' is not expected here. | Check what stands before it."
    )
