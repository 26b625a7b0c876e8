"""The database schema, once, for SQLite and PostgreSQL.

Read by every statement of the store and by the migrations' tests. Times are microseconds since 1970 (UTC), structures
are JSON text (`codec`), a side is 0 (left) or 1 (right), and the configured name of a sync is kept once, as a number.
Rows that are found by what they lack (a link, a settled state) have partial indexes, which cost nothing for the others.
"""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

REVISION = "0004"
"""The migration that this schema is the outcome of."""

# SQLite numbers rows by itself only in a column of exactly the type INTEGER.
Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Micros = sa.BigInteger
Flag = sa.SmallInteger  # 0 or 1: a partial index reads the same in both dialects
Json = sa.Text


def partial(name: str, *columns: str, where: sa.TextClause, unique: bool = False) -> sa.Index:
    """An index of some rows only."""
    return sa.Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


sync = sa.Table(
    "sync",
    METADATA,
    sa.Column("id", Serial, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
)


def _of_sync(*, is_key: bool = False) -> sa.Column[int]:
    return sa.Column(
        "sync", Serial, sa.ForeignKey(sync.c.id), primary_key=is_key, nullable=False, autoincrement=False
    )


# One row for each sync that ever ran. `token` only grows: it numbers the runs, and a run whose token is not the one in
# here has lost the sync to another.
lease = sa.Table(
    "lease",
    METADATA,
    _of_sync(is_key=True),
    sa.Column("token", sa.BigInteger, nullable=False),
    sa.Column("run", sa.Text),
    sa.Column("until", Micros, nullable=False),
)

run = sa.Table(
    "run",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    _of_sync(),
    sa.Column("token", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("started_at", Micros, nullable=False),
    sa.Column("ended_at", Micros),
    sa.Column("report", sa.Text, nullable=False),
    sa.UniqueConstraint("sync", "token"),
)

# A closed link keeps its row, so that its number in the history never means another one. `spoken` names, for each side,
# the fields that were seen with a value before both sides ever agreed on them.
link = sa.Table(
    "link",
    METADATA,
    sa.Column("id", Serial, primary_key=True),
    _of_sync(),
    sa.Column("base_left", Json, nullable=False),
    sa.Column("base_right", Json, nullable=False),
    sa.Column("opened_at", Micros, nullable=False),
    sa.Column("closed_at", Micros),
    sa.Column("spoken", Json),
    partial("ix_link_open", "sync", "closed_at", where=sa.text("closed_at IS NULL")),
)

sighting = sa.Table(
    "sighting",
    METADATA,
    sa.Column("id", Serial, primary_key=True),
    _of_sync(),
    sa.Column("side", sa.SmallInteger, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("standing", sa.SmallInteger, nullable=False),
    sa.Column("is_settled", Flag, nullable=False),
    sa.Column("in_scope", Flag, nullable=False),
    sa.Column("wrote_at", Micros),
    sa.Column("updated_at", Micros),
    sa.Column("link", Serial, sa.ForeignKey(link.c.id)),
    sa.Column("gone", sa.Text),
    sa.Column("gone_at", Micros),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("external_key", sa.Text, nullable=False),
    sa.Column("fields", Json),
    sa.UniqueConstraint("sync", "side", "key"),
    partial("ix_sighting_link", "link", "side", where=sa.text("link IS NOT NULL"), unique=True),
    sa.Index("ix_sighting_side", "sync", "side", "id"),
    partial("ix_sighting_gone", "sync", "side", "gone", where=sa.text("gone IS NOT NULL")),
    partial("ix_sighting_unlinked", "sync", "side", where=sa.text("link IS NULL AND gone IS NULL")),
    partial("ix_sighting_unsettled", "sync", "link", where=sa.text("is_settled = 0 AND link IS NOT NULL")),
)

intent = sa.Table(
    "intent",
    METADATA,
    sa.Column("id", Serial, primary_key=True),
    _of_sync(),
    sa.Column("run", sa.Text, sa.ForeignKey(run.c.id), nullable=False),
    sa.Column("step", Json, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("at", Micros, nullable=False),
    sa.Column("settled_at", Micros),
    partial("ix_intent_unclear", "sync", where=sa.text("state IN ('open', 'unknown')")),
)

history = sa.Table(
    "history",
    METADATA,
    sa.Column("id", Serial, primary_key=True),
    _of_sync(),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("link", sa.BigInteger),
    sa.Column("left_key", sa.Text),
    sa.Column("right_key", sa.Text),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("side", sa.SmallInteger),
    sa.Column("old", Json),
    sa.Column("new", Json),
    sa.Column("lost", Json),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("at", Micros, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Index("ix_history_sync", "sync", "id"),
    sa.Index("ix_history_left_key", "sync", "left_key"),
    sa.Index("ix_history_right_key", "sync", "right_key"),
    sa.Index("ix_history_run", "sync", "run"),
)

question = sa.Table(
    "question",
    METADATA,
    sa.Column("id", Serial, primary_key=True),
    _of_sync(),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("asked_at", Micros, nullable=False),
    sa.Column("is_open", Flag, nullable=False),
    sa.Column("held", Json, nullable=False),
    sa.Column("base_left", Json),
    sa.Column("base_right", Json),
    sa.Column("left_edit", Json),
    sa.Column("right_edit", Json),
    sa.Column("choice", Json),
    sa.Column("chosen_at", Micros),
    sa.Index("ix_question_sync", "sync", "is_open"),
)

parked = sa.Table(
    "parked",
    METADATA,
    _of_sync(is_key=True),
    sa.Column("side", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("field", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("due", Micros),
    sa.Column("since", Micros, nullable=False),
)

memo = sa.Table(
    "memo",
    METADATA,
    _of_sync(is_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

secret = sa.Table(
    "secret",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("token", sa.LargeBinary, nullable=False),
)

# Every configuration that was ever applied: the `syncs` part, without any secret.
version = sa.Table(
    "version",
    METADATA,
    sa.Column("id", Serial, primary_key=True),
    sa.Column("at", Micros, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("body", Json, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)

# What people and runs did to the installation. Each row carries the hash of the one before it: a row that was changed
# or taken out breaks the chain from there on.
audit = sa.Table(
    "audit",
    METADATA,
    sa.Column("id", Serial, primary_key=True),
    sa.Column("at", Micros, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("sync", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("body", Json, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Index("ix_audit_kind", "kind", "sync", "id"),
)

# Calls by connection, hour (its begin) and purpose.
usage = sa.Table(
    "usage",
    METADATA,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("hour", Micros, primary_key=True, autoincrement=False),
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("calls", sa.BigInteger, nullable=False),
)

# What a vendor last said it still allows in its day.
allowance = sa.Table(
    "allowance",
    METADATA,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("daily_limit", sa.BigInteger),
    sa.Column("daily_left", sa.BigInteger),
    sa.Column("seen_at", Micros, nullable=False),
    sa.Column("resets_at", Micros),
)

# The views that a run decided on, in compressed parts: they can be decided again.
evidence = sa.Table(
    "evidence",
    METADATA,
    sa.Column("run", sa.Text, sa.ForeignKey(run.c.id), primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

# Two records that a person said are not the same: never proposed or linked again by themselves.
apart = sa.Table(
    "apart",
    METADATA,
    _of_sync(is_key=True),
    sa.Column("left_key", sa.Text, primary_key=True),
    sa.Column("right_key", sa.Text, primary_key=True),
    sa.Column("at", Micros, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)
