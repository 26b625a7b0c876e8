"""The benchmarks run and answer what they promise; no time is asserted."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from bench.postgres import postgresql
from rich.console import Console

from bench import __main__ as command
from bench import backfill, calls, figures, first, idle, intake, latency, million, quiet, recheck, workers


def test_a_goal_is_a_share_of_the_baseline() -> None:
    low, high = figures.at_most("a", 4.0, "µs", 50.0, 0.1), figures.at_most("a", 6.0, "µs", 50.0, 0.1)

    assert (low.goal, low.holds) == (5.0, True)
    assert (high.goal, high.holds) == (5.0, False)
    assert figures.at_least("b", 70.0, "records/s", 100.0, 0.7).holds
    assert (
        figures.beyond("d", 35.0, "ms", 5.0, 30.0).goal,
        figures.beyond("d", 35.1, "ms", 5.0, 30.0).holds,
    ) == (35.0, False)
    assert figures.told("c", 1.0, "calls", 1.0).holds is None


def test_the_list_is_shown_and_saved(tmp_path: Path) -> None:
    made = [figures.at_most("short", 4.0, "µs", 50.0, 0.1), figures.told("other", 0.0, "calls", 0.0)]
    path = tmp_path / "deep" / "bench.json"
    console = Console(record=True, width=200)

    figures.show(console, made)
    figures.save(path, made)

    text = console.export_text()
    assert "short" in text
    assert "5.00" in text
    assert msgspec.json.decode(path.read_bytes(), type=list[figures.Figure]) == made
    assert set(msgspec.json.decode(path.read_bytes())[0]) == {
        "name", "value", "unit", "baseline", "goal", "holds",
    }  # fmt: skip


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["nothing"])

    assert "nothing" in capsys.readouterr().err


def test_a_quiet_run_is_measured_beside_vdirsyncer() -> None:
    time, memory = quiet.measure(150, rounds=1)

    assert (time.unit, memory.unit) == ("µs CPU/link", "MiB")
    assert time.value > 0
    assert time.baseline > 0
    assert time.goal == pytest.approx(time.baseline * quiet.SHARE, abs=0.01)


async def test_an_edit_costs_a_call_and_nothing_in_the_run_after() -> None:
    found = {figure.name: figure for figure in await calls.measure(60, 6)}

    for side in ("ActiveCollab", "HighLevel"):
        assert found[f"calls per {side} edit, full run"].value == 1
        assert found[f"calls per {side} edit, full run: in the run after"].value == 0
    assert found["calls per ActiveCollab edit, index 120 s behind"].value == 2
    assert all(figure.unit == "calls" for figure in found.values())


def test_a_first_sync_is_measured_beside_a_bare_client() -> None:
    figure = first.measure(20, rounds=1)

    assert figure.unit == "records/s"
    assert min(figure.value, figure.baseline) > 0


def test_a_large_database_is_measured_beside_a_small_one() -> None:
    found = {figure.name: figure for figure in million.measure(300, 1_200, (0, 10, 100), rounds=1)}

    memory = found["memory of a no-op run, 1,200 links"]
    assert (memory.goal, memory.holds) == (million.ALLOWED_MIB, True)
    assert found["no-op run of 1,200 links"].value > 0
    assert found["database"].value > found["database"].baseline > 0
    for changes in (0, 10, 100):
        delta = found[f"delta run of {changes} changes, 1,200 links"]
        assert delta.goal == pytest.approx(delta.baseline * million.GROWTH, abs=0.01)


def test_rechecks_are_measured_beside_the_run_that_finds_nothing_to_do() -> None:
    found = {figure.name: figure for figure in recheck.measure(150, 600)}

    memory = found["memory of rechecks, 600 links"]
    assert (memory.goal, memory.holds) == (million.ALLOWED_MIB, True)
    for name in ("resync of everything, 600 links", "diff of a mapping, 600 links"):
        assert found[name].value > found[name].baseline > 0
    assert found["memory of a new base for each of 150 links"].unit == "KiB/link"


def test_webhooks_are_measured_beside_a_route_that_does_nothing() -> None:
    kept, middle, slow = intake.measure(60, rounds=1)

    assert (kept.unit, middle.unit, slow.unit) == ("events/s", "ms", "ms")
    assert min(kept.value, kept.baseline) > 0
    assert slow.value >= middle.value > 0


def test_an_edit_is_followed_to_the_other_side_beside_a_bare_relay() -> None:
    found = latency.measure(latency.Size(4, 0.05, 0.1))

    assert len(found) == 4
    assert {figure.unit for figure in found} == {"ms"}
    for figure in found:
        assert figure.goal is not None
        assert figure.goal > figure.baseline > 0
        assert figure.value > 0


def test_a_backfill_is_measured_against_what_the_quota_allows() -> None:
    took, refused = backfill.measure(120, faster=50)

    assert (took.baseline, took.unit) == (10, "s")
    assert took.value >= took.baseline
    assert refused.value == 0


def test_workers_are_measured_beside_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "GOALS", {1: 0.5})
    with postgresql() as database:
        (one,) = workers.measure(workers.Size(1, 1, 1, 1), database)

    assert one.value == one.baseline > 0
    assert (one.unit, one.holds) == ("edits/s", True)


def test_an_idle_service_is_measured_beside_a_server_that_only_waits() -> None:
    cpu, memory = idle.measure(0.2, 0.1)

    assert (cpu.unit, memory.unit) == ("ms/min", "MiB")
    assert memory.value > memory.baseline > 0


def test_what_takes_long_is_only_measured_when_it_is_named() -> None:
    assert command.BENCHMARKS.keys() > command.ON_DEMAND
