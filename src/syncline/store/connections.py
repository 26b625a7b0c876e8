"""Connections made over the API, drafts of syncs, authorisations that were begun, and secrets that are to go.

A part of `SqlStore`. Implements `ports.ConnectionStore`. The secrets of an authorisation are encrypted like all others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from syncline.ports.connections import Authorisation, ConnectionState, Draft, KeptConnection
from syncline.store.codec import micros, moment
from syncline.store.dialects import fixed
from syncline.store.secrets import Secrets
from syncline.store.service_tables import authorisation, connection, draft
from syncline.store.session import Row
from syncline.store.tables import secret

_COLUMNS = ("name", "vendor", "settings", "revision", "state", "why", "created_at", "changed_at")
_ALL = sa.select(*(connection.c[name] for name in _COLUMNS)).order_by(connection.c.name)
_IS_NAMED = connection.c.name == sa.bindparam("name")
_ONE = _ALL.where(_IS_NAMED)
_ADD = sa.insert(connection).inline().values({name: sa.bindparam(name) for name in _COLUMNS})
_CHANGE = (
    sa.update(connection)
    .where(_IS_NAMED, connection.c.revision == sa.bindparam("old"))
    .values(
        settings=sa.bindparam("settings"),
        changed_at=sa.bindparam("now"),
        revision=connection.c.revision + fixed(1),
    )
)
_NOTE = sa.update(connection).where(_IS_NAMED).values(state=sa.bindparam("state"), why=sa.bindparam("why"))
_REMOVE = sa.delete(connection).where(_IS_NAMED)

_DRAFT_COLUMNS = ("name", "body", "revision", "changed_at", "changed_by")
_DRAFTS = sa.select(*(draft.c[name] for name in _DRAFT_COLUMNS)).order_by(draft.c.name)
_IS_DRAFT = draft.c.name == sa.bindparam("name")
_DRAFT = _DRAFTS.where(_IS_DRAFT)
_ADD_DRAFT = sa.insert(draft).inline().values({name: sa.bindparam(name) for name in _DRAFT_COLUMNS})
_CHANGE_DRAFT = (
    sa.update(draft)
    .where(_IS_DRAFT)
    .values({name: sa.bindparam(name) for name in ("body", "revision", "changed_at", "changed_by")})
)
_REMOVE_DRAFT = sa.delete(draft).where(_IS_DRAFT)

_BEGUN_COLUMNS = ("hash", "connection", "vendor", "body", "secrets", "expires_at")
_IS_BEGUN = authorisation.c.hash == sa.bindparam("hash")
_BEGUN = sa.select(*(authorisation.c[name] for name in _BEGUN_COLUMNS)).where(_IS_BEGUN)
_BEGIN = sa.insert(authorisation).inline().values({name: sa.bindparam(name) for name in _BEGUN_COLUMNS})
_TAKE = sa.delete(authorisation).where(_IS_BEGUN)
_FORGET_BEGUN = sa.delete(authorisation).where(authorisation.c.expires_at <= sa.bindparam("before"))
_FORGET_OF = sa.delete(authorisation).where(authorisation.c.connection == sa.bindparam("name"))

_FORGET_SECRET = sa.delete(secret).where(secret.c.name == sa.bindparam("name"))
_SECRET_NAMES = sa.select(secret.c.name).order_by(secret.c.name)

_SETTINGS = msgspec.json.Decoder(dict[str, Any])
_TEXTS = msgspec.json.Decoder(dict[str, str])


class Connections(Secrets):
    """Connections, drafts, authorisations."""

    def add_connection(
        self, name: str, vendor: str, settings: Mapping[str, Any], state: ConnectionState, now: dt.datetime
    ) -> KeptConnection | None:
        """Keep a new connection, of revision 1; None when there is one of this name."""
        with self._together():
            if self._row(_ONE, name=name) is not None:
                return None
            self._run(
                _ADD,
                name=name,
                vendor=vendor,
                settings=_text(settings),
                revision=1,
                state=state.value,
                why="",
                created_at=micros(now),
                changed_at=micros(now),
            )
            return self.kept_connection(name)

    def kept_connection(self, name: str) -> KeptConnection | None:
        """One connection."""
        row = self._row(_ONE, name=name)
        return None if row is None else _connection(row)

    def kept_connections(self) -> Sequence[KeptConnection]:
        """All of them, by name."""
        return [_connection(row) for row in self._rows(_ALL)]

    def change_connection(
        self, name: str, settings: Mapping[str, Any], revision: int, now: dt.datetime
    ) -> KeptConnection | None:
        """Replace the settings on top of a revision, which grows by one; None when another one is in force."""
        with self._together():
            changed = self._run(_CHANGE, name=name, settings=_text(settings), old=revision, now=micros(now))
            return self.kept_connection(name) if changed == 1 else None

    def note_connection(self, name: str, state: ConnectionState, why: str) -> None:
        """Keep what a test found. The revision stays."""
        self._run(_NOTE, name=name, state=state.value, why=why)

    def remove_connection(self, name: str) -> bool:
        """Remove a connection and what was begun for it; False when there is none. Its secrets are forgotten apart."""
        with self._together():
            self._run(_FORGET_OF, name=name)
            return self._run(_REMOVE, name=name) == 1

    def draft(self, name: str) -> Draft | None:
        """The draft of one sync."""
        row = self._row(_DRAFT, name=name)
        return None if row is None else _draft(row)

    def drafts(self) -> Sequence[Draft]:
        """All of them, by name."""
        return [_draft(row) for row in self._rows(_DRAFTS)]

    def save_draft(
        self, name: str, body: Mapping[str, Any], by: str, now: dt.datetime, revision: int | None = None
    ) -> Draft | None:
        """Keep a draft. With a `revision` only on top of that one (0: only when there is none): None when another is in
        force. The revision grows by one."""
        with self._together():
            before = self.draft(name)
            known = before.revision if before is not None else 0
            if revision is not None and revision != known:
                return None
            self._run(
                _ADD_DRAFT if before is None else _CHANGE_DRAFT,
                name=name,
                body=_text(body),
                revision=known + 1,
                changed_at=micros(now),
                changed_by=by,
            )
            return self.draft(name)

    def remove_draft(self, name: str) -> bool:
        """Remove a draft; False when there is none."""
        return self._run(_REMOVE_DRAFT, name=name) == 1

    def begin_authorisation(self, begun: Authorisation) -> None:
        """Keep an authorisation; its secrets are encrypted. Raises `SetupError` when there is no key for that."""
        self._run(
            _BEGIN,
            hash=begun.hash,
            connection=begun.connection,
            vendor=begun.vendor,
            body=_text(begun.body),
            secrets=self._key().encrypt(msgspec.json.encode(begun.secrets)),
            expires_at=micros(begun.expires_at),
        )

    def take_authorisation(self, hash_: str) -> Authorisation | None:
        """One that was begun, also an expired one, and forget it: whoever takes it is the only one."""
        with self._together():
            row = self._row(_BEGUN, hash=hash_)
            self._run(_TAKE, hash=hash_)
        if row is None:
            return None
        _, name, vendor, body, locked, expires_at = row
        secrets = _TEXTS.decode(self._opened(f"authorisation of {name}", bytes(locked)))
        return Authorisation(hash_, name, vendor, _SETTINGS.decode(body), secrets, moment(expires_at))

    def forget_authorisations(self, before: dt.datetime) -> int:
        """Forget those that expired by then; answers how many."""
        return self._run(_FORGET_BEGUN, before=micros(before))

    def forget_secret(self, name: str) -> bool:
        """Remove a secret for good; False when there is none."""
        return self._run(_FORGET_SECRET, name=name) == 1

    def secret_names(self) -> Sequence[str]:
        """The names of all secrets."""
        return [row[0] for row in self._rows(_SECRET_NAMES)]


def _text(value: Mapping[str, Any]) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()


def _connection(row: Row) -> KeptConnection:
    name, vendor, settings, revision, state, why, created_at, changed_at = row
    return KeptConnection(
        name,
        vendor,
        _SETTINGS.decode(settings),
        revision,
        ConnectionState(state),
        why,
        moment(created_at),
        moment(changed_at),
    )


def _draft(row: Row) -> Draft:
    name, body, revision, changed_at, changed_by = row
    return Draft(name, _SETTINGS.decode(body), revision, moment(changed_at), changed_by)
