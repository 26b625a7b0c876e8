"""A running service on sandbox accounts, with the routers of syncs, runs, questions, drafts, objects and the stream.

async with open_workshop(tmp_path) as shop:
    await shop.connect()                     # both accounts, over the API
    await shop.apply()                       # the sync `tickets`
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from syncline.jobs.embedded import EmbeddedJobs
from syncline.service.hub import Hub
from syncline.service.runtime import Runtime
from syncline.service.serving import Service
from syncline.web.answers import answers_router
from syncline.web.brakes import brakes_router
from syncline.web.certificates import certificates_router
from syncline.web.connections import connections_router
from syncline.web.drafts import drafts_router
from syncline.web.links import links_router
from syncline.web.objects import objects_router
from syncline.web.past import past_router
from syncline.web.questions import questions_router
from syncline.web.quota import quota_router
from syncline.web.records import records_router
from syncline.web.runs import runs_router
from syncline.web.search import search_router
from syncline.web.services import WebServices
from syncline.web.stream import stream_router
from syncline.web.syncs import syncs_router
from syncline.web.templates import templates_router
from syncline.web.unlinked import unlinked_router
from tests.cli.office import Office as Accounts
from tests.cli.office import left_is_activecollab as tasks_and_tickets
from tests.cli.office import open_office as open_accounts
from tests.web.office import Answer, Office, Visitor, open_office

TURNS = 400


def left_is_activecollab(project: int) -> dict[str, Any]:
    """Tasks and tickets, looked at only when somebody says so: here time flies."""
    return {**tasks_and_tickets(project), "schedule": {"poll": False, "nightly": False}}


@dataclass
class Workshop:
    """The service, both accounts, and the first user's browser."""

    office: Office
    accounts: Accounts
    runtime: Runtime
    hub: Hub
    admin: Visitor

    async def connect(self) -> None:
        """Both accounts over the API: `ac` and `hl`."""
        for name, settings in (
            ("ac", {"vendor": "activecollab", "url": self.accounts.activecollab["base_url"]}),
            (
                "hl",
                {
                    "vendor": "highlevel",
                    "url": self.accounts.highlevel["base_url"],
                    "location": self.accounts.highlevel["location"],
                    "search_lag": 0,
                },
            ),
        ):
            token = (self.accounts.activecollab if name == "ac" else self.accounts.highlevel)["token"]
            body = {"name": name, "settings": {**settings, "token": token}}
            answer = await self.admin.post("/api/v1/connections", body)
            assert answer.status == 201, answer.raw

    async def draft(self, body: dict[str, Any], name: str = "tickets", **headers: str) -> Answer:
        """Save a draft."""
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        return await self.admin.ask("PUT", f"/api/v1/drafts/{name}", body, sent)

    async def apply(self, body: dict[str, Any] | None = None) -> None:
        """A draft that is put in force."""
        saved = await self.draft(body or left_is_activecollab(self.accounts.project))
        assert saved.status == 200, saved.raw
        tag = {"If-Match": saved.headers["ETag"]}
        applied = await self.admin.post("/api/v1/drafts/tickets/apply", headers=tag)
        assert applied.status == 201, applied.raw

    async def run(self, **body: object) -> dict[str, Any]:
        """Start a run, and wait for its end."""
        started = await self.admin.post("/api/v1/syncs/tickets/run", body)
        assert started.status == 202, started.raw
        return await self.next_run(started.json["after"])

    async def next_run(self, after: str | None) -> dict[str, Any]:
        """The end of the run that comes after one (None: after nothing)."""

        async def ended() -> dict[str, Any] | None:
            items = (await self.admin.get("/api/v1/syncs/tickets/runs?limit=1")).json["items"]
            is_new = items and items[0]["id"] != after and items[0]["state"] != "running"
            return items[0] if is_new else None

        return await until(ended)


async def until(look: Callable[[], Any]) -> Any:
    """What `look` answers once it answers something."""
    for _ in range(TURNS):
        found = await look()
        if found:
            return found
        await asyncio.sleep(0.005)
    raise AssertionError("it never came")


@asynccontextmanager
async def open_workshop(folder: Path, *, heartbeat: float = 15.0) -> AsyncGenerator[Workshop]:
    """Everything, set up, with one task in ActiveCollab; nothing is connected yet."""
    made: list[tuple[Runtime, Hub]] = []

    def furnished(services: WebServices) -> WebServices:
        home = services.installation
        home.config = home.config.model_copy(update={"allow_private": True})
        runtime, hub = Runtime(home), Hub(home.clock, "boot")
        jobs = EmbeddedJobs(home.clock, jitter=lambda: 0.5)
        service = Service(runtime, jobs, hub.tell, hub.watch)
        made.append((runtime, hub))
        return replace(
            services,
            beside=[service.running],
            routers=[
                connections_router(runtime),
                drafts_router(runtime),
                templates_router(runtime),
                objects_router(runtime),
                syncs_router(runtime, jobs),
                runs_router(runtime, jobs),
                past_router(runtime),
                records_router(runtime, jobs),
                links_router(runtime),
                unlinked_router(runtime),
                brakes_router(runtime),
                quota_router(runtime),
                certificates_router(runtime),
                answers_router(runtime),
                questions_router(runtime),
                search_router(runtime),
                stream_router(hub, heartbeat),
            ],
        )

    with open_accounts(folder) as accounts:
        accounts.in_activecollab("create_task", project=accounts.project, name="Paint")
        async with open_office(folder, change=furnished) as office:
            [(runtime, hub)] = made
            try:
                yield Workshop(office, accounts, runtime, hub, await office.set_up())
            finally:
                hub.close()
                await runtime.current().release()
