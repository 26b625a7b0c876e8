"""The store's suite over SQLite: in a file, and in memory."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa

from syncline.core.memory import Counts
from syncline.errors import StoreError
from syncline.store import (
    SqlStore,
    apart,
    desk,
    inbox,
    journal,
    links,
    open_store,
    session,
    sightings,
    tally,
)
from syncline.store.dialects import SQLITE
from syncline.store.session import rendered
from tests.store.inbox_suite import delivery, mark
from tests.store.samples import LEFT, SECRET_KEY, SYNC, seen
from tests.store.suite import StoreSuite


class TestSqliteFile(StoreSuite):
    """One file, write-ahead log."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqlStore]:
        store = open_store(f"sqlite:///{tmp_path}/syncline.db", secret_key=SECRET_KEY)
        yield store
        store.close()


class TestSqliteMemory(StoreSuite):
    """Nothing on disk."""

    @pytest.fixture
    def store(self) -> Iterator[SqlStore]:
        store = open_store("sqlite://", secret_key=SECRET_KEY)
        yield store
        store.close()


def _plan(store: SqlStore, statement: sa.Executable) -> list[str]:
    """How SQLite would find the rows."""
    sql = rendered(statement, SQLITE).sql
    values = {name: "[]" if name in ("keys", "ids") else 1 for name in re.findall(r":(\w+)", sql)}
    return [row[3] for row in store._connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]


class TestPlans:
    """SQLite guesses without statistics; these are the guesses that a large database depends on."""

    @pytest.fixture
    def store(self) -> Iterator[SqlStore]:
        store = open_store("sqlite://")
        yield store
        store.close()

    @pytest.mark.parametrize(
        "module", [apart, desk, journal, links, sightings, tally], ids=lambda module: module.__name__
    )
    def test_nothing_goes_through_a_whole_table(self, store: SqlStore, module: ModuleType) -> None:
        large = ("sighting", "link", "history", "intent", "l", "r")
        steps = [
            (name, step)
            for name, value in vars(module).items()
            if isinstance(value, sa.Select | sa.Update | sa.Delete)
            for step in _plan(store, value)
        ]

        assert steps
        assert [found for found in steps if re.match(rf"SCAN ({'|'.join(large)})\b", found[1])] == []

    @pytest.mark.parametrize("name", ["_recognised_rows", "_seen_rows"])
    def test_records_are_looked_up_one_by_one_through_their_key(self, store: SqlStore, name: str) -> None:
        outer, inner = _plan(store, vars(sightings)[name])

        assert outer.startswith("SCAN listed_keys")
        assert "(sync=? AND side=? AND key=?)" in inner

    @pytest.mark.parametrize("name", ["_COUNT", "_COUNT_GONE", "_COUNT_LINKS"])
    def test_counting_reads_indexes_only(self, store: SqlStore, name: str) -> None:
        (step,) = _plan(store, vars(tally)[name])

        assert "USING COVERING INDEX" in step

    def test_a_database_without_kept_counts_counts_once(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen("a")])
        store._connection.execute("DELETE FROM memo")

        assert store.counts(SYNC) == Counts(1, 0, 0)
        store.see(SYNC, LEFT, [seen("a")])
        assert store.recall(SYNC, "tally") == '{"left":1,"right":0,"links":0}'

    def test_a_records_history_is_found_through_its_keys(self, store: SqlStore) -> None:
        plan = "\n".join(_plan(store, journal.HISTORY[True, False]))

        assert "ix_history_left_key (sync=? AND left_key=?)" in plan
        assert "ix_history_right_key (sync=? AND right_key=?)" in plan


class TestDurability:
    """What must survive the loss of power is on the disk when it is told; nothing else waits for the disk."""

    def test_what_is_committed_is_brought_to_the_disk_when_asked_for(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        synced: list[str] = []
        monkeypatch.setattr(
            session, "_sync", lambda file: synced.append(os.readlink(f"/proc/self/fd/{file}"))
        )
        store = open_store(f"sqlite:///{tmp_path}/syncline.db")

        store.keep_deliveries([(delivery(), b"{}")])
        assert synced == []
        flush = store.unflushed()
        assert flush is not None
        flush()
        store.close()

        assert synced == [f"{tmp_path}/syncline.db-wal"]

    def test_it_may_be_brought_there_by_another_thread_while_others_write(self, tmp_path: Path) -> None:
        store = open_store(f"sqlite:///{tmp_path}/syncline.db")
        store.keep_deliveries([(delivery(), b"{}")])
        flush = store.unflushed()
        assert flush is not None

        with ThreadPoolExecutor(1) as threads, store.transaction():
            store.add_marks([mark()])
            threads.submit(flush).result()
            # Closing any descriptor of a locked file would let go of its locks.
            with (
                closing(sqlite3.connect(tmp_path / "syncline.db", timeout=0)) as other,
                pytest.raises(sqlite3.OperationalError, match="locked"),
            ):
                other.execute("BEGIN IMMEDIATE")
        store.close()

    def test_a_disk_that_refuses_is_told(self, tmp_path: Path) -> None:
        store = open_store(f"sqlite:///{tmp_path}/syncline.db")
        flush = store.unflushed()
        store.close()
        assert flush is not None

        with pytest.raises(StoreError, match="disk"):
            flush()

    def test_a_database_in_memory_waits_for_no_disk(self) -> None:
        store = open_store("sqlite://")
        assert store.unflushed() is None
        store.close()

    @pytest.mark.parametrize("name", ["_WAITING", "_HOURS", "_LAST", "_COUNTS", "_FORGET", "_EMPTY"])
    def test_webhooks_are_found_through_an_index(self, name: str) -> None:
        store = open_store("sqlite://")
        steps = _plan(store, vars(inbox)[name])
        store.close()

        assert [step for step in steps if step.startswith("SCAN delivery") and "USING" not in step] == []
