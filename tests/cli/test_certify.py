"""Certificates, the audit trail and the error catalogue on the command line, over two real sandbox accounts."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.cli.office import TICKET, Office


def test_a_certificate_of_two_sides_in_step_has_nothing_unexplained(office: Office, call: Call) -> None:
    office.in_activecollab(
        "create_task", project=office.project, name="Paint", due_on="2026-12-24", labels=["red"]
    )
    office.in_highlevel("create_record", object=TICKET, properties={"title": "Print", "status": "done"})
    call("run")

    said = call("certify", "--json")
    page = call("certify")

    found = said.json["tickets"]["certificate"]
    assert (said.code, page.code) == (0, 0)
    assert (found["links"]["total"], found["links"]["compared"]) == (2, 2)
    assert found["fields"] == {"total": 8, "equal": 8, "causes": {}}
    assert "0 unexplained" in page.out


def test_an_edit_is_pending_and_its_values_are_shown_when_asked_for(office: Office, call: Call) -> None:
    task = office.in_activecollab("create_task", project=office.project, name="Paint")
    call("run")
    office.in_activecollab("update_task", task=task["id"], due_on="2026-12-24")

    bare = call("certify", "--json").json["tickets"]
    full = call("certify", "--values", "--json").json["tickets"]
    kept = call("certify", "--show", str(full["number"]), "--json").json

    assert bare["certificate"]["fields"]["causes"] == {"pending": 1}
    assert bare["certificate"]["samples"][0]["left"] is None
    assert full["certificate"]["samples"][0]["left"] == {"type": "day", "day": "2026-12-24"}
    assert kept["certificate"]["samples"][0]["left"] is None
    assert (kept["number"], kept["hash"]) == (full["number"], full["hash"])


def test_a_run_is_certified_at_once_and_compared_with_an_earlier_one(office: Office, call: Call) -> None:
    office.in_activecollab("create_task", project=office.project, name="Paint")

    first = call("run", "--certify", "--json")
    again = call("certify", "--json").json["tickets"]["number"]
    office.in_activecollab("create_task", project=office.project, name="Print")
    other = call("run", "--certify", "--json").json["certificates"]["tickets"]["number"]

    number = first.json["certificates"]["tickets"]["number"]
    assert (first.code, first.json["reports"]["tickets"]["failures"]) == (0, [])
    assert call("certify", "--show", str(again), "--against", str(number), "--json").json["moved_parts"] == 0
    assert "differs in" in call("certify", "--show", str(other), "--against", str(number)).out


def test_a_broken_base_ends_with_exit_code_6_and_a_list(office: Office, call: Call, tmp_path: Path) -> None:
    office.in_activecollab("create_task", project=office.project, name="Paint")
    call("run")
    call("run")
    with sqlite3.connect(tmp_path / "syncline.db") as database:
        database.execute("UPDATE link SET base_left = replace(base_left, 'Paint', 'Forged')")
    database.close()

    said = call("certify")

    assert said.code == 6
    assert "1 DIFFERENCES ARE UNEXPLAINED" in said.out
    assert "name ↔ title" in said.out


def test_the_audit_trail_names_a_row_that_was_changed(office: Office, call: Call, tmp_path: Path) -> None:
    call("run")
    call("certify")
    whole = call("audit", "--verify", "--json")
    certificates = call("audit", "--kind", "certificate", "--json").json["entries"]
    with sqlite3.connect(tmp_path / "syncline.db") as database:
        database.execute("UPDATE audit SET body = '{}' WHERE kind = 'certificate'")
    database.close()

    broken = call("audit", "--verify", "--json")

    assert (whole.code, whole.json["is_intact"]) == (0, True)
    assert certificates == whole.json["entries"][-1:]
    assert [call("certify", *wrong).code for wrong in (("--show", "99"), ("--against", "1"))] == [2, 2]
    assert (broken.code, broken.json["is_intact"]) == (6, False)
    assert broken.json["fault"]["id"] == whole.json["entries"][-1]["id"]
    assert "changed" in call("audit", "--verify").err


def test_a_code_is_explained(call: Call) -> None:
    one = call("errors", "rejected.duplicate", "--json").json
    every = call("errors", "--json").json

    assert (one["code"], one["exit_code"], one["is_retried"]) == ("rejected.duplicate", 70, False)
    assert one in every
    assert "what you do" in call("errors", "brake.deletes").out
    assert call("errors").code == 0
    assert call("errors", "nothing.such").code == 2


def test_an_unknown_detail_is_explained_by_its_group(call: Call) -> None:
    assert call("errors", "rejected.something_new", "--json").json["code"] == "rejected"


def test_errors_carry_code_and_remedy(office: Office, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HL_TOKEN", "pit-wrong-and-secret")

    said = call("run", "--json")
    plain = call("run")

    error = said.json["error"]
    assert (said.code, error["code"], error["exit_code"]) == (3, "auth.token_refused", 3)
    assert "new token" in error["remedy"]
    assert error["remedy"] in plain.err
    assert "pit-wrong-and-secret" not in said.out + plain.err


def test_faults_of_the_configuration_carry_their_codes(call: Call, tmp_path: Path) -> None:
    (tmp_path / "syncline.yaml").write_text(
        "connections: {hl: {vendor: highlevel, location: one, token: '${NOT_SET_ANYWHERE}', colour: red}}",
        encoding="utf-8",
    )

    error = call("plan", "--json").json["error"]

    assert (error["code"], error["exit_code"]) == ("config", 2)
    assert {problem["code"] for problem in error["problems"]} == {"config.variable", "config.unknown_setting"}
