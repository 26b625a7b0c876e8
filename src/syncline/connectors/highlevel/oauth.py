"""OAuth 2 of HighLevel: forms to send, answers into tokens. No I/O.

Called by `credentials` (renewal) and by whoever installs the app (authorisation code). Facts: highlevel-api.md 2.1.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

import msgspec

from syncline.connectors.highlevel.refusals import message_of
from syncline.errors import AuthError, ConnectorError, Detail, TransientError

AUTHORIZE_URL = "https://marketplace.gohighlevel.com/v2/oauth/chooselocation"
TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path, not a secret

LOCATION_TOKEN_PATH = "/oauth/locationToken"  # noqa: S105 - a path, not a secret
LOCATION_TOKEN_VERSION = "2021-07-28"  # noqa: S105 - no secret
"""The `Version` in which that path exists (facts: 2.1)."""
COMPANY = "Company"
REFRESH_LIFE = dt.timedelta(days=365)
"""How long a refresh token works while it is not used (facts: 2.1)."""

INACTIVE_WAIT = dt.timedelta(hours=1)
"""How long to leave a location alone that HighLevel calls inactive: its refresh token works again later."""
_DEFAULT_LIFE = 86_399


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access token and the refresh token that replaces both, once. Secrets stay out of the repr.

    `expires_at` is aware UTC. `scopes` is empty when the vendor named none.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: dt.datetime
    scopes: tuple[str, ...] = ()
    user_type: str = ""
    location_id: str = ""
    company_id: str = ""
    user_id: str = ""


class _TokenAnswer(msgspec.Struct, rename="camel"):
    """Snake case up to 2023-02-21, camel case under v3: the one that is there counts."""

    access_token: str = ""
    refresh_token: str = ""
    expires_in: float = 0
    access_token_old: str = msgspec.field(name="access_token", default="")
    refresh_token_old: str = msgspec.field(name="refresh_token", default="")
    expires_in_old: float = msgspec.field(name="expires_in", default=0)
    scope: str = ""
    user_type: str = ""
    location_id: str = ""
    company_id: str = ""
    user_id: str = ""


def authorize_url(
    client_id: str,
    redirect_uri: str,
    scopes: Sequence[str],
    *,
    state: str,
    base: str = "",
    **more: str,
) -> str:
    """Where a person chooses the location to connect: at `base`, or in the Marketplace. Private apps need `version_id`; a
    PKCE challenge goes along as `code_challenge`."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(scopes),
        "state": state,
    }
    wanted = query | {name: value for name, value in more.items() if value}
    return f"{base or AUTHORIZE_URL}?{urlencode(wanted)}"


def challenge_of(verifier: str) -> dict[str, str]:
    """What of a PKCE verifier goes into the address (RFC 7636, S256)."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    return {"code_challenge": digest.rstrip(b"=").decode(), "code_challenge_method": "S256"}


def code_form(client_id: str, client_secret: str, code: str, redirect_uri: str, verifier: str = "") -> bytes:
    """The form that trades an authorisation code for the first tokens of a location."""
    pkce = {"code_verifier": verifier} if verifier else {}
    return _form(client_id, client_secret, "authorization_code", code=code, redirect_uri=redirect_uri, **pkce)


def refresh_form(
    client_id: str, client_secret: str, refresh_token: str, user_type: str = "Location"
) -> bytes:
    """The form that trades a refresh token for new tokens. The old refresh token is used up by it."""
    return _form(client_id, client_secret, "refresh_token", refresh_token=refresh_token, user_type=user_type)


def location_form(company: str, location: str) -> bytes:
    """The form that trades an agency's token, sent along as the bearer, for one of a location."""
    return urlencode({"companyId": company, "locationId": location}).encode()


def _form(client_id: str, client_secret: str, grant: str, **more: str) -> bytes:
    form = {
        "client_id": client_id,
        "client_secret": client_secret,
        "grant_type": grant,
        "user_type": "Location",
    }
    return urlencode(form | more).encode()


def read_tokens(status: int, body: bytes, now: dt.datetime) -> Tokens:
    """The tokens of an answer to one of the forms.

    Raises `AuthError` when a person must connect again, `TransientError` when later is enough: 5xx, 429, and
    `Location is not active`, which keeps the refresh token good.
    """
    if 200 <= status < 300:
        return _tokens(body, now)
    message = message_of(body)
    if "not active" in message.lower():
        raise TransientError(
            f"HighLevel refuses new tokens: {message}", after=INACTIVE_WAIT, detail=Detail.VENDOR_FAILED
        )
    if status >= 500 or status == 429:
        raise TransientError(f"HighLevel gives no new tokens now ({status})", detail=Detail.VENDOR_FAILED)
    raise AuthError(
        f"the connection must be made again: {message or f'no new tokens ({status})'}",
        detail=Detail.RECONNECT,
    )


def _tokens(body: bytes, now: dt.datetime) -> Tokens:
    try:
        answer = msgspec.json.decode(body, type=_TokenAnswer)
    except msgspec.MsgspecError as error:
        raise ConnectorError("the answer to the token request is not of the expected form") from error
    access = answer.access_token or answer.access_token_old
    if not access:
        raise ConnectorError("the answer to the token request holds no access token")
    life = answer.expires_in or answer.expires_in_old or _DEFAULT_LIFE
    return Tokens(
        access_token=access,
        refresh_token=answer.refresh_token or answer.refresh_token_old,
        expires_at=now + dt.timedelta(seconds=life),
        scopes=tuple(answer.scope.split()),
        user_type=answer.user_type,
        location_id=answer.location_id,
        company_id=answer.company_id,
        user_id=answer.user_id,
    )
