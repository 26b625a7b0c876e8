"""Code into the generated parts of the documents, and the check that they are still in step.

Run by `make docs` (writes) and `make check` (`--check`: writes nothing, exit code 1 when something is out of date). A
generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`; `PARTS` says where each NAME comes from. One
file is generated as a whole: the JSON Schema of `syncline.yaml`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from syncline.config import json_schema
from tests.architecture import expressions, matrix, reference, tables

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = Path("docs/syncline.schema.json")

PARTS: Mapping[str, Callable[[], str]] = {
    "commands": reference.commands,
    "command reference": reference.command_reference,
    "exit codes": reference.exit_codes,
    "configuration": reference.configuration,
    "layers": tables.layers,
    "contracts": tables.contracts,
    "modules": tables.modules,
    "merge rules": tables.merge_rules,
    "brakes": tables.brake_table,
    "brake kinds": tables.brake_kinds,
    "error tree": tables.error_tree,
    "error codes": tables.error_codes,
    "error catalogue": tables.error_catalogue,
    "causes": tables.causes,
    "bisync matrix": matrix.bisync_matrix,
    "transforms": tables.transforms,
    "field types": tables.field_types,
    "expression types": expressions.types,
    "expression functions": expressions.functions,
    "expression limits": expressions.limits,
    "fault kinds": tables.fault_kinds,
    "activecollab actions": tables.activecollab_actions,
    "highlevel actions": tables.highlevel_actions,
    "activecollab quirks": tables.activecollab_quirks,
    "highlevel options": tables.highlevel_options,
    "decisions": tables.decisions,
    "make targets": tables.make_targets,
}

_PART = re.compile(r"(<!-- generated: (?P<name>[a-z ]+) -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)


def documents() -> Iterator[Path]:
    """Every document that may hold generated parts."""
    yield from sorted(ROOT.glob("*.md"))
    yield from sorted((ROOT / "docs").rglob("*.md"))


def renewed(text: str) -> str:
    """A document with its generated parts made anew. Raises `KeyError` for a part that nothing makes."""

    def part(found: re.Match[str]) -> str:
        return f"{found[1]}{PARTS[found['name']]().strip()}\n{found[4]}"

    return _PART.sub(part, text)


def used_parts() -> set[str]:
    """The names of the parts that stand in some document."""
    return {
        found["name"] for path in documents() for found in _PART.finditer(path.read_text(encoding="utf-8"))
    }


def wanted() -> Iterator[tuple[Path, str]]:
    """Every generated file or document with the text that it should have."""
    for path in documents():
        yield path, renewed(path.read_text(encoding="utf-8"))
    yield ROOT / SCHEMA, json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def outdated() -> list[tuple[Path, str]]:
    """What is not as it should be."""
    return [
        (path, text)
        for path, text in wanted()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def first_difference(path: Path, text: str) -> str:
    """Where a document and its wanted text part: file, line, both lines."""
    old = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    new = text.splitlines()
    number = next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )
    has, needs = ("".join(lines[number : number + 1])[:160] for lines in (old, new))
    return f"{path.relative_to(ROOT)}:{number + 1}: has  {has!r}\n{' ' * 12}needs {needs!r}"


def main(arguments: Sequence[str]) -> int:
    """Write what is out of date, or only say so."""
    found = outdated()
    is_check = "--check" in arguments
    for path, text in found:
        if is_check:
            sys.stdout.write(f"{first_difference(path, text)}\n")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
    if is_check and found:
        sys.stdout.write("These documents are out of step with the code; run `make docs`.\n")
        return 1
    sys.stdout.write("" if found else "The documents are in step with the code.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
