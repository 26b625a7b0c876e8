"""A person who authorises our app at HighLevel into a connection that works: begun here, finished when they come back.

Called by `web.connections`. The state that goes out and comes back is used once, soon over, and good only in the session
that began; only its hash is kept. Facts: highlevel-api.md 2.1.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import msgspec

from syncline.bootstrap import Installation, credentials_of, oauth_secret
from syncline.config import HighLevelSettings
from syncline.config.kept import REFRESH_TOKEN, checked, whole
from syncline.connectors import highlevel
from syncline.errors import (
    ConnectorError,
    Detail,
    Problem,
    ProblemKind,
    Refusal,
    RequestError,
    TransientError,
    UnknownOutcomeError,
)
from syncline.ports import Authorisation, KeptConnection
from syncline.service.connections import Known, kept_of, prove, put_credentials, taken_up
from syncline.service.runtime import Runtime
from syncline.service.tested import needed_of

LIFE = dt.timedelta(minutes=10)
_ANY = "custom_objects.any"
_MINT = "oauth.write"
"""Whoever authorises from an agency's view grants an agency's token, and a location's is made out of that one."""


class Begun(msgspec.Struct, frozen=True):
    """Where the person goes now, and until when they have to be back."""

    url: str
    scopes: tuple[str, ...]
    expires_at: dt.datetime


class Returned(msgspec.Struct, frozen=True):
    """What the person came back with, and who it is: the number of the user and a digest of the session."""

    state: str
    code: str
    session: str
    by: int | None = None


def begin(
    installation: Installation,
    name: str,
    session: str,
    redirect_uri: str,
    random: Callable[[], str] = lambda: secrets.token_urlsafe(32),
) -> Begun:
    """Begin to authorise a connection. Raises `RequestError` for one that has no app."""
    kept = kept_of(installation, name)
    app = _app(kept)
    store, now = installation.store, installation.clock.now()
    state, verifier = random(), random() if app.get("pkce") else ""
    scopes = scopes_of(installation, name)
    store.forget_authorisations(now)
    expires_at = now + LIFE
    body = {"redirect_uri": redirect_uri, "session": session, "revision": kept.revision}
    store.begin_authorisation(
        Authorisation(_hash(state), name, kept.vendor, body, {"verifier": verifier}, expires_at)
    )
    url = highlevel.authorize_url(
        app["client_id"],
        redirect_uri,
        scopes,
        state=state,
        base=str(app.get("authorize_url") or ""),
        version_id=str(app.get("version_id") or ""),
        **(highlevel.challenge_of(verifier) if verifier else {}),
    )
    return Begun(url, scopes, expires_at)


def scopes_of(installation: Installation, name: str) -> tuple[str, ...]:
    """The fewest scopes that the syncs of a connection need; without any, those for some object type that is written."""
    needed = [(each.object_type, each.is_written) for each in needed_of(installation, name, None)]
    wanted: Iterable[tuple[str, bool]] = [("", False), *(needed or [(_ANY, True)])]
    scopes = [
        scope for kind, is_written in wanted for scope in highlevel.scopes_for(kind, is_written=is_written)
    ]
    return tuple(dict.fromkeys([*scopes, _MINT]))


async def finish(runtime: Runtime, back: Returned) -> Known:
    """Trade what came back for tokens, prove that they are of the right account, and put the connection in force. Raises
    `RequestError`, `AuthError` for a code that is not good, `TransientError`."""
    installation = runtime.current()
    begun = _taken(installation, back)
    kept = kept_of(installation, begun.connection)
    tokens = await _exchanged(installation, kept, begun, back.code)
    settings = _placed(kept, tokens)
    old = credentials_of(installation.store, kept.name)
    credentials = {**old, REFRESH_TOKEN: tokens.refresh_token}
    line = oauth_secret(kept.name, tokens.refresh_token)
    # Kept before they are used: whoever dies in between has not lost the pair.
    installation.store.save_secret(line, msgspec.json.encode(tokens).decode())
    try:
        identity = await prove(installation, kept.name, checked(whole(settings, credentials)))
    except RequestError:
        installation.store.forget_secret(line)
        raise
    with installation.store.transaction():
        if settings != kept.settings:
            now = installation.clock.now()
            installation.store.change_connection(kept.name, settings, kept.revision, now)
        put_credentials(installation, back.by, kept.name, credentials, identity)
    return await taken_up(runtime, kept.name)


def _app(kept: KeptConnection) -> dict[str, Any]:
    app = kept.settings.get("oauth")
    if kept.vendor != "highlevel" or not isinstance(app, dict):
        remedy = "Add the app's client_id and client_secret as `oauth`."
        problem = Problem("settings.oauth", "is missing.", remedy, ProblemKind.CREDENTIALS)
        raise RequestError("The connection has no app.", Refusal.INVALID, problems=(problem,))
    return cast("dict[str, Any]", app)


def _taken(installation: Installation, back: Returned) -> Authorisation:
    begun = installation.store.take_authorisation(_hash(back.state))
    if begun is None:
        raise RequestError("This authorisation was not begun here, or is over.", Refusal.AUTHORISATION)
    if begun.expires_at <= installation.clock.now():
        raise RequestError("This authorisation took too long.", Refusal.AUTHORISATION)
    if not secrets.compare_digest(str(begun.body["session"]), back.session):
        raise RequestError("This authorisation was begun by somebody else.", Refusal.AUTHORISATION)
    return begun


async def _exchanged(
    installation: Installation, kept: KeptConnection, begun: Authorisation, code: str
) -> highlevel.Tokens:
    app = _app(kept)
    secret = credentials_of(installation.store, kept.name).get("oauth.client_secret", "")
    grant = highlevel.CodeGrant(
        app["client_id"],
        secret,
        code,
        str(begun.body["redirect_uri"]),
        begun.secrets.get("verifier", ""),
        str(kept.settings.get("location", "")),
    )
    settings = checked(whole(kept.settings, {"oauth.client_secret": secret}), is_waiting=True)
    url = settings.url if isinstance(settings, HighLevelSettings) else ""
    transport = installation.transport_of(kept.name)
    try:
        return await highlevel.exchange(transport, url, grant, installation.clock.now())
    except UnknownOutcomeError as error:
        raise TransientError(
            "no clear answer to the token request; authorise again", detail=Detail.UNREACHABLE
        ) from error
    except ConnectorError as error:
        error.connection = kept.name
        raise


def _placed(kept: KeptConnection, tokens: highlevel.Tokens) -> Mapping[str, Any]:
    """The settings with the location that was chosen. Raises `RequestError` when another one is configured."""
    wanted = kept.settings.get("location", "")
    if wanted and tokens.location_id and tokens.location_id != wanted:
        text = f"Location {tokens.location_id} was chosen, and the connection is of {wanted}."
        raise RequestError(text, Refusal.OTHER_ACCOUNT)
    if not wanted and not tokens.location_id:
        problem = Problem(
            "settings.location", "is not known.", "Set it, then authorise again.", ProblemKind.MISSING
        )
        raise RequestError("No location was chosen.", Refusal.INVALID, problems=(problem,))
    return {**kept.settings, "location": wanted or tokens.location_id}


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()
