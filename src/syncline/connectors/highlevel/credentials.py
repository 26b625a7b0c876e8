"""A private token, or OAuth tokens that renew themselves, into the token of the next request.

Used by `client`. A renewed pair is handed to the owner's store before its first use, and only one renewal is under way
at a time: HighLevel's refresh tokens work once (facts: highlevel-api.md 2.1).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from syncline.connectors.highlevel.oauth import Tokens, read_tokens, refresh_form
from syncline.connectors.http import Answer
from syncline.errors import AuthError, Detail
from syncline.ports import Clock

SaveTokens = Callable[[Tokens], Awaitable[None]]
"""Keeps a renewed pair durably. When it raises, the pair is not used."""
SendForm = Callable[[bytes], Awaitable[Answer]]
"""Posts a form to the token endpoint."""

EARLY = dt.timedelta(minutes=5)
"""A token is renewed so long before it expires."""


@dataclass(frozen=True, slots=True)
class PrivateToken:
    """A private integration token (`pit-…`): static, scoped, never renewed."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """A Marketplace app, and the tokens that a location granted it."""

    client_id: str
    client_secret: str = field(repr=False)
    tokens: Tokens
    save: SaveTokens = field(repr=False)


class Credentials(Protocol):
    """What `client` needs to know about tokens."""

    @property
    def scopes(self) -> tuple[str, ...] | None:
        """The granted scopes, None where the vendor tells none."""
        ...

    @property
    def user_id(self) -> str:
        """Who granted the access, empty where unknown."""
        ...

    async def token(self) -> str:
        """A token that should work now."""
        ...

    async def renew(self, used: str) -> bool:
        """Replace the used token, which was refused as expired. False when there is no way to."""
        ...


class StaticToken:
    """`Credentials` of a private integration token."""

    def __init__(self, private: PrivateToken) -> None:
        self._token = private.token

    @property
    def scopes(self) -> tuple[str, ...] | None:
        """Unknown: nothing in the API tells the scopes of a private token."""
        return None

    @property
    def user_id(self) -> str:
        """A private token belongs to the location, not to a person."""
        return ""

    async def token(self) -> str:
        """The token itself."""
        return self._token

    async def renew(self, used: str) -> bool:
        """There is no renewal: a person rotates the token."""
        del used
        return False


class RenewedTokens:
    """`Credentials` of an OAuth app."""

    def __init__(self, client: OAuthClient, clock: Clock, send: SendForm) -> None:
        self._client = client
        self._tokens = client.tokens
        self._clock = clock
        self._send = send
        self._renewal = asyncio.Lock()
        self._unsaved: Tokens | None = None

    @property
    def scopes(self) -> tuple[str, ...] | None:
        """As named by the last token answer."""
        return self._tokens.scopes or None

    @property
    def user_id(self) -> str:
        """The user who installed the app."""
        return self._tokens.user_id

    async def token(self) -> str:
        """The access token, renewed first when it is about to expire. Raises `AuthError`, `TransientError`."""
        if self._clock.now() + EARLY >= self._tokens.expires_at:
            await self.renew(self._tokens.access_token)
        return self._tokens.access_token

    async def renew(self, used: str) -> bool:
        """Renew, unless another task has just done so. Raises `AuthError`, `TransientError`."""
        async with self._renewal:
            if self._tokens.access_token != used:
                return True
            if self._unsaved is None:
                self._unsaved = await self._refresh()
            await self._client.save(self._unsaved)
            self._tokens, self._unsaved = self._unsaved, None
            return True

    async def _refresh(self) -> Tokens:
        """Ask for a new pair. An answer that tells no refresh token leaves the old one good."""
        old = self._tokens.refresh_token
        if not old:
            raise AuthError(
                "the access token is no longer good and there is no refresh token",
                detail=Detail.TOKEN_EXPIRED,
            )
        answer = await self._send(refresh_form(self._client.client_id, self._client.client_secret, old))
        renewed = read_tokens(answer.status, answer.body, self._clock.now())
        return renewed if renewed.refresh_token else replace(renewed, refresh_token=old)
