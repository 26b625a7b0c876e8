"""`syncline expression`, and syncs with filters and transforms that are expressions."""

from __future__ import annotations

from typing import Any

from tests.cli.conftest import Call
from tests.cli.office import TICKET, Office, left_is_activecollab


def with_expressions(project: int, **settings: Any) -> dict[str, Any]:
    """The sync of the office, with its titles marked on the right and a filter on the left."""
    sync = left_is_activecollab(project)
    sync["left"]["filter"] = "!name.startsWith('Private')"
    sync["fields"][0] |= {"to_right": "'AC ' + value", "to_left": "value.replace('AC ', '', 1)"}
    sync["match"] = {"on": [["name", "title"]], "mode": "match_then_create"}
    return {**sync, **settings}


def test_an_expression_is_tried_on_records(office: Office, call: Call) -> None:
    office.in_activecollab("create_task", project=office.project, name="Paint")
    said = call("expression", 'name.startsWith("P")', "--connection", "ac", "--object", "task", "--json")
    assert said.code == 0
    assert said.json == {
        "text": 'name.startsWith("P")',
        "faults": [],
        "gives": "bool",
        "reads": ["name"],
        "said": [{"about": "Paint", "answer": True, "reason": ""}],
    }


def test_a_transform_is_tried_on_a_value(office: Office, call: Call) -> None:
    of_name = ("--connection", "ac", "--object", "task", "--field", "name", "--value", "x")
    said = call("expression", "value + '!'", *of_name, "--json")
    assert said.json["said"] == [{"about": "x", "answer": "x!", "reason": ""}]
    assert '"x!"' in call("expression", "value + '!'", *of_name).out


def test_a_fault_points_at_its_column(office: Office, call: Call) -> None:
    said = call("expression", "is_completed && naem == 'x'", "--connection", "ac", "--object", "task")
    assert said.code == 2
    assert said.out.splitlines()[1:] == [
        "                ^",
        "column 17: there is no 'naem' here. Did you mean 'name'?",
    ]


def test_a_field_that_is_not_there_is_told(office: Office, call: Call) -> None:
    said = call("expression", "value", "--connection", "ac", "--object", "task", "--field", "nome", "--json")
    assert said.code == 2
    assert "has no field 'nome'" in said.json["error"]["message"]


def test_a_sync_goes_by_its_filter_and_its_transforms(office: Office, call: Call) -> None:
    office.write(with_expressions(office.project))
    office.in_activecollab("create_task", project=office.project, name="Paint")
    office.in_activecollab("create_task", project=office.project, name="Private: pay")
    assert call("run", "tickets", "--json").code == 0
    assert set(office.tickets()) == {"AC Paint"}
    office.in_highlevel("create_record", object=TICKET, properties={"title": "AC Sand", "status": "open"})
    office.advance(60)
    assert call("run", "tickets", "--json").code == 0
    assert set(office.tasks()) == {"Paint", "Private: pay", "Sand"}
    assert set(office.tickets()) == {"AC Paint", "AC Sand"}
    said = call("run", "tickets", "--json").json["tickets"]
    assert said["plan"]["steps"] == []


def test_every_fault_is_told_with_its_place_and_column(office: Office, call: Call) -> None:
    sync = with_expressions(office.project)
    sync["left"]["filter"] = "naem == 'x'"
    sync["fields"][0] |= {"to_right": "value + 1"}
    sync["fields"][1] |= {"to_right": "value"}
    office.write(sync)
    said = call("plan", "tickets", "--json")
    assert said.code == 2
    told = {each["path"]: each["message"] for each in said.json["error"]["problems"]}
    assert told["syncs.tickets.left.filter"] == "column 1: there is no 'naem' here."
    assert told["syncs.tickets.fields[0].to_right"] == "column 9: '+' does not take number here."
    assert told["syncs.tickets.fields[1].to_left"].startswith("is missing: the field goes both ways")
