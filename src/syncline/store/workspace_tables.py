"""The tables of the workspace: items, their attachments, how documents were before, and the last change's number.

Read by `store.workspace`. One schema with `tables`; `METADATA` here knows all of it.
"""

from __future__ import annotations

import sqlalchemy as sa

from syncline.store.service_tables import METADATA
from syncline.store.tables import Json, Micros, partial

__all__ = [
    "METADATA",
    "overview_snapshot",
    "workspace_attachment",
    "workspace_edition",
    "workspace_item",
    "workspace_turn",
]

# One row: the number and the time of the latest change. Whoever changes something holds it until the transaction ends.
workspace_turn = sa.Table(
    "workspace_turn",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("at", Micros, nullable=False),
)

# Items of all kinds. What lies in the trash stays, with `deleted_at`, so that whoever lists changes hears of it.
workspace_item = sa.Table(
    "workspace_item",
    METADATA,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("parent_kind", sa.Text),
    sa.Column("parent", sa.Text),
    sa.Column("fields", Json, nullable=False),
    sa.Column("edits", Json, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("change", sa.BigInteger, nullable=False),
    sa.Column("created_at", Micros, nullable=False),
    sa.Column("last_modified", Micros, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
    sa.Column("deleted_at", Micros),
    sa.Column("external_key", sa.Text, nullable=False),
    sa.UniqueConstraint("change"),
    sa.Index("ix_workspace_item_kind", "kind", "change"),
    partial("ix_workspace_item_parent", "parent", "kind", "change", where=sa.text("parent IS NOT NULL")),
    partial("ix_workspace_item_external_key", "external_key", where=sa.text("external_key <> ''")),
)

# The bytes lie in the vault, under their SHA-256: many attachments may have the same.
workspace_attachment = sa.Table(
    "workspace_attachment",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner_kind", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("mime", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("created_at", Micros, nullable=False),
    sa.ForeignKeyConstraint(["owner_kind", "owner"], [workspace_item.c.kind, workspace_item.c.id]),
    sa.Index("ix_workspace_attachment_owner", "owner_kind", "owner"),
    sa.Index("ix_workspace_attachment_sha256", "sha256"),
)

workspace_edition = sa.Table(
    "workspace_edition",
    METADATA,
    sa.Column("document", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("at", Micros, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
)

# How the workspace stood on a day (UTC), by client: the first look of the day keeps it.
overview_snapshot = sa.Table(
    "overview_snapshot",
    METADATA,
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("figures", Json, nullable=False),
)
