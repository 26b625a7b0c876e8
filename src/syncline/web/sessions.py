"""`/api/v1/setup` and `/api/v1/session`: the first run, logging in and out, who one is, one's own sessions and password."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Response
from pydantic import Field

from syncline.core.people import LoginSession, Role, Scope, rights_of
from syncline.service import people, sessions
from syncline.service.people import NewUser
from syncline.web.forms import Email, Line, Password, Sent, Told
from syncline.web.problems import declared
from syncline.web.security import (
    Guarded,
    Principal,
    Visiting,
    Who,
    anyone,
    give_cookie,
    requires,
    take_cookie,
)
from syncline.web.services import Services
from syncline.web.users import UserOut, user_out

setup = APIRouter(prefix="/api/v1/setup", tags=["setup"], route_class=Guarded)
router = APIRouter(prefix="/api/v1/session", tags=["session"], route_class=Guarded)

_OWN = requires(Scope.OWN)
_OWN_SESSION = requires(Scope.OWN, session_only=True)


class SetupState(Told):
    """Whether the first-run set-up is still to be done."""

    is_needed: bool


class SetupIn(Sent):
    """The first user, and the code that the service printed when it started."""

    code: str = Field(max_length=100)
    email: Email
    name: Line = ""
    password: Password


class LoginIn(Sent):
    """E-mail and password."""

    email: Email
    password: Password


class PasswordIn(Sent):
    """One's own old and new password."""

    old_password: Password
    new_password: Password


class SessionOut(Told):
    """Who makes the request, what it may do, and until when. With an API token there is no `csrf_token`."""

    user: UserOut
    scopes: list[str]
    csrf_token: str | None
    expires_at: dt.datetime | None


class OpenSession(Told):
    """One of one's sessions."""

    id: str
    agent: str
    created_at: dt.datetime
    seen_at: dt.datetime
    expires_at: dt.datetime
    is_this: bool


class SessionList(Told):
    """One's sessions, latest use first."""

    items: list[OpenSession]


@setup.get("", dependencies=[anyone()])
async def get_setup(services: Services) -> SetupState:
    """Whether the first-run set-up is still to be done."""
    return SetupState(is_needed=not people.is_set_up(services.people))


@setup.post("", status_code=201, dependencies=[anyone()], responses=declared(403, 409, 429))
async def set_up(body: SetupIn, response: Response, services: Services, visit: Visiting) -> SessionOut:
    """Make the first user, an admin, and log in."""
    first = NewUser(body.email, body.name, body.password.get_secret_value(), Role.ADMIN)
    entered = await sessions.set_up_and_enter(services.people, body.code, first, visit)
    give_cookie(response, services, entered)
    return _entered(entered)


@router.post("", dependencies=[anyone()], responses=declared(401, 429))
async def log_in(body: LoginIn, response: Response, services: Services, visit: Visiting) -> SessionOut:
    """Log in. The answer sets the session's cookie; its `csrf_token` goes into `X-CSRF-Token`."""
    entered = await sessions.log_in(services.people, body.email, body.password.get_secret_value(), visit)
    give_cookie(response, services, entered)
    return _entered(entered)


@router.get("", dependencies=[_OWN])
async def get_session(who: Who) -> SessionOut:
    """Who makes the request, what it may do, and the CSRF token of its session."""
    return _session_out(who)


@router.delete("", status_code=204, dependencies=[_OWN_SESSION])
async def log_out(response: Response, services: Services, who: Who) -> None:
    """Log out: the session ends, the cookie is taken away."""
    sessions.log_out(services.people, _session(who))
    take_cookie(response, services)


@router.put("/password", status_code=204, dependencies=[_OWN_SESSION], responses=declared(429))
async def change_own_password(body: PasswordIn, services: Services, who: Who) -> None:
    """Change one's own password. All other sessions end."""
    await sessions.change_own_password(
        services.people,
        who.user,
        _session(who),
        body.old_password.get_secret_value(),
        body.new_password.get_secret_value(),
    )


@router.get("/all", dependencies=[_OWN])
async def list_sessions(services: Services, who: Who) -> SessionList:
    """One's sessions, latest use first."""
    own = who.session.hash if who.session is not None else ""
    found = services.people.store.sessions(who.user.id)
    return SessionList(items=[_open(each, is_this=each.hash == own) for each in found])


@router.delete("/all", status_code=204, dependencies=[_OWN_SESSION])
async def end_other_sessions(services: Services, who: Who) -> None:
    """End all of one's sessions but this one."""
    sessions.end_all(services.people, who.user.id, who.user.id, but=_session(who).hash)


@router.delete("/all/{session}", status_code=204, dependencies=[_OWN_SESSION])
async def end_session(session: str, services: Services, who: Who) -> None:
    """End one of one's sessions."""
    sessions.end_one(services.people, who.user.id, who.user.id, session)


def _session(who: Principal) -> LoginSession:
    """The session of somebody who has one: the route asked for it."""
    if who.session is None:
        raise TypeError("the route lets in tokens")
    return who.session


def _entered(entered: sessions.Entered) -> SessionOut:
    return SessionOut(
        user=user_out(entered.user),
        scopes=sorted(each.value for each in rights_of(entered.user.role)),
        csrf_token=entered.csrf_token,
        expires_at=entered.session.expires_at,
    )


def _session_out(who: Principal) -> SessionOut:
    ends = who.session.expires_at if who.session is not None else who.token and who.token.expires_at
    return SessionOut(
        user=user_out(who.user),
        scopes=sorted(each.value for each in who.rights),
        csrf_token=who.csrf_token or None,
        expires_at=ends,
    )


def _open(session: LoginSession, *, is_this: bool) -> OpenSession:
    return OpenSession(
        id=sessions.shown_id(session),
        agent=session.agent,
        created_at=session.created_at,
        seen_at=session.seen_at,
        expires_at=session.expires_at,
        is_this=is_this,
    )
