"""What a person reads: words stay whole in a narrow window, one is one, commands are grouped, exit codes are explained."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from typer.testing import CliRunner

from syncline.cli import output
from syncline.cli.app import app


def _drawn(monkeypatch: pytest.MonkeyPatch, width: int) -> str:
    told = io.StringIO()
    monkeypatch.setattr(output, "console", Console(file=told, width=width, highlight=False))
    output.table(("when (UTC)", "why"), [("2026-03-02 09:14:07", "Both changed differently")])
    return told.getvalue()


def test_a_narrow_window_tells_rows_below_each_other_with_whole_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "differently" in _drawn(monkeypatch, 40)
    narrow = _drawn(monkeypatch, 20)
    assert "- when (UTC)  2026-03-02 09:14:07" in narrow
    assert "  why         Both changed differently" in narrow


def test_an_exit_code_is_explained_by_its_number() -> None:
    told = CliRunner().invoke(app, ["errors", "4"])
    assert told.exit_code == 0
    assert "exit.4: A brake stopped the plan" in told.stdout


def test_the_help_groups_the_commands() -> None:
    told = CliRunner().invoke(app, ["--help"]).stdout
    for panel in ("Connections", "Syncs", "Questions", "Records", "Configuration", "Proof", "Sandbox"):
        assert f" {panel} " in told
