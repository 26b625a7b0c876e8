"""What `ports.SearchStore` promises, for any database."""

from __future__ import annotations

import msgspec
import pytest

from syncline.core.workspace import ItemType
from syncline.store import SqlStore
from tests.store.samples import GONE, NOW, OTHER, RIGHT, SYNC, key, seen
from tests.store.workspace_suite import item


class SearchingSuite:
    """`search_items`, `search_records`."""

    @pytest.mark.parametrize(
        "text", ["roof", "ROOF", "of th", "Ü", "ü", "100 %", "a_b", 'say "now"', "back\\s"]
    )
    def test_an_item_is_found_by_any_part_of_what_it_holds(self, store: SqlStore, text: str) -> None:
        fields = {"name": 'Roof of the Übung ü, 100 % a_b say "now" back\\slash'}
        store.save_item(item("1", 1, fields=fields))
        store.save_item(item("2", 2, fields={"name": "1000 axb nothing"}))

        assert [each.id for each in store.search_items(text, 9)] == ["1"]

    def test_items_come_last_changed_first_page_by_page_without_the_trash(self, store: SqlStore) -> None:
        for number in range(1, 6):
            kind = ItemType.LEAD if number == 2 else ItemType.PROJECT
            gone = NOW if number == 4 else None
            store.save_item(item(str(number), number, kind, fields={"name": "Roof"}, deleted_at=gone))

        first = store.search_items("roof", 2)
        rest = store.search_items("roof", 2, first[-1].change)

        assert [each.change for each in (*first, *rest)] == [5, 3, 2, 1]
        assert store.search_items("roof", 2, rest[-1].change) == []

    def test_records_of_all_syncs_are_found_by_title_or_key(self, store: SqlStore) -> None:
        store.see(SYNC, RIGHT, [seen(1), msgspec.structs.replace(seen("Roof-7"), title="Slates")])
        store.see(OTHER, RIGHT, [msgspec.structs.replace(seen(2), title="The roof")])
        store.see(OTHER, RIGHT, [msgspec.structs.replace(seen(3, gone=GONE), title="The old roof")])

        first = store.search_records("roof", 1)
        rest = store.search_records("roof", 9, first[-1].id)

        found = [(each.sync, each.side, each.key, each.title, each.updated_at) for each in (*first, *rest)]
        assert found == [
            (SYNC, RIGHT, key("Roof-7"), "Slates", NOW),
            (OTHER, RIGHT, key(2), "The roof", NOW),
        ]
        assert store.search_records("%", 9) == []
