"""HighLevel's documents in a sync: their status is copied, and nothing is ever written to them."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from tests.cli.conftest import Call
from tests.cli.office import TICKET, Office

SYNC = {
    "left": {"connection": "hl", "object": "documents"},
    "right": {"connection": "hl", "object": TICKET},
    "match": {"on": [["name", "title"]], "mode": "match_then_create"},
    "fields": [
        {"left": "name", "right": "title", "direction": "to_right"},
        {
            "left": "status",
            "right": "status",
            "direction": "to_right",
            "values": [["sent", "Open"], ["completed", "Done"]],
        },
    ],
    "deletes": "ask",
    "brakes": {"at_least": 100},
}


def contract(office: Office, name: str) -> dict[str, Any]:
    recipient = {"email": "ada@example.test", "first_name": "Ada"}
    return office.in_highlevel("create_document", name=name, recipients=[recipient], is_sent=True)


def statuses(office: Office) -> dict[str, str]:
    return {title: each["properties"].get("status", "") for title, each in office.tickets().items()}


def writes_to_documents(office: Office) -> list[str]:
    with urllib.request.urlopen(f"{office.highlevel['control_url']}requests", timeout=10) as answer:  # noqa: S310 - loopback
        paths = [(each["method"], each["path"]) for each in json.load(answer)["requests"]]
    return [path for method, path in paths if method != "GET" and path.startswith("/proposals")]


def test_a_status_comes_back_from_highlevel_and_nothing_goes_there(office: Office, call: Call) -> None:
    office.write(SYNC)
    one = contract(office, "Contract 1")
    contract(office, "Contract 2")

    assert call("run").code == 0
    assert statuses(office) == {"Contract 1": "open", "Contract 2": "open"}

    office.in_highlevel("sign_document", id=one["_id"])
    office.in_highlevel("create_record", object=TICKET, properties={"title": "Made on the right"})
    assert call("run").code == 0

    assert statuses(office).get("Contract 1") == "done"
    again = call("run", "--json").json["tickets"]
    assert again["plan"]["steps"] == again["failures"] == []
    assert writes_to_documents(office) == []


def test_a_deleted_document_asks_before_its_record_goes(office: Office, call: Call) -> None:
    office.write(SYNC)
    made = [contract(office, f"Contract {number}") for number in range(3)]
    assert call("run").code == 0
    office.in_highlevel("delete_document", id=made[0]["_id"])
    assert call("run").code == 0

    (waiting,) = call("deletes", "list", "--json").json

    assert (waiting["proof"], waiting["gone"]) == ("trashed", "left")
    assert call("deletes", "approve", str(waiting["question"])).code == 0
    call("run")
    assert set(statuses(office)) == {"Contract 1", "Contract 2"}


def test_a_deleted_record_never_deletes_its_document(office: Office, call: Call) -> None:
    office.write({**SYNC, "deletes": "propagate"})
    for number in range(3):
        contract(office, f"Contract {number}")
    assert call("run").code == 0
    office.in_highlevel("delete_record", object=TICKET, id=office.tickets()["Contract 1"]["id"])

    said = call("run", "--json")

    (failure,) = said.json["tickets"]["failures"]
    assert (said.code, failure["code"]) == (5, "rejected.unsupported")
    assert "cannot be written" in failure["message"]
    assert writes_to_documents(office) == []


@pytest.mark.parametrize("direction", ["both", "to_left"])
def test_a_field_that_would_be_written_is_refused_with_the_reason(
    office: Office, call: Call, direction: str
) -> None:
    line = {"left": "name", "right": "title", "direction": direction}
    office.write({**SYNC, "fields": [line]})

    said = call("plan")

    assert said.code == 2
    assert "read only" in said.err.lower() or "read-only" in said.err.lower(), said.err
