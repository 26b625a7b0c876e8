"""An e-mail and a password into a token: in steps on the cloud, with a second factor where it is on; at once self-hosted.

Called by `service.login`. Passwords and codes are sent and forgotten. Facts: activecollab-api.md 1.2, 1.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import msgspec

from syncline.connectors.http import Answer, Transport, base_url
from syncline.errors import AuthError, ConnectorError, Detail, TransientError, UnknownOutcomeError

CLOUD = "https://activecollab.com"
CLIENT = "Syncline"
_NEW_ACCOUNTS = re.compile(r"Feather(Account|ApplicationInstance)$")
_ISSUE_FAULTS = {
    2: "there is no active user of this name",
    3: "the password is wrong",
    4: "this user may not have API tokens",
}


class Account(msgspec.Struct, frozen=True):
    """An account that the person belongs to."""

    id: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class NeedsCode:
    """The second factor is on: its code goes along with this."""

    intent_id: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who is in, and may choose an account. The intent is good once, for a token."""

    intent: str = field(repr=False)
    accounts: tuple[Account, ...]


class _WireAccount(msgspec.Struct):
    name: int | str
    url: str = ""
    display_name: str = ""
    kind: str = msgspec.field(name="class", default="")
    status: str = "active"


class _WireUser(msgspec.Struct):
    intent: str = ""


class _Login(msgspec.Struct):
    is_ok: bool | int = False
    intent_id: str = ""
    message: str = ""
    accounts: list[_WireAccount] = msgspec.field(default_factory=list[_WireAccount])
    user: _WireUser = msgspec.field(default_factory=_WireUser)


class _Issued(msgspec.Struct):
    is_ok: bool | int = False
    token: str = ""
    type: int | str | None = None
    message: str = ""


async def log_in(transport: Transport, cloud: str, email: str, password: str) -> NeedsCode | LoggedIn:
    """The first step on the cloud. Raises `AuthError` when it is refused, `TransientError`."""
    return await _logged_in(transport, cloud, {"email": email, "password": password})


async def give_code(transport: Transport, cloud: str, needs: NeedsCode, code: str) -> LoggedIn:
    """The second factor. Raises `AuthError` when the code is wrong: the login begins anew then."""
    found = await _logged_in(transport, cloud, {"intent_id": needs.intent_id, "code": code})
    if isinstance(found, NeedsCode):
        raise AuthError("the code was refused", detail=Detail.TOKEN_REFUSED)
    return found


async def token_of_account(transport: Transport, url: str, intent: str, client: str) -> str:
    """The last step on the cloud: a token for one account, for a client of this name. Raises like `log_in`."""
    return await _token(
        transport,
        f"{base_url(url)}/api/v1/issue-token-intent",
        {"intent": intent, "client_name": client, "client_vendor": CLIENT},
    )


async def token_of_install(transport: Transport, url: str, email: str, password: str, client: str) -> str:
    """A token of a self-hosted install, for a client of this name. Raises like `log_in`."""
    return await _token(
        transport,
        f"{base_url(url)}/api/v1/issue-token",
        {"username": email, "password": password, "client_name": client, "client_vendor": CLIENT},
    )


async def _logged_in(transport: Transport, cloud: str, body: dict[str, str]) -> NeedsCode | LoggedIn:
    answer = await _post(transport, f"{base_url(cloud)}/api/v1/external/login", body)
    found = answer.json(_Login)
    if found.intent_id:
        return NeedsCode(found.intent_id)
    if not found.is_ok or not found.user.intent:
        raise AuthError("the login was refused", detail=Detail.TOKEN_REFUSED)
    accounts = [
        Account(str(each.name), each.display_name or f"#{each.name}", each.url)
        for each in found.accounts
        if _NEW_ACCOUNTS.search(each.kind) and each.status == "active"
    ]
    return LoggedIn(found.user.intent, tuple(accounts))


async def _token(transport: Transport, url: str, body: dict[str, str]) -> str:
    found = (await _post(transport, url, body)).json(_Issued)
    if found.token:
        return found.token
    told = _ISSUE_FAULTS.get(found.type) if isinstance(found.type, int) else None
    raise AuthError(told or "no token was issued", detail=Detail.TOKEN_REFUSED)


async def _post(transport: Transport, url: str, body: dict[str, str]) -> Answer:
    """Failures come as 500 with a body that says more (facts: 1.3): the body counts, not the status."""
    headers = {"accept": "application/json", "content-type": "application/json", "user-agent": "syncline"}
    try:
        answer = await transport.send("POST", url, headers, msgspec.json.encode(body))
    except UnknownOutcomeError as error:
        raise TransientError("no clear answer to the login", detail=Detail.UNREACHABLE) from error
    if answer.status in (429, 502, 503, 504):
        raise TransientError(f"no login now ({answer.status})", detail=Detail.VENDOR_FAILED)
    if 300 <= answer.status < 400 or answer.status in (404, 410):
        raise ConnectorError(
            f"no ActiveCollab answers here ({answer.status}); is this the right URL?",
            detail=Detail.WRONG_ADDRESS,
        )
    return answer
