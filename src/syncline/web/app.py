"""The services of an installation into the web application that `serve` runs.

Called by `cli` and by tests. Handlers are thin: they take a request apart, ask the service or the engine, and answer. There is no
global state: what they reach is in `WebServices`, and the application holds it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.responses import JSONResponse

from syncline import __version__
from syncline.web import audit, errors, health, idempotency, problems, sessions, tokens, users
from syncline.web.hardening import Hardening
from syncline.web.security import SCHEMES, Guarded, anyone
from syncline.web.services import WebServices

_ROUTERS = (
    health.router,
    errors.router,
    sessions.setup,
    sessions.router,
    users.router,
    tokens.router,
    audit.router,
)
_TAGS = {
    "health": "Whether the service lives and can do its work.",
    "errors": "Every code, explained.",
    "setup": "The first run.",
    "session": "Logging in and out; one's own account.",
    "users": "Who may use the service.",
    "tokens": "API tokens for programs.",
    "connections": "Accounts at the vendors, their credentials, and whether all is well.",
    "objects": "Object types, their fields and samples, as the vendors have them.",
    "templates": "Ready-made syncs: looked at, made, kept as drafts.",
    "drafts": "Syncs as they are set up: drafts, checks, versions.",
    "syncs": "How syncs stand: started, paused, planned.",
    "runs": "What was done: runs, history, writes that failed; taken back, or decided again.",
    "records": "One record: why it is as it is, what it held, and a fresh look.",
    "links": "Which records belong together, which do not, and which go alone.",
    "brakes": "What stops a run before it does damage, and letting go of it.",
    "quota": "What each connection may still call.",
    "certificates": "Both sides compared, field by field.",
    "questions": "Conflicts and deletions that wait for a person.",
    "stream": "Progress and finished runs as they happen.",
    "audit": "What people and runs did.",
    "deliveries": "Webhooks as they came in, and what became of each.",
    "workspace": "Projects, documents, tasks, milestones, contracts, leads, people, and their files.",
    "overview": "How projects go, what contracts are worth, what is due; and everything by name.",
    "alerts": "What is or was wrong, and the channels that are told.",
    "events": "What happened, and whoever wants to be told: webhooks out.",
    "metrics": "The measurements.",
}
_DESCRIPTION = """Keeps ActiveCollab and HighLevel in step.

Errors are problems (RFC 9457) whose `code` is explained under `/api/v1/errors`. Lists come in pages (`limit`, `cursor`).
Configuration is changed on top of what was read (`ETag`, `If-Match`); a POST with an `Idempotency-Key` is done once.
"""


class Api(FastAPI):
    """The application; its document declares how to log in, and the one form of all problems."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document."""
        if self.openapi_schema is None:
            self.openapi_schema = _completed(super().openapi())
        return self.openapi_schema


def make_app(services: WebServices) -> FastAPI:
    """The application over these services."""
    app = Api(
        title="Syncline",
        summary="Keeps ActiveCollab and HighLevel in step.",
        description=_DESCRIPTION,
        version=__version__,
        openapi_tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        lifespan=_lifespan(services),
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    app.state.services = services
    idempotency.add_to(app)
    problems.add_to(app)
    app.add_middleware(Hardening, settings=services.settings, problem=problems.problem)
    for router in (_document_router(app), *_ROUTERS, *services.routers):
        app.include_router(router)
    return app


def _operation_id(route: APIRoute) -> str:
    """The handler's name: stable, and the method's name in a generated client."""
    return route.name


def _document_router(app: FastAPI) -> APIRouter:
    router = APIRouter(route_class=Guarded)

    @router.get("/api/v1/openapi.json", dependencies=[anyone()], include_in_schema=False)
    async def get_openapi() -> JSONResponse:
        """The OpenAPI document."""
        return JSONResponse(app.openapi())

    return router


def _lifespan(services: WebServices) -> Any:
    """What runs beside the application: entered when it starts, left in reverse when it ends."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            for begin in services.beside:
                beside: AbstractAsyncContextManager[object] = begin()
                await stack.enter_async_context(beside)
            yield

    return lifespan


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    described = problems.ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(described.pop("$defs"))
    schemas["Problem"] = described
    components["securitySchemes"] = {name: dict(scheme) for name, scheme in SCHEMES.items()}
    return document
