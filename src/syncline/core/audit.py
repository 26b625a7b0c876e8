"""What people and runs did to an installation into links of a chain: each entry carries the hash of the one before it.

The store appends with `sealed` and checks with `fault`; the CLI shows entries. A row that was changed, taken out or put
elsewhere breaks the chain from there on. The chain proves order and content, not who wrote it: whoever may write to the
database may make a whole new chain, so note a hash now and then outside of it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from enum import Enum

import msgspec

BEGIN = "0" * 64
"""What the first entry has in place of a previous hash."""


class AuditKind(Enum):
    """What an entry tells of."""

    CONFIGURATION_APPLIED = "configuration_applied"
    CONFIGURATION_ROLLED_BACK = "configuration_rolled_back"
    CHOICE = "choice"
    BRAKES_RELEASED = "brakes_released"
    BRAKE_ARMED = "brake_armed"
    LINKED = "linked"
    UNLINKED = "unlinked"
    RETRIED = "retried"
    UNDONE = "undone"
    CERTIFICATE = "certificate"
    SET_UP = "set_up"
    LOGGED_IN = "logged_in"
    LOGIN_REFUSED = "login_refused"
    LOGGED_OUT = "logged_out"
    SESSIONS_ENDED = "sessions_ended"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a name, no secret
    USER_ADDED = "user_added"
    USER_CHANGED = "user_changed"
    USER_REMOVED = "user_removed"
    TOKEN_MADE = "token_made"  # noqa: S105 - a name, no secret
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - a name, no secret
    CONNECTION_ADDED = "connection_added"
    CONNECTION_CHANGED = "connection_changed"
    CONNECTION_ROTATED = "connection_rotated"
    CONNECTION_REMOVED = "connection_removed"
    KEY_ROTATED = "key_rotated"
    SETTINGS_CHANGED = "settings_changed"
    PAUSED = "paused"
    RESUMED = "resumed"
    CHANNEL_SAVED = "channel_saved"
    CHANNEL_REMOVED = "channel_removed"
    SUBSCRIBED = "subscribed"
    SUBSCRIPTION_CHANGED = "subscription_changed"
    UNSUBSCRIBED = "unsubscribed"


class AuditEntry(msgspec.Struct, frozen=True):
    """One link of the chain. `sync` is empty where the whole installation is meant; `subject` names what it is about
    (a question's number, a record's key); `body` is canonical JSON text and holds neither secrets nor field values."""

    id: int
    at: dt.datetime
    kind: str
    sync: str
    subject: str
    body: msgspec.Raw
    previous: str
    hash: str


class AuditFault(msgspec.Struct, frozen=True):
    """The first entry at which the chain is broken, and how."""

    id: int
    reason: str


class AuditCheck(msgspec.Struct, frozen=True):
    """How far a trail was checked: up to `last`, with what is broken there; `is_over` when nothing comes after it."""

    last: AuditEntry | None = None
    fault: AuditFault | None = None
    is_over: bool = False


def canonical_json(body: object) -> str:
    """JSON text with sorted keys and no white space: the same value always gives the same text."""
    plain = msgspec.to_builtins(body, str_keys=True)
    return msgspec.json.encode(plain, order="deterministic").decode()


def digest(entry: AuditEntry) -> str:
    """The hash that an entry must carry: SHA-256 over everything else in it."""
    told = (
        entry.previous,
        entry.id,
        entry.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        entry.kind,
        entry.sync,
        entry.subject,
        bytes(entry.body).decode(),
    )
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()


def sealed(entry: AuditEntry) -> AuditEntry:
    """The entry with its hash."""
    return msgspec.structs.replace(entry, hash=digest(entry))


def fault(before: AuditEntry | None, entry: AuditEntry) -> AuditFault | None:
    """What is wrong with an entry that comes after another one (None: it is the first); None when nothing is."""
    number, previous = (before.id, before.hash) if before is not None else (0, BEGIN)
    if entry.id != number + 1:
        return AuditFault(entry.id, f"entry {number + 1} is missing, or entries were put in another order")
    if entry.previous != previous:
        return AuditFault(entry.id, "it does not follow the entry before it")
    if entry.hash != digest(entry):
        return AuditFault(entry.id, "it was changed after it was written")
    return None
