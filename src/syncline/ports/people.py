"""What the service keeps of people: users, sessions, API tokens, failed tries, answers already given, settings.

A part of `ports.Store`. Implemented by `store.people` and `store.doors`; the shared suite under `tests/store/` proves
that an adapter fits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Protocol

from syncline.core.people import Answered, ApiToken, LoginSession, Role, Setting, Tries, User


class PeopleStore(Protocol):
    """Accounts and what opens their doors. What opens a door is never stored: only its hash."""

    # users

    def add_user(self, email: str, name: str, role: Role, password: str, now: dt.datetime) -> User:
        """Add an active user. `password` is a hash. E-mails are kept in lower case and are unique: raises `StoreError`
        for one that is taken."""
        ...

    def user(self, user: int) -> User | None:
        """One user."""
        ...

    def user_by_email(self, email: str) -> User | None:
        """The user with this e-mail, in whatever case it is written."""
        ...

    def users(self, after: int = 0, limit: int = 100) -> Sequence[User]:
        """Users whose id is above `after`, in the order of their ids."""
        ...

    def count_users(self, role: Role | None = None) -> int:
        """How many users there are, or how many active ones with a role."""
        ...

    def change_user(self, user: User) -> bool:
        """Store name, e-mail, role and whether it is active, if `user.revision` is still the one in force; the revision
        grows by one. False when it is not, or there is no such user."""
        ...

    def password_of(self, user: int) -> str | None:
        """The hash of a user's password."""
        ...

    def set_password(self, user: int, password: str) -> None:
        """Replace the hash of a user's password."""
        ...

    def greet_user(self, user: int, now: dt.datetime) -> None:
        """Note that a user has logged in."""
        ...

    def remove_user(self, user: int, now: dt.datetime) -> bool:
        """Remove a user with all sessions and answers; tokens are revoked. Only the number stays: it is never given again."""
        ...

    # sessions

    def open_session(self, session: LoginSession) -> None:
        """Store a new session."""
        ...

    def session(self, hash_: str) -> LoginSession | None:
        """The session with this hash, also one that has expired."""
        ...

    def sessions(self, user: int) -> Sequence[LoginSession]:
        """A user's sessions, latest use first."""
        ...

    def prolong_session(self, hash_: str, now: dt.datetime, expires_at: dt.datetime) -> None:
        """Note that a session was used."""
        ...

    def end_session(self, hash_: str) -> bool:
        """Remove a session; False when there is none."""
        ...

    def end_sessions(self, user: int, but: str = "") -> int:
        """Remove a user's sessions, except the one with the hash `but`; answers how many."""
        ...

    def end_expired_sessions(self, now: dt.datetime) -> int:
        """Remove sessions that have expired; answers how many."""
        ...

    # API tokens

    def add_token(self, token: ApiToken, hash_: str) -> ApiToken:
        """Store a new token; its `id` is given here."""
        ...

    def token(self, token: int) -> ApiToken | None:
        """One token, by its number."""
        ...

    def token_by_hash(self, hash_: str) -> ApiToken | None:
        """One token, by the hash of its text, also one that is no longer in force."""
        ...

    def tokens(self, user: int | None = None, after: int = 0, limit: int = 100) -> Sequence[ApiToken]:
        """Tokens of one user, or of all, whose id is above `after`, in the order of their ids."""
        ...

    def use_token(self, token: int, now: dt.datetime) -> None:
        """Note that a token was used."""
        ...

    def revoke_token(self, token: int, now: dt.datetime) -> bool:
        """Take a token out of force for good; False when there is none, or it was revoked before."""
        ...


class DoorStore(Protocol):
    """Failed tries, answers already given, and settings."""

    # failed tries

    def tries(self, name: str) -> Tries | None:
        """Failed tries under a name."""
        ...

    def save_tries(self, name: str, tries: Tries) -> None:
        """Keep failed tries under a name."""
        ...

    def forget_tries(self, name: str) -> None:
        """Forget the failed tries under a name."""
        ...

    def forget_old_tries(self, before: dt.datetime) -> int:
        """Forget all failed tries that refuse nobody since then; answers how many."""
        ...

    # answers already given

    def answered(self, user: int, key: str) -> Answered | None:
        """The answer that a user's request with this key got."""
        ...

    def save_answer(self, answer: Answered) -> None:
        """Keep an answer (replaces an earlier one of the same user and key)."""
        ...

    def forget_answers(self, before: dt.datetime) -> int:
        """Forget answers given before a time; answers how many."""
        ...

    # settings

    def setting(self, name: str) -> Setting | None:
        """A setting of the whole installation."""
        ...

    def save_setting(
        self, name: str, value: object, now: dt.datetime, revision: int | None = None
    ) -> Setting | None:
        """Keep a setting. With a `revision` only on top of that one (0: only when there is none): None when another is in
        force. The revision grows by one."""
        ...

    def remove_setting(self, name: str) -> bool:
        """Remove a setting; False when there is none."""
        ...

    # the database itself

    def is_current(self) -> bool:
        """Whether the database answers and has the schema that this Syncline works with. Never raises."""
        ...
