"""Links and bases: made once, moved field by field, closed for good."""

from __future__ import annotations

import pytest

from syncline.core.memory import Counts, Link, Seen, Spoken, Standing
from syncline.core.records import Base, LinkId
from syncline.core.values import BLANK, Number, Text
from syncline.errors import StoreError
from syncline.store import SqlStore
from tests.store.samples import GONE, HOURS, LEFT, NAME, NOW, OTHER, RIGHT, SYNC, key, seen


def _tied(store: SqlStore, left: str = "1", right: str = "r1") -> LinkId:
    return store.tie(SYNC, key(left), key(right), NOW)


class LinkSuite:
    """`tie`, `retie`, `untie`, `links`, `find_link`, `unsettled`."""

    def test_tying_links_both_records(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen(1)])
        store.see(SYNC, RIGHT, [seen("r1", is_settled=True)])

        link = _tied(store)

        assert store.links(SYNC, [link]) == {
            link: Link(
                link,
                seen(1, standing=Standing.LINKED, link=link),
                seen("r1", standing=Standing.LINKED, is_settled=True, link=link),
                Base({}, {}),
            )
        }

    def test_a_key_not_seen_yet_is_remembered_with_an_empty_digest(self, store: SqlStore) -> None:
        link = _tied(store)

        expected = Seen(key("r1"), b"", Standing.LINKED, is_settled=False, link=link)
        assert store.seen(SYNC, RIGHT, [key("r1")]) == {key("r1"): expected}

    def test_what_was_spoken_stays_noted(self, store: SqlStore) -> None:
        link = _tied(store)

        store.speak(link, [HOURS], [])
        store.speak(link, [NAME], [NAME])
        store.speak(link, [], [])

        assert store.links(SYNC, [link])[link].spoken == Spoken((HOURS, NAME), (NAME,))

    def test_a_new_record_on_one_side_has_not_spoken_yet(self, store: SqlStore) -> None:
        link = _tied(store)
        store.speak(link, [HOURS], [NAME])

        store.retie(link, RIGHT, key("r2"))

        assert store.links(SYNC, [link])[link].spoken == Spoken((HOURS,), ())

    def test_tying_the_tied_answers_their_link(self, store: SqlStore) -> None:
        assert _tied(store) == _tied(store)
        assert store.counts(SYNC).links == 1

    @pytest.mark.parametrize(("left", "right"), [("1", "r2"), ("2", "r1")])
    def test_a_record_tied_to_something_else_cannot_be_tied(
        self, store: SqlStore, left: str, right: str
    ) -> None:
        link = _tied(store)

        with pytest.raises(StoreError, match="tied to another record"):
            _tied(store, left, right)

        assert set(store.links(SYNC, [link])) == {link}
        assert store.counts(SYNC) == Counts(1, 1, 1)

    def test_two_records_of_two_links_cannot_be_tied(self, store: SqlStore) -> None:
        _tied(store)
        _tied(store, "2", "r2")

        with pytest.raises(StoreError):
            _tied(store, "1", "r2")

    def test_the_same_keys_in_another_sync_are_other_records(self, store: SqlStore) -> None:
        link = _tied(store)

        other = store.tie(OTHER, key("1"), key("r1"), NOW)

        assert other != link
        assert store.links(OTHER, [link, other]).keys() == {other}

    def test_links_answers_open_ones_only(self, store: SqlStore) -> None:
        first, second = _tied(store), _tied(store, "2", "r2")
        store.untie(first, None, NOW)

        assert store.links(SYNC, [first, second, LinkId(99)]).keys() == {second}
        assert store.links(SYNC, iter([second])).keys() == {second}
        assert store.links(SYNC, []) == {}

    def test_a_link_is_found_by_either_key(self, store: SqlStore) -> None:
        link = _tied(store)
        crossed = _tied(store, "r1", "2")

        assert store.find_link(SYNC, key(1)) == [link]
        assert store.find_link(SYNC, key("r1")) == [link, crossed]
        assert store.find_link(SYNC, key("nobody")) == store.find_link(OTHER, key(1)) == []

    def test_unsettled_links_have_a_side_that_is_not_settled(self, store: SqlStore) -> None:
        both, one, none = _tied(store), _tied(store, "2", "r2"), _tied(store, "3", "r3")
        _tied(store, "4", "r4")
        for side, number, link in ((LEFT, 2, one), (LEFT, 3, none), (RIGHT, "r3", none)):
            store.see(SYNC, side, [seen(number, standing=Standing.LINKED, is_settled=True, link=link)])
        store.untie(store.tie(SYNC, key(4), key("r4"), NOW), LEFT, NOW)

        assert store.unsettled(SYNC) == [both, one]

    def test_a_waiting_record_is_no_unsettled_link(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen(1)])

        assert store.unsettled(SYNC) == []

    def test_retying_takes_the_new_record_and_forgets_the_old(self, store: SqlStore) -> None:
        link = _tied(store)
        store.move_base(link, {NAME: Text("a")}, {})
        store.see(SYNC, RIGHT, [seen("r2")])

        store.retie(link, RIGHT, key("r2"))

        kept = store.links(SYNC, [link])[link]
        assert kept.right == seen("r2", standing=Standing.LINKED, link=link)
        assert (kept.left.key, kept.base.left) == (key(1), {NAME: Text("a")})
        assert store.seen(SYNC, RIGHT, [key("r1")]) == {}

    def test_retying_remembers_a_record_not_seen_yet(self, store: SqlStore) -> None:
        link = _tied(store)

        store.retie(link, LEFT, key("new"))

        assert store.find_link(SYNC, key("new")) == [link]
        assert store.seen(SYNC, LEFT, [key("new")])[key("new")].digest == b""

    def test_retying_to_the_same_record_changes_nothing(self, store: SqlStore) -> None:
        link = _tied(store)
        before = store.links(SYNC, [link])

        store.retie(link, RIGHT, key("r1"))

        assert store.links(SYNC, [link]) == before

    def test_retying_to_a_tied_record_is_refused(self, store: SqlStore) -> None:
        first, second = _tied(store), _tied(store, "2", "r2")
        before = store.links(SYNC, [first, second])

        with pytest.raises(StoreError, match="tied to another record"):
            store.retie(first, RIGHT, key("r2"))

        assert store.links(SYNC, [first, second]) == before

    def test_untying_forgets_both_records(self, store: SqlStore) -> None:
        link = _tied(store)

        store.untie(link, None, NOW)

        assert store.counts(SYNC) == Counts(0, 0, 0)
        assert store.seen(SYNC, LEFT, [key(1)]) == store.seen(SYNC, RIGHT, [key("r1")]) == {}

    def test_untying_leaves_the_released_record_to_itself(self, store: SqlStore) -> None:
        store.see(SYNC, LEFT, [seen(1)])
        link = _tied(store)

        store.untie(link, LEFT, NOW)

        assert store.seen(SYNC, LEFT, [key(1)]) == {key(1): seen(1, standing=Standing.RELEASED)}
        assert store.seen(SYNC, RIGHT, [key("r1")]) == {}
        assert store.waiting(SYNC, LEFT) == []
        assert list(store.absent(SYNC, LEFT, frozenset())) == []

    def test_a_released_record_can_be_tied_by_hand(self, store: SqlStore) -> None:
        store.untie(_tied(store), LEFT, NOW)

        link = _tied(store, "1", "r2")

        assert store.links(SYNC, [link])[link].left.standing is Standing.LINKED

    def test_untying_twice_is_like_once(self, store: SqlStore) -> None:
        link = _tied(store)

        store.untie(link, LEFT, NOW)
        store.untie(link, None, NOW)

        assert store.seen(SYNC, LEFT, [key(1)])[key(1)].standing is Standing.RELEASED

    def test_a_closed_links_number_is_never_used_again(self, store: SqlStore) -> None:
        closed = _tied(store)
        store.untie(closed, None, NOW)

        assert _tied(store) > closed

    def test_a_tombstone_beside_a_retied_link_does_not_disturb_it(self, store: SqlStore) -> None:
        link = _tied(store)
        store.retie(link, RIGHT, key("r2"))
        store.see(SYNC, RIGHT, [seen("r1", standing=Standing.RELEASED, gone=GONE, is_settled=True)])

        assert store.links(SYNC, [link])[link].right.key == key("r2")


