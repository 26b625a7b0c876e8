"""OAuth tokens of HighLevel over real HTTP: renewed once, kept before use, never lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from syncline.connectors.highlevel import Tokens
from syncline.core.records import (
    Create,
    FieldId,
    Present,
)
from syncline.core.values import (
    Text,
)
from syncline.errors import (
    AuthError,
    TransientError,
)
from tests.connectors.highlevel_world import (
    SCOPE,
    TICKET,
    world,
)


class TestOAuth:
    async def test_a_token_is_renewed_before_it_expires(self) -> None:
        saved: list[Tokens] = []
        async with world() as w:
            connector = w.open(access=await w.grant(saved))
            await connector.object_types()
            assert saved == []
            w.clock.advance(86_200)

            await connector.object_types()
            await connector.object_types()

        assert len(saved) == 1
        assert ("POST", "/oauth/token") in w.requests()

    async def test_tokens_that_died_early_are_renewed_once_for_all(self) -> None:
        saved: list[Tokens] = []
        async with world() as w:
            access = await w.grant(saved)
            connector = w.open(access=access)
            w.act("revoke_token", token=access.tokens.access_token)
            before = len(w.requests())

            await asyncio.gather(*(connector.object_types() for _ in range(4)))

            tokens = [path for _, path in w.requests(before)].count("/oauth/token")
        assert tokens == len(saved) == 1
        assert saved[0].refresh_token != access.tokens.refresh_token

    async def test_an_expired_token_does_not_lose_a_write(self) -> None:
        saved: list[Tokens] = []
        async with world() as w:
            access = await w.grant(saved)
            connector = w.open(access=access)
            await connector.schema(TICKET)
            w.act("revoke_token", token=access.tokens.access_token)

            receipt = await connector.write(SCOPE, Create({FieldId("title"): Text("a")}))

            assert isinstance(await w.connector.fetch(SCOPE, receipt.key), Present)
        assert len(saved) == 1

    async def test_a_pair_is_kept_before_it_is_used(self) -> None:
        order: list[str] = []
        async with world() as w:
            access = await w.grant([])
            w.clock.advance(86_400)

            async def save(tokens: Tokens) -> None:
                order.extend(path for _, path in w.requests()[-1:])
                order.append("saved")

            connector = w.open(access=replace(access, save=save))
            await connector.object_types()
            order.extend(path for _, path in w.requests()[-1:])

        assert order == ["/oauth/token", "saved", "/objects/"]

    async def test_a_pair_that_could_not_be_kept_is_not_lost(self) -> None:
        kept: list[Tokens] = []
        async with world() as w:
            access = await w.grant([])
            w.clock.advance(86_400)
            is_full = True

            async def save(tokens: Tokens) -> None:
                if is_full:
                    raise OSError("no space left")
                kept.append(tokens)

            connector = w.open(access=replace(access, save=save))
            with pytest.raises(OSError, match="no space"):
                await connector.object_types()
            is_full = False
            await connector.object_types()

            assert [path for _, path in w.requests()].count("/oauth/token") == 2
        assert len(kept) == 1

    async def test_a_used_refresh_token_asks_for_a_person(self) -> None:
        async with world() as w:
            access = await w.grant([])
            w.clock.advance(86_400)
            await w.open(access=access).object_types()

            with pytest.raises(AuthError, match="must be made again"):
                await w.open(access=access).object_types()

    async def test_an_inactive_location_is_waited_for(self) -> None:
        async with world() as w:
            connector = w.open(access=await w.grant([]))
            w.clock.advance(86_400)
            w.act("set_location_active", location=w.location, active=False)
            with pytest.raises(TransientError) as caught:
                await connector.object_types()
            w.act("set_location_active", location=w.location, active=True)

            assert await connector.object_types()

        assert caught.value.after is not None

    async def test_no_secret_is_in_a_repr(self) -> None:
        async with world() as w:
            access = await w.grant([])
            shown = repr(access) + repr(w.connector) + repr(w.open(access=access))

        assert access.client_secret not in shown
        assert access.tokens.access_token not in shown
