"""The least that can carry an edit to the other side: hear of it, read both records, write one. The baseline of `latency`.

Started by `latency` as `python -m bench.relay`, with one JSON line on its standard input: the accounts and which records
belong together. It makes the calls that a run makes, and nothing else: it verifies, keeps and remembers nothing. Prints
where it listens, and goes on until its standard input ends.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec
import uvloop
from aiohttp import web

from bench.accounts import OBJECT, Reach


class Wish(msgspec.Struct, frozen=True):
    """What to carry: records by their ids, ActiveCollab's first; all tasks lie in one project."""

    reach: Reach
    project: int
    pairs: tuple[tuple[int, str], ...]


class Relay:
    """Both directions; each is used only while its vendor sends webhooks here."""

    def __init__(self, wish: Wish, session: aiohttp.ClientSession) -> None:
        reach = wish.reach
        self._session = session
        self._tickets = {str(task): record for task, record in wish.pairs}
        self._tasks = {record: str(task) for task, record in wish.pairs}
        self._task_url = f"{reach.ac_url}/api/v1/projects/{wish.project}/tasks/"
        self._ticket_url = f"{reach.hl_url}/objects/{OBJECT}/records/"
        self._query = {"locationId": reach.location}
        self._ac = {"X-Angie-AuthApiToken": reach.ac_token}
        self._hl = {"Authorization": f"Bearer {reach.hl_token}", "Version": "2021-07-28"}
        self._under_way: set[asyncio.Task[None]] = set()

    async def heard(self, request: web.Request) -> web.Response:
        """One webhook: answered at once, carried then."""
        body: Mapping[str, Any] = msgspec.json.decode(await request.read())
        task = str(body["payload"]["id"]) if "payload" in body else self._tasks[body["id"]]
        carrying = asyncio.create_task(self._carry(task, to_right="payload" in body))
        self._under_way.add(carrying)
        carrying.add_done_callback(self._under_way.discard)
        return web.Response()

    async def _carry(self, task: str, *, to_right: bool) -> None:
        ticket = self._tickets[task]
        left = await self._ask("GET", self._task_url + task, self._ac)
        right = await self._ask("GET", self._ticket_url + ticket, self._hl)
        if to_right:
            wish = {"properties": {"title": left["single"]["name"]}}
            await self._ask("PUT", self._ticket_url + ticket, self._hl, wish, self._query)
        else:
            title = right["record"]["properties"]["title"]
            await self._ask("PUT", self._task_url + task, self._ac, {"name": title})

    async def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        wish: object = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        body = None if wish is None else msgspec.json.encode(wish)
        sent = {**headers, "content-type": "application/json"}
        async with self._session.request(method, url, headers=sent, data=body, params=query) as answer:
            content = await answer.read()
            assert answer.ok, content
            return msgspec.json.decode(content)


async def serve(wish: Wish) -> None:
    """Listen, say where, wait."""
    async with aiohttp.ClientSession() as session:
        app = web.Application()
        app.router.add_post("/", Relay(wish, session).heard)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}/", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await runner.cleanup()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as main:
        main.run(serve(msgspec.json.decode(sys.stdin.readline(), type=Wish)))
