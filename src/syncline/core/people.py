"""Who may use the service: users with a role, their sessions and API tokens, and what a role or a scope allows.

Kept by the store, worked with by `service.people` and its neighbours, asked by `web.security` on every request. Nothing
in here holds a password, a session id or a token: the store knows hashes of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import Enum

import msgspec


class Role(Enum):
    """What a user may do, from least to most: each role may do all that the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class Scope(Enum):
    """What a route asks for, and what an API token may be limited to. `X:write` includes `X:read`."""

    OWN = "own"
    """One's own account, sessions and tokens: everybody who is known."""
    SYNCS_READ = "syncs:read"
    """Syncs, drafts, versions, object types and fields."""
    SYNCS_WRITE = "syncs:write"
    """Change and apply what is configured."""
    RUNS_READ = "runs:read"
    """Runs, plans, progress, quota."""
    RUNS_WRITE = "runs:write"
    """Start, pause, resume, undo, release brakes."""
    RECORDS_READ = "records:read"
    """Values: history, links, conflicts, sample values."""
    RECORDS_WRITE = "records:write"
    """Answer conflicts and deletions, link and unlink, retry."""
    CONNECTIONS_READ = "connections:read"
    """Connections and their health, never their secrets."""
    CONNECTIONS_WRITE = "connections:write"
    """Add, change, test and remove connections."""
    DELIVERIES_READ = "deliveries:read"
    """Webhooks as they came in."""
    DELIVERIES_WRITE = "deliveries:write"
    """Take them in once more."""
    ALERTS_READ = "alerts:read"
    """Alerts, and where they go."""
    ALERTS_WRITE = "alerts:write"
    """Close alerts; change where they go."""
    WORKSPACE_READ = "workspace:read"
    """Projects, documents, contracts, milestones, leads, tasks and people of the workspace, and their files."""
    WORKSPACE_WRITE = "workspace:write"
    """Make, change and delete them."""
    EVENTS_READ = "events:read"
    """Outgoing events and who wants them."""
    EVENTS_WRITE = "events:write"
    """Subscribe to events, send them again."""
    METRICS_READ = "metrics:read"
    """The measurements."""
    AUDIT_READ = "audit:read"
    """The audit trail."""
    USERS_READ = "users:read"
    """The list of users."""
    SETTINGS_WRITE = "settings:write"
    """Settings of the whole installation."""
    ADMIN = "admin"
    """Everything, users and their rights too."""


_VIEWER = frozenset(
    {
        Scope.OWN,
        Scope.SYNCS_READ,
        Scope.RUNS_READ,
        Scope.RECORDS_READ,
        Scope.CONNECTIONS_READ,
        Scope.DELIVERIES_READ,
        Scope.ALERTS_READ,
        Scope.WORKSPACE_READ,
        Scope.EVENTS_READ,
        Scope.METRICS_READ,
    }
)
_OPERATOR = _VIEWER | {
    Scope.RUNS_WRITE,
    Scope.RECORDS_WRITE,
    Scope.DELIVERIES_WRITE,
    Scope.ALERTS_WRITE,
    Scope.WORKSPACE_WRITE,
}
_RIGHTS = {Role.VIEWER: _VIEWER, Role.OPERATOR: _OPERATOR, Role.ADMIN: frozenset(Scope)}
_READ, _WRITE = ":read", ":write"


def rights_of(role: Role) -> frozenset[Scope]:
    """All scopes that a role includes."""
    return _RIGHTS[role]


def widened(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """The scopes with all that they include. Everybody who is known may see to their own account."""
    named = frozenset(scopes)
    if Scope.ADMIN in named:
        return frozenset(Scope)
    readable = {each.value.replace(_WRITE, _READ) for each in named}
    return named | {Scope.OWN} | {each for each in Scope if each.value in readable}


class User(msgspec.Struct, frozen=True):
    """One person who may log in. `revision` grows with every change; `seen_at` is when they last logged in."""

    id: int
    email: str
    name: str
    role: Role
    is_active: bool
    revision: int
    created_at: dt.datetime
    seen_at: dt.datetime | None = None


class LoginSession(msgspec.Struct, frozen=True):
    """Somebody who is logged in. `hash` and `csrf` are digests of the session's id and of its CSRF token; `agent` is what
    the browser calls itself. It ends at `expires_at`, which moves with its use."""

    hash: str
    user: int
    csrf: str
    agent: str
    created_at: dt.datetime
    seen_at: dt.datetime
    expires_at: dt.datetime


class ApiToken(msgspec.Struct, frozen=True):
    """A token for programs: who made it, what it may do, and how it is told from others (`last_four`)."""

    id: int
    user: int
    name: str
    last_four: str
    scopes: tuple[Scope, ...]
    created_at: dt.datetime
    expires_at: dt.datetime | None = None
    used_at: dt.datetime | None = None
    revoked_at: dt.datetime | None = None

    def is_in_force(self, now: dt.datetime) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class Tries(msgspec.Struct, frozen=True):
    """Failed tries at one thing (an address, an account) since a time, and until when the next one is refused."""

    count: int
    since: dt.datetime
    until: dt.datetime


class Answered(msgspec.Struct, frozen=True):
    """The answer that a request with an idempotency key got. `request` is a digest of what was asked; `headers` are those
    that belong to the answer."""

    user: int
    key: str
    request: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    at: dt.datetime


class Setting(msgspec.Struct, frozen=True):
    """A small thing of the whole installation: JSON text, and a revision that only grows."""

    value: msgspec.Raw
    revision: int
    changed_at: dt.datetime
