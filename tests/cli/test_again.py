"""Brakes, retries and resyncs over two real sandbox accounts, from the command line."""

from __future__ import annotations

from typing import Any

from tests.cli.conftest import Call
from tests.cli.office import Office, left_is_activecollab


def braked(office: Office) -> dict[str, Any]:
    """The office's sync with its brakes on from the first record."""
    return {**left_is_activecollab(office.project), "brakes": {"at_least": 1}}


def painted(office: Office, call: Call, *names: str) -> list[int]:
    """Linked tasks."""
    ids = [office.in_activecollab("create_task", project=office.project, name=name)["id"] for name in names]
    assert call("run").code == 0
    return ids


def test_a_brake_is_listed_released_once_and_armed_again(office: Office, call: Call) -> None:
    office.write(braked(office))
    (first, *_) = painted(office, call, "Paint", "Print")
    office.in_activecollab("update_task", task=first, name="Paint it")
    office.in_activecollab("update_task", task=first + 1, name="Print it")

    stopped = call("run", "--json")
    listed = {each["name"]: each for each in call("brakes", "list", "--json").json["tickets"]}
    released = call("brakes", "release", "all_changed", "--json")
    waiting = {each["name"]: each for each in call("brakes", "list", "--json").json["tickets"]}
    gone_through = call("run", "--json")
    after = {each["name"]: each for each in call("brakes", "list", "--json").json["tickets"]}

    assert stopped.code == 4
    assert listed["all_changed"]["state"] == "armed"
    assert (
        listed["all_changed"]["last"]["sentence"] == "All 2 linked records changed on the left side at once."
    )
    assert released.json["is_for_good"] is False
    assert waiting["all_changed"]["state"] == "released_once"
    assert gone_through.code == 0
    assert [each["name"] for each in gone_through.json["tickets"]["plan"]["released"]] == ["all_changed"]
    assert (after["all_changed"]["state"], after["all_changed"]["last"]["is_released"]) == ("armed", True)
    assert set(office.tickets()) == {"Paint it", "Print it"}


def test_a_brake_goes_off_for_good_until_it_is_armed(office: Office, call: Call) -> None:
    call("brakes", "release", "changes", "--for-good")
    off = call("brakes", "list")
    armed = call("brakes", "arm", "changes", "--json")

    assert "off (command)" in off.out
    assert armed.json["state"] == "armed"
    assert call("brakes", "release", "empty_side", "--for-good").code == 2
    assert call("brakes", "release", "changes", "--once", "--for-good").code == 2
    assert call("brakes", "release", "changes", "--sync", "nothing").code == 2


def test_another_address_is_another_account(office: Office, call: Call) -> None:
    painted(office, call, "Paint")
    there = office.activecollab["base_url"].replace("127.0.0.1", "localhost")
    office.config.write_text(office.config.read_text().replace(office.activecollab["base_url"], there))

    said = call("plan", "--json")

    assert said.code == 4
    assert [each["name"] for each in said.json["tickets"]["brakes"]] == ["scope_changed"]
    assert "the left account was" in said.json["tickets"]["brakes"][0]["sentence"]


def test_a_parked_record_is_listed_and_retried_at_once(office: Office, call: Call) -> None:
    (task,) = painted(office, call, "Paint")
    office.in_activecollab("update_task", task=task, name="Paint it")
    office.refuse_in_highlevel("PUT")

    assert call("run").code == 5
    listed = call("parked", "--json").json["tickets"]
    retried = call("retry", str(task), "--run", "--json")
    assert retried.json["tickets"]["report"]["chosen"] == {"left": 1, "right": 1}

    assert [(each["attempts"], each["due"]) for each in listed] == [(1, None)]
    assert listed[0]["code"].startswith("rejected")
    assert retried.code == 0
    assert len(retried.json["tickets"]["due"]) == 1
    assert retried.json["tickets"]["report"]["right"]["updated"] == 1
    assert call("parked", "--json").json["tickets"] == []
    assert set(office.tickets()) == {"Paint it"}


def test_a_record_is_resynced_by_its_id_on_either_side(office: Office, call: Call) -> None:
    first, second = painted(office, call, "Paint", "Print")
    office.in_activecollab("update_task", task=first, name="Paint it")
    office.in_activecollab("update_task", task=second, name="Print it")
    ticket = office.tickets()["Paint"]["id"]

    said = call("resync", ticket, "--json")

    assert said.code == 0
    report = said.json["tickets"]
    assert report["chosen"] == {"left": 1, "right": 1}
    assert report["right"]["updated"] == 1
    assert report["calls_right"] == 2  # a look and a write; ActiveCollab must first find the task's project
    assert set(office.tickets()) == {"Paint it", "Print"}


def test_records_are_resynced_by_what_they_hold_and_all_of_them(office: Office, call: Call) -> None:
    first, second = painted(office, call, "Paint", "Print")
    office.in_activecollab("update_task", task=first, due_on="2026-12-24")
    office.in_activecollab("update_task", task=second, due_on="2026-12-25")

    one = call("resync", "--where", "name=paint", "--json")
    told = call("resync", str(first))
    rest = call("resync", "--all")

    assert one.json["tickets"]["right"]["updated"] == 1
    assert "read 1 record left and 1 right directly; nothing else was listed" in told.out
    assert "looked at" not in told.out
    assert "looked at 2 records left and 2 right" in rest.out
    assert "1 updated" in rest.out
    assert call("run", "--json").json["tickets"]["plan"]["steps"] == []


