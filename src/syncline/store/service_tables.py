"""The tables of the service: connections and drafts made over the API, people, webhooks in, marks, alerts, events out.

Read by the store's parts for `syncline serve`. One schema with `tables`; the words for columns are the same there.
"""

from __future__ import annotations

import sqlalchemy as sa

from syncline.store.tables import METADATA, Flag, Json, Micros, Serial, partial

# A connection that was made over the API. `settings` hold no secret: those lie in `secret` under "connection:NAME".
connection = sa.Table(
    "connection",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("vendor", sa.Text, nullable=False),
    sa.Column("settings", Json, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("created_at", Micros, nullable=False),
    sa.Column("changed_at", Micros, nullable=False),
)

# A sync as somebody is setting it up: in force only once it is applied.
draft = sa.Table(
    "draft",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("body", Json, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("changed_at", Micros, nullable=False),
    sa.Column("changed_by", sa.Text, nullable=False),
)

# Small things of the whole installation. `revision` only grows: whoever wrote on an older one is told.
setting = sa.Table(
    "setting",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", Json, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("changed_at", Micros, nullable=False),
)

user_account = sa.Table(
    "user_account",
    METADATA,
    sa.Column("id", Serial, primary_key=True),
    sa.Column("email", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("password", sa.Text, nullable=False),
    sa.Column("is_active", Flag, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("created_at", Micros, nullable=False),
    sa.Column("seen_at", Micros),
)

# Sessions and API tokens are found by a hash: what opens the door is never stored.
login_session = sa.Table(
    "login_session",
    METADATA,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("user", Serial, sa.ForeignKey(user_account.c.id), nullable=False, autoincrement=False),
    sa.Column("csrf", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("created_at", Micros, nullable=False),
    sa.Column("seen_at", Micros, nullable=False),
    sa.Column("expires_at", Micros, nullable=False),
    sa.Index("ix_login_session_user", "user"),
)

api_token = sa.Table(
    "api_token",
    METADATA,
    sa.Column("id", Serial, primary_key=True),
    sa.Column("user", Serial, sa.ForeignKey(user_account.c.id), nullable=False, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("last_four", sa.Text, nullable=False),
    sa.Column("scopes", Json, nullable=False),
    sa.Column("created_at", Micros, nullable=False),
    sa.Column("expires_at", Micros),
    sa.Column("used_at", Micros),
    sa.Column("revoked_at", Micros),
)

# Failed tries by what is tried (an address, an e-mail, an intake path): so many since then, refused until.
throttle = sa.Table(
    "throttle",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("since", Micros, nullable=False),
    sa.Column("until", Micros, nullable=False),
)

# Answers to POST requests with an Idempotency-Key, by who asked and the key.
answered = sa.Table(
    "answered",
    METADATA,
    sa.Column("user", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("headers", Json, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("at", Micros, nullable=False),
    sa.Index("ix_answered_at", "at"),
)

# An OAuth authorisation that was begun: found by the hash of its state, used once. `secrets` are encrypted.
authorisation = sa.Table(
    "authorisation",
    METADATA,
    sa.Column("hash", sa.Text, primary_key=True),
    sa.Column("connection", sa.Text, nullable=False),
    sa.Column("vendor", sa.Text, nullable=False),
    sa.Column("body", Json, nullable=False),
    sa.Column("secrets", sa.LargeBinary, nullable=False),
    sa.Column("expires_at", Micros, nullable=False),
)

# Webhooks as they came in. `mark` tells one delivery from another (the vendor's id, else a digest); `state` is waiting,
# used, ignored, or refused, and `why` says more.
delivery = sa.Table(
    "delivery",
    METADATA,
    sa.Column("id", Serial, primary_key=True),
    sa.Column("connection", sa.Text, nullable=False),
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("object_type", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("happened_at", Micros),
    sa.Column("received_at", Micros, nullable=False),
    sa.Column("used_at", Micros),
    sa.Column("headers", Json, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("connection", "mark"),
    sa.Index("ix_delivery_connection", "connection", "id"),
    sa.Index("ix_delivery_received_at", "received_at"),
    partial("ix_delivery_waiting", "id", where=sa.text("state = 'waiting'")),
)

# Records of which something was heard. `number` only grows: a mark made again while a run looks at it stays.
mark = sa.Table(
    "mark",
    METADATA,
    sa.Column("number", Serial, primary_key=True),
    sa.Column("sync", sa.Text, nullable=False),
    sa.Column("side", sa.SmallInteger, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("origin", sa.Text, nullable=False),
    sa.Column("since", Micros, nullable=False),
    sa.Column("not_before", Micros, nullable=False),
    sa.Index("ix_mark_sync", "sync", "number"),
)

# When something of a sync is due next: a poll, the nightly reconcile, another try.
due = sa.Table(
    "due",
    METADATA,
    sa.Column("sync", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("at", Micros, nullable=False),
    sa.Column("every", Micros, nullable=False),
    sa.Column("misses", sa.Integer, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
)

# How long edits took to be written on the other side: counts by hour and by bucket (an upper bound).
lag = sa.Table(
    "lag",
    METADATA,
    sa.Column("sync", sa.Text, primary_key=True),
    sa.Column("hour", Micros, primary_key=True, autoincrement=False),
    sa.Column("bucket", Micros, primary_key=True, autoincrement=False),
    sa.Column("count", sa.BigInteger, nullable=False),
)

alert = sa.Table(
    "alert",
    METADATA,
    sa.Column("id", Serial, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("body", Json, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("first_at", Micros, nullable=False),
    sa.Column("last_at", Micros, nullable=False),
    sa.Column("told_at", Micros),
    sa.Column("closed_at", Micros),
    partial("ix_alert_open", "kind", "subject", where=sa.text("closed_at IS NULL"), unique=True),
)

# Where alerts go. The address may hold a password: it lies in `secret` under "channel:NAME".
channel = sa.Table(
    "channel",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("kinds", Json, nullable=False),
    sa.Column("is_on", Flag, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("changed_at", Micros, nullable=False),
    sa.Column("failure", sa.Text, nullable=False),
)

# Whoever wants our events. The signing secret lies in `secret` under "subscription:ID".
subscription = sa.Table(
    "subscription",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("events", Json, nullable=False),
    sa.Column("is_on", Flag, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("created_at", Micros, nullable=False),
    sa.Column("failing_since", Micros),
    sa.Column("why_off", sa.Text, nullable=False),
)

event = sa.Table(
    "event",
    METADATA,
    sa.Column("id", Serial, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("at", Micros, nullable=False),
    sa.Column("body", Json, nullable=False),
    sa.Index("ix_event_at", "at"),
)

# One event on its way to one subscription. `due` is NULL once it arrived or was given up.
dispatch = sa.Table(
    "dispatch",
    METADATA,
    sa.Column("id", Serial, primary_key=True),
    sa.Column("event", Serial, sa.ForeignKey(event.c.id), nullable=False, autoincrement=False),
    sa.Column("subscription", sa.Text, sa.ForeignKey(subscription.c.id), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("due", Micros),
    sa.Column("status", sa.Integer),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("tried_at", Micros),
    partial("ix_dispatch_due", "due", where=sa.text("due IS NOT NULL")),
    sa.Index("ix_dispatch_subscription", "subscription", "id"),
)
