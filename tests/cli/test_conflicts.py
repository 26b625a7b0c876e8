"""Conflicts on two sandbox accounts: who edited what, many at once, taken back, tried as a rule, made a rule."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Call, Said
from tests.cli.office import TICKET, Office, left_is_activecollab

NAMES = ("Paint", "Print")


def quarrel(office: Office, call: Call) -> dict[str, Any]:
    """Two linked records, both renamed on both sides; answers the open questions by record."""
    tasks = {
        name: office.in_activecollab("create_task", project=office.project, name=name)["id"] for name in NAMES
    }
    assert call("run").code == 0
    for name, number in tasks.items():
        ticket = office.tickets()[name]["id"]
        office.in_activecollab("update_task", task=number, name=f"{name} left")
        office.in_highlevel("update_record", object=TICKET, id=ticket, properties={"title": f"{name} right"})
    assert call("run").code == 0
    asked = call("conflicts", "list", "--json").json
    return {each["held"]["left"]["text"].split()[0]: each for each in asked}


def numbers(said: Said) -> list[int]:
    """The questions that a choice was found for."""
    return [each["question"] for each in said.json["chosen"] if each["choice"] is not None]


def test_show_tells_base_both_sides_who_and_when(office: Office, call: Call) -> None:
    asked = quarrel(office, call)["Paint"]

    shown = call("conflicts", "show", str(asked["id"]))

    assert shown.code == 0
    for text in ("Paint left", "Paint right", "last agreed: Paint", "asked 20"):
        assert text in shown.out
    assert asked["left_edit"]["by"]
    assert asked["left_edit"]["is_record"] is False
    assert asked["right_edit"]["is_record"] is True
    assert f"edited {asked['left_edit']['at'][:10]}" in shown.out
    assert "record last edited" in shown.out


def test_all_alike_are_shown_first_and_chosen_when_that_is_said(office: Office, call: Call) -> None:
    asked = quarrel(office, call)
    number = str(asked["Paint"]["id"])
    everyone = sorted(each["id"] for each in asked.values())

    preview = call("conflicts", "resolve", number, "--take", "right", "--all-alike", "--preview")
    waiting = call("conflicts", "resolve", number, "--take", "right", "--all-alike", "--json")
    assert "2 of 2 questions can be settled so." in preview.out
    assert waiting.json["is_stored"] is False
    assert {each["choice"] is None for each in call("conflicts", "list", "--json").json} == {True}
    stored = call("conflicts", "resolve", number, "--take", "right", "--all-alike", "--yes", "--json")
    call("run")

    assert sorted(numbers(stored)) == sorted(numbers(waiting)) == everyone
    assert set(office.tasks()) == {"Paint right", "Print right"}
    assert call("conflicts", "list", "--json").json == []


@pytest.mark.parametrize("which", [("--field", "title", "--sync", "tickets"), ("--all",)], ids=" ".join)
def test_a_field_or_everything_is_settled_at_once(office: Office, call: Call, which: tuple[str, ...]) -> None:
    quarrel(office, call)

    said = call("conflicts", "resolve", *which, "--leave", "--yes", "--json")
    call("run")

    assert len(numbers(said)) == 2
    assert set(office.tasks()) == {"Paint left", "Print left"}
    assert set(office.tickets()) == {"Paint right", "Print right"}
    assert call("run", "--json").json["tickets"]["plan"]["steps"] == []
    assert call("conflicts", "list", "--json").json == []


def test_a_choice_is_taken_back(office: Office, call: Call) -> None:
    number = str(quarrel(office, call)["Paint"]["id"])
    call("conflicts", "resolve", number, "--take", "left")
    assert "Take it back" in call("conflicts", "show", number).out

    undone = call("conflicts", "undo", number, "--json")
    call("run")

    assert undone.json["choice"] is None
    assert "Paint left" in office.tasks()
    assert "Paint right" in office.tickets()
    assert call("conflicts", "undo", number).code == 2


def test_what_is_not_clear_is_refused(office: Office, call: Call) -> None:
    quarrel(office, call)

    for arguments in (
        ("resolve", "--take", "left"),
        ("resolve", "1"),
        ("resolve", "1", "--take", "left", "--leave"),
        ("resolve", "1", "--all", "--take", "left"),
        ("resolve", "--all", "--take", "left", "--next-time"),
        ("resolve", "1", "--leave", "--next-time"),
        ("resolve", "1", "--answer", "delete"),
        ("resolve", "99", "--take", "left"),
        ("show", "99"),
        ("simulate", "--sync", "tickets", "--field", "nmae", "--policy", "left"),
    ):
        said = call("conflicts", *arguments)
        assert said.code == 2, arguments
        assert "Error:" in said.err
    assert {each["choice"] is None for each in call("conflicts", "list", "--json").json} == {True}


def test_a_rule_is_tried_on_the_past_and_then_made(office: Office, call: Call) -> None:
    asked = quarrel(office, call)
    call("conflicts", "resolve", str(asked["Paint"]["id"]), "--take", "left")
    call("run")
    about = ("--sync", "tickets", "--field", "name")

    tried = call("conflicts", "simulate", *about, "--policy", "right", "--json")
    told = call("conflicts", "simulate", *about, "--policy", "left")
    unsaved = call("conflicts", "rule", *about, "--policy", "left", "--json")
    assert call("conflicts", "list", "--json").json != []
    saved = call("conflicts", "rule", *about, "--policy", "left", "--yes", "--json")
    call("run")

    counts = {name: tried.json[name] for name in ("past", "settled", "to_left", "judged", "agreed")}
    assert counts == {"past": 2, "settled": 2, "to_left": 2, "judged": 1, "agreed": 0}
    assert "agrees with 1" in told.out
    assert unsaved.json["version"] is None
    assert saved.json["version"] == 2
    assert set(office.tasks()) == set(office.tickets()) == {"Paint left", "Print left"}
    assert call("conflicts", "list", "--json").json == []


def test_next_time_the_side_that_was_taken_wins(office: Office, call: Call) -> None:
    asked = quarrel(office, call)
    number = str(asked["Paint"]["id"])

    done = call("conflicts", "resolve", number, "--take", "right", "--next-time", "--json")
    assert done.json["decided_too"] == [asked["Print"]["id"]]
    call("run")
    for task in office.tasks().values():
        office.in_activecollab("update_task", task=task["id"], name=f"{task['name']} again")
    for ticket in office.tickets().values():
        title = ticket["properties"]["title"]
        office.in_highlevel(
            "update_record", object=TICKET, id=ticket["id"], properties={"title": f"{title} wins"}
        )
    call("run")

    assert done.json["version"] == 2
    assert set(office.tasks()) == set(office.tickets()) == {"Paint right wins", "Print right wins"}
    version = call("versions", "--json").json
    assert any(f"question {number}" in str(each) for each in version)
    lost = [
        entry["lost"]["text"]
        for entry in call("history", str(next(iter(office.tasks().values()))["id"]), "--json").json
        if entry["rule"] == "right_wins"
    ]
    assert lost[-1].endswith("again")


def test_a_rule_made_of_an_answer_names_what_it_decides_too(office: Office, call: Call) -> None:
    asked = quarrel(office, call)

    said = call("conflicts", "resolve", str(asked["Paint"]["id"]), "--take", "left", "--next-time")

    assert "version 2 is in force" in said.out
    assert f"decides by it, too, what else is asked about this field: {asked['Print']['id']}." in said.out


def test_where_no_question_fits_that_is_said_once(office: Office, call: Call) -> None:
    quarrel(office, call)

    none = call("conflicts", "resolve", "--field", "due_on", "--leave")
    preview = call("conflicts", "resolve", "--all", "--leave", "--preview")

    assert (none.code, none.out) == (0, "No open question fits.\n")
    assert preview.out.count("2 of 2 questions can be settled so.") == 1
    assert "Leave --preview out to choose." in preview.out


def test_a_value_without_counterpart_is_typed_or_left(office: Office, call: Call) -> None:
    sync = left_is_activecollab(office.project)
    sync["fields"][3]["values"] = [[False, "Open"]]
    office.write(sync)
    tasks = [office.in_activecollab("create_task", project=office.project, name=name)["id"] for name in NAMES]
    call("run")
    for task in tasks:
        office.in_activecollab("complete_task", task=task)
    call("run")
    first, second = (str(each["id"]) for each in call("conflicts", "list", "--json").json)

    assert "--value-for" in call("conflicts", "show", first).out
    assert call("conflicts", "resolve", first, "--value-for", "right", "Done").code == 0
    assert call("conflicts", "resolve", second, "--leave").code == 0
    call("run")

    assert {each["properties"]["status"] for each in office.tickets().values()} == {"done", "open"}
    assert call("conflicts", "list", "--json").json == []
    assert call("run", "--json").json["tickets"]["plan"]["steps"] == []
