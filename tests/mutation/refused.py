"""The mutants of `core/` into those that the type checker refuses, as the JSON report that mutmut reads.

Started by mutmut (`type_check_command`) inside its copy of the sources, where every function stands as it is
(`…__mutmut_orig`) and as each of its mutants. `python -m tests.mutation.refused`.
"""

from __future__ import annotations

import ast
import json
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

SETTINGS = {"typeCheckingMode": "standard", "pythonVersion": "3.11"}


def main() -> None:
    """Print what is found in mutants alone."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in _report()["generalDiagnostics"]:
        if each["severity"] == "error":
            found[each["file"]].append(each)
    kept = [each for file, errors in found.items() for each in _refusals(Path(file), errors)]
    print(json.dumps({"generalDiagnostics": kept}))  # noqa: T201 - mutmut reads it


def _report() -> dict[str, Any]:
    mutated = sorted(str(path).removesuffix(".meta") for path in Path.cwd().glob("src/**/*.py.meta"))
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "pyrightconfig.json")
        settings.write_text(
            json.dumps(SETTINGS | {"include": mutated, "extraPaths": [str(Path.cwd() / "src")]})
        )
        command = ["basedpyright", "--outputjson", "--project", str(settings)]
        return json.loads(subprocess.run(command, capture_output=True, check=False).stdout)


def _refusals(file: Path, errors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The errors that no unchanged function has: an attribute that a mutant makes None is so for the whole class."""
    mutants: set[int] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.rpartition("_")[2].isdigit():
            mutants.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    leaked = {_kind(each) for each in errors if _line(each) not in mutants}
    return [each for each in errors if _line(each) in mutants and _kind(each) not in leaked]


def _kind(error: dict[str, Any]) -> tuple[str, str]:
    return error.get("rule", ""), error["message"]


def _line(error: dict[str, Any]) -> int:
    return error["range"]["start"]["line"] + 1


if __name__ == "__main__":
    main()
