"""The source tree into parsed modules: read once, looked at by the tests and the document generator."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "syncline"


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file of the package."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Its path below the package, as `core/merge.py`."""
        return self.path.relative_to(PACKAGE).as_posix()

    @property
    def docstring(self) -> str:
        """What it says of itself; empty when it says nothing."""
        return ast.get_docstring(self.tree) or ""

    @property
    def lines(self) -> list[str]:
        """Its lines."""
        return self.text.splitlines()


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package, empty `__init__` files left out."""
    found: list[Module] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if text.strip():
            found.append(Module(path, text, ast.parse(text)))
    return tuple(found)


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file that is, or could be, committed. Without git (an unpacked archive): every visible one."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=ROOT,
            capture_output=True,
            check=True,
            text=True,
        ).stdout.split("\0")
        paths = [ROOT / name for name in listed if name]
    except (OSError, subprocess.CalledProcessError):
        skipped = {".venv", "build", "dist", "__pycache__"}
        paths = [
            path
            for path in ROOT.rglob("*")
            if not any(part in skipped or part.startswith(".") for part in path.relative_to(ROOT).parts)
        ]
    return tuple(sorted(path for path in paths if path.is_file()))
