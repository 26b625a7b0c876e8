"""The fourth schema: the workspace. Items, attachments, editions of documents, the latest change; how it stood each day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what is missing; nothing that is there changes."""
    op.create_table(
        "workspace_turn",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_workspace_turn"),
    )
    _items()
    _attachments()
    op.create_table(
        "workspace_edition",
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("document", "version", name="pk_workspace_edition"),
    )
    op.create_table(
        "overview_snapshot",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_overview_snapshot"),
    )


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)


def _items() -> None:
    op.create_table(
        "workspace_item",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("parent_kind", sa.Text()),
        sa.Column("parent", sa.Text()),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("edits", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_modified", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger()),
        sa.Column("external_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name="pk_workspace_item"),
        sa.UniqueConstraint("change", name="uq_workspace_item_change"),
    )
    op.create_index("ix_workspace_item_kind", "workspace_item", ["kind", "change"])
    _partial("ix_workspace_item_parent", "workspace_item", ["parent", "kind", "change"], "parent IS NOT NULL")
    _partial("ix_workspace_item_external_key", "workspace_item", ["external_key"], "external_key <> ''")


def _attachments() -> None:
    op.create_table(
        "workspace_attachment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner_kind", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mime", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_kind", "owner"],
            ["workspace_item.kind", "workspace_item.id"],
            name="fk_workspace_attachment_owner_kind",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_workspace_attachment"),
    )
    op.create_index("ix_workspace_attachment_owner", "workspace_attachment", ["owner_kind", "owner"])
    op.create_index("ix_workspace_attachment_sha256", "workspace_attachment", ["sha256"])
