"""Whole processes that die, sleep or lose their database while people edit on both sides: nothing is lost, nothing is there
twice, and nobody has to mend anything."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

from tests.jobs.labour import safe
from tests.service.fleet import Process, open_fleet, until
from tests.store.postgres import empty_database, execute, server

KILLS = 3
_LATEST = "SELECT id, state FROM run ORDER BY token DESC LIMIT 1"


def test_a_service_that_is_killed_again_and_again_heals_by_itself(tmp_path: Path) -> None:
    dice = random.Random(1)
    with open_fleet(tmp_path) as fleet:
        fleet.start_service()
        with fleet.editing(1):
            for _ in range(KILLS):
                time.sleep(dice.uniform(0.3, 1.5))  # the moment is what is tried
                fleet.kill(fleet.service)
                fleet.start_service()
            time.sleep(dice.uniform(0.3, 1.0))
        fleet.agree()

        assert len(fleet.wanted) >= 12


def _catch(process: Process, url: str, dice: random.Random) -> None:
    """Stop a worker in the middle of a run: then the run stays under way, and nobody else begins one."""
    for _ in range(200):
        process.send_signal(signal.SIGSTOP)
        before = execute(url, _LATEST)
        time.sleep(0.5)  # longer than a run takes
        if before == execute(url, _LATEST) and before[0][1] == "running":
            return
        process.send_signal(signal.SIGCONT)
        time.sleep(dice.uniform(0.01, 0.1))
    raise AssertionError("never caught in a run")


def test_workers_that_die_or_sleep_in_a_run_and_a_database_that_restarts_need_no_hand(tmp_path: Path) -> None:
    dice = random.Random(2)
    with empty_database() as made, open_fleet(tmp_path, "--no-work", database=safe(made)) as fleet:
        fleet.start_service()
        fleet.start_worker()
        fleet.start_worker()
        with fleet.editing(2):
            dead, asleep = fleet.workers
            until(lambda: len(execute(made, _LATEST)) == 1, "a first run")
            _catch(dead, made, dice)
            left = execute(made, _LATEST)
            fleet.kill(dead)
            fleet.start_worker()
            until(lambda: execute(made, _LATEST)[0][0] != left[0][0], "somebody else takes over")
            _catch(asleep, made, dice)
            left = execute(made, _LATEST)
            until(lambda: execute(made, _LATEST)[0][0] != left[0][0], "somebody else takes over")
            asleep.send_signal(signal.SIGCONT)
            time.sleep(dice.uniform(0.3, 1.0))
            server().execute("CHECKPOINT")  # what other tests keep here commits less carefully
            server().restart()
            time.sleep(dice.uniform(0.3, 1.0))
        fleet.agree()

        assert len(fleet.wanted) >= 12
        assert [each.poll() for each in (fleet.service, asleep, fleet.workers[-1])] == [None] * 3
        assert len(execute(made, "SELECT id FROM run WHERE state = 'interrupted'")) >= 2
