"""`/healthz` and `/readyz`: whether the process lives, and whether it can do its work; for those who watch over it."""

from __future__ import annotations

from fastapi import APIRouter, Response

from syncline.web.forms import Told
from syncline.web.security import Guarded, anyone
from syncline.web.services import Part, Services, WebServices

router = APIRouter(tags=["health"], route_class=Guarded)


class Alive(Told):
    """The process answers."""

    status: str = "alive"


class PartOut(Told):
    """How one part of the service is."""

    is_ready: bool
    text: str


class Readiness(Told):
    """Whether all parts are ready, and each by itself."""

    is_ready: bool
    parts: dict[str, PartOut]


_UNREADY = {503: {"model": Readiness, "description": "Some part is not ready."}}


@router.get("/healthz", dependencies=[anyone()])
async def get_health() -> Alive:
    """Whether the process lives. It asks nothing else, so that a slow database gets nobody killed."""
    return Alive()


@router.get("/readyz", dependencies=[anyone()], responses={**_UNREADY})
async def get_readiness(response: Response, services: Services) -> Readiness:
    """Whether the service can do its work."""
    parts = {"store": _store(services), **{name: ask() for name, ask in services.parts.items()}}
    is_ready = all(part.is_ready for part in parts.values())
    response.status_code = 200 if is_ready else 503
    return Readiness(
        is_ready=is_ready, parts={name: PartOut.model_validate(part) for name, part in parts.items()}
    )


def _store(services: WebServices) -> Part:
    if services.people.store.is_current():
        return Part(is_ready=True)
    return Part(is_ready=False, text="The database does not answer, or has another schema.")
