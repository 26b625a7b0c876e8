"""Runs and history in pages."""

from __future__ import annotations

from syncline.core.memory import RunState
from syncline.core.records import RunId
from syncline.store import SqlStore
from tests.store.samples import LEASE, NOW, OTHER, SYNC, entry, key


class PagedSuite:
    """`find_run`, `runs_before`, `history_before`."""

    def test_runs_are_paged_newest_first(self, store: SqlStore) -> None:
        made = [_ended(store) for _ in range(3)]

        first = store.runs_before(SYNC, 2)
        rest = store.runs_before(SYNC, 2, before=first[-1][0])

        assert [run.id for _, run in (*first, *rest)] == made[::-1]
        assert store.runs_before(OTHER, 2) == []

    def test_one_run_is_found_with_its_sync(self, store: SqlStore) -> None:
        id_ = _ended(store)

        found = store.find_run(id_)

        assert found is not None
        assert (found.sync, found.state, found.report) == (SYNC, RunState.DONE, "{}")
        assert store.find_run(RunId("tickets-99")) is None

    def test_a_history_is_paged_newest_first(self, store: SqlStore) -> None:
        store.record(SYNC, [entry(field=str(number)) for number in range(5)])

        first = store.history_before(SYNC, 3)
        rest = store.history_before(SYNC, 3, before=first[-1].id)

        assert [one.field for one in (*first, *rest)] == ["4", "3", "2", "1", "0"]

    def test_pages_are_of_a_record_or_of_a_run(self, store: SqlStore) -> None:
        store.record(SYNC, [entry("tickets-1"), entry("tickets-2"), entry("tickets-2", left="2")])

        assert len(store.history_before(SYNC, 9, key=key(2))) == 1
        assert len(store.history_before(SYNC, 9, run=RunId("tickets-2"))) == 2
        assert store.history_before(OTHER, 9, run=RunId("tickets-2")) == []


def _ended(store: SqlStore) -> RunId:
    run = store.begin_run(SYNC, NOW, LEASE)
    store.end_run(run.id, RunState.DONE, "{}", NOW)
    return run.id
