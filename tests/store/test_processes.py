"""Several processes on one file: one lease, no lost writes, and nothing half done when one is killed."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from syncline.core.memory import Counts, RunState
from syncline.errors import BusyError
from syncline.store import migrate, open_store
from tests.store.samples import LEASE, LEFT, NOW, SYNC, key, seen, step

ROOT = Path(__file__).parents[2]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/syncline.db"


def _start(story: str, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.contender", story, url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _race(story: str, url: str, count: int) -> list[str]:
    """Several processes that start at the same moment; what each one said last."""
    racers = [_start(story, url) for _ in range(count)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n", racer.communicate()[1]
    with ThreadPoolExecutor(count) as pool:
        told = list(pool.map(lambda racer: racer.communicate("go\n", timeout=60), racers))
    assert [racer.returncode for racer in racers] == [0] * count, told
    return [out.strip() for out, _ in told]


def test_of_processes_that_open_a_fresh_file_together_one_gets_the_lease(url: str) -> None:
    told = _race("contend", url, 2)

    assert sorted(told) == ["busy", "tickets-1"]


def test_processes_that_write_together_lose_nothing(url: str) -> None:
    migrate(url)

    _race("write_many", url, 2)

    store = open_store(url)
    history = store.history(SYNC)
    assert len(history) == 200
    assert {store.recall(SYNC, one.run) for one in history} == {"99"}
    store.close()


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database whose process was killed in the middle of a transaction."""
    url = f"sqlite:///{tmp_path_factory.mktemp('crashed')}/syncline.db"
    killed = _start("crash", url)
    errors = killed.communicate(timeout=60)[1]
    assert killed.returncode == 9, errors
    return url


def test_a_killed_process_leaves_what_it_committed_and_nothing_else(crashed: str) -> None:
    store = open_store(crashed)

    assert store.counts(SYNC) == Counts(left=1, right=0, links=0)
    assert store.seen(SYNC, LEFT, [key(1), key(2)]) == {key(1): seen(1)}
    assert [intent.step for intent in store.intents(SYNC)] == [step(1)]
    assert store.history(SYNC) == []
    assert store.recall(SYNC, "cursor") is None
    store.close()


def test_a_killed_runs_lease_blocks_until_it_runs_out_where_a_write_may_be_under_way(crashed: str) -> None:
    store = open_store(crashed)

    with pytest.raises(BusyError):
        store.begin_run(SYNC, NOW + LEASE / 2, LEASE)
    heir = store.begin_run(SYNC, NOW + LEASE, LEASE)

    assert [run.state for run in store.runs(SYNC)] == [RunState.RUNNING, RunState.INTERRUPTED]
    assert heir.id != store.runs(SYNC)[1].id
    store.close()


def test_a_killed_runs_sync_is_free_at_once_where_it_had_sent_nothing(url: str) -> None:
    killed = _start("hold", url)
    assert killed.stdout is not None
    assert killed.stdout.readline() == f"{SYNC}-1\n"
    killed.kill()
    killed.communicate()
    store = open_store(url)

    store.begin_run(SYNC, NOW, LEASE)

    assert [run.state for run in store.runs(SYNC)] == [RunState.RUNNING, RunState.INTERRUPTED]
    store.close()


def test_a_killed_runs_lease_blocks_until_it_runs_out_where_somebody_has_the_file_open(url: str) -> None:
    beside = open_store(url)
    killed = _start("hold", url)
    assert killed.stdout is not None
    assert killed.stdout.readline() == f"{SYNC}-1\n"
    killed.kill()
    killed.communicate()
    store = open_store(url)

    with pytest.raises(BusyError):
        store.begin_run(SYNC, NOW + LEASE / 2, LEASE)
    store.begin_run(SYNC, NOW + LEASE, LEASE)

    assert [run.state for run in store.runs(SYNC)] == [RunState.RUNNING, RunState.INTERRUPTED]
    store.close()
    beside.close()


def test_opening_the_file_beside_a_living_process_takes_nothing_from_it(url: str) -> None:
    living = _start("settle_late", url)
    assert living.stdout is not None
    assert living.stdout.readline() == f"{SYNC}-1\n"

    for _ in range(2):
        store = open_store(url)
        with pytest.raises(BusyError):
            store.begin_run(SYNC, NOW, LEASE)
        store.close()

    assert living.communicate("go\n", timeout=60)[0] == "done done done\n"


def test_a_file_whose_neighbour_cannot_be_made_is_opened_all_the_same(url: str, tmp_path: Path) -> None:
    (tmp_path / "syncline.db-open").mkdir()
    (tmp_path / "syncline.db-open").chmod(0)

    store = open_store(url)
    store.begin_run(SYNC, NOW, LEASE)
    store.close()
    again = open_store(url)

    assert again.counts(SYNC) == Counts(left=0, right=0, links=0)
    again.close()
