"""The first schema: syncs and runs, links and sightings, the journal, the desk, small things."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create everything."""
    _runs()
    _links()
    _journal()
    _desk()
    _small_things()


def _runs() -> None:
    op.create_table(
        "sync",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sync"),
        sa.UniqueConstraint("name", name="uq_sync_name"),
    )
    op.create_table(
        "lease",
        sa.Column("sync", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("run", sa.Text()),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["sync"], ["sync.id"], name="fk_lease_sync"),
        sa.PrimaryKeyConstraint("sync", name="pk_lease"),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sync", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("report", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sync"], ["sync.id"], name="fk_run_sync"),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.UniqueConstraint("sync", "token", name="uq_run_sync_token"),
    )


def _links() -> None:
    op.create_table(
        "link",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("sync", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("base_left", sa.Text(), nullable=False),
        sa.Column("base_right", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["sync"], ["sync.id"], name="fk_link_sync"),
        sa.PrimaryKeyConstraint("id", name="pk_link"),
    )
    op.create_index(
        "ix_link_open",
        "link",
        ["sync", "closed_at"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "sighting",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("sync", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("side", sa.SmallInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("standing", sa.SmallInteger(), nullable=False),
        sa.Column("is_settled", sa.SmallInteger(), nullable=False),
        sa.Column("in_scope", sa.SmallInteger(), nullable=False),
        sa.Column("wrote_at", sa.BigInteger()),
        sa.Column("updated_at", sa.BigInteger()),
        sa.Column("link", _SERIAL),
        sa.Column("gone", sa.Text()),
        sa.Column("gone_at", sa.BigInteger()),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("external_key", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text()),
        sa.ForeignKeyConstraint(["link"], ["link.id"], name="fk_sighting_link"),
        sa.ForeignKeyConstraint(["sync"], ["sync.id"], name="fk_sighting_sync"),
        sa.PrimaryKeyConstraint("id", name="pk_sighting"),
        sa.UniqueConstraint("sync", "side", "key", name="uq_sighting_sync_side_key"),
    )
    op.create_index(
        "ix_sighting_gone",
        "sighting",
        ["sync", "side", "gone"],
        sqlite_where=sa.text("gone IS NOT NULL"),
        postgresql_where=sa.text("gone IS NOT NULL"),
    )
    op.create_index(
        "ix_sighting_link",
        "sighting",
        ["link", "side"],
        unique=True,
        sqlite_where=sa.text("link IS NOT NULL"),
        postgresql_where=sa.text("link IS NOT NULL"),
    )
    op.create_index("ix_sighting_side", "sighting", ["sync", "side", "id"])
    op.create_index(
        "ix_sighting_unlinked",
        "sighting",
        ["sync", "side"],
        sqlite_where=sa.text("link IS NULL AND gone IS NULL"),
        postgresql_where=sa.text("link IS NULL AND gone IS NULL"),
    )
    op.create_index(
        "ix_sighting_unsettled",
        "sighting",
        ["sync", "link"],
        sqlite_where=sa.text("is_settled = 0 AND link IS NOT NULL"),
        postgresql_where=sa.text("is_settled = 0 AND link IS NOT NULL"),
    )


def _journal() -> None:
    op.create_table(
        "intent",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("sync", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["run"], ["run.id"], name="fk_intent_run"),
        sa.ForeignKeyConstraint(["sync"], ["sync.id"], name="fk_intent_sync"),
        sa.PrimaryKeyConstraint("id", name="pk_intent"),
    )
    op.create_index(
        "ix_intent_unclear",
        "intent",
        ["sync"],
        sqlite_where=sa.text("state IN ('open', 'unknown')"),
        postgresql_where=sa.text("state IN ('open', 'unknown')"),
    )
    op.create_table(
        "history",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("sync", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("link", sa.BigInteger()),
        sa.Column("left_key", sa.Text()),
        sa.Column("right_key", sa.Text()),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("side", sa.SmallInteger()),
        sa.Column("old", sa.Text()),
        sa.Column("new", sa.Text()),
        sa.Column("lost", sa.Text()),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sync"], ["sync.id"], name="fk_history_sync"),
        sa.PrimaryKeyConstraint("id", name="pk_history"),
    )
    op.create_index("ix_history_left_key", "history", ["sync", "left_key"])
    op.create_index("ix_history_right_key", "history", ["sync", "right_key"])
    op.create_index("ix_history_run", "history", ["sync", "run"])
    op.create_index("ix_history_sync", "history", ["sync", "id"])


def _desk() -> None:
    op.create_table(
        "question",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("sync", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("is_open", sa.SmallInteger(), nullable=False),
        sa.Column("held", sa.Text(), nullable=False),
        sa.Column("base_left", sa.Text()),
        sa.Column("base_right", sa.Text()),
        sa.Column("left_edit", sa.Text()),
        sa.Column("right_edit", sa.Text()),
        sa.Column("choice", sa.Text()),
        sa.Column("chosen_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["sync"], ["sync.id"], name="fk_question_sync"),
        sa.PrimaryKeyConstraint("id", name="pk_question"),
    )
    op.create_index("ix_question_sync", "question", ["sync", "is_open"])
    op.create_table(
        "parked",
        sa.Column("sync", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("side", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("field", sa.Text()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.BigInteger()),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["sync"], ["sync.id"], name="fk_parked_sync"),
        sa.PrimaryKeyConstraint("sync", "side", "key", name="pk_parked"),
    )


def _small_things() -> None:
    op.create_table(
        "memo",
        sa.Column("sync", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["sync"], ["sync.id"], name="fk_memo_sync"),
        sa.PrimaryKeyConstraint("sync", "name", name="pk_memo"),
    )
    op.create_table(
        "secret",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secret"),
    )
