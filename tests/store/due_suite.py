"""What `ports.DueStore` promises, for any database."""

from __future__ import annotations

import datetime as dt

from syncline.core.records import SyncId
from syncline.core.timetable import DueKind
from syncline.ports.due import Due
from syncline.store import SqlStore
from tests.store.samples import NOW, SYNC

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
OTHER = SyncId("others")


class DueSuite:
    """When something is due, and how long edits took."""

    def test_what_is_due_comes_back_earliest_first(self, store: SqlStore) -> None:
        nightly = Due(SYNC, DueKind.RECONCILE, NOW + HOUR)
        poll = Due(SYNC, DueKind.POLL, NOW + MINUTE, MINUTE, 2, "transient.timeout")
        other = Due(OTHER, DueKind.POLL, NOW)
        for each in (nightly, poll, other):
            store.save_due(each)

        assert list(store.dues()) == [other, poll, nightly]
        assert list(store.dues(SYNC)) == [poll, nightly]

    def test_a_new_time_takes_the_place_of_the_old_one(self, store: SqlStore) -> None:
        store.save_due(Due(SYNC, DueKind.POLL, NOW))
        later = Due(SYNC, DueKind.POLL, NOW + HOUR, HOUR)

        store.save_due(later)

        assert list(store.dues()) == [later]

    def test_what_is_dropped_is_due_no_more(self, store: SqlStore) -> None:
        store.save_due(Due(SYNC, DueKind.POLL, NOW))
        store.save_due(Due(SYNC, DueKind.RECONCILE, NOW))
        store.save_due(Due(OTHER, DueKind.POLL, NOW))

        store.drop_due(SYNC, DueKind.POLL)
        assert [(each.sync, each.kind) for each in store.dues()] == [
            (OTHER, DueKind.POLL),
            (SYNC, DueKind.RECONCILE),
        ]
        store.drop_due(SYNC)
        assert [each.sync for each in store.dues()] == [OTHER]

    def test_lags_add_up_by_hour_and_bound(self, store: SqlStore) -> None:
        store.add_lag(SYNC, NOW, {MINUTE: 2, HOUR: 1})
        store.add_lag(SYNC, NOW, {MINUTE: 3})
        store.add_lag(SYNC, NOW + HOUR, {MINUTE: 10})
        store.add_lag(OTHER, NOW, {MINUTE: 7})

        assert store.lags(SYNC, NOW) == {MINUTE: 15, HOUR: 1}
        assert store.lags(SYNC, NOW + HOUR) == {MINUTE: 10}
        assert store.lags(SYNC, NOW + 2 * HOUR) == {}
