"""Items, attachments and editions of the workspace into rows and back.

A part of `SqlStore`. A change's number comes from one row that is held until the transaction ends: numbers become visible in their
order, so that whoever lists what changed after a number misses nothing.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa

from syncline.core.workspace import Attachment, Edition, Item, ItemRef, ItemType, Plain, Stamp
from syncline.ports.workspace import ItemFilter, Turn
from syncline.store.codec import Codec, micros, moment, moment_or_none
from syncline.store.dialects import Dialect, fixed
from syncline.store.session import Row, Rows
from syncline.store.workspace_tables import (
    workspace_attachment,
    workspace_edition,
    workspace_item,
    workspace_turn,
)

_FIELDS: Codec[Mapping[str, Plain]] = Codec(msgspec.json.Decoder(Mapping[str, Plain]))
_EDITS: Codec[Mapping[str, Stamp]] = Codec(msgspec.json.Decoder(Mapping[str, Stamp]))

_ITEM = (
    "kind", "id", "parent_kind", "parent", "fields", "edits", "revision", "change", "created_at", "last_modified",
    "changed_by", "deleted_at", "external_key",
)  # fmt: skip
ITEMS = sa.select(*(workspace_item.c[name] for name in _ITEM))
_ONE = ITEMS.where(workspace_item.c.kind == sa.bindparam("kind"), workspace_item.c.id == sa.bindparam("id"))
_LISTED = ITEMS.order_by(workspace_item.c.change).limit(sa.bindparam("limit"))
_CONDITIONS: Mapping[str, sa.ColumnElement[bool]] = {
    "kind": workspace_item.c.kind == sa.bindparam("kind"),
    "parent_kind": workspace_item.c.parent_kind == sa.bindparam("parent_kind"),
    "parent": workspace_item.c.parent == sa.bindparam("parent"),
    "since": workspace_item.c.last_modified > sa.bindparam("since"),
    "after": workspace_item.c.change > sa.bindparam("after"),
}
_LIVE = workspace_item.c.deleted_at.is_(None)
_MARKED = ITEMS.where(
    workspace_item.c.external_key == sa.bindparam("external_key"),
    workspace_item.c.kind == sa.bindparam("kind"),
    _LIVE,
).order_by(workspace_item.c.change.desc())
_PURGE = sa.delete(workspace_item).where(
    workspace_item.c.kind == sa.bindparam("kind"), workspace_item.c.id == sa.bindparam("id")
)
_LAST = sa.select(workspace_turn.c.number)

_ATTACHMENT = ("id", "owner_kind", "owner", "name", "mime", "size", "sha256", "created_at")
_ATTACHMENTS = sa.select(*(workspace_attachment.c[name] for name in _ATTACHMENT))
_OWNED = (
    workspace_attachment.c.owner_kind == sa.bindparam("kind"),
    workspace_attachment.c.owner == sa.bindparam("id"),
)
_OF_ITEM = _ATTACHMENTS.where(*_OWNED).order_by(workspace_attachment.c.created_at, workspace_attachment.c.id)
_ONE_ATTACHMENT = _ATTACHMENTS.where(workspace_attachment.c.id == sa.bindparam("id"))
_DETACH = sa.delete(workspace_attachment).where(workspace_attachment.c.id == sa.bindparam("id"))
_DETACH_ALL = sa.delete(workspace_attachment).where(*_OWNED)
_IS_ATTACHED = (
    sa.select(workspace_attachment.c.id)
    .where(workspace_attachment.c.sha256 == sa.bindparam("sha256"))
    .limit(1)
)

_EDITION = ("document", "version", "title", "body", "at", "changed_by")
_EDITIONS = (
    sa.select(*(workspace_edition.c[name] for name in _EDITION))
    .where(workspace_edition.c.document == sa.bindparam("document"))
    .order_by(workspace_edition.c.version.desc())
)
_FORGET_EDITIONS = sa.delete(workspace_edition).where(
    workspace_edition.c.document == sa.bindparam("document")
)


def _turn(dialect: Dialect) -> sa.ClauseElement:
    insert = dialect.insert(workspace_turn).values(
        name=fixed("workspace"), number=fixed(1), at=sa.bindparam("now")
    )
    later = workspace_turn.c.at + 1
    at = sa.case((insert.excluded.at > later, insert.excluded.at), else_=later)
    update = insert.on_conflict_do_update(
        index_elements=["name"], set_={"number": workspace_turn.c.number + 1, "at": at}
    )
    return update.returning(workspace_turn.c.number, workspace_turn.c.at)


def _save(dialect: Dialect) -> sa.Insert:
    upsert = dialect.upsert(workspace_item, ["kind", "id"], _ITEM)
    return upsert.values({name: sa.bindparam(name) for name in _ITEM})


def _attach(dialect: Dialect) -> sa.Insert:
    upsert = dialect.upsert(workspace_attachment, ["id"], _ATTACHMENT)
    return upsert.values({name: sa.bindparam(name) for name in _ATTACHMENT})


def _keep(dialect: Dialect) -> sa.Insert:
    upsert = dialect.upsert(workspace_edition, ["document", "version"], _EDITION)
    return upsert.values({name: sa.bindparam(name) for name in _EDITION})


@functools.cache
def _listing(names: frozenset[str], with_deleted: bool) -> sa.ClauseElement:  # noqa: FBT001 - the key of a cache
    conditions = [_CONDITIONS[name] for name in sorted(names)]
    return _LISTED.where(*conditions, *(() if with_deleted else (_LIVE,)))


class WorkspaceItems(Rows):
    """Items, attachments, editions."""

    def item_turn(self, now: dt.datetime) -> Turn:
        """The next change's number and time, both later than every one before. Only inside a transaction."""
        row = self._row(_turn, now=micros(now))
        number, at = row or (0, 0)
        return Turn(number, moment(at))

    def last_change(self) -> int:
        """The number of the latest change; 0 before the first."""
        row = self._row(_LAST)
        return row[0] if row else 0

    def save_item(self, item: Item) -> None:
        """Keep an item as it is (insert, or replace by id)."""
        self._run(_save, **_item_row(item))

    def item(self, ref: ItemRef) -> Item | None:
        """One item, also from the trash."""
        row = self._row(_ONE, kind=ref.kind.value, id=ref.id)
        return None if row is None else item_of(row)

    def items(self, wanted: ItemFilter, limit: int = 100) -> Sequence[Item]:
        """Those that fit, least recently changed first."""
        parent = wanted.parent
        values: dict[str, object] = {
            "kind": wanted.kind and wanted.kind.value,
            "parent_kind": parent and parent.kind.value,
            "parent": parent and parent.id,
            "since": micros(wanted.since),
            "after": wanted.after or None,
        }
        given = {name: value for name, value in values.items() if value is not None}
        query = _listing(frozenset(given), wanted.with_deleted)
        return [item_of(row) for row in self._rows(query, limit=limit, **given)]

    def items_marked(self, kind: ItemType, external_key: str) -> Sequence[Item]:
        """Items that carry this external key and do not lie in the trash, newest first."""
        if not external_key:
            return []
        return [item_of(row) for row in self._rows(_MARKED, kind=kind.value, external_key=external_key)]

    def purge_item(self, ref: ItemRef) -> Sequence[str]:
        """Forget an item with its attachments and editions; answers the SHA-256 of those attachments."""
        at = {"kind": ref.kind.value, "id": ref.id}
        with self._together():
            digests = [each.sha256 for each in self.attachments(ref)]
            self._run(_DETACH_ALL, **at)
            if ref.kind is ItemType.DOCUMENT:
                self._run(_FORGET_EDITIONS, document=ref.id)
            self._run(_PURGE, **at)
        return digests

    def save_attachment(self, attachment: Attachment) -> None:
        """Keep an attachment (insert, or replace by id)."""
        row = {name: getattr(attachment, name) for name in ("id", "name", "mime", "size", "sha256")}
        owner = {"owner_kind": attachment.owner.kind.value, "owner": attachment.owner.id}
        self._run(_attach, **row, **owner, created_at=micros(attachment.created_at))

    def attachment(self, attachment: str) -> Attachment | None:
        """One attachment."""
        row = self._row(_ONE_ATTACHMENT, id=attachment)
        return None if row is None else _attachment(row)

    def attachments(self, owner: ItemRef) -> Sequence[Attachment]:
        """The attachments of an item, oldest first."""
        return [_attachment(row) for row in self._rows(_OF_ITEM, kind=owner.kind.value, id=owner.id)]

    def drop_attachment(self, attachment: str) -> bool:
        """Forget an attachment; whether there was one."""
        return self._run(_DETACH, id=attachment) > 0

    def is_attached(self, sha256: str) -> bool:
        """Whether an attachment has these bytes."""
        return self._row(_IS_ATTACHED, sha256=sha256) is not None

    def save_edition(self, edition: Edition) -> None:
        """Keep how a document was (insert, or replace by document and version)."""
        row = {name: getattr(edition, name) for name in ("document", "version", "title", "body")}
        self._run(_keep, **row, at=micros(edition.at), changed_by=edition.by)

    def editions(self, document: str) -> Sequence[Edition]:
        """How a document was, the latest version first."""
        return [_edition(row) for row in self._rows(_EDITIONS, document=document)]


