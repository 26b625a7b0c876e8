"""Webhooks that came in, kept once and forgotten with age; marks that stay until exactly they are removed."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from syncline.core.records import RecordKey
from syncline.errors import StoreError
from syncline.ports import Delivery, DeliveryFilter, DeliveryState, Mark, MarkCount, Pruned, Settled
from syncline.store import SqlStore
from tests.store.samples import LEFT, MINUTE, NOW, OTHER, RIGHT, SYNC, key

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def delivery(
    mark: str = "id:1",
    *,
    connection: str = "hl",
    state: DeliveryState = DeliveryState.WAITING,
    at: dt.datetime = NOW,
    event: str = "RecordUpdate",
) -> Delivery:
    """A webhook that came in."""
    return Delivery(
        connection,
        mark,
        event,
        state,
        at,
        "custom_objects.ticket",
        "r1",
        happened_at=at - MINUTE,
        headers={"content-type": "application/json"},
    )


def mark(record: int | str = 1, *, since: dt.datetime = NOW, not_before: dt.datetime = NOW) -> Mark:
    """Something was heard of a record."""
    return Mark(SYNC, RIGHT, key(record), "delivery 1", since, not_before)


def _kept(store: SqlStore, *deliveries: Delivery) -> list[int]:
    return list(store.keep_deliveries([(each, b"{}") for each in deliveries]))


def _marks(deliveries: object) -> list[str]:
    assert isinstance(deliveries, list)
    return [each.mark for each in deliveries]


class DeliverySuite:
    """`keep_deliveries` and what is asked of them."""

    def test_a_delivery_is_kept_whole(self, store: SqlStore) -> None:
        (number,) = store.keep_deliveries([(delivery(), b'{"id": 1}\xff')])

        assert store.delivery(number) == msgspec.structs.replace(delivery(), id=number)
        assert store.delivery_body(number) == b'{"id": 1}\xff'
        assert store.delivery(number + 1) is None
        assert store.delivery_body(number + 1) is None

    def test_the_same_mark_of_a_connection_is_kept_once(self, store: SqlStore) -> None:
        first, again, other = _kept(store, delivery(), delivery(), delivery(connection="ac"))

        assert first
        assert other
        assert again == 0
        assert _kept(store, delivery(), delivery("id:2"))[0] == 0
        assert len(store.deliveries(DeliveryFilter())) == 3

    def test_many_are_kept_together_or_not_at_all(self, store: SqlStore) -> None:
        bad = msgspec.structs.replace(delivery("id:2"), event=None)

        with pytest.raises(StoreError):
            _kept(store, delivery(), bad)

        assert store.deliveries(DeliveryFilter()) == []

    def test_they_join_a_transaction_that_is_open(self, store: SqlStore) -> None:
        def failing() -> None:
            with store.transaction():
                _kept(store, delivery())
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            failing()

        assert store.deliveries(DeliveryFilter()) == []

    def test_they_are_listed_newest_first_and_page_by_page(self, store: SqlStore) -> None:
        _kept(store, *(delivery(f"id:{number}") for number in range(5)))

        page = store.deliveries(DeliveryFilter(), 2)
        rest = store.deliveries(DeliveryFilter(before=page[-1].id), 10)

        assert _marks([*page, *rest]) == ["id:4", "id:3", "id:2", "id:1", "id:0"]

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            (DeliveryFilter(connection="ac"), ["a"]),
            (DeliveryFilter(state=DeliveryState.REFUSED), ["b"]),
            (DeliveryFilter(event="TaskCreated"), ["c"]),
            (DeliveryFilter(object_type="custom_objects.ticket", key="r1", connection="hl"), ["c", "b", "d"]),
            (DeliveryFilter(key="r2"), []),
            (DeliveryFilter(since=NOW + HOUR), ["d"]),
            (DeliveryFilter(until=NOW + HOUR), ["c", "b", "a"]),
            (DeliveryFilter(connection="hl", state=DeliveryState.WAITING, event="RecordUpdate"), ["d"]),
        ],
    )
    def test_filters_narrow_the_list(self, store: SqlStore, wanted: DeliveryFilter, found: list[str]) -> None:
        _kept(
            store,
            delivery("d", at=NOW + HOUR),
            delivery("a", connection="ac"),
            delivery("b", state=DeliveryState.REFUSED),
            delivery("c", event="TaskCreated"),
        )

        assert _marks(store.deliveries(wanted)) == found

    def test_what_waits_is_known_until_it_is_settled(self, store: SqlStore) -> None:
        first, second, third = _kept(store, delivery("a"), delivery("b"), delivery("c"))

        store.settle_deliveries(
            [Settled(first, DeliveryState.USED, "marked"), Settled(third, DeliveryState.IGNORED, "nobody")],
            NOW + MINUTE,
        )

        assert [each.id for each in store.waiting_deliveries()] == [second]
        settled = store.delivery(first)
        assert settled is not None
        assert (settled.state, settled.why, settled.used_at) == (DeliveryState.USED, "marked", NOW + MINUTE)

    def test_they_are_counted_by_connection_and_state(self, store: SqlStore) -> None:
        _kept(
            store,
            delivery("old", at=NOW - DAY),
            delivery("a"),
            delivery("b", at=NOW + MINUTE),
            delivery("c", state=DeliveryState.REFUSED),
            delivery("d", connection="ac"),
        )

        counts = [(each.connection, each.state.value, each.count) for each in store.delivery_counts(NOW)]

        assert counts == [("ac", "waiting", 1), ("hl", "refused", 1), ("hl", "waiting", 2)]
        assert store.delivery_counts(NOW)[2].last_at == NOW + MINUTE

    def test_hours_and_the_last_one_count_only_genuine_ones(self, store: SqlStore) -> None:
        _kept(
            store,
            delivery("a"),
            delivery("b", at=NOW + 59 * MINUTE),
            delivery("c", at=NOW + 2 * HOUR + MINUTE),
            delivery("d", at=NOW + 3 * HOUR, state=DeliveryState.REFUSED),
            delivery("e", at=NOW + 4 * HOUR, connection="ac"),
        )

        assert store.delivery_hours("hl", NOW) == {NOW: 2, NOW + 2 * HOUR: 1}
        assert store.last_delivery("hl") == NOW + 2 * HOUR + MINUTE
        assert store.last_delivery("nobody") is None

    def test_bodies_go_first_and_rows_later_but_never_what_waits(self, store: SqlStore) -> None:
        ids = _kept(
            store,
            delivery("a", at=NOW - 40 * DAY),
            delivery("b", at=NOW - 40 * DAY),
            delivery("c", at=NOW - 10 * DAY),
            delivery("d"),
        )
        store.settle_deliveries([Settled(each, DeliveryState.USED) for each in ids[1:]], NOW)

        pruned = store.prune_deliveries(NOW - 7 * DAY, NOW - 30 * DAY)

        assert pruned == Pruned(bodies=1, deliveries=1)
        assert [store.delivery_body(each) for each in ids] == [b"{}", None, b"", b"{}"]
        assert _kept(store, delivery("c")) == [0]
        assert store.prune_deliveries(NOW - 7 * DAY, NOW - 30 * DAY) == Pruned(0, 0)

    def test_pruning_takes_the_oldest_of_a_share(self, store: SqlStore) -> None:
        ids = _kept(store, *(delivery(str(day), at=NOW - day * DAY) for day in (1, 3, 2)))
        store.settle_deliveries([Settled(each, DeliveryState.USED) for each in ids], NOW)

        assert store.prune_deliveries(NOW, NOW, limit=2) == Pruned(bodies=1, deliveries=2)
        assert _marks(store.deliveries(DeliveryFilter())) == ["1"]


class MarkSuite:
    """`add_marks`, `marks`, `remove_marks`, `mark_counts`."""

    def test_marks_come_back_in_the_order_they_were_made(self, store: SqlStore) -> None:
        store.add_marks([mark("b"), mark("a", since=NOW - MINUTE)])

        first, second = store.marks(SYNC, NOW)

        assert (first, second) == (
            msgspec.structs.replace(mark("b"), number=first.number),
            msgspec.structs.replace(mark("a", since=NOW - MINUTE), number=second.number),
        )
        assert store.marks(SYNC, NOW, limit=1) == [first]
        assert store.marks(OTHER, NOW) == []

    def test_a_mark_is_not_due_before_its_time(self, store: SqlStore) -> None:
        store.add_marks([mark(1, not_before=NOW + MINUTE), mark(2)])

        assert [each.key for each in store.marks(SYNC, NOW)] == ["2"]
        assert [each.key for each in store.marks(SYNC, NOW + MINUTE)] == ["1", "2"]

    def test_what_is_marked_again_while_somebody_looks_stays_marked(self, store: SqlStore) -> None:
        store.add_marks([mark(1), mark(2)])
        taken = store.marks(SYNC, NOW)
        store.add_marks([mark(1, since=NOW + MINUTE)])

        store.remove_marks(taken)

        assert [(each.key, each.since) for each in store.marks(SYNC, NOW)] == [("1", NOW + MINUTE)]

    def test_what_was_not_due_yet_stays_when_a_later_mark_goes(self, store: SqlStore) -> None:
        store.add_marks([mark(1, not_before=NOW + MINUTE), mark(1)])

        store.remove_marks(store.marks(SYNC, NOW))

        assert len(store.marks(SYNC, NOW + MINUTE)) == 1

    def test_too_many_marks_become_one_of_the_whole_sync_since_the_oldest(self, store: SqlStore) -> None:
        store.add_marks([mark(number, since=NOW - number * MINUTE) for number in range(4)])
        store.add_marks([msgspec.structs.replace(mark(9), sync=OTHER)])

        assert store.fold_marks(SYNC, "too many", NOW, 4) == 0
        assert store.fold_marks(SYNC, "too many", NOW, 3) == 4

        (left,) = store.marks(SYNC, NOW)
        assert (left.key, left.origin, left.since, left.not_before) == ("", "too many", NOW - 3 * MINUTE, NOW)
        assert len(store.marks(OTHER, NOW)) == 1
        assert store.fold_marks(SYNC, "too many", NOW, 3) == 0

    def test_a_late_second_removal_takes_no_newer_mark_along(self, store: SqlStore) -> None:
        store.add_marks([mark(1)])
        taken = store.marks(SYNC, NOW)
        store.remove_marks(taken)
        store.add_marks([mark(1, since=NOW + MINUTE)])

        store.remove_marks(taken)

        assert len(store.marks(SYNC, NOW)) == 1

    def test_they_are_counted_by_sync(self, store: SqlStore) -> None:
        other = Mark(OTHER, LEFT, RecordKey(""), "poll", NOW, NOW)
        store.add_marks([mark(1, not_before=NOW + HOUR), mark(2, since=NOW - HOUR), other])

        assert store.mark_counts() == {SYNC: MarkCount(2, NOW - HOUR, NOW), OTHER: MarkCount(1, NOW, NOW)}
        store.remove_marks(store.marks(OTHER, NOW))
        assert list(store.mark_counts()) == [SYNC]
