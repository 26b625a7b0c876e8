"""A whole service on loopback: real uvicorn on a free port, an installation on a SQLite file, aiohttp as the browser.

async with open_office(tmp_path) as office:
    browser = await office.set_up()          # the first user, an admin, logged in
    answer = await browser.get("/api/v1/session")
    program = office.program(await browser.make_token("admin"))
"""

from __future__ import annotations

import asyncio
import functools
import json
import queue
import socket
import tempfile
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from syncline.bootstrap import Installation
from syncline.config import Config
from syncline.service.people import People, begin_setup
from syncline.store import open_store
from syncline.web.app import make_app
from syncline.web.services import WebServices, WebSettings
from tests.clock import VirtualClock

EMAIL = "owner@example.test"
PASSWORD = "correct horse battery"
SECRET_KEY = "c2VjcmV0LWtleS1vZi10aGUtdGVzdHMtMzItYnl0ZXM="
CHEAP = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
"""Hashes that cost next to nothing."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    raw: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.raw)

    @property
    def code(self) -> str:
        """The code of the problem; empty when it is none."""
        return self.json["code"] if "problem+json" in self.headers.get("Content-Type", "") else ""


@dataclass
class Visitor:
    """Somebody who asks: a browser with its cookies, or a program with a token. `heard` are all answers so far."""

    base_url: str
    http: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=dict[str, str])
    cookies: dict[str, str] = field(default_factory=dict[str, str])
    heard: list[Answer] = field(default_factory=list[Answer])

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        data: Any = None,
    ) -> Answer:
        """One request."""
        sent = {**self.headers, **(headers or {})}
        if self.cookies:
            sent.setdefault("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        async with self.http.request(
            method, f"{self.base_url}{path}", json=body, data=data, headers=sent, allow_redirects=False
        ) as got:
            raw = await got.read()
            answer = Answer(got.status, got.headers, tuple(got.headers.getall("Set-Cookie", ())), raw)
        self.heard.append(answer)
        self._keep_cookies(answer)
        return answer

    def _keep_cookies(self, answer: Answer) -> None:
        for line in answer.cookies:
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0].strip('"')
            self.cookies.pop(name, None)
            if value:
                self.cookies[name] = value

    async def get(self, path: str, **options: Any) -> Answer:
        """Read."""
        return await self.ask("GET", path, **options)

    async def post(self, path: str, body: object = None, **options: Any) -> Answer:
        """Make."""
        return await self.ask("POST", path, body, **options)

    async def log_in(self, email: str = EMAIL, password: str = PASSWORD) -> Answer:
        """Log in; the CSRF token goes with every request from then on."""
        answer = await self.post("/api/v1/session", {"email": email, "password": password})
        self._carry(answer)
        return answer

    async def set_up(self, code: str, email: str = EMAIL, password: str = PASSWORD) -> Answer:
        """The first run."""
        answer = await self.post("/api/v1/setup", {"code": code, "email": email, "password": password})
        self._carry(answer)
        return answer

    async def make_token(self, *scopes: str, **more: object) -> str:
        """A new API token with these scopes."""
        answer = await self.post("/api/v1/tokens", {"name": "for tests", "scopes": list(scopes), **more})
        assert answer.status == 201, answer.raw
        return answer.json["token"]

    def _carry(self, answer: Answer) -> None:
        if answer.status < 300:
            self.headers["X-CSRF-Token"] = answer.json["csrf_token"]


@dataclass
class Office:
    """A running service."""

    folder: Path
    base_url: str
    app: FastAPI
    services: WebServices
    clock: VirtualClock
    http: aiohttp.ClientSession
    code: str | None

    @property
    def people(self) -> People:
        """The people of the service."""
        return self.services.people

    def browser(self) -> Visitor:
        """A browser that nobody has used yet."""
        return Visitor(self.base_url, self.http, {"User-Agent": "a browser"})

    def program(self, token: str) -> Visitor:
        """A program with a token."""
        return Visitor(self.base_url, self.http, {"Authorization": f"Bearer {token}"})

    async def set_up(self) -> Visitor:
        """The first run: the first user, an admin, in a browser."""
        browser = self.browser()
        answer = await browser.set_up(self.code or "")
        assert answer.status == 201, answer.raw
        return browser

    async def another(self, admin: Visitor, role: str, email: str = "") -> Visitor:
        """Another user with this role, in a browser."""
        email = email or f"{role}@example.test"
        body = {"email": email, "role": role, "password": PASSWORD}
        answer = await admin.post("/api/v1/users", body)
        assert answer.status == 201, answer.raw
        browser = self.browser()
        await browser.log_in(email)
        return browser

    async def admin_token(self) -> str:
        """The first run, and an API token that may do everything."""
        return await (await self.set_up()).make_token("admin")


@asynccontextmanager
async def open_office(
    folder: Path,
    settings: WebSettings | None = None,
    change: Callable[[WebServices], WebServices] = lambda services: services,
) -> AsyncGenerator[Office]:
    """A service on loopback, not set up yet. `change` may add to its services (routers, parts)."""
    clock = VirtualClock()
    installation = install(folder, clock)
    people = People(installation.store, clock, CHEAP)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        chosen = settings or WebSettings()
        if settings is None or "PORT" in chosen.public_url:
            chosen = replace(chosen, public_url=base_url)
        services = change(WebServices(installation, people, chosen))
        app = make_app(services)
        server = uvicorn.Server(
            uvicorn.Config(app, lifespan="on", log_config=None, proxy_headers=False, server_header=False)
        )
        serving = asyncio.create_task(server.serve([listening]))
        try:
            # A cookie jar of our own: the tests look at every attribute.
            async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
                await _started(server, serving)
                yield Office(folder, base_url, app, services, clock, http, begin_setup(people))
        finally:
            server.should_exit = True
            await serving
            await installation.close()


def install(folder: Path, clock: VirtualClock) -> Installation:
    """An installation on a SQLite file, without connections."""
    file = folder / "syncline.db"
    if not file.exists():
        file.write_bytes(_fresh_database())
    url = f"sqlite:///{file}"
    config = Config.model_construct(database=url, secret_key=None, connections={}, syncs={})
    return Installation(config, open_store(url, secret_key=SECRET_KEY), clock, lambda: 0.5)


@contextmanager
def office_elsewhere(
    folder: Path, change: Callable[[WebServices], WebServices] = lambda services: services
) -> Generator[tuple[str, str, FastAPI]]:
    """A service in a thread of its own, for clients that block: its address, an admin's token, and the application."""
    ready: queue.Queue[tuple[str, str, FastAPI]] = queue.Queue()
    over = threading.Event()

    async def serve() -> None:
        async with open_office(folder, change=change) as office:
            ready.put((office.base_url, await office.admin_token(), office.app))
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        yield ready.get(timeout=30)
    finally:
        over.set()
        thread.join()


@functools.cache
def _fresh_database() -> bytes:
    """An empty database of the current schema: copying it takes less time than making it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "syncline.db"
        open_store(f"sqlite:///{file}").close()
        return file.read_bytes()


async def _started(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    while not server.started:
        if serving.done():
            await serving
        await asyncio.sleep(0.005)
