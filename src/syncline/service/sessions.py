"""E-mail and password into a session, a session's id into who it is, and the end of sessions.

Called by `web.security` on every request with a cookie, and by the session routes. An id has 256 random bits; the store
knows its hash. The CSRF token is derived from the id, so that it is known to whoever holds the session and is kept nowhere.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass, field

import msgspec

from syncline.core.audit import AuditKind
from syncline.core.people import LoginSession, User
from syncline.errors import AccessError, Refusal, RequestError
from syncline.service import throttle
from syncline.service.people import NewUser, People, digest, is_password, set_password, set_up

_ID_BYTES = 32
_AGENT_LENGTH = 200
_SHOWN_LENGTH = 16
_SETUP = "setup"


@dataclass(frozen=True, slots=True)
class Visit:
    """From where somebody comes: the client's address, what their browser calls itself, and the session they had."""

    address: str
    agent: str = ""
    old_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody who has just logged in. `id` opens the door: it goes into the cookie and nowhere else."""

    user: User
    session: LoginSession
    id: str = field(repr=False)

    @property
    def csrf_token(self) -> str:
        """What requests of this session have to carry."""
        return csrf_token(self.id)


def csrf_token(id_: str) -> str:
    """The CSRF token of the session with this id."""
    made = hmac.new(id_.encode(), b"syncline csrf", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


async def log_in(people: People, email: str, password: str, visit: Visit) -> Entered:
    """A new session for whoever knows the password. Raises `AccessError`: the same one for an unknown e-mail, a wrong password
    and an account that is not active; another one, before anything is compared, after too many tries."""
    account = throttle.account_name(email)
    address = throttle.address_name(visit.address)
    throttle.count_try(people, {account: throttle.BY_ACCOUNT, address: throttle.BY_ADDRESS})
    user = people.store.user_by_email(email.strip())
    is_right = await is_password(people, user, password)
    # Read anew: the account may have been closed while the password was checked.
    user = None if user is None else people.store.user(user.id)
    if user is None or not is_right or not user.is_active:
        people.note(AuditKind.LOGIN_REFUSED, None, "" if user is None else user.id, address=visit.address)
        raise AccessError("E-mail or password is wrong.", Refusal.WRONG_LOGIN)
    throttle.succeeded(people, account, address)
    throttle.sweep(people)
    people.note(AuditKind.LOGGED_IN, user.id, user.id, address=visit.address)
    return enter(people, user, visit)


async def set_up_and_enter(people: People, code: str, first: NewUser, visit: Visit) -> Entered:
    """The first-run set-up, and a session for the user it makes. Raises what `people.set_up` raises, and `AccessError` after
    too many tries."""
    address = throttle.address_name(visit.address)
    throttle.count_try(people, {_SETUP: throttle.BY_ACCOUNT, address: throttle.BY_ADDRESS})
    user = await set_up(people, code, first)
    throttle.succeeded(people, _SETUP, address)
    return enter(people, user, visit)


def enter(people: People, user: User, visit: Visit) -> Entered:
    """A new session; the one that the same browser had before is ended."""
    id_ = base64.urlsafe_b64encode(people.random(_ID_BYTES)).rstrip(b"=").decode()
    now = people.now()
    session = LoginSession(
        digest(id_),
        user.id,
        digest(csrf_token(id_)),
        visit.agent[:_AGENT_LENGTH],
        now,
        now,
        _end(people, now, now),
    )
    with people.store.transaction():
        if visit.old_id:
            people.store.end_session(digest(visit.old_id))
        people.store.end_expired_sessions(now)
        people.store.open_session(session)
        people.store.greet_user(user.id, now)
    return Entered(msgspec.structs.replace(user, seen_at=now), session, id_)


def present(people: People, id_: str) -> tuple[User, LoginSession] | None:
    """Whose session this is; None when it has ended or its user may not come in any more. Its end moves with its use."""
    session = people.store.session(digest(id_))
    now = people.now()
    if session is None or now >= session.expires_at:
        return None
    user = people.store.user(session.user)
    if user is None or not user.is_active:
        return None
    if now - session.seen_at >= people.patience.noted:
        until = _end(people, session.created_at, now)
        people.store.prolong_session(session.hash, now, until)
        session = msgspec.structs.replace(session, seen_at=now, expires_at=until)
    return user, session


def is_csrf_token(session: LoginSession, token: str) -> bool:
    """Whether it is the session's CSRF token; the time this takes tells nothing."""
    return hmac.compare_digest(digest(token), session.csrf)


def shown_id(session: LoginSession) -> str:
    """What a session is called in lists: it opens nothing."""
    return session.hash[:_SHOWN_LENGTH]


def log_out(people: People, session: LoginSession) -> None:
    """End one's own session."""
    people.store.end_session(session.hash)
    people.note(AuditKind.LOGGED_OUT, session.user, session.user)


def end_one(people: People, by: int, user: int, shown: str) -> None:
    """End the session of a user that lists call so. Raises `RequestError` when there is none."""
    found = next((each for each in people.store.sessions(user) if shown_id(each) == shown), None)
    if found is None:
        raise RequestError("There is no such session.", Refusal.NOT_THERE)
    people.store.end_session(found.hash)
    people.note(AuditKind.SESSIONS_ENDED, by, user, count=1)


def end_all(people: People, by: int, user: int, *, but: str = "") -> int:
    """End all sessions of a user, except the one with the hash `but`; answers how many."""
    count = people.store.end_sessions(user, but)
    people.note(AuditKind.SESSIONS_ENDED, by, user, count=count)
    return count


async def change_own_password(people: People, user: User, session: LoginSession, old: str, new: str) -> None:
    """Change one's own password; all other sessions end. Raises `AccessError` when the old one is wrong, or after too many
    tries, `RequestError` when the new one is too easy."""
    account = throttle.account_name(user.email)
    throttle.count_try(people, {account: throttle.BY_ACCOUNT})
    if not await is_password(people, user, old):
        people.note(AuditKind.LOGIN_REFUSED, user.id, user.id)
        raise AccessError("The old password is wrong.", Refusal.WRONG_LOGIN)
    throttle.succeeded(people, account)
    await set_password(people, user.id, user, new, but=session.hash)


def _end(people: People, begun: dt.datetime, used: dt.datetime) -> dt.datetime:
    return min(used + people.patience.idle, begun + people.patience.longest)
