"""`/api/v1/projects/{project_id}/…`: the documents, tasks and milestones of a project.

The routes are added by `workspace` to its router.
"""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Response

from syncline.core.people import Scope
from syncline.core.workspace import ItemType
from syncline.web.etags import CONDITIONAL, IfMatch
from syncline.web.forms import Line, Told
from syncline.web.paging import Page
from syncline.web.security import requires
from syncline.web.workspace_forms import (
    DocumentIn,
    DocumentOut,
    DocumentPut,
    DocumentStatus,
    MilestoneIn,
    MilestoneOut,
    MilestonePut,
    TaskIn,
    TaskOut,
    TaskPut,
)
from syncline.web.workspace_items import Listed, Offer, Shelf, in_project
from syncline.web.workspace_values import Id

_READ = requires(Scope.WORKSPACE_READ)
_WRITE = requires(Scope.WORKSPACE_WRITE)


class EditionOut(Told):
    """How a document was in an earlier version."""

    version: int
    title: str
    body: str
    at: dt.datetime
    by: str


class EditionsOut(Told):
    """The earlier versions of a document, the latest first."""

    items: list[EditionOut]


def add_documents(router: APIRouter, offer: Offer) -> None:
    """The routes of documents."""
    shelf = Shelf(offer, ItemType.DOCUMENT, DocumentOut)

    @router.get("/api/v1/projects/{project_id}/documents", dependencies=[_READ])
    async def list_documents(
        project_id: Id, asked: Listed, status: DocumentStatus | None = None, owner: Line | None = None
    ) -> Page[DocumentOut]:
        """The documents of a project, least recently changed first."""
        return shelf.listed(asked, in_project(project_id), status=status, owner=owner)

    @router.post("/api/v1/projects/{project_id}/documents", status_code=201, dependencies=[_WRITE])
    async def add_document(project_id: Id, body: DocumentIn, response: Response) -> DocumentOut:
        """Make a document."""
        return shelf.made(response, body, f"/api/v1/projects/{project_id}/documents", in_project(project_id))

    @router.get("/api/v1/projects/{project_id}/documents/{doc_id}", dependencies=[_READ])
    async def get_document(project_id: Id, doc_id: Id, response: Response) -> DocumentOut:
        """One document."""
        return shelf.shown(response, shelf.found(doc_id, in_project(project_id)))

    @router.put(
        "/api/v1/projects/{project_id}/documents/{doc_id}", dependencies=[_WRITE], responses=CONDITIONAL
    )
    async def change_document(
        project_id: Id, doc_id: Id, body: DocumentPut, response: Response, if_match: IfMatch
    ) -> DocumentOut:
        """Change a document: what is given changes, the rest stays."""
        return shelf.changed(response, body, shelf.found(doc_id, in_project(project_id)), if_match)

    @router.delete(
        "/api/v1/projects/{project_id}/documents/{doc_id}",
        status_code=204,
        dependencies=[_WRITE],
        responses=CONDITIONAL,
    )
    async def remove_document(project_id: Id, doc_id: Id, if_match: IfMatch) -> None:
        """Put a document into the trash. What is below it stays as it is."""
        shelf.removed(shelf.found(doc_id, in_project(project_id)), if_match)

    @router.post("/api/v1/projects/{project_id}/documents/{doc_id}/restore", dependencies=[_WRITE])
    async def restore_document(project_id: Id, doc_id: Id, response: Response) -> DocumentOut:
        """Bring a document back from the trash."""
        return shelf.restored(response, doc_id, in_project(project_id))

    @router.get("/api/v1/projects/{project_id}/documents/{doc_id}/versions", dependencies=[_READ])
    async def list_document_versions(project_id: Id, doc_id: Id) -> EditionsOut:
        """The earlier versions of a document, the latest first."""
        shelf.found(doc_id, in_project(project_id))
        return EditionsOut(items=[EditionOut.model_validate(each) for each in offer().editions(doc_id)])


