"""`/api/v1/leads` and `/api/v1/people`: who may become a client, what a lead becomes, and the people of the workspace.

The routes are added by `workspace` to its router.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, StrictBool

from syncline.core.people import Scope
from syncline.core.workspace import FirstTask, ItemType, ProjectWish
from syncline.web.etags import CONDITIONAL, IfMatch
from syncline.web.forms import WHOLE, Line, Sent
from syncline.web.paging import Page
from syncline.web.security import requires
from syncline.web.workspace_forms import (
    LeadIn,
    LeadOut,
    LeadPut,
    LeadStatus,
    PersonIn,
    PersonOut,
    PersonPut,
    ProjectOut,
)
from syncline.web.workspace_items import Listed, Offer, Shelf
from syncline.web.workspace_values import Day, Html, Id, Mail, Reference, Title

_READ = requires(Scope.WORKSPACE_READ)
_WRITE = requires(Scope.WORKSPACE_WRITE)


class FirstTaskIn(Sent):
    """A task that the project begins with; `due_in` days after today."""

    title: Title
    assignee: Mail = Field(default="", description="Whose it is; without one, the project's owner's.")
    description: Html = ""
    due_in: Annotated[int, Field(ge=0, le=3650), WHOLE] | None = None


class ToProjectIn(Sent):
    """How a lead's project should be. Without a name it has the lead's."""

    name: Title | None = None
    owner: Mail | None = None
    due_on: Day | None = None
    template: Annotated[Reference | None, Field(description="The project whose documents are copied.")] = None
    with_marked: StrictBool = Field(
        default=False, description="Copy every document that is marked as a template."
    )
    tasks: Annotated[list[FirstTaskIn], Field(default_factory=list, max_length=100)]


def add_leads(router: APIRouter, offer: Offer) -> None:
    """The routes of leads."""
    shelf = Shelf(offer, ItemType.LEAD, LeadOut)

    @router.get("/api/v1/leads", dependencies=[_READ])
    async def list_leads(
        asked: Listed, status: LeadStatus | None = None, owner: Line | None = None
    ) -> Page[LeadOut]:
        """Leads, least recently changed first."""
        return shelf.listed(asked, status=status, owner=owner)

    @router.post("/api/v1/leads", status_code=201, dependencies=[_WRITE])
    async def add_lead(body: LeadIn, response: Response) -> LeadOut:
        """Make a lead."""
        return shelf.made(response, body, "/api/v1/leads")

    @router.get("/api/v1/leads/{lead_id}", dependencies=[_READ])
    async def get_lead(lead_id: Id, response: Response) -> LeadOut:
        """One lead."""
        return shelf.shown(response, shelf.found(lead_id))

    @router.put("/api/v1/leads/{lead_id}", dependencies=[_WRITE], responses=CONDITIONAL)
    async def change_lead(lead_id: Id, body: LeadPut, response: Response, if_match: IfMatch) -> LeadOut:
        """Change a lead: what is given changes, the rest stays."""
        return shelf.changed(response, body, shelf.found(lead_id), if_match)

    @router.delete("/api/v1/leads/{lead_id}", status_code=204, dependencies=[_WRITE], responses=CONDITIONAL)
    async def remove_lead(lead_id: Id, if_match: IfMatch) -> None:
        """Put a lead into the trash. What is below it stays as it is."""
        shelf.removed(shelf.found(lead_id), if_match)

    @router.post("/api/v1/leads/{lead_id}/restore", dependencies=[_WRITE])
    async def restore_lead(lead_id: Id, response: Response) -> LeadOut:
        """Bring a lead back from the trash."""
        return shelf.restored(response, lead_id)


def add_to_project(router: APIRouter, offer: Offer) -> None:
    """The route that makes a lead a project."""
    projects = Shelf(offer, ItemType.PROJECT, ProjectOut)

    @router.post(
        "/api/v1/leads/{lead_id}/to_project",
        status_code=201,
        dependencies=[_WRITE],
        responses={200: {"model": ProjectOut, "description": "The project that it became before."}},
    )
    async def make_project_of_lead(
        lead_id: Id, response: Response, body: ToProjectIn | None = None
    ) -> ProjectOut:
        """Make a lead a project: linked with it, with copies of documents and its first tasks. A second call makes nothing, and
        answers the same project with 200."""
        before = offer().get(ItemType.LEAD, lead_id).fields.get("project")
        project = offer().to_project(lead_id, _wish(body) if body is not None else ProjectWish())
        if project.id == before:
            response.status_code = 200
        response.headers["Location"] = f"/api/v1/projects/{project.id}"
        return projects.shown(response, project)


def add_people(router: APIRouter, offer: Offer) -> None:
    """The routes of people."""
    shelf = Shelf(offer, ItemType.PERSON, PersonOut)

    @router.get("/api/v1/people", dependencies=[_READ])
    async def list_people(asked: Listed, email: Line | None = None) -> Page[PersonOut]:
        """People, least recently changed first."""
        return shelf.listed(asked, email=email)

    @router.post("/api/v1/people", status_code=201, dependencies=[_WRITE])
    async def add_person(body: PersonIn, response: Response) -> PersonOut:
        """Make a person."""
        return shelf.made(response, body, "/api/v1/people")

    @router.get("/api/v1/people/{person_id}", dependencies=[_READ])
    async def get_person(person_id: Id, response: Response) -> PersonOut:
        """One person."""
        return shelf.shown(response, shelf.found(person_id))

    @router.put("/api/v1/people/{person_id}", dependencies=[_WRITE], responses=CONDITIONAL)
    async def change_person(
        person_id: Id, body: PersonPut, response: Response, if_match: IfMatch
    ) -> PersonOut:
        """Change a person: what is given changes, the rest stays."""
        return shelf.changed(response, body, shelf.found(person_id), if_match)

    @router.delete(
        "/api/v1/people/{person_id}", status_code=204, dependencies=[_WRITE], responses=CONDITIONAL
    )
    async def remove_person(person_id: Id, if_match: IfMatch) -> None:
        """Put a person into the trash. What is below it stays as it is."""
        shelf.removed(shelf.found(person_id), if_match)

    @router.post("/api/v1/people/{person_id}/restore", dependencies=[_WRITE])
    async def restore_person(person_id: Id, response: Response) -> PersonOut:
        """Bring a person back from the trash."""
        return shelf.restored(response, person_id)


def _wish(body: ToProjectIn) -> ProjectWish:
    return ProjectWish(
        name=body.name or "",
        owner=body.owner or "",
        due_on=dt.date.fromisoformat(body.due_on) if body.due_on is not None else None,
        template=body.template or "",
        with_marked=body.with_marked,
        tasks=tuple(
            FirstTask(each.title, each.assignee, each.description, each.due_in) for each in body.tasks
        ),
    )
