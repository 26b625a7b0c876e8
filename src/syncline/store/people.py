"""Users, their sessions and their API tokens, found by hashes of what opens the door.

A part of `SqlStore`. Implements `ports.PeopleStore`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from syncline.core.people import ApiToken, LoginSession, Role, Scope, User
from syncline.errors import StoreError
from syncline.store.codec import micros, moment, moment_or_none
from syncline.store.dialects import fixed
from syncline.store.service_tables import answered, api_token, login_session, user_account
from syncline.store.session import Row, Rows

_USER_COLUMNS = ("id", "email", "name", "role", "is_active", "revision", "created_at", "seen_at")
# Of a removed user only the number is left: a row without a password.
_IS_THERE = user_account.c.password != fixed("")
_USER_ALL = sa.select(*(user_account.c[name] for name in _USER_COLUMNS)).where(_IS_THERE)
_IS_USER = user_account.c.id == sa.bindparam("id")
_USER = _USER_ALL.where(_IS_USER)
_USER_BY_EMAIL = _USER_ALL.where(user_account.c.email == sa.bindparam("email"))
_USERS = (
    _USER_ALL.where(user_account.c.id > sa.bindparam("after"))
    .order_by(user_account.c.id)
    .limit(sa.bindparam("most"))
)
_COUNT_USERS = sa.select(sa.func.count()).select_from(user_account).where(_IS_THERE)
_COUNT_ROLE = _COUNT_USERS.where(
    user_account.c.role == sa.bindparam("role"), user_account.c.is_active == fixed(1)
)
_ADD_USER = (
    sa.insert(user_account)
    .inline()
    .values({name: sa.bindparam(name) for name in ("email", "name", "role", "password", "created_at")})
    .values(is_active=fixed(1), revision=fixed(1))
    .returning(user_account.c.id)
)
_CHANGE_USER = (
    sa.update(user_account)
    .where(_IS_USER, _IS_THERE, user_account.c.revision == sa.bindparam("old"))
    .values({name: sa.bindparam(name) for name in ("email", "name", "role", "is_active")})
    .values(revision=user_account.c.revision + fixed(1))
)
_PASSWORD = sa.select(user_account.c.password).where(_IS_USER, _IS_THERE)
_SET_PASSWORD = sa.update(user_account).where(_IS_USER).values(password=sa.bindparam("password"))
_GREET = sa.update(user_account).where(_IS_USER).values(seen_at=sa.bindparam("now"))
_REMOVE_USER = (
    sa.update(user_account)
    .where(_IS_USER, _IS_THERE)
    .values(email=sa.bindparam("email"), name=fixed(""), password=fixed(""), is_active=fixed(0))
)
_REMOVE_OF_USER = (
    sa.delete(login_session).where(login_session.c.user == sa.bindparam("id")),
    sa.delete(answered).where(answered.c.user == sa.bindparam("id")),
)

_SESSION_COLUMNS = ("hash", "user", "csrf", "agent", "created_at", "seen_at", "expires_at")
_SESSION_ALL = sa.select(*(login_session.c[name] for name in _SESSION_COLUMNS))
_IS_SESSION = login_session.c.hash == sa.bindparam("hash")
_IS_USERS_SESSION = login_session.c.user == sa.bindparam("user")
_SESSION = _SESSION_ALL.where(_IS_SESSION)
_SESSIONS = _SESSION_ALL.where(_IS_USERS_SESSION).order_by(
    login_session.c.seen_at.desc(), login_session.c.hash
)
_OPEN_SESSION = (
    sa.insert(login_session).inline().values({name: sa.bindparam(name) for name in _SESSION_COLUMNS})
)
_PROLONG = (
    sa.update(login_session)
    .where(_IS_SESSION)
    .values(seen_at=sa.bindparam("now"), expires_at=sa.bindparam("until"))
)
_END_SESSION = sa.delete(login_session).where(_IS_SESSION)
_END_SESSIONS = sa.delete(login_session).where(
    _IS_USERS_SESSION, login_session.c.hash != sa.bindparam("hash")
)
_END_EXPIRED = sa.delete(login_session).where(login_session.c.expires_at <= sa.bindparam("now"))

_TOKEN_COLUMNS = (
    "id",
    "user",
    "name",
    "last_four",
    "scopes",
    "created_at",
    "expires_at",
    "used_at",
    "revoked_at",
)
_TOKEN_ALL = sa.select(*(api_token.c[name] for name in _TOKEN_COLUMNS))
_IS_TOKEN = api_token.c.id == sa.bindparam("id")
_TOKEN = _TOKEN_ALL.where(_IS_TOKEN)
_TOKEN_BY_HASH = _TOKEN_ALL.where(api_token.c.hash == sa.bindparam("hash"))
_TOKENS_OF_ALL = (
    _TOKEN_ALL.where(api_token.c.id > sa.bindparam("after"))
    .order_by(api_token.c.id)
    .limit(sa.bindparam("most"))
)
_TOKENS = _TOKENS_OF_ALL.where(api_token.c.user == sa.bindparam("user"))
_ADD_TOKEN = (
    sa.insert(api_token)
    .inline()
    .values({name: sa.bindparam(name) for name in (*_TOKEN_COLUMNS[1:], "hash")})
    .returning(api_token.c.id)
)
_USE_TOKEN = sa.update(api_token).where(_IS_TOKEN).values(used_at=sa.bindparam("now"))
_REVOKE_ALL = (
    sa.update(api_token)
    .where(api_token.c.user == sa.bindparam("user"), api_token.c.revoked_at.is_(None))
    .values(revoked_at=sa.bindparam("now"))
)
_REVOKE = (
    sa.update(api_token)
    .where(_IS_TOKEN, api_token.c.revoked_at.is_(None))
    .values(revoked_at=sa.bindparam("now"))
)


class People(Rows):
    """Users, sessions, API tokens."""

    def add_user(self, email: str, name: str, role: Role, password: str, now: dt.datetime) -> User:
        """Add an active user. `password` is a hash. E-mails are kept in lower case and are unique: raises `StoreError`
        for one that is taken."""
        address = email.lower()
        with self._together():
            if self._row(_USER_BY_EMAIL, email=address) is not None:
                raise StoreError("there is a user with this e-mail")
            row = self._row(
                _ADD_USER,
                email=address,
                name=name,
                role=role.value,
                password=password,
                created_at=micros(now),
            )
        if row is None:
            raise StoreError("the user was not kept")
        return User(row[0], address, name, role, is_active=True, revision=1, created_at=moment(micros(now)))

    def user(self, user: int) -> User | None:
        """One user."""
        row = self._row(_USER, id=user)
        return None if row is None else _user(row)

    def user_by_email(self, email: str) -> User | None:
        """The user with this e-mail, in whatever case it is written."""
        row = self._row(_USER_BY_EMAIL, email=email.lower())
        return None if row is None else _user(row)

    def users(self, after: int = 0, limit: int = 100) -> Sequence[User]:
        """Users whose id is above `after`, in the order of their ids."""
        return [_user(row) for row in self._rows(_USERS, after=after, most=limit)]

    def count_users(self, role: Role | None = None) -> int:
        """How many users there are, or how many active ones with a role."""
        row = self._row(_COUNT_USERS) if role is None else self._row(_COUNT_ROLE, role=role.value)
        return row[0] if row else 0

    def change_user(self, user: User) -> bool:
        """Store name, e-mail, role and whether it is active, if `user.revision` is still the one in force; the revision
        grows by one. False when it is not, or there is no such user."""
        changed = self._run(
            _CHANGE_USER,
            id=user.id,
            old=user.revision,
            email=user.email.lower(),
            name=user.name,
            role=user.role.value,
            is_active=int(user.is_active),
        )
        return changed == 1

    def password_of(self, user: int) -> str | None:
        """The hash of a user's password."""
        row = self._row(_PASSWORD, id=user)
        return row[0] if row else None

    def set_password(self, user: int, password: str) -> None:
        """Replace the hash of a user's password."""
        self._run(_SET_PASSWORD, id=user, password=password)

    def greet_user(self, user: int, now: dt.datetime) -> None:
        """Note that a user has logged in."""
        self._run(_GREET, id=user, now=micros(now))

    def remove_user(self, user: int, now: dt.datetime) -> bool:
        """Remove a user with all sessions and answers; tokens are revoked. Only the number stays: it is never given again."""
        with self._together():
            self._run(_REVOKE_ALL, user=user, now=micros(now))
            for statement in _REMOVE_OF_USER:
                self._run(statement, id=user)
            return self._run(_REMOVE_USER, id=user, email=f"removed {user}") == 1

    def open_session(self, session: LoginSession) -> None:
        """Store a new session."""
        self._run(
            _OPEN_SESSION,
            hash=session.hash,
            user=session.user,
            csrf=session.csrf,
            agent=session.agent,
            created_at=micros(session.created_at),
            seen_at=micros(session.seen_at),
            expires_at=micros(session.expires_at),
        )

    def session(self, hash_: str) -> LoginSession | None:
        """The session with this hash, also one that has expired."""
        row = self._row(_SESSION, hash=hash_)
        return None if row is None else _session(row)

    def sessions(self, user: int) -> Sequence[LoginSession]:
        """A user's sessions, latest use first."""
        return [_session(row) for row in self._rows(_SESSIONS, user=user)]

    def prolong_session(self, hash_: str, now: dt.datetime, expires_at: dt.datetime) -> None:
        """Note that a session was used."""
        self._run(_PROLONG, hash=hash_, now=micros(now), until=micros(expires_at))

    def end_session(self, hash_: str) -> bool:
        """Remove a session; False when there is none."""
        return self._run(_END_SESSION, hash=hash_) == 1

    def end_sessions(self, user: int, but: str = "") -> int:
        """Remove a user's sessions, except the one with the hash `but`; answers how many."""
        return self._run(_END_SESSIONS, user=user, hash=but)

    def end_expired_sessions(self, now: dt.datetime) -> int:
        """Remove sessions that have expired; answers how many."""
        return self._run(_END_EXPIRED, now=micros(now))

    def add_token(self, token: ApiToken, hash_: str) -> ApiToken:
        """Store a new token; its `id` is given here."""
        row = self._row(
            _ADD_TOKEN,
            user=token.user,
            name=token.name,
            last_four=token.last_four,
            scopes=_scopes_text(token.scopes),
            created_at=micros(token.created_at),
            expires_at=micros(token.expires_at),
            used_at=micros(token.used_at),
            revoked_at=micros(token.revoked_at),
            hash=hash_,
        )
        if row is None:
            raise StoreError("the token was not kept")
        return msgspec.structs.replace(token, id=row[0])

    def token(self, token: int) -> ApiToken | None:
        """One token, by its number."""
        row = self._row(_TOKEN, id=token)
        return None if row is None else _token(row)

    def token_by_hash(self, hash_: str) -> ApiToken | None:
        """One token, by the hash of its text, also one that is no longer in force."""
        row = self._row(_TOKEN_BY_HASH, hash=hash_)
        return None if row is None else _token(row)

    def tokens(self, user: int | None = None, after: int = 0, limit: int = 100) -> Sequence[ApiToken]:
        """Tokens of one user, or of all, whose id is above `after`, in the order of their ids."""
        rows = (
            self._rows(_TOKENS_OF_ALL, after=after, most=limit)
            if user is None
            else self._rows(_TOKENS, user=user, after=after, most=limit)
        )
        return [_token(row) for row in rows]

    def use_token(self, token: int, now: dt.datetime) -> None:
        """Note that a token was used."""
        self._run(_USE_TOKEN, id=token, now=micros(now))

    def revoke_token(self, token: int, now: dt.datetime) -> bool:
        """Take a token out of force for good; False when there is none, or it was revoked before."""
        return self._run(_REVOKE, id=token, now=micros(now)) == 1


def _user(row: Row) -> User:
    number, email, name, role, is_active, revision, created_at, seen_at = row
    return User(
        number,
        email,
        name,
        Role(role),
        bool(is_active),
        revision,
        moment(created_at),
        moment_or_none(seen_at),
    )


def _session(row: Row) -> LoginSession:
    hash_, user, csrf, agent, created_at, seen_at, expires_at = row
    return LoginSession(hash_, user, csrf, agent, moment(created_at), moment(seen_at), moment(expires_at))


def _scopes_text(scopes: Sequence[Scope]) -> str:
    return msgspec.json.encode([each.value for each in scopes]).decode()


def _known_scopes(text: str) -> tuple[Scope, ...]:
    """The scopes of a token; one that this Syncline does not know any more gives no right."""
    known = {each.value: each for each in Scope}
    return tuple(known[name] for name in msgspec.json.decode(text, type=list[str]) if name in known)


def _token(row: Row) -> ApiToken:
    number, user, name, last_four, scopes, created_at, expires_at, used_at, revoked_at = row
    return ApiToken(
        number,
        user,
        name,
        last_four,
        _known_scopes(scopes),
        moment(created_at),
        moment_or_none(expires_at),
        moment_or_none(used_at),
        moment_or_none(revoked_at),
    )
