"""`/api/v1/logins`: logging in at ActiveCollab, step by step, for a connection with a token of its own.

The router is made by `logins_router`, and given to `make_app` among the routers of its services. Passwords and codes go in and are forgotten.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import SecretStr, StringConstraints

from syncline.connectors.activecollab.login import CLOUD
from syncline.core.people import Scope
from syncline.service import login
from syncline.service.login import Password, Step, Who
from syncline.service.runtime import Runtime
from syncline.service.sessions import Visit
from syncline.web.connections import ConnectionName, ConnectionOut, reached, session_of
from syncline.web.forms import Email, Sent, Told
from syncline.web.problems import declared
from syncline.web.security import Guarded, Principal, Visiting, requires
from syncline.web.security import Who as Asking

_Secret = Annotated[SecretStr, StringConstraints(min_length=1, max_length=1024)]


class VendorLoginIn(Sent):
    """What a person logs in with, and for which connection. Without `url` it is the cloud."""

    connection: ConnectionName
    email: Email
    password: _Secret
    url: Annotated[str, StringConstraints(max_length=2000)] = ""


class LoginStepIn(Sent):
    """The next step: the code of the second factor, or the chosen account."""

    ticket: Annotated[SecretStr, StringConstraints(min_length=1, max_length=200)]
    code: Annotated[SecretStr, StringConstraints(max_length=100)] = SecretStr("")
    account: Annotated[str, StringConstraints(max_length=200)] = ""


class AccountOut(Told):
    """An account to choose."""

    id: str
    title: str
    url: str


class LoginOut(Told):
    """What comes next. `ticket` is for the next step, once; `connection` is there at the end."""

    ticket: str | None
    needs_code: bool
    accounts: list[AccountOut]
    connection: ConnectionOut | None


def logins_router(runtime: Runtime, cloud: str = CLOUD) -> APIRouter:
    """The routes over this runtime. `cloud` is where ActiveCollab's cloud logs people in."""
    router = APIRouter(prefix="/api/v1/logins", tags=["connections"], route_class=Guarded)
    write = requires(Scope.CONNECTIONS_WRITE, shown_once=("ticket",))

    @router.post("", dependencies=[write], responses=declared(429))
    async def begin_login(body: VendorLoginIn, who: Asking, visit: Visiting) -> LoginOut:
        """Log in at ActiveCollab for a connection that is to be made, or that gets a new token. Too many tries have to
        wait."""
        given = Password(body.email, body.password.get_secret_value(), body.url)
        return _out(await reached(login.begin(runtime, _who(who, visit), body.connection, given, cloud)))

    @router.post("/step", dependencies=[write], responses=declared(429))
    async def continue_login(body: LoginStepIn, who: Asking, visit: Visiting) -> LoginOut:
        """Go on with a login: the code of the second factor, or the account."""
        ticket, code = body.ticket.get_secret_value(), body.code.get_secret_value()
        asked = login.go_on(runtime, _who(who, visit), ticket, code=code, account=body.account)
        return _out(await reached(asked))

    return router


def _who(who: Principal, visit: Visit) -> Who:
    return Who(who.user.id, session_of(who), visit.address)


def _out(step: Step) -> LoginOut:
    return LoginOut(
        ticket=step.ticket or None,
        needs_code=step.needs_code,
        accounts=[AccountOut.model_validate(each) for each in step.accounts],
        connection=None if step.connection is None else ConnectionOut.model_validate(step.connection),
    )
