"""What was seen: recognised by digest, kept by key, absent when not listed."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from syncline.core.memory import Counts, Seen, Standing
from syncline.core.records import Gone, Proof, RecordKey
from syncline.ports import Recognised, Stretch
from syncline.store import SqlStore
from tests.clock import START
from tests.store.samples import DIGEST, GONE, LEFT, NOW, OTHER, RIGHT, SYNC, key, seen

MICROS = 1_772_442_000_000_000
"""`START` in microseconds since 1970."""


def _ids(store: SqlStore, *numbers: int) -> set[int]:
    known = store.recognise(SYNC, LEFT, [key(number) for number in numbers])
    return {known[key(number)].id for number in numbers}


class SightingSuite:
    """`recognise`, `compare`, `seen`, `see`, `absent`, `waiting`, `counts`."""

    def test_a_seen_record_is_recognised(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen(1, is_settled=True), seen(2)])

        known = store.recognise(SYNC, LEFT, [key(1), key(2), key(3)])

        assert known == {
            key(1): Recognised(known[key(1)].id, DIGEST, True, MICROS),
            key(2): Recognised(known[key(2)].id, DIGEST, False, MICROS),
        }
        assert isinstance(known[key(1)].is_settled, bool)
        assert dt.datetime.fromtimestamp(MICROS / 1e6, dt.UTC) == START

    def test_without_a_vendor_time_the_version_is_zero(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [msgspec.structs.replace(seen(1), updated_at=None)])

        assert store.recognise(SYNC, LEFT, [key(1)])[key(1)].version == 0
        assert store.seen(SYNC, LEFT, [key(1)])[key(1)].updated_at is None

    def test_records_are_found_by_a_part_of_their_title_or_the_begin_of_their_key(
        self, store: SqlStore
    ) -> None:
        named = {"a%b": "100% cotton", "a_c": "Garden fence", "axb": "Back\\slash", "z": "Garden gate"}
        for each, title in named.items():
            gone = GONE if each == "a_c" else None
            store.see(SYNC, LEFT, [msgspec.structs.replace(seen(each, gone=gone), title=title)])
        store.see(SYNC, RIGHT, [msgspec.structs.replace(seen("r1"), title="A garden")])
        store.see(OTHER, LEFT, [msgspec.structs.replace(seen("o1"), title="garden")])

        def found(text: str, limit: int = 5) -> list[tuple[str, str]]:
            return [(side.value, str(one.key)) for side, one in store.resembling(SYNC, text, limit)]

        assert found("gARDEN") == [("left", "z"), ("right", "r1"), ("left", "a_c")]
        assert found("garden", 1) == [("left", "z")]
        assert found("A%") == [("left", "a%b")]
        assert found("a_") == [("left", "a_c")]
        assert found("k\\s") == [("left", "axb")]
        assert found("xb") == []
        assert store.resembling(SYNC, "nothing like it", 5) == []

    def test_sides_and_syncs_do_not_mix(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen(1)])

        assert store.recognise(SYNC, RIGHT, [key(1)]) == {}
        assert store.recognise(OTHER, LEFT, [key(1)]) == {}

    def test_a_gone_record_is_not_recognised_but_still_seen(self, store: SqlStore) -> None:
        buried = seen(1, standing=Standing.RELEASED, gone=GONE)
        store.see(SYNC, LEFT, [buried])

        assert store.recognise(SYNC, LEFT, [key(1)]) == {}
        assert store.seen(SYNC, LEFT, [key(1)]) == {key(1): buried}

    @pytest.mark.parametrize("by", ["", "anna@example.test", "17", "Anna of the yard"])
    @pytest.mark.parametrize("proof", list(Proof))
    def test_the_proof_of_an_absence_is_kept_whole(self, store: SqlStore, proof: Proof, by: str) -> None:
        for at in (None, NOW):
            buried = seen(1, gone=Gone(proof, at, by))
            store.see(SYNC, LEFT, [buried])

            assert store.seen(SYNC, LEFT, [key(1)]) == {key(1): buried}

    def test_seeing_again_replaces_by_key_and_keeps_the_id(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen(1), seen(2)])
        before = _ids(store, 1, 2)
        newer = msgspec.structs.replace(seen(1, is_settled=True, digest=b"x" * 16), title="New", fields=None)

        store.see(SYNC, LEFT, [newer])

        assert store.seen(SYNC, LEFT, [key(1), key(2)]) == {key(1): newer, key(2): seen(2)}
        assert _ids(store, 1, 2) == before

    def test_a_record_that_came_back_is_recognised_again(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen(1, gone=GONE)])
        store.see(SYNC, LEFT, [seen(1)])

        assert store.seen(SYNC, LEFT, [key(1)]) == {key(1): seen(1)}
        assert key(1) in store.recognise(SYNC, LEFT, [key(1)])

    def test_seeing_keeps_the_link_of_a_linked_record(self, store: SqlStore) -> None:
        link = store.tie(SYNC, key(1), key(2), NOW)

        store.see(SYNC, LEFT, [seen(1, standing=Standing.LINKED)])

        assert store.seen(SYNC, LEFT, [key(1)])[key(1)] == seen(1, standing=Standing.LINKED, link=link)

    @pytest.mark.parametrize("standing", [Standing.WAITING, Standing.RELEASED])
    def test_another_standing_lets_the_link_go(self, store: SqlStore, standing: Standing) -> None:
        store.tie(SYNC, key(1), key(2), NOW)

        store.see(SYNC, LEFT, [seen(1, standing=standing)])

        assert store.seen(SYNC, LEFT, [key(1)])[key(1)].link is None

    def test_nothing_seen_changes_nothing(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [])

        assert store.recognise(SYNC, LEFT, []) == store.seen(SYNC, LEFT, []) == {}

    def test_keys_may_hold_anything(self, store: SqlStore) -> None:
        odd = ['"', "'; --", "ключ", "a,b", "[1]", " ", "", "\U0001f469", "\\u0031"]
        store.see(SYNC, LEFT, [seen(one) for one in odd])

        assert set(store.recognise(SYNC, LEFT, [key(one) for one in odd])) == set(odd)
        assert set(store.seen(SYNC, LEFT, [key(one) for one in odd])) == set(odd)

    def test_thousands_of_keys_are_recognised_at_once(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen(number) for number in range(3000)])

        assert len(store.recognise(SYNC, LEFT, [key(number) for number in range(6000)])) == 3000

    def test_absent_are_the_known_that_are_not_listed(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen(number) for number in range(5)])
        store.see(SYNC, RIGHT, [seen(9)])

        absent = store.absent(SYNC, LEFT, _ids(store, 0, 2, 4))

        assert list(absent) == [seen(1), seen(3)]

    def test_gone_and_released_records_are_not_absent(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen(1, gone=GONE), seen(2, standing=Standing.RELEASED), seen(3)])

        assert list(store.absent(SYNC, LEFT, frozenset())) == [seen(3)]

    def test_absent_streams_over_many_while_the_store_is_written(self, store: SqlStore) -> None:
        count = 12_000
        store.see(SYNC, LEFT, [seen(number) for number in range(count)])

        keys: list[str] = []
        for one in store.absent(SYNC, LEFT, frozenset()):
            if len(keys) % 3000 == 0:
                store.see(SYNC, LEFT, [msgspec.structs.replace(one, gone=GONE)])
            keys.append(one.key)

        assert keys == [str(number) for number in range(count)]

    def test_waiting_are_present_without_link_and_not_released(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen(1), seen(2, gone=GONE), seen(3, standing=Standing.RELEASED), seen(4)])
        store.tie(SYNC, key(4), key("r4"), NOW)

        assert store.waiting(SYNC, LEFT) == [seen(1)]
        assert store.waiting(SYNC, RIGHT) == []

    def test_a_record_out_of_scope_is_outside_and_does_not_wait(self, store: SqlStore) -> None:
        out = msgspec.structs.replace(seen(1), in_scope=False)
        gone = msgspec.structs.replace(seen(2, gone=GONE), in_scope=False)
        store.see(SYNC, LEFT, [out, gone, seen(3)])

        assert store.outside(SYNC, LEFT) == [out]
        assert store.waiting(SYNC, LEFT) == [seen(3)]
        assert store.outside(SYNC, RIGHT) == []

    def test_counts_are_of_present_records_and_open_links(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen(1), seen(2), seen(3, gone=GONE), seen(4, standing=Standing.RELEASED)])
        store.see(OTHER, LEFT, [seen(1)])
        store.tie(SYNC, key(1), key("r1"), NOW)
        store.untie(store.tie(SYNC, key(2), key("r2"), NOW), LEFT, NOW)

        assert store.counts(SYNC) == Counts(left=3, right=1, links=1)

    def test_an_unknown_sync_has_nothing(self, store: SqlStore) -> None:
        assert store.counts(SYNC) == Counts(0, 0, 0)
        assert list(store.absent(SYNC, LEFT, frozenset())) == list(store.waiting(SYNC, LEFT)) == []

    def test_every_part_of_a_record_is_kept(self, store: SqlStore) -> None:
        outside = msgspec.structs.replace(seen(1, gone=GONE), in_scope=False, fields={}, external_key="x:1")
        bare = Seen(key(2), b"", Standing.WAITING, is_settled=True)
        store.see(SYNC, RIGHT, [outside, bare])

        assert store.seen(SYNC, RIGHT, [key(1), key(2)]) == {key(1): outside, key(2): bare}


class CompareSuite:
    """`compare`: what it says is never more than `recognise` would."""

    def test_an_unchanged_page_is_one_stretch(self, store: SqlStore) -> None:
        keys, digests = _page(store, 50)

        found = store.compare(SYNC, LEFT, keys, digests)

        assert list(found.others) == []
        assert list(found.ids) == [store.recognise(SYNC, LEFT, [one])[one].id for one in keys]

    def test_changed_records_are_among_the_others(self, store: SqlStore) -> None:
        keys, digests = _page(store, 5)
        digests[1] = digests[4] = b"y" * 16

        found = store.compare(SYNC, LEFT, keys, digests)

        assert list(found.others) == [1, 4]
        assert len(found.ids) == 3

    def test_pages_in_another_order_never_pass_for_unchanged(self, store: SqlStore) -> None:
        keys, digests = _page(store, 4)
        keys[1], keys[2] = keys[2], keys[1]
        digests[1], digests[2] = digests[2], digests[1]

        found = store.compare(SYNC, LEFT, keys, digests)

        assert {1, 2} <= set(found.others)

    @pytest.mark.parametrize("is_settled", [True, False])
    def test_what_is_not_settled_or_gone_is_left_to_recognise(
        self, store: SqlStore, *, is_settled: bool
    ) -> None:
        keys, digests = _page(store, 4)
        odd = seen(2, is_settled=is_settled, gone=GONE if is_settled else None, digest=digests[2])
        store.see(SYNC, LEFT, [odd])

        found = store.compare(SYNC, LEFT, keys, digests)

        assert 2 in found.others

    def test_an_unknown_page_is_all_others(self, store: SqlStore) -> None:
        assert store.compare(SYNC, LEFT, [key(1)], [DIGEST]) == Stretch((), range(1))
        assert list(store.compare(SYNC, LEFT, [], []).others) == []


def _page(store: SqlStore, count: int) -> tuple[list[RecordKey], list[bytes]]:
    keys = [key(number) for number in range(count)]
    digests = [number.to_bytes(16) for number in range(count)]
    store.see(
        SYNC,
        LEFT,
        [seen(number, is_settled=True, digest=digests[number]) for number in range(count)],
    )
    return keys, digests
