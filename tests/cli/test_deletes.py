"""The approval queue of deletions on two sandbox accounts: shown with its proof, approved, restored, emptied by itself."""

from __future__ import annotations

from tests.cli.conftest import Call
from tests.cli.office import TICKET, Office


def trash(office: Office, call: Call, *names: str) -> list[int]:
    """Records linked with `Stays`, and then these trashed on the left."""
    office.in_activecollab("create_task", project=office.project, name="Stays")
    tasks = [office.in_activecollab("create_task", project=office.project, name=name)["id"] for name in names]
    assert call("run").code == 0
    for task in tasks:
        office.in_activecollab("trash_task", task=task)
    assert call("run").code == 0
    return tasks


def test_the_queue_tells_the_proof_and_an_approval_deletes(office: Office, call: Call) -> None:
    trash(office, call, "Paint")

    (waiting,) = call("deletes", "list", "--json").json
    shown = call("deletes", "show", str(waiting["question"]))
    assert (waiting["proof"], waiting["gone"], waiting["edits"]) == ("trashed", "left", [])
    assert "@" in waiting["deleted_by"]
    assert waiting["deleted_at"]
    for text in (
        "it lies in the trash",
        f"by {waiting['run']}",
        waiting["deleted_by"],
        "unchanged here since",
    ):
        assert text in shown.out
    approved = call("deletes", "approve", str(waiting["question"]))
    assert approved.code == 0
    assert call("deletes", "list", "--json").json[0]["answer"] == "delete"
    call("run")

    assert set(office.tickets()) == {"Stays"}
    assert call("deletes", "list", "--json").json == []
    entries = call("history", str(waiting["gone_key"]), "--json").json
    (proof,) = [each["new"] for each in entries if each["field"] == "" and each["rule"] == "resolved"]
    assert proof["text"].startswith("left: trashed, it lies in the trash, read ")
    assert waiting["deleted_by"] in proof["text"]


def test_what_is_restored_in_the_trash_leaves_the_queue_by_itself(office: Office, call: Call) -> None:
    task, _ = trash(office, call, "Paint", "Print")
    approved = call("deletes", "approve", "--all", "--json").json
    assert [each["choice"] for each in approved] == ["delete", "delete"]
    office.in_activecollab("restore_task", task=task)

    call("run")

    assert set(office.tickets()) == {"Stays", "Paint"}
    assert call("deletes", "list", "--json").json == []


def test_a_record_is_restored_or_released(office: Office, call: Call) -> None:
    trash(office, call, "Paint", "Print")
    first, second = (each["question"] for each in call("deletes", "list", "--json").json)

    shown = call("deletes", "show", str(first), "--json").json
    (restored,) = call("deletes", "restore", str(first), "--json").json
    (released,) = call("deletes", "release", str(second), "--json").json
    assert (shown["title"], shown["proof"], shown["answer"]) == ("Paint", "trashed", None)
    assert (restored["choice"], restored["refusal"]) == ("restore", "")
    assert (released["choice"], released["question"]) == ("release", second)
    call("run")

    assert set(office.tasks()) == {"Stays", "Paint"}
    assert set(office.tickets()) == {"Stays", "Paint", "Print"}
    assert call("run", "--json").json["tickets"]["plan"]["steps"] == []


def test_an_answer_is_taken_back_and_what_is_unclear_is_refused(office: Office, call: Call) -> None:
    trash(office, call, "Paint")
    number = str(call("deletes", "list", "--json").json[0]["question"])
    call("deletes", "approve", number)
    assert call("conflicts", "undo", number).code == 0
    office.in_highlevel(
        "update_record",
        object=TICKET,
        id=office.tickets()["Paint"]["id"],
        properties={"due_date": "2026-12-24"},
    )

    call("run")

    # The edit beats the deletion: the record came back, and nothing waits any more.
    assert set(office.tasks()) == {"Stays", "Paint"}
    for arguments in (("approve",), ("approve", number, "--all"), ("approve", "99"), ("show", "99")):
        assert call("deletes", *arguments).code == 2
    closed = [call("deletes", "approve", number), call("conflicts", "resolve", number, "--answer", "delete")]
    assert [(each.code, f"Question {number} is closed" in each.err) for each in closed] == [(2, True)] * 2
    assert "There is no question 99" in call("deletes", "show", "99").err
    assert call("deletes", "list").out.strip() == "No deletion waits for approval."
