"""The second schema: configuration versions, the audit trail, quota, evidence, records kept apart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add what is missing; nothing that is there changes."""
    op.add_column("link", sa.Column("spoken", sa.Text()))
    _configuration()
    _quota()
    _decisions()


def _configuration() -> None:
    op.create_table(
        "version",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_version"),
    )
    op.create_table(
        "audit",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sync", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_kind", "audit", ["kind", "sync", "id"])


def _quota() -> None:
    op.create_table(
        "usage",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "hour", "purpose", name="pk_usage"),
    )
    op.create_table(
        "allowance",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("daily_limit", sa.BigInteger()),
        sa.Column("daily_left", sa.BigInteger()),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("resets_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("connection", name="pk_allowance"),
    )


def _decisions() -> None:
    op.create_table(
        "evidence",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_evidence_run"),
        sa.PrimaryKeyConstraint("run", "part", name="pk_evidence"),
    )
    op.create_table(
        "apart",
        sa.Column("sync", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("left_key", sa.Text(), nullable=False),
        sa.Column("right_key", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sync"], ["sync.id"], name="fk_apart_sync"),
        sa.PrimaryKeyConstraint("sync", "left_key", "right_key", name="pk_apart"),
    )
