"""The store's suite over SQLite: in a file, and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from syncline.store import SqlStore, open_store
from tests.store.suite import StoreSuite


class TestSqliteFile(StoreSuite):
    """One file, write-ahead log."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqlStore]:
        store = open_store(f"sqlite:///{tmp_path}/syncline.db", secret_key=None)
        yield store
        store.close()


class TestSqliteMemory(StoreSuite):
    """Nothing on disk."""

    @pytest.fixture
    def store(self) -> Iterator[SqlStore]:
        store = open_store("sqlite://", secret_key=None)
        yield store
        store.close()
