"""Faults in the configuration: all at once, each with its place, what was found and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from syncline.config import load
from syncline.core.mapping import ConflictPolicy, Direction
from syncline.core.records import Side
from syncline.errors import ConfigError
from tests.cli.conftest import Call

GOOD = """
connections:
  ac: {vendor: activecollab, url: "http://127.0.0.1:8101", token: "${AC_TOKEN}"}
  hl: {vendor: highlevel, url: "http://127.0.0.1:8102", token: "${HL_TOKEN}", location: "LOC"}
syncs:
  tickets:
    left:  {connection: ac, object: task, where: {project: [1, 2]}}
    right: {connection: hl, object: custom_objects.ticket}
    match: {on: [[name, title]], mode: match_then_create}
    fields:
      - {left: name, right: title, conflict: ask}
      - {left: due_on, right: due_date}
      - {left: estimate, right: hours, direction: to_right}
      - {left: labels, right: tags, conflict: merge}
    conflicts: newest
    deletes: ask
    brakes: {changes: 50%, deletes: 10%}
"""
ENVIRON = {"AC_TOKEN": "1-secret", "HL_TOKEN": "pit-secret"}


def _written(folder: Path, text: str) -> Path:
    path = folder / "syncline.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_documented_shape_is_read(tmp_path: Path) -> None:
    config = load(_written(tmp_path, GOOD), ENVIRON)

    sync = config.syncs["tickets"]
    assert sync.scope(Side.LEFT).where == {"project": ("1", "2")}
    assert [line.direction for line in sync.mappings()][2] is Direction.TO_RIGHT
    assert sync.mappings()[3].conflict is ConflictPolicy.MERGE
    assert (sync.limits().changes, sync.limits().deletes) == (0.5, 0.1)
    assert not any(secret in repr(config) for secret in ENVIRON.values())


def test_all_faults_are_reported_at_once_with_their_place(tmp_path: Path) -> None:
    text = (
        GOOD.replace("vendor: activecollab", "vendor: active")
        .replace("conflicts: newest", "conflicts: latest")
        .replace("changes: 50%", "changes: half")
        .replace("object: custom_objects.ticket", "objekt: custom_objects.ticket")
        .replace("connection: ac", "connection: acc")
    )

    with pytest.raises(ConfigError) as raised:
        load(_written(tmp_path, text), ENVIRON)

    paths = {problem.path for problem in raised.value.problems}
    assert paths == {
        "connections.ac",
        "syncs.tickets.left.connection",
        "syncs.tickets.conflicts",
        "syncs.tickets.brakes.changes",
        "syncs.tickets.right.object",
        "syncs.tickets.right.objekt",
    }
    assert all(
        problem.remedy for problem in raised.value.problems if problem.path != "syncs.tickets.brakes.changes"
    )


def test_a_workspace_needs_nothing_and_may_be_called_so(tmp_path: Path) -> None:
    config = load(_written(tmp_path, "connections:\n  workspace: {vendor: workspace}\n"), {})

    assert config.connections["workspace"].vendor == "workspace"
    assert config.attachments_folder(tmp_path) == tmp_path / "attachments"
    with pytest.raises(ConfigError) as raised:
        load(_written(tmp_path, "connections:\n  workspace: {vendor: workspace, url: x}\n"), {})
    assert [problem.path for problem in raised.value.problems] == ["connections.workspace.url"]


def test_a_missing_variable_and_a_dangling_name_are_told(tmp_path: Path) -> None:
    text = GOOD.replace("connection: hl", "connection: crm")

    with pytest.raises(ConfigError) as raised:
        load(_written(tmp_path, text), {"AC_TOKEN": "1-x"})

    assert {problem.path for problem in raised.value.problems} == {
        "connections.hl.token",
        "syncs.tickets.right.connection",
    }
    assert "HL_TOKEN" in str(raised.value)


def test_a_line_that_goes_through_a_sync_which_is_not_there_is_told_with_its_place(tmp_path: Path) -> None:
    text = GOOD.replace("left: name,", "left: name, through: nowhere,", 1)

    with pytest.raises(ConfigError) as raised:
        load(_written(tmp_path, text), ENVIRON)

    (problem,) = raised.value.problems
    assert problem.path == "syncs.tickets.fields[0].through"
    assert problem.message == "there is no sync 'nowhere'."
    assert problem.remedy == "There are: tickets."


@pytest.mark.parametrize("text", ["connections: [", "- a\n- b", ""])
def test_what_is_no_configuration_says_so(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        load(_written(tmp_path, text), {})


def test_the_command_line_names_the_file_and_leaves_with_code_2(call: Call, tmp_path: Path) -> None:
    said = call("run")

    assert said.code == 2
    assert str(tmp_path / "syncline.yaml") in said.err


def test_a_broken_case_file_says_so(call: Call, tmp_path: Path) -> None:
    (tmp_path / "case.json").write_text("{}", encoding="utf-8")

    said = call("replay", str(tmp_path / "case.json"))

    assert said.code == 2
    assert "case.json" in said.err


def test_unknown_words_on_the_command_line_are_told(call: Call) -> None:
    assert call("walk").code == 2
    assert call("run", "--nope").code == 2


def test_an_installation_may_begin_without_a_connection(tmp_path: Path) -> None:
    path = tmp_path / "syncline.yaml"
    path.write_text("connections: {}", encoding="utf-8")

    config = load(path, {"SYNCLINE_ALLOW_PRIVATE": "1"})

    assert (config.connections, config.allow_private) == ({}, True)
