"""`/api/v1/projects`: the projects of the workspace.

The routes are added by `workspace` to its router.
"""

from __future__ import annotations

from fastapi import APIRouter, Response

from syncline.core.people import Scope
from syncline.core.workspace import ItemType
from syncline.web.etags import CONDITIONAL, IfMatch
from syncline.web.forms import Line
from syncline.web.paging import Page
from syncline.web.security import requires
from syncline.web.workspace_forms import (
    ProjectIn,
    ProjectOut,
    ProjectPut,
    ProjectStatus,
)
from syncline.web.workspace_items import Listed, Offer, Shelf
from syncline.web.workspace_values import Id

_READ = requires(Scope.WORKSPACE_READ)
_WRITE = requires(Scope.WORKSPACE_WRITE)


def add_projects(router: APIRouter, offer: Offer) -> None:
    """The routes over this workspace."""
    shelf = Shelf(offer, ItemType.PROJECT, ProjectOut)

    @router.get("/api/v1/projects", dependencies=[_READ])
    async def list_projects(
        asked: Listed,
        status: ProjectStatus | None = None,
        client: Line | None = None,
        owner: Line | None = None,
    ) -> Page[ProjectOut]:
        """Projects, least recently changed first."""
        return shelf.listed(asked, status=status, client=client, owner=owner)

    @router.post("/api/v1/projects", status_code=201, dependencies=[_WRITE])
    async def add_project(body: ProjectIn, response: Response) -> ProjectOut:
        """Make a project."""
        return shelf.made(response, body, "/api/v1/projects")

    @router.get("/api/v1/projects/{project_id}", dependencies=[_READ])
    async def get_project(project_id: Id, response: Response) -> ProjectOut:
        """One project."""
        return shelf.shown(response, shelf.found(project_id))

    @router.put("/api/v1/projects/{project_id}", dependencies=[_WRITE], responses=CONDITIONAL)
    async def change_project(
        project_id: Id, body: ProjectPut, response: Response, if_match: IfMatch
    ) -> ProjectOut:
        """Change a project: what is given changes, the rest stays."""
        return shelf.changed(response, body, shelf.found(project_id), if_match)

    @router.delete(
        "/api/v1/projects/{project_id}", status_code=204, dependencies=[_WRITE], responses=CONDITIONAL
    )
    async def remove_project(project_id: Id, if_match: IfMatch) -> None:
        """Put a project into the trash. What is below it stays as it is."""
        shelf.removed(shelf.found(project_id), if_match)

    @router.post("/api/v1/projects/{project_id}/restore", dependencies=[_WRITE])
    async def restore_project(project_id: Id, response: Response) -> ProjectOut:
        """Bring a project back from the trash."""
        return shelf.restored(response, project_id)
