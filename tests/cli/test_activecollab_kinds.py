"""ActiveCollab's object types beyond tasks in whole runs over two real sandbox accounts, from the command line."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Call
from tests.cli.office import TICKET, Office

DATE = {"value": 1.5, "record_date": "2026-03-05", "job_type_id": 1}


def joined(kind: str, where: dict[str, Any], *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "left": {"connection": "ac", "object": kind, "where": where},
        "right": {"connection": "hl", "object": TICKET},
        "match": {"on": [[lines[0]["left"], lines[0]["right"]]], "mode": "match_then_create"},
        "fields": list(lines),
        "conflicts": "newest",
        "deletes": "ask",
        "brakes": {"at_least": 100},
        **more,
    }


@pytest.mark.parametrize("kind", ["note", "discussion", "company"])
def test_records_go_both_ways_with_edits_and_new_ones(office: Office, call: Call, kind: str) -> None:
    where: dict[str, Any] = {"role": "client"} if kind == "company" else {"project": [office.project]}
    home = {} if kind == "company" else {"project": office.project}
    office.write(joined(kind, where, {"left": "name", "right": "title"}))
    made = office.in_activecollab(f"create_{kind}", name="Übergabe", **home)["id"]
    assert call("run").code == 0
    record = office.tickets()["Übergabe"]

    office.in_activecollab(f"update_{kind}", **{kind: made}, name="Übergeben")
    office.in_highlevel("create_record", object=TICKET, properties={"title": "From there"})
    office.advance(60)
    assert call("run").code == 0
    office.in_highlevel("update_record", object=TICKET, id=record["id"], properties={"title": "Back again"})
    office.advance(60)
    assert call("run").code == 0

    listed = call("run", "--json").json["tickets"]["plan"]
    assert {"Back again", "From there"} <= set(office.tickets())
    assert not listed["steps"], listed["steps"]


def test_time_goes_one_way_into_a_custom_object(office: Office, call: Call) -> None:
    lines = (
        {"left": "summary", "right": "title", "direction": "to_right"},
        {"left": "record_date", "right": "due_date", "direction": "to_right"},
    )
    office.write(joined("time_record", {"project": [office.project]}, *lines))
    made = office.in_activecollab("create_time_record", project=office.project, summary="Digging", **DATE)[
        "id"
    ]
    assert call("run").code == 0
    office.in_activecollab("update_time_record", time_record=made, summary="Digging on")
    office.advance(60)

    assert call("run").code == 0

    (record,) = office.tickets().values()
    assert record["properties"]["title"] == "Digging on"
    assert record["properties"]["due_date"].startswith("2026-03-05")


def test_an_expense_that_would_have_to_be_written_is_refused_before_anything_runs(
    office: Office, call: Call
) -> None:
    office.write(joined("expense", {"project": [office.project]}, {"left": "summary", "right": "title"}))

    said = call("plan")

    assert said.code != 0
    assert (
        "read-only" in (said.out + said.err).lower() or "cannot be written" in (said.out + said.err).lower()
    )
