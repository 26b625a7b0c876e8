"""Every route states what it asks for, and whoever lacks it is not let in: tried on all routes, with all roles."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts

from syncline.core.people import Role, Scope, rights_of
from syncline.service import sessions
from syncline.service.sessions import Visit
from syncline.web.security import Guarded, Stated, anyone, stated
from tests.web.furniture import furnished
from tests.web.office import PASSWORD, Office, Visitor, open_office

OPEN = {
    "get_openapi",
    "get_health",
    "get_readiness",
    "get_setup",
    "set_up",
    "log_in",
    "list_codes",
    "get_code",
}
"""All that can be asked for without logging in. Whoever adds to it says why."""


@pytest_asyncio.fixture
async def service(tmp_path: Path) -> AsyncGenerator[Office]:
    """A running service with every router, not set up yet."""
    async with open_office(tmp_path, change=furnished) as office:
        yield office


def routes(app: FastAPI) -> list[tuple[str, str, str, Stated | None]]:
    """Method, path, name and statement of every route."""
    return [
        (method, found.path or "", found.name or "", stated(found.original_route))
        for found in iter_route_contexts(app.router.routes)
        for method in sorted(found.methods or ())
    ]


async def test_every_route_states_what_it_asks_for(service: Office) -> None:
    found = routes(service.app)

    assert len(found) > 20
    assert [name for _, _, name, asked in found if asked is None] == []
    assert {name for _, _, name, asked in found if asked and asked.scope is None} == OPEN


async def test_a_route_that_states_nothing_cannot_be_made() -> None:
    router = APIRouter(route_class=Guarded)

    with pytest.raises(TypeError, match="states no scope"):

        @router.get("/forgotten")
        async def forgotten() -> None:
            """Nobody said who may."""


@pytest.mark.parametrize("role", [None, *Role], ids=lambda role: role.value if role else "nobody")
async def test_every_route_lets_in_whom_it_may(service: Office, role: Role | None) -> None:
    await service.set_up()
    refused: dict[str, int] = {}
    wanted: dict[str, int] = {}
    for method, path, name, asked in routes(service.app):
        assert asked is not None
        visitor = service.browser() if role is None else _browser(service, role, name)
        answer = await visitor.ask(method, re.sub(r"{[^}]+}", "999999", path))
        assert answer.status < 500, (method, path, answer.raw)
        if answer.code.startswith("access.") and name not in OPEN:
            refused[name] = answer.status
        if asked.scope is not None:
            if role is None:
                wanted[name] = 401
            elif asked.scope not in rights_of(role):
                wanted[name] = 403

    assert refused == wanted


async def test_a_token_may_do_what_its_scopes_say_and_its_user_still_may(service: Office) -> None:
    admin = await service.set_up()
    audit = service.program(await admin.make_token("audit:read"))
    operator = await service.another(admin, "operator")
    token = service.program(await operator.make_token("runs:write"))

    assert (await audit.get("/api/v1/audit")).status == 200
    assert (await audit.get("/api/v1/users")).code == "access.missing_right"
    assert (await token.get("/api/v1/session")).json["scopes"] == ["own", "runs:read", "runs:write"]

    user = operator.heard[0].json["user"]["id"]
    await admin.ask("PATCH", f"/api/v1/users/{user}", {"role": "viewer"}, {"If-Match": "*"})
    assert (await token.get("/api/v1/session")).json["scopes"] == ["own", "runs:read"]
    assert (await operator.get("/api/v1/session")).json["user"]["role"] == "viewer"


async def test_what_is_only_for_people_refuses_tokens(service: Office) -> None:
    program = service.program(await service.admin_token())
    body = {"old_password": PASSWORD, "new_password": "another long password"}

    for method, path in [
        ("PUT", "/api/v1/session/password"),
        ("DELETE", "/api/v1/session"),
        ("DELETE", "/api/v1/session/all"),
    ]:
        answer = await program.ask(method, path, body if method == "PUT" else None)
        assert (answer.status, answer.code) == (403, "access.session_only")


def _browser(service: Office, role: Role, name: str) -> Visitor:
    """Somebody new with this role, logged in: a route may end the session it was asked with."""
    people = service.people
    user = people.store.add_user(f"{role.value}-{name}@example.test", "", role, "no password", people.now())
    entered = sessions.enter(people, user, Visit("127.0.0.1"))
    browser = service.browser()
    browser.cookies = {"syncline_session": entered.id}
    browser.headers["X-CSRF-Token"] = entered.csrf_token
    return browser


def test_each_role_may_do_all_that_the_ones_before_it_may() -> None:
    viewer, operator, admin = map(rights_of, Role)

    assert viewer < operator < admin == frozenset(Scope)
    assert not any(scope.value.endswith(":write") for scope in viewer)


def test_anyone_and_nobody_are_told_apart() -> None:
    assert anyone().dependency == Stated(None)