def test_what_is_to_be_done_again_must_be_said(office: Office, call: Call) -> None:
    assert call("resync").code == 2
    assert call("resync", "1", "--all").code == 2
    assert call("resync", "--where", "name").code == 2
    assert call("resync", "--where", "colour=red").code == 2
    assert call("resync", "no-such-record").code == 2
    assert call("retry").code == 2
    assert call("retry", "--all").out.strip() == "No parked record fits."
    assert call("parked").out.strip() == "Nothing is parked."
    assert call("parked", "--sync", "nothing").code == 2


def test_a_new_record_is_fetched_by_its_id(office: Office, call: Call) -> None:
    painted(office, call, "Paint")
    new = office.in_activecollab("create_task", project=office.project, name="Post")["id"]

    said = call("resync", str(new), "--sync", "tickets", "--json")

    assert said.json["tickets"]["right"]["created"] == 1
    assert said.json["tickets"]["chosen"] == {"left": 1, "right": 1}  # asked on both sides
    assert set(office.tickets()) == {"Paint", "Post"}


def test_a_write_without_an_answer_shows_in_status_until_a_look_settles_it(
    office: Office, call: Call
) -> None:
    (task,) = painted(office, call, "Paint")
    office.in_activecollab("update_task", task=task, due_on="2026-12-24")
    office.cut_off_in_highlevel("PUT")

    cut = call("run", "--json")
    status, told = call("status", "--json").json["tickets"], call("status").out
    (found,) = call("explain", str(task), "--json").json
    looked = call("run", "--json").json["tickets"]

    assert cut.code == 5
    assert (status["unknown"], status["parked"]) == (1, [])
    assert "without known outcome 1; the next run looks before it writes again" in told
    assert any("has no known outcome yet" in sentence for sentence in found["sentences"])
    assert (looked["right"]["updated"], looked["unknown"]) == (0, 0)  # it had been done
    assert call("status", "--json").json["tickets"]["unknown"] == 0
    assert "without known outcome" not in call("status").out
    assert office.tickets()["Paint"]["properties"]["due_date"] == "2026-12-24"


def test_a_pulled_brake_shows_in_status_and_holds_nothing_twice(office: Office, call: Call) -> None:
    office.write({**braked(office), "brakes": {"at_least": 1, "deletes": "20%"}})
    first, *_ = painted(office, call, "Paint", "Print", "Post")
    office.in_activecollab("trash_task", task=first)

    stopped = call("run")
    status, told = call("status", "--json").json["tickets"], call("status")

    assert stopped.code == 4
    assert stopped.out.count("held: Paint") == 1
    assert [each["name"] for each in status["brakes"]] == ["deletes"]
    assert "stopped by a brake" in told.out
    assert "deletes: 1 of 3 linked records are gone" in told.err
    call("run", "--release", "deletes")
    assert call("status", "--json").json["tickets"]["brakes"] == []


def test_what_a_person_does_about_brakes_and_retries_is_in_the_audit_trail(
    office: Office, call: Call
) -> None:
    (task,) = painted(office, call, "Paint")
    call("brakes", "arm", "changes")
    call("brakes", "release", "changes", "--for-good")
    call("brakes", "arm", "changes")
    office.in_activecollab("update_task", task=task, name="Paint it")
    office.refuse_in_highlevel("PUT", 3)
    call("run")
    call("retry", str(task))
    call("retry", "--code", "rejected", "--run")
    call("retry", "--all")

    entries = call("audit", "--json").json["entries"]

    noted = [(each["kind"], each["subject"]) for each in entries if each["sync"]]
    assert noted == [
        ("brakes_released", "changes"),
        ("brake_armed", "changes"),
        ("retried", str(task)),
        ("retried", "rejected"),
        ("retried", "all"),
    ]
    assert call("audit", "--kind", "brake_armed", "--verify").code == 0


def test_what_is_to_be_retried_must_be_known(office: Office, call: Call) -> None:
    (task,) = painted(office, call, "Paint")

    unknown = call("retry", "Pain", "--json")
    code = call("retry", "--code", "rejcted", "--json")
    office.in_activecollab("update_task", task=task, name="Paint it")
    office.refuse_in_highlevel("PUT")
    call("run")

    assert (unknown.code, unknown.json["error"]["code"]) == (2, "usage.unknown_record")
    assert f"{task} (Paint, left)" in unknown.json["error"]["remedy"]
    assert (code.code, code.json["error"]["code"]) == (2, "usage.bad_value")
    (parked,) = call("parked", "--json").json["tickets"]
    assert parked["remedy"] == call("errors", parked["code"], "--json").json["remedy"]
    sentences = call("explain", str(task), "--json").json[0]["sentences"]
    assert any("refused. Mend it" in sentence for sentence in sentences)
