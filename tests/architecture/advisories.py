"""The lock file into known vulnerabilities of what it locks: each with its remedy, and an exit code that fails the check.

Run by `make check`. pip-audit asks a database over the network, by default that of the package index (its own variables
`PIP_AUDIT_VULNERABILITY_SERVICE` and `PIP_AUDIT_OSV_URL` name another one). Where that is out of reach within a short time, one
line says so, and the check goes on. What may be ignored stands in `pyproject.toml` with a reason.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements" / "dev.lock"
SECONDS = 20.0
_PROBE = "pip-audit"
"""A locked package that every index has: one that does not know it is none that could tell anything."""
_QUIET = (
    "--disable-pip",
    "--format",
    "json",
    "--desc",
    "off",
    "--aliases",
    "on",
    "--progress-spinner",
    "off",
)
_AWAY = re.compile(
    r"Connect(ion)?(Error|Timeout)|Could not connect|redirect|ServiceError|Timeout|Proxy|SSL|Max retries"
)


class UnreachableError(Exception):
    """The database cannot be asked; why."""


@dataclass(frozen=True)
class Advisory:
    """A known vulnerability of a locked package, with all its names and the versions that mend it."""

    package: str
    version: str
    names: tuple[str, ...]
    mended: tuple[str, ...]

    def __str__(self) -> str:
        remedy = (
            f"lock {self.package} {self.mended[0]} or later (`make lock`)"
            if self.mended
            else f"no version mends it: do without {self.package}, or ignore it in pyproject.toml with a reason"
        )
        return f"{self.package} {self.version}: {', '.join(self.names)}. What to do: {remedy}."


def advisories(lock: Path, seconds: float = SECONDS) -> tuple[list[Advisory], list[str]]:
    """What is known of the locked packages, and those that the database does not know. Raises `UnreachableError`."""
    probe = re.search(rf"^{_PROBE}==\S+", lock.read_text(encoding="utf-8"), re.MULTILINE)
    if probe is not None:
        with tempfile.TemporaryDirectory() as folder:
            one = Path(folder) / "one.txt"
            one.write_text(probe[0], encoding="utf-8")
            if _unknown(_asked(one, ("--no-deps",), seconds)):
                raise UnreachableError(f"the database does not even know {probe[0]}")
    found = _asked(lock, ("--require-hashes",), seconds)
    return list(_advisories(found)), _unknown(found)


def _asked(requirements: Path, options: Sequence[str], seconds: float) -> Sequence[Mapping[str, Any]]:
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(requirements), *_QUIET, *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnreachableError(f"no answer within {seconds:g} s") from error
    try:
        return json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        if _AWAY.search(last):
            raise UnreachableError(last.partition(":")[0]) from None
        raise RuntimeError(f"pip-audit failed: {last}") from None


def _unknown(found: Sequence[Mapping[str, Any]]) -> list[str]:
    return [each["name"] for each in found if "skip_reason" in each]


def _advisories(found: Sequence[Mapping[str, Any]]) -> Iterator[Advisory]:
    for package in found:
        for each in package.get("vulns", ()):
            names = (each["id"], *each.get("aliases", ()))
            yield Advisory(package["name"], package["version"], names, tuple(each["fix_versions"]))


def ignored(project: Mapping[str, Any]) -> dict[str, str]:
    """What may be ignored, by its name, with the reason. Raises `ValueError` for an entry without one."""
    listed: Sequence[Mapping[str, str]] = (
        project.get("tool", {}).get("syncline", {}).get("advisories", {}).get("ignore", [])
    )
    for each in listed:
        if not each.get("id", "").strip() or not each.get("reason", "").strip():
            raise ValueError(f"tool.syncline.advisories.ignore: {dict(each)} needs an id and a reason")
    return {each["id"]: each["reason"] for each in listed}


def verdict(
    found: Sequence[Advisory], unknown: Sequence[str], ignore: Mapping[str, str]
) -> Iterator[tuple[bool, str]]:
    """What to say, line by line, and whether it fails the check."""
    for each in found:
        reason = next((ignore[name] for name in each.names if name in ignore), None)
        yield (True, str(each)) if reason is None else (False, f"ignored: {each} Because: {reason}")
    names = {name for each in found for name in each.names}
    yield from (
        (False, f"{name} is ignored and not found any more: take it out")
        for name in ignore
        if name not in names
    )
    if unknown:
        yield False, f"not known to the database, so not checked: {', '.join(unknown)}"


def main(lock: Path = LOCK, project: Path = ROOT / "pyproject.toml", seconds: float = SECONDS) -> int:
    """Say what is known; 1 when something of it needs a hand."""
    ignore = ignored(tomllib.loads(project.read_text(encoding="utf-8")))
    try:
        found, unknown = advisories(lock, seconds)
    except UnreachableError as error:
        print(f"advisories: skipped, the vulnerability database cannot be reached ({error})")  # noqa: T201 - a command
        return 0
    lines = list(verdict(found, unknown, ignore))
    for _, line in lines or [(False, "none known")]:
        print(f"advisories: {line}")  # noqa: T201 - a command
    return int(any(is_bad for is_bad, _ in lines))


if __name__ == "__main__":
    sys.exit(main())
