"""Calls that add up by hour and purpose, and the vendor's last word on its day."""

from __future__ import annotations

import datetime as dt

from syncline.core.quota import Allowance, Purpose, Usage
from syncline.store import SqlStore
from tests.store.samples import MINUTE, NOW

HOUR = 60 * MINUTE
RESET = NOW + 15 * HOUR


class UsageSuite:
    """`use`, `usage`, `save_allowance`, `allowance`."""

    def test_calls_of_an_hour_and_purpose_add_up(self, store: SqlStore) -> None:
        store.use("hl", NOW, Purpose.BULK, 40)
        store.use("hl", NOW, Purpose.LIVE, 2)
        store.use("hl", NOW, Purpose.BULK, 3)

        assert store.usage("hl", NOW) == [Usage(NOW, Purpose.BULK, 43), Usage(NOW, Purpose.LIVE, 2)]

    def test_usage_is_told_by_connection_since_a_time_oldest_first(self, store: SqlStore) -> None:
        for hours in (2, 0, 1):
            store.use("hl", NOW + hours * HOUR, Purpose.LIVE, hours + 1)
        store.use("ac", NOW, Purpose.LIVE, 9)

        found = store.usage("hl", NOW + HOUR)

        assert [(each.hour, each.calls) for each in found] == [(NOW + HOUR, 2), (NOW + 2 * HOUR, 3)]
        assert store.usage("elsewhere", NOW) == []

    def test_an_allowance_is_kept_whole_and_replaced_by_a_newer_one(self, store: SqlStore) -> None:
        first = Allowance(200_000, 41_000, NOW, RESET)
        second = Allowance(None, 40_000, NOW + MINUTE, RESET)

        store.save_allowance("hl", first)
        assert store.allowance("hl") == first
        store.save_allowance("hl", second)
        assert store.allowance("hl") == second
        assert store.allowance("ac") is None

    def test_a_process_that_saw_it_earlier_does_not_put_the_clock_back(self, store: SqlStore) -> None:
        newer = Allowance(200_000, 10, NOW + MINUTE, RESET)
        store.save_allowance("hl", newer)

        store.save_allowance("hl", Allowance(200_000, 500, NOW, RESET + dt.timedelta(days=1)))

        assert store.allowance("hl") == newer
