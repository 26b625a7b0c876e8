"""Changing the configuration over two real sandbox accounts: a draft, what it would do, and putting it in force."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.cli.conftest import Call
from tests.cli.office import TICKET, Office, left_is_activecollab


def _two_fields(office: Office) -> dict[str, Any]:
    """The sync without due dates."""
    sync = left_is_activecollab(office.project)
    return {**sync, "fields": [line for line in sync["fields"] if line["left"] != "due_on"]}


def _kinds(said: Any) -> list[str]:
    return [each["change"]["kind"] for each in said["syncs"]["tickets"]["changes"]]


def test_the_first_run_applies_the_file_by_itself_and_a_plan_does_not(office: Office, call: Call) -> None:
    call("plan")
    before = call("versions", "--json").json
    call("run")

    after = call("versions", "--json").json

    assert before == []
    assert [(each["number"], each["note"]) for each in after] == [(1, "first run")]
    assert call("diff", "--json").json == {"version": 1, "syncs": {}}
    assert "same as version 1" in call("diff").out


def test_a_changed_file_is_a_draft_and_every_command_says_so(office: Office, call: Call) -> None:
    office.write(_two_fields(office))
    task = office.in_activecollab("create_task", project=office.project, name="Paint", due_on="2026-12-24")
    quiet = call("run")
    office.write(left_is_activecollab(office.project))
    office.in_activecollab("update_task", task=task["id"], name="Paint it")

    plan, run, status = call("plan", "--json"), call("run", "--json"), call("status", "--json")

    line = "syncline.yaml differs from version 1: see `syncline diff`, then `syncline apply`"
    assert quiet.err.strip() == ""
    assert [said.err.strip() for said in (plan, run, status)] == [line] * 3
    assert run.json["tickets"]["right"]["updated"] == 1
    assert not office.tickets()["Paint it"]["properties"].get("due_date")


def test_an_added_field_is_shown_counted_applied_and_filled(office: Office, call: Call) -> None:
    office.write(_two_fields(office))
    for name in ("Paint", "Print"):
        office.in_activecollab("create_task", project=office.project, name=name, due_on="2026-12-24")
    office.in_activecollab("create_task", project=office.project, name="Plan")
    call("run")
    office.write(left_is_activecollab(office.project))

    shown = call("diff")
    told = call("diff", "tickets", "--json").json
    offline = call("diff", "--offline", "--json").json
    refused = call("apply")
    applied = call("apply", "--yes", "--note", "due dates too")
    run = call("run", "--json")

    assert "adds field due_on ↔ due_date (2 would be written)" in shown.out
    assert "2 records would be written because of it." in shown.out
    assert told["syncs"]["tickets"]["impact"]["records"] == 2
    assert _kinds(told) == _kinds(offline) == ["field_added"]
    assert offline["syncs"]["tickets"]["impact"] is None
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert "Version 2 is in force." in applied.out
    assert (run.code, run.err.strip(), run.json["tickets"]["plan"]["brakes"]) == (0, "", [])
    assert run.json["tickets"]["right"]["updated"] == 2
    assert office.tickets()["Paint"]["properties"]["due_date"] == "2026-12-24"
    assert call("run", "--json").json["tickets"]["plan"]["steps"] == []
    assert [each["note"] for each in call("versions", "--json").json] == ["due dates too", "first run"]


def test_a_rollback_is_a_new_version_and_the_file_can_be_brought_in_step(office: Office, call: Call) -> None:
    call("run")
    first = office.config.read_text(encoding="utf-8")
    office.write({**left_is_activecollab(office.project), "deletes": "propagate"})
    call("apply", "--yes")

    back = call("rollback", "1", "--yes", "--json")
    exported = call("export")
    again = call("rollback", "1", "--yes", "--json")

    assert back.json == {"version": 3, "note": "back to version 1", "is_new": True}
    assert again.json["is_new"] is False
    assert again.json["version"] == 3
    assert "syncline export" in back.err
    assert call("diff", "--json").json["syncs"]["tickets"]["changes"][0]["change"]["sentence"] == (
        "deletes ask → propagate"
    )
    office.config.write_text(
        yaml.safe_dump({**yaml.safe_load(first), **yaml.safe_load(exported.out)}), encoding="utf-8"
    )
    assert call("diff", "--json").json["syncs"] == {}
    assert call("export", "2", "--json").json["syncs"]["tickets"]["deletes"] == "propagate"
    assert call("rollback", "9", "--yes").code == 2


def test_a_sync_that_is_new_in_the_file_waits_until_it_is_applied(office: Office, call: Call) -> None:
    call("run")
    text = yaml.safe_load(office.config.read_text(encoding="utf-8"))
    text["syncs"]["more"] = {**text["syncs"]["tickets"], "create": "none", "match": {"mode": "match_only"}}
    office.config.write_text(yaml.safe_dump(text), encoding="utf-8")

    early, everything = call("run", "more"), call("run", "--json")
    applied = call("apply")
    late = call("run", "more")

    assert (early.code, "not applied yet" in early.err) == (2, True)
    assert list(everything.json) == ["tickets"]
    assert applied.code == 0  # it concerns no linked record, so nobody has to be asked
    assert late.code == 0


def test_a_narrower_filter_says_how_many_links_rest_and_deletes_nothing(office: Office, call: Call) -> None:
    other = office.in_activecollab("create_project", name="Attic")["id"]
    sync = left_is_activecollab(office.project)
    wide = {**sync, "left": {**sync["left"], "where": {"project": [office.project, other]}}}
    office.write(wide)
    office.in_activecollab("create_task", project=office.project, name="Paint")
    office.in_activecollab("create_task", project=other, name="Sweep")
    call("run")
    office.write(sync)

    shown = call("diff")
    call("apply", "--yes")
    run = call("run", "--json")
    office.write(wide)
    widened = call("diff")

    assert f"filter on the left narrows: project {office.project}, {other} → {office.project}" in shown.out
    assert "1 linked records leave the filter: their links rest, nothing is deleted." in shown.out
    assert (run.code, run.json["tickets"]["plan"]["brakes"]) == (0, [])
    assert set(office.tickets()) == {"Paint", "Sweep"}
    assert "filter on the left widens" in widened.out
    assert "1 linked records come back into the filter." in widened.out


def test_another_object_type_needs_a_sync_of_its_own(office: Office, call: Call) -> None:
    office.in_activecollab("create_task", project=office.project, name="Paint")
    call("run")
    sync = left_is_activecollab(office.project)
    lines = [line for line in sync["fields"] if line["left"] == "name"]
    office.write({**sync, "left": {**sync["left"], "object": "task_list"}, "fields": lines})

    said = call("apply", "--yes")

    assert said.code == 2
    assert "1 links tie other records" in said.err
    assert len(call("versions", "--json").json) == 1


def test_a_mapping_that_does_not_fit_is_shown_and_refused(office: Office, call: Call) -> None:
    call("run")
    sync = left_is_activecollab(office.project)
    office.write({**sync, "fields": [*sync["fields"], {"left": "no_such", "right": "title"}]})

    shown, refused = call("diff"), call("apply", "--yes", "--json")

    assert shown.code == 0
    assert "fault: syncs.tickets.fields[4].left" in shown.out
    assert refused.code == 2
    assert refused.json["error"]["code"] == "mapping"


def test_an_option_that_was_renamed_rests_its_line_and_everything_else_goes_on(
    office: Office, call: Call
) -> None:
    task = office.in_activecollab("create_task", project=office.project, name="Paint", labels=["red"])
    call("run")
    office.in_highlevel(
        "rename_option", object=TICKET, field=f"{TICKET}.status", option="open", label="Going"
    )
    office.in_activecollab("update_task", task=task["id"], due_on="2026-12-24")

    plan, run = call("plan"), call("run", "--json")
    status = call("status", "--json").json["tickets"]
    sync = left_is_activecollab(office.project)
    lines = [*sync["fields"][:3], {**sync["fields"][3], "values": [[False, "Going"], [True, "Done"]]}]
    office.write({**sync, "fields": lines})
    call("apply", "--yes")
    mended = call("run", "--json").json["tickets"]["plan"]

    line = "is_completed ↔ status"
    assert f"paused: {line}: 'status' on the right calls the option open now Going, not Open." in plan.out
    assert [each["line"] for each in run.json["tickets"]["plan"]["paused"]] == [line]
    assert office.tickets()["Paint"]["properties"]["due_date"] == "2026-12-24"
    assert [each["line"] for each in status["paused"]] == [line]
    assert (mended["paused"], mended["brakes"]) == ([], [])


@pytest.mark.parametrize("command", ["apply", "run"])
def test_a_mapping_that_would_lose_a_customers_value_is_refused_with_the_value(
    office: Office, call: Call, command: str
) -> None:
    office.in_activecollab("create_task", project=office.project, name="Paint the fence")
    sync = left_is_activecollab(office.project)
    shouting = {
        "left": "name",
        "right": "title",
        "to_right": "value.upperAscii()",
        "to_left": "value.lowerAscii()",
    }
    office.write({**sync, "fields": [shouting]})

    refused = call(command)
    office.write({**sync, "fields": [{**shouting, "lossy": True}]})
    declared = call(command)

    assert refused.code == 2
    assert "Paint the fence on the left becomes PAINT THE FENCE on the other side" in refused.err
    assert "comes back as paint the fence" in refused.err
    assert declared.code == 0
    assert len(call("versions", "--json").json) == 1


def test_what_is_in_force_already_makes_no_version(office: Office, call: Call) -> None:
    call("run")

    said = call("rollback", "1", "--yes")
    as_json = [call("rollback", "1", "--yes", "--json").json, call("apply", "--json").json]

    assert "Nothing changes: version 1, which is in force, says the same." in said.out
    assert "syncline export" not in said.err
    assert [(each["version"], each["is_new"]) for each in as_json] == [(1, False), (1, False)]
    assert [each["number"] for each in call("versions", "--json").json] == [1]
    assert call("diff", "elsewhere").code == 2


def test_a_filter_that_a_side_does_not_have_is_named_with_its_place(office: Office, call: Call) -> None:
    sync = left_is_activecollab(office.project)
    office.write({**sync, "left": {**sync["left"], "where": {"projects": [office.project]}}})
    first = call("run", "--json")
    office.write(sync)
    call("run")
    office.write({**sync, "right": {**sync["right"], "where": {"pipeline": ["a"]}}})

    diff, refused = call("diff", "--json").json["syncs"]["tickets"], call("apply", "--yes", "--json")

    error = first.json["error"]
    assert (first.code, error["field"], error["found"]) == (
        2,
        "syncs.tickets.left.where.projects",
        "projects",
    )
    assert [each["path"] for each in diff["faults"]] == ["syncs.tickets.right.where.pipeline"]
    (problem,) = refused.json["error"]["problems"]
    assert (refused.code, problem["path"], problem["code"]) == (
        2,
        "syncs.tickets.right.where.pipeline",
        "config.unknown_setting",
    )


def test_a_file_without_syncs_ends_those_in_force_only_when_that_is_meant(office: Office, call: Call) -> None:
    call("run")
    text = yaml.safe_load(office.config.read_text(encoding="utf-8"))
    office.config.write_text(yaml.safe_dump({**text, "syncs": {}}), encoding="utf-8")

    status, refused = call("status"), call("apply")

    assert (status.code, status.err) == (0, "")
    assert (refused.code, "this would end all that are in force" in refused.err) == (2, True)
    assert call("apply", "--yes").code == 0
    assert "No sync is configured yet" in call("status").out
