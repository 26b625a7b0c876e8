"""Why, what was, taking back and deciding again, over two real sandbox accounts."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Call
from tests.cli.office import TICKET, Office

DUE = "due_on ↔ due_date"


@pytest.fixture
def moved(office: Office, call: Call) -> tuple[str, str]:
    """A linked task whose new due date a run has carried over, and that run."""
    made = office.in_activecollab("create_task", project=office.project, name="Paint", due_on="2026-12-24")
    assert call("run").code == 0
    office.in_activecollab("update_task", task=made["id"], due_on="2026-12-31")
    run = call("run", "--json").json["tickets"]["run"]
    assert due_date(office) == "2026-12-31"
    return str(made["id"]), run


def due_date(office: Office) -> Any:
    """What HighLevel holds."""
    return office.tickets()["Paint"]["properties"]["due_date"]


def hide_the_vendors(office: Office) -> None:
    """From now on nobody answers."""
    settings = yaml.safe_load(office.config.read_text(encoding="utf-8"))
    for connection in settings["connections"].values():
        connection["url"] = "http://127.0.0.1:9"
    office.config.write_text(yaml.safe_dump(settings), encoding="utf-8")


def test_the_past_is_told_from_memory_with_both_vendors_out_of_reach(
    office: Office, call: Call, moved: tuple[str, str]
) -> None:
    task, run = moved
    hide_the_vendors(office)
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).isoformat()

    (found,) = call("explain", task, "--json").json
    in_words = call("explain", task, "due_date")
    (before,) = call("history", task, "--at", "2020-01-01", "--json").json
    (after,) = call("history", task, "--at", later, "--json").json
    again = call("replay", run, "--json")

    assert (found["title"], found["side"]) == ("Paint", "left")
    assert "It is linked" in found["sentences"][0]
    (due,) = (line for line in found["lines"] if line["name"] == DUE)
    assert (due["is_in_step"], due["history"][-1]["run"]) == (True, run)
    assert "'2026-12-24' became '2026-12-31'" in in_words.out
    assert "labels" not in in_words.out
    assert "is not mapped in this sync" in call("explain", task, "body").out
    assert "No record 'nope' is known" in call("explain", "nope").out

    assert {line["left"]["source"] for line in before["lines"]} == {"unknown"}
    (then,) = (line["right"] for line in after["lines"] if line["name"] == DUE)
    assert (then["value"]["day"], then["source"]) == ("2026-12-31", "written")
    assert "as of 2020-01-01 00:00:00 UTC" in call("history", task, "--at", "2020-01-01").out
    assert call("history", task, "--at", "yesterday").code == 2

    assert (again.json["decided"], again.json["same"], again.json["changes"]) == (1, 1, [])
    assert "1 decided again: 1 the same, 0 different" in call("replay", run).out
    assert (call("replay", "tickets-99").code, call("replay", "nobody").code) == (2, 2)


def test_a_run_is_taken_back_and_the_next_one_is_quiet(
    office: Office, call: Call, moved: tuple[str, str]
) -> None:
    _, run = moved
    shown = call("undo", run, "--dry-run")
    assert (shown.code, "1 would be taken back" in shown.out) == (0, True)
    assert due_date(office) == "2026-12-31"

    done = call("undo", run, "--json")

    assert (done.code, done.json["done"], done.json["undo"]["kept"]) == (0, 1, [])
    assert due_date(office) == "2026-12-24"
    assert call("run", "--json").json["tickets"]["plan"]["steps"] == []
    assert "stay apart in this field" in call("explain", office.tickets()["Paint"]["id"], "due_on").out
    assert call("undo", done.json["run"]).code == 0
    assert due_date(office) == "2026-12-31"


def test_what_was_edited_since_is_kept_and_an_unknown_target_refused(
    office: Office, call: Call, moved: tuple[str, str]
) -> None:
    ticket = office.tickets()["Paint"]["id"]
    office.in_highlevel("update_record", object=TICKET, id=ticket, properties={"due_date": "2027-01-15"})

    done = call("undo", ticket)

    assert done.code == 5
    assert "edited since (before 2026-12-24, written 2026-12-31, now 2027-01-15)" in done.out
    assert call("undo", "tickets-77").code == 2
