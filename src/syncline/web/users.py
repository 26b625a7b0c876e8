"""`/api/v1/users`: who may use the service. Admins only, but for the list."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Request, Response
from pydantic import StrictBool

from syncline.core.people import Role, Scope, User
from syncline.service import people, sessions
from syncline.service.people import NewUser, UserChange
from syncline.web.etags import CONDITIONAL, IfMatch, put_etag
from syncline.web.forms import Email, Line, Number, Password, Sent, Told
from syncline.web.paging import Listing, Page, Paging
from syncline.web.security import Guarded, Who, requires
from syncline.web.services import Services

router = APIRouter(prefix="/api/v1/users", tags=["users"], route_class=Guarded)

_ADMIN = requires(Scope.ADMIN)
_READ = requires(Scope.USERS_READ)


class UserOut(Told):
    """One user. `revision` is the `ETag`."""

    id: int
    email: str
    name: str
    role: Role
    is_active: bool
    revision: int
    created_at: dt.datetime
    seen_at: dt.datetime | None


class UserIn(Sent):
    """A user that is to be added."""

    email: Email
    name: Line = ""
    role: Role = Role.VIEWER
    password: Password


class UserPatch(Sent):
    """What is to change; whatever is left out stays."""

    email: Email | None = None
    name: Line | None = None
    role: Role | None = None
    is_active: StrictBool | None = None


class NewPassword(Sent):
    """Another password for a user."""

    password: Password


def user_out(user: User) -> UserOut:
    """A user as the API shows one."""
    return UserOut.model_validate(user)


@router.get("", dependencies=[_READ])
async def list_users(
    request: Request, response: Response, services: Services, paging: Paging
) -> Page[UserOut]:
    """All users, in the order in which they were added."""
    after = paging.position(int, "users") or 0
    found = services.people.store.users(after, paging.most)
    listing = Listing(request, response, "users")
    return listing.page(paging, [user_out(user) for user in found], lambda user: user.id)


@router.post("", status_code=201, dependencies=[_ADMIN])
async def add_user(body: UserIn, response: Response, services: Services, who: Who) -> UserOut:
    """Add a user."""
    new = NewUser(body.email, body.name, body.password.get_secret_value(), body.role)
    user = await people.add_user(services.people, who.user.id, new)
    response.headers["Location"] = f"/api/v1/users/{user.id}"
    put_etag(response, user.revision)
    return user_out(user)


@router.get("/{user}", dependencies=[_READ])
async def get_user(user: Number, response: Response, services: Services) -> UserOut:
    """One user."""
    found = people.known_user(services.people, user)
    put_etag(response, found.revision)
    return user_out(found)


@router.patch("/{user}", dependencies=[_ADMIN], responses=CONDITIONAL)
async def change_user(
    user: Number, body: UserPatch, response: Response, services: Services, who: Who, if_match: IfMatch
) -> UserOut:
    """Change a user. One who is not active any more is logged out everywhere."""
    found = people.known_user(services.people, user)
    if_match.check(found.revision)
    change = UserChange(body.email, body.name, body.role, body.is_active)
    changed = people.change_user(services.people, who.user.id, found, change)
    put_etag(response, changed.revision)
    return user_out(changed)


@router.put("/{user}/password", status_code=204, dependencies=[_ADMIN])
async def set_password(user: Number, body: NewPassword, services: Services, who: Who) -> None:
    """Give a user another password. All their sessions end."""
    found = people.known_user(services.people, user)
    await people.set_password(services.people, who.user.id, found, body.password.get_secret_value())


@router.delete("/{user}/sessions", status_code=204, dependencies=[_ADMIN])
async def end_user_sessions(user: Number, services: Services, who: Who) -> None:
    """Log a user out everywhere."""
    found = people.known_user(services.people, user)
    sessions.end_all(services.people, who.user.id, found.id)


@router.delete("/{user}", status_code=204, dependencies=[_ADMIN], responses=CONDITIONAL)
async def remove_user(user: Number, services: Services, who: Who, if_match: IfMatch) -> None:
    """Remove a user with all sessions and tokens."""
    found = people.known_user(services.people, user)
    if_match.check(found.revision)
    people.remove_user(services.people, who.user.id, found)
