"""Words that must not stand somewhere: vendors in the core, synonyms of our own words, addresses that tie us down."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from syncline.core.brakes import BrakeName
from syncline.core.decisions import Rule
from tests.architecture.sources import ROOT, Module, modules, tracked_files
from tests.architecture.tables import error_classes

VENDORS = re.compile("activecollab|highlevel|leadconnector|gohighlevel|rankr|\\bghl\\b", re.IGNORECASE)
SYNONYMS = {
    "remote": "side",
    "master": "side",
    "slave": "side",
    "upstream": "side",
    "downstream": "side",
    "shadow": "base",
    "dto": "record",
    "integration app": "connection",
    "workflow": "sync",
}
"""A word that somebody might use in `core`, `engine`, `ports` or the command line, and the one that is meant."""
REGISTRIES = (
    "py" + "pi.org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "yarn" + "pkg.com",
)
MACHINE_PATHS = re.compile(r"(?<![\w.$}/:])/(?:ro" + "ot|wo" + "rk|tm" + "p|ho" + "me|Us" + r"ers)/[\w.]")

pure = [module for module in modules() if module.name.startswith(("core/", "engine/"))]
spoken = [
    module
    for module in modules()
    if module.name.startswith(("core/", "engine/", "cli/"))
    or module.name in ("ports.py", "story.py", "errors.py")
]


@pytest.mark.parametrize("module", pure, ids=lambda module: module.name)
def test_the_core_and_the_engine_know_no_vendor(module: Module) -> None:
    assert [
        f"{number}: {line.strip()}" for number, line in enumerate(module.lines, 1) if VENDORS.search(line)
    ] == []


@pytest.mark.parametrize("module", spoken, ids=lambda module: module.name)
def test_one_thing_has_one_word(module: Module) -> None:
    used = [
        f"{number}: '{word}' means {meant}"
        for number, line in enumerate(module.lines, 1)
        for word, meant in SYNONYMS.items()
        if re.search(rf"(?<![a-z]){word}(?![a-z])", line.lower())
    ]

    assert used == []


def _imported(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize(
    "module",
    [each for each in modules() if not each.name.startswith(("sandbox/", "demo/"))],
    ids=lambda module: module.name,
)
def test_the_product_never_reaches_into_the_sandbox(module: Module) -> None:
    assert [name for name in _imported(module) if name.startswith("syncline.sandbox")] == []


def _texts() -> Iterator[tuple[str, str]]:
    for path in tracked_files():
        try:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_no_file_names_a_package_registry() -> None:
    assert [(name, host) for name, text in _texts() for host in REGISTRIES if host in text] == []


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in _texts()
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATHS.search(line)
    ]

    assert found == []


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [each.code for each in error_classes()]

    assert len(set(codes)) == len(codes)
    assert all("code" in vars(each) for each in error_classes())


def test_every_rule_has_a_sentence_of_its_own() -> None:
    sentences = [rule.sentence for rule in Rule]

    assert len(set(sentences)) == len(sentences)
    assert all(each.endswith(".") for each in sentences)


def test_brakes_are_named_as_they_are_typed() -> None:
    assert all(re.fullmatch("[a-z_]+", name.value) for name in BrakeName)
