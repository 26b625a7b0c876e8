"""A connection's settings into the connector to its account, with credentials that are renewed and kept.

Called by `bootstrap`, which keeps the connectors.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec

from syncline.config import ActiveCollabSettings, HighLevelSettings
from syncline.connectors import activecollab, highlevel
from syncline.connectors.http import Environment
from syncline.core.records import FieldId
from syncline.ports import Clock, Connector, Store

_LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_TURN = dt.timedelta(minutes=3)
"""Longer than any renewal of a token takes."""
_RESOURCES = ("objects", "custom-fields", "users", "locations", "businesses")


def activecollab_account(
    name: str, settings: ActiveCollabSettings, projects: tuple[str, ...], environment: Environment
) -> Connector:
    """An ActiveCollab account; `projects` are those that its syncs filter by, all of them when there are none."""
    return activecollab.connect(
        name,
        activecollab.Settings(
            settings.url,
            settings.token.get_secret_value(),
            settings.header,
            settings.prefix,
            settings.job_type,
            projects=projects,
        ),
        environment,
    )


def highlevel_account(
    name: str, settings: HighLevelSettings, environment: Environment, store: Store, clock: Clock
) -> Connector:
    """A HighLevel location."""
    return highlevel.connect(
        highlevel.Settings(
            settings.location,
            _access(name, settings, store, clock),
            settings.url,
            search_lag=dt.timedelta(seconds=settings.search_lag),
            external_key=FieldId(settings.external_key) if settings.external_key else None,
            versions=dict.fromkeys(_RESOURCES, settings.version),
        ),
        environment,
        connection=name,
    )


def oauth_secret(name: str, refresh_token: str) -> str:
    """Under which name the renewed tokens are kept that began with this refresh token. A newly configured one begins a new
    line of tokens: what was kept of an older one is spent."""
    return f"oauth:{name}:{hashlib.sha256(refresh_token.encode()).hexdigest()[:12]}"


def _access(
    name: str, settings: HighLevelSettings, store: Store, clock: Clock
) -> highlevel.PrivateToken | highlevel.OAuthClient:
    if settings.oauth is None:
        token = settings.token.get_secret_value() if settings.token else ""
        return highlevel.PrivateToken(token)
    configured = settings.oauth.refresh_token.get_secret_value()
    secret = oauth_secret(name, configured)

    async def save(tokens: highlevel.Tokens) -> None:
        store.save_secret(secret, msgspec.json.encode(tokens).decode())

    return highlevel.OAuthClient(
        settings.oauth.client_id,
        settings.oauth.client_secret.get_secret_value(),
        kept_tokens(store, secret) or highlevel.Tokens("", configured, _LONG_AGO),
        save,
        lambda: kept_tokens(store, secret),
        lambda: _turn(store, clock, f"renewal:{name}"),
        settings.location,
    )


def kept_tokens(store: Store, secret: str) -> highlevel.Tokens | None:
    """The tokens that were renewed last, where some were."""
    kept = store.secret(secret)
    return msgspec.json.decode(kept, type=highlevel.Tokens) if kept else None


@asynccontextmanager
async def _turn(store: Store, clock: Clock, name: str) -> AsyncGenerator[None]:
    """One at a time, of all processes on this store. Who held it and died is waited for no longer than `_TURN`."""
    while True:
        now, found = clock.now(), store.setting(name)
        is_free = found is None or now - found.changed_at >= _TURN
        mine = store.save_setting(name, None, now, found.revision if found else 0) if is_free else None
        if mine is not None:
            break
        await clock.sleep(0.2)
    try:
        yield
    finally:
        with store.transaction():
            held = store.setting(name)
            if held is not None and held.revision == mine.revision:
                store.remove_setting(name)
