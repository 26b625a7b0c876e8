"""An e-mail and a password of ActiveCollab into a connection with a token: on the cloud step by step, self-hosted at once.

Called by `web.logins`. The password is sent to the vendor and forgotten; what has to outlive a step is encrypted, used once,
and good for ten minutes in the session that began. Facts: activecollab-api.md 1.2.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from syncline.bootstrap import Installation
from syncline.connectors.activecollab import login
from syncline.connectors.activecollab.login import Account, LoggedIn, NeedsCode
from syncline.errors import AccessError, Problem, ProblemKind, Refusal, RequestError
from syncline.ports import Authorisation
from syncline.service import throttle
from syncline.service.connections import Known, add, kept_of, rotate
from syncline.service.guard import allows_private, check_url, origin_of
from syncline.service.people import People
from syncline.service.runtime import Runtime

LIFE = dt.timedelta(minutes=10)
_VENDOR = "activecollab"
_REFUSED = (Refusal.AUTHORISATION, "This login was not begun here, or is over.")


class Who(msgspec.Struct, frozen=True):
    """Who logs in: the number of the user, a digest of the session, and the address that they come from."""

    by: int | None
    session: str
    address: str = ""


class Password(msgspec.Struct, frozen=True):
    """What a person logs in with. An empty `url` is the cloud."""

    email: str
    password: str
    url: str = ""

    def __repr__(self) -> str:
        return "Password()"


class Step(msgspec.Struct, frozen=True):
    """What comes next: a code, the choice of an account (with the ticket), or nothing, because the connection is there."""

    ticket: str = ""
    needs_code: bool = False
    accounts: tuple[Account, ...] = ()
    connection: Known | None = None

    def __repr__(self) -> str:
        return "Step()"


class Door(msgspec.Struct, frozen=True):
    """What tries are counted by: the account (a digest), and the address that they come from."""

    account: str
    address: str

    def count_try(self, installation: Installation) -> None:
        """Count a try before its outcome is known. Raises `AccessError` while the next one has to wait."""
        delays = {self.account: throttle.BY_ACCOUNT, throttle.address_name(self.address): throttle.BY_ADDRESS}
        throttle.count_try(_people(installation), delays)

    def opened(self, installation: Installation) -> None:
        """The login went well: what was tried at the account is forgotten."""
        throttle.succeeded(_people(installation), self.account, throttle.address_name(self.address))


def _people(installation: Installation) -> People:
    return People(installation.store, installation.clock)


async def begin(runtime: Runtime, who: Who, name: str, given: Password, cloud: str = login.CLOUD) -> Step:
    """Log in for a connection that is to be made, or that gets a new token. Raises `AuthError`, `TransientError`,
    `RequestError`, and `AccessError` after too many tries from an address, or at an account."""
    installation = runtime.current()
    transport = installation.transport_of(name)
    door = Door(throttle.vendor_account_name(given.url or cloud, given.email), who.address)
    if given.url:
        check_url(given.url, "url", allow_private=allows_private(installation))
        door.count_try(installation)
        token = await login.token_of_install(transport, given.url, given.email, given.password, _client(name))
        door.opened(installation)
        return Step(connection=await _put(runtime, who, name, given.url, token))
    door.count_try(installation)
    found = await login.log_in(transport, cloud, given.email, given.password)
    return await _next(runtime, who, name, (cloud, door), found)


async def go_on(runtime: Runtime, who: Who, ticket: str, *, code: str = "", account: str = "") -> Step:
    """The next step of a login: the code of the second factor, or the account. Raises like `begin`; the login begins anew
    then."""
    installation = runtime.current()
    begun = _taken(installation, who, ticket)
    cloud, intent = str(begun.body["cloud"]), begun.secrets["intent"]
    transport = installation.transport_of(begun.connection)
    if begun.body["needs_code"]:
        door = Door(str(begun.body["account"]), who.address)
        try:
            door.count_try(installation)
        except AccessError:
            # Nothing was tried: the ticket is good for after the wait.
            installation.store.begin_authorisation(begun)
            raise
        logged_in = await login.give_code(transport, cloud, NeedsCode(intent), code)
        return await _next(runtime, who, begun.connection, (cloud, door), logged_in)
    urls = {str(each["id"]): str(each["url"]) for each in begun.body["accounts"]}
    if account not in urls:
        remedy = f"There are: {', '.join(urls)}."
        problem = Problem("account", "is none of this person's.", remedy, ProblemKind.UNKNOWN_NAME)
        raise RequestError("There is no such account.", Refusal.INVALID, problems=(problem,))
    return await _done(runtime, who, begun.connection, urls[account], intent)


async def _next(
    runtime: Runtime, who: Who, name: str, where: tuple[str, Door], found: NeedsCode | LoggedIn
) -> Step:
    installation, (cloud, door) = runtime.current(), where
    if isinstance(found, NeedsCode):
        # The tries stay counted: whoever knows the password could try one code after the other.
        waiting: dict[str, object] = {"cloud": cloud, "needs_code": True, "account": door.account}
        return Step(_keep(installation, who, name, waiting, found.intent_id), needs_code=True)
    door.opened(installation)
    if not found.accounts:
        raise RequestError("This person has no account that has an API.", Refusal.NOT_WORKING)
    if len(found.accounts) == 1:
        return await _done(runtime, who, name, found.accounts[0].url, found.intent)
    body = {"cloud": cloud, "needs_code": False, "accounts": msgspec.to_builtins(found.accounts)}
    return Step(_keep(installation, who, name, body, found.intent), accounts=found.accounts)


async def _done(runtime: Runtime, who: Who, name: str, url: str, intent: str) -> Step:
    installation = runtime.current()
    check_url(url, "url", allow_private=allows_private(installation))
    transport = installation.transport_of(name)
    token = await login.token_of_account(transport, url, intent, _client(name))
    return Step(connection=await _put(runtime, who, name, url, token))


async def _put(runtime: Runtime, who: Who, name: str, url: str, token: str) -> Known:
    """Make the connection, or give it the new token."""
    if runtime.current().store.kept_connection(name) is None:
        return await add(runtime, who.by, name, {"vendor": _VENDOR, "url": url, "token": token})
    kept = kept_of(runtime.current(), name)
    if kept.vendor != _VENDOR or origin_of(str(kept.settings.get("url", ""))) != origin_of(url):
        raise RequestError(f"The connection '{name}' is of another account.", Refusal.OTHER_ACCOUNT)
    return await rotate(runtime, who.by, name, {"token": token})


def _client(name: str) -> str:
    """A token of another client stays in force when this one is issued (facts: 1.4)."""
    return f"Syncline {name}"


def _keep(installation: Installation, who: Who, name: str, body: Mapping[str, Any], intent: str) -> str:
    ticket, now = secrets.token_urlsafe(32), installation.clock.now()
    installation.store.forget_authorisations(now)
    told = {**body, "session": who.session}
    installation.store.begin_authorisation(
        Authorisation(_hash(ticket), name, _VENDOR, told, {"intent": intent}, now + LIFE)
    )
    return ticket


def _taken(installation: Installation, who: Who, ticket: str) -> Authorisation:
    begun = installation.store.take_authorisation(_hash(ticket))
    refusal, text = _REFUSED
    if begun is None or begun.vendor != _VENDOR or begun.expires_at <= installation.clock.now():
        raise RequestError(text, refusal)
    if not secrets.compare_digest(str(begun.body["session"]), who.session):
        raise RequestError(text, refusal)
    return begun


def _hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode("utf-8", "replace")).hexdigest()
