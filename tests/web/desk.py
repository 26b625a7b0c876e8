"""A running service with a workspace: its routes, the overviews and the search.

async with open_desk(tmp_path) as desk:
    made = await desk.make("/projects", name="Roof")
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from syncline.service.runtime import Runtime
from syncline.service.workspace import Workspace
from syncline.store.vault import DirectoryVault
from syncline.web.overview import overview_router
from syncline.web.search import search_router
from syncline.web.services import WebServices
from syncline.web.workspace import workspace_router
from tests.web.office import Answer, Office, Visitor, open_office


@dataclass
class Desk:
    """The service, the workspace behind it, and somebody who may write there."""

    office: Office
    workspace: Workspace
    files: Path
    admin: Visitor
    visitor: Visitor

    async def make(self, path: str, **fields: object) -> dict[str, Any]:
        """A new item."""
        answer = await self.visitor.post(f"/api/v1{path}", fields)
        assert answer.status == 201, answer.raw
        return answer.json

    async def read(self, path: str) -> Any:
        """What is there."""
        answer = await self.visitor.get(f"/api/v1{path}")
        assert answer.status == 200, answer.raw
        return answer.json

    async def change(self, path: str, **fields: object) -> Answer:
        """A change on top of what is there."""
        before = await self.visitor.get(f"/api/v1{path}")
        return await self.visitor.ask("PUT", f"/api/v1{path}", fields, {"If-Match": before.headers["ETag"]})

    async def remove(self, path: str) -> None:
        """Into the trash."""
        answer = await self.visitor.ask("DELETE", f"/api/v1{path}", headers={"If-Match": "*"})
        assert answer.status == 204, answer.raw

    async def attach(self, path: str, name: str, content: Any, **headers: str) -> Answer:
        """A file on an item."""
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("file", content, filename=name, content_type="text/plain")
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        return await self.visitor.ask("POST", f"/api/v1{path}/attachments", data=form, headers=sent)


@asynccontextmanager
async def open_desk(folder: Path) -> AsyncGenerator[Desk]:
    """A service that is set up, with an empty workspace."""
    made: list[Workspace] = []
    files = folder / "files"

    def furnished(services: WebServices) -> WebServices:
        home = services.installation
        runtime = Runtime(home)
        workspace = Workspace(home.store, home.clock, DirectoryVault(files))
        made.append(workspace)
        routers = [
            workspace_router(lambda: workspace),
            overview_router(lambda: workspace, lambda: home.clock, lambda: home.store),
            search_router(runtime),
        ]
        return replace(services, routers=routers)

    async with open_office(folder, change=furnished) as office:
        admin = await office.set_up()
        token = await admin.make_token("workspace:write")
        yield Desk(office, made[0], files, admin, office.program(token))
