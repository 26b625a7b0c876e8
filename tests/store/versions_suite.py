"""Versions of what is configured: numbered from one, newest first, as they were."""

from __future__ import annotations

import pytest

from syncline.store import SqlStore
from tests.store.samples import MINUTE, NOW

_BODY = {
    "tickets": {"fields": [{"left": "a", "values": [[True, "1"], [1, None]]}], "brakes": {"deletes": 0.1}}
}


class VersionSuite:
    """`save_version`, `version`, `versions`."""

    def test_before_the_first_there_is_none(self, store: SqlStore) -> None:
        assert store.version() is None
        assert store.versions() == []
        assert store.version(1) is None

    def test_a_version_is_kept_whole(self, store: SqlStore) -> None:
        kept = store.save_version(_BODY, "abc", "why", NOW)

        assert (kept.number, kept.at, kept.digest, kept.note) == (1, NOW, "abc", "why")
        assert kept.body == _BODY
        assert kept.body["tickets"]["fields"][0]["values"][0][0] is True
        assert store.version(1) == store.version() == kept

    def test_the_latest_is_in_force_and_the_older_ones_stay(self, store: SqlStore) -> None:
        first = store.save_version(_BODY, "a", "", NOW)
        second = store.save_version({}, "b", "empty", NOW + MINUTE)

        assert store.version() == second
        assert store.version(1) == first
        assert store.versions() == [second, first]
        assert store.versions(limit=1) == [second]

    def test_a_version_that_is_taken_back_leaves_no_gap(self, store: SqlStore) -> None:
        def save_and_fail() -> None:
            with store.transaction():
                store.save_version(_BODY, "a", "", NOW)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            save_and_fail()

        assert store.save_version(_BODY, "a", "", NOW).number == 1