def add_tasks(router: APIRouter, offer: Offer) -> None:
    """The routes of tasks."""
    shelf = Shelf(offer, ItemType.TASK, TaskOut)

    @router.get("/api/v1/projects/{project_id}/tasks", dependencies=[_READ])
    async def list_tasks(project_id: Id, asked: Listed, assignee: Line | None = None) -> Page[TaskOut]:
        """The tasks of a project, least recently changed first."""
        return shelf.listed(asked, in_project(project_id), assignee=assignee)

    @router.post("/api/v1/projects/{project_id}/tasks", status_code=201, dependencies=[_WRITE])
    async def add_task(project_id: Id, body: TaskIn, response: Response) -> TaskOut:
        """Make a task."""
        return shelf.made(response, body, f"/api/v1/projects/{project_id}/tasks", in_project(project_id))

    @router.get("/api/v1/projects/{project_id}/tasks/{task_id}", dependencies=[_READ])
    async def get_task(project_id: Id, task_id: Id, response: Response) -> TaskOut:
        """One task."""
        return shelf.shown(response, shelf.found(task_id, in_project(project_id)))

    @router.put("/api/v1/projects/{project_id}/tasks/{task_id}", dependencies=[_WRITE], responses=CONDITIONAL)
    async def change_task(
        project_id: Id, task_id: Id, body: TaskPut, response: Response, if_match: IfMatch
    ) -> TaskOut:
        """Change a task: what is given changes, the rest stays."""
        return shelf.changed(response, body, shelf.found(task_id, in_project(project_id)), if_match)

    @router.delete(
        "/api/v1/projects/{project_id}/tasks/{task_id}",
        status_code=204,
        dependencies=[_WRITE],
        responses=CONDITIONAL,
    )
    async def remove_task(project_id: Id, task_id: Id, if_match: IfMatch) -> None:
        """Put a task into the trash. What is below it stays as it is."""
        shelf.removed(shelf.found(task_id, in_project(project_id)), if_match)

    @router.post("/api/v1/projects/{project_id}/tasks/{task_id}/restore", dependencies=[_WRITE])
    async def restore_task(project_id: Id, task_id: Id, response: Response) -> TaskOut:
        """Bring a task back from the trash."""
        return shelf.restored(response, task_id, in_project(project_id))


def add_project_milestones(router: APIRouter, offer: Offer) -> None:
    """The routes of a project's milestones."""
    shelf = Shelf(offer, ItemType.MILESTONE, MilestoneOut)

    @router.get("/api/v1/projects/{project_id}/milestones", dependencies=[_READ])
    async def list_project_milestones(project_id: Id, asked: Listed) -> Page[MilestoneOut]:
        """The milestones of a project, least recently changed first."""
        return shelf.listed(asked, in_project(project_id))

    @router.post("/api/v1/projects/{project_id}/milestones", status_code=201, dependencies=[_WRITE])
    async def add_project_milestone(project_id: Id, body: MilestoneIn, response: Response) -> MilestoneOut:
        """Make a milestone of a project."""
        return shelf.made(response, body, f"/api/v1/projects/{project_id}/milestones", in_project(project_id))

    @router.get("/api/v1/projects/{project_id}/milestones/{milestone_id}", dependencies=[_READ])
    async def get_project_milestone(project_id: Id, milestone_id: Id, response: Response) -> MilestoneOut:
        """One milestone of a project."""
        return shelf.shown(response, shelf.found(milestone_id, in_project(project_id)))

    @router.put(
        "/api/v1/projects/{project_id}/milestones/{milestone_id}",
        dependencies=[_WRITE],
        responses=CONDITIONAL,
    )
    async def change_project_milestone(
        project_id: Id, milestone_id: Id, body: MilestonePut, response: Response, if_match: IfMatch
    ) -> MilestoneOut:
        """Change a milestone of a project: what is given changes, the rest stays."""
        return shelf.changed(response, body, shelf.found(milestone_id, in_project(project_id)), if_match)

    @router.delete(
        "/api/v1/projects/{project_id}/milestones/{milestone_id}",
        status_code=204,
        dependencies=[_WRITE],
        responses=CONDITIONAL,
    )
    async def remove_project_milestone(project_id: Id, milestone_id: Id, if_match: IfMatch) -> None:
        """Put a milestone of a project into the trash. What is below it stays as it is."""
        shelf.removed(shelf.found(milestone_id, in_project(project_id)), if_match)

    @router.post("/api/v1/projects/{project_id}/milestones/{milestone_id}/restore", dependencies=[_WRITE])
    async def restore_project_milestone(project_id: Id, milestone_id: Id, response: Response) -> MilestoneOut:
        """Bring a milestone of a project back from the trash."""
        return shelf.restored(response, milestone_id, in_project(project_id))
