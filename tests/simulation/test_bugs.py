"""Every deliberate bug still has its place in the engine, and a hunt finds what is wrong: `make bugs` hunts them all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.simulation.bugs import SOURCE, WANTED, fault_in, first_fault, hunted, seed, snapshot
from tests.simulation.seeded import BUGS, Bug

_BY_NAME = {bug.name: bug for bug in BUGS}


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_has_exactly_one_place_and_leaves_a_module_that_compiles(bug: Bug) -> None:
    text = (SOURCE / "syncline" / bug.file).read_text()

    assert text.count(bug.old) == 1
    assert bug.old != bug.new
    compile(text.replace(bug.old, bug.new), bug.file, "exec")


def test_bugs_have_names_of_their_own_and_there_are_more_than_ten() -> None:
    assert len(_BY_NAME) == len(BUGS) > 10


def test_a_bug_whose_place_is_gone_is_refused(tmp_path: Path) -> None:
    bug = _BY_NAME["older-wins"]
    source = snapshot(tmp_path / "sound")
    seed(bug, source)

    with pytest.raises(ValueError, match=r"older-wins: its old text is found 0 times in core/merge\.py"):
        seed(bug, source)


def test_a_bug_whose_place_is_not_the_only_one_is_refused(tmp_path: Path) -> None:
    source = snapshot(tmp_path / "sound")

    with pytest.raises(ValueError, match=r"is found \d+ times"):
        seed(replace(_BY_NAME["older-wins"], old="Side.LEFT"), source)


def test_a_hunt_catches_a_bug_in_a_world(tmp_path: Path) -> None:
    verdict = hunted(_BY_NAME["loss-not-recorded"], snapshot(tmp_path / "sound"), worlds=10)

    assert "is lost without a word" in verdict.caught_by


@pytest.mark.parametrize("script", sorted(WANTED.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_world_that_was_made_for_a_bug_shows_it(script: Path, tmp_path: Path) -> None:
    source = snapshot(tmp_path / "bad")
    seed(_BY_NAME[script.stem], source)

    assert fault_in(source, script)


def test_a_hunt_catches_a_bug_by_a_law_of_the_planner(tmp_path: Path) -> None:
    source = snapshot(tmp_path / "sound")
    seed(_BY_NAME["one-way-writes-back"], source)

    number, fault = first_fault(source, 1, 10)

    assert (number, fault.split(": ")[1]) == (1, "test_both_sides_agree_after_the_plan")
