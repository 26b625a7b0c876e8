"""`/api/v1/templates`: ready-made syncs, what one would make on the other side, and making it with a draft to look over.

The router is made by `templates_router` over the runtime of the process.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from syncline.core.mapping import Direction
from syncline.core.people import Scope
from syncline.errors import Refusal, RequestError
from syncline.service import drafting, making
from syncline.service.making import Choice, Prepared
from syncline.service.ready_made import TEMPLATES, End, Template, template_of
from syncline.service.runtime import Runtime
from syncline.web.drafts import DraftName
from syncline.web.forms import Name, Sent, Told
from syncline.web.security import Guarded, Who, requires

_READ = requires(Scope.SYNCS_READ)
_WRITE = requires(Scope.SYNCS_WRITE)

Where = Annotated[
    dict[str, Annotated[list[Name], Field(max_length=500)]],
    Field(default_factory=dict, max_length=20, description="Which records take part, by filter name: ids."),
]


class TemplateEndOut(Told):
    """One side. `needs` are the filters that have to be given. `makes`: the object is made where it is missing."""

    vendor: str
    title: str
    needs: list[str]
    makes: bool


class TemplateLineOut(Told):
    """A field line, in the names that people see."""

    left: str
    right: str
    direction: Direction


class TemplateOut(Told):
    """A ready-made sync."""

    id: str
    title: str
    summary: str
    left: TemplateEndOut
    right: TemplateEndOut
    lines: list[TemplateLineOut]


class ChoiceIn(Sent):
    """Two connections, by name, and which records take part."""

    left: Name
    right: Name
    left_where: Where
    right_where: Where


class MakeIn(ChoiceIn):
    """The same, and the name of the sync: the draft is kept under it."""

    name: DraftName


class WantedOut(Told):
    """An object or a field that has to be there, its type and options, and whether it is."""

    what: str
    name: str
    kind: str
    options: list[str]
    is_there: bool


class PreparedOut(Told):
    """What the template makes, the draft that comes of it, and what a person has to do by hand."""

    wanted: list[WantedOut]
    draft: Annotated[dict[str, Any], Field(description="What `syncs.NAME` of syncline.yaml would hold.")]
    notes: list[str]


def templates_router(runtime: Runtime) -> APIRouter:
    """The routes over this runtime."""
    router = APIRouter(prefix="/api/v1/templates", tags=["templates"], route_class=Guarded)

    @router.get("", dependencies=[_READ])
    async def list_templates() -> list[TemplateOut]:
        """All ready-made syncs."""
        return [_template(each) for each in TEMPLATES.values()]

    @router.post("/{template}/look", dependencies=[_READ])
    async def look_at_template(template: Name, body: ChoiceIn) -> PreparedOut:
        """What a template would make between two connections. Nothing is made."""
        async with runtime.held() as installation:
            return _prepared(await making.look(installation, template_of(template), _choice(body)))

    @router.post("/{template}/make", status_code=201, dependencies=[_WRITE])
    async def make_of_template(template: Name, body: MakeIn, response: Response, who: Who) -> PreparedOut:
        """Make what is missing on the right side, and keep a draft of the sync. Look it over, change it, and put it in force
        with `/drafts/{sync}/apply`."""
        async with runtime.held() as installation:
            if installation.store.draft(body.name) is not None or body.name in installation.config.syncs:
                raise RequestError(f"There is a sync or a draft '{body.name}' already.", Refusal.NAME_TAKEN)
            made = await making.make(installation, template_of(template), _choice(body))
            by = who.user.name or f"user {who.user.id}"
            drafting.save(installation, body.name, made.body, by, 0)
        response.headers["Location"] = f"/api/v1/drafts/{body.name}"
        return _prepared(made)

    return router


def _choice(body: ChoiceIn) -> Choice:
    left = {name: tuple(values) for name, values in body.left_where.items()}
    right = {name: tuple(values) for name, values in body.right_where.items()}
    return Choice(body.left, body.right, left, right)


def _template(template: Template) -> TemplateOut:
    return TemplateOut(
        id=template.id,
        title=template.title,
        summary=template.summary,
        left=_end(template.left),
        right=_end(template.right),
        lines=[TemplateLineOut(left=a.left, right=a.right, direction=a.direction) for a in template.lines],
    )


def _end(end: End) -> TemplateEndOut:
    return TemplateEndOut(
        vendor=end.vendor, title=end.title, needs=list(end.needs), makes=end.wish is not None
    )


def _prepared(prepared: Prepared) -> PreparedOut:
    return PreparedOut(
        wanted=[WantedOut.model_validate(each) for each in prepared.wanted],
        draft=dict(prepared.body),
        notes=list(prepared.notes),
    )
