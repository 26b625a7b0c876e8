"""Logging in at ActiveCollab over real HTTP: cloud and self-hosted, with and without a second factor."""

from __future__ import annotations

import pytest

from syncline.errors import AuthError, Refusal, RequestError
from syncline.ports import ConnectionState
from syncline.sandbox.activecollab import Flavour
from syncline.service import login
from syncline.service.login import Password, Step, Who
from tests.service.connection_desk import ConnectionDesk, open_connection_desk

ME = Who(1, "mine")
OWNER = "owner@example.test"
PASSWORD = "sandbox-password"


async def _begin(desk: ConnectionDesk, password: str = PASSWORD) -> Step:
    cloud = desk.activecollab_server.base_url
    return await login.begin(desk.runtime, ME, "ac", Password(OWNER, password), cloud)


def _state(step: Step) -> ConnectionState | None:
    return step.connection.state if step.connection is not None else None


async def test_a_login_at_the_cloud_ends_with_a_connection() -> None:
    async with open_connection_desk(flavour=Flavour.CLOUD) as desk:
        step = await _begin(desk)

        assert _state(step) is ConnectionState.WORKING
        assert await desk.installation.connector("ac").object_types()


async def test_a_second_factor_is_asked_for_and_used_once() -> None:
    async with open_connection_desk(flavour=Flavour.CLOUD) as desk:
        desk.activecollab.account.second_factors[1] = "123456"
        step = await _begin(desk)
        assert (step.needs_code, _state(step)) == (True, None)

        done = await login.go_on(desk.runtime, ME, step.ticket, code="123456")
        with pytest.raises(RequestError) as again:
            await login.go_on(desk.runtime, ME, step.ticket, code="123456")

        assert _state(done) is ConnectionState.WORKING
        assert again.value.refusal is Refusal.AUTHORISATION


async def test_a_login_belongs_to_the_session_that_began_it() -> None:
    async with open_connection_desk(flavour=Flavour.CLOUD) as desk:
        desk.activecollab.account.second_factors[1] = "123456"
        step = await _begin(desk)

        with pytest.raises(RequestError) as caught:
            await login.go_on(desk.runtime, Who(1, "another's"), step.ticket, code="123456")

        assert caught.value.refusal is Refusal.AUTHORISATION


async def test_wrong_passwords_and_codes_are_refused() -> None:
    async with open_connection_desk(flavour=Flavour.CLOUD) as desk:
        with pytest.raises(AuthError, match="refused"):
            await _begin(desk, "no password")
        desk.activecollab.account.second_factors[1] = "123456"
        step = await _begin(desk)
        with pytest.raises(AuthError, match="refused"):
            await login.go_on(desk.runtime, ME, step.ticket, code="654321")


async def test_a_self_hosted_install_issues_a_token_at_once() -> None:
    async with open_connection_desk() as desk:
        url = desk.for_activecollab()["url"]
        with pytest.raises(AuthError, match="the password is wrong"):
            await login.begin(desk.runtime, ME, "ac", Password(OWNER, "no password", url))

        step = await login.begin(desk.runtime, ME, "ac", Password(OWNER, PASSWORD, url))

        assert _state(step) is ConnectionState.WORKING
        assert PASSWORD not in repr(desk.installation.store.secret("connection:ac"))
        # Once more for the same connection: a new token in the place of the old one.
        again = await login.begin(desk.runtime, ME, "ac", Password(OWNER, PASSWORD, url))
        assert _state(again) is ConnectionState.WORKING
