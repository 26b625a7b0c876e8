"""Links from the command line: found, made, moved, cut and refused over two real sandbox accounts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Call
from tests.cli.office import TICKET, Office, left_is_activecollab


def ticket(office: Office, title: str) -> str:
    """A ticket made in HighLevel's web app; answers its id."""
    office.in_highlevel("create_record", object=TICKET, properties={"title": title})
    return str(office.tickets()[title]["id"])


def task(office: Office, name: str, **fields: object) -> str:
    """A task made in ActiveCollab's web app; answers its id."""
    return str(office.in_activecollab("create_task", project=office.project, name=name, **fields)["id"])


@pytest.fixture
def matching(office: Office) -> Office:
    """A sync that only matches."""
    sync = left_is_activecollab(office.project)
    office.write({**sync, "match": {**sync["match"], "mode": "match_only"}})
    return office


def links(call: Call, *options: str) -> list[Any]:
    """One list as JSON."""
    return call("links", "list", "--json", *options).json["tickets"]


def test_two_names_of_one_thing_are_found_linked_and_followed(matching: Office, call: Call) -> None:
    left = task(matching, "Paint the garden fence", due_on="2026-12-24")
    right = ticket(matching, "Garden fence: paint")
    call("run")
    assert len(links(call, "--waiting")) == 2

    (found,) = call("links", "candidates", left, "--json").json["tickets"]
    shown = call("links", "candidates", left)
    linked = call("links", "link", left, right, "--json")
    again = call("links", "link", left, right)
    call("run")

    assert (found["left"], found["right"], found["by"]) == (left, right, "")
    assert 0.4 < found["score"] < 1
    assert "% alike" in shown.out
    assert linked.json["is_new"]
    assert "It was so already" in again.out
    (tied,) = links(call)
    assert (tied["left"]["key"], tied["right"]["key"]) == (left, right)
    assert matching.tickets()["Garden fence: paint"]["properties"]["due_date"] == "2026-12-24"
    (question,) = call("conflicts", "list", "--json").json  # the name asks, and nobody's is lost
    assert question["held"]["field"] == "name ↔ title"


def test_twins_are_a_question_that_a_person_answers(office: Office, call: Call) -> None:
    left = task(office, "Door")
    first, second = ticket(office, "Door"), ""
    office.in_highlevel("create_record", object=TICKET, properties={"title": "Door"})
    call("run")
    questions = call("conflicts", "list", "--json").json
    keys = {question["held"]["right_key"] for question in questions} - {None}
    first, second = sorted(keys)

    (group,) = links(call, "--ambiguous")
    about = next(question["id"] for question in questions if question["held"]["left_key"] == left)
    shown = call("conflicts", "show", str(about))
    as_json = call("conflicts", "show", str(about), "--json").json
    parted = call("links", "apart", left, first, "--reason", "the back door", "--json").json
    assert (parted["rule"], parted["left"], parted["right"]) == ("kept_apart", left, first)
    call("run")

    assert {each["key"] for each in group["right"]} == {first, second}
    assert "syncline links link" in shown.out
    assert {each["right"] for each in as_json["candidates"]} == {first, second}
    assert [(each["left"]["key"], each["right"]["key"]) for each in links(call)] == [(left, second)]
    assert [each["reason"] for each in links(call, "--apart")] == ["the back door"]
    assert len(office.tasks()) == 1  # the other twin is not copied before somebody says so
    assert call("links", "copy", first, "--json").json["rule"] == "copied_by_hand"
    assert call("run", "--json").json["tickets"]["left"]["created"] == 1
    assert call("conflicts", "list", "--json").json == []


