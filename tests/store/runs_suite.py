"""Runs and leases: one run at a time, and a dead one does not hold the sync for ever."""

from __future__ import annotations

import datetime as dt

import pytest

from syncline.core.memory import Run, RunState
from syncline.errors import BusyError
from syncline.store import SqlStore
from tests.store.samples import LEASE, MINUTE, NOW, OTHER, SYNC, let_leases_run_out, step


class RunSuite:
    """`begin_run`, `renew`, `end_run`, `runs`."""

    def test_a_run_begins_running(self, store: SqlStore) -> None:
        run = store.begin_run(SYNC, NOW, LEASE)

        assert store.runs(SYNC) == [run]
        assert run == Run(run.id, SYNC, RunState.RUNNING, NOW)

    def test_a_second_run_is_busy_while_the_lease_is_alive(self, store: SqlStore) -> None:
        first = store.begin_run(SYNC, NOW, LEASE)

        with pytest.raises(BusyError, match=first.id):
            store.begin_run(SYNC, NOW + LEASE - MINUTE, LEASE)

        assert store.runs(SYNC) == [first]

    def test_another_sync_is_not_busy(self, store: SqlStore) -> None:
        store.begin_run(SYNC, NOW, LEASE)

        assert store.begin_run(OTHER, NOW, LEASE).sync == OTHER

    def test_a_lease_that_ran_out_is_taken_over_and_its_run_interrupted(self, store: SqlStore) -> None:
        dead = store.begin_run(SYNC, NOW, LEASE)
        let_leases_run_out(store)

        heir = store.begin_run(SYNC, NOW + LEASE, LEASE)

        latest, before = store.runs(SYNC)
        assert latest == heir
        assert (before.id, before.state, before.ended_at) == (dead.id, RunState.INTERRUPTED, NOW + LEASE)

    def test_renewing_holds_the_lease_longer(self, store: SqlStore) -> None:
        run = store.begin_run(SYNC, NOW, LEASE)

        store.renew(run.id, NOW + 4 * MINUTE, LEASE)

        with pytest.raises(BusyError):
            store.begin_run(SYNC, NOW + LEASE + MINUTE, LEASE)

    def test_a_late_renewal_is_fine_when_nobody_took_over(self, store: SqlStore) -> None:
        run = store.begin_run(SYNC, NOW, LEASE)

        store.renew(run.id, NOW + 2 * LEASE, LEASE)

        with pytest.raises(BusyError):
            store.begin_run(SYNC, NOW + 2 * LEASE, LEASE)

    def test_a_run_that_lost_its_lease_can_neither_renew_nor_intend(self, store: SqlStore) -> None:
        dead = store.begin_run(SYNC, NOW, LEASE)
        let_leases_run_out(store)
        store.begin_run(SYNC, NOW + LEASE, LEASE)

        with pytest.raises(BusyError):
            store.renew(dead.id, NOW + LEASE, LEASE)
        with pytest.raises(BusyError):
            store.intend(SYNC, dead.id, [step()], NOW + LEASE)

        assert store.intents(SYNC) == []

    def test_a_run_that_lost_its_lease_ends_without_taking_it_from_its_heir(self, store: SqlStore) -> None:
        dead = store.begin_run(SYNC, NOW, LEASE)
        let_leases_run_out(store)
        heir = store.begin_run(SYNC, NOW + LEASE, LEASE)

        store.end_run(dead.id, RunState.DONE, "{}", NOW + LEASE)

        assert [run.state for run in store.runs(SYNC)] == [RunState.RUNNING, RunState.INTERRUPTED]
        store.renew(heir.id, NOW + LEASE, LEASE)

    @pytest.mark.parametrize("state", [RunState.DONE, RunState.FAILED, RunState.INTERRUPTED])
    def test_ending_a_run_gives_the_lease_back(self, store: SqlStore, state: RunState) -> None:
        run = store.begin_run(SYNC, NOW, LEASE)

        store.end_run(run.id, state, '{"calls": 3}', NOW + MINUTE)

        assert store.runs(SYNC) == [Run(run.id, SYNC, state, NOW, NOW + MINUTE, '{"calls": 3}')]
        assert store.begin_run(SYNC, NOW + MINUTE, LEASE).id != run.id

    def test_an_ended_run_cannot_renew(self, store: SqlStore) -> None:
        run = store.begin_run(SYNC, NOW, LEASE)
        store.end_run(run.id, RunState.DONE, "", NOW)

        with pytest.raises(BusyError):
            store.renew(run.id, NOW, LEASE)

    def test_runs_come_newest_first_and_as_many_as_asked(self, store: SqlStore) -> None:
        made = [_whole_run(store, NOW + number * MINUTE) for number in range(4)]

        assert [run.id for run in store.runs(SYNC, limit=3)] == [run.id for run in reversed(made)][:3]

    def test_the_runs_of_an_unknown_sync_are_none(self, store: SqlStore) -> None:
        assert store.runs(SYNC) == []

    def test_times_come_back_in_utc(self, store: SqlStore) -> None:
        plus_two = dt.timezone(dt.timedelta(hours=2))

        store.begin_run(SYNC, NOW.astimezone(plus_two), LEASE)

        assert store.runs(SYNC)[0].started_at.tzinfo is dt.UTC
        assert store.runs(SYNC)[0].started_at == NOW


def _whole_run(store: SqlStore, now: dt.datetime) -> Run:
    run = store.begin_run(SYNC, now, LEASE)
    store.end_run(run.id, RunState.DONE, "", now)
    return run
