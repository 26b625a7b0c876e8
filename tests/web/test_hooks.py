"""The webhook route over real HTTP: what a vendor is answered, and how little a stranger learns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from syncline.service.limits import Limits
from tests.service.hall import AC_PATH, AC_SECRET, HL_PATH, Hall, event, open_hall, signed, task_event


@pytest.fixture
def hall() -> Hall:
    return Hall(Limits(body=2_000))


@pytest_asyncio.fixture
async def client(hall: Hall) -> AsyncGenerator[aiohttp.ClientSession]:
    async with open_hall(hall) as address, aiohttp.ClientSession(base_url=address) as session:
        yield session


async def _post(
    client: aiohttp.ClientSession, path: str, body: Any, headers: dict[str, str]
) -> tuple[int, str]:
    async with client.post(f"/hooks/{path}", data=body, headers=headers) as answer:
        return answer.status, await answer.text()


async def test_both_vendors_are_let_in(hall: Hall, client: aiohttp.ClientSession) -> None:
    assert await _post(client, HL_PATH, event(1), signed(event(1))) == (200, '{"result":"kept"}')
    assert await _post(client, HL_PATH, event(1), signed(event(1))) == (200, '{"result":"known"}')
    in_ac = {"X-Angie-WebhookSecret": AC_SECRET}
    assert (await _post(client, AC_PATH, task_event(34), in_ac))[0] == 200

    assert hall.keys() == ["r1", "34"]


async def test_a_body_in_pieces_is_put_together(hall: Hall, client: aiohttp.ClientSession) -> None:
    async def pieces() -> AsyncGenerator[bytes]:
        for each in event(1):
            yield bytes([each])
            if each == ord(","):
                await asyncio.sleep(0)

    assert (await _post(client, HL_PATH, pieces(), signed(event(1))))[0] == 200
    assert hall.store.delivery_body(hall.kept()[0].id) == event(1)


@pytest.mark.parametrize("is_announced", [True, False])
async def test_a_body_that_is_too_long_is_not_taken(
    hall: Hall, client: aiohttp.ClientSession, is_announced: bool
) -> None:
    body = event(1, more="x" * 3_000)

    async def unannounced() -> AsyncGenerator[bytes]:
        yield body

    status, text = await _post(client, HL_PATH, body if is_announced else unannounced(), signed(body))

    assert (status, text) == (413, '{"result":"too_large"}')
    assert hall.kept() == []


async def test_a_forged_event_is_refused(hall: Hall, client: aiohttp.ClientSession) -> None:
    assert await _post(client, HL_PATH, event(1), signed(event(2))) == (401, '{"result":"refused"}')
    assert (await _post(client, AC_PATH, task_event(1), {}))[0] == 401
    assert hall.marks() == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_tell_nothing_about_a_path(client: aiohttp.ClientSession, method: str) -> None:
    answers = []
    for path in (HL_PATH, "guess"):
        async with client.request(method, f"/hooks/{path}") as answer:
            answers.append((answer.status, answer.headers.get("Allow"), await answer.text()))

    assert answers[0] == answers[1]
    assert answers[0][:2] == (405, "POST")


async def test_an_unknown_path_is_told_like_any_other_page_that_is_not_there(
    hall: Hall, client: aiohttp.ClientSession
) -> None:
    answers = []
    for path in ("/hooks/guess", "/hooks/%00", "/hooks/" + "x" * 500, "/hooks/", "/hooks/a/b", "/nothing"):
        async with client.post(path, data=event(1), headers=signed(event(1))) as answer:
            answers.append((answer.status, await answer.text()))

    assert set(answers) == {answers[-1]}
    assert answers[-1][0] == 404
    assert hall.kept() == []


async def test_too_many_are_told_when_to_come_back() -> None:
    hall = Hall(Limits(rate=0.1, burst=1))
    async with open_hall(hall) as address, aiohttp.ClientSession(base_url=address) as client:
        await _post(client, HL_PATH, event(1), signed(event(1)))
        async with client.post(f"/hooks/{HL_PATH}", data=event(2), headers=signed(event(2))) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "10")


async def test_many_at_once_share_commits(hall: Hall, client: aiohttp.ClientSession) -> None:
    said: list[str] = []
    hall.store._connection.set_trace_callback(said.append)

    answers = await asyncio.gather(
        *(_post(client, HL_PATH, event(number), signed(event(number))) for number in range(100))
    )

    assert {status for status, _ in answers} == {200}
    assert len(hall.kept()) == 100
    assert said.count("COMMIT") < 100
