"""Ready-made syncs over two real sandbox accounts: looked at, made, put in force, and carrying edits both ways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Call
from tests.cli.office import Office


@dataclass(frozen=True)
class Kind:
    """How a template's records are made and found: the word of ActiveCollab's acts, HighLevel's object, its title field."""

    word: str
    object_type: str
    title: str = "title"
    is_in_project: bool = True


KINDS = {
    "tasks": Kind("task", "custom_objects.ac_task"),
    "milestones": Kind("task_list", "custom_objects.ac_milestone"),
    "projects": Kind("project", "custom_objects.ac_project", "name", is_in_project=False),
    "notes": Kind("note", "custom_objects.ac_note"),
    "companies": Kind("company", "business", "name", is_in_project=False),
}


def used(call: Call, office: Office, template: str, *more: str) -> Any:
    where = ("--where", f"project={office.project}") if is_in_project(template) else ()
    words = ("templates", "use", template, "--left", "ac", "--right", "hl", *where)
    return call(*words, *more, "--json").json


def put_in_force(office: Office, call: Call, name: str, body: dict[str, Any]) -> None:
    config = yaml.safe_load(office.config.read_text())
    config["syncs"] = {name: body}
    office.config.write_text(yaml.safe_dump(config))
    call("apply", "--yes")


def is_in_project(template: str) -> bool:
    return template not in KINDS or KINDS[template].is_in_project


def made(office: Office, template: str, name: str) -> Any:
    project = {"project": office.project} if is_in_project(template) else {}
    return office.in_activecollab(f"create_{KINDS[template].word}", name=name, **project)


def records(office: Office, template: str) -> dict[str, dict[str, Any]]:
    """HighLevel's records of the template's object, by title."""
    return office.tickets(KINDS[template].object_type, KINDS[template].title)


def renamed(office: Office, template: str, key: str, name: str) -> None:
    wish = {"object": KINDS[template].object_type, "id": key, "properties": {KINDS[template].title: name}}
    office.in_highlevel("update_record", **wish)


def test_all_of_them_are_listed_with_their_lines(office: Office, call: Call) -> None:
    del office
    listed = call("templates", "list", "--json").json

    assert {each["id"] for each in listed} >= set(KINDS) | {"time", "contracts"}
    assert all(each["lines"] and each["summary"] for each in listed)
    assert "milestones" in call("templates", "list").out


@pytest.mark.parametrize("template", KINDS)
def test_a_template_is_made_once_and_carries_records_edits_conflicts_and_deletions(
    office: Office, call: Call, template: str
) -> None:
    word = KINDS[template].word
    this, gone = ({word: made(office, template, name)["id"]} for name in ("Paint the door", "Sell the house"))
    looked, first, again = (
        used(call, office, template, *more) for more in ((), ("--create",), ("--create",))
    )
    put_in_force(office, call, template, first["body"])

    call("run")
    office.advance(60)
    copied = records(office, template)
    renamed(office, template, copied["Paint the door"]["id"], "Paint the gate")
    office.advance(60)
    call("run")
    office.advance(60)
    edited, quiet = records(office, template), call("run", "--json").json

    renamed(office, template, copied["Paint the door"]["id"], "Paint the fence")
    office.in_activecollab(f"update_{word}", **this, name="Paint the wall")
    office.in_activecollab(f"trash_{word}", **gone)
    office.advance(60)
    call("run")
    asked = call("conflicts", "list", "--json").json
    (conflict,) = [each for each in asked if each["held"]["field"]]
    (deletion,) = call("deletes", "list", "--json").json
    call("conflicts", "resolve", str(conflict["id"]), "--take", "left")
    call("deletes", "approve", str(deletion["question"]))
    call("run")
    office.advance(60)
    last = records(office, template)

    assert not any(each["is_there"] for each in looked["wanted"])
    assert all(each["is_there"] for each in first["wanted"] + again["wanted"])
    assert looked["body"] == first["body"] == again["body"]
    assert {"Paint the door", "Sell the house"} <= set(copied)
    assert set(edited) == set(copied) - {"Paint the door"} | {"Paint the gate"}
    assert quiet[template]["plan"]["steps"] == []
    assert "Paint the wall" in last
    assert not {"Paint the gate", "Paint the fence", "Sell the house"} & set(last)


def test_what_is_missing_or_wrong_is_named_and_nothing_is_made(office: Office, call: Call) -> None:
    said = call("templates", "use", "tasks", "--left", "hl", "--right", "nobody", "--create")

    assert said.code != 0
    for word in ("left", "right", "nobody", "project"):
        assert word in said.err
    assert call("templates", "use", "nothing", "--left", "ac", "--right", "hl").code != 0
    assert not any(each["is_there"] for each in used(call, office, "tasks")["wanted"])
