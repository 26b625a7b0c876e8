"""Pairs kept apart, released records, and the list of links."""

from __future__ import annotations

from syncline.core.memory import KeptApart, Standing
from syncline.store import SqlStore
from tests.store.samples import GONE, LEFT, MINUTE, NOW, OTHER, RIGHT, SYNC, key, seen


class ApartSuite:
    """`keep_apart`, `rejoin`, `apart`, `released`, `linked`."""

    def test_a_pair_is_kept_apart_in_its_own_sync(self, store: SqlStore) -> None:
        store.keep_apart(SYNC, key(2), key("r1"), "another customer", NOW + MINUTE)
        store.keep_apart(SYNC, key(1), key("r1"), "", NOW)

        assert store.apart(SYNC) == [
            KeptApart(key(1), key("r1"), NOW),
            KeptApart(key(2), key("r1"), NOW + MINUTE, "another customer"),
        ]
        assert store.apart(OTHER) == []

    def test_said_twice_it_is_kept_once_with_the_later_reason(self, store: SqlStore) -> None:
        store.keep_apart(SYNC, key(1), key("r1"), "first", NOW)
        store.keep_apart(SYNC, key(1), key("r1"), "second", NOW + MINUTE)

        assert store.apart(SYNC) == [KeptApart(key(1), key("r1"), NOW + MINUTE, "second")]

    def test_rejoined_they_are_not_apart_any_more(self, store: SqlStore) -> None:
        store.keep_apart(SYNC, key(1), key("r1"), "", NOW)
        store.keep_apart(SYNC, key("r1"), key(1), "", NOW)

        store.rejoin(SYNC, key(1), key("r1"))
        store.rejoin(SYNC, key(7), key("r7"))
        store.rejoin(OTHER, key("r1"), key(1))

        assert [(pair.left, pair.right) for pair in store.apart(SYNC)] == [(key("r1"), key(1))]

    def test_only_present_released_records_go_on_alone(self, store: SqlStore) -> None:
        alone = seen(1, standing=Standing.RELEASED, is_settled=True)
        store.see(SYNC, LEFT, [alone, seen(2), seen(3, standing=Standing.RELEASED, gone=GONE)])

        assert store.released(SYNC, LEFT) == [alone]
        assert store.released(SYNC, RIGHT) == []
        assert store.released(OTHER, LEFT) == []

    def test_open_links_come_newest_first(self, store: SqlStore) -> None:
        made = [store.tie(SYNC, key(number), key(f"r{number}"), NOW) for number in range(4)]
        store.untie(made[2], None, NOW)

        assert store.linked(SYNC) == [made[3], made[1], made[0]]
        assert store.linked(SYNC, limit=1) == [made[3]]
        assert store.linked(OTHER) == []

    def test_open_links_are_paged_and_told_by_whether_all_is_settled(self, store: SqlStore) -> None:
        made = [store.tie(SYNC, key(number), key(f"r{number}"), NOW) for number in range(3)]
        for side, name in ((LEFT, key(1)), (RIGHT, key("r1")), (LEFT, key(2))):
            store.see(SYNC, side, [seen(name, link=made[1 if name != key(2) else 2], is_settled=True)])

        assert store.linked(SYNC, before=made[2]) == [made[1], made[0]]
        assert store.linked(SYNC, is_settled=True) == [made[1]]
        assert store.linked(SYNC, is_settled=False) == [made[2], made[0]]
        assert store.linked(SYNC, is_settled=False, before=made[2]) == [made[0]]
