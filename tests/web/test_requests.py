"""Pages, revisions, and requests that are sent twice."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import APIRouter

from syncline.core.people import Scope
from syncline.web.security import Guarded, requires
from syncline.web.services import WebServices
from tests.web.office import PASSWORD, Office, open_office

# --- pages ------------------------------------------------------------------------------------------------------------


async def test_a_list_is_walked_page_by_page_while_it_grows(service: Office) -> None:
    program = service.program(await service.admin_token())
    for name in "abcd":
        await program.post("/api/v1/users", {"email": f"{name}@example.test", "password": PASSWORD})

    first = await program.get("/api/v1/users?limit=2")
    await program.post("/api/v1/users", {"email": "e@example.test", "password": PASSWORD})
    seen = [first]
    while (cursor := seen[-1].json["next_cursor"]) is not None:
        assert f"cursor={cursor}".replace("=", "%3D")[8:] in seen[-1].headers["Link"].replace("=", "%3D")
        seen.append(await program.get(f"/api/v1/users?limit=2&cursor={cursor}"))

    assert [user["id"] for page in seen for user in page.json["items"]] == [1, 2, 3, 4, 5, 6]
    assert "Link" not in seen[-1].headers


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%00",
        base64.urlsafe_b64encode(b'["tokens",1]').decode(),
        base64.urlsafe_b64encode(b'["users","1"]').decode(),
        base64.urlsafe_b64encode(b'["users",99999999999999999999]').decode(),
        base64.urlsafe_b64encode(b"{}").decode(),
    ],
)
async def test_a_cursor_that_is_none_of_this_list_is_refused(service: Office, cursor: str) -> None:
    program = service.program(await service.admin_token())
    answer = await program.get(f"/api/v1/users?cursor={cursor}")

    assert (answer.status, answer.code) == (422, "request.cursor")


@pytest.mark.parametrize("limit", [0, 201, -1])
async def test_a_page_has_one_to_two_hundred_items(service: Office, limit: int) -> None:
    program = service.program(await service.admin_token())

    assert (await program.get(f"/api/v1/users?limit={limit}")).status == 422


# --- revisions --------------------------------------------------------------------------------------------------------


async def test_a_change_is_made_on_what_was_read(service: Office) -> None:
    program = service.program(await service.admin_token())
    await program.post("/api/v1/users", {"email": "new@example.test", "password": PASSWORD})
    read = await program.get("/api/v1/users/2")
    path, tag = "/api/v1/users/2", read.headers["ETag"]
    assert tag == '"1"'

    blind = await program.ask("PATCH", path, {"name": "A"})
    first = await program.ask("PATCH", path, {"name": "B"}, {"If-Match": tag})
    second = await program.ask("PATCH", path, {"name": "C"}, {"If-Match": tag})
    weak = await program.ask("PATCH", path, {"name": "C"}, {"If-Match": 'W/"2"'})
    listed = await program.ask("PATCH", path, {"name": "D"}, {"If-Match": f'{tag}, "2"'})
    gone = await program.ask("DELETE", path, headers={"If-Match": tag})

    assert (blind.status, blind.code) == (428, "request.no_revision")
    assert (first.status, first.headers["ETag"], first.json["revision"]) == (200, '"2"', 2)
    assert (second.status, second.code) == (412, "request.old_revision")
    assert (weak.status, listed.status, gone.status) == (412, 200, 412)
    assert (await program.get(path)).json["name"] == "D"
    assert (await program.ask("DELETE", path, headers={"If-Match": '"3"'})).status == 204
    assert (await program.get(path)).status == 404


# --- requests that are sent twice -------------------------------------------------------------------------------------


def _key(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


async def test_the_same_request_with_the_same_key_is_done_once(service: Office) -> None:
    program = service.program(await service.admin_token())
    body = {"email": "new@example.test", "password": PASSWORD}

    first = await program.post("/api/v1/users", body, headers=_key("a"))
    second = await program.post("/api/v1/users", body, headers=_key("a"))

    assert (first.status, first.raw) == (second.status, second.raw)
    assert first.headers["Location"] == second.headers["Location"]
    assert ("Idempotency-Replayed" in first.headers, second.headers["Idempotency-Replayed"]) == (
        False,
        "true",
    )
    assert service.people.store.count_users() == 2


async def test_a_key_belongs_to_one_request(service: Office) -> None:
    program = service.program(await service.admin_token())
    body = {"email": "new@example.test", "password": PASSWORD}
    await program.post("/api/v1/users", body, headers=_key("a"))

    other_body = await program.post("/api/v1/users", {**body, "name": "x"}, headers=_key("a"))
    other_path = await program.post("/api/v1/tokens", body, headers=_key("a"))

    assert [(each.status, each.code) for each in (other_body, other_path)] == [
        (422, "request.key_reused")
    ] * 2


async def test_a_key_belongs_to_one_user(service: Office) -> None:
    admin = await service.set_up()
    operator = await service.another(admin, "operator")
    body = {"name": "x", "scopes": ["runs:read"]}

    answers = [await each.post("/api/v1/tokens", body, headers=_key("a")) for each in (admin, operator)]

    assert [answer.json["user"] for answer in answers] == [1, 2]


async def test_a_refused_request_may_be_sent_again(service: Office) -> None:
    program = service.program(await service.admin_token())
    weak = {"email": "new@example.test", "password": "aaaaaaaaaaaaa"}
    right = {"email": "new@example.test", "password": PASSWORD}

    assert (await program.post("/api/v1/users", weak, headers=_key("a"))).status == 422
    assert (await program.post("/api/v1/users", right, headers=_key("a"))).status == 201


async def test_a_key_is_forgotten_after_a_day(service: Office) -> None:
    program = service.program(await service.admin_token())
    body = {"name": "x", "scopes": ["runs:read"]}
    await program.post("/api/v1/tokens", body, headers=_key("a"))
    service.clock.advance(24 * 3600 + 1)

    again = await program.post("/api/v1/tokens", body, headers=_key("a"))

    assert (again.status, "Idempotency-Replayed" in again.headers) == (201, False)


@pytest.mark.parametrize("key", ["", "x" * 256, "with space"])
async def test_a_key_has_to_be_one(service: Office, key: str) -> None:
    program = service.program(await service.admin_token())
    answer = await program.post("/api/v1/tokens", {"name": "x", "scopes": ["own"]}, headers=_key(key))

    assert (answer.status, answer.code) == (422, "request.invalid")


async def test_what_is_shown_once_is_not_shown_again(service: Office) -> None:
    program = service.program(await service.admin_token())
    body = {"name": "x", "scopes": ["runs:read"]}

    first = await program.post("/api/v1/tokens", body, headers=_key("a"))
    second = await program.post("/api/v1/tokens", body, headers=_key("a"))

    assert first.json["token"].startswith("syn_")
    assert second.json == {**first.json, "token": None}


async def test_a_request_in_flight_is_not_begun_twice(tmp_path: Path) -> None:
    begun, go_on, done = asyncio.Event(), asyncio.Event(), list[int]()

    def with_slow(services: WebServices) -> WebServices:
        router = APIRouter(route_class=Guarded, prefix="/api/v1")

        @router.post("/slow", dependencies=[requires(Scope.OWN)])
        async def slow() -> dict[str, int]:
            """It takes its time."""
            begun.set()
            await go_on.wait()
            done.append(1)
            return {"done": len(done)}

        return replace(services, routers=[router])

    async with open_office(tmp_path, change=with_slow) as service:
        program = service.program(await service.admin_token())
        first = asyncio.create_task(program.post("/api/v1/slow", headers=_key("a")))
        await begun.wait()
        meanwhile = await program.post("/api/v1/slow", headers=_key("a"))
        go_on.set()
        answers = [await first, await program.post("/api/v1/slow", headers=_key("a"))]

    assert (meanwhile.status, meanwhile.code) == (409, "request.key_in_flight")
    assert [answer.json for answer in answers] == [{"done": 1}, {"done": 1}]
