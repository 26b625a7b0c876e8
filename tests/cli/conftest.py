"""Fixtures of the command line's tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from syncline.cli import main
from tests.cli.office import Office, left_is_activecollab, open_office


@dataclass
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer as JSON."""
        return json.loads(self.out)


Call = Callable[..., Said]


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Office]:
    """Two accounts, joined by a configuration."""
    with open_office(tmp_path) as found:
        found.write(left_is_activecollab(found.project))
        for name, value in found.environ.items():
            monkeypatch.setenv(name, value)
        yield found


@pytest.fixture
def call(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run `syncline` with the configuration of this test's folder."""
    monkeypatch.setenv("SYNCLINE_CONFIG", str(tmp_path / "syncline.yaml"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main(list(arguments))
        captured = capsys.readouterr()
        code = left.value.code
        return Said(code if isinstance(code, int) else 1, captured.out, captured.err)

    return run
