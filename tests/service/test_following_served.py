"""`syncline serve` and `syncline worker` as processes of their own: what the worker does is seen in the service's stream."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import aiohttp

from syncline.bootstrap import install
from syncline.config import load
from syncline.core.people import Role, Scope
from syncline.core.timetable import DueKind
from syncline.ports import Due
from syncline.service import tokens
from syncline.service.people import People
from tests.cli.office import Office, left_is_activecollab, open_office
from tests.service.collecting import collecting
from tests.service.office import TICKETS
from tests.service.test_serving import _environ, served
from tests.store.postgres import empty_database


@contextmanager
def _working(office: Office, environ: Mapping[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", "syncline", "--config", str(office.config), "worker"]
    around = {**_environ(office), **environ}
    with subprocess.Popen(command, env=around, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()


async def _prepared(office: Office, environ: Mapping[str, str]) -> str:
    """The sync is due at once; answers a token for the stream."""
    installation = install(load(office.config, {**_environ(office), **environ}), office.folder)
    store, now = installation.store, installation.clock.now()
    store.save_due(Due(TICKETS, DueKind.POLL, now))
    people = People(store, installation.clock)
    user = store.add_user("owner@example.test", "Owner", Role.ADMIN, "no-hash", now)
    scopes = frozenset({Scope.RUNS_READ, Scope.EVENTS_READ})
    made = tokens.make(people, user, frozenset(Scope), tokens.Wish("stream", scopes))
    await installation.close()
    return made.text


async def _events(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, dict[str, object]]]:
    while True:
        lines = (await answer.content.readuntil(b"\n\n")).decode().split("\n")
        told = dict(each.partition(": ")[::2] for each in lines if each and not each.startswith(":"))
        if "data" in told:
            yield told["event"], json.loads(told["data"])


async def test_runs_of_a_worker_are_seen_in_the_stream_of_the_service(tmp_path: Path) -> None:
    with open_office(tmp_path) as office, empty_database() as url, collecting() as collector:
        office.write(left_is_activecollab(office.project))
        office.in_activecollab("create_task", project=office.project, name="Paint")
        shared = {"SYNCLINE_DATABASE_URL": url}
        token = await _prepared(office, shared)
        with served(office, "--no-work", **shared) as service:
            path, bearer = f"{service.url}/api/v1/events/stream", {"Authorization": f"Bearer {token}"}
            async with aiohttp.ClientSession() as http, http.get(path, headers=bearer) as answer:
                assert answer.status == 200
                traced = {**shared, "SYNCLINE_OTLP_ENDPOINT": collector.endpoint}
                with _working(office, traced):
                    heard: list[tuple[str, dict[str, object]]] = []
                    async with asyncio.timeout(60):
                        async for name, data in _events(answer):
                            heard.append((name, data))
                            if {"progress", "run", "run.finished"} <= {each for each, _ in heard}:
                                break

        assert [data["writes"] for name, data in heard if name == "run"] == [1]
        assert {data["sync"] for name, data in heard if name == "progress"} == {TICKETS}
        assert {"look", "vendor call POST"} <= collector.names()
