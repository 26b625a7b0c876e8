"""A private token, or OAuth tokens that renew themselves, into the token of the next request.

Used by `client`. A renewed pair is handed to the owner's store before its first use, and only one renewal is under way
at a time: HighLevel's refresh tokens work once (facts: highlevel-api.md 2.1).
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Protocol

from syncline.connectors.highlevel.oauth import COMPANY, Tokens, location_form, read_tokens, refresh_form
from syncline.connectors.http import Answer
from syncline.errors import AuthError, Detail
from syncline.ports import Clock

SaveTokens = Callable[[Tokens], Awaitable[None]]
"""Keeps a renewed pair durably. When it raises, the pair is not used."""
SendForm = Callable[[bytes, str], Awaitable[Answer]]
"""Posts a form to the token endpoint; with a bearer, to the one that makes a location's token out of an agency's."""

_OVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _nothing_kept() -> Tokens | None:
    return None


EARLY = dt.timedelta(minutes=5)
"""A token is renewed so long before it expires."""


@dataclass(frozen=True, slots=True)
class PrivateToken:
    """A private integration token (`pit-…`): static, scoped, never renewed."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """A Marketplace app, and the tokens that a location granted it.

    `kept` answers the pair that was saved last, maybe by another process; `turn` lets one at a time renew, of all
    processes that share what is kept. `location` is for whom an agency's token is traded.
    """

    client_id: str
    client_secret: str = field(repr=False)
    tokens: Tokens
    save: SaveTokens = field(repr=False)
    kept: Callable[[], Tokens | None] = field(default=_nothing_kept, repr=False)
    turn: Callable[[], AbstractAsyncContextManager[None]] = field(default=nullcontext, repr=False)
    location: str = ""


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
        """Renew, unless another task or process has just done so. Raises `AuthError`, `TransientError`."""
        async with self._renewal:
            if self._tokens.access_token != used:
                return True
            async with self._client.turn():
                if not self._adopt():
                    await self._replace()
            return True

    def _adopt(self) -> bool:
        """Take what somebody else has renewed meanwhile; whether it is good for a while."""
        kept = self._client.kept()
        if self._unsaved is not None or kept is None or kept == self._tokens:
            return False
        self._tokens = kept
        return self._clock.now() + EARLY < kept.expires_at

    async def _replace(self) -> None:
        """A new pair, kept before it is used."""
        if self._unsaved is None:
            self._unsaved = await self._refresh()
        await self._client.save(self._unsaved)
        self._tokens, self._unsaved = self._unsaved, None
        if _is_for_company(self._tokens):
            minted = await location_tokens(self._tokens, self._client.location, self._send, self._clock.now())
            await self._client.save(minted)
            self._tokens = minted

    async def _refresh(self) -> Tokens:
        """Ask for a new pair. An answer that tells no refresh token leaves the old one good."""
        old = self._tokens
        if not old.refresh_token:
            raise AuthError(
                "the access token is no longer good and there is no refresh token",
                detail=Detail.TOKEN_EXPIRED,
            )
        form = refresh_form(
            self._client.client_id,
            self._client.client_secret,
            old.refresh_token,
            old.user_type or "Location",
        )
        answer = await self._send(form, "")
        renewed = read_tokens(answer.status, answer.body, self._clock.now())
        if _is_for_company(renewed):
            # Whoever finds this pair after a crash must not call with it: it is renewed again first.
            renewed = replace(renewed, expires_at=_OVER)
        return renewed if renewed.refresh_token else replace(renewed, refresh_token=old.refresh_token)


def _is_for_company(tokens: Tokens) -> bool:
    return tokens.user_type == COMPANY and not tokens.location_id


async def location_tokens(company: Tokens, location: str, send: SendForm, now: dt.datetime) -> Tokens:
    """A location's token out of an agency's (facts: highlevel-api.md 2.1). It is renewed through the agency's refresh
    token, which it carries. Raises what `read_tokens` raises."""
    answer = await send(location_form(company.company_id, location), company.access_token)
    minted = read_tokens(answer.status, answer.body, now)
    return replace(
        minted,
        refresh_token=company.refresh_token,
        user_type=COMPANY,
        company_id=company.company_id,
        location_id=minted.location_id or location,
        user_id=minted.user_id or company.user_id,
    )
