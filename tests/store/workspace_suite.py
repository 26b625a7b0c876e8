"""What `ports.WorkspaceStore` promises, for any database."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from syncline.core.workspace import Attachment, Edition, Item, ItemRef, ItemType, Stamp
from syncline.errors import StoreError
from syncline.ports import ItemFilter
from syncline.store import SqlStore
from tests.store.samples import MINUTE, NOW

PROJECT = ItemRef(ItemType.PROJECT, "p")


def item(id_: str, change: int, kind: ItemType = ItemType.PROJECT, **more: object) -> Item:
    """An item as its change number left it."""
    plain = Item(id_, kind, None, {"name": id_}, 1, NOW, NOW + change * MINUTE, change=change)
    return msgspec.structs.replace(plain, **more)


def attachment(id_: str, sha256: str = "ab", owner: ItemRef = PROJECT, minutes: int = 0) -> Attachment:
    """A file on an item."""
    return Attachment(
        id_, owner, "übung.pdf", "application/pdf", 5_000_000_000, sha256, NOW + minutes * MINUTE
    )


class WorkspaceSuite:
    """Items, attachments, editions."""

    def test_turns_only_grow_whatever_the_clock_does(self, store: SqlStore) -> None:
        assert store.last_change() == 0
        turns = []
        for at in (NOW, NOW, NOW - dt.timedelta(days=1), NOW + MINUTE):
            with store.transaction():
                turns.append(store.item_turn(at))

        assert [each.number for each in turns] == [1, 2, 3, 4]
        assert [each.at for each in turns] == sorted({each.at for each in turns})
        assert turns[0].at == NOW
        assert turns[3].at == NOW + MINUTE
        assert store.last_change() == 4

    def test_a_turn_that_was_taken_back_is_given_again(self, store: SqlStore) -> None:
        def fail() -> None:
            with store.transaction():
                store.item_turn(NOW)
                raise StoreError("taken back")

        with pytest.raises(StoreError):
            fail()

        with store.transaction():
            assert store.item_turn(NOW).number == 1

    def test_an_item_is_kept_whole_and_changed(self, store: SqlStore) -> None:
        first = item(
            "t",
            1,
            ItemType.TASK,
            parent=PROJECT,
            fields={"title": "Ünïcode ☃", "is_completed": False, "labels": ["a", "b"], "estimate": "1.5"},
            edits={"title": Stamp(NOW, "anna@example.test")},
            by="anna@example.test",
            external_key="key-1",
            deleted_at=NOW,
        )
        store.save_item(first)
        changed = msgspec.structs.replace(
            first, fields={"title": "Other"}, revision=2, change=2, deleted_at=None
        )

        assert store.item(first.ref) == first
        store.save_item(changed)
        assert store.item(first.ref) == changed
        assert store.item(ItemRef(ItemType.LEAD, "t")) is None

    def test_items_are_listed_as_they_changed(self, store: SqlStore) -> None:
        one, two, three = item("one", 1), item("two", 2), item("three", 3)
        gone = item("gone", 4, deleted_at=NOW)
        task = item("task", 5, ItemType.TASK, parent=one.ref)
        for each in (three, one, task, gone, two):
            store.save_item(each)

        projects = ItemFilter(ItemType.PROJECT)
        assert list(store.items(projects)) == [one, two, three]
        assert list(store.items(projects, limit=2)) == [one, two]
        assert list(store.items(msgspec.structs.replace(projects, after=2))) == [three]
        assert list(store.items(msgspec.structs.replace(projects, since=one.last_modified))) == [two, three]
        assert list(store.items(ItemFilter(with_deleted=True, after=3))) == [gone, task]
        assert list(store.items(ItemFilter(parent=one.ref))) == [task]
        assert list(store.items(ItemFilter(parent=two.ref))) == []

    def test_a_key_finds_what_was_made_with_it(self, store: SqlStore) -> None:
        one, two = (item(name, number, external_key="k") for number, name in enumerate(("one", "two"), 1))
        for each in (one, two, item("gone", 3, external_key="k", deleted_at=NOW), item("bare", 4)):
            store.save_item(each)

        assert list(store.items_marked(ItemType.PROJECT, "k")) == [two, one]
        assert list(store.items_marked(ItemType.TASK, "k")) == []
        assert list(store.items_marked(ItemType.PROJECT, "")) == []

    def test_attachments_hang_on_their_item(self, store: SqlStore) -> None:
        store.save_item(item("p", 1))
        late, early = attachment("a", minutes=1), attachment("b")
        for each in (late, early):
            store.save_attachment(each)

        assert list(store.attachments(PROJECT)) == [early, late]
        assert store.attachments(ItemRef(ItemType.TASK, "p")) == []
        assert store.attachment("a") == late
        assert store.drop_attachment("a")
        assert not store.drop_attachment("a")
        assert store.is_attached("ab")
        assert store.drop_attachment("b")
        assert not store.is_attached("ab")
        assert store.attachment("b") is None

    def test_a_purged_item_takes_everything_of_it_along(self, store: SqlStore) -> None:
        document = item("d", 1, ItemType.DOCUMENT)
        store.save_item(document)
        store.save_item(item("d", 2))
        store.save_attachment(attachment("a", "one", document.ref))
        store.save_edition(Edition("d", 1, "Title", "Body", NOW))

        assert list(store.purge_item(document.ref)) == ["one"]
        assert store.item(document.ref) is None
        assert store.attachment("a") is None
        assert store.editions("d") == []
        assert store.item(ItemRef(ItemType.PROJECT, "d")) is not None

    def test_editions_are_kept_the_latest_first(self, store: SqlStore) -> None:
        first = Edition("d", 1, "Offer", "<p>Ä</p>", NOW, "anna@example.test")
        second = Edition("d", 2, "Offer 2", "", NOW + MINUTE)
        for each in (first, second, Edition("other", 1, "x", "y", NOW)):
            store.save_edition(each)

        assert list(store.editions("d")) == [second, first]
