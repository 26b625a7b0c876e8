"""Random worlds keep every promise, and a seed always tells the same story. One that fails: `python -m tests.simulation SEED
--trace`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.play import played, replayed, script_of, shrunken
from tests.simulation.script import load

_CHUNK = 8
_ROOT = Path(__file__).parents[2]
_HERE = Path(__file__).parent
_KEPT = [*sorted((_HERE / "found").glob("*.yaml")), *sorted((_HERE / "wanted").glob("*.yaml"))]


@pytest.mark.parametrize("first", range(1, 209, _CHUNK))
def test_every_world_ends_in_step(first: int) -> None:
    for seed in range(first, first + _CHUNK):
        _, faults = played(seed)
        assert not faults, f"seed {seed}: {faults}"


@pytest.mark.parametrize("path", _KEPT, ids=lambda path: path.stem)
def test_a_world_that_once_failed_or_would_with_a_deliberate_bug_is_in_step(path: Path) -> None:
    _, faults = replayed(load(path))

    assert not faults


def test_a_script_plays_the_same_world_as_its_seed() -> None:
    for seed in (3, 11, 20):
        world, faults = played(seed, is_traced=True)
        again, faults_again = replayed(script_of(world, faults), is_traced=True)
        assert (again.lines, faults_again) == (world.lines, faults)


def test_a_failing_world_is_cut_down_to_what_makes_it_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncline.core.merge.same", lambda a, b: a == b or "Day" in str(type(b)))
    seed = next(seed for seed in range(1, 60) if played(seed)[1])
    world, faults = played(seed)

    small = shrunken(script_of(world, faults))

    assert small.size <= 8
    assert replayed(small)[1]


def test_a_seed_tells_the_same_story_byte_for_byte() -> None:
    def told(hash_seed: str) -> bytes:
        command = [sys.executable, "-m", "tests.simulation", "12", "--count", "2", "--trace"]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        return subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, check=True).stdout

    story = told("1")

    assert story.count(b"\n") > 200
    assert story == told("2")
