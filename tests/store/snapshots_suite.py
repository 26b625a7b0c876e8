"""What `ports.SnapshotStore` promises, for any database."""

from __future__ import annotations

import datetime as dt

from syncline.core.figures import Figures, Snapshot
from syncline.store import SqlStore

FIRST = dt.date(2026, 3, 2)
DAY = dt.timedelta(days=1)
TOWN = Figures({"late": 1}, {"draft": 2}, {"draft": {"EUR": "100.1"}}, 3, 150, {"soon": 4})


class SnapshotSuite:
    """`keep_snapshot`, `has_snapshot`, `snapshots`."""

    def test_a_day_is_kept_once_and_whole(self, store: SqlStore) -> None:
        assert not store.has_snapshot(FIRST)

        store.keep_snapshot(Snapshot(FIRST, {"Town": TOWN, "": Figures()}))
        store.keep_snapshot(Snapshot(FIRST, {}))

        assert store.has_snapshot(FIRST)
        assert store.snapshots(FIRST, FIRST, 9) == [Snapshot(FIRST, {"Town": TOWN, "": Figures()})]

    def test_days_are_listed_oldest_first_within_a_span(self, store: SqlStore) -> None:
        for number in (3, 0, 1, 2, 40):
            store.keep_snapshot(Snapshot(FIRST + number * DAY, {"": Figures(documents=number)}))

        def found(begin: dt.date, end: dt.date, limit: int = 9) -> list[int]:
            return [each.clients[""].documents for each in store.snapshots(begin, end, limit)]

        assert found(dt.date.min, dt.date.max) == [0, 1, 2, 3, 40]
        assert found(FIRST + DAY, FIRST + 3 * DAY) == [1, 2, 3]
        assert found(FIRST, dt.date.max, 2) == [0, 1]
