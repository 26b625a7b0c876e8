"""The command line over two real sandbox accounts, as a person or a script uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.cli.office import TICKET, Office, left_is_activecollab, left_is_highlevel


def test_check_names_account_and_user(office: Office, call: Call) -> None:
    said = call("check", "--json")

    assert said.code == 0
    assert said.json["ac"]["user"].startswith("Owner One")
    assert said.json["hl"]["problems"] == []


def test_check_fails_with_a_wrong_token(office: Office, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HL_TOKEN", "pit-wrong-and-secret")

    said = call("check")

    assert said.code == 3
    assert "pit-wrong-and-secret" not in said.out + said.err


def test_objects_and_fields_are_discovered(office: Office, call: Call) -> None:
    objects = [kind["id"] for kind in call("objects", "hl", "--json").json]
    fields = {field["id"]: field for field in call("fields", "hl", TICKET, "--json").json}

    assert TICKET in objects
    assert fields["due_date"]["type"] == "day"
    assert [option["label"] for option in fields["status"]["options"]] == ["Open", "Done"]
    assert call("fields", "ac", "task").code == 0


def test_a_plan_changes_nothing(office: Office, call: Call) -> None:
    office.in_activecollab("create_task", project=office.project, name="Paint")

    said = call("plan", "--json")

    assert said.code == 0
    assert [step["write"]["type"] for step in said.json["tickets"]["steps"]] == ["create"]
    assert office.tickets() == {}
    assert call("status", "--json").json["tickets"]["last"] is None


def test_a_run_copies_both_ways_and_the_next_finds_nothing(office: Office, call: Call) -> None:
    office.in_activecollab(
        "create_task", project=office.project, name="Paint", due_on="2026-12-24", labels=["red"]
    )
    office.in_highlevel("create_record", object=TICKET, properties={"title": "Print", "status": "done"})

    first = call("run", "--json")
    second = call("run", "--json")

    assert (first.code, second.code) == (0, 0)
    assert set(office.tickets()) == {"Paint", "Print"}
    assert office.tickets()["Paint"]["properties"]["due_date"] == "2026-12-24"
    assert office.tickets()["Paint"]["properties"]["tags"] == ["red"]
    assert set(office.tasks()) == {"Paint"}  # Print is done, so it lies in the archive
    assert second.json["tickets"]["plan"]["steps"] == []
    assert call("status", "--json").json["tickets"]["counts"] == {"left": 2, "right": 2, "links": 2}


@pytest.mark.parametrize(("take", "winner"), [("left", "Paint A"), ("right", "Paint B")])
def test_a_conflict_is_listed_shown_replayed_and_resolved(
    office: Office, call: Call, tmp_path: Path, take: str, winner: str
) -> None:
    task = office.in_activecollab("create_task", project=office.project, name="Paint")
    call("run")
    office.in_activecollab("update_task", task=task["id"], name="Paint A")
    ticket = office.tickets()["Paint"]
    office.in_highlevel("update_record", object=TICKET, id=ticket["id"], properties={"title": "Paint B"})
    call("run")

    number = str(call("conflicts", "list", "--json").json[0]["id"])
    shown = call("conflicts", "show", number, "--case", str(tmp_path / "case.json"))
    replayed = call("replay", str(tmp_path / "case.json"), "--json")
    resolved = call("conflicts", "resolve", number, "--take", take)
    call("run")

    assert "Paint A" in shown.out
    assert "Paint B" in shown.out
    assert {field["rule"] for field in replayed.json["fields"]} >= {"conflict"}
    assert resolved.code == 0
    assert set(office.tasks()) == set(office.tickets()) == {winner}
    assert call("conflicts", "list", "--json").json == []
    lost = [
        entry["lost"]
        for entry in call("history", str(task["id"]), "--json").json
        if entry["rule"] == "resolved"
    ]
    assert lost == [{"type": "text", "text": "Paint B" if take == "left" else "Paint A"}]


def test_a_typed_value_settles_a_conflict_on_both_sides(office: Office, call: Call) -> None:
    task = office.in_activecollab("create_task", project=office.project, name="Paint")
    call("run")
    office.in_activecollab("update_task", task=task["id"], name="Paint A")
    office.in_highlevel(
        "update_record", object=TICKET, id=office.tickets()["Paint"]["id"], properties={"title": "B"}
    )
    call("run")

    number = str(call("conflicts", "list", "--json").json[0]["id"])
    call("conflicts", "resolve", number, "--value", "Painting")
    call("run")

    assert set(office.tasks()) == set(office.tickets()) == {"Painting"}
    assert call("run", "--json").json["tickets"]["plan"]["steps"] == []


@pytest.mark.parametrize(
    ("answer", "tasks", "tickets"),
    [
        ("delete", {"Stays"}, {"Stays"}),
        ("restore", {"Stays", "Paint"}, {"Stays", "Paint"}),
        ("release", {"Stays"}, {"Stays", "Paint"}),
    ],
)
def test_a_question_about_a_deletion_is_answered(
    office: Office, call: Call, answer: str, tasks: set[str], tickets: set[str]
) -> None:
    office.in_activecollab("create_task", project=office.project, name="Stays")
    task = office.in_activecollab("create_task", project=office.project, name="Paint")
    call("run")
    office.in_activecollab("trash_task", task=task["id"])
    call("run")

    number = str(call("conflicts", "list", "--json").json[0]["id"])
    assert call("conflicts", "resolve", number, "--answer", answer).code == 0
    call("run")

    assert (set(office.tasks()), set(office.tickets())) == (tasks, tickets)
    assert call("run", "--json").json["tickets"]["plan"]["steps"] == []
    assert call("conflicts", "list", "--json").json == []


def test_a_pulled_brake_says_what_to_do_and_can_be_released(office: Office, call: Call) -> None:
    sync = left_is_activecollab(office.project)
    office.write({**sync, "brakes": {"changes": "10%", "at_least": 1}})
    task = office.in_activecollab("create_task", project=office.project, name="Paint")
    office.in_activecollab("create_task", project=office.project, name="Print")
    call("run")
    office.in_activecollab("update_task", task=task["id"], due_on="2026-12-24")

    stopped = call("run")
    released = call("run", "--release", "changes")

    assert stopped.code == 4
    assert "--release changes" in stopped.out
    assert released.code == 0
    assert office.tickets()["Paint"]["properties"]["due_date"] == "2026-12-24"


def test_swapped_sides_give_the_mirrored_result(office: Office, call: Call) -> None:
    office.write(left_is_highlevel(office.project))
    office.in_activecollab(
        "create_task", project=office.project, name="Paint", due_on="2026-12-24", labels=["blue"]
    )
    office.in_highlevel("create_record", object=TICKET, properties={"title": "Print", "status": "open"})

    report = call("run", "--json").json["tickets"]

    assert (report["left"]["created"], report["right"]["created"]) == (1, 1)
    assert set(office.tasks()) == set(office.tickets()) == {"Paint", "Print"}
    assert office.tickets()["Paint"]["properties"]["tags"] == ["blue"]
    assert call("run", "--json").json["tickets"]["plan"]["steps"] == []


def test_all_faults_of_a_mapping_are_told_at_once(office: Office, call: Call) -> None:
    sync = left_is_activecollab(office.project)
    sync["fields"] += [
        {"left": "nmae", "right": "title"},
        {"left": "due_on", "right": "status"},
        {"left": "body", "right": "title", "transform": "rot13"},
    ]
    office.write(sync)

    said = call("plan", "--json")

    assert said.code == 2
    paths = [problem["path"] for problem in said.json["error"]["problems"]]
    expected = {"fields[4].left", "fields[5]", "fields[6].transform"}
    assert {f"syncs.tickets.{place}" for place in expected} <= set(paths)


def test_only_changes_are_looked_at_on_request(office: Office, call: Call) -> None:
    for number in range(3):
        office.in_activecollab("create_task", project=office.project, name=f"Task {number}")
    call("run")
    office.advance(600)
    office.in_activecollab("update_task", task=office.tasks()["Task 1"]["id"], due_on="2026-12-24")

    report = call("run", "--changes-only", "--json").json["tickets"]

    assert report["is_full"] is False
    assert report["right"]["updated"] == 1
    assert office.tickets()["Task 1"]["properties"]["due_date"] == "2026-12-24"


def test_history_tells_field_by_field(office: Office, call: Call) -> None:
    task = office.in_activecollab("create_task", project=office.project, name="Paint")
    call("run")
    office.in_activecollab("update_task", task=task["id"], due_on="2026-12-24")
    call("run")

    entries = call("history", str(task["id"]), "--json").json

    last = entries[-1]
    assert (last["field"], last["side"], last["rule"]) == ("due_on ↔ due_date", "right", "one_side_changed")
    assert (last["old"]["type"], last["new"]) == ("blank", {"type": "day", "day": "2026-12-24"})
    assert json.dumps(entries).count("pit-") == 0