def _item_row(item: Item) -> dict[str, object]:
    parent = item.parent
    return {
        "kind": item.kind.value,
        "id": item.id,
        "parent_kind": parent and parent.kind.value,
        "parent": parent and parent.id,
        "fields": _FIELDS.text(item.fields),
        "edits": _EDITS.text(item.edits),
        "revision": item.revision,
        "change": item.change,
        "created_at": micros(item.created_at),
        "last_modified": micros(item.last_modified),
        "changed_by": item.by,
        "deleted_at": micros(item.deleted_at),
        "external_key": item.external_key,
    }


def item_of(row: Row) -> Item:
    """An item from a row of `ITEMS`."""
    (
        kind,
        id_,
        parent_kind,
        parent,
        fields,
        edits,
        revision,
        change,
        created_at,
        last_modified,
        by,
        deleted_at,
        key,
    ) = row
    return Item(
        id=id_,
        kind=ItemType(kind),
        parent=ItemRef(ItemType(parent_kind), parent) if parent is not None else None,
        fields=_FIELDS.value(fields),
        revision=revision,
        created_at=moment(created_at),
        last_modified=moment(last_modified),
        deleted_at=moment_or_none(deleted_at),
        change=change,
        by=by,
        edits=_EDITS.value(edits),
        external_key=key,
    )


def _attachment(row: Row) -> Attachment:
    id_, owner_kind, owner, name, mime, size, sha256, created_at = row
    return Attachment(id_, ItemRef(ItemType(owner_kind), owner), name, mime, size, sha256, moment(created_at))


def _edition(row: Row) -> Edition:
    document, version, title, body, at, by = row
    return Edition(document, version, title, body, moment(at), by)
