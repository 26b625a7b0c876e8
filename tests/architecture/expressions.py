"""The language of expressions into tables for its page: types, functions, limits."""

from __future__ import annotations

from collections.abc import Iterable

from syncline.core import expression_check, expression_cost, expression_parse, expression_patterns
from syncline.core.expression_overloads import MACROS, OVERLOADS, SPECIAL
from syncline.core.expression_types import MEMBERS, type_of
from syncline.core.expressions import accepted
from syncline.core.records import FieldId, FieldSchema
from syncline.core.values import FieldType
from tests.architecture.markdown import code, table


def types() -> str:
    """What each field type is to an expression, what can be read from it, and what a transform must give for it."""
    rows: list[tuple[str, str, str, str]] = []
    for kind in FieldType:
        found = type_of(FieldSchema(FieldId("f"), "F", kind))
        members = MEMBERS.get((found.item or found).kind, {})
        takes = " or ".join(code(str(each)) for each in accepted(kind)) or "nothing can be made"
        rows.append((code(kind.value), code(str(found)), ", ".join(map(code, members)), takes))
    return table(("field type", "in an expression", "behind a dot", "a transform gives"), rows)


def functions() -> str:
    """Every function and operator by what it is about."""
    special = [(_name(name), code(form)) for name, form in (SPECIAL | MACROS).items()]
    plain = [
        (_name(name), "<br>".join(code(each.shown) for each in found)) for name, found in OVERLOADS.items()
    ]
    return table(("name", "forms"), _sorted([*special, *plain]))


def limits() -> str:
    """What an expression may be and do."""
    rows = [
        ("characters", expression_parse.MAX_LENGTH),
        ("words, signs and texts", expression_parse.MAX_WORDS),
        ("names, values and operators", expression_parse.MAX_NODES),
        ("depth of operators and calls", expression_parse.MAX_DEPTH),
        ("depth of brackets", expression_parse.MAX_BRACKETS),
        ("lists gone through within each other", expression_check.MAX_NESTED),
        ("characters of a pattern", expression_patterns.MAX_PATTERN),
        ("steps of one evaluation", expression_cost.MAX_STEPS),
        ("characters of a text that it makes", expression_cost.MAX_TEXT),
        ("items of a list that it makes or goes through", expression_cost.MAX_ITEMS),
    ]
    return table(("limit", "at most"), [(name, f"{number:,}") for name, number in rows])


def _name(name: str) -> str:
    return code({"_?_:_": "? :", "_[_]": "[ ]"}.get(name, name.strip("_")))


def _sorted(rows: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Signs first, then names."""
    return sorted(rows, key=lambda row: (row[0][1].isalpha(), row[0].casefold()))
