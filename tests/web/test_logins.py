"""Logging in at ActiveCollab over the API: tries at an account, and from an address, have to wait ever longer."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from syncline.sandbox.activecollab import Flavour
from syncline.service.throttle import BY_ACCOUNT, BY_ADDRESS
from syncline.web.logins import logins_router
from syncline.web.services import WebServices
from tests.service.connection_desk import ConnectionDesk, open_connection_desk
from tests.web.office import Answer, Visitor, open_office

LOGINS = "/api/v1/logins"
OWNER = "owner@example.test"
RIGHT, WRONG = "sandbox-password", "no password"


@asynccontextmanager
async def _open(folder: Path, flavour: Flavour) -> AsyncGenerator[tuple[ConnectionDesk, Visitor]]:
    async with open_connection_desk(flavour=flavour) as desk:
        router = logins_router(desk.runtime, desk.activecollab_server.base_url)

        def change(services: WebServices) -> WebServices:
            return replace(services, routers=[router])

        async with open_office(folder, change=change) as office:
            yield desk, await office.set_up()


async def _log_in(admin: Visitor, password: str, email: str = OWNER, **more: object) -> Answer:
    body = {"connection": "ac", "email": email, "password": password, **more}
    return await admin.post(LOGINS, body)


async def test_tries_at_an_account_have_to_wait_and_success_forgets_them(tmp_path: Path) -> None:
    async with _open(tmp_path, Flavour.SELF_HOSTED) as (desk, admin):
        url = str(desk.for_activecollab()["url"])
        wrong = [await _log_in(admin, WRONG, url=url) for _ in range(BY_ACCOUNT.free)]
        assert {answer.status for answer in wrong} == {409}

        held = await _log_in(admin, RIGHT, url=url)
        assert (held.status, held.code, held.headers["Retry-After"]) == (429, "access.too_many_tries", "1")
        assert (await _log_in(admin, WRONG, "another@example.test", url=url)).status == 409
        desk.clock.advance(1)
        done = await _log_in(admin, RIGHT, url=url)
        assert (done.status, done.json["connection"]["state"]) == (200, "working")
        assert (await _log_in(admin, WRONG, url=url)).status == 409
        assert (await _log_in(admin, RIGHT, url=url)).status == 200


async def test_codes_of_a_second_factor_cannot_be_tried_one_after_the_other(tmp_path: Path) -> None:
    async with _open(tmp_path, Flavour.CLOUD) as (desk, admin):
        desk.activecollab.account.second_factors[1] = "123456"
        step = f"{LOGINS}/step"
        for _ in range(2):
            begun = await _log_in(admin, RIGHT)
            assert (await admin.post(step, {"ticket": begun.json["ticket"], "code": "000000"})).status == 409
        begun = await _log_in(admin, RIGHT)
        held = await admin.post(step, {"ticket": begun.json["ticket"], "code": "123456"})
        assert (held.status, held.code) == (429, "access.too_many_tries")

        # The ticket was not used up.
        desk.clock.advance(1)
        done = await admin.post(step, {"ticket": begun.json["ticket"], "code": "123456"})
        assert (done.status, done.json["connection"]["state"]) == (200, "working")
        assert (await _log_in(admin, RIGHT)).json["needs_code"]


async def test_tries_from_one_address_have_to_wait_whatever_the_account(tmp_path: Path) -> None:
    async with _open(tmp_path, Flavour.SELF_HOSTED) as (desk, admin):
        url = str(desk.for_activecollab()["url"])
        for number in range(BY_ADDRESS.free):
            assert (await _log_in(admin, WRONG, f"person{number}@example.test", url=url)).status == 409
        held = await _log_in(admin, RIGHT, url=url)
        assert (held.status, held.code) == (429, "access.too_many_tries")
