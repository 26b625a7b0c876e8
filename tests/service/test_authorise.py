"""An app authorised at HighLevel over real HTTP: the state used once, tokens kept before use, one renewal for all."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from syncline.bootstrap import renewed
from syncline.errors import AuthError, Refusal, RequestError
from syncline.ports import ConnectionState
from syncline.service import authorise, connections
from syncline.service.authorise import Returned
from tests.service.connection_desk import REDIRECT, ConnectionDesk, open_connection_desk

DAY = dt.timedelta(days=1)


def _begin(desk: ConnectionDesk, session: str = "mine") -> dict[str, str]:
    """Begin; answers what goes along to HighLevel."""
    begun = authorise.begin(desk.installation, "hl", session, REDIRECT)
    return {name: values[0] for name, values in parse_qs(urlsplit(begun.url).query).items()}


async def _connected(desk: ConnectionDesk, *, is_agency: bool = False, **more: object) -> None:
    settings = desk.for_app() | more
    await connections.add(desk.runtime, 1, "hl", settings)
    query = _begin(desk)
    code = desk.agree(is_agency=is_agency)
    await authorise.finish(desk.runtime, Returned(query["state"], code, "mine", 1))


def _renewals(desk: ConnectionDesk, since: int = 0) -> int:
    return [each.request.path for each in desk.highlevel_server.journal.since(since)].count("/oauth/token")


async def test_an_authorised_app_is_a_connection_that_works() -> None:
    async with open_connection_desk() as desk:
        await _connected(desk)

        found = connections.known(desk.installation, "hl")
        assert (found.state, found.settings["location"]) == (ConnectionState.WORKING, desk.location)
        assert set(found.credentials) == {"oauth.client_secret", "oauth.refresh_token"}
        tested = await connections.look_at(desk.runtime, "hl")
        assert tested.expires_at == desk.clock.now() + dt.timedelta(seconds=86_399) - DAY + 365 * DAY


async def test_an_app_that_is_authorised_again_forgets_its_old_tokens() -> None:
    async with open_connection_desk() as desk:
        await _connected(desk)
        store = desk.installation.store
        before = set(store.secret_names())
        query = _begin(desk)
        await authorise.finish(desk.runtime, Returned(query["state"], desk.agree(), "mine", 1))

        assert len(store.secret_names()) == len(before)
        assert set(store.secret_names()) != before
        assert await desk.installation.connector("hl").object_types()


async def test_the_scopes_asked_for_are_those_that_are_needed() -> None:
    async with open_connection_desk() as desk:
        await connections.add(desk.runtime, 1, "hl", desk.for_app())
        scopes = _begin(desk)["scope"].split()

        assert "objects/record.write" in scopes
        assert not {"contacts.readonly", "objects/schema.write"} & set(scopes)


async def test_a_state_is_good_once_soon_and_for_whoever_began() -> None:
    async with open_connection_desk() as desk:
        await connections.add(desk.runtime, 1, "hl", desk.for_app())
        used, foreign, late = _begin(desk), _begin(desk), _begin(desk)
        await authorise.finish(desk.runtime, Returned(used["state"], desk.agree(), "mine"))

        async def refused(state: str, session: str = "mine") -> Refusal:
            with pytest.raises(RequestError) as caught:
                await authorise.finish(desk.runtime, Returned(state, desk.agree(), session))
            return caught.value.refusal

        calls = len(desk.highlevel_server.journal.since(0))
        assert await refused(used["state"]) is Refusal.AUTHORISATION
        assert await refused("made up") is Refusal.AUTHORISATION
        assert await refused(foreign["state"], "another's") is Refusal.AUTHORISATION
        desk.clock.advance(601)
        assert await refused(late["state"]) is Refusal.AUTHORISATION
        assert len(desk.highlevel_server.journal.since(0)) == calls


async def test_a_code_that_is_not_good_leaves_no_secret_behind() -> None:
    async with open_connection_desk() as desk:
        await connections.add(desk.runtime, 1, "hl", desk.for_app())
        before = list(desk.installation.store.secret_names())
        query = _begin(desk)
        with pytest.raises(AuthError):
            await authorise.finish(desk.runtime, Returned(query["state"], "no-code", "mine"))

        assert list(desk.installation.store.secret_names()) == before


async def test_pkce_sends_a_challenge_and_later_its_verifier() -> None:
    async with open_connection_desk() as desk:
        await connections.add(desk.runtime, 1, "hl", desk.for_app(pkce=True))
        query = _begin(desk)
        await authorise.finish(desk.runtime, Returned(query["state"], desk.agree(), "mine"))

        sent = next(
            each.request
            for each in desk.highlevel_server.journal.since(0)
            if each.request.path == "/oauth/token"
        )
        verifier = parse_qs(sent.body.decode())["code_verifier"][0]
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        assert (query["code_challenge"], query["code_challenge_method"]) == (digest, "S256")


async def test_an_agencys_token_makes_the_locations_and_is_renewed() -> None:
    async with open_connection_desk() as desk:
        await _connected(desk, is_agency=True, location=desk.location)
        connector = desk.installation.connector("hl")
        assert await connector.object_types()

        desk.clock.advance(86_400)
        assert await connector.object_types()
        desk.clock.advance(86_400)
        assert await desk.installation.connector("hl").object_types()


async def test_processes_renew_once_between_them(tmp_path: Path) -> None:
    async with open_connection_desk(url=f"sqlite:///{tmp_path}/syncline.db") as desk:
        await _connected(desk)
        other = renewed(desk.installation)
        mine, theirs = desk.installation.connector("hl"), other.connector("hl")
        assert await theirs.object_types()
        desk.clock.advance(86_400)
        before = len(desk.highlevel_server.journal.since(0))

        found = await asyncio.gather(mine.object_types(), theirs.object_types(), mine.object_types())

        assert all(found)
        assert _renewals(desk, before) == 1
        await other.release()


async def test_a_spent_refresh_token_asks_for_a_person() -> None:
    async with open_connection_desk() as desk:
        await _connected(desk)
        store = desk.installation.store
        line = next(name for name in store.secret_names() if name.startswith("oauth:"))
        kept = store.secret(line) or ""
        desk.clock.advance(86_400)
        assert await desk.installation.connector("hl").object_types()
        # As if a backup had been put back.
        store.save_secret(line, kept)

        later = renewed(desk.installation)
        with pytest.raises(AuthError) as caught:
            await later.connector("hl").object_types()
        await later.release()

        assert caught.value.full_code == "auth.reconnect"
