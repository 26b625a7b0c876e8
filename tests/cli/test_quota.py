"""`syncline quota`, forecasts in plans, and a day that is used up, over two real sandbox accounts."""

from __future__ import annotations

import json
import subprocess
import sys

import yaml

from syncline.config import load
from tests.cli.conftest import Call
from tests.cli.office import Office


def _tasks(office: Office, count: int) -> None:
    for number in range(count):
        office.in_activecollab("create_task", project=office.project, name=f"Task {number}")


def _with_quota(office: Office, **settings: object) -> None:
    config = yaml.safe_load(office.config.read_text())
    config["connections"]["ac"]["quota"] = settings
    office.config.write_text(yaml.safe_dump(config))


def _stats(office: Office) -> dict[str, int]:
    return office.in_highlevel("stats")


def test_quota_tells_limits_usage_and_what_waits_without_a_call(office: Office, call: Call) -> None:
    _with_quota(office, daily=500, burst=[50, 10], reserve="20%")
    _tasks(office, 3)
    call("run")
    before = _stats(office)["requests"]

    said = call("quota", "--json").json

    assert _stats(office)["requests"] == before
    ac, hl = said["ac"], said["hl"]
    assert (ac["burst_limit"], ac["burst_kept"], ac["daily_limit"], ac["daily_kept"]) == (50, 10, 500, 100)
    assert ac["daily_left"] == 500 - sum(ac["used_today"].values())
    assert set(ac["used_today"]) <= {"bulk", "interactive", "recovery"}
    assert (hl["burst_limit"], hl["daily_limit"], hl["daily_kept"]) == (100, 200_000, 20_000)
    assert hl["used_today"]["bulk"] >= 4
    assert sum(each["calls"] for each in hl["hours"]) == sum(hl["used_today"].values())
    assert [(each["sync"], each["side"], each["writes"]) for each in hl["pending"]] == [
        ("tickets", "right", 0)
    ]
    assert hl["pending"][0]["reads"] > 0

    text = call("quota", "hl").out
    assert "a day        200,000 calls, 20,000 of them kept for live work" in text
    assert "tickets (right): next full run, 0 writes wait: " in text


def test_before_the_first_run_the_check_is_counted_and_nothing_is_foretold(
    office: Office, call: Call
) -> None:
    fresh, fresh_text = call("quota", "--json").json, call("quota").out
    call("check")

    told, text = call("quota", "--json").json, call("quota").out

    assert fresh["ac"]["used_today"] == {}
    assert fresh_text.count(f"nothing counted yet since {fresh['ac']['counted_from'][:10]} 00:00 UTC") == 2
    assert told["hl"]["used_today"]["interactive"] > 0
    assert f"used today   {told['ac']['used_today']['interactive']} calls" in text
    for sides in (fresh, told):
        assert [each["is_known"] for budget in sides.values() for each in budget["pending"]] == [False, False]
    assert "no calls" not in fresh_text + text
    assert "tickets (left): no full run yet" in text


def test_an_unknown_connection_is_named(office: Office, call: Call) -> None:
    said = call("quota", "elsewhere")

    assert said.code == 2
    assert "There is no connection 'elsewhere'" in said.err


def test_a_plan_states_its_calls_and_when_a_run_would_be_done(office: Office, call: Call) -> None:
    _tasks(office, 3)

    plan = call("plan", "--json").json["tickets"]
    text = call("plan").out

    right = plan["forecast"]["right"]
    assert right["writes"] == 3
    assert right["forecast"]["calls"] == right["reads"] + 3
    assert "calls left today" in right["forecast"]["sentence"]
    assert plan["forecast"]["finished_at"] is not None
    words = "call" if right["reads"] == 1 else "calls"
    assert f"right: {right['reads']:,} {words} to read, up to 3 to write: " in text


def test_a_used_up_day_ends_bulk_work_and_is_respected_by_the_next_process(
    office: Office, call: Call
) -> None:
    _tasks(office, 80)
    office.in_highlevel("quota", daily=80)

    first = call("run", "--json")
    (postponed,) = first.json["tickets"]["postponed"]

    assert first.code == 5
    assert first.json["tickets"]["failures"] == []
    assert postponed["writes"] == 80 - first.json["tickets"]["right"]["created"] > 0
    assert "kept for live work" in postponed["why"]

    command = [sys.executable, "-m", "syncline", "--config", str(office.config), "run", "--json"]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 75
    error = json.loads(second.stdout)["error"]
    assert error["code"].startswith("transient")
    assert "the day's calls for bulk work are used up" in error["message"]
    assert _stats(office)["refused_429"] == 0

    told = call("quota", "hl", "--json").json["hl"]
    assert (told["daily_limit"], told["left_for_bulk"]) == (80, 0)
    assert told["pending"][0]["writes"] == postponed["writes"]


def test_faults_in_the_quota_settings_name_their_place(office: Office, call: Call) -> None:
    _with_quota(office, daily=0, burst=[100], reserve="much")

    said = call("quota")

    assert said.code == 2
    for place in ("daily", "burst", "reserve"):
        assert f"connections.ac.quota.{place}" in said.err


def test_settings_become_the_terms_of_the_limiter(office: Office) -> None:
    _with_quota(office, daily=7, burst=[5, 2.5], reserve=False)
    config = load(office.config, office.environ)

    terms = config.connections["ac"].quota.terms()
    assert (terms.daily, terms.burst, terms.reserve) == (7, (5, 2.5), 0.0)
    assert config.connections["hl"].quota.terms().reserve == 0.1