class BaseSuite:
    """`move_base`, `unbase`."""

    def test_a_base_moves_field_by_field(self, store: SqlStore) -> None:
        link = _tied(store)
        store.move_base(link, {NAME: Text("a"), HOURS: Number(1)}, {NAME: Text("A")})

        store.move_base(link, {HOURS: BLANK}, {HOURS: Number(2)})

        assert store.links(SYNC, [link])[link].base == Base(
            {NAME: Text("a"), HOURS: BLANK}, {NAME: Text("A"), HOURS: Number(2)}
        )

    def test_fields_are_forgotten_on_one_side(self, store: SqlStore) -> None:
        link = _tied(store)
        values = {NAME: Text("a"), HOURS: Number(1)}
        store.move_base(link, values, values)

        store.unbase(link, LEFT, [NAME])
        store.unbase(link, RIGHT, iter([HOURS, HOURS]))

        assert store.links(SYNC, [link])[link].base == Base({HOURS: Number(1)}, {NAME: Text("a")})

    def test_forgetting_what_was_never_there_is_nothing(self, store: SqlStore) -> None:
        link = _tied(store)

        store.unbase(link, LEFT, [NAME])

        assert store.links(SYNC, [link])[link].base == Base({}, {})

    def test_bases_of_other_links_stay(self, store: SqlStore) -> None:
        first, second = _tied(store), _tied(store, "2", "r2")

        store.move_base(first, {NAME: Text("a")}, {})

        assert store.links(SYNC, [second])[second].base == Base({}, {})

    def test_a_closed_link_has_no_base_to_move(self, store: SqlStore) -> None:
        link = _tied(store)
        store.untie(link, None, NOW)

        with pytest.raises(StoreError, match="not open"):
            store.move_base(link, {NAME: Text("a")}, {})
        with pytest.raises(StoreError, match="not open"):
            store.unbase(link, LEFT, [NAME])
        with pytest.raises(StoreError, match="not open"):
            store.retie(link, LEFT, key(2))
