"""The documents: in step with the code, with links that lead somewhere and commands that exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from syncline.errors import ConfigError, SynclineError
from tests.architecture import documents, reference
from tests.architecture.documents import ROOT
from tests.architecture.tables import decision_files

each_document = pytest.mark.parametrize(
    "path", list(documents.documents()), ids=lambda path: path.relative_to(ROOT).as_posix()
)


def test_generated_parts_are_in_step_with_the_code() -> None:
    found = [documents.first_difference(path, text) for path, text in documents.outdated()]

    assert found == [], "run `make docs`"


def test_every_part_that_can_be_generated_stands_in_a_document() -> None:
    assert documents.used_parts() == set(documents.PARTS)


@each_document
def test_markers_come_in_pairs(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert len(re.findall("^<!-- generated: ", text, re.MULTILINE)) == len(
        re.findall("^<!-- end -->$", text, re.MULTILINE)
    )


_LINK = re.compile(r"\[[^\]]+\]\((?P<target>[^)\s]+)\)")


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _anchors(path: Path) -> set[str]:
    return {
        _anchor(found) for found in re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    }


@each_document
def test_links_lead_somewhere(path: Path) -> None:
    broken: list[str] = []
    for found in _LINK.finditer(path.read_text(encoding="utf-8")):
        file, _, anchor = found["target"].partition("#")
        target = (path.parent / file).resolve() if file else path
        if file.startswith("http"):
            broken.append(f"{file}: documents stand by themselves")
        elif not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(found["target"])

    assert broken == []


@each_document
def test_lines_can_be_read_anywhere(path: Path) -> None:
    in_code, long = False, []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        in_code ^= line.startswith("```")
        if len(line) > 120 and not in_code and not line.startswith(("|", "`", "- [")):
            long.append(number)

    assert long == []


@each_document
def test_commands_in_documents_exist(path: Path) -> None:
    known = {name.removeprefix("syncline ") for name, _ in reference.every_command()}
    groups = {name.partition(" ")[0] for name in known if " " in name}
    typed = re.findall(
        r"^(?:\$ )?(?:\.venv/bin/)?syncline (?P<words>[a-z][a-z-]*(?: [a-z]+)?)",
        path.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    typed += re.findall(r"`syncline (?P<words>[a-z][a-z-]*(?: [a-z]+)?)", path.read_text(encoding="utf-8"))

    unknown = [
        words for words in typed if words.partition(" ")[0] not in known and words not in known | groups
    ]

    assert unknown == []


@each_document
def test_make_targets_in_documents_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    typed = re.findall(r"(?:`|^|\$ )make ([a-z-]+)", path.read_text(encoding="utf-8"), re.MULTILINE)

    assert [target for target in typed if target not in targets] == []


@each_document
def test_modules_named_in_documents_exist(path: Path) -> None:
    package, named = (
        ROOT / "src" / "syncline",
        re.findall(
            r"`((?:core|engine|connectors|store|sandbox|cli|demo|tests)/[\w/]+(?:\.py)?)`",
            path.read_text(encoding="utf-8"),
        ),
    )

    assert [name for name in named if not (package / name).exists() and not (ROOT / name).exists()] == []


def test_the_readme_shows_itself_on_one_screen() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first, _, _ = text.partition("## ")

    assert first.count("\n") <= 45
    assert "$ make demo" in first
    assert "$ make test" in first
    assert "![" not in text


def test_decisions_are_numbered_without_gaps() -> None:
    names = [name for name, _ in decision_files()]
    numbers = [int(name[:4]) for name in names]

    assert numbers == list(range(1, len(names) + 1))


@pytest.mark.parametrize("name", [name for name, _ in decision_files()])
def test_a_decision_fits_on_one_screen_and_says_four_things(name: str) -> None:
    text = (ROOT / "docs" / "decisions" / name).read_text(encoding="utf-8")
    parts = re.findall(r"^\*\*([A-Z][a-z ]+)\.\*\*", text, re.MULTILINE)

    assert text.startswith(f"# {name[:4]} ")
    assert parts == ["Situation", "Decision", "Price", "Would change our mind"]
    assert text.count("\n") <= 40


def test_changes_are_noted_under_unreleased_first() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    unreleased = text.partition("## Unreleased")[2].partition("\n## ")[0]

    assert headings[0] == "Unreleased"
    assert "### Upgrade notes" in unreleased


def test_a_submission_passes_what_a_person_runs() -> None:
    commands = [
        line
        for line in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
        if line.startswith("make")
    ]

    assert commands == ["make check", "make test"]


def test_make_lists_every_target() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = (re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE) or [""])[1].split()

    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert [target for target in phony if f"make {target} " not in listed] == []
    assert set(phony) >= {"setup", "check", "test", "demo", "bench", "fix", "docs"}


def test_no_meaning_is_kept_that_the_model_tells_itself() -> None:
    keys = dict(reference.configuration_keys())

    assert [key for key in reference.MEANINGS if key not in keys or "description" in keys[key]] == []
    assert [
        key for key, value in keys.items() if not value.get("description") and key not in reference.MEANINGS
    ] == []


def test_the_error_tree_draws_every_error() -> None:
    drawn = documents.PARTS["error tree"]()

    assert issubclass(ConfigError, SynclineError)
    for row in documents.PARTS["error codes"]().splitlines()[2:]:
        assert f" {row.split('`')[3]} ".strip() in drawn


def test_every_layer_has_modules_and_every_module_a_layer() -> None:
    listed = set(re.findall(r"^\*\*(\w+)\*\*$", documents.PARTS["modules"](), re.MULTILINE))
    layers = set(re.findall(r"\w+", documents.PARTS["layers"]())) - {"text"}

    assert listed - {"__init__", "__main__"} == layers
