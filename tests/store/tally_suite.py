"""Counts that are kept with every change are what counting would find."""

from __future__ import annotations

import msgspec

from syncline.core.memory import Counts, Standing
from syncline.core.records import Gone, Proof
from syncline.errors import StoreError
from syncline.store import SqlStore
from tests.store.samples import LEFT, NOW, OTHER, RIGHT, SYNC, key, seen


def _agree(store: SqlStore, *counts: int) -> None:
    assert store.counts(SYNC) == store.recount(SYNC) == Counts(*counts)


class TallySuite:
    """`counts`, `recount`."""

    def test_a_sync_that_was_never_stored_has_nothing(self, store: SqlStore) -> None:
        _agree(store, 0, 0, 0)
        assert store.recount(OTHER) == Counts(0, 0, 0)

    def test_records_count_once_and_gone_ones_do_not(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen("a"), seen("b"), seen("a")])
        _agree(store, 2, 0, 0)
        store.see(SYNC, LEFT, [seen("a"), msgspec.structs.replace(seen("b"), gone=Gone(Proof.NOT_FOUND))])
        _agree(store, 1, 0, 0)
        store.see(SYNC, LEFT, [seen("b")])
        _agree(store, 2, 0, 0)
        assert store.counts(OTHER) == Counts(0, 0, 0)

    def test_a_link_brings_records_that_were_never_seen(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen("a", standing=Standing.WAITING)])
        store.tie(SYNC, key("a"), key("x"), NOW)
        store.tie(SYNC, key("a"), key("x"), NOW)
        _agree(store, 1, 1, 1)

    def test_another_record_takes_the_place_of_a_gone_one(self, store: SqlStore) -> None:
        link = store.tie(SYNC, key("a"), key("x"), NOW)
        gone = msgspec.structs.replace(seen("x"), gone=Gone(Proof.NOT_FOUND), link=link)
        store.see(SYNC, RIGHT, [gone])
        _agree(store, 1, 0, 1)
        store.retie(link, RIGHT, key("y"))
        _agree(store, 1, 1, 1)
        store.retie(link, RIGHT, key("z"))
        _agree(store, 1, 1, 1)

    def test_untied_records_are_forgotten_unless_they_are_released(self, store: SqlStore) -> None:
        links = [store.tie(SYNC, key(f"a{number}"), key(f"x{number}"), NOW) for number in range(2)]
        store.untie(links[0], LEFT, NOW)
        _agree(store, 2, 1, 1)
        store.untie(links[1], None, NOW)
        store.untie(links[1], None, NOW)
        _agree(store, 1, 0, 0)

    def test_what_is_taken_back_does_not_count(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen("a")])
        try:
            with store.transaction():
                store.tie(SYNC, key("b"), key("x"), NOW)
                store.tie(SYNC, key("b"), key("y"), NOW)
        except StoreError:
            _agree(store, 1, 0, 0)