def test_a_link_is_moved_and_cut_and_nothing_is_deleted(matching: Office, call: Call) -> None:
    left, old = task(matching, "Door", due_on="2026-12-24"), ticket(matching, "Door")
    new = ticket(matching, "Portal")
    call("run")

    moved = call("links", "relink", left, new, "--json").json
    call("run")
    cut = call("links", "unlink", left)
    report = call("run", "--json").json["tickets"]

    assert (moved["left"], moved["right"], moved["released"]) == (left, new, old)
    assert matching.tickets()["Portal"]["properties"]["due_date"] == "2026-12-24"
    assert "Both records stay" in cut.out
    assert report["plan"]["steps"] == []
    assert {each["key"] for each in links(call, "--released")} == {left, old, new}
    assert (set(matching.tasks()), set(matching.tickets())) == ({"Door"}, {"Door", "Portal"})
    told = [entry["rule"] for entry in call("history", left, "--json").json if not entry["field"]]
    assert told == ["linked", "unlinked_by_hand", "linked_by_hand", "unlinked_by_hand"]


def test_a_refused_relink_is_no_failed_run(matching: Office, call: Call) -> None:
    left, _ = task(matching, "Door"), ticket(matching, "Door")
    run = call("run", "--json").json["tickets"]["run"]

    refused = call("links", "relink", left, "nope", "--json")

    assert (refused.code, refused.json["error"]["code"]) == (2, "setup")
    (found,) = call("explain", left, "--json").json
    assert not [sentence for sentence in found["sentences"] if "did not come to its end" in sentence]
    assert call("status", "--json").json["tickets"]["last"]["id"] == run
    assert "done" in call("status").out


def test_what_is_done_by_hand_hides_no_pulled_brake(matching: Office, call: Call) -> None:
    left, _ = task(matching, "Door"), ticket(matching, "Door")
    spare = [task(matching, f"Gate {number}") for number in range(12)]
    call("run")
    matching.write({**left_is_activecollab(matching.project), "brakes": {"changes": "10%", "at_least": 1}})
    call("apply", "--yes")
    matching.in_activecollab("update_task", task=int(left), due_on="2026-12-24")
    assert call("run").code == 4

    for each in spare:
        call("links", "release", each)

    (found,) = call("explain", left, "--json").json
    assert [sentence for sentence in found["sentences"] if "A brake stopped the last run" in sentence]
    pulled = {each["name"] for each in call("brakes", "list", "--json").json["tickets"] if each["last"]}
    assert pulled == {"all_changed"}


def test_a_record_that_is_gone_is_not_unlinked_once_more(matching: Office, call: Call) -> None:
    left, right = task(matching, "Door"), ticket(matching, "Door")
    task(matching, "Gate"), ticket(matching, "Gate")
    call("run")
    matching.in_activecollab("trash_task", task=int(left))
    matching.in_highlevel("delete_record", object=TICKET, id=right)
    call("run")

    said = call("links", "unlink", left)

    assert said.code == 2
    assert "is gone" in said.err
    assert "Both records stay" not in said.out


def test_a_released_record_takes_part_again_when_it_is_recalled(matching: Office, call: Call) -> None:
    left = task(matching, "Door")
    call("run")

    assert call("links", "release", left, "--json").json["rule"] == "released_by_hand"
    assert call("run", "--json").json["tickets"]["plan"]["held"] == []
    call("links", "release", left, "--undo")

    assert len(call("run", "--json").json["tickets"]["plan"]["held"]) == 1


def test_refusals_say_what_is_so_and_what_to_do(matching: Office, call: Call) -> None:
    left, right = task(matching, "Door"), ticket(matching, "Door")
    other, gone = task(matching, "Gate"), ticket(matching, "Gone")
    call("run")
    matching.in_highlevel("delete_record", object=TICKET, id=gone)

    taken = call("links", "link", other, right)
    deleted = call("links", "link", other, gone)
    unknown = call("links", "unlink", "999999")
    free = call("links", "unlink", other, "--json")
    both = call("links", "list", "--waiting", "--released")

    assert {each.code for each in (taken, deleted, unknown, free, both)} == {2}
    assert f"linked with '{left}' (Door)" in taken.err
    assert f"syncline links unlink {right}" in taken.err
    assert "is not there" in deleted.err
    assert "knows no record '999999'" in unknown.err
    assert "not linked" in free.json["error"]["message"]
