"""Who may use the service: the first-run set-up, users and their roles, and passwords.

Called by `web` for people who are already known to be allowed to; `sessions`, `tokens` and `throttle` work on the same
`People`. Every act leaves an entry in the audit trail, with who did it; no secret ever gets into one.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from syncline.core.audit import AuditKind
from syncline.core.people import Role, User
from syncline.errors import AccessError, Problem, Refusal, RequestError
from syncline.ports import Clock, Store

_SETUP = "setup"
_LEAST_LENGTH, _MOST_LENGTH = 12, 256
_LEAST_KINDS = 5
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,189}")


def argon2() -> PasswordHash:
    """Argon2id with the second recommended choice of RFC 9106: 64 MiB, three passes, four lanes."""
    return PasswordHash((Argon2Hasher(time_cost=3, memory_cost=65_536, parallelism=4),))


class Patience(msgspec.Struct, frozen=True):
    """How long things last. A session ends `idle` after its last use and `longest` after its begin, whichever is first; its
    use is noted every `noted` only. An API token lives `token_longest` at most."""

    idle: dt.timedelta = dt.timedelta(hours=12)
    longest: dt.timedelta = dt.timedelta(days=14)
    noted: dt.timedelta = dt.timedelta(minutes=1)
    token_longest: dt.timedelta = dt.timedelta(days=366)


@dataclass(frozen=True, slots=True)
class People:
    """What working with people needs: memory, time, randomness, and a way to hash passwords.

    `hashing` lets through a few at a time: each hash takes tens of megabytes, and anybody may ask for one.
    """

    store: Store
    clock: Clock
    hasher: PasswordHash = field(default_factory=argon2)
    random: Callable[[int], bytes] = secrets.token_bytes
    patience: Patience = field(default_factory=Patience)
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))

    def now(self) -> dt.datetime:
        """The time, aware UTC."""
        return self.clock.now()

    def note(self, kind: AuditKind, by: int | None, subject: object = "", **told: object) -> None:
        """An entry in the audit trail: who did it (the number of a user; None: nobody known), to what, and what more there
        is to tell."""
        self.store.audit(kind, {"by": by, **told}, now=self.now(), subject=str(subject))


class NewUser(msgspec.Struct, frozen=True):
    """A user that is to be added."""

    email: str
    name: str
    password: str
    role: Role = Role.VIEWER


class UserChange(msgspec.Struct, frozen=True):
    """What is to change in a user; None leaves it as it is."""

    email: str | None = None
    name: str | None = None
    role: Role | None = None
    is_active: bool | None = None


def digest(text: str) -> str:
    """What is stored of something that opens a door: SHA-256, enough where the text is random and long."""
    return hashlib.sha256(text.encode()).hexdigest()


# --- the first run ----------------------------------------------------------------------------------------------------


def is_set_up(people: People) -> bool:
    """Whether there is a user."""
    return people.store.count_users() > 0


def begin_setup(people: People) -> str | None:
    """A code for the first-run set-up, to be shown to whoever started the service; None when there are users. Only its
    hash is kept, so each start makes a new one, and the one before it is worth nothing."""
    if is_set_up(people):
        return None
    text = base64.b32encode(people.random(15)).decode()
    code = "-".join(text[at : at + 4] for at in range(0, len(text), 4))
    people.store.save_setting(_SETUP, {"code": digest(_plain(code))}, people.now())
    return code


async def set_up(people: People, code: str, first: NewUser) -> User:
    """Add the first user, an admin; the code dies with its use. Raises `AccessError` when it is wrong or there are users,
    `RequestError` when the user cannot be added."""
    _check_setup(people, code)
    hashed = await _checked_hash(people, first)
    with people.store.transaction():
        # Somebody else may have been first while the password was hashed.
        _check_setup(people, code)
        user = people.store.add_user(first.email, first.name, Role.ADMIN, hashed, people.now())
        people.store.remove_setting(_SETUP)
        people.note(AuditKind.SET_UP, user.id, user.id)
    return user


def _check_setup(people: People, code: str) -> None:
    if is_set_up(people):
        raise AccessError("The service is set up already.", Refusal.SET_UP_ALREADY)
    kept = people.store.setting(_SETUP)
    wanted = msgspec.json.decode(kept.value, type=dict[str, str])["code"] if kept else ""
    if not hmac.compare_digest(digest(_plain(code)), wanted):
        raise AccessError("The set-up code is wrong.", Refusal.WRONG_SETUP_CODE)


def _plain(code: str) -> str:
    """A code as it was typed, without what people add or leave out."""
    return re.sub(r"[^A-Z2-7]", "", code.upper())


# --- users ------------------------------------------------------------------------------------------------------------


async def add_user(people: People, by: int, new: NewUser) -> User:
    """Add a user. Raises `RequestError` for an e-mail that is none or is taken, and for a password that is too easy."""
    hashed = await _checked_hash(people, new)
    with people.store.transaction():
        _check_free(people, new.email)
        user = people.store.add_user(new.email, new.name, new.role, hashed, people.now())
        people.note(AuditKind.USER_ADDED, by, user.id, role=user.role.value)
    return user


def change_user(people: People, by: int, user: User, change: UserChange) -> User:
    """Change a user on top of the revision that was read. Raises `RequestError` when it is not in force any more, the
    e-mail is none or is taken, or nobody would be left who is an admin."""
    changed = msgspec.structs.replace(
        user,
        email=user.email if change.email is None else change.email.lower(),
        name=user.name if change.name is None else change.name,
        role=user.role if change.role is None else change.role,
        is_active=user.is_active if change.is_active is None else change.is_active,
    )
    with people.store.transaction():
        if changed.email != user.email:
            _check_email(changed.email)
            _check_free(people, changed.email)
        if not (changed.is_active and changed.role is Role.ADMIN):
            _keep_an_admin(people, user)
        if not people.store.change_user(changed):
            raise RequestError("Somebody changed this user meanwhile.", Refusal.OLD_REVISION)
        if not changed.is_active:
            people.store.end_sessions(user.id)
        fields = [name for name in User.__struct_fields__ if getattr(user, name) != getattr(changed, name)]
        people.note(
            AuditKind.USER_CHANGED,
            by,
            user.id,
            fields=fields,
            role=changed.role.value,
            is_active=changed.is_active,
        )
    return msgspec.structs.replace(changed, revision=user.revision + 1)


def remove_user(people: People, by: int, user: User) -> None:
    """Remove a user with all sessions and tokens. Raises `RequestError` when it is the last active admin."""
    with people.store.transaction():
        _keep_an_admin(people, user)
        people.store.remove_user(user.id, people.now())
        people.note(AuditKind.USER_REMOVED, by, user.id)


def known_user(people: People, user: int) -> User:
    """The user with this number. Raises `RequestError` when there is none."""
    found = people.store.user(user)
    if found is None:
        raise RequestError(f"There is no user {user}.", Refusal.NOT_THERE)
    return found


def _keep_an_admin(people: People, user: User) -> None:
    is_last = people.store.count_users(Role.ADMIN) <= 1
    if user.is_active and user.role is Role.ADMIN and is_last:
        raise RequestError("This is the last active admin.", Refusal.LAST_ADMIN)


def _check_free(people: People, email: str) -> None:
    if people.store.user_by_email(email) is not None:
        problem = Problem("email", "is taken.", "Choose another, or change that user.")
        raise RequestError("There is a user with this e-mail.", Refusal.EMAIL_TAKEN, problems=(problem,))


def _check_email(email: str) -> None:
    if not _EMAIL.fullmatch(email):
        problem = Problem("email", "is no e-mail address.", "Write it as name@example.com.")
        raise RequestError("The e-mail cannot be used.", Refusal.INVALID, problems=(problem,))


# --- passwords --------------------------------------------------------------------------------------------------------


async def set_password(people: People, by: int, user: User, password: str, *, but: str = "") -> None:
    """Give a user another password. Every session of theirs ends, except the one with the hash `but`. Raises `RequestError`
    for a password that is too easy."""
    _check_password(password, user.email)
    hashed = await hashed_password(people, password)
    with people.store.transaction():
        people.store.set_password(user.id, hashed)
        ended = people.store.end_sessions(user.id, but)
        people.note(AuditKind.PASSWORD_CHANGED, by, user.id, sessions_ended=ended)


async def hashed_password(people: People, password: str) -> str:
    """What is kept of a password. Hashing takes a while, so the loop goes on meanwhile."""
    async with people.hashing:
        return await asyncio.to_thread(people.hasher.hash, password)


async def is_password(people: People, user: User | None, password: str) -> bool:
    """Whether it is the user's password. Without a user the same work is done for nothing, so that the time an answer takes
    tells nobody whether there is such a user. A hash made with older parameters is made anew."""
    kept = None if user is None else people.store.password_of(user.id)
    if user is None or kept is None or len(password) > _MOST_LENGTH:
        await hashed_password(people, password[:_MOST_LENGTH])
        return False
    async with people.hashing:
        is_right, renewed = await asyncio.to_thread(people.hasher.verify_and_update, password, kept)
    # Only what was verified is replaced: the password may have been changed meanwhile.
    if is_right and renewed is not None and people.store.password_of(user.id) == kept:
        people.store.set_password(user.id, renewed)
    return is_right


async def _checked_hash(people: People, new: NewUser) -> str:
    _check_email(new.email)
    _check_password(new.password, new.email)
    return await hashed_password(people, new.password)


def _check_password(password: str, email: str) -> None:
    name = email.partition("@")[0].lower()
    if len(password) < _LEAST_LENGTH:
        message = f"is shorter than {_LEAST_LENGTH} characters."
    elif len(password) > _MOST_LENGTH:
        message = f"is longer than {_MOST_LENGTH} characters."
    elif len(set(password)) < _LEAST_KINDS:
        message = f"has fewer than {_LEAST_KINDS} different characters."
    elif password.lower() == email.lower() or password.lower().strip("0123456789!.") == name:
        message = "is the e-mail, more or less."
    else:
        return
    problem = Problem("password", message, "Take a few unrelated words.")
    raise RequestError("The password is too easy.", Refusal.WEAK_PASSWORD, problems=(problem,))
