"""Mistyped commands, options, names and ids: one form, one exit code, and what may have been meant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Call
from tests.cli.office import Office


def error(call: Call, *arguments: str) -> Any:
    """The error of a command that ends with 2, as its only JSON document."""
    said = call("--json", *arguments)
    assert (said.code, said.err) == (2, "")
    assert said.json["error"]["exit_code"] == 2
    return said.json["error"]


@pytest.mark.parametrize(
    ("arguments", "code", "field", "found", "remedy"),
    [
        (["run", "--release", "xyz"], "usage.bad_value", "--release", "xyz", "one of: incomplete_listing, "),
        (["brakes", "arm", "xyz"], "usage.bad_value", "NAME", "xyz", "one of: incomplete_listing, "),
        (["conflicts", "resolve", "1", "--take", "up"], "usage.bad_value", "--take", "up", "left, right."),
        (
            ["conflicts", "resolve", "1", "--value-for", "up", "x"],
            "usage.bad_value",
            "--value-for",
            "up",
            "left, right; then a text.",
        ),
        (["conflicts", "show", "one"], "usage.bad_value", "NUMBER", "one", "a whole number."),
        (["links", "list", "--limit", "0"], "usage.bad_value", "--limit", "0", "a whole number, 1 or more."),
        (
            ["conflicts", "simulate", "--sync", "t", "--field", "f", "--policy", "left", "--since", "today"],
            "usage.bad_value",
            "--since",
            "today",
            "a day, such as",
        ),
        (["links", "link", "1"], "usage.missing", "RIGHT", None, "syncline links link --help"),
        (["rnu"], "usage.unknown_command", "command", "rnu", "Did you mean run?"),
        (["links", "nothing"], "usage.unknown_command", "command", "nothing", "syncline links --help"),
        (["run", "--relaese", "x"], "usage.unknown_option", "--relaese", "--relaese", "Did you mean --release?"),
        (["explain", "a", "b", "c"], "usage.not_understood", "command", None, "syncline explain --help"),
    ],
)  # fmt: skip
def test_a_mistyped_command_is_an_error_like_any_other(
    call: Call, arguments: list[str], code: str, field: str, found: str | None, remedy: str
) -> None:
    told = error(call, *arguments)

    assert (told["code"], told["field"], told["found"]) == (code, field, found)
    assert remedy in told["remedy"]
    assert told["problems"][0] == {
        "path": field,
        "found": found,
        "message": told["message"].removesuffix(told["remedy"]).rstrip(),
        "remedy": told["remedy"],
        "code": code,
    }
    said = call(*arguments)
    assert (said.code, said.out, said.err) == (2, "", f"Error: {told['message']}\n")


def test_an_option_without_its_value_and_a_group_without_a_command(call: Call) -> None:
    without = error(call, "--json", "run", "--release")
    group = call("links")

    assert (without["code"], without["field"]) == ("usage.missing", "--release")
    assert "--help" in without["remedy"]

    assert (group.code, group.err) == (2, "")
    assert "candidates" in group.out


def test_a_sync_that_is_not_there_is_refused_everywhere_and_the_others_are_named(
    office: Office, call: Call
) -> None:
    office.in_activecollab("create_task", project=office.project, name="Paint")
    call("run")
    commands: list[list[str]] = [
        *([name, "nosync"] for name in ("run", "plan", "status", "certify", "diff")),
        *([name, "1", "--sync", "nosync"] for name in ("explain", "history", "undo", "resync")),
        ["history", "1", "--at", "2026-01-01", "--sync", "nosync"],
        *([name, "list", "--sync", "nosync"] for name in ("links", "deletes", "conflicts", "brakes")),
        *([name, "--sync", "nosync"] for name in ("audit", "parked")),
        ["retry", "--all", "--sync", "nosync"],
        ["conflicts", "resolve", "--all", "--leave", "--sync", "nosync"],
        ["deletes", "approve", "--all", "--sync", "nosync"],
        ["links", "unlink", "1", "--sync", "nosync"],
        ["replay", "nosync-3"],
    ]

    for command in commands:
        told = error(call, *command)
        assert "tickets" in told["message"], command
        assert "listed place" not in told["remedy"], command
        if command[0] != "replay":
            assert (told["code"], told["found"]) == ("usage.unknown_sync", "nosync"), command
            assert told["remedy"] == "There are: tickets.", command


def test_a_file_without_syncs_says_what_to_add(call: Call, tmp_path: Path) -> None:
    connection = "{hl: {vendor: highlevel, location: one, token: pit-secret}}"
    (tmp_path / "syncline.yaml").write_text(f"connections: {connection}\nsyncs: {{}}\n", encoding="utf-8")

    told = error(call, "plan")

    assert (told["code"], told["field"]) == ("config", "syncs")
    assert "docs/configuration.md" in told["remedy"]


def test_an_unknown_record_is_an_error_everywhere_with_those_that_resemble_it(
    office: Office, call: Call
) -> None:
    office.in_activecollab("create_task", project=office.project, name="Paint the fence")
    call("run")
    key = str(office.tickets()["Paint the fence"]["id"])
    lookups = ["explain", "history", "undo", "resync"]

    for command in [*([name] for name in lookups), ["history", "--at", "2020-01-01"], ["links", "unlink"]]:
        by_title = error(call, *command, "FENCE")
        by_key = error(call, *command, f"{key}0")
        stranger = error(call, *command, "no-such-record")
        for told in (by_title, by_key, stranger):
            assert (told["code"], told["field"]) == ("usage.unknown_record", "record"), command
        assert f"{key} (Paint the fence, right)" in by_title["remedy"], command
        assert "(Paint the fence, left)" in by_title["remedy"], command
        assert by_key["remedy"] == f"Did you mean {key} (Paint the fence, right)?", command
        assert stranger["remedy"], command
        assert "Did you mean" not in stranger["message"], command

    fetched = error(call, "resync", "no-such-record", "--sync", "tickets")
    assert fetched["code"] == "usage.unknown_record"
    assert "Neither side shows one" in fetched["remedy"]


def test_what_is_known_of_a_removed_sync_can_still_be_looked_up(office: Office, call: Call) -> None:
    made = office.in_activecollab("create_task", project=office.project, name="Paint")
    call("run")
    office.config.write_text(office.config.read_text().replace("  tickets:", "  errands:"), encoding="utf-8")
    call("apply", "--yes")

    assert call("history", str(made["id"]), "--sync", "tickets", "--json").json
    assert call("conflicts", "list", "--sync", "tickets").code == 0
    assert call("audit", "--sync", "tickets").code == 0
    assert error(call, "run", "tickets")["remedy"] == "There are: errands."


def test_a_mistyped_field_is_suggested_once(office: Office, call: Call) -> None:
    made = office.in_activecollab("create_task", project=office.project, name="Paint")
    call("run")

    (found,) = call("explain", str(made["id"]), "nmae", "--json").json

    assert found["suggestions"] == ["name"]
    assert "Did you mean name?" in found["sentences"]
    (due,) = call("explain", str(made["id"]), "due", "--json").json
    assert due["suggestions"] == ["due_on", "due_date"]
