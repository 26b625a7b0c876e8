"""What our memory knows of the workspace: items, their attachments, and how documents were before.

Part of `ports.Store`; implemented by `store.workspace`, proved by `tests/store/workspace_suite.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

import msgspec

from syncline.core.workspace import Attachment, Edition, Item, ItemRef, ItemType


class Turn(msgspec.Struct, frozen=True):
    """A change's number and its time: both greater than those of every earlier one."""

    number: int
    at: dt.datetime


class ItemFilter(msgspec.Struct, frozen=True):
    """Which items to list, ordered by when they were last changed. `since`: changed later than then. `after`: those behind this
    change. What lies in the trash comes along only `with_deleted`."""

    kind: ItemType | None = None
    parent: ItemRef | None = None
    since: dt.datetime | None = None
    after: int = 0
    with_deleted: bool = False


class WorkspaceStore(Protocol):
    """Items, attachments and editions in our memory."""

    def item_turn(self, now: dt.datetime) -> Turn:
        """The next change's number and time. Only inside a transaction: nobody else gets one before it ends, so that whoever
        lists changes by number misses none."""
        ...

    def last_change(self) -> int:
        """The number of the latest change; 0 before the first."""
        ...

    def save_item(self, item: Item) -> None:
        """Keep an item as it is (insert, or replace by id)."""
        ...

    def item(self, ref: ItemRef) -> Item | None:
        """One item, also from the trash."""
        ...

    def items(self, wanted: ItemFilter, limit: int = 100) -> Sequence[Item]:
        """Those that fit, least recently changed first."""
        ...

    def items_marked(self, kind: ItemType, external_key: str) -> Sequence[Item]:
        """Items that carry this external key and do not lie in the trash, newest first."""
        ...

    def purge_item(self, ref: ItemRef) -> Sequence[str]:
        """Forget an item with its attachments and editions; answers the SHA-256 of those attachments."""
        ...

    def save_attachment(self, attachment: Attachment) -> None:
        """Keep an attachment (insert, or replace by id)."""
        ...

    def attachment(self, attachment: str) -> Attachment | None:
        """One attachment."""
        ...

    def attachments(self, owner: ItemRef) -> Sequence[Attachment]:
        """The attachments of an item, oldest first."""
        ...

    def drop_attachment(self, attachment: str) -> bool:
        """Forget an attachment; whether there was one. Its bytes are the vault's."""
        ...

    def is_attached(self, sha256: str) -> bool:
        """Whether an attachment has these bytes."""
        ...

    def save_edition(self, edition: Edition) -> None:
        """Keep how a document was (insert, or replace by document and version)."""
        ...

    def editions(self, document: str) -> Sequence[Edition]:
        """How a document was, the latest version first."""
        ...
