"""Sizes and shapes of the source: what taste does not hold, a cap does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.architecture.sources import PACKAGE, Module, modules

LINES_PER_FILE = 500
LINES_PER_FUNCTION = 60
FOLDERS = 2
MIGRATIONS = "store/migrations/versions/"
"""Alembic's own folder. A revision is one list of tables, never changed again: it is neither deep nor long to read."""
SHAPELESS = ("utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc", "shared")

each_module = pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)


def _functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@each_module
def test_a_file_can_be_read_in_one_sitting(module: Module) -> None:
    assert len(module.lines) <= LINES_PER_FILE


@each_module
def test_a_function_fits_on_a_screen(module: Module) -> None:
    if module.name.startswith(MIGRATIONS):
        return

    long = [
        f"{function.name}: {length} lines"
        for function in _functions(module)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > LINES_PER_FUNCTION
    ]

    assert long == []


@each_module
def test_a_module_lies_at_most_two_folders_deep(module: Module) -> None:
    assert module.name.startswith(MIGRATIONS) or module.name.count("/") <= FOLDERS


@each_module
def test_a_module_says_what_it_does(module: Module) -> None:
    first, _, rest = module.docstring.partition("\n")

    assert first, "the module has no docstring"
    assert first[0].isupper() or first[0] == "`"
    assert first.endswith((".", ":")), f"the first line is no sentence: {first!r}"
    assert not rest or rest.startswith("\n"), "the first line stands alone"


@each_module
def test_a_name_says_something(module: Module) -> None:
    assert module.path.stem not in SHAPELESS
    assert not set(module.path.relative_to(PACKAGE).parent.parts) & set(SHAPELESS)


_SILENCED = re.compile(r"#\s*(?:noqa|pyright: ignore|fmt: off)(?P<codes>:[ \w,]+|\[[\w, ]+\])?(?P<rest>.*)")


@each_module
def test_a_silenced_warning_names_itself_and_its_reason(module: Module) -> None:
    silent: list[str] = []
    for number, line in enumerate(module.lines, 1):
        found = _SILENCED.search(line)
        if found is None:
            continue
        above = module.lines[number - 2].strip() if number > 1 else ""
        has_reason = " - " in f" {found['rest']}" or above.startswith("#")
        if not found["codes"] or not has_reason:
            silent.append(f"{number}: {line.strip()}")

    assert silent == []


@each_module
def test_types_are_never_silenced_wholesale(module: Module) -> None:
    wanted = "type: " + "ignore"

    assert [number for number, line in enumerate(module.lines, 1) if wanted in line] == []


def test_half_of_the_functions_are_short() -> None:
    lengths = sorted(
        (function.end_lineno or 0) - function.lineno + 1
        for module in modules()
        for function in _functions(module)
    )

    assert lengths[len(lengths) // 2] <= 10
    assert lengths[len(lengths) * 9 // 10] <= 30
