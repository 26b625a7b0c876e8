"""A place where nothing is configured yet: the service makes a file, and every command says what comes next."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncline.config import load, start_file
from syncline.errors import ConfigError
from tests.cli.conftest import Call


def test_a_starter_file_configures_nothing_and_is_made_once(tmp_path: Path) -> None:
    file = tmp_path / "syncline.yaml"

    assert start_file(file)
    config = load(file, {})
    assert (dict(config.connections), dict(config.syncs)) == ({}, {})

    file.write_text("syncs: {}\n", encoding="utf-8")
    assert not start_file(file)
    assert file.read_text(encoding="utf-8") == "syncs: {}\n"


def test_where_no_file_can_be_made_the_reason_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none can be made"):
        start_file(tmp_path / "nowhere" / "syncline.yaml")


def test_a_file_of_comments_alone_is_no_accident_that_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "syncline.yaml"
    file.write_text("# connections:\n", encoding="utf-8")

    with pytest.raises(ConfigError, match="is empty"):
        load(file, {})


@pytest.mark.parametrize("command", ["status", "check", "run"])
def test_without_a_file_every_command_says_how_to_get_one(call: Call, command: str) -> None:
    said = call(command)

    assert said.code == 2
    assert "There is no " in said.err
    assert "`syncline serve` makes one" in said.err


def test_without_syncs_and_connections_the_next_step_is_said(call: Call, tmp_path: Path) -> None:
    start_file(tmp_path / "syncline.yaml")

    status, check, run = call("status"), call("check"), call("run")

    assert (status.code, check.code, run.code) == (0, 0, 2)
    assert "No sync is configured yet. Make one over the API" in status.out
    assert "No connection is configured yet. Add one over the API" in check.out
    assert "Make one over the API" in run.err
    assert call("status", "--json").json == {}
    assert call("status", "tickets").code == 2
