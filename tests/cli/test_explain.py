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


def test_after_both_were_deleted_it_tells_when_each_was_found_gone_and_what_closed_the_link(
    office: Office, call: Call
) -> None:
    office.in_activecollab("create_task", project=office.project, name="Stays")
    task = office.in_activecollab("create_task", project=office.project, name="Paint")["id"]
    call("run")
    ticket = office.tickets()["Paint"]["id"]
    office.in_activecollab("trash_task", task=task)
    first = call("run", "--json").json["tickets"]["run"]
    (asked,) = call("explain", str(task), "--json").json
    office.in_highlevel("delete_record", object=TICKET, id=ticket)
    second = call("run", "--json").json["tickets"]["run"]

    for key, here, there in ((str(task), "left", "right"), (ticket, "right", "left")):
        (found,) = call("explain", key, "--json").json
        gone = {each["side"]: each for each in found["gone"]}

        assert [each["side"] for each in found["gone"]] == [here, there]
        assert (gone["left"]["proof"], gone["left"]["run"]) == ("trashed", first)
        assert gone["left"]["by"] == "owner@example.test"
        assert (gone["right"]["proof"], gone["right"]["run"]) == ("not_found", second)
        (end,) = found["past"]
        assert (end["rule"], end["run"], end["left_key"], end["right_key"]) == (
            "deleted_both",
            second,
            str(task),
            ticket,
        )
        text = call("explain", key).out
        assert f"It was linked: {task} on the left, {ticket} on the right." in text
        assert "Proof: left: trashed" in text
        assert "not seen" not in text
    assert [(each["side"], each["run"]) for each in asked["gone"]] == [("left", first)]
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).isoformat()
    (then,) = call("history", str(task), "--at", later, "--json").json
    assert set(then["gone"]) == {"left", "right"}


def test_an_undo_of_nothing_offers_no_undo_of_itself(
    office: Office, call: Call, moved: tuple[str, str]
) -> None:
    task, run = moved
    office.in_activecollab("update_task", task=int(task), due_on="2026-12-24")
    call("run")
    nothing = call("undo", run)

    assert "0 taken back, 1 as before already" in nothing.out
    assert "takes it back" not in nothing.out
