"""Groups of writes: all of them, or none."""

from __future__ import annotations

import pytest

from syncline.core.memory import Counts
from syncline.errors import StoreError
from syncline.store import SqlStore
from tests.store.samples import LEFT, NOW, SYNC, key, seen


class MindChangedError(Exception):
    """Raised by a test inside a transaction."""


def _fail(store: SqlStore, number: int) -> None:
    with store.transaction():
        store.see(SYNC, LEFT, [seen(number)])
        raise MindChangedError


def _remember_tie_and_fail(store: SqlStore) -> None:
    with store.transaction():
        store.remember(SYNC, "cursor", "c")
        store.tie(SYNC, key(1), key(2), NOW)
        raise MindChangedError


def _fail_after_inner_groups(store: SqlStore) -> None:
    with store.transaction():
        with store.transaction(), store.transaction():
            store.see(SYNC, LEFT, [seen(1)])
        raise MindChangedError


class TransactionSuite:
    """`transaction`."""

    def test_a_group_commits_together(self, store: SqlStore) -> None:
        with store.transaction():
            store.see(SYNC, LEFT, [seen(1)])
            store.remember(SYNC, "cursor", "c")

        assert store.recall(SYNC, "cursor") == "c"
        assert store.counts(SYNC).left == 1

    def test_an_exception_takes_everything_back(self, store: SqlStore) -> None:
        with pytest.raises(MindChangedError):
            _remember_tie_and_fail(store)

        assert store.recall(SYNC, "cursor") is None
        assert store.counts(SYNC) == Counts(0, 0, 0)

    def test_a_sync_first_named_in_a_group_that_failed_can_be_named_again(self, store: SqlStore) -> None:
        with pytest.raises(MindChangedError):
            _fail(store, 1)

        store.see(SYNC, LEFT, [seen(2)])

        assert store.counts(SYNC).left == 1

    def test_the_outermost_commits(self, store: SqlStore) -> None:
        with pytest.raises(MindChangedError):
            _fail_after_inner_groups(store)

        assert store.counts(SYNC).left == 0

    def test_an_inner_group_that_fails_is_taken_back_alone(self, store: SqlStore) -> None:
        with store.transaction():
            store.see(SYNC, LEFT, [seen(1)])
            with pytest.raises(MindChangedError):
                _fail(store, 2)
            store.see(SYNC, LEFT, [seen(3)])

        assert set(store.seen(SYNC, LEFT, [key(1), key(2), key(3)])) == {key(1), key(3)}

    def test_a_refused_call_leaves_the_group_usable(self, store: SqlStore) -> None:
        store.tie(SYNC, key(1), key("r1"), NOW)

        with store.transaction():
            with pytest.raises(StoreError):
                store.tie(SYNC, key(1), key("r2"), NOW)
            store.remember(SYNC, "cursor", "c")

        assert store.recall(SYNC, "cursor") == "c"
        assert store.counts(SYNC) == Counts(1, 1, 1)

    def test_the_store_works_on_after_a_failure(self, store: SqlStore) -> None:
        with pytest.raises(MindChangedError):
            _fail(store, 1)

        with store.transaction():
            store.see(SYNC, LEFT, [seen(2)])

        assert store.counts(SYNC).left == 1

    def test_a_naive_time_is_refused(self, store: SqlStore) -> None:
        with pytest.raises(TypeError):
            store.tie(SYNC, key(1), key(2), NOW.replace(tzinfo=None))

        assert store.counts(SYNC) == Counts(0, 0, 0)
