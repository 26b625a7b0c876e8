"""What the program imports, and what it says that it needs."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def declared() -> set[str]:
    """The distributions that `pyproject.toml` names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {_plain(re.split(r"[<>=!~\[; ]", each)[0]) for each in project["dependencies"]}


def imported() -> set[str]:
    """The packages that `src` imports anywhere, also inside functions."""
    found: set[str] = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - {"syncline"}


def test_whatever_is_imported_is_declared() -> None:
    owners = packages_distributions()

    missing = {
        name for name in imported() if not {_plain(each) for each in owners.get(name, [name])} & declared()
    }

    assert missing == set()


def pinned(name: str) -> dict[str, str]:
    """The packages of a lock file with their versions and hashes."""
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and line[0] not in " #"]
    return {line.partition("==")[0]: line.partition("==")[2] for line in lines}


def test_whatever_is_declared_is_locked() -> None:
    assert declared() <= pinned("run.lock").keys()
    assert declared() <= pinned("dev.lock").keys()


def test_the_lock_for_running_is_a_part_of_the_one_for_developing() -> None:
    run, dev = pinned("run.lock"), pinned("dev.lock")

    assert run.items() <= dev.items()
    assert len(run) < len(dev)
